/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "filter_oracle.h"
#include "kernels/seed_rows.cuh"

using namespace pkin_test;

namespace {

struct seed_case {
    uint32_t n_rows, n_others; /* rows of the shard, of the other one */
    uint64_t row_first, other_first, stride;
    uint32_t dimension, row_begin, row_end, group;
    bool within;
};

const seed_case cases[] = {
    {1, 1, 0, 0, 1, 64, 0, 1, 32, false},
    {130, 300, 0, 0, 1, 64, 0, 130, 32, false},
    {130, 1000, 5, 900, 3, 64, 0, 130, 64, false},
    {300, 300, 256, 256, 1, 128, 0, 300, 96, true},  /* all of itself */
    {300, 300, 256, 256, 7, 64, 100, 290, 32, true}, /* some of itself, odd rows */
    {140, 600, 1000, 0, 2, 64, 129, 131, 256, true}, /* another shard of the side */
    {140, 600, 0, 1000, 2, 64, 3, 140, 160, true},   /* behind it */
    {200, 700, 100, 0, 3, 192, 0, 200, 320, true},   /* one that holds it */
};

/* Sketches of both sides; rows of the same numbers are the same where they are of one side. */
struct seed_fixture {
    seed_case c;
    uint32_t n_sample;
    device_array<uint8_t> rows, sample;

    seed_fixture(const seed_case &in, bool is_shifted)
        : c(in), n_sample(uint32_t((in.n_others + in.stride - 1) / in.stride)),
          rows(random_sketches(in.n_rows, in.dimension, 60, 1)), sample(size_t(padded(n_sample)) * in.dimension) {
        const device_array<uint8_t> others = random_sketches(c.n_others, c.dimension, 60, 2);
        for (uint32_t s = 0; s < n_sample; s++) {
            std::copy_n(&others[s * c.stride * c.dimension], c.dimension, &sample[size_t(s) * c.dimension]);
        }
        if (is_shifted) flip();
    }
    void flip() {
        for (uint8_t &byte : rows) byte ^= 0x80;
        for (uint8_t &byte : sample) byte ^= 0x80;
    }
    int32_t product(uint32_t row, uint32_t s, bool is_shifted) const {
        const int32_t flip = is_shifted ? 0x80 : 0;
        int32_t sum = 0;
        for (uint32_t b = 0; b < c.dimension; b++) {
            sum += (rows[size_t(row) * c.dimension + b] ^ flip) * (sample[size_t(s) * c.dimension + b] ^ flip);
        }
        return sum;
    }
    bool is_wanted(uint32_t row, uint32_t s) const {
        return !c.within || c.row_first + row != c.other_first + s * c.stride;
    }
    uint64_t n_groups() const {
        return (n_sample + c.group - 1) / c.group;
    }
};

pkin_i_gpu_seed_work work_of(const seed_fixture &fixture, pkin_i_gpu_rows *rows, pkin_i_gpu_rows *sample,
                             pkin_i_gpu_coding coding) {
    const seed_case &c = fixture.c;
    *rows = {}, *sample = {};
    rows->first = c.row_first, rows->n_rows = c.n_rows, rows->dimension = c.dimension, rows->coding = coding;
    rows->sketches = fixture.rows.data();
    sample->first = c.other_first, sample->n_rows = fixture.n_sample, sample->dimension = c.dimension;
    sample->coding = coding;
    sample->sketches = fixture.sample.data();
    pkin_i_gpu_seed_work work = {};
    work.rows = rows, work.sample = sample;
    work.stride = c.stride;
    work.row_begin = c.row_begin, work.row_end = c.row_end;
    work.group = c.group;
    work.within = c.within;
    return work;
}

TEST(SeedRows, AreTheBestOfTheirGroups) {
    for (const seed_case &c : cases) {
        for (bool is_shifted : {false, true}) {
            const seed_fixture fixture(c, is_shifted);
            found_pairs expected;
            for (uint32_t row = c.row_begin; row < c.row_end; row++) {
                for (uint32_t begin = 0; begin < fixture.n_sample; begin += c.group) {
                    int32_t best = 0;
                    uint32_t best_s = 0;
                    for (uint32_t s = begin; s < std::min(fixture.n_sample, begin + c.group); s++) {
                        if (!fixture.is_wanted(row, s) || fixture.product(row, s, is_shifted) <= best) continue;
                        best = fixture.product(row, s, is_shifted);
                        best_s = s;
                    }
                    if (best > 0)
                        expected.emplace_back(uint32_t(c.row_first + row), uint32_t(c.other_first + best_s * c.stride));
                }
            }
            std::sort(expected.begin(), expected.end());
            const filter_output output((c.row_end - c.row_begin) * fixture.n_groups() + 3, 3);
            pkin_i_gpu_rows rows, sample;
            pkin_i_gpu_seed_work work =
                work_of(fixture, &rows, &sample, is_shifted ? PKIN_I_GPU_SHIFTED : PKIN_I_GPU_PLAIN);
            work.found = output.found.data();
            work.n_found = output.n_found.data();
            const pkin_i_gpu_grid grid = pkin::seed_grid(work);
            const pkin::seed_arguments arguments = pkin::seed_arguments_of(work);
            simt::launch(dim3(grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                         [&] { pkin::seed_best_kernel(arguments); });
            ASSERT_EQ(expected, output.pairs()) << c.n_rows << " x " << c.n_others << ", group " << c.group;
            EXPECT_EQ(0xdeadbeefu, output.found[0].i);
        }
    }
}

TEST(SeedRows, PartnersAreCounted) {
    for (const seed_case &c : cases) {
        for (bool is_shifted : {false, true}) {
            const seed_fixture fixture(c, is_shifted);
            const side_limits limits(c.row_first, c.n_rows, 4000, 5);
            const device_array<uint32_t> counts(c.row_end - c.row_begin, 0xA5A5A5A5);
            pkin_i_gpu_rows rows, sample;
            pkin_i_gpu_seed_work work =
                work_of(fixture, &rows, &sample, is_shifted ? PKIN_I_GPU_SHIFTED : PKIN_I_GPU_PLAIN);
            work.counts = counts.data();
            work.row_limits = limits.by_row_of_side();
            const pkin_i_gpu_grid grid = pkin::seed_grid(work);
            const pkin::seed_arguments arguments = pkin::seed_arguments_of(work);
            simt::launch(dim3(grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                         [&] { pkin::seed_count_kernel(arguments); });
            for (uint32_t row = c.row_begin; row < c.row_end; row++) {
                uint32_t expected = 0;
                for (uint32_t s = 0; s < fixture.n_sample; s++) {
                    expected += fixture.is_wanted(row, s) && fixture.product(row, s, is_shifted) >= limits.values[row];
                }
                ASSERT_EQ(expected, counts[row - c.row_begin]) << "row " << row << " of " << c.n_rows;
            }
        }
    }
}

} // namespace
