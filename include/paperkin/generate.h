/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_GENERATE_H
#define PAPERKIN_GENERATE_H

#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/*
 * Invented rows that behave like TF-IDF vectors of abstracts, for benchmarks and tests of any size: terms drawn from
 * Zipf's law, topics with terms of their own, planted near-copies and exact copies. A row depends on the seed and its
 * number alone: the same bits on every machine and thread count.
 */
typedef struct pkin_generate_options {
    size_t size; /* sizeof(pkin_generate_options), set by _default */
    uint64_t n_rows;         /* 1 to 2^32 - 1 */
    uint64_t seed;
    uint32_t n_columns;      /* vocabulary; 0: grows with n_rows as that of real abstracts */
    uint32_t n_topics;       /* 0: grows with n_rows */
    double mean_terms;       /* distinct terms of a row, on average */
    double near_copy_share;  /* of rows that take over most terms of an earlier one, in [0, 1] */
    double copy_share;       /* of rows that equal an earlier one, in [0, 1] */
    int n_threads;           /* 0: all */
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_generate_options;

PKIN_API pkin_generate_options pkin_generate_options_default(void);

/* Rows of length 1 in fixed point. O(n_rows * mean_terms); 8 bytes an entry. */
PKIN_API pkin_status pkin_vectors_generate(const pkin_generate_options *options, pkin_vectors **out);

/* The rows as a matrix of doubles, weight * 2^-30, for example to be written with pkin_matrix_write_npz. */
PKIN_API pkin_status pkin_vectors_to_matrix(const pkin_vectors *vectors, pkin_matrix **out);

PKIN_EXTERN_C_END

#endif
