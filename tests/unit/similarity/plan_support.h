/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_UNIT_SIMILARITY_PLAN_SUPPORT_H
#define PKIN_TESTS_UNIT_SIMILARITY_PLAN_SUPPORT_H

#include "similarity/planner.h"

/* Plans that were weighed, cheapest first, and how the weighing ended; gone with this object. */
struct WeighedPlans {
    pkin_i_plan_list list = {};
    pkin_status status = PKIN_OK;
    WeighedPlans() = default;
    WeighedPlans(const WeighedPlans &) = delete;
    WeighedPlans &operator=(const WeighedPlans &) = delete;
    ~WeighedPlans() {
        pkin_i_plan_list_free(&list);
    }
    const pkin_i_plan *begin() const {
        return list.plans;
    }
    const pkin_i_plan *end() const {
        return list.plans + list.n_plans;
    }
};

#endif
