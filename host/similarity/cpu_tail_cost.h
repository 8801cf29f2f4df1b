/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_TAIL_COST_H
#define PKIN_SIMILARITY_CPU_TAIL_COST_H

/*
 * What the tail method's work is, for the planner: counts that follow from the columns' document frequencies and the
 * head's share, times the units below.
 *
 * Let df_a(c), df_b(c) be the rows of either side that hold column c (self-join: df_a = df_b = df, N_a = N_b = N). A
 * column is in the head where sqrt(df_a df_b) >= head_share * sqrt(N_a N_b) and both are at least 1 (self-join: df >=
 * 2); columns that only one side holds (self-join: a single row) are dropped. Everything is halved in a self-join:
 *   postings    sum over columns outside the head of df_a * df_b
 *   visits      (sum over columns outside the head of df_b) * ceil(N_a / BLOCK_ROWS): looking up a block's postings
 *   pairs       N_a * N_b: the first bound, of all
 *   refined     pairs that the first bound leaves: the second bound
 *   groups      of pairs that the first bound is made for at once, if it leaves one or more of them
 *   candidates  pairs that the second bound leaves, scored exactly
 * The index method has the first three, with an empty head, and no others. A top-k with the tail method has seeds
 * before all that (cpu_seeds.h). Good shares on abstracts: 0.02 to 0.03 at a threshold of 0.5, 0.05 to 0.06 at 0.3, 0.1
 * for the ten nearest; half of it costs up to three times as long.
 */
#include "similarity/cpu_seeds.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_TAIL_BLOCK_ROWS = 4096 }; /* rows of a that are indexed together, at most */

/* Of a top-k with the tail method. */
static inline pkin_i_seed_effort pkin_i_tail_seed_effort(void) {
    return (pkin_i_seed_effort){.n_partners = 20, .n_postings = 60};
}

/* Nanoseconds of one thread. */
typedef struct pkin_i_tail_cost {
    double ns_per_posting;
    double ns_per_visit;
    double ns_per_pair;
    double ns_per_refined;
    double ns_per_group; /* of PKIN_I_TAIL_ROUND pairs, one of which is refined at least */
    double ns_per_candidate;
    double ns_per_entry; /* of either side: arranging rows and building the index */
} pkin_i_tail_cost;

/* `isa` being that or the next lower one that has kernels. */
pkin_i_tail_cost pkin_i_tail_costs(pkin_i_isa isa);
pkin_i_tail_cost pkin_i_index_costs(pkin_i_isa isa);

PKIN_EXTERN_C_END

#endif
