/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_FILTER_AMX_KERNEL_H
#define PKIN_SIMILARITY_CPU_FILTER_AMX_KERNEL_H

/*
 * The filter with tiles (cpu_amx_tiles.h): unsigned bytes by unsigned bytes, exactly.
 *
 *   block   [row / 32][k / 64][row / 16 % 2][row % 16][k % 64]
 *   panel   [k / 64][sketch / 16][k / 4 % 16][sketch % 16][k % 4], of 32 sketches
 *
 * so that every tile is 1 KB in one piece, and a step of 64 in k reads 2 KB of each in order. 32 rows by 32 sketches
 * are four tiles of sums: four loads for four products, the best that eight tiles allow. The sums then go to a buffer
 * in the first-level cache and are compared there.
 *
 * Included by cpu_filter_amx.c for the processor, and by a test for the emulation.
 */
#include "similarity/cpu_amx_tiles.h"
#include "similarity/cpu_filter_reached.h"

enum { PKIN_I_AMX_ROWS = 32, PKIN_I_AMX_STEP = 64 };

/* Where a step's tiles of 32 rows or sketches begin. */
static inline uint64_t amx_step_begin(uint32_t bucket) {
    return (uint64_t)(bucket / PKIN_I_AMX_STEP) * 2 * PKIN_I_TILE_BYTES;
}

static void amx_pack_block_row(uint8_t *block, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                               const uint8_t *values) {
    const uint32_t in_group = at % PKIN_I_AMX_ROWS;
    uint8_t *row = block + (uint64_t)(at - in_group) * dimension + (uint64_t)in_group * PKIN_I_TILE_ROW_BYTES;
    for (uint32_t k = 0; k < n; k++) row[amx_step_begin(buckets[k]) + buckets[k] % PKIN_I_AMX_STEP] = values[k];
}

static void amx_pack_panel_row(uint8_t *panel, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                               const uint8_t *values) {
    uint8_t *sketch = panel + at / 16 * PKIN_I_TILE_BYTES + at % 16 * 4;
    (void)dimension;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t four = buckets[k] / 4 % PKIN_I_TILE_ROWS;
        sketch[amx_step_begin(buckets[k]) + four * PKIN_I_TILE_ROW_BYTES + buckets[k] % 4] = values[k];
    }
}

static TILES_TARGET void amx_begin(void) {
    TILES_BEGIN();
}

static TILES_TARGET void amx_end(void) {
    TILES_END();
}

/* products[32][32] of 32 rows with the panel. Tiles 0 to 3 are sums, 4 and 5 the rows', 6 and 7 the panel's. */
static inline TILES_TARGET void amx_multiply(const uint8_t *rows, const uint8_t *panel, uint32_t dimension,
                                             int32_t *products) {
    enum { STRIDE = PKIN_I_AMX_ROWS * sizeof(int32_t) };
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (uint32_t k = 0; k < dimension; k += PKIN_I_AMX_STEP) {
        TILE_LOAD(4, rows);
        TILE_LOAD(6, panel);
        TILE_MULTIPLY(0, 4, 6);
        TILE_LOAD(7, panel + PKIN_I_TILE_BYTES);
        TILE_MULTIPLY(1, 4, 7);
        TILE_LOAD(5, rows + PKIN_I_TILE_BYTES);
        TILE_MULTIPLY(2, 5, 6);
        TILE_MULTIPLY(3, 5, 7);
        rows += 2 * PKIN_I_TILE_BYTES;
        panel += 2 * PKIN_I_TILE_BYTES;
    }
    TILE_STORE(products, STRIDE, 0);
    TILE_STORE(products + 16, STRIDE, 1);
    TILE_STORE(products + 16 * PKIN_I_AMX_ROWS, STRIDE, 2);
    TILE_STORE(products + 16 * PKIN_I_AMX_ROWS + 16, STRIDE, 3);
}

/* The filter's `run`, with the comparison that suits the machine. */
static inline TILES_TARGET size_t amx_run(const uint8_t *block, uint32_t n_rows, const uint8_t *panel,
                                          uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits,
                                          pkin_i_reached_fn reached, pkin_i_survivor *out) {
    int32_t products[PKIN_I_AMX_ROWS * PKIN_I_AMX_ROWS] __attribute__((aligned(64)));
    size_t n = 0;
    TILES_SEE_MEMORY();
    for (uint32_t r = 0; r < n_rows; r += PKIN_I_AMX_ROWS) {
        amx_multiply(block + (uint64_t)r * dimension, panel, dimension, products);
        n += reached(products, PKIN_I_AMX_ROWS, PKIN_I_AMX_ROWS, r, block_limits + r, panel_limits, out + n);
    }
    return n;
}

#endif
