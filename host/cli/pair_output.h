/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_PAIR_OUTPUT_H
#define PKIN_CLI_PAIR_OUTPUT_H

#include "output.h"
#include "row_inputs.h"

/* Writes scored pairs of rows as TSV or JSON lines. */
typedef struct pkin_i_pair_output {
    FILE *stream;
    const pkin_i_rows *rows;
    pkin_escape_target escape; /* of TSV fields: on a terminal also what could confuse it */
    bool as_json;
    bool ranked; /* each pair has a rank among the first row's neighbours */
    bool exact;
    bool terms;
} pkin_i_pair_output;

/* Sets up the output; TSV begins with a line of headings. */
void pkin_i_pair_output_begin(pkin_i_pair_output *output, const pkin_i_output *destination, const pkin_i_rows *rows,
                              const pkin_i_settings *settings, bool ranked);

/* `rank` counts from 1 and is written where the output is ranked. */
void pkin_i_pair_output_write(const pkin_i_pair_output *output, uint64_t score, uint64_t i, uint64_t j, uint64_t rank);

#endif
