/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_THREAD_LEVEL_H
#define PKIN_HISTORY_THREAD_LEVEL_H

/*
 * Threads and fields are followed alike: each is a level of clusters of the same papers, with identities of its own.
 * A level knows which clusters the papers were in and are in, gives the clusters of today rows, and tells what
 * happened.
 *
 * A thread's papers are settled item by item (groups/thread_match.h). A field's are those of its threads: a thread that
 * was renewed or is new has the field that it was found in; one that lives on without keeps its field, or where that
 * merged into another, has that one. So fields change with their threads alone.
 *
 * Clusters are numbered by founders, which makes all that follows independent of the numbers that they were found with.
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
    uint32_t *old_rows;   /* by old cluster: its row in the book */
    uint32_t *old_of_row; /* by row of the last update: its old cluster, PKIN_NO_CLUSTER for other rows */
    uint32_t *before;     /* by row of the history, as in pkin_i_match_input */
    uint8_t *is_new;      /* by row of the history, of threads alone */
    uint32_t *now;        /* by row of the history, as they are to be */
    uint32_t n_now;
    uint32_t *found;     /* by new cluster: the one that was found; PKIN_NO_CLUSTER: it lives on without */
    uint32_t *founders;  /* by new cluster: the row of the history that founded it, its earliest by day, then key */
    uint32_t *of_thread; /* of fields: by new thread, its new field or PKIN_NO_CLUSTER */
    uint32_t *row_of;    /* by new cluster: its row in the book */
    pkin_i_match match;
} pkin_i_thread_level;

/* How threads follow what is found. */
typedef struct pkin_i_thread_course {
    bool afresh;      /* as if all were new: for settings that differ from those of the last update */
    uint32_t n_least; /* papers without which no thread lives on */
} pkin_i_thread_course;

/*
 * The level of threads: old clusters are the living threads. `found` (by row of the history, as in pkin_i_match_input)
 * are the clusters. Papers and days of the history are loaded. Zero-initialise; free also after a failure.
 */
pkin_status pkin_i_thread_level_follow(pkin_i_thread_level *level, const pkin_i_history *history,
                                       const pkin_i_stored_threads *old, const pkin_i_thread_course *course,
                                       const uint32_t *found, uint32_t n_found);

/*
 * The level of the fields of `threads`, which was followed before. `found` are the fields of papers, `field_of` those
 * of the threads that were found; either may be PKIN_NO_CLUSTER.
 */
pkin_status pkin_i_field_level_follow(pkin_i_thread_level *level, const pkin_i_history *history,
                                      const pkin_i_stored_threads *old, const uint32_t *found, uint32_t n_found,
                                      const pkin_i_thread_level *threads, const uint32_t *field_of);
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
