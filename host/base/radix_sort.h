/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_RADIX_SORT_H
#define PKIN_BASE_RADIX_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/*
 * Sorts by the `n_high_bits` bits above bit 32 of each value, ascending and stable; `other` has the same length.
 * Returns where the sorted values are. Linear: one pass for at most eight bits.
 */
uint64_t *pkin_i_radix_sort(uint64_t *values, uint64_t *other, size_t n, int n_high_bits);

PKIN_EXTERN_C_END

#endif
