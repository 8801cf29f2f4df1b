/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_WORD_ORDER_H
#define PKIN_VECTOR_WORD_ORDER_H

#include "text/vocabulary.h"

PKIN_EXTERN_C_BEGIN

/* ids[r] is the word of rank r: in byte order of the words, or in order of their ids. n = size of the vocabulary. */
pkin_status pkin_i_word_order(const pkin_i_vocabulary *vocabulary, int by_bytes, uint32_t *ids);

/*
 * Sorts by the `n_high_bits` bits above bit 32 of each value, ascending and stable; `other` has the same length.
 * Returns where the sorted values are. Linear: one pass for at most eight bits.
 */
uint64_t *pkin_i_radix_sort(uint64_t *values, uint64_t *other, size_t n, int n_high_bits);

PKIN_EXTERN_C_END

#endif
