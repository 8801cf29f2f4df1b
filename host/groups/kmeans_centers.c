/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread sums the rows of one cluster in a dense array over all columns, of 64-bit integers: weights are at most 2^30
 * and rows fewer than 2^32, so that nothing overflows and the order of rows does not matter. A bit a column says where
 * something was added: walking over these words yields the columns ascending, and clears the array behind itself. A
 * cluster has at most as many entries as its rows have together, and as there are columns: that room is set aside, and
 * what is not needed of it is closed up at the end. O(entries + clusters * columns / 64).
 */
#include "groups/kmeans_centers.h"

#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "groups/partition.h"
#include "similarity/vectors.h"

typedef struct summing {
    const pkin_vectors *vectors;
    uint32_t n_clusters;
    uint64_t *member_offsets; /* n_clusters + 1 */
    uint32_t *members;        /* rows by cluster */
    uint64_t *room_offsets;   /* n_clusters + 1: where the entries of each may stand */
    uint64_t *n_entries;      /* of each */
    uint32_t *columns;
    double *sums;
    uint64_t n_words; /* of 64 columns */
    int n_threads;
    uint64_t *dense;   /* by thread: n_columns zeroes */
    uint64_t *touched; /* by thread: n_words zeroes */
} summing;

static void summing_free(summing *self) {
    pkin_i_free(self->member_offsets);
    pkin_i_free(self->members);
    pkin_i_free(self->room_offsets);
    pkin_i_free(self->n_entries);
    pkin_i_free(self->columns);
    pkin_i_free(self->sums);
    pkin_i_free(self->dense);
    pkin_i_free(self->touched);
}

static void lay_out(summing *self) {
    const pkin_vectors *vectors = self->vectors;
    self->room_offsets[0] = 0;
    for (uint32_t c = 0; c < self->n_clusters; c++) {
        uint64_t most = 0;
        for (uint64_t m = self->member_offsets[c]; m < self->member_offsets[c + 1]; m++) {
            const uint64_t row = self->members[m];
            most += vectors->row_offsets[row + 1] - vectors->row_offsets[row];
        }
        self->room_offsets[c + 1] = self->room_offsets[c] + (most < vectors->n_columns ? most : vectors->n_columns);
    }
}

static pkin_status summing_init(summing *self, const uint32_t *labels) {
    pkin_status status;
    size_t n_dense, n_touched;
    pkin_partition partition = {.n_nodes = self->vectors->n_rows, .n_clusters = self->n_clusters};
    partition.clusters = (uint32_t *)labels; /* read only */
    PKIN_TRY(pkin_i_partition_members(&partition, &self->member_offsets, &self->members));
    PKIN_TRY(pkin_i_allocate((size_t)self->n_clusters + 1, sizeof *self->room_offsets, &self->room_offsets));
    PKIN_TRY(pkin_i_allocate(self->n_clusters, sizeof *self->n_entries, &self->n_entries));
    lay_out(self);
    PKIN_TRY(pkin_i_allocate(self->room_offsets[self->n_clusters], sizeof *self->columns, &self->columns));
    PKIN_TRY(pkin_i_allocate(self->room_offsets[self->n_clusters], sizeof *self->sums, &self->sums));
    self->n_words = (self->vectors->n_columns + 63) / 64;
    PKIN_REQUIRE(pkin_i_multiply(self->vectors->n_columns, (size_t)self->n_threads, &n_dense) &&
                     pkin_i_multiply(self->n_words, (size_t)self->n_threads, &n_touched),
                 PKIN_ERROR_OVERFLOW, "k-means: %llu columns are too many",
                 (unsigned long long)self->vectors->n_columns);
    PKIN_TRY(pkin_i_allocate_zeroed(n_dense, sizeof *self->dense, &self->dense));
    PKIN_TRY(pkin_i_allocate_zeroed(n_touched, sizeof *self->touched, &self->touched));
out:
    return status;
}

static void add_row(const pkin_vectors *vectors, uint64_t row, uint64_t *dense, uint64_t *touched) {
    for (uint64_t at = vectors->row_offsets[row]; at < vectors->row_offsets[row + 1]; at++) {
        const uint32_t column = vectors->columns[at];
        dense[column] += vectors->weights[at];
        touched[column / 64] |= UINT64_C(1) << column % 64;
    }
}

static void sum_cluster(summing *self, uint32_t c) {
    uint64_t *dense = self->dense + (uint64_t)omp_get_thread_num() * self->vectors->n_columns;
    uint64_t *touched = self->touched + (uint64_t)omp_get_thread_num() * self->n_words;
    uint64_t at = self->room_offsets[c];
    for (uint64_t m = self->member_offsets[c]; m < self->member_offsets[c + 1]; m++) {
        add_row(self->vectors, self->members[m], dense, touched);
    }
    for (uint64_t w = 0; w < self->n_words; w++) {
        for (uint64_t bits = touched[w]; bits; bits &= bits - 1) {
            const uint64_t column = 64 * w + (unsigned)__builtin_ctzll(bits);
            self->columns[at] = (uint32_t)column;
            self->sums[at++] = (double)dense[column]; /* rounded once where it is above 2^53 */
            dense[column] = 0;
        }
        touched[w] = 0;
    }
    self->n_entries[c] = at - self->room_offsets[c];
}

/* Moves the entries together; the offsets become those of rows. */
static void close_up(summing *self) {
    uint64_t to = 0;
    for (uint32_t c = 0; c < self->n_clusters; c++) {
        const uint64_t from = self->room_offsets[c], n = self->n_entries[c];
        if (to < from) {
            memmove(self->columns + to, self->columns + from, n * sizeof *self->columns);
            memmove(self->sums + to, self->sums + from, n * sizeof *self->sums);
        }
        self->room_offsets[c] = to;
        to += n;
    }
    self->room_offsets[self->n_clusters] = to;
}

pkin_status pkin_i_kmeans_centers(const pkin_vectors *vectors, const uint32_t *labels, uint32_t n_clusters,
                                  int n_threads, pkin_vectors **out) {
    pkin_status status;
    summing self = {.vectors = vectors, .n_clusters = n_clusters, .n_threads = n_threads};
    pkin_matrix *matrix = NULL;
    *out = NULL;
    PKIN_TRY(summing_init(&self, labels));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1) if (n_clusters > 1)
    for (uint32_t c = 0; c < n_clusters; c++) sum_cluster(&self, c);
    close_up(&self);
    const pkin_csr_view view = {.n_rows = n_clusters,
                                .n_columns = vectors->n_columns,
                                .row_offsets = self.room_offsets,
                                .columns = self.columns,
                                .values = self.sums};
    PKIN_TRY(pkin_matrix_from_csr(&view, &matrix));
    PKIN_TRY(pkin_vectors_from_matrix(matrix, 1, out));
out:
    summing_free(&self);
    pkin_matrix_free(matrix);
    return status;
}
