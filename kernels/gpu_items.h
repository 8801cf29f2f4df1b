/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_ITEMS_H
#define PKIN_KERNELS_GPU_ITEMS_H

/*
 * The pairs of a task, cut into blocks: rows of one shard against columns of another. Pure arithmetic: knows shards by
 * their bounds alone. Within one side a block counts for its pairs i < j only, and shards are paired once.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

/* Rows [first, last) of side 0 (the task's a) or 1 (its b; within one side there is none). */
typedef struct pkin_i_gpu_shard {
    int side;
    uint64_t first, last;
} pkin_i_gpu_shard;

/* Rows and columns count from the beginning of their sides; they lie in the shards of these numbers. */
typedef struct pkin_i_gpu_block {
    uint32_t row_shard, column_shard;
    uint64_t row_begin, row_end;
    uint64_t column_begin, column_end;
} pkin_i_gpu_block;

/* Pairs of a block: i < j where `within`. */
uint64_t pkin_i_gpu_block_pairs(const pkin_i_gpu_block *block, bool within);
/* The same for the squares of PKIN_I_GPU_ROWS_STEP rows and columns that hold its pairs, in full: the filter's work. */
uint64_t pkin_i_gpu_block_padded_pairs(const pkin_i_gpu_block *block, bool within);

typedef struct pkin_i_gpu_items_want {
    bool within;
    uint64_t first, last; /* columns */
    uint64_t most_pairs;  /* of an item, >= 1 */
    const pkin_i_gpu_shard *shards;
    uint32_t n_shards; /* side 0's before side 1's, ascending */
} pkin_i_gpu_items_want;

/*
 * Blocks that hold each wanted pair once: (i, j), j in [first, last), and where `within` i < j. Those of a pair of
 * shards stand together, and one pair of shards mostly shares a shard with the next. Begins are multiples of
 * PKIN_I_GPU_ROWS_STEP from their shard's first row, or from `first` if that is later. The array is the caller's to
 * free.
 */
pkin_status pkin_i_gpu_items_list(const pkin_i_gpu_items_want *want, pkin_i_gpu_block **out, uint64_t *n_out);

/*
 * Cuts a block of at least two pairs into `n_wanted` parts or fewer (at least 2 where two hold pairs), along its longer
 * side, at multiples of PKIN_I_GPU_ROWS_STEP from its begin while it is longer than that. Part p of *n_parts is
 * pkin_i_gpu_block_part(block, cut, p).
 */
typedef struct pkin_i_gpu_cut {
    bool along_rows;
    uint64_t step; /* rows, or columns, of a part; the last may be shorter */
    uint64_t n_parts;
} pkin_i_gpu_cut;
pkin_i_gpu_cut pkin_i_gpu_block_cut(const pkin_i_gpu_block *block, uint64_t n_wanted);
pkin_i_gpu_block pkin_i_gpu_block_part(const pkin_i_gpu_block *block, pkin_i_gpu_cut cut, uint64_t part);

PKIN_EXTERN_C_END

#endif
