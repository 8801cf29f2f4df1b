/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Signal handlers can reach static memory alone; nothing else in the program is global and changes. */
static volatile sig_atomic_t caught_signal;
static volatile sig_atomic_t is_deferred;
static volatile sig_atomic_t has_temporary;
static char temporary_path[PATH_MAX];

static void on_signal(int number) {
    if (is_deferred && !caught_signal) {
        caught_signal = number;
        return;
    }
    static const char text[] = "\r\033[Kpaperkin: interrupted\n";
    static const size_t erase_bytes = 4; /* needed on a terminal alone */
    size_t skip = isatty(STDERR_FILENO) ? 0 : erase_bytes;
    if (has_temporary) unlink(temporary_path);
    ssize_t ignored = write(STDERR_FILENO, text + skip, sizeof text - 1 - skip);
    (void)ignored; /* nothing is left to do about it */
    signal(number, SIG_DFL);
    raise(number); /* delivered when this handler returns */
}

static void handle(int number) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    /* Under nohup and in background jobs a signal may be ignored on purpose. */
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
    sigaction(number, &action, NULL);
}

void pkin_i_signals_install(void) {
    handle(SIGINT);
    handle(SIGTERM);
    signal(SIGPIPE, SIG_IGN);
}

void pkin_i_signals_defer(bool deferred) {
    is_deferred = deferred;
}

int pkin_i_signals_caught(void) {
    return caught_signal;
}

void pkin_i_signals_end_by(int signal_number) {
    sigset_t one;
    signal(signal_number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(signal_number);
}

void pkin_i_signals_set_temporary(const char *path) {
    has_temporary = 0;
    if (!path || strlen(path) >= sizeof temporary_path) return;
    snprintf(temporary_path, sizeof temporary_path, "%s", path);
    has_temporary = 1;
}
