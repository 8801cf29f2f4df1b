/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_GRAPH_H
#define PAPERKIN_GRAPH_H

#include "paperkin/corpus.h"
#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/*
 * An undirected graph with weights > 0, at most one edge between two nodes. Immutable; threads may share it. Nodes may
 * have names. Made of nodes that stand for groups (pkin_graph_aggregate) it has sizes and inner weights besides.
 */
typedef struct pkin_graph pkin_graph;

/* Borrowed. Node v has neighbours targets[offsets[v]] to targets[offsets[v + 1] - 1], ascending; each edge stands twice,
   once at either end, with the same weight. v itself is never among them. */
typedef struct pkin_graph_view {
    uint64_t n_nodes;           /* < 2^32 - 1 */
    const uint64_t *offsets;    /* n_nodes + 1 */
    const uint32_t *targets;
    const double *weights;      /* finite, > 0 */
    const double *inner_weights;/* by node: weight of the edges inside of what it stands for; NULL: 0 everywhere */
    const uint64_t *sizes;      /* by node: of how many original nodes it stands for; NULL: 1 everywhere */
} pkin_graph_view;

typedef struct pkin_edge {
    uint32_t a, b; /* a != b */
    double weight; /* finite, > 0 */
} pkin_edge;

/*
 * Edges in any order and direction; one that is given several times (or in both directions) gets the largest of its
 * weights. `names` may be NULL, else n_nodes strings (copied), where NULL or "" is no name. O(nodes + edges). *out is
 * NULL on failure.
 */
PKIN_API pkin_status pkin_graph_from_edges(uint64_t n_nodes, const pkin_edge *edges, uint64_t n_edges,
                                           const char *const *names, pkin_graph **out);

typedef enum pkin_graph_sides {
    PKIN_GRAPH_MUTUAL = 0, /* an edge where each is among the other's k nearest */
    PKIN_GRAPH_EITHER      /* an edge where one is among the other's */
} pkin_graph_sides;

typedef enum pkin_edge_weight {
    PKIN_EDGE_COSINE = 0,     /* score * 2^-60, rounded down to a multiple of 2^-30: sums of it are exact in a double */
    PKIN_EDGE_COSINE_SQUARED, /* its square, rounded down likewise */
    /* Shared neighbours: of the two lists, each with its own row, the size of the intersection over that of the union
       (Jarvis and Patrick, "Clustering using a similarity measure based on shared near neighbors", 1973), rounded down
       likewise. */
    PKIN_EDGE_SHARED_NEIGHBORS,
    /*
     * The same with ranks: of lists of length n, the row itself counts n + 1, the r-th neighbour n + 1 - r, every other
     * row 0; the sum of the smaller counts of the two lists over the sum of the larger, rounded down likewise. Agreement
     * on the nearest weighs most, and nothing leaps where one paper enters or leaves the end of a list.
     */
    PKIN_EDGE_RANKED_NEIGHBORS
} pkin_edge_weight;

typedef struct pkin_graph_options {
    size_t size;         /* sizeof(pkin_graph_options), set by _default */
    uint32_t n_neighbors;/* k: the first k of each list count; 0: all that are there */
    double floor;        /* least cosine of an edge, in [0, 1] */
    pkin_graph_sides sides;
    pkin_edge_weight weight;
    double least_weight; /* edges that weigh less are left out, in [0, 1]; default 0 */
} pkin_graph_options;

PKIN_API pkin_graph_options pkin_graph_options_default(void);

/* The k-nearest-neighbour graph of lists by pkin_similarity_top_k(a, NULL, ...). Exact, and the same bits on every
   machine. `names` as above. O(entries log entries). */
PKIN_API pkin_status pkin_graph_from_neighbors(const pkin_neighbor_lists *lists, const pkin_graph_options *options,
                                               const char *const *names, pkin_graph **out);

/*
 * The same graph with each weight multiplied by 1 - damping * (share of the shorter author list found in the other), so
 * that what one group writes does not cluster for its names' and phrases' sake; edges whose weight becomes 0 are left
 * out; papers without known authors are left as they are. `papers`: one a node. damping in [0, 1]. Weights stay
 * multiples of 2^-30 (rounded down).
 */
PKIN_API pkin_status pkin_graph_damp_authors(const pkin_graph *graph, const pkin_paper *const *papers, double damping,
                                             pkin_graph **out);

PKIN_API void pkin_graph_free(pkin_graph *graph);
PKIN_API pkin_graph_view pkin_graph_look(const pkin_graph *graph); /* of NULL: no nodes */
PKIN_API uint64_t pkin_graph_n_nodes(const pkin_graph *graph);
PKIN_API uint64_t pkin_graph_n_edges(const pkin_graph *graph); /* each counted once */
PKIN_API const char *pkin_graph_name(const pkin_graph *graph, uint64_t node); /* NULL where unknown */

#define PKIN_NO_CLUSTER UINT32_MAX /* in place of a cluster: an outlier */

/* ---- Files ------------------------------------------------------------------------------------------------------ */

typedef enum pkin_graph_format {
    PKIN_GRAPH_EDGE_LIST = 0, /* a line an edge: two names and a weight, parted by tabs; a name alone: a node without edges */
    PKIN_GRAPH_GRAPHML,       /* http://graphml.graphdrawing.org, read by igraph, NetworkX, Gephi */
    PKIN_GRAPH_GEXF           /* https://gexf.net, 1.3, read by Gephi and NetworkX */
} pkin_graph_format;

/* What a file says of the nodes besides; any pointer may be NULL. */
typedef struct pkin_graph_notes {
    size_t size;             /* sizeof(pkin_graph_notes), set by _default */
    const char *const *titles;
    const uint32_t *clusters; /* PKIN_NO_CLUSTER is left out */
    const char *const *cluster_labels; /* by cluster */
} pkin_graph_notes;

PKIN_API pkin_graph_notes pkin_graph_notes_default(void);

/*
 * Writes a graph, atomically; "-" is standard output. Nodes without names are called by their numbers from 0. The same
 * graph gives the same bytes, and weights read back as the same doubles. Two nodes of one name cannot be in an edge
 * list: PKIN_ERROR_INVALID_ARGUMENT. See docs/graphs.md.
 */
PKIN_API pkin_status pkin_graph_write_file(const pkin_graph *graph, pkin_graph_format format,
                                           const pkin_graph_notes *notes, const char *path);

/*
 * Reads a graph of any of these formats, told by its content; "-" is standard input, gzip and zstd are unpacked. Edge
 * lists: parted by tabs or blanks, `#` begins a comment, weight 1 where none is given, a heading line "source target
 * weight" is skipped. GraphML and GEXF: the weight is the edge's attribute `weight`. Directed edges count as
 * undirected; loops are left out. Nodes are in the order in which the file declares or first names them; where the names
 * are just the numbers of all nodes from 0 on, they are in that order and without names. Errors name file and line.
 */
PKIN_API pkin_status pkin_graph_read_file(const char *path, pkin_graph **out);

PKIN_EXTERN_C_END

#endif
