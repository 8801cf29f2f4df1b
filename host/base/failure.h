/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_FAILURE_H
#define PKIN_BASE_FAILURE_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/* Records what went wrong for pkin_last_error and returns `status`. The text says where, what was expected, what to do. */
pkin_status pkin_i_fail(pkin_status status, const char *format, ...) PKIN_PRINTF(2, 3);

/* Jumps to `out:` with `status` set when `call` fails. */
#define PKIN_TRY(call)                                                                                                 \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != PKIN_OK) goto out;                                                                               \
    } while (0)

/* The same for a condition that must hold. */
#define PKIN_REQUIRE(condition, failure, ...)                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            status = pkin_i_fail((failure), __VA_ARGS__);                                                              \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)

PKIN_EXTERN_C_END

#endif
