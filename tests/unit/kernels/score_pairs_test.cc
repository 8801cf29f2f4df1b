/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/score_pairs.cuh"
#include "score_oracle.h"

using namespace pkin_test;

namespace {

/* Rows of very different lengths, of which some are alike, some disjoint, some at the ends of runs of 32. */
std::vector<fixed_row> odd_rows(uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<fixed_row> rows;
    for (uint32_t n : {1u, 1u, 2u, 31u, 32u, 33u, 63u, 64u, 65u, 96u, 100u, 260u, 1000u, 3000u}) {
        rows.push_back(random_row(random, n, 4000));
    }
    rows.push_back(rows[10]);
    rows.push_back({{0, 1u << 30}});
    rows.push_back({{UINT32_MAX, 1u << 30}}); /* the column that also fills runs */
    rows.push_back({{3, 5}, {UINT32_MAX, 77}});
    rows.push_back({});
    fixed_row exact, shifted; /* full runs: of even columns, of odd ones */
    for (uint32_t c = 0; c < 64; c++) {
        exact[2 * c] = 1u << 26;
        shifted[2 * c + 1] = 1u << 26;
    }
    rows.push_back(exact);
    rows.push_back(shifted);
    exact[UINT32_MAX] = 9;
    rows.push_back(exact);
    return rows;
}

std::vector<pkin_i_gpu_candidate> all_pairs(const device_rows &a, const device_rows &b, bool within) {
    std::vector<pkin_i_gpu_candidate> out;
    for (uint64_t i = a.first; i < a.first + a.rows.size(); i++) {
        for (uint64_t j = b.first; j < b.first + b.rows.size(); j++) {
            if (!within || i < j) out.push_back({uint32_t(i), uint32_t(j)});
        }
    }
    return out;
}

using scored_pair = std::tuple<uint64_t, uint32_t, uint32_t>;

struct join_run {
    device_array<pkin_pair> pairs;
    device_array<uint64_t> n_pairs;

    join_run(const device_rows &a, const device_rows &b, const std::vector<pkin_i_gpu_candidate> &candidates,
             uint64_t min_score, unsigned n_blocks = 0)
        : pairs(candidates.size(), pkin_pair{7, 7, 7}), n_pairs(1, 0) {
        const pkin_i_gpu_rows rows = a.view(), columns = b.view();
        pkin_i_gpu_score_work work = {};
        work.rows = &rows, work.columns = &columns;
        work.candidates = candidates.data(), work.n_candidates = candidates.size();
        work.min_score = min_score;
        work.pairs = pairs.data(), work.n_pairs = n_pairs.data();
        const pkin_i_gpu_grid grid = pkin::score_grid(work);
        const pkin::score_arguments arguments = pkin::score_arguments_of(work);
        simt::launch(dim3(n_blocks ? n_blocks : grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                     [&] { pkin::score_join_kernel(arguments); });
    }
    std::vector<scored_pair> sorted() const {
        std::vector<scored_pair> out;
        for (uint64_t p = 0; p < n_pairs[0]; p++) out.emplace_back(pairs[p].score, pairs[p].i, pairs[p].j);
        std::sort(out.begin(), out.end());
        return out;
    }
};

std::vector<scored_pair> expected_pairs(const device_rows &a, const device_rows &b,
                                        const std::vector<pkin_i_gpu_candidate> &candidates, uint64_t min_score) {
    std::vector<scored_pair> out;
    for (const pkin_i_gpu_candidate &c : candidates) {
        const uint64_t score = score_of(a.of_side(c.i), b.of_side(c.j));
        if (score >= min_score) out.emplace_back(score, c.i, c.j);
    }
    std::sort(out.begin(), out.end());
    return out;
}

TEST(ScorePairs, AreTheSumsOfProducts) {
    const device_rows a(odd_rows(1), 0), b(odd_rows(2), 1000);
    std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, b, false);
    for (uint64_t min_score : {UINT64_C(1), UINT64_C(1) << 50, UINT64_C(1) << 58}) {
        const join_run run(a, b, candidates, min_score);
        ASSERT_EQ(expected_pairs(a, b, candidates, min_score), run.sorted()) << min_score;
        const uint64_t n = run.n_pairs[0];
        EXPECT_TRUE(n == candidates.size() || run.pairs[n].i == 7u) << "written behind the last";
    }
    /* From the other side. */
    candidates = all_pairs(b, a, false);
    EXPECT_EQ(expected_pairs(b, a, candidates, 1), join_run(b, a, candidates, 1).sorted());
}

TEST(ScorePairs, BatchesAreOfAnyLengthAndOrder) {
    const device_rows a(odd_rows(3), 70);
    std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, a, true);
    std::mt19937_64 random(4);
    std::shuffle(candidates.begin(), candidates.end(), random);
    ASSERT_GT(candidates.size(), 200u);
    for (size_t n : {1u, 31u, 32u, 33u, 200u}) {
        const std::vector<pkin_i_gpu_candidate> some(candidates.begin(), candidates.begin() + long(n));
        EXPECT_EQ(expected_pairs(a, a, some, 1), join_run(a, a, some, 1, 1).sorted()) << n;
    }
}

TEST(ScorePairs, TheThresholdIsExact) {
    const device_rows a(odd_rows(5), 0);
    const std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, a, true);
    const std::vector<scored_pair> all = expected_pairs(a, a, candidates, 1);
    const uint64_t middle = std::get<0>(all[all.size() / 2]);
    for (uint64_t min_score : {middle - 1, middle, middle + 1}) {
        EXPECT_EQ(expected_pairs(a, a, candidates, min_score), join_run(a, a, candidates, min_score).sorted());
    }
}

TEST(ScorePairs, ALongRowMeetsLongAndShortOnes) {
    std::mt19937_64 random(6);
    fixed_row all;
    for (uint32_t c = 0; c < 20000; c++) all[c * 3] = 1 + uint32_t(random() % 1000);
    const device_rows a({all, random_row(random, 9000, 60000)}, 0);
    const device_rows b(
        {all, {{59997, 1000000}}, {{0, 1000}}, {{1, 1000}, {59998, 3}}, random_row(random, 9000, 60000)}, 0);
    const std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, b, false);
    EXPECT_EQ(expected_pairs(a, b, candidates, 1), join_run(a, b, candidates, 1).sorted());
}

/* Rows at the bound: sums of squares of 2^60. */
TEST(ScorePairs, NothingOverflows) {
    const device_rows a({{{5, 1u << 30}}, {{5, 1u << 29}, {6, 1u << 29}, {7, 1u << 29}, {8, 1u << 29}}}, 0);
    const std::vector<pkin_i_gpu_candidate> candidates = {{0, 0}, {1, 1}, {0, 1}};
    const std::vector<scored_pair> got = join_run(a, a, candidates, 1).sorted();
    EXPECT_EQ(
        (std::vector<scored_pair>{{UINT64_C(1) << 59, 0, 1}, {UINT64_C(1) << 60, 0, 0}, {UINT64_C(1) << 60, 1, 1}}),
        got);
}

void offer(const device_rows &a, const device_rows &b, const std::vector<pkin_i_gpu_candidate> &candidates,
           const device_heaps &heaps, bool both) {
    const pkin_i_gpu_rows rows = a.view(), columns = b.view();
    pkin_i_gpu_score_work work = {};
    work.rows = &rows, work.columns = &columns;
    work.candidates = candidates.data(), work.n_candidates = candidates.size();
    work.heaps = &heaps.view;
    work.both = both;
    const pkin_i_gpu_grid grid = pkin::score_grid(work);
    const pkin::score_arguments arguments = pkin::score_arguments_of(work);
    simt::launch(dim3(grid.blocks[0]), dim3(grid.threads), grid.shared_bytes,
                 [&] { pkin::score_offer_kernel(arguments); });
}

void begin(const device_heaps &heaps, uint64_t min_score) {
    simt::launch(dim3(1), dim3(pkin::HEAPS_BLOCK), 0, [&] { pkin::heaps_begin_kernel(heaps.view, min_score); });
}

TEST(ScorePairs, AreOfferedToBothRows) {
    const device_rows a(odd_rows(7), 0);
    std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, a, true);
    candidates.insert(candidates.end(), candidates.begin(), candidates.begin() + 50); /* again */
    for (uint32_t k : {1u, 4u, 40u}) {
        const device_heaps heaps(a.rows.size(), k);
        heap_oracle oracle(a.rows.size(), 1);
        for (const pkin_i_gpu_candidate &c : candidates) {
            const uint64_t score = score_of(a.of_side(c.i), a.of_side(c.j));
            oracle.offer(c.i, c.j, score);
            oracle.offer(c.j, c.i, score);
        }
        begin(heaps, 1);
        offer(a, a, candidates, heaps, true);
        ASSERT_EQ("", oracle.compare(heaps)) << "k " << k;
    }
}

TEST(ScorePairs, AreOfferedToTheRowAloneBetweenTwoSides) {
    const device_rows a(odd_rows(8), 4), b(odd_rows(9), 100);
    const std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, b, false);
    const device_heaps heaps(4 + a.rows.size(), 3);
    heap_oracle oracle(4 + a.rows.size(), 1000);
    for (const pkin_i_gpu_candidate &c : candidates) oracle.offer(c.i, c.j, score_of(a.of_side(c.i), b.of_side(c.j)));
    begin(heaps, 1000);
    offer(a, b, candidates, heaps, false);
    EXPECT_EQ("", oracle.compare(heaps));
}

/* Identical rows: all scores are equal, and lower rows win. */
TEST(ScorePairs, TiesGoToTheLowerRow) {
    std::mt19937_64 random(10);
    const device_rows a(std::vector<fixed_row>(60, random_row(random, 40, 100)), 0);
    std::vector<pkin_i_gpu_candidate> candidates = all_pairs(a, a, true);
    std::shuffle(candidates.begin(), candidates.end(), random);
    const device_heaps heaps(60, 5);
    begin(heaps, 1);
    offer(a, a, candidates, heaps, true);
    for (uint32_t row = 0; row < 60; row++) {
        std::set<uint32_t> got(&heaps.neighbors[row * 5], &heaps.neighbors[row * 5] + 5), expected;
        for (uint32_t j = 0; expected.size() < 5; j++) {
            if (j != row) expected.insert(j);
        }
        EXPECT_EQ(expected, got) << row;
    }
}

} // namespace
