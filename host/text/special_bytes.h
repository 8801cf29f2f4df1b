/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_SPECIAL_BYTES_H
#define PKIN_TEXT_SPECIAL_BYTES_H

/* 16 bytes of text at a time, where the processor can. Private to two files of this module. */
#if defined(__SSE2__) /* part of every x86-64 */
#include <emmintrin.h>

static inline __m128i pkin_i_load_16(const char *text) {
    return _mm_loadu_si128((const __m128i *)(const void *)text);
}

static inline __m128i pkin_i_bytes_equal(__m128i bytes, char c) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* The same for a letter in either case; `c` is its lower case. */
static inline __m128i pkin_i_letters_equal(__m128i bytes, char c) {
    return pkin_i_bytes_equal(_mm_or_si128(bytes, _mm_set1_epi8('a' - 'A')), c);
}

/* Bytes that mean something to LaTeX: \ $ { } ^ _ ~ */
static inline __m128i pkin_i_latex_bytes(__m128i bytes) {
    __m128i found = _mm_or_si128(pkin_i_bytes_equal(bytes, '\\'), pkin_i_bytes_equal(bytes, '$'));
    found = _mm_or_si128(found, _mm_or_si128(pkin_i_bytes_equal(bytes, '{'), pkin_i_bytes_equal(bytes, '}')));
    found = _mm_or_si128(found, _mm_or_si128(pkin_i_bytes_equal(bytes, '^'), pkin_i_bytes_equal(bytes, '_')));
    return _mm_or_si128(found, pkin_i_bytes_equal(bytes, '~'));
}

#endif

#endif
