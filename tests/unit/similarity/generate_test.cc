/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "base/hash.h"
}

namespace {

pkin_generate_options with_rows(uint64_t n_rows) {
    pkin_generate_options options = pkin_generate_options_default();
    options.n_rows = n_rows;
    options.n_threads = 2;
    return options;
}

/* Owned generated rows. */
struct Generated {
    pkin_vectors *v = nullptr;
    pkin_status status;

    explicit Generated(const pkin_generate_options &options) : status(pkin_vectors_generate(&options, &v)) {}
    ~Generated() {
        pkin_vectors_free(v);
    }
    Generated(const Generated &) = delete;
    Generated &operator=(const Generated &) = delete;

    uint64_t length(uint64_t row) const {
        return v->row_offsets[row + 1] - v->row_offsets[row];
    }
    std::vector<uint32_t> columns(uint64_t row) const {
        return {v->columns + v->row_offsets[row], v->columns + v->row_offsets[row + 1]};
    }
    std::vector<uint32_t> weights(uint64_t row) const {
        return {v->weights + v->row_offsets[row], v->weights + v->row_offsets[row + 1]};
    }
    uint64_t fingerprint() const {
        uint64_t n = v->row_offsets[v->n_rows];
        uint64_t hash = pkin_i_hash_bytes(v->row_offsets, (v->n_rows + 1) * sizeof *v->row_offsets, v->n_columns);
        hash = pkin_i_hash_bytes(v->columns, n * sizeof *v->columns, hash);
        return pkin_i_hash_bytes(v->weights, n * sizeof *v->weights, hash);
    }
};

void expect_sound(const Generated &g) {
    ASSERT_EQ(g.status, PKIN_OK) << pkin_last_error();
    for (uint64_t r = 0; r < g.v->n_rows; r++) {
        uint64_t squares = 0;
        ASSERT_GT(g.length(r), 0u) << r;
        for (uint64_t k = g.v->row_offsets[r]; k < g.v->row_offsets[r + 1]; k++) {
            ASSERT_LT(g.v->columns[k], g.v->n_columns);
            if (k > g.v->row_offsets[r]) {
                ASSERT_LT(g.v->columns[k - 1], g.v->columns[k]) << r;
            }
            ASSERT_GE(g.v->weights[k], 1u);
            squares += uint64_t(g.v->weights[k]) * g.v->weights[k];
        }
        ASSERT_LE(squares, PKIN_SCORE_ONE) << r;
        ASSERT_GE(squares, PKIN_SCORE_ONE / 1000000 * 999999) << r;
    }
}

TEST(Generate, RowsAreSound) {
    for (uint64_t n_rows : {1, 2, 300, 5000}) expect_sound(Generated(with_rows(n_rows)));
}

TEST(Generate, ExtremeOptionsGiveSoundRows) {
    pkin_generate_options few = with_rows(500);
    few.mean_terms = 1;
    few.n_columns = 4;
    few.n_topics = 1;
    expect_sound(Generated(few));
    pkin_generate_options long_rows = with_rows(50);
    long_rows.mean_terms = 4096;
    expect_sound(Generated(long_rows));
    pkin_generate_options topics = with_rows(50);
    topics.n_topics = 5000;
    topics.seed = UINT64_MAX;
    expect_sound(Generated(topics));
    pkin_generate_options wide = with_rows(50);
    wide.n_columns = 300017;
    expect_sound(Generated(wide));
}

/* The bits of every machine, compiler and thread count. */
TEST(Generate, BitsAreFixed) {
    for (int n_threads : {1, 2, 3, 0}) {
        pkin_generate_options options = with_rows(3000);
        options.seed = 7;
        options.near_copy_share = 0.05;
        options.copy_share = 0.05;
        options.n_threads = n_threads;
        Generated g(options);
        ASSERT_EQ(g.status, PKIN_OK);
        EXPECT_EQ(g.fingerprint(), UINT64_C(854563779899919822)) << n_threads;
    }
}

TEST(Generate, ARowFollowsFromSeedAndNumber) {
    pkin_generate_options options = with_rows(2000);
    options.n_columns = 20000;
    options.n_topics = 40;
    options.copy_share = options.near_copy_share = 0.1;
    Generated all(options);
    options.n_rows = 700;
    Generated some(options);
    options.seed++;
    Generated others(options);
    uint64_t n_equal = 0;
    for (uint64_t r = 0; r < 700; r++) {
        ASSERT_EQ(all.columns(r), some.columns(r)) << r;
        n_equal += all.columns(r) == others.columns(r);
    }
    EXPECT_EQ(n_equal, 0u);
}

/* Of n rows about the wanted share equals an earlier one, and near-copies are near. */
TEST(Generate, CopiesArePlanted) {
    pkin_generate_options options = with_rows(1000);
    options.copy_share = 0.2;
    options.near_copy_share = 0;
    Generated copies(options);
    std::set<std::vector<uint32_t>> distinct;
    for (uint64_t r = 0; r < 1000; r++) distinct.insert(copies.weights(r));
    EXPECT_NEAR(double(distinct.size()), 800, 45);

    options.copy_share = 0;
    options.near_copy_share = 0.2;
    Generated near(options);
    std::set<uint32_t> later;
    for (const Scored &pair : oracle_join(near.v, nullptr, pkin_score_from_threshold(0.6))) later.insert(pair.j);
    EXPECT_NEAR(double(later.size()), 200, 50);

    options.near_copy_share = 0;
    Generated none(options);
    EXPECT_LT(oracle_join(none.v, nullptr, pkin_score_from_threshold(0.7)).size(), 10u);

    options.copy_share = 1;
    Generated one(options);
    for (uint64_t r = 1; r < 1000; r++) ASSERT_EQ(one.weights(r), one.weights(0));
    options.copy_share = 0;
    options.near_copy_share = 1;
    expect_sound(Generated(options));
}

/* As 66,454 titles and abstracts of arXiv papers are: 95 terms a row; the squares of document frequencies sum up to 7.2
   times the square of the rows. */
TEST(Generate, RowsAreLikeAbstracts) {
    Generated g(with_rows(20000));
    ASSERT_EQ(g.status, PKIN_OK);
    const double n = 20000;
    std::vector<double> df(g.v->n_columns);
    for (uint64_t k = 0; k < g.v->row_offsets[g.v->n_rows]; k++) df[g.v->columns[k]]++;
    double squares = 0, most = 0, n_used = 0, n_once = 0;
    for (double each : df) {
        squares += each * each;
        most = std::max(most, each);
        n_used += each > 0;
        n_once += each == 1;
    }
    EXPECT_NEAR(double(g.v->row_offsets[g.v->n_rows]) / n, 96, 3);
    EXPECT_NEAR(squares / (n * n), 6, 1.5);
    EXPECT_NEAR(most / n, 0.5, 0.1);
    EXPECT_GT(n_used, 30000);
    EXPECT_GT(n_once, n_used / 5);
}

TEST(Generate, NonsenseIsRefused) {
    auto status_of = [](void (*change)(pkin_generate_options *)) {
        pkin_generate_options options = with_rows(10);
        change(&options);
        Generated g(options);
        EXPECT_EQ(g.v, nullptr);
        return g.status;
    };
    using Options = pkin_generate_options;
    const pkin_status refused = PKIN_ERROR_INVALID_ARGUMENT;
    EXPECT_EQ(status_of([](Options *o) { o->n_rows = 0; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->n_rows = UINT64_C(1) << 32; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->mean_terms = 0.5; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->mean_terms = std::nan(""); }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->mean_terms = 1e9; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->n_columns = 100; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->n_topics = UINT32_MAX; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->copy_share = -0.1; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->copy_share = std::nan(""); }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->near_copy_share = 1.1; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->copy_share = o->near_copy_share = 0.6; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->n_threads = -1; }), refused);
    EXPECT_EQ(status_of([](Options *o) { o->size = 1000; }), refused);
    EXPECT_EQ(pkin_vectors_generate(nullptr, nullptr), refused);
}

struct Progress {
    std::thread::id caller = std::this_thread::get_id();
    int cancel_at = std::numeric_limits<int>::max();
    int n_calls = 0;
    bool wrong_thread = false;
};

int on_progress(void *user, const char *, uint64_t done, uint64_t total) {
    Progress *progress = static_cast<Progress *>(user);
    progress->wrong_thread |= std::this_thread::get_id() != progress->caller || done > total;
    return progress->n_calls++ >= progress->cancel_at;
}

TEST(Generate, ProgressComesFromTheCallerAndCancels) {
    pkin_generate_options options = with_rows(20000);
    Progress all;
    options.on_progress = on_progress;
    options.progress_user = &all;
    ASSERT_EQ(Generated(options).status, PKIN_OK);
    EXPECT_FALSE(all.wrong_thread);
    ASSERT_GT(all.n_calls, 8);
    for (int cancel_at : {0, 1, 5}) {
        Progress some;
        some.cancel_at = cancel_at;
        options.progress_user = &some;
        Generated g(options);
        EXPECT_EQ(g.status, PKIN_ERROR_CANCELLED);
        EXPECT_EQ(g.v, nullptr);
    }
}

TEST(Generate, EveryAllocationMayFail) {
    expect_clean_failures([] {
        pkin_vectors *vectors = nullptr;
        pkin_matrix *matrix = nullptr;
        pkin_generate_options options = with_rows(2000);
        pkin_status status = pkin_vectors_generate(&options, &vectors);
        if (status == PKIN_OK) status = pkin_vectors_to_matrix(vectors, &matrix);
        pkin_vectors_free(vectors);
        pkin_matrix_free(matrix);
        return status;
    });
}

/* Doubles hold 30 bits: there and back again. */
TEST(ToMatrix, KeepsEveryBit) {
    Generated g(with_rows(500));
    pkin_matrix *matrix = nullptr;
    pkin_vectors *again = nullptr;
    ASSERT_EQ(pkin_vectors_to_matrix(g.v, &matrix), PKIN_OK);
    ASSERT_EQ(pkin_vectors_from_matrix(matrix, 0, &again), PKIN_OK);
    ASSERT_EQ(pkin_vectors_n_rows(again), 500u);
    for (uint64_t r = 0; r <= 500; r++) ASSERT_EQ(again->row_offsets[r], g.v->row_offsets[r]);
    for (uint64_t k = 0; k < g.v->row_offsets[500]; k++) {
        ASSERT_EQ(again->columns[k], g.v->columns[k]);
        ASSERT_EQ(again->weights[k], g.v->weights[k]);
    }
    pkin_vectors_free(again);
    pkin_matrix_free(matrix);
    EXPECT_EQ(pkin_vectors_to_matrix(nullptr, &matrix), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_vectors_to_matrix(g.v, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

} // namespace
