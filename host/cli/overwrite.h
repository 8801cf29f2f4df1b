/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_OVERWRITE_H
#define PKIN_CLI_OVERWRITE_H

#include "cli.h"

/*
 * Whether writing to `path` leaves alone what the run reads from or remembers in. Files are compared by what they are:
 * a file under another name, or behind a link, is the same file. `path` NULL or "-" is standard output and harms
 * nothing. Returns false after saying what would be lost.
 */
bool pkin_i_output_spares_inputs(pkin_i_cli *cli, const char *path, int n_inputs, char **inputs);

/* The same for the store, and for what SQLite keeps beside it. `given` as for pkin_i_store_path. */
bool pkin_i_output_spares_store(pkin_i_cli *cli, const char *path, const char *given);

#endif
