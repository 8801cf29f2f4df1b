/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/planner.h"

/*
 * Columns in this share of the rows or more are the head. A larger head leaves fewer postings and looser bounds; a high
 * threshold bears looser ones. Measured on 66,454 papers. Joins: the best share falls from 0.08 at a threshold of 0.2
 * by way of 0.05 at 0.3 to 0.03 and less at 0.5, and a half of that costs up to five times as long, so that the rule
 * stays on the safe side of it. Top-k: at a twentieth the bounds are too loose, at a fifth the postings take twice as
 * long.
 */
static const double HEAD_SHARE_MOST = 0.1;
static const double HEAD_SHARE_TIMES_THRESHOLD = 0.015;

static double head_share_by_rule(const pkin_i_target *target) {
    double share = HEAD_SHARE_TIMES_THRESHOLD / pkin_score_to_cosine(target->min_score);
    return target->k || share > HEAD_SHARE_MOST ? HEAD_SHARE_MOST : share;
}

pkin_status pkin_i_plan_make(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                             const pkin_i_wishes *wishes, pkin_i_plan_list *out) {
    pkin_i_plan_list list = {0};
    (void)backend;
    pkin_status status = pkin_i_allocate_zeroed(1, sizeof *list.plans, &list.plans);
    if (status == PKIN_OK) {
        pkin_i_plan *plan = &list.plans[list.n_plans++];
        plan->method = wishes->any_method ? PKIN_I_METHOD_TAIL : wishes->method;
        plan->isa = wishes->isa;
        plan->dimension = plan->method != PKIN_I_METHOD_SKETCH ? 0 : wishes->dimension ? wishes->dimension : 256;
        plan->head_share = plan->method == PKIN_I_METHOD_TAIL ? head_share_by_rule(target) : 0;
        plan->strip_rows = task->b ? task->b->n_rows : task->a->n_rows;
        if (plan->strip_rows == 0) plan->strip_rows = 1;
    }
    *out = list;
    return status;
}

void pkin_i_plan_list_free(pkin_i_plan_list *list) {
    pkin_i_free(list->plans);
    *list = (pkin_i_plan_list){0};
}
