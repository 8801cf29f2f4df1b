/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_DP4A_TILE_CUH
#define PKIN_KERNELS_DP4A_TILE_CUH

/*
 * Products of 128 x 128 sketches by a block of 256 threads, with dp4a: four unsigned bytes by four, added up in 32
 * bits. Every device from compute capability 6.1 on has it; it is the oracle of the tensor-core filters.
 *
 * Steps of 64 bytes of the dimension. A step's 2 x 128 x 64 bytes lie in shared memory as words (four bytes of one
 * sketch), [word of the step][row], in two buffers: while one is multiplied, the next step is on its way from memory
 * through registers into the other, and one barrier a step parts them. 32 KiB, so that two blocks fit everywhere.
 *
 * Loading: thread t has row t % 128 and 32 bytes of it (a memory sector), first half of the step for t < 128, second
 * for the others; the lanes of a warp store to 32 banks. Multiplying: the threads are a grid of 16 x 16, of which a
 * warp has 4 x 8; a thread reads 4 + 4 rows and 4 + 4 columns as 16-byte words without bank conflicts, for 64 dp4a.
 *
 * Sums of any bytes stay below 2^28 (4096 * 255^2).
 */
#include "kernels/simt.cuh"

namespace pkin {

enum {
    DP4A_TILE = 128,
    DP4A_THREADS = 256,
    DP4A_EACH = 8, /* rows and columns of a thread */
    DP4A_STEP = 64 /* bytes */
};

struct dp4a_shared {
    __align__(16) uint32_t words[2][2][DP4A_STEP / 4][DP4A_TILE]; /* [buffer][side][word][row] */
};

/* 128 sketches: rows [first, first + 128) of a row-major array, all of which exist (zero rows at its end included). */
struct dp4a_side {
    const uint8_t *sketches;
    uint32_t first;
    uint32_t flip; /* dp4a_flip */
};

/* What turns four bytes of a coding into four q: a SHIFTED byte is q - 128. */
static __host__ __device__ __forceinline__ uint32_t dp4a_flip(bool is_shifted) {
    return is_shifted ? 0x80808080u : 0u;
}

/*
 * Where a thread's products are in the tile: product [r][c] is that of row dp4a_row(r) and column dp4a_column(c). The
 * eight lanes of a warp that share lane / 8 have the same rows; and the 32 columns [32 * n, 32 * n + 32) are those of
 * the warps with warp % 2 == n % 2, four of each thread: c < 4 for n < 2, the others for n >= 2.
 */
static __device__ __forceinline__ uint32_t dp4a_row(uint32_t r) {
    const uint32_t y = threadIdx.x / 64 * 4 + threadIdx.x % 32 / 8;
    return r / 4 * 64 + y * 4 + r % 4;
}

static __device__ __forceinline__ uint32_t dp4a_column(uint32_t c) {
    const uint32_t x = threadIdx.x / 32 % 2 * 8 + threadIdx.x % 8;
    return c / 4 * 64 + x * 4 + c % 4;
}

/* A thread's 32 bytes of a step of one side, on their way. */
struct dp4a_load {
    uint4 half[2];
};

static __device__ __forceinline__ void dp4a_fetch(const dp4a_side &side, uint32_t dimension, uint32_t k,
                                                  dp4a_load *out) {
    const uint64_t row = side.first + threadIdx.x % DP4A_TILE;
    const uint8_t *from = side.sketches + row * dimension + k + threadIdx.x / DP4A_TILE * 32;
    out->half[0] = *reinterpret_cast<const uint4 *>(from);
    out->half[1] = *reinterpret_cast<const uint4 *>(from + 16);
}

static __device__ __forceinline__ void dp4a_put(const dp4a_load &load, uint32_t flip, uint32_t (*words)[DP4A_TILE]) {
    const uint32_t row = threadIdx.x % DP4A_TILE, word = threadIdx.x / DP4A_TILE * 8;
#pragma unroll
    for (uint32_t h = 0; h < 2; h++) {
        words[word + 4 * h + 0][row] = load.half[h].x ^ flip;
        words[word + 4 * h + 1][row] = load.half[h].y ^ flip;
        words[word + 4 * h + 2][row] = load.half[h].z ^ flip;
        words[word + 4 * h + 3][row] = load.half[h].w ^ flip;
    }
}

/* A thread's 4 + 4 words of one word's row of a side: `at` is dp4a_row(0) or dp4a_column(0). */
static __device__ __forceinline__ void dp4a_take(const uint32_t *words, uint32_t at, uint32_t *out) {
    const uint4 low = *reinterpret_cast<const uint4 *>(words + at);
    const uint4 high = *reinterpret_cast<const uint4 *>(words + at + 64);
    out[0] = low.x, out[1] = low.y, out[2] = low.z, out[3] = low.w;
    out[4] = high.x, out[5] = high.y, out[6] = high.z, out[7] = high.w;
}

static __device__ __forceinline__ void dp4a_multiply(const uint32_t (*words)[DP4A_STEP / 4][DP4A_TILE],
                                                     int32_t (&products)[DP4A_EACH][DP4A_EACH]) {
    const uint32_t row = dp4a_row(0), column = dp4a_column(0);
#pragma unroll
    for (uint32_t w = 0; w < DP4A_STEP / 4; w++) {
        uint32_t a[DP4A_EACH], b[DP4A_EACH];
        dp4a_take(words[0][w], row, a);
        dp4a_take(words[1][w], column, b);
#pragma unroll
        for (uint32_t r = 0; r < DP4A_EACH; r++) {
#pragma unroll
            for (uint32_t c = 0; c < DP4A_EACH; c++) {
                products[r][c] = (int32_t)__dp4a(a[r], b[c], (uint32_t)products[r][c]);
            }
        }
    }
}

/*
 * Multiplies a tile and hands every thread's products to epilogue(const int32_t (&products)[8][8]), which may use
 * barriers but not `shared`. All 256 threads take part; `dimension` is a multiple of 64. Returns behind a barrier but
 * for the epilogue: the next tile may begin.
 */
template <class Epilogue>
static __device__ __forceinline__ void dp4a_tile(dp4a_shared &shared, const dp4a_side &rows, const dp4a_side &columns,
                                                 uint32_t dimension, Epilogue &&epilogue) {
    int32_t products[DP4A_EACH][DP4A_EACH] = {};
    dp4a_load row_load, column_load;
    uint32_t buffer = 0;
    dp4a_fetch(rows, dimension, 0, &row_load);
    dp4a_fetch(columns, dimension, 0, &column_load);
    dp4a_put(row_load, rows.flip, shared.words[0][0]);
    dp4a_put(column_load, columns.flip, shared.words[0][1]);
    __syncthreads();
    for (uint32_t k = DP4A_STEP;; k += DP4A_STEP) {
        const bool is_last = k >= dimension;
        if (!is_last) {
            dp4a_fetch(rows, dimension, k, &row_load);
            dp4a_fetch(columns, dimension, k, &column_load);
        }
        dp4a_multiply(shared.words[buffer], products);
        if (!is_last) {
            dp4a_put(row_load, rows.flip, shared.words[buffer ^ 1][0]);
            dp4a_put(column_load, columns.flip, shared.words[buffer ^ 1][1]);
        }
        __syncthreads();
        if (is_last) break;
        buffer ^= 1;
    }
    epilogue(products);
}

} // namespace pkin

#endif
