/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_SKETCH_ROWS_CUH
#define PKIN_KERNELS_SKETCH_ROWS_CUH

/*
 * Sketches of rows (host/similarity/sketch.h), to the same bytes as on the host, in integers alone.
 *
 * A warp takes a row. Its lanes read 128 entries at a time (four each, so that four loads are on their way) and add the
 * squares of their weights to the bucket sums, 64 bits each, in shared memory. Then every lane turns 16 buckets into 16
 * bytes and stores them at once: 512 buckets a warp and round.
 *
 * A bucket sum is two words, since 64-bit additions in shared memory are loops of compare-and-swap: the lower word is
 * added to atomically, which tells whether this very addition wrapped around, and the carry goes with the upper word.
 * Every wrap is told to exactly one lane, so the two words are the sum in the end, in whatever order lanes come.
 *
 * Shared memory of a warp: 8 bytes a bucket, buckets rounded up to 512, in the order in which they are read
 * (bucket_slot), so that a lane's 16 buckets are four 16-byte reads without bank conflicts. It is left zero behind each
 * row. At most 48 KiB a block (what needs no special launch attribute anywhere): 6 warps for d = 1024, one for 4096.
 *
 * O(entries + rows * d). A row's cost is a warp's: rows of many entries are a tail, 200,000 entries some milliseconds.
 * Nothing depends on the grid or on the order of lanes.
 */
#include "kernels/append.cuh"
#include "kernels/gpu_launch.h"

namespace pkin {

enum {
    SKETCH_ROUND = 512,       /* buckets that a warp quantises at a time: 16 a lane */
    SKETCH_EACH = 4,          /* entries that a lane reads at a time */
    SKETCH_WARPS_MOST = 8,    /* of a block */
    SKETCH_SHARED = 48 << 10, /* bytes of a block at most */
    SAMPLE_THREADS = 256
};

/* ---- Host: launches ---- */

/* Buckets in a warp's shared memory. */
static __host__ __device__ __forceinline__ uint32_t sketch_slots(uint32_t dimension) {
    return (dimension + SKETCH_ROUND - 1) / SKETCH_ROUND * SKETCH_ROUND;
}

static inline uint32_t sketch_warps(uint32_t dimension) {
    const uint32_t fitting = SKETCH_SHARED / (sketch_slots(dimension) * 8);
    return fitting < SKETCH_WARPS_MOST ? fitting : (uint32_t)SKETCH_WARPS_MOST;
}

/* Rows of a shard with the zero rows behind them. */
static __host__ __device__ __forceinline__ uint64_t padded_rows(uint32_t n_rows) {
    return ((uint64_t)n_rows + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
}

/* A row a warp; fewer blocks do as well. */
static inline pkin_i_gpu_grid sketch_grid(const pkin_i_gpu_rows &rows) {
    const uint32_t warps = sketch_warps(rows.dimension);
    return pkin_i_gpu_grid_of(padded_rows(rows.n_rows), warps, warps * 32, warps * sketch_slots(rows.dimension) * 8);
}

/* 16 bytes a thread; fewer blocks do as well. */
static inline pkin_i_gpu_grid sample_grid(const pkin_i_gpu_rows &sample) {
    return pkin_i_gpu_grid_of(padded_rows(sample.n_rows) * (sample.dimension / 16), SAMPLE_THREADS, SAMPLE_THREADS, 0);
}

/* ---- Quantising ---- */

/*
 * The smallest q with q^2 * 2^60 >= scale^2 * squares, for squares <= 2^60 and scale <= 255. As q^2 is an integer, it
 * is the smallest with q^2 >= wanted = ceil(scale^2 * squares / 2^60), which is at most scale^2 < 2^16; the product has
 * less than 2^76. Then the root: `below` grows to the largest number with below^2 < wanted, bit by bit.
 */
static __device__ __forceinline__ uint32_t quantise_up(uint64_t squares, uint32_t scale) {
    const unsigned long long one = (unsigned long long)scale * scale;
    const unsigned long long high = __umul64hi((unsigned long long)squares, one);
    const unsigned long long low = (unsigned long long)squares * one;
    const uint32_t wanted = (uint32_t)(high << 4 | low >> 60) + (uint32_t)(low << 4 != 0);
    uint32_t below = 0;
#pragma unroll
    for (uint32_t bit = 128; bit > 0; bit /= 2) {
        const uint32_t next = below | bit;
        if (next * next < wanted) below = next;
    }
    return wanted == 0 ? 0 : below + 1;
}

/*
 * Where bucket b of a round of 512 lies: lane b / 16 reads its 16 buckets as four times four, and the four of all lanes
 * lie side by side.
 */
static __host__ __device__ __forceinline__ uint32_t bucket_slot(uint32_t bucket) {
    const uint32_t in_round = bucket % SKETCH_ROUND;
    return bucket - in_round + in_round / 4 % 4 * 128 + in_round / 16 * 4 + in_round % 4;
}

/* What a row's sketch is made of. */
struct sketch_task {
    uint64_t n_rows;
    uint32_t dimension;
    uint32_t scale;          /* 255 or 127 */
    uint32_t flip;           /* 0x80808080: SHIFTED */
    const uint64_t *offsets; /* of entries */
    const uint32_t *columns;
    const uint32_t *weights;
    const uint16_t *buckets;
    uint8_t *sketches;
    int32_t *sums; /* NULL but for SHIFTED */
};

/* Host. */
static inline sketch_task sketch_task_of(const pkin_i_gpu_rows &rows, const uint16_t *buckets) {
    sketch_task out;
    out.n_rows = rows.n_rows;
    out.dimension = rows.dimension;
    out.scale = rows.coding == PKIN_I_GPU_SEVEN ? 127 : 255;
    out.flip = rows.coding == PKIN_I_GPU_SHIFTED ? 0x80808080u : 0;
    out.offsets = rows.offsets;
    out.columns = rows.columns;
    out.weights = rows.weights;
    out.buckets = buckets;
    out.sketches = rows.sketches;
    out.sums = rows.coding == PKIN_I_GPU_SHIFTED ? rows.sums : nullptr;
    return out;
}

/* Whole warp: adds the entries [begin, end) to the warp's bucket sums. */
static __device__ __forceinline__ void add_squares(const sketch_task &task, uint64_t begin, uint64_t end, uint32_t *low,
                                                   uint32_t *high) {
    const uint32_t lane = threadIdx.x % 32;
    for (uint64_t k = begin + lane; k < end; k += 32 * SKETCH_EACH) {
        uint32_t columns[SKETCH_EACH], weights[SKETCH_EACH], buckets[SKETCH_EACH];
#pragma unroll
        for (uint32_t e = 0; e < SKETCH_EACH; e++) {
            const bool is_there = k + 32 * e < end;
            columns[e] = is_there ? task.columns[k + 32 * e] : 0;
            weights[e] = is_there ? task.weights[k + 32 * e] : 0;
        }
#pragma unroll
        for (uint32_t e = 0; e < SKETCH_EACH; e++) buckets[e] = weights[e] ? task.buckets[columns[e]] : 0;
#pragma unroll
        for (uint32_t e = 0; e < SKETCH_EACH; e++) {
            if (!weights[e]) continue;
            const uint64_t square = (uint64_t)weights[e] * weights[e];
            const uint32_t slot = bucket_slot(buckets[e]), lower = (uint32_t)square;
            const uint32_t before = atomicAdd(&low[slot], lower);
            const uint32_t upper = (uint32_t)(square >> 32) + (uint32_t)(before > UINT32_MAX - lower);
            if (upper) atomicAdd(&high[slot], upper);
        }
    }
}

/* Four buckets as the bytes of a word, the first lowest; adds them to `sum` and clears them. */
static __device__ __forceinline__ uint32_t quantise_four(const sketch_task &task, uint32_t *low, uint32_t *high,
                                                         uint32_t *sum) {
    const uint4 lower = *reinterpret_cast<const uint4 *>(low), upper = *reinterpret_cast<const uint4 *>(high);
    const uint32_t lows[4] = {lower.x, lower.y, lower.z, lower.w}, highs[4] = {upper.x, upper.y, upper.z, upper.w};
    uint32_t word = 0;
#pragma unroll
    for (uint32_t e = 0; e < 4; e++) {
        const uint32_t q = quantise_up((uint64_t)highs[e] << 32 | lows[e], task.scale);
        word |= q << (8 * e);
        *sum += q;
    }
    *reinterpret_cast<uint4 *>(low) = make_uint4(0, 0, 0, 0);
    *reinterpret_cast<uint4 *>(high) = make_uint4(0, 0, 0, 0);
    return word;
}

/* Whole warp: the sketch of the row's bucket sums, which it clears. */
static __device__ __forceinline__ void write_sketch(const sketch_task &task, uint64_t row, uint32_t *low,
                                                    uint32_t *high) {
    const uint32_t lane = threadIdx.x % 32;
    uint32_t sum = 0;
    for (uint32_t bucket = lane * 16; bucket < task.dimension; bucket += SKETCH_ROUND) {
        uint32_t words[4];
#pragma unroll
        for (uint32_t w = 0; w < 4; w++) {
            const uint32_t slot = bucket_slot(bucket + 4 * w);
            words[w] = quantise_four(task, low + slot, high + slot, &sum) ^ task.flip;
        }
        *reinterpret_cast<uint4 *>(task.sketches + row * task.dimension + bucket) =
            make_uint4(words[0], words[1], words[2], words[3]);
    }
    if (!task.sums) return;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(ALL_LANES, sum, step);
    if (lane == 0) task.sums[row] = (int32_t)sum;
}

/* Launched with sketch_grid. */
static __global__ void __launch_bounds__(SKETCH_WARPS_MOST * 32) sketch_rows(sketch_task task) {
    PKIN_DYNAMIC_SHARED(shared);
    const uint32_t slots = sketch_slots(task.dimension), lane = threadIdx.x % 32;
    uint32_t *low = reinterpret_cast<uint32_t *>(shared) + (uint64_t)(threadIdx.x / 32) * 2 * slots;
    uint32_t *high = low + slots;
    for (uint32_t s = lane; s < 2 * slots; s += 32) low[s] = 0;
    __syncwarp();
    const uint64_t n_warps = (uint64_t)gridDim.x * (blockDim.x / 32);
    const uint64_t n_padded = padded_rows((uint32_t)task.n_rows);
    for (uint64_t row = (uint64_t)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32; row < n_padded; row += n_warps) {
        if (row < task.n_rows) add_squares(task, task.offsets[row], task.offsets[row + 1], low, high);
        __syncwarp();
        write_sketch(task, row, low, high);
        __syncwarp();
    }
}

/* ---- Samples ---- */

/* Sketches and sums of every stride-th row, to the rows of `sample` one after another; zero rows behind the last. */
struct sample_task {
    const uint8_t *from;
    const int32_t *from_sums; /* NULL but for SHIFTED */
    uint64_t stride;
    uint64_t n_rows; /* of the sample */
    uint32_t dimension;
    uint32_t flip; /* 0x80808080: SHIFTED */
    uint8_t *sketches;
    int32_t *sums; /* NULL but for SHIFTED */
};

/* Host. */
static inline sample_task sample_task_of(const pkin_i_gpu_rows &rows, uint64_t stride, const pkin_i_gpu_rows &sample) {
    const bool is_shifted = rows.coding == PKIN_I_GPU_SHIFTED;
    sample_task out;
    out.from = rows.sketches;
    out.from_sums = is_shifted ? rows.sums : nullptr;
    out.stride = stride;
    out.n_rows = sample.n_rows;
    out.dimension = rows.dimension;
    out.flip = is_shifted ? 0x80808080u : 0;
    out.sketches = sample.sketches;
    out.sums = is_shifted ? sample.sums : nullptr;
    return out;
}

/* Launched with sample_grid: a thread copies 16 bytes, neighbours side by side, and the first of a row also its sum. */
static __global__ void __launch_bounds__(SAMPLE_THREADS) sample_rows(sample_task task) {
    const uint32_t n_pieces = task.dimension / 16;
    const uint64_t n = padded_rows((uint32_t)task.n_rows) * n_pieces;
    for (uint64_t k = (uint64_t)blockIdx.x * SAMPLE_THREADS + threadIdx.x; k < n;
         k += (uint64_t)gridDim.x * SAMPLE_THREADS) {
        const uint64_t row = k / n_pieces, from = row * task.stride;
        const uint32_t piece = (uint32_t)(k % n_pieces);
        const bool is_there = row < task.n_rows;
        uint4 bytes = make_uint4(task.flip, task.flip, task.flip, task.flip);
        if (is_there) bytes = *reinterpret_cast<const uint4 *>(task.from + from * task.dimension + piece * 16);
        *reinterpret_cast<uint4 *>(task.sketches + row * task.dimension + piece * 16) = bytes;
        if (task.sums && piece == 0) task.sums[row] = is_there ? task.from_sums[from] : 0;
    }
}

} // namespace pkin

#endif
