/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_SKETCH_H
#define PKIN_SIMILARITY_CPU_SKETCH_H

/* What the sketch engine can be tuned with: time and memory, never results. */
#include "similarity/cpu_backend.h"
#include "similarity/cpu_seeds.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_sketch_tuning {
    uint32_t block_bytes;     /* of a packed block of rows: a good part of the second-level cache */
    uint32_t block_rows_max;  /* rounded up to the filter's step */
    uint32_t survivors_held;  /* by a thread, before they are scored */
    uint32_t items_a_thread;  /* at least, where there is enough to do */
    pkin_i_seed_effort seeds; /* top-k */
    /* Top-k: a row that expects more candidates than its postings / this is compared by way of the inverted index. */
    double postings_a_candidate;
    uint32_t sample_rows_least, sample_share; /* to expect candidates from: n / share rows, if more than the least */
} pkin_i_sketch_tuning;

pkin_i_sketch_tuning pkin_i_sketch_tuning_default(void);

/* The engine's `open` with other tuning: sessions are the engine's. */
pkin_status pkin_i_cpu_sketch_open(const pkin_i_task *task, const pkin_i_plan *plan, const pkin_i_sketch_tuning *tuning,
                                   void **session);

PKIN_EXTERN_C_END

#endif
