/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_QUERY_VECTOR_H
#define PKIN_HISTORY_QUERY_VECTOR_H

/* What is looked for, as a row over the columns of a weighting. */
#include <stdbool.h>

#include "history/weighting.h"

PKIN_EXTERN_C_BEGIN

/* The words of a free text in reading order. Zero-initialise; free also after a failure. */
typedef struct pkin_i_query_words {
    uint32_t *ids; /* of the vocabulary; PKIN_I_TOKEN_BREAK where no two words are neighbours, unknown words too */
    size_t n_ids;
    size_t capacity;
    const char **unknown; /* words without an id, each once, as they came; NULL ends them */
    size_t n_unknown;
    size_t unknown_capacity;
    const pkin_i_vocabulary *vocabulary;
    pkin_i_arena arena; /* of the unknown words */
} pkin_i_query_words;

/* Words as the store's papers have them. `text` NULL: none. */
pkin_status pkin_i_query_words_read(const char *text, const pkin_i_vocabulary *vocabulary, pkin_i_query_words *out);
void pkin_i_query_words_free(pkin_i_query_words *words);

/*
 * Whether one of the words stands in summaries and in no title or abstract, so that a weighting without summaries
 * cannot find it: Chinese summaries of English papers. O(tokens).
 */
pkin_status pkin_i_query_words_need_summaries(const pkin_i_query_words *words, const pkin_i_token_documents *tokens,
                                              bool *out);

/*
 * In how many rows each column of the weighting stands: an array by column, pkin_i_free. O(entries of the matrix).
 */
pkin_status pkin_i_weighting_count_documents(const pkin_i_weighting *weighting, uint32_t **df);

/*
 * The words as one row over the weighting's columns, scaled to length 1 and weighed as `features` say; `df` by
 * _count_documents. The columns are those of pkin_i_weigh without sort_terms. Words that no document of the weighting
 * has add nothing.
 */
pkin_status pkin_i_query_words_weigh(const pkin_i_query_words *words, const pkin_i_weighting *weighting,
                                     const uint32_t *df, const pkin_features_options *features, pkin_vectors **out);

/* What a query is made of: rows of the weighting, and a row of its own for the text (NULL: there is none). */
typedef struct pkin_i_query_parts {
    const uint32_t *wanted, *unwanted;
    size_t n_wanted, n_unwanted;
    const pkin_vectors *text; /* one row, counts as one more that is wanted */
    double unwanted_weight;
} pkin_i_query_parts;

/*
 * The mean of what is wanted minus unwanted_weight times the mean of what is not, negative weights set to 0, scaled to
 * length 1: one row (Rocchio, "Relevance feedback in information retrieval", 1971). Sums are exact integers, so
 * that the order of the parts does not matter.
 */
pkin_status pkin_i_query_combine(const pkin_i_weighting *weighting, const pkin_i_query_parts *parts,
                                 pkin_vectors **out);

PKIN_EXTERN_C_END

#endif
