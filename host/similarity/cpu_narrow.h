/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_NARROW_H
#define PKIN_SIMILARITY_CPU_NARROW_H

/*
 * Few entries over very many columns. The search keeps arrays of one item a column; a matrix of a few entries may claim
 * 2^32 - 1 columns. Where columns are far more than entries, those in use get new numbers 0, 1, 2, ... in their old
 * order, the same on both sides: scores see which columns are equal, never their numbers.
 */
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_narrowed {
    pkin_vectors a, b; /* row offsets and weights borrowed; a == b where there is one side */
    uint32_t *columns; /* NULL: the columns are borrowed, too */
} pkin_i_narrowed;

/* `b` NULL: a alone. O(entries). */
pkin_status pkin_i_narrow(const pkin_vectors *a, const pkin_vectors *b, pkin_i_narrowed *out);
void pkin_i_narrowed_free(pkin_i_narrowed *narrowed);

PKIN_EXTERN_C_END

#endif
