/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_TAKE_OPTIONS_H
#define PKIN_BASE_TAKE_OPTIONS_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/*
 * Options of this or an earlier library, whose structure was shorter: copies `given` over the defaults in `options`,
 * both beginning with their size. NULL: the defaults. A size of 0 or beyond that of `options` (a later library's) is
 * PKIN_ERROR_INVALID_ARGUMENT. `name` is the structure's, as the caller knows it.
 */
pkin_status pkin_i_take_options(const void *given, void *options, const char *name);

PKIN_EXTERN_C_END

#endif
