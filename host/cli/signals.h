/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_SIGNALS_H
#define PKIN_CLI_SIGNALS_H

#include <stdbool.h>

/*
 * SIGINT and SIGTERM. While deferred, during library calls that ask through a progress callback, the first one is only
 * remembered, so that the call ends in order; else, and from the second one on, the program ends at once, its
 * temporary file removed. SIGPIPE is ignored: writing then fails with EPIPE, and the program ends quietly.
 */
void pkin_i_signals_install(void);
void pkin_i_signals_defer(bool deferred);
int pkin_i_signals_caught(void); /* the signal's number, or 0 */

/* Ends the process by the signal itself, so that shells and loops around it know that it was interrupted. */
void pkin_i_signals_end_by(int signal_number);

/* The temporary file to remove when the program ends at once; NULL: none. The path is copied. */
void pkin_i_signals_set_temporary(const char *path);

#endif
