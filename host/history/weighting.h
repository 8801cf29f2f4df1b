/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_WEIGHTING_H
#define PKIN_HISTORY_WEIGHTING_H

#include "paperkin/similarity.h"
#include "text/tokens.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_MAX_TERMS = 3 };

/* Shared terms that add most to a score, strongest first. */
typedef struct pkin_i_strong_terms {
    const char *items[PKIN_I_MAX_TERMS];
    uint32_t n_items;
} pkin_i_strong_terms;

/* One weighting of all papers: rows as in the tokens. The matrix is kept for its terms alone. */
typedef struct pkin_i_weighting {
    pkin_matrix *matrix;
    pkin_vectors *vectors;
} pkin_i_weighting;

/* Zero-initialise `out`; free also after a failure. */
pkin_status pkin_i_weighting_build(const pkin_i_token_documents *tokens, const pkin_i_vocabulary *vocabulary,
                                   const pkin_features_options *features, pkin_i_weighting *out);
void pkin_i_weighting_free(pkin_i_weighting *weighting);

/*
 * The strongest terms that row `i` of `a` (vectors over the weighting's columns) shares with row `j` of the weighting,
 * copied to `arena`. A pair of words and one of its words say the same: the stronger of them stands for both.
 */
pkin_status pkin_i_weighting_shared_terms(const pkin_i_weighting *weighting, const pkin_vectors *a, uint64_t i,
                                          uint64_t j, pkin_i_arena *arena, pkin_i_strong_terms *out);

PKIN_EXTERN_C_END

#endif
