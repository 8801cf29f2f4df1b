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
    float *rarity;     /* n_columns: 1 / (rows that have it + 1) */
} pkin_i_postings;

/* O(entries + columns), 8 bytes an entry. */
pkin_status pkin_i_postings_build(const pkin_vectors *vectors, int n_threads, pkin_i_postings *out);
void pkin_i_postings_free(pkin_i_postings *postings);

/* How much a row's seeds may cost: time, and how good the thresholds are with which the rest begins. */
typedef struct pkin_i_seed_effort {
    uint32_t n_partners; /* that are scored; k and a half if that is more */
    uint32_t n_postings; /* that are looked at, for each of them */
} pkin_i_seed_effort;

/* Postings of a column of a row, and its weight. */
typedef struct pkin_i_seed_slice {
    const uint64_t *entries;
    uint64_t n;
    uint32_t by;
} pkin_i_seed_slice;

/* What a thread finds seeds with. */
typedef struct pkin_i_seeder {
    const pkin_vectors *rows, *others; /* the heaps' rows; their neighbours */
    int within;                        /* rows == others: no row is its own neighbour, and scores serve both */
    const pkin_i_postings *postings;   /* of others */
    pkin_i_isa isa;
    pkin_i_neighbor_heaps *heaps;
    uint64_t *sums;            /* others->n_rows zeroes */
    uint32_t *parts;           /* others->n_rows zeroes: sums of a few columns, in a coarser unit */
    uint32_t *touched;         /* others->n_rows + 1: whose sums are not 0 */
    uint32_t *dense;           /* n_columns zeroes */
    uint64_t *columns;         /* the longest row's entries: a heap, the most telling first */
    pkin_i_seed_slice *slices; /* as many */
    uint64_t *best;            /* n_best: a heap, the least promising first */
    uint32_t *best_rows;       /* n_best */
    uint64_t *scores;          /* n_best */
    uint32_t n_best;           /* partners that are scored */
    uint64_t budget;           /* postings that a row's seeds look at, at most */
    uint64_t n_scored;
} pkin_i_seeder;

pkin_status pkin_i_seeder_init(const pkin_vectors *rows, const pkin_vectors *others, int within,
                               const pkin_i_postings *postings, pkin_i_isa isa, pkin_i_neighbor_heaps *heaps,
                               pkin_i_seed_effort effort, pkin_i_seeder *out);
void pkin_i_seeder_free(pkin_i_seeder *seeder);

/* Bytes of one seeder but for what does not grow with the input; of postings. */
uint64_t pkin_i_seeder_bytes(const pkin_vectors *rows, const pkin_vectors *others);
uint64_t pkin_i_postings_bytes(const pkin_vectors *vectors);

/* Postings of all columns of a row: what pkin_i_seed_all looks at. */
uint64_t pkin_i_seed_postings(const pkin_i_seeder *seeder, uint64_t row);

/* Offers the row its most promising partners (and, within one set, the row to them). */
void pkin_i_seed_some(pkin_i_seeder *seeder, uint64_t row);

/* Offers the row every partner with a score above 0. O(its postings + others). */
void pkin_i_seed_all(pkin_i_seeder *seeder, uint64_t row);

PKIN_EXTERN_C_END

#endif
