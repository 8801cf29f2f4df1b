/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_DIGEST_H
#define PAPERKIN_DIGEST_H

#include "paperkin/groups.h"
#include "paperkin/store.h"

PKIN_EXTERN_C_BEGIN

/* ---- The gate: what of today's crawl is worth a language model's time ---------------------------------------- */

typedef enum pkin_new_versions {
    PKIN_NEW_VERSIONS_KEEP = 0, /* new papers and new versions of known ones */
    PKIN_NEW_VERSIONS_DROP,     /* new papers alone */
    PKIN_NEW_VERSIONS_ONLY      /* new versions alone */
} pkin_new_versions;

typedef struct pkin_gate_options {
    size_t size;                    /* sizeof(pkin_gate_options), set by _default */
    pkin_new_versions new_versions;
    int record;                     /* 1 (default): remember today's papers as seen; 0: ask only */
    const char *date;               /* as in pkin_ingest_options */
    int n_threads;
    pkin_diagnostic_fn on_diagnostic;
    void *diagnostic_user;
} pkin_gate_options;

PKIN_API pkin_gate_options pkin_gate_options_default(void);

typedef struct pkin_gate_report {
    char date[11];
    uint64_t n_records;
    uint64_t n_skipped;       /* unreadable; not written */
    uint64_t n_papers;        /* distinct */
    uint64_t n_repeats_inside;/* records that repeat a paper of the same file */
    uint64_t n_repeats;       /* papers seen in an earlier digest */
    uint64_t n_new_versions;  /* papers seen earlier under lower versions only */
    uint64_t n_new;
    uint64_t n_written;       /* lines written */
} pkin_gate_report;

/*
 * Copies those lines of a JSON lines file, byte for byte, whose papers the store has not seen in an earlier digest,
 * under whichever version and however long ago; of several lines for one paper the first. A digest is earlier when its
 * date is, or when it has the same date, another name and was recorded before: asking again about the same digest gives
 * the same answer. `out_path` "-" is standard output, written after the store remembers; else it is replaced atomically, before.
 */
PKIN_API pkin_status pkin_gate_run(pkin_store *store, const char *path, const char *out_path,
                                   const pkin_gate_options *options, pkin_gate_report *report);

/* ---- The main job: digests annotated ---------------------------------------------------------------------------- */

#define PKIN_LANGUAGES_EN 1
#define PKIN_LANGUAGES_ZH 2
#define PKIN_LANGUAGES_BOTH 3

typedef struct pkin_digest_options {
    size_t size;               /* sizeof(pkin_digest_options), set by _default */
    const char *out_dir;       /* where the annotated files go, under their own names; made when missing */
    int in_place;              /* replace the inputs atomically instead; out_dir is then ignored */
    int dry_run;               /* write neither files nor store; on_text receives a unified diff */
    int languages;             /* PKIN_LANGUAGES_*, default EN */
    uint32_t n_related;        /* links a paper, at most; default 5 */
    double related_floor;      /* cosine that a related paper must reach, default 0.13: these weights give lower
                                  cosines than plain ones */
    const char *date;          /* as in pkin_ingest_options; only with a single file */
    const char *backend;       /* as in pkin_similarity_options; NULL: auto */
    int n_threads;
    pkin_diagnostic_fn on_diagnostic;
    void *diagnostic_user;
    pkin_progress_fn on_progress;
    void *progress_user;
    void (*on_text)(void *user, const char *bytes, size_t n_bytes); /* the diff of a dry run */
    void *text_user;
    int threads;               /* name each paper's thread: -1 (default) where the store has threads; 0: no; 1: find
                                  them even if there were none. They are updated as by pkin_threads_update */
    int novelty;               /* 1 (default): tell how far each paper is from all earlier ones */
} pkin_digest_options;

PKIN_API pkin_digest_options pkin_digest_options_default(void);

typedef struct pkin_digest_file_report {
    char *path;
    char *out_path;            /* "" in a dry run */
    pkin_format format;
    char date[11];
    int changed;               /* the written bytes differ from the input's */
    uint64_t n_records;
    uint64_t n_skipped;
    uint64_t n_papers;
    uint64_t n_repeats;        /* papers seen in an earlier digest, new versions apart */
    uint64_t n_repeats_inside; /* records that repeat a paper of the same file */
    uint64_t n_new_versions;
    uint64_t n_same_work;
    uint64_t n_probably_same;
    uint64_t n_series_parts;
    uint64_t n_sisters;
    uint64_t n_with_related;   /* papers that got at least one related link */
    uint64_t n_related_links;
    uint64_t n_in_threads;     /* papers that are in a thread */
    uint64_t n_threads_today;  /* threads that these are in */
    uint64_t n_new_threads;    /* of them born at this digest */
} pkin_digest_file_report;

typedef struct pkin_digest_report {
    pkin_digest_file_report *files;
    size_t n_files;
    uint64_t n_store_papers;   /* papers in the store, the history that was searched */
    double seconds_ingest;
    double seconds_vectors;
    double seconds_similarity;
    double seconds_write;
    double seconds_threads;
    double seconds_novelty;
    uint64_t n_papers_today;   /* distinct papers of the files */
    int with_threads;          /* 1: threads were found; counts of threads are 0 else */
    uint64_t n_in_threads;     /* as in the files, each paper and thread counted once */
    uint64_t n_threads_today;
    uint64_t n_new_threads;
} pkin_digest_report;

/*
 * Ingests the files, compares their papers with one another and with the whole history, and writes each file again with
 * a block per paper: where it was seen before, verdicts with their reasons, its thread, its novelty, related papers.
 * Markdown gets a block between marker comments after each entry, and one at the top that tells the threads of the day;
 * JSON lines a member "paperkin" at the end of each object; every other byte stays. Blocks of an earlier run are replaced, so that running again changes nothing. The result depends on the
 * store's content and the files alone. Links, verdicts and threads are kept in the store. Each paper is judged against the 64
 * papers closest to it, at most, so that a flood of copies takes bounded work. On failure no output file is half
 * written; files before the failing one are complete. PKIN_ERROR_CANCELLED, from on_progress, likewise leaves no file
 * half written: the files ingested and those written so far stay, and running again completes the job. Marker lines of
 * Markdown that do not pair, and records with a member "paperkin" of somebody else's, which get none, are told through
 * on_diagnostic. Free the report with pkin_digest_report_free, also after a failure.
 */
PKIN_API pkin_status pkin_digest_run(pkin_store *store, const char *const *paths, size_t n_paths,
                                     const pkin_digest_options *options, pkin_digest_report *report);
PKIN_API void pkin_digest_report_free(pkin_digest_report *report);

/*
 * Gives back the bytes from before annotation, exactly. `n_blocks` (may be NULL) receives how many blocks were removed.
 * Markers that do not pair up are PKIN_ERROR_CORRUPT with the line, and nothing is written. A member "paperkin" that
 * does not begin with `"version": <number>, "key": "` is somebody else's and stays.
 * Of `options`, out_dir, in_place, dry_run and on_text count.
 */
PKIN_API pkin_status pkin_digest_strip(const char *path, const pkin_digest_options *options, uint64_t *n_blocks);

PKIN_EXTERN_C_END

#endif
