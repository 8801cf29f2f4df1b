/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/cpu_score.h"
}

namespace {

TEST(Score, RowsAgainstRowsOnEveryInstructionSet) {
    const TestShape shapes[] = {{1, 1, 1}, {40, 300, 3}, {40, 300, 100}, {30, 17, 17}, {5, 5000, 900}};
    for (const TestShape &shape : shapes) {
        TestVectors v(random_matrix(shape, 7)), w(random_matrix(shape, 8));
        std::vector<uint32_t> dense(shape.n_columns);
        for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
            if (!pkin_i_isa_is_available(pkin_i_isa(isa))) continue;
            for (uint64_t i = 0; i < shape.n_rows; i++) {
                const std::vector<uint64_t> expected = oracle_row(v.vectors, i, w.vectors);
                std::vector<uint32_t> rows; /* some of them, in any order, some twice */
                for (uint32_t k = 0; k < 3 * i; k++) rows.push_back(uint32_t((k * 7 + i) % shape.n_rows));
                std::vector<uint64_t> scores(rows.size());
                pkin_i_score_spread(v.vectors, i, dense.data());
                pkin_i_score_rows(pkin_i_isa(isa), dense.data(), w.vectors, rows.data(), rows.size(), scores.data());
                pkin_i_score_clear(v.vectors, i, dense.data());
                for (size_t k = 0; k < rows.size(); k++) ASSERT_EQ(scores[k], expected[rows[k]]) << isa << ", " << k;
                ASSERT_EQ(dense, std::vector<uint32_t>(shape.n_columns)) << "cleared";
            }
        }
    }
}

/* Sums of products up to 2^60, whose low bits would be lost in a double and whose high ones in 32 bits. */
TEST(Score, IsExactAtTheEdges) {
    TestMatrix m{64, {{{0, 1.0}}, {}}};
    for (uint32_t c = 0; c < 64; c++) m.rows[1].push_back({c, 0.125});
    TestVectors v(m, 0);
    std::vector<uint32_t> dense(64);
    const uint32_t rows[] = {0, 1};
    uint64_t scores[2];
    for (uint32_t i : rows) {
        pkin_i_score_spread(v.vectors, i, dense.data());
        pkin_i_score_rows(pkin_i_isa_best(), dense.data(), v.vectors, rows, 2, scores);
        pkin_i_score_clear(v.vectors, i, dense.data());
        EXPECT_EQ(scores[i], uint64_t(1) << 60);
        EXPECT_EQ(scores[1 - i], uint64_t(1) << 57);
    }
}

} // namespace
