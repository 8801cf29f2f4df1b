/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_LAUNCH_H
#define PKIN_KERNELS_GPU_LAUNCH_H

/*
 * How kernels are laid over a device: what the CUDA device (cuda_launch.cu) and a device that runs the kernels on the
 * host launch them with. A grid has at most 2^31 - 1 blocks in x, 65,535 in y and z; kernels with more work than that
 * loop over it in steps of their grid.
 */
#include "kernels/gpu_device.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_gpu_grid {
    uint32_t blocks[3];    /* a 0: nothing to launch */
    uint32_t threads;      /* of a block */
    uint32_t cluster;      /* blocks of a cluster; 1: none */
    uint32_t shared_bytes; /* dynamic */
} pkin_i_gpu_grid;

#define PKIN_I_GPU_BLOCKS_MOST 0x7fffffffu

/* One dimension of blocks, each with `each` of n pieces of work. */
static inline pkin_i_gpu_grid pkin_i_gpu_grid_of(uint64_t n, uint32_t each, uint32_t threads, uint32_t shared_bytes) {
    const uint64_t blocks = n / each + (n % each != 0);
    const pkin_i_gpu_grid grid = {
        {blocks < PKIN_I_GPU_BLOCKS_MOST ? (uint32_t)blocks : PKIN_I_GPU_BLOCKS_MOST, 1, 1}, threads, 1, shared_bytes};
    return grid;
}

/*
 * Products of a block, for the filters that write them to memory and then look through them. A block is one product of
 * matrices (rows of a shard are contiguous, so that there is nothing to batch): large enough to fill a device, and its
 * products no more than the L2 cache holds, so that they are read where they were written.
 */
typedef struct pkin_i_gpu_product_block {
    uint32_t n_rows, n_columns; /* multiples of 256; 0: no block fits */
} pkin_i_gpu_product_block;

enum { PKIN_I_GPU_BLOCK_ROWS = 4096, PKIN_I_GPU_BLOCK_COLUMNS = 8192, PKIN_I_GPU_BLOCK_LEAST = 256 };

/* The largest block in so many bytes. Its columns are a multiple of its rows, or half of them: where blocks begin at
   the diagonal, those of all bands of rows then have the same few shapes. */
static inline pkin_i_gpu_product_block pkin_i_gpu_product_block_in(uint64_t n_bytes, uint32_t product_bytes) {
    pkin_i_gpu_product_block block = {PKIN_I_GPU_BLOCK_ROWS, PKIN_I_GPU_BLOCK_COLUMNS};
    while ((uint64_t)block.n_rows * block.n_columns * product_bytes > n_bytes) {
        if (block.n_rows == PKIN_I_GPU_BLOCK_LEAST && block.n_columns == PKIN_I_GPU_BLOCK_LEAST) {
            block.n_rows = block.n_columns = 0;
            break;
        }
        if (block.n_columns > block.n_rows)
            block.n_columns /= 2;
        else
            block.n_rows /= 2;
    }
    return block;
}

/* Bytes for a block's products: the largest power of two in the L2 cache, at least 16 MiB, at most a full block's. */
static inline uint64_t pkin_i_gpu_product_bytes(uint64_t l2_bytes) {
    const uint64_t most = (uint64_t)PKIN_I_GPU_BLOCK_ROWS * PKIN_I_GPU_BLOCK_COLUMNS * sizeof(int32_t);
    uint64_t bytes = (uint64_t)16 << 20;
    while (bytes * 2 <= l2_bytes && bytes < most) bytes *= 2;
    return bytes;
}

PKIN_EXTERN_C_END

#endif
