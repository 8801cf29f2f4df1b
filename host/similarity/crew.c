/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/crew.h"

#include <omp.h>

#include "base/failure.h"

static void fail_first(pkin_i_crew *crew, pkin_status status) {
    int none = PKIN_OK;
    if (status != PKIN_OK) atomic_compare_exchange_strong(&crew->failure, &none, (int)status);
}

void pkin_i_crew_report(pkin_i_crew *crew, int thread) {
    const pkin_i_task *task = crew->task;
    if (thread != 0 || !task->on_progress || pkin_i_crew_is_stopping(crew)) return;
    uint64_t done = atomic_load_explicit(&crew->n_advanced, memory_order_relaxed), total = crew->n_total;
    if (total == 0) {
        done += task->n_pairs_before;
        total = task->n_pairs_total;
    }
    if (task->on_progress(task->progress_user, crew->stage, done, total)) fail_first(crew, PKIN_ERROR_CANCELLED);
}

/* The calling thread, without items of its own, goes on reporting: the others' last items may be long. */
static void await_others(pkin_i_crew *crew, uint64_t n_items) {
    const struct timespec pause = {.tv_nsec = 200000};
    while (crew->task->on_progress && !pkin_i_crew_is_stopping(crew) &&
           atomic_load_explicit(&crew->n_items_done, memory_order_relaxed) < n_items) {
        nanosleep(&pause, NULL);
        pkin_i_crew_report(crew, 0);
    }
}

/* The threads' own messages went to the threads: said again for the caller. */
static pkin_status failure_of(const pkin_i_crew *crew) {
    pkin_status failure = (pkin_status)atomic_load(&crew->failure);
    if (failure == PKIN_ERROR_CANCELLED) return pkin_i_fail(failure, "%s was cancelled", crew->stage);
    if (failure != PKIN_OK) return pkin_i_fail(failure, "%s: %s", crew->stage, pkin_status_message(failure));
    return PKIN_OK;
}

pkin_status pkin_i_crew_run(const pkin_i_task *task, const char *stage, uint64_t n_total, int n_threads,
                            uint64_t n_items, pkin_i_crew_fn work, void *user) {
    pkin_i_crew crew = {.task = task, .stage = stage, .n_total = n_total};
    if ((uint64_t)n_threads > n_items) n_threads = n_items ? (int)n_items : 1;
    pkin_i_crew_report(&crew, 0);
#pragma omp parallel num_threads(n_threads)
    {
        const int thread = omp_get_thread_num();
        while (!pkin_i_crew_is_stopping(&crew)) {
            uint64_t item = atomic_fetch_add_explicit(&crew.next_item, 1, memory_order_relaxed);
            if (item >= n_items) break;
            fail_first(&crew, work(&crew, user, thread, item));
            atomic_fetch_add_explicit(&crew.n_items_done, 1, memory_order_relaxed);
            pkin_i_crew_report(&crew, thread);
        }
        if (thread == 0) await_others(&crew, n_items);
    }
    pkin_i_crew_report(&crew, 0);
    return failure_of(&crew);
}
