/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_MATRIX_H
#define PKIN_VECTOR_MATRIX_H

#include "base/memory.h"
#include "paperkin/features.h"

PKIN_EXTERN_C_BEGIN

/* Strings in one block: string s is [bytes + offsets[s], its NUL]. `offsets` NULL: none are known. */
typedef struct pkin_i_string_table {
    char *bytes;
    uint64_t *offsets;
    uint64_t n_strings;
} pkin_i_string_table;

/* Owned; every array through base/memory.h. Created by weigh.c, npz.c and matrix.c alone, const for everybody else. */
struct pkin_matrix {
    uint64_t n_rows;
    uint64_t n_columns;
    uint64_t *row_offsets;
    uint32_t *columns;
    double *values;
    pkin_i_string_table terms; /* one a column, or none */
    pkin_i_string_table ids;   /* one a row, or none */
};

/* Ascending columns, monotone offsets, finite values >= 0; PKIN_ERROR_INVALID_ARGUMENT names the first row at fault. */
pkin_status pkin_i_csr_check(const pkin_csr_view *view);

/* Copies `n` strings; `get(user, s)` returns string s, NULL counts as "". */
pkin_status pkin_i_string_table_build(uint64_t n, const char *(*get)(const void *user, uint64_t s), const void *user,
                                      pkin_i_string_table *out);
void pkin_i_string_table_free(pkin_i_string_table *table);

PKIN_EXTERN_C_END

#endif
