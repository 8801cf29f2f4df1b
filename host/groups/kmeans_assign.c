/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row has some hundred entries, a centre as many thousands, and most centres have most of the frequent columns. So
 * the centres are kept by column: a row's scores with all of them are sums of a few contiguous runs, one a column of
 * the row, in an array of one 64-bit sum a centre that stays in the nearest cache. This is the product of a sparse and
 * a nearly dense matrix of integers, nothing rounded. Bounds spare little here: a centre is somewhat like every row, so
 * that the similarity engine's sketches cost far more than they spare, and its inverted index, which keeps the rows by
 * column, walks over many short runs. Bounds from one iteration to the next (Hamerly, "Making k-means even faster",
 * 2010) leave half of the rows of a year's papers in doubt to the end: their best two cosines are close together.
 * O(sum over entries of the centres that have the column); 8 bytes an entry of the centres, 8 a column.
 */
#include "groups/kmeans_assign.h"

#include <omp.h>

#include "base/failure.h"
#include "paperkin/graph.h"
#include "similarity/vectors.h"

enum {
    ROWS_AT_ONCE = 256,
    COLUMNS_AHEAD = 16, /* a run is looked up so many columns before it is added, and its place so many more before */
    RUN_LINES = 2       /* of it are fetched then, 64 bytes each; the rest follows by itself */
};

typedef struct posting {
    uint32_t center, weight;
} posting;

typedef struct by_column {
    uint64_t *offsets; /* n_columns + 1 */
    posting *postings; /* centres ascending within a column */
} by_column;

static void by_column_free(by_column *self) {
    pkin_i_free(self->offsets);
    pkin_i_free(self->postings);
}

static pkin_status by_column_make(const pkin_vectors *centers, by_column *out) {
    pkin_status status;
    const uint64_t n_entries = centers->row_offsets[centers->n_rows];
    PKIN_TRY(pkin_i_allocate_zeroed(centers->n_columns + 1, sizeof *out->offsets, &out->offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *out->postings, &out->postings));
    for (uint64_t at = 0; at < n_entries; at++) out->offsets[centers->columns[at]]++;
    for (uint64_t column = 0, sum = 0; column <= centers->n_columns; column++) {
        sum += out->offsets[column];
        out->offsets[column] = sum; /* its end; counted down to its begin */
    }
    for (uint64_t c = centers->n_rows; c-- > 0;) {
        for (uint64_t at = centers->row_offsets[c]; at < centers->row_offsets[c + 1]; at++) {
            out->postings[--out->offsets[centers->columns[at]]] = (posting){(uint32_t)c, centers->weights[at]};
        }
    }
out:
    return status;
}

/* Memory latency is nearly all of the work where it is not hidden. */
static inline void look_ahead(const uint32_t *columns, const by_column *centers) {
    const posting *run = centers->postings + centers->offsets[columns[COLUMNS_AHEAD]];
    for (int line = 0; line < RUN_LINES; line++) __builtin_prefetch((const char *)run + 64 * line);
    __builtin_prefetch(&centers->offsets[columns[2 * COLUMNS_AHEAD]]);
}

/* The nearest centre of a row; `sums`, one a centre, are zeroes before and after. */
static uint32_t nearest(const pkin_vectors *vectors, uint64_t row, const by_column *centers, uint64_t n_centers,
                        uint64_t *sums, uint64_t *score) {
    const uint64_t n_entries = vectors->row_offsets[vectors->n_rows]; /* one looks ahead into the next rows, too */
    uint32_t best = PKIN_NO_CLUSTER;
    for (uint64_t at = vectors->row_offsets[row]; at < vectors->row_offsets[row + 1]; at++) {
        if (at + 2 * COLUMNS_AHEAD < n_entries) look_ahead(vectors->columns + at, centers);
        const uint64_t weight = vectors->weights[at];
        const posting *p = centers->postings + centers->offsets[vectors->columns[at]];
        const posting *end = centers->postings + centers->offsets[(uint64_t)vectors->columns[at] + 1];
        for (; p < end; p++) sums[p->center] += weight * p->weight;
    }
    *score = 0;
    for (uint64_t c = 0; c < n_centers; c++) {
        if (sums[c] > *score) {
            *score = sums[c];
            best = (uint32_t)c;
        }
        sums[c] = 0;
    }
    return best;
}

pkin_status pkin_i_kmeans_assign(const pkin_vectors *vectors, const pkin_vectors *centers, int n_threads,
                                 uint32_t *labels, uint64_t *scores) {
    pkin_status status;
    by_column index = {0};
    uint64_t *sums = NULL;
    size_t n_sums;
    PKIN_TRY(by_column_make(centers, &index));
    PKIN_REQUIRE(pkin_i_multiply(centers->n_rows, (size_t)n_threads, &n_sums), PKIN_ERROR_OVERFLOW,
                 "k-means: %llu clusters are too many", (unsigned long long)centers->n_rows);
    PKIN_TRY(pkin_i_allocate_zeroed(n_sums, sizeof *sums, &sums));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, ROWS_AT_ONCE) if (vectors->n_rows > ROWS_AT_ONCE)
    for (uint64_t row = 0; row < vectors->n_rows; row++) {
        labels[row] = nearest(vectors, row, &index, centers->n_rows,
                              sums + (uint64_t)omp_get_thread_num() * centers->n_rows, &scores[row]);
    }
out:
    by_column_free(&index);
    pkin_i_free(sums);
    return status;
}

pkin_status pkin_i_kmeans_assign_by_search(const pkin_vectors *vectors, const pkin_vectors *centers,
                                           const pkin_similarity_options *options, uint32_t *labels, uint64_t *scores) {
    pkin_status status;
    pkin_neighbor_lists lists = {0};
    PKIN_TRY(pkin_similarity_top_k(vectors, centers, 1, 0, options, &lists));
    for (uint64_t row = 0; row < lists.n_rows; row++) {
        const int found = lists.offsets[row] < lists.offsets[row + 1];
        labels[row] = found ? lists.neighbors[lists.offsets[row]].row : PKIN_NO_CLUSTER;
        scores[row] = found ? lists.neighbors[lists.offsets[row]].score : 0;
    }
out:
    pkin_neighbor_lists_free(&lists);
    return status;
}
