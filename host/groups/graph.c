/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Graphs as compressed rows. Edges are put in order by two passes of bucket sort over both directions of each: first by
 * the node that they lead to, then, keeping that order, by the node that they come from. Linear, no comparisons, and
 * the result depends on the set of edges alone, but for the order of an edge's repeats, of which the largest weight is
 * kept.
 */
#include "groups/graph.h"

#include <float.h>
#include <string.h>

#include "base/failure.h"

/* ---- Names ------------------------------------------------------------------------------------------------------- */

pkin_status pkin_i_names_copy(const char *const *names, uint64_t n, pkin_i_names *out) {
    pkin_status status = PKIN_OK;
    pkin_i_names copy = {0};
    size_t n_bytes = 0, at = 0;
    *out = (pkin_i_names){0};
    if (!names) return PKIN_OK;
    for (uint64_t i = 0; i < n; i++) {
        PKIN_REQUIRE(pkin_i_add(n_bytes, names[i] ? strlen(names[i]) + 1 : 0, &n_bytes), PKIN_ERROR_OVERFLOW,
                     "the names of a graph's nodes do not fit in memory");
    }
    PKIN_TRY(pkin_i_allocate(n, sizeof *copy.begins, &copy.begins));
    PKIN_TRY(pkin_i_allocate(n_bytes, 1, &copy.bytes));
    for (uint64_t i = 0; i < n; i++) {
        copy.begins[i] = PKIN_I_NO_NAME;
        if (!names[i] || !*names[i]) continue;
        size_t length = strlen(names[i]) + 1;
        memcpy(copy.bytes + at, names[i], length);
        copy.begins[i] = at;
        at += length;
    }
    *out = copy;
    copy = (pkin_i_names){0};
out:
    pkin_i_names_free(&copy);
    return status;
}

pkin_status pkin_i_names_of_graph(const pkin_graph *graph, pkin_i_names *out) {
    pkin_status status = PKIN_OK;
    const char **names = NULL;
    *out = (pkin_i_names){0};
    if (!graph->names.begins) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(graph->n_nodes, sizeof *names, &names));
    for (uint64_t v = 0; v < graph->n_nodes; v++) names[v] = pkin_graph_name(graph, v);
    PKIN_TRY(pkin_i_names_copy(names, graph->n_nodes, out));
out:
    pkin_i_free(names);
    return status;
}

void pkin_i_names_free(pkin_i_names *names) {
    pkin_i_free(names->bytes);
    pkin_i_free(names->begins);
    *names = (pkin_i_names){0};
}

/* ---- Making and freeing ------------------------------------------------------------------------------------------ */

void pkin_i_graph_parts_free(pkin_graph *parts) {
    pkin_i_free(parts->offsets);
    pkin_i_free(parts->targets);
    pkin_i_free(parts->weights);
    pkin_i_free(parts->inner_weights);
    pkin_i_free(parts->sizes);
    pkin_i_names_free(&parts->names);
    *parts = (pkin_graph){0};
}

pkin_status pkin_i_graph_take(pkin_graph *parts, pkin_graph **out) {
    pkin_status status;
    pkin_graph *graph = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate(1, sizeof *graph, &graph));
    *graph = *parts;
    *parts = (pkin_graph){0};
    *out = graph;
out:
    if (status != PKIN_OK) pkin_i_graph_parts_free(parts);
    return status;
}

void pkin_graph_free(pkin_graph *graph) {
    if (!graph) return;
    pkin_i_graph_parts_free(graph);
    pkin_i_free(graph);
}

/* ---- From edges -------------------------------------------------------------------------------------------------- */

/* One direction of an edge. */
typedef struct arc {
    uint32_t from, to;
    double weight;
} arc;

static pkin_status check_edges(uint64_t n_nodes, const pkin_edge *edges, uint64_t n_edges) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(n_nodes < UINT32_MAX, PKIN_ERROR_OVERFLOW, "a graph of %llu nodes: expected fewer than 4294967295",
                 (unsigned long long)n_nodes);
    PKIN_REQUIRE(n_edges <= UINT64_MAX / 2, PKIN_ERROR_OVERFLOW, "too many edges for one graph");
    for (uint64_t e = 0; e < n_edges; e++) {
        const pkin_edge *edge = &edges[e];
        PKIN_REQUIRE(edge->a < n_nodes && edge->b < n_nodes, PKIN_ERROR_INVALID_ARGUMENT,
                     "edge %llu joins nodes %lu and %lu, expected numbers below %llu", (unsigned long long)e,
                     (unsigned long)edge->a, (unsigned long)edge->b, (unsigned long long)n_nodes);
        PKIN_REQUIRE(edge->a != edge->b, PKIN_ERROR_INVALID_ARGUMENT,
                     "edge %llu joins node %lu to itself: leave such edges out", (unsigned long long)e,
                     (unsigned long)edge->a);
        PKIN_REQUIRE(edge->weight > 0 && edge->weight <= DBL_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                     "edge %llu has weight %g, expected a number above 0", (unsigned long long)e, edge->weight);
    }
out:
    return status;
}

/* Turns counts, counts[v + 1] that of v, into offsets. */
static void sum_up(uint64_t *counts, uint64_t n_nodes) {
    for (uint64_t v = 0; v < n_nodes; v++) counts[v + 1] += counts[v];
}

/* Both directions of each edge, by the node they lead to. `next`: n_nodes + 1 zeros, its content is lost. */
static void scatter_by_target(const pkin_edge *edges, uint64_t n_edges, uint64_t n_nodes, uint64_t *next, arc *out) {
    for (uint64_t e = 0; e < n_edges; e++) {
        next[edges[e].a + 1]++;
        next[edges[e].b + 1]++;
    }
    sum_up(next, n_nodes);
    for (uint64_t e = 0; e < n_edges; e++) {
        out[next[edges[e].b]++] = (arc){edges[e].a, edges[e].b, edges[e].weight};
        out[next[edges[e].a]++] = (arc){edges[e].b, edges[e].a, edges[e].weight};
    }
}

/* Arcs by the node they come from, in their order. Every node has as many arcs to it as from it. */
static void scatter_by_source(const arc *arcs, uint64_t n_arcs, pkin_graph *parts, uint64_t *next) {
    memset(parts->offsets, 0, (parts->n_nodes + 1) * sizeof *parts->offsets);
    for (uint64_t i = 0; i < n_arcs; i++) parts->offsets[arcs[i].from + 1]++;
    sum_up(parts->offsets, parts->n_nodes);
    memcpy(next, parts->offsets, parts->n_nodes * sizeof *next);
    for (uint64_t i = 0; i < n_arcs; i++) {
        uint64_t at = next[arcs[i].from]++;
        parts->targets[at] = arcs[i].to;
        parts->weights[at] = arcs[i].weight;
    }
}

/* Makes one of what stands several times in a row, in place. */
static void drop_repeats(pkin_graph *parts) {
    uint64_t kept = 0, begin = 0;
    for (uint64_t v = 0; v < parts->n_nodes; v++) {
        uint64_t first = kept, end = parts->offsets[v + 1];
        for (uint64_t i = begin; i < end; i++) {
            if (kept > first && parts->targets[kept - 1] == parts->targets[i]) {
                if (parts->weights[i] > parts->weights[kept - 1]) parts->weights[kept - 1] = parts->weights[i];
                continue;
            }
            parts->targets[kept] = parts->targets[i];
            parts->weights[kept++] = parts->weights[i];
        }
        begin = end;
        parts->offsets[v + 1] = kept;
    }
}

pkin_status pkin_graph_from_edges(uint64_t n_nodes, const pkin_edge *edges, uint64_t n_edges, const char *const *names,
                                  pkin_graph **out) {
    pkin_status status;
    pkin_graph parts = {.n_nodes = n_nodes};
    arc *arcs = NULL;
    uint64_t *next = NULL;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_from_edges needs a place for its graph");
    *out = NULL;
    PKIN_REQUIRE(edges || !n_edges, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_from_edges needs the edges it is to join");
    PKIN_TRY(check_edges(n_nodes, edges, n_edges));
    PKIN_TRY(pkin_i_names_copy(names, n_nodes, &parts.names));
    PKIN_TRY(pkin_i_allocate(2 * n_edges, sizeof *arcs, &arcs));
    PKIN_TRY(pkin_i_allocate_zeroed(n_nodes + 1, sizeof *next, &next));
    scatter_by_target(edges, n_edges, n_nodes, next, arcs);
    PKIN_TRY(pkin_i_allocate(n_nodes + 1, sizeof *parts.offsets, &parts.offsets));
    PKIN_TRY(pkin_i_allocate(2 * n_edges, sizeof *parts.targets, &parts.targets));
    PKIN_TRY(pkin_i_allocate(2 * n_edges, sizeof *parts.weights, &parts.weights));
    scatter_by_source(arcs, 2 * n_edges, &parts, next);
    drop_repeats(&parts);
    PKIN_TRY(pkin_i_graph_take(&parts, out));
out:
    pkin_i_free(arcs);
    pkin_i_free(next);
    pkin_i_graph_parts_free(&parts);
    return status;
}

/* ---- Looking ----------------------------------------------------------------------------------------------------- */

pkin_graph_view pkin_graph_look(const pkin_graph *graph) {
    static const uint64_t no_offsets[1] = {0};
    if (!graph) return (pkin_graph_view){.offsets = no_offsets};
    return (pkin_graph_view){.n_nodes = graph->n_nodes,
                             .offsets = graph->offsets,
                             .targets = graph->targets,
                             .weights = graph->weights,
                             .inner_weights = graph->inner_weights,
                             .sizes = graph->sizes};
}

uint64_t pkin_graph_n_nodes(const pkin_graph *graph) {
    return graph ? graph->n_nodes : 0;
}

uint64_t pkin_graph_n_edges(const pkin_graph *graph) {
    return graph ? graph->offsets[graph->n_nodes] / 2 : 0;
}

const char *pkin_graph_name(const pkin_graph *graph, uint64_t node) {
    if (!graph || node >= graph->n_nodes || !graph->names.begins) return NULL;
    return graph->names.begins[node] == PKIN_I_NO_NAME ? NULL : graph->names.bytes + graph->names.begins[node];
}
