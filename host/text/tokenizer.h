/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_TOKENIZER_H
#define PKIN_TEXT_TOKENIZER_H

#include <unicode/ubrk.h>
#include <unicode/ucasemap.h>

#include "paperkin/features.h"
#include "text/ascii_words.h"
#include "text/normalizer.h"
#include "text/vocabulary.h"

PKIN_EXTERN_C_BEGIN

/*
 * Receives words in reading order. `word` NULL: a place that no bigram crosses. The bytes are valid during the call
 * only; PKIN_I_WORD_PADDING of them can be read, however short the word is. A failure ends the tokenizing and is handed
 * on.
 */
typedef pkin_status (*pkin_i_word_fn)(void *user, const char *word, size_t n_bytes);

/* One tokenizer at work, with its scratch memory and ICU's services, opened when first needed. One for each thread. */
typedef struct pkin_i_tokenizer_state {
    pkin_tokenizer kind;
    pkin_i_word_fn on_word;
    void *user;
    pkin_i_normalizer normalizer;
    pkin_i_buffer text; /* the normalised or lower-cased text */
    pkin_i_ascii_words ascii;
    UCaseMap *case_map;
    UBreakIterator *breaks;
    UChar *wide; /* a run without spaces between words */
    size_t wide_capacity;
} pkin_i_tokenizer_state;

/* Zeroed but for what is given; nothing can fail yet. */
pkin_i_tokenizer_state pkin_i_tokenizer_start(pkin_tokenizer kind, pkin_i_word_fn on_word, void *user);
void pkin_i_tokenizer_end(pkin_i_tokenizer_state *state);

/* Stop words are handed on like others: what to do with them is the caller's. */
pkin_status pkin_i_tokenizer_run(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes);

/* The two kinds, each in its own file. */
pkin_status pkin_i_tokenize_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes);
pkin_status pkin_i_tokenize_unicode(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes);

/* Whether a normalised word is among the English or Chinese stop words. */
int pkin_i_is_stop_word(const char *word, size_t n_bytes);
/* For tests: the lists, sorted by bytes. */
const char *const *pkin_i_stop_words_english(size_t *n);
const char *const *pkin_i_stop_words_chinese(size_t *n);

PKIN_EXTERN_C_END

#endif
