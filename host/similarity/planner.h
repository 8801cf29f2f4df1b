/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLANNER_H
#define PKIN_SIMILARITY_PLANNER_H

/* Chooses how to compute: method, dimension, head, strips. From a sample of rows and a short calibration. */
#include "similarity/backend.h"

PKIN_EXTERN_C_BEGIN

/* What is asked for. */
typedef struct pkin_i_target {
    uint64_t min_score; /* >= 1 */
    uint32_t k;         /* neighbours of each row of a; 0: a join */
} pkin_i_target;

/* What the caller has decided already. */
typedef struct pkin_i_wishes {
    int any_method; /* else `method` it is */
    pkin_i_method method;
    pkin_i_isa isa;        /* no higher level */
    uint32_t dimension;    /* 0: any */
    uint64_t memory_bytes; /* for the backend; 0: no bound */
    uint64_t held_bytes;   /* of the caller's bound, what rows take: for messages */
    double head_share;     /* of the tail method; 0: any */
} pkin_i_wishes;

/* The plans that were weighed, cheapest first: at least one. */
typedef struct pkin_i_plan_list {
    pkin_i_plan *plans;
    size_t n_plans;
    pkin_estimate pairs; /* that a join will find; top-k: 0 */
} pkin_i_plan_list;

/*
 * Small work is planned by rule, in no time. PKIN_ERROR_OUT_OF_MEMORY names what would be needed where nothing fits
 * into wishes->memory_bytes. Owned by the caller, freed with pkin_i_plan_list_free.
 */
pkin_status pkin_i_plan_make(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                             const pkin_i_wishes *wishes, pkin_i_plan_list *out);
/* The same, but with `explain` nonzero as for a plan alone: more is weighed, from a larger sample, and never by rule.
 */
pkin_status pkin_i_plan_explain(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                                const pkin_i_wishes *wishes, int explain, pkin_i_plan_list *out);
void pkin_i_plan_list_free(pkin_i_plan_list *list);

PKIN_EXTERN_C_END

#endif
