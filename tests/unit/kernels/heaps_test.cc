/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/heaps.cuh"
#include "score_oracle.h"

using namespace pkin_test;

namespace {

struct offer {
    uint32_t row, neighbor;
    uint64_t score;
};

/* Offers are taken by whole warps, 32 at a time; the lanes behind the last have none. */
void offer_kernel(pkin_i_gpu_heaps heaps, const offer *offers, uint64_t n) {
    const uint64_t step = uint64_t(gridDim.x) * blockDim.x;
    const uint64_t own = uint64_t(blockIdx.x) * blockDim.x + threadIdx.x;
    for (uint64_t first = own / 32 * 32; first < n; first += step) {
        const uint64_t at = first + threadIdx.x % 32;
        const offer mine = offers[at < n ? at : 0];
        pkin::heap_offer(heaps, at < n, mine.row, mine.neighbor, mine.score);
    }
}

void begin(const device_heaps &heaps, uint64_t min_score) {
    const pkin_i_gpu_grid grid = pkin::heaps_begin_grid(heaps.view);
    simt::launch(dim3(grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                 [&] { pkin::heaps_begin_kernel(heaps.view, min_score); });
}

void offer_all(const device_heaps &heaps, const std::vector<offer> &offers, unsigned blocks = 2) {
    simt::launch(dim3(blocks), dim3(128), 0, [&] { offer_kernel(heaps.view, offers.data(), offers.size()); });
}

/* Every neighbour has one score for a row; few distinct scores make ties, `times` repeats. */
std::vector<offer> random_offers(uint32_t n_rows, uint32_t n_neighbors, uint32_t n_scores, int times, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<offer> offers;
    for (uint32_t row = 0; row < n_rows; row++) {
        for (uint32_t neighbor = 0; neighbor < n_neighbors; neighbor++) {
            const uint64_t score = (1 + random() % n_scores) * ((UINT64_C(1) << 60) / n_scores);
            for (int t = 0; t < times; t++) offers.push_back({row, neighbor * 7, score});
        }
    }
    std::shuffle(offers.begin(), offers.end(), random);
    return offers;
}

TEST(Heaps, LimitsAreTheHosts) {
    std::mt19937_64 random(1);
    std::vector<uint64_t> scores = {1, 2, UINT64_C(1) << 60, (UINT64_C(1) << 60) + (UINT64_C(1) << 53)};
    for (int n = 0; n < 2000; n++) scores.push_back(1 + random() % (UINT64_C(1) << (1 + n % 60)));
    for (uint64_t limit = 1; limit <= 65025; limit += 131) {
        const uint64_t edge = uint64_t((static_cast<unsigned __int128>(limit) << 60) / 65025);
        for (uint64_t score = edge - 1; score <= edge + 1; score++) scores.push_back(score);
    }
    for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED, PKIN_I_GPU_SEVEN}) {
        for (uint64_t score : scores) {
            ASSERT_EQ(pkin_i_gpu_limit(coding, score), pkin::limit_of_score(coding, score)) << score;
        }
    }
}

TEST(Heaps, BeginEmpty) {
    const device_heaps heaps(700, 3, PKIN_I_GPU_SEVEN);
    begin(heaps, 12345678901234567);
    EXPECT_EQ("", heap_oracle(700, 12345678901234567).compare(heaps));
}

TEST(Heaps, HoldTheBestInAnyOrder) {
    for (uint32_t k : {1u, 2u, 5u, 31u, 32u, 33u, 90u}) {
        for (uint32_t n_scores : {1u, 3u, 1000000u}) {
            for (uint64_t seed = 0; seed < 3; seed++) {
                simt::set_seed(seed);
                const device_heaps heaps(4, k);
                heap_oracle oracle(4, 1);
                const std::vector<offer> offers = random_offers(4, 60, n_scores, 2, seed);
                for (const offer &o : offers) oracle.offer(o.row, o.neighbor, o.score);
                begin(heaps, 1);
                offer_all(heaps, offers);
                ASSERT_EQ("", oracle.compare(heaps)) << "k " << k << ", " << n_scores << " scores, seed " << seed;
            }
        }
    }
}

/* All warps of a block want the same row at once. */
TEST(Heaps, BearContention) {
    for (uint64_t seed = 0; seed < 5; seed++) {
        simt::set_seed(100 + seed);
        const device_heaps heaps(2, 10);
        heap_oracle oracle(2, 1);
        std::vector<offer> offers = random_offers(2, 500, 50, 1, seed);
        std::sort(offers.begin(), offers.end(), [](const offer &x, const offer &y) {
            return x.row != y.row ? x.row < y.row : x.score < y.score; /* each one enters */
        });
        for (const offer &o : offers) oracle.offer(o.row, o.neighbor, o.score);
        begin(heaps, 1);
        offer_all(heaps, offers, 1);
        ASSERT_EQ("", oracle.compare(heaps)) << seed;
    }
}

TEST(Heaps, KeepWhatIsBelowTheFloorOut) {
    const uint64_t floor = UINT64_C(1) << 59;
    const device_heaps heaps(3, 40);
    heap_oracle oracle(3, floor);
    const std::vector<offer> offers = random_offers(3, 50, 8, 1, 5); /* some are the floor itself */
    for (const offer &o : offers) oracle.offer(o.row, o.neighbor, o.score);
    begin(heaps, floor);
    offer_all(heaps, offers);
    EXPECT_EQ("", oracle.compare(heaps));
}

TEST(Heaps, ThresholdsOnlyRise) {
    const device_heaps heaps(5, 6);
    const std::vector<offer> offers = random_offers(5, 80, 30, 2, 6);
    heap_oracle oracle(5, 1);
    begin(heaps, 1);
    std::vector<uint64_t> before(5, 0);
    for (size_t at = 0; at < offers.size(); at += 40) {
        const std::vector<offer> some(offers.begin() + long(at),
                                      offers.begin() + long(std::min(at + 40, offers.size())));
        for (const offer &o : some) oracle.offer(o.row, o.neighbor, o.score);
        offer_all(heaps, some);
        ASSERT_EQ("", oracle.compare(heaps)) << at;
        for (uint32_t row = 0; row < 5; row++) {
            ASSERT_GE(heaps.thresholds[row], before[row]);
            before[row] = heaps.thresholds[row];
        }
    }
}

TEST(Heaps, FinishedRowsTakeNothing) {
    const device_heaps heaps(600, 4);
    const std::vector<offer> offers = random_offers(600, 3, 9, 1, 7), more = random_offers(600, 9, 9, 1, 8);
    begin(heaps, 1);
    offer_all(heaps, offers);
    std::vector<uint32_t> listed;
    for (uint32_t row = 0; row < 600; row += 2) listed.push_back(row);
    const std::vector<uint64_t> scores(heaps.scores.begin(), heaps.scores.end());
    const pkin_i_gpu_grid grid = pkin::heaps_finish_grid(uint32_t(listed.size()));
    simt::launch(dim3(grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                 [&] { pkin::heaps_finish_kernel(heaps.view, listed.data(), uint32_t(listed.size())); });
    offer_all(heaps, more);
    for (uint32_t row = 0; row < 600; row++) {
        const bool is_finished = row % 2 == 0;
        EXPECT_EQ(is_finished, heaps.thresholds[row] == UINT64_MAX);
        EXPECT_EQ(is_finished, heaps.limits[row] == INT32_MAX);
        EXPECT_EQ(is_finished ? 3u : 4u, heaps.counts[row]);
        EXPECT_EQ(is_finished,
                  std::equal(scores.begin() + row * 4, scores.begin() + row * 4 + 4, &heaps.scores[row * 4]));
    }
}

} // namespace
