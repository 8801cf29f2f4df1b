/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_ANNOTATE_H
#define PKIN_DIGEST_ANNOTATE_H

#include "digest/annotation.h"
#include "digest/day_threads.h"

PKIN_EXTERN_C_BEGIN

/* A digest being written again: everything of `bytes` before `at` is in `out`. */
typedef struct pkin_i_annotator {
    const char *bytes; /* without blocks */
    size_t n_bytes;
    size_t at;
    pkin_format format;
    int languages;
    uint64_t foreign_line; /* the first record that has a member of paperkin's name from somebody else; 0: none has */
    pkin_i_buffer *out;
} pkin_i_annotator;

/*
 * Copies up to the place that belongs to `record`, and inserts the annotation there; records in ascending order. A
 * record in whose bytes nothing can be inserted stays as it is; so does one that has a member `paperkin` of somebody
 * else's, since no object may have two.
 */
pkin_status pkin_i_annotator_insert(pkin_i_annotator *annotator, const pkin_paper *record,
                                    const pkin_i_annotation *annotation);

/*
 * Inserts the section that `threads` of `file` make, at the top of a Markdown digest: behind a byte order mark and
 * behind front matter. Before any record. Nothing where no paper is in a thread, and in other forms.
 */
pkin_status pkin_i_annotator_insert_section(pkin_i_annotator *annotator, const pkin_i_day_threads *threads,
                                            const pkin_i_day_file *file);

/* Copies the rest. */
pkin_status pkin_i_annotator_finish(pkin_i_annotator *annotator);

PKIN_EXTERN_C_END

#endif
