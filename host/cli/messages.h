/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_MESSAGES_H
#define PKIN_CLI_MESSAGES_H

#include <stdio.h>

#include "cli.h"

/* Each prints one line on standard error; the text is made safe for a terminal as a whole. */
void pkin_i_cli_error(pkin_i_cli *cli, const char *format, ...) PKIN_PRINTF(2, 3);
void pkin_i_cli_warning(pkin_i_cli *cli, const char *format, ...) PKIN_PRINTF(2, 3);
void pkin_i_cli_note(pkin_i_cli *cli, const char *format, ...) PKIN_PRINTF(2, 3); /* silent with --quiet */
void pkin_i_cli_line(pkin_i_cli *cli, FILE *stream, const char *format, ...)
    PKIN_PRINTF(3, 4); /* silent with --quiet */

/* An error of use: the message, where to read more, and the exit code of misuse. */
int pkin_i_cli_misuse(pkin_i_cli *cli, const char *format, ...) PKIN_PRINTF(2, 3);

/* Tells what a failed library call was about; quiet where the reader of our output has gone. Returns the exit code. */
int pkin_i_cli_failed(pkin_i_cli *cli, pkin_status status);

/* Whether standard output is a pipe that nobody reads any more. */
bool pkin_i_cli_reader_is_gone(void);

/* pkin_diagnostic_fn: `user` is the pkin_i_cli. Names skipped records, and counts them. */
void pkin_i_cli_on_diagnostic(void *user, const pkin_diagnostic *diagnostic);
/* Says how many of the last file's skipped records were not named. To be called when no more can come. */
void pkin_i_cli_diagnostics_end(pkin_i_cli *cli);

/* `text` escaped for `target`. */
void pkin_i_cli_write_escaped(FILE *stream, pkin_escape_target target, const char *text);

/* "66,454", ended by NUL. */
enum { PKIN_I_COUNT_BYTES = 32 };
const char *pkin_i_cli_count(uint64_t n, char buffer[PKIN_I_COUNT_BYTES]);
/* "1 paper", "66,454 papers": `one` is the singular, an s makes the plural. */
enum { PKIN_I_COUNTED_BYTES = 64 };
const char *pkin_i_cli_counted(uint64_t n, const char *one, char buffer[PKIN_I_COUNTED_BYTES]);
/* "3.4 MB". */
const char *pkin_i_cli_bytes(uint64_t n_bytes, char buffer[PKIN_I_COUNT_BYTES]);

#endif
