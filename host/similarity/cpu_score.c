/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_score.h"

/*
 * A row's columns and weights are read once and from far away, the dense row again and again. So the entries of rows
 * ahead are prefetched in two steps, first where they begin, then the entries. Reading a dense row by gathers costs as
 * many loads as reading it one by one, but fewer instructions, so that the processor looks further ahead.
 */
enum { OFFSETS_AHEAD = 16, ENTRIES_AHEAD = 6, ENTRIES_PER_LINE = 16 };

static inline void prefetch_entries(const pkin_vectors *vectors, uint64_t row) {
    const uint64_t begin = vectors->row_offsets[row], end = vectors->row_offsets[row + 1];
    for (uint64_t k = begin; k < end; k += ENTRIES_PER_LINE) {
        __builtin_prefetch(&vectors->columns[k]);
        __builtin_prefetch(&vectors->weights[k]);
    }
}

static inline uint64_t score_entries(const uint32_t *dense, const uint32_t *columns, const uint32_t *weights,
                                     uint64_t n) {
    uint64_t even = 0, odd = 0, k = 0;
    for (; k + 4 <= n; k += 4) {
        even += (uint64_t)dense[columns[k]] * weights[k];
        odd += (uint64_t)dense[columns[k + 1]] * weights[k + 1];
        even += (uint64_t)dense[columns[k + 2]] * weights[k + 2];
        odd += (uint64_t)dense[columns[k + 3]] * weights[k + 3];
    }
    for (; k < n; k++) even += (uint64_t)dense[columns[k]] * weights[k];
    return even + odd;
}

/* For every row: what is to come, then its entries, by whatever `score` is for this instruction set. */
#define SCORE_ROWS(score)                                                                                              \
    for (size_t k = 0; k < n_rows && k < ENTRIES_AHEAD; k++) prefetch_entries(vectors, rows[k]);                       \
    for (size_t k = 0; k < n_rows; k++) {                                                                              \
        if (k + OFFSETS_AHEAD < n_rows) __builtin_prefetch(&vectors->row_offsets[rows[k + OFFSETS_AHEAD]]);            \
        if (k + ENTRIES_AHEAD < n_rows) prefetch_entries(vectors, rows[k + ENTRIES_AHEAD]);                            \
        const uint64_t begin = vectors->row_offsets[rows[k]], end = vectors->row_offsets[rows[k] + 1];                 \
        scores[k] = score(dense, vectors->columns + begin, vectors->weights + begin, end - begin);                     \
    }

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

/* 16 entries at a time, the last ones under a mask. */
static inline TARGET uint64_t score_entries_avx512(const uint32_t *dense, const uint32_t *columns,
                                                   const uint32_t *weights, uint64_t n) {
    __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
    for (uint64_t k = 0; k < n; k += 16) {
        const __mmask16 mask = n - k >= 16 ? 0xffff : (__mmask16)((1u << (n - k)) - 1);
        const __m512i at = _mm512_maskz_loadu_epi32(mask, columns + k);
        const __m512i x = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, at, dense, 4);
        const __m512i y = _mm512_maskz_loadu_epi32(mask, weights + k);
        even = _mm512_add_epi64(even, _mm512_mul_epu32(x, y));
        odd = _mm512_add_epi64(odd, _mm512_mul_epu32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(y, 32)));
    }
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(even, odd));
}

static TARGET void score_rows_avx512(const uint32_t *dense, const pkin_vectors *vectors, const uint32_t *rows,
                                     size_t n_rows, uint64_t *scores) {
    SCORE_ROWS(score_entries_avx512)
}

/* A gather reads places as signed numbers: as many columns as that reaches. */
static int has_avx512(pkin_i_isa isa, const pkin_vectors *vectors) {
    return isa >= PKIN_I_ISA_AVX512 && vectors->n_columns <= INT32_MAX;
}

#else

static void score_rows_avx512(const uint32_t *dense, const pkin_vectors *vectors, const uint32_t *rows, size_t n_rows,
                              uint64_t *scores) {
    SCORE_ROWS(score_entries)
}

static int has_avx512(pkin_i_isa isa, const pkin_vectors *vectors) {
    (void)isa;
    (void)vectors;
    return 0;
}

#endif

static void score_rows(const uint32_t *dense, const pkin_vectors *vectors, const uint32_t *rows, size_t n_rows,
                       uint64_t *scores) {
    SCORE_ROWS(score_entries)
}

void pkin_i_score_rows(pkin_i_isa isa, const uint32_t *dense, const pkin_vectors *vectors, const uint32_t *rows,
                       size_t n_rows, uint64_t *scores) {
    (has_avx512(isa, vectors) ? score_rows_avx512 : score_rows)(dense, vectors, rows, n_rows, scores);
}

void pkin_i_score_spread(const pkin_vectors *vectors, uint64_t row, uint32_t *dense) {
    const uint64_t end = vectors->row_offsets[row + 1];
    for (uint64_t k = vectors->row_offsets[row]; k < end; k++) dense[vectors->columns[k]] = vectors->weights[k];
}

void pkin_i_score_clear(const pkin_vectors *vectors, uint64_t row, uint32_t *dense) {
    const uint64_t end = vectors->row_offsets[row + 1];
    for (uint64_t k = vectors->row_offsets[row]; k < end; k++) dense[vectors->columns[k]] = 0;
}
