/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failure.h"
#include "similarity/policy.h"

static pkin_status compare(const pkin_i_request *request, pkin_i_pair_sink *sink) {
    pkin_status status;
    pkin_i_task task = request->task;
    pkin_i_plan_list plans = {0};
    const pkin_i_engine *engine = NULL;
    void *session = NULL;
    const uint64_t n_rows = task.b ? task.b->n_rows : task.a->n_rows;
    task.n_pairs_total = pkin_i_task_pairs(&task, 0, n_rows);
    PKIN_TRY(pkin_i_plan_make(&task, request->backend, &request->target, &request->wishes, &plans));
    engine = request->backend->engine(plans.plans[0].method);
    PKIN_REQUIRE(engine, PKIN_ERROR_UNSUPPORTED, "backend \"%s\" has no method \"%s\"", request->backend->name,
                 pkin_i_method_name(plans.plans[0].method));
    PKIN_TRY(engine->open(&task, &plans.plans[0], &session));
    PKIN_TRY(engine->join(session, 0, n_rows, request->target.min_score, sink));
out:
    if (engine) engine->close(session);
    pkin_i_plan_list_free(&plans);
    return status;
}

pkin_status pkin_similarity_join(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                 const pkin_similarity_options *options, pkin_pair_list *out) {
    pkin_status status;
    pkin_i_request request;
    pkin_i_pair_sink *sink = NULL;
    pkin_pair_list found = {0};
    if (out) *out = found;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "join: a place for the pairs is needed");
    PKIN_TRY(pkin_i_request_take(a, b, 0, threshold, 0, options, &request));
    PKIN_TRY(pkin_i_pair_sink_open(&sink));
    PKIN_TRY(compare(&request, sink));
    pkin_i_pair_sink_take(sink, &found);
    PKIN_TRY(pkin_i_sort_pairs(found.pairs, found.n_pairs, request.task.n_threads));
    *out = found;
    found = (pkin_pair_list){0};
out:
    pkin_i_pair_sink_close(sink);
    pkin_pair_list_free(&found);
    return status;
}

void pkin_pair_list_free(pkin_pair_list *list) {
    if (!list) return;
    pkin_i_free(list->pairs);
    *list = (pkin_pair_list){0};
}
