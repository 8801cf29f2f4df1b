/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_LOG_H
#define PKIN_VECTOR_LOG_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/*
 * Natural logarithm from additions, multiplications and divisions alone, so that every machine and compiler gives the
 * same bits (libm's differ with the instruction set). x finite and > 0; error below 1e-15 relative to max(|ln x|, 1).
 */
double pkin_i_log(double x);

PKIN_EXTERN_C_END

#endif
