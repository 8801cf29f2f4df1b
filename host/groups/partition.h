/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_PARTITION_H
#define PKIN_GROUPS_PARTITION_H

#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

/*
 * A partition of nodes by labels: nodes of one label are a cluster, those with PKIN_NO_CLUSTER, and those in clusters
 * of fewer than `min_size` nodes, are outliers. Clusters are numbered as pkin_partition says, whatever the labels are;
 * a label must be below n_nodes. O(n_nodes). Quality is 0.
 */
pkin_status pkin_i_partition_make(const uint32_t *labels, uint64_t n_nodes, uint64_t min_size, pkin_partition *out);

/* Turns the clusters of fewer than `min_size` nodes into outliers. The rest keep their order and are numbered anew. */
void pkin_i_partition_dissolve(pkin_partition *partition, uint64_t min_size);

/* Nodes by cluster: those of cluster c are members[offsets[c]] to members[offsets[c + 1] - 1], ascending. Outliers are
   not among them. Both are freed with pkin_i_free, and NULL after a failure. */
pkin_status pkin_i_partition_members(const pkin_partition *partition, uint64_t **out_offsets, uint32_t **out_members);

/* Fails where a cluster's number is neither below n_clusters nor PKIN_NO_CLUSTER, or the nodes are not `n_nodes`. */
pkin_status pkin_i_partition_check(const pkin_partition *partition, uint64_t n_nodes);

PKIN_EXTERN_C_END

#endif
