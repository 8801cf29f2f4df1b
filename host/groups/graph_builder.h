/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_GRAPH_BUILDER_H
#define PKIN_GROUPS_GRAPH_BUILDER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "paperkin/graph.h"

PKIN_EXTERN_C_BEGIN

/* No longer name, label or weight is accepted from a file. */
#define PKIN_I_MAX_GRAPH_TEXT 65535

/* A node as a file tells of it. */
typedef struct pkin_i_file_node {
    uint64_t id;      /* where its id begins in pkin_i_graph_builder.text, NUL-terminated; ids are distinct */
    uint64_t name;    /* and its name; UINT64_MAX: it has none but the id */
    uint64_t line;    /* of its first mention */
    uint32_t n_bytes; /* of the id */
    uint32_t place;   /* among the nodes that the file declares, UINT32_MAX: it has only been mentioned */
} pkin_i_file_node;

/* Nodes and edges of a file as they come, nodes known by their ids. Zero-initialise but for `file`. */
typedef struct pkin_i_graph_builder {
    const char *file;   /* as messages call it */
    bool ids_are_inner; /* the ids are the file's own affair, and names only for want of better ones */
    pkin_i_buffer text;
    pkin_i_file_node *nodes;
    size_t n_nodes, node_capacity;
    uint32_t *table; /* open addressing, by the hash of the id: node + 1 */
    size_t table_size;
    uint32_t n_declared;
    pkin_edge *edges;
    size_t n_edges, edge_capacity;
} pkin_i_graph_builder;

/* The node of an id, which is made where there is none yet. `id` has no NUL. */
pkin_status pkin_i_builder_node(pkin_i_graph_builder *builder, const char *id, size_t n_bytes, uint64_t line,
                                uint32_t *out);
/* The file says that there is such a node; false where it said so before. */
bool pkin_i_builder_declare(pkin_i_graph_builder *builder, uint32_t node);
/* Gives a node a name; an empty one is none. The last one counts. */
pkin_status pkin_i_builder_name(pkin_i_graph_builder *builder, uint32_t node, const char *name, size_t n_bytes);
/* An edge; a loop is left out. */
pkin_status pkin_i_builder_edge(pkin_i_graph_builder *builder, uint32_t a, uint32_t b, double weight);

/*
 * Reads a weight; PKIN_ERROR_CORRUPT, with file and line, where it is no finite number above 0. Spaces around it are
 * fine.
 */
pkin_status pkin_i_builder_weight(const pkin_i_graph_builder *builder, uint64_t line, const char *text, size_t n_bytes,
                                  double *out);

/*
 * The graph. Nodes are in the order of their declarations, and have names, unless these are just the numbers of the
 * nodes from 0 on (or inner ids are "n0", "n1", ..., and there are no names): then they are in the order of the
 * numbers, without names. An edge with a node that was not declared is PKIN_ERROR_CORRUPT.
 */
pkin_status pkin_i_builder_finish(pkin_i_graph_builder *builder, pkin_graph **out);
void pkin_i_builder_free(pkin_i_graph_builder *builder);

PKIN_EXTERN_C_END

#endif
