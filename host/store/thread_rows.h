/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_THREAD_ROWS_H
#define PKIN_STORE_THREAD_ROWS_H

/* Threads and fields as the store remembers them. */
#include <stdbool.h>

#include "paperkin/threads.h"
#include "store/store_private.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_THREAD_ID_BYTES = 9 }; /* "t" or "f", 7 characters, NUL */

typedef struct pkin_i_thread_row {
    char id[PKIN_I_THREAD_ID_BYTES];
    bool is_field;
    char field[PKIN_I_THREAD_ID_BYTES]; /* "" for fields, and where unknown */
    const char *label, *label_chinese;
    char born[11];
    char ended[11]; /* "" while it lives */
    char merged_into[PKIN_I_THREAD_ID_BYTES];
} pkin_i_thread_row;

/* A paper's thread. Papers without one have no row. Fields have no members of their own: their threads have. */
typedef struct pkin_i_thread_member {
    int64_t paper_id;
    uint32_t thread; /* index of the row */
    uint32_t rank;   /* as representative, from 1; 0: none */
    bool in_window;  /* was clustered at the last update */
} pkin_i_thread_member;

/* All that a store knows of threads. Strings and arrays live in `arena`. */
typedef struct pkin_i_stored_threads {
    char date[11];           /* of the last update; "": there was none */
    const char *settings;    /* as pkin_i_store_save_threads was given; "" */
    int64_t last_paper_id;   /* the highest that the last update knew; 0 */
    pkin_i_thread_row *rows; /* by id, ended ones too */
    size_t n_rows;
    pkin_i_thread_member *members; /* by paper id, ascending */
    size_t n_members;
} pkin_i_stored_threads;

/* Rows that no update can have written are PKIN_ERROR_CORRUPT. */
pkin_status pkin_i_store_load_threads(pkin_store *store, pkin_i_arena *arena, pkin_i_stored_threads *out);

/* Date of the last update alone; "": there was none. */
pkin_status pkin_i_store_threads_date(pkin_store *store, char date[11]);

/* Date of the latest digest, or where there are only background corpora, of the latest of them; "": there are none. */
pkin_status pkin_i_store_last_date(pkin_store *store, char date[11]);

/* Replaces rows and members, and adds the events, as one change. Rows and members in any order. */
pkin_status pkin_i_store_save_threads(pkin_store *store, const pkin_i_stored_threads *threads,
                                      const pkin_thread_event *events, size_t n_events);

/* Events of updates on `since` or later, latest update first, within one in the order in which they were added. */
pkin_status pkin_i_store_load_thread_events(pkin_store *store, const char *since, pkin_i_arena *arena,
                                            pkin_thread_event **events, size_t *n_events);

/* The thread row of one paper; `*found` false where it has none. */
pkin_status pkin_i_store_thread_of(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, pkin_i_thread_row *out,
                                   bool *found);

PKIN_EXTERN_C_END

#endif
