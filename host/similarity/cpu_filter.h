/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_FILTER_H
#define PKIN_SIMILARITY_CPU_FILTER_H

/*
 * The filter: integer products of many sketches at once (sketch.h), compared where they are computed. One side, the
 * rows, is packed in blocks that stay in the second-level cache; the other, the columns, in panels of a few sketches
 * that stay in the first while all rows of a block pass them. The s32 products never go to memory beyond the first
 * level.
 *
 * Each instruction set has its own packing and its own kernel; what they find is the same.
 */
#include <stddef.h>

#include "similarity/cpu_isa.h"
#include "similarity/sketch.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_FILTER_NEVER = INT32_MAX }; /* a limit that no product reaches */

/* A product that reached its limit: places in the block and in the panel. */
typedef struct pkin_i_survivor {
    uint32_t row;
    uint32_t column;
} pkin_i_survivor;

typedef struct pkin_i_filter {
    pkin_i_isa isa;
    const char *name;    /* "AMX int8", "AVX-512 VNNI", ... */
    uint32_t block_step; /* rows are packed and filtered in multiples of this: at most 64 */
    uint32_t panel_rows; /* sketches in a panel: at most 64 */
    uint8_t block_zero;  /* the byte that stands for a product of 0, in a packed block */
    uint8_t panel_zero;  /* the same in a packed panel */
    /* Writes a sketch's nonzero bytes (pkin_i_sketch_row) to its place `at`; the block or panel was filled with the
       zero byte before. A block of n rows takes n * dimension bytes, a panel panel_rows * dimension. */
    void (*pack_block_row)(uint8_t *block, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                           const uint8_t *values);
    void (*pack_panel_row)(uint8_t *panel, uint32_t dimension, uint32_t at, uint32_t n, const uint16_t *buckets,
                           const uint8_t *values);
    /* Around a thread's calls of `run`: state of the processor that the kernel needs (tiles). NULL: none. */
    void (*begin)(void);
    void (*end)(void);
    /*
     * Products of all rows of a block with a panel: places where product >= min(block_limits[row],
     * panel_limits[column]), in any order, to `out` (room for n_rows * panel_rows). Returns how many.
     *   block         packed rows, aligned to 64 bytes; n_rows a multiple of block_step
     *   panel         packed panel, aligned to 64 bytes
     *   panel_sums    of each of its sketches the sum of its bytes
     *   dimension     a multiple of PKIN_I_DIMENSION_STEP
     * Products are below 2^17 (sketch.h). Places without a row hold zero sketches: their limits should be NEVER.
     */
    size_t (*run)(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                  uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits, pkin_i_survivor *out);
} pkin_i_filter;

/* The best filter that this machine has for this level or one below; never NULL. */
const pkin_i_filter *pkin_i_filter_for(pkin_i_isa isa);
/* All filters that this machine can run, for tests and the benchmark: NULL past the last. */
const pkin_i_filter *pkin_i_filter_at(size_t index);

extern const pkin_i_filter pkin_i_filter_portable;
#if defined(__x86_64__) && defined(__GNUC__)
extern const pkin_i_filter pkin_i_filter_avx2;
extern const pkin_i_filter pkin_i_filter_avx_vnni; /* 256-bit vpdpbusd: where the processor has AVX-VNNI */
extern const pkin_i_filter pkin_i_filter_avx512;   /* with AVX512_VNNI */
extern const pkin_i_filter pkin_i_filter_amx;
#endif

/*
 * Integer operations a second (multiplications and additions) that `n_threads` threads reach with the level's best
 * 8-bit dot-product instruction and nothing else: registers only, no memory. Takes about `seconds`.
 */
double pkin_i_filter_peak(pkin_i_isa isa, int n_threads, double seconds);

PKIN_EXTERN_C_END

#endif
