/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_VOCABULARY_H
#define PKIN_TEXT_VOCABULARY_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

/* Words and their ids 0, 1, 2, ... in order of addition. */
typedef struct pkin_i_vocabulary pkin_i_vocabulary;

pkin_status pkin_i_vocabulary_create(pkin_i_vocabulary **out);
void pkin_i_vocabulary_free(pkin_i_vocabulary *vocabulary);
uint32_t pkin_i_vocabulary_size(const pkin_i_vocabulary *vocabulary);
/* The id of a word, added when new. */
pkin_status pkin_i_vocabulary_add(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes, uint32_t *id);
/* The same for a word with PKIN_I_WORD_PADDING readable bytes from its first on: no length takes a path of its own. */
enum { PKIN_I_WORD_PADDING = 16 };
pkin_status pkin_i_vocabulary_add_padded(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes, uint32_t *id);
/* Fetches into the cache what adding the word will look at, so that the wait for one word is spent on others. */
void pkin_i_vocabulary_prefetch(const pkin_i_vocabulary *vocabulary, const char *padded_word, size_t n_bytes);
/*
 * Frees what finds words by their bytes: from now on they can only be listed, until the vocabulary is freed. For
 * vocabularies that wait to be merged.
 */
void pkin_i_vocabulary_close(pkin_i_vocabulary *vocabulary);
/* UINT32_MAX where unknown. */
uint32_t pkin_i_vocabulary_find(const pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes);
/* NUL-terminated and padded; valid until the vocabulary is freed. */
const char *pkin_i_vocabulary_word(const pkin_i_vocabulary *vocabulary, uint32_t id, size_t *n_bytes);

PKIN_EXTERN_C_END

#endif
