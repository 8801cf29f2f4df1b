/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_BACKEND_H
#define PKIN_SIMILARITY_BACKEND_H

/*
 * The seam between policy and arithmetic. A backend finds pairs and neighbours; thresholds, ties, equal rows and the
 * order of the output are decided above it (join.c, top_k.c), so that backends can differ in speed alone. Private.
 */
#include "paperkin/backend.h"
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

/* How fast one of a backend's filters is on its device. */
enum { PKIN_I_SPEED_DIMENSIONS = 3, PKIN_I_FILTERS_MOST = 4 };
extern const uint32_t pkin_i_speed_dimensions[PKIN_I_SPEED_DIMENSIONS]; /* 256, 512, 1024 */

typedef struct pkin_i_filter_speed {
    uint32_t filter;                              /* as plan->filter has it */
    const char *name;                             /* as plan->kernel and options->gpu_filter have it; static */
    int joins_only;                               /* it knows no thresholds of rows: not for a top-k */
    int is_coarse;                                /* its bounds are looser: sketches of 7 bits (plan_device.h) */
    double start_seconds;                         /* of its first use in a process: libraries that are loaded */
    double pair_seconds[PKIN_I_SPEED_DIMENSIONS]; /* of a product of two sketches, compared, one device at work */
} pkin_i_filter_speed;

/* What a backend with devices of its own takes, measured on them: seconds of one device. */
typedef struct pkin_i_speeds {
    char device[96];          /* name; of several the first */
    int n_devices;            /* that would share the work */
    uint64_t memory_bytes;    /* of the device that has least */
    double start_seconds;     /* until a device that is not in use by this process can begin */
    double up_byte_seconds;   /* a byte moved to the device, */
    double down_byte_seconds; /* and back */
    double entry_seconds;     /* sketching an entry of a row */
    double candidate_seconds; /* scoring a candidate of average rows */
    double seed_pair_seconds; /* top-k: a product of the seeds' search, for each byte of the sketch */
    size_t n_filters;         /* that can run, >= 1 */
    pkin_i_filter_speed filters[PKIN_I_FILTERS_MOST];
} pkin_i_speeds;

typedef struct pkin_i_backend {
    const char *name;
    const char *description;
    const pkin_i_engine *(*engine)(pkin_i_method method); /* NULL: the backend has no such method */
    /* Whether it can run here: else PKIN_ERROR_UNSUPPORTED, with why not and what to do. NULL: always. Cheap where
       there is no device. */
    pkin_status (*check)(void);
    /* For a backend with devices; else NULL both. Its plans are priced by what `speeds` tells: of the devices that are
       asked for (task->devices), and of this filter, or, "auto" or NULL, of all that can run. May measure, some tenths
       of a second, when a device is met for the first time. */
    pkin_status (*devices)(pkin_device_list *out);
    pkin_status (*speeds)(const char *devices, const char *filter, pkin_i_speeds *out);
} pkin_i_backend;

/*
 * The backends among which a plan may choose: the one of this name, after its check, or, "auto" or NULL, all,
 * unchecked, the processor's first. The array is static. PKIN_ERROR_UNSUPPORTED names what there is, or why it cannot
 * run.
 */
pkin_status pkin_i_backends_find(const char *name, const pkin_i_backend *const **out, size_t *n_out);
/* One of them: the first. */
pkin_status pkin_i_backend_find(const char *name, const pkin_i_backend **out);

/* Pairs of rows in a strip [first, last) of the task: what progress counts. */
uint64_t pkin_i_task_pairs(const pkin_i_task *task, uint64_t first, uint64_t last);

PKIN_EXTERN_C_END

#endif
