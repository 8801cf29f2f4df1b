/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_ENGINE_OPTIONS_H
#define PKIN_CLI_ENGINE_OPTIONS_H

#include "row_inputs.h"

/*
 * Whether what the command line wants to compare with fits together and is there, before anything is read; `top_k`:
 * whether closest neighbours are asked for. Else says why not, and returns the exit code.
 */
int pkin_i_engine_check(pkin_i_cli *cli, const pkin_i_settings *settings, bool top_k);

/* How to compare, as the command line says; with progress. */
pkin_similarity_options pkin_i_engine_options(pkin_i_cli *cli, const pkin_i_settings *settings);

/* One line on what did the work, where there was a choice, and what the choice could not have. */
void pkin_i_engine_tell(pkin_i_cli *cli, const pkin_similarity_report *report);

/*
 * --explain: prints how rows would be joined at `threshold` (k 0), or the k nearest of each found. Returns the exit
 * code.
 */
int pkin_i_engine_explain(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows, uint32_t k,
                          double threshold);

#endif
