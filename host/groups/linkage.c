/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single linkage is what Kruskal's algorithm does on its way to a minimum spanning tree: edges in order of distance,
 * and each that joins two parts is a merge. Ties go by the edge's ends (a < b), so that the tree depends on the graph
 * alone; whoever reads the tree takes merges of one distance together, so that this order matters to nobody. The parts
 * that are left have no edge between them and are joined at distance 1.
 *
 * Distances are doubles in [0, 1]: 1 - weight is exact for weights that are multiples of 2^-53, and with them for every
 * weight of a k-nearest-neighbour graph. The bits of such doubles, read as integers, are in the order of their values:
 * edges are sorted by two rounds of a radix sort. 24 bytes an edge, 40 a node. O(edges) but for the union-find.
 */
#include "groups/linkage.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "base/radix_sort.h"
#include "groups/graph.h"

static const double NO_EDGE_DISTANCE = 1.0;

/* ---- Core distances ---------------------------------------------------------------------------------------------- */

static void swap_doubles(double *a, double *b) {
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* The value that has `rank` larger ones before it when sorted descending; `values` is reordered. rank < n. Hoare's
   selection around the middle item: O(n) for the orders in which neighbours stand. */
static double select_descending(double *values, uint64_t n, uint64_t rank) {
    uint64_t low = 0, high = n - 1;
    while (low < high) {
        /* Anywhere but the last item; drawn, since a fixed place has inputs on which it is bad every time. */
        const double pivot = values[low + pkin_i_hash_u64(low ^ high << 32) % (high - low)];
        uint64_t i = low, j = high;
        for (;;) {
            while (values[i] > pivot) i++;
            while (values[j] < pivot) j--;
            if (i >= j) break;
            swap_doubles(&values[i++], &values[j--]);
        }
        /* Up to j all are >= pivot, from j + 1 on all are <= pivot; where i met j at a pivot, it may be in either. */
        if (rank <= j) {
            high = j; /* < high: the pivot is not the last item, so that i stops before that */
        } else {
            low = j + 1;
        }
    }
    return values[rank];
}

static pkin_status find_core_distances(const pkin_graph *graph, uint64_t min_samples, double *cores) {
    pkin_status status;
    double *values = NULL;
    uint64_t most = 0;
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        const uint64_t degree = graph->offsets[v + 1] - graph->offsets[v];
        if (degree > most) most = degree;
    }
    PKIN_TRY(pkin_i_allocate(most, sizeof *values, &values));
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        const uint64_t degree = graph->offsets[v + 1] - graph->offsets[v];
        cores[v] = min_samples > 1 ? NO_EDGE_DISTANCE : 0;
        if (min_samples == 1 || min_samples - 1 > degree) continue;
        memcpy(values, graph->weights + graph->offsets[v], degree * sizeof *values);
        cores[v] = 1 - select_descending(values, degree, min_samples - 2);
    }
out:
    pkin_i_free(values);
    return status;
}

/* ---- Edges in order ---------------------------------------------------------------------------------------------- */

typedef struct edge {
    uint32_t a, b; /* a < b */
} edge;

typedef struct edge_order {
    uint64_t n;
    edge *ends;       /* by (a, b) */
    uint64_t *bits;   /* of the distance, by the same numbers */
    uint64_t *sorted; /* low 32 bits: the number of the edge, by distance, then number. In one of the two below */
    uint64_t *room_a, *room_b;
} edge_order;

static void edges_free(edge_order *self) {
    pkin_i_free(self->ends);
    pkin_i_free(self->bits);
    pkin_i_free(self->room_a);
    pkin_i_free(self->room_b);
}

static pkin_status edges_allocate(uint64_t n, edge_order *out) {
    pkin_status status;
    PKIN_REQUIRE(n <= UINT32_MAX, PKIN_ERROR_OVERFLOW,
                 "density: the graph has %llu edges, at most 2^32 - 1 can be taken: ask for fewer neighbours",
                 (unsigned long long)n);
    out->n = n;
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->ends, &out->ends));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->bits, &out->bits));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->room_a, &out->room_a));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->room_b, &out->room_b));
out:
    return status;
}

static double largest_of(double a, double b, double c) {
    const double ab = a > b ? a : b;
    return ab > c ? ab : c;
}

/* Every edge once, with its mutual reachability distance. */
static void edges_list(const pkin_graph *graph, const double *cores, edge_order *out) {
    uint64_t n = 0;
    for (uint64_t a = 0; a < graph->n_nodes; a++) {
        for (uint64_t at = graph->offsets[a]; at < graph->offsets[a + 1]; at++) {
            const uint32_t b = graph->targets[at];
            if (b < a) continue;
            const double distance = largest_of(1 - graph->weights[at], cores[a], cores[b]);
            memcpy(&out->bits[n], &distance, sizeof distance);
            out->ends[n++] = (edge){(uint32_t)a, b};
        }
    }
}

/* By the low half of the bits, then, stably, by the high half. */
static void edges_sort(edge_order *self) {
    const uint64_t low_half = UINT32_MAX;
    for (uint64_t k = 0; k < self->n; k++) self->room_a[k] = self->bits[k] << 32 | k;
    self->sorted = pkin_i_radix_sort(self->room_a, self->room_b, self->n, 32);
    for (uint64_t k = 0; k < self->n; k++) {
        const uint64_t number = self->sorted[k] & low_half;
        self->sorted[k] = (self->bits[number] & ~low_half) | number;
    }
    uint64_t *other = self->sorted == self->room_a ? self->room_b : self->room_a;
    self->sorted = pkin_i_radix_sort(self->sorted, other, self->n, 32);
}

/* ---- Merging ----------------------------------------------------------------------------------------------------- */

typedef struct parts {
    uint32_t *up;   /* by point: a point of the same part, closer to the one that stands for it, which has itself */
    uint64_t *tops; /* by the point that stands for a part: its node of the tree */
} parts;

static uint32_t part_of(parts *self, uint32_t point) {
    while (self->up[point] != point) {
        self->up[point] = self->up[self->up[point]];
        point = self->up[point];
    }
    return point;
}

/* Merges two parts, given by what stands for them, the larger of which goes on standing for both. */
static uint32_t merge(pkin_i_linkage *tree, parts *self, uint32_t a, uint32_t b, double distance) {
    const uint64_t node = tree->n_nodes++, top_a = self->tops[a], top_b = self->tops[b];
    tree->parents[top_a] = tree->parents[top_b] = node;
    tree->sizes[node] = tree->sizes[top_a] + tree->sizes[top_b];
    tree->distances[node] = distance;
    const uint32_t kept = tree->sizes[top_a] >= tree->sizes[top_b] ? a : b;
    self->up[kept == a ? b : a] = kept;
    self->tops[kept] = node;
    return kept;
}

static void merge_all(const edge_order *edges, parts *self, pkin_i_linkage *tree) {
    for (uint64_t k = 0; k < edges->n; k++) {
        const uint64_t number = edges->sorted[k] & UINT32_MAX;
        const uint32_t a = part_of(self, edges->ends[number].a), b = part_of(self, edges->ends[number].b);
        double distance;
        if (a == b) continue;
        memcpy(&distance, &edges->bits[number], sizeof distance);
        merge(tree, self, a, b, distance);
    }
    uint32_t all = part_of(self, 0);
    for (uint64_t v = 1; v < tree->n_points; v++) {
        const uint32_t part = part_of(self, (uint32_t)v);
        if (part != all) all = merge(tree, self, all, part, NO_EDGE_DISTANCE);
    }
    tree->parents[tree->n_nodes - 1] = PKIN_I_NO_PARENT;
}

static pkin_status plant(uint64_t n, parts *own, pkin_i_linkage *tree) {
    pkin_status status;
    size_t n_nodes;
    PKIN_REQUIRE(pkin_i_multiply(2, n, &n_nodes), PKIN_ERROR_OVERFLOW, "density: a tree over %llu nodes is too large",
                 (unsigned long long)n);
    PKIN_TRY(pkin_i_allocate(n_nodes, sizeof *tree->parents, &tree->parents));
    PKIN_TRY(pkin_i_allocate(n_nodes, sizeof *tree->sizes, &tree->sizes));
    PKIN_TRY(pkin_i_allocate(n_nodes, sizeof *tree->distances, &tree->distances));
    PKIN_TRY(pkin_i_allocate(n, sizeof *own->up, &own->up));
    PKIN_TRY(pkin_i_allocate(n, sizeof *own->tops, &own->tops));
    tree->n_points = tree->n_nodes = n;
    for (uint64_t v = 0; v < n; v++) {
        tree->sizes[v] = 1;
        tree->distances[v] = -1;
        own->up[v] = (uint32_t)v;
        own->tops[v] = v;
    }
out:
    return status;
}

static pkin_status check_weights(const pkin_graph *graph) {
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        for (uint64_t at = graph->offsets[v]; at < graph->offsets[v + 1]; at++) {
            if (graph->weights[at] <= 1) continue;
            return pkin_i_fail(
                PKIN_ERROR_INVALID_ARGUMENT,
                "density: the edge of nodes %llu and %lu weighs %g, but distances are 1 - weight: weights "
                "of at most 1, as cosines are, are needed",
                (unsigned long long)v, (unsigned long)graph->targets[at], graph->weights[at]);
        }
    }
    return PKIN_OK;
}

pkin_status pkin_i_linkage_make(const pkin_graph *graph, uint64_t min_samples, pkin_i_linkage *out) {
    pkin_status status;
    double *cores = NULL;
    edge_order edges = {0};
    parts own = {0};
    pkin_i_linkage tree = {0};
    *out = tree;
    if (graph->n_nodes == 0) return PKIN_OK;
    PKIN_TRY(check_weights(graph));
    PKIN_TRY(pkin_i_allocate(graph->n_nodes, sizeof *cores, &cores));
    PKIN_TRY(find_core_distances(graph, min_samples, cores));
    PKIN_TRY(edges_allocate(pkin_graph_n_edges(graph), &edges));
    edges_list(graph, cores, &edges);
    edges_sort(&edges);
    PKIN_TRY(plant(graph->n_nodes, &own, &tree));
    merge_all(&edges, &own, &tree);
    *out = tree;
    tree = (pkin_i_linkage){0};
out:
    pkin_i_free(cores);
    edges_free(&edges);
    pkin_i_free(own.up);
    pkin_i_free(own.tops);
    pkin_i_linkage_free(&tree);
    return status;
}

void pkin_i_linkage_free(pkin_i_linkage *linkage) {
    pkin_i_free(linkage->parents);
    pkin_i_free(linkage->sizes);
    pkin_i_free(linkage->distances);
    *linkage = (pkin_i_linkage){0};
}
