/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_POLICY_H
#define PKIN_SIMILARITY_POLICY_H

/* What joins and top-k share above the backends: checks of arguments, thresholds, the order of pairs. */
#include "similarity/distinct_rows.h"
#include "similarity/planner.h"

PKIN_EXTERN_C_BEGIN

/* What the caller asked for, checked. */
typedef struct pkin_i_request {
    pkin_similarity_options options;
    const pkin_i_backend *const *backends; /* among which the plan chooses: static */
    size_t n_backends;
    pkin_i_task task; /* on the caller's rows; its outcome points to `outcome` */
    pkin_i_target target;
    pkin_i_wishes wishes;
    pkin_i_outcome outcome;
} pkin_i_request;

/*
 * Checks what the caller gave (`b` NULL: a against itself; `options` NULL: defaults) and fills the request, which must
 * stay where it is. `allow_zero`: the threshold may be 0. target.min_score is at least 1, since a score of 0 is no
 * similarity.
 */
pkin_status pkin_i_request_take(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold,
                                int allow_zero, const pkin_similarity_options *options, pkin_i_request *out);

/* The rows that are really compared, and what is left of the caller's wishes for comparing them. */
typedef struct pkin_i_compared_rows {
    pkin_i_distinct_rows a, b; /* b: all zero where a is compared with itself */
    pkin_i_task task;          /* on a.rows and b.rows; n_pairs_before 0, n_pairs_total set */
    pkin_i_target target;      /* k at most the number of compared rows that a row may have as neighbours, if any */
    pkin_i_wishes wishes;      /* memory_bytes without what the distinct rows and the pairs held may take */
    uint64_t pairs_bytes;      /* what pairs that are held may take; 0: no bound */
    double seconds;            /* that finding equal rows took */
} pkin_i_compared_rows;

/*
 * The front part of a join, a top-k and a plan: pkin_i_request_take, then this, then pkin_i_plan_make with the task,
 * target and wishes found here (needless where task.n_pairs_total is 0). The result must stay where it is, as must the
 * request. O(entries). Freed with pkin_i_compared_rows_free, which accepts what is all zero.
 */
pkin_status pkin_i_compared_rows_take(pkin_i_request *request, pkin_i_compared_rows *out);
void pkin_i_compared_rows_free(pkin_i_compared_rows *rows);

/* A join or a top-k on its way: from what was asked for to what is told about it. Begins all zero. */
typedef struct pkin_i_work {
    pkin_i_request request;
    pkin_i_compared_rows rows;
    pkin_i_plan_list plans; /* n_plans 0: none was needed so far */
    const pkin_i_engine *engine;
    void *session; /* NULL: not open */
    double begin;  /* of the clock */
    double compare_seconds;
    pkin_similarity_report report;
} pkin_i_work;

/* pkin_i_request_take and pkin_i_compared_rows_take. */
pkin_status pkin_i_work_take(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold, int allow_zero,
                             const pkin_similarity_options *options, pkin_i_work *work);
/*
 * Plans and opens the method, if that was not done yet. Where the plan chose a backend with devices among others, and
 * it cannot be opened, the best of the others does the work, and report.note says why.
 */
pkin_status pkin_i_work_open(pkin_i_work *work);
/* Closes the method, whose memory others may need; the plan stays known. */
void pkin_i_work_end(pkin_i_work *work);
/* Tells the caller what was done, where that is wanted; `own_bytes`: most that was held above the backend. */
void pkin_i_work_report(pkin_i_work *work, uint64_t n_results, uint64_t own_bytes);
void pkin_i_work_close(pkin_i_work *work);

/* Score descending, then i, then j. On `n_threads` threads, O(n log n), a second array of the same size. */
pkin_status pkin_i_sort_pairs(pkin_pair *pairs, uint64_t n_pairs, int n_threads);

PKIN_EXTERN_C_END

#endif
