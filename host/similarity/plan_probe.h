/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_PROBE_H
#define PKIN_SIMILARITY_PLAN_PROBE_H

/*
 * Trials on a sample (plan_sample.h): how many of its pairs each way would score exactly, and how long its steps take
 * on this machine, on these rows, with as many threads at work as there will be. Times are medians of many short ones,
 * so that a thread that has to wait now and then does not matter.
 */
#include "similarity/cpu_filter.h"
#include "similarity/plan_sample.h"
#include "similarity/planner.h"

PKIN_EXTERN_C_BEGIN

/* What a trial of the sketch filter at one dimension found. */
typedef struct pkin_i_sketch_trial {
    pkin_i_tally tally;   /* of pairs whose bound reaches the row's limit */
    double pair_seconds;  /* of one thread: a product, compared */
    double entry_seconds; /* of one thread: sketching and packing, for every entry of a row */
    uint64_t *kept;       /* some of the pairs that were hits, row << 32 | column of the sample, to be scored */
    uint64_t n_kept;
    double kept_share; /* of the hits, on average */
} pkin_i_sketch_trial;

/*
 * `map` is over the sample's columns; row_limits, of every sampled row, is what a product has to reach. `n_expected`
 * hits: decides how many are kept. `trial` is opened, and used again for other dimensions.
 */
pkin_status pkin_i_sketch_trial_open(const pkin_i_sample *sample, pkin_i_sketch_trial *trial);
pkin_status pkin_i_sketch_trial_run(const pkin_i_sample *sample, const pkin_i_filter *filter,
                                    const pkin_i_sketch_map *map, const int32_t *row_limits, double n_expected,
                                    pkin_i_sketch_trial *trial);
void pkin_i_sketch_trial_close(pkin_i_sketch_trial *trial);

/* Seconds of one thread to score a candidate exactly. */
pkin_status pkin_i_score_trial(const pkin_i_sample *sample, pkin_i_isa isa, double *out);

/* Which of the trial's kept pairs have min_score or more. */
pkin_status pkin_i_pairs_trial(const pkin_i_sample *sample, pkin_i_isa isa, const pkin_i_sketch_trial *trial,
                               uint64_t min_score, pkin_i_tally *out);

/*
 * The score that the k-th best neighbour of every sampled row has, over all rows of b; min_score where there is none.
 * Of every `stride` rows of b only one is looked at, for the k / stride-th best.
 */
pkin_status pkin_i_top_trial(const pkin_i_sample *sample, uint32_t k, uint64_t stride, uint64_t min_score,
                             uint64_t *out);

enum { PKIN_I_TAIL_SHARES = 8 };
extern const double pkin_i_tail_shares[PKIN_I_TAIL_SHARES]; /* heads that are tried: ascending */

/*
 * What a trial of the tail method found, for every share. Heads are nested: a greater share leaves fewer columns in it.
 * The last place is the index: no head.
 */
typedef struct pkin_i_tail_trial {
    pkin_i_tally tallies[PKIN_I_TAIL_SHARES];    /* of pairs whose bound reaches the row's limit */
    double postings[PKIN_I_TAIL_SHARES + 1];     /* multiplications outside the head, for every pair of rows */
    double head_entries[PKIN_I_TAIL_SHARES + 1]; /* of a row, on average: in the head */
    uint64_t head_columns[PKIN_I_TAIL_SHARES + 1];
    uint8_t *classes; /* of every column of the sample: how many of the heads it is in, those of the lowest shares */
} pkin_i_tail_trial;

/* Postings and heads. O(entries of the sample). */
pkin_status pkin_i_tail_trial_open(const pkin_i_sample *sample, pkin_i_tail_trial *out);
/*
 * Candidates, for an even n_rows of the sample's rows; row_scores: what the pairs of every sampled row have to reach.
 * The bound is that of cpu_head.h but for its rounding, which adds a little.
 */
pkin_status pkin_i_tail_trial_run(const pkin_i_sample *sample, uint64_t n_rows, const uint64_t *row_scores,
                                  pkin_i_tail_trial *trial);
void pkin_i_tail_trial_close(pkin_i_tail_trial *trial);

PKIN_EXTERN_C_END

#endif
