/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_SAMPLE_H
#define PKIN_SIMILARITY_PLAN_SAMPLE_H

/*
 * What a plan is judged from: some rows of a, some rows of b, and every pair of them. Rows are taken one from each of
 * equal stretches, at a place in it that a hash decides: even over inputs that are ordered by time or topic, blind to
 * what repeats at a fixed distance, and the same whenever it is done again. The two sides are taken independently, so
 * that every pair of rows is as likely to be in the sample as any other, and what a share of the sample does is an
 * unbiased estimate of what that share of all pairs does.
 *
 * How far off it may be is judged from how much it varies between the sample's rows (pkin_i_sample_estimate).
 */
#include "similarity/backend.h"
#include "similarity/cpu_narrow.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_sample {
    pkin_i_narrowed sides; /* the task's rows, over not many more columns than there are entries */
    int within;            /* the task has no b: pairs of a row with itself are none */
    int n_threads;         /* those of the task that can run at once */
    uint64_t n_a, n_b;     /* rows of the task */
    uint64_t n_pairs;      /* pairs of rows of the task */
    /* The sampled rows, over columns with numbers of their own: 0 has the greatest sum of weights, and so on. */
    pkin_vectors rows, columns;
    uint32_t *row_ids, *column_ids; /* which rows of a and of b (of a, within) they are: ascending */
    uint64_t *column_weights;       /* sums over the sample, descending */
    uint32_t *column_numbers;       /* of the sample's columns: those that the task's rows have */
    uint64_t n_grid;                /* pairs in the sample, those of a row with itself left out */
} pkin_i_sample;

/* The task's rows, which must not be empty sets, without a sample as yet. O(1), or O(entries) where columns are many.
 */
pkin_status pkin_i_sample_open(const pkin_i_task *task, pkin_i_sample *out);
/* Takes about n_rows of a and n_columns of b (all where there are fewer). O(their entries + columns). */
pkin_status pkin_i_sample_take(pkin_i_sample *sample, uint64_t n_rows, uint64_t n_columns);
void pkin_i_sample_close(pkin_i_sample *sample);

/* Whether sampled row r and sampled column c are the same row of the task. */
static inline int pkin_i_sample_is_self(const pkin_i_sample *sample, uint64_t r, uint64_t c) {
    return sample->within && sample->row_ids[r] == sample->column_ids[c];
}

/* Something that was counted over the pairs of a sample. */
typedef struct pkin_i_tally {
    uint32_t *row_hits;    /* of every sampled row */
    uint32_t *column_hits; /* of every sampled column */
    uint64_t n_hits;
    uint64_t n_rows, n_columns; /* that were counted: the first ones of the sample, where not all were */
} pkin_i_tally;

pkin_status pkin_i_tally_open(const pkin_i_sample *sample, pkin_i_tally *out);
void pkin_i_tally_clear(pkin_i_tally *tally);
void pkin_i_tally_close(pkin_i_tally *tally);

/*
 * How many of the task's pairs would be hits, each counted hit standing for `weight` (>= 1) of the sample's. The band
 * is meant to hold in all but one or two cases of a hundred. Hits are clustered, by row and by topic: their variance is
 * that of the hits of rows plus that of the hits of columns, and never less than if they were independent. Where none
 * was found the upper end is what would still have shown none once in 200 times.
 */
pkin_estimate pkin_i_sample_estimate(const pkin_i_sample *sample, const pkin_i_tally *tally, double weight);

PKIN_EXTERN_C_END

#endif
