/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_DISTINCT_ROWS_H
#define PKIN_SIMILARITY_DISTINCT_ROWS_H

/*
 * One side of a comparison without its empty rows and with equal rows (the same columns and weights) once: what
 * backends get to see. Equal rows form a group; groups are numbered in the order of their lowest rows, so that ties
 * that go to the lower group go to the lower row. Where every row is a group of its own nothing is copied.
 *
 * Rows are hashed in parallel, dealt out by hash, and within one hash compared in full: O(entries), and 24 bytes a row
 * while it lasts.
 */
#include <stdbool.h>

#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_distinct_rows {
    pkin_vectors rows;     /* one a group; its arrays are the caller's where `offsets` is NULL */
    uint64_t *offsets;     /* rows.n_rows + 1; NULL: group g is row g and no other */
    uint32_t *members;     /* group g has rows [offsets[g], offsets[g + 1]) of this, ascending */
    uint64_t n_empty;      /* rows without entries: in no group */
    uint64_t n_copies;     /* rows that equal a lower one */
    uint64_t most_members; /* of the largest group: 0 without groups */
    uint64_t fingerprint;  /* of all rows, the empty ones and copies included */
    uint64_t bytes;        /* held */
} pkin_i_distinct_rows;

/*
 * `with_copies` 0: copies are in no group. `most_bytes` above 0: where one row of each group would take more (and copies
 * are wanted), all rows stay as they are, each a group of its own, and the fingerprint is another: that costs comparing
 * them one by one, and no result. `vectors` must outlive the result, which is freed with
 * pkin_i_distinct_rows_free, also where nothing was copied.
 */
pkin_status pkin_i_distinct_rows_find(const pkin_vectors *vectors, int with_copies, uint64_t most_bytes, int n_threads,
                                      pkin_i_distinct_rows *out);
void pkin_i_distinct_rows_free(pkin_i_distinct_rows *distinct);

/* Where group g's members begin and, for g + 1, end; and the row at such a place. */
static inline uint64_t pkin_i_group_begin(const pkin_i_distinct_rows *distinct, uint64_t g) {
    return distinct->offsets ? distinct->offsets[g] : g;
}
static inline uint32_t pkin_i_group_row(const pkin_i_distinct_rows *distinct, uint64_t at) {
    return distinct->members ? distinct->members[at] : (uint32_t)at;
}
static inline uint64_t pkin_i_group_size(const pkin_i_distinct_rows *distinct, uint64_t g) {
    return distinct->offsets ? distinct->offsets[g + 1] - distinct->offsets[g] : 1;
}

/* The score of a group's rows with each other: the sum of their squares, at most 2^60. */
uint64_t pkin_i_group_score(const pkin_i_distinct_rows *distinct, uint64_t g);

PKIN_EXTERN_C_END

#endif
