/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_CONDENSED_TREE_H
#define PKIN_GROUPS_CONDENSED_TREE_H

#include "groups/linkage.h"
#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

/*
 * What is left of single linkage where a part of fewer than min_cluster_size points is no cluster, but points that
 * leave one: clusters that split or shrink as lambda = 1 / distance grows. The root is cluster 0, and holds all points.
 */
typedef struct pkin_i_condensed {
    uint32_t n_clusters;
    pkin_density_cluster *clusters; /* parents before their children; their `cluster` is PKIN_NO_CLUSTER */
    uint32_t *last_clusters;        /* by point: the cluster that it leaves */
    double *leave_lambdas;          /* by point: at which it does; infinite for points at distance 0 */
} pkin_i_condensed;

/* min_cluster_size >= 2. Merges at one distance are one split of several parts. O(points). */
pkin_status pkin_i_condensed_make(const pkin_i_linkage *linkage, uint64_t min_cluster_size, pkin_i_condensed *out);
void pkin_i_condensed_free(pkin_i_condensed *condensed);

/*
 * Chooses clusters of which none holds another, never the root: those whose stabilities have the largest sum ("excess
 * of mass"), a cluster before its descendants where these have no more; or the leaves. None of more than max_size
 * points. chosen[c] becomes 1 or 0. O(clusters).
 */
pkin_status pkin_i_condensed_choose(const pkin_i_condensed *condensed, uint64_t max_size, int leaves, uint8_t *chosen);

PKIN_EXTERN_C_END

#endif
