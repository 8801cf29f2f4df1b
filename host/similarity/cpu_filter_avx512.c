/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter_reached.h"

/*
 * The filter with vpdpbusd, which multiplies four unsigned bytes by four signed ones and adds them to a 32-bit lane.
 *
 * Bytes are 0 to 255 on both sides, so that one side is shifted: rows are packed as q - 128, and since
 * p * q = p * (q - 128) + 128 * p, sums start at 128 times the sum of the panel's sketch. Everything stays exact.
 *
 *   block   [row / 8][k / 4][row % 8][k % 4]   of q - 128: one stream
 *   panel   [k / 4][48 sketches][k % 4]        of q
 *
 * A tile is 8 rows by 48 sketches: 24 registers of 16 sums, and each four k cost 3 loads of sketches and 8 broadcasts
 * of a row's four bytes for 24 vpdpbusd, whose latency the 24 independent sums hide.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

enum { LANES = 16, TILE_ROWS = 8, TILE_VECTORS = 3, PANEL_ROWS = TILE_VECTORS * LANES, SHIFT = 128 };

static void pack_block_row(uint8_t *block, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                           const uint8_t *values) {
    uint8_t *row = block + (size_t)(at / TILE_ROWS) * TILE_ROWS * dimension + at % TILE_ROWS * 4;
    for (uint32_t k = 0; k < n; k++) row[buckets[k] / 4 * (TILE_ROWS * 4) + buckets[k] % 4] = values[k] ^ SHIFT;
}

static void pack_panel_row(uint8_t *panel, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                           const uint8_t *values) {
    (void)dimension;
    for (uint32_t k = 0; k < n; k++) panel[buckets[k] / 4 * (PANEL_ROWS * 4) + at * 4 + buckets[k] % 4] = values[k];
}

/* ---- Products against limits ---- */

/* The least of eight limits, in every lane. */
static inline TARGET __m512i least_of_eight(const int32_t *limits) {
    __m256i least = _mm256_loadu_si256((const __m256i *)limits);
    least = _mm256_min_epi32(least, _mm256_permute2x128_si256(least, least, 1));
    least = _mm256_min_epi32(least, _mm256_shuffle_epi32(least, 0x4E));
    least = _mm256_min_epi32(least, _mm256_shuffle_epi32(least, 0xB1));
    return _mm512_broadcastd_epi32(_mm256_castsi256_si128(least));
}

/* Nonzero if one of 16 sketches may reach a limit: by its largest product, and the least limit of the rows. */
static inline TARGET unsigned may_reach(__m512i largest, __m512i least_row_limit, const int32_t *column_limits) {
    return _mm512_cmpge_epi32_mask(largest, _mm512_min_epi32(least_row_limit, _mm512_loadu_si512(column_limits)));
}

static TARGET size_t reached_in_rows(const int32_t *products, uint32_t n_columns, uint32_t first_row,
                                     const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < TILE_ROWS; r++, products += n_columns) {
        const __m512i limit = _mm512_set1_epi32(row_limits[r]);
        uint64_t found = 0;
        for (uint32_t c = 0; c < n_columns; c += LANES) {
            __m512i least = _mm512_min_epi32(limit, _mm512_loadu_si512(column_limits + c));
            uint64_t mask = _mm512_cmpge_epi32_mask(_mm512_load_si512(products + c), least);
            found |= mask << c;
        }
        for (; found; found &= found - 1) out[n++] = (pkin_i_survivor){first_row + r, (uint32_t)__builtin_ctzll(found)};
    }
    return n;
}

TARGET size_t pkin_i_reached_avx512(const int32_t *products, uint32_t n_rows, uint32_t n_columns, uint32_t first_row,
                                    const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < n_rows; r += TILE_ROWS, products += TILE_ROWS * n_columns) {
        const __m512i least = least_of_eight(row_limits + r);
        unsigned may = 0;
        for (uint32_t c = 0; c < n_columns; c += LANES) {
            __m512i largest = _mm512_load_si512(products + c);
            for (uint32_t k = 1; k < TILE_ROWS; k++)
                largest = _mm512_max_epi32(largest, _mm512_load_si512(products + k * n_columns + c));
            may |= may_reach(largest, least, column_limits + c);
        }
        if (__builtin_expect(may != 0, 0))
            n += reached_in_rows(products, n_columns, first_row + r, row_limits + r, column_limits, out + n);
    }
    return n;
}

/* ---- Products ---- */

/* Four bytes of a row, in every lane. */
static inline TARGET __m512i spread(const uint8_t *four) {
    int32_t bytes;
    memcpy(&bytes, four, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}

/*
 * Named registers, since arrays of 24 make compilers spill; and pinned to registers when the products end, without
 * which GCC 12 spills them in the loop to have them at hand after it.
 */
#define PIN(r) __asm__("" : "+v"(sum##r##_0), "+v"(sum##r##_1), "+v"(sum##r##_2));
#define ROWS(do_row) do_row(0) do_row(1) do_row(2) do_row(3) do_row(4) do_row(5) do_row(6) do_row(7)
#define START(r) __m512i r##0 = start0, r##1 = start1, r##2 = start2;
#define NAMED_START(r) START(sum##r##_)
#define MULTIPLY(r)                                                                                                    \
    row = spread(rows + 4 * r);                                                                                        \
    sum##r##_0 = _mm512_dpbusd_epi32(sum##r##_0, panel0, row);                                                         \
    sum##r##_1 = _mm512_dpbusd_epi32(sum##r##_1, panel1, row);                                                         \
    sum##r##_2 = _mm512_dpbusd_epi32(sum##r##_2, panel2, row);
#define STORE(r)                                                                                                       \
    _mm512_store_si512(products + r * PANEL_ROWS, sum##r##_0);                                                         \
    _mm512_store_si512(products + r * PANEL_ROWS + LANES, sum##r##_1);                                                 \
    _mm512_store_si512(products + r * PANEL_ROWS + 2 * LANES, sum##r##_2);
#define MAX2(x, y) _mm512_max_epi32(x, y)
#define LARGEST(v)                                                                                                     \
    MAX2(MAX2(MAX2(sum0_##v, sum1_##v), MAX2(sum2_##v, sum3_##v)),                                                     \
         MAX2(MAX2(sum4_##v, sum5_##v), MAX2(sum6_##v, sum7_##v)))

/*
 * One tile. Hardly any tile has a survivor: one branch for all, on each sketch's largest product against the least
 * limit that it could have to reach; then the exact comparison.
 */
static inline TARGET size_t run_tile(const uint8_t *rows, const uint8_t *panel, const int32_t *panel_sums,
                                     uint32_t dimension, uint32_t first_row, const int32_t *row_limits,
                                     const int32_t *panel_limits, pkin_i_survivor *out) {
    const __m512i start0 = _mm512_slli_epi32(_mm512_loadu_si512(panel_sums), 7);
    const __m512i start1 = _mm512_slli_epi32(_mm512_loadu_si512(panel_sums + LANES), 7);
    const __m512i start2 = _mm512_slli_epi32(_mm512_loadu_si512(panel_sums + 2 * LANES), 7);
    const uint8_t *end = rows + (size_t)dimension * TILE_ROWS;
    ROWS(NAMED_START)
    while (rows != end) {
        for (int unrolled = 0; unrolled < 4; unrolled++) {
            const __m512i panel0 = _mm512_load_si512(panel), panel1 = _mm512_load_si512(panel + 64);
            const __m512i panel2 = _mm512_load_si512(panel + 128);
            __m512i row;
            ROWS(MULTIPLY)
            rows += TILE_ROWS * 4;
            panel += PANEL_ROWS * 4;
        }
    }
    ROWS(PIN)
    const __m512i least = least_of_eight(row_limits);
    unsigned may = may_reach(LARGEST(0), least, panel_limits);
    may |= may_reach(LARGEST(1), least, panel_limits + LANES);
    may |= may_reach(LARGEST(2), least, panel_limits + 2 * LANES);
    if (__builtin_expect(may == 0, 1)) return 0;
    int32_t products[TILE_ROWS * PANEL_ROWS] __attribute__((aligned(64)));
    ROWS(STORE)
    return reached_in_rows(products, PANEL_ROWS, first_row, row_limits, panel_limits, out);
}

static TARGET size_t run(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                         uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits,
                         pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < n_rows; r += TILE_ROWS)
        n += run_tile(block + (size_t)r * dimension, panel, panel_sums, dimension, r, block_limits + r, panel_limits,
                      out + n);
    return n;
}

const pkin_i_filter pkin_i_filter_avx512 = {PKIN_I_ISA_AVX512, "AVX-512 VNNI", TILE_ROWS, PANEL_ROWS, SHIFT, 0,
                                            pack_block_row,    pack_panel_row, NULL,      NULL,       run};

#endif
