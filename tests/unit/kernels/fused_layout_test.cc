/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "kernels/fused_layout.h"
#include "similarity/sketch.h"

namespace {

TEST(FusedShared, HoldsAtLeastThreeStagesAndWhatItSays) {
    for (uint32_t dimension = 64; dimension <= PKIN_I_DIMENSION_MAX; dimension += 64) {
        const pkin_i_fused_shared s = pkin_i_fused_shared_of(dimension);
        const uint32_t a_boxes = s.is_resident ? s.depth_blocks : s.n_stages;
        EXPECT_EQ((s.depth_blocks - 1) * 128 + s.last_steps * 32, dimension);
        EXPECT_TRUE(s.last_steps == 2 || s.last_steps == 4);
        EXPECT_EQ(dimension <= 1024, s.is_resident == 1);
        EXPECT_GE(s.n_stages, 3u) << dimension;
        /* In this order, next to each other, within what a block can have, at their alignments. */
        EXPECT_EQ(a_boxes * 16384, s.columns_at);
        EXPECT_EQ(s.columns_at + s.n_stages * 32768, s.limits_at);
        EXPECT_EQ(s.limits_at + 2048, s.full_at);
        EXPECT_EQ(s.full_at + 8 * s.n_stages, s.empty_at);
        EXPECT_EQ(s.empty_at + 8 * s.n_stages, s.n_bytes);
        EXPECT_LE(s.n_bytes, 227u * 1024);
        EXPECT_EQ(0u, s.columns_at % 1024);
        EXPECT_EQ(0u, s.limits_at % 16);
    }
    EXPECT_EQ(5u, pkin_i_fused_shared_of(512).n_stages);
    EXPECT_EQ(3u, pkin_i_fused_shared_of(1024).n_stages);
}

/* A box is a permutation of its bytes in pieces of 16, within rows; eight rows have eight different chunks in a place:
   neither loads nor products meet in a bank. */
TEST(FusedSwizzle, PermutesChunksWithinRows) {
    std::set<uint32_t> seen;
    for (uint32_t row = 0; row < 128; row++) {
        for (uint32_t byte = 0; byte < 128; byte++) {
            const uint32_t at = pkin_i_fused_swizzled(row, byte);
            EXPECT_EQ(row, at / 128);
            EXPECT_EQ(byte % 16, at % 16);
            EXPECT_EQ(byte / 16, (at / 16 % 8) ^ (at / 128 % 8)) << "its own inverse";
            seen.insert(at);
        }
    }
    EXPECT_EQ(128u * 128, seen.size());
    for (uint32_t byte = 0; byte < 128; byte += 16) {
        std::set<uint32_t> banks;
        for (uint32_t row = 0; row < 8; row++) banks.insert(pkin_i_fused_swizzled(row, byte) % 128);
        EXPECT_EQ(8u, banks.size());
    }
}

/* What wgmma makes of a descriptor, by the rules of the PTX ISA, is where the swizzle has put the bytes. */
TEST(FusedDescriptor, LeadsToTheSwizzledBytes) {
    for (uint32_t base : {1024u, 1024u + 16384 * 7 + 8192, 1024u + 196608}) {
        for (uint32_t step = 0; step < 4; step++) {
            const uint64_t d = pkin_i_fused_descriptor(base) + step * (PKIN_I_FUSED_STEP / 16);
            EXPECT_EQ(pkin_i_fused_descriptor(base + step * PKIN_I_FUSED_STEP), d);
            EXPECT_EQ(1u, d >> 62) << "128-byte swizzle";
            EXPECT_EQ(0u, d >> 49 & 7) << "base offset";
            EXPECT_EQ(0u, d & (uint64_t)0x3ff1c000c000c000) << "reserved bits";
            const uint32_t start = (uint32_t)(d & 0x3fff) << 4, stride = (uint32_t)(d >> 32 & 0x3fff) << 4;
            for (uint32_t row = 0; row < 256; row++) {
                for (uint32_t byte = 0; byte < 32; byte++) {
                    const uint32_t plain = start + row / 8 * stride + row % 8 * 128 + byte;
                    const uint32_t address = plain ^ (plain >> 7 & 7) << 4;
                    ASSERT_EQ(base + pkin_i_fused_swizzled(row, step * 32 + byte), address);
                }
            }
        }
    }
}

TEST(FusedDescriptor, IgnoresWhichBlockOfTheClusterTheAddressNames) {
    EXPECT_EQ(pkin_i_fused_descriptor(0x400), pkin_i_fused_descriptor(0x01000400));
}

TEST(FusedFragment, CoversTheTileOnce) {
    std::set<std::pair<uint32_t, uint32_t>> seen;
    for (uint32_t thread = 0; thread < 128; thread++) {
        for (uint32_t e = 0; e < PKIN_I_FUSED_VALUES; e++) {
            const uint32_t row = pkin_i_fused_value_row(thread, e), column = pkin_i_fused_value_column(thread, e);
            EXPECT_LT(row, 64u);
            EXPECT_LT(column, 256u);
            EXPECT_EQ(pkin_i_fused_value_column(thread + 128, e), column) << "any warpgroup";
            seen.insert({row, column});
        }
    }
    EXPECT_EQ(64u * 256, seen.size());
    /* The corners that the PTX ISA draws: d0 and d1 of thread 0, d2 of thread 0, thread 1, thread 4, warp 1. */
    EXPECT_EQ(0u, pkin_i_fused_value_row(0, 1));
    EXPECT_EQ(1u, pkin_i_fused_value_column(0, 1));
    EXPECT_EQ(8u, pkin_i_fused_value_row(0, 2));
    EXPECT_EQ(0u, pkin_i_fused_value_column(0, 2));
    EXPECT_EQ(2u, pkin_i_fused_value_column(1, 0));
    EXPECT_EQ(1u, pkin_i_fused_value_row(4, 0));
    EXPECT_EQ(16u, pkin_i_fused_value_row(32, 0));
    EXPECT_EQ(8u, pkin_i_fused_value_column(0, 4));
}

struct grid_case {
    uint64_t row;
    uint32_t n_rows;
    uint64_t column;
    uint32_t n_columns;
    int within;
    uint32_t cluster, chunk_tiles, n_workers;
};

/* Tiles that hold a pair: by a loop over their rows. */
std::set<std::pair<uint32_t, uint32_t>> wanted_tiles(const grid_case &c) {
    std::set<std::pair<uint32_t, uint32_t>> out;
    const uint32_t strip_rows = 128 * c.cluster;
    for (uint32_t strip = 0; strip * strip_rows < c.n_rows; strip++) {
        for (uint32_t tile = 0; tile * 256 < c.n_columns; tile++) {
            bool is_wanted = !c.within;
            for (uint32_t row = strip * strip_rows; row < strip * strip_rows + strip_rows; row++) {
                is_wanted = is_wanted || c.row + row < c.column + tile * 256 + 255;
            }
            if (is_wanted) out.insert({strip, tile});
        }
    }
    return out;
}

void check_walks(const grid_case &c) {
    const pkin_i_fused_grid g =
        pkin_i_fused_grid_of(c.row, c.n_rows, c.column, c.n_columns, c.within, c.cluster, c.chunk_tiles);
    std::set<std::pair<uint32_t, uint32_t>> seen;
    uint64_t fewest = UINT64_MAX, most = 0, n_chunks = 0;
    for (uint32_t worker = 0; worker < c.n_workers; worker++) {
        pkin_i_fused_walk walk = pkin_i_fused_walk_begin();
        uint64_t n = 0;
        uint32_t strip = UINT32_MAX, chunk = 0;
        while (pkin_i_fused_walk_next(&g, worker, c.n_workers, &walk)) {
            ASSERT_EQ(walk.strip != strip, walk.is_new_strip == 1);
            ASSERT_GE(walk.tile / c.chunk_tiles, chunk) << "chunks ascend";
            ASSERT_TRUE(seen.insert({walk.strip, walk.tile}).second) << walk.strip << " " << walk.tile << " twice";
            strip = walk.strip;
            chunk = walk.tile / c.chunk_tiles;
            n++;
        }
        EXPECT_FALSE(pkin_i_fused_walk_next(&g, worker, c.n_workers, &walk));
        fewest = std::min(fewest, n), most = std::max(most, n);
        n_chunks = walk.turn;
    }
    EXPECT_EQ(wanted_tiles(c), seen);
    EXPECT_LE(most - fewest, std::max<uint64_t>(1, n_chunks)) << "shares";
}

TEST(FusedWalk, GivesEveryWantedTileToOneWorker) {
    for (uint32_t cluster : {1u, 2u}) {
        for (uint32_t chunk_tiles : {1u, 3u, 100u}) {
            for (uint32_t n_workers : {1u, 2u, 7u, 66u}) {
                for (int within : {0, 1}) {
                    for (uint32_t n_rows : {1u, 128u, 129u, 256u, 257u, 1300u}) {
                        check_walks({0, n_rows, 0, n_rows, within, cluster, chunk_tiles, n_workers});
                        check_walks({0, n_rows, 0, 2000, within, cluster, chunk_tiles, n_workers});
                    }
                }
            }
        }
    }
}

/* Every offset of the diagonal, to a row: ranges that begin anywhere, and shards before and behind one another. */
TEST(FusedWalk, FollowsTheDiagonalWhereverItRuns) {
    for (uint32_t cluster : {1u, 2u}) {
        for (int64_t offset = -1100; offset <= 1500; offset += 1 + (offset % 64 != 0 && offset % 64 != -1) * 12) {
            const uint64_t column = 5000, row = (uint64_t)(5000 + offset);
            check_walks({row, 700, column, 900, 1, cluster, 2, 3});
        }
        check_walks({(uint64_t)4000000000, 300, 0, 600, 1, cluster, 2, 3});
        check_walks({0, 300, (uint64_t)4000000000, 600, 1, cluster, 2, 3});
    }
}

/* Closed forms against sums. */
TEST(FusedWalk, CountsTilesAsTheyAre) {
    for (uint32_t cluster : {1u, 2u}) {
        for (int64_t offset : {-2000, -257, -1, 0, 1, 127, 128, 255, 256, 5000}) {
            const pkin_i_fused_grid g =
                pkin_i_fused_grid_of(10000, 3000, (uint64_t)(10000 + offset), 5000, 1, cluster, 4);
            for (uint32_t begin = 0; begin < g.n_tiles; begin += g.chunk_tiles) {
                const pkin_i_fused_chunk c = pkin_i_fused_chunk_at(&g, begin);
                uint64_t n = 0;
                for (uint32_t strip = 0; strip < g.n_strips; strip++) {
                    ASSERT_EQ(n, pkin_i_fused_tiles_before(&g, &c, strip));
                    const uint32_t first = std::min(pkin_i_fused_first_tile(&g, begin, strip), c.end);
                    for (uint32_t tile = first; tile < c.end; tile++) {
                        ASSERT_EQ(strip, pkin_i_fused_strip_of(&g, &c, n++));
                    }
                }
                ASSERT_EQ(n, pkin_i_fused_tiles_before(&g, &c, g.n_strips));
            }
        }
    }
}

/* A million rows at d = 512 on 66 clusters: chunks of 8 MB of columns, shares equal to a fraction of a percent. */
TEST(FusedLaunch, SharesALargeTriangleEvenly) {
    pkin_i_gpu_rows rows = {};
    rows.n_rows = 1000000, rows.dimension = 512;
    pkin_i_gpu_filter_work work = {};
    work.rows = work.columns = &rows;
    work.row_end = work.column_end = rows.n_rows;
    work.within = 1;
    const pkin_i_fused_launch launch = pkin_i_fused_launch_of(&work, pkin_i_fused_cluster(&work), 66);
    EXPECT_EQ(66u, launch.n_workers);
    EXPECT_EQ(132u, launch.blocks.blocks[0]);
    EXPECT_EQ(2u, launch.blocks.cluster);
    EXPECT_EQ(384u, launch.blocks.threads);
    EXPECT_EQ(64u, launch.grid.chunk_tiles);
    uint64_t fewest = UINT64_MAX, most = 0, sum = 0, strips = 0;
    for (uint32_t worker = 0; worker < launch.n_workers; worker++) {
        pkin_i_fused_walk walk = pkin_i_fused_walk_begin();
        uint64_t n = 0;
        for (; pkin_i_fused_walk_next(&launch.grid, worker, launch.n_workers, &walk); n++) strips += walk.is_new_strip;
        fewest = std::min(fewest, n), most = std::max(most, n), sum += n;
    }
    const uint64_t tiles = 3907;
    EXPECT_EQ(tiles * (tiles + 1) / 2, sum);
    EXPECT_LT((double)(most - fewest), 0.001 * (double)most);
    EXPECT_LT(strips, sum / 25) << "rows are fetched seldom";
}

TEST(FusedLaunch, FewRowsAreOneBlockEachAndSpreadOverAll) {
    pkin_i_gpu_rows rows = {}, columns = {};
    rows.n_rows = 100, rows.dimension = columns.dimension = 512;
    columns.n_rows = 1000000;
    pkin_i_gpu_filter_work work = {};
    work.rows = &rows, work.columns = &columns;
    work.row_end = rows.n_rows, work.column_end = columns.n_rows;
    EXPECT_EQ(1u, pkin_i_fused_cluster(&work));
    const pkin_i_fused_launch launch = pkin_i_fused_launch_of(&work, 1, 132);
    EXPECT_EQ(132u, launch.n_workers);
    EXPECT_GE(launch.grid.chunk_tiles, 8u * 132);
    work.column_end = 1000;
    EXPECT_EQ(4u, pkin_i_fused_launch_of(&work, 1, 132).n_workers) << "no more than tiles";
    work.row_end = 0;
    EXPECT_EQ(0u, pkin_i_fused_launch_of(&work, 1, 132).blocks.blocks[0]) << "nothing to launch";
}

TEST(FusedMap, IsOfWholeStepsOfRows) {
    pkin_i_gpu_rows rows = {};
    rows.n_rows = 257, rows.dimension = 320;
    const pkin_i_fused_map map = pkin_i_fused_map_of(&rows);
    EXPECT_EQ(320u, map.extents[0]);
    EXPECT_EQ(512u, map.extents[1]);
    EXPECT_EQ(320u, map.row_bytes);
    EXPECT_EQ(128u, map.box[0]);
    EXPECT_EQ(128u, map.box[1]);
}

} // namespace
