/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_SCORE_H
#define PKIN_SIMILARITY_CPU_SCORE_H

/* Exact scores of one row against many others, wherever they stand. */
#include "similarity/cpu_isa.h"
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

/*
 * scores[k] = the score of the row whose weights stand in `dense` (n_columns, 0 where it has none) and row rows[k] of
 * `vectors`. Memory latency is most of the work: rows ahead are prefetched. `isa` is available.
 */
void pkin_i_score_rows(pkin_i_isa isa, const uint32_t *dense, const pkin_vectors *vectors, const uint32_t *rows,
                       size_t n_rows, uint64_t *scores);

/* Writes a row's weights to its columns' places in `dense`, or zeroes there. O(entries). */
void pkin_i_score_spread(const pkin_vectors *vectors, uint64_t row, uint32_t *dense);
void pkin_i_score_clear(const pkin_vectors *vectors, uint64_t row, uint32_t *dense);

PKIN_EXTERN_C_END

#endif
