/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_OUTPUT_H
#define PKIN_CLI_OUTPUT_H

#include <stdio.h>

#include "cli.h"

/* Where results go: standard output, or a file that appears under its name only when it is complete. */
typedef struct pkin_i_output {
    FILE *stream;
    char *path;      /* NULL: standard output */
    char *temporary; /* NULL: written directly, because the path is no regular file */
} pkin_i_output;

/* `path` NULL or "-": standard output. Returns false with a message when it cannot be opened. */
bool pkin_i_output_open(pkin_i_cli *cli, const char *path, pkin_i_output *output);

/* What texts in a table of tab-separated fields are escaped for: on a terminal also what could confuse it. */
pkin_escape_target pkin_i_output_escape(const pkin_i_output *output);

/* Flushes and names the file when `keep`, else removes it. Returns the exit code. */
int pkin_i_output_close(pkin_i_cli *cli, pkin_i_output *output, bool keep);

/* The file that a path leads to, also through a symbolic link to nothing yet; NULL with errno for a circle of links. */
char *pkin_i_follow_links(const char *path);

/* Flushes standard output. Returns `exit_code`, or failure with a message where it could not be written. */
int pkin_i_output_finish(pkin_i_cli *cli, int exit_code);

#endif
