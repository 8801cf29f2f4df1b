/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PLAN_H
#define PKIN_SIMILARITY_PLAN_H

/* How a join or a top-k is to be computed. A plan decides about time and memory, never about a result. */
#include "similarity/cpu_isa.h"
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

typedef enum pkin_i_method {
    PKIN_I_METHOD_SKETCH, /* integer GEMM of sketches bounds every pair, survivors are scored (cpu_sketch.h) */
    PKIN_I_METHOD_TAIL,   /* rare columns exactly by inverted index, frequent ones by a bound (cpu_tail.h) */
    PKIN_I_METHOD_INDEX   /* every column exactly by inverted index: no bound at all */
} pkin_i_method;
enum { PKIN_I_N_METHODS = PKIN_I_METHOD_INDEX + 1 };

const char *pkin_i_method_name(pkin_i_method method); /* "sketch", "tail", "index" */

struct pkin_i_backend; /* backend.h */

typedef struct pkin_i_plan {
    const struct pkin_i_backend *backend;
    pkin_i_method method;
    pkin_i_isa isa;           /* cpu */
    uint32_t filter;          /* cuda: a pkin_i_gpu_filter */
    const char *kernel;       /* what computes: the name of the instruction set or of the filter; static */
    uint32_t dimension;       /* sketch: buckets, a multiple of 64 in [64, PKIN_I_DIMENSION_MAX]; else 0 */
    double head_share;        /* tail: columns in this share of the rows or more are bounded; else 0 */
    uint64_t strip_rows;      /* rows of b (of a where b is NULL) that are worked on at a time, >= 1 */
    uint64_t bytes;           /* estimated working set: all but the inputs and the result */
    uint64_t device_bytes;    /* cuda: the same on each device; else 0 */
    pkin_estimate candidates; /* pairs to be scored exactly */
    pkin_estimate refined;    /* tail: pairs that the first bound leaves to the second */
    double postings, visits;  /* tail and index: as the outcome counts them (backend.h) */
    pkin_estimate seconds;
} pkin_i_plan;

PKIN_EXTERN_C_END

#endif
