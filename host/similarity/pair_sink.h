/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PAIR_SINK_H
#define PKIN_SIMILARITY_PAIR_SINK_H

/*
 * Where backends put the pairs that they find: any thread, any order, each pair once. A bounded sink that is full sorts
 * what it holds and writes it to a file as one run (pair_runs.h).
 */
#include "similarity/pair_runs.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_pair_sink pkin_i_pair_sink;

/* Takes a copy of `n_pairs` pairs. Waits while another thread is in it: to be called with a few thousand at a time. */
pkin_status pkin_i_pair_sink_put(pkin_i_pair_sink *sink, const pkin_pair *pairs, size_t n_pairs);

/* A sink that keeps everything in memory. */
pkin_status pkin_i_pair_sink_open(pkin_i_pair_sink **out);
/* What it holds, in no order; the sink's. */
const pkin_pair *pkin_i_pair_sink_held(const pkin_i_pair_sink *sink, uint64_t *n_pairs);
/* The same, which the caller owns from then on; the sink is empty. Not for a sink that has spilled. */
void pkin_i_pair_sink_take(pkin_i_pair_sink *sink, pkin_pair_list *out);
void pkin_i_pair_sink_close(pkin_i_pair_sink *sink); /* accepts NULL */

typedef struct pkin_i_pair_bound {
    uint64_t bytes;     /* that pairs may take in memory, sorting them included; 0: no bound */
    const char *folder; /* where pairs are spilled to; NULL: $TMPDIR, or /tmp */
    int n_threads;      /* that sort */
} pkin_i_pair_bound;

/* A named folder is tried at once, so that one that cannot be written to is known before the work. */
pkin_status pkin_i_pair_sink_open_bounded(const pkin_i_pair_bound *bound, pkin_i_pair_sink **out);

/*
 * Sorts what is held. `*runs` then has all pairs that were put, in `*n_runs` sorted runs; they are the sink's, and good
 * until it is next put to, emptied or closed.
 */
pkin_status pkin_i_pair_sink_finish(pkin_i_pair_sink *sink, const pkin_i_pair_run **runs, size_t *n_runs);
/* Forgets all pairs; keeps memory for more. */
void pkin_i_pair_sink_clear(pkin_i_pair_sink *sink);

/* Says again on the calling thread why putting failed on another one; else returns `status` as it is. */
pkin_status pkin_i_pair_sink_failure(const pkin_i_pair_sink *sink, pkin_status status);

uint64_t pkin_i_pair_sink_n_pairs(const pkin_i_pair_sink *sink);
bool pkin_i_pair_sink_has_spilled(const pkin_i_pair_sink *sink); /* since it was last cleared */
uint64_t pkin_i_pair_sink_bytes(const pkin_i_pair_sink *sink);   /* most that it held in memory */
uint64_t pkin_i_pair_sink_spilled(const pkin_i_pair_sink *sink); /* bytes written, all in all */

PKIN_EXTERN_C_END

#endif
