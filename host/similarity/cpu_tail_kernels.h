/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_TAIL_KERNELS_H
#define PKIN_SIMILARITY_CPU_TAIL_KERNELS_H

/* The inner loops that run over every pair of rows, for several instruction sets. Integers: the same bits in each. */
#include <stddef.h>
#include <stdint.h>

#include "similarity/cpu_isa.h"
#include "similarity/cpu_tail_rows.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_KERNEL_ROWS = PKIN_I_TAIL_ROUND /* kernels run over a multiple of this many rows */
};

/* A row of the block that may reach its limit, and the sum of its tail. */
typedef struct pkin_i_tail_found {
    uint32_t place;
    uint32_t tail;
} pkin_i_tail_found;

typedef struct pkin_i_tail_kernels {
    const char *instruction_set; /* as pkin_i_isa_name has it */
    /*
     * The places r < n with sums[r] + x[0] * norms[2 r] + x[1] * norms[2 r + 1] >= min(limit, limits[r]), ascending, to
     * `found` (room for n + 1), with sums[r]; sums[0, n) are zero after it. `limits` may be NULL. Returns how many.
     * n a multiple of KERNEL_ROWS; sums below 2^29, norms and x in [0, 2^14], bounds below 2^30 (cpu_tail_rows.h).
     */
    size_t (*scan)(uint32_t *sums, const int16_t *norms, const int16_t *x, size_t n, uint32_t limit,
                   const uint32_t *limits, pkin_i_tail_found *found);
    /* Leaves those of `found` whose tail + sum over b < FINE_BUCKETS of x[b] * norms[place * FINE_BUCKETS + b] still
       reaches min(limit, limits[place]), in their order. Returns how many. */
    size_t (*refine)(const int16_t *norms, const int16_t *x, uint32_t limit, const uint32_t *limits,
                     pkin_i_tail_found *found, size_t n_found);
    /* The places r < n with scores[r] >= min(limit, limits[r]), ascending, to `found` (room for n + 1). Returns how
       many. n a multiple of KERNEL_ROWS; scores and limits below 2^62. */
    size_t (*reaching)(const uint64_t *scores, size_t n, uint64_t limit, const uint64_t *limits, uint32_t *found);
} pkin_i_tail_kernels;

/* The best for this level or one below, which must be available. */
const pkin_i_tail_kernels *pkin_i_tail_kernels_for(pkin_i_isa isa);
/* All that run on this machine, for tests: NULL past the last. */
const pkin_i_tail_kernels *pkin_i_tail_kernels_at(size_t index);

PKIN_EXTERN_C_END

#endif
