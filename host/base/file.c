/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/hash.h"

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

/*
 * The file that a path leads to through symbolic links, also where the last of them leads to nothing yet, for which
 * realpath has no answer. Folders on the way are the system's to follow.
 */
static pkin_status follow_links(const char *path, pkin_i_buffer *out) {
    enum { LINKS_MAX = 40 }; /* as the kernel's */
    char link[PATH_MAX];
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(out, path));
    for (int k = 0;; k++) {
        ssize_t n = readlink(out->bytes, link, sizeof link);
        if (n < 0) break;
        PKIN_REQUIRE(k < LINKS_MAX && n < (ssize_t)sizeof link, PKIN_ERROR_IO,
                     "%s: cannot be written: its symbolic links lead nowhere", path);
        /* A relative target starts in the folder of the link. */
        size_t n_folder = link[0] == '/' ? 0 : (size_t)(pkin_i_base_name(out->bytes) - out->bytes);
        out->n_bytes = n_folder;
        PKIN_TRY(pkin_i_buffer_append(out, link, (size_t)n));
    }
out:
    return status;
}

/* Devices and pipes cannot be replaced by a file; a folder fails here with the right reason. */
static pkin_status write_in_place(const char *path, const void *bytes, size_t n_bytes) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
    pkin_status status = write_all(descriptor, path, (const char *)bytes, n_bytes);
    if (close(descriptor) != 0 && status == PKIN_OK) {
        status = pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be closed: %s", path, strerror(errno));
    }
    return status;
}

/*
 * Makes a file of a new name beside `real`. Not mkstemp, whose files are their owner's alone: what they would be
 * without can be had only by changing the umask, which belongs to the whole process. O_EXCL makes a guessed name
 * harmless. The name starts with a dot, so that nobody's *.md takes an unfinished file for a digest.
 */
static pkin_status create_temporary(const char *path, const char *real, mode_t mode, pkin_i_buffer *name, int *out) {
    enum { ATTEMPTS = 100 };
    struct timespec now;
    const char *base = pkin_i_base_name(real);
    int n_folder = (int)(base - real);
    pkin_status status = PKIN_OK;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 40;
    *out = -1;
    errno = EEXIST;
    for (uint64_t k = 0; k < ATTEMPTS && *out < 0 && errno == EEXIST; k++) {
        pkin_i_buffer_clear(name);
        PKIN_TRY(pkin_i_buffer_printf(name, "%.*s.%s.%08x", n_folder, real, base, (unsigned)pkin_i_hash_u64(seed + k)));
        *out = open(name->bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    PKIN_REQUIRE(*out >= 0, PKIN_ERROR_IO, "%s: cannot be created beside its place: %s", path, strerror(errno));
out:
    return status;
}

/* `existing`: whose owner, where that is allowed, and permissions are kept; NULL: there was no file. */
static pkin_status write_temporary(int descriptor, const char *path, const void *bytes, size_t n_bytes,
                                   const struct stat *existing) {
    pkin_status status = write_all(descriptor, path, (const char *)bytes, n_bytes);
    if (status != PKIN_OK) return status;
    /* Before the permissions: a change of owner takes set-user-id bits away. */
    int ignored = existing ? fchown(descriptor, existing->st_uid, existing->st_gid) : 0;
    (void)ignored;
    if ((existing && fchmod(descriptor, existing->st_mode & 07777) != 0) || fsync(descriptor) != 0) {
        return pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be flushed to the disk: %s", path, strerror(errno));
    }
    return PKIN_OK;
}

static pkin_status replace(const char *path, const char *real, const struct stat *existing, const void *bytes,
                           size_t n_bytes) {
    pkin_status status;
    pkin_i_buffer temporary = {0};
    int descriptor = -1;
    /* Nobody else may read what replaces a private file, not for a moment. */
    PKIN_TRY(create_temporary(path, real, existing ? 0600 : 0666, &temporary, &descriptor));
    status = write_temporary(descriptor, path, bytes, n_bytes, existing);
    if (close(descriptor) != 0 && status == PKIN_OK) {
        status = pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be closed: %s", path, strerror(errno));
    }
    if (status == PKIN_OK && rename(temporary.bytes, real) != 0) {
        status = pkin_i_fail(PKIN_ERROR_IO, "%s: cannot be replaced: %s", path, strerror(errno));
    }
    if (status != PKIN_OK) unlink(temporary.bytes);
    if (status == PKIN_OK) flush_folder_of(real);
out:
    pkin_i_buffer_free(&temporary);
    return status;
}

pkin_status pkin_i_file_write_atomic(const char *path, const void *bytes, size_t n_bytes) {
    if (strcmp(path, "-") == 0) return write_all(STDOUT_FILENO, "standard output", (const char *)bytes, n_bytes);
    pkin_status status;
    pkin_i_buffer real = {0};
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && !S_ISREG(info.st_mode)) return write_in_place(path, bytes, n_bytes);
    PKIN_TRY(follow_links(path, &real));
    status = replace(path, real.bytes, exists ? &info : NULL, bytes, n_bytes);
out:
    pkin_i_buffer_free(&real);
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
