/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_MERGED_TERMS_H
#define PKIN_HISTORY_MERGED_TERMS_H

#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_MERGED_TERMS_MAX = 64 };

/*
 * Makes up to PKIN_I_MERGED_TERMS_MAX shared terms, strongest first, readable: a pair of words takes up its words, with
 * what they add, where it adds at least a third of what the word adds: "kv", "cache" and "kv cache" become "kv cache".
 * Of several pairs of a word the one that most papers have takes it up (`df`, by column), as it is the most likely to
 * be a phrase of its own; a pair whose words other pairs took up is chance and left out ("cache long" between "kv
 * cache" and "long context"), as are terms without a name. What is left is sorted again, ties as they stood; returns
 * how many that are. O(n^2).
 */
size_t pkin_i_merge_terms(const pkin_matrix *matrix, const uint32_t *df, pkin_shared_term *terms, size_t n_terms);

PKIN_EXTERN_C_END

#endif
