/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_TEXT_INPUTS_H
#define PKIN_CLI_TEXT_INPUTS_H

#include "row_inputs.h"

/*
 * Text as rows: text_inputs.c, or in a build of the similarity core alone no_text_inputs.c, which says that there is
 * none.
 */

/* Digests and corpora to `rows`, merged to one paper a key. Returns the exit code; what is wrong has been told. */
int pkin_i_texts_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                      pkin_i_rows *rows);
void pkin_i_texts_free(pkin_corpus *corpus);                                   /* accepts NULL */
const pkin_paper *pkin_i_text_of_row(const pkin_corpus *corpus, uint64_t row); /* NULL: none; accepts NULL */

/* Options for reading: diagnostics are told. */
pkin_read_options pkin_i_read_options(pkin_i_cli *cli, const pkin_i_settings *settings);

#endif
