/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PAIR_RUNS_H
#define PKIN_SIMILARITY_PAIR_RUNS_H

/*
 * Sorted runs of pairs, in memory or in files, and their merge into one. A spool is a file without a name that many
 * runs share: whatever ends the process, nothing of it stays. Pairs in files are as in memory, 16 bytes each.
 *
 * The merge reads every run through a buffer of its own and picks the next pair by a heap: O(n log runs). Where there
 * are more runs than are well read at once, groups of them are first merged into longer ones in a spool.
 */
#include "base/memory.h"
#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/* Score descending, then i, then j: the one order of pairs. */
static inline bool pkin_i_pair_before(const pkin_pair *x, const pkin_pair *y) {
    if (x->score != y->score) return x->score > y->score;
    return x->i != y->i ? x->i < y->i : x->j < y->j;
}

typedef struct pkin_i_pair_run {
    const pkin_pair *pairs; /* in memory; NULL: in a file */
    int descriptor;         /* of the file; below 0: `path` is opened for every read, so that there may be many */
    const char *path;       /* of the file, or of the folder of one that has no name: for messages, too */
    uint64_t offset;        /* of the first pair, in bytes */
    uint64_t n_pairs;
} pkin_i_pair_run;

typedef struct pkin_i_pair_spool {
    char *folder;
    int descriptor; /* below 0: there is no file yet */
    uint64_t bytes; /* written */
} pkin_i_pair_spool;

/* `folder` NULL: $TMPDIR, or /tmp. The file is made at the first append, or by pkin_i_pair_spool_make. */
pkin_status pkin_i_pair_spool_open(const char *folder, pkin_i_pair_spool *out);
pkin_status pkin_i_pair_spool_make(pkin_i_pair_spool *spool);
pkin_status pkin_i_pair_spool_append(pkin_i_pair_spool *spool, const pkin_pair *pairs, size_t n_pairs);
/* Accepts what is all zero: a spool that was never opened. */
void pkin_i_pair_spool_close(pkin_i_pair_spool *spool);

typedef struct pkin_i_pair_merge pkin_i_pair_merge;

/*
 * `memory_bytes`: for buffers, about; 0: as many as serve. `folder` as in pkin_i_pair_spool_open. The runs' pairs,
 * files and paths must outlive the merge, the array of runs need not.
 */
pkin_status pkin_i_pair_merge_open(const pkin_i_pair_run *runs, size_t n_runs, uint64_t memory_bytes,
                                   const char *folder, pkin_i_pair_merge **out);
/* The next pairs, up to n_max (> 0); *n_pairs is 0 at the end. */
pkin_status pkin_i_pair_merge_next(pkin_i_pair_merge *merge, pkin_pair *pairs, size_t n_max, size_t *n_pairs);
/* What it holds in memory, and what it wrote to a spool. */
uint64_t pkin_i_pair_merge_bytes(const pkin_i_pair_merge *merge);
uint64_t pkin_i_pair_merge_spilled(const pkin_i_pair_merge *merge);
void pkin_i_pair_merge_close(pkin_i_pair_merge *merge); /* accepts NULL */

PKIN_EXTERN_C_END

#endif
