/* SPDX-License-Identifier: Apache-2.0 */
/* Items and their cuts, against every pair one by one. */
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "kernels/gpu_device.h"
#include "kernels/gpu_items.h"

namespace {

struct Sides {
    std::vector<pkin_i_gpu_shard> shards;
    bool within;
    uint64_t n_rows, n_columns;
};

/* Shards of `rows` rows each. */
void add_side(std::vector<pkin_i_gpu_shard> *shards, int side, uint64_t n, uint64_t rows) {
    for (uint64_t first = 0; first < n; first += rows) shards->push_back({side, first, std::min(n, first + rows)});
}

Sides within(uint64_t n, uint64_t rows) {
    Sides sides = {{}, true, n, n};
    add_side(&sides.shards, 0, n, rows);
    return sides;
}

Sides between(uint64_t n_rows, uint64_t n_columns, uint64_t rows) {
    Sides sides = {{}, false, n_rows, n_columns};
    add_side(&sides.shards, 0, n_rows, rows);
    add_side(&sides.shards, 1, n_columns, rows);
    return sides;
}

std::vector<pkin_i_gpu_block> list(const Sides &sides, uint64_t first, uint64_t last, uint64_t most_pairs) {
    const pkin_i_gpu_items_want want = {
        sides.within, first, last, most_pairs, sides.shards.data(), uint32_t(sides.shards.size())};
    pkin_i_gpu_block *blocks = nullptr;
    uint64_t n = 0;
    EXPECT_EQ(pkin_i_gpu_items_list(&want, &blocks, &n), PKIN_OK);
    std::vector<pkin_i_gpu_block> all(blocks, blocks + n);
    pkin_i_free(blocks);
    return all;
}

/* Marks a block's pairs; those that were marked before are counted. */
uint64_t mark(const pkin_i_gpu_block &block, bool within, uint64_t n_columns, std::vector<bool> *marked) {
    uint64_t n_again = 0;
    for (uint64_t i = block.row_begin; i < block.row_end; i++) {
        for (uint64_t j = block.column_begin; j < block.column_end; j++) {
            if (within && i >= j) continue;
            n_again += (*marked)[i * n_columns + j];
            (*marked)[i * n_columns + j] = true;
        }
    }
    return n_again;
}

uint64_t count_pairs(const pkin_i_gpu_block &block, bool within) {
    uint64_t n = 0;
    for (uint64_t i = block.row_begin; i < block.row_end; i++) {
        for (uint64_t j = block.column_begin; j < block.column_end; j++) n += !within || i < j;
    }
    return n;
}

void expect_each_once(const Sides &sides, uint64_t first, uint64_t last, uint64_t most_pairs) {
    std::vector<bool> marked(sides.n_rows * sides.n_columns);
    uint64_t n_wrong = 0;
    for (const pkin_i_gpu_block &block : list(sides, first, last, most_pairs)) {
        const pkin_i_gpu_shard &rows = sides.shards.at(block.row_shard), &columns = sides.shards.at(block.column_shard);
        ASSERT_EQ(rows.side, 0);
        ASSERT_EQ(columns.side, sides.within ? 0 : 1);
        ASSERT_TRUE(rows.first <= block.row_begin && block.row_end <= rows.last);
        ASSERT_TRUE(columns.first <= block.column_begin && block.column_end <= columns.last);
        ASSERT_EQ((block.row_begin - rows.first) % PKIN_I_GPU_ROWS_STEP, 0u);
        ASSERT_EQ((block.column_begin - std::max(first, columns.first)) % PKIN_I_GPU_ROWS_STEP, 0u);
        const uint64_t extent = (block.row_end - block.row_begin) * (block.column_end - block.column_begin);
        ASSERT_LE(extent, std::max<uint64_t>(most_pairs, PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP));
        ASSERT_GT(pkin_i_gpu_block_pairs(&block, sides.within), 0u);
        ASSERT_EQ(pkin_i_gpu_block_pairs(&block, sides.within), count_pairs(block, sides.within));
        n_wrong += mark(block, sides.within, sides.n_columns, &marked);
    }
    for (uint64_t i = 0; i < sides.n_rows; i++) {
        for (uint64_t j = 0; j < sides.n_columns; j++) {
            const bool wanted = j >= first && j < last && (!sides.within || i < j);
            n_wrong += marked[i * sides.n_columns + j] != wanted;
        }
    }
    EXPECT_EQ(n_wrong, 0u);
}

TEST(GpuItems, HoldEachPairOnce) {
    for (uint64_t n : {1u, 2u, 255u, 256u, 257u, 700u, 1025u}) {
        for (uint64_t rows : {256u, 512u, 100000u}) {
            for (uint64_t most_pairs : {1u, 70000u, 300000u, 1u << 30}) {
                SCOPED_TRACE(testing::Message() << n << " rows by " << rows << ", items of " << most_pairs);
                expect_each_once(within(n, rows), 0, n, most_pairs);
                expect_each_once(between(n, 300, rows), 0, 300, most_pairs);
                expect_each_once(between(3, n, rows), 0, n, most_pairs);
            }
        }
    }
}

TEST(GpuItems, KeepToTheirStrip) {
    for (uint64_t first : {0u, 1u, 255u, 256u, 300u, 699u}) {
        for (uint64_t last : {1u, 2u, 256u, 301u, 600u, 700u}) {
            if (first >= last) continue;
            for (uint64_t most_pairs : {1u, 1u << 20}) {
                SCOPED_TRACE(testing::Message() << "columns " << first << " to " << last);
                expect_each_once(within(700, 256), first, last, most_pairs);
                expect_each_once(between(300, 700, 256), first, last, most_pairs);
            }
        }
    }
}

TEST(GpuItems, OfNothingAreNone) {
    EXPECT_TRUE(list(within(0, 256), 0, 0, 1).empty());
    EXPECT_TRUE(list(within(1, 256), 0, 1, 1).empty());
    EXPECT_TRUE(list(between(5, 0, 256), 0, 0, 1).empty());
    EXPECT_TRUE(list(within(500, 256), 7, 7, 1).empty());
}

/* Each pair of shards is visited once, and most share a shard with the one before. */
TEST(GpuItems, PairsOfShardsFollowOneAnother) {
    for (const Sides &sides : {within(2000, 256), between(1000, 2000, 256)}) {
        std::map<std::pair<uint32_t, uint32_t>, int> n_visits;
        std::pair<uint32_t, uint32_t> before = {UINT32_MAX, UINT32_MAX};
        size_t n_changes = 0;
        for (const pkin_i_gpu_block &item : list(sides, 0, sides.n_columns, 1 << 16)) {
            const std::pair<uint32_t, uint32_t> now = {item.row_shard, item.column_shard};
            if (now == before) continue;
            n_visits[now]++;
            n_changes += now.first != before.first && now.first != before.second && now.second != before.first &&
                         now.second != before.second;
            before = now;
        }
        EXPECT_EQ(n_visits.size(), sides.within ? 8 * 9 / 2 : 4 * 8);
        for (const auto &visits : n_visits) EXPECT_EQ(visits.second, 1);
        EXPECT_LE(n_changes, sides.within ? 4u : 1u);
    }
}

TEST(GpuItems, AreAboutSquareAndNoMoreThanNeeded) {
    const uint64_t n = 1000000, most_pairs = uint64_t(1) << 34;
    uint64_t n_pairs = 0;
    std::vector<pkin_i_gpu_block> items = list(within(n, n), 0, n, most_pairs);
    for (const pkin_i_gpu_block &block : items) n_pairs += pkin_i_gpu_block_pairs(&block, true);
    EXPECT_EQ(n_pairs, n * (n - 1) / 2);
    EXPECT_LE(items.size(), 2 * n_pairs / most_pairs);
    /* Few new rows against many: one piece. */
    EXPECT_EQ(list(between(300, 66000, 100000), 0, 66000, uint64_t(1) << 28).size(), 1u);
}

TEST(GpuItems, SquaresAreCountedInFull) {
    const uint64_t step = PKIN_I_GPU_ROWS_STEP;
    std::mt19937 random(7);
    for (int trial = 0; trial < 300; trial++) {
        pkin_i_gpu_block block = {};
        block.row_begin = step * (random() % 4);
        block.row_end = block.row_begin + 1 + random() % 900;
        block.column_begin = random() % 1200;
        block.column_end = block.column_begin + 1 + random() % 900;
        for (bool is_within : {false, true}) {
            uint64_t n_squares = 0;
            for (uint64_t r = block.row_begin; r < block.row_end; r += step) {
                for (uint64_t c = block.column_begin; c < block.column_end; c += step) {
                    const pkin_i_gpu_block square = {
                        0, 0, r, std::min(block.row_end, r + step), c, std::min(block.column_end, c + step)};
                    n_squares += count_pairs(square, is_within) > 0;
                }
            }
            ASSERT_EQ(pkin_i_gpu_block_padded_pairs(&block, is_within), n_squares * step * step);
            ASSERT_EQ(pkin_i_gpu_block_pairs(&block, is_within), count_pairs(block, is_within));
        }
    }
}

/* Cut and cut again, down to single pairs: each pair is still there once. */
void cut_down(const pkin_i_gpu_block &block, bool is_within, uint64_t n_wanted, uint64_t most_pairs, int depth,
              std::vector<pkin_i_gpu_block> *out) {
    ASSERT_LT(depth, 40);
    if (pkin_i_gpu_block_pairs(&block, is_within) <= most_pairs) {
        out->push_back(block);
        return;
    }
    const pkin_i_gpu_cut cut = pkin_i_gpu_block_cut(&block, n_wanted);
    ASSERT_GE(cut.n_parts, 2u);
    ASSERT_LE(cut.n_parts, std::max<uint64_t>(2, n_wanted));
    for (uint64_t p = 0; p < cut.n_parts; p++) {
        cut_down(pkin_i_gpu_block_part(&block, cut, p), is_within, n_wanted, most_pairs, depth + 1, out);
    }
}

TEST(GpuItems, CutsLoseNothing) {
    std::mt19937 random(3);
    for (int trial = 0; trial < 60; trial++) {
        pkin_i_gpu_block block = {};
        block.row_begin = random() % 100;
        block.row_end = block.row_begin + 1 + random() % 700;
        block.column_begin = random() % 400;
        block.column_end = block.column_begin + 1 + random() % 500;
        const bool is_within = trial % 2;
        const uint64_t n_columns = 1000, n_wanted = 2 + random() % 9, most_pairs = trial % 3 == 0 ? 1 : 5000;
        if (most_pairs == 1) {
            block.row_end = std::min(block.row_end, block.row_begin + 40);
            block.column_end = std::min(block.column_end, block.column_begin + 300);
        }
        std::vector<pkin_i_gpu_block> parts;
        cut_down(block, is_within, n_wanted, most_pairs, 0, &parts);
        std::vector<bool> marked(800 * n_columns);
        for (const pkin_i_gpu_block &part : parts) ASSERT_EQ(mark(part, is_within, n_columns, &marked), 0u);
        ASSERT_EQ(uint64_t(std::count(marked.begin(), marked.end(), true)), count_pairs(block, is_within));
    }
}

} // namespace
