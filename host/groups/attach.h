/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_ATTACH_H
#define PKIN_GROUPS_ATTACH_H

#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

/*
 * Puts outliers into the cluster of the strongest of their neighbours that are in one, by edges of at least
 * `min_weight` (ties go to the lower node). In rounds: one looks at what the rounds before it attached, until nobody
 * has such a neighbour. Clusters are numbered anew by their size; the quality is kept as it was. The partition is
 * untouched on failure. O(edges).
 */
pkin_status pkin_i_attach_outliers(const pkin_graph *graph, pkin_partition *partition, double min_weight);

PKIN_EXTERN_C_END

#endif
