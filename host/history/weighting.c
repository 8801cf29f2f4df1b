/* SPDX-License-Identifier: Apache-2.0 */
#include "history/weighting.h"

#include <string.h>

#include "base/failure.h"
#include "vector/weigh.h"

enum { TERM_CANDIDATES = 12 };

pkin_status pkin_i_weighting_build(const pkin_i_token_documents *tokens, const pkin_i_vocabulary *vocabulary,
                                   const pkin_features_options *features, pkin_i_weighting *out) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_weigh(tokens, vocabulary, features, 0, &out->matrix));
    PKIN_TRY(pkin_vectors_from_matrix(out->matrix, 0, &out->vectors));
out:
    return status;
}

void pkin_i_weighting_free(pkin_i_weighting *weighting) {
    pkin_vectors_free(weighting->vectors);
    pkin_matrix_free(weighting->matrix);
    *weighting = (pkin_i_weighting){0};
}

/* Whether `word` is one of the space-separated words of `phrase`, or the other way round. */
static int terms_overlap(const char *a, const char *b) {
    const char *longer = strlen(a) >= strlen(b) ? a : b;
    const char *shorter = longer == a ? b : a;
    size_t n = strlen(shorter);
    for (const char *at = strstr(longer, shorter); at; at = strstr(at + 1, shorter)) {
        if ((at == longer || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' ')) return 1;
    }
    return 0;
}

pkin_status pkin_i_weighting_shared_terms(const pkin_i_weighting *weighting, const pkin_vectors *a, uint64_t i,
                                          uint64_t j, pkin_i_arena *arena, pkin_i_strong_terms *out) {
    pkin_status status = PKIN_OK;
    pkin_shared_term shared[TERM_CANDIDATES];
    size_t n_shared = pkin_vectors_shared_terms(a, i, weighting->vectors, j, TERM_CANDIDATES, shared);
    for (size_t c = 0; c < n_shared && out->n_items < PKIN_I_MAX_TERMS; c++) {
        const char *term = pkin_matrix_term(weighting->matrix, shared[c].column);
        int said = !term || !*term;
        for (uint32_t k = 0; k < out->n_items && !said; k++) said = terms_overlap(term, out->items[k]);
        if (said) continue;
        PKIN_TRY(pkin_i_arena_string(arena, term, strlen(term), &out->items[out->n_items]));
        out->n_items++;
    }
out:
    return status;
}
