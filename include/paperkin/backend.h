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

PKIN_EXTERN_C_END

#endif
