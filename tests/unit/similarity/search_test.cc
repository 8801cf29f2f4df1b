/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>

#include "paperkin/backend.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/cpu_block_index.h"
#include "similarity/policy.h"
}

namespace {

constexpr uint64_t BLOCK = PKIN_I_BLOCK_ROWS;

/* Joins and top-k of these against the oracle, for several thresholds, k and numbers of threads. */
void expect_as_oracle(const pkin_vectors *a, const pkin_vectors *b, const std::vector<int> &threads) {
    for (double threshold : {1e-300, 0.05, 0.3, 0.8, 1.0}) {
        std::vector<Scored> expected = oracle_join(a, b, pkin_score_from_threshold(threshold));
        for (int n : threads)
            ASSERT_EQ(run_join(a, b, threshold, n), expected) << "t " << threshold << ", threads " << n;
    }
    for (uint32_t k : {1u, 3u, 10u, 100000u}) {
        for (double floor : {0.0, 0.2}) {
            std::vector<Scored> expected = oracle_top_k(a, b, k, pkin_score_from_threshold(floor));
            for (int n : threads) {
                ASSERT_EQ(run_top_k(a, b, k, floor, n), expected)
                    << "k " << k << ", floor " << floor << ", threads " << n;
            }
        }
    }
}

TEST(Search, ManyShapesWithinOneSet) {
    const TestShape shapes[] = {{1, 1, 1},
                                {2, 1, 1},
                                {2, 5, 3},
                                {33, 4, 4},
                                {64, 30, 10},
                                {100, 1, 1},
                                {300, 50, 9},
                                {300, 5000, 40},
                                {257, 1000, 100},
                                {200, 40, 6, 0.9, 0.0},
                                {200, 40, 6, 0.0, 0.9}};
    unsigned seed = 1;
    for (const TestShape &shape : shapes) {
        TestVectors v(random_matrix(shape, seed++));
        ASSERT_EQ(v.status, PKIN_OK);
        SCOPED_TRACE(shape.n_rows);
        expect_as_oracle(v.vectors, nullptr, {1, 4});
    }
}

/* Enough rows for several tasks, so that so many threads do run at once. */
TEST(Search, AnyNumberOfThreads) {
    TestVectors v(random_matrix({1900, 400, 20}, 77)), w(random_matrix({500, 400, 20}, 78));
    expect_as_oracle(v.vectors, nullptr, {1, 2, 3, 4, 7});
    expect_as_oracle(v.vectors, w.vectors, {2, 7});
}

TEST(Search, BetweenTwoSetsInEitherOrderOfSize) {
    const uint64_t sizes[][2] = {{1, 1}, {1, 200}, {200, 1}, {40, 300}, {300, 40}, {0, 7}, {7, 0}, {150, 150}};
    unsigned seed = 100;
    for (const auto &size : sizes) {
        TestVectors a(random_matrix({size[0], 60, 12}, seed++)), b(random_matrix({size[1], 60, 12}, seed++));
        SCOPED_TRACE(testing::Message() << size[0] << " against " << size[1]);
        expect_as_oracle(a.vectors, b.vectors, {1, 3, 4});
    }
}

TEST(Search, ASetAgainstItselfAsTwoSetsFindsTheDiagonal) {
    TestVectors v(random_matrix({50, 30, 6}, 3));
    expect_as_oracle(v.vectors, v.vectors, {1, 4});
}

TEST(Search, NothingToCompare) {
    TestVectors none({0, {}}), no_columns({0, {{}, {}, {}}}), no_rows({9, {}});
    for (const pkin_vectors *v : {none.vectors, no_columns.vectors, no_rows.vectors}) {
        ASSERT_NE(v, nullptr);
        EXPECT_TRUE(run_join(v, nullptr, 0.1, 4).empty());
        EXPECT_TRUE(run_top_k(v, nullptr, 5, 0, 4).empty());
        EXPECT_TRUE(run_top_k(v, v, 5, 0, 4).empty());
    }
}

TEST(Search, SizesAroundABlock) {
    for (uint64_t n : {BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 1}) {
        TestVectors v(random_matrix({n, 3000, 5, 0.05, 0.02}, static_cast<unsigned>(n)));
        SCOPED_TRACE(n);
        for (int threads : {1, 3, 4}) {
            EXPECT_EQ(run_join(v.vectors, nullptr, 0.6, threads),
                      oracle_join(v.vectors, nullptr, pkin_score_from_threshold(0.6)));
            EXPECT_EQ(run_top_k(v.vectors, nullptr, 4, 0, threads), oracle_top_k(v.vectors, nullptr, 4, 1));
        }
    }
}

TEST(Search, TwoSetsAroundABlock) {
    TestVectors a(random_matrix({BLOCK + 1, 800, 5}, 5)), b(random_matrix({2 * BLOCK + 33, 800, 5}, 6));
    for (int threads : {1, 4}) {
        EXPECT_EQ(run_top_k(a.vectors, b.vectors, 3, 0, threads), oracle_top_k(a.vectors, b.vectors, 3, 1));
        EXPECT_EQ(run_top_k(b.vectors, a.vectors, 3, 0, threads), oracle_top_k(b.vectors, a.vectors, 3, 1));
        EXPECT_EQ(run_join(b.vectors, a.vectors, 0.7, threads),
                  oracle_join(b.vectors, a.vectors, pkin_score_from_threshold(0.7)));
    }
}

/* Columns so frequent that they are bounded first: every row holds most of them, so that the bounds are all there is.
 */
TEST(Search, RowsOfFrequentColumnsOnly) {
    for (unsigned n_columns : {1u, 2u, 16u, 17u, 60u}) {
        TestVectors v(random_matrix({150, n_columns, n_columns, 0, 0.2}, n_columns));
        SCOPED_TRACE(n_columns);
        expect_as_oracle(v.vectors, nullptr, {1, 4});
    }
}

/* More frequent columns than the head has room for: the others are postings. */
TEST(Search, MoreFrequentColumnsThanTheHeadHolds) {
    TestMatrix m{1500, {}};
    std::mt19937 random(8);
    for (int r = 0; r < 60; r++) {
        m.rows.push_back({});
        for (uint32_t c = 0; c < m.n_columns; c++) {
            if (random() % 2) m.rows.back().push_back({c, 1.0 + random() % 100});
        }
    }
    TestVectors v(m);
    expect_as_oracle(v.vectors, nullptr, {1, 4});
}

TEST(Search, EqualRowsAtTheRoundingEdgeReachOne) {
    TestMatrix m{8, {}};
    for (int copy = 0; copy < 40; copy++) {
        m.rows.push_back({{3, 1.0}});
        m.rows.push_back({{0, 0.5}, {1, 0.5}, {2, 0.5}, {4, 0.5}});
    }
    TestVectors v(m, 0);
    std::vector<Scored> pairs = run_join(v.vectors, nullptr, 1.0, 4);
    ASSERT_EQ(pairs.size(), 2u * 40 * 39 / 2);
    for (const Scored &pair : pairs) ASSERT_EQ(pair.score, PKIN_SCORE_ONE);
    EXPECT_EQ(pairs, oracle_join(v.vectors, nullptr, PKIN_SCORE_ONE));
    EXPECT_EQ(run_top_k(v.vectors, nullptr, 3, 1.0, 4), oracle_top_k(v.vectors, nullptr, 3, PKIN_SCORE_ONE));
}

TEST(Search, TiesGoToTheLowerRow) {
    TestMatrix m{2, std::vector<TestRow>(20, TestRow{{0, 1.0}})};
    TestVectors v(m, 0);
    std::vector<Scored> found = run_top_k(v.vectors, nullptr, 2, 0, 4);
    ASSERT_EQ(found.size(), 40u);
    for (uint32_t r = 0; r < 20; r++) {
        EXPECT_EQ(found[2 * r].j, r == 0 ? 1u : 0u);
        EXPECT_EQ(found[2 * r + 1].j, r <= 1 ? 2u : 1u);
    }
}

TEST(Search, OffsetsOfNeighborListsCoverEveryRow) {
    TestVectors v({3, {{{0, 1.0}}, {}, {{0, 1.0}, {1, 1.0}}, {{2, 1.0}}}});
    pkin_neighbor_lists lists;
    ASSERT_EQ(pkin_similarity_top_k(v.vectors, nullptr, 5, 0, nullptr, &lists), PKIN_OK);
    ASSERT_EQ(lists.n_rows, 4u);
    EXPECT_EQ(std::vector<uint64_t>(lists.offsets, lists.offsets + 5), (std::vector<uint64_t>{0, 1, 1, 2, 2}));
    EXPECT_EQ(lists.neighbors[0].row, 2u);
    EXPECT_EQ(lists.neighbors[1].row, 0u);
    pkin_neighbor_lists_free(&lists);
    EXPECT_EQ(lists.neighbors, nullptr);
}

TEST(Sort, PairsComeInTheirFixedOrder) {
    std::mt19937 random(5);
    for (uint64_t n : {0u, 1u, 2u, 24u, 25u, 49u, 1000u, 200000u}) {
        std::vector<pkin_pair> pairs(n);
        std::vector<Scored> expected;
        for (pkin_pair &pair : pairs) {
            pair = {random() % 50, static_cast<uint32_t>(random() % 50), static_cast<uint32_t>(random())};
            expected.push_back({pair.score, pair.i, pair.j});
        }
        ASSERT_EQ(pkin_i_sort_pairs(pairs.data(), n, 4), PKIN_OK);
        std::sort(expected.begin(), expected.end());
        for (uint64_t p = 0; p < n; p++) ASSERT_EQ((Scored{pairs[p].score, pairs[p].i, pairs[p].j}), expected[p]);
    }
}

TEST(Backends, AreListedAndFound) {
    ASSERT_GE(pkin_backend_count(), 1u);
    EXPECT_EQ(pkin_backend_name(pkin_backend_count()), nullptr);
    EXPECT_EQ(pkin_backend_description(pkin_backend_count()), nullptr);
    const pkin_i_backend *found = nullptr;
    for (size_t k = 0; k < pkin_backend_count(); k++) EXPECT_GT(std::string(pkin_backend_description(k)).size(), 0u);
    ASSERT_EQ(pkin_i_backend_find("cpu", &found), PKIN_OK);
    EXPECT_STREQ(found->name, "cpu");
    EXPECT_EQ(pkin_i_backend_find(nullptr, &found), PKIN_OK);
    EXPECT_EQ(pkin_i_backend_find("auto", &found), PKIN_OK);
    EXPECT_EQ(pkin_i_backend_find("abacus", &found), PKIN_ERROR_UNSUPPORTED);
    EXPECT_EQ(found, nullptr);
    EXPECT_NE(std::string(pkin_last_error()).find("cpu"), std::string::npos);
}

} // namespace
