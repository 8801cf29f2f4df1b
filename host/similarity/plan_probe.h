/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_PROBE_H
#define PKIN_SIMILARITY_PLAN_PROBE_H

/*
 * Trials on a sample (plan_sample.h): how many of its pairs each way would score exactly, and how long its steps take
 * on this machine, on these rows, with as many threads at work as there will be. Times are medians of many short ones,
 * so that a thread that has to wait now and then does not matter.
 */
#include "similarity/cpu_filter.h"
#include "similarity/cpu_tail_kernels.h"
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

/* What the tail and index methods do for every pair of rows, on average. */
typedef struct pkin_i_tail_use {
    double postings;     /* multiplications outside the head */
    double entries;      /* of a row of b: outside the head */
    double head_entries; /* of a row: in the head */
    double padding;      /* postings that a row of b sees in a block beside these: tail */
} pkin_i_tail_use;

/* A trial of the tail method. */
typedef struct pkin_i_tail_trial {
    const pkin_i_sample *sample;
    pkin_i_isa isa;
    uint64_t n_columns;            /* of the task's rows */
    uint32_t *counts_a, *counts_b; /* of every column: counted rows that hold it, on average of both sides; of b */
    uint64_t n_counted_a, n_counted_b;
    double n_counted;                /* their geometric mean */
    uint32_t *row_ids, *partner_ids; /* which rows and columns of the sample are tried */
    pkin_vectors *rows, *partners;
    uint32_t *offsets; /* of every column of the sample: the partners that hold it */
    pkin_i_tail_found *postings;
    /* Of the last head: pairs that reach the row's limit by the first bound, and by both. */
    pkin_i_tally refined, candidates;
} pkin_i_tail_trial;

/* Tries n_rows of the sample's rows against n_partners of its columns, at most. O(counted entries + columns). */
pkin_status pkin_i_tail_trial_open(const pkin_i_sample *sample, pkin_i_isa isa, uint64_t n_rows, uint64_t n_partners,
                                   pkin_i_tail_trial *out);
/* With this head; share 0: none, which is the index method. O(columns). */
void pkin_i_tail_trial_use(const pkin_i_tail_trial *trial, double share, pkin_i_tail_use *out);
/* Fills the tallies. row_scores: what the pairs of every row of the sample have to reach. */
pkin_status pkin_i_tail_trial_run(pkin_i_tail_trial *trial, double share, const uint64_t *row_scores);
void pkin_i_tail_trial_close(pkin_i_tail_trial *trial);

PKIN_EXTERN_C_END

#endif
