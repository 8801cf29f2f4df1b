/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/policy.h"

/* Moves the rows' neighbours, k places each, together, and gives back the room that is left. */
static pkin_status compact(const uint32_t *counts, uint32_t k, pkin_neighbor_lists *lists) {
    uint64_t total = 0;
    for (uint64_t r = 0; r < lists->n_rows; r++) {
        memmove(lists->neighbors + total, lists->neighbors + r * k, counts[r] * sizeof *lists->neighbors);
        lists->offsets[r] = total;
        total += counts[r];
    }
    lists->offsets[lists->n_rows] = total;
    return pkin_i_reallocate(&lists->neighbors, total, sizeof *lists->neighbors);
}

static pkin_status compare(const pkin_i_request *request, pkin_neighbor *neighbors, uint32_t *counts) {
    pkin_status status;
    pkin_i_task task = request->task;
    pkin_i_plan_list plans = {0};
    pkin_i_neighbor_heaps heaps = {0};
    const pkin_i_engine *engine = NULL;
    void *session = NULL;
    task.n_pairs_total = pkin_i_task_pairs(&task, 0, task.b ? task.b->n_rows : task.a->n_rows);
    PKIN_TRY(pkin_i_neighbor_heaps_open(task.a->n_rows, request->target.k, request->target.min_score, neighbors, counts,
                                        &heaps));
    PKIN_TRY(pkin_i_plan_make(&task, request->backend, &request->target, &request->wishes, &plans));
    engine = request->backend->engine(plans.plans[0].method);
    PKIN_REQUIRE(engine, PKIN_ERROR_UNSUPPORTED, "backend \"%s\" has no method \"%s\"", request->backend->name,
                 pkin_i_method_name(plans.plans[0].method));
    PKIN_TRY(engine->open(&task, &plans.plans[0], &session));
    PKIN_TRY(engine->top_k(session, &heaps));
    pkin_i_neighbor_heaps_sort(&heaps, task.n_threads);
out:
    if (engine) engine->close(session);
    pkin_i_plan_list_free(&plans);
    pkin_i_neighbor_heaps_close(&heaps);
    return status;
}

pkin_status pkin_similarity_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                  const pkin_similarity_options *options, pkin_neighbor_lists *out) {
    pkin_status status;
    pkin_i_request request;
    pkin_neighbor_lists lists = {0};
    uint32_t *counts = NULL;
    size_t n_places;
    if (out) *out = lists;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "top-k: a place for the neighbours is needed");
    PKIN_REQUIRE(k > 0, PKIN_ERROR_INVALID_ARGUMENT, "top-k: k is 0; at least one neighbour is to be asked for");
    PKIN_TRY(pkin_i_request_take(a, b, k, floor, 1, options, &request));
    /* No row has more neighbours than there are rows. */
    uint64_t n_candidates = b ? b->n_rows : a->n_rows;
    if (k > n_candidates) request.target.k = n_candidates ? (uint32_t)n_candidates : 1;
    k = request.target.k;
    PKIN_REQUIRE(pkin_i_multiply(a->n_rows, k, &n_places), PKIN_ERROR_OVERFLOW, "top-k: %llu rows x %lu neighbours",
                 (unsigned long long)a->n_rows, (unsigned long)k);
    lists.n_rows = a->n_rows;
    PKIN_TRY(pkin_i_allocate(a->n_rows + 1, sizeof *lists.offsets, &lists.offsets));
    PKIN_TRY(pkin_i_allocate(n_places, sizeof *lists.neighbors, &lists.neighbors));
    PKIN_TRY(pkin_i_allocate_zeroed(a->n_rows, sizeof *counts, &counts));
    PKIN_TRY(compare(&request, lists.neighbors, counts));
    PKIN_TRY(compact(counts, k, &lists));
    *out = lists;
    lists = (pkin_neighbor_lists){0};
out:
    pkin_i_free(counts);
    pkin_neighbor_lists_free(&lists);
    return status;
}

void pkin_neighbor_lists_free(pkin_neighbor_lists *lists) {
    if (!lists) return;
    pkin_i_free(lists->offsets);
    pkin_i_free(lists->neighbors);
    *lists = (pkin_neighbor_lists){0};
}
