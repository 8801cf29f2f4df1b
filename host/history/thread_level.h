/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_THREAD_LEVEL_H
#define PKIN_HISTORY_THREAD_LEVEL_H

/*
 * Threads and fields are followed alike: each is a level of clusters of the same papers, with identities of its own.
 * A level knows which clusters the papers were in and are in, gives the clusters of today rows, and tells what happened.
 */
#include "groups/thread_match.h"
#include "history/history.h"
#include "paperkin/labels.h"
#include "store/thread_rows.h"

PKIN_EXTERN_C_BEGIN

/* The rows of both levels as they will be: at first those of the last update, in its order. */
typedef struct pkin_i_thread_book {
    const pkin_i_stored_threads *old;
    const char *date;        /* of this update */
    pkin_i_thread_row *rows; /* room for all old and new ones */
    size_t n_rows;
    uint64_t *new_ids; /* given in this update, 8 characters each */
    size_t n_new_ids;
    pkin_i_arena *arena; /* of labels and events */
} pkin_i_thread_book;

typedef struct pkin_i_thread_level {
    bool is_field;
    uint32_t n_before;
    uint32_t *old_rows;    /* by old cluster: its row in the book */
    uint32_t *old_of_row;  /* by row of the last update: its old cluster, PKIN_NO_CLUSTER for other rows */
    uint32_t *before;      /* by row of the history, as in pkin_i_match_input */
    uint32_t *now;
    uint32_t n_now;
    uint32_t *founders;    /* by new cluster: the row of the history that founded it, its earliest by day, then key */
    uint32_t *ranks;       /* by new cluster: its place in the order of founders */
    uint32_t *row_of;      /* by new cluster: its row in the book */
    pkin_i_match match;
} pkin_i_thread_level;

/*
 * Begins a level: old clusters are the living rows of its kind. `now` (by row of the history, as in pkin_i_match_input)
 * is taken over, also on failure. Papers and days of the history are loaded. Zero-initialise; free also after a
 * failure.
 */
pkin_status pkin_i_thread_level_match(pkin_i_thread_level *level, const pkin_i_history *history,
                                      const pkin_i_stored_threads *old, bool is_field, uint32_t *now, uint32_t n_now);
void pkin_i_thread_level_free(pkin_i_thread_level *level);

/* Gives every new cluster its row, with id and label, and ends the rows that have none. */
pkin_status pkin_i_thread_level_name(pkin_i_thread_level *level, const pkin_i_history *history,
                                     const pkin_labels *labels, pkin_i_thread_book *book);

/* Appends what happened, by kind, then by size, largest first. */
typedef struct pkin_i_thread_events {
    pkin_thread_event *items; /* pkin_i_free */
    size_t n_items, capacity;
} pkin_i_thread_events;

pkin_status pkin_i_thread_level_tell(const pkin_i_thread_level *level, const pkin_i_thread_book *book,
                                     pkin_i_thread_events *out);

PKIN_EXTERN_C_END

#endif
