/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_THREAD_MATCH_H
#define PKIN_GROUPS_THREAD_MATCH_H

/*
 * Which of today's clusters is which of yesterday's: items were in old clusters, and are in new ones. Nothing here
 * knows of papers or stores.
 *
 * Overlap. Of an old cluster count the items that were looked at again today, outliers among them; of a new one those
 * that were in any old cluster. So neither items that are new, nor those that are no longer looked at (they left the
 * window), nor former outliers that joined count against an identity, while items that it lost do. A new cluster may
 * take over the identity of an old one where their common items are at least half of the smaller and at least 30 % of
 * the larger of these two counts: a cluster that lost most of itself, or was swallowed, is no longer the same.
 *
 * Identities go one to one, to pairs in order of most common items, then of the old cluster's number, then of the new
 * one's rank. Numbers of new clusters decide nothing. O(items log items).
 *
 * Settling. Clusters that are found anew each time flicker at their edges and where they are small. So only what is new
 * changes anything: a found cluster with at least one new item is taken as it is, whether it has an identity (which is
 * renewed by it) or not (a new one). The other found clusters change nothing: their items stay in the old clusters that
 * they were in, or in none. An old cluster that was not renewed lives on with those of its items that no such cluster
 * took, outliers too; it ends where it lost some and those that stay are fewer than `n_least`, or less than half of
 * those that are looked at. One that was renewed loses its outliers. So without new items nothing changes, and settling
 * again what was settled gives the same.
 */
#include "base/memory.h"
#include "paperkin/graph.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_NOT_CLUSTERED (UINT32_MAX - 1) /* in place of a new cluster: the item was not looked at */

typedef struct pkin_i_match_input {
    size_t n_items;
    const uint32_t *before; /* by item: its old cluster, or PKIN_NO_CLUSTER */
    const uint32_t *now;    /* by item: its new one, PKIN_NO_CLUSTER (an outlier) or PKIN_I_NOT_CLUSTERED */
    const uint8_t *is_new;  /* by item: 1 where the last time did not know it; NULL: all were known */
    uint32_t n_before, n_now;
    const uint32_t *ranks; /* by new cluster, all different: what stands for it where overlaps tie; NULL: its number */
} pkin_i_match_input;

/* What became of an old cluster. */
typedef struct pkin_i_match_before {
    uint32_t now;        /* the new cluster that has its identity; PKIN_NO_CLUSTER: none has */
    uint64_t n_items;    /* before */
    uint64_t n_left;     /* of them not looked at today */
    uint64_t n_outliers; /* of them in no cluster today */
    uint32_t n_targets;  /* new clusters that got some of them */
    uint32_t largest;    /* the one that got most, least rank; PKIN_NO_CLUSTER: none */
    uint64_t n_largest;  /* how many it got */
} pkin_i_match_before;

/* What a new cluster is made of. */
typedef struct pkin_i_match_now {
    uint32_t before; /* the old cluster whose identity it has; PKIN_NO_CLUSTER: a new one */
    uint64_t n_items;
    uint64_t n_kept;  /* from `before` */
    uint64_t n_new;   /* not known the last time */
    uint64_t n_old;   /* from any old cluster, n_kept too; the rest were outliers or not looked at */
    uint32_t largest; /* old cluster that most of n_old came from, least number; PKIN_NO_CLUSTER: none */
    uint64_t n_largest;
} pkin_i_match_now;

typedef struct pkin_i_match {
    pkin_i_match_before *before; /* n_before */
    pkin_i_match_now *now;       /* n_now */
} pkin_i_match;

/* Zero-initialise `out`; free also after a failure. PKIN_ERROR_INVALID_ARGUMENT for a cluster that is out of range. */
pkin_status pkin_i_match_find(const pkin_i_match_input *input, pkin_i_match *out);
void pkin_i_match_free(pkin_i_match *match);

/* Counts the same where identities are known: `identities` has each new cluster's old one or PKIN_NO_CLUSTER, none
 * twice. */
pkin_status pkin_i_match_count(const pkin_i_match_input *input, const uint32_t *identities, pkin_i_match *out);

/* Clusters as they are to be, see above: those found with new items, then the old ones that live on without. */
typedef struct pkin_i_settlement {
    uint32_t *now;    /* by item: as in pkin_i_match_input */
    uint32_t n_now;   /* a renewed cluster has items always, any other at least n_least */
    uint32_t *before; /* by cluster: the old one that it is; PKIN_NO_CLUSTER: a new one */
    uint32_t *found;  /* by cluster: the found one that it is made of; PKIN_NO_CLUSTER: it lives on without */
} pkin_i_settlement;

/*
 * `match` is that of the input. `all`: takes every found cluster as it is, and lets nothing live on without.
 * Zero-initialise `out`; free also after a failure. O(items).
 */
pkin_status pkin_i_match_settle(const pkin_i_match_input *input, const pkin_i_match *match, uint64_t n_least, bool all,
                                pkin_i_settlement *out);
void pkin_i_settlement_free(pkin_i_settlement *settlement);

/*
 * Whether a new identity split off its largest source: more than half of its items that were in a cluster before come
 * from one that lives on, and these are at least 30 % of all it has. Otherwise it is born.
 */
bool pkin_i_match_is_split(const pkin_i_match *match, uint32_t now);

/* Whether an identity that ended went over into its largest target: more than half of its items that were looked at
   again are there. Otherwise it just ended. */
bool pkin_i_match_is_merged(const pkin_i_match *match, uint32_t before);

PKIN_EXTERN_C_END

#endif
