/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <set>

#include "filter_oracle.h"
#include "kernels/dp4a_filter.cuh"

using namespace pkin_test;

namespace {

struct dp4a_fixture : filter_fixture {
    using filter_fixture::filter_fixture;
    void run(limit_kind kind, int32_t limit, const filter_output &output, uint32_t n_blocks = 0) const {
        pkin::filter_target target = target_of(c, output);
        target.limit = limit;
        if (kind != ONE_LIMIT) target.row_limits = row_limits.by_row_of_side();
        if (kind == BOTH_LIMITS) target.column_limits = column_limits.by_row_of_side();
        const pkin_i_gpu_grid grid = pkin::dp4a_filter_grid(target);
        simt::launch(dim3(n_blocks ? n_blocks : grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                     [&] { pkin::dp4a_filter(target, rows.data(), columns.data(), c.dimension); });
    }
};

const filter_case cases[] = {
    {1, 1, 64, 0, 0, 0, 1, 0, 1, false},
    {129, 200, 64, 0, 0, 0, 129, 0, 200, false},
    {300, 257, 128, 0, 0, 0, 300, 0, 257, false},
    {270, 270, 64, 0, 0, 0, 270, 0, 270, true},
    {270, 270, 192, 1000, 1000, 0, 270, 0, 270, true},
    {140, 300, 64, 500, 400, 3, 139, 5, 290, true},   /* shards that overlap, odd ranges */
    {200, 300, 64, 300, 0, 130, 131, 255, 300, true}, /* wholly below the diagonal */
    {130, 150, 320, 0, 130, 127, 130, 128, 129, true} /* wholly above it */
};

TEST(Dp4aFilter, FindsWhatALoopFinds) {
    for (const filter_case &c : cases) {
        const dp4a_fixture fixture(c);
        for (int32_t limit : {1, (int32_t)c.dimension * 300, (int32_t)c.dimension * 1500}) {
            const found_pairs expected = fixture.expected(ONE_LIMIT, limit);
            const filter_output output(expected.size() + 1);
            fixture.run(ONE_LIMIT, limit, output);
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, limit " << limit;
            ASSERT_EQ(expected, output.pairs()) << c.n_rows << " rows, limit " << limit;
            EXPECT_EQ(0xdeadbeef, output.found[expected.size()].i);
        }
    }
}

TEST(Dp4aFilter, RowsAndColumnsHaveLimitsOfTheirOwn) {
    for (const filter_case &c : cases) {
        const dp4a_fixture fixture(c);
        for (limit_kind kind : {ROW_LIMITS, BOTH_LIMITS}) {
            const found_pairs expected = fixture.expected(kind, 0);
            const filter_output output(expected.size());
            fixture.run(kind, 1, output);
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, kind " << kind;
            ASSERT_EQ(expected, output.pairs());
        }
    }
}

TEST(Dp4aFilter, AnyGridFindsTheSame) {
    const dp4a_fixture fixture(cases[4]);
    const found_pairs expected = fixture.expected(ONE_LIMIT, 60000);
    ASSERT_GT(expected.size(), 100u);
    for (uint32_t n_blocks : {1u, 2u, 5u, 40u}) {
        const filter_output output(expected.size());
        fixture.run(ONE_LIMIT, 60000, output, n_blocks);
        ASSERT_EQ(expected, output.pairs()) << n_blocks << " blocks";
    }
}

TEST(Dp4aFilter, CountsWhatDoesNotFitAndWritesNothingThere) {
    const dp4a_fixture fixture(cases[1]);
    const found_pairs expected = fixture.expected(ONE_LIMIT, 1);
    ASSERT_GT(expected.size(), 10000u);
    const size_t n_before = 7;
    for (size_t capacity :
         {size_t(0), size_t(7), size_t(8), size_t(1000), expected.size() + n_before - 1, expected.size() + n_before}) {
        const filter_output output(capacity, n_before);
        fixture.run(ONE_LIMIT, 1, output); /* what lies behind `capacity` is AddressSanitizer's */
        EXPECT_EQ(expected.size() + n_before, output.n_found[0]);
        const found_pairs found = output.pairs();
        EXPECT_EQ(capacity > n_before ? capacity - n_before : 0, found.size());
        EXPECT_TRUE(std::includes(expected.begin(), expected.end(), found.begin(), found.end()));
        EXPECT_EQ(found.end(), std::adjacent_find(found.begin(), found.end()));
        for (size_t k = 0; k < std::min(capacity, n_before); k++) EXPECT_EQ(0xdeadbeef, output.found[k].i);
    }
}

TEST(Dp4aFilter, LargestProductsAreExact) {
    const uint32_t dimension = PKIN_I_DIMENSION_MAX;
    const int32_t most = 255 * 255 * PKIN_I_DIMENSION_MAX;
    const device_array<uint8_t> sketches(256 * (size_t)dimension, 255);
    for (int32_t limit : {most, most + 1}) {
        const filter_case c = {128, 128, dimension, 0, 0, 0, 2, 0, 3, false};
        const filter_output output(6);
        pkin::filter_target target = target_of(c, output);
        target.limit = limit;
        simt::launch(dim3(1), dim3(pkin::DP4A_THREADS), 0,
                     [&] { pkin::dp4a_filter(target, sketches.data(), sketches.data(), dimension); });
        EXPECT_EQ(limit == most ? 6u : 0u, output.n_found[0]);
    }
}

/* Row-major products of SHIFTED bytes, as the seeds take them. */
TEST(Dp4aTile, ShiftedBytesHaveTheSameProducts) {
    const uint32_t dimension = 128;
    const device_array<uint8_t> plain = random_sketches(256, dimension, 255, 9);
    const device_array<uint8_t> shifted(plain.size());
    for (size_t k = 0; k < plain.size(); k++) shifted[k] = (uint8_t)(plain[k] - 128);
    const device_array<int32_t> products(128 * 128, -1);
    simt::launch(dim3(1), dim3(pkin::DP4A_THREADS), 0, [&] {
        __shared__ pkin::dp4a_shared shared;
        const pkin::dp4a_side rows = {shifted.data(), 0, pkin::dp4a_flip(true)};
        const pkin::dp4a_side columns = {plain.data(), 128, pkin::dp4a_flip(false)};
        pkin::dp4a_tile(shared, rows, columns, dimension, [&](const int32_t(&mine)[8][8]) {
            for (uint32_t r = 0; r < 8; r++) {
                for (uint32_t c = 0; c < 8; c++) products[pkin::dp4a_row(r) * 128 + pkin::dp4a_column(c)] = mine[r][c];
            }
        });
    });
    for (uint32_t row = 0; row < 128; row++) {
        for (uint32_t column = 0; column < 128; column++) {
            ASSERT_EQ(product_of(plain, plain, dimension, row, 128 + column), products[row * 128 + column]);
        }
    }
}

/* Without a warp-wide call between them, threads that are ahead would overwrite what others still read. */
TEST(Dp4aTile, TilesMayFollowOneAnother) {
    for (uint32_t dimension : {64u, 128u, 192u}) {
        const device_array<uint8_t> sketches = random_sketches(512, dimension, 255, 11);
        const device_array<int32_t> products(4 * 128 * 128, -1);
        simt::launch(dim3(1), dim3(pkin::DP4A_THREADS), 0, [&] {
            __shared__ pkin::dp4a_shared shared;
            for (uint32_t tile = 0; tile < 4; tile++) {
                const pkin::dp4a_side rows = {sketches.data(), 0, 0}, columns = {sketches.data(), tile * 128, 0};
                pkin::dp4a_tile(shared, rows, columns, dimension, [&](const int32_t(&mine)[8][8]) {
                    for (uint32_t k = 0; k < 64; k++) {
                        products[(pkin::dp4a_row(k / 8) * 4 + tile) * 128 + pkin::dp4a_column(k % 8)] =
                            mine[k / 8][k % 8];
                    }
                });
            }
        });
        for (uint32_t row = 0; row < 128; row++) {
            for (uint32_t column = 0; column < 512; column++) {
                ASSERT_EQ(product_of(sketches, sketches, dimension, row, column), products[row * 512 + column])
                    << row << ", " << column << " of dimension " << dimension;
            }
        }
    }
}

/* What reductions over columns rely on (dp4a_tile.cuh). */
TEST(Dp4aTile, AWarpAndHalfOfItsColumnsAreThirtyTwoNeighbours) {
    simt::launch(dim3(1), dim3(pkin::DP4A_THREADS), 0, [&] {
        const uint32_t warp = threadIdx.x / 32;
        for (uint32_t c = 0; c < 8; c++) EXPECT_EQ(warp % 2 + c / 4 * 2, pkin::dp4a_column(c) / 32);
        for (uint32_t r = 0; r < 8; r++) {
            EXPECT_EQ(pkin::dp4a_row(r), __shfl_sync(pkin::ALL_LANES, pkin::dp4a_row(r), (int)(threadIdx.x & 24)));
        }
    });
}

TEST(Dp4aTiles, EveryTileHasOnePlace) {
    for (uint32_t n_rows : {1u, 15u, 16u, 17u, 33u}) {
        for (uint32_t n_columns : {1u, 2u, 40u}) {
            const pkin::dp4a_tiles tiles = {3, n_rows, 5, n_columns};
            std::set<std::pair<uint32_t, uint32_t>> places;
            for (uint64_t k = 0; k < (uint64_t)n_rows * n_columns; k++) {
                const pkin::dp4a_tile_place place = pkin::dp4a_place_of(tiles, k);
                EXPECT_TRUE(place.row >= 3 && place.row < 3 + n_rows);
                EXPECT_TRUE(place.column >= 5 && place.column < 5 + n_columns);
                places.emplace(place.row, place.column);
            }
            EXPECT_EQ((size_t)n_rows * n_columns, places.size());
        }
    }
}

TEST(FilterTarget, IsWhatTheWorkAsksFor) {
    const int32_t limits[2] = {1, 2};
    pkin_i_gpu_candidate found[1];
    uint64_t n_found = 0;
    pkin_i_gpu_rows rows = {}, columns = {};
    rows.first = UINT64_C(1) << 31;
    columns.first = 77;
    pkin_i_gpu_filter_work work = {};
    work.rows = &rows, work.columns = &columns;
    work.row_begin = 1, work.row_end = 2, work.column_begin = 3, work.column_end = 4;
    work.within = 1, work.limit = 5;
    work.row_limits = &limits[0], work.column_limits = &limits[1];
    work.found = found, work.capacity = 6, work.n_found = &n_found;
    const pkin::filter_target target = pkin::filter_target_of(work);
    EXPECT_EQ(rows.first, target.row_first);
    EXPECT_EQ(columns.first, target.column_first);
    EXPECT_EQ(1u, target.row_begin);
    EXPECT_EQ(2u, target.row_end);
    EXPECT_EQ(3u, target.column_begin);
    EXPECT_EQ(4u, target.column_end);
    EXPECT_EQ(1, target.within);
    EXPECT_EQ(5, target.limit);
    EXPECT_EQ(&limits[0], target.row_limits);
    EXPECT_EQ(&limits[1], target.column_limits);
    EXPECT_EQ(found, target.found);
    EXPECT_EQ(6u, target.capacity);
    EXPECT_EQ(&n_found, target.n_found);
}

TEST(FilterTarget, PartsThatHoldNothingAreTold) {
    std::mt19937_64 random(5);
    const auto below = [&](uint32_t n) { return (uint32_t)(random() % n); };
    int n_any = 0;
    for (int k = 0; k < 3000; k++) {
        const filter_case c = {30, 30, 64, below(20), below(20), below(12), 0, below(12), 0, random() % 2 == 0};
        const filter_output output(1);
        pkin::filter_target target = target_of(c, output);
        target.row_end = target.row_begin + below(10);
        target.column_end = target.column_begin + below(10);
        const uint32_t row = below(20), n_rows = 1 + below(8), column = below(20), n_columns = 1 + below(8);
        bool is_any = false;
        for (uint32_t i = row; i < row + n_rows; i++) {
            for (uint32_t j = column; j < column + n_columns; j++) is_any |= pkin::is_wanted(target, i, j);
        }
        EXPECT_EQ(is_any, pkin::is_any_wanted(target, row, n_rows, column, n_columns));
        n_any += is_any;
    }
    EXPECT_GT(n_any, 200);
    EXPECT_LT(n_any, 2800);
}

TEST(Append, OneAtATimeIsWhatWasReserved) {
    for (size_t capacity : {size_t(0), size_t(50), size_t(1000)}) {
        const filter_case c = {200, 200, 64, 10, 5, 4, 190, 0, 170, true};
        const filter_output output(capacity, 2);
        const pkin::filter_target target = target_of(c, output);
        const auto has = [](uint32_t row, uint32_t column) { return (row * 7 + column * 3) % 11 < 3; };
        simt::launch(dim3(7), dim3(64), 0, [&] {
            for (uint32_t row = blockIdx.x; row < 200; row += 29) {
                for (uint32_t step = 0; step < 200; step += 64) {
                    const uint32_t column = step + threadIdx.x;
                    const bool is_kept = has(row, column) && pkin::is_wanted(target, row, column);
                    const uint64_t place = pkin::place_in_warp(is_kept, target.n_found);
                    if (is_kept) pkin::put_candidate(target, place, row, column);
                }
            }
        });
        const found_pairs expected =
            expected_pairs(c, [&](uint32_t row, uint32_t column) { return row % 29 < 7 && has(row, column); });
        EXPECT_EQ(expected.size() + 2, output.n_found[0]);
        const found_pairs found = output.pairs();
        if (capacity < expected.size() + 2) {
            EXPECT_TRUE(std::includes(expected.begin(), expected.end(), found.begin(), found.end()));
        } else {
            EXPECT_EQ(expected, found);
        }
    }
}

} // namespace
