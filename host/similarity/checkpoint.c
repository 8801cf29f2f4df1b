/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/hash.h"

enum {
    FORMAT_VERSION = 1,
    PAIRS_AT_ONCE = 1 << 14, /* read and written: 256 KiB */
    STRIPS_MAX = 1000000     /* as many as names have room for */
};

static const char MANIFEST_NAME[] = "manifest";

/* The header of a strip's file; its checksum, a u64, comes after the pairs. */
typedef struct strip_header {
    char magic[8];
    uint64_t key; /* of what is compared and of the strips' borders */
    uint64_t first, last;
    uint64_t n_pairs;
} strip_header;

/* Of a machine of the other byte order the magic is as good, but not the key. */
static const char STRIP_MAGIC[8] = {'p', 'k', 's', 't', 'r', 'i', 'p', '1'};

static uint64_t key_hash(const pkin_i_checkpoint_key *key, uint64_t first, uint64_t last) {
    const uint64_t parts[] = {
        (uint64_t)FORMAT_VERSION, (uint64_t)key->within, key->n_rows_a,  key->n_rows_b, key->n_columns,
        key->fingerprint_a,       key->fingerprint_b,    key->min_score, first,         last};
    return pkin_i_hash_bytes(parts, sizeof parts, 0);
}

/* One multiplication a pair, whatever the portions in which they come. */
static uint64_t checksum_pairs(uint64_t checksum, const pkin_pair *pairs, size_t n_pairs) {
    for (size_t p = 0; p < n_pairs; p++) {
        checksum = pkin_i_hash_fold(checksum ^ pairs[p].score, (uint64_t)pairs[p].i << 32 | pairs[p].j);
    }
    return checksum;
}

/* ---- Folder ---- */

static pkin_status path_of(const char *folder, const char *name, pkin_i_buffer *out) {
    pkin_i_buffer_clear(out);
    return pkin_i_buffer_printf(out, "%s/%s", folder, name);
}

static pkin_status take_lock(pkin_i_checkpoint *self) {
    pkin_status status;
    pkin_i_buffer path = {0};
    PKIN_TRY(path_of(self->folder, "lock", &path));
    self->lock = open(path.bytes, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    PKIN_REQUIRE(self->lock >= 0, PKIN_ERROR_IO,
                 "%s: cannot be made: %s; name a folder that can be written to for checkpoints", path.bytes,
                 strerror(errno));
    if (flock(self->lock, LOCK_EX | LOCK_NB) != 0) {
        int cause = errno;
        PKIN_REQUIRE(cause != EWOULDBLOCK, PKIN_ERROR_IO,
                     "%s: another run is working with this checkpoint; wait for its end, or name another folder",
                     self->folder);
        PKIN_REQUIRE(0, PKIN_ERROR_IO, "%s: cannot be locked: %s", path.bytes, strerror(cause));
    }
out:
    pkin_i_buffer_free(&path);
    return status;
}

static void flush_folder(const char *folder) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    (void)fsync(descriptor); /* file systems without it are forgiven */
    close(descriptor);
}

/*
 * Whether a name is one that an unfinished file of this module has, ".manifest." and 8 hexadecimal digits
 * (pkin_i_file_write_atomic) or a strip's with a dot in front: whatever else is in the folder is not ours.
 */
static bool is_unfinished(const char *name) {
    static const char manifest[] = ".manifest.", strip[] = ".strip-", pairs[] = ".pairs";
    if (strncmp(name, manifest, strlen(manifest)) == 0) {
        name += strlen(manifest);
        return strlen(name) == 8 && strspn(name, "0123456789abcdef") == 8;
    }
    if (strncmp(name, strip, strlen(strip)) != 0) return false;
    name += strlen(strip);
    const size_t n_digits = strspn(name, "0123456789");
    return n_digits >= 6 && strcmp(name + n_digits, pairs) == 0;
}

/* Removes what a call that was killed had not finished. */
static pkin_status remove_unfinished(const pkin_i_checkpoint *self) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer path = {0};
    DIR *folder = opendir(self->folder);
    PKIN_REQUIRE(folder, PKIN_ERROR_IO, "%s: cannot be listed: %s", self->folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_unfinished(entry->d_name)) continue;
        PKIN_TRY(path_of(self->folder, entry->d_name, &path));
        (void)unlink(path.bytes);
    }
out:
    if (folder) closedir(folder);
    pkin_i_buffer_free(&path);
    return status;
}

/* ---- Strips ---- */

/* Writes at the end of a file that is being made. */
static pkin_status append(int descriptor, const char *path, const void *bytes, size_t n_bytes) {
    const char *from = bytes;
    while (n_bytes > 0) {
        ssize_t n = write(descriptor, from, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            return pkin_i_fail(PKIN_ERROR_IO,
                               "%s: cannot be written: %s; finished strips are kept: make room and call again", path,
                               strerror(n < 0 ? errno : ENOSPC));
        }
        from += n;
        n_bytes -= (size_t)n;
    }
    return PKIN_OK;
}

/* Header, pairs, checksum. The header is written last, when the number of pairs is known. */
static pkin_status write_strip(int descriptor, const char *path, strip_header *header, pkin_i_pair_merge *merge) {
    pkin_status status;
    pkin_pair *pairs = NULL;
    size_t n;
    uint64_t checksum = header->key;
    PKIN_TRY(pkin_i_allocate(PAIRS_AT_ONCE, sizeof *pairs, &pairs));
    PKIN_TRY(append(descriptor, path, header, sizeof *header));
    for (;;) {
        PKIN_TRY(pkin_i_pair_merge_next(merge, pairs, PAIRS_AT_ONCE, &n));
        if (n == 0) break;
        checksum = checksum_pairs(checksum, pairs, n);
        header->n_pairs += n;
        PKIN_TRY(append(descriptor, path, pairs, n * sizeof *pairs));
    }
    checksum = pkin_i_hash_fold(checksum, header->n_pairs);
    PKIN_TRY(append(descriptor, path, &checksum, sizeof checksum));
    PKIN_REQUIRE(pwrite(descriptor, header, sizeof *header, 0) == (ssize_t)sizeof *header && fsync(descriptor) == 0,
                 PKIN_ERROR_IO, "%s: cannot be flushed to the disk: %s", path, strerror(errno));
out:
    pkin_i_free(pairs);
    return status;
}

pkin_status pkin_i_checkpoint_keep(pkin_i_checkpoint *self, size_t s, pkin_i_pair_merge *pairs) {
    pkin_status status;
    pkin_i_checkpoint_strip *strip = &self->strips[s];
    strip_header header = {.first = strip->first, .last = strip->last};
    pkin_i_buffer unfinished = {0};
    int descriptor = -1;
    memcpy(header.magic, STRIP_MAGIC, sizeof header.magic);
    header.key = key_hash(&self->key, strip->first, strip->last);
    PKIN_TRY(pkin_i_buffer_printf(&unfinished, "%s/.%s", self->folder, pkin_i_base_name(strip->path)));
    /* Unfinished ones were removed when the lock was taken: what has this name now is not ours to write over. */
    descriptor = open(unfinished.bytes, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    PKIN_REQUIRE(descriptor >= 0, PKIN_ERROR_IO, "%s: cannot be made: %s", unfinished.bytes, strerror(errno));
    PKIN_TRY(write_strip(descriptor, strip->path, &header, pairs));
    PKIN_REQUIRE(rename(unfinished.bytes, strip->path) == 0, PKIN_ERROR_IO, "%s: cannot be renamed to %s: %s",
                 unfinished.bytes, strip->path, strerror(errno));
    flush_folder(self->folder);
    strip->n_pairs = header.n_pairs;
    strip->is_done = 1;
out:
    if (descriptor >= 0) {
        close(descriptor);
        if (status != PKIN_OK) (void)unlink(unfinished.bytes);
    }
    pkin_i_buffer_free(&unfinished);
    return status;
}

pkin_i_pair_run pkin_i_checkpoint_run(const pkin_i_checkpoint *self, size_t strip) {
    return (pkin_i_pair_run){NULL, -1, self->strips[strip].path, sizeof(strip_header), self->strips[strip].n_pairs};
}

/* True where all bytes were read. */
static bool read_exactly(int descriptor, void *bytes, size_t n_bytes) {
    char *to = bytes;
    while (n_bytes > 0) {
        ssize_t n = read(descriptor, to, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* Whether an open file is this strip, whole and undamaged. `pairs` has room for PAIRS_AT_ONCE. */
static bool strip_is_whole(const pkin_i_checkpoint *self, const pkin_i_checkpoint_strip *strip, int descriptor,
                           pkin_pair *pairs, uint64_t *n_pairs) {
    strip_header header;
    struct stat info;
    uint64_t checksum, expected;
    if (!read_exactly(descriptor, &header, sizeof header) || fstat(descriptor, &info) != 0) return false;
    if (memcmp(header.magic, STRIP_MAGIC, sizeof header.magic) != 0 || header.first != strip->first ||
        header.last != strip->last || header.key != key_hash(&self->key, strip->first, strip->last)) {
        return false;
    }
    const uint64_t body_bytes = (uint64_t)info.st_size - sizeof header;
    if (body_bytes % sizeof *pairs != sizeof checksum || body_bytes / sizeof *pairs != header.n_pairs) return false;
    checksum = header.key;
    for (uint64_t left = header.n_pairs; left > 0;) {
        size_t n = left < PAIRS_AT_ONCE ? (size_t)left : PAIRS_AT_ONCE;
        if (!read_exactly(descriptor, pairs, n * sizeof *pairs)) return false;
        checksum = checksum_pairs(checksum, pairs, n);
        left -= n;
    }
    checksum = pkin_i_hash_fold(checksum, header.n_pairs);
    *n_pairs = header.n_pairs;
    return read_exactly(descriptor, &expected, sizeof expected) && checksum == expected;
}

/* Finds out which strips are done. */
static pkin_status find_done(pkin_i_checkpoint *self) {
    pkin_status status;
    pkin_pair *pairs = NULL;
    PKIN_TRY(pkin_i_allocate(PAIRS_AT_ONCE, sizeof *pairs, &pairs));
    for (size_t s = 0; s < self->n_strips; s++) {
        pkin_i_checkpoint_strip *strip = &self->strips[s];
        int descriptor = open(strip->path, O_RDONLY | O_CLOEXEC);
        PKIN_REQUIRE(descriptor >= 0 || errno == ENOENT, PKIN_ERROR_IO, "%s: cannot be opened: %s", strip->path,
                     strerror(errno));
        if (descriptor < 0) continue;
        strip->is_done = strip_is_whole(self, strip, descriptor, pairs, &strip->n_pairs);
        close(descriptor);
    }
out:
    pkin_i_free(pairs);
    return status;
}

static pkin_status set_strips(pkin_i_checkpoint *self, const uint64_t *borders, size_t n_strips) {
    pkin_status status;
    pkin_i_buffer path = {0};
    PKIN_TRY(pkin_i_allocate_zeroed(n_strips, sizeof *self->strips, &self->strips));
    for (size_t s = 0; s < n_strips; s++) {
        pkin_i_checkpoint_strip *strip = &self->strips[s];
        strip->first = borders[s];
        strip->last = borders[s + 1];
        pkin_i_buffer_clear(&path);
        PKIN_TRY(pkin_i_buffer_printf(&path, "%s/strip-%06zu.pairs", self->folder, s));
        PKIN_TRY(pkin_i_copy_string(path.bytes, path.n_bytes, &strip->path));
        self->n_strips = s + 1;
    }
out:
    pkin_i_buffer_free(&path);
    return status;
}

/* ---- Manifest ---- */

static pkin_status write_manifest(const pkin_i_checkpoint *self, const uint64_t *borders, size_t n_strips) {
    pkin_status status;
    const pkin_i_checkpoint_key *key = &self->key;
    pkin_i_buffer text = {0}, path = {0};
    PKIN_TRY(pkin_i_buffer_printf(&text, "paperkin checkpoint of a join, version %d\n", FORMAT_VERSION));
    PKIN_TRY(pkin_i_buffer_printf(&text, "within %d\ncolumns %" PRIu64 "\n", key->within, key->n_columns));
    PKIN_TRY(pkin_i_buffer_printf(&text, "rows_a %" PRIu64 "\nfingerprint_a %016" PRIx64 "\n", key->n_rows_a,
                                  key->fingerprint_a));
    PKIN_TRY(pkin_i_buffer_printf(&text, "rows_b %" PRIu64 "\nfingerprint_b %016" PRIx64 "\n", key->n_rows_b,
                                  key->fingerprint_b));
    PKIN_TRY(pkin_i_buffer_printf(&text, "min_score %" PRIu64 "\nstrips %zu\n", key->min_score, n_strips));
    for (size_t s = 0; s <= n_strips; s++) PKIN_TRY(pkin_i_buffer_printf(&text, "%" PRIu64 "\n", borders[s]));
    PKIN_TRY(pkin_i_buffer_printf(&text, "checksum %016" PRIx64 "\n", pkin_i_hash_bytes(text.bytes, text.n_bytes, 0)));
    PKIN_TRY(path_of(self->folder, MANIFEST_NAME, &path));
    PKIN_TRY(pkin_i_file_write_atomic(path.bytes, text.bytes, text.n_bytes));
out:
    pkin_i_buffer_free(&text);
    pkin_i_buffer_free(&path);
    return status;
}

/* The text's last line is its checksum, right. */
static bool checksum_is_right(const pkin_i_buffer *text) {
    static const char label[] = "checksum ";
    uint64_t checksum;
    size_t at = text->n_bytes;
    if (at == 0 || text->bytes[at - 1] != '\n') return false;
    for (at--; at > 0 && text->bytes[at - 1] != '\n';) at--;
    return strncmp(text->bytes + at, label, strlen(label)) == 0 &&
           sscanf(text->bytes + at + strlen(label), "%16" SCNx64, &checksum) == 1 &&
           checksum == pkin_i_hash_bytes(text->bytes, at, 0);
}

/* Of a text whose checksum is right. */
static bool parse_manifest(const char *text, pkin_i_checkpoint_key *key, uint64_t *n_strips, const char **borders) {
    int n = 0;
    int n_read = sscanf(text,
                        "paperkin checkpoint of a join, version %*d within %d columns %" SCNu64 " rows_a %" SCNu64
                        " fingerprint_a %" SCNx64 " rows_b %" SCNu64 " fingerprint_b %" SCNx64 " min_score %" SCNu64
                        " strips %" SCNu64 "\n%n",
                        &key->within, &key->n_columns, &key->n_rows_a, &key->fingerprint_a, &key->n_rows_b,
                        &key->fingerprint_b, &key->min_score, n_strips, &n);
    *borders = text + n;
    return n_read == 8 && n > 0 && *n_strips > 0 && *n_strips <= STRIPS_MAX;
}

static pkin_status other_rows(const char *folder, const char *side) {
    return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                       "%s: this checkpoint is of other rows, or was made with another bound of memory (%s differ); "
                       "name another folder, or empty this one",
                       folder, side);
}

/* With as many digits as tell the two thresholds apart. */
static pkin_status other_threshold(const char *folder, uint64_t there, uint64_t here) {
    const double cosine_there = pkin_score_to_cosine(there), cosine_here = pkin_score_to_cosine(here);
    const double apart = cosine_there > cosine_here ? cosine_there - cosine_here : cosine_here - cosine_there;
    const int digits = apart > 1e-5 ? 6 : 17;
    return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                       "%s: this checkpoint is of the threshold %.*g, not %.*g; name another folder, or empty this one",
                       folder, digits, cosine_there, digits, cosine_here);
}

static pkin_status check_key(const pkin_i_checkpoint *self, const pkin_i_checkpoint_key *there) {
    const pkin_i_checkpoint_key *here = &self->key;
    if (here->within != there->within) return other_rows(self->folder, "the numbers of sides");
    if (here->n_columns != there->n_columns) return other_rows(self->folder, "the numbers of columns");
    if (here->n_rows_a != there->n_rows_a) return other_rows(self->folder, "the numbers of rows");
    if (here->n_rows_b != there->n_rows_b) return other_rows(self->folder, "the numbers of rows of the other side");
    if (here->fingerprint_a != there->fingerprint_a) return other_rows(self->folder, "the weights of the rows");
    if (here->fingerprint_b != there->fingerprint_b) return other_rows(self->folder, "the weights of the other side");
    if (here->min_score != there->min_score) return other_threshold(self->folder, there->min_score, here->min_score);
    return PKIN_OK;
}

static pkin_status read_borders(const char *text, const char *path, uint64_t n_strips, uint64_t *borders) {
    for (uint64_t s = 0; s <= n_strips; s++) {
        int n = 0;
        if (sscanf(text, "%" SCNu64 "\n%n", &borders[s], &n) != 1 || n == 0 || (s > 0 && borders[s] < borders[s - 1])) {
            return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s: border %" PRIu64 " of the strips is wrong; empty the folder",
                               path, s);
        }
        text += n;
    }
    return PKIN_OK;
}

/* Takes over what an earlier call began; leaves n_strips 0 where none did. */
static pkin_status read_manifest(pkin_i_checkpoint *self) {
    pkin_status status;
    pkin_i_buffer text = {0}, path = {0};
    pkin_i_checkpoint_key there = {0};
    uint64_t *borders = NULL, n_strips = 0;
    const char *at = NULL;
    int version = 0;
    PKIN_TRY(path_of(self->folder, MANIFEST_NAME, &path));
    if (access(path.bytes, F_OK) != 0 && errno == ENOENT) goto out;
    PKIN_TRY(pkin_i_file_read(path.bytes, &text));
    PKIN_REQUIRE(checksum_is_right(&text), PKIN_ERROR_CORRUPT,
                 "%s: damaged, or no checkpoint of a join; empty the folder, or name another one", path.bytes);
    PKIN_REQUIRE(sscanf(text.bytes, "paperkin checkpoint of a join, version %d", &version) == 1 &&
                     version == FORMAT_VERSION,
                 PKIN_ERROR_UNSUPPORTED,
                 "%s: written by another version of paperkin (%d, not %d); empty the folder, or name another one",
                 path.bytes, version, FORMAT_VERSION);
    PKIN_REQUIRE(parse_manifest(text.bytes, &there, &n_strips, &at), PKIN_ERROR_CORRUPT,
                 "%s: cannot be understood; empty the folder, or name another one", path.bytes);
    PKIN_TRY(check_key(self, &there));
    PKIN_TRY(pkin_i_allocate(n_strips + 1, sizeof *borders, &borders));
    PKIN_TRY(read_borders(at, path.bytes, n_strips, borders));
    PKIN_TRY(set_strips(self, borders, n_strips));
    PKIN_TRY(find_done(self));
out:
    pkin_i_free(borders);
    pkin_i_buffer_free(&text);
    pkin_i_buffer_free(&path);
    return status;
}

pkin_status pkin_i_checkpoint_begin(pkin_i_checkpoint *self, const uint64_t *borders, size_t n_strips) {
    pkin_status status = write_manifest(self, borders, n_strips);
    return status == PKIN_OK ? set_strips(self, borders, n_strips) : status;
}

pkin_status pkin_i_checkpoint_open(const char *folder, const pkin_i_checkpoint_key *key, pkin_i_checkpoint **out) {
    pkin_status status;
    pkin_i_checkpoint *self = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *self, &self));
    self->lock = -1;
    self->key = *key;
    PKIN_TRY(pkin_i_copy_string(folder, strlen(folder), &self->folder));
    PKIN_TRY(pkin_i_make_directories(folder));
    PKIN_TRY(take_lock(self));
    PKIN_TRY(remove_unfinished(self));
    PKIN_TRY(read_manifest(self));
    *out = self;
    self = NULL;
out:
    pkin_i_checkpoint_close(self);
    return status;
}

void pkin_i_checkpoint_close(pkin_i_checkpoint *self) {
    if (!self) return;
    for (size_t s = 0; self->strips && s < self->n_strips; s++) pkin_i_free(self->strips[s].path);
    pkin_i_free(self->strips);
    pkin_i_free(self->folder);
    if (self->lock >= 0) close(self->lock);
    pkin_i_free(self);
}
