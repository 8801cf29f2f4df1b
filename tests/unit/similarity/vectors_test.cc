/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/similarity_oracle.h"

namespace {

uint64_t sum_of_squares(const pkin_vectors *v, uint64_t row) {
    uint64_t sum = 0;
    for (uint64_t k = v->row_offsets[row]; k < v->row_offsets[row + 1]; k++) {
        sum += static_cast<uint64_t>(v->weights[k]) * v->weights[k];
    }
    return sum;
}

TEST(Score, ThresholdIsTheExactCeiling) {
    EXPECT_EQ(pkin_score_from_threshold(1.0), PKIN_SCORE_ONE);
    EXPECT_EQ(pkin_score_from_threshold(0.5), PKIN_SCORE_ONE / 2);
    EXPECT_EQ(pkin_score_from_threshold(0.0), 0u);
    EXPECT_EQ(pkin_score_from_threshold(-0.0), 0u);
    EXPECT_EQ(pkin_score_from_threshold(-1.0), 0u);
    EXPECT_EQ(pkin_score_from_threshold(std::numeric_limits<double>::denorm_min()), 1u);
    EXPECT_EQ(pkin_score_from_threshold(0x1p-60), 1u);
    EXPECT_EQ(pkin_score_from_threshold(std::nextafter(0x1p-60, 1)), 2u);
    /* 0.3 is 5404319552844595 * 2^-54: times 2^60 it is that integer times 64. */
    EXPECT_EQ(pkin_score_from_threshold(0.3), UINT64_C(5404319552844595) * 64);
    EXPECT_EQ(pkin_score_from_threshold(std::nextafter(1.0, 2)), PKIN_SCORE_ONE + 256);
    EXPECT_EQ(pkin_score_from_threshold(std::numeric_limits<double>::infinity()), UINT64_MAX);
    EXPECT_EQ(pkin_score_from_threshold(std::nan("")), UINT64_MAX);
}

TEST(Score, CosineIsRoundedOnce) {
    EXPECT_EQ(pkin_score_to_cosine(0), 0.0);
    EXPECT_EQ(pkin_score_to_cosine(PKIN_SCORE_ONE), 1.0);
    EXPECT_EQ(pkin_score_to_cosine(1), 0x1p-60);
    EXPECT_EQ(pkin_score_to_cosine((UINT64_C(1) << 53) + 1), 0x1p-7); /* a tie, to even */
}

TEST(Vectors, WeightsAreRoundedDown) {
    TestVectors v({4, {{{0, 0.6}, {1, 0.8}}, {{2, 1.0}}, {{0, 0.5}, {1, 0.5}, {2, 0.5}, {3, 0.5}}}}, 0);
    ASSERT_EQ(v.status, PKIN_OK);
    EXPECT_EQ(v.vectors->weights[0], static_cast<uint32_t>(std::floor(0.6 * 1073741824.0)));
    EXPECT_EQ(v.vectors->weights[1], static_cast<uint32_t>(std::floor(0.8 * 1073741824.0)));
    EXPECT_EQ(v.vectors->weights[2], 1u << 30);
    EXPECT_EQ(sum_of_squares(v.vectors, 1), PKIN_SCORE_ONE);
    EXPECT_EQ(sum_of_squares(v.vectors, 2), PKIN_SCORE_ONE);
}

TEST(Vectors, EntriesThatRoundToNothingAreLeftOut) {
    TestVectors v({3, {{{0, 0x1p-31}, {1, 1.0 - 0x1p-40}, {2, 0x1p-30}}, {}, {{1, 1e-12}}}}, 0);
    ASSERT_EQ(v.status, PKIN_OK);
    EXPECT_EQ(v.vectors->row_offsets[1], 2u);
    EXPECT_EQ(v.vectors->columns[0], 1u);
    EXPECT_EQ(v.vectors->columns[1], 2u);
    EXPECT_EQ(v.vectors->weights[1], 1u);
    EXPECT_EQ(v.vectors->row_offsets[3], 2u);
}

TEST(Vectors, NormalizesRowsOfAnySize) {
    TestVectors v({2, {{{0, 3e300}, {1, 4e300}}, {{0, 3e-310}, {1, 4e-310}}, {{0, 3}, {1, 4}}, {}, {{1, 5e-324}}}}, 1);
    ASSERT_EQ(v.status, PKIN_OK);
    for (uint64_t row : {0, 1, 2}) {
        uint64_t begin = v.vectors->row_offsets[row];
        ASSERT_EQ(v.vectors->row_offsets[row + 1] - begin, 2u);
        EXPECT_NEAR(v.vectors->weights[begin], 0.6 * 0x1p30, 2);
        EXPECT_NEAR(v.vectors->weights[begin + 1], 0.8 * 0x1p30, 2);
        EXPECT_LE(sum_of_squares(v.vectors, row), PKIN_SCORE_ONE);
    }
    EXPECT_EQ(v.vectors->row_offsets[4], 6u);
    EXPECT_EQ(v.vectors->weights[6], 1u << 30);
}

TEST(Vectors, LongRowsAreRefusedAndNamed) {
    TestVectors v({1, {{{0, 1.0}}, {{0, 1.1}}, {{0, 2.0}}}}, 0);
    EXPECT_EQ(v.status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(v.vectors, nullptr);
    EXPECT_NE(std::string(pkin_last_error()).find("row 1 "), std::string::npos) << pkin_last_error();
}

TEST(Vectors, RowsWithinTheToleranceNeverExceedOne) {
    TestMatrix m{2000, {{{0, 1 + 9e-7}}, {{0, std::sqrt(0.5) * (1 + 9e-7)}, {1, std::sqrt(0.5) * (1 + 9e-7)}}, {}}};
    for (uint32_t c = 0; c < 2000; c++) m.rows[2].push_back({c, (1 + 9e-7) / std::sqrt(2000.0)});
    TestVectors v(m, 0);
    ASSERT_EQ(v.status, PKIN_OK);
    for (uint64_t row = 0; row < 3; row++) {
        EXPECT_LE(sum_of_squares(v.vectors, row), PKIN_SCORE_ONE);
        EXPECT_GT(pkin_score_to_cosine(sum_of_squares(v.vectors, row)), 1 - 1e-5);
    }
}

TEST(Vectors, SelectCopiesRowsInTheGivenOrder) {
    TestVectors v({3, {{{0, 1}}, {{1, 1}}, {}, {{2, 1}, {0, 2}}}});
    const uint32_t rows[] = {3, 2, 0, 3};
    pkin_vectors *selected = nullptr;
    ASSERT_EQ(pkin_vectors_select(v.vectors, rows, 4, &selected), PKIN_OK);
    EXPECT_EQ(pkin_vectors_n_rows(selected), 4u);
    EXPECT_EQ(selected->n_columns, 3u);
    for (uint64_t r = 0; r < 4; r++) {
        for (uint64_t s = 0; s < 4; s++) {
            EXPECT_EQ(pkin_vectors_score(selected, r, v.vectors, s),
                      pkin_vectors_score(v.vectors, rows[r], v.vectors, s));
        }
    }
    pkin_vectors_free(selected);
    const uint32_t outside[] = {0, 4};
    EXPECT_EQ(pkin_vectors_select(v.vectors, outside, 2, &selected), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(selected, nullptr);
    ASSERT_EQ(pkin_vectors_select(v.vectors, nullptr, 0, &selected), PKIN_OK);
    EXPECT_EQ(pkin_vectors_n_rows(selected), 0u);
    pkin_vectors_free(selected);
}

TEST(Vectors, SharedTermsAreTheStrongestFirst) {
    TestVectors v({6, {{{0, 1}, {1, 2}, {2, 2}, {4, 3}}, {{0, 1}, {1, 2}, {2, 2}, {4, 1}, {5, 9}}}});
    pkin_shared_term terms[8];
    ASSERT_EQ(pkin_vectors_shared_terms(v.vectors, 0, v.vectors, 1, 8, terms), 4u);
    EXPECT_EQ(terms[0].column, 1u); /* a tie: 2 * 2, twice, the lower column first */
    EXPECT_EQ(terms[1].column, 2u);
    EXPECT_EQ(terms[2].column, 4u);
    EXPECT_EQ(terms[3].column, 0u);
    uint64_t sum = 0;
    for (int t = 0; t < 4; t++) sum += terms[t].score;
    EXPECT_EQ(sum, pkin_vectors_score(v.vectors, 0, v.vectors, 1));
    ASSERT_EQ(pkin_vectors_shared_terms(v.vectors, 0, v.vectors, 1, 2, terms), 2u);
    EXPECT_EQ(terms[0].column, 1u);
    EXPECT_EQ(terms[1].column, 2u);
    EXPECT_EQ(pkin_vectors_shared_terms(v.vectors, 0, v.vectors, 1, 0, nullptr), 0u);
}

} // namespace
