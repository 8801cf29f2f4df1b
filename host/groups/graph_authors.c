/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damping of edges between papers of the same authors. Names are normalised once for each paper that has an edge; each
 * edge then takes one comparison of two prepared lists, at the end with the lower number, and the other end copies what
 * was found. Rows are shared among threads; no result depends on which thread found it.
 *
 * Time: most pairs of names are told apart by the set of their initials, in about a nanosecond. Collaborations of
 * thousands of authors are why at most MOST_SOUGHT names of the shorter list are looked for: the share is known to some
 * percent by then, and only scales a weight.
 */
#include <math.h>

#include "base/failure.h"
#include "groups/author_overlap.h"
#include "groups/graph.h"
#include "text/worker_failure.h"

enum { MOST_SOUGHT = 64, ROWS_AT_A_TIME = 256 };

/* Weights are multiples of 2^-30, as far as a double can hold more than that. */
static double round_down(double weight) {
    double units = weight * 0x1p30;
    return units < 0x1p53 ? floor(units) * 0x1p-30 : weight;
}

static pkin_status prepare_lists(const pkin_graph *graph, const pkin_paper *const *papers, pkin_i_author_list **lists) {
    pkin_i_worker_failure failure = {PKIN_OK, ""};
#pragma omp parallel for schedule(dynamic, ROWS_AT_A_TIME)
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        if (graph->offsets[v] == graph->offsets[v + 1] || !papers[v]->n_authors) continue;
        pkin_i_worker_failure_note(&failure, pkin_i_author_list_make(papers[v], &lists[v]));
    }
    return pkin_i_worker_failure_report(&failure);
}

/* Damped weights of the edges from v to higher numbers. 0: the edge is to go. */
static void damp_row(const pkin_graph *graph, uint64_t v, double damping, pkin_i_author_list *const *lists,
                     double *weights) {
    for (uint64_t i = graph->offsets[v]; i < graph->offsets[v + 1]; i++) {
        uint32_t other = graph->targets[i];
        if (other < v) continue;
        double share = pkin_i_author_list_overlap(lists[v], lists[other], MOST_SOUGHT);
        weights[i] = share > 0 ? round_down(graph->weights[i] * (1 - damping * share)) : graph->weights[i];
    }
}

/*
 * The weights of the edges to lower numbers, from their other ends: visited by ascending number, each node finds its
 * edges from lower ones in the order in which it has them itself. `next`: where each node's are filled up to.
 */
static void mirror_weights(const pkin_graph *graph, uint64_t *next, double *weights) {
    for (uint64_t v = 0; v < graph->n_nodes; v++) next[v] = graph->offsets[v];
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        for (uint64_t i = graph->offsets[v]; i < graph->offsets[v + 1]; i++) {
            if (graph->targets[i] > v) weights[next[graph->targets[i]]++] = weights[i];
        }
    }
}

/* Keeps the edges whose weight is not 0. */
static void keep_edges(const pkin_graph *graph, const double *weights, pkin_graph *parts) {
    uint64_t n = 0;
    parts->offsets[0] = 0;
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        for (uint64_t i = graph->offsets[v]; i < graph->offsets[v + 1]; i++) {
            if (!(weights[i] > 0)) continue;
            parts->targets[n] = graph->targets[i];
            parts->weights[n++] = weights[i];
        }
        parts->offsets[v + 1] = n;
    }
}

/* What a graph tells of its nodes. */
static pkin_status copy_node_facts(const pkin_graph *graph, pkin_graph *parts) {
    pkin_status status;
    PKIN_TRY(pkin_i_names_of_graph(graph, &parts->names));
    if (graph->inner_weights) {
        PKIN_TRY(pkin_i_allocate(graph->n_nodes, sizeof *parts->inner_weights, &parts->inner_weights));
        for (uint64_t v = 0; v < graph->n_nodes; v++) parts->inner_weights[v] = graph->inner_weights[v];
    }
    if (graph->sizes) {
        PKIN_TRY(pkin_i_allocate(graph->n_nodes, sizeof *parts->sizes, &parts->sizes));
        for (uint64_t v = 0; v < graph->n_nodes; v++) parts->sizes[v] = graph->sizes[v];
    }
out:
    return status;
}

static pkin_status damp(const pkin_graph *graph, const pkin_paper *const *papers, double damping, double *weights) {
    pkin_status status;
    pkin_i_author_list **lists = NULL;
    uint64_t *next = NULL;
    PKIN_TRY(pkin_i_allocate(graph->n_nodes, sizeof *next, &next));
    PKIN_TRY(pkin_i_allocate_zeroed(graph->n_nodes, sizeof *lists, &lists));
    PKIN_TRY(prepare_lists(graph, papers, lists));
#pragma omp parallel for schedule(dynamic, ROWS_AT_A_TIME)
    for (uint64_t v = 0; v < graph->n_nodes; v++) damp_row(graph, v, damping, lists, weights);
    mirror_weights(graph, next, weights);
out:
    if (lists) {
#pragma omp parallel for schedule(dynamic, ROWS_AT_A_TIME)
        for (uint64_t v = 0; v < graph->n_nodes; v++) pkin_i_author_list_free(lists[v]);
    }
    pkin_i_free(lists);
    pkin_i_free(next);
    return status;
}

static pkin_status check_damping(const pkin_graph *graph, const pkin_paper *const *papers, double damping) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(graph, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_damp_authors needs a graph");
    PKIN_REQUIRE(damping >= 0 && damping <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the damping of edges between the same authors is %g, expected a number from 0 to 1", damping);
    PKIN_REQUIRE(papers || !graph->n_nodes, PKIN_ERROR_INVALID_ARGUMENT,
                 "pkin_graph_damp_authors needs the papers that the nodes stand for");
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        PKIN_REQUIRE(papers[v], PKIN_ERROR_INVALID_ARGUMENT,
                     "pkin_graph_damp_authors needs a paper for each node: that of node %llu is NULL",
                     (unsigned long long)v);
    }
out:
    return status;
}

pkin_status pkin_graph_damp_authors(const pkin_graph *graph, const pkin_paper *const *papers, double damping,
                                    pkin_graph **out) {
    pkin_status status;
    pkin_graph parts = {0};
    double *weights = NULL;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_damp_authors needs a place for its graph");
    *out = NULL;
    PKIN_TRY(check_damping(graph, papers, damping));
    uint64_t n_arcs = graph->offsets[graph->n_nodes];
    PKIN_TRY(pkin_i_allocate(n_arcs, sizeof *weights, &weights));
    if (damping > 0) {
        PKIN_TRY(damp(graph, papers, damping, weights));
    } else {
        for (uint64_t i = 0; i < n_arcs; i++) weights[i] = graph->weights[i];
    }
    parts.n_nodes = graph->n_nodes;
    PKIN_TRY(pkin_i_allocate(graph->n_nodes + 1, sizeof *parts.offsets, &parts.offsets));
    PKIN_TRY(pkin_i_allocate(n_arcs, sizeof *parts.targets, &parts.targets));
    PKIN_TRY(pkin_i_allocate(n_arcs, sizeof *parts.weights, &parts.weights));
    keep_edges(graph, weights, &parts);
    PKIN_TRY(copy_node_facts(graph, &parts));
    PKIN_TRY(pkin_i_graph_take(&parts, out));
out:
    pkin_i_free(weights);
    pkin_i_graph_parts_free(&parts);
    return status;
}
