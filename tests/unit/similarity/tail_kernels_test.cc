/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <random>
#include <vector>

extern "C" {
#include "similarity/cpu_tail_kernels.h"
}

namespace {

constexpr size_t N = 256;

using Places = std::vector<std::pair<uint32_t, uint32_t>>; /* with the sums of the tail */

Places places_of(const std::vector<pkin_i_tail_found> &found, size_t n) {
    Places places;
    for (size_t f = 0; f < n; f++) places.push_back({found[f].place, found[f].tail});
    return places;
}

/* Norms, sums and limits such that about a third of the rows is just below its limit, at it, just above. */
struct Case {
    std::vector<uint32_t> sums, limits;
    std::vector<int16_t> norms, x;
    uint32_t limit;

    Case(unsigned seed, int n_buckets) {
        std::mt19937 random(seed);
        const int most = seed % 2 ? 16384 : 300;
        for (int b = 0; b < n_buckets; b++) x.push_back(static_cast<int16_t>(random() % (most / n_buckets + 1)));
        for (size_t k = 0; k < N * static_cast<size_t>(n_buckets); k++) {
            norms.push_back(static_cast<int16_t>(random() % (most + 1)));
        }
        limit = seed % 3 ? uint32_t(PKIN_I_TAIL_NEVER) : uint32_t(random() >> 4);
        for (size_t r = 0; r < N; r++) {
            sums.push_back(random() >> (3 + random() % 20));
            uint32_t off = random() % 3;
            limits.push_back(sums[r] + bound(r) + off - 1);
            if (off == 0 && limits[r] == UINT32_MAX) limits[r] = 0;
            if (random() % 4 == 0) limits[r] = PKIN_I_TAIL_NEVER;
        }
    }

    uint32_t bound(size_t r) const {
        uint32_t sum = 0;
        for (size_t b = 0; b < x.size(); b++) sum += static_cast<uint32_t>(x[b] * norms[r * x.size() + b]);
        return sum;
    }

    Places expected(bool with_limits, size_t n) const {
        Places places;
        for (size_t r = 0; r < n; r++) {
            const uint32_t least = with_limits ? std::min(limit, limits[r]) : limit;
            if (sums[r] + bound(r) >= least) places.push_back({static_cast<uint32_t>(r), sums[r]});
        }
        return places;
    }
};

TEST(TailKernels, ScanFindsEveryPlaceAtItsLimitAndClears) {
    for (size_t index = 0; pkin_i_tail_kernels_at(index); index++) {
        const pkin_i_tail_kernels *kernels = pkin_i_tail_kernels_at(index);
        SCOPED_TRACE(kernels->instruction_set);
        for (unsigned seed = 0; seed < 60; seed++) {
            const Case given(seed, PKIN_I_COARSE_BUCKETS);
            for (size_t n : {size_t(0), size_t(32), N}) {
                for (bool with_limits : {false, true}) {
                    std::vector<uint32_t> sums = given.sums;
                    std::vector<pkin_i_tail_found> found(N + 1);
                    size_t n_found = kernels->scan(sums.data(), given.norms.data(), given.x.data(), n, given.limit,
                                                   with_limits ? given.limits.data() : nullptr, found.data());
                    ASSERT_EQ(places_of(found, n_found), given.expected(with_limits, n)) << "seed " << seed;
                    for (size_t r = 0; r < N; r++) ASSERT_EQ(sums[r], r < n ? 0 : given.sums[r]);
                }
            }
        }
    }
}

TEST(TailKernels, RefineLeavesThoseThatStillReachTheirLimit) {
    for (size_t index = 0; pkin_i_tail_kernels_at(index); index++) {
        const pkin_i_tail_kernels *kernels = pkin_i_tail_kernels_at(index);
        SCOPED_TRACE(kernels->instruction_set);
        for (unsigned seed = 0; seed < 60; seed++) {
            const Case given(seed, PKIN_I_FINE_BUCKETS);
            for (bool with_limits : {false, true}) {
                std::vector<pkin_i_tail_found> found;
                for (uint32_t r = 0; r < N; r++) found.push_back({r, given.sums[r]});
                size_t n_left = kernels->refine(given.norms.data(), given.x.data(), given.limit,
                                                with_limits ? given.limits.data() : nullptr, found.data(), N);
                ASSERT_EQ(places_of(found, n_left), given.expected(with_limits, N)) << "seed " << seed;
            }
        }
    }
}

TEST(TailKernels, ReachingFindsEveryPlaceAtItsLimit) {
    std::mt19937_64 random(11);
    for (int round = 0; round < 200; round++) {
        std::vector<uint64_t> scores(N), limits(N);
        std::vector<uint32_t> expected;
        const uint64_t limit = round % 3 == 0 ? UINT64_C(1) << 61 : random() >> 4;
        for (size_t r = 0; r < N; r++) {
            scores[r] = random() >> (4 + random() % 20);
            limits[r] = scores[r] - 1 + random() % 3; /* just below, at, just above */
            if (scores[r] == 0) limits[r] = 0;
            if (round % 2) limits[r] += UINT64_C(1) << 61;
            if (scores[r] >= limit || scores[r] >= limits[r]) expected.push_back(static_cast<uint32_t>(r));
        }
        for (size_t index = 0; pkin_i_tail_kernels_at(index); index++) {
            const pkin_i_tail_kernels *kernels = pkin_i_tail_kernels_at(index);
            std::vector<uint32_t> found(N + 1);
            found.resize(kernels->reaching(scores.data(), N, limit, limits.data(), found.data()));
            ASSERT_EQ(found, expected) << kernels->instruction_set;
        }
    }
}

/* Norms of whole rows in one bucket, and sums as large as the longest tails have them. */
TEST(TailKernels, LargestValuesDoNotOverflow) {
    for (size_t index = 0; pkin_i_tail_kernels_at(index); index++) {
        const pkin_i_tail_kernels *kernels = pkin_i_tail_kernels_at(index);
        std::vector<uint32_t> sums(32, (1u << 29) - 1);
        std::vector<int16_t> coarse(64, 0), fine(32 * PKIN_I_FINE_BUCKETS, 0);
        std::vector<pkin_i_tail_found> found(33);
        const int16_t x[PKIN_I_FINE_BUCKETS] = {16384};
        for (size_t r = 0; r < 32; r++) coarse[2 * r] = fine[r * PKIN_I_FINE_BUCKETS] = 16384;
        const uint32_t reached = (1u << 29) - 1 + (1u << 28);
        ASSERT_EQ(kernels->scan(sums.data(), coarse.data(), x, 32, reached, nullptr, found.data()), 32u);
        ASSERT_EQ(kernels->refine(fine.data(), x, reached, nullptr, found.data(), 32), 32u);
        ASSERT_EQ(kernels->refine(fine.data(), x, reached + 1, nullptr, found.data(), 32), 0u);
        std::fill(sums.begin(), sums.end(), (1u << 29) - 1);
        ASSERT_EQ(kernels->scan(sums.data(), coarse.data(), x, 32, reached + 1, nullptr, found.data()), 0u);
    }
}

TEST(TailKernels, EveryLevelHasSome) {
    for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
        if (!pkin_i_isa_is_available(static_cast<pkin_i_isa>(isa))) continue;
        const pkin_i_tail_kernels *kernels = pkin_i_tail_kernels_for(static_cast<pkin_i_isa>(isa));
        ASSERT_NE(kernels, nullptr);
        const int expected = std::min<int>(isa, PKIN_I_ISA_AVX512);
        EXPECT_STREQ(kernels->instruction_set, pkin_i_isa_name(static_cast<pkin_i_isa>(expected)));
    }
    EXPECT_NE(pkin_i_tail_kernels_at(0), nullptr);
    EXPECT_EQ(pkin_i_tail_kernels_at(99), nullptr);
}

} // namespace
