/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "similarity/policy.h"

enum {
    INSERTION_PAIRS = 24, /* shorter runs are sorted by insertion */
    TASK_PAIRS = 1 << 15  /* shorter runs are not worth a task of their own */
};

static inline bool comes_before(const pkin_pair *x, const pkin_pair *y) {
    if (x->score != y->score) return x->score > y->score;
    return x->i != y->i ? x->i < y->i : x->j < y->j;
}

static void sort_by_insertion(pkin_pair *pairs, uint64_t n) {
    for (uint64_t k = 1; k < n; k++) {
        pkin_pair pair = pairs[k];
        uint64_t at = k;
        for (; at > 0 && comes_before(&pair, &pairs[at - 1]); at--) pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
}

/* Merges the sorted halves [0, middle) and [middle, n), the first by way of `spare`. */
static void merge_halves(pkin_pair *pairs, uint64_t middle, uint64_t n, pkin_pair *spare) {
    uint64_t left = 0, right = middle, to = 0;
    if (!comes_before(&pairs[middle], &pairs[middle - 1])) return;
    memcpy(spare, pairs, middle * sizeof *pairs);
    while (left < middle && right < n) {
        if (comes_before(&pairs[right], &spare[left])) {
            pairs[to++] = pairs[right++];
        } else {
            pairs[to++] = spare[left++];
        }
    }
    memcpy(pairs + to, spare + left, (middle - left) * sizeof *pairs);
}

static void sort_run(pkin_pair *pairs, uint64_t n, pkin_pair *spare) {
    if (n <= INSERTION_PAIRS) {
        sort_by_insertion(pairs, n);
        return;
    }
    uint64_t middle = n / 2;
#pragma omp task default(none) firstprivate(pairs, middle, spare) if (n > TASK_PAIRS)
    sort_run(pairs, middle, spare);
    sort_run(pairs + middle, n - middle, spare + middle);
#pragma omp taskwait
    merge_halves(pairs, middle, n, spare);
}

pkin_status pkin_i_sort_pairs(pkin_pair *pairs, uint64_t n_pairs, int n_threads) {
    pkin_pair *spare = NULL;
    if (n_pairs < 2) return PKIN_OK;
    pkin_status status = pkin_i_allocate(n_pairs, sizeof *spare, &spare);
    if (status != PKIN_OK) return status;
#pragma omp parallel num_threads(n_threads) if (n_pairs > TASK_PAIRS)
#pragma omp single
    sort_run(pairs, n_pairs, spare);
    pkin_i_free(spare);
    return PKIN_OK;
}
