/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_BLOCK_INDEX_H
#define PKIN_SIMILARITY_CPU_BLOCK_INDEX_H

/*
 * An inverted index over a block of rows: for every column the block's rows that hold it. A block is so small that one
 * 64-bit sum a row stays in the first-level cache while another row is held against all of it.
 */
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_BLOCK_ROWS = 2048 }; /* at most; a multiple of PKIN_I_KERNEL_ROWS */

typedef struct pkin_i_block_index {
    uint64_t first_row;
    uint32_t n_rows;    /* at most PKIN_I_BLOCK_ROWS */
    uint32_t *offsets;  /* n_columns + 1: column c has postings [offsets[c], offsets[c + 1]) */
    uint64_t *postings; /* weight << 32 | row - first_row; rows ascending within a column */
} pkin_i_block_index;

/* Room for blocks of at most `n_entries` entries: pkin_i_block_index_build then allocates nothing. */
pkin_status pkin_i_block_index_reserve(uint64_t n_columns, uint64_t n_entries, pkin_i_block_index *out);
void pkin_i_block_index_free(pkin_i_block_index *index);

/* Indexes rows [first_row, first_row + n_rows). O(columns + entries). */
void pkin_i_block_index_build(const pkin_vectors *vectors, uint64_t first_row, uint32_t n_rows,
                              pkin_i_block_index *index);

PKIN_EXTERN_C_END

#endif
