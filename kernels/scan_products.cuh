/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_SCAN_PRODUCTS_CUH
#define PKIN_KERNELS_SCAN_PRODUCTS_CUH

/*
 * Finds the survivors in a block of products that a GEMM has written: the second half of the filters GEMM32 and GEMM8.
 *
 * Layout: the products of rows [row_begin, row_end) with columns [column_begin, column_end) of a target, row-major;
 * product (row, column) at products[(row - row_begin) * leading + column - column_begin]. `products` is aligned to 16
 * bytes and `leading` a multiple of 16 elements, so that every thread reads 16 bytes at a time: columns up to the next
 * multiple of 16 must be there (their values do not matter).
 *
 * Bound by memory (4 or 1 bytes a product, read once). A warp reads 512 bytes of each of 8 rows at a time: 8 loads of
 * 16 bytes are on their way in every thread before the first is looked at. A block is 8 such warps side by side, four
 * times one below the other: what belongs to columns stays in registers for 32 rows. Groups of 8 rows that lie wholly
 * below the diagonal are not read.
 *
 * What is found does not depend on the grid; its order does.
 */
#include "kernels/append.cuh"
#include "kernels/gpu_launch.h"

namespace pkin {

enum {
    SCAN_THREADS = 256,
    SCAN_BATCH = 8, /* rows that a warp reads at a time */
    SCAN_ROWS = 32  /* of a block */
};

/*
 * Exact products of SHIFTED sketches. With d = dimension and sums of q, what is compared is (gpu_device.h)
 *
 *     product + 128 (row's sum + column's sum) - 16384 d.
 *
 * For d <= 4096: |product| <= 128^2 d <= 2^26; a sum is below 2^20, so 128 times it below 2^27; 16384 d <= 2^26. All
 * partial sums stay below 2^29 in absolute value. The result is sum q q' in [0, 2^28), compared with limits that may
 * be INT32_MAX: the product is corrected, not the limit, which could overflow.
 */
struct scan_words {
    enum { EACH = 4 };
    struct row_terms {
        uint32_t term;
        int32_t limit;
    };
    struct column_terms {
        uint32_t term[EACH];
        int32_t limit[EACH];
    };
    const int32_t *row_sums, *column_sums; /* of the shards, from their first rows on */
    uint32_t dimension;

    __device__ __forceinline__ row_terms of_row(const filter_target &target, uint32_t row) const {
        row_terms out = {0, INT32_MAX};
        if (row >= target.row_end) return out;
        out.term = 128u * (uint32_t)row_sums[row] - 16384u * dimension;
        out.limit = row_limit(target, row);
        return out;
    }
    /* Whole warp: those of lane `from`. */
    static __device__ __forceinline__ row_terms shared_by(const row_terms &terms, uint32_t from) {
        return {__shfl_sync(ALL_LANES, terms.term, (int)from), __shfl_sync(ALL_LANES, terms.limit, (int)from)};
    }
    __device__ __forceinline__ column_terms of_columns(const filter_target &target, uint64_t column) const {
        column_terms out;
#pragma unroll
        for (uint32_t c = 0; c < EACH; c++) {
            const bool is_there = column + c < target.column_end;
            out.term[c] = is_there ? 128u * (uint32_t)column_sums[column + c] : 0;
            out.limit[c] = is_there ? column_limit(target, (uint32_t)(column + c)) : INT32_MAX;
        }
        return out;
    }
    /* Unsigned: what is no product (behind the last column) may wrap around, and is left out later. */
    static __device__ __forceinline__ uint32_t hits(const uint4 &four, const row_terms &row,
                                                    const column_terms &column) {
        const uint32_t products[EACH] = {four.x, four.y, four.z, four.w};
        uint32_t out = 0;
#pragma unroll
        for (uint32_t c = 0; c < EACH; c++) {
            const int32_t product = (int32_t)(products[c] + row.term + column.term[c]);
            out |= (uint32_t)(product >= min(row.limit, column.limit[c])) << c;
        }
        return out;
    }
    static __device__ __forceinline__ uint32_t column_of(uint32_t bit) {
        return bit;
    }
};

/*
 * Products of SEVEN sketches that the GEMM has scaled by 126 / limit, rounded and saturated to signed bytes: those that
 * reach the limit are 125 or more, whatever the rounding. (Not all that are 125 reach it; scoring tells.)
 */
struct scan_bytes {
    enum { EACH = 16 };
    struct row_terms {};
    struct column_terms {};

    __device__ __forceinline__ row_terms of_row(const filter_target &, uint32_t) const {
        return row_terms();
    }
    static __device__ __forceinline__ row_terms shared_by(const row_terms &terms, uint32_t) {
        return terms;
    }
    __device__ __forceinline__ column_terms of_columns(const filter_target &, uint64_t) const {
        return column_terms();
    }
    /* Bit 7 of every byte in [125, 127]: 3 carry the lower seven bits of those into it. */
    static __device__ __forceinline__ uint32_t marks(uint32_t bytes) {
        return ((bytes & 0x7f7f7f7fu) + 0x03030303u) & ~bytes & 0x80808080u;
    }
    /* Bit 7 - w of byte b stands for byte b of word w. */
    static __device__ __forceinline__ uint32_t hits(const uint4 &sixteen, const row_terms &, const column_terms &) {
        return marks(sixteen.x) | marks(sixteen.y) >> 1 | marks(sixteen.z) >> 2 | marks(sixteen.w) >> 3;
    }
    static __device__ __forceinline__ uint32_t column_of(uint32_t bit) {
        return (7 - bit % 8) * 4 + bit / 8;
    }
};

/* Columns of a block. */
template <class Scan> static __host__ __device__ __forceinline__ uint32_t scan_columns() {
    return SCAN_THREADS * (uint32_t)Scan::EACH;
}

/* How many blocks' worth of products a target has, of which n_across lie side by side. */
template <class Scan>
static __host__ __device__ __forceinline__ uint64_t scan_n_parts(const filter_target &target, uint64_t *n_across) {
    if (target.row_begin >= target.row_end || target.column_begin >= target.column_end) return 0;
    const uint64_t n_down = ((uint64_t)target.row_end - target.row_begin + SCAN_ROWS - 1) / SCAN_ROWS;
    const uint64_t n_columns = target.column_end - target.column_begin;
    *n_across = (n_columns + scan_columns<Scan>() - 1) / scan_columns<Scan>();
    return n_down * *n_across;
}

/* Host: a part a block; fewer blocks do as well. */
template <class Scan> static inline pkin_i_gpu_grid scan_grid(const filter_target &target) {
    uint64_t n_across;
    return pkin_i_gpu_grid_of(scan_n_parts<Scan>(target, &n_across), 1, SCAN_THREADS, 0);
}

/* Whole warp: writes down the hits that count, of 8 rows. */
template <class Scan>
static __device__ __forceinline__ void scan_append(const filter_target &target, uint32_t row, uint32_t column,
                                                   uint32_t (&hits)[SCAN_BATCH]) {
    uint32_t n = 0;
#pragma unroll
    for (uint32_t r = 0; r < SCAN_BATCH; r++) {
        uint32_t kept = 0;
        for (uint32_t rest = hits[r]; rest; rest &= rest - 1) {
            const uint32_t bit = (uint32_t)__ffs((int)rest) - 1;
            if (is_wanted(target, row + r, column + Scan::column_of(bit))) kept |= 1u << bit;
        }
        hits[r] = kept;
        n += (uint32_t)__popc(kept);
    }
    uint64_t place = reserve_warp(target, n);
#pragma unroll
    for (uint32_t r = 0; r < SCAN_BATCH; r++) {
        for (uint32_t rest = hits[r]; rest; rest &= rest - 1) {
            const uint32_t bit = (uint32_t)__ffs((int)rest) - 1;
            put_candidate(target, place++, row + r, column + Scan::column_of(bit));
        }
    }
}

/*
 * Whole warp: 8 rows from `row` on, at least one of which counts; `column` is this lane's first. What does not exist is
 * read from what does, the last row or the first columns, so that loads depend on nothing; its hits do not count.
 */
template <class Scan>
static __device__ __forceinline__ void scan_batch(const Scan &scan, const filter_target &target,
                                                  const unsigned char *products, uint64_t leading_bytes, uint32_t row,
                                                  uint64_t column, const typename Scan::column_terms &columns) {
    const uint64_t column_bytes = column < target.column_end ? (column - target.column_begin) * (16 / Scan::EACH) : 0;
    const unsigned char *from = products + (row - target.row_begin) * leading_bytes + column_bytes;
    uint4 loaded[SCAN_BATCH];
#pragma unroll
    for (uint32_t r = 0; r < SCAN_BATCH; r++) {
        loaded[r] = *reinterpret_cast<const uint4 *>(from);
        if (row + r + 1 < target.row_end) from += leading_bytes;
    }
    const typename Scan::row_terms mine = scan.of_row(target, row + threadIdx.x % SCAN_BATCH); /* one trip for all 8 */
    uint32_t hits[SCAN_BATCH], any = 0;
#pragma unroll
    for (uint32_t r = 0; r < SCAN_BATCH; r++) {
        hits[r] = Scan::hits(loaded[r], Scan::shared_by(mine, r), columns);
        any |= hits[r];
    }
    if (__any_sync(ALL_LANES, any != 0)) scan_append<Scan>(target, row, (uint32_t)column, hits);
}

/* Launched with scan_grid<Scan>. */
template <class Scan>
static __global__ void __launch_bounds__(SCAN_THREADS)
    scan_products(Scan scan, filter_target target, const void *products, uint64_t leading) {
    const unsigned char *bytes = static_cast<const unsigned char *>(products);
    uint64_t n_across = 1;
    const uint64_t n_parts = scan_n_parts<Scan>(target, &n_across);
    const uint32_t warp_columns = 32 * (uint32_t)Scan::EACH;
    for (uint64_t part = blockIdx.x; part < n_parts; part += gridDim.x) {
        const uint64_t row_begin = target.row_begin + part / n_across * SCAN_ROWS;
        const uint64_t warp_column =
            target.column_begin + part % n_across * scan_columns<Scan>() + threadIdx.x / 32 * warp_columns;
        const uint64_t column = warp_column + threadIdx.x % 32 * (uint32_t)Scan::EACH;
        const typename Scan::column_terms columns = scan.of_columns(target, column);
        for (uint32_t r = 0; r < SCAN_ROWS; r += SCAN_BATCH) {
            if (!is_any_wanted(target, row_begin + r, SCAN_BATCH, warp_column, warp_columns)) continue;
            scan_batch(scan, target, bytes, leading * (16 / Scan::EACH), (uint32_t)(row_begin + r), column, columns);
        }
    }
}

} // namespace pkin

#endif
