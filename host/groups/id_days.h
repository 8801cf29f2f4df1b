/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_ID_DAYS_H
#define PKIN_GROUPS_ID_DAYS_H

#include <stdbool.h>

#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/*
 * Days between two papers: between their arXiv ids where both have one, else between their dates where both have one,
 * else -1. An arXiv id tells the month; the day within it is estimated from the running number, to within about a week.
 */
int pkin_i_days_apart(const pkin_paper *a, const pkin_paper *b);

/*
 * The day "YYYY-MM-DD" of a paper's key "arxiv:...": its month, and within that as the running number tells; the first
 * of the month for old-style ids. False, and nothing written, where the key tells no month.
 */
bool pkin_i_id_day(const char *key, char day[11]);

PKIN_EXTERN_C_END

#endif
