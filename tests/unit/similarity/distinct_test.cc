/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "support/similarity_oracle.h"

extern "C" {
#include "paperkin/generate.h"
#include "similarity/distinct_rows.h"
}

namespace {

using Entries = std::vector<std::pair<uint32_t, uint32_t>>;

Entries entries_of(const pkin_vectors *v, uint64_t r) {
    Entries out;
    for (uint64_t k = v->row_offsets[r]; k < v->row_offsets[r + 1]; k++) out.push_back({v->columns[k], v->weights[k]});
    return out;
}

/* Rows made without a matrix, for many of them. */
struct Rows {
    std::vector<uint64_t> offsets = {0};
    std::vector<uint32_t> columns, weights;
    pkin_vectors view = {};

    void add(const Entries &entries) {
        for (const auto &entry : entries) {
            columns.push_back(entry.first);
            weights.push_back(entry.second);
        }
        offsets.push_back(columns.size());
    }
    const pkin_vectors *get(uint64_t n_columns) {
        view = {offsets.size() - 1, n_columns, offsets.data(), columns.data(), weights.data()};
        return &view;
    }
};

/* Groups as a map has them. */
void expect_groups(const pkin_vectors *v, int with_copies, int n_threads) {
    std::map<Entries, std::vector<uint32_t>> groups;
    std::vector<Entries> order;
    uint64_t n_empty = 0, n_copies = 0;
    for (uint32_t r = 0; r < v->n_rows; r++) {
        Entries row = entries_of(v, r);
        std::vector<uint32_t> &members = groups[row];
        n_empty += row.empty();
        n_copies += !row.empty() && !members.empty();
        if (members.empty() && !row.empty()) order.push_back(row);
        if (members.empty() || with_copies) members.push_back(r);
    }
    pkin_i_distinct_rows found;
    ASSERT_EQ(pkin_i_distinct_rows_find(v, with_copies, 0, n_threads, &found), PKIN_OK);
    EXPECT_EQ(found.n_empty, n_empty);
    EXPECT_EQ(found.n_copies, n_copies);
    ASSERT_EQ(found.rows.n_rows, order.size());
    EXPECT_EQ(found.rows.n_columns, v->n_columns);
    EXPECT_EQ(found.offsets == nullptr, n_empty + n_copies == 0);
    EXPECT_EQ(found.rows.columns == v->columns, n_empty + n_copies == 0) << "copied or not, against need";
    uint64_t most = 0;
    for (uint64_t g = 0; g < order.size(); g++) {
        const std::vector<uint32_t> &members = groups[order[g]];
        ASSERT_EQ(entries_of(&found.rows, g), order[g]);
        ASSERT_EQ(pkin_i_group_size(&found, g), members.size());
        ASSERT_EQ(pkin_i_group_score(&found, g), pkin_vectors_score(v, members[0], v, members[0]));
        for (uint64_t m = 0; m < members.size(); m++) {
            ASSERT_EQ(pkin_i_group_row(&found, pkin_i_group_begin(&found, g) + m), members[m]);
        }
        most = std::max<uint64_t>(most, members.size());
    }
    EXPECT_EQ(found.most_members, most);
    pkin_i_distinct_rows_free(&found);
}

TEST(Distinct, GroupsAreThoseOfAMap) {
    unsigned seed = 1;
    for (const TestShape &shape :
         {TestShape{0, 5, 1}, TestShape{1, 5, 1}, TestShape{300, 3, 2, 0.3, 0.5}, TestShape{300, 900, 20, 0, 0},
          TestShape{300, 900, 20, 0.1, 0}, TestShape{5000, 3000, 5, 0.1, 0.4}}) {
        for (int n_threads : {1, 3}) {
            TestVectors v(random_matrix(shape, seed++));
            expect_groups(v.vectors, 1, n_threads);
            expect_groups(v.vectors, 0, n_threads);
        }
    }
}

/* Where a copy of the rows is dearer than what may be used, rows are compared one by one: the same result. */
TEST(Distinct, RowsStayAsTheyAreWhereACopyWouldNotFit) {
    TestVectors v(random_matrix(TestShape{3000, 3000, 60, 0.02, 0.05}, 77));
    pkin_i_distinct_rows together, apart;
    ASSERT_EQ(pkin_i_distinct_rows_find(v.vectors, 1, 0, 2, &together), PKIN_OK);
    ASSERT_GT(together.n_copies + together.n_empty, 0u);
    ASSERT_EQ(pkin_i_distinct_rows_find(v.vectors, 1, together.bytes - 1, 2, &apart), PKIN_OK);
    EXPECT_EQ(apart.rows.n_rows, v.vectors->n_rows);
    EXPECT_EQ(apart.rows.columns, v.vectors->columns);
    EXPECT_EQ(apart.bytes, 0u);
    EXPECT_NE(apart.fingerprint, together.fingerprint);
    pkin_i_distinct_rows_free(&apart);
    ASSERT_EQ(pkin_i_distinct_rows_find(v.vectors, 1, together.bytes, 2, &apart), PKIN_OK);
    EXPECT_EQ(apart.rows.n_rows, together.rows.n_rows);
    pkin_i_distinct_rows_free(&apart);

    pkin_i_distinct_rows_free(&together);
}

TEST(Distinct, MemoryThatLeavesCopiesApartChangesNoResult) {
    pkin_generate_options generate = pkin_generate_options_default();
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_similarity_report report = pkin_similarity_report_default();
    pkin_vectors *rows;
    pkin_pair_list list, bound_list;
    pkin_neighbor_lists near, bound_near;
    generate.n_rows = 16000;
    generate.copy_share = 0.01;
    ASSERT_EQ(pkin_vectors_generate(&generate, &rows), PKIN_OK);
    options.n_threads = 1;
    options.report = &report;
    ASSERT_EQ(pkin_similarity_join(rows, nullptr, 0.5, &options, &list), PKIN_OK);
    ASSERT_GT(report.n_copies, 0u);
    ASSERT_EQ(pkin_similarity_top_k(rows, nullptr, 2, 0, &options, &near), PKIN_OK);
    options.memory_bytes = 24 << 20; /* a third of it is less than the rows' 12 MB */
    ASSERT_EQ(pkin_similarity_join(rows, nullptr, 0.5, &options, &bound_list), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(report.n_copies, 0u);
    EXPECT_LE(report.working_bytes, options.memory_bytes);
    ASSERT_EQ(bound_list.n_pairs, list.n_pairs);
    EXPECT_EQ(memcmp(bound_list.pairs, list.pairs, list.n_pairs * sizeof *list.pairs), 0);
    ASSERT_EQ(pkin_similarity_top_k(rows, nullptr, 2, 0, &options, &bound_near), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(report.n_copies, 0u);
    ASSERT_EQ(bound_near.offsets[16000], near.offsets[16000]);
    for (uint64_t n = 0; n < near.offsets[16000]; n++) {
        ASSERT_EQ(bound_near.neighbors[n].row, near.neighbors[n].row);
        ASSERT_EQ(bound_near.neighbors[n].score, near.neighbors[n].score);
    }
    pkin_pair_list_free(&list);
    pkin_pair_list_free(&bound_list);
    pkin_neighbor_lists_free(&near);
    pkin_neighbor_lists_free(&bound_near);
    pkin_vectors_free(rows);
}

TEST(Distinct, NearlyEqualRowsAreNotEqual) {
    Rows rows;
    for (uint32_t r = 0; r < 2000; r++) rows.add({{r / 1000, 7 + r % 1000}, {5, 9}});
    rows.add({{0, 7}});
    rows.add({{5, 9}});
    rows.add({{0, 7}, {5, 9}});
    rows.add({{0, 9}, {5, 7}});
    expect_groups(rows.get(6), 1, 2);
}

/* Equal contents have equal fingerprints, and the slightest difference, also of an empty row or a copy, another one. */
TEST(Distinct, FingerprintsTellContentsApart) {
    std::set<uint64_t> seen;
    auto fingerprint = [](Rows rows, uint64_t n_columns) {
        pkin_i_distinct_rows found;
        EXPECT_EQ(pkin_i_distinct_rows_find(rows.get(n_columns), 1, 0, 1, &found), PKIN_OK);
        uint64_t print = found.fingerprint;
        pkin_i_distinct_rows_free(&found);
        return print;
    };
    std::vector<std::vector<Entries>> contents = {{},
                                                  {{}},
                                                  {{}, {}},
                                                  {{{1, 5}}},
                                                  {{{1, 6}}},
                                                  {{{2, 5}}},
                                                  {{{1, 5}}, {}},
                                                  {{}, {{1, 5}}},
                                                  {{{1, 5}}, {{1, 5}}},
                                                  {{{1, 5}}, {{2, 5}}},
                                                  {{{2, 5}}, {{1, 5}}},
                                                  {{{1, 5}, {2, 5}}}};
    for (const auto &content : contents) {
        Rows rows;
        for (const Entries &row : content) rows.add(row);
        EXPECT_EQ(fingerprint(rows, 9), fingerprint(rows, 9));
        EXPECT_TRUE(seen.insert(fingerprint(rows, 9)).second);
        EXPECT_TRUE(seen.insert(fingerprint(rows, 10)).second);
    }
}

/* ---- Joins and top-k of rows with many copies and empty ones ---- */

/* Rows that equal an earlier one of their side, which distinct_only leaves out. */
std::vector<bool> copies_of(const pkin_vectors *v) {
    std::set<Entries> seen;
    std::vector<bool> out;
    for (uint64_t r = 0; r < v->n_rows; r++) out.push_back(!seen.insert(entries_of(v, r)).second);
    return out;
}

std::vector<Scored> without_copies(const std::vector<Scored> &pairs, const pkin_vectors *a, const pkin_vectors *b) {
    std::vector<bool> copies_a = copies_of(a), copies_b = copies_of(b ? b : a);
    std::vector<Scored> out;
    for (const Scored &pair : pairs) {
        if (!copies_a[pair.i] && !copies_b[pair.j]) out.push_back(pair);
    }
    return out;
}

std::vector<Scored> best_of_each(const std::vector<Scored> &all, uint32_t k) {
    std::vector<Scored> out;
    uint32_t n = 0;
    for (const Scored &pair : all) {
        n = !out.empty() && out.back().i == pair.i ? n + 1 : 1;
        if (n <= k) out.push_back(pair);
    }
    return out;
}

struct Options {
    pkin_similarity_options value = pkin_similarity_options_default();
    pkin_similarity_report report = pkin_similarity_report_default();
    explicit Options(int n_threads, int distinct_only) {
        value.n_threads = n_threads;
        value.distinct_only = distinct_only;
        value.report = &report;
    }
};

std::vector<Scored> joined(const pkin_vectors *a, const pkin_vectors *b, double threshold, Options &options) {
    pkin_pair_list list;
    EXPECT_EQ(pkin_similarity_join(a, b, threshold, &options.value, &list), PKIN_OK) << pkin_last_error();
    std::vector<Scored> out;
    for (uint64_t p = 0; p < list.n_pairs; p++) out.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
    EXPECT_EQ(options.report.n_results, out.size());
    pkin_pair_list_free(&list);
    return out;
}

std::vector<Scored> nearest(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor, Options &options) {
    pkin_neighbor_lists lists;
    EXPECT_EQ(pkin_similarity_top_k(a, b, k, floor, &options.value, &lists), PKIN_OK) << pkin_last_error();
    std::vector<Scored> out;
    for (uint64_t r = 0; r < lists.n_rows; r++) {
        for (uint64_t n = lists.offsets[r]; n < lists.offsets[r + 1]; n++) {
            out.push_back({lists.neighbors[n].score, static_cast<uint32_t>(r), lists.neighbors[n].row});
        }
    }
    EXPECT_EQ(options.report.n_results, out.size());
    pkin_neighbor_lists_free(&lists);
    return out;
}

void expect_as_oracle(const pkin_vectors *a, const pkin_vectors *b) {
    for (int n_threads : {1, 3}) {
        Options all(n_threads, 0), distinct(n_threads, 1);
        for (double threshold : {1e-300, 0.1, 0.35, 0.7, 1.0}) {
            std::vector<Scored> expected = oracle_join(a, b, pkin_score_from_threshold(threshold));
            ASSERT_EQ(joined(a, b, threshold, all), expected) << "t " << threshold;
            ASSERT_EQ(joined(a, b, threshold, distinct), without_copies(expected, a, b)) << "t " << threshold;
        }
        for (double floor : {0.0, 0.35}) {
            std::vector<Scored> every = oracle_top_k(a, b, UINT32_MAX, pkin_score_from_threshold(floor));
            for (uint32_t k : {1u, 2u, 5u, 40u, 100000u}) {
                ASSERT_EQ(nearest(a, b, k, floor, all), best_of_each(every, k)) << "k " << k << ", floor " << floor;
                ASSERT_EQ(nearest(a, b, k, floor, distinct), best_of_each(without_copies(every, a, b), k)) << "k " << k;
            }
        }
    }
}

TEST(Copies, WithinOneSet) {
    unsigned seed = 10;
    for (const TestShape &shape :
         {TestShape{70, 4, 2, 0.2, 0.5}, TestShape{100, 40, 6, 0.1, 0.8}, TestShape{120, 300, 12, 0.4, 0.3}}) {
        TestVectors v(random_matrix(shape, seed++));
        expect_as_oracle(v.vectors, nullptr);
    }
}

/* Rows shorter than 1 score less with themselves than with longer ones: copies are not always the nearest. */
TEST(Copies, OfRowsShorterThanOne) {
    TestMatrix m{3, {}};
    std::mt19937 random(4);
    for (int r = 0; r < 80; r++) {
        m.rows.push_back({});
        if (random() % 8 == 0) continue;
        double length = 0.25 * static_cast<double>(1 + random() % 4);
        m.rows.back().push_back({static_cast<uint32_t>(random() % 3), length});
    }
    TestVectors v(m, 0);
    ASSERT_EQ(v.status, PKIN_OK);
    expect_as_oracle(v.vectors, nullptr);
}

TEST(Copies, BetweenTwoSets) {
    TestVectors a(random_matrix({50, 12, 3, 0.2, 0.6}, 20)), b(random_matrix({80, 12, 3, 0.1, 0.6}, 21));
    TestVectors distinct(random_matrix({40, 12, 12, 0, 0}, 22));
    expect_as_oracle(a.vectors, b.vectors);
    expect_as_oracle(b.vectors, a.vectors);
    expect_as_oracle(a.vectors, a.vectors);
    expect_as_oracle(a.vectors, distinct.vectors);
    expect_as_oracle(distinct.vectors, a.vectors);
}

TEST(Copies, AreCountedInTheReport) {
    TestVectors v({3, {{{0, 1.0}}, {}, {{0, 2.0}}, {{1, 1.0}, {2, 1.0}}, {{0, 3.0}}, {}}});
    Options options(1, 0);
    EXPECT_EQ(joined(v.vectors, nullptr, 0.5, options).size(), 3u);
    EXPECT_EQ(options.report.n_rows_a, 2u);
    EXPECT_EQ(options.report.n_rows_b, 0u);
    EXPECT_EQ(options.report.n_empty, 2u);
    EXPECT_EQ(options.report.n_copies, 2u);
    EXPECT_STREQ(options.report.backend, "cpu");
    EXPECT_EQ(options.report.n_threads, 1);
    joined(v.vectors, v.vectors, 0.5, options);
    EXPECT_EQ(options.report.n_rows_b, 2u);
    EXPECT_EQ(options.report.n_empty, 4u);
    EXPECT_GE(options.report.total_seconds, options.report.distinct_seconds);
}

/* An earlier library's report was shorter: no byte beyond it is touched. One of no size is refused. */
TEST(Report, OfAnEarlierLibraryIsFilledAsFarAsItGoes) {
    TestVectors v(random_matrix({30, 5, 3}, 9));
    Options options(1, 0);
    pkin_pair_list list;
    options.report.size = offsetof(pkin_similarity_report, n_threads);
    options.report.n_threads = -7;
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options.value, &list), PKIN_OK);
    pkin_pair_list_free(&list);
    EXPECT_STREQ(options.report.backend, "cpu");
    EXPECT_EQ(options.report.n_threads, -7);
    EXPECT_EQ(options.report.size, offsetof(pkin_similarity_report, n_threads));
    for (size_t size : {size_t(0), size_t(4), sizeof options.report + 1}) {
        options.report.size = size;
        EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options.value, &list), PKIN_ERROR_INVALID_ARGUMENT);
    }
}

/* ---- Very many equal rows ---- */

constexpr uint64_t MANY = 1 << 20; /* makes 5.5e11 pairs */

Rows many_equal() {
    Rows rows;
    for (uint64_t r = 0; r < MANY; r++) rows.add({{3, 1 << 29}, {9, 1 << 29}});
    return rows;
}

TEST(ManyCopies, AreRefusedAtOnceWhereTheirPairsCannotBeHad) {
    Rows rows = many_equal();
    pkin_pair_list list;
    Options options(2, 0);
    ASSERT_EQ(pkin_similarity_join(rows.get(10), nullptr, 0.4, &options.value, &list), PKIN_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(list.pairs, nullptr);
    std::string message = pkin_last_error();
    EXPECT_NE(message.find(std::to_string(MANY * (MANY - 1) / 2)), std::string::npos) << message;
    EXPECT_NE(message.find("distinct_only"), std::string::npos) << message;
    EXPECT_NE(message.find("pkin_similarity_join_each"), std::string::npos) << message;
    /* They score 0.5 with each other. */
    EXPECT_TRUE(joined(rows.get(10), nullptr, 0.6, options).empty());
    options.value.distinct_only = 1;
    EXPECT_TRUE(joined(rows.get(10), nullptr, 0.4, options).empty());
}

struct FirstPairs {
    size_t n_wanted;
    std::vector<Scored> pairs;
};

int take_first(void *user, const pkin_pair *pairs, size_t n_pairs) {
    FirstPairs *first = static_cast<FirstPairs *>(user);
    for (size_t p = 0; p < n_pairs; p++) first->pairs.push_back({pairs[p].score, pairs[p].i, pairs[p].j});
    return first->pairs.size() >= first->n_wanted;
}

TEST(ManyCopies, CanBeStreamedAndLeft) {
    Rows rows = many_equal();
    Options options(2, 0);
    FirstPairs first = {1000, {}};
    ASSERT_EQ(pkin_similarity_join_each(rows.get(10), nullptr, 0.4, &options.value, take_first, &first),
              PKIN_ERROR_CANCELLED);
    ASSERT_GE(first.pairs.size(), 1000u);
    for (uint32_t p = 0; p < first.pairs.size(); p++) {
        ASSERT_EQ(first.pairs[p], (Scored{PKIN_SCORE_ONE / 2, 0, p + 1}));
    }
    first = {1000, {}};
    ASSERT_EQ(pkin_similarity_join_each(rows.get(10), rows.get(10), 0.4, &options.value, take_first, &first),
              PKIN_ERROR_CANCELLED);
    EXPECT_EQ(first.pairs[999], (Scored{PKIN_SCORE_ONE / 2, 0, 999}));
}

TEST(ManyCopies, HaveNeighbours) {
    Rows rows = many_equal();
    Options options(2, 0);
    std::vector<Scored> found = nearest(rows.get(10), nullptr, 2, 0, options);
    ASSERT_EQ(found.size(), 2 * MANY);
    EXPECT_EQ(found[0].j, 1u);
    EXPECT_EQ(found[1].j, 2u);
    EXPECT_EQ(found[2].j, 0u);
    EXPECT_EQ(found[3].j, 2u);
    for (uint64_t r = 2; r < MANY; r++) ASSERT_TRUE(found[2 * r].j == 0 && found[2 * r + 1].j == 1);
}

TEST(ManyCopies, OfOneTermRowsAndEmptyRows) {
    Rows rows, empty;
    for (uint32_t r = 0; r < MANY; r++) {
        rows.add({{r % 4096, 1 << 30}});
        empty.add({});
    }
    Options options(2, 0);
    std::vector<Scored> found = nearest(rows.get(4096), nullptr, 1, 0, options);
    ASSERT_EQ(found.size(), MANY);
    for (uint32_t r = 0; r < MANY; r++) ASSERT_EQ(found[r].j, r < 4096 ? r + 4096 : r % 4096);
    EXPECT_EQ(options.report.n_rows_a, 4096u);
    EXPECT_TRUE(nearest(empty.get(4096), nullptr, 3, 0, options).empty());
    EXPECT_TRUE(joined(empty.get(4096), nullptr, 0.1, options).empty());
    EXPECT_TRUE(joined(empty.get(4096), rows.get(4096), 0.1, options).empty());
    EXPECT_EQ(options.report.n_empty, MANY);
}

} // namespace
