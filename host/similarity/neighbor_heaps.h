/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_NEIGHBOR_HEAPS_H
#define PKIN_SIMILARITY_NEIGHBOR_HEAPS_H

/*
 * The k best neighbours of many rows at once, offered by many threads in any order. What is kept does not depend on the
 * order of the offers, because no two neighbours of a row rank the same: score descending, then row ascending.
 */
#include "base/memory.h"
#include "paperkin/similarity.h"

enum { PKIN_I_HEAP_LOCKS = 1024 };

typedef struct pkin_i_neighbor_heaps {
    uint64_t n_rows;
    uint32_t k;
    pkin_neighbor *neighbors; /* borrowed; row r's at [r * k, r * k + counts[r]), the worst first while open */
    uint32_t *counts;         /* borrowed */
    uint64_t *thresholds;     /* a lower score cannot enter row r; rises only; read and written atomically */
    unsigned char *locks;     /* row r's is r % PKIN_I_HEAP_LOCKS */
} pkin_i_neighbor_heaps;

/* `neighbors` has room for n_rows * k, `counts` for n_rows. */
pkin_status pkin_i_neighbor_heaps_open(uint64_t n_rows, uint32_t k, uint64_t min_score, pkin_neighbor *neighbors,
                                       uint32_t *counts, pkin_i_neighbor_heaps *out);

/* May be out of date, and then lower than the truth: good for leaving out what cannot enter. */
static inline uint64_t pkin_i_neighbor_threshold(const pkin_i_neighbor_heaps *heaps, uint64_t row) {
    return __atomic_load_n(&heaps->thresholds[row], __ATOMIC_RELAXED);
}

/* Each neighbour is offered to a row once at most. */
void pkin_i_neighbor_offer(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t neighbor, uint64_t score);

/*
 * The same for neighbours that may be offered several times, always with the same score: one that is in the heap does
 * not enter again, and one that was pushed out never returns. O(k) where it enters.
 */
void pkin_i_neighbor_offer_again(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t neighbor, uint64_t score);

/* Writes whom the row's heap holds, at most `n_most`, in any order. Returns how many. */
size_t pkin_i_neighbor_rows(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t *out, size_t n_most);

/* Ahead of offers to a row: its heap stands anywhere in memory. */
static inline void pkin_i_neighbor_prefetch(const pkin_i_neighbor_heaps *heaps, uint64_t row) {
    enum { LINE_NEIGHBORS = 64 / sizeof(pkin_neighbor), NEIGHBORS_MOST = 4 * LINE_NEIGHBORS };
    const pkin_neighbor *heap = heaps->neighbors + row * heaps->k;
    __builtin_prefetch(&heaps->thresholds[row]);
    __builtin_prefetch(&heaps->counts[row]);
    for (uint32_t k = 0; k < heaps->k && k < NEIGHBORS_MOST; k += LINE_NEIGHBORS) __builtin_prefetch(&heap[k]);
}

/* Nothing enters a finished row: its threshold is this from then on. Not while others offer to the row. */
#define PKIN_I_NEIGHBOR_FINISHED UINT64_MAX
static inline void pkin_i_neighbor_finish(pkin_i_neighbor_heaps *heaps, uint64_t row) {
    __atomic_store_n(&heaps->thresholds[row], PKIN_I_NEIGHBOR_FINISHED, __ATOMIC_RELAXED);
}

/* Puts every row's neighbours in their final order. */
void pkin_i_neighbor_heaps_sort(pkin_i_neighbor_heaps *heaps, int n_threads);
void pkin_i_neighbor_heaps_close(pkin_i_neighbor_heaps *heaps);

#endif
