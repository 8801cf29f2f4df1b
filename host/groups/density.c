/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HDBSCAN: single linkage by mutual reachability (linkage.h), condensed to a tree of clusters (condensed_tree.h), of
 * which some are chosen; here its points get their labels. A point belongs to the chosen cluster that it left, or that
 * holds the cluster it left. Sums are in an order that the tree fixes: the same bits on every machine.
 */
#include <math.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "groups/condensed_tree.h"
#include "groups/graph.h"
#include "groups/partition.h"

pkin_density_options pkin_density_options_default(void) {
    pkin_density_options options = {0};
    options.size = sizeof options;
    options.min_cluster_size = 5;
    options.min_samples = 5;
    options.max_cluster_share = 1;
    return options;
}

static pkin_status check_options(const pkin_density_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(options->min_cluster_size >= 2, PKIN_ERROR_INVALID_ARGUMENT,
                 "density: clusters of at least %llu nodes; the least must be 2 or more",
                 (unsigned long long)options->min_cluster_size);
    PKIN_REQUIRE(options->min_samples >= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "density: min_samples is 0; the node itself is the first, so 1 is the least");
    PKIN_REQUIRE(options->max_cluster_share > 0 && options->max_cluster_share <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "density: no cluster above a share of %g of the nodes; above 0 and at most 1 is needed",
                 options->max_cluster_share);
out:
    return status;
}

/* Labels by point, from the chosen cluster that holds the one it left. Labels are numbers of chosen clusters, counted
   as they come: there are fewer of them than points. */
static pkin_status label_points(const pkin_i_condensed *tree, const uint8_t *chosen, uint64_t n_points,
                                uint32_t *holders, pkin_partition *out) {
    pkin_status status;
    uint32_t *labels = NULL, *points = NULL, n_chosen = 0;
    PKIN_TRY(pkin_i_allocate(n_points, sizeof *points, &points));
    PKIN_TRY(pkin_i_allocate(tree->n_clusters, sizeof *labels, &labels));
    for (uint32_t c = 0; c < tree->n_clusters; c++) {
        const uint32_t parent = tree->clusters[c].parent;
        holders[c] = chosen[c] ? c : c == 0 ? PKIN_NO_CLUSTER : holders[parent];
        labels[c] = chosen[c] ? n_chosen++ : PKIN_NO_CLUSTER;
    }
    for (uint64_t v = 0; v < n_points; v++) {
        const uint32_t holder = holders[tree->last_clusters[v]];
        points[v] = holder == PKIN_NO_CLUSTER ? PKIN_NO_CLUSTER : labels[holder];
    }
    PKIN_TRY(pkin_i_partition_make(points, n_points, 0, out));
out:
    pkin_i_free(labels);
    pkin_i_free(points);
    return status;
}

/* Which number each chosen cluster got, and what they are worth together. */
static void name_clusters(const pkin_i_condensed *tree, const uint32_t *holders, pkin_partition *partition) {
    for (uint64_t v = 0; v < partition->n_nodes; v++) {
        const uint32_t holder = holders[tree->last_clusters[v]];
        if (holder != PKIN_NO_CLUSTER) tree->clusters[holder].cluster = partition->clusters[v];
    }
    for (uint32_t c = 0; c < tree->n_clusters; c++) {
        if (tree->clusters[c].cluster != PKIN_NO_CLUSTER) partition->quality += tree->clusters[c].stability;
    }
}

/* A point's lambda in terms of the largest in its cluster, both capped there. */
static void find_probabilities(const pkin_i_condensed *tree, const uint32_t *holders, uint64_t n_points, double *out) {
    for (uint64_t v = 0; v < n_points; v++) {
        const uint32_t holder = holders[tree->last_clusters[v]];
        const double lambda = tree->leave_lambdas[v];
        if (holder == PKIN_NO_CLUSTER) {
            out[v] = 0;
        } else {
            const double death = tree->clusters[holder].death;
            out[v] = lambda >= death ? 1 : lambda / death; /* 0 of an infinite one */
        }
    }
}

/* GLOSH: 1 - lambda of the point / largest lambda in its last cluster or below that one. Changes the deaths in `ends`.
 */
static void find_outlier_scores(const pkin_i_condensed *tree, double *ends, uint64_t n_points, double *out) {
    for (uint32_t c = 0; c < tree->n_clusters; c++) ends[c] = tree->clusters[c].death;
    for (uint32_t c = tree->n_clusters; c-- > 1;) {
        double *above = &ends[tree->clusters[c].parent];
        if (ends[c] > *above) *above = ends[c];
    }
    for (uint64_t v = 0; v < n_points; v++) {
        const double lambda = tree->leave_lambdas[v], end = ends[tree->last_clusters[v]];
        out[v] = lambda >= end ? 0 : 1 - lambda / end; /* 1 before an infinite one */
    }
}

static pkin_status finish(const pkin_i_condensed *tree, const uint8_t *chosen, uint64_t n_points,
                          pkin_density_result *out) {
    pkin_status status;
    uint32_t *holders = NULL;
    double *ends = NULL;
    PKIN_TRY(pkin_i_allocate(tree->n_clusters, sizeof *holders, &holders));
    PKIN_TRY(pkin_i_allocate(tree->n_clusters, sizeof *ends, &ends));
    PKIN_TRY(pkin_i_allocate(n_points, sizeof *out->probabilities, &out->probabilities));
    PKIN_TRY(pkin_i_allocate(n_points, sizeof *out->outlier_scores, &out->outlier_scores));
    PKIN_TRY(label_points(tree, chosen, n_points, holders, &out->partition));
    name_clusters(tree, holders, &out->partition);
    find_probabilities(tree, holders, n_points, out->probabilities);
    find_outlier_scores(tree, ends, n_points, out->outlier_scores);
out:
    pkin_i_free(holders);
    pkin_i_free(ends);
    return status;
}

pkin_status pkin_density(const pkin_graph *graph, const pkin_density_options *options, pkin_density_result *out) {
    pkin_status status;
    pkin_density_options taken = pkin_density_options_default();
    pkin_density_result result = {0};
    pkin_i_linkage linkage = {0};
    pkin_i_condensed tree = {0};
    uint8_t *chosen = NULL;
    if (out) *out = result;
    PKIN_REQUIRE(graph && out, PKIN_ERROR_INVALID_ARGUMENT, "density: a graph and a place for the result are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_density_options"));
    PKIN_TRY(check_options(&taken));
    PKIN_TRY(pkin_i_linkage_make(graph, taken.min_samples, &linkage));
    PKIN_TRY(pkin_i_condensed_make(&linkage, taken.min_cluster_size, &tree));
    PKIN_TRY(pkin_i_allocate(tree.n_clusters, sizeof *chosen, &chosen));
    const uint64_t max_size = (uint64_t)floor(taken.max_cluster_share * (double)graph->n_nodes);
    PKIN_TRY(pkin_i_condensed_choose(&tree, max_size, taken.leaves, chosen));
    PKIN_TRY(finish(&tree, chosen, graph->n_nodes, &result));
    result.tree = tree.clusters;
    result.n_tree = tree.n_clusters;
    tree.clusters = NULL;
    *out = result;
    result = (pkin_density_result){0};
out:
    pkin_i_free(chosen);
    pkin_i_linkage_free(&linkage);
    pkin_i_condensed_free(&tree);
    pkin_density_result_free(&result);
    return status;
}

void pkin_density_result_free(pkin_density_result *result) {
    if (!result) return;
    pkin_partition_free(&result->partition);
    pkin_i_free(result->probabilities);
    pkin_i_free(result->outlier_scores);
    pkin_i_free(result->tree);
    *result = (pkin_density_result){0};
}
