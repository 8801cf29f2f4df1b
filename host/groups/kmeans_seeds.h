/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_KMEANS_SEEDS_H
#define PKIN_GROUPS_KMEANS_SEEDS_H

#include "groups/random.h"
#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/* What choosing first centres needs: rows by column, and the lengths of rows. Used by one thread at a time. */
typedef struct pkin_i_kmeans_seeder pkin_i_kmeans_seeder;

/* `lengths` (by row, 1 for a unit row) is borrowed. 8 bytes an entry, 16 a row. O(entries). */
pkin_status pkin_i_kmeans_seeder_open(const pkin_vectors *vectors, const double *lengths, pkin_i_kmeans_seeder **out);
void pkin_i_kmeans_seeder_close(pkin_i_kmeans_seeder *seeder);

/*
 * k-means++: up to n_most distinct rows, none of them empty, each drawn with a chance that grows as its distance
 * 1 - cosine to the nearest row drawn before. Fewer where all others equal one that was drawn. Returns how many. Asks
 * `is_cancelled` now and then, and stops where it answers nonzero.
 */
uint32_t pkin_i_kmeans_seed(pkin_i_kmeans_seeder *seeder, pkin_i_random *random, uint32_t n_most, uint32_t *rows,
                            int (*is_cancelled)(void *user), void *user);

PKIN_EXTERN_C_END

#endif
