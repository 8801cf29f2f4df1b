/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "kernels/simt.cuh"

namespace {

constexpr unsigned ALL = 0xffffffffu;

/* ---- Kernels, in the dialect ---- */

__global__ void write_indices(uint32_t *out) {
    const uint32_t block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const uint32_t thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    out[block * (blockDim.x * blockDim.y * blockDim.z) + thread] += block * 1000 + thread + 1;
}

/* Block-wide sum by halving, with the barrier between the halvings or without it. */
template <bool WITH_BARRIER> __global__ void sum_block(const uint32_t *in, uint32_t *out) {
    __shared__ uint32_t part[128];
    part[threadIdx.x] = in[blockIdx.x * 128 + threadIdx.x];
    __syncthreads();
    for (unsigned half = 64; half > 0; half /= 2) {
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
        if (WITH_BARRIER) __syncthreads();
    }
    if (threadIdx.x == 0) out[blockIdx.x] = part[0];
    __syncthreads(); /* the array is the next block's too */
}

/* A value through dynamic shared memory to the next thread, with __syncwarp or without. */
template <bool WITH_BARRIER> __global__ void pass_on(uint32_t *out) {
    PKIN_DYNAMIC_SHARED(bytes);
    uint32_t *slots = reinterpret_cast<uint32_t *>(bytes);
    slots[threadIdx.x] = threadIdx.x;
    if (WITH_BARRIER) __syncwarp();
    out[threadIdx.x] = slots[(threadIdx.x + 1) % 32];
}

struct warp_results {
    uint32_t ballot, any, all, match, broadcast, segment, up, down, crossed;
    uint64_t wide;
};

__global__ void warp_calls(warp_results *out) {
    const unsigned lane = threadIdx.x % 32;
    warp_results r;
    r.ballot = __ballot_sync(ALL, lane % 3 == 0);
    r.any = static_cast<uint32_t>(__any_sync(ALL, lane == 17));
    r.all = static_cast<uint32_t>(__all_sync(ALL, lane != 17));
    r.match = __match_any_sync(ALL, lane % 5);
    r.broadcast = __shfl_sync(ALL, threadIdx.x * 7, 9);
    r.segment = __shfl_sync(ALL, lane, 3, 8);
    r.up = __shfl_up_sync(ALL, lane, 4);
    r.down = __shfl_down_sync(ALL, lane, 4, 16);
    r.crossed = __shfl_xor_sync(ALL, lane, 5);
    r.wide = __shfl_xor_sync(ALL, (static_cast<uint64_t>(lane) << 40) + lane, 16);
    out[blockIdx.x * blockDim.x + threadIdx.x] = r;
}

__global__ void count_atomically(unsigned long long *sum, unsigned *greatest, unsigned *least, int *fallen) {
    atomicAdd(sum, threadIdx.x);
    atomicMax(greatest, blockIdx.x * blockDim.x + threadIdx.x);
    atomicMin(least, blockIdx.x * blockDim.x + threadIdx.x + 5);
    atomicAdd(fallen, -1);
}

/* A lock that one lane of each warp takes; what it protects is written in two steps. */
__global__ void take_turns(unsigned *lock, uint32_t *plain) {
    if (threadIdx.x % 32 == 0) {
        while (atomicCAS(lock, 0u, 1u) != 0) {
        }
        const uint32_t before = plain[0];
        simt::yield();
        plain[0] = before + 1;
        __threadfence();
        atomicExch(lock, 0u);
    }
    __syncwarp();
}

__global__ void count_votes(uint32_t *out) {
    for (unsigned turn = 0; turn < 5; turn++) {
        const int n = __syncthreads_count(threadIdx.x % (turn + 2) == 0);
        const int some = __syncthreads_or(threadIdx.x == 50 + turn);
        const int every = __syncthreads_and(threadIdx.x != 50 + turn);
        out[turn * blockDim.x + threadIdx.x] = static_cast<uint32_t>(n * 4 + some * 2 + every);
    }
}

/* The ring of a producer and its consumers: full and empty by wait_until, with named barriers among the consumers. */
__global__ void produce_and_consume(uint32_t n_items, uint32_t *sums) {
    PKIN_DYNAMIC_SHARED(bytes);
    uint32_t *ring = reinterpret_cast<uint32_t *>(bytes); /* 4 places, then counts of filled and of emptied */
    uint32_t *filled = ring + 4, *emptied = ring + 5;
    if (threadIdx.x == 0) filled[0] = emptied[0] = 0;
    __syncthreads();
    if (threadIdx.x < 128) {
        for (uint32_t n = 0; threadIdx.x == 0 && n < n_items; n++) {
            simt::wait_until([=] { return emptied[0] + 4 * 128 > n * 128; }, "an empty place");
            ring[n % 4] = n * n;
            filled[0] = n + 1;
        }
        return;
    }
    uint32_t sum = 0;
    for (uint32_t n = 0; n < n_items; n++) {
        simt::wait_until([=] { return filled[0] > n; }, "a full place");
        sum += ring[n % 4];
        simt::warpgroup_sync("consumed");
        atomicAdd(emptied, 1u);
    }
    simt::named_barrier_sync(1, 128);
    sums[threadIdx.x - 128] = sum;
}

/* Every thread of a cluster reads what its peer of the next block wrote. */
__global__ void read_peers(uint32_t *out, bool with_barrier) {
    PKIN_DYNAMIC_SHARED(bytes);
    const simt::block_state &self = simt::this_block();
    reinterpret_cast<uint32_t *>(bytes)[threadIdx.x] = blockIdx.x * 100 + threadIdx.x;
    if (with_barrier) {
        simt::cluster_arrive();
        simt::cluster_wait();
    }
    const unsigned peer = (self.cluster_rank + 1) % self.cluster_size;
    out[blockIdx.x * blockDim.x + threadIdx.x] =
        reinterpret_cast<const uint32_t *>(simt::peer_shared(peer))[threadIdx.x];
    simt::cluster_arrive();
    simt::cluster_wait();
}

/* ---- What they give ---- */

TEST(Simt, EveryThreadRunsOnceWithItsIndices) {
    std::vector<uint32_t> out(2 * 3 * 2 * 64);
    simt::launch(dim3(2, 3, 2), dim3(8, 4, 2), 0, [&] { write_indices(out.data()); });
    for (uint32_t k = 0; k < out.size(); k++) ASSERT_EQ(k / 64 * 1000 + k % 64 + 1, out[k]);
}

TEST(Simt, BarriersOrderABlock) {
    std::vector<uint32_t> in(128 * 20), out(20);
    std::iota(in.begin(), in.end(), 3u);
    for (uint64_t seed = 0; seed < 5; seed++) {
        simt::set_seed(seed);
        simt::launch(20, 128, 0, [&] { sum_block<true>(in.data(), out.data()); });
        for (uint32_t b = 0; b < 20; b++) {
            ASSERT_EQ(std::accumulate(&in[b * 128], &in[b * 128] + 128, 0u), out[b]);
        }
    }
}

TEST(Simt, AMissingBarrierIsSeen) {
    std::vector<uint32_t> in(128, 1), out(1);
    int n_wrong = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        simt::set_seed(seed);
        simt::launch(1, 128, 0, [&] { sum_block<false>(in.data(), out.data()); });
        n_wrong += out[0] != 128;
    }
    EXPECT_EQ(10, n_wrong);
}

TEST(Simt, AMissingBarrierOfAWarpIsSeen) {
    std::vector<uint32_t> out(32);
    auto n_right = [&] {
        int n = 0;
        for (uint32_t lane = 0; lane < 32; lane++) n += out[lane] == (lane + 1) % 32;
        return n;
    };
    simt::launch(1, 32, 128, [&] { pass_on<true>(out.data()); });
    EXPECT_EQ(32, n_right());
    simt::launch(1, 32, 128, [&] { pass_on<false>(out.data()); });
    EXPECT_LT(n_right(), 32);
}

TEST(Simt, OrdersDifferAndRepeatWithTheSeed) {
    auto order = [](uint64_t seed) {
        std::vector<uint32_t> turns;
        simt::set_seed(seed);
        simt::launch(4, 64, 0, [&] { turns.push_back(blockIdx.x * 64 + threadIdx.x); });
        return turns;
    };
    const std::vector<uint32_t> first = order(1);
    EXPECT_EQ(256u, std::set<uint32_t>(first.begin(), first.end()).size());
    EXPECT_EQ(first, order(1));
    EXPECT_NE(first, order(2));
}

TEST(Simt, WarpWideCallsGiveWhatCudaSays) {
    std::vector<warp_results> out(3 * 64);
    simt::launch(3, 64, 0, [&] { warp_calls(out.data()); });
    for (uint32_t k = 0; k < out.size(); k++) {
        const uint32_t lane = k % 32, thread = k % 64;
        const warp_results &r = out[k];
        uint32_t thirds = 0, fifths = 0;
        for (uint32_t other = 0; other < 32; other++) {
            if (other % 3 == 0) thirds |= 1u << other;
            if (other % 5 == lane % 5) fifths |= 1u << other;
        }
        ASSERT_EQ(thirds, r.ballot);
        ASSERT_EQ(1u, r.any);
        ASSERT_EQ(0u, r.all);
        ASSERT_EQ(fifths, r.match);
        ASSERT_EQ((thread / 32 * 32 + 9) * 7, r.broadcast);
        ASSERT_EQ(lane / 8 * 8 + 3, r.segment);
        ASSERT_EQ(lane < 4 ? lane : lane - 4, r.up);
        ASSERT_EQ(lane % 16 < 12 ? lane + 4 : lane, r.down);
        ASSERT_EQ(lane ^ 5, r.crossed);
        ASSERT_EQ((static_cast<uint64_t>(lane ^ 16) << 40) + (lane ^ 16), r.wide);
    }
}

TEST(Simt, AtomicsCount) {
    uint64_t sum = 0;
    unsigned greatest = 0, least = ~0u;
    int fallen = 7;
    simt::launch(10, 96, 0,
                 [&] { count_atomically(reinterpret_cast<unsigned long long *>(&sum), &greatest, &least, &fallen); });
    EXPECT_EQ(10u * (95 * 96 / 2), sum);
    EXPECT_EQ(959u, greatest);
    EXPECT_EQ(5u, least);
    EXPECT_EQ(7 - 960, fallen);
}

TEST(Simt, LocksExclude) {
    unsigned lock = 0;
    uint32_t plain = 0;
    simt::launch(3, 512, 0, [&] { take_turns(&lock, &plain); });
    EXPECT_EQ(0u, lock);
    EXPECT_EQ(48u, plain);
}

TEST(Simt, BlocksCountVotes) {
    std::vector<uint32_t> out(5 * 96);
    simt::launch(1, 96, 0, [&] { count_votes(out.data()); });
    for (uint32_t turn = 0; turn < 5; turn++) {
        const uint32_t expected = (96 + turn + 1) / (turn + 2) * 4 + 2;
        for (uint32_t t = 0; t < 96; t++) ASSERT_EQ(expected, out[turn * 96 + t]) << turn << " " << t;
    }
}

TEST(Simt, RingsOfProducersAndConsumers) {
    for (uint64_t seed = 0; seed < 10; seed++) {
        std::vector<uint32_t> sums(128);
        simt::set_seed(seed);
        simt::launch(1, 256, 24, [&] { produce_and_consume(20, sums.data()); });
        for (uint32_t sum : sums) ASSERT_EQ(2470u, sum); /* 0 + 1 + 4 + ... + 361 */
    }
}

TEST(Simt, ClustersReadTheirPeers) {
    std::vector<uint32_t> out(6 * 64);
    auto n_right = [&] {
        uint32_t n = 0;
        for (uint32_t k = 0; k < out.size(); k++) n += out[k] == ((k / 64) ^ 1) * 100 + k % 64;
        return n;
    };
    simt::launch_cluster(6, 64, 2, 256, [&] { read_peers(out.data(), true); });
    EXPECT_EQ(out.size(), n_right());
    simt::launch_cluster(6, 64, 2, 256, [&] { read_peers(out.data(), false); });
    EXPECT_LT(n_right(), out.size());
}

TEST(Simt, SharedMemoryIsAlignedAndPoisoned) {
    simt::launch(5, 32, 100, [] {
        PKIN_DYNAMIC_SHARED(bytes);
        if (threadIdx.x == 0) {
            EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(bytes) % 1024);
            for (int k = 0; k < 100; k++) ASSERT_EQ(0xA7, bytes[k]) << k;
            memset(bytes, 0, 100);
        }
    });
}

TEST(Simt, OsThreadsRunBesideEachOther) {
    unsigned long long sum = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&sum] {
            unsigned greatest = 0, least = ~0u;
            int fallen = 0;
            simt::launch(20, 64, 64, [&] { count_atomically(&sum, &greatest, &least, &fallen); });
            EXPECT_EQ(1279u, greatest);
        });
    }
    for (std::thread &thread : threads) thread.join();
    EXPECT_EQ(4u * 20 * (63 * 64 / 2), sum);
}

TEST(Simt, Arithmetic) {
    EXPECT_EQ(32, __clz(0));
    EXPECT_EQ(31, __clz(1));
    EXPECT_EQ(0, __clzll(-1));
    EXPECT_EQ(0, __ffs(0));
    EXPECT_EQ(5, __ffs(48));
    EXPECT_EQ(UINT64_C(0xfffffffffffffffe), __umul64hi(~0ull, ~0ull));
    EXPECT_EQ(0xfffffffeu, __umulhi(~0u, ~0u));
    EXPECT_EQ(3 + 127 * -128 - 1 + 4 + 0, __dp4a(0x7fff0200, static_cast<int>(0x80010200), 3));
    EXPECT_EQ(7u + 255 * 255 * 4, __dp4a(~0u, ~0u, 7u));
    EXPECT_EQ(0x44332288u, __byte_perm(0x44332211, 0x88776655, 0x3217));
    EXPECT_EQ(0xff00ff00u, __vcmpges4(0x7f80ff01, 0x7f7f8002));
    EXPECT_EQ(0xffffffffu, __vcmpgeu4(0x7f80ff02, 0x7f7f8002));
    EXPECT_EQ(3u, min(3u, 5));
    EXPECT_EQ(INT64_C(5), max(INT64_C(5), 3));
}

/* ---- What it reports ---- */

void one_thread_leaves() {
    simt::launch(1, 64, 0, [] {
        if (threadIdx.x == 40) return;
        __syncthreads();
    });
}

void half_a_warp_votes() {
    simt::launch(1, 32, 0, [] {
        if (threadIdx.x < 16) __any_sync(ALL, 1);
    });
}

void two_places_of_the_source() {
    simt::launch(1, 32, 0, [] {
        if (threadIdx.x < 16) {
            __syncwarp();
        } else {
            __ballot_sync(ALL, 1);
        }
    });
}

void waits_for_nothing() {
    simt::launch(2, 32, 0, [] { simt::wait_until([] { return false; }, "the end of days"); });
}

void uses_part_of_a_mask() {
    simt::launch(1, 32, 0, [] { __ballot_sync(0xffffu, 1); });
}

void writes_behind_shared_memory() {
    simt::launch(1, 32, 128, [] {
        PKIN_DYNAMIC_SHARED(bytes);
        bytes[128 + threadIdx.x] = 1;
    });
}

void arrives_twice() {
    simt::launch_cluster(2, 32, 2, 0, [] {
        simt::cluster_arrive();
        simt::cluster_arrive();
    });
}

TEST(SimtDeathTest, ReportsWhoWaitsWhere) {
    EXPECT_DEATH(one_thread_leaves(), "deadlock.*\n.*thread 40 first: .returned.*\n.*63 threads, thread 0 first: "
                                      "__syncthreads at simt_test.cc:");
    EXPECT_DEATH(half_a_warp_votes(), "deadlock(.|\n)*16 threads, thread 0 first: __any_sync");
    EXPECT_DEATH(waits_for_nothing(), "deadlock(.|\n)*32 threads, thread 0 first: the end of days at simt_test.cc:");
}

TEST(SimtDeathTest, ReportsMisuse) {
    EXPECT_DEATH(two_places_of_the_source(), "while others of the group are in");
    EXPECT_DEATH(uses_part_of_a_mask(), "mask 0000ffff");
    EXPECT_DEATH(writes_behind_shared_memory(), "wrote behind its 128 bytes");
    EXPECT_DEATH(arrives_twice(), "twice without a wait");
    EXPECT_DEATH(simt::launch(1, 33, 0, [] {}), "whole warps");
    EXPECT_DEATH(simt::launch_cluster(3, 32, 2, 0, [] {}), "whole clusters");
    EXPECT_DEATH(__syncwarp(), "outside a kernel");
}

} // namespace
