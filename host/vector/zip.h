/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_ZIP_H
#define PKIN_VECTOR_ZIP_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/*
 * The part of the ZIP format (PKWARE APPNOTE 6.3) that `.npz` needs: stored and deflated members, 64-bit sizes; no
 * encryption, no split archives. Bytes come from strangers: every offset and size is checked.
 */
typedef struct pkin_i_zip_member {
    const char *name; /* borrowed from the archive, not NUL-terminated */
    size_t n_name;
    unsigned method; /* 0 stored, 8 deflated */
    uint32_t crc;
    const char *packed; /* borrowed from the archive */
    size_t n_packed;
    uint64_t n_bytes; /* unpacked, as the archive claims */
} pkin_i_zip_member;

/*
 * Finds a member by name in the archive `bytes`; `path` is what messages call it. PKIN_ERROR_NOT_FOUND where there is
 * none of that name, PKIN_ERROR_CORRUPT where the archive is damaged. Linear in the number of members.
 */
pkin_status pkin_i_zip_find(const char *bytes, size_t n_bytes, const char *path, const char *name,
                            pkin_i_zip_member *out);

/* The member's bytes, unpacked and checked against its CRC-32, appended to `out`. */
pkin_status pkin_i_zip_unpack(const pkin_i_zip_member *member, const char *path, pkin_i_buffer *out);

/* An archive in the making. Zero-initialise to start; members are stored, all sizes are written as 64 bits. */
typedef struct pkin_i_zip_writer {
    pkin_i_buffer archive;
    pkin_i_buffer directory;
    uint64_t n_members;
    size_t member_begin;   /* offset of the open member's local header */
    size_t contents_begin; /* offset of its contents */
} pkin_i_zip_writer;

/* Begins a member; whatever is then appended to `writer->archive` are its contents, until pkin_i_zip_end_member. */
pkin_status pkin_i_zip_begin_member(pkin_i_zip_writer *writer, const char *name);
pkin_status pkin_i_zip_end_member(pkin_i_zip_writer *writer, const char *name);
/* Writes the directory behind the members: `writer->archive` is then a whole file. */
pkin_status pkin_i_zip_finish(pkin_i_zip_writer *writer);
void pkin_i_zip_writer_free(pkin_i_zip_writer *writer);

/* CRC-32 as ZIP has it (polynomial 0xEDB88320, reflected). */
uint32_t pkin_i_crc32(const void *bytes, size_t n_bytes);

PKIN_EXTERN_C_END

#endif
