/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_SEED_ROWS_CUH
#define PKIN_KERNELS_SEED_ROWS_CUH

/*
 * Rows against a sample of the other side, by sketches: which sampled rows are the most promising first neighbours, and
 * how many neighbours a row is to expect that reach its limit.
 *
 * A block has 128 rows and takes all sampled columns, 128 at a time, by the tile of dp4a_tile.cuh (unsigned products of
 * q, whatever the coding). A warp's threads hold each row's products with 32 columns in the registers of eight lanes,
 * four a lane: three shuffles give the row's largest among them, or their number. That is what the block shares:
 *
 *   keys[piece][row]  the best of 32 columns. A group is some pieces one after another: thread t of the first 128
 *                     goes through row t's and appends a candidate where a group ends.
 *   counts[row]       added to by the lanes that have a row's sums, written out at the end.
 *
 * O(rows * sample * dimension / 4) dp4a, and 128 * dimension bytes read a tile and side, the sample's from L2. The
 * candidates are in no order, but which they are depends on the sketches alone.
 */
#include "kernels/append.cuh"
#include "kernels/dp4a_tile.cuh"
#include "kernels/gpu_device.h"
#include "kernels/gpu_launch.h"

namespace pkin {

enum { SEED_PIECE = 32, SEED_PIECES = DP4A_TILE / SEED_PIECE };

/* What the kernels below take, from what the device is asked for. */
struct seed_arguments {
    const uint8_t *row_sketches, *sample_sketches;
    uint64_t row_first, sample_first, stride;
    uint32_t dimension, flip;
    uint32_t row_begin, row_end, n_sample;
    uint32_t group;
    int32_t within;
    pkin_i_gpu_candidate *found;
    uint64_t *n_found;
    uint32_t *counts;
    const int32_t *row_limits;
};

static inline seed_arguments seed_arguments_of(const pkin_i_gpu_seed_work &work) {
    seed_arguments out;
    out.row_sketches = work.rows->sketches;
    out.sample_sketches = work.sample->sketches;
    out.row_first = work.rows->first;
    out.sample_first = work.sample->first;
    out.stride = work.stride;
    out.dimension = work.rows->dimension;
    out.flip = dp4a_flip(work.rows->coding == PKIN_I_GPU_SHIFTED);
    out.row_begin = work.row_begin;
    out.row_end = work.row_end;
    out.n_sample = work.sample->n_rows;
    out.group = work.group;
    out.within = work.within;
    out.found = work.found;
    out.n_found = work.n_found;
    out.counts = work.counts;
    out.row_limits = work.row_limits;
    return out;
}

/* A block 128 rows. Tiles begin at multiples of 128, so that all of a tile's rows exist. */
static inline pkin_i_gpu_grid seed_grid(const pkin_i_gpu_seed_work &work) {
    const uint32_t first = work.row_begin / DP4A_TILE * DP4A_TILE;
    return pkin_i_gpu_grid_of(work.row_end > work.row_begin ? work.row_end - first : 0, DP4A_TILE, DP4A_THREADS, 0);
}

/* The block's first row of the shard. */
static __device__ __forceinline__ uint32_t seed_first_row(const seed_arguments &work) {
    return work.row_begin / DP4A_TILE * DP4A_TILE + blockIdx.x * DP4A_TILE;
}

/* What a block knows of its rows: whether they count, by a limit that some product reaches, and which sampled column
   they are themselves, to be left out; UINT32_MAX: none. */
struct seed_block {
    dp4a_shared tile;
    int32_t limits[DP4A_TILE];
    uint32_t own_columns[DP4A_TILE];
};

/* Written ahead of the first tile's barriers, so that no other is needed. */
static __device__ __forceinline__ void seed_begin(const seed_arguments &work, seed_block &block) {
    if (threadIdx.x >= DP4A_TILE) return;
    const uint32_t row = seed_first_row(work) + threadIdx.x;
    const bool has = row >= work.row_begin && row < work.row_end;
    const uint64_t apart = work.row_first + row - work.sample_first; /* huge where the row is before the sample */
    const bool is_sampled = work.within && apart % work.stride == 0 && apart / work.stride < work.n_sample;
    block.limits[threadIdx.x] = !has ? INT32_MAX : work.counts ? work.row_limits[work.row_first + row] : 1;
    block.own_columns[threadIdx.x] = is_sampled ? static_cast<uint32_t>(apart / work.stride) : UINT32_MAX;
}

/* Calls visit(products, first column) for all tiles of the block. */
template <class Visit>
static __device__ __forceinline__ void seed_sweep(const seed_arguments &work, dp4a_shared &tile, Visit &&visit) {
    const dp4a_side rows = {work.row_sketches, seed_first_row(work), work.flip};
#pragma unroll 1
    for (uint32_t first_column = 0; first_column < work.n_sample; first_column += DP4A_TILE) {
        const dp4a_side columns = {work.sample_sketches, first_column, work.flip};
        dp4a_tile(tile, rows, columns, work.dimension,
                  [&](const int32_t(&products)[DP4A_EACH][DP4A_EACH]) { visit(products, first_column); });
    }
}

/*
 * A product of a piece of 32 columns and its column's number in the piece, as a key: the largest is the first of the
 * largest products. Products are below 2^17 (sketch.h), so that five bits more are no trouble. Below SEED_PIECE: none.
 */
static __device__ __forceinline__ uint32_t seed_key(int32_t product, uint32_t number) {
    return static_cast<uint32_t>(product) * SEED_PIECE + (SEED_PIECE - 1 - number);
}

/*
 * The largest key of the thread's four products and those of the seven lanes beside it, in all of them. `column`: the
 * sample's row that the first of the four is with; `own`: the one that is left out, UINT32_MAX for none.
 */
static __device__ __forceinline__ uint32_t seed_best(const int32_t *products, uint32_t column, uint32_t n_sample,
                                                     uint32_t own) {
    uint32_t best = 0;
#pragma unroll
    for (uint32_t e = 0; e < 4; e++) {
        const uint32_t key = seed_key(products[e], threadIdx.x % 8 * 4 + e);
        if (column + e < n_sample && column + e != own && key > best) best = key;
    }
#pragma unroll
    for (int apart = 4; apart > 0; apart /= 2) {
        const uint32_t other = __shfl_xor_sync(0xffffffffu, best, apart);
        if (other > best) best = other;
    }
    return best;
}

/* Whole warps: appends the candidate of each thread's row, if it has one. There is room for all. */
static __device__ __forceinline__ void seed_append(const seed_arguments &work, bool has, uint32_t row,
                                                   uint32_t column) {
    const uint64_t at = place_in_warp(has, work.n_found);
    if (has) {
        pkin_i_gpu_candidate candidate;
        candidate.i = static_cast<uint32_t>(work.row_first + row);
        candidate.j = static_cast<uint32_t>(work.sample_first + column * work.stride);
        work.found[at] = candidate;
    }
}

static __global__ void __launch_bounds__(DP4A_THREADS, 2) seed_best_kernel(seed_arguments work) {
    __shared__ seed_block block;
    __shared__ uint32_t keys[SEED_PIECES][DP4A_TILE];
    /* [t], thread t's alone: row t's largest product of the group so far, and whose it is. In registers they would
       cost a spill beside the products. */
    __shared__ int32_t bests[DP4A_TILE];
    __shared__ uint32_t best_columns[DP4A_TILE];
    if (threadIdx.x < DP4A_TILE) bests[threadIdx.x] = 0, best_columns[threadIdx.x] = 0;
    seed_begin(work, block);
    seed_sweep(work, block.tile, [&](const int32_t(&products)[DP4A_EACH][DP4A_EACH], uint32_t first_column) {
        const uint32_t half = threadIdx.x / 32 % 2; /* of the pieces, this warp has `half` and half + 2 */
        const uint32_t low = first_column + dp4a_column(0), high = first_column + dp4a_column(4);
#pragma unroll
        for (uint32_t r = 0; r < DP4A_EACH; r++) {
            const uint32_t row = dp4a_row(r), own = block.own_columns[row];
            const uint32_t low_key = seed_best(&products[r][0], low, work.n_sample, own);
            const uint32_t high_key = seed_best(&products[r][4], high, work.n_sample, own);
            if (threadIdx.x % 8 == 0) {
                keys[half][row] = low_key;
                keys[half + 2][row] = high_key;
            }
        }
        __syncthreads();
        if (threadIdx.x >= DP4A_TILE) return;
        int32_t best = bests[threadIdx.x];
        uint32_t best_column = best_columns[threadIdx.x];
#pragma unroll 1 /* for the registers as well */
        for (uint32_t piece = 0; piece < SEED_PIECES; piece++) {
            const uint32_t begin = first_column + piece * SEED_PIECE, end = begin + SEED_PIECE;
            const uint32_t key = keys[piece][threadIdx.x];
            const int32_t product = static_cast<int32_t>(key / SEED_PIECE);
            if (product > best) {
                best = product;
                best_column = begin + SEED_PIECE - 1 - key % SEED_PIECE;
            }
            /* The last piece that has columns ends a group in any case; behind it there is nothing. */
            if (end % work.group != 0 && end < work.n_sample) continue;
            const bool has = best > 0 && block.limits[threadIdx.x] != INT32_MAX;
            seed_append(work, has, seed_first_row(work) + threadIdx.x, best_column);
            best = 0;
        }
        bests[threadIdx.x] = best;
        best_columns[threadIdx.x] = best_column;
    });
}

static __global__ void __launch_bounds__(DP4A_THREADS, 2) seed_count_kernel(seed_arguments work) {
    __shared__ seed_block block;
    __shared__ uint32_t counts[DP4A_TILE];
    seed_begin(work, block);
    if (threadIdx.x < DP4A_TILE) counts[threadIdx.x] = 0;
    seed_sweep(work, block.tile, [&](const int32_t(&products)[DP4A_EACH][DP4A_EACH], uint32_t first_column) {
        const uint32_t left = work.n_sample - first_column;
#pragma unroll
        for (uint32_t r = 0; r < DP4A_EACH; r++) {
            const uint32_t row = dp4a_row(r), own = block.own_columns[row] - first_column;
            const int32_t limit = block.limits[row];
            uint32_t n = 0;
#pragma unroll
            for (uint32_t c = 0; c < DP4A_EACH; c++) {
                const uint32_t number = dp4a_column(c);
                n += products[r][c] >= limit && number < left && number != own;
            }
#pragma unroll
            for (int apart = 4; apart > 0; apart /= 2) n += __shfl_xor_sync(0xffffffffu, n, apart);
            if (threadIdx.x % 8 == 0 && n > 0) atomicAdd(&counts[row], n);
        }
    });
    __syncthreads();
    const uint32_t row = seed_first_row(work) + threadIdx.x;
    if (threadIdx.x < DP4A_TILE && row >= work.row_begin && row < work.row_end) {
        work.counts[row - work.row_begin] = counts[threadIdx.x];
    }
}

} // namespace pkin

#endif
