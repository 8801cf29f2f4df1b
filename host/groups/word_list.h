/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_WORD_LIST_H
#define PKIN_GROUPS_WORD_LIST_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

/* No text is looked at behind these bounds, so that one hostile record cannot hold up a run. */
#define PKIN_I_MAX_WORDS 2000
#define PKIN_I_MAX_TEXT_BYTES 65536
#define PKIN_I_MAX_TITLE_BYTES 2048

/* Words of a text in reading order, each as the hash of its bytes. Zero-initialise to start. */
typedef struct pkin_i_word_list {
    uint64_t *hashes;
    size_t n_words;
    size_t capacity;
} pkin_i_word_list;

/*
 * Appends the words of the first PKIN_I_MAX_TEXT_BYTES bytes of `text` until the list holds PKIN_I_MAX_WORDS.
 * `content_only` leaves out stop words.
 */
pkin_status pkin_i_word_list_append(const char *text, int content_only, pkin_i_word_list *list);

/* Sorted copy of the hashes, for pkin_i_word_list_holds. */
pkin_status pkin_i_word_list_sorted(const pkin_i_word_list *list, pkin_i_word_list *out);
int pkin_i_word_list_holds(const pkin_i_word_list *sorted, uint64_t hash);

void pkin_i_word_list_free(pkin_i_word_list *list);

/* The longest prefix of a UTF-8 text of at most `n_max` bytes that does not cut a character. */
size_t pkin_i_utf8_prefix(const char *text, size_t n_bytes, size_t n_max);

PKIN_EXTERN_C_END

#endif
