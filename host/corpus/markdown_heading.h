/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_MARKDOWN_HEADING_H
#define PKIN_CORPUS_MARKDOWN_HEADING_H

#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

/* Number of `#` of a heading line (1 to 6), 0 for any other line. *text is what follows, trimmed. */
int pkin_i_heading_level(pkin_i_view line, pkin_i_view *text);

typedef enum pkin_i_heading_kind {
    PKIN_I_HEADING_OTHER, /* a section or a label */
    PKIN_I_HEADING_ENTRY, /* `[n] [title](link)`, `[title](link)`, `<a id="x"></a>[title](link) [[back]](#y)` */
    PKIN_I_HEADING_BROKEN /* begins like an entry, and title or link is missing */
} pkin_i_heading_kind;

typedef struct pkin_i_heading {
    pkin_i_heading_kind kind;
    bool numbered;     /* `[n]` stands before the title */
    pkin_i_view title; /* of an entry; as it stands, brackets, LaTeX and all */
    pkin_i_view link;
    const char *fault; /* of a broken one: what is missing */
} pkin_i_heading;

/* Takes apart a heading's text as pkin_i_heading_level gives it. */
pkin_i_heading pkin_i_heading_read(pkin_i_view text);

/* Whether the line begins a section: `<div id='cs.PL'></div>`, or a heading with a way back, `# cs.PL [[Back]](#toc)`.
 */
bool pkin_i_is_section_mark(pkin_i_view line);

/* Whether the line shows a digest's table of contents: `<div id=toc></div>`, `# Table of Contents`. */
bool pkin_i_is_contents_mark(pkin_i_view line);

PKIN_EXTERN_C_END

#endif
