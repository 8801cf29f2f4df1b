/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_TIDY_TEXT_H
#define PKIN_CORPUS_TIDY_TEXT_H

#include "base/buffer.h"
#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

/* What a run of ASCII white space becomes. Runs at either end are dropped. */
typedef enum pkin_i_tidy {
    PKIN_I_TIDY_LINE,      /* one space: titles, names, comments */
    PKIN_I_TIDY_LINES,     /* a line end where the run holds one, else a space: summaries with lists */
    PKIN_I_TIDY_PARAGRAPHS /* arXiv's convention for abstracts: a blank line or an indented line begins a paragraph
                              ('\n'), any other line end is a wrapped line (a space) */
} pkin_i_tidy;

/* Appends `text` so tidied to `out`; a NUL becomes U+FFFD. */
pkin_status pkin_i_tidy_text(pkin_i_tidy how, pkin_i_view text, pkin_i_buffer *out);

/* Appends `text` to `out` with every byte that is not UTF-8 replaced by U+FFFD. */
pkin_status pkin_i_repair_utf8(pkin_i_view text, pkin_i_buffer *out);

PKIN_EXTERN_C_END

#endif
