/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_EXHAUST_ROWS_CUH
#define PKIN_KERNELS_EXHAUST_ROWS_CUH

/*
 * A few rows against everybody, exactly: for rows whose thresholds are so low that a filter would let most pairs pass.
 *
 * Up to eight listed rows are written into a dense table [term][8] of weights (exhaust_table_kernel), 32 bytes a term:
 * one memory sector, and 2 MB for 70,000 terms, which stay in L2. Then a warp takes 32 rows of the other side, one
 * after another: its lanes read the row's entries in coalesced runs of 32, gather each term's sector and add up eight
 * sums in registers; exchanging halves between lanes adds up all eight in nine shuffles and leaves lane l with the sum
 * of slot l / 4. The scores of the 32 rows meet in shared memory, so that lane l offers row l to one heap after
 * another, one lock for 32 offers. At the end the table is cleared by the same listed entries.
 *
 * Traffic: 8 bytes an entry of the other side from memory, and 32 from L2, for eight rows; against some 800 bytes from
 * L2 for one candidate alone, eight rows so cost about as much as a candidate or two for each row of the other side.
 * No order of anything matters: sums are of integers, and heaps do not depend on the order of offers.
 */
#include "kernels/heaps.cuh"

namespace pkin {

enum { EXHAUST_SLOTS = PKIN_I_GPU_EXHAUST_MOST, EXHAUST_WARPS = 8, EXHAUST_BLOCK = EXHAUST_WARPS * 32 };

/* What the kernels below take, from what the device is asked for. */
struct exhaust_arguments {
    pkin_i_gpu_rows rows, columns;
    const uint32_t *listed;
    uint32_t n_listed;
    int within;
    uint32_t *table; /* [term][slot] */
    pkin_i_gpu_heaps heaps;
};

static inline exhaust_arguments exhaust_arguments_of(const pkin_i_gpu_exhaust_work &work) {
    exhaust_arguments out;
    out.rows = *work.rows;
    out.columns = *work.columns;
    out.listed = work.listed;
    out.n_listed = work.n_listed;
    out.within = work.within;
    out.table = static_cast<uint32_t *>(work.workspace);
    out.heaps = *work.heaps;
    return out;
}

/* A block a listed row. Launched before the next kernel with `clears` 0 and behind it with 1. */
static inline pkin_i_gpu_grid exhaust_table_grid(const pkin_i_gpu_exhaust_work &work) {
    return pkin_i_gpu_grid_of(work.n_listed, 1, EXHAUST_BLOCK, 0);
}

static __global__ void exhaust_table_kernel(exhaust_arguments work, int clears) {
    const uint64_t row = work.listed[blockIdx.x];
    const uint64_t end = work.rows.offsets[row + 1];
    for (uint64_t at = work.rows.offsets[row] + threadIdx.x; at < end; at += blockDim.x) {
        const uint64_t term = work.rows.columns[at];
        work.table[term * EXHAUST_SLOTS + blockIdx.x] = clears ? 0 : work.rows.weights[at];
    }
}

/* This lane's parts of the scores of a row's entries [begin, end) with the listed rows. */
static __device__ inline void exhaust_gather(const exhaust_arguments &work, uint64_t begin, uint64_t end,
                                             unsigned long long (&sums)[EXHAUST_SLOTS]) {
#pragma unroll
    for (uint32_t s = 0; s < EXHAUST_SLOTS; s++) sums[s] = 0;
    for (uint64_t at = begin + threadIdx.x % 32; at < end; at += 32) {
        const uint64_t term = work.columns.columns[at];
        const unsigned long long weight = work.columns.weights[at];
        const uint4 *sector = reinterpret_cast<const uint4 *>(work.table + term * EXHAUST_SLOTS);
        const uint4 low = sector[0], high = sector[1];
        sums[0] += weight * low.x, sums[1] += weight * low.y, sums[2] += weight * low.z, sums[3] += weight * low.w;
        sums[4] += weight * high.x, sums[5] += weight * high.y, sums[6] += weight * high.z, sums[7] += weight * high.w;
    }
}

/* Adds up over the lanes: lane l receives the sum of slot l / 4. Each step halves the slots that a lane adds up. */
static __device__ inline uint64_t exhaust_add_up(const unsigned long long (&sums)[EXHAUST_SLOTS]) {
    const bool is_high = threadIdx.x & 16, is_second = threadIdx.x & 8, is_odd = threadIdx.x & 4;
    unsigned long long four[4], two[2], one;
#pragma unroll
    for (uint32_t s = 0; s < 4; s++) {
        four[s] = is_high ? sums[s + 4] : sums[s];
        four[s] += __shfl_xor_sync(0xffffffffu, is_high ? sums[s] : sums[s + 4], 16);
    }
#pragma unroll
    for (uint32_t s = 0; s < 2; s++) {
        two[s] = is_second ? four[s + 2] : four[s];
        two[s] += __shfl_xor_sync(0xffffffffu, is_second ? four[s] : four[s + 2], 8);
    }
    one = is_odd ? two[1] : two[0];
    one += __shfl_xor_sync(0xffffffffu, is_odd ? two[0] : two[1], 4);
    one += __shfl_xor_sync(0xffffffffu, one, 2);
    one += __shfl_xor_sync(0xffffffffu, one, 1);
    return one;
}

/* A warp 32 rows of the other side. */
static inline pkin_i_gpu_grid exhaust_grid(const pkin_i_gpu_exhaust_work &work) {
    return pkin_i_gpu_grid_of(work.columns->n_rows, EXHAUST_BLOCK, EXHAUST_BLOCK, 0);
}

static __global__ void __launch_bounds__(EXHAUST_BLOCK, 3) exhaust_offer_kernel(exhaust_arguments work) {
    __shared__ uint64_t shared_scores[EXHAUST_WARPS][EXHAUST_SLOTS][32];
    uint64_t(*scores)[32] = shared_scores[threadIdx.x / 32];
    const uint32_t lane = threadIdx.x % 32;
    const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    uint64_t first = (static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32 * 32;
    for (; first < work.columns.n_rows; first += step) {
        const uint64_t left = work.columns.n_rows - first;
        const uint32_t n = left < 32 ? static_cast<uint32_t>(left) : 32;
        const uint64_t own = first + (lane < n ? lane : n - 1);
        const unsigned long long own_begin = work.columns.offsets[own], own_end = work.columns.offsets[own + 1];
        for (uint32_t c = 0; c < n; c++) {
            const uint64_t begin = __shfl_sync(0xffffffffu, own_begin, static_cast<int>(c));
            const uint64_t end = __shfl_sync(0xffffffffu, own_end, static_cast<int>(c));
            unsigned long long sums[EXHAUST_SLOTS];
            exhaust_gather(work, begin, end, sums);
            const uint64_t score = exhaust_add_up(sums);
            if (lane % 4 == 0) scores[lane / 4][c] = score;
        }
        __syncwarp();
        const uint32_t neighbor = static_cast<uint32_t>(work.columns.first + own);
        for (uint32_t s = 0; s < work.n_listed; s++) {
            const uint32_t row = static_cast<uint32_t>(work.rows.first + work.listed[s]); /* of the side */
            const uint64_t score = lane < n ? scores[s][lane] : 0;
            heap_offer(work.heaps, score > 0 && !(work.within && neighbor == row), row, neighbor, score);
        }
        __syncwarp(); /* all have read before the next rows' scores are written */
    }
}

} // namespace pkin

#endif
