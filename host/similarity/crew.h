/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CREW_H
#define PKIN_SIMILARITY_CREW_H

/*
 * Many items of work, taken one after another by whichever thread is free; the first failure ends all; the calling
 * thread reports progress and hears of cancellation, also while the others' last items run. Work that is divided so
 * bears a core that is busy elsewhere.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "similarity/backend.h"

typedef struct pkin_i_crew pkin_i_crew;

/* Works on one item; `thread` in [0, n_threads). Long items ask pkin_i_crew_is_stopping now and then, and tell by
   pkin_i_crew_advance how many pairs of rows they have dealt with. */
typedef pkin_status (*pkin_i_crew_fn)(pkin_i_crew *crew, void *user, int thread, uint64_t item);

struct pkin_i_crew {
    const pkin_i_task *task;
    const char *stage; /* for progress: "comparing", ... */
    uint64_t n_total;  /* what `advance` counts towards, for progress; 0: task->n_pairs_total */
    _Atomic uint64_t next_item;
    _Atomic uint64_t n_advanced;
    _Atomic uint64_t n_items_done; /* by threads that failed, too */
    _Atomic int failure;           /* pkin_status of the first that failed */
};

/*
 * Runs items [0, n_items) on at most `n_threads` threads (and at most n_items). `n_total` 0: advancing counts pairs of
 * rows, beginning at task->n_pairs_before. PKIN_ERROR_CANCELLED when on_progress asked for it. An error's message is
 * said again on the calling thread.
 */
pkin_status pkin_i_crew_run(const pkin_i_task *task, const char *stage, uint64_t n_total, int n_threads,
                            uint64_t n_items, pkin_i_crew_fn work, void *user);

static inline int pkin_i_crew_is_stopping(const pkin_i_crew *crew) {
    return atomic_load_explicit(&crew->failure, memory_order_relaxed) != PKIN_OK;
}

static inline void pkin_i_crew_advance(pkin_i_crew *crew, uint64_t n) {
    atomic_fetch_add_explicit(&crew->n_advanced, n, memory_order_relaxed);
}

/* For long items: reports progress when called on the calling thread (thread 0), else does nothing. */
void pkin_i_crew_report(pkin_i_crew *crew, int thread);

#endif
