/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"
#include "signals.h"

static void forget(pkin_i_output *output) {
    pkin_i_signals_set_temporary(NULL);
    free(output->path);
    free(output->temporary);
    *output = (pkin_i_output){0};
}

char *pkin_i_follow_links(const char *path) {
    enum { LINKS_MAX = 40 }; /* as the kernel's */
    char link[PATH_MAX];
    char *at = pkin_i_cli_copy(path);
    for (int k = 0; k < LINKS_MAX; k++) {
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0) return at;
        link[n] = '\0';
        /* A relative target starts in the folder of the link. */
        const char *slash = link[0] == '/' ? NULL : strrchr(at, '/');
        size_t n_folder = slash ? (size_t)(slash - at) + 1 : 0;
        char *next = pkin_i_cli_allocate(n_folder + (size_t)n + 1, 1);
        memcpy(next, at, n_folder);
        memcpy(next + n_folder, link, (size_t)n + 1);
        free(at);
        at = next;
    }
    free(at);
    errno = ELOOP;
    return NULL;
}

/*
 * A temporary file beside the path, with the owner and permissions that the file has or would get. Not by mkstemp,
 * whose files are their owner's alone; O_EXCL makes a guessed name harmless, and the dot before it keeps an unfinished
 * file from being taken by somebody's *.jsonl.
 */
static int open_temporary(pkin_i_output *output, const struct stat *existing) {
    enum { ATTEMPTS = 100, SUFFIX_BYTES = 32 };
    struct timespec now;
    size_t n_bytes = strlen(output->path) + SUFFIX_BYTES;
    const char *slash = strrchr(output->path, '/');
    const char *base = slash ? slash + 1 : output->path;
    int descriptor = -1;
    clock_gettime(CLOCK_REALTIME, &now);
    output->temporary = pkin_i_cli_allocate(n_bytes, 1);
    errno = EEXIST;
    for (long k = 0; k < ATTEMPTS && descriptor < 0 && errno == EEXIST; k++) {
        snprintf(output->temporary, n_bytes, "%.*s.%s.%x%lx", (int)(base - output->path), output->path, base,
                 (unsigned)getpid(), now.tv_nsec + k);
        descriptor = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, existing ? 0600 : 0666);
    }
    if (descriptor < 0) return -1;
    int ignored = existing ? fchown(descriptor, existing->st_uid, existing->st_gid) : 0; /* root may, others need not */
    ignored |= existing ? fchmod(descriptor, existing->st_mode & 07777) : 0;
    (void)ignored; /* some file systems have no permissions */
    pkin_i_signals_set_temporary(output->temporary);
    return descriptor;
}

/* Devices and pipes cannot be replaced by a file; a folder fails in fopen with the right reason. */
static FILE *open_stream(const char *path, pkin_i_output *output) {
    struct stat existing;
    bool exists = stat(path, &existing) == 0;
    bool is_regular = !exists || S_ISREG(existing.st_mode);
    output->path = is_regular ? pkin_i_follow_links(path) : pkin_i_cli_copy(path);
    if (!output->path) return NULL;
    if (!is_regular) return fopen(output->path, "w");
    int descriptor = open_temporary(output, exists ? &existing : NULL);
    return descriptor < 0 ? NULL : fdopen(descriptor, "w");
}

bool pkin_i_output_open(pkin_i_cli *cli, const char *path, pkin_i_output *output) {
    *output = (pkin_i_output){0};
    if (!path || strcmp(path, "-") == 0) {
        output->stream = stdout;
        return true;
    }
    output->stream = open_stream(path, output);
    if (output->stream) return true;
    pkin_i_cli_error(cli, "%s: cannot be written: %s", path, strerror(errno));
    forget(output);
    return false;
}

pkin_escape_target pkin_i_output_escape(const pkin_i_output *output) {
    return isatty(fileno(output->stream)) ? PKIN_ESCAPE_TERMINAL : PKIN_ESCAPE_TSV;
}

int pkin_i_output_close(pkin_i_cli *cli, pkin_i_output *output, bool keep) {
    if (!output->path) return PKIN_I_EXIT_DONE; /* pkin_i_output_finish looks after standard output */
    errno = 0;
    bool good = fflush(output->stream) == 0 && !ferror(output->stream);
    if (good && keep && output->temporary) good = fsync(fileno(output->stream)) == 0;
    if (fclose(output->stream) != 0) good = false;
    if (good && keep && output->temporary) good = rename(output->temporary, output->path) == 0;
    if (!good) pkin_i_cli_error(cli, "%s: cannot be written: %s", output->path, strerror(errno ? errno : EIO));
    if (output->temporary && !(good && keep)) unlink(output->temporary);
    forget(output);
    return good ? PKIN_I_EXIT_DONE : PKIN_I_EXIT_FAILURE;
}

int pkin_i_output_finish(pkin_i_cli *cli, int exit_code) {
    errno = 0;
    bool good = !ferror(stdout);
    if (fflush(stdout) != 0) good = false;
    if (good || exit_code >= PKIN_I_EXIT_SIGNAL) return exit_code;
    /* A reader such as `head` that has seen enough is no news to anybody. */
    if (!pkin_i_cli_reader_is_gone()) {
        pkin_i_cli_error(cli, "standard output cannot be written: %s", strerror(errno ? errno : EIO));
    }
    return exit_code == PKIN_I_EXIT_MISUSE ? exit_code : PKIN_I_EXIT_FAILURE;
}
