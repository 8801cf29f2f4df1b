/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_EXPAND_PAIRS_H
#define PKIN_SIMILARITY_EXPAND_PAIRS_H

/*
 * From sorted pairs of groups of equal rows (distinct_rows.h) to the sorted pairs of the rows themselves, one after
 * another, without ever holding them all. A pair (u, v) of groups stands for every row of u with every row of v, and in
 * a self-join (u, u) for the pairs within u. Pairs of groups that share a score are gathered; each gives its pairs of
 * rows in order, by a cursor, and a heap of cursors picks the next. Memory: 48 bytes a pair of groups of one score,
 * however many rows they have. O(log of that) a pair.
 */
#include "similarity/distinct_rows.h"
#include "similarity/pair_runs.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_expansion pkin_i_expansion;

/* `b` NULL: a self-join. All three must outlive the expansion. */
pkin_status pkin_i_expansion_open(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b,
                                  pkin_i_pair_merge *pairs, pkin_i_expansion **out);
/* The next pairs, up to n_max (> 0); *n_pairs is 0 at the end. */
pkin_status pkin_i_expansion_next(pkin_i_expansion *expansion, pkin_pair *pairs, size_t n_max, size_t *n_pairs);
uint64_t pkin_i_expansion_bytes(const pkin_i_expansion *expansion); /* most that it held */
void pkin_i_expansion_close(pkin_i_expansion *expansion);           /* accepts NULL */

/*
 * The same at once, in memory and in no order, for pairs of groups that are in no order either: first how many pairs of
 * rows they stand for, of each PKIN_I_EXPAND_PAIRS of them; then those pairs, from begins[portion] on for each. On
 * `n_threads` threads, O(pairs).
 */
enum { PKIN_I_EXPAND_PAIRS = 1 << 14 };
static inline uint64_t pkin_i_expand_portions(uint64_t n_groups) {
    return (n_groups + PKIN_I_EXPAND_PAIRS - 1) / PKIN_I_EXPAND_PAIRS;
}
void pkin_i_pairs_count(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, const pkin_pair *groups,
                        uint64_t n_groups, int n_threads, uint64_t *counts);
void pkin_i_pairs_expand(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, const pkin_pair *groups,
                         uint64_t n_groups, int n_threads, const uint64_t *begins, pkin_pair *out);

/* Pairs of rows that a pair of groups stands for. `b` NULL: a self-join. */
uint64_t pkin_i_expanded_count(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, uint32_t u, uint32_t v);

/* Groups that are rows, one each: what is found for groups is found for rows, but for their numbers. `b` may be NULL.
 */
static inline bool pkin_i_is_one_to_one(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b) {
    return a->most_members <= 1 && (!b || b->most_members <= 1);
}
/* Then these numbers, in place: the order stays. */
void pkin_i_pairs_rename(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, int n_threads, pkin_pair *pairs,
                         uint64_t n_pairs);

PKIN_EXTERN_C_END

#endif
