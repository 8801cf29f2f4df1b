/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/tidy_text.h"

#include <stdint.h>

#include "base/utf8.h"

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* 0x80 in every byte of `x` that is zero; exact, without carries between the bytes. */
static uint64_t zero_bytes(uint64_t x) {
    uint64_t low = EACH_BYTE * 0x7F;
    return ~(((x & low) + low) | x | low);
}

/*
 * How many of the next 8 bytes can be copied as they are: 8, 7 when the last one is a space (whose run may go on), 0
 * when they hold a control character or two spaces in a row.
 */
static size_t plain_bytes(const char *text) {
    uint64_t word;
    memcpy(&word, text, 8);
    /* Bytes below 0x20 have their three upper bits clear. */
    if (zero_bytes(word & (EACH_BYTE * 0xE0))) return 0;
    uint64_t spaces = zero_bytes(word ^ (EACH_BYTE * 0x20));
    if (spaces & (spaces >> 8)) return 0;
    return text[7] == ' ' ? 7 : 8;
}

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
        size_t n_plain = text.n_bytes - at >= 8 && text.bytes[at] != ' ' ? plain_bytes(text.bytes + at) : 0;
        char c = text.bytes[at];
        if (n_plain) {
            memcpy(to, text.bytes + at, n_plain);
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
