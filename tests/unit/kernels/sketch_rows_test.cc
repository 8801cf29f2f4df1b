/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "filter_oracle.h"
#include "kernels/sketch_rows.cuh"

using namespace pkin_test;

namespace {

using wide = unsigned __int128;

/* ---- Quantising ---- */

/* By its definition (gpu_device.h). */
uint32_t quantise_by_definition(uint64_t squares, uint64_t scale) {
    uint64_t q = 0;
    while ((wide)(q * q) << 60 < (wide)squares * (scale * scale)) q++;
    return (uint32_t)q;
}

/* The largest sum of squares that q still stands for. */
uint64_t top_of_step(uint64_t q, uint64_t scale) {
    return (uint64_t)(((wide)(q * q) << 60) / (scale * scale));
}

TEST(QuantiseUp, EveryStepIsWhereItBelongs) {
    const uint64_t one = UINT64_C(1) << 60;
    for (uint32_t scale : {127u, 255u}) {
        EXPECT_EQ(0u, pkin::quantise_up(0, scale));
        EXPECT_EQ(1u, pkin::quantise_up(1, scale));
        EXPECT_EQ(scale, pkin::quantise_up(one, scale));
        for (uint64_t q = 1; q < scale; q++) {
            const uint64_t top = top_of_step(q, scale);
            EXPECT_EQ(q, pkin::quantise_up(top - 1, scale));
            EXPECT_EQ(q, pkin::quantise_up(top, scale));
            EXPECT_EQ(q + 1, pkin::quantise_up(top + 1, scale));
        }
    }
}

TEST(QuantiseUp, IsItsDefinition) {
    std::mt19937_64 random(1);
    for (int k = 0; k < 20000; k++) {
        const uint64_t squares = (random() >> 4) >> random() % 60;
        for (uint32_t scale : {127u, 255u}) {
            ASSERT_EQ(quantise_by_definition(squares, scale), pkin::quantise_up(squares, scale)) << squares;
        }
    }
}

TEST(BucketSlot, IsAOneToOneMapInWhichFourNeighboursStayTogether) {
    std::set<uint32_t> slots;
    for (uint32_t b = 0; b < PKIN_I_DIMENSION_MAX; b++) {
        const uint32_t slot = pkin::bucket_slot(b);
        EXPECT_LT(slot, PKIN_I_DIMENSION_MAX);
        EXPECT_EQ(b / pkin::SKETCH_ROUND, slot / pkin::SKETCH_ROUND);
        EXPECT_EQ(pkin::bucket_slot(b / 4 * 4) + b % 4, slot);
        slots.insert(slot);
    }
    EXPECT_EQ((size_t)PKIN_I_DIMENSION_MAX, slots.size());
    /* At a time, the lanes read what lies side by side. */
    for (uint32_t lane = 1; lane < 32; lane++) {
        for (uint32_t w = 0; w < 4; w++) {
            EXPECT_EQ(pkin::bucket_slot(4 * w) + 4 * lane, pkin::bucket_slot(16 * lane + 4 * w));
        }
    }
}

TEST(SketchGrid, NeedsNoMoreSharedMemoryThanEveryLaunchMayHave) {
    for (uint32_t d = PKIN_I_DIMENSION_STEP; d <= PKIN_I_DIMENSION_MAX; d += PKIN_I_DIMENSION_STEP) {
        pkin_i_gpu_rows rows = {};
        rows.dimension = d;
        rows.n_rows = 1000;
        const pkin_i_gpu_grid grid = pkin::sketch_grid(rows);
        EXPECT_GE(grid.threads, 32u);
        EXPECT_LE(grid.shared_bytes, 48u << 10);
        EXPECT_GE(grid.shared_bytes, grid.threads / 32 * d * 8);
        EXPECT_GE((uint64_t)grid.blocks[0] * (grid.threads / 32), 1024u);
    }
}

/* ---- Rows ---- */

/* Rows in fixed point, with as many columns as are asked for. */
struct corpus {
    std::vector<uint64_t> offsets = {0};
    std::vector<uint32_t> columns, weights;
    uint32_t n_columns;

    explicit corpus(uint32_t in_n_columns) : n_columns(in_n_columns) {}
    uint32_t n_rows() const {
        return (uint32_t)offsets.size() - 1;
    }
    /* `first`, first + step, ... */
    void add(const std::vector<uint64_t> &row, uint32_t first, uint32_t step) {
        for (size_t k = 0; k < row.size(); k++) {
            columns.push_back(first + (uint32_t)k * step);
            weights.push_back((uint32_t)row[k]);
        }
        offsets.push_back(columns.size());
    }
    pkin_vectors view() {
        return {n_rows(), n_columns, offsets.data(), columns.data(), weights.data()};
    }
};

/* Weights whose squares add up to exactly `squares`: each time the largest that fits. */
std::vector<uint64_t> weights_of(uint64_t squares) {
    std::vector<uint64_t> out;
    while (squares) {
        uint64_t w = (uint64_t)std::sqrt((double)squares);
        while (w * w > squares) w--;
        while ((w + 1) * (w + 1) <= squares) w++;
        out.push_back(w);
        squares -= w * w;
    }
    return out;
}

std::vector<uint64_t> equal_weights(size_t n) {
    return std::vector<uint64_t>(n, (uint64_t)std::sqrt(std::ldexp(1.0, 60) / (double)n * 0.999999));
}

enum { N_COLUMNS = 40000, ONE_BUCKET = 20000 /* the columns from here on are all in the last bucket */ };

/* Nothing, single terms, steps' edges exactly hit, full buckets, long rows, and random ones. */
corpus adversarial_rows(uint64_t scale) {
    corpus out(N_COLUMNS);
    out.add({}, 0, 1);
    out.add({UINT64_C(1) << 30}, 7, 1);
    out.add({1}, N_COLUMNS - 1, 1);
    for (uint64_t q : {UINT64_C(1), UINT64_C(2), scale / 2, scale - 1}) {
        const uint64_t top = top_of_step(q, scale);
        const uint64_t w = (uint64_t)std::sqrt((double)top);
        out.add({w}, 100, 1);
        out.add({w + 1}, 100, 1);
        out.add(weights_of(top), ONE_BUCKET, 3);
        out.add(weights_of(top + 1), ONE_BUCKET, 1);
        if (top >> 32)
            out.add(weights_of((top >> 32 << 32) - 1), ONE_BUCKET, 1); /* a carry more would be a step more */
    }
    out.add(equal_weights(20000), ONE_BUCKET, 1);            /* one full bucket; carries from word to word */
    out.add(std::vector<uint64_t>(19999, 1), ONE_BUCKET, 1); /* none */
    out.add(equal_weights(40000), 0, 1);
    for (size_t n : {size_t(31), size_t(32), size_t(33), size_t(127), size_t(128), size_t(129), size_t(1000)}) {
        out.add(equal_weights(n), 5, 17);
    }
    std::mt19937_64 random(scale);
    while (out.n_rows() < 300) {
        std::vector<uint64_t> row = equal_weights(1 + random() % 150);
        for (uint64_t &w : row) w = 1 + random() % w;
        out.add(row, (uint32_t)(random() % 1000), 1 + (uint32_t)(random() % 200));
    }
    return out;
}

std::vector<uint16_t> buckets_of(uint32_t dimension) {
    std::mt19937_64 random(dimension);
    std::vector<uint16_t> out(N_COLUMNS);
    for (uint16_t &bucket : out) bucket = (uint16_t)(random() % dimension);
    std::fill(out.begin() + ONE_BUCKET, out.end(), (uint16_t)(dimension - 1));
    return out;
}

/* A row's q, on the host: sketch.c's, or for SEVEN by definition. */
std::vector<uint8_t> sketch_on_host(const pkin_vectors &vectors, std::vector<uint16_t> &buckets, uint32_t dimension,
                                    bool is_seven, uint32_t row) {
    std::vector<uint8_t> out(dimension);
    std::vector<uint64_t> squares(dimension);
    if (is_seven) {
        for (uint64_t k = vectors.row_offsets[row]; k < vectors.row_offsets[row + 1]; k++) {
            squares[buckets[vectors.columns[k]]] += (uint64_t)vectors.weights[k] * vectors.weights[k];
        }
        for (uint32_t b = 0; b < dimension; b++) out[b] = (uint8_t)quantise_by_definition(squares[b], 127);
        return out;
    }
    const pkin_i_sketch_map map = {dimension, buckets.data()};
    std::vector<uint16_t> at(dimension);
    std::vector<uint8_t> values(dimension);
    const uint32_t n = pkin_i_sketch_row(&map, &vectors, row, squares.data(), at.data(), values.data());
    for (uint32_t k = 0; k < n; k++) out[at[k]] = values[k];
    return out;
}

/* A shard's sketches and sums as the device has them. */
struct device_sketches {
    pkin_i_gpu_rows rows = {};
    device_array<uint8_t> sketches;
    device_array<int32_t> sums;

    device_sketches(uint32_t n_rows, uint32_t dimension, pkin_i_gpu_coding coding)
        : sketches((size_t)padded(n_rows) * dimension, 0x5a),
          sums(coding == PKIN_I_GPU_SHIFTED ? padded(n_rows) : 0, -1) {
        rows.n_rows = n_rows;
        rows.dimension = dimension;
        rows.coding = coding;
        rows.sketches = sketches.data();
        rows.sums = coding == PKIN_I_GPU_SHIFTED ? sums.data() : nullptr;
    }
};

void run_sketch(const pkin_vectors &vectors, const std::vector<uint16_t> &buckets, device_sketches &out,
                uint32_t n_blocks = 0) {
    out.rows.offsets = vectors.row_offsets;
    out.rows.columns = vectors.columns;
    out.rows.weights = vectors.weights;
    const pkin_i_gpu_grid grid = pkin::sketch_grid(out.rows);
    const pkin::sketch_task task = pkin::sketch_task_of(out.rows, buckets.data());
    simt::launch(dim3(n_blocks ? n_blocks : grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                 [&] { pkin::sketch_rows(task); });
}

class SketchRows : public testing::TestWithParam<std::tuple<pkin_i_gpu_coding, uint32_t>> {};

TEST_P(SketchRows, AreTheHosts) {
    const auto [coding, dimension] = GetParam();
    corpus all = adversarial_rows(coding == PKIN_I_GPU_SEVEN ? 127 : 255);
    const pkin_vectors vectors = all.view();
    std::vector<uint16_t> buckets = buckets_of(dimension);
    device_sketches out(all.n_rows(), dimension, coding);
    run_sketch(vectors, buckets, out);
    const int shift = coding == PKIN_I_GPU_SHIFTED ? 128 : 0;
    for (uint32_t row = 0; row < padded(all.n_rows()); row++) {
        std::vector<uint8_t> expected(dimension);
        if (row < all.n_rows()) {
            expected = sketch_on_host(vectors, buckets, dimension, coding == PKIN_I_GPU_SEVEN, row);
        }
        int32_t sum = 0;
        for (uint8_t &q : expected) {
            sum += q;
            q = (uint8_t)(q - shift);
        }
        const uint8_t *bytes = &out.sketches[(size_t)row * dimension];
        ASSERT_EQ(expected, std::vector<uint8_t>(bytes, bytes + dimension)) << "row " << row;
        if (coding == PKIN_I_GPU_SHIFTED) {
            ASSERT_EQ(sum, out.sums[row]) << "row " << row;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, SketchRows,
                         testing::Combine(testing::Values(PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED, PKIN_I_GPU_SEVEN),
                                          testing::Values(64u, 192u, 512u, 576u, 1024u, 4096u)));

TEST(SketchRowsGrid, AnyGridGivesTheSame) {
    corpus all = adversarial_rows(255);
    const std::vector<uint16_t> buckets = buckets_of(320);
    for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED}) {
        device_sketches first(all.n_rows(), 320, coding);
        run_sketch(all.view(), buckets, first);
        for (uint32_t n_blocks : {1u, 3u, 1000u}) {
            device_sketches other(all.n_rows(), 320, coding);
            run_sketch(all.view(), buckets, other, n_blocks);
            EXPECT_TRUE(std::equal(first.sketches.begin(), first.sketches.end(), other.sketches.begin())) << n_blocks;
            EXPECT_TRUE(std::equal(first.sums.begin(), first.sums.end(), other.sums.begin())) << n_blocks;
        }
    }
}

TEST(SketchRowsGrid, ARowMayHoldAWholeVocabulary) {
    corpus all(200000);
    all.add(equal_weights(200000), 0, 1);
    all.add({12345}, 199999, 1);
    std::vector<uint16_t> buckets(200000);
    for (size_t c = 0; c < buckets.size(); c++) buckets[c] = (uint16_t)(c % 7);
    device_sketches out(2, 128, PKIN_I_GPU_PLAIN);
    run_sketch(all.view(), buckets, out);
    for (uint32_t row = 0; row < 2; row++) {
        const std::vector<uint8_t> expected = sketch_on_host(all.view(), buckets, 128, false, row);
        EXPECT_EQ(expected, std::vector<uint8_t>(&out.sketches[row * 128], &out.sketches[row * 128] + 128));
    }
}

TEST(SketchRowsGrid, AShardOfWholeStepsHasNoZeroRows) {
    corpus all(N_COLUMNS);
    for (int row = 0; row < 256; row++) all.add({UINT64_C(1) << 29}, 3, 1);
    const std::vector<uint16_t> buckets = buckets_of(64);
    device_sketches out(256, 64, PKIN_I_GPU_PLAIN);
    run_sketch(all.view(), buckets, out);
    for (uint32_t row = 0; row < 256; row++) ASSERT_EQ(128, out.sketches[row * 64 + buckets[3]]);
}

TEST(SampleRows, AreEveryStrideThRow) {
    for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED}) {
        const uint32_t n_rows = 700, dimension = 192;
        device_sketches from(n_rows, dimension, coding);
        std::mt19937_64 random(3);
        for (uint8_t &byte : from.sketches) byte = (uint8_t)random();
        for (int32_t &sum : from.sums) sum = (int32_t)(random() % 100000);
        for (uint32_t stride : {1u, 2u, 3u, 255u, 699u, 700u, 100000u}) {
            const uint32_t n_sample = (n_rows + stride - 1) / stride;
            device_sketches sample(n_sample, dimension, coding);
            const pkin::sample_task task = pkin::sample_task_of(from.rows, stride, sample.rows);
            const pkin_i_gpu_grid grid = pkin::sample_grid(sample.rows);
            simt::launch(dim3(stride == 3 ? 2 : grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                         [&] { pkin::sample_rows(task); });
            const uint8_t zero = coding == PKIN_I_GPU_SHIFTED ? 0x80 : 0;
            for (uint32_t s = 0; s < padded(n_sample); s++) {
                const bool is_there = s < n_sample;
                for (uint32_t b = 0; b < dimension; b++) {
                    ASSERT_EQ(is_there ? from.sketches[(size_t)s * stride * dimension + b] : zero,
                              sample.sketches[(size_t)s * dimension + b]);
                }
                if (coding == PKIN_I_GPU_SHIFTED) {
                    ASSERT_EQ(is_there ? from.sums[(size_t)s * stride] : 0, sample.sums[s]);
                }
            }
        }
    }
}

} // namespace
