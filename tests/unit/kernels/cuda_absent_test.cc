/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device on the machine that the test runs on: without a driver it says so, with one it opens. */
#include <gtest/gtest.h>

#include <cstring>

extern "C" {
#include "kernels/cuda_driver.h"
}

namespace {

const pkin_i_gpu_driver *const driver = &pkin_i_cuda_driver;

TEST(Cuda, OpensOrSaysWhatIsMissing) {
    int n = -1;
    pkin_i_gpu_info info = {};
    pkin_i_gpu *gpu = reinterpret_cast<pkin_i_gpu *>(&info);
    const pkin_status status = driver->count(&n);
    if (status != PKIN_OK) {
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, status);
        EXPECT_EQ(-1, n);
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "driver")) << pkin_last_error();
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->info(0, &info));
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->open(0, &gpu));
        EXPECT_EQ(nullptr, gpu);
        return;
    }
    EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->open(n, &gpu));
    EXPECT_EQ(nullptr, gpu);
    if (n == 0 || driver->info(0, &info) != PKIN_OK) GTEST_SKIP() << "no device that can be used";
    ASSERT_EQ(PKIN_OK, driver->open(0, &gpu)) << pkin_last_error();
    uint64_t n_free = 0;
    EXPECT_EQ(PKIN_OK, driver->free_memory(gpu, &n_free));
    EXPECT_LE(n_free, info.memory_bytes);
    driver->close(gpu);
}

} // namespace
