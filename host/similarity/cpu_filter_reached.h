/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_FILTER_REACHED_H
#define PKIN_SIMILARITY_CPU_FILTER_REACHED_H

/* For kernels that put a tile of products into memory: which of them reach their limits. */
#include "similarity/cpu_filter.h"

PKIN_EXTERN_C_BEGIN

/*
 * Writes to `out` the places (first_row + r, c) with products[r * n_columns + c] >= min(row_limits[r],
 * column_limits[c]), and returns how many. The limits are those of the tile; `products` is aligned to 64 bytes; n_rows
 * is a multiple of 8, n_columns of 16 and at most 48.
 */
typedef size_t (*pkin_i_reached_fn)(const int32_t *products, uint32_t n_rows, uint32_t n_columns, uint32_t first_row,
                                    const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out);

#if defined(__x86_64__) && defined(__GNUC__)
/* Quick where nothing is reached: one branch for eight rows. */
size_t pkin_i_reached_avx512(const int32_t *products, uint32_t n_rows, uint32_t n_columns, uint32_t first_row,
                             const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out);
#endif

PKIN_EXTERN_C_END

#endif
