/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "messages.h"
#include "signals.h"

/* Seconds between two updates; nothing is shown of work that is done before the first. */
static const double terminal_period = 0.1;
static const double plain_period = 10;

double pkin_i_seconds_between(const struct timespec *from, const struct timespec *to) {
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) * 1e-9;
}

double pkin_i_seconds_since(const struct timespec *from) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return pkin_i_seconds_between(from, &now);
}

void pkin_i_progress_erase(pkin_i_cli *cli) {
    if (!cli->progress.line_shown) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    cli->progress.line_shown = false;
}

/* "comparing: 12,345 of 66,454 (18%), 40,000/s, 2 s left" */
static void describe(const pkin_i_progress *progress, double stage_seconds, uint64_t done, uint64_t total, char *line,
                     size_t n_bytes) {
    char done_text[PKIN_I_COUNT_BYTES], total_text[PKIN_I_COUNT_BYTES], rate_text[PKIN_I_COUNT_BYTES];
    double rate = stage_seconds > 0 ? (double)done / stage_seconds : 0;
    pkin_i_cli_count(done, done_text);
    pkin_i_cli_count((uint64_t)rate, rate_text);
    if (total == 0) {
        snprintf(line, n_bytes, "%s: %s, %s/s", progress->stage, done_text, rate_text);
        return;
    }
    uint64_t shown = done < total ? done : total;
    double left = rate > 0 ? (double)(total - shown) / rate : 0;
    snprintf(line, n_bytes, "%s: %s of %s (%.0f%%), %s/s, %.0f s left", progress->stage, done_text,
             pkin_i_cli_count(total, total_text), 100.0 * (double)shown / (double)total, rate_text, left);
}

static void begin_stage(pkin_i_progress *progress, const char *stage, const struct timespec *now) {
    if (progress->run_began.tv_sec == 0 && progress->run_began.tv_nsec == 0) {
        progress->run_began = *now;
        progress->last_shown = *now;
    }
    progress->stage_began = *now;
    snprintf(progress->stage, sizeof progress->stage, "%s", stage);
}

int pkin_i_progress_on_step(void *user, const char *stage, uint64_t done, uint64_t total) {
    pkin_i_cli *cli = user;
    pkin_i_progress *progress = &cli->progress;
    int interrupted = pkin_i_signals_caught() != 0;
    if (cli->quiet || interrupted) return interrupted;

    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (strncmp(progress->stage, stage, sizeof progress->stage - 1) != 0) begin_stage(progress, stage, &now);
    double period = progress->on_terminal ? terminal_period : plain_period;
    if (pkin_i_seconds_between(&progress->last_shown, &now) < period) return 0;

    char line[160];
    describe(progress, pkin_i_seconds_between(&progress->stage_began, &now), done, total, line, sizeof line);
    progress->last_shown = now;
    if (progress->on_terminal) {
        /* Cut to a narrow terminal's width: a line that wraps could not be erased. */
        fprintf(stderr, "\r\033[K%.79s", line);
        fflush(stderr);
        progress->line_shown = true;
    } else {
        fprintf(stderr, "%s\n", line);
    }
    return 0;
}
