/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/matrix.h"

#include <math.h>
#include <string.h>

#include "base/failure.h"

static pkin_status check_row(const pkin_csr_view *view, uint64_t row) {
    uint64_t begin = view->row_offsets[row], end = view->row_offsets[row + 1];
    for (uint64_t k = begin; k < end; k++) {
        if (view->columns[k] >= view->n_columns) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "row %llu has column %u, but there are %llu columns",
                               (unsigned long long)row, view->columns[k], (unsigned long long)view->n_columns);
        }
        if (k > begin && view->columns[k] <= view->columns[k - 1]) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "row %llu has column %u behind column %u; columns must ascend, each once",
                               (unsigned long long)row, view->columns[k], view->columns[k - 1]);
        }
        if (!(view->values[k] >= 0) || isinf(view->values[k])) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "row %llu has the value %g in column %u; values must be finite and not negative",
                               (unsigned long long)row, view->values[k], view->columns[k]);
        }
    }
    return PKIN_OK;
}

pkin_status pkin_i_csr_check(const pkin_csr_view *view) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(view && view->row_offsets, PKIN_ERROR_INVALID_ARGUMENT, "a matrix needs row offsets");
    PKIN_REQUIRE(view->n_columns <= UINT32_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "%llu columns are too many, 2^32 - 1 at most", (unsigned long long)view->n_columns);
    PKIN_REQUIRE(view->row_offsets[0] == 0, PKIN_ERROR_INVALID_ARGUMENT, "row 0 begins at entry %llu instead of 0",
                 (unsigned long long)view->row_offsets[0]);
    /* All offsets first: only then is it known how long the arrays are said to be. */
    for (uint64_t r = 0; r < view->n_rows; r++) {
        PKIN_REQUIRE(view->row_offsets[r] <= view->row_offsets[r + 1], PKIN_ERROR_INVALID_ARGUMENT,
                     "row %llu ends at entry %llu before it begins at %llu", (unsigned long long)r,
                     (unsigned long long)view->row_offsets[r + 1], (unsigned long long)view->row_offsets[r]);
    }
    PKIN_REQUIRE(view->row_offsets[view->n_rows] == 0 || (view->columns && view->values), PKIN_ERROR_INVALID_ARGUMENT,
                 "a matrix with entries needs columns and values");
    for (uint64_t r = 0; r < view->n_rows; r++) PKIN_TRY(check_row(view, r));
out:
    return status;
}

pkin_status pkin_matrix_from_csr(const pkin_csr_view *view, pkin_matrix **out) {
    pkin_status status = PKIN_OK;
    pkin_matrix *m = NULL;
    if (out) *out = NULL;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "matrix: a place for the copy is needed");
    PKIN_TRY(pkin_i_csr_check(view));
    uint64_t n_entries = view->row_offsets[view->n_rows];
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *m, &m));
    m->n_rows = view->n_rows;
    m->n_columns = view->n_columns;
    PKIN_TRY(pkin_i_allocate(m->n_rows + 1, sizeof *m->row_offsets, &m->row_offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *m->columns, &m->columns));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *m->values, &m->values));
    memcpy(m->row_offsets, view->row_offsets, (m->n_rows + 1) * sizeof *m->row_offsets);
    if (n_entries) memcpy(m->columns, view->columns, n_entries * sizeof *m->columns);
    if (n_entries) memcpy(m->values, view->values, n_entries * sizeof *m->values);
    *out = m;
    m = NULL;
out:
    pkin_matrix_free(m);
    return status;
}

void pkin_matrix_free(pkin_matrix *matrix) {
    if (!matrix) return;
    pkin_i_free(matrix->row_offsets);
    pkin_i_free(matrix->columns);
    pkin_i_free(matrix->values);
    pkin_i_string_table_free(&matrix->terms);
    pkin_i_string_table_free(&matrix->ids);
    pkin_i_free(matrix);
}

pkin_csr_view pkin_matrix_view(const pkin_matrix *matrix) {
    if (!matrix) return (pkin_csr_view){0};
    pkin_csr_view view = {matrix->n_rows, matrix->n_columns, matrix->row_offsets, matrix->columns, matrix->values};
    return view;
}

static const char *table_string(const pkin_i_string_table *table, uint64_t s) {
    return table->offsets && s < table->n_strings ? table->bytes + table->offsets[s] : NULL;
}

const char *pkin_matrix_term(const pkin_matrix *matrix, uint32_t column) {
    return matrix ? table_string(&matrix->terms, column) : NULL;
}

const char *pkin_matrix_row_id(const pkin_matrix *matrix, uint64_t row) {
    return matrix ? table_string(&matrix->ids, row) : NULL;
}

/* ---- String tables ---- */

pkin_status pkin_i_string_table_build(uint64_t n, const char *(*get)(const void *user, uint64_t s), const void *user,
                                      pkin_i_string_table *out) {
    pkin_status status = PKIN_OK;
    pkin_i_string_table table = {NULL, NULL, n};
    size_t n_offsets, total = 0;
    memset(out, 0, sizeof *out);
    PKIN_REQUIRE(pkin_i_add(n, 1, &n_offsets), PKIN_ERROR_OVERFLOW, "too many strings");
    PKIN_TRY(pkin_i_allocate(n_offsets, sizeof *table.offsets, &table.offsets));
    for (uint64_t s = 0; s < n; s++) {
        const char *text = get(user, s);
        table.offsets[s] = total;
        PKIN_REQUIRE(pkin_i_add(total, (text ? strlen(text) : 0) + 1, &total), PKIN_ERROR_OVERFLOW,
                     "strings are too long");
    }
    table.offsets[n] = total;
    PKIN_TRY(pkin_i_allocate(total, 1, &table.bytes));
    for (uint64_t s = 0; s < n; s++) {
        const char *text = get(user, s);
        memcpy(table.bytes + table.offsets[s], text ? text : "", table.offsets[s + 1] - table.offsets[s]);
    }
    *out = table;
    memset(&table, 0, sizeof table);
out:
    pkin_i_string_table_free(&table);
    return status;
}

void pkin_i_string_table_free(pkin_i_string_table *table) {
    pkin_i_free(table->bytes);
    pkin_i_free(table->offsets);
    memset(table, 0, sizeof *table);
}
