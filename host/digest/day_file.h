/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_DAY_FILE_H
#define PKIN_DIGEST_DAY_FILE_H

/* One digest file on its way through a run: read, recognised, freed of earlier blocks, and where it is to be written.
 */
#include "base/take_options.h"
#include "corpus/blocks.h"
#include "corpus/corpus_private.h"
#include "paperkin/digest.h"
#include "store/store_private.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_day_file {
    const char *path;      /* the caller's; "-" is standard input */
    pkin_i_buffer present; /* decompressed bytes as they are, blocks of an earlier run included */
    pkin_corpus *corpus;   /* of the bytes without blocks */
    pkin_format format;
    bool is_compressed;
    uint64_t n_blocks;   /* found in `present` */
    uint64_t content[2]; /* identity of the bytes without blocks */
    char *out_path;      /* "-" for standard output; NULL until pkin_i_day_file_place */
    pkin_ingest_report ingest;
    int64_t digest_id;
    int64_t *paper_ids;      /* row id in the store of each record's paper, once ingested */
    uint64_t *first_records; /* index of the first record of each record's paper */
} pkin_i_day_file;

/* Zero-initialise with the path set; free also after a failure. Loading fills present, is_compressed and format alone.
 */
pkin_status pkin_i_day_file_load(pkin_i_day_file *file);
/* Loads, removes earlier blocks and reads the papers. */
pkin_status pkin_i_day_file_read(pkin_i_day_file *file, int n_threads, pkin_diagnostic_fn on_diagnostic,
                                 void *diagnostic_user);
void pkin_i_day_file_free(pkin_i_day_file *file);

/* The name, content and date by which the store knows the file. Borrows from it. */
pkin_i_digest_identity pkin_i_day_file_identity(const pkin_i_day_file *file, const char *date, int same_day_only);

/* Fills first_records. */
pkin_status pkin_i_day_file_find_repeats(pkin_i_day_file *file);

/* Ingests the file and looks up its papers. */
pkin_status pkin_i_day_file_ingest(pkin_store *store, pkin_i_day_file *file, const pkin_ingest_options *options);

/* Exactly one of out_dir, in_place and dry_run says where to write; PKIN_ERROR_INVALID_ARGUMENT tells what is missing.
 */
pkin_status pkin_i_check_destination(const pkin_digest_options *options);

/* Whether both paths lead to one existing file. */
int pkin_i_is_same_file(const char *a, const char *b);

/* Sets out_path: the input itself, a file of the same name in out_dir, or "-". */
pkin_status pkin_i_day_file_place(pkin_i_day_file *file, const pkin_digest_options *options);

/* Refuses two files with one output, and an output that is one of the inputs (but in place). */
pkin_status pkin_i_check_places(const pkin_i_day_file *files, size_t n_files, const pkin_digest_options *options);

/*
 * Writes, or shows as a diff in a dry run, what the file is to become. In place nothing is touched where nothing
 * changed. The output's folder is made when missing.
 */
pkin_status pkin_i_day_file_write(const pkin_i_day_file *file, const pkin_i_buffer *text,
                                  const pkin_digest_options *options);

/*
 * Unified diff from `before` to `after`, three lines of context, given to `on_text` hunk by hunk; nothing where they
 * are equal. Made for texts that differ by paperkin's blocks: any two texts give a correct diff, but not always a short
 * one.
 */
pkin_status pkin_i_unified_diff(const char *name, const pkin_i_buffer *before, const pkin_i_buffer *after,
                                void (*on_text)(void *user, const char *bytes, size_t n_bytes), void *user);

PKIN_EXTERN_C_END

#endif
