/* SPDX-License-Identifier: Apache-2.0 */
#include "history/merged_terms.h"

#include <stdbool.h>
#include <string.h>

enum { LEAST_SHARE = 3 }; /* a pair adds at least one third of what its word adds */

/* Terms on the way: what was taken up has score 0 from then on. */
typedef struct term_merge {
    const pkin_matrix *matrix;
    const uint32_t *df;
    pkin_shared_term *terms;
    size_t n_terms;
} term_merge;

static const char *name_of(const term_merge *merge, size_t t) {
    return pkin_matrix_term(merge->matrix, merge->terms[t].column);
}

/* Whether `word` is the first or the second word of the pair. */
static bool is_word_of(const char *word, const char *pair) {
    size_t n = strlen(word);
    const char *space = strchr(pair, ' ');
    if (!space || strchr(word, ' ')) return false;
    return ((size_t)(space - pair) == n && memcmp(pair, word, n) == 0) || strcmp(space + 1, word) == 0;
}

static void take_up_words(term_merge *merge, size_t p) {
    const uint64_t own = merge->terms[p].score;
    size_t n_found = 0, n_gone = 0;
    for (size_t w = 0; w < merge->n_terms; w++) {
        uint64_t score = merge->terms[w].score;
        if (!is_word_of(name_of(merge, w), name_of(merge, p))) continue;
        n_found++;
        n_gone += score == 0;
        if (score / LEAST_SHARE > own) continue;
        merge->terms[p].score += score;
        merge->terms[w].score = 0;
    }
    if (n_found == 2 && n_gone == 2) merge->terms[p].score = 0;
}

/* The pair that comes next: of those not yet looked at, the one that most papers have. SIZE_MAX: none is left. */
static size_t next_pair(const term_merge *merge, const bool *done) {
    size_t next = SIZE_MAX;
    for (size_t p = 0; p < merge->n_terms; p++) {
        if (done[p] || !strchr(name_of(merge, p), ' ')) continue;
        if (next == SIZE_MAX || merge->df[merge->terms[p].column] > merge->df[merge->terms[next].column]) next = p;
    }
    return next;
}

/* Insertion keeps the order of equal ones. */
static void sort_terms(pkin_shared_term *terms, size_t n_terms) {
    for (size_t k = 1; k < n_terms; k++) {
        pkin_shared_term term = terms[k];
        size_t at = k;
        for (; at > 0 && terms[at - 1].score < term.score; at--) terms[at] = terms[at - 1];
        terms[at] = term;
    }
}

size_t pkin_i_merge_terms(const pkin_matrix *matrix, const uint32_t *df, pkin_shared_term *terms, size_t n_terms) {
    term_merge merge = {matrix, df, terms, 0};
    bool done[PKIN_I_MERGED_TERMS_MAX] = {false};
    size_t n_left = 0;
    for (size_t t = 0; t < n_terms && merge.n_terms < PKIN_I_MERGED_TERMS_MAX; t++) {
        const char *term = pkin_matrix_term(matrix, terms[t].column);
        if (term && *term) terms[merge.n_terms++] = terms[t];
    }
    for (size_t p; (p = next_pair(&merge, done)) != SIZE_MAX; done[p] = true) take_up_words(&merge, p);
    for (size_t t = 0; t < merge.n_terms; t++) {
        if (terms[t].score > 0) terms[n_left++] = terms[t];
    }
    sort_terms(terms, n_left);
    return n_left;
}
