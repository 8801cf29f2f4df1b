/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/text_ratio.h"

#include "base/failure.h"

#define SPELLING_MAX_BYTES 64

static uint32_t larger(uint32_t x, uint32_t y) {
    return x > y ? x : y;
}

/* Longest common subsequence. `row` holds n_b + 1 zeros; afterwards row[j] is the length for all of a and b[0..j). */
static uint32_t common_subsequence(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, uint32_t *row) {
    for (size_t i = 0; i < n_a; i++) {
        uint32_t diagonal = 0; /* the row before, one column to the left */
        for (size_t j = 0; j < n_b; j++) {
            uint32_t above = row[j + 1];
            row[j + 1] = a[i] == b[j] ? diagonal + 1 : larger(above, row[j]);
            diagonal = above;
        }
    }
    return row[n_b];
}

pkin_status pkin_i_sequence_ratio(const uint64_t *a, size_t n_a, const uint64_t *b, size_t n_b, double *out) {
    pkin_status status = PKIN_OK;
    uint32_t *row = NULL;
    uint64_t common = 0;
    double total = (double)n_a + (double)n_b;
    PKIN_REQUIRE(n_a < UINT32_MAX && n_b < UINT32_MAX, PKIN_ERROR_OVERFLOW, "too many words to compare: %zu and %zu",
                 n_a, n_b);
    /* What both begin and end with belongs to some longest common subsequence: equal texts cost one pass. */
    for (; n_a && n_b && a[0] == b[0]; a++, b++, n_a--, n_b--) common++;
    for (; n_a && n_b && a[n_a - 1] == b[n_b - 1]; n_a--, n_b--) common++;
    if (n_a && n_b) {
        PKIN_TRY(pkin_i_allocate_zeroed(n_b + 1, sizeof *row, &row));
        common += common_subsequence(a, n_a, b, n_b, row);
    }
    *out = total > 0 ? 2.0 * (double)common / total : 0.0;
out:
    pkin_i_free(row);
    return status;
}

double pkin_i_spelling_ratio(const char *a, size_t n_a, const char *b, size_t n_b) {
    uint8_t row[SPELLING_MAX_BYTES + 1] = {0};
    if (n_a > SPELLING_MAX_BYTES) n_a = SPELLING_MAX_BYTES;
    if (n_b > SPELLING_MAX_BYTES) n_b = SPELLING_MAX_BYTES;
    for (size_t i = 0; i < n_a; i++) {
        uint8_t diagonal = 0;
        for (size_t j = 0; j < n_b; j++) {
            uint8_t above = row[j + 1];
            if (a[i] == b[j]) {
                row[j + 1] = (uint8_t)(diagonal + 1);
            } else if (row[j] > above) {
                row[j + 1] = row[j];
            }
            diagonal = above;
        }
    }
    return n_a + n_b ? 2.0 * row[n_b] / (double)(n_a + n_b) : 0.0;
}
