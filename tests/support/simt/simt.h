/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_SIMT_SIMT_H
#define PKIN_TESTS_SUPPORT_SIMT_SIMT_H

/*
 * Runs kernels written in the dialect of kernels/simt.cuh on the host, so that their logic is tested without a GPU.
 *
 * Every thread of a block is a fiber: a stack of its own, one of them running at a time, all on the OS thread that
 * called simt::launch. A fiber runs until it waits (a barrier, a warp-wide call, simt::wait_until) or yields (atomics
 * do now and then, atomicCAS and atomicExch always); which one goes on is drawn from a seeded generator, in every other
 * launch with warps that are preferred for a while, so that some are far ahead. Blocks (or clusters of blocks) run one
 * after another in an order drawn the same way. Dynamic shared memory is filled with 0xA7 before each block, and what
 * lies behind it is checked.
 *
 * What it shows: wrong logic, index maps, masks and limits; barriers that are missing (another order gives another
 * result) or not reached by all threads; deadlocks, with a report of who waits where; warp-wide calls that only some
 * lanes reach, or at different places of the source; with ASan and UBSan also accesses out of bounds and misaligned
 * vector loads. The environment's PKIN_SIMT_SEED gives other orders.
 *
 * With -fsanitize=thread every fiber is a thread of its own to ThreadSanitizer, and only what orders threads of a GPU
 * orders fibers: barriers, warp-wide calls, fences (each is ordered behind all before it). It then tells of every pair
 * of plain accesses of a block or cluster, to shared or global memory, that nothing orders, whatever the fibers' turns
 * were: what compute-sanitizer's racecheck would say, and more. Accesses through volatile pointers are taken for meant
 * so; blocks one after another are ordered. simt.cc itself is compiled without, with PKIN_SIMT_TSAN defined.
 *
 * What it cannot show: how memory is ordered beyond that (fibers see each other's writes at once); blocks that wait for
 * other blocks of the grid (they would hang here); timing, occupancy, registers, bank conflicts; and any rule of the
 * hardware that was misread alike in the kernel and in the emulation. Static __shared__ arrays are static variables of
 * the OS thread: they keep what an earlier block left, and the blocks of a cluster would share them, so that kernels
 * launched as clusters must use dynamic shared memory alone. Floating point is the host's: IEEE, no contraction.
 *
 * Stricter than CUDA, on purpose: every lane of a warp takes part in every warp-wide call (mask 0xffffffff) at one
 * place of the source, every thread of a block in every __syncthreads at one place; blocks are whole warps; a thread
 * that has returned takes part in nothing. A loop that waits for another thread must contain an atomic, __nanosleep or
 * simt::wait_until: a plain volatile load never lets another fiber run.
 *
 * Several OS threads may launch at the same time; a launch returns when the grid is done. Link with pkin_simt.
 */
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

/* What the fibers do is followed by ThreadSanitizer. */
#if defined(__SANITIZE_THREAD__) && !defined(PKIN_SIMT_TSAN)
#define PKIN_SIMT_TSAN 1
#endif

/* ---- Qualifiers ---- */

#define __global__ inline __attribute__((unused))
#define __device__ __attribute__((unused))
#define __host__ __attribute__((unused))
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __cluster_dims__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static thread_local
#define __constant__ static const
#define PKIN_DYNAMIC_SHARED(name) unsigned char *name = ::simt::this_block().shared

/* ---- Types ---- */

struct uint2 {
    unsigned x, y;
} __attribute__((aligned(8)));
struct int2 {
    int x, y;
} __attribute__((aligned(8)));
struct uint3 {
    unsigned x, y, z;
};
struct uint4 {
    unsigned x, y, z, w;
} __attribute__((aligned(16)));
struct int4 {
    int x, y, z, w;
} __attribute__((aligned(16)));
struct ulonglong2 {
    unsigned long long x, y;
} __attribute__((aligned(16)));
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned in_x = 1, unsigned in_y = 1, unsigned in_z = 1) : x(in_x), y(in_y), z(in_z) {}
};

inline uint2 make_uint2(unsigned x, unsigned y) {
    return {x, y};
}
inline int2 make_int2(int x, int y) {
    return {x, y};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
    return {x, y, z, w};
}
inline int4 make_int4(int x, int y, int z, int w) {
    return {x, y, z, w};
}
inline ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y) {
    return {x, y};
}

/* Of the fiber that runs; outside a launch without meaning. */
extern __thread uint3 threadIdx, blockIdx, blockDim, gridDim;
constexpr int warpSize = 32;

namespace simt {

/* ---- Launching ---- */

using entry = void (*)(void *kernel);
void run(dim3 grid, dim3 block, dim3 cluster, size_t shared_bytes, entry call, void *kernel);

/* simt::launch(grid, block, shared_bytes, [&] { some_kernel<4>(arguments); }); */
template <class Kernel> void launch(dim3 grid, dim3 block, size_t shared_bytes, Kernel &&kernel) {
    using type = std::remove_reference_t<Kernel>;
    run(
        grid, block, dim3(), shared_bytes, [](void *k) { (*static_cast<type *>(k))(); }, (void *)&kernel);
}

/* The blocks of a cluster run at once, each with its own dynamic shared memory. The grid is whole clusters. */
template <class Kernel> void launch_cluster(dim3 grid, dim3 block, dim3 cluster, size_t shared_bytes, Kernel &&kernel) {
    using type = std::remove_reference_t<Kernel>;
    run(
        grid, block, cluster, shared_bytes, [](void *k) { (*static_cast<type *>(k))(); }, (void *)&kernel);
}

/* Of this OS thread's next launches: the first takes `seed`, each later one the next number. Odd seeds prefer warps. */
void set_seed(uint64_t seed);

/* ---- For emulations of further primitives (hopper.h) ---- */

struct block_state {
    unsigned char *shared; /* dynamic shared memory, aligned to 1024 */
    size_t shared_bytes;
    unsigned cluster_rank, cluster_size;
    std::shared_ptr<void> extra; /* whatever an emulation keeps for a block; empty when the block begins */
};
block_state &this_block();
block_state &peer_block(unsigned cluster_rank);
inline unsigned char *peer_shared(unsigned cluster_rank) {
    return peer_block(cluster_rank).shared;
}
unsigned this_thread(); /* 0 to threads of the block - 1, x fastest */
inline unsigned this_lane() {
    return this_thread() % 32;
}
bool is_running(); /* a kernel, on this OS thread */

#define PKIN_SIMT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

/* Ends the program with a message that names block and thread. */
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void fence();              /* of memory */
void yield();              /* lets other threads run */
void yield_now_and_then(); /* the same, once in a few times */

void wait_for(bool (*is_true)(void *), void *condition, const char *what, const char *file, int line);
/* Returns once condition() is true. It is called from outside the fibers, any number of times: it reads memory alone.
   `what` (static) is for the report of a deadlock: "mbarrier phase 1". */
template <class Condition> void wait_until(Condition &&condition, const char *what, PKIN_SIMT_SITE) {
    using type = std::remove_reference_t<Condition>;
    wait_for([](void *c) { return static_cast<bool>((*static_cast<type *>(c))()); }, (void *)&condition, what, file,
             line);
}

/* Returns when all threads of the group have come to the same place: 128 threads (from a multiple of 128 on), the
 * block. */
void warpgroup_sync(const char *what, PKIN_SIMT_SITE);
void block_sync(const char *what, PKIN_SIMT_SITE);
/* bar.sync and bar.arrive: barrier `id` in [0, 16) of the block; n_threads, a multiple of 32, of both together. */
void named_barrier_sync(unsigned id, unsigned n_threads, PKIN_SIMT_SITE);
void named_barrier_arrive(unsigned id, unsigned n_threads, PKIN_SIMT_SITE);
/* barrier.cluster: of all threads of the cluster; every arrive is followed by a wait. */
void cluster_arrive(PKIN_SIMT_SITE);
void cluster_wait(PKIN_SIMT_SITE);

/* Deposits a value and returns those of all 32 lanes, good until the lane's next warp-wide call. */
const uint64_t *warp_exchange(unsigned mask, uint64_t value, const char *what, const char *file, int line);
/* How many threads of the block gave true. */
unsigned block_count(bool vote, const char *what, const char *file, int line);

template <class T> uint64_t to_bits(T value) {
    static_assert(sizeof value == 4 || sizeof value == 8, "warp-wide calls take 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    return bits;
}
template <class T> T from_bits(uint64_t bits) {
    T value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace simt

/* ---- Barriers and fences ---- */

inline void __syncthreads(PKIN_SIMT_SITE) {
    simt::block_sync("__syncthreads", file, line);
}
inline int __syncthreads_count(int predicate, PKIN_SIMT_SITE) {
    return static_cast<int>(simt::block_count(predicate != 0, "__syncthreads_count", file, line));
}
inline int __syncthreads_or(int predicate, PKIN_SIMT_SITE) {
    return simt::block_count(predicate != 0, "__syncthreads_or", file, line) != 0;
}
inline int __syncthreads_and(int predicate, PKIN_SIMT_SITE) {
    return simt::block_count(predicate == 0, "__syncthreads_and", file, line) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, PKIN_SIMT_SITE) {
    simt::warp_exchange(mask, 0, "__syncwarp", file, line);
}
inline void __threadfence() {
    simt::fence();
}
inline void __threadfence_block() {
    simt::fence();
}
inline void __threadfence_system() {
    simt::fence();
}
inline void __nanosleep(unsigned) {
    simt::yield();
}

/* ---- Warp-wide calls ---- */

inline unsigned __ballot_sync(unsigned mask, int predicate, PKIN_SIMT_SITE) {
    const uint64_t *votes = simt::warp_exchange(mask, predicate != 0, "__ballot_sync", file, line);
    unsigned set = 0;
    for (unsigned lane = 0; lane < 32; lane++) set |= static_cast<unsigned>(votes[lane]) << lane;
    return set;
}
inline int __any_sync(unsigned mask, int predicate, PKIN_SIMT_SITE) {
    const uint64_t *votes = simt::warp_exchange(mask, predicate != 0, "__any_sync", file, line);
    return std::any_of(votes, votes + 32, [](uint64_t vote) { return vote != 0; });
}
inline int __all_sync(unsigned mask, int predicate, PKIN_SIMT_SITE) {
    const uint64_t *votes = simt::warp_exchange(mask, predicate != 0, "__all_sync", file, line);
    return std::all_of(votes, votes + 32, [](uint64_t vote) { return vote != 0; });
}
template <class T> unsigned __match_any_sync(unsigned mask, T value, PKIN_SIMT_SITE) {
    const uint64_t mine = simt::to_bits(value);
    const uint64_t *values = simt::warp_exchange(mask, mine, "__match_any_sync", file, line);
    unsigned set = 0;
    for (unsigned lane = 0; lane < 32; lane++) set |= static_cast<unsigned>(values[lane] == mine) << lane;
    return set;
}
/* `width`, a power of two up to 32, cuts the warp into segments; a source outside is the lane itself. */
template <class T> T __shfl_sync(unsigned mask, T value, int source, int width = 32, PKIN_SIMT_SITE) {
    const uint64_t *values = simt::warp_exchange(mask, simt::to_bits(value), "__shfl_sync", file, line);
    const unsigned w = static_cast<unsigned>(width), first = simt::this_lane() & ~(w - 1);
    return simt::from_bits<T>(values[first | (static_cast<unsigned>(source) & (w - 1))]);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, PKIN_SIMT_SITE) {
    const uint64_t *values = simt::warp_exchange(mask, simt::to_bits(value), "__shfl_xor_sync", file, line);
    const unsigned lane = simt::this_lane(), from = lane ^ (static_cast<unsigned>(lane_mask) & 31);
    const unsigned end = (lane & ~(static_cast<unsigned>(width) - 1)) + static_cast<unsigned>(width);
    return simt::from_bits<T>(values[from < end ? from : lane]);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, PKIN_SIMT_SITE) {
    const uint64_t *values = simt::warp_exchange(mask, simt::to_bits(value), "__shfl_down_sync", file, line);
    const unsigned lane = simt::this_lane();
    const unsigned end = (lane & ~(static_cast<unsigned>(width) - 1)) + static_cast<unsigned>(width);
    return simt::from_bits<T>(values[lane + delta < end ? lane + delta : lane]);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, PKIN_SIMT_SITE) {
    const uint64_t *values = simt::warp_exchange(mask, simt::to_bits(value), "__shfl_up_sync", file, line);
    const unsigned lane = simt::this_lane(), in_segment = lane & (static_cast<unsigned>(width) - 1);
    return simt::from_bits<T>(values[in_segment >= delta ? lane - delta : lane]);
}

/* ---- Atomics: on global and shared memory alike, relaxed as CUDA's. The types that CUDA has. ---- */

namespace simt {
template <class T> struct same { /* keeps the second argument from taking part in deduction */
    using type = T;
};
template <class T>
constexpr bool is_atomic =
    std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
} // namespace simt

template <class T> T atomicAdd(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicAdd for this type here");
    simt::yield_now_and_then();
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
template <class T> T atomicSub(T *address, typename simt::same<T>::type value) {
    static_assert(std::is_same_v<T, int> || std::is_same_v<T, unsigned>, "CUDA has no atomicSub for this type");
    simt::yield_now_and_then();
    return __atomic_fetch_sub(address, value, __ATOMIC_RELAXED);
}
template <class T> T atomicOr(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicOr for this type");
    simt::yield_now_and_then();
    return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);
}
template <class T> T atomicAnd(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicAnd for this type");
    simt::yield_now_and_then();
    return __atomic_fetch_and(address, value, __ATOMIC_RELAXED);
}
template <class T> T atomicExch(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicExch for this type here");
    simt::yield();
    return __atomic_exchange_n(address, value, __ATOMIC_RELAXED);
}
template <class T>
T atomicCAS(T *address, typename simt::same<T>::type expected, typename simt::same<T>::type desired) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicCAS for this type here");
    simt::yield();
    __atomic_compare_exchange_n(address, &expected, desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return expected;
}
template <class T> T atomicMax(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicMax for this type");
    simt::yield_now_and_then();
    T old = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (old < value &&
           !__atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}
template <class T> T atomicMin(T *address, typename simt::same<T>::type value) {
    static_assert(simt::is_atomic<T>, "CUDA has no atomicMin for this type");
    simt::yield_now_and_then();
    T old = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (value < old &&
           !__atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}

/* ---- Loads and stores with hints ---- */

template <class T> T __ldg(const T *address) {
    return *address;
}
template <class T> T __ldcg(const T *address) {
    return *address;
}
template <class T> T __ldcs(const T *address) {
    return *address;
}
template <class T> T __ldca(const T *address) {
    return *address;
}
template <class T> void __stcg(T *address, T value) {
    *address = value;
}
template <class T> void __stcs(T *address, T value) {
    *address = value;
}

/* ---- Arithmetic ---- */

inline int __popc(unsigned x) {
    return __builtin_popcount(x);
}
inline int __popcll(unsigned long long x) {
    return __builtin_popcountll(x);
}
inline int __ffs(int x) {
    return __builtin_ffs(x);
}
inline int __ffsll(long long x) {
    return __builtin_ffsll(x);
}
inline int __clz(int x) {
    return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x));
}
inline int __clzll(long long x) {
    return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x));
}
inline unsigned __umulhi(unsigned x, unsigned y) {
    return static_cast<unsigned>(static_cast<uint64_t>(x) * y >> 32);
}
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(x) * y >> 64);
}
/* Byte s of the result is byte (selector >> 4 s) & 7 of the eight bytes of y (high) and x (low). */
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
    const uint64_t bytes = static_cast<uint64_t>(y) << 32 | x;
    unsigned result = 0;
    for (unsigned s = 0; s < 4; s++) {
        result |= static_cast<unsigned>(bytes >> 8 * (selector >> 4 * s & 7) & 255) << 8 * s;
    }
    return result;
}
inline int __dp4a(int x, int y, int sum) {
    unsigned result = static_cast<unsigned>(sum);
    for (int s = 0; s < 32; s += 8) {
        result += static_cast<unsigned>(static_cast<int8_t>(x >> s) * static_cast<int8_t>(y >> s));
    }
    return static_cast<int>(result);
}
inline unsigned __dp4a(unsigned x, unsigned y, unsigned sum) {
    for (int s = 0; s < 32; s += 8) sum += (x >> s & 255) * (y >> s & 255);
    return sum;
}
namespace simt {
/* Applies a function of two bytes to each of the four pairs. */
template <class Byte, class Function> unsigned bytewise(unsigned x, unsigned y, Function function) {
    unsigned result = 0;
    for (int s = 0; s < 32; s += 8) {
        result |= static_cast<unsigned>(
                      static_cast<uint8_t>(function(static_cast<Byte>(x >> s & 255), static_cast<Byte>(y >> s & 255))))
                  << s;
    }
    return result;
}
} // namespace simt
inline unsigned __vcmpges4(unsigned x, unsigned y) {
    return simt::bytewise<int8_t>(x, y, [](int8_t a, int8_t b) { return a >= b ? 255 : 0; });
}
inline unsigned __vcmpgeu4(unsigned x, unsigned y) {
    return simt::bytewise<uint8_t>(x, y, [](uint8_t a, uint8_t b) { return a >= b ? 255 : 0; });
}
inline unsigned __vmaxs4(unsigned x, unsigned y) {
    return simt::bytewise<int8_t>(x, y, [](int8_t a, int8_t b) { return a >= b ? a : b; });
}
inline unsigned __vmaxu4(unsigned x, unsigned y) {
    return simt::bytewise<uint8_t>(x, y, [](uint8_t a, uint8_t b) { return a >= b ? a : b; });
}
inline double __ull2double_rn(unsigned long long x) {
    return static_cast<double>(x);
}
inline unsigned long long __double2ull_rz(double x) {
    return static_cast<unsigned long long>(x);
}
inline unsigned __double2uint_rz(double x) {
    return static_cast<unsigned>(x);
}
inline double __dsqrt_rn(double x) {
    return std::sqrt(x);
}
inline float __fsqrt_rn(float x) {
    return std::sqrt(x);
}
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>>
constexpr std::common_type_t<A, B> min(A a, B b) {
    using type = std::common_type_t<A, B>;
    return static_cast<type>(b) < static_cast<type>(a) ? static_cast<type>(b) : static_cast<type>(a);
}
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>>
constexpr std::common_type_t<A, B> max(A a, B b) {
    using type = std::common_type_t<A, B>;
    return static_cast<type>(a) < static_cast<type>(b) ? static_cast<type>(b) : static_cast<type>(a);
}

#endif
