/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_TEXT_RATIO_H
#define PKIN_GROUPS_TEXT_RATIO_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

/*
 * Similarity of two sequences as a word diff sees it: 2 * (length of their longest common subsequence) / (sum of their
 * lengths), in [0, 1]; 0 where both are empty. Symmetric. O(n_a * n_b) time behind what the two begin and end with in
 * common, O(n_b) memory.
 */
pkin_status pkin_i_sequence_ratio(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, double *out);

/* The same for two short byte strings, without memory of its own. Only the first 64 bytes of each are looked at. */
double pkin_i_spelling_ratio(const char *a, size_t n_a, const char *b, size_t n_b);

PKIN_EXTERN_C_END

#endif
