/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_MARKDOWN_WRITER_H
#define PKIN_DIGEST_MARKDOWN_WRITER_H

/* What the parts of a digest that paperkin writes in Markdown have in common. Whatever strangers wrote is escaped. */
#include "digest/annotation.h"
#include "digest/phrases.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_markdown_writer {
    pkin_i_buffer *out;
    const char *line_end;
    int languages; /* PKIN_LANGUAGES_* */
} pkin_i_markdown_writer;

/* Chinese alone has its own punctuation. */
const char *pkin_i_markdown_mark(const pkin_i_markdown_writer *writer, const char *english, const char *chinese);

pkin_status pkin_i_markdown_put(const pkin_i_markdown_writer *writer, const char *text);
pkin_status pkin_i_markdown_put_escaped(const pkin_i_markdown_writer *writer, const char *text);
pkin_status pkin_i_markdown_put_phrase(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase);

/* "**Phrase**" */
pkin_status pkin_i_markdown_put_strong(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase);
/* "- **Phrase**: " */
pkin_status pkin_i_markdown_open_labelled(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase);
/* "41 papers" */
pkin_status pkin_i_markdown_put_count(const pkin_i_markdown_writer *writer, uint64_t n, pkin_i_phrase one,
                                      pkin_i_phrase many);

/* "[Title](link)", or the title alone where there is no page to link. */
pkin_status pkin_i_markdown_put_title(const pkin_i_markdown_writer *writer, const pkin_i_partner *partner);
/* "2026-01-05", "2026-01-09, later"; nothing where the date is unknown. */
pkin_status pkin_i_markdown_put_date(const pkin_i_markdown_writer *writer, const pkin_i_partner *partner);

/* A label in the languages asked for; English where there is no Chinese one. */
pkin_status pkin_i_markdown_put_label(const pkin_i_markdown_writer *writer, const char *english, const char *chinese,
                                      const char *between);
/* " · 41 papers · since 2025-11-03 (9 wk) · new today · `tabc2345`" */
pkin_status pkin_i_markdown_put_thread_facts(const pkin_i_markdown_writer *writer, const pkin_i_thread_line *thread);

PKIN_EXTERN_C_END

#endif
