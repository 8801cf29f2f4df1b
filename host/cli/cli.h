/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_CLI_H
#define PKIN_CLI_CLI_H

/* What every part of the program shares: exit codes and the state of one run. The program sees the public API alone. */
#include <paperkin.h>
#include <stdbool.h>
#include <time.h>

/* Documented in `paperkin help`; scripts rely on them. Interrupted runs end by their signal: 130 and 143 in a shell. */
enum pkin_i_exit {
    PKIN_I_EXIT_DONE = 0,
    PKIN_I_EXIT_FAILURE = 1,
    PKIN_I_EXIT_MISUSE = 2,
    PKIN_I_EXIT_NOTHING_NEW = 3,
    PKIN_I_EXIT_SKIPPED = 4,
    PKIN_I_EXIT_SIGNAL = 128 /* plus the signal's number */
};

/* Of each file's skipped records so many are named, the rest is counted. */
enum { PKIN_I_SKIPS_NAMED = 20 };

/* How far a stage was at some time. */
typedef struct pkin_i_progress_mark {
    struct timespec when;
    uint64_t done;
} pkin_i_progress_mark;

typedef struct pkin_i_progress {
    bool on_terminal;
    bool line_shown; /* a line that must be erased before anything else is printed */
    char stage[32];
    struct timespec run_began; /* of the first stage; tv_sec 0 and tv_nsec 0: none yet */
    pkin_i_progress_mark marks[2]; /* of the stage, the older one first */
    struct timespec last_shown;
} pkin_i_progress;

typedef struct pkin_i_cli {
    const char *command; /* its name, or NULL */
    bool quiet;
    bool color_errors;
    bool color_output;
    pkin_i_progress progress;
    uint64_t n_skipped; /* records, over all files of this run */
    char *skip_file;    /* the file that the last diagnostic was about */
    uint64_t n_skipped_in_file;
} pkin_i_cli;

/* Memory of the program itself; ends it with a message when there is none. */
void *pkin_i_cli_allocate(size_t n_items, size_t item_bytes);
char *pkin_i_cli_copy(const char *text);

#endif
