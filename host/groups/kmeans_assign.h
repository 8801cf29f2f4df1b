/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_KMEANS_ASSIGN_H
#define PKIN_GROUPS_KMEANS_ASSIGN_H

#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/*
 * The centre with the highest score of each row, of equal ones the first, and that score; PKIN_NO_CLUSTER and 0 where a
 * row shares nothing with any. The second function asks the similarity engine; the first finds the same bits on the CPU
 * in a way that suits centres, whose entries are many.
 */
pkin_status pkin_i_kmeans_assign(const pkin_vectors *vectors, const pkin_vectors *centers, int n_threads,
                                 uint32_t *labels, uint64_t *scores);
pkin_status pkin_i_kmeans_assign_by_search(const pkin_vectors *vectors, const pkin_vectors *centers,
                                           const pkin_similarity_options *options, uint32_t *labels, uint64_t *scores);

PKIN_EXTERN_C_END

#endif
