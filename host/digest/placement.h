/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_PLACEMENT_H
#define PKIN_DIGEST_PLACEMENT_H

/* Where today's papers stand among all others: the thread of each, and how far it is from what came before it. */
#include "digest/annotation.h"
#include "history/novelty.h"
#include "history/thread_run.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_placement {
    pkin_i_history *history;
    const uint32_t *rows; /* of today's papers, ascending; the caller's */
    size_t n_rows;
    bool has_threads;
    pkin_i_thread_run threads;
    const char *first_birth;   /* the date of the earliest update that found any thread; "" */
    pkin_i_novelty *novelties; /* by index in rows; NULL: not asked for */
    double seconds_threads;
    double seconds_novelty;
} pkin_i_placement;

/*
 * Updates the threads of the whole history, in memory, if options->threads is 1, and finds the novelty of the papers at
 * `rows` (ascending, distinct) if options->novelty is 1. Uses history->related. Zero-initialise `out`; free also after
 * a failure.
 */
pkin_status pkin_i_placement_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                  const pkin_digest_options *options, pkin_i_placement *out);
void pkin_i_placement_free(pkin_i_placement *placement);

/* Keeps the threads in the store, in one transaction. */
pkin_status pkin_i_placement_save(pkin_i_placement *placement);

/* The thread of a paper as a digest of `date` is to tell it; false where it is in none. `out` borrows. */
bool pkin_i_placement_thread(const pkin_i_placement *placement, uint32_t row, const char *date,
                             pkin_i_thread_line *out);

/* What the store knows of a field; NULL where there is none of that id. */
const pkin_i_thread_row *pkin_i_placement_field(const pkin_i_placement *placement, const char *id);

/* Adds thread and novelty of the paper at `row` to what is said about its record, unless that repeats an entry. */
pkin_status pkin_i_placement_describe(const pkin_i_placement *placement, uint32_t row, const char *date,
                                      pkin_i_arena *arena, pkin_i_annotation *annotation);

PKIN_EXTERN_C_END

#endif
