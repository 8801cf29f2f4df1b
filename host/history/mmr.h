/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_MMR_H
#define PKIN_HISTORY_MMR_H

#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_mmr_choice {
    size_t candidate; /* its index */
    double value;     /* what it was chosen by */
} pkin_i_mmr_choice;

/*
 * Chooses up to `n_wanted` of the candidates (rows of `vectors` with their scores, best first), one by one: each time
 * the one with the largest diversity * cosine - (1 - diversity) * (largest cosine with one chosen before); ties go to
 * the earlier candidate. `out` has room for n_wanted; *n_out is the lesser of the two numbers. `diversity` in [0, 1];
 * at 1 they are chosen as they stand. Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
 * reordering documents and producing summaries", 1998. O(n_candidates * n_wanted * terms of a row).
 */
pkin_status pkin_i_mmr_choose(const pkin_vectors *vectors, const pkin_neighbor *candidates, size_t n_candidates,
                              size_t n_wanted, double diversity, int n_threads, pkin_i_mmr_choice *out, size_t *n_out);

PKIN_EXTERN_C_END

#endif
