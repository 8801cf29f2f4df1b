/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_UTF8_H
#define PKIN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define PKIN_I_REPLACEMENT_CHARACTER UINT32_C(0xFFFD)

/*
 * Decodes one character of [text, text + n_bytes), n_bytes >= 1. Returns the bytes it took (1 to 4). Overlong forms,
 * surrogates, values above U+10FFFF and cut sequences give U+FFFD and take one byte (the Unicode Standard, 3.9).
 */
static inline size_t pkin_i_utf8_decode(const char *text, size_t n_bytes, uint32_t *character) {
    const unsigned char *p = (const unsigned char *)text;
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : (p[0] & 0xF8) == 0xF0 ? 4 : 0;
    if (length == 1) {
        *character = p[0];
        return 1;
    }
    *character = PKIN_I_REPLACEMENT_CHARACTER;
    if (length == 0 || length > n_bytes) return 1;
    uint32_t value = p[0] & (0x7Fu >> length);
    for (size_t k = 1; k < length; k++) {
        if ((p[k] & 0xC0) != 0x80) return 1;
        value = (value << 6) | (p[k] & 0x3Fu);
    }
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 1;
    *character = value;
    return length;
}

/* Writes a character (a scalar value) as 1 to 4 bytes; returns how many. */
static inline size_t pkin_i_utf8_encode(uint32_t character, char out[4]) {
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xC0 | (character >> 6));
        out[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xE0 | (character >> 12));
        out[1] = (char)(0x80 | ((character >> 6) & 0x3F));
        out[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (character >> 18));
    out[1] = (char)(0x80 | ((character >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((character >> 6) & 0x3F));
    out[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}

#endif
