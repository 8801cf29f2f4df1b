/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_APPEND_CUH
#define PKIN_KERNELS_APPEND_CUH

/*
 * Which pairs a filter keeps, and how it writes them down: common to all filters, so that they can only differ in how
 * they multiply.
 *
 * Survivors are rare (a few of a million products), so all costs are in not looking: a filter compares products with
 * the limits, asks its warp once whether any lane found something, and only then comes here. The lanes' numbers of
 * survivors are added up within the warp, one atomic addition a warp reserves the places, and every lane writes its
 * own. The counter goes on counting where there is no room left: nothing is written there, and the caller sees how
 * much room it takes. The order of what is found depends on the order of the atomic additions: none.
 */
#include "kernels/gpu_device.h"
#include "kernels/simt.cuh"

namespace pkin {

constexpr uint32_t ALL_LANES = 0xffffffffu;

/* A pkin_i_gpu_filter_work as a kernel takes it. Rows and columns are counted within their shards. */
struct filter_target {
    uint64_t row_first, column_first; /* of the shards: what makes them rows of the sides */
    uint32_t row_begin, row_end;
    uint32_t column_begin, column_end;
    int32_t within; /* i < j alone */
    int32_t limit;
    const int32_t *row_limits, *column_limits; /* by row of the side; see pkin_i_gpu_filter_work */
    pkin_i_gpu_candidate *found;
    uint64_t capacity;
    uint64_t *n_found;
};

/* Host: what a work asks for. */
static inline filter_target filter_target_of(const pkin_i_gpu_filter_work &work) {
    filter_target out;
    out.row_first = work.rows->first;
    out.column_first = work.columns->first;
    out.row_begin = work.row_begin;
    out.row_end = work.row_end;
    out.column_begin = work.column_begin;
    out.column_end = work.column_end;
    out.within = work.within;
    out.limit = work.limit;
    out.row_limits = work.row_limits;
    out.column_limits = work.column_limits;
    out.found = work.found;
    out.capacity = work.capacity;
    out.n_found = work.n_found;
    return out;
}

/* Whether a product of the pair counts at all. */
static __host__ __device__ __forceinline__ bool is_wanted(const filter_target &target, uint32_t row, uint32_t column) {
    return row >= target.row_begin && row < target.row_end && column >= target.column_begin &&
           column < target.column_end && (!target.within || target.row_first + row < target.column_first + column);
}

/*
 * Whether [row, row + n_rows) x [column, column + n_columns) holds a pair that counts: for leaving out whole tiles.
 * The one farthest above the diagonal is the first row with the last column.
 */
static __host__ __device__ __forceinline__ bool is_any_wanted(const filter_target &target, uint64_t row,
                                                              uint32_t n_rows, uint64_t column, uint32_t n_columns) {
    const uint64_t row_begin = row > target.row_begin ? row : target.row_begin;
    const uint64_t row_end = row + n_rows < target.row_end ? row + n_rows : target.row_end;
    const uint64_t column_begin = column > target.column_begin ? column : target.column_begin;
    const uint64_t column_end = column + n_columns < target.column_end ? column + n_columns : target.column_end;
    return row_begin < row_end && column_begin < column_end &&
           (!target.within || target.row_first + row_begin < target.column_first + column_end - 1);
}

/*
 * Limits of a row and of a column, of whose lower one a product passes. What a target lacks, and rows that do not
 * count, have limits that no product reaches. In a top-k the limits rise while filters run: an old one lets more pass.
 */
static __device__ __forceinline__ int32_t row_limit(const filter_target &target, uint32_t row) {
    if (row < target.row_begin || row >= target.row_end) return INT32_MAX;
    return target.row_limits ? target.row_limits[target.row_first + row] : target.limit;
}

static __device__ __forceinline__ int32_t column_limit(const filter_target &target, uint32_t column) {
    if (!target.column_limits || column < target.column_begin || column >= target.column_end) return INT32_MAX;
    return target.column_limits[target.column_first + column];
}

/*
 * Whole warp: counts the lanes that have something, by one addition to `counter`, and returns this lane's place, which
 * means nothing where it has none.
 */
static __device__ __forceinline__ uint64_t place_in_warp(bool has, uint64_t *counter) {
    const uint32_t lane = threadIdx.x % 32, all = __ballot_sync(ALL_LANES, has);
    if (all == 0) return 0;
    unsigned long long begin = 0;
    if (lane == 0) {
        begin = atomicAdd(reinterpret_cast<unsigned long long *>(counter), (unsigned long long)__popc(all));
    }
    return __shfl_sync(ALL_LANES, begin, 0) + (uint32_t)__popc(all & ((1u << lane) - 1));
}

/* Whole warp: reserves places for `n` candidates of each lane; this lane's are [result, result + n). */
static __device__ __forceinline__ uint64_t reserve_warp(const filter_target &target, uint32_t n) {
    const uint32_t lane = threadIdx.x % 32;
    uint32_t up_to = n; /* of this lane and those before it */
#pragma unroll
    for (uint32_t step = 1; step < 32; step *= 2) {
        const uint32_t before = __shfl_up_sync(ALL_LANES, up_to, step);
        if (lane >= step) up_to += before;
    }
    unsigned long long begin = 0;
    if (lane == 31 && up_to > 0) {
        begin = atomicAdd(reinterpret_cast<unsigned long long *>(target.n_found), (unsigned long long)up_to);
    }
    begin = __shfl_sync(ALL_LANES, begin, 31);
    return begin + up_to - n;
}

/* Writes a candidate to a reserved place, if there is room. */
static __device__ __forceinline__ void put_candidate(const filter_target &target, uint64_t place, uint32_t row,
                                                     uint32_t column) {
    if (place >= target.capacity) return;
    pkin_i_gpu_candidate candidate;
    candidate.i = (uint32_t)(target.row_first + row);
    candidate.j = (uint32_t)(target.column_first + column);
    target.found[place] = candidate;
}

} // namespace pkin

#endif
