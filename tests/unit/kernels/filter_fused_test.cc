/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "filter_oracle.h"
#include "kernels/filter_fused.cuh"
#include "similarity/sketch.h"

using namespace pkin_test;

namespace {

/* How it is run: 0 is as the layout says. */
struct shape {
    uint32_t cluster, n_workers, chunk_tiles;
};

struct fused_fixture : filter_fixture {
    using filter_fixture::filter_fixture;
    void run(limit_kind kind, int32_t limit, const filter_output &output, shape how = {0, 0, 0}) const {
        pkin_i_gpu_rows row_shard = {}, column_shard = {};
        row_shard.first = c.row_first, row_shard.n_rows = c.n_rows, row_shard.sketches = rows.data();
        column_shard.first = c.column_first, column_shard.n_rows = c.n_columns, column_shard.sketches = columns.data();
        row_shard.dimension = column_shard.dimension = c.dimension;
        pkin_i_gpu_filter_work work = {};
        work.rows = &row_shard, work.columns = &column_shard;
        work.row_begin = c.row_begin, work.row_end = c.row_end;
        work.column_begin = c.column_begin, work.column_end = c.column_end;
        work.within = c.within;
        work.limit = limit;
        if (kind != ONE_LIMIT) work.row_limits = row_limits.by_row_of_side();
        if (kind == BOTH_LIMITS) work.column_limits = column_limits.by_row_of_side();
        work.found = output.found.data(), work.capacity = output.found.size(), work.n_found = output.n_found.data();
        launch(work, how);
    }
    static pkin::tensor_map encode(const pkin_i_gpu_rows &rows) {
        const pkin_i_fused_map map = pkin_i_fused_map_of(&rows);
        return pkin::encode_tensor_map(map.base, map.extents, map.row_bytes, map.box);
    }
    static void launch(const pkin_i_gpu_filter_work &work, shape how) {
        const uint32_t cluster = how.cluster ? how.cluster : pkin_i_fused_cluster(&work);
        pkin_i_fused_launch launch = pkin_i_fused_launch_of(&work, cluster, how.n_workers ? how.n_workers : 3);
        if (how.chunk_tiles) launch.grid.chunk_tiles = how.chunk_tiles;
        const pkin::fused_work in_kernel = {pkin::filter_target_of(work), launch.shared, launch.grid, launch.n_workers};
        const pkin::fused_kernel kernel = pkin::fused_kernel_of(in_kernel.target, cluster);
        const pkin::tensor_map rows = encode(*work.rows), columns = encode(*work.columns);
        simt::launch_cluster(dim3(launch.blocks.blocks[0]), dim3(launch.blocks.threads), dim3(cluster),
                             launch.blocks.shared_bytes, [&] { kernel(rows, columns, in_kernel); });
    }
};

const filter_case cases[] = {
    {1, 1, 64, 0, 0, 0, 1, 0, 1, false},
    {129, 200, 64, 0, 0, 0, 129, 0, 200, false},
    {300, 257, 128, 0, 0, 0, 300, 0, 257, false},
    {270, 270, 192, 0, 0, 0, 270, 0, 270, true},
    {400, 400, 320, 1000, 1000, 0, 400, 0, 400, true},
    {140, 300, 512, 500, 400, 3, 139, 5, 290, true},   /* shards that overlap, odd ranges */
    {200, 300, 64, 300, 0, 130, 131, 255, 300, true},  /* wholly below the diagonal */
    {130, 150, 320, 0, 130, 127, 130, 128, 129, true}, /* wholly above it */
    {257, 300, 1024, 0, 0, 1, 257, 0, 300, false},     /* three stages, eight blocks of depth: rows just resident */
    {200, 260, 1088, 0, 0, 0, 200, 0, 260, false},     /* rows through the ring, the last stage half filled */
    {140, 140, 1536, 7, 7, 0, 140, 0, 140, true},
};

TEST(FusedFilter, FindsWhatALoopFinds) {
    for (const filter_case &c : cases) {
        const fused_fixture fixture(c);
        for (uint32_t cluster : {1u, 2u}) {
            for (int32_t limit : {1, (int32_t)c.dimension * 1500}) {
                const found_pairs expected = fixture.expected(ONE_LIMIT, limit);
                const filter_output output(expected.size() + 1);
                fixture.run(ONE_LIMIT, limit, output, {cluster, 0, 0});
                ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, limit " << limit;
                ASSERT_EQ(expected, output.pairs()) << c.n_rows << " rows, limit " << limit;
                EXPECT_EQ(0xdeadbeef, output.found[expected.size()].i);
            }
        }
    }
}

TEST(FusedFilter, RowsAndColumnsHaveLimitsOfTheirOwn) {
    for (const filter_case &c : cases) {
        const fused_fixture fixture(c);
        for (limit_kind kind : {ROW_LIMITS, BOTH_LIMITS}) {
            const found_pairs expected = fixture.expected(kind, 0);
            const filter_output output(expected.size());
            fixture.run(kind, 1, output, {kind == ROW_LIMITS ? 1u : 2u, 0, 0});
            ASSERT_EQ(expected.size(), output.n_found[0]) << c.n_rows << " rows, kind " << kind;
            ASSERT_EQ(expected, output.pairs());
        }
    }
}

/* Rows change in the middle of the ring, in every phase of it; chunks of one tile; workers without work. */
TEST(FusedFilter, AnyOrderOfTilesFindsTheSame) {
    for (uint32_t dimension : {64u, 320u}) {
        const filter_case c = {520, 600, dimension, 0, 0, 0, 520, 0, 600, false};
        const fused_fixture fixture(c);
        for (limit_kind kind : {ONE_LIMIT, BOTH_LIMITS}) {
            const int32_t limit = (int32_t)dimension * 1200;
            const found_pairs expected = fixture.expected(kind, limit);
            ASSERT_GT(expected.size(), 1000u);
            for (const shape how :
                 {shape{2, 1, 1}, shape{2, 2, 3}, shape{2, 7, 100}, shape{1, 2, 2}, shape{1, 40, 4}}) {
                const filter_output output(expected.size());
                fixture.run(kind, limit, output, how);
                ASSERT_EQ(expected, output.pairs()) << how.n_workers << " workers, chunks of " << how.chunk_tiles;
            }
        }
    }
}

/* Rows stay where they are when a chunk begins with the strip that the one before ended with. */
TEST(FusedFilter, OneStripGoesThroughAllChunks) {
    const fused_fixture fixture({120, 1500, 192, 0, 0, 0, 120, 0, 1500, false});
    const found_pairs expected = fixture.expected(ONE_LIMIT, 200000);
    ASSERT_GT(expected.size(), 100u);
    for (const shape how : {shape{2, 1, 1}, shape{1, 1, 1}, shape{1, 2, 1}}) {
        const filter_output output(expected.size());
        fixture.run(ONE_LIMIT, 200000, output, how);
        ASSERT_EQ(expected, output.pairs());
    }
}

/*
 * One pair passes among the 16 x 256 of every warp, and nothing else makes the warp look: of the row `in_warp` of each
 * warp and a column, by the limit, by the row's and by the column's. Whatever register the product is in.
 */
TEST(FusedFilter, FindsALonePairInEveryRegister) {
    const uint32_t n_rows = 128, n_columns = 256, dimension = 64;
    const filter_case c = {n_rows, n_columns, dimension, 0, 0, 0, n_rows, 0, n_columns, false};
    fused_fixture fixture(c);
    for (uint32_t column = 0; column < n_columns; column += 5) {
        const uint32_t in_warp = column * 7 % 16;
        std::fill_n(fixture.rows.data(), n_rows * dimension, (uint8_t)0);
        std::fill_n(fixture.columns.data(), n_columns * dimension, (uint8_t)0);
        for (uint32_t row = in_warp; row < n_rows; row += 16) fixture.rows[row * dimension + 63] = 3;
        found_pairs expected;
        for (uint32_t row = in_warp; row < n_rows; row += 16) expected.emplace_back(row, column);
        for (limit_kind kind : {ONE_LIMIT, ROW_LIMITS, BOTH_LIMITS}) {
            /* By a column's limit: all columns have the product, one the limit. Else one column has the product. */
            const bool is_column = kind == BOTH_LIMITS;
            for (uint32_t n = 0; n < n_columns; n++) {
                fixture.columns[n * dimension + 63] = is_column || n == column ? 7 : 0;
                fixture.column_limits.values[n] = is_column && n == column ? 21 : 22;
            }
            for (uint32_t n = 0; n < n_rows; n++) {
                fixture.row_limits.values[n] = !is_column && n % 16 == in_warp ? 21 : 22;
            }
            const filter_output output(expected.size());
            fixture.run(kind, 21, output, {1, 1, 0});
            ASSERT_EQ(expected.size(), output.n_found[0]) << "column " << column << ", kind " << kind;
            ASSERT_EQ(expected, output.pairs()) << "column " << column << ", kind " << kind;
        }
    }
}

TEST(FusedFilter, AnyScheduleFindsTheSame) {
    const fused_fixture fixture({520, 520, 256, 0, 0, 0, 520, 0, 520, true});
    const found_pairs expected = fixture.expected(BOTH_LIMITS, 0);
    for (uint64_t seed = 1000; seed < 1010; seed++) {
        simt::set_seed(seed);
        const filter_output output(expected.size());
        fixture.run(BOTH_LIMITS, 0, output, {2, 2, 0});
        ASSERT_EQ(expected, output.pairs()) << "seed " << seed;
    }
}

TEST(FusedFilter, CountsWhatDoesNotFitAndWritesNothingThere) {
    const fused_fixture fixture(cases[1]);
    const found_pairs expected = fixture.expected(ONE_LIMIT, 1);
    ASSERT_GT(expected.size(), 10000u);
    const size_t n_before = 7;
    for (size_t capacity : {size_t(0), size_t(8), size_t(1000), expected.size() + n_before - 1}) {
        const filter_output output(capacity, n_before);
        fixture.run(ONE_LIMIT, 1, output); /* what lies behind `capacity` is AddressSanitizer's */
        EXPECT_EQ(expected.size() + n_before, output.n_found[0]);
        const found_pairs found = output.pairs();
        EXPECT_EQ(capacity > n_before ? capacity - n_before : 0, found.size());
        EXPECT_TRUE(std::includes(expected.begin(), expected.end(), found.begin(), found.end()));
        EXPECT_EQ(found.end(), std::adjacent_find(found.begin(), found.end()));
    }
}

TEST(FusedFilter, LargestProductsAreExact) {
    const uint32_t dimension = PKIN_I_DIMENSION_MAX;
    const int32_t most = 255 * 255 * PKIN_I_DIMENSION_MAX;
    fused_fixture fixture({2, 3, dimension, 0, 0, 0, 2, 0, 3, false});
    std::fill_n(fixture.rows.data(), 2 * dimension, (uint8_t)255);
    std::fill_n(fixture.columns.data(), 3 * dimension, (uint8_t)255);
    for (int32_t limit : {most, most + 1}) {
        const filter_output output(6);
        fixture.run(ONE_LIMIT, limit, output);
        EXPECT_EQ(limit == most ? 6u : 0u, output.n_found[0]);
    }
}

/* ---- The emulation: what it must end the program at ---- */

template <class Body> void on_a_warpgroup(Body &&body) {
    simt::launch(dim3(1), dim3(128), 65536, [&] {
        PKIN_DYNAMIC_SHARED(shared);
        body(shared, reinterpret_cast<uint64_t *>(shared + 49152));
    });
}

TEST(HopperDeathTest, EndsAtMisuse) {
    using namespace pkin;
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *, uint64_t *barrier) { barrier_wait(barrier, 0); }),
                 "no initialised mbarrier");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *, uint64_t *barrier) {
                     if (threadIdx.x == 0) barrier_init(barrier, 127);
                     __syncthreads();
                     if (threadIdx.x == 0) barrier_expect(barrier, 128); /* so that no phase completes */
                     barrier_arrive_at(barrier, 0);
                 }),
                 "more arrivals than the 127");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *, uint64_t *barrier) {
                     if (threadIdx.x == 0) {
                         barrier_init(barrier, 1);
                         *barrier = 0;
                         barrier_wait(barrier, 0);
                     }
                 }),
                 "overwritten");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *, uint64_t *barrier) {
                     if (threadIdx.x == 0) barrier_init(barrier, 2);
                     __syncthreads();
                     if (threadIdx.x == 0) barrier_arrive_at(barrier, 0);
                     barrier_wait(barrier, 0);
                 }),
                 "mbarrier phase");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *shared, uint64_t *) {
                     int32_t values[128];
                     const uint64_t d = pkin_i_fused_descriptor(shared_address(shared));
                     wgmma_m64n256k32_u8(values, d, d, false);
                 }),
                 "without a wgmma.fence");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *shared, uint64_t *) {
                     int32_t values[128];
                     const uint64_t d = pkin_i_fused_descriptor(shared_address(shared));
                     wgmma_fence();
                     wgmma_m64n256k32_u8(values, d + threadIdx.x / 64, d, false);
                 }),
                 "multiply different things");
    EXPECT_DEATH(simt::launch_cluster(dim3(2), dim3(32), dim3(2), 1024,
                                      [] {
                                          PKIN_DYNAMIC_SHARED(shared);
                                          uint64_t *const barrier = reinterpret_cast<uint64_t *>(shared);
                                          if (threadIdx.x == 0) barrier_init(barrier, 2);
                                          cluster_sync();
                                          if (threadIdx.x < 2) barrier_arrive_at(barrier, threadIdx.x);
                                      }),
                 "no cluster barrier behind it");
    EXPECT_DEATH(on_a_warpgroup([](unsigned char *shared, uint64_t *barrier) {
                     const tensor_map map = {};
                     if (threadIdx.x == 0) tma_load(shared, &map, barrier, 0, 0);
                 }),
                 "not valid");
}

/* TMA and wgmma of the emulation, against plain loops: independent of the filter. */
TEST(Hopper, FetchesAndMultiplies) {
    using namespace pkin;
    const device_array<uint8_t> rows = random_sketches(256, 192, 255, 11);
    const tensor_map map = encode_tensor_map(rows.data(), {192, 256}, 192, {128, 128});
    const device_array<int32_t> products(64 * 256);
    on_a_warpgroup([&](unsigned char *shared, uint64_t *barrier) {
        if (threadIdx.x == 0) {
            barrier_init(barrier, 1);
            barrier_expect(barrier, 3 * 16384);
            tma_load(shared, &map, barrier, 64, 100);
            tma_load(shared + 16384, &map, barrier, 64, 0);
            tma_load(shared + 32768, &map, barrier, 64, 128); /* byte 128 of a row is its last but 64: zeroes behind */
        }
        __syncthreads();
        barrier_wait(barrier, 0);
        int32_t values[128];
        const uint64_t a = pkin_i_fused_descriptor(shared_address(shared));
        const uint64_t b = pkin_i_fused_descriptor(shared_address(shared + 16384));
        wgmma_fence();
        for (uint32_t step = 0; step < 4; step++) wgmma_m64n256k32_u8(values, a + 2 * step, b + 2 * step, step > 0);
        wgmma_commit();
        wgmma_wait_all(values);
        for (uint32_t e = 0; e < 128; e++) {
            products[pkin_i_fused_value_row(threadIdx.x, e) * 256 + pkin_i_fused_value_column(threadIdx.x, e)] =
                values[e];
        }
    });
    for (uint32_t row = 0; row < 64; row++) {
        for (uint32_t column = 0; column < 256; column++) {
            int32_t expected = 0;
            for (uint32_t k = 64; k < 192; k++) expected += rows[(row + 100) * 192 + k] * rows[column * 192 + k];
            ASSERT_EQ(expected, products[row * 256 + column]) << row << " " << column;
        }
    }
}

} // namespace
