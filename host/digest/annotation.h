/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_ANNOTATION_H
#define PKIN_DIGEST_ANNOTATION_H

/*
 * What is said about one record, before it is written in any form. Markdown blocks and JSON members are two renderings
 * of the same struct. Strings are borrowed from the run's arenas.
 */
#include <stdbool.h>

#include "base/buffer.h"
#include "digest/kinship.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_MAX_VERDICTS = 5,      /* named one by one; further ones are counted */
    PKIN_I_MAX_DATES = 3,         /* named one by one; more become first, last and a count */
    PKIN_I_TITLE_CHARACTERS = 120 /* longer titles are cut */
};

/* Another paper, as a reader may be shown it. */
typedef struct pkin_i_partner {
    const char *key;
    const char *title; /* cut, never "" */
    const char *link;  /* http or https, else "" */
    char date[11];     /* "YYYY-MM-DD", "YYYY-MM" or "" */
    int later;         /* 1: came after this digest */
} pkin_i_partner;

typedef struct pkin_i_verdict_line {
    pkin_i_partner partner;
    const pkin_judgement *judgement;
    pkin_i_strong_terms terms;
} pkin_i_verdict_line;

typedef struct pkin_i_related_line {
    pkin_i_partner partner;
    double cosine;
    pkin_i_strong_terms terms;
} pkin_i_related_line;

/* One earlier appearance: `name` is NULL but where the date is this digest's own. */
typedef struct pkin_i_seen_line {
    const char *date;
    const char *name;
} pkin_i_seen_line;

/* The thread of a paper. */
typedef struct pkin_i_thread_line {
    const char *id;
    const char *field;         /* id; "" where it is in none */
    const char *label;         /* English, never "" */
    const char *label_chinese; /* "" where there is none */
    const char *since;         /* day of its first paper; "" unknown */
    const char *ended;         /* date of the update that ended it; "" while it lives */
    uint64_t n_papers;         /* 0: has ended */
    int32_t age_days;          /* from `since` to this digest; -1: unknown, or since is later */
    bool is_new;               /* born at this digest */
} pkin_i_thread_line;

/* How far a paper is from everything earlier. */
typedef struct pkin_i_novelty_line {
    bool is_known;
    unsigned percentile; /* 0 to 100 */
    bool has_nearest;    /* an earlier paper shares words with it: */
    pkin_i_partner nearest;
    double cosine;
} pkin_i_novelty_line;

typedef struct pkin_i_annotation {
    const char *key;
    uint64_t listed_above;  /* 1-based entry of this file that named the paper first; 0: this one did */
    pkin_i_seen_line *seen; /* oldest first, one a date */
    size_t n_seen;
    unsigned version;         /* of this record, 0 unknown */
    unsigned earlier_version; /* highest seen earlier, 0 unknown */
    int is_new_version;
    pkin_i_verdict_line *verdicts;
    size_t n_verdicts;
    size_t n_more_verdicts;
    pkin_i_related_line *related;
    size_t n_related;
    bool has_thread;
    pkin_i_thread_line thread;
    pkin_i_novelty_line novelty;
} pkin_i_annotation;

static inline int pkin_i_annotation_is_empty(const pkin_i_annotation *annotation) {
    return !annotation->listed_above && !annotation->n_seen && !annotation->n_verdicts && !annotation->n_related &&
           !annotation->has_thread && !annotation->novelty.is_known;
}

/* A title as it is shown: the paper's id where it has none, cut where it is long. */
pkin_status pkin_i_shown_title(const pkin_paper *paper, pkin_i_arena *arena, const char **out);
/* The record's own link, else the page that its arXiv id or DOI stands for, else "". */
pkin_status pkin_i_shown_link(const pkin_paper *paper, pkin_i_arena *arena, const char **out);
/* The paper at a row of the history, in a digest of `digest_date`. */
pkin_status pkin_i_partner_describe(pkin_i_history *history, uint32_t row, const char *digest_date, pkin_i_arena *arena,
                                    pkin_i_partner *out);

/*
 * Fills `out` for a record of a digest of `date`. `listed_above` as in the struct: such a record gets that alone.
 * `subject` may be NULL (no similarity known). Strings go to `arena`.
 */
pkin_status pkin_i_annotation_build(pkin_i_history *history, const pkin_paper *record, uint64_t listed_above,
                                    const char *date, const pkin_i_sightings *sightings, const pkin_i_subject *subject,
                                    pkin_i_arena *arena, pkin_i_annotation *out);

/* The one rule of what is a new version: known to be higher than every version known from earlier digests. */
static inline int pkin_i_is_new_version(unsigned version, const pkin_i_sightings *sightings) {
    return sightings->n_items > 0 && sightings->max_version > 0 && version > sightings->max_version;
}

/*
 * The lines between the markers, each ended by `line_end`, markers not included; `languages` PKIN_LANGUAGES_*.
 * Begins and ends with an empty line, because Markdown reads on as HTML after `</details>` until one comes.
 */
pkin_status pkin_i_markdown_block(const pkin_i_annotation *annotation, int languages, const char *line_end,
                                  pkin_i_buffer *out);

/* `, "paperkin": {...}` on one line; the schema is in docs/digests.md. */
pkin_status pkin_i_json_member(const pkin_i_annotation *annotation, int languages, pkin_i_buffer *out);

/* A number in [0, 10] with `n_decimals` (1 to 9) decimals, rounded half up, whatever the locale. */
pkin_status pkin_i_append_fixed(pkin_i_buffer *out, double value, unsigned n_decimals);

PKIN_EXTERN_C_END

#endif
