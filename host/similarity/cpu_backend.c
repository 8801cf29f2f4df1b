/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_backend.h"

static int is_available(void) {
    return 1;
}

static const pkin_i_engine *engine(pkin_i_method method) {
    return method == PKIN_I_METHOD_SKETCH ? NULL : &pkin_i_cpu_tail_engine;
}

const pkin_i_backend pkin_i_cpu_backend = {
    "cpu", "sketch filter on matrix instructions, or inverted index, as the plan finds faster; OpenMP", is_available,
    engine};
