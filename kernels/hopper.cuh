/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_HOPPER_CUH
#define PKIN_KERNELS_HOPPER_CUH

/*
 * What compute capability 9.0 has and CUDA C++ has no name for: thin wrappers of PTX instructions, each with its
 * section of the PTX ISA. A C++ compiler alone gets the same names from an emulation. They compile for sm_90a; kernels
 * that use them put their bodies between #if PKIN_IS_HOPPER.
 *
 * Addresses: an mbarrier, a source or a destination in shared memory is given as a pointer; "at a block" means the same
 * place in the shared memory of that block of the cluster.
 */
#include "kernels/simt.cuh"

#ifndef __CUDACC__
#define PKIN_IS_HOPPER 1
#include "support/simt/hopper.h"
#else

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define PKIN_IS_HOPPER 1
#else
#define PKIN_IS_HOPPER 0
#endif

namespace pkin {

/* What cuTensorMapEncodeTiled writes. Kernels take it as a __grid_constant__ parameter. */
struct alignas(128) tensor_map {
    uint64_t opaque[16];
};

/* An address within the block's window of shared memory, as instructions and descriptors want it. */
static __device__ __forceinline__ uint32_t shared_address(const void *pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

/* "trap": ends the kernel with an error. */
static __device__ __forceinline__ void trap() {
    asm volatile("trap;");
}

/* ---- Clusters ---- */

/* %cluster_ctarank ("Special Registers"): this block's number in its cluster. */
static __device__ __forceinline__ uint32_t cluster_rank() {
    uint32_t rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/* "barrier.cluster": all threads of the cluster; what was written to shared memory before is seen behind it. */
static __device__ __forceinline__ void cluster_sync() {
    asm volatile("barrier.cluster.arrive.release;\n\t"
                 "barrier.cluster.wait.acquire;" ::
                     : "memory");
}

/* "elect.sync": true in one lane of the warp, all of which call. */
static __device__ __forceinline__ bool elect_one() {
    uint32_t is_elected;
    asm volatile("{\n\t"
                 ".reg .pred elected;\n\t"
                 "elect.sync _|elected, 0xffffffff;\n\t"
                 "selp.u32 %0, 1, 0, elected;\n\t"
                 "}"
                 : "=r"(is_elected));
    return is_elected != 0;
}

/* "barrier": n_threads threads of the block, whole warps, meet at its barrier `id` in [1, 16). */
static __device__ __forceinline__ void named_barrier_sync(uint32_t id, uint32_t n_threads) {
    asm volatile("barrier.sync %0, %1;" ::"r"(id), "r"(n_threads) : "memory");
}

/* ---- Registers: "setmaxnreg" ---- */

/* Whole warpgroup: gives registers above n_registers a thread back, or waits until it can have so many. */
template <uint32_t n_registers> static __device__ __forceinline__ void registers_shrink() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(n_registers));
}
template <uint32_t n_registers> static __device__ __forceinline__ void registers_grow() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(n_registers));
}

/* ---- mbarriers: "Parallel Synchronization and Communication Instructions: mbarrier" ---- */

/* A phase completes when `n_arrivals` have arrived and all bytes that were expected have come. */
static __device__ __forceinline__ void barrier_init(uint64_t *barrier, uint32_t n_arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(n_arrivals) : "memory");
}

/* "fence.mbarrier_init": by who initialised, before the cluster's (or the block's) barrier; "fence.proxy.async" makes
   them known to TMA as well. */
static __device__ __forceinline__ void barrier_init_fence() {
    asm volatile("fence.mbarrier_init.release.cluster;\n\t"
                 "fence.proxy.async;" ::
                     : "memory");
}

/* "mbarrier.arrive.expect_tx": one arrival, and n_bytes more to come in this phase. */
static __device__ __forceinline__ void barrier_expect(uint64_t *barrier, uint32_t n_bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(n_bytes)
                 : "memory");
}

/*
 * "mbarrier.arrive" on the barrier at a block of the cluster, this one included ("mapa"). For what was read through
 * the async proxy and is complete; it releases no writes to other blocks: that is for .release.cluster, a fence that
 * waits for all of the thread's memory accesses.
 */
static __device__ __forceinline__ void barrier_arrive_at(uint64_t *barrier, uint32_t block) {
    asm volatile("{\n\t"
                 ".reg .b32 there;\n\t"
                 "mapa.shared::cluster.u32 there, %0, %1;\n\t"
                 "mbarrier.arrive.shared::cluster.b64 _, [there];\n\t"
                 "}" ::"r"(shared_address(barrier)),
                 "r"(block)
                 : "memory");
}

/*
 * "mbarrier.try_wait.parity": returns when the phase of this parity is complete: the first has parity 0, the next 1,
 * and so on by turns. Whoever waits must be at most one phase behind. The bytes that TMA wrote are there.
 */
static __device__ __forceinline__ void barrier_wait(uint64_t *barrier, uint32_t parity) {
    uint32_t is_complete;
    do {
        asm volatile("{\n\t"
                     ".reg .pred complete;\n\t"
                     "mbarrier.try_wait.parity.shared::cta.b64 complete, [%1], %2;\n\t"
                     "selp.u32 %0, 1, 0, complete;\n\t"
                     "}"
                     : "=r"(is_complete)
                     : "r"(shared_address(barrier)), "r"(parity)
                     : "memory");
    } while (is_complete == 0);
}

/* ---- TMA: "cp.async.bulk.tensor" ---- */

/* "prefetch.tensormap" */
static __device__ __forceinline__ void tma_prefetch(const tensor_map *map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/* One thread: fetches the map's box at (byte x, row y) to shared memory, whose bytes count for the barrier. */
static __device__ __forceinline__ void tma_load(void *to, const tensor_map *map, uint64_t *barrier, int32_t x,
                                                int32_t y) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(to)),
                 "l"(map), "r"(x), "r"(y), "r"(shared_address(barrier))
                 : "memory");
}

/* The same, to every block of the cluster whose bit is set, and counted at that block's barrier. */
static __device__ __forceinline__ void tma_load_multicast(void *to, const tensor_map *map, uint64_t *barrier, int32_t x,
                                                          int32_t y, uint16_t blocks) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%2, %3}], [%4], %5;" ::"r"(shared_address(to)),
                 "l"(map), "r"(x), "r"(y), "r"(shared_address(barrier)), "h"(blocks)
                 : "memory");
}

/* ---- Products: "Asynchronous Warpgroup Level Matrix Multiply-Accumulate Instructions" ---- */

/* "wgmma.fence": orders the warpgroup's own accesses of accumulators before its products. */
static __device__ __forceinline__ void wgmma_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

/* "wgmma.commit_group": the products since the last call are a group. */
static __device__ __forceinline__ void wgmma_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* "wgmma.wait_group": until at most n_pending of the youngest groups are not complete. */
template <int n_pending> static __device__ __forceinline__ void wgmma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(n_pending) : "memory");
}

#define PKIN_EIGHT(x, n)                                                                                               \
    "+r"((x)[n]), "+r"((x)[(n) + 1]), "+r"((x)[(n) + 2]), "+r"((x)[(n) + 3]), "+r"((x)[(n) + 4]), "+r"((x)[(n) + 5]),  \
        "+r"((x)[(n) + 6]), "+r"((x)[(n) + 7])
#define PKIN_ALL_VALUES(x)                                                                                             \
    PKIN_EIGHT(x, 0), PKIN_EIGHT(x, 8), PKIN_EIGHT(x, 16), PKIN_EIGHT(x, 24), PKIN_EIGHT(x, 32), PKIN_EIGHT(x, 40),    \
        PKIN_EIGHT(x, 48), PKIN_EIGHT(x, 56), PKIN_EIGHT(x, 64), PKIN_EIGHT(x, 72), PKIN_EIGHT(x, 80),                 \
        PKIN_EIGHT(x, 88), PKIN_EIGHT(x, 96), PKIN_EIGHT(x, 104), PKIN_EIGHT(x, 112), PKIN_EIGHT(x, 120)

/* Until all groups are complete. The compiler must not read a value before: it takes them to be written here. */
static __device__ __forceinline__ void wgmma_wait_all(int32_t (&values)[128]) {
    asm volatile("wgmma.wait_group.sync.aligned 0;" : PKIN_ALL_VALUES(values)::"memory");
}

/*
 * "wgmma.mma_async", whole warpgroup: values = a b + (adds ? values : 0), a 64 x 32 and b 32 x 256 unsigned bytes in
 * shared memory, told by descriptors.
 */
static __device__ __forceinline__ void wgmma_m64n256k32_u8(int32_t (&values)[128], uint64_t a, uint64_t b, bool adds) {
    asm volatile("{\n\t"
                 ".reg .pred adds;\n\t"
                 "setp.ne.b32 adds, %130, 0;\n\t"
                 "wgmma.mma_async.sync.aligned.m64n256k32.s32.u8.u8 {"
                 "%0, %1, %2, %3, %4, %5, %6, %7, "
                 "%8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, "
                 "%24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, "
                 "%40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, "
                 "%56, %57, %58, %59, %60, %61, %62, %63, "
                 "%64, %65, %66, %67, %68, %69, %70, %71, "
                 "%72, %73, %74, %75, %76, %77, %78, %79, "
                 "%80, %81, %82, %83, %84, %85, %86, %87, "
                 "%88, %89, %90, %91, %92, %93, %94, %95, "
                 "%96, %97, %98, %99, %100, %101, %102, %103, "
                 "%104, %105, %106, %107, %108, %109, %110, %111, "
                 "%112, %113, %114, %115, %116, %117, %118, %119, "
                 "%120, %121, %122, %123, %124, %125, %126, %127"
                 "}, %128, %129, adds;\n\t"
                 "}"
                 : PKIN_ALL_VALUES(values)
                 : "l"(a), "l"(b), "r"(static_cast<int32_t>(adds))
                 : "memory");
}

#undef PKIN_ALL_VALUES
#undef PKIN_EIGHT

} // namespace pkin

#endif
#endif
