/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_STORE_H
#define PAPERKIN_STORE_H

#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/*
 * The memory of every paper ever seen: one SQLite file (write-ahead log, foreign keys, STRICT tables, an application id
 * and a schema version). A kill at any moment loses at most the file being ingested, which can then be ingested again.
 * A store handle belongs to one thread at a time; several processes may read while one writes.
 */
typedef struct pkin_store pkin_store;

typedef enum pkin_store_mode {
    PKIN_STORE_READ_WRITE = 0, /* create when missing */
    PKIN_STORE_READ_ONLY       /* PKIN_ERROR_NOT_FOUND when missing */
} pkin_store_mode;

/*
 * Opens a store. A file that is no paperkin store is left alone: PKIN_ERROR_STORE; one of a newer schema:
 * PKIN_ERROR_STORE_VERSION. When the tokenizer or its dictionaries have changed since the store was written, stored
 * papers are tokenized again. `path` ":memory:" keeps it in memory. *out is NULL on failure. READ_ONLY works also in a
 * folder that may not be written, where no changes wait in a log beside the file; nobody else may then write to it
 * meanwhile.
 */
PKIN_API pkin_status pkin_store_open(const char *path, pkin_store_mode mode, pkin_store **out);
PKIN_API void pkin_store_close(pkin_store *store);

typedef struct pkin_ingest_options {
    size_t size;      /* sizeof(pkin_ingest_options), set by _default */
    const char *date; /* "YYYY-MM-DD" of the digest; NULL: from the file's name, else today's (UTC), which is told
                         through on_diagnostic */
    /*
     * 1: a background corpus, whose papers are known but were listed nowhere: related papers and verdicts are found
     * among them, and none is "seen before" on its account; 0: a digest; -1 (default): background where the format is
     * PKIN_FORMAT_SNAPSHOT. A file that is known already is made what 0 or 1 says.
     */
    int background;
    int n_threads; /* 0: all */
    pkin_diagnostic_fn on_diagnostic;
    void *diagnostic_user;
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_ingest_options;

PKIN_API pkin_ingest_options pkin_ingest_options_default(void);

typedef struct pkin_ingest_report {
    int already_known;        /* this digest, with these bytes, had been ingested: its papers were not changed */
    int background;           /* as the store has it now */
    pkin_format format;
    char date[11];
    uint64_t n_records;       /* readable records */
    uint64_t n_skipped;       /* records that could not be read */
    uint64_t n_papers;        /* distinct papers among them */
    uint64_t n_new;           /* papers that no earlier digest had listed */
    uint64_t n_new_versions;  /* papers seen before under lower versions only */
    uint64_t n_repeats;       /* papers seen before */
} pkin_ingest_report;

/* Reads a digest or corpus and remembers its papers, versions and appearances, in one transaction. */
PKIN_API pkin_status pkin_store_ingest_file(pkin_store *store, const char *path, const pkin_ingest_options *options,
                                            pkin_ingest_report *report);

typedef struct pkin_store_statistics {
    int schema_version;
    uint64_t n_papers;
    uint64_t n_versions;
    uint64_t n_digests;
    uint64_t n_appearances;
    uint64_t n_terms;
    uint64_t n_links;
    uint64_t n_verdicts;
    uint64_t n_bytes;         /* size of the database */
    char first_date[11];      /* of all digests, "" when empty */
    char last_date[11];
    char tokenizer[64];       /* identity of the tokenizer and its dictionaries */
} pkin_store_statistics;

PKIN_API pkin_status pkin_store_describe(pkin_store *store, pkin_store_statistics *out);

PKIN_EXTERN_C_END

#endif
