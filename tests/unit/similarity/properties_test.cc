/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <numeric>

#include "support/similarity_oracle.h"

namespace {

/* Few columns and few distinct values, so that ties, equal rows and frequent columns are common. */
rc::Gen<TestMatrix> matrices(uint64_t n_columns) {
    auto entry = rc::gen::pair(rc::gen::inRange<uint32_t>(0, static_cast<uint32_t>(n_columns)),
                               rc::gen::map(rc::gen::inRange(1, 40), [](int v) { return v / 7.0; }));
    auto row = rc::gen::map(rc::gen::container<std::vector<std::pair<uint32_t, double>>>(entry), [](TestRow entries) {
        std::map<uint32_t, double> unique(entries.begin(), entries.end());
        return TestRow(unique.begin(), unique.end());
    });
    return rc::gen::map(rc::gen::container<std::vector<TestRow>>(row), [n_columns](std::vector<TestRow> rows) {
        return TestMatrix{n_columns, rows};
    });
}

double any_threshold() {
    return *rc::gen::inRange(1, 101) / 100.0;
}

TEST(Properties, JoinAndTopKAreThoseOfTheOracle) {
    EXPECT_TRUE(rc::check("oracle", [] {
        uint64_t n_columns = *rc::gen::inRange<uint64_t>(1, 40);
        TestMatrix first = *matrices(n_columns), second = *matrices(n_columns);
        TestVectors a(first), b(second);
        const pkin_vectors *other = *rc::gen::arbitrary<bool>() ? b.vectors : nullptr;
        double threshold = any_threshold();
        int threads = *rc::gen::inRange(1, 5);
        auto k = *rc::gen::inRange<uint32_t>(1, 12);
        RC_ASSERT(run_join(a.vectors, other, threshold, threads) ==
                  oracle_join(a.vectors, other, pkin_score_from_threshold(threshold)));
        RC_ASSERT(run_top_k(a.vectors, other, k, threshold, threads) ==
                  oracle_top_k(a.vectors, other, k, pkin_score_from_threshold(threshold)));
    }));
}

TEST(Properties, ScoresAreSymmetricAndAtMostOne) {
    EXPECT_TRUE(rc::check("scores", [] {
        TestVectors v(*matrices(12));
        for (uint64_t i = 0; i < pkin_vectors_n_rows(v.vectors); i++) {
            for (uint64_t j = 0; j <= i; j++) {
                uint64_t score = pkin_vectors_score(v.vectors, i, v.vectors, j);
                RC_ASSERT(score <= PKIN_SCORE_ONE);
                RC_ASSERT(score == pkin_vectors_score(v.vectors, j, v.vectors, i));
                RC_ASSERT(score == oracle_row(v.vectors, i, v.vectors)[j]);
            }
        }
    }));
}

TEST(Properties, TopKOfAllIsTheJoin) {
    EXPECT_TRUE(rc::check("consistency", [] {
        TestVectors v(*matrices(20));
        double threshold = any_threshold();
        std::vector<Scored> from_top_k;
        for (const Scored &pair : run_top_k(v.vectors, nullptr, UINT32_MAX, threshold, 2)) {
            if (pair.i < pair.j) from_top_k.push_back(pair);
        }
        std::sort(from_top_k.begin(), from_top_k.end());
        RC_ASSERT(from_top_k == run_join(v.vectors, nullptr, threshold, 2));
    }));
}

TEST(Properties, SwappingTheSidesSwapsThePairs) {
    EXPECT_TRUE(rc::check("sides", [] {
        TestVectors a(*matrices(15)), b(*matrices(15));
        double threshold = any_threshold();
        std::vector<Scored> swapped = run_join(b.vectors, a.vectors, threshold, 2);
        for (Scored &pair : swapped) std::swap(pair.i, pair.j);
        std::sort(swapped.begin(), swapped.end());
        RC_ASSERT(swapped == run_join(a.vectors, b.vectors, threshold, 2));
    }));
}

TEST(Properties, PermutingRowsPermutesThePairs) {
    EXPECT_TRUE(rc::check("permutation", [] {
        TestMatrix matrix = *matrices(15);
        std::vector<uint32_t> order(matrix.rows.size());
        std::iota(order.begin(), order.end(), 0u);
        std::shuffle(order.begin(), order.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
        TestVectors v(matrix);
        pkin_vectors *permuted = nullptr;
        RC_ASSERT(pkin_vectors_select(v.vectors, order.data(), order.size(), &permuted) == PKIN_OK);
        double threshold = any_threshold();
        std::vector<Scored> pairs = run_join(permuted, nullptr, threshold, 2);
        for (Scored &pair : pairs)
            pair = {pair.score, std::min(order[pair.i], order[pair.j]), std::max(order[pair.i], order[pair.j])};
        std::sort(pairs.begin(), pairs.end());
        pkin_vectors_free(permuted);
        RC_ASSERT(pairs == run_join(v.vectors, nullptr, threshold, 2));
    }));
}

} // namespace
