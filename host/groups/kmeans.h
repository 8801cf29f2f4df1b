/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_KMEANS_H
#define PKIN_GROUPS_KMEANS_H

#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

/*
 * Spherical k-means that begins with the given rows as centres: distinct, not empty. Seed, n_starts and n_clusters of
 * `options` do not count. `out` is as pkin_kmeans gives it; clusters that stayed empty are left out.
 */
pkin_status pkin_i_kmeans_from_rows(const pkin_vectors *vectors, const uint32_t *rows, uint32_t n_rows,
                                    const pkin_kmeans_options *options, pkin_partition *out);

PKIN_EXTERN_C_END

#endif
