/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_GRAPH_H
#define PKIN_GROUPS_GRAPH_H

#include "base/memory.h"
#include "paperkin/graph.h"

PKIN_EXTERN_C_BEGIN

/* Strings by number, in one block. Zero-initialised: none is known. */
typedef struct pkin_i_names {
    char *bytes;
    uint64_t *begins; /* by number: the offset of its string, PKIN_I_NO_NAME where unknown; NULL: none is known */
} pkin_i_names;

#define PKIN_I_NO_NAME UINT64_MAX

/* Copies n strings; NULL and "" are names that are not known, and `names` may be NULL. Nothing is left on failure. */
pkin_status pkin_i_names_copy(const char *const *names, uint64_t n, pkin_i_names *out);
/* The names of a graph's nodes, for another graph of as many nodes. */
pkin_status pkin_i_names_of_graph(const pkin_graph *graph, pkin_i_names *out);
void pkin_i_names_free(pkin_i_names *names);

/* As pkin_graph_view tells, but each array is owned and of the library's memory (base/memory.h). */
struct pkin_graph {
    uint64_t n_nodes;
    uint64_t *offsets;
    uint32_t *targets;
    double *weights;
    double *inner_weights; /* may be NULL */
    uint64_t *sizes;       /* may be NULL */
    pkin_i_names names;
};

/*
 * Makes a graph of parts that keep what pkin_graph_view promises (neighbours ascending, both directions of each edge,
 * no loops), which is not checked. Takes the arrays over in any case: *parts is zeroed, and on failure they are freed.
 */
pkin_status pkin_i_graph_take(pkin_graph *parts, pkin_graph **out);

/* Frees the arrays of parts that were not taken, and zeroes *parts. */
void pkin_i_graph_parts_free(pkin_graph *parts);

PKIN_EXTERN_C_END

#endif
