/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_backend.h"

static const pkin_i_engine *engine(pkin_i_method method) {
    static const pkin_i_engine *const engines[PKIN_I_N_METHODS] = {&pkin_i_cpu_sketch_engine, &pkin_i_cpu_tail_engine,
                                                                   &pkin_i_cpu_index_engine};
    return engines[method];
}

const pkin_i_backend pkin_i_cpu_backend = {
    "cpu",  "sketch filter on matrix instructions, or inverted index, as the plan finds faster; OpenMP",
    engine, NULL,
    NULL,   NULL};
