/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_POLICY_H
#define PKIN_SIMILARITY_POLICY_H

/* What joins and top-k share above the backends: checks of arguments, thresholds, the order of pairs. */
#include "similarity/planner.h"

PKIN_EXTERN_C_BEGIN

/* What the caller asked for, checked. */
typedef struct pkin_i_request {
    pkin_similarity_options options;
    const pkin_i_backend *backend;
    pkin_i_task task; /* on the caller's rows; its outcome points to `outcome` */
    pkin_i_target target;
    pkin_i_wishes wishes;
    pkin_i_outcome outcome;
} pkin_i_request;

/*
 * Checks what the caller gave (`b` NULL: a against itself; `options` NULL: defaults) and fills the request, which must
 * stay where it is. `allow_zero`: the threshold may be 0. target.min_score is at least 1, since a score of 0 is no
 * similarity.
 */
pkin_status pkin_i_request_take(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold,
                                int allow_zero, const pkin_similarity_options *options, pkin_i_request *out);

/* Score descending, then i, then j. Merge sort on `n_threads` threads, O(n log n), a second array of the same size. */
pkin_status pkin_i_sort_pairs(pkin_pair *pairs, uint64_t n_pairs, int n_threads);

PKIN_EXTERN_C_END

#endif
