/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/label_scan.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf16.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "base/utf8.h"
#include "groups/word_list.h"
#include "text/latex.h"
#include "text/vocabulary.h"

typedef enum character_class { CLASS_GAP = 0, CLASS_WORD, CLASS_DICTIONARY } character_class;

void pkin_i_label_scanner_free(pkin_i_label_scanner *scanner) {
    pkin_i_free(scanner->words);
    pkin_i_buffer_free(&scanner->stripped);
    pkin_i_buffer_free(&scanner->folded);
    pkin_i_normalizer_free(&scanner->normalizer);
    if (scanner->breaks) ubrk_close(scanner->breaks);
    pkin_i_free(scanner->wide);
    memset(scanner, 0, sizeof *scanner);
}

static int is_han(uint32_t character) {
    return (character >= 0x3400 && character <= 0x9FFF) || (character >= 0x20000 && character <= 0x3FFFF);
}

static int is_kana(uint32_t character) {
    return character >= 0x3041 && character <= 0x30FF && character != 0x30FB && character != 0x30FC;
}

int pkin_i_label_is_han(const char *word) {
    uint32_t character = 0;
    if ((unsigned char)*word >= 0x80) pkin_i_utf8_decode(word, strlen(word), &character);
    return is_han(character);
}

int pkin_i_label_is_chinese(const char *text) {
    size_t n_han = 0, n_kana = 0, n_bytes = strnlen(text, PKIN_I_MAX_TEXT_BYTES);
    if (pkin_i_is_ascii(text, n_bytes)) return 0;
    for (size_t at = 0; at < n_bytes;) {
        uint32_t character = (unsigned char)text[at];
        /* Han characters and kana begin with a byte of at least 0xE3. */
        size_t length = character < 0xE3 ? 1 : pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        if (length > 1) {
            n_han += is_han(character);
            n_kana += is_kana(character);
        }
        at += length;
    }
    return n_han > 0 && n_han * 3 >= n_bytes / 4 && n_kana * 10 <= n_han;
}

/* ---- Words ---- */

static character_class classify(uint32_t character) {
    if (character < 0x80) return pkin_i_ascii_is_alnum((char)character) ? CLASS_WORD : CLASS_GAP;
    if (is_han(character) || is_kana(character)) return CLASS_DICTIONARY;
    return U_GET_GC_MASK((UChar32)character) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK) ? CLASS_WORD : CLASS_GAP;
}

static pkin_status add_word(pkin_i_label_scanner *scanner, size_t begin, size_t end, pkin_i_label_gap gap) {
    if (scanner->n_words == scanner->capacity) {
        pkin_status status =
            pkin_i_grow(&scanner->words, &scanner->capacity, scanner->n_words + 1, sizeof *scanner->words);
        if (status != PKIN_OK) return status;
    }
    scanner->words[scanner->n_words++] = (pkin_i_label_word){(uint32_t)begin, (uint32_t)end, gap};
    return PKIN_OK;
}

static int is_joining(uint32_t character) {
    return character == '-' || character == '/' || character == '\'' || character == 0x2019 ||
           (character >= 0x2010 && character <= 0x2013);
}

static int is_space(uint32_t character) {
    return character == ' ' || (character >= '\t' && character <= '\r') || character == 0xA0 || character == 0x3000;
}

/* What stands in [begin, end), between two words. A line's end in a wrapped text is white space. */
static pkin_i_label_gap gap_between(const char *text, size_t begin, size_t end) {
    uint32_t character;
    if (begin == end) return PKIN_I_LABEL_GLUED;
    if (end - begin == 1 && text[begin] == ' ') return PKIN_I_LABEL_SPACE;
    size_t length = pkin_i_utf8_decode(text + begin, end - begin, &character);
    if (length == end - begin && is_joining(character)) return PKIN_I_LABEL_JOINED;
    for (size_t at = begin; at < end; at += length) {
        length = pkin_i_utf8_decode(text + at, end - at, &character);
        if (!is_space(character)) return PKIN_I_LABEL_BREAK;
    }
    return PKIN_I_LABEL_SPACE;
}

static int is_decimal_point(const char *text, size_t n_bytes, size_t at) {
    return text[at] == '.' && at && pkin_i_ascii_is_digit(text[at - 1]) && at + 1 < n_bytes &&
           pkin_i_ascii_is_digit(text[at + 1]);
}

/* Behind a letter: "++" of "C++" and "YOLO++", "#" of "C#". Returns the word's end. */
static size_t take_signs(const char *text, size_t n_bytes, size_t begin, size_t end) {
    if (end + 1 < n_bytes && text[end] == '+' && text[end + 1] == '+' && pkin_i_ascii_is_alpha(text[end - 1])) {
        return end + 2;
    }
    if (end < n_bytes && text[end] == '#' && end - begin == 1 && (text[begin] == 'C' || text[begin] == 'F')) {
        return end + 1;
    }
    return end;
}

static size_t run_end(const char *text, size_t n_bytes, size_t at, character_class class_here) {
    size_t begin = at;
    while (at < n_bytes) {
        uint32_t character = (unsigned char)text[at];
        size_t length = character < 0x80 ? 1 : pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        if (classify(character) != class_here && !(class_here == CLASS_WORD && is_decimal_point(text, n_bytes, at))) {
            break;
        }
        at += length;
    }
    return class_here == CLASS_WORD ? take_signs(text, n_bytes, begin, at) : at;
}

/* A run of a script without spaces, cut by ICU's dictionary. */
static pkin_status add_dictionary_words(pkin_i_label_scanner *scanner, size_t begin, size_t end, pkin_i_label_gap gap) {
    pkin_status status = PKIN_OK;
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = 0;
    size_t at = begin;
    PKIN_TRY(pkin_i_utf8_to_wide(scanner->text + begin, end - begin, &scanner->wide, &scanner->wide_capacity, &length));
    if (!scanner->breaks) scanner->breaks = ubrk_open(UBRK_WORD, "", NULL, 0, &code);
    if (U_SUCCESS(code)) ubrk_setText(scanner->breaks, scanner->wide, length, &code);
    if (U_FAILURE(code)) return pkin_i_icu_failure(code, "word boundaries");
    for (int32_t from = ubrk_first(scanner->breaks), to; (to = ubrk_next(scanner->breaks)) != UBRK_DONE; from = to) {
        size_t word = at;
        for (int32_t k = from; k < to; k++) { /* characters of the run, all of them valid UTF-8 */
            if (U16_IS_TRAIL(scanner->wide[k])) continue;
            at += U16_IS_LEAD(scanner->wide[k]) ? 4 : 3;
        }
        PKIN_TRY(add_word(scanner, word, at, word == begin ? gap : PKIN_I_LABEL_GLUED));
    }
out:
    return status;
}

static pkin_status find_words(pkin_i_label_scanner *scanner) {
    pkin_status status = PKIN_OK;
    const char *text = scanner->text;
    size_t n_bytes = scanner->n_bytes, before = 0; /* end of the word before */
    scanner->n_words = 0;
    for (size_t at = 0; at < n_bytes;) {
        uint32_t character = (unsigned char)text[at];
        size_t length = character < 0x80 ? 1 : pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        character_class class_here = classify(character);
        if (class_here == CLASS_GAP) {
            at += length;
            continue;
        }
        size_t end = run_end(text, n_bytes, at, class_here);
        pkin_i_label_gap gap = scanner->n_words ? gap_between(text, before, at) : PKIN_I_LABEL_BREAK;
        if (class_here == CLASS_WORD)
            PKIN_TRY(add_word(scanner, at, end, gap));
        else
            PKIN_TRY(add_dictionary_words(scanner, at, end, gap));
        at = before = end;
    }
out:
    return status;
}

pkin_status pkin_i_label_scan(pkin_i_label_scanner *scanner, const char *text) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = strnlen(text, PKIN_I_MAX_TEXT_BYTES + 1);
    n_bytes = pkin_i_utf8_prefix(text, n_bytes, PKIN_I_MAX_TEXT_BYTES);
    pkin_i_text_traits traits = pkin_i_text_look(text, n_bytes);
    scanner->text = text;
    scanner->n_bytes = n_bytes;
    if (traits.has_latex || traits.has_link) {
        pkin_i_buffer_clear(&scanner->stripped);
        PKIN_TRY(pkin_i_latex_strip(text, n_bytes, 1, &scanner->stripped));
        scanner->text = scanner->stripped.bytes;
        scanner->n_bytes = scanner->stripped.n_bytes;
    }
    status = find_words(scanner);
out:
    return status;
}

pkin_status pkin_i_label_fold(pkin_i_label_scanner *scanner, const pkin_i_label_word *word, const char **out,
                              size_t *n_bytes) {
    pkin_status status = PKIN_OK;
    const char *from = scanner->text + word->begin;
    size_t length = word->end - word->begin;
    unsigned char any = 0;
    pkin_i_buffer_clear(&scanner->folded);
    PKIN_TRY(pkin_i_buffer_reserve(&scanner->folded, length + PKIN_I_WORD_PADDING));
    for (size_t k = 0; k < length; k++) {
        any |= (unsigned char)from[k];
        scanner->folded.bytes[k] = pkin_i_ascii_lower(from[k]);
    }
    scanner->folded.n_bytes = length;
    if (any >= 0x80) {
        pkin_i_buffer_clear(&scanner->folded);
        PKIN_TRY(pkin_i_normalizer_run(&scanner->normalizer, from, length, 0, &scanner->folded));
        PKIN_TRY(pkin_i_buffer_reserve(&scanner->folded, PKIN_I_WORD_PADDING));
    }
    scanner->folded.bytes[scanner->folded.n_bytes] = '\0';
    *out = scanner->folded.bytes;
    *n_bytes = scanner->folded.n_bytes;
out:
    return status;
}
