/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_GRAPH_NUMBER_H
#define PKIN_GROUPS_GRAPH_NUMBER_H

#include <stdbool.h>

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/*
 * Decimal numbers whatever the caller's locale. Reads all of the text: digits with an optional sign, point and
 * exponent; the nearest double, ties to even, infinite or 0 where it is out of range. False for anything else.
 */
bool pkin_i_number_read(const char *text, size_t n_bytes, double *out);

/* A finite number with the fewest digits that read as the same double. */
pkin_status pkin_i_number_append(pkin_i_buffer *out, double value);

PKIN_EXTERN_C_END

#endif
