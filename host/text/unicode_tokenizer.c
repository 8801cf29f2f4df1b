/* SPDX-License-Identifier: Apache-2.0 */
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf16.h>

#include "base/failure.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

/*
 * Words of the normalised text (docs/quality.md says what was measured):
 * - runs of letters, digits and marks; hyphens and apostrophes split; a point between two digits joins ("2.5",
 * "gpt3.5");
 * - words of one letter are dropped, numbers of one digit are kept;
 * - scripts without spaces between words (Chinese, Japanese, Thai, ...) are cut by ICU's dictionaries; of those, words
 * of one character are dropped, unless a text would be left without any word;
 * - web addresses are no words;
 * - the end of a sentence is a place that no bigram crosses.
 */

typedef enum character_class { CLASS_GAP = 0, CLASS_WORD, CLASS_DICTIONARY } character_class;

static const unsigned char is_word_byte[256] = {['0' ... '9'] = 1, ['a' ... 'z'] = 1};

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A sentence's end: . ? ! before a space or the end. Abbreviations count too; that costs a bigram or two. */
static int is_sentence_end(const char *text, size_t n_bytes, size_t at) {
    char c = text[at];
    return (c == '.' || c == '?' || c == '!') && (at + 1 >= n_bytes || is_space(text[at + 1]));
}

static int is_decimal_point(const char *text, size_t n_bytes, size_t at, size_t begin) {
    return text[at] == '.' && at > begin && is_digit(text[at - 1]) && at + 1 < n_bytes && is_digit(text[at + 1]);
}

/* ---- ASCII, in either case ---- */

/* Between two words, or before the first or behind the last. */
static pkin_status ascii_gap(pkin_i_tokenizer_state *state, size_t begin, size_t end, size_t n_bytes) {
    for (size_t at = begin; at < end; at++) {
        if (is_sentence_end(state->ascii.lower.bytes, n_bytes, at)) return state->on_word(state->user, NULL, 0);
    }
    return PKIN_OK;
}

static pkin_status ascii_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    const pkin_i_ascii_words *words = &state->ascii;
    size_t gap = 0; /* where the gap at work begins */
    pkin_status status;
    PKIN_TRY(pkin_i_ascii_words_find(&state->ascii, text, n_bytes, PKIN_I_ASCII_DECIMAL_POINTS));
    const char *lower = words->lower.bytes;
    for (size_t e = 0; e < words->n_edges; e += 2) {
        size_t begin = words->edges[e], length = words->edges[e + 1] - begin;
        /* A single byte before a word ends no sentence, which would take a space behind it. */
        if (begin > gap + 1) PKIN_TRY(ascii_gap(state, gap, begin, n_bytes));
        if (length >= 2 || is_digit(lower[begin])) PKIN_TRY(state->on_word(state->user, lower + begin, length));
        gap = begin + length;
    }
    status = ascii_gap(state, gap, n_bytes, n_bytes);
out:
    return status;
}

/* ---- Any script, normalised ---- */

static character_class classify(uint32_t character) {
    if (character < 0x80) return is_word_byte[character] ? CLASS_WORD : CLASS_GAP;
    if (!(U_GET_GC_MASK((UChar32)character) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK))) return CLASS_GAP;
    if (character >= 0x3400 && character <= 0x9FFF) return CLASS_DICTIONARY;
    if (character < 0xE00 || (character >= 0xAC00 && character <= 0xD7A3)) return CLASS_WORD;
    UErrorCode code = U_ZERO_ERROR;
    switch (uscript_getScript((UChar32)character, &code)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return CLASS_DICTIONARY;
    default:
        break;
    }
    return character == 0x30FC ? CLASS_DICTIONARY : CLASS_WORD; /* the long-vowel sign, common to two scripts */
}

static size_t count_characters(const char *text, size_t n_bytes) {
    size_t n = 0;
    for (size_t k = 0; k < n_bytes; k++) n += ((unsigned char)text[k] & 0xC0) != 0x80;
    return n;
}

/* Bytes of UTF-8 that `n_units` of UTF-16 stand for. */
static size_t utf8_bytes(const UChar *wide, int32_t n_units) {
    size_t n = 0;
    for (int32_t k = 0; k < n_units; k++) {
        n += wide[k] < 0x80 ? 1u : wide[k] < 0x800 ? 2u : U16_IS_SURROGATE(wide[k]) ? 2u : 3u;
    }
    return n;
}

typedef struct word_count {
    size_t n_words;   /* handed on */
    size_t n_singles; /* characters dropped because they stood alone */
    int keep_singles;
} word_count;

static pkin_status hand_on(pkin_i_tokenizer_state *state, word_count *count, const char *word, size_t n_bytes) {
    count->n_words++;
    return state->on_word(state->user, word, n_bytes);
}

/* One piece of a script without spaces. */
static pkin_status dictionary_word(pkin_i_tokenizer_state *state, word_count *count, const char *word, size_t n_bytes) {
    if (count_characters(word, n_bytes) >= 2 || count->keep_singles) return hand_on(state, count, word, n_bytes);
    count->n_singles++;
    return PKIN_OK;
}

static pkin_status dictionary_run(pkin_i_tokenizer_state *state, word_count *count, const char *run, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = 0;
    if (n_bytes <= 4 && count_characters(run, n_bytes) == 1) return dictionary_word(state, count, run, n_bytes);
    PKIN_TRY(pkin_i_utf8_to_wide(run, n_bytes, &state->wide, &state->wide_capacity, &length));
    if (!state->breaks) state->breaks = ubrk_open(UBRK_WORD, "", NULL, 0, &code);
    if (U_SUCCESS(code)) ubrk_setText(state->breaks, state->wide, length, &code);
    if (U_FAILURE(code)) return pkin_i_icu_failure(code, "word boundaries");
    size_t at = 0;
    for (int32_t from = ubrk_first(state->breaks), to; (to = ubrk_next(state->breaks)) != UBRK_DONE; from = to) {
        size_t bytes = utf8_bytes(state->wide + from, to - from);
        PKIN_TRY(dictionary_word(state, count, run + at, bytes));
        at += bytes;
    }
out:
    return status;
}

static pkin_status plain_run(pkin_i_tokenizer_state *state, word_count *count, const char *run, size_t n_bytes) {
    if (n_bytes == 1 ? !is_digit(run[0]) : n_bytes <= 4 && count_characters(run, n_bytes) < 2) return PKIN_OK;
    return hand_on(state, count, run, n_bytes);
}

/* The run of one class that begins at `at`. */
static size_t run_end(const char *text, size_t n_bytes, size_t at, character_class class_here) {
    size_t begin = at;
    while (at < n_bytes) {
        uint32_t character;
        size_t length = pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        if (classify(character) != class_here &&
            !(class_here == CLASS_WORD && is_decimal_point(text, n_bytes, at, begin))) {
            break;
        }
        at += length;
    }
    return at;
}

/* Ideographic full stop; question and exclamation marks were folded to ASCII. */
static int is_wide_sentence_end(uint32_t character) {
    return character == 0x3002;
}

static pkin_status unicode_words(pkin_i_tokenizer_state *state, word_count *count, const char *text, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    for (size_t at = 0; at < n_bytes;) {
        uint32_t character;
        size_t length = pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        character_class class_here = classify(character);
        if (class_here == CLASS_GAP) {
            if (is_wide_sentence_end(character) || is_sentence_end(text, n_bytes, at)) {
                PKIN_TRY(state->on_word(state->user, NULL, 0));
            }
            at += length;
            continue;
        }
        size_t end = run_end(text, n_bytes, at, class_here);
        if (class_here == CLASS_WORD)
            PKIN_TRY(plain_run(state, count, text + at, end - at));
        else
            PKIN_TRY(dictionary_run(state, count, text + at, end - at));
        at = end;
    }
out:
    return status;
}

pkin_status pkin_i_tokenize_unicode(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    pkin_i_text_traits traits = pkin_i_text_look(text, n_bytes);
    if (traits.is_ascii && !traits.has_latex && !traits.has_link) return ascii_words(state, text, n_bytes);
    pkin_i_buffer_clear(&state->text);
    PKIN_TRY(pkin_i_normalizer_run(&state->normalizer, text, n_bytes, 1, &state->text));
    text = state->text.bytes;
    n_bytes = state->text.n_bytes;
    if (pkin_i_is_ascii(text, n_bytes)) return ascii_words(state, text, n_bytes);
    PKIN_TRY(pkin_i_buffer_reserve(&state->text, PKIN_I_WORD_PADDING)); /* to be read behind the last word */
    text = state->text.bytes;
    word_count count = {0, 0, 0};
    PKIN_TRY(unicode_words(state, &count, text, n_bytes));
    if (count.n_words == 0 && count.n_singles > 0) {
        count.keep_singles = 1;
        status = unicode_words(state, &count, text, n_bytes);
    }
out:
    return status;
}
