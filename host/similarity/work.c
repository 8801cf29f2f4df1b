/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/crew.h"
#include "similarity/policy.h"

pkin_status pkin_i_work_take(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold, int allow_zero,
                             const pkin_similarity_options *options, pkin_i_work *work) {
    pkin_status status;
    work->begin = pkin_i_seconds_now();
    work->report = pkin_similarity_report_default();
    PKIN_TRY(pkin_i_request_take(a, b, k, threshold, allow_zero, options, &work->request));
    PKIN_TRY(pkin_i_compared_rows_take(&work->request, &work->rows));
out:
    return status;
}

/* What the caller should know of a choice that could not be made as wished; the first reason stays. */
static void note(pkin_i_work *work, const char *format, const char *reason) PKIN_PRINTF(2, 0);
static void note(pkin_i_work *work, const char *format, const char *reason) {
    if (work->report.note[0] == '\0') snprintf(work->report.note, sizeof work->report.note, format, reason);
}

static pkin_status open_engine(pkin_i_work *work, const pkin_i_plan *plan) {
    pkin_status status;
    work->engine = plan->backend->engine(plan->method);
    PKIN_REQUIRE(work->engine, PKIN_ERROR_UNSUPPORTED, "backend \"%s\" has no method \"%s\"", plan->backend->name,
                 pkin_i_method_name(plan->method));
    PKIN_TRY(work->engine->open(&work->rows.task, plan, &work->session));
out:
    return status;
}

/* Whether a device that was chosen, not asked for, may be replaced by the processor after such a failure. */
static bool may_fall_back(const pkin_i_work *work, pkin_status status) {
    const int is_device =
        status == PKIN_ERROR_DEVICE || status == PKIN_ERROR_OUT_OF_MEMORY || status == PKIN_ERROR_UNSUPPORTED;
    return is_device && work->plans.plans[0].backend->speeds && work->request.n_backends > 1;
}

/* Plans once more, for the first backend alone, which runs everywhere. */
static pkin_status plan_without_devices(pkin_i_work *work) {
    const double begin = pkin_i_seconds_now();
    pkin_i_plan_list_free(&work->plans);
    const pkin_status status = pkin_i_plan_make(&work->rows.task, work->request.backends[0], &work->rows.target,
                                                &work->rows.wishes, &work->plans);
    work->report.plan_seconds += pkin_i_seconds_now() - begin;
    return status;
}

pkin_status pkin_i_work_open(pkin_i_work *work) {
    pkin_status status = PKIN_OK;
    const pkin_i_request *request = &work->request;
    double begin = pkin_i_seconds_now();
    if (work->session) return PKIN_OK;
    if (work->plans.n_plans == 0) {
        PKIN_TRY(pkin_i_plan_weigh(&work->rows.task, request->backends, request->n_backends, &work->rows.target,
                                   &work->rows.wishes, 0, &work->plans));
        if (work->plans.note[0]) note(work, "the GPU was left out: %s", work->plans.note);
        work->report.plan_seconds += pkin_i_seconds_now() - begin;
    }
    begin = pkin_i_seconds_now();
    status = open_engine(work, &work->plans.plans[0]);
    if (status != PKIN_OK && may_fall_back(work, status)) {
        note(work, "the CPU did what the GPU could not: %s", pkin_last_error());
        PKIN_TRY(plan_without_devices(work));
        work->request.outcome = (pkin_i_outcome){0};
        begin = pkin_i_seconds_now();
        status = open_engine(work, &work->plans.plans[0]);
    }
    work->report.prepare_seconds += pkin_i_seconds_now() - begin;
out:
    return status;
}

void pkin_i_work_end(pkin_i_work *work) {
    if (work->session) work->engine->close(work->session);
    work->session = NULL;
}

static void describe_plan(const pkin_i_plan *plan, pkin_similarity_report *report) {
    const int has_devices = plan->backend->speeds != NULL;
    report->backend = plan->backend->name;
    report->method = pkin_i_method_name(plan->method);
    report->instruction_set = has_devices ? "none" : pkin_i_isa_name(plan->isa);
    report->gpu_filter = has_devices ? plan->kernel : "none";
    report->dimension = plan->dimension;
    report->head_share = plan->head_share;
    report->estimated_candidates = plan->candidates;
    report->estimated_seconds = plan->seconds;
    report->estimated_bytes = plan->bytes;
}

/* What the method told of itself. Its preparation may go on after it is opened: then it is part of the comparing. */
static void describe_outcome(const pkin_i_work *work, pkin_similarity_report *report) {
    const pkin_i_outcome *outcome = &work->request.outcome;
    const double opening = report->prepare_seconds;
    if (outcome->prepare_seconds > opening) report->prepare_seconds = outcome->prepare_seconds;
    report->compare_seconds = work->compare_seconds - (report->prepare_seconds - opening);
    if (report->compare_seconds < 0) report->compare_seconds = 0;
    report->filter_thread_seconds = outcome->filter_seconds;
    report->score_thread_seconds = outcome->score_seconds;
    report->n_candidates = outcome->n_candidates;
    report->filter_operations = outcome->filter_operations;
    memcpy(report->device, outcome->device, sizeof report->device);
    report->n_devices = outcome->n_devices;
    report->device_bytes = outcome->device_bytes;
    report->moved_bytes = outcome->bytes_up + outcome->bytes_down;
    report->n_splits = outcome->n_splits;
}

void pkin_i_work_report(pkin_i_work *work, uint64_t n_results, uint64_t own_bytes) {
    pkin_similarity_report *report = &work->report, *wanted = work->request.options.report;
    const pkin_i_compared_rows *rows = &work->rows;
    if (!wanted) return;
    report->backend = work->request.backends[0]->name;
    report->method = "none"; /* nothing was left to compare */
    report->instruction_set = "none";
    report->n_threads = work->request.task.n_threads;
    report->n_rows_a = rows->a.rows.n_rows;
    report->n_rows_b = rows->b.rows.n_rows;
    report->n_empty = rows->a.n_empty + rows->b.n_empty;
    report->n_copies = rows->a.n_copies + rows->b.n_copies;
    report->distinct_seconds = rows->seconds;
    report->n_results = n_results;
    report->working_bytes = rows->a.bytes + rows->b.bytes + own_bytes + work->request.outcome.bytes;
    if (work->plans.n_plans > 0) describe_plan(&work->plans.plans[0], report);
    describe_outcome(work, report);
    report->total_seconds = pkin_i_seconds_now() - work->begin;
    /* The caller's may be an earlier library's, and shorter. */
    const size_t size = wanted->size;
    memcpy(wanted, report, size);
    wanted->size = size;
}

void pkin_i_work_close(pkin_i_work *work) {
    pkin_i_work_end(work);
    pkin_i_plan_list_free(&work->plans);
    pkin_i_compared_rows_free(&work->rows);
}
