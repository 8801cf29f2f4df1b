/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_HEAD_H
#define PKIN_SIMILARITY_CPU_HEAD_H

/*
 * The head: the few columns that so many rows hold that multiplying them pair by pair would be most of the work. They
 * are bounded first, and multiplied only for pairs whose bound still reaches the threshold.
 *
 * Head columns are dealt out to a few buckets. A row's norm in bucket b is n_b = ceil(sqrt(sum of w^2 over its head
 * columns in b) / 2^16), so that by Cauchy-Schwarz in every bucket  2^32 * sum_b n_b n'_b >= the head's part of the
 * score,  in integers that round up only. A row's sum of w^2 is at most 2^60: n_b <= 2^14, and sum_b n_b n'_b <= 2^28 +
 * 2^20 for 64 buckets or fewer. Any choice of columns and buckets is safe; the choice made here is merely a good one.
 */
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_HEAD_COLUMNS_MAX = 1024,
    PKIN_I_HEAD_BUCKETS = 16, /* even, at most 64 */
    PKIN_I_NORM_SHIFT = 16,
    PKIN_I_NOT_HEAD = 0xFFFF
};

typedef struct pkin_i_head {
    uint32_t n_columns;                       /* 0: no column is frequent enough */
    uint16_t *slots;                          /* of every column: its place in the head, or PKIN_I_NOT_HEAD */
    uint8_t buckets[PKIN_I_HEAD_COLUMNS_MAX]; /* of every slot */
} pkin_i_head;

/* What rows hold of the head: row r has entries [offsets[r], offsets[r + 1]) and the norms [r * BUCKETS ...]. */
typedef struct pkin_i_head_rows {
    uint64_t *offsets; /* n_rows + 1 */
    uint16_t *slots;
    uint32_t *weights;
    int16_t *norms;
} pkin_i_head_rows;

/* Columns in at least `min_share` of the rows, estimated from an even sample. */
pkin_status pkin_i_head_choose(const pkin_vectors *vectors, double min_share, pkin_i_head *out);
void pkin_i_head_free(pkin_i_head *head);

pkin_status pkin_i_head_rows_build(const pkin_i_head *head, const pkin_vectors *vectors, int n_threads,
                                   pkin_i_head_rows *out);
void pkin_i_head_rows_free(pkin_i_head_rows *rows);

PKIN_EXTERN_C_END

#endif
