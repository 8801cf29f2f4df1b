/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <set>
#include <thread>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/cpu_block_index.h"
}

namespace {

TEST(Arguments, WrongOnesAreRefused) {
    TestVectors v(random_matrix({10, 5, 3}, 1)), other(random_matrix({10, 6, 3}, 1));
    pkin_status status;
    for (double threshold : {0.0, -0.1, 1.0000001, std::nan(""), double(INFINITY)}) {
        EXPECT_TRUE(run_join(v.vectors, nullptr, threshold, 1, &status).empty());
        EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT) << threshold;
    }
    run_top_k(v.vectors, nullptr, 3, std::nan(""), 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_top_k(v.vectors, nullptr, 0, 0.1, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(v.vectors, other.vectors, 0.5, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(v.vectors, nullptr, 0.5, -1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(nullptr, nullptr, 0.5, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_pair_list list;
    options.size = 1;
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_INVALID_ARGUMENT);
    options = pkin_similarity_options_default();
    options.backend = "abacus";
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_UNSUPPORTED);
    EXPECT_EQ(list.pairs, nullptr);
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Arguments, NullVectorsScoreNothing) {
    TestVectors v({1, {{{0, 1.0}}}});
    pkin_shared_term term;
    EXPECT_EQ(pkin_vectors_score(v.vectors, 0, nullptr, 0), 0u);
    EXPECT_EQ(pkin_vectors_score(nullptr, 0, v.vectors, 0), 0u);
    EXPECT_EQ(pkin_vectors_shared_terms(v.vectors, 0, nullptr, 0, 1, &term), 0u);
    EXPECT_EQ(pkin_vectors_shared_terms(nullptr, 0, v.vectors, 0, 1, &term), 0u);
    EXPECT_EQ(pkin_vectors_shared_terms(v.vectors, 0, v.vectors, 0, 1, nullptr), 0u);
    EXPECT_EQ(pkin_vectors_shared_terms(v.vectors, 0, v.vectors, 0, 1, &term), 1u);
}

/* Records the calls, and cancels at the first one where at least `cancel_at` in thousand are done. */
struct Progress {
    std::thread::id caller = std::this_thread::get_id();
    uint64_t cancel_at = 1001;
    std::vector<uint64_t> done;
    uint64_t total = 0;
    int n_after_cancel = -1;
    bool wrong_thread = false;
    std::string stage;
};

int on_progress(void *user, const char *stage, uint64_t done, uint64_t total) {
    Progress *progress = static_cast<Progress *>(user);
    progress->wrong_thread |= std::this_thread::get_id() != progress->caller;
    progress->done.push_back(done);
    progress->total = total;
    progress->stage = stage;
    bool cancels = done * 1000 >= total * progress->cancel_at;
    if (cancels || progress->n_after_cancel >= 0) progress->n_after_cancel++;
    return cancels;
}

pkin_similarity_options with_progress(Progress *progress, int n_threads) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = n_threads;
    options.on_progress = on_progress;
    options.progress_user = progress;
    return options;
}

/* No two rows are equal and none is empty, so that all are compared. */
TestMatrix all_different(uint64_t n_rows, uint64_t n_columns) {
    TestMatrix matrix{n_columns, {}};
    for (uint64_t r = 0; r < n_rows; r++) {
        const uint32_t first = static_cast<uint32_t>(r % (n_columns - 1));
        const double weight = static_cast<double>(1 + r / (n_columns - 1));
        matrix.rows.push_back({{first, weight}, {static_cast<uint32_t>(n_columns - 1), 1.0}});
    }
    return matrix;
}

uint64_t pairs_within(uint64_t n_rows) {
    return n_rows * (n_rows - 1) / 2;
}

/* Whatever the threads' schedule and the plan, the caller hears of the beginning, of the end, and of points between. */
TEST(Progress, ComesFromTheCallerAllTheWay) {
    const uint64_t n_waves = 6;
    for (int n_threads : {1, 2, 3}) {
        TestVectors v(all_different(PKIN_I_BLOCK_ROWS * n_waves * static_cast<uint64_t>(n_threads), 5000));
        Progress progress;
        pkin_similarity_options options = with_progress(&progress, n_threads);
        pkin_pair_list list;
        ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.99, &options, &list), PKIN_OK);
        pkin_pair_list_free(&list);
        EXPECT_FALSE(progress.wrong_thread);
        EXPECT_EQ(progress.stage, "comparing");
        EXPECT_TRUE(std::is_sorted(progress.done.begin(), progress.done.end()));
        EXPECT_EQ(progress.done.front(), 0u);
        EXPECT_EQ(progress.total, pairs_within(v.vectors->n_rows));
        EXPECT_GT(std::set<uint64_t>(progress.done.begin(), progress.done.end()).size(), 2u);
        EXPECT_EQ(progress.done.back(), progress.total);
    }
}

TEST(Progress, AnyCallMayCancel) {
    TestVectors v(random_matrix({5000, 500, 8}, 2));
    for (int n_threads : {1, 4}) {
        for (uint64_t cancel_at : {0, 1, 500, 1000}) {
            Progress progress;
            progress.cancel_at = cancel_at;
            pkin_similarity_options options = with_progress(&progress, n_threads);
            pkin_pair_list list;
            ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_CANCELLED);
            EXPECT_EQ(list.pairs, nullptr);
            EXPECT_EQ(progress.n_after_cancel, 0);
            progress = Progress();
            progress.cancel_at = cancel_at;
            pkin_neighbor_lists lists;
            ASSERT_EQ(pkin_similarity_top_k(v.vectors, nullptr, 3, 0, &options, &lists), PKIN_ERROR_CANCELLED);
            EXPECT_EQ(lists.neighbors, nullptr);
            EXPECT_EQ(lists.offsets, nullptr);
            EXPECT_EQ(progress.n_after_cancel, 0);
        }
    }
}

TEST(Memory, EveryAllocationMayFail) {
    TestVectors v(random_matrix({300, 40, 8}, 4)), w(random_matrix({50, 40, 8}, 5));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = 3;
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        expect_clean_failures([&] {
            pkin_pair_list list;
            pkin_status status = pkin_similarity_join(v.vectors, b, 0.01, &options, &list);
            pkin_pair_list_free(&list);
            return status;
        });
        expect_clean_failures([&] {
            pkin_neighbor_lists lists;
            pkin_status status = pkin_similarity_top_k(v.vectors, b, 5, 0, &options, &lists);
            pkin_neighbor_lists_free(&lists);
            return status;
        });
    }
    pkin_matrix *matrix = random_matrix({30, 10, 4}, 6).to_matrix();
    expect_clean_failures([&] {
        const uint32_t rows[] = {1, 2};
        pkin_vectors *vectors = nullptr, *selected = nullptr;
        pkin_status status = pkin_vectors_from_matrix(matrix, 1, &vectors);
        if (status == PKIN_OK) status = pkin_vectors_select(vectors, rows, 2, &selected);
        pkin_vectors_free(vectors);
        pkin_vectors_free(selected);
        return status;
    });
    pkin_matrix_free(matrix);
}

/* The same rows over the last of very many columns. */
TestMatrix spread(const TestMatrix &matrix, uint64_t n_columns) {
    TestMatrix out = {n_columns, matrix.rows};
    for (TestRow &row : out.rows) {
        for (auto &entry : row) entry.first = static_cast<uint32_t>(n_columns - matrix.n_columns + entry.first);
    }
    return out;
}

/* A few entries may claim 2^32 - 1 columns: memory follows the entries, and the results stay. */
TEST(Memory, FollowsTheEntriesNotTheColumns) {
    const TestMatrix small_a = random_matrix({60, 40, 8}, 11), small_b = random_matrix({90, 40, 8}, 12);
    TestVectors a(small_a), b(small_b), wide_a(spread(small_a, UINT32_MAX)), wide_b(spread(small_b, UINT32_MAX));
    ASSERT_EQ(wide_a.vectors->columns[wide_a.vectors->row_offsets[60] - 1] / 256, UINT32_MAX / 256);
    FailingMemory memory;
    memory.most_bytes = 16 << 20;
    pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release, &memory};
    pkin_set_allocator(&hooks);
    pkin_status status[4];
    std::vector<Scored> found[] = {run_join(wide_a.vectors, nullptr, 0.2, 2, &status[0]),
                                   run_join(wide_a.vectors, wide_b.vectors, 0.2, 2, &status[1]),
                                   run_join(wide_b.vectors, wide_a.vectors, 0.2, 2, &status[2]),
                                   run_top_k(wide_a.vectors, wide_b.vectors, 3, 0, 2, &status[3])};
    pkin_set_allocator(nullptr);
    for (pkin_status each : status) ASSERT_EQ(each, PKIN_OK);
    const uint64_t reach = pkin_score_from_threshold(0.2);
    EXPECT_EQ(found[0], oracle_join(a.vectors, nullptr, reach));
    EXPECT_EQ(found[1], oracle_join(a.vectors, b.vectors, reach));
    EXPECT_EQ(found[2], oracle_join(b.vectors, a.vectors, reach));
    EXPECT_EQ(found[3], oracle_top_k(a.vectors, b.vectors, 3, 1));
    expect_clean_failures([&] {
        pkin_similarity_options options = pkin_similarity_options_default();
        pkin_pair_list list;
        pkin_status each = pkin_similarity_join(wide_a.vectors, wide_b.vectors, 0.2, &options, &list);
        pkin_pair_list_free(&list);
        return each;
    });
}

} // namespace
