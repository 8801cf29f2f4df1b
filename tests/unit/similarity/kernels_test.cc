/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <random>
#include <vector>

extern "C" {
#include "similarity/cpu_head.h"
#include "similarity/cpu_tail_kernels.h"
}

namespace {

/* Every instruction set that this machine has gives what the plain loop gives. */
TEST(Kernels, BoundIsTheSameOnEveryInstructionSet) {
    std::mt19937 random(7);
    const size_t stride = 128, n_buckets = PKIN_I_HEAD_BUCKETS;
    std::vector<int16_t> norms(stride * n_buckets), x(n_buckets);
    for (int16_t &norm : norms) norm = static_cast<int16_t>(random() % 16385);
    for (int16_t &norm : x) norm = static_cast<int16_t>(random() % 16385);
    x[0] = norms[0] = 16384;
    for (size_t index = 0; pkin_i_kernels_at(index); index++) {
        for (size_t n : {size_t(0), size_t(32), size_t(96), stride}) {
            std::vector<uint32_t> bounds(stride, 0xABABABAB);
            pkin_i_kernels_at(index)->bound(norms.data(), stride, x.data(), n_buckets, n, bounds.data());
            for (size_t r = 0; r < stride; r++) {
                uint64_t expected = 0;
                for (size_t b = 0; b < n_buckets; b++)
                    expected += uint64_t(x[b]) * uint64_t(norms[(b / 2 * stride + r) * 2 + b % 2]);
                ASSERT_EQ(bounds[r], r < n ? expected : 0xABABABAB) << pkin_i_kernels_at(index)->instruction_set;
            }
        }
    }
}

TEST(Kernels, NoBucketsMeanNoBound) {
    for (size_t index = 0; pkin_i_kernels_at(index); index++) {
        std::vector<uint32_t> bounds(32, 9);
        pkin_i_kernels_at(index)->bound(nullptr, 32, nullptr, 0, 32, bounds.data());
        EXPECT_EQ(bounds, std::vector<uint32_t>(32, 0));
    }
}

TEST(Kernels, ReachingFindsEveryPlaceAtItsLimit) {
    std::mt19937_64 random(11);
    const size_t n = 256;
    for (int round = 0; round < 200; round++) {
        std::vector<uint64_t> sums(n), limits(n);
        std::vector<uint32_t> bounds(n), expected;
        const uint64_t limit = round % 3 == 0 ? UINT64_C(1) << 62 : random() >> 4;
        for (size_t r = 0; r < n; r++) {
            sums[r] = random() >> (4 + random() % 20);
            bounds[r] = static_cast<uint32_t>(random() >> 36);
            uint64_t most = sums[r] + (static_cast<uint64_t>(bounds[r]) << 32);
            limits[r] = most - 1 + random() % 3; /* just below, at, just above */
            if (round % 2) limits[r] += UINT64_C(1) << 61;
            if (most >= limit || most >= limits[r]) expected.push_back(static_cast<uint32_t>(r));
        }
        for (size_t index = 0; pkin_i_kernels_at(index); index++) {
            std::vector<uint32_t> found(n + 1);
            size_t n_found =
                pkin_i_kernels_at(index)->reaching(sums.data(), bounds.data(), n, limit, limits.data(), found.data());
            found.resize(n_found);
            ASSERT_EQ(found, expected) << pkin_i_kernels_at(index)->instruction_set;
        }
    }
}

TEST(Kernels, TheBestIsOneOfThoseThatAreThere) {
    ASSERT_NE(pkin_i_kernels_choose(), nullptr);
    EXPECT_EQ(pkin_i_kernels_at(99), nullptr);
}

} // namespace
