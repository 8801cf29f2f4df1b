/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_SKETCH_H
#define PKIN_SIMILARITY_SKETCH_H

/*
 * Sketches: a row as d bytes, whose integer products bound scores from above.
 *
 * Every column belongs to one of d buckets. For a row x let S_b(x) be the sum of w^2 over its columns in bucket b, an
 * integer in units of 2^-60, and q_b(x) the smallest integer in [0, 255] with
 *
 *     q_b^2 * 2^60 >= 255^2 * S_b.                                                          (1)
 *
 * There is one, since S_b <= 2^60. The score of two rows is s = sum_b s_b, s_b the part of the columns in bucket b, and
 *
 *     s_b <= sqrt(S_b(x) S_b(y))          Cauchy-Schwarz
 *         <= q_b(x) q_b(y) 2^60 / 255^2   (1), twice
 *
 * so that  sum_b q_b(x) q_b(y) >= 255^2 * s / 2^60.  The sum is an integer: a pair with s >= min_score has a sum of at
 * least ceil(255^2 * min_score / 2^60) (pkin_i_sketch_limit). No pair is ever lost, whatever the data and the buckets;
 * good buckets only make the bound tight. Nothing here is rounded down and no floating point decides anything.
 *
 * How large sums become: q_b < 255 sqrt(S_b / 2^60) + 1, so that sum_b q_b^2 < (255 + sqrt(d))^2 and, by
 * Cauchy-Schwarz again, so is every product: below 2^17 for d <= 4096.
 */
#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_DIMENSION_STEP = 64, /* dimensions are multiples of it */
    PKIN_I_DIMENSION_MAX = 4096,
    PKIN_I_SKETCH_ONE = 65025 /* 255^2: the sum of products that stands for a cosine of 1 */
};

/* The bucket of every column. */
typedef struct pkin_i_sketch_map {
    uint32_t dimension;
    uint16_t *buckets; /* n_columns, each below dimension */
} pkin_i_sketch_map;

/*
 * Columns in order of the sum of their weights over all rows, the heaviest first, each go to the bucket that weighs
 * least so far: frequent columns part. Ties go to the lower column and the lower bucket. `b` NULL: a alone.
 * `column_weights` as pkin_i_sketch_column_weights gives them. O(columns * log(columns)).
 */
pkin_status pkin_i_sketch_map_build(const uint64_t *column_weights, uint64_t n_columns, uint32_t dimension,
                                    pkin_i_sketch_map *out);
void pkin_i_sketch_map_free(pkin_i_sketch_map *map);

/* Sums of weights over the rows of a and (not NULL) b, for every column: an array that the caller frees. O(entries). */
pkin_status pkin_i_sketch_column_weights(const pkin_vectors *a, const pkin_vectors *b, uint64_t **out);
/* The same on several threads, with an array for each of a few of them. */
pkin_status pkin_i_sketch_column_weights_on(const pkin_vectors *a, const pkin_vectors *b, int n_threads,
                                            uint64_t **out);

/*
 * A row's sketch as its nonzero bytes: values[k] in bucket buckets[k], in no particular order, each bucket once.
 * Returns how many, at most the row's entries and at most the dimension. `squares` is scratch of `dimension` zeroes,
 * and is left so; `buckets` and `values` have room for `dimension`. O(entries).
 */
uint32_t pkin_i_sketch_row(const pkin_i_sketch_map *map, const pkin_vectors *vectors, uint64_t row, uint64_t *squares,
                           uint16_t *buckets, uint8_t *values);

/* The least sum of products that a pair with score >= min_score can have; min_score at most 2^60 + 2^53. */
int32_t pkin_i_sketch_limit(uint64_t min_score);

PKIN_EXTERN_C_END

#endif
