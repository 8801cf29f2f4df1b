/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_ANNOTATION_H
#define PKIN_DIGEST_ANNOTATION_H

/*
 * What is said about one record, before it is written in any form. Markdown blocks and JSON members are two renderings
 * of the same struct. Strings are borrowed from the run's arenas.
 */
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
} pkin_i_annotation;

static inline int pkin_i_annotation_is_empty(const pkin_i_annotation *annotation) {
    return !annotation->listed_above && !annotation->n_seen && !annotation->n_verdicts && !annotation->n_related;
}

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
