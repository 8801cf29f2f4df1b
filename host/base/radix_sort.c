/* SPDX-License-Identifier: Apache-2.0 */
#include "base/radix_sort.h"

#include <string.h>

uint64_t *pkin_i_radix_sort(uint64_t *values, uint64_t *other, size_t n, int n_high_bits) {
    /* Equal digits: rows are short, and walking over the counts of digits that do not occur would take longer. */
    int n_passes = (n_high_bits + 7) / 8, digit_bits = n_passes ? (n_high_bits + n_passes - 1) / n_passes : 0;
    const unsigned n_digits = 1u << digit_bits;
    for (int pass = 0, shift = 32; pass < n_passes; pass++, shift += digit_bits) {
        size_t starts[256], at = 0;
        memset(starts, 0, n_digits * sizeof *starts);
        for (size_t k = 0; k < n; k++) starts[(values[k] >> shift) & (n_digits - 1)]++;
        for (unsigned d = 0; d < n_digits; d++) {
            size_t count = starts[d];
            starts[d] = at;
            at += count;
        }
        for (size_t k = 0; k < n; k++) other[starts[(values[k] >> shift) & (n_digits - 1)]++] = values[k];
        uint64_t *swap = values;
        values = other;
        other = swap;
    }
    return values;
}
