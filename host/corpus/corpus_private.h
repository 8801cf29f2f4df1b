/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_CORPUS_PRIVATE_H
#define PKIN_CORPUS_CORPUS_PRIVATE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/* Strings and lists of papers, constant once read: corpora that were merged point into those of their inputs. */
typedef struct pkin_i_strings {
    pkin_i_arena arena;
    size_t n_owners; /* changed atomically: owners may be freed by different threads */
} pkin_i_strings;

/* One owner, the caller. */
pkin_status pkin_i_strings_create(pkin_i_strings **out);
void pkin_i_strings_share(pkin_i_strings *strings);
/* The last owner frees. Accepts NULL. */
void pkin_i_strings_release(pkin_i_strings *strings);

struct pkin_corpus {
    pkin_i_strings **strings; /* every string and list of the papers, and `name` */
    size_t n_strings, strings_capacity;
    pkin_paper *papers;
    uint64_t n_papers;
    size_t capacity;
    pkin_format format;
    uint64_t n_skipped;
    const char *name;
    pkin_i_buffer bytes; /* the decompressed input; empty for a merged corpus */
};

/* Bytes of a file or standard input, decompressed (gzip, zstd; several members or frames). */
pkin_status pkin_i_input_read(const char *path, pkin_i_buffer *out);
/* The same, and whether anything had to be decompressed. A pipe can be read once: nobody may look at the path again. */
pkin_status pkin_i_input_read_telling(const char *path, pkin_i_buffer *out, bool *was_packed);
/* As pkin_i_input_read; a large file is read by up to `n_threads` threads, 0: all. `out` is empty. */
pkin_status pkin_i_input_read_parallel(const char *path, int n_threads, pkin_i_buffer *out);

/* Tells the form of decompressed bytes; PKIN_FORMAT_UNKNOWN where it is none of them. */
pkin_format pkin_i_format_detect(const char *bytes, size_t n_bytes);

/* Takes over `bytes` (emptied, also on failure) and reads papers from them. */
pkin_status pkin_i_corpus_read_buffer(pkin_i_buffer *bytes, const char *name, const pkin_read_options *options,
                                      pkin_corpus **out);

/* An arXiv id found in `text` at its start: "2512.11762v2", "hep-th/9901001". Its bytes without version; 0: none. */
size_t pkin_i_arxiv_id(const char *text, unsigned *version);

PKIN_EXTERN_C_END

#endif
