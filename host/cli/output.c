/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages.h"
#include "signals.h"

static void forget(pkin_i_output *output) {
    pkin_i_signals_set_temporary(NULL);
    free(output->path);
    free(output->temporary);
    *output = (pkin_i_output){0};
}

/* A temporary file beside the path, with the permissions that the file has or would get. */
static int open_temporary(pkin_i_output *output, const struct stat *existing) {
    size_t n_bytes = strlen(output->path) + sizeof ".XXXXXX";
    output->temporary = pkin_i_cli_allocate(n_bytes, 1);
    snprintf(output->temporary, n_bytes, "%s.XXXXXX", output->path);
    int descriptor = mkstemp(output->temporary);
    if (descriptor < 0) return -1;
    mode_t mask = umask(0);
    umask(mask);
    int ignored = fchmod(descriptor, existing ? existing->st_mode & 07777 : 0666 & ~mask);
    (void)ignored; /* some file systems have no permissions */
    pkin_i_signals_set_temporary(output->temporary);
    return descriptor;
}

bool pkin_i_output_open(pkin_i_cli *cli, const char *path, pkin_i_output *output) {
    *output = (pkin_i_output){0};
    if (!path || strcmp(path, "-") == 0) {
        output->stream = stdout;
        return true;
    }
    struct stat existing;
    bool exists = stat(path, &existing) == 0;
    char *target = exists ? realpath(path, NULL) : NULL; /* a symbolic link stays what it is */
    output->path = pkin_i_cli_copy(target ? target : path);
    free(target);
    /* Devices and pipes cannot be replaced by a file; a folder fails in fopen with the right reason. */
    if (exists && !S_ISREG(existing.st_mode)) {
        output->stream = fopen(output->path, "w");
    } else {
        int descriptor = open_temporary(output, exists ? &existing : NULL);
        output->stream = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    }
    if (output->stream) return true;
    pkin_i_cli_error(cli, "%s: cannot be written: %s", path, strerror(errno));
    forget(output);
    return false;
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
