/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_AMX_TILES_H
#define PKIN_SIMILARITY_CPU_AMX_TILES_H

/*
 * The operations on tiles that the filter needs: eight tiles of 16 rows of 64 bytes. They are the processor's (Intel
 * SDM, volume 2: LDTILECFG, TILEZERO, TILELOADD, TDPBUUD, TILESTORED, TILERELEASE), or, where PKIN_I_TILES_EMULATED is
 * defined, the same in plain C, so that a kernel can be tested on machines without them.
 *
 *   TILES_BEGIN()                sets up the calling thread; tiles are then zero
 *   TILES_END()                  gives them up
 *   TILES_SEE_MEMORY()           before the first load of what was written since: GCC 12 does not know that loads read
 *   TILE_ZERO(t)                 t = 0
 *   TILE_LOAD(t, at)             t = 1024 bytes at `at`, row after row
 *   TILE_STORE(at, stride, t)    row r of t to at + r * stride (bytes)
 *   TILE_MULTIPLY(c, a, b)       32-bit c[m][n] += a[m][4k + i] * b[k][4n + i], unsigned bytes, over k < 16 and i < 4
 *
 * Tiles are numbers, 0 to 7, known to the compiler.
 */
#include <stdint.h>

enum { PKIN_I_TILE_ROWS = 16, PKIN_I_TILE_ROW_BYTES = 64, PKIN_I_TILE_BYTES = 1024, PKIN_I_N_TILES = 8 };

#if defined(PKIN_I_TILES_EMULATED)

#include <string.h>

#define TILES_TARGET

/* What the processor would fault on is counted. */
static struct {
    uint8_t tiles[PKIN_I_N_TILES][PKIN_I_TILE_ROWS][PKIN_I_TILE_ROW_BYTES];
    int is_configured;
    uint64_t n_faults;
} emulated;

static inline void emulated_begin(void) {
    memset(emulated.tiles, 0, sizeof emulated.tiles);
    emulated.is_configured = 1;
}

static inline void emulated_end(void) {
    memset(emulated.tiles, 0xA5, sizeof emulated.tiles);
    emulated.is_configured = 0;
}

static inline void emulated_zero(int t) {
    emulated.n_faults += !emulated.is_configured;
    memset(emulated.tiles[t], 0, sizeof emulated.tiles[t]);
}

static inline void emulated_load(int t, const uint8_t *at) {
    emulated.n_faults += !emulated.is_configured;
    memcpy(emulated.tiles[t], at, sizeof emulated.tiles[t]);
}

static inline void emulated_store(uint8_t *at, uint64_t stride, int t) {
    emulated.n_faults += !emulated.is_configured;
    for (int r = 0; r < PKIN_I_TILE_ROWS; r++)
        memcpy(at + (uint64_t)r * stride, emulated.tiles[t][r], PKIN_I_TILE_ROW_BYTES);
}

static inline void emulated_multiply(int c, int a, int b) {
    emulated.n_faults += !emulated.is_configured || c == a || c == b || a == b;
    for (int m = 0; m < PKIN_I_TILE_ROWS; m++) {
        uint32_t sums[PKIN_I_TILE_ROW_BYTES / 4];
        memcpy(sums, emulated.tiles[c][m], sizeof sums);
        for (int k = 0; k < PKIN_I_TILE_ROWS; k++) {
            const uint8_t *x = emulated.tiles[a][m] + 4 * k;
            for (int n = 0; n < PKIN_I_TILE_ROW_BYTES / 4; n++) {
                const uint8_t *y = emulated.tiles[b][k] + 4 * n;
                sums[n] += (uint32_t)(x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3]);
            }
        }
        memcpy(emulated.tiles[c][m], sums, sizeof sums);
    }
}

#define TILES_BEGIN() emulated_begin()
#define TILES_END() emulated_end()
#define TILES_SEE_MEMORY() (void)0
#define TILE_ZERO(t) emulated_zero(t)
#define TILE_LOAD(t, at) emulated_load(t, (const uint8_t *)(at))
#define TILE_STORE(at, stride, t) emulated_store((uint8_t *)(at), stride, t)
#define TILE_MULTIPLY(c, a, b) emulated_multiply(c, a, b)

#else

#include <immintrin.h>

#define TILES_TARGET __attribute__((target("amx-tile,amx-int8")))

/* LDTILECFG's operand: palette 1, bytes of a row and rows of each tile. */
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} pkin_i_tile_config
    __attribute__((aligned(64))) = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

#define TILES_BEGIN() _tile_loadconfig(&pkin_i_tile_config)
#define TILES_END() _tile_release()
#define TILES_SEE_MEMORY() __asm__ volatile("" ::: "memory")
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, at) _tile_loadd(t, at, PKIN_I_TILE_ROW_BYTES)
#define TILE_STORE(at, stride, t) _tile_stored(t, at, stride)
#define TILE_MULTIPLY(c, a, b) _tile_dpbuud(c, a, b)

#endif

#endif
