/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_AUTHOR_OVERLAP_H
#define PKIN_GROUPS_AUTHOR_OVERLAP_H

#include "base/memory.h"
#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/* No more authors of a paper are compared. */
#define PKIN_I_MAX_AUTHORS 2000

/*
 * The share of the shorter author list that the other holds, in [0, 1]; -1 where either has no name. Two names are one
 * where they have the same letters, or where every part of the shorter finds a part of its own in the longer: the same
 * word, its initial, or a like spelling; in any order; accents count for nothing. Lists of one length: the smaller of
 * the two shares, so that the order of the papers does not matter.
 */
pkin_status pkin_i_author_overlap(const pkin_paper *a, const pkin_paper *b, double *out);

/* Whether two names are one in that sense. */
pkin_status pkin_i_same_author(const char *a, const char *b, int *out);

PKIN_EXTERN_C_END

#endif
