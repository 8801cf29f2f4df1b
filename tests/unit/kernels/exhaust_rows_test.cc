/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/exhaust_rows.cuh"
#include "score_oracle.h"

using namespace pkin_test;

namespace {

enum { N_COLUMNS = 300 };

std::vector<fixed_row> random_rows(uint32_t n, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<fixed_row> rows;
    for (uint32_t r = 0; r < n; r++) {
        rows.push_back(r % 7 == 6 ? fixed_row{{uint32_t(random() % N_COLUMNS), 1u << 30}}
                                  : random_row(random, uint32_t(random() % 90), N_COLUMNS));
    }
    return rows;
}

/* The three launches, as a device does them; the table is looked at behind them. */
void exhaust(const device_rows &a, const device_rows &b, const std::vector<uint32_t> &listed, bool within,
             const device_heaps &heaps, unsigned n_blocks) {
    const pkin_i_gpu_rows rows = a.view(), columns = b.view();
    const device_array<uint32_t> table(N_COLUMNS * PKIN_I_GPU_EXHAUST_MOST, 0);
    pkin_i_gpu_exhaust_work work = {};
    work.rows = &rows, work.columns = &columns;
    work.listed = listed.data(), work.n_listed = uint32_t(listed.size());
    work.within = within;
    work.n_columns = N_COLUMNS;
    work.workspace = table.data();
    work.heaps = &heaps.view;
    const pkin::exhaust_arguments arguments = pkin::exhaust_arguments_of(work);
    const pkin_i_gpu_grid few = pkin::exhaust_table_grid(work), all = pkin::exhaust_grid(work);
    simt::launch(dim3(few.blocks[0]), dim3(few.threads), 0, [&] { pkin::exhaust_table_kernel(arguments, 0); });
    simt::launch(dim3(n_blocks ? n_blocks : all.blocks[0]), dim3(all.threads), 0,
                 [&] { pkin::exhaust_offer_kernel(arguments); });
    simt::launch(dim3(few.blocks[0]), dim3(few.threads), 0, [&] { pkin::exhaust_table_kernel(arguments, 1); });
    EXPECT_EQ(0, std::count_if(table.begin(), table.end(), [](uint32_t weight) { return weight != 0; }));
}

void expect_all_met(const device_rows &a, const device_rows &b, const std::vector<uint32_t> &listed, bool within,
                    uint32_t k, uint64_t min_score, unsigned n_blocks = 0) {
    const uint64_t n_rows = a.first + a.rows.size();
    const device_heaps heaps(n_rows, k, PKIN_I_GPU_SHIFTED);
    heap_oracle oracle(n_rows, min_score);
    for (uint32_t row : listed) {
        const uint64_t i = a.first + row;
        for (uint64_t j = b.first; j < b.first + b.rows.size(); j++) {
            if (within && i == j) continue;
            oracle.offer(i, uint32_t(j), score_of(a.of_side(i), b.of_side(j)));
        }
    }
    simt::launch(dim3(2), dim3(pkin::HEAPS_BLOCK), 0, [&] { pkin::heaps_begin_kernel(heaps.view, min_score); });
    exhaust(a, b, listed, within, heaps, n_blocks);
    EXPECT_EQ("", oracle.compare(heaps)) << listed.size() << " rows, k " << k;
}

TEST(ExhaustRows, MeetEverybody) {
    const device_rows a(random_rows(40, 1), 17), b(random_rows(333, 2), 1000);
    for (const std::vector<uint32_t> &listed :
         {std::vector<uint32_t>{0}, {3, 6, 39}, {1, 2, 3, 4, 5, 6, 7}, {0, 5, 6, 12, 13, 20, 21, 39}}) {
        for (uint32_t k : {1u, 10u, 400u}) expect_all_met(a, b, listed, false, k, 1);
    }
}

TEST(ExhaustRows, MeetAllButThemselvesWithinASide) {
    const device_rows a(random_rows(300, 3), 256);
    expect_all_met(a, a, {0, 1, 31, 32, 33, 255, 298, 299}, true, 20, UINT64_C(1) << 55);
    const device_rows other(random_rows(70, 4), 0); /* another shard of the side */
    expect_all_met(a, other, {0, 100}, true, 100, 1);
}

TEST(ExhaustRows, SizesAroundWarps) {
    const device_rows a(random_rows(5, 5), 0);
    for (uint32_t n : {1u, 31u, 32u, 33u, 256u, 257u}) {
        expect_all_met(a, device_rows(random_rows(n, 6 + n), 0), {1, 4}, false, 3, 1);
    }
}

TEST(ExhaustRows, BlocksTakeMoreThanTheirShare) {
    const device_rows a(random_rows(8, 7), 0), b(random_rows(700, 8), 0);
    expect_all_met(a, b, {0, 1, 2, 3, 4, 5, 7}, false, 12, 1, 1);
}

} // namespace
