/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/word_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "text/tokens.h"

size_t pkin_i_utf8_prefix(const char *text, size_t n_bytes, size_t n_max) {
    if (n_bytes <= n_max) return n_bytes;
    /* Continuation bytes are 10xxxxxx; a character has at most three, more of them are no UTF-8 anyway. */
    size_t n = n_max;
    for (int back = 0; back < 3 && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; back++) n--;
    return n;
}

static pkin_status on_word(void *user, const char *word, size_t n_bytes) {
    pkin_i_word_list *list = user;
    if (!word || list->n_words >= PKIN_I_MAX_WORDS) return PKIN_OK; /* NULL: a break between sentences */
    pkin_status status = pkin_i_grow(&list->hashes, &list->capacity, list->n_words + 1, sizeof *list->hashes);
    if (status == PKIN_OK) list->hashes[list->n_words++] = pkin_i_hash_bytes(word, n_bytes, 0);
    return status;
}

pkin_status pkin_i_word_list_append(const char *text, int content_only, pkin_i_word_list *list) {
    pkin_status status = PKIN_OK;
    char *cut = NULL;
    size_t n_bytes = strnlen(text, PKIN_I_MAX_TEXT_BYTES + 1);
    if (n_bytes > PKIN_I_MAX_TEXT_BYTES) {
        PKIN_TRY(pkin_i_copy_string(text, pkin_i_utf8_prefix(text, n_bytes, PKIN_I_MAX_TEXT_BYTES), &cut));
    }
    PKIN_TRY(pkin_i_tokenize_text(PKIN_TOKENIZER_UNICODE, content_only, cut ? cut : text, on_word, list));
out:
    pkin_i_free(cut);
    return status;
}

static int by_value(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

pkin_status pkin_i_word_list_sorted(const pkin_i_word_list *list, pkin_i_word_list *out) {
    pkin_status status = pkin_i_allocate(list->n_words, sizeof *out->hashes, &out->hashes);
    if (status != PKIN_OK) return status;
    out->n_words = out->capacity = list->n_words;
    if (list->n_words) {
        memcpy(out->hashes, list->hashes, list->n_words * sizeof *out->hashes);
        qsort(out->hashes, out->n_words, sizeof *out->hashes, by_value);
    }
    return PKIN_OK;
}

int pkin_i_word_list_holds(const pkin_i_word_list *sorted, uint64_t hash) {
    return sorted->n_words && bsearch(&hash, sorted->hashes, sorted->n_words, sizeof hash, by_value) != NULL;
}

void pkin_i_word_list_free(pkin_i_word_list *list) {
    pkin_i_free(list->hashes);
    *list = (pkin_i_word_list){0};
}
