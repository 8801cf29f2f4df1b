/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_ASCII_WORDS_H
#define PKIN_TEXT_ASCII_WORDS_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/* What counts as a part of a word besides letters and digits. */
typedef enum pkin_i_ascii_rule {
    PKIN_I_ASCII_UNDERSCORES,    /* '_' */
    PKIN_I_ASCII_DECIMAL_POINTS, /* '.' between two digits */
} pkin_i_ascii_rule;

/* The words of one text, and the memory for it, used again from text to text. Zero-initialise. */
typedef struct pkin_i_ascii_words {
    pkin_i_buffer lower; /* the text in lower case, at least 64 spaces behind it */
    size_t *edges;       /* word w is [edges[2 w], edges[2 w + 1]) of `lower` */
    size_t n_edges, capacity;
} pkin_i_ascii_words;

/* Lower-cases `text`, which is ASCII, and finds its words, of whatever length. Linear, 64 bytes at a time. */
pkin_status pkin_i_ascii_words_find(pkin_i_ascii_words *words, const char *text, size_t n_bytes,
                                    pkin_i_ascii_rule rule);
void pkin_i_ascii_words_free(pkin_i_ascii_words *words);

PKIN_EXTERN_C_END

#endif
