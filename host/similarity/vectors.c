/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/vectors.h"

#include <math.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/integer_root.h"

enum { PARALLEL_ROWS = 4096 }; /* fewer are not worth waking threads for */

/* Unit rows as other tools write them may be longer than 1 by their rounding. */
static const double LENGTH_TOLERANCE = 1e-6;
static const double WEIGHT_ONE = 1073741824.0; /* 2^30 */

double pkin_score_to_cosine(uint64_t score) {
    /* The conversion rounds once, to nearest; the power of two is exact. */
    return (double)score * 0x1p-60;
}

uint64_t pkin_score_from_threshold(double threshold) {
    if (threshold <= 0) return 0;
    double scaled = ceil(threshold * 0x1p60); /* exact: a shift of the exponent, then a double that is an integer */
    return scaled < 0x1p64 ? (uint64_t)scaled : UINT64_MAX; /* also for NaN: nothing reaches it */
}

/* The row's Euclidean length times *scale, a power of two that keeps the squares clear of overflow and underflow. */
static double scaled_length(const double *values, uint64_t n, double *scale) {
    double largest = 0, sum = 0;
    for (uint64_t k = 0; k < n; k++) largest = values[k] > largest ? values[k] : largest;
    int exponent = largest > 0 ? ilogb(largest) : 0;
    *scale = scalbn(1.0, exponent < -1000 ? 1000 : -exponent);
    for (uint64_t k = 0; k < n; k++) {
        double x = values[k] * *scale;
        sum += x * x;
    }
    return sqrt(sum);
}

/*
 * A row in fixed point. Returns 0 where it is too long. Rounding down keeps the sum of squares within 2^60 for every
 * row of length <= 1; the rows that the tolerance lets through beyond that are shrunk to length 1, rounding down again.
 */
static int row_to_fixed_point(const double *values, uint64_t n, int normalize, uint32_t *weights) {
    double scale = 1, length = scaled_length(values, n, &scale);
    if (length == 0) return 1;
    if (!normalize && !(length / scale <= 1 + LENGTH_TOLERANCE)) return 0;
    uint64_t squares = 0;
    for (uint64_t k = 0; k < n; k++) {
        double x = normalize ? values[k] * scale / length : values[k];
        weights[k] = (uint32_t)(x * WEIGHT_ONE); /* truncation is floor: x >= 0; x < 1.01 */
        squares += (uint64_t)weights[k] * weights[k];
    }
    if (squares <= PKIN_SCORE_ONE) return 1;
    uint64_t root = pkin_i_square_root_up(squares);
    for (uint64_t k = 0; k < n; k++) weights[k] = (uint32_t)(((uint64_t)weights[k] << 30) / root);
    return 1;
}

static pkin_status vectors_allocate(uint64_t n_rows, uint64_t n_columns, uint64_t n_entries, pkin_vectors **out) {
    pkin_status status;
    pkin_vectors *vectors = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *vectors, &vectors));
    vectors->n_rows = n_rows;
    vectors->n_columns = n_columns;
    PKIN_TRY(pkin_i_allocate(n_rows + 1, sizeof *vectors->row_offsets, &vectors->row_offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *vectors->columns, &vectors->columns));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *vectors->weights, &vectors->weights));
    vectors->row_offsets[0] = 0;
    *out = vectors;
    vectors = NULL;
out:
    pkin_vectors_free(vectors);
    return status;
}

/* All weights, zeros included, at the entries' own places; n_kept[r] of row r are not zero. First long row, or n_rows.
 */
static uint64_t weigh_rows(const pkin_csr_view *view, int normalize, uint32_t *weights, uint64_t *n_kept) {
    uint64_t first_bad = view->n_rows;
#pragma omp parallel for schedule(static) reduction(min : first_bad) if (view->n_rows > PARALLEL_ROWS)
    for (uint64_t r = 0; r < view->n_rows; r++) {
        uint64_t begin = view->row_offsets[r], n = view->row_offsets[r + 1] - begin;
        memset(weights + begin, 0, n * sizeof *weights);
        if (!row_to_fixed_point(view->values + begin, n, normalize, weights + begin) && r < first_bad) first_bad = r;
        n_kept[r] = 0;
        for (uint64_t k = begin; k < begin + n; k++) n_kept[r] += weights[k] != 0;
    }
    return first_bad;
}

static void copy_kept(const pkin_csr_view *view, const uint32_t *weights, pkin_vectors *vectors) {
#pragma omp parallel for schedule(static) if (view->n_rows > PARALLEL_ROWS)
    for (uint64_t r = 0; r < view->n_rows; r++) {
        uint64_t at = vectors->row_offsets[r];
        for (uint64_t k = view->row_offsets[r]; k < view->row_offsets[r + 1]; k++) {
            if (weights[k] == 0) continue;
            vectors->columns[at] = view->columns[k];
            vectors->weights[at++] = weights[k];
        }
    }
}

pkin_status pkin_vectors_from_matrix(const pkin_matrix *matrix, int normalize, pkin_vectors **out) {
    pkin_status status;
    uint32_t *weights = NULL;
    uint64_t *n_kept = NULL, n_entries = 0;
    pkin_vectors *vectors = NULL;
    if (out) *out = NULL;
    PKIN_REQUIRE(matrix && out, PKIN_ERROR_INVALID_ARGUMENT, "vectors: a matrix and a place for the result are needed");
    pkin_csr_view view = pkin_matrix_view(matrix);
    PKIN_REQUIRE(view.n_rows < UINT32_MAX, PKIN_ERROR_OVERFLOW,
                 "vectors: %llu rows, fewer than 2^32 - 1 can be compared", (unsigned long long)view.n_rows);
    PKIN_TRY(pkin_i_allocate(view.row_offsets[view.n_rows], sizeof *weights, &weights));
    PKIN_TRY(pkin_i_allocate(view.n_rows, sizeof *n_kept, &n_kept));
    uint64_t bad = weigh_rows(&view, normalize, weights, n_kept);
    PKIN_REQUIRE(bad == view.n_rows, PKIN_ERROR_INVALID_ARGUMENT,
                 "vectors: row %llu is longer than 1; normalize the rows, or ask for it", (unsigned long long)bad);
    for (uint64_t r = 0; r < view.n_rows; r++) n_entries += n_kept[r];
    PKIN_TRY(vectors_allocate(view.n_rows, view.n_columns, n_entries, &vectors));
    for (uint64_t r = 0; r < view.n_rows; r++) vectors->row_offsets[r + 1] = vectors->row_offsets[r] + n_kept[r];
    copy_kept(&view, weights, vectors);
    *out = vectors;
    vectors = NULL;
out:
    pkin_i_free(weights);
    pkin_i_free(n_kept);
    pkin_vectors_free(vectors);
    return status;
}

pkin_status pkin_vectors_select(const pkin_vectors *vectors, const uint32_t *rows, uint64_t n_rows,
                                pkin_vectors **out) {
    pkin_status status;
    pkin_vectors *selected = NULL;
    uint64_t n_entries = 0;
    if (out) *out = NULL;
    PKIN_REQUIRE(vectors && out && (rows || n_rows == 0), PKIN_ERROR_INVALID_ARGUMENT,
                 "vectors: rows to select and a place for the result are needed");
    PKIN_REQUIRE(n_rows < UINT32_MAX, PKIN_ERROR_OVERFLOW, "vectors: fewer than 2^32 - 1 rows can be selected");
    for (uint64_t k = 0; k < n_rows; k++) {
        PKIN_REQUIRE(rows[k] < vectors->n_rows, PKIN_ERROR_INVALID_ARGUMENT, "vectors: row %lu selected of %llu",
                     (unsigned long)rows[k], (unsigned long long)vectors->n_rows);
        n_entries += vectors->row_offsets[rows[k] + 1] - vectors->row_offsets[rows[k]];
    }
    PKIN_TRY(vectors_allocate(n_rows, vectors->n_columns, n_entries, &selected));
    for (uint64_t k = 0; k < n_rows; k++) {
        uint64_t from = vectors->row_offsets[rows[k]], n = vectors->row_offsets[rows[k] + 1] - from;
        uint64_t to = selected->row_offsets[k];
        memcpy(selected->columns + to, vectors->columns + from, n * sizeof *selected->columns);
        memcpy(selected->weights + to, vectors->weights + from, n * sizeof *selected->weights);
        selected->row_offsets[k + 1] = to + n;
    }
    *out = selected;
    selected = NULL;
out:
    pkin_vectors_free(selected);
    return status;
}

void pkin_vectors_free(pkin_vectors *vectors) {
    if (!vectors) return;
    pkin_i_free(vectors->row_offsets);
    pkin_i_free(vectors->columns);
    pkin_i_free(vectors->weights);
    pkin_i_free(vectors);
}

uint64_t pkin_vectors_n_rows(const pkin_vectors *vectors) {
    return vectors ? vectors->n_rows : 0;
}

uint64_t pkin_vectors_n_columns(const pkin_vectors *vectors) {
    return vectors ? vectors->n_columns : 0;
}

uint64_t pkin_vectors_n_entries(const pkin_vectors *vectors) {
    return vectors ? vectors->row_offsets[vectors->n_rows] : 0;
}

/* Two rows walked together over their ascending columns. */
typedef struct merge_cursor {
    const pkin_vectors *a, *b;
    uint64_t at_a, end_a, at_b, end_b;
} merge_cursor;

static merge_cursor merge_begin(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j) {
    merge_cursor cursor = {a, b, a->row_offsets[i], a->row_offsets[i + 1], b->row_offsets[j], b->row_offsets[j + 1]};
    return cursor;
}

/* The next shared column; false at the end. */
static bool merge_next(merge_cursor *cursor, pkin_shared_term *out) {
    while (cursor->at_a < cursor->end_a && cursor->at_b < cursor->end_b) {
        uint32_t column_a = cursor->a->columns[cursor->at_a], column_b = cursor->b->columns[cursor->at_b];
        if (column_a == column_b) {
            out->column = column_a;
            out->score = (uint64_t)cursor->a->weights[cursor->at_a++] * cursor->b->weights[cursor->at_b++];
            return true;
        }
        cursor->at_a += column_a < column_b;
        cursor->at_b += column_b < column_a;
    }
    return false;
}

uint64_t pkin_vectors_score(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j) {
    uint64_t score = 0;
    pkin_shared_term term;
    if (!a || !b) return 0;
    for (merge_cursor cursor = merge_begin(a, i, b, j); merge_next(&cursor, &term);) score += term.score;
    return score;
}

size_t pkin_vectors_shared_terms(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j, size_t n_max,
                                 pkin_shared_term *out) {
    size_t n = 0;
    pkin_shared_term term;
    if (!a || !b || !out || n_max == 0) return 0;
    for (merge_cursor cursor = merge_begin(a, i, b, j); merge_next(&cursor, &term);) {
        /* Columns come ascending, so that equal scores keep their order behind those already there. */
        if (n == n_max && out[n - 1].score >= term.score) continue;
        size_t at = n < n_max ? n++ : n - 1;
        for (; at > 0 && out[at - 1].score < term.score; at--) out[at] = out[at - 1];
        out[at] = term;
    }
    return n;
}
