/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <omp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/failure.h"
#include "base/file.h"
#include "corpus/corpus_private.h"
#include "corpus/readers.h"

/* Smaller files are not worth waking threads for. */
enum { PARALLEL_BYTES = 1 << 23, PIECE_BYTES = 1 << 22 };

/* Room offered to the decompressors at a time; the buffer itself at least doubles whenever it is full. */
enum { STEP_BYTES = 1 << 18 };

static bool is_gzip(const pkin_i_buffer *packed) {
    return packed->n_bytes >= 2 && memcmp(packed->bytes, "\x1F\x8B", 2) == 0;
}

/* A frame, or a skippable frame (RFC 8878, 3.1). */
static bool is_zstd(const pkin_i_buffer *packed) {
    if (packed->n_bytes < 4) return false;
    const unsigned char *magic = (const unsigned char *)packed->bytes;
    return memcmp(magic, "\x28\xB5\x2F\xFD", 4) == 0 ||
           ((magic[0] & 0xF0) == 0x50 && !memcmp(magic + 1, "\x2A\x4D\x18", 3));
}

static pkin_status damaged(const char *path, const char *form, const char *what) {
    return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s: the %s data is damaged: %s; fetch or compress the file again", path,
                       form, what);
}

/* The bytes still free behind the content, as many as a decompressor's counter can take. */
static unsigned free_bytes(const pkin_i_buffer *out) {
    size_t room = out->capacity - out->n_bytes - 1;
    return room > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned)room;
}

/* Whether nothing but zeros is left from `at` on: gzip(1) passes over padding to a tape's or a device's block size. */
static bool is_padding(const pkin_i_buffer *packed, size_t at) {
    while (at < packed->n_bytes && packed->bytes[at] == '\0') at++;
    return at == packed->n_bytes;
}

/* One call of inflate; Z_STREAM_END ends a member. */
static pkin_status inflate_step(z_stream *stream, const pkin_i_buffer *packed, size_t *at, pkin_i_buffer *out,
                                int *result) {
    pkin_status status = pkin_i_buffer_reserve(out, STEP_BYTES);
    if (status != PKIN_OK) return status;
    size_t left = packed->n_bytes - *at;
    unsigned offered_in = left > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned)left, offered_out = free_bytes(out);
    stream->next_in = (Bytef *)packed->bytes + *at;
    stream->avail_in = offered_in;
    stream->next_out = (Bytef *)out->bytes + out->n_bytes;
    stream->avail_out = offered_out;
    *result = inflate(stream, Z_NO_FLUSH);
    *at += offered_in - stream->avail_in;
    out->n_bytes += offered_out - stream->avail_out;
    return PKIN_OK;
}

static pkin_status gunzip(const char *path, const pkin_i_buffer *packed, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    z_stream stream = {0};
    size_t at = 0;
    int result;
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", path);
    while (at < packed->n_bytes) {
        PKIN_TRY(inflate_step(&stream, packed, &at, out, &result));
        if (result == Z_STREAM_END) {
            /* Another member may follow, or padding; anything else is rejected by its header. */
            inflateReset(&stream);
            if (is_padding(packed, at)) break;
            continue;
        }
        PKIN_REQUIRE(result != Z_MEM_ERROR, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", path);
        if (result != Z_OK && result != Z_BUF_ERROR) {
            status = damaged(path, "gzip", stream.msg ? stream.msg : "it cannot be decoded");
            goto out;
        }
        if (at == packed->n_bytes && stream.avail_out > 0) {
            status = damaged(path, "gzip", "it ends too early");
            goto out;
        }
    }
    /* The last input byte can be taken before the last output is given. */
    while (stream.total_out > 0) {
        PKIN_TRY(inflate_step(&stream, packed, &at, out, &result));
        if (result == Z_STREAM_END) break;
        if (result != Z_OK) {
            status = damaged(path, "gzip", "it ends too early");
            goto out;
        }
    }
out:
    inflateEnd(&stream);
    return status;
}

static pkin_status unzstd(const char *path, const pkin_i_buffer *packed, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    ZSTD_inBuffer in = {packed->bytes, packed->n_bytes, 0};
    size_t expected = 0;
    bool full = false; /* the last call filled all the room it had: there may be more without further input */
    ZSTD_DCtx *context = ZSTD_createDCtx();
    PKIN_REQUIRE(context, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", path);
    (void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
    while (in.pos < in.size || (full && expected > 0)) {
        PKIN_TRY(pkin_i_buffer_reserve(out, STEP_BYTES));
        ZSTD_outBuffer room = {out->bytes + out->n_bytes, out->capacity - out->n_bytes - 1, 0};
        expected = ZSTD_decompressStream(context, &room, &in);
        if (ZSTD_isError(expected)) {
            status = damaged(path, "zstd", ZSTD_getErrorName(expected));
            goto out;
        }
        out->n_bytes += room.pos;
        full = room.pos == room.size;
    }
    if (expected != 0) status = damaged(path, "zstd", "it ends too early");
out:
    ZSTD_freeDCtx(context);
    return status;
}

pkin_status pkin_i_input_unpack(const char *path, pkin_i_buffer *bytes, bool *was_packed) {
    pkin_status status;
    pkin_i_buffer unpacked = {0};
    bool gzip = is_gzip(bytes);
    *was_packed = gzip || is_zstd(bytes);
    if (!*was_packed) return PKIN_OK;
    PKIN_TRY(pkin_i_buffer_reserve(&unpacked, bytes->n_bytes));
    PKIN_TRY(gzip ? gunzip(path, bytes, &unpacked) : unzstd(path, bytes, &unpacked));
    unpacked.bytes[unpacked.n_bytes] = '\0';
    pkin_i_buffer_free(bytes);
    *bytes = unpacked;
    unpacked = (pkin_i_buffer){0};
out:
    pkin_i_buffer_free(&unpacked);
    return status;
}

/* Fills [begin, end) of `bytes` from the same place of the file. */
static bool read_piece(int descriptor, char *bytes, size_t begin, size_t end) {
    while (begin < end) {
        ssize_t n = pread(descriptor, bytes + begin, end - begin, (off_t)begin);
        if (n <= 0) return false;
        begin += (size_t)n;
    }
    return true;
}

/* Asked before opening: a pipe that has been opened cannot be opened again, what its writer had to say is gone. */
static bool is_large_file(const char *path) {
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= PARALLEL_BYTES;
}

/*
 * A large regular file, by several threads, since most of the time goes into the first touch of the memory. False, and
 * `out` empty, where that does not suit the file, or anything is amiss: reading it in the plain way then tells.
 */
static bool read_in_pieces(const char *path, int n_threads, pkin_i_buffer *out) {
    struct stat info;
    bool whole = false;
    int descriptor = n_threads > 1 && is_large_file(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0) return false;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < PARALLEL_BYTES) goto out;
    size_t n_bytes = (size_t)info.st_size, n_pieces = (n_bytes - 1) / PIECE_BYTES + 1;
    if (pkin_i_buffer_reserve(out, n_bytes) != PKIN_OK) goto out;
    whole = true;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1) reduction(&& : whole)
    for (size_t k = 0; k < n_pieces; k++) {
        size_t begin = k * PIECE_BYTES, end = n_bytes - begin > PIECE_BYTES ? begin + PIECE_BYTES : n_bytes;
        whole = read_piece(descriptor, out->bytes, begin, end) && whole;
    }
    /* Nothing may have been appended meanwhile. */
    char more;
    whole = whole && pread(descriptor, &more, 1, (off_t)n_bytes) == 0;
    out->n_bytes = whole ? n_bytes : 0;
    out->bytes[out->n_bytes] = '\0';
out:
    close(descriptor);
    return whole;
}

pkin_status pkin_i_input_read_parallel(const char *path, int n_threads, pkin_i_buffer *out) {
    bool was_packed;
    if (!read_in_pieces(path, n_threads ? n_threads : omp_get_max_threads(), out)) {
        return pkin_i_input_read_telling(path, out, &was_packed);
    }
    return pkin_i_input_unpack(path, out, &was_packed);
}

pkin_status pkin_i_input_read(const char *path, pkin_i_buffer *out) {
    bool was_packed;
    return pkin_i_input_read_telling(path, out, &was_packed);
}

pkin_status pkin_i_input_read_telling(const char *path, pkin_i_buffer *out, bool *was_packed) {
    pkin_status status;
    pkin_i_buffer bytes = {0};
    PKIN_TRY(pkin_i_file_read(path, &bytes));
    PKIN_TRY(pkin_i_input_unpack(strcmp(path, "-") == 0 ? "standard input" : path, &bytes, was_packed));
    if (out->bytes) {
        PKIN_TRY(pkin_i_buffer_append(out, bytes.bytes, bytes.n_bytes));
    } else {
        *out = bytes;
        bytes = (pkin_i_buffer){0};
    }
out:
    pkin_i_buffer_free(&bytes);
    return status;
}
