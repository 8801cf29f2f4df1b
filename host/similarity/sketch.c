/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/sketch.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/failure.h"
#include "base/radix_sort.h"

enum { WEIGHT_SHARES_MAX = 8 };

/* A heap of buckets, the lightest (of equal ones the lowest) at its root. */
typedef struct bucket_load {
    uint64_t weight;
    uint32_t bucket;
} bucket_load;

static bool is_lighter(bucket_load x, bucket_load y) {
    return x.weight != y.weight ? x.weight < y.weight : x.bucket < y.bucket;
}

/* Adds weight to the root and lets it sink. */
static void load_root(bucket_load *heap, uint32_t n, uint64_t weight) {
    bucket_load item = heap[0];
    uint32_t at = 0;
    item.weight += weight;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n) break;
        if (child + 1 < n && is_lighter(heap[child + 1], heap[child])) child++;
        if (!is_lighter(heap[child], item)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

/*
 * The columns with a weight as keys, column below bit 32, the heaviest first when they are sorted by the bits above:
 * their weights in a unit in which the heaviest has 32 bits. Returns how many.
 */
static uint64_t list_columns(const uint64_t *column_weights, uint64_t n_columns, uint64_t *keys) {
    uint64_t heaviest = 0, n = 0;
    for (uint64_t c = 0; c < n_columns; c++) {
        if (column_weights[c] > heaviest) heaviest = column_weights[c];
    }
    int shift = 0;
    while (heaviest >> shift > UINT32_MAX) shift++;
    for (uint64_t c = 0; c < n_columns; c++) {
        if (column_weights[c]) keys[n++] = (UINT32_MAX - (column_weights[c] >> shift)) << 32 | c;
    }
    return n;
}

pkin_status pkin_i_sketch_map_build(const uint64_t *column_weights, uint64_t n_columns, uint32_t dimension,
                                    pkin_i_sketch_map *out) {
    pkin_status status;
    pkin_i_sketch_map map = {.dimension = dimension};
    uint64_t *keys = NULL, *spare = NULL;
    bucket_load *heap = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(n_columns, sizeof *map.buckets, &map.buckets));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *keys, &keys));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *spare, &spare));
    PKIN_TRY(pkin_i_allocate(dimension, sizeof *heap, &heap));
    const uint64_t n_used = list_columns(column_weights, n_columns, keys);
    const uint64_t *sorted = pkin_i_radix_sort(keys, spare, n_used, 32);
    for (uint32_t b = 0; b < dimension; b++) heap[b] = (bucket_load){0, b};
    for (uint64_t k = 0; k < n_used; k++) {
        const uint32_t column = (uint32_t)sorted[k];
        map.buckets[column] = (uint16_t)heap[0].bucket;
        load_root(heap, dimension, column_weights[column]);
    }
    *out = map;
    map.buckets = NULL;
out:
    pkin_i_free(heap);
    pkin_i_free(keys);
    pkin_i_free(spare);
    pkin_i_sketch_map_free(&map);
    return status;
}

void pkin_i_sketch_map_free(pkin_i_sketch_map *map) {
    pkin_i_free(map->buckets);
    map->buckets = NULL;
}

/* Adds the weights of share `share` of `n_shares` of a side's entries. */
static void add_weights(const pkin_vectors *side, int share, int n_shares, uint64_t *weights) {
    if (!side) return;
    const uint64_t n = side->row_offsets[side->n_rows];
    const uint64_t begin = n / (uint64_t)n_shares * (uint64_t)share;
    const uint64_t end = share + 1 == n_shares ? n : n / (uint64_t)n_shares * (uint64_t)(share + 1);
    for (uint64_t k = begin; k < end; k++) weights[side->columns[k]] += side->weights[k];
}

pkin_status pkin_i_sketch_column_weights_on(const pkin_vectors *a, const pkin_vectors *b, int n_threads,
                                            uint64_t **out) {
    pkin_status status;
    const uint64_t n_columns = a->n_columns;
    const uint64_t n_entries = a->row_offsets[a->n_rows] + (b ? b->row_offsets[b->n_rows] : 0);
    uint64_t *weights = NULL;
    *out = NULL;
    /* Adding the arrays up costs as much as a share's entries: few shares where there are many columns. */
    int n_shares = n_threads < WEIGHT_SHARES_MAX ? n_threads : WEIGHT_SHARES_MAX;
    while (n_shares > 1 && n_columns * (uint64_t)n_shares > n_entries) n_shares--;
    size_t n_sums;
    PKIN_REQUIRE(pkin_i_multiply(n_columns, (size_t)n_shares, &n_sums), PKIN_ERROR_OVERFLOW, "sketch: %llu columns",
                 (unsigned long long)n_columns);
    PKIN_TRY(pkin_i_allocate(n_sums, sizeof *weights, &weights));
#pragma omp parallel for num_threads(n_shares) schedule(static, 1) if (n_shares > 1)
    for (int s = 0; s < n_shares; s++) {
        memset(weights + (uint64_t)s * n_columns, 0, n_columns * sizeof *weights);
        add_weights(a, s, n_shares, weights + (uint64_t)s * n_columns);
        add_weights(b, s, n_shares, weights + (uint64_t)s * n_columns);
    }
#pragma omp parallel for num_threads(n_shares) schedule(static) if (n_shares > 1)
    for (uint64_t c = 0; c < n_columns; c++) {
        for (int s = 1; s < n_shares; s++) weights[c] += weights[(uint64_t)s * n_columns + c];
    }
    *out = weights;
out:
    return status;
}

pkin_status pkin_i_sketch_column_weights(const pkin_vectors *a, const pkin_vectors *b, uint64_t **out) {
    return pkin_i_sketch_column_weights_on(a, b, 1, out);
}

/*
 * The smallest q with q^2 * 2^60 >= 65025 * squares. The root gives it but for its own rounding (below 2^-40 relative,
 * against steps of 1/255); the integers decide.
 */
static inline uint8_t quantise_up(uint64_t squares) {
    const unsigned __int128 wanted = (unsigned __int128)squares * PKIN_I_SKETCH_ONE;
    uint32_t q = (uint32_t)(sqrt((double)squares) * (255.0 / 1073741824.0));
    while ((unsigned __int128)(q * q) << 60 < wanted) q++;
    return (uint8_t)q;
}

uint32_t pkin_i_sketch_row(const pkin_i_sketch_map *map, const pkin_vectors *vectors, uint64_t row, uint64_t *squares,
                           uint16_t *buckets, uint8_t *values) {
    const uint64_t begin = vectors->row_offsets[row], end = vectors->row_offsets[row + 1];
    uint32_t n = 0;
    for (uint64_t k = begin; k < end; k++) {
        const uint64_t weight = vectors->weights[k];
        const uint16_t bucket = map->buckets[vectors->columns[k]];
        if (squares[bucket] == 0) buckets[n++] = bucket;
        squares[bucket] += weight * weight;
    }
    for (uint32_t k = 0; k < n; k++) {
        values[k] = quantise_up(squares[buckets[k]]);
        squares[buckets[k]] = 0;
    }
    return n;
}

int32_t pkin_i_sketch_limit(uint64_t min_score) {
    const unsigned __int128 one = (unsigned __int128)1 << 60;
    return (int32_t)(((unsigned __int128)min_score * PKIN_I_SKETCH_ONE + one - 1) / one);
}
