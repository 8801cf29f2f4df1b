/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_ROW_INPUTS_H
#define PKIN_CLI_ROW_INPUTS_H

#include "commands.h"

/* What is compared: papers with their vectors, or the rows of a matrix that somebody else made. */
typedef struct pkin_i_rows {
    pkin_corpus *corpus; /* NULL for a matrix */
    pkin_matrix *matrix;
    pkin_vectors *vectors; /* NULL until asked for */
    double read_seconds, vectorize_seconds, fixed_point_seconds;
} pkin_i_rows;

/*
 * Reads the inputs (one `.npz`, or digests and corpora merged to one paper a key), and computes the matrix. `preset` is
 * used where --features does not say otherwise. Returns the exit code; what is wrong has been told.
 */
int pkin_i_rows_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                     pkin_i_rows *rows);

/* The same, and the rows in fixed point, each of length 1. */
int pkin_i_rows_read_vectors(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs,
                             char **inputs, pkin_i_rows *rows);
void pkin_i_rows_free(pkin_i_rows *rows);

/* The row's id, or its number from 0 where none is known; `buffer` may be used. */
enum { PKIN_I_ROW_ID_BYTES = 24 };
const char *pkin_i_row_id(const pkin_i_rows *rows, uint64_t row, char buffer[PKIN_I_ROW_ID_BYTES]);
const char *pkin_i_row_title(const pkin_i_rows *rows, uint64_t row); /* "" where unknown */

#endif
