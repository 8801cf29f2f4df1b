/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_BACKEND_H
#define PKIN_SIMILARITY_BACKEND_H

/*
 * The seam between policy and arithmetic. A backend finds pairs and neighbours; thresholds, ties, equal rows and the
 * order of the output are decided above it (join.c, top_k.c), so that backends can differ in speed alone. Private.
 */
#include "similarity/pair_sink.h"
#include "similarity/plan.h"

PKIN_EXTERN_C_BEGIN

struct pkin_i_neighbor_heaps; /* neighbor_heaps.h */

/* What was done, added to by every call; seconds are those of the calling thread, or sums over threads where said. */
typedef struct pkin_i_outcome {
    uint64_t n_candidates;      /* pairs scored exactly */
    uint64_t filter_operations; /* integer multiplications and additions of the filter, padding included */
    double prepare_seconds;     /* sketches, indexes, seeds */
    double filter_seconds;      /* over all threads: in the filter (tail and index: in the postings) */
    double score_seconds;       /* over all threads: scoring candidates */
    uint64_t bytes;             /* largest working set */
    uint64_t n_postings;        /* tail and index: products added, seeds' not included */
    uint64_t n_visits;          /* tail and index: columns of streamed rows that were looked up in a block */
    uint64_t n_refined;         /* tail: pairs that the first bound left */
    uint64_t device_bytes;      /* cuda: largest working set on the devices together */
    uint64_t bytes_up;          /* cuda: moved to devices, */
    uint64_t bytes_down;        /* and from them */
    uint64_t n_splits;          /* cuda: items that were cut since their candidates did not fit */
    char device[96];            /* cuda: name of the device, the first of several; else "" */
    int n_devices;              /* cuda: at work; else 0 */
} pkin_i_outcome;

/* One piece of work handed down: rows of `a` against rows of `b`. No row is empty. */
typedef struct pkin_i_task {
    const pkin_vectors *a;
    const pkin_vectors *b;        /* NULL: a against itself, the pairs i < j */
    int n_threads;                /* >= 1 */
    const char *devices;          /* cuda: "auto" or NULL (the first that can be used), "all", or "0,2" */
    pkin_progress_fn on_progress; /* may be NULL; nonzero cancels; called from the calling thread only */
    void *progress_user;
    uint64_t n_pairs_before; /* pairs of rows that earlier calls have dealt with, and all there are: progress */
    uint64_t n_pairs_total;
    pkin_i_outcome *outcome; /* never NULL */
} pkin_i_task;

/* A method of computing, opened on a task: the part of a backend that a plan chooses. */
typedef struct pkin_i_engine {
    /* The task and what it points to must outlive the session. `*session` is NULL on failure. */
    pkin_status (*open)(const pkin_i_task *task, const pkin_i_plan *plan, void **session);
    /*
     * Every pair (i, j), j in [first, last) a row of b (of a where b is NULL, then i < j), with score >= min_score
     * (>= 1), each once, in any order.
     */
    pkin_status (*join)(void *session, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink);
    /* Offers to the heaps, which are over the rows of a, at least every pair that can enter them: (i, j), and where b
       is NULL also (j, i). */
    pkin_status (*top_k)(void *session, struct pkin_i_neighbor_heaps *heaps);
    void (*close)(void *session); /* accepts NULL */
} pkin_i_engine;

typedef struct pkin_i_backend {
    const char *name;
    const char *description;
    int (*is_available)(void);
    const pkin_i_engine *(*engine)(pkin_i_method method); /* NULL: the backend has no such method */
} pkin_i_backend;

/* By name, "auto" or NULL: the first available one. PKIN_ERROR_UNSUPPORTED names what there is. */
pkin_status pkin_i_backend_find(const char *name, const pkin_i_backend **out);

/* Pairs of rows in a strip [first, last) of the task: what progress counts. */
uint64_t pkin_i_task_pairs(const pkin_i_task *task, uint64_t first, uint64_t last);

PKIN_EXTERN_C_END

#endif
