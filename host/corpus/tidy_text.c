/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/tidy_text.h"

#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/utf8.h"

#if defined(__SSE2__) /* part of every x86-64 */

/*
 * Copies up to 16 bytes that stay as they are and returns how many: up to a control character, or a space with another
 * one or a control character behind it. 17 bytes can be read, 16 written.
 */
static size_t copy_plain(const char *from, char *to) {
    const __m128i space = _mm_set1_epi8(' ');
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i behind = _mm_loadu_si128((const __m128i *)(const void *)(from + 1));
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
    __m128i is_plain = _mm_cmpeq_epi8(_mm_max_epu8(bytes, space), bytes);
    __m128i blank_behind = _mm_cmpeq_epi8(_mm_min_epu8(behind, space), behind);
    __m128i is_run = _mm_and_si128(_mm_cmpeq_epi8(bytes, space), blank_behind);
    unsigned stops = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(is_run, is_plain)) ^ 0xFFFF;
    return stops ? (size_t)__builtin_ctz(stops) : 16;
}

#else

static size_t copy_plain(const char *from, char *to) {
    size_t n = 0;
    while (n < 16 && (unsigned char)from[n] >= ' ' && !(from[n] == ' ' && (unsigned char)from[n + 1] <= ' ')) n++;
    memcpy(to, from, n);
    return n;
}

#endif

/* What stands for the run of white space at [*at, ...); moves *at past it. */
static char separator(pkin_i_tidy how, pkin_i_view text, size_t *at) {
    size_t n_lines = 0;
    bool indented = false;
    for (; *at < text.n_bytes && pkin_i_is_blank(text.bytes[*at]); ++*at) {
        char c = text.bytes[*at];
        if (c == '\n') n_lines++;
        indented = n_lines > 0 && (c == ' ' || c == '\t');
    }
    if (how == PKIN_I_TIDY_LINES) return n_lines ? '\n' : ' ';
    if (how == PKIN_I_TIDY_PARAGRAPHS) return n_lines > 1 || indented ? '\n' : ' ';
    return ' ';
}

static size_t count_nuls(pkin_i_view text) {
    size_t n = 0;
    const char *end = text.bytes + text.n_bytes;
    for (const char *p = text.bytes; p < end && (p = (const char *)memchr(p, 0, (size_t)(end - p))); p++) n++;
    return n;
}

pkin_status pkin_i_tidy_text(pkin_i_tidy how, pkin_i_view text, pkin_i_buffer *out) {
    /* Nothing grows but a NUL, from one byte to three; its two more bytes each cannot overflow what is in memory. */
    pkin_status status = pkin_i_buffer_reserve(out, text.n_bytes + 2 * count_nuls(text));
    if (status != PKIN_OK) return status;
    char *start = out->bytes + out->n_bytes, *to = start;
    for (size_t at = 0; at < text.n_bytes;) {
        /* As much room is left behind `to` as bytes are left to be read. */
        size_t n_plain = text.n_bytes - at >= 17 && text.bytes[at] != ' ' ? copy_plain(text.bytes + at, to) : 0;
        char c = text.bytes[at];
        if (n_plain) {
            to += n_plain;
            at += n_plain;
        } else if (pkin_i_is_blank(c)) {
            char blank = separator(how, text, &at);
            if (to > start && at < text.n_bytes) *to++ = blank;
        } else if (c == '\0') {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
            at++;
        } else {
            *to++ = c;
            at++;
        }
    }
    out->n_bytes += (size_t)(to - start);
    out->bytes[out->n_bytes] = '\0';
    return PKIN_OK;
}

pkin_status pkin_i_repair_utf8(pkin_i_view text, pkin_i_buffer *out) {
    for (size_t at = 0; at < text.n_bytes;) {
        uint32_t character;
        char encoded[4];
        at += pkin_i_utf8_decode(text.bytes + at, text.n_bytes - at, &character);
        pkin_status status = pkin_i_buffer_append(out, encoded, pkin_i_utf8_encode(character, encoded));
        if (status != PKIN_OK) return status;
    }
    return pkin_i_buffer_append(out, "", 0);
}
