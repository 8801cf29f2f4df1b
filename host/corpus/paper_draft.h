/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_PAPER_DRAFT_H
#define PKIN_CORPUS_PAPER_DRAFT_H

#include "corpus/corpus_private.h"
#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_views {
    pkin_i_view *items;
    size_t n;
    size_t capacity;
} pkin_i_views;

/*
 * What a reader has found of one record, as it stands in the input; every reader makes papers through it, so that the
 * same paper looks the same whichever form it came in. Zero-initialise to start; views must live until _finish.
 */
typedef struct pkin_i_draft {
    pkin_i_view id, title, abstract, comment, doi, link, date;
    pkin_i_view other_link; /* a second place to look for an arXiv id */
    pkin_i_views authors, categories;
    unsigned version;      /* where the record says so elsewhere than in its id or link */
    pkin_i_buffer summary; /* parts tidied and joined */
    uint32_t n_failed_summaries;
    bool repair;                     /* the input is not UTF-8 throughout */
    pkin_i_buffer work, fixed, name; /* scratch, kept between records */
} pkin_i_draft;

/* Empties the draft and keeps its memory. */
void pkin_i_draft_clear(pkin_i_draft *draft);
void pkin_i_draft_free(pkin_i_draft *draft);

pkin_status pkin_i_views_add(pkin_i_views *views, pkin_i_view view);

/* Adds a machine-written part, or counts it when it tells only of a failure. */
pkin_status pkin_i_draft_add_summary(pkin_i_draft *draft, pkin_i_view part);

/*
 * Adds each name of "A,B,C" or "A, B, C"; `with_and`: also of "A, B and C". Where some comma has no space behind it,
 * ", " belongs to a name ("B, Jr.").
 */
pkin_status pkin_i_draft_split_authors(pkin_i_draft *draft, pkin_i_view list, bool with_and);
/* Adds each word of a list separated by white space, commas or semicolons. */
pkin_status pkin_i_draft_split_categories(pkin_i_draft *draft, pkin_i_view list);

/*
 * Fills `paper` (but for line, begin, end) with strings of `arena`. *reason is NULL, or says why the record is none
 * and is to be skipped; static storage.
 */
pkin_status pkin_i_draft_finish(pkin_i_draft *draft, pkin_i_arena *arena, pkin_paper *paper, const char **reason);

PKIN_EXTERN_C_END

#endif
