/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of a partition's clusters. Each pair of clusters is summed once, over the members of the lower-numbered in
 * ascending order, and the sum stands in both rows: the same bits in either direction, whatever the weights are. Rows
 * are put in order by two transpositions instead of by comparing. O(nodes + edges).
 */
#include <float.h>
#include <string.h>

#include "base/failure.h"
#include "base/memory.h"
#include "groups/graph.h"
#include "groups/partition.h"

/* Edges between clusters, each once, under its lower-numbered cluster: those of cluster c begin at offsets[c]. */
typedef struct half_graph {
    uint64_t n;
    uint64_t *offsets;
    uint32_t *targets;
    double *weights;
} half_graph;

static pkin_status half_graph_allocate(uint64_t n, uint64_t most_edges, half_graph *out) {
    pkin_status status;
    out->n = n;
    PKIN_TRY(pkin_i_allocate_zeroed(n + 1, sizeof *out->offsets, &out->offsets));
    PKIN_TRY(pkin_i_allocate(most_edges, sizeof *out->targets, &out->targets));
    PKIN_TRY(pkin_i_allocate(most_edges, sizeof *out->weights, &out->weights));
out:
    return status;
}

static void half_graph_free(half_graph *half) {
    pkin_i_free(half->offsets);
    pkin_i_free(half->targets);
    pkin_i_free(half->weights);
}

/* Sums towards each cluster while the members of one are gone through; zero between two clusters. */
typedef struct sums {
    double *weights;
    uint32_t *touched;
} sums;

/* The edges of cluster c to higher-numbered ones are appended to `half`; returns the weight inside of c. */
static double sum_cluster(const pkin_graph_view *view, const uint32_t *clusters, uint32_t c, const uint32_t *members,
                          uint64_t n_members, sums *to, half_graph *half) {
    double inner = 0;
    uint64_t n_touched = 0, at = half->offsets[c];
    for (uint64_t k = 0; k < n_members; k++) {
        uint32_t v = members[k];
        if (view->inner_weights) inner += view->inner_weights[v];
        for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) {
            uint32_t u = view->targets[e], other = clusters[u];
            if (other == c && u > v) inner += view->weights[e];
            if (other == PKIN_NO_CLUSTER || other <= c) continue;
            if (to->weights[other] == 0) to->touched[n_touched++] = other;
            to->weights[other] += view->weights[e];
        }
    }
    for (uint64_t k = 0; k < n_touched; k++, at++) {
        half->targets[at] = to->touched[k];
        half->weights[at] = to->weights[to->touched[k]];
        to->weights[to->touched[k]] = 0;
    }
    half->offsets[c + 1] = at;
    return inner;
}

/* The same edges under their higher-numbered clusters, whose rows come out ascending. */
static void transpose(const half_graph *upper, half_graph *lower) {
    uint64_t n = upper->n;
    for (uint64_t e = 0; e < upper->offsets[n]; e++) lower->offsets[upper->targets[e]]++;
    for (uint64_t c = 0, sum = 0; c <= n; c++) {
        uint64_t n_edges = lower->offsets[c];
        lower->offsets[c] = sum;
        sum += n_edges;
    }
    for (uint32_t c = 0; c < n; c++) {
        for (uint64_t e = upper->offsets[c]; e < upper->offsets[c + 1]; e++) {
            uint64_t at = lower->offsets[upper->targets[e]]++;
            lower->targets[at] = c;
            lower->weights[at] = upper->weights[e];
        }
    }
    memmove(lower->offsets + 1, lower->offsets, n * sizeof *lower->offsets); /* each had moved to its end */
    lower->offsets[0] = 0;
}

/* Both halves as rows: of a row the lower neighbours first; the higher ones are added as rows of `lower` pass by, in
   ascending order. `next`: room for n places. */
static void join_halves(const half_graph *upper, const half_graph *lower, uint64_t *next, pkin_graph *parts) {
    uint64_t n = upper->n;
    parts->offsets[0] = 0;
    for (uint64_t c = 0; c < n; c++) {
        uint64_t n_lower = lower->offsets[c + 1] - lower->offsets[c], begin = parts->offsets[c];
        next[c] = begin + n_lower;
        parts->offsets[c + 1] = next[c] + (upper->offsets[c + 1] - upper->offsets[c]);
        if (n_lower == 0) continue;
        memcpy(parts->targets + begin, lower->targets + lower->offsets[c], n_lower * sizeof *parts->targets);
        memcpy(parts->weights + begin, lower->weights + lower->offsets[c], n_lower * sizeof *parts->weights);
    }
    for (uint32_t c = 0; c < n; c++) {
        for (uint64_t e = lower->offsets[c]; e < lower->offsets[c + 1]; e++) {
            uint64_t at = next[lower->targets[e]]++;
            parts->targets[at] = c;
            parts->weights[at] = lower->weights[e];
        }
    }
}

static void sum_sizes(const pkin_graph_view *view, const uint32_t *clusters, uint64_t *sizes) {
    for (uint64_t v = 0; v < view->n_nodes; v++) {
        if (clusters[v] != PKIN_NO_CLUSTER) sizes[clusters[v]] += view->sizes ? view->sizes[v] : 1;
    }
}

/* Weights are finite; their sums may not be. */
static pkin_status check_sums(const pkin_graph *parts) {
    for (uint64_t e = 0; e < parts->offsets[parts->n_nodes]; e++) {
        if (parts->weights[e] > DBL_MAX) goto too_large;
    }
    for (uint64_t c = 0; c < parts->n_nodes; c++) {
        if (parts->inner_weights[c] > DBL_MAX) goto too_large;
    }
    return PKIN_OK;
too_large:
    return pkin_i_fail(PKIN_ERROR_OVERFLOW, "graph: the weights between two clusters sum to more than a double holds; "
                                            "scale the weights down");
}

static pkin_status sum_clusters(const pkin_graph_view *view, const pkin_partition *partition, half_graph *upper,
                                double *inner_weights) {
    pkin_status status;
    uint64_t *offsets = NULL;
    uint32_t *members = NULL;
    sums to = {NULL, NULL};
    PKIN_TRY(pkin_i_partition_members(partition, &offsets, &members));
    PKIN_TRY(pkin_i_allocate_zeroed(partition->n_clusters, sizeof *to.weights, &to.weights));
    PKIN_TRY(pkin_i_allocate(partition->n_clusters, sizeof *to.touched, &to.touched));
    for (uint32_t c = 0; c < partition->n_clusters; c++) {
        inner_weights[c] =
            sum_cluster(view, partition->clusters, c, members + offsets[c], offsets[c + 1] - offsets[c], &to, upper);
    }
out:
    pkin_i_free(offsets);
    pkin_i_free(members);
    pkin_i_free(to.weights);
    pkin_i_free(to.touched);
    return status;
}

pkin_status pkin_graph_aggregate(const pkin_graph *graph, const pkin_partition *partition, pkin_graph **out) {
    pkin_status status = PKIN_OK;
    pkin_graph parts = {0};
    half_graph upper = {0}, lower = {0};
    uint64_t *next = NULL;
    pkin_graph_view view = pkin_graph_look(graph);
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "graph: no place for the result was given");
    *out = NULL;
    PKIN_TRY(pkin_i_partition_check(partition, view.n_nodes));
    uint64_t n = partition->n_clusters, n_entries = view.n_nodes ? view.offsets[view.n_nodes] : 0;
    parts.n_nodes = n;
    PKIN_TRY(half_graph_allocate(n, n_entries / 2, &upper));
    PKIN_TRY(half_graph_allocate(n, n_entries / 2, &lower));
    PKIN_TRY(pkin_i_allocate(n, sizeof *next, &next));
    PKIN_TRY(pkin_i_allocate(n, sizeof *parts.inner_weights, &parts.inner_weights));
    PKIN_TRY(pkin_i_allocate_zeroed(n, sizeof *parts.sizes, &parts.sizes));
    PKIN_TRY(sum_clusters(&view, partition, &upper, parts.inner_weights));
    sum_sizes(&view, partition->clusters, parts.sizes);
    transpose(&upper, &lower);
    PKIN_TRY(pkin_i_allocate(n + 1, sizeof *parts.offsets, &parts.offsets));
    PKIN_TRY(pkin_i_allocate(2 * upper.offsets[n], sizeof *parts.targets, &parts.targets));
    PKIN_TRY(pkin_i_allocate(2 * upper.offsets[n], sizeof *parts.weights, &parts.weights));
    join_halves(&upper, &lower, next, &parts);
    PKIN_TRY(check_sums(&parts));
    PKIN_TRY(pkin_i_graph_take(&parts, out));
out:
    half_graph_free(&upper);
    half_graph_free(&lower);
    pkin_i_free(next);
    pkin_i_graph_parts_free(&parts);
    return status;
}
