/* SPDX-License-Identifier: Apache-2.0 */
#include <unicode/uchar.h>

#include "base/failure.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

/*
 * What scikit-learn's CountVectorizer does by default: Python's str.lower(), then the regular expression (?u)\b\w\w+\b,
 * which finds the runs of two or more word characters. A word character is one for which str.isalnum() holds, or '_';
 * combining marks are none, so they split words.
 */

/* The lower-case form of ASCII word characters, 0 for the others and for bytes of longer characters. */
static const unsigned char lower_word_byte[256] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
    ['8'] = '8', ['9'] = '9', ['_'] = '_', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',
    ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u',
    ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
    ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
    ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's',
    ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z'};

/* Words of pure ASCII, lower-cased one by one as they are found. */
static pkin_status ascii_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    pkin_i_buffer_clear(&state->word);
    pkin_status status = pkin_i_buffer_reserve(&state->word, n_bytes);
    char *word = state->word.bytes;
    for (size_t at = 0; status == PKIN_OK && at < n_bytes; at++) {
        size_t begin = at;
        unsigned char lower;
        while (at < n_bytes && (lower = lower_word_byte[(unsigned char)text[at]]) != 0) {
            word[at - begin] = (char)lower;
            at++;
        }
        if (at - begin >= 2) status = state->on_word(state->user, word, at - begin);
    }
    return status;
}

/* str.isalnum() of one character, or '_': letters, and whatever has a numeric value. */
static int is_word_character(uint32_t character) {
    if (character < 0x80) return lower_word_byte[character] != 0;
    return u_isalpha((UChar32)character) || u_getIntPropertyValue((UChar32)character, UCHAR_NUMERIC_TYPE) != U_NT_NONE;
}

/* Python's str.lower() and ICU's agree: full mappings without a language, with the rule of the final sigma. */
static pkin_status lower_case(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    UErrorCode code = U_ZERO_ERROR;
    int32_t length;
    PKIN_REQUIRE(n_bytes <= INT32_MAX / 4, PKIN_ERROR_OVERFLOW, "a text of %zu bytes is too long; at most %d", n_bytes,
                 INT32_MAX / 4);
    if (!state->case_map) state->case_map = ucasemap_open("", 0, &code);
    if (U_FAILURE(code)) return pkin_i_icu_failure(code, "case mapping");
    pkin_i_buffer_clear(&state->text);
    /* The longest growth is U+0130, from two bytes to three, and invalid bytes, from one to three. */
    PKIN_TRY(pkin_i_buffer_reserve(&state->text, n_bytes * 3));
    length = ucasemap_utf8ToLower(state->case_map, state->text.bytes, (int32_t)(n_bytes * 3 + 1), text,
                                  (int32_t)n_bytes, &code);
    if (U_FAILURE(code)) return pkin_i_icu_failure(code, "case mapping");
    state->text.n_bytes = (size_t)length;
out:
    return status;
}

static pkin_status unicode_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    pkin_status status = lower_case(state, text, n_bytes);
    const char *lower = state->text.bytes;
    size_t begin = 0, n_characters = 0;
    for (size_t at = 0, length; status == PKIN_OK && at < state->text.n_bytes; at += length) {
        uint32_t character;
        length = pkin_i_utf8_decode(lower + at, state->text.n_bytes - at, &character);
        if (is_word_character(character)) {
            if (n_characters++ == 0) begin = at;
            continue;
        }
        if (n_characters >= 2) status = state->on_word(state->user, lower + begin, at - begin);
        n_characters = 0;
    }
    if (status == PKIN_OK && n_characters >= 2) {
        status = state->on_word(state->user, lower + begin, state->text.n_bytes - begin);
    }
    return status;
}

pkin_status pkin_i_tokenize_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    if (pkin_i_is_ascii(text, n_bytes)) return ascii_words(state, text, n_bytes);
    return unicode_words(state, text, n_bytes);
}
