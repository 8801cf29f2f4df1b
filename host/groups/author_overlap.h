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

/* The names of a paper's authors made ready, for those who compare each list with many. */
typedef struct pkin_i_author_list pkin_i_author_list;
pkin_status pkin_i_author_list_make(const pkin_paper *paper, pkin_i_author_list **out);
void pkin_i_author_list_free(pkin_i_author_list *list);

/*
 * As pkin_i_author_overlap; NULL is a list without names. Where the shorter list is longer than `n_sought` (>= 1), so
 * many of its names, evenly apart, stand for all: lists of thousands are compared in the time of `n_sought` searches.
 */
double pkin_i_author_list_overlap(const pkin_i_author_list *a, const pkin_i_author_list *b, size_t n_sought);

/* Whether two names are one in that sense. */
pkin_status pkin_i_same_author(const char *a, const char *b, int *out);

PKIN_EXTERN_C_END

#endif
