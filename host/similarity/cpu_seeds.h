/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_SEEDS_H
#define PKIN_SIMILARITY_CPU_SEEDS_H

/*
 * First neighbours. The filter of a top-k is as good as the thresholds of the rows' heaps, which rise as neighbours
 * come in. So every row first meets its most promising partners, found by way of an inverted index: those that share
 * its rare and heavy columns. What is offered is exact; what is missed is found later.
 */
#include "similarity/cpu_isa.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

/* The rows of each column, ascending. */
typedef struct pkin_i_postings {
    uint64_t *offsets; /* n_columns + 1 */
    uint64_t *entries; /* weight << 32 | row */
} pkin_i_postings;

/* O(entries + columns), 8 bytes an entry. */
pkin_status pkin_i_postings_build(const pkin_vectors *vectors, int n_threads, pkin_i_postings *out);
void pkin_i_postings_free(pkin_i_postings *postings);

typedef struct pkin_i_promise pkin_i_promise;

/* What a thread finds seeds with. */
typedef struct pkin_i_seeder {
    const pkin_vectors *rows, *others; /* the heaps' rows; their neighbours */
    int within;                        /* rows == others: no row is its own neighbour, and scores serve both */
    const pkin_i_postings *postings;   /* of others */
    pkin_i_isa isa;
    pkin_i_neighbor_heaps *heaps;
    uint64_t *sums;    /* others->n_rows zeroes */
    uint32_t *touched; /* others->n_rows + 1: whose sums are not 0 */
    uint32_t *dense;   /* n_columns zeroes */
    uint64_t *order;   /* a row's columns, the most telling first */
    pkin_i_promise *best;
    uint32_t *best_rows; /* n_best */
    uint64_t *scores;    /* n_best */
    uint32_t n_best;     /* partners that are scored */
    uint64_t budget;     /* postings that a row's seeds look at, at most */
    uint64_t n_scored;
} pkin_i_seeder;

/* `postings_a_partner`: postings that are looked at for each partner that is scored. */
pkin_status pkin_i_seeder_init(const pkin_vectors *rows, const pkin_vectors *others, int within,
                               const pkin_i_postings *postings, pkin_i_isa isa, pkin_i_neighbor_heaps *heaps,
                               uint32_t postings_a_partner, pkin_i_seeder *out);
void pkin_i_seeder_free(pkin_i_seeder *seeder);

/* Postings of all columns of a row: what pkin_i_seed_all looks at. */
uint64_t pkin_i_seed_postings(const pkin_i_seeder *seeder, uint64_t row);

/* Offers the row its most promising partners (and, within one set, the row to them). */
void pkin_i_seed_some(pkin_i_seeder *seeder, uint64_t row);

/* Offers the row every partner with a score above 0. O(its postings + others). */
void pkin_i_seed_all(pkin_i_seeder *seeder, uint64_t row);

PKIN_EXTERN_C_END

#endif
