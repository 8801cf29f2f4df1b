/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/word_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"

/* A word with its first eight bytes as a number that compares as they do. */
typedef struct sortable_word {
    uint64_t prefix;
    const char *bytes;
    size_t n_bytes;
    uint32_t id;
} sortable_word;

static uint64_t prefix_of(const char *bytes, size_t n_bytes) {
    uint64_t prefix = 0;
    size_t n = n_bytes < 8 ? n_bytes : 8;
    for (size_t k = 0; k < n; k++) prefix |= (uint64_t)(unsigned char)bytes[k] << (56 - 8 * k);
    return prefix;
}

static int compare_words(const void *a, const void *b) {
    const sortable_word *x = a, *y = b;
    if (x->prefix != y->prefix) return x->prefix < y->prefix ? -1 : 1;
    size_t n = x->n_bytes < y->n_bytes ? x->n_bytes : y->n_bytes;
    int order = memcmp(x->bytes, y->bytes, n);
    if (order) return order;
    return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

/* One pass of a least-significant-digit radix sort; a digit that all words share is skipped. */
static int sort_by_digit(const sortable_word *from, sortable_word *to, size_t n, int shift) {
    size_t starts[256] = {0}, at = 0;
    for (size_t k = 0; k < n; k++) starts[(from[k].prefix >> shift) & 0xFF]++;
    if (n && starts[(from[0].prefix >> shift) & 0xFF] == n) return 0;
    for (int d = 0; d < 256; d++) {
        size_t count = starts[d];
        starts[d] = at;
        at += count;
    }
    for (size_t k = 0; k < n; k++) to[starts[(from[k].prefix >> shift) & 0xFF]++] = from[k];
    return 1;
}

/* By prefix first, which settles nearly everything; then each run of equal prefixes by the rest. */
static void sort_words(sortable_word **words, sortable_word **other, size_t n) {
    for (int shift = 0; shift < 64; shift += 8) {
        if (!sort_by_digit(*words, *other, n, shift)) continue;
        sortable_word *swap = *words;
        *words = *other;
        *other = swap;
    }
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && (*words)[end].prefix == (*words)[begin].prefix) end++;
        if (end - begin > 1) qsort(*words + begin, end - begin, sizeof **words, compare_words);
    }
}

pkin_status pkin_i_word_order(const pkin_i_vocabulary *vocabulary, int by_bytes, uint32_t *ids) {
    pkin_status status = PKIN_OK;
    uint32_t n = pkin_i_vocabulary_size(vocabulary);
    sortable_word *words = NULL, *other = NULL;
    for (uint32_t id = 0; id < n; id++) ids[id] = id;
    if (!by_bytes) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(n, sizeof *words, &words));
    PKIN_TRY(pkin_i_allocate(n, sizeof *other, &other));
    for (uint32_t id = 0; id < n; id++) {
        words[id].bytes = pkin_i_vocabulary_word(vocabulary, id, &words[id].n_bytes);
        words[id].prefix = prefix_of(words[id].bytes, words[id].n_bytes);
        words[id].id = id;
    }
    sort_words(&words, &other, n);
    for (uint32_t r = 0; r < n; r++) ids[r] = words[r].id;
out:
    pkin_i_free(words);
    pkin_i_free(other);
    return status;
}
