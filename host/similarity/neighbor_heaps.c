/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/neighbor_heaps.h"

#include <stdbool.h>

pkin_status pkin_i_neighbor_heaps_open(uint64_t n_rows, uint32_t k, uint64_t min_score, pkin_neighbor *neighbors,
                                       uint32_t *counts, pkin_i_neighbor_heaps *out) {
    pkin_i_neighbor_heaps heaps = {n_rows, k, neighbors, counts, NULL, NULL};
    pkin_status status = pkin_i_allocate(n_rows, sizeof *heaps.thresholds, &heaps.thresholds);
    if (status == PKIN_OK) status = pkin_i_allocate_zeroed(PKIN_I_HEAP_LOCKS, sizeof *heaps.locks, &heaps.locks);
    if (status != PKIN_OK) {
        pkin_i_neighbor_heaps_close(&heaps);
        return status;
    }
    for (uint64_t r = 0; r < n_rows; r++) {
        heaps.thresholds[r] = min_score;
        counts[r] = 0;
    }
    *out = heaps;
    return PKIN_OK;
}

void pkin_i_neighbor_heaps_close(pkin_i_neighbor_heaps *heaps) {
    pkin_i_free(heaps->thresholds);
    pkin_i_free(heaps->locks);
    heaps->thresholds = NULL;
    heaps->locks = NULL;
}

static inline bool is_worse(pkin_neighbor x, pkin_neighbor y) {
    return x.score != y.score ? x.score < y.score : x.row > y.row;
}

/* Moves `item` up from the new last place. */
static void sift_up(pkin_neighbor *heap, uint32_t at, pkin_neighbor item) {
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!is_worse(item, heap[parent])) break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = item;
}

/* Moves `item` down from the root of a heap of n. */
static void sift_down(pkin_neighbor *heap, uint32_t n, pkin_neighbor item) {
    uint64_t at = 0;
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= n) break;
        if (child + 1 < n && is_worse(heap[child + 1], heap[child])) child++;
        if (!is_worse(heap[child], item)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

static bool holds(const pkin_neighbor *heap, uint32_t n, uint32_t neighbor) {
    bool found = false;
    for (uint32_t at = 0; at < n; at++) found |= heap[at].row == neighbor;
    return found;
}

static inline void offer(pkin_i_neighbor_heaps *heaps, uint64_t row, pkin_neighbor item, bool again) {
    if (item.score < pkin_i_neighbor_threshold(heaps, row)) return;
    unsigned char *lock = &heaps->locks[row % PKIN_I_HEAP_LOCKS];
    pkin_neighbor *heap = heaps->neighbors + row * heaps->k;
    while (__atomic_test_and_set(lock, __ATOMIC_ACQUIRE)) continue;
    uint32_t n = heaps->counts[row];
    if ((n < heaps->k || is_worse(heap[0], item)) && !(again && holds(heap, n, item.row))) {
        if (n < heaps->k) {
            sift_up(heap, n, item);
            heaps->counts[row] = ++n;
        } else {
            sift_down(heap, n, item);
        }
        if (n == heaps->k) __atomic_store_n(&heaps->thresholds[row], heap[0].score, __ATOMIC_RELAXED);
    }
    __atomic_clear(lock, __ATOMIC_RELEASE);
}

void pkin_i_neighbor_offer(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t neighbor, uint64_t score) {
    offer(heaps, row, (pkin_neighbor){score, neighbor}, false);
}

void pkin_i_neighbor_offer_again(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t neighbor, uint64_t score) {
    offer(heaps, row, (pkin_neighbor){score, neighbor}, true);
}

size_t pkin_i_neighbor_rows(pkin_i_neighbor_heaps *heaps, uint64_t row, uint32_t *out, size_t n_most) {
    unsigned char *lock = &heaps->locks[row % PKIN_I_HEAP_LOCKS];
    const pkin_neighbor *heap = heaps->neighbors + row * heaps->k;
    while (__atomic_test_and_set(lock, __ATOMIC_ACQUIRE)) continue;
    const size_t n = heaps->counts[row] < n_most ? heaps->counts[row] : n_most;
    for (size_t at = 0; at < n; at++) out[at] = heap[at].row;
    __atomic_clear(lock, __ATOMIC_RELEASE);
    return n;
}

void pkin_i_neighbor_heaps_sort(pkin_i_neighbor_heaps *heaps, int n_threads) {
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 256) if (heaps->n_rows > 1024)
    for (uint64_t r = 0; r < heaps->n_rows; r++) {
        /* Heap sort: the worst of what is left goes to the end. */
        pkin_neighbor *heap = heaps->neighbors + r * heaps->k;
        for (uint32_t n = heaps->counts[r]; n > 1; n--) {
            pkin_neighbor worst = heap[0];
            sift_down(heap, n - 1, heap[n - 1]);
            heap[n - 1] = worst;
        }
    }
}
