/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "kernels/gpu_device.h"

namespace {

TEST(GpuCoding, LimitsOfUnsignedBytesAreTheSketches) {
    for (uint64_t score : {UINT64_C(1), UINT64_C(1) << 30, (UINT64_C(1) << 59) + 12345, UINT64_C(1) << 60}) {
        EXPECT_EQ(pkin_i_sketch_limit(score), pkin_i_gpu_limit(PKIN_I_GPU_PLAIN, score));
        EXPECT_EQ(pkin_i_sketch_limit(score), pkin_i_gpu_limit(PKIN_I_GPU_SHIFTED, score));
    }
}

TEST(GpuCoding, LimitsAreTheLeastWholeNumbersThatBound) {
    for (uint64_t score = 1; score <= UINT64_C(1) << 60; score = score * 3 + 1) {
        const unsigned __int128 limit = (unsigned)pkin_i_gpu_limit(PKIN_I_GPU_SEVEN, score);
        EXPECT_GE(limit << 60, (unsigned __int128)score * 16129);
        EXPECT_LT((limit - 1) << 60, (unsigned __int128)score * 16129);
    }
}

TEST(GpuCoding, NamesAreTheCommandLines) {
    EXPECT_STREQ("fused", pkin_i_gpu_filter_name(PKIN_I_GPU_FILTER_FUSED));
    EXPECT_STREQ("gemm8", pkin_i_gpu_filter_name(PKIN_I_GPU_FILTER_GEMM8));
    EXPECT_STREQ("gemm32", pkin_i_gpu_filter_name(PKIN_I_GPU_FILTER_GEMM32));
    EXPECT_STREQ("dp4a", pkin_i_gpu_filter_name(PKIN_I_GPU_FILTER_DP4A));
}

} // namespace
