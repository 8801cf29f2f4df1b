/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_BACKEND_H
#define PAPERKIN_BACKEND_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/*
 * Backends compute the same bits and differ in speed only. They are registered at build time; the first that can run on
 * this machine is what "auto" chooses.
 */
PKIN_API size_t pkin_backend_count(void);
PKIN_API const char *pkin_backend_name(size_t index);        /* "cpu", ...; NULL out of range */
PKIN_API const char *pkin_backend_description(size_t index); /* one line: method and instruction set */

/*
 * 8-bit integer multiplications and additions a second that this machine's processor reaches on `n_threads` threads (0:
 * all) with the best dot-product instruction of the level ("auto", "amx", "avx512", "avx2", "portable"), from registers
 * alone: measured, in some tenths of a second. What the filter's rate is held against. `*out_name`, which may be NULL,
 * receives the level's name, a static string.
 */
PKIN_API pkin_status pkin_backend_peak(const char *instruction_set, int n_threads, double *out_operations_per_second,
                                       const char **out_name);

PKIN_EXTERN_C_END

#endif
