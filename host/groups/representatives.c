/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <omp.h>

#include "base/failure.h"
#include "groups/partition.h"
#include "paperkin/labels.h"
#include "similarity/vectors.h"
#include "text/worker_failure.h"

/*
 * A cluster's centre is the sum of its rows in fixed point, one exact 64-bit integer a column (weights are at most
 * 2^30, and rows fewer than 2^32); its products are exact in 128 bits: the sum's length is at most 2^62. Square roots
 * and quotients of correctly rounded doubles follow.
 */
typedef unsigned __int128 wide;

typedef struct centre {
    uint64_t *sums;    /* by column; 0 outside of `touched` */
    uint32_t *touched; /* columns */
    size_t n_touched, capacity;
    double length;
} centre;

/* Memory of the sums that all threads together may take. */
#define MOST_SUM_BYTES (UINT64_C(1) << 30)

static void centre_free(centre *c) {
    pkin_i_free(c->sums);
    pkin_i_free(c->touched);
}

static pkin_status centre_add(centre *c, const pkin_vectors *vectors, uint32_t row) {
    pkin_status status = PKIN_OK;
    uint64_t begin = vectors->row_offsets[row], end = vectors->row_offsets[row + UINT64_C(1)];
    PKIN_TRY(pkin_i_grow(&c->touched, &c->capacity, c->n_touched + (size_t)(end - begin), sizeof *c->touched));
    for (uint64_t k = begin; k < end; k++) {
        uint64_t *sum = &c->sums[vectors->columns[k]];
        if (!*sum) c->touched[c->n_touched++] = vectors->columns[k];
        *sum += vectors->weights[k];
    }
out:
    return status;
}

static void centre_finish(centre *c) {
    wide squares = 0;
    for (size_t k = 0; k < c->n_touched; k++) squares += (wide)c->sums[c->touched[k]] * c->sums[c->touched[k]];
    c->length = sqrt((double)squares);
}

static void centre_clear(centre *c) {
    for (size_t k = 0; k < c->n_touched; k++) c->sums[c->touched[k]] = 0;
    c->n_touched = 0;
}

static double closeness_of(const centre *c, const pkin_vectors *vectors, uint32_t row) {
    wide product = 0;
    uint64_t squares = 0;
    for (uint64_t k = vectors->row_offsets[row]; k < vectors->row_offsets[row + UINT64_C(1)]; k++) {
        product += (wide)c->sums[vectors->columns[k]] * vectors->weights[k];
        squares += (uint64_t)vectors->weights[k] * vectors->weights[k];
    }
    if (!product) return 0;
    double cosine = (double)product / (sqrt((double)squares) * c->length);
    return cosine < 1 ? cosine : 1;
}

/* Weight of the node's edges to nodes of its cluster, in the order of its neighbours. */
static double inner_degree(const pkin_graph_view *graph, const pkin_partition *partition, uint32_t node) {
    double sum = 0;
    if (!graph->n_nodes) return 0;
    for (uint64_t k = graph->offsets[node]; k < graph->offsets[node + UINT64_C(1)]; k++) {
        if (partition->clusters[graph->targets[k]] == partition->clusters[node]) sum += graph->weights[k];
    }
    return sum;
}

static double worth(const pkin_representative *r) {
    return r->closeness * (1 + r->centrality);
}

/* Puts a member among the best so far; members come by row, so that the first of equals stays before the others. */
static void place(pkin_representative member, uint32_t n_each, pkin_representative *best) {
    uint32_t at = n_each;
    while (at && (best[at - 1].row == UINT32_MAX || worth(&member) > worth(&best[at - 1]))) at--;
    if (at == n_each) return;
    for (uint32_t k = n_each - 1; k > at; k--) best[k] = best[k - 1];
    best[at] = member;
}

static pkin_status represent(centre *c, const pkin_vectors *vectors, const pkin_graph_view *graph,
                             const pkin_partition *partition, const uint32_t *members, uint64_t n_members,
                             uint32_t n_each, pkin_representative *best) {
    pkin_status status = PKIN_OK;
    double most = 0;
    for (uint32_t k = 0; k < n_each; k++) best[k] = (pkin_representative){UINT32_MAX, 0, 0};
    for (uint64_t m = 0; m < n_members; m++) {
        double degree = inner_degree(graph, partition, members[m]);
        if (degree > most) most = degree;
        PKIN_TRY(centre_add(c, vectors, members[m]));
    }
    centre_finish(c);
    for (uint64_t m = 0; m < n_members; m++) {
        double degree = inner_degree(graph, partition, members[m]);
        place((pkin_representative){members[m], closeness_of(c, vectors, members[m]), most > 0 ? degree / most : 0},
              n_each, best);
    }
out:
    centre_clear(c);
    return status;
}

static int choose_n_threads(const pkin_vectors *vectors) {
    enum { ENTRIES_PER_THREAD = 1 << 16 }; /* fewer are not worth waking a thread for */
    uint64_t most = MOST_SUM_BYTES / sizeof(uint64_t) / (vectors->n_columns + 1) + 1;
    uint64_t useful = pkin_vectors_n_entries(vectors) / ENTRIES_PER_THREAD + 1;
    if (most > useful) most = useful;
    return most < (uint64_t)omp_get_max_threads() ? (int)most : omp_get_max_threads();
}

static pkin_status represent_all(const pkin_vectors *vectors, const pkin_graph_view *graph,
                                 const pkin_partition *partition, const uint64_t *offsets, const uint32_t *members,
                                 uint32_t n_each, pkin_representative *out) {
    pkin_i_worker_failure failure = {0};
    int n_threads = choose_n_threads(vectors);
#pragma omp parallel num_threads(n_threads)
    {
        centre c = {0};
        pkin_status status = pkin_i_allocate_zeroed(vectors->n_columns, sizeof *c.sums, &c.sums);
#pragma omp for schedule(dynamic, 1)
        for (uint32_t k = 0; k < partition->n_clusters; k++) {
            if (status != PKIN_OK) continue;
            status = represent(&c, vectors, graph, partition, members + offsets[k], offsets[k + 1] - offsets[k], n_each,
                               out + (uint64_t)k * n_each);
        }
        pkin_i_worker_failure_note(&failure, status);
        centre_free(&c);
    }
    return pkin_i_worker_failure_report(&failure);
}

pkin_status pkin_representatives_find(const pkin_vectors *vectors, const pkin_graph *graph,
                                      const pkin_partition *partition, uint32_t n_each, pkin_representative *out) {
    pkin_status status = PKIN_OK;
    uint64_t *offsets = NULL;
    uint32_t *members = NULL;
    pkin_graph_view view = pkin_graph_look(graph);
    size_t n;
    PKIN_REQUIRE(vectors && partition && out, PKIN_ERROR_INVALID_ARGUMENT,
                 "representatives: vectors, a partition and a place for the result are needed");
    PKIN_TRY(pkin_i_partition_check(partition, vectors->n_rows));
    PKIN_REQUIRE(!graph || view.n_nodes == vectors->n_rows, PKIN_ERROR_INVALID_ARGUMENT,
                 "representatives: a graph of %llu nodes, expected one a row: %llu", (unsigned long long)view.n_nodes,
                 (unsigned long long)vectors->n_rows);
    PKIN_REQUIRE(pkin_i_multiply(partition->n_clusters, n_each, &n), PKIN_ERROR_OVERFLOW,
                 "representatives: %u of each of %u clusters are too many", n_each, partition->n_clusters);
    if (!n) goto out;
    PKIN_TRY(pkin_i_partition_members(partition, &offsets, &members));
    status = represent_all(vectors, &view, partition, offsets, members, n_each, out);
out:
    pkin_i_free(offsets);
    pkin_i_free(members);
    return status;
}
