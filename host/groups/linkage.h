/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LINKAGE_H
#define PKIN_GROUPS_LINKAGE_H

#include "base/memory.h"
#include "paperkin/graph.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_NO_PARENT UINT64_MAX

/*
 * Single linkage as a binary tree. Nodes 0 to n_points - 1 are the points; each later one stands for the merge of two
 * earlier ones, in order of distance. The last node is the root.
 */
typedef struct pkin_i_linkage {
    uint64_t n_points;
    uint64_t n_nodes;  /* 2 * n_points - 1; 0 where there are no points */
    uint64_t *parents; /* by node; PKIN_I_NO_PARENT at the root */
    uint64_t *sizes;   /* by node: points below it */
    double *distances; /* by node: of the merge, in [0, 1]; -1 at points, which is no merge's */
} pkin_i_linkage;

/*
 * Single linkage of the nodes of a graph by mutual reachability: the distance of an edge's ends is the largest of
 * 1 - weight and both core distances, that of a pair without an edge is 1. A node's core distance is that to its
 * min_samples-th nearest, itself the first; 1 where it has fewer edges. Weights must be at most 1. O(edges log edges).
 */
pkin_status pkin_i_linkage_make(const pkin_graph *graph, uint64_t min_samples, pkin_i_linkage *out);
void pkin_i_linkage_free(pkin_i_linkage *linkage);

PKIN_EXTERN_C_END

#endif
