/* SPDX-License-Identifier: Apache-2.0 */
#include "text/ascii_words.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/failure.h"

/*
 * Blocks of 64 bytes become masks of 64 bits, one for each class of bytes; where the mask of word bytes changes from
 * bit to bit, a word begins or ends. Words are short and of unforeseeable length, so that a loop over bytes would have
 * the processor guess wrong at every one of them; here nothing depends on where they end but the count of edges.
 */

enum { BLOCK_BYTES = 64 };

/* Bit k tells of byte k. */
typedef struct block_masks {
    uint64_t alphanumeric, digits, points, underscores;
} block_masks;

#if defined(__SSE2__) /* part of every x86-64 */

static __m128i between(__m128i bytes, char low, char high) {
    /* Signed comparisons suit ASCII; whatever is negative is no ASCII. */
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(low - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(high + 1))));
}

static uint64_t mask_of(__m128i bytes, int place) {
    return (uint64_t)(unsigned)_mm_movemask_epi8(bytes) << place;
}

static block_masks lower_block(char *block) {
    block_masks masks = {0, 0, 0, 0};
    for (int place = 0; place < BLOCK_BYTES; place += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + place));
        __m128i is_capital = between(bytes, 'A', 'Z');
        bytes = _mm_add_epi8(bytes, _mm_and_si128(is_capital, _mm_set1_epi8('a' - 'A')));
        _mm_storeu_si128((__m128i *)(void *)(block + place), bytes);
        __m128i is_digit = between(bytes, '0', '9');
        masks.alphanumeric |= mask_of(_mm_or_si128(is_digit, between(bytes, 'a', 'z')), place);
        masks.digits |= mask_of(is_digit, place);
        masks.points |= mask_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')), place);
        masks.underscores |= mask_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')), place);
    }
    return masks;
}

#else

static block_masks lower_block(char *block) {
    block_masks masks = {0, 0, 0, 0};
    for (int k = 0; k < BLOCK_BYTES; k++) {
        char c = block[k];
        block[k] = c = (char)(c + ((c >= 'A' && c <= 'Z') << 5));
        uint64_t is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'z';
        masks.alphanumeric |= (is_digit | is_letter) << k;
        masks.digits |= is_digit << k;
        masks.points |= (uint64_t)(c == '.') << k;
        masks.underscores |= (uint64_t)(c == '_') << k;
    }
    return masks;
}

#endif

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

pkin_status pkin_i_ascii_words_find(pkin_i_ascii_words *words, const char *text, size_t n_bytes,
                                    pkin_i_ascii_rule rule) {
    pkin_status status;
    uint64_t inside = 0, digit_before = 0; /* bit 0: of the last byte of the block before */
    words->n_edges = 0;
    pkin_i_buffer_clear(&words->lower);
    /* The last block holds a space behind the text, so that every word ends; another block lies readable behind it. */
    PKIN_TRY(pkin_i_buffer_reserve(&words->lower, (n_bytes / BLOCK_BYTES + 2) * BLOCK_BYTES));
    char *lower = words->lower.bytes;
    if (n_bytes) memcpy(lower, text, n_bytes);
    memset(lower + n_bytes, ' ', (n_bytes / BLOCK_BYTES + 2) * BLOCK_BYTES - n_bytes);
    for (size_t begin = 0; begin <= n_bytes; begin += BLOCK_BYTES) {
        PKIN_TRY(pkin_i_grow(&words->edges, &words->capacity, words->n_edges + BLOCK_BYTES, sizeof *words->edges));
        block_masks masks = lower_block(lower + begin);
        uint64_t digit_behind = (uint64_t)is_digit(lower[begin + BLOCK_BYTES]) << (BLOCK_BYTES - 1);
        uint64_t joining = rule == PKIN_I_ASCII_UNDERSCORES
                               ? masks.underscores
                               : masks.points & (masks.digits << 1 | digit_before) & (masks.digits >> 1 | digit_behind);
        uint64_t of_words = masks.alphanumeric | joining;
        size_t n_edges = words->n_edges;
        for (uint64_t edges = of_words ^ (of_words << 1 | inside); edges; edges &= edges - 1) {
            words->edges[n_edges++] = begin + (size_t)__builtin_ctzll(edges);
        }
        words->n_edges = n_edges;
        inside = of_words >> (BLOCK_BYTES - 1);
        digit_before = masks.digits >> (BLOCK_BYTES - 1);
    }
    words->lower.n_bytes = n_bytes;
out:
    return status;
}

void pkin_i_ascii_words_free(pkin_i_ascii_words *words) {
    pkin_i_buffer_free(&words->lower);
    pkin_i_free(words->edges);
    memset(words, 0, sizeof *words);
}
