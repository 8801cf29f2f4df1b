/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_THREAD_RUN_H
#define PKIN_HISTORY_THREAD_RUN_H

/* One update of a store's threads, in memory: found, labelled and matched, before anything is written. */
#include <stdbool.h>

#include "history/history.h"
#include "paperkin/threads.h"
#include "store/thread_rows.h"

PKIN_EXTERN_C_BEGIN

/* A living thread or field as the update leaves it. */
typedef struct pkin_i_thread {
    const pkin_i_thread_row *row;
    uint64_t n_papers;                /* members, those before the window too */
    char first_day[11], last_day[11]; /* of its papers; "" unknown */
} pkin_i_thread;

typedef struct pkin_i_thread_run {
    pkin_i_stored_threads stored; /* as they will be saved */
    pkin_i_thread *threads;       /* by index of stored.rows; n_papers 0 for those that ended and for fields */
    uint32_t *thread_of_row;      /* by row of the history: index of stored.rows, or UINT32_MAX */
    pkin_thread_event *events;
    size_t n_events;
    pkin_threads_report facts; /* counts and seconds; without events */
    pkin_i_arena arena;
} pkin_i_thread_run;

enum { PKIN_I_N_REPRESENTATIVES = 3 }; /* papers of a thread that are remembered as standing for it, at most */

/*
 * Finds the threads of the history as of options->date. Uses history->related (weighed when it is not there yet, which
 * needs the tokens), and loads its papers and days. Writes nothing. Zero-initialise `out`; free also after a failure.
 */
pkin_status pkin_i_thread_run_find(pkin_i_history *history, const pkin_threads_options *options,
                                   pkin_i_thread_run *out);
/* Writes what was found. */
pkin_status pkin_i_thread_run_save(pkin_i_thread_run *run, pkin_store *store);
void pkin_i_thread_run_free(pkin_i_thread_run *run);

/* Whether the store has threads, so that a digest is to name them: whether they were ever updated. */
pkin_status pkin_i_store_has_threads(pkin_store *store, bool *out);

PKIN_EXTERN_C_END

#endif
