/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter.h"

/*
 * The filter in plain C: the oracle of the others, and what runs where there is no other. Rows and columns are packed
 * alike, sketch after sketch; compilers turn the inner loop into vector code.
 */
enum { BLOCK_STEP = 4, PANEL_ROWS = 4 };

static void pack_row(uint8_t *packed, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                     const uint8_t *values) {
    uint8_t *row = packed + (size_t)at * dimension;
    for (uint32_t k = 0; k < n; k++) row[buckets[k]] = values[k];
}

/* 255 * 255 fits into 16 bits: said so, GCC multiplies 16-bit lanes, half as much again as it would do else. */
static int32_t product(const uint8_t *x, const uint8_t *y, uint32_t dimension) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < dimension; k++) sum += (uint16_t)(x[k] * y[k]);
    return (int32_t)sum;
}

static size_t run(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                  uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits, pkin_i_survivor *out) {
    size_t n = 0;
    (void)panel_sums;
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint32_t c = 0; c < PANEL_ROWS; c++) {
            int32_t limit = block_limits[r] < panel_limits[c] ? block_limits[r] : panel_limits[c];
            if (product(block + (size_t)r * dimension, panel + (size_t)c * dimension, dimension) < limit) continue;
            out[n++] = (pkin_i_survivor){r, c};
        }
    }
    return n;
}

const pkin_i_filter pkin_i_filter_portable = {
    PKIN_I_ISA_PORTABLE, "portable C", BLOCK_STEP, PANEL_ROWS, 0, 0, pack_row, pack_row, NULL, NULL, run};
