/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_IDENTITY_H
#define PKIN_CORPUS_IDENTITY_H

#include "corpus/corpus_private.h"
#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

/*
 * The arXiv id that `text` names as a whole: bare, behind "arXiv:" or "oai:arXiv.org:", as an arXiv link (abs, pdf,
 * html, ...) or as the DOI that arXiv gives. The canonical form goes to `out` (emptied first): no version, an old-style
 * id in lower case and without subject class ("math.GT/0309136" is "math/0309136").
 * *version is 0 where none is named. `out` stays empty where there is no id.
 */
pkin_status pkin_i_arxiv_name(const char *text, pkin_i_buffer *out, unsigned *version);

/* The DOI that `text` names: bare, behind "doi:" or as a doi.org link; in lower case, empty where there is none. */
pkin_status pkin_i_doi_name(const char *text, pkin_i_buffer *out);

/*
 * Appends "<normalised title>|<normalised first author>"; *has_title tells whether the title held a letter or digit.
 * Normalised: words in lower case, one space between two; `$ ^ _ { } \` are dropped, and superscript and subscript
 * digits become plain ones.
 */
pkin_status pkin_i_title_name(const char *title, const char *first_author, pkin_i_buffer *out, bool *has_title);

PKIN_EXTERN_C_END

#endif
