/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_TOKENS_H
#define PKIN_TEXT_TOKENS_H

/*
 * Tokenized documents: what a corpus becomes before any weighting, and what the store remembers of a paper. A document
 * is one sequence of token ids per field, in reading order, so that counts and bigrams both follow from it.
 */
#include "base/memory.h"
#include "paperkin/corpus.h"
#include "paperkin/features.h"
#include "text/vocabulary.h"

PKIN_EXTERN_C_BEGIN

typedef enum pkin_i_field { PKIN_I_TITLE = 0, PKIN_I_ABSTRACT, PKIN_I_SUMMARY, PKIN_I_N_FIELDS } pkin_i_field;

/*
 * Stands between tokens that are no neighbours (sentence end, a dropped stop word of the unicode tokenizer does NOT
 * break: n-grams are formed over the kept words, as scikit-learn does). No bigram crosses it. Counts nothing.
 */
#define PKIN_I_TOKEN_BREAK UINT32_MAX

/* The tokens of one field: document d has tokens [offsets[d], offsets[d + 1]). */
typedef struct pkin_i_token_field {
    uint64_t *offsets; /* n_documents + 1 */
    uint32_t *tokens;  /* ids of the vocabulary, or PKIN_I_TOKEN_BREAK */
} pkin_i_token_field;

typedef struct pkin_i_token_documents {
    uint64_t n_documents;
    pkin_i_token_field fields[PKIN_I_N_FIELDS]; /* a field that was not asked for has NULLs */
} pkin_i_token_documents;

void pkin_i_token_documents_free(pkin_i_token_documents *documents);

/* Names tokenizer, its rules' revision and the ICU and Unicode versions, e.g. "unicode-1 icu-72.1". Static storage. */
const char *pkin_i_tokenizer_identity(pkin_tokenizer tokenizer);

typedef struct pkin_i_tokenize_options {
    pkin_tokenizer tokenizer;
    int stop_words;
    int fields[PKIN_I_N_FIELDS]; /* 1: wanted */
    int n_threads;
} pkin_i_tokenize_options;

/*
 * Tokenizes the papers of a corpus, adding new words to `vocabulary` in order of first appearance (paper, field,
 * position), whatever the number of threads.
 */
pkin_status pkin_i_tokenize_corpus(const pkin_corpus *corpus, const pkin_i_tokenize_options *options,
                                   pkin_i_vocabulary *vocabulary, pkin_i_token_documents *out);

/* One text, appended as words to `out` through a callback; for titles and author names compared as text (verdicts,
 * keys). */
pkin_status pkin_i_tokenize_text(pkin_tokenizer tokenizer, int stop_words, const char *text,
                                 pkin_status (*on_word)(void *user, const char *word, size_t n_bytes), void *user);

PKIN_EXTERN_C_END

#endif
