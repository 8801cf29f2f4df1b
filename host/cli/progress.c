/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "messages.h"
#include "signals.h"

/* Seconds between two updates; nothing is shown of work that is done before the first. */
static const double terminal_period = 0.1;
static const double plain_period = 10;
static const double rate_window = 10;

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

/* Exact while it is short, else "3.74 G". */
static const char *count_text(uint64_t n, char buffer[PKIN_I_FIGURE_BYTES]) {
    return n < 10000000 ? pkin_i_cli_count(n, buffer) : pkin_i_short_number((double)n, buffer);
}

/*
 * Units a second, of the last seconds rather than of the whole stage: what is left then answers to how fast it goes
 * now, and not to what a checkpoint had done before. Two marks, the younger at most a window old.
 */
static double rate_now(pkin_i_progress *progress, const struct timespec *now, uint64_t done) {
    if (pkin_i_seconds_between(&progress->marks[1].when, now) > rate_window) {
        progress->marks[0] = progress->marks[1];
        progress->marks[1] = (pkin_i_progress_mark){*now, done};
    }
    double seconds = pkin_i_seconds_between(&progress->marks[0].when, now);
    return seconds > 0 && done > progress->marks[0].done ? (double)(done - progress->marks[0].done) / seconds : 0;
}

/* "comparing: 12,345 of 66,454 (18%), 40,000/s, 2 s left" */
static void describe(const pkin_i_progress *progress, double rate, uint64_t done, uint64_t total, char *line,
                     size_t n_bytes) {
    char done_text[PKIN_I_FIGURE_BYTES], total_text[PKIN_I_FIGURE_BYTES], rate_text[PKIN_I_FIGURE_BYTES];
    char left_text[PKIN_I_FIGURE_BYTES];
    count_text(done, done_text);
    count_text((uint64_t)rate, rate_text);
    if (total == 0) {
        snprintf(line, n_bytes, "%s: %s, %s/s", progress->stage, done_text, rate_text);
        return;
    }
    uint64_t shown = done < total ? done : total;
    snprintf(line, n_bytes, "%s: %s of %s (%.0f%%)", progress->stage, done_text, count_text(total, total_text),
             100.0 * (double)shown / (double)total);
    if (rate <= 0) return;
    size_t n = strlen(line);
    snprintf(line + n, n_bytes - n, ", %s/s, %s left", rate_text,
             pkin_i_short_time(ceil((double)(total - shown) / rate), left_text));
}

static void begin_stage(pkin_i_progress *progress, const char *stage, const struct timespec *now, uint64_t done) {
    if (progress->run_began.tv_sec == 0 && progress->run_began.tv_nsec == 0) {
        progress->run_began = *now;
        progress->last_shown = *now;
    }
    progress->marks[0] = progress->marks[1] = (pkin_i_progress_mark){*now, done};
    snprintf(progress->stage, sizeof progress->stage, "%s", stage);
}

int pkin_i_progress_on_step(void *user, const char *stage, uint64_t done, uint64_t total) {
    pkin_i_cli *cli = user;
    pkin_i_progress *progress = &cli->progress;
    int interrupted = pkin_i_signals_caught() != 0;
    if (cli->quiet || interrupted) return interrupted;

    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool is_new = strncmp(progress->stage, stage, sizeof progress->stage - 1) != 0 || done < progress->marks[1].done;
    if (is_new) begin_stage(progress, stage, &now, done);
    double period = progress->on_terminal ? terminal_period : plain_period;
    if (pkin_i_seconds_between(&progress->last_shown, &now) < period) return 0;

    char line[320];
    describe(progress, rate_now(progress, &now, done), done, total, line, sizeof line);
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
