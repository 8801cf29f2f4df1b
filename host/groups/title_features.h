/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_TITLE_FEATURES_H
#define PKIN_GROUPS_TITLE_FEATURES_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

/* Titles are one from this ratio on, if their words agree too. */
#define PKIN_I_SAME_TITLE_RATIO 0.97
/* Titles speak of one thing from this ratio on: numbers in them can be compared. */
#define PKIN_I_ALIKE_TITLE_RATIO 0.60

/* What two titles are to each other. Symmetric. */
typedef struct pkin_i_title_features {
    double ratio; /* similarity of the normalised titles by characters, [0, 1] */
    int same; /* the same letters; or ratio >= PKIN_I_SAME_TITLE_RATIO and no word exchanged, only spelt otherwise */
    int same_name;      /* the same name, not a generic one, before the colon: "Foo: a method", "Foo: faster" */
    int contained;      /* one title, of four words or more, stands whole in the other, and makes up half of both */
    int numbers_differ; /* serial numbers differ, or any numbers do and the titles are alike */
    int reports;        /* both are report-like: challenge, proceedings, overview, ... */
    int answers;        /* one only is an erratum, a comment, a reply, a supplement: it speaks of the other */
} pkin_i_title_features;

/* Looks at the first PKIN_I_MAX_TITLE_BYTES bytes of each. O(bytes of a * bytes of b). */
pkin_status pkin_i_compare_titles(const char *a, const char *b, pkin_i_title_features *out);

PKIN_EXTERN_C_END

#endif
