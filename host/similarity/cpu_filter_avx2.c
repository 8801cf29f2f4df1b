/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter_reached.h"

/*
 * The filter with 256-bit registers, twice: with vpdpbusd where the processor has its 256-bit form (AVX-VNNI), else
 * with vpmaddwd, which multiplies and adds pairs of 16-bit numbers. (vpmaddubsw would take bytes, but saturates at
 * 32767, which two products of 255 * 255 exceed.)
 *
 *   block   [row / 4][k / 4][row % 4][k % 4]: one stream; for vpdpbusd of q - 128 (cpu_filter_avx512.c says why)
 *   panel   [k / 4][sketch][k % 4], of 24 sketches (vpdpbusd) or 16
 *
 * vpmaddwd takes the bytes k = 0 and 2 of four, then those of k = 1 and 3: in a 16-bit lane the one is what a mask
 * leaves, the other what a shift leaves. Packing 16-bit numbers instead would be a fifth faster and take twice the
 * memory.
 *
 * The sums of a tile, 4 rows by 2 or 3 registers of 8 sketches, stay in registers. Broadcasts and multiplications are
 * written as assembly: GCC 12 and Clang 14 move the intrinsics about until 16 registers are not enough.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

enum { LANES = 8, TILE_ROWS = 4, WORD_VECTORS = 2, VNNI_VECTORS = 3, SHIFT = 128 };
enum { WORD_PANEL_ROWS = WORD_VECTORS * LANES, VNNI_PANEL_ROWS = VNNI_VECTORS * LANES };

static void pack_block_row(uint8_t *block, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                           const uint8_t *values) {
    uint8_t *row = block + (size_t)(at / TILE_ROWS) * TILE_ROWS * dimension + at % TILE_ROWS * 4;
    for (uint32_t k = 0; k < n; k++) row[buckets[k] / 4 * (TILE_ROWS * 4) + buckets[k] % 4] = values[k];
}

static void pack_block_row_shifted(uint8_t *block, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                                   const uint8_t *values) {
    uint8_t *row = block + (size_t)(at / TILE_ROWS) * TILE_ROWS * dimension + at % TILE_ROWS * 4;
    for (uint32_t k = 0; k < n; k++) row[buckets[k] / 4 * (TILE_ROWS * 4) + buckets[k] % 4] = values[k] ^ SHIFT;
}

static void pack_word_panel_row(uint8_t *panel, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                                const uint8_t *values) {
    (void)dimension;
    for (uint32_t k = 0; k < n; k++)
        panel[buckets[k] / 4 * (WORD_PANEL_ROWS * 4) + at * 4 + buckets[k] % 4] = values[k];
}

static void pack_vnni_panel_row(uint8_t *panel, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                                const uint8_t *values) {
    (void)dimension;
    for (uint32_t k = 0; k < n; k++)
        panel[buckets[k] / 4 * (VNNI_PANEL_ROWS * 4) + at * 4 + buckets[k] % 4] = values[k];
}

/* ---- Products against limits ---- */

static inline TARGET __m256i load(const void *at) {
    return _mm256_loadu_si256(at);
}

static TARGET size_t reached(const int32_t *products, uint32_t n_rows, uint32_t n_columns, uint32_t first_row,
                             const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < n_rows; r++, products += n_columns) {
        const __m256i limit = _mm256_set1_epi32(row_limits[r]);
        uint64_t below = 0;
        for (uint32_t c = 0; c < n_columns; c += LANES) {
            __m256i least = _mm256_min_epi32(limit, load(column_limits + c));
            __m256i mask = _mm256_cmpgt_epi32(least, load(products + c));
            below |= (uint64_t)_mm256_movemask_ps(_mm256_castsi256_ps(mask)) << c;
        }
        for (uint64_t found = below ^ ((UINT64_C(1) << n_columns) - 1); found; found &= found - 1)
            out[n++] = (pkin_i_survivor){first_row + r, (uint32_t)__builtin_ctzll(found)};
    }
    return n;
}

/* The least of four limits, in every lane. */
static inline TARGET __m256i least_of_four(const int32_t *limits) {
    __m128i least = _mm_loadu_si128((const __m128i *)limits);
    least = _mm_min_epi32(least, _mm_shuffle_epi32(least, 0x4E));
    least = _mm_min_epi32(least, _mm_shuffle_epi32(least, 0xB1));
    return _mm256_broadcastd_epi32(least);
}

/* Nonzero if one of eight sketches may reach a limit: by its largest product, and the least limit of the rows. */
static inline TARGET unsigned may_reach(__m256i largest, __m256i least_row_limit, const int32_t *panel_limits) {
    __m256i limit = _mm256_min_epi32(least_row_limit, load(panel_limits));
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, largest))) ^ 0xFF;
}

/* ---- Products ---- */

/* Four bytes of a row, in every lane. */
#define SPREAD(row, four) __asm__ volatile("vpbroadcastd %1, %0" : "=x"(row) : "m"(*(const uint8_t(*)[4])(four)));

#define ROWS(do_row) do_row(0) do_row(1) do_row(2) do_row(3)
#define LARGEST(v) _mm256_max_epi32(_mm256_max_epi32(sum0_##v, sum1_##v), _mm256_max_epi32(sum2_##v, sum3_##v))
#define STORE(r, v, vectors) _mm256_store_si256((__m256i *)products + r * vectors + v, sum##r##_##v);

/* sum += the products of two 16-bit numbers a lane; the second form leaves nothing in `row`. */
#define ADD_WORDS(sum, panel, row)                                                                                     \
    __asm__ volatile("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(panel), "x"(row));
#define ADD_WORDS_LAST(sum, panel, row)                                                                                \
    __asm__ volatile("vpmaddwd %2, %1, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "+x"(row) : "x"(panel));
#define WORD_START(r) __m256i sum##r##_0 = zero, sum##r##_1 = zero;
#define WORD_ROW(r, words)                                                                                             \
    SPREAD(row, rows + 4 * r)                                                                                          \
    row = words(row);                                                                                                  \
    ADD_WORDS(sum##r##_0, panel0, row)                                                                                 \
    ADD_WORDS_LAST(sum##r##_1, panel1, row)
#define EVEN(bytes) _mm256_and_si256(bytes, low_bytes)
#define ODD(bytes) _mm256_srli_epi16(bytes, 8)
#define WORD_EVEN_ROW(r) WORD_ROW(r, EVEN)
#define WORD_ODD_ROW(r) WORD_ROW(r, ODD)
#define WORD_STORE(r) STORE(r, 0, WORD_VECTORS) STORE(r, 1, WORD_VECTORS)

static inline TARGET size_t run_word_tile(const uint8_t *rows, const uint8_t *panel, uint32_t dimension,
                                          uint32_t first_row, const int32_t *row_limits, const int32_t *panel_limits,
                                          pkin_i_survivor *out) {
    const __m256i zero = _mm256_setzero_si256(), low_bytes = _mm256_set1_epi16(0xFF);
    const uint8_t *end = rows + (size_t)dimension * TILE_ROWS;
    __m256i row, product;
    ROWS(WORD_START)
    while (rows != end) {
        for (int unrolled = 0; unrolled < 2; unrolled++, rows += TILE_ROWS * 4, panel += WORD_PANEL_ROWS * 4) {
            const __m256i bytes0 = load(panel), bytes1 = load(panel + 32);
            __m256i panel0 = EVEN(bytes0), panel1 = EVEN(bytes1);
            ROWS(WORD_EVEN_ROW)
            panel0 = ODD(bytes0), panel1 = ODD(bytes1);
            ROWS(WORD_ODD_ROW)
        }
    }
    const __m256i least = least_of_four(row_limits);
    if (!(may_reach(LARGEST(0), least, panel_limits) | may_reach(LARGEST(1), least, panel_limits + LANES))) return 0;
    int32_t products[TILE_ROWS * WORD_PANEL_ROWS] __attribute__((aligned(32)));
    ROWS(WORD_STORE)
    return reached(products, TILE_ROWS, WORD_PANEL_ROWS, first_row, row_limits, panel_limits, out);
}

static TARGET size_t run_words(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                               uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits,
                               pkin_i_survivor *out) {
    size_t n = 0;
    (void)panel_sums;
    for (uint32_t r = 0; r < n_rows; r += TILE_ROWS)
        n += run_word_tile(block + (size_t)r * dimension, panel, dimension, r, block_limits + r, panel_limits, out + n);
    return n;
}

#define ADD_BYTES(sum, panel, row) __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(panel), "x"(row));
#define VNNI_START(r) __m256i sum##r##_0 = start0, sum##r##_1 = start1, sum##r##_2 = start2;
#define VNNI_ROW(r)                                                                                                    \
    SPREAD(row, rows + 4 * r)                                                                                          \
    ADD_BYTES(sum##r##_0, panel0, row)                                                                                 \
    ADD_BYTES(sum##r##_1, panel1, row)                                                                                 \
    ADD_BYTES(sum##r##_2, panel2, row)
#define VNNI_STORE(r) STORE(r, 0, VNNI_VECTORS) STORE(r, 1, VNNI_VECTORS) STORE(r, 2, VNNI_VECTORS)

static inline TARGET size_t run_vnni_tile(const uint8_t *rows, const uint8_t *panel, const int32_t *panel_sums,
                                          uint32_t dimension, uint32_t first_row, const int32_t *row_limits,
                                          const int32_t *panel_limits, pkin_i_survivor *out) {
    const __m256i start0 = _mm256_slli_epi32(load(panel_sums), 7);
    const __m256i start1 = _mm256_slli_epi32(load(panel_sums + LANES), 7);
    const __m256i start2 = _mm256_slli_epi32(load(panel_sums + 2 * LANES), 7);
    const uint8_t *end = rows + (size_t)dimension * TILE_ROWS;
    __m256i row;
    ROWS(VNNI_START)
    while (rows != end) {
        for (int unrolled = 0; unrolled < 4; unrolled++, rows += TILE_ROWS * 4, panel += VNNI_PANEL_ROWS * 4) {
            const __m256i panel0 = load(panel), panel1 = load(panel + 32), panel2 = load(panel + 64);
            ROWS(VNNI_ROW)
        }
    }
    const __m256i least = least_of_four(row_limits);
    if (!(may_reach(LARGEST(0), least, panel_limits) | may_reach(LARGEST(1), least, panel_limits + LANES) |
          may_reach(LARGEST(2), least, panel_limits + 2 * LANES)))
        return 0;
    int32_t products[TILE_ROWS * VNNI_PANEL_ROWS] __attribute__((aligned(32)));
    ROWS(VNNI_STORE)
    return reached(products, TILE_ROWS, VNNI_PANEL_ROWS, first_row, row_limits, panel_limits, out);
}

static TARGET size_t run_vnni(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                              uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits,
                              pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < n_rows; r += TILE_ROWS)
        n += run_vnni_tile(block + (size_t)r * dimension, panel, panel_sums, dimension, r, block_limits + r,
                           panel_limits, out + n);
    return n;
}

const pkin_i_filter pkin_i_filter_avx2 = {PKIN_I_ISA_AVX2,     "AVX2", TILE_ROWS, WORD_PANEL_ROWS, 0, 0, pack_block_row,
                                          pack_word_panel_row, NULL,   NULL,      run_words};

const pkin_i_filter pkin_i_filter_avx_vnni = {
    PKIN_I_ISA_AVX2,     "AVX-VNNI", TILE_ROWS, VNNI_PANEL_ROWS, SHIFT, 0, pack_block_row_shifted,
    pack_vnni_panel_row, NULL,       NULL,      run_vnni};

#endif
