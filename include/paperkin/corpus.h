/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_CORPUS_H
#define PAPERKIN_CORPUS_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/* The forms that papers come in. Told from the content, never from the file's name. */
typedef enum pkin_format {
    PKIN_FORMAT_UNKNOWN = 0,
    PKIN_FORMAT_MARKDOWN,      /* a daily digest in Markdown: `### [n] [title](link)` and what follows */
    PKIN_FORMAT_CRAWL,         /* JSON lines as crawled: id, title, authors, categories, comment, summary */
    PKIN_FORMAT_ENHANCED,      /* the same with an `AI` object of machine-written summaries */
    PKIN_FORMAT_SNAPSHOT,      /* arXiv metadata snapshot lines: id, title, abstract, versions, authors_parsed, ... */
    PKIN_FORMAT_RECORDS        /* other JSON lines with an id, a title and an abstract */
} pkin_format;

PKIN_API const char *pkin_format_name(pkin_format format);

/*
 * One paper as one record told it. Strings are UTF-8, NUL-terminated, never NULL ("" where the record has none), and
 * live as long as the corpus. No string holds a NUL of its own: readers replace it by U+FFFD.
 */
typedef struct pkin_paper {
    const char *key;      /* identity: "arxiv:2512.11762", else "doi:10.1000/xyz" (lower case), else
                             "title:<normalised title>|<normalised first author>", else (a title without a letter or
                             digit) "id:<the record's own id>". The arXiv id is looked for in the record's id, links
                             and DOI; old-style ids go in lower case and without subject class:
                             "arxiv:math/0309136". LaTeX's `$ ^ _ { } \` in a title do not count. */
    const char *id;       /* as people write it: arXiv id without version, DOI, else the record's own id, else the key */
    unsigned version;     /* arXiv version, 0 where the record names none */
    const char *title;
    const char *abstract; /* paragraphs separated by '\n'; "" where unknown, or only an error */
    const char *summary;  /* machine-written summary parts joined by '\n'; failed ones ("Error", ...) are left out */
    const char *comment;
    const char *doi;
    const char *link;     /* abstract page, http or https; made from the arXiv id or DOI where the record names none;
                             else "" */
    const char *date;     /* "YYYY-MM-DD", a day of the calendar, or "" */
    const char *const *authors;
    const char *const *categories; /* primary first */
    uint32_t n_authors;
    uint32_t n_categories;
    uint32_t n_failed_summaries; /* summary parts, and abstracts, that held only an error */
    uint64_t line;        /* 1-based line of the record in the decompressed input */
    uint64_t begin;       /* byte range [begin, end) of the record in the decompressed input, see pkin_corpus_bytes. */
    uint64_t end;         /* Markdown: begin of the heading's line to just past the line end of the last line that is
                             not blank. JSON lines: the line without its line end. A byte order mark is before begin. */
} pkin_paper;

/* Papers in the order in which they were read, repeats included. Immutable once read; threads may share it. */
typedef struct pkin_corpus pkin_corpus;

typedef struct pkin_read_options {
    size_t size;                       /* sizeof(pkin_read_options), set by _default */
    pkin_format format;                /* PKIN_FORMAT_UNKNOWN: detect */
    int n_threads;                     /* 0: all that OpenMP offers. The result does not depend on it. */
    pkin_diagnostic_fn on_diagnostic;  /* may be NULL; called in order of lines, from the calling thread */
    void *diagnostic_user;
} pkin_read_options;

PKIN_API pkin_read_options pkin_read_options_default(void);

/*
 * Reads a digest or corpus; plain, gzip or zstd (told by magic bytes; several members or frames in one file read as
 * one); `path` "-" is standard input. A byte order mark and Windows line ends are accepted. `options` may be NULL.
 * Zeros behind gzip data are padding. A record that cannot be read is reported and counted, and the rest is read. A
 * file without a single record whose form is known is PKIN_ERROR_NOT_A_DIGEST (an empty file, and a digest with a table
 * of contents and no entry, are digests without papers). Blocks that paperkin wrote into a Markdown digest are not part
 * of any paper; a marker line without its other marker is text, and reported.
 * *out is NULL on failure; free with pkin_corpus_free. Time and memory linear in the input.
 */
PKIN_API pkin_status pkin_corpus_read_file(const char *path, const pkin_read_options *options, pkin_corpus **out);

/* The same from memory; `bytes` is copied, `name` is what diagnostics call it. */
PKIN_API pkin_status pkin_corpus_read_memory(const void *bytes, size_t n_bytes, const char *name,
                                             const pkin_read_options *options, pkin_corpus **out);

PKIN_API void pkin_corpus_free(pkin_corpus *corpus);

/* NULL is taken for a corpus without papers, of unknown format and without a name (""). */
PKIN_API uint64_t pkin_corpus_size(const pkin_corpus *corpus);
PKIN_API const pkin_paper *pkin_corpus_paper(const pkin_corpus *corpus, uint64_t index); /* NULL out of range */
PKIN_API pkin_format pkin_corpus_format(const pkin_corpus *corpus);
PKIN_API uint64_t pkin_corpus_n_skipped(const pkin_corpus *corpus);
PKIN_API const char *pkin_corpus_name(const pkin_corpus *corpus);

/* The decompressed input, byte order mark and all; NULL for a corpus that was made by pkin_corpus_unique. */
PKIN_API const void *pkin_corpus_bytes(const pkin_corpus *corpus, size_t *n_bytes);

/*
 * One paper for each key, over one or several corpora, in order of first appearance: the first record's fields, empty
 * ones filled from later records of the same key, version the highest seen. `line`, `begin`, `end` are the first
 * record's. So crawl and enhanced files of one day, read together, complete each other. The corpora may be freed in any
 * order; strings are shared, and live as long as any corpus that uses them.
 */
PKIN_API pkin_status pkin_corpus_unique(const pkin_corpus *const *corpora, size_t n_corpora, pkin_corpus **out);

PKIN_EXTERN_C_END

#endif
