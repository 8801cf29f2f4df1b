/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "history/thread_run.h"

pkin_threads_options pkin_threads_options_default(void) {
    return (pkin_threads_options){.size = sizeof(pkin_threads_options), .window_days = UINT32_MAX};
}

/* The report takes over the run's memory, in which the events' strings are. */
static pkin_status report_run(pkin_i_thread_run *run, pkin_threads_report *report) {
    pkin_i_arena *memory = NULL;
    pkin_status status = pkin_i_allocate_zeroed(1, sizeof *memory, &memory);
    if (status != PKIN_OK) return status;
    *report = run->facts;
    report->events = run->events;
    report->n_events = run->n_events;
    pkin_i_arena_adopt(memory, &run->arena);
    report->memory = memory;
    return PKIN_OK;
}

static pkin_status update(pkin_store *store, const pkin_threads_options *options, pkin_i_thread_run *run) {
    pkin_i_history history = {0};
    double begin = pkin_i_seconds_now();
    pkin_status status;
    PKIN_TRY(pkin_i_history_load(store, options->n_threads, &history));
    double loaded = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_thread_run_find(&history, options, run));
    run->facts.seconds_load += loaded - begin;
    if (!options->dry_run) PKIN_TRY(pkin_i_thread_run_save(run, store));
out:
    pkin_i_history_free(&history);
    return status;
}

pkin_status pkin_threads_update(pkin_store *store, const pkin_threads_options *options, pkin_threads_report *report) {
    pkin_threads_options taken = pkin_threads_options_default();
    pkin_i_thread_run run = {0};
    pkin_status status;
    if (report) *report = (pkin_threads_report){0};
    PKIN_REQUIRE(store && report, PKIN_ERROR_INVALID_ARGUMENT, "pkin_threads_update: a store and a report are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_threads_options"));
    PKIN_TRY(update(store, &taken, &run));
    PKIN_TRY(report_run(&run, report));
out:
    pkin_i_thread_run_free(&run);
    return status;
}

void pkin_threads_report_free(pkin_threads_report *report) {
    if (!report) return;
    if (report->memory) pkin_i_arena_free(report->memory);
    pkin_i_free(report->memory);
    *report = (pkin_threads_report){0};
}
