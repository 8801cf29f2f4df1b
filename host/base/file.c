/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.h"

static pkin_status read_descriptor(int descriptor, const char *path, pkin_i_buffer *out) {
    struct stat info;
    size_t step = 1 << 16;
    if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) step = (size_t)info.st_size + 1;
    for (;;) {
        pkin_status status = pkin_i_buffer_reserve(out, step);
        if (status != PKIN_OK) return status;
        ssize_t n = read(descriptor, out->bytes + out->n_bytes, out->capacity - out->n_bytes - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (n == 0) break;
        out->n_bytes += (size_t)n;
        step = 1 << 16;
    }
    out->bytes[out->n_bytes] = '\0';
    return PKIN_OK;
}

pkin_status pkin_i_file_read(const char *path, pkin_i_buffer *out) {
    if (strcmp(path, "-") == 0) return read_descriptor(STDIN_FILENO, "standard input", out);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    pkin_status status = read_descriptor(descriptor, path, out);
    close(descriptor);
    return status;
}

static pkin_status write_all(int descriptor, const char *path, const char *bytes, size_t n_bytes) {
    while (n_bytes > 0) {
        ssize_t n = write(descriptor, bytes, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return PKIN_OK;
}

/* Makes the rename itself durable; file systems without it are forgiven. */
static void flush_folder_of(const char *path) {
    char folder[PATH_MAX];
    const char *base = pkin_i_base_name(path);
    size_t n = (size_t)(base - path);
    if (n >= sizeof folder) return;
    memcpy(folder, path, n);
    folder[n] = '\0';
    int descriptor = open(n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    (void)fsync(descriptor);
    close(descriptor);
}

static pkin_status write_temporary(int descriptor, const char *path, const void *bytes, size_t n_bytes, mode_t mode) {
    pkin_status status = write_all(descriptor, path, (const char *)bytes, n_bytes);
    if (status != PKIN_OK) return status;
    if (fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0) {
        return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be flushed to the disk: %s", path, strerror(errno));
    }
    return PKIN_OK;
}

static mode_t default_mode(void) {
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

pkin_status pkin_i_file_write_atomic(const char *path, const void *bytes, size_t n_bytes) {
    if (strcmp(path, "-") == 0) return write_all(STDOUT_FILENO, "standard output", (const char *)bytes, n_bytes);
    pkin_status status = PKIN_OK;
    pkin_i_buffer temporary = {0};
    char *target = realpath(path, NULL); /* of the C library, not through the hooks */
    const char *real = target ? target : path;
    struct stat info;
    mode_t mode = stat(real, &info) == 0 ? (info.st_mode & 07777) : default_mode();
    int descriptor = -1;
    PKIN_TRY(pkin_i_buffer_printf(&temporary, "%s.XXXXXX", real));
    descriptor = mkostemp(temporary.bytes, O_CLOEXEC);
    PKIN_REQUIRE(descriptor >= 0, PKIN_ERROR_IO, "%s: cannot be created beside its place: %s", path, strerror(errno));
    status = write_temporary(descriptor, path, bytes, n_bytes, mode);
    if (close(descriptor) != 0 && status == PKIN_OK) {
        status = pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be closed: %s", path, strerror(errno));
    }
    if (status == PKIN_OK && rename(temporary.bytes, real) != 0) {
        status = pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be replaced: %s", path, strerror(errno));
    }
    if (status != PKIN_OK) unlink(temporary.bytes);
    if (status == PKIN_OK) flush_folder_of(real);
out:
    free(target);
    pkin_i_buffer_free(&temporary);
    return status;
}

pkin_status pkin_i_make_directories(const char *path) {
    char *copy = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_copy_string(path, strlen(path), &copy));
    for (char *p = copy + 1; copy[0] && *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        PKIN_REQUIRE(mkdir(copy, 0777) == 0 || errno == EEXIST, PKIN_ERROR_IO, "%s: folder cannot be made: %s", copy,
                     strerror(errno));
        *p = '/';
    }
    struct stat info;
    PKIN_REQUIRE(mkdir(copy, 0777) == 0 || (errno == EEXIST && stat(copy, &info) == 0 && S_ISDIR(info.st_mode)),
                 PKIN_ERROR_IO, "%s: folder cannot be made: %s", path, strerror(errno));
out:
    pkin_i_free(copy);
    return status;
}

const char *pkin_i_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
