/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_BACKEND_H
#define PKIN_SIMILARITY_CPU_BACKEND_H

#include "similarity/backend.h"

/* The backend that runs everywhere, and its engines. */
extern const pkin_i_backend pkin_i_cpu_backend;

extern const pkin_i_engine pkin_i_cpu_sketch_engine; /* cpu_sketch.c */
extern const pkin_i_engine pkin_i_cpu_tail_engine;   /* cpu_tail.c */
extern const pkin_i_engine pkin_i_cpu_index_engine;  /* cpu_index.c */

#endif
