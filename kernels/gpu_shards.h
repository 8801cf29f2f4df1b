/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_SHARDS_H
#define PKIN_KERNELS_GPU_SHARDS_H

/* Rows, cut into shards that fit where they are to stand. Pure arithmetic; gpu_store.h brings shards to devices. */
#include "kernels/gpu_device.h"
#include "kernels/gpu_items.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_GPU_ALIGNMENT = 1024 }; /* of what stands on a device: a multiple of what kernels ask for */

/* Where a shard's arrays stand in one block of memory, in bytes from its begin, and how many it takes. */
typedef struct pkin_i_gpu_shard_layout {
    uint64_t sketches, sums, offsets, columns, weights, bytes;
} pkin_i_gpu_shard_layout;
pkin_i_gpu_shard_layout pkin_i_gpu_shard_lay_out(uint64_t n_rows, uint64_t n_entries, uint32_t dimension,
                                                 pkin_i_gpu_coding coding);

typedef struct pkin_i_gpu_shards_want {
    const pkin_vectors *a, *b; /* b NULL: within a */
    uint32_t dimension;
    pkin_i_gpu_coding coding;
    uint64_t most_rows;  /* of a shard, rounded up to steps; 0: any */
    uint64_t most_bytes; /* of a shard */
} pkin_i_gpu_shards_want;

/*
 * Cuts a's rows, then b's, into shards: each begins at a multiple of PKIN_I_GPU_ROWS_STEP and takes as many steps as
 * there is room for, up to 2^30 rows. The array is the caller's. PKIN_ERROR_OUT_OF_MEMORY where a single step has no
 * room. O(rows / step).
 */
pkin_status pkin_i_gpu_shards_cut(const pkin_i_gpu_shards_want *want, pkin_i_gpu_shard **out, uint32_t *n_out);
/* Bytes of the largest single step: what most_bytes must be at least. */
uint64_t pkin_i_gpu_shards_step_bytes(const pkin_i_gpu_shards_want *want);

PKIN_EXTERN_C_END

#endif
