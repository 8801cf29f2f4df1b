/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_KMEANS_CENTERS_H
#define PKIN_GROUPS_KMEANS_CENTERS_H

#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/*
 * The centres of clusters: row c of *out is the sum of the rows with label c, scaled to length 1 and rounded down to
 * fixed point as pkin_vectors_from_matrix does; empty where there is no such row. labels[r] is below n_clusters or
 * PKIN_NO_CLUSTER. Sums are exact, clusters are shared among n_threads: the same bits for any number of them. Memory:
 * at most some 40 bytes an entry of the rows, 9 bytes a column and thread.
 */
pkin_status pkin_i_kmeans_centers(const pkin_vectors *vectors, const uint32_t *labels, uint32_t n_clusters,
                                  int n_threads, pkin_vectors **out);

PKIN_EXTERN_C_END

#endif
