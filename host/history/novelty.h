/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_NOVELTY_H
#define PKIN_HISTORY_NOVELTY_H

#include "history/history.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_NOVELTY_LEAST = 100,  /* with fewer papers to compare with, a percentile says nothing */
    PKIN_I_NOVELTY_SAMPLE = 2000 /* papers that give the scale, at most */
};

/*
 * How far a paper is from everything that came before it. The scale is a sample of papers, evenly spread by day over
 * those that have words, are not later than the latest paper asked for and had at least half as many papers before
 * them: the more papers there are, the closer the closest one is, so that older papers would make every new one look
 * less novel. Papers that come later change it through the weights of words alone.
 */
typedef struct pkin_i_novelty {
    double percentile; /* share of the sample whose distance to their own nearest earlier paper is smaller (equal ones
                          count half), in [0, 100]; -1: not known, because the paper has no words, or fewer than
                          PKIN_I_NOVELTY_LEAST papers came before it or are in the sample */
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

/* The same of rows of `vectors` whose days are `days` ("YYYY-MM-DD" or ""). */
pkin_status pkin_i_novelty_among(const pkin_vectors *vectors, const char (*days)[11], const uint32_t *rows,
                                 size_t n_rows, const pkin_similarity_options *options, pkin_i_novelty *out);

PKIN_EXTERN_C_END

#endif
