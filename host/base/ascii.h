/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_ASCII_H
#define PKIN_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Classes of ASCII characters. The C library's ctype.h and strcasecmp follow the caller's locale, where 'I' may have
 * another lower case and bytes above 127 may be letters; results must not depend on it.
 */
static inline bool pkin_i_ascii_is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline bool pkin_i_ascii_is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool pkin_i_ascii_is_alnum(char c) {
    return pkin_i_ascii_is_alpha(c) || pkin_i_ascii_is_digit(c);
}

/* Space, tab, line feed, vertical tab, form feed, carriage return. */
static inline bool pkin_i_ascii_is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char pkin_i_ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether two strings agree in their first `n` bytes, or up to a NUL in both; SIZE_MAX compares whole strings. */
static inline bool pkin_i_ascii_equal_ignoring_case(const char *a, const char *b, size_t n) {
    for (size_t k = 0; k < n; k++) {
        if (pkin_i_ascii_lower(a[k]) != pkin_i_ascii_lower(b[k])) return false;
        if (!a[k]) return true;
    }
    return true;
}

#endif
