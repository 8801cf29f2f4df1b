/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

struct Csr {
    uint64_t n_columns = 4;
    std::vector<uint64_t> offsets{0, 2, 2, 3};
    std::vector<uint32_t> columns{0, 3, 1};
    std::vector<double> values{0.5, 0.25, 1.0};
    pkin_csr_view view() const {
        return {offsets.size() - 1, n_columns, offsets.data(), columns.data(), values.data()};
    }
};

static void expect_refused(const Csr &csr, const std::string &part_of_message) {
    pkin_csr_view view = csr.view();
    pkin_matrix *matrix = (pkin_matrix *)&view;
    EXPECT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(matrix, nullptr);
    EXPECT_NE(std::string(pkin_last_error()).find(part_of_message), std::string::npos) << pkin_last_error();
}

TEST(Matrix, CopiesWhatIsGiven) {
    Csr csr;
    pkin_csr_view view = csr.view();
    pkin_matrix *matrix = nullptr;
    ASSERT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK);
    csr.values[0] = 9;
    pkin_csr_view copy = pkin_matrix_view(matrix);
    EXPECT_EQ(copy.n_rows, 3u);
    EXPECT_EQ(copy.n_columns, 4u);
    EXPECT_EQ(copy.row_offsets[3], 3u);
    EXPECT_EQ(copy.columns[1], 3u);
    EXPECT_EQ(copy.values[0], 0.5);
    EXPECT_EQ(pkin_matrix_term(matrix, 0), nullptr);
    EXPECT_EQ(pkin_matrix_row_id(matrix, 0), nullptr);
    pkin_matrix_free(matrix);
    pkin_matrix_free(nullptr);
}

TEST(Matrix, AcceptsAnEmptyOne) {
    uint64_t zero = 0;
    pkin_csr_view view = {0, 0, &zero, nullptr, nullptr};
    pkin_matrix *matrix = nullptr;
    ASSERT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK);
    EXPECT_EQ(pkin_matrix_view(matrix).n_rows, 0u);
    pkin_matrix_free(matrix);
}

TEST(Matrix, RefusesBrokenInvariants) {
    Csr csr;
    csr.offsets = {1, 2, 2, 3};
    expect_refused(csr, "row 0");
    csr = Csr();
    csr.offsets = {0, 3, 2, 3};
    expect_refused(csr, "row 1");
    csr = Csr();
    csr.columns[1] = 0;
    expect_refused(csr, "row 0 has column 0 behind column 0");
    csr = Csr();
    csr.columns[2] = 4;
    expect_refused(csr, "row 2 has column 4");
    csr = Csr();
    csr.n_columns = UINT64_C(1) << 32;
    expect_refused(csr, "too many");
    for (double bad :
         {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
        csr = Csr();
        csr.values[2] = bad;
        expect_refused(csr, "row 2");
    }
    pkin_csr_view view = Csr().view();
    Csr kept;
    view = kept.view();
    view.values = nullptr;
    EXPECT_EQ(pkin_i_csr_check(&view), PKIN_ERROR_INVALID_ARGUMENT);
    view.row_offsets = nullptr;
    EXPECT_EQ(pkin_i_csr_check(&view), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_i_csr_check(nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Matrix, NullIsRefusedOrEmpty) {
    Csr csr;
    pkin_csr_view view = csr.view();
    EXPECT_EQ(pkin_matrix_from_csr(&view, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_matrix *matrix = (pkin_matrix *)&view;
    EXPECT_EQ(pkin_matrix_from_csr(nullptr, &matrix), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(matrix, nullptr);
    EXPECT_EQ(pkin_matrix_view(nullptr).n_rows, 0u);
    EXPECT_EQ(pkin_matrix_view(nullptr).row_offsets, nullptr);
    EXPECT_EQ(pkin_matrix_term(nullptr, 0), nullptr);
    EXPECT_EQ(pkin_matrix_row_id(nullptr, 0), nullptr);
}

static const char *nth(const void *user, uint64_t s) {
    return ((const char *const *)user)[s];
}

TEST(StringTable, HoldsStrings) {
    const char *const strings[] = {"a", nullptr, "", "long enough"};
    pkin_i_string_table table;
    ASSERT_EQ(pkin_i_string_table_build(4, nth, strings, &table), PKIN_OK);
    EXPECT_STREQ(table.bytes + table.offsets[0], "a");
    EXPECT_STREQ(table.bytes + table.offsets[1], "");
    EXPECT_STREQ(table.bytes + table.offsets[3], "long enough");
    pkin_i_string_table_free(&table);
    ASSERT_EQ(pkin_i_string_table_build(0, nth, nullptr, &table), PKIN_OK);
    EXPECT_EQ(table.n_strings, 0u);
    pkin_i_string_table_free(&table);
}
