/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_COST_H
#define PKIN_SIMILARITY_PLAN_COST_H

/*
 * What a plan costs in seconds and bytes: formulas that follow the engines' loops, with unit costs that were measured
 * where that is possible (plan_probe.h).
 */
#include "similarity/cpu_filter.h"
#include "similarity/plan_probe.h"

PKIN_EXTERN_C_BEGIN

/* The task in numbers. */
typedef struct pkin_i_job {
    int within;
    uint32_t k;                    /* 0: a join */
    uint64_t n_a, n_b, n_pairs;    /* n_b == n_a within */
    uint64_t entries_a, entries_b; /* entries_b == entries_a within */
    uint64_t entries_b_beside;     /* beside those of a: 0 within */
    uint64_t n_columns;
    int n_threads;     /* of the task: each has its memory */
    double n_parallel; /* that can run at once */
    pkin_i_isa isa;
} pkin_i_job;

pkin_i_job pkin_i_job_of(const pkin_i_task *task, uint32_t k, pkin_i_isa isa);

/* Partners that an engine scores to seed a row of a, where it has so many; 0 for a join. */
double pkin_i_seeds_of(const pkin_i_job *job, pkin_i_method method);

/* Seconds of one thread. */
typedef struct pkin_i_rates {
    double pair;  /* the product of two sketches, compared: at the dimension in question */
    double entry; /* sketching and packing an entry of a row */
    double score; /* scoring a candidate */
    double row;   /* top-k: what a row of a costs beside, on average: seeds, and finishing by way of its postings */
} pkin_i_rates;

/* Seconds to look at a posting of a row that a top-k finishes. */
extern const double pkin_i_finish_posting_seconds;

/* Of the better machines at this level, for work so small that nothing is measured. */
pkin_i_rates pkin_i_rates_assumed(pkin_i_isa isa, uint32_t dimension);

/* Bytes of the sketch engine with strips of so many rows. */
uint64_t pkin_i_sketch_bytes(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension,
                             uint64_t strip_rows);
/* The longest strips that stay within `most_bytes` (0: no bound); 0 where even the shortest do not. */
uint64_t pkin_i_sketch_strip_rows(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension,
                                  uint64_t most_bytes);
uint64_t pkin_i_tail_bytes(const pkin_i_job *job, const pkin_i_tail_use *use, pkin_i_method method);

/* Fills plan->seconds from its candidates; low and high from their band. */
void pkin_i_sketch_price(const pkin_i_job *job, const pkin_i_filter *filter, const pkin_i_rates *rates,
                         pkin_i_plan *plan);

/* Fills plan->seconds, postings and visits: what its head is of `use`, its candidates and refined pairs are set. */
void pkin_i_tail_price(const pkin_i_job *job, const pkin_i_tail_use *use, pkin_i_plan *plan);

PKIN_EXTERN_C_END

#endif
