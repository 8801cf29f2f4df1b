/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_INVERTED_INDEX_H
#define PKIN_SIMILARITY_CPU_INVERTED_INDEX_H

#include "similarity/backend.h"

/* The backend that runs everywhere. */
extern const pkin_i_backend pkin_i_cpu_backend;

#endif
