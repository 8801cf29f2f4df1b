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

static pkin_status ascii_words(pkin_i_tokenizer_state *state, const char *text, size_t n_bytes) {
    const pkin_i_ascii_words *words = &state->ascii;
    pkin_status status = pkin_i_ascii_words_find(&state->ascii, text, n_bytes, PKIN_I_ASCII_UNDERSCORES);
    for (size_t e = 0; status == PKIN_OK && e < words->n_edges; e += 2) {
        size_t begin = words->edges[e], end = words->edges[e + 1];
        if (end - begin >= 2) status = state->on_word(state->user, words->lower.bytes + begin, end - begin);
    }
    return status;
}

static int is_ascii_word_character(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* str.isalnum() of one character, or '_': letters, and whatever has a numeric value. */
static int is_word_character(uint32_t character) {
    if (character < 0x80) return is_ascii_word_character(character);
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
    PKIN_TRY(pkin_i_buffer_reserve(&state->text, n_bytes * 3 + PKIN_I_WORD_PADDING));
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
