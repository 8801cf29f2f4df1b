/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_SIMILARITY_H
#define PAPERKIN_SIMILARITY_H

#include "paperkin/features.h"

PKIN_EXTERN_C_BEGIN

/*
 * Exact similarity of sparse unit vectors. A weight x in [0, 1] is kept as the integer floor(x * 2^30); the score of
 * two rows is the exact 64-bit sum of products over shared columns, a multiple of 2^-60 within about 1e-8 below the
 * real cosine. Scores, pairs and neighbours are therefore the same bits on every backend, machine and thread count.
 */
#define PKIN_SCORE_ONE (UINT64_C(1) << 60)

/* score * 2^-60 as a double, correctly rounded. */
PKIN_API double pkin_score_to_cosine(uint64_t score);

/*
 * The smallest score that reaches the cosine threshold t in [0, 1]: ceil(t * 2^60), exact for every double. Because
 * weights are rounded down, equal rows score up to about 1e-8 below 1.
 */
PKIN_API uint64_t pkin_score_from_threshold(double threshold);

/* Rows in fixed point, ready for comparison. Immutable. */
typedef struct pkin_vectors pkin_vectors;

/*
 * Fixed-point copy of a matrix. With `normalize` nonzero rows are first scaled to length 1 (an empty row stays empty);
 * otherwise a row longer than 1 + 1e-6 is PKIN_ERROR_INVALID_ARGUMENT. Entries that round to 0 are dropped, and
 * a row's sum of squares never exceeds 2^60.
 */
PKIN_API pkin_status pkin_vectors_from_matrix(const pkin_matrix *matrix, int normalize, pkin_vectors **out);

/* The listed rows of `vectors`, in that order, as an owned copy over the same columns. */
PKIN_API pkin_status pkin_vectors_select(const pkin_vectors *vectors, const uint32_t *rows, uint64_t n_rows,
                                         pkin_vectors **out);
PKIN_API void pkin_vectors_free(pkin_vectors *vectors);
PKIN_API uint64_t pkin_vectors_n_rows(const pkin_vectors *vectors);

/* The exact score of row i of a and row j of b, which must exist; 0 where a or b is NULL. O(length of the two rows). */
PKIN_API uint64_t pkin_vectors_score(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j);

/* One column that two rows share, and what it adds to their score. */
typedef struct pkin_shared_term {
    uint32_t column;
    uint64_t score;
} pkin_shared_term;

/* The (up to) `n_max` shared columns that add most, largest first, ties by column. Returns how many were written: none
   where a, b or out is NULL. */
PKIN_API size_t pkin_vectors_shared_terms(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j,
                                          size_t n_max, pkin_shared_term *out);

typedef struct pkin_similarity_options {
    size_t size;         /* sizeof(pkin_similarity_options), set by _default */
    const char *backend; /* "auto" or a name of pkin_backend_name */
    int n_threads;       /* 0: all */
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_similarity_options;

PKIN_API pkin_similarity_options pkin_similarity_options_default(void);

/* A pair with its exact score. In a self-join i < j; between two sets i is a row of a, j a row of b. */
typedef struct pkin_pair {
    uint64_t score;
    uint32_t i;
    uint32_t j;
} pkin_pair;

/* Pairs in fixed order: score descending, then i, then j. */
typedef struct pkin_pair_list {
    pkin_pair *pairs;
    uint64_t n_pairs;
} pkin_pair_list;

/*
 * Threshold join: every pair whose score reaches pkin_score_from_threshold(threshold), and no other. `b` NULL: pairs
 * within a. Threshold in (0, 1]: at 0 every pair would qualify. Empty rows are in no pair. Rows of a and b must be over
 * the same columns. Free the list with pkin_pair_list_free.
 *
 * The list has no limit: n equal rows alone make n * (n - 1) / 2 pairs of 16 bytes, and sorting takes as much again, so
 * that 100,000 copies of one text ask for 160 GB and more (PKIN_ERROR_OUT_OF_MEMORY where that is not to be had). Where
 * copies may come in such numbers, join one row of each set of equal rows (pkin_vectors_select), or ask for each row's
 * best with pkin_similarity_top_k, whose result is at most k a row.
 */
PKIN_API pkin_status pkin_similarity_join(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                          const pkin_similarity_options *options, pkin_pair_list *out);
PKIN_API void pkin_pair_list_free(pkin_pair_list *list);

/* The neighbours of each row of a: row r has entries [offsets[r], offsets[r + 1]), score descending, then row. */
typedef struct pkin_neighbor {
    uint64_t score; /* > 0 */
    uint32_t row;
} pkin_neighbor;

typedef struct pkin_neighbor_lists {
    uint64_t n_rows;
    uint64_t *offsets; /* n_rows + 1 */
    pkin_neighbor *neighbors;
} pkin_neighbor_lists;

/*
 * Top-k: for each row of a the k rows of b (of a itself, the row excluded, where b is NULL) with the highest scores
 * that are > 0 and reach `floor` in [0, 1]; ties go to the lower row. Fewer where fewer qualify.
 */
PKIN_API pkin_status pkin_similarity_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                           const pkin_similarity_options *options, pkin_neighbor_lists *out);
PKIN_API void pkin_neighbor_lists_free(pkin_neighbor_lists *lists);

PKIN_EXTERN_C_END

#endif
