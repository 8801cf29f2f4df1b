/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_READERS_H
#define PKIN_CORPUS_READERS_H

/* Between the files of this module: what reads one form each, and what collects the facts told about records. */
#include "corpus/corpus_private.h"
#include "corpus/json_shim.h"
#include "corpus/paper_draft.h"

PKIN_EXTERN_C_BEGIN

/* Decompresses in place what has the magic bytes of gzip or zstd, leaves everything else alone; *was_packed tells. */
pkin_status pkin_i_input_unpack(const char *path, pkin_i_buffer *bytes, bool *was_packed);

/* Facts about records in order of their lines, until the calling thread reports them. */
typedef struct pkin_i_note {
    uint64_t line;
    const char *reason;
    int skipped_record;
} pkin_i_note;

/* Papers and notes of one stretch of the input. */
typedef struct pkin_i_harvest {
    pkin_i_arena arena;
    pkin_paper *papers;
    size_t n_papers, papers_capacity;
    pkin_i_note *notes;
    size_t n_notes, notes_capacity;
    uint64_t n_skipped;
    uint64_t n_lines;
} pkin_i_harvest;

pkin_status pkin_i_harvest_paper(pkin_i_harvest *harvest, const pkin_paper *paper);
/* `reason` is copied. */
pkin_status pkin_i_harvest_note(pkin_i_harvest *harvest, uint64_t line, const char *reason, bool skipped_record);
void pkin_i_harvest_free(pkin_i_harvest *harvest);

/* The readers: lines and offsets count from the start of `bytes`, a byte order mark included. */
pkin_status pkin_i_markdown_read(const char *bytes, size_t n_bytes, pkin_i_harvest *harvest);
pkin_status pkin_i_json_lines_read(const char *bytes, size_t n_bytes, int n_threads, pkin_i_harvest *harvest);

/*
 * One JSON object to a draft. *reason is NULL, or why the record is skipped, written to `why` or static. `names` keeps
 * composed author names until the draft is finished.
 */
pkin_status pkin_i_json_record_read(const pkin_i_json_value *object, pkin_i_draft *draft, pkin_i_arena *names,
                                    pkin_i_buffer *why, const char **reason);

/* What the keys of an object say about its form; UNKNOWN where it is no record. */
pkin_format pkin_i_json_record_format(const pkin_i_json_value *object);

PKIN_EXTERN_C_END

#endif
