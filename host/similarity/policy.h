/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_POLICY_H
#define PKIN_SIMILARITY_POLICY_H

/* What joins and top-k share above the backends: checks of arguments, thresholds, the order of pairs. */
#include "similarity/backend.h"

PKIN_EXTERN_C_BEGIN

/*
 * Checks what the caller gave (`b` NULL: a against itself; `options` NULL: defaults) and fills the task. `allow_zero`:
 * the threshold may be 0. *min_score is at least 1, since a score of 0 is no similarity.
 */
pkin_status pkin_i_plan(const pkin_vectors *a, const pkin_vectors *b, double threshold, int allow_zero,
                        const pkin_similarity_options *options, pkin_i_task *task, const pkin_i_backend **backend,
                        uint64_t *min_score);

/* Score descending, then i, then j. Merge sort on `n_threads` threads, O(n log n), a second array of the same size. */
pkin_status pkin_i_sort_pairs(pkin_pair *pairs, uint64_t n_pairs, int n_threads);

PKIN_EXTERN_C_END

#endif
