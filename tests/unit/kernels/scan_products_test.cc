/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "filter_oracle.h"
#include "kernels/scan_products.cuh"

using namespace pkin_test;

namespace {

template <class Scan>
void run_scan(const Scan &scan, const pkin::filter_target &target, const void *products, uint64_t leading,
              uint32_t n_blocks = 0) {
    const pkin_i_gpu_grid grid = pkin::scan_grid<Scan>(target);
    simt::launch(dim3(n_blocks ? n_blocks : grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                 [&] { pkin::scan_products<Scan>(scan, target, products, leading); });
}

/* Of the columns of a block, with some more behind them. */
uint64_t leading_of(const filter_case &c) {
    return (c.column_end - c.column_begin + 15) / 16 * 16 + 32;
}

const filter_case cases[] = {
    {1, 1, 64, 0, 0, 0, 1, 0, 1, false},
    {70, 1100, 64, 0, 0, 0, 70, 0, 1100, false}, /* more than a block's columns */
    {33, 129, 64, 0, 0, 1, 33, 3, 129, false},
    {300, 300, 64, 900, 900, 0, 300, 0, 300, true},
    {140, 300, 64, 500, 400, 3, 139, 16, 290, true},   /* shards that overlap, odd ranges */
    {200, 300, 64, 300, 0, 130, 190, 250, 300, true},  /* wholly below the diagonal */
    {130, 150, 4096, 0, 130, 100, 130, 112, 150, true} /* wholly above it */
};

/* ---- 32-bit products of SHIFTED sketches ---- */

struct words_fixture {
    filter_case c;
    device_array<uint8_t> rows, columns; /* q */
    device_array<int32_t> row_sums, column_sums;
    uint64_t leading;
    device_array<int32_t> products; /* of q - 128 */
    side_limits row_limits, column_limits;

    static device_array<int32_t> sums_of(const device_array<uint8_t> &sketches, uint32_t dimension) {
        device_array<int32_t> out(sketches.size() / dimension);
        for (size_t k = 0; k < sketches.size(); k++) out[k / dimension] += sketches[k];
        return out;
    }
    explicit words_fixture(const filter_case &in)
        : c(in), rows(random_sketches(c.n_rows, c.dimension, 255, 1)),
          columns(random_sketches(c.n_columns, c.dimension, 255, 2)), row_sums(sums_of(rows, c.dimension)),
          column_sums(sums_of(columns, c.dimension)), leading(leading_of(c)),
          products((c.row_end - c.row_begin) * leading, INT32_MIN),
          row_limits(c.row_first, c.n_rows, (int32_t)c.dimension * 900, 3),
          column_limits(c.column_first, c.n_columns, (int32_t)c.dimension * 900, 4) {
        for (uint32_t row = c.row_begin; row < c.row_end; row++) {
            for (uint32_t column = c.column_begin; column < c.column_end; column++) {
                at(row, column) = product_of_shifted(row, column);
            }
        }
    }
    int32_t &at(uint32_t row, uint32_t column) const {
        return products[(row - c.row_begin) * leading + column - c.column_begin];
    }
    int32_t product_of_shifted(uint32_t row, uint32_t column) const {
        int32_t sum = 0;
        for (uint32_t b = 0; b < c.dimension; b++) {
            sum += (rows[(size_t)row * c.dimension + b] - 128) * (columns[(size_t)column * c.dimension + b] - 128);
        }
        return sum;
    }
    pkin::scan_words scan() const {
        return {row_sums.data(), column_sums.data(), c.dimension};
    }
};

TEST(ScanWords, FindsWhatALoopFinds) {
    for (const filter_case &c : cases) {
        const words_fixture f(c);
        for (int32_t limit : {1, (int32_t)c.dimension * 300, (int32_t)c.dimension * 1500}) {
            const found_pairs expected = expected_pairs(c, [&](uint32_t row, uint32_t column) {
                return product_of(f.rows, f.columns, c.dimension, row, column) >= limit;
            });
            const filter_output output(expected.size() + 1);
            pkin::filter_target target = target_of(c, output);
            target.limit = limit;
            run_scan(f.scan(), target, f.products.data(), f.leading);
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, limit " << limit;
            ASSERT_EQ(expected, output.pairs());
            EXPECT_EQ(0xdeadbeef, output.found[expected.size()].i);
        }
    }
}

TEST(ScanWords, RowsAndColumnsHaveLimitsOfTheirOwn) {
    for (const filter_case &c : cases) {
        const words_fixture f(c);
        for (bool has_column_limits : {false, true}) {
            const found_pairs expected = expected_pairs(c, [&](uint32_t row, uint32_t column) {
                int32_t limit = f.row_limits.values[row];
                if (has_column_limits) limit = std::min(limit, f.column_limits.values[column]);
                return product_of(f.rows, f.columns, c.dimension, row, column) >= limit;
            });
            const filter_output output(expected.size());
            pkin::filter_target target = target_of(c, output);
            target.row_limits = f.row_limits.by_row_of_side();
            if (has_column_limits) target.column_limits = f.column_limits.by_row_of_side();
            run_scan(f.scan(), target, f.products.data(), f.leading);
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows";
            ASSERT_EQ(expected, output.pairs());
        }
    }
}

TEST(ScanWords, AnyGridFindsTheSame) {
    const filter_case &c = cases[1];
    const words_fixture f(c);
    const found_pairs expected = expected_pairs(c, [&](uint32_t row, uint32_t column) {
        return product_of(f.rows, f.columns, c.dimension, row, column) >= 20000;
    });
    ASSERT_GT(expected.size(), 1000u);
    for (uint32_t n_blocks : {1u, 3u, 50u}) {
        const filter_output output(expected.size());
        pkin::filter_target target = target_of(c, output);
        target.limit = 20000;
        run_scan(f.scan(), target, f.products.data(), f.leading, n_blocks);
        ASSERT_EQ(expected, output.pairs()) << n_blocks << " blocks";
    }
}

TEST(ScanWords, CountsWhatDoesNotFitAndWritesNothingThere) {
    const filter_case &c = cases[1];
    const words_fixture f(c);
    const found_pairs expected = expected_pairs(
        c, [&](uint32_t row, uint32_t column) { return product_of(f.rows, f.columns, c.dimension, row, column) >= 1; });
    for (size_t capacity : {size_t(0), size_t(999), expected.size() - 1, expected.size()}) {
        const filter_output output(capacity);
        run_scan(f.scan(), target_of(c, output), f.products.data(), f.leading);
        EXPECT_EQ(expected.size(), output.n_found[0]);
        const found_pairs found = output.pairs();
        EXPECT_EQ(capacity, found.size());
        EXPECT_EQ(found.end(), std::adjacent_find(found.begin(), found.end()));
        EXPECT_TRUE(std::includes(expected.begin(), expected.end(), found.begin(), found.end()));
    }
}

/* The corners of the range that scan_words proves: all bytes 0 or all 255, of the largest dimension. */
TEST(ScanWords, ExtremesDoNotOverflow) {
    const int32_t d = PKIN_I_DIMENSION_MAX, most = 255 * 255 * d;
    const filter_case c = {2, 2, PKIN_I_DIMENSION_MAX, 0, 0, 0, 2, 0, 2, false};
    const device_array<int32_t> sums(2), products(2 * 16);
    sums[1] = 255 * d;
    products[0] = 128 * 128 * d;
    products[1] = products[16] = -128 * 127 * d;
    products[17] = 127 * 127 * d;
    for (int32_t limit : {1, most, most + 1, INT32_MAX}) {
        const filter_output output(4);
        pkin::filter_target target = target_of(c, output);
        target.limit = limit;
        run_scan(pkin::scan_words{sums.data(), sums.data(), (uint32_t)d}, target, products.data(), 16);
        EXPECT_EQ(limit <= most ? found_pairs({{1, 1}}) : found_pairs(), output.pairs()) << limit;
    }
}

/* ---- Saturated bytes ---- */

struct bytes_fixture {
    filter_case c;
    uint64_t leading;
    device_array<int8_t> products;

    explicit bytes_fixture(const filter_case &in, int one_in)
        : c(in), leading(leading_of(c)), products((c.row_end - c.row_begin) * leading, 127) {
        std::mt19937_64 random(7);
        for (uint32_t row = c.row_begin; row < c.row_end; row++) {
            for (uint32_t column = c.column_begin; column < c.column_end; column++) {
                const int high = 120 + (int)(random() % 8), any = (int)(random() % 256) - 128;
                at(row, column) = (int8_t)(random() % (uint64_t)one_in == 0 ? high : std::min(any, 124));
            }
        }
    }
    int8_t &at(uint32_t row, uint32_t column) const {
        return products[(row - c.row_begin) * leading + column - c.column_begin];
    }
    found_pairs expected() const {
        return expected_pairs(c, [&](uint32_t row, uint32_t column) { return at(row, column) >= 125; });
    }
};

TEST(ScanBytes, FindsWhatALoopFinds) {
    const filter_case wide = {40, 5000, 64, 0, 0, 0, 40, 0, 5000, false}; /* more than a block's columns */
    std::vector<filter_case> all(std::begin(cases), std::end(cases));
    all.push_back(wide);
    for (const filter_case &c : all) {
        for (int one_in : {1, 50, 5000}) {
            const bytes_fixture f(c, one_in);
            const found_pairs expected = f.expected();
            const filter_output output(expected.size() + 1);
            run_scan(pkin::scan_bytes(), target_of(c, output), f.products.data(), f.leading);
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, one in " << one_in;
            ASSERT_EQ(expected, output.pairs());
            EXPECT_EQ(0xdeadbeef, output.found[expected.size()].i);
        }
    }
}

TEST(ScanBytes, EveryByteAtEveryPlace) {
    for (uint32_t place = 0; place < 16; place++) {
        for (uint32_t value = 0; value < 256; value++) {
            uint32_t words[4] = {0x7c7c7c7c, 0x80ff0102, 0x7c7cff7c, 0xffffffff}; /* nothing that counts */
            reinterpret_cast<uint8_t *>(words)[place] = (uint8_t)value;
            const uint32_t hits = pkin::scan_bytes::hits(make_uint4(words[0], words[1], words[2], words[3]), {}, {});
            if (value < 125 || value > 127) {
                EXPECT_EQ(0u, hits) << value;
            } else {
                ASSERT_EQ(1, __popc(hits)) << value;
                EXPECT_EQ(place, pkin::scan_bytes::column_of((uint32_t)__ffs((int)hits) - 1));
            }
        }
    }
}

TEST(ScanBytes, CountsWhatDoesNotFitAndWritesNothingThere) {
    const bytes_fixture f(cases[1], 3);
    const found_pairs expected = f.expected();
    ASSERT_GT(expected.size(), 5000u);
    for (size_t capacity : {size_t(0), size_t(999), expected.size() - 1}) {
        const filter_output output(capacity);
        run_scan(pkin::scan_bytes(), target_of(f.c, output), f.products.data(), f.leading, 2);
        EXPECT_EQ(expected.size(), output.n_found[0]);
        const found_pairs found = output.pairs();
        EXPECT_EQ(capacity, found.size());
        EXPECT_TRUE(std::includes(expected.begin(), expected.end(), found.begin(), found.end()));
    }
}

} // namespace
