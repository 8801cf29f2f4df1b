/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_HEAPS_CUH
#define PKIN_KERNELS_HEAPS_CUH

/*
 * The k best neighbours of every row, offered by any warp of any kernel in any order: neighbor_heaps.h on a device.
 *
 * A row's places [row * k, row * k + counts[row]) are in no order. What is kept does not depend on the order of the
 * offers, because no two neighbours of a row rank the same (score descending, then neighbour ascending): as long as
 * there is room everything enters; from then on an offer takes the place of the worst if it ranks before it. A
 * neighbour that is there already does not enter again, and one that was pushed out never returns, since the worst only
 * becomes better; so offers may repeat.
 *
 * A row is changed by a whole warp that holds its lock. A warp holds one lock at a time, so warps cannot wait for each
 * other in a circle. Offers of a warp's 32 lanes to one row enter under one lock, since taking it is what costs: an
 * atomic exchange of the first lane, and fences that make what the last holder wrote visible (PTX ISA, "Memory
 * Consistency Model": the lock's write is released by the fence before it, the successful exchange is made an acquire
 * by the fence behind it, and the barriers of the warp carry both to the other lanes).
 *
 * Thresholds and limits are read without the lock: by offers that cannot enter, and by filters. They only rise, so that
 * an old value lets too much pass, never too little.
 *
 * An offer that enters costs O(k / 32) steps of a warp, with places read in coalesced runs of 32; one that is below the
 * row's threshold costs one load. k is any number from 1.
 */
#include "kernels/gpu_device.h"
#include "kernels/gpu_launch.h"
#include "kernels/simt.cuh"

namespace pkin {

enum { HEAP_LANES = 32, HEAPS_BLOCK = 256 };

/* pkin_i_gpu_limit: ceil(score * scale^2 / 2^60). The product is below 2^60.1 * 2^16, so that two words hold it. */
static __device__ inline int32_t limit_of_score(pkin_i_gpu_coding coding, uint64_t score) {
    const uint64_t square = coding == PKIN_I_GPU_SEVEN ? 127 * 127 : 255 * 255;
    const uint64_t below_one = (UINT64_C(1) << 60) - 1;
    uint64_t low = score * square, high = __umul64hi(score, square);
    low += below_one;
    high += low < below_one;
    return static_cast<int32_t>(high << 4 | low >> 60);
}

/* What another warp may be changing at this moment: read anew, in one piece. */
static __device__ inline uint64_t heap_threshold(const pkin_i_gpu_heaps &heaps, uint32_t row) {
    return *static_cast<const volatile uint64_t *>(heaps.thresholds + row);
}

static __device__ inline bool heap_is_worse(uint64_t score, uint32_t neighbor, uint64_t than_score,
                                            uint32_t than_neighbor) {
    return score != than_score ? score < than_score : neighbor > than_neighbor;
}

static __device__ inline void heap_lock(uint32_t *lock) {
    if (threadIdx.x % HEAP_LANES == 0) {
        while (atomicCAS(lock, 0u, 1u) != 0u) __nanosleep(64);
        __threadfence();
    }
    __syncwarp();
}

static __device__ inline void heap_unlock(uint32_t *lock) {
    __syncwarp();
    if (threadIdx.x % HEAP_LANES == 0) {
        __threadfence();
        atomicExch(lock, 0u);
    }
}

/* The worst of a row's neighbours, and whether a certain one is among them. */
struct heap_view {
    uint64_t worst_score;
    uint32_t worst_neighbor, worst_place; /* of no meaning where there are none */
    bool holds;
};

/* Looks through n places: lane l through l, l + 32, ... All lanes receive the same. Needs the lock. */
static __device__ inline heap_view heap_look(const uint64_t *scores, const uint32_t *neighbors, uint32_t n,
                                             uint32_t sought) {
    const uint32_t lane = threadIdx.x % HEAP_LANES;
    uint64_t score = UINT64_MAX; /* better than any: lanes without a place */
    uint32_t neighbor = 0, place = 0;
    bool holds = false;
    for (uint32_t at = lane; at < n; at += HEAP_LANES) {
        const uint64_t its_score = scores[at];
        const uint32_t its_neighbor = neighbors[at];
        holds |= its_neighbor == sought;
        if (heap_is_worse(its_score, its_neighbor, score, neighbor)) {
            score = its_score;
            neighbor = its_neighbor;
            place = at;
        }
    }
    heap_view view;
    view.worst_score = score;
    view.worst_neighbor = neighbor;
    for (int apart = HEAP_LANES / 2; apart > 0; apart /= 2) {
        const uint64_t its_score = __shfl_xor_sync(0xffffffffu, view.worst_score, apart);
        const uint32_t its_neighbor = __shfl_xor_sync(0xffffffffu, view.worst_neighbor, apart);
        if (heap_is_worse(its_score, its_neighbor, view.worst_score, view.worst_neighbor)) {
            view.worst_score = its_score;
            view.worst_neighbor = its_neighbor;
        }
    }
    /* No neighbour is there twice: the lane that had it knows its place. Where n is 0 every lane says so. */
    const uint32_t has = __ballot_sync(0xffffffffu, score == view.worst_score && neighbor == view.worst_neighbor);
    view.worst_place = __shfl_sync(0xffffffffu, place, __ffs(static_cast<int>(has)) - 1);
    view.holds = __any_sync(0xffffffffu, holds);
    return view;
}

/* Enters the offers of the lanes in `offers`, all to `row`; under its lock. */
static __device__ inline void heap_enter(const pkin_i_gpu_heaps &heaps, uint32_t row, uint32_t offers,
                                         uint32_t neighbor, uint64_t score) {
    uint64_t *scores = heaps.scores + static_cast<uint64_t>(row) * heaps.k;
    uint32_t *neighbors = heaps.neighbors + static_cast<uint64_t>(row) * heaps.k;
    const bool is_first_lane = threadIdx.x % HEAP_LANES == 0;
    uint32_t n = heaps.counts[row];
    bool entered = false;
    for (; offers; offers &= offers - 1) {
        const int from = __ffs(static_cast<int>(offers)) - 1;
        const uint64_t its_score = __shfl_sync(0xffffffffu, score, from);
        const uint32_t its_neighbor = __shfl_sync(0xffffffffu, neighbor, from);
        const heap_view view = heap_look(scores, neighbors, n, its_neighbor);
        const bool is_full = n == heaps.k;
        if (view.holds) continue;
        if (is_full && !heap_is_worse(view.worst_score, view.worst_neighbor, its_score, its_neighbor)) continue;
        const uint32_t place = is_full ? view.worst_place : n++;
        if (is_first_lane) {
            scores[place] = its_score;
            neighbors[place] = its_neighbor;
        }
        entered = true;
        __syncwarp();
    }
    if (!entered) return;
    const heap_view view = heap_look(scores, neighbors, n, 0);
    if (is_first_lane) {
        heaps.counts[row] = n;
        if (n == heaps.k) {
            *static_cast<volatile uint64_t *>(heaps.thresholds + row) = view.worst_score;
            *static_cast<volatile int32_t *>(heaps.limits + row) = limit_of_score(heaps.coding, view.worst_score);
        }
    }
}

/*
 * Every lane brings one offer, or none. Called by whole warps of blocks of one dimension. Rows that other warps finish
 * at the same time are not for it.
 */
static __device__ inline void heap_offer(const pkin_i_gpu_heaps &heaps, bool has, uint32_t row, uint32_t neighbor,
                                         uint64_t score) {
    if (has) has = score >= heap_threshold(heaps, row);
    uint32_t waiting = __ballot_sync(0xffffffffu, has);
    while (waiting) {
        const uint32_t its_row = __shfl_sync(0xffffffffu, row, __ffs(static_cast<int>(waiting)) - 1);
        const uint32_t offers = __ballot_sync(0xffffffffu, has && row == its_row);
        heap_lock(heaps.locks + its_row);
        heap_enter(heaps, its_row, offers, neighbor, score);
        heap_unlock(heaps.locks + its_row);
        waiting &= ~offers;
    }
}

/* No neighbours yet; `min_score` >= 1. A thread a row. */
static __global__ void heaps_begin_kernel(pkin_i_gpu_heaps heaps, uint64_t min_score) {
    const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    const int32_t limit = limit_of_score(heaps.coding, min_score);
    for (uint64_t row = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; row < heaps.n_rows; row += step) {
        heaps.counts[row] = 0;
        heaps.thresholds[row] = min_score;
        heaps.limits[row] = limit;
        heaps.locks[row] = 0;
    }
}

/* A thread a listed row. */
static __global__ void heaps_finish_kernel(pkin_i_gpu_heaps heaps, const uint32_t *listed, uint32_t n_listed) {
    const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    for (uint64_t at = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; at < n_listed; at += step) {
        heaps.thresholds[listed[at]] = UINT64_MAX;
        heaps.limits[listed[at]] = INT32_MAX;
    }
}

inline pkin_i_gpu_grid heaps_begin_grid(const pkin_i_gpu_heaps &heaps) {
    return pkin_i_gpu_grid_of(heaps.n_rows, HEAPS_BLOCK, HEAPS_BLOCK, 0);
}

inline pkin_i_gpu_grid heaps_finish_grid(uint32_t n_listed) {
    return pkin_i_gpu_grid_of(n_listed, HEAPS_BLOCK, HEAPS_BLOCK, 0);
}

} // namespace pkin

#endif
