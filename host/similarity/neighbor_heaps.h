/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_NEIGHBOR_HEAPS_H
#define PKIN_SIMILARITY_NEIGHBOR_HEAPS_H

/*
 * The k best neighbours of many rows at once, offered by many threads in any order. What is kept does not depend on the
 * order of the offers, because no two neighbours of a row rank the same: score descending, then row ascending.
 */
#include <stdatomic.h>

#include "base/memory.h"
#include "paperkin/similarity.h"

enum { PKIN_I_HEAP_LOCKS = 1024 };

typedef struct pkin_i_neighbor_heaps {
    uint64_t n_rows;
    uint32_t k;
    pkin_neighbor *neighbors;     /* borrowed; row r's at [r * k, r * k + counts[r]), the worst first while open */
    uint32_t *counts;             /* borrowed */
    _Atomic uint64_t *thresholds; /* a lower score cannot enter row r; rises only */
    atomic_flag *locks;           /* row r's is r % PKIN_I_HEAP_LOCKS */
} pkin_i_neighbor_heaps;

/* `neighbors` has room for n_rows * k, `counts` for n_rows. */
pkin_status pkin_i_neighbor_heaps_open(uint64_t n_rows, uint32_t k, uint64_t min_score, pkin_neighbor *neighbors,
                                       uint32_t *counts, pkin_i_neighbor_heaps *out);

/* May be out of date, and then lower than the truth: good for leaving out what cannot enter. */
static inline uint64_t pkin_i_neighbor_threshold(const pkin_i_neighbor_heaps *heaps, uint64_t row) {
    return atomic_load_explicit(&heaps->thresholds[row], memory_order_relaxed);
}

void pkin_i_neighbor_offer(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t neighbor, uint64_t score);

/* Puts every row's neighbours in their final order. */
void pkin_i_neighbor_heaps_sort(pkin_i_neighbor_heaps *heaps, int n_threads);
void pkin_i_neighbor_heaps_close(pkin_i_neighbor_heaps *heaps);

#endif
