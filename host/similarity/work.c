/* SPDX-License-Identifier: Apache-2.0 */
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

pkin_status pkin_i_work_open(pkin_i_work *work) {
    pkin_status status = PKIN_OK;
    const pkin_i_backend *backend = work->request.backend;
    const pkin_i_plan *plan;
    const double begin = pkin_i_seconds_now();
    double planned;
    if (work->session) return PKIN_OK;
    if (work->plans.n_plans == 0) {
        PKIN_TRY(pkin_i_plan_make(&work->rows.task, backend, &work->rows.target, &work->rows.wishes, &work->plans));
    }
    planned = pkin_i_seconds_now();
    work->report.plan_seconds += planned - begin;
    plan = &work->plans.plans[0];
    work->engine = backend->engine(plan->method);
    PKIN_REQUIRE(work->engine, PKIN_ERROR_UNSUPPORTED, "backend \"%s\" has no method \"%s\"", backend->name,
                 pkin_i_method_name(plan->method));
    PKIN_TRY(work->engine->open(&work->rows.task, plan, &work->session));
    work->report.prepare_seconds += pkin_i_seconds_now() - planned;
out:
    return status;
}

void pkin_i_work_end(pkin_i_work *work) {
    if (work->session) work->engine->close(work->session);
    work->session = NULL;
}

static void describe_plan(const pkin_i_plan *plan, pkin_similarity_report *report) {
    report->method = pkin_i_method_name(plan->method);
    report->instruction_set = pkin_i_isa_name(plan->isa);
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
}

void pkin_i_work_report(pkin_i_work *work, uint64_t n_results, uint64_t own_bytes) {
    pkin_similarity_report *report = &work->report, *wanted = work->request.options.report;
    const pkin_i_compared_rows *rows = &work->rows;
    if (!wanted) return;
    report->backend = work->request.backend->name;
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
