/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_MARKDOWN_LABEL_H
#define PKIN_CORPUS_MARKDOWN_LABEL_H

#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

/* What a labelled part of an entry is for. */
typedef enum pkin_i_field {
    PKIN_I_FIELD_NONE,
    PKIN_I_FIELD_SUMMARY,
    PKIN_I_FIELD_ABSTRACT,
    PKIN_I_FIELD_COMMENT,
    PKIN_I_FIELD_CATEGORY,
    PKIN_I_FIELD_AUTHORS,
    PKIN_I_FIELD_DOI,
    PKIN_I_FIELD_DATE,
    PKIN_I_FIELD_IGNORED
} pkin_i_field;

/*
 * The field that a line opens: `Method: text`, `**TL;DR**: text`, `**Comment:** text`, `**Main category: cs.CV**`,
 * `### Background`, `#### (emoji) Abstract`. *value is the rest of the line. NONE: the line has no known label. The
 * label stands at the very start of the line: an indented one belongs to the text.
 */
pkin_i_field pkin_i_label_read(pkin_i_view line, pkin_i_view *value);

/* Without `> ` at the start. */
pkin_i_view pkin_i_unquote(pkin_i_view line);

PKIN_EXTERN_C_END

#endif
