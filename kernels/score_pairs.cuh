/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_SCORE_PAIRS_CUH
#define PKIN_KERNELS_SCORE_PAIRS_CUH

/*
 * Exact scores of candidates: the sum of w_i * w_j over the columns that two rows share, as 64-bit integers, so that no
 * order of summation matters. A row's sum of squares is at most 2^60, hence every score and every part of one, too
 * (Cauchy-Schwarz); nothing overflows.
 *
 * A warp takes 32 candidates. Lane c loads candidate c (256 bytes a warp, coalesced) and the bounds of its two rows, a
 * whole batch's latencies at once; then all lanes score one candidate after another, and lane c keeps the score of
 * candidate c. At last the lanes whose score reaches min_score append their pairs behind one atomic addition a warp, or
 * offer them to the rows' heaps.
 *
 * Two rows of like length are merged: each has 32 columns and weights in the registers of the lanes, loaded in
 * coalesced runs of 128 bytes; every lane looks its own column of one row up among the 32 of the other by five
 * shuffles (both are ascending); then the run that ends first, or both, goes on. Rows of n and m entries take
 * at most ceil(n / 32) + ceil(m / 32) steps, 6 to 8 for abstracts of 100 terms, of some 70 instructions (sm_90a, by
 * nvcc 13), and 60 more for a pair: no memory is touched but in one pass over both rows. Where one row is more than
 * MERGE_RATIO times the other, each lane instead seeks one entry of the shorter by bisection in the longer, which costs
 * O(n / 32 * log(m)) steps: a row of 200,000 entries against one of 50 takes 2 * 18.
 *
 * Traffic: 8 bytes an entry of both rows, about 1.6 KB a pair of abstracts. Filters append the survivors of a tile
 * together, so candidates near each other share rows i, which then come from L1 or L2; rows j are the traffic that
 * counts, 0.8 KB a candidate, from L2 where the shard's entries fit there. Should hardware show that this bounds, the
 * alternative is to sort candidates by (i, j), hash row i into shared memory once for a run of candidates and to stream
 * rows j past it; it needs a sort of the candidates and rows that fit, and is not done for that.
 */
#include "kernels/append.cuh"
#include "kernels/heaps.cuh"

namespace pkin {

enum {
    SCORE_WARPS = 8, /* of a block */
    SCORE_BLOCK = SCORE_WARPS * 32,
    MERGE_RATIO = 8
};

/* What the kernels below take, from what the device is asked for. */
struct score_arguments {
    pkin_i_gpu_rows rows, columns;
    const pkin_i_gpu_candidate *candidates;
    uint64_t n_candidates;
    uint64_t min_score;
    pkin_pair *pairs;
    uint64_t *n_pairs;
    pkin_i_gpu_heaps heaps;
    int both;
};

inline score_arguments score_arguments_of(const pkin_i_gpu_score_work &work) {
    score_arguments arguments = {};
    arguments.rows = *work.rows;
    arguments.columns = *work.columns;
    arguments.candidates = work.candidates;
    arguments.n_candidates = work.n_candidates;
    arguments.min_score = work.min_score;
    arguments.pairs = work.pairs;
    arguments.n_pairs = work.n_pairs;
    if (work.heaps) arguments.heaps = *work.heaps;
    arguments.both = work.both;
    return arguments;
}

/* A row's entries: fewer than 2^32 - 32, 34 GB. */
struct score_row {
    const uint32_t *columns, *weights;
    uint32_t n;
};

static __device__ inline uint32_t score_lane() {
    return threadIdx.x % 32;
}

/* Up to 32 entries from `at` on, one a lane. Behind the end: the highest column, with no weight. */
struct score_run {
    uint32_t column, weight;
};

static __device__ inline score_run score_load(const score_row &row, uint32_t at) {
    score_run run = {UINT32_MAX, 0};
    at += score_lane();
    if (at < row.n) {
        run.column = row.columns[at];
        run.weight = row.weights[at];
    }
    return run;
}

/*
 * This lane's part of the products of two runs. `place` becomes the number of y's columns below x's, but for the last
 * column; so equal columns meet, and of equal ones (the fill behind the end) the first, whose weight counts.
 */
static __device__ inline uint64_t score_runs(const score_run &x, const score_run &y) {
    uint32_t place = 0;
    for (uint32_t step = 16; step > 0; step /= 2) {
        const uint32_t column = __shfl_sync(0xffffffffu, y.column, static_cast<int>(place + step - 1));
        if (column < x.column) place += step;
    }
    const uint32_t column = __shfl_sync(0xffffffffu, y.column, static_cast<int>(place));
    const uint32_t weight = __shfl_sync(0xffffffffu, y.weight, static_cast<int>(place));
    return column == x.column ? static_cast<uint64_t>(x.weight) * weight : 0;
}

/* This lane's part of the score, by merging runs: O((n + m) / 32). The rows are the same in all lanes. */
static __device__ inline uint64_t score_merge(const score_row &x, const score_row &y) {
    uint64_t sum = 0;
    uint32_t at_x = 0, at_y = 0;
    score_run run_x = score_load(x, 0), run_y = score_load(y, 0);
    for (;;) {
        sum += score_runs(run_x, run_y);
        const uint32_t last_x = __shfl_sync(0xffffffffu, run_x.column, 31);
        const uint32_t last_y = __shfl_sync(0xffffffffu, run_y.column, 31);
        /* Whatever is behind the run that ends first can meet the other one still. */
        if (last_x <= last_y) {
            at_x += 32;
            if (at_x >= x.n) break;
            run_x = score_load(x, at_x);
        }
        if (last_y <= last_x) {
            at_y += 32;
            if (at_y >= y.n) break;
            run_y = score_load(y, at_y);
        }
    }
    return sum;
}

/* The same by seeking the entries of the shorter row, one a lane, in the longer: O(n / 32 * log(m)). */
static __device__ inline uint64_t score_seek(const score_row &shorter, const score_row &longer) {
    uint64_t sum = 0;
    for (uint32_t at = score_lane(); at < shorter.n; at += 32) {
        const uint32_t column = shorter.columns[at];
        uint32_t low = 0, n = longer.n;
        while (n > 1) { /* [low, low + n) has the column if any place has */
            const uint32_t half = n / 2;
            if (longer.columns[low + half] <= column) low += half;
            n -= half;
        }
        if (longer.columns[low] == column) sum += static_cast<uint64_t>(shorter.weights[at]) * longer.weights[low];
    }
    return sum;
}

/* The score of two rows, in all lanes; the rows are the same in all lanes. */
static __device__ inline uint64_t score_rows(const score_row &x, const score_row &y) {
    uint64_t sum = 0;
    if (x.n == 0 || y.n == 0) return 0;
    if (x.n < y.n / MERGE_RATIO) {
        sum = score_seek(x, y);
    } else if (y.n < x.n / MERGE_RATIO) {
        sum = score_seek(y, x);
    } else {
        sum = score_merge(x, y);
    }
    for (int apart = 16; apart > 0; apart /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, apart);
    return sum;
}

/*
 * Scores the candidates from `first` on, one a lane; all lanes take part. A lane behind the last candidate has score 0,
 * and `*out` the last one.
 */
static __device__ inline uint64_t score_batch(const score_arguments &work, uint64_t first, pkin_i_gpu_candidate *out) {
    const uint64_t left = work.n_candidates - first;
    const uint32_t n = left < 32 ? static_cast<uint32_t>(left) : 32;
    const uint32_t lane = score_lane();
    const pkin_i_gpu_candidate own = work.candidates[first + (lane < n ? lane : n - 1)];
    const uint64_t i = own.i - work.rows.first, j = own.j - work.columns.first;
    const uint64_t begin_i = work.rows.offsets[i], begin_j = work.columns.offsets[j];
    const uint32_t n_i = static_cast<uint32_t>(work.rows.offsets[i + 1] - begin_i);
    const uint32_t n_j = static_cast<uint32_t>(work.columns.offsets[j + 1] - begin_j);
    uint64_t score = 0;
    for (uint32_t c = 0; c < n; c++) {
        const int from = static_cast<int>(c);
        const uint64_t at_i = __shfl_sync(0xffffffffu, begin_i, from), at_j = __shfl_sync(0xffffffffu, begin_j, from);
        const score_row x = {work.rows.columns + at_i, work.rows.weights + at_i, __shfl_sync(0xffffffffu, n_i, from)};
        const score_row y = {work.columns.columns + at_j, work.columns.weights + at_j,
                             __shfl_sync(0xffffffffu, n_j, from)};
        const uint64_t sum = score_rows(x, y);
        if (lane == c) score = sum;
    }
    *out = own;
    return score;
}

/* A join: warps take batches of 32 candidates in turn, of a grid of any size. min_score >= 1. */
static __global__ void __launch_bounds__(SCORE_BLOCK, 4) score_join_kernel(score_arguments work) {
    const uint64_t warp = (static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
    const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    for (uint64_t first = warp * 32; first < work.n_candidates; first += step) {
        pkin_i_gpu_candidate own;
        const uint64_t score = score_batch(work, first, &own);
        const bool keeps = score >= work.min_score;
        const uint64_t at = place_in_warp(keeps, work.n_pairs);
        if (keeps) {
            pkin_pair pair;
            pair.score = score;
            pair.i = own.i;
            pair.j = own.j;
            work.pairs[at] = pair;
        }
    }
}

/* A top-k: the same batches, offered. A heap's threshold is at least 1, so that a score of 0 enters none. */
static __global__ void __launch_bounds__(SCORE_BLOCK, 4) score_offer_kernel(score_arguments work) {
    const uint64_t warp = (static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
    const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    for (uint64_t first = warp * 32; first < work.n_candidates; first += step) {
        pkin_i_gpu_candidate own;
        const uint64_t score = score_batch(work, first, &own);
        heap_offer(work.heaps, score > 0, own.i, own.j, score);
        if (work.both) heap_offer(work.heaps, score > 0, own.j, own.i, score);
    }
}

/* Of both kernels: a warp 32 candidates. */
inline pkin_i_gpu_grid score_grid(const pkin_i_gpu_score_work &work) {
    return pkin_i_gpu_grid_of(work.n_candidates, SCORE_BLOCK, SCORE_BLOCK, 0);
}

} // namespace pkin

#endif
