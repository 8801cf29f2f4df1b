/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LABEL_SCAN_H
#define PKIN_GROUPS_LABEL_SCAN_H

#include <unicode/ubrk.h>

#include "text/normalizer.h"

PKIN_EXTERN_C_BEGIN

/*
 * Words of a text with their places in it, so that a phrase can be shown as it was written. Finer than the tokenizer of
 * vectors: stop words, single letters ("t-SNE", "k-means") and single Chinese characters are words here, a letter's
 * "++" and "#" belong to it ("C++"), and what stands between two words is told.
 */
typedef enum pkin_i_label_gap {
    PKIN_I_LABEL_BREAK = 0, /* before the word: the text's begin, punctuation; no phrase crosses it */
    PKIN_I_LABEL_SPACE,     /* white space */
    PKIN_I_LABEL_JOINED,    /* a hyphen, dash, slash or apostrophe without a space */
    PKIN_I_LABEL_GLUED      /* nothing: scripts without spaces */
} pkin_i_label_gap;

typedef struct pkin_i_label_word {
    uint32_t begin, end; /* bytes of pkin_i_label_scanner.text */
    pkin_i_label_gap gap;
} pkin_i_label_word;

/* Scratch memory that is used again from text to text. Zero-initialise; one for each thread. */
typedef struct pkin_i_label_scanner {
    const char *text; /* the text at work without LaTeX and web addresses: the caller's own, or `stripped` */
    size_t n_bytes;
    pkin_i_label_word *words;
    size_t n_words, capacity;
    pkin_i_buffer stripped, folded;
    pkin_i_normalizer normalizer;
    UBreakIterator *breaks;
    UChar *wide;
    size_t wide_capacity;
} pkin_i_label_scanner;

void pkin_i_label_scanner_free(pkin_i_label_scanner *scanner);

/* Finds the words of the first PKIN_I_MAX_TEXT_BYTES bytes. `text` must live as long as scanner->text is used. */
pkin_status pkin_i_label_scan(pkin_i_label_scanner *scanner, const char *text);

/* A word in NFKC and case folded, with PKIN_I_WORD_PADDING readable bytes. Valid until the next call. Of 0 bytes where
   nothing is left of it. */
pkin_status pkin_i_label_fold(pkin_i_label_scanner *scanner, const pkin_i_label_word *word, const char **out,
                              size_t *n_bytes);

/* Whether a text is Chinese: Han characters take up a quarter of its bytes, and kana are rare. */
int pkin_i_label_is_chinese(const char *text);
/* Whether a UTF-8 word begins with a Han character. */
int pkin_i_label_is_han(const char *word);

PKIN_EXTERN_C_END

#endif
