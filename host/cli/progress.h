/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_PROGRESS_H
#define PKIN_CLI_PROGRESS_H

#include "cli.h"

/*
 * pkin_progress_fn: `user` is the pkin_i_cli. On a terminal one line that is updated at most ten times a second; else a
 * plain line every ten seconds of work that lasts. Returns nonzero when the run was interrupted.
 */
int pkin_i_progress_on_step(void *user, const char *stage, uint64_t done, uint64_t total);

/* Removes the line from the terminal, so that something else can be printed. */
void pkin_i_progress_erase(pkin_i_cli *cli);

/* Seconds from `from` to `to`, and since `from`. */
double pkin_i_seconds_between(const struct timespec *from, const struct timespec *to);
double pkin_i_seconds_since(const struct timespec *from);

#endif
