/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_BACKEND_H
#define PKIN_SIMILARITY_BACKEND_H

/*
 * The seam between policy and arithmetic. A backend finds pairs and neighbours; thresholds, ties and output order are
 * decided above it (join.c, top_k.c), so that backends can differ in speed alone. Private.
 */
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

/* One unit of work handed down: rows of `a` against rows of `b`. */
typedef struct pkin_i_task {
    const pkin_vectors *a;
    const pkin_vectors *b;        /* NULL: a against itself, the pairs i < j */
    int n_threads;                /* >= 1 */
    pkin_progress_fn on_progress; /* may be NULL; nonzero cancels */
    void *progress_user;
} pkin_i_task;

typedef struct pkin_i_backend {
    const char *name;
    const char *description;
    int (*is_available)(void);
    /* Every pair with score >= min_score (>= 1), each once, in any order. `out` is owned by the caller afterwards. */
    pkin_status (*join)(const pkin_i_task *task, uint64_t min_score, pkin_pair_list *out);
    /*
     * For each row of a its k best among b (a itself, without the row), scores >= min_score (>= 1): score descending,
     * ties to the lower row. Row r's go to neighbors[r * k ...], their number to counts[r].
     */
    pkin_status (*top_k)(const pkin_i_task *task, uint32_t k, uint64_t min_score, pkin_neighbor *neighbors,
                         uint32_t *counts);
} pkin_i_backend;

/* By name, "auto" or NULL: the first available one. PKIN_ERROR_UNSUPPORTED names what there is. */
pkin_status pkin_i_backend_find(const char *name, const pkin_i_backend **out);

PKIN_EXTERN_C_END

#endif
