/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLANNER_H
#define PKIN_SIMILARITY_PLANNER_H

/* Chooses how to compute: backend, method, dimension, head, filter, strips. From a sample of rows and a short
   calibration. */
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
    pkin_i_isa isa;         /* no higher level */
    uint32_t dimension;     /* 0: any */
    uint64_t memory_bytes;  /* for the backend; 0: no bound */
    uint64_t held_bytes;    /* of the caller's bound, what rows take: for messages */
    double head_share;      /* of the tail method; 0: any */
    const char *gpu_filter; /* of a backend with devices: its name; "auto" or NULL: any */
} pkin_i_wishes;

/* The plans that were weighed, cheapest first: at least one. */
typedef struct pkin_i_plan_list {
    pkin_i_plan *plans;
    size_t n_plans;
    pkin_estimate pairs; /* that a join will find; top-k: 0 */
    char device[96];     /* that was weighed; "": none */
    char note[200];      /* why a backend with devices could not be weighed, though it has some; "" */
} pkin_i_plan_list;

/*
 * The plans of these backends (pkin_i_backends_find). One with devices is weighed, beside another one, where the work
 * may take longer than starting a device; if it cannot run nothing is said, if it should be able to but fails, the note
 * says why. Where it is the only one its failure is that of the call.
 *
 * Small work is planned by rule, in no time; but with `explain` nonzero, as for a plan alone, more is weighed, from a
 * larger sample, and never by rule. PKIN_ERROR_OUT_OF_MEMORY names what would be needed where nothing fits into
 * wishes->memory_bytes. Owned by the caller, freed with pkin_i_plan_list_free.
 */
pkin_status pkin_i_plan_weigh(const pkin_i_task *task, const pkin_i_backend *const *backends, size_t n_backends,
                              const pkin_i_target *target, const pkin_i_wishes *wishes, int explain,
                              pkin_i_plan_list *out);
/* Of one backend. */
pkin_status pkin_i_plan_make(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                             const pkin_i_wishes *wishes, pkin_i_plan_list *out);
pkin_status pkin_i_plan_explain(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                                const pkin_i_wishes *wishes, int explain, pkin_i_plan_list *out);
void pkin_i_plan_list_free(pkin_i_plan_list *list);

PKIN_EXTERN_C_END

#endif
