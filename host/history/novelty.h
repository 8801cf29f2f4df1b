/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_NOVELTY_H
#define PKIN_HISTORY_NOVELTY_H

#include "history/history.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_NOVELTY_LEAST = 100,  /* with fewer papers to compare with, a percentile says nothing */
    PKIN_I_NOVELTY_SAMPLE = 2000 /* papers that give the scale, at most: evenly spread over the papers by day */
};

/* How far a paper is from everything that came before it. */
typedef struct pkin_i_novelty {
    double percentile; /* share of the sample whose distance to their own nearest earlier paper is smaller (equal ones
                          count half), in [0, 100]; -1: not known */
    uint32_t nearest;  /* row of the closest earlier paper; UINT32_MAX: nothing is shared with any */
    uint64_t score;    /* with it: distance is 1 - score * 2^-60 */
} pkin_i_novelty;

/*
 * Fills `out` for the papers at `rows`. A paper is earlier than another when its day is; papers whose day is unknown
 * count as earliest. Exact: where a row's closest papers are all of its day or later, the earlier ones are searched
 * alone. Needs history->related and loads the days.
 */
pkin_status pkin_i_novelty_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                const pkin_similarity_options *options, pkin_i_novelty *out);

PKIN_EXTERN_C_END

#endif
