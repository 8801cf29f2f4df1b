/* SPDX-License-Identifier: Apache-2.0 */
/* That ThreadSanitizer, where it follows the emulator (support/simt/simt.h), sees the races of a GPU's threads. */
#include <gtest/gtest.h>

#include <vector>

#include "kernels/simt.cuh"

/* A race ends the program: a report that nobody reads is none. What is volatile is meant so (gcc's
   --param=tsan-distinguish-volatile calls these instead of its checks). */
extern "C" {
__attribute__((visibility("default"))) const char *__tsan_default_options() {
    return "halt_on_error=1:exitcode=66:report_thread_leaks=0";
}
#define IGNORE_VOLATILE(n)                                                                                             \
    void __tsan_volatile_read##n(void *) {}                                                                            \
    void __tsan_volatile_write##n(void *) {}                                                                           \
    void __tsan_unaligned_volatile_read##n(void *) {}                                                                  \
    void __tsan_unaligned_volatile_write##n(void *) {}
IGNORE_VOLATILE(1)
IGNORE_VOLATILE(2)
IGNORE_VOLATILE(4)
IGNORE_VOLATILE(8)
IGNORE_VOLATILE(16)
}

namespace {

enum class order { none, barrier, warp };

/* A value from a thread to the next one, in memory that the block shares. */
template <order by> __global__ void pass_on(uint32_t *out) {
    PKIN_DYNAMIC_SHARED(bytes);
    volatile uint32_t *const turns = reinterpret_cast<uint32_t *>(bytes) + 64;
    uint32_t *const slots = reinterpret_cast<uint32_t *>(bytes);
    slots[threadIdx.x] = threadIdx.x;
    if (by == order::barrier) __syncthreads();
    if (by == order::warp) __syncwarp();
    turns[threadIdx.x % 2] = 1; /* a race that is meant */
    out[threadIdx.x] = slots[(threadIdx.x + 1) % 64];
}

/* A lock of one warp after another; what it protects is plain. */
template <bool with_fences> __global__ void count_under_lock(uint32_t *lock, uint32_t *plain) {
    if (threadIdx.x % 32 == 0) {
        while (atomicCAS(lock, 0u, 1u) != 0) __nanosleep(20);
        if (with_fences) __threadfence();
        *plain = *plain + 1;
        if (with_fences) __threadfence();
        atomicExch(lock, 0u);
    }
}

template <order by> void launch_pass_on() {
    std::vector<uint32_t> out(64);
    simt::launch(3, 64, 512, [&] { pass_on<by>(out.data()); });
}

template <bool with_fences> uint32_t launch_count() {
    uint32_t lock = 0, plain = 0;
    simt::launch(2, 256, 0, [&] { count_under_lock<with_fences>(&lock, &plain); });
    return plain;
}

TEST(Races, OrderedThreadsHaveNone) {
    launch_pass_on<order::barrier>();
    EXPECT_EQ(16u, launch_count<true>());
    unsigned long long sum = 0;
    simt::launch(2, 64, 0, [&] { atomicAdd(&sum, threadIdx.x); });
    EXPECT_EQ(2u * 63 * 32, sum);
}

TEST(RacesDeathTest, AreTold) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(launch_pass_on<order::none>(), testing::ExitedWithCode(66), "data race");
    EXPECT_EXIT(launch_pass_on<order::warp>(), testing::ExitedWithCode(66), "data race");
    EXPECT_EXIT(launch_count<false>(), testing::ExitedWithCode(66), "data race");
}

} // namespace
