/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "similarity/policy.h"

static pkin_plan_choice choice_of(const pkin_i_plan *plan, uint64_t n_rows) {
    const int has_devices = plan->backend->speeds != NULL;
    return (pkin_plan_choice){.method = pkin_i_method_name(plan->method),
                              .instruction_set = has_devices ? "none" : pkin_i_isa_name(plan->isa),
                              .dimension = plan->dimension,
                              .head_share = plan->head_share,
                              .candidates = plan->candidates,
                              .seconds = plan->seconds,
                              .bytes = plan->bytes,
                              .n_strips = n_rows ? (n_rows + plan->strip_rows - 1) / plan->strip_rows : 1,
                              .backend = plan->backend->name,
                              .gpu_filter = has_devices ? plan->kernel : "none",
                              .device_bytes = plan->device_bytes};
}

/* Of rows that equal each other, where these reach the threshold with themselves. */
static uint64_t count_copy_pairs(const pkin_i_compared_rows *rows) {
    uint64_t n = 0;
    for (uint64_t g = 0; g < rows->a.rows.n_rows && rows->a.most_members > 1; g++) {
        const uint64_t n_members = pkin_i_group_size(&rows->a, g);
        if (n_members > 1 && pkin_i_group_score(&rows->a, g) >= rows->target.min_score) {
            n += n_members * (n_members - 1) / 2;
        }
    }
    return n;
}

static pkin_status fill(const pkin_i_compared_rows *rows, const pkin_i_plan_list *list, pkin_similarity_plan *out) {
    const uint64_t n_b = rows->task.b ? rows->task.b->n_rows : 0;
    pkin_similarity_plan plan = {.n_rows_a = rows->task.a->n_rows, .n_rows_b = n_b, .pairs = list->pairs};
    plan.n_empty = rows->a.n_empty + rows->b.n_empty;
    plan.n_copies = rows->a.n_copies + rows->b.n_copies;
    if (!rows->task.b && rows->target.k == 0) plan.n_copy_pairs = count_copy_pairs(rows);
    memcpy(plan.device, list->device, sizeof plan.device);
    memcpy(plan.note, list->note, sizeof list->note);
    pkin_status status = pkin_i_allocate(list->n_plans, sizeof *plan.choices, &plan.choices);
    if (status != PKIN_OK) return status;
    for (size_t p = 0; p < list->n_plans; p++) {
        plan.choices[plan.n_choices++] = choice_of(&list->plans[p], rows->task.b ? n_b : plan.n_rows_a);
    }
    *out = plan;
    return PKIN_OK;
}

pkin_status pkin_similarity_plan_make(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold,
                                      const pkin_similarity_options *options, pkin_similarity_plan *out) {
    pkin_status status;
    pkin_i_request request;
    pkin_i_compared_rows rows = {0};
    pkin_i_plan_list list = {0};
    if (out) *out = (pkin_similarity_plan){0};
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "plan: a place for the plan is needed");
    PKIN_TRY(pkin_i_request_take(a, b, k, threshold, k > 0, options, &request));
    PKIN_TRY(pkin_i_compared_rows_take(&request, &rows));
    PKIN_TRY(pkin_i_plan_weigh(&rows.task, request.backends, request.n_backends, &rows.target, &rows.wishes, 1, &list));
    PKIN_TRY(fill(&rows, &list, out));
out:
    pkin_i_plan_list_free(&list);
    pkin_i_compared_rows_free(&rows);
    return status;
}

void pkin_similarity_plan_free(pkin_similarity_plan *plan) {
    if (!plan) return;
    pkin_i_free(plan->choices);
    *plan = (pkin_similarity_plan){0};
}
