/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/zip.h"

#include <string.h>

#if defined(PKIN_HAVE_ZLIB)
#include <zlib.h>
#endif

#include "base/failure.h"

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    DIRECTORY_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCAL_BYTES = 30,
    DIRECTORY_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    COMMENT_BYTES_MAX = 0xFFFF,
    EXTRA_64 = 0x0001, /* extra field: sizes and offset in 64 bits */
    VERSION_64 = 45,   /* needed to read it */
    FLAG_ENCRYPTED = 1,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    DATE_1980 = 0x21, /* 1980-01-01: archives of the same content are the same bytes */
    DEFLATE_RATIO_MAX = 1032
};

static uint64_t read_little(const char *bytes, int n) {
    uint64_t value = 0;
    for (int k = n - 1; k >= 0; k--) value = value << 8 | (unsigned char)bytes[k];
    return value;
}

static pkin_status append_little(pkin_i_buffer *buffer, uint64_t value, int n) {
    char bytes[8];
    for (int k = 0; k < n; k++) bytes[k] = (char)(value >> (8 * k) & 0xFF);
    return pkin_i_buffer_append(buffer, bytes, (size_t)n);
}

/* Table t gives what a byte does to the sum t bytes later, so that eight bytes are taken at once ("slicing by 8"). */
static void crc_tables(uint32_t tables[8][256]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? UINT32_C(0xEDB88320) ^ (crc >> 1) : crc >> 1;
        tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int t = 1; t < 8; t++) {
            tables[t][byte] = tables[0][tables[t - 1][byte] & 0xFF] ^ (tables[t - 1][byte] >> 8);
        }
    }
}

uint32_t pkin_i_crc32(const void *bytes, size_t n_bytes) {
    uint32_t tables[8][256], crc = UINT32_MAX;
    const char *p = (const char *)bytes;
    crc_tables(tables);
    for (; n_bytes >= 8; p += 8, n_bytes -= 8) {
        uint64_t word = read_little(p, 8) ^ crc;
        crc = 0;
        for (int t = 0; t < 8; t++) crc ^= tables[7 - t][word >> (8 * t) & 0xFF];
    }
    for (; n_bytes > 0; p++, n_bytes--) crc = tables[0][(crc ^ (unsigned char)*p) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

/* Where the central directory lies, and how many members it names. */
typedef struct zip_directory {
    uint64_t offset, n_bytes, n_members;
} zip_directory;

static int find_end(const char *bytes, size_t n_bytes, size_t *end) {
    if (n_bytes < END_BYTES) return 0;
    for (size_t back = END_BYTES; back <= n_bytes && back <= END_BYTES + COMMENT_BYTES_MAX; back++) {
        size_t at = n_bytes - back;
        if (read_little(bytes + at, 4) != END_SIGNATURE) continue;
        if (read_little(bytes + at + 20, 2) != back - END_BYTES) continue;
        *end = at;
        return 1;
    }
    return 0;
}

static pkin_status find_directory(const char *bytes, size_t n_bytes, const char *path, zip_directory *out) {
    pkin_status status = PKIN_OK;
    size_t end = 0;
    PKIN_REQUIRE(find_end(bytes, n_bytes, &end), PKIN_ERROR_CORRUPT,
                 "%s: no .npz: the end of a zip archive was expected, the file may be cut off", path);
    out->n_members = read_little(bytes + end + 10, 2);
    out->n_bytes = read_little(bytes + end + 12, 4);
    out->offset = read_little(bytes + end + 16, 4);
    if (end >= LOCATOR64_BYTES && read_little(bytes + end - LOCATOR64_BYTES, 4) == LOCATOR64_SIGNATURE) {
        uint64_t at = read_little(bytes + end - LOCATOR64_BYTES + 8, 8);
        PKIN_REQUIRE(n_bytes >= END64_BYTES && at <= n_bytes - END64_BYTES &&
                         read_little(bytes + at, 4) == END64_SIGNATURE,
                     PKIN_ERROR_CORRUPT, "%s: the zip archive's 64-bit directory is not where it should be", path);
        out->n_members = read_little(bytes + at + 32, 8);
        out->n_bytes = read_little(bytes + at + 40, 8);
        out->offset = read_little(bytes + at + 48, 8);
    }
    PKIN_REQUIRE(out->offset <= n_bytes && out->n_bytes <= n_bytes - out->offset, PKIN_ERROR_CORRUPT,
                 "%s: the zip archive's directory lies outside the file", path);
out:
    return status;
}

/* Replaces the 32-bit fields that say "see the 64-bit extra field". False where that field is missing or too short. */
static bool read_extra_64(const char *extra, size_t n_extra, uint64_t *fields[3]) {
    bool wanted = false;
    for (int f = 0; f < 3; f++) wanted = wanted || *fields[f] == UINT32_MAX;
    if (!wanted) return true;
    while (n_extra >= 4) {
        size_t n = read_little(extra + 2, 2);
        const char *at = extra + 4;
        if (n > n_extra - 4) return false;
        if (read_little(extra, 2) == EXTRA_64) {
            for (int f = 0; f < 3; f++) {
                if (*fields[f] != UINT32_MAX) continue;
                if (n < 8) return false;
                *fields[f] = read_little(at, 8);
                at += 8;
                n -= 8;
            }
            return true;
        }
        extra = at + n;
        n_extra -= 4 + n;
    }
    return false;
}

/* Reads the directory entry at `entry`; *n_entry receives its length. */
static pkin_status read_entry(const char *bytes, size_t n_bytes, const char *path, const char *entry, size_t n_left,
                              pkin_i_zip_member *out, size_t *n_entry) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(n_left >= DIRECTORY_BYTES && read_little(entry, 4) == DIRECTORY_SIGNATURE, PKIN_ERROR_CORRUPT,
                 "%s: the zip archive's directory is damaged", path);
    size_t n_name = read_little(entry + 28, 2), n_extra = read_little(entry + 30, 2),
           n_comment = read_little(entry + 32, 2);
    *n_entry = DIRECTORY_BYTES + n_name + n_extra + n_comment;
    PKIN_REQUIRE(*n_entry <= n_left, PKIN_ERROR_CORRUPT, "%s: the zip archive's directory is cut off", path);
    uint64_t n_packed = read_little(entry + 20, 4), unpacked = read_little(entry + 24, 4),
             offset = read_little(entry + 42, 4);
    uint64_t *fields[3] = {&unpacked, &n_packed, &offset}; /* in the order of the extra field */
    PKIN_REQUIRE(read_extra_64(entry + DIRECTORY_BYTES + n_name, n_extra, fields), PKIN_ERROR_CORRUPT,
                 "%s: a member's 64-bit sizes are missing", path);
    PKIN_REQUIRE(n_bytes >= LOCAL_BYTES && offset <= n_bytes - LOCAL_BYTES &&
                     read_little(bytes + offset, 4) == LOCAL_SIGNATURE,
                 PKIN_ERROR_CORRUPT, "%s: a member is not where the directory says", path);
    uint64_t begin = offset + LOCAL_BYTES + read_little(bytes + offset + 26, 2) + read_little(bytes + offset + 28, 2);
    PKIN_REQUIRE(begin <= n_bytes && n_packed <= n_bytes - begin, PKIN_ERROR_CORRUPT, "%s: a member is cut off", path);
    PKIN_REQUIRE(!(read_little(entry + 8, 2) & FLAG_ENCRYPTED), PKIN_ERROR_UNSUPPORTED, "%s: encrypted members", path);
    *out = (pkin_i_zip_member){.name = entry + DIRECTORY_BYTES,
                               .n_name = n_name,
                               .method = (unsigned)read_little(entry + 10, 2),
                               .crc = (uint32_t)read_little(entry + 16, 4),
                               .packed = bytes + begin,
                               .n_packed = n_packed,
                               .n_bytes = unpacked};
out:
    return status;
}

pkin_status pkin_i_zip_find(const char *bytes, size_t n_bytes, const char *path, const char *name,
                            pkin_i_zip_member *out) {
    pkin_status status;
    zip_directory directory = {0, 0, 0};
    PKIN_TRY(find_directory(bytes, n_bytes, path, &directory));
    const char *entry = bytes + directory.offset;
    size_t n_left = directory.n_bytes, n_entry = 0;
    for (uint64_t m = 0; m < directory.n_members; m++, entry += n_entry, n_left -= n_entry) {
        pkin_i_zip_member member;
        PKIN_TRY(read_entry(bytes, n_bytes, path, entry, n_left, &member, &n_entry));
        if (member.n_name != strlen(name) || memcmp(member.name, name, member.n_name) != 0) continue;
        *out = member;
        return PKIN_OK;
    }
    return pkin_i_fail(PKIN_ERROR_NOT_FOUND, "%s: no member %s in the archive", path, name);
out:
    return status;
}

#if defined(PKIN_HAVE_ZLIB)
static voidpf zlib_allocate(voidpf user, uInt count, uInt n_bytes) {
    void *block = NULL;
    (void)user;
    return pkin_i_allocate(count, n_bytes, &block) == PKIN_OK ? block : NULL;
}

static void zlib_release(voidpf user, voidpf block) {
    (void)user;
    pkin_i_free(block);
}

/* Unpacks into exactly member->n_bytes bytes; more or fewer are an error. zlib counts in 32 bits, hence the pieces. */
static int inflate_all(const pkin_i_zip_member *member, char *out) {
    enum { PIECE_BYTES = 1 << 30 };
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_release};
    size_t n_in = member->n_packed, n_out = member->n_bytes;
    Bytef extra; /* room behind the last byte, so that a longer member is noticed */
    int result = inflateInit2(&stream, -MAX_WBITS);
    stream.next_in = (Bytef *)(uintptr_t)member->packed;
    stream.next_out = (Bytef *)out;
    while (result == Z_OK) {
        if (stream.avail_in == 0 && n_in > 0) {
            stream.avail_in = n_in < PIECE_BYTES ? (uInt)n_in : PIECE_BYTES;
            n_in -= stream.avail_in;
        }
        if (stream.avail_out == 0 && n_out > 0) {
            stream.avail_out = n_out < PIECE_BYTES ? (uInt)n_out : PIECE_BYTES;
            n_out -= stream.avail_out;
        } else if (stream.avail_out == 0) {
            stream.next_out = &extra;
            stream.avail_out = 1;
        }
        result = inflate(&stream, Z_NO_FLUSH);
        if (stream.next_out == &extra + 1) result = Z_DATA_ERROR;
    }
    uint64_t n_unpacked = stream.total_out;
    inflateEnd(&stream);
    return result == Z_STREAM_END && n_unpacked == member->n_bytes ? Z_OK
           : result == Z_MEM_ERROR                                 ? result
                                                                   : Z_DATA_ERROR;
}

static pkin_status unpack_deflated(const pkin_i_zip_member *member, const char *path, char *out) {
    int result = inflate_all(member, out);
    if (result == Z_MEM_ERROR) return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", path);
    if (result != Z_OK) return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s: a compressed member is damaged", path);
    return PKIN_OK;
}
#else
static pkin_status unpack_deflated(const pkin_i_zip_member *member, const char *path, char *out) {
    (void)member;
    (void)out;
    return pkin_i_fail(
        PKIN_ERROR_UNSUPPORTED,
        "%s: compressed; built without zlib, so save it with scipy.sparse.save_npz(..., compressed=False)", path);
}
#endif

pkin_status pkin_i_zip_unpack(const pkin_i_zip_member *member, const char *path, pkin_i_buffer *out) {
    pkin_status status;
    size_t at = out->n_bytes;
    PKIN_REQUIRE(member->method == METHOD_STORED || member->method == METHOD_DEFLATED, PKIN_ERROR_UNSUPPORTED,
                 "%s: zip method %u; stored and deflated members can be read", path, member->method);
    /* No more memory is asked for than the packed bytes can yield. */
    uint64_t n_most = member->method == METHOD_STORED ? member->n_packed : (member->n_packed + 1) * DEFLATE_RATIO_MAX;
    PKIN_REQUIRE(member->n_bytes <= n_most && (member->method != METHOD_STORED || member->n_bytes == n_most),
                 PKIN_ERROR_CORRUPT, "%s: a member's sizes contradict each other", path);
    PKIN_TRY(pkin_i_buffer_reserve(out, member->n_bytes));
    if (member->method == METHOD_STORED) {
        memcpy(out->bytes + at, member->packed, member->n_packed);
    } else {
        PKIN_TRY(unpack_deflated(member, path, out->bytes + at));
    }
    PKIN_REQUIRE(pkin_i_crc32(out->bytes + at, member->n_bytes) == member->crc, PKIN_ERROR_CORRUPT,
                 "%s: a member's checksum is wrong: the file is damaged", path);
    out->n_bytes += member->n_bytes;
    out->bytes[out->n_bytes] = '\0';
out:
    return status;
}

/* Local header: 32-bit sizes say "see the extra field", which holds both sizes. Sizes and checksum are set at the end.
 */
pkin_status pkin_i_zip_begin_member(pkin_i_zip_writer *writer, const char *name) {
    pkin_status status;
    pkin_i_buffer *archive = &writer->archive;
    writer->member_begin = archive->n_bytes;
    PKIN_TRY(append_little(archive, LOCAL_SIGNATURE, 4));
    PKIN_TRY(append_little(archive, VERSION_64, 2));
    PKIN_TRY(append_little(archive, 0, 2)); /* flags */
    PKIN_TRY(append_little(archive, METHOD_STORED, 2));
    PKIN_TRY(append_little(archive, 0, 2)); /* time */
    PKIN_TRY(append_little(archive, DATE_1980, 2));
    PKIN_TRY(append_little(archive, 0, 4)); /* checksum, still unknown */
    PKIN_TRY(append_little(archive, UINT32_MAX, 4));
    PKIN_TRY(append_little(archive, UINT32_MAX, 4));
    PKIN_TRY(append_little(archive, strlen(name), 2));
    PKIN_TRY(append_little(archive, 20, 2));
    PKIN_TRY(pkin_i_buffer_string(archive, name));
    PKIN_TRY(append_little(archive, EXTRA_64, 2));
    PKIN_TRY(append_little(archive, 16, 2));
    PKIN_TRY(append_little(archive, 0, 8)); /* sizes, still unknown */
    PKIN_TRY(append_little(archive, 0, 8));
    writer->contents_begin = archive->n_bytes;
out:
    return status;
}

static void overwrite_little(char *bytes, uint64_t value, int n) {
    for (int k = 0; k < n; k++) bytes[k] = (char)(value >> (8 * k) & 0xFF);
}

static pkin_status append_entry(pkin_i_buffer *directory, const char *name, uint32_t crc, uint64_t n_bytes,
                                uint64_t offset) {
    pkin_status status;
    PKIN_TRY(append_little(directory, DIRECTORY_SIGNATURE, 4));
    PKIN_TRY(append_little(directory, VERSION_64, 2)); /* made by */
    PKIN_TRY(append_little(directory, VERSION_64, 2)); /* needed */
    PKIN_TRY(append_little(directory, 0, 2));
    PKIN_TRY(append_little(directory, METHOD_STORED, 2));
    PKIN_TRY(append_little(directory, 0, 2));
    PKIN_TRY(append_little(directory, DATE_1980, 2));
    PKIN_TRY(append_little(directory, crc, 4));
    PKIN_TRY(append_little(directory, UINT32_MAX, 4));
    PKIN_TRY(append_little(directory, UINT32_MAX, 4));
    PKIN_TRY(append_little(directory, strlen(name), 2));
    PKIN_TRY(append_little(directory, 28, 2)); /* extra field */
    PKIN_TRY(append_little(directory, 0, 2));  /* comment */
    PKIN_TRY(append_little(directory, 0, 2));  /* disk */
    PKIN_TRY(append_little(directory, 0, 6));  /* attributes */
    PKIN_TRY(append_little(directory, UINT32_MAX, 4));
    PKIN_TRY(pkin_i_buffer_string(directory, name));
    PKIN_TRY(append_little(directory, EXTRA_64, 2));
    PKIN_TRY(append_little(directory, 24, 2));
    PKIN_TRY(append_little(directory, n_bytes, 8));
    PKIN_TRY(append_little(directory, n_bytes, 8));
    PKIN_TRY(append_little(directory, offset, 8));
out:
    return status;
}

pkin_status pkin_i_zip_end_member(pkin_i_zip_writer *writer, const char *name) {
    char *bytes = writer->archive.bytes;
    uint64_t n_bytes = writer->archive.n_bytes - writer->contents_begin;
    uint32_t crc = pkin_i_crc32(bytes + writer->contents_begin, n_bytes);
    overwrite_little(bytes + writer->member_begin + 14, crc, 4);
    overwrite_little(bytes + writer->contents_begin - 16, n_bytes, 8);
    overwrite_little(bytes + writer->contents_begin - 8, n_bytes, 8);
    writer->n_members++;
    return append_entry(&writer->directory, name, crc, n_bytes, writer->member_begin);
}

pkin_status pkin_i_zip_finish(pkin_i_zip_writer *writer) {
    pkin_status status;
    pkin_i_buffer *archive = &writer->archive;
    uint64_t directory_begin = archive->n_bytes, n_directory = writer->directory.n_bytes;
    uint64_t end64_begin = directory_begin + n_directory;
    PKIN_TRY(pkin_i_buffer_append(archive, writer->directory.bytes, n_directory));
    PKIN_TRY(append_little(archive, END64_SIGNATURE, 4));
    PKIN_TRY(append_little(archive, END64_BYTES - 12, 8)); /* what follows this field */
    PKIN_TRY(append_little(archive, VERSION_64, 2));
    PKIN_TRY(append_little(archive, VERSION_64, 2));
    PKIN_TRY(append_little(archive, 0, 8)); /* disks */
    PKIN_TRY(append_little(archive, writer->n_members, 8));
    PKIN_TRY(append_little(archive, writer->n_members, 8));
    PKIN_TRY(append_little(archive, n_directory, 8));
    PKIN_TRY(append_little(archive, directory_begin, 8));
    PKIN_TRY(append_little(archive, LOCATOR64_SIGNATURE, 4));
    PKIN_TRY(append_little(archive, 0, 4));
    PKIN_TRY(append_little(archive, end64_begin, 8));
    PKIN_TRY(append_little(archive, 1, 4)); /* disks in all */
    PKIN_TRY(append_little(archive, END_SIGNATURE, 4));
    PKIN_TRY(append_little(archive, 0, 4));
    PKIN_TRY(append_little(archive, writer->n_members, 2));
    PKIN_TRY(append_little(archive, writer->n_members, 2));
    PKIN_TRY(append_little(archive, UINT32_MAX, 4));
    PKIN_TRY(append_little(archive, UINT32_MAX, 4));
    PKIN_TRY(append_little(archive, 0, 2));
out:
    return status;
}

void pkin_i_zip_writer_free(pkin_i_zip_writer *writer) {
    pkin_i_buffer_free(&writer->archive);
    pkin_i_buffer_free(&writer->directory);
    *writer = (pkin_i_zip_writer){0};
}
