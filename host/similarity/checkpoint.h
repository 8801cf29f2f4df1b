/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CHECKPOINT_H
#define PKIN_SIMILARITY_CHECKPOINT_H

/*
 * A folder in which a join keeps the strips that it has finished, so that a later call with the same rows and threshold
 * goes on from there, whatever ended the earlier one:
 *
 *   lock               held while a call works with the folder
 *   manifest           text: what is compared, how it was cut into strips, and a checksum of that
 *   strip-000000.pairs the sorted pairs of one strip, with a header and a checksum
 *
 * Each is written under a name with a dot in front, flushed to the disk and renamed: what has its name is whole, what
 * has not is removed by the next call. Strips hold pairs of groups of equal rows (distinct_rows.h), so that neither the
 * plan nor distinct_only, which is decided after them, is any part of what must stay the same.
 */
#include "similarity/pair_runs.h"

PKIN_EXTERN_C_BEGIN

/* What the strips of a folder belong to. */
typedef struct pkin_i_checkpoint_key {
    int within; /* a with itself: b's are 0 */
    uint64_t n_rows_a, n_rows_b, n_columns;
    uint64_t fingerprint_a, fingerprint_b;
    uint64_t min_score;
} pkin_i_checkpoint_key;

typedef struct pkin_i_checkpoint_strip {
    uint64_t first, last; /* compared rows */
    uint64_t n_pairs;
    int is_done;
    char *path;
} pkin_i_checkpoint_strip;

typedef struct pkin_i_checkpoint {
    char *folder;
    int lock;
    pkin_i_checkpoint_key key;
    pkin_i_checkpoint_strip *strips;
    size_t n_strips; /* 0: not begun */
} pkin_i_checkpoint;

/*
 * Makes the folder if need be, takes its lock, reads what is there and checks every finished strip: one that is damaged
 * counts as not done. Other rows or another threshold are PKIN_ERROR_INVALID_ARGUMENT, which tells what differs; a
 * folder that another call works with is PKIN_ERROR_IO. O(bytes there).
 */
pkin_status pkin_i_checkpoint_open(const char *folder, const pkin_i_checkpoint_key *key, pkin_i_checkpoint **out);
/* Begins a folder whose n_strips is 0: strip s has the rows [borders[s], borders[s + 1]). */
pkin_status pkin_i_checkpoint_begin(pkin_i_checkpoint *checkpoint, const uint64_t *borders, size_t n_strips);
/* Keeps a finished strip, all that is left in `pairs`. */
pkin_status pkin_i_checkpoint_keep(pkin_i_checkpoint *checkpoint, size_t strip, pkin_i_pair_merge *pairs);
/* A finished strip's pairs; the checkpoint must stay open. */
pkin_i_pair_run pkin_i_checkpoint_run(const pkin_i_checkpoint *checkpoint, size_t strip);
/* Gives the lock back; what was kept stays. Accepts NULL. */
void pkin_i_checkpoint_close(pkin_i_checkpoint *checkpoint);

PKIN_EXTERN_C_END

#endif
