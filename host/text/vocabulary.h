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
/* UINT32_MAX where unknown. */
uint32_t pkin_i_vocabulary_find(const pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes);
/* NUL-terminated; valid until the vocabulary is freed. */
const char *pkin_i_vocabulary_word(const pkin_i_vocabulary *vocabulary, uint32_t id, size_t *n_bytes);

PKIN_EXTERN_C_END

#endif
