/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Many pairs are first dealt out by their scores to buckets that divide the range between the lowest and the
 * highest evenly, each thread a share of the pairs; then every bucket is sorted by merging, those with very many pairs,
 * as where scores are equal, by several threads. So most of the work is within a core's nearest memory.
 */
#include <string.h>

#include "base/failure.h"
#include "similarity/policy.h"

enum {
    INSERTION_PAIRS = 24, /* shorter runs are sorted by insertion */
    TASK_PAIRS = 1 << 14, /* shorter runs are not worth a task of their own */
    N_BUCKETS = 1 << 11
};

static void sort_by_insertion(pkin_pair *pairs, uint64_t n) {
    for (uint64_t k = 1; k < n; k++) {
        pkin_pair pair = pairs[k];
        uint64_t at = k;
        for (; at > 0 && pkin_i_pair_before(&pair, &pairs[at - 1]); at--) pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
}

/* Merges the sorted halves [0, middle) and [middle, n), the first by way of `spare`. */
static void merge_halves(pkin_pair *pairs, uint64_t middle, uint64_t n, pkin_pair *spare) {
    uint64_t left = 0, right = middle, to = 0;
    if (!pkin_i_pair_before(&pairs[middle], &pairs[middle - 1])) return;
    memcpy(spare, pairs, middle * sizeof *pairs);
    while (left < middle && right < n) {
        if (pkin_i_pair_before(&pairs[right], &spare[left])) {
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

/* Pairs on their way to the buckets: pairs [n * share / n_shares, ...) are dealt out by one thread. */
typedef struct dealing {
    const pkin_pair *pairs;
    uint64_t n_pairs, highest;
    int shift;
    int n_shares;
    uint64_t *places; /* n_shares * N_BUCKETS: a share's counts, then its places in the buckets */
} dealing;

static uint64_t bucket_of(const dealing *self, const pkin_pair *pair) {
    return (self->highest - pair->score) >> self->shift;
}

static uint64_t share_begin(const dealing *self, int share) {
    return (uint64_t)((unsigned __int128)self->n_pairs * (unsigned)share / (unsigned)self->n_shares);
}

static void choose_buckets(dealing *self, int n_threads) {
    const pkin_pair *pairs = self->pairs;
    const uint64_t n = self->n_pairs;
    uint64_t highest = 0, lowest = UINT64_MAX;
#pragma omp parallel for num_threads(n_threads) reduction(max : highest) reduction(min : lowest)
    for (uint64_t p = 0; p < n; p++) {
        if (pairs[p].score > highest) highest = pairs[p].score;
        if (pairs[p].score < lowest) lowest = pairs[p].score;
    }
    self->highest = highest;
    while ((highest - lowest) >> self->shift >= N_BUCKETS) self->shift++;
}

/* Turns counts into places, bucket after bucket and in each share after share. `begins` has N_BUCKETS + 1. */
static void place_shares(dealing *self, uint64_t *begins) {
    uint64_t at = 0;
    for (int bucket = 0; bucket < N_BUCKETS; bucket++) {
        begins[bucket] = at;
        for (int share = 0; share < self->n_shares; share++) {
            uint64_t *place = &self->places[(size_t)share * N_BUCKETS + (size_t)bucket], n = *place;
            *place = at;
            at += n;
        }
    }
    begins[N_BUCKETS] = at;
}

static void deal_out(dealing *self, int n_threads, uint64_t *begins, pkin_pair *to) {
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
    for (int share = 0; share < self->n_shares; share++) {
        uint64_t *counts = self->places + (size_t)share * N_BUCKETS;
        const uint64_t end = share_begin(self, share + 1);
        for (uint64_t p = share_begin(self, share); p < end; p++) counts[bucket_of(self, &self->pairs[p])]++;
    }
    place_shares(self, begins);
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
    for (int share = 0; share < self->n_shares; share++) {
        uint64_t *places = self->places + (size_t)share * N_BUCKETS;
        const uint64_t end = share_begin(self, share + 1);
        for (uint64_t p = share_begin(self, share); p < end; p++) {
            to[places[bucket_of(self, &self->pairs[p])]++] = self->pairs[p];
        }
    }
}

/* Sorts buckets [first, last), which lie in `dealt`, and puts them back where they belong. */
static void sort_buckets(pkin_pair *dealt, const uint64_t *begins, int first, int last, pkin_pair *pairs) {
    for (int b = first; b < last; b++) sort_run(dealt + begins[b], begins[b + 1] - begins[b], pairs + begins[b]);
    memcpy(pairs + begins[first], dealt + begins[first], (begins[last] - begins[first]) * sizeof *pairs);
}

static void sort_all_buckets(pkin_pair *dealt, const uint64_t *begins, int n_threads, pkin_pair *pairs) {
#pragma omp parallel num_threads(n_threads)
#pragma omp single
    for (int first = 0, last; first < N_BUCKETS; first = last) {
        for (last = first + 1; last < N_BUCKETS && begins[last] - begins[first] < TASK_PAIRS;) last++;
#pragma omp task default(none) firstprivate(dealt, begins, first, last, pairs)
        sort_buckets(dealt, begins, first, last, pairs);
    }
}

pkin_status pkin_i_sort_pairs(pkin_pair *pairs, uint64_t n_pairs, int n_threads) {
    pkin_status status;
    pkin_pair *spare = NULL;
    uint64_t *begins = NULL;
    dealing self = {.pairs = pairs, .n_pairs = n_pairs, .n_shares = n_threads};
    if (n_pairs < 2) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(n_pairs, sizeof *spare, &spare));
    if (n_pairs <= TASK_PAIRS) {
        sort_run(pairs, n_pairs, spare);
        goto out;
    }
    PKIN_TRY(pkin_i_allocate(N_BUCKETS + 1, sizeof *begins, &begins));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)n_threads * N_BUCKETS, sizeof *self.places, &self.places));
    choose_buckets(&self, n_threads);
    deal_out(&self, n_threads, begins, spare);
    sort_all_buckets(spare, begins, n_threads, pairs);
out:
    pkin_i_free(self.places);
    pkin_i_free(begins);
    pkin_i_free(spare);
    return status;
}
