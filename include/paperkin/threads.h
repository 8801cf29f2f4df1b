/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_THREADS_H
#define PAPERKIN_THREADS_H

#include "paperkin/cluster.h"
#include "paperkin/store.h"

PKIN_EXTERN_C_BEGIN

/*
 * Threads of work: the clusters of a store's papers, followed through its days so that they last. Clusters are found
 * anew from the papers alone, and flicker at their edges; but only what is new changes anything:
 *
 * - A cluster with at least one paper that the last update did not know is taken as it is: as the thread whose identity
 *   it has, which it renews, or as a new one, which is born or splits off. Its papers leave the threads they were in.
 * - Any other cluster changes nothing: its papers stay where they were, in their thread or in none.
 * - A thread that was not renewed lives on with the papers that no renewed or new one took, found in a cluster or not.
 *   It ends where fewer than 3 of them are in the window, or fewer than half of those that were still there.
 * - A renewed thread loses its papers that are in no cluster.
 * - A thread that is renewed or new has the field that it was found in. One that lives on keeps its own, or where that
 *   merged into another, has that one.
 *
 * So without new papers nothing changes, but for what leaves the window. Where the settings are others than those of
 * the last update, all clusters are taken as they are, and threads that are not found end.
 *
 * Identity. Two clusters are compared by the papers that both updates looked at. Of an old one count those that are in
 * the window still, those that are in no cluster now among them; of a new one those that were in a thread before. So a
 * thread may grow as fast as it likes, papers may leave it by leaving the window, and both keep it what it is. A new
 * cluster takes the identity of an old one where their common papers are at least half of the smaller and at least 30 %
 * of the larger; pairs with most common papers come first, and each identity goes to one cluster. Fields, which are
 * clusters of threads, are identified in the same way, by the papers of their threads.
 */

typedef enum pkin_thread_event_kind {
    PKIN_THREAD_BORN = 0, /* no earlier thread has enough of its papers, and some are new */
    PKIN_THREAD_GREW,     /* it got papers that the last update did not know; not told of fields */
    PKIN_THREAD_MERGED,   /* more than half of `other`'s papers that are in the window came over, which ended by it */
    PKIN_THREAD_SPLIT,    /* `other`, a new one, has more than half of its earlier papers, and at least 30 % of all, from it */
    PKIN_THREAD_ENDED     /* its papers went to no thread in particular, or left the window */
} pkin_thread_event_kind;

PKIN_API const char *pkin_thread_event_name(pkin_thread_event_kind kind); /* "born", "grew", ...; "" out of range */

typedef struct pkin_thread_event {
    pkin_thread_event_kind kind;
    int is_field;            /* of a field instead of a thread */
    char date[11];           /* of the update */
    const char *thread;      /* id */
    const char *label;       /* as it was then */
    const char *other;       /* id of the other thread, "" where there is none */
    const char *explanation; /* one line: "kept 14 of its 16 papers, 5 new ones" */
    uint64_t n_before; /* its papers in the window before; merged: `other`'s; born: 0 */
    uint64_t n_shared; /* of them still together: in it; merged: in `thread`; split: in `other`; ended: in any one */
    uint64_t n_after;  /* its papers in the window now; split: `other`'s; ended: 0 */
} pkin_thread_event;

typedef struct pkin_threads_options {
    size_t size;             /* sizeof(pkin_threads_options), set by _default */
    const pkin_topics_options *topics; /* NULL: as the store remembers from its last update, else the defaults */
    uint32_t window_days;    /* papers of the day `date` - window_days or later are clustered, older ones stay where they
                                were; 0: all; UINT32_MAX (default): as remembered, else 180 */
    const char *date;        /* of the update, "YYYY-MM-DD": papers of later days wait. NULL: that of the store's latest
                                digest, and none waits. One before the last update's counts as that: time does not go
                                back */
    const char *backend;     /* as in pkin_similarity_options; NULL: auto */
    int dry_run;             /* 1: the store is not changed */
    int n_threads;
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_threads_options;

PKIN_API pkin_threads_options pkin_threads_options_default(void);

typedef struct pkin_threads_report {
    char date[11];
    uint64_t n_papers;       /* clustered: those of the window */
    uint64_t n_outliers;     /* of them in no thread; the papers of threads that live on are in these */
    uint32_t n_threads, n_fields;
    uint64_t largest_thread; /* papers */
    pkin_thread_event *events; /* fields last; by kind, then by size; strings live as long as the report */
    size_t n_events;
    double seconds_load, seconds_neighbors, seconds_clusters, seconds_labels, seconds_match, seconds_save;
    void *memory;
} pkin_threads_report;

/*
 * Clusters the papers of the window anew, renews the threads that the store knows and finds new ones as told above, and
 * remembers them with the settings: in one transaction, or inside of the one that is open. Updating again without new
 * papers changes nothing and reports no event.
 *
 * An id is a hash of the key of the thread's earliest paper (by day, then key) when it was born, or of the next ones
 * where a thread has that id already: a store made again from the same digests in the same steps has the same ids, and
 * one made in other steps mostly. A thread that ended in an earlier update and comes together again thus gets its id
 * back, where its earliest paper is the same.
 *
 * PKIN_ERROR_NOT_FOUND: the store has no papers, and no date was given. PKIN_ERROR_CORRUPT: rows or settings of threads
 * are damaged. PKIN_ERROR_CANCELLED leaves the store as it was. Free the report with pkin_threads_report_free, also
 * after a failure.
 */
PKIN_API pkin_status pkin_threads_update(pkin_store *store, const pkin_threads_options *options,
                                         pkin_threads_report *report);
PKIN_API void pkin_threads_report_free(pkin_threads_report *report);

/* ---- What is known of threads ------------------------------------------------------------------------------------ */

typedef struct pkin_thread_paper {
    const char *key, *id, *title, *link;
    char day[11];            /* on which it came out as far as is known; "" unknown */
} pkin_thread_paper;

typedef struct pkin_thread {
    const char *id;          /* "t" and 7 characters of a-z and 2-7; fields: "f" */
    int is_field;
    const char *field;       /* id of the field that it belongs to; "" for fields */
    const char *label;       /* English; "" where no paper has text */
    const char *label_chinese; /* "" where there is none */
    char born[11];           /* date of the update that found it first */
    char first_day[11], last_day[11]; /* of its papers */
    char ended[11];          /* date of the update that ended it; "" while it lives */
    const char *merged_into; /* id; "" */
    uint64_t n_papers;       /* that were ever put into it and not into another later */
    uint64_t n_since;        /* of them with a day of `since` or later */
    const uint32_t *counts;  /* n_bins: n_since by day, from `since` to `until`, in bins of equal length as far as whole
                                days allow */
    const pkin_thread_paper *representatives; /* best first, up to 3; of a field: its threads', largest thread first */
    uint32_t n_representatives;
} pkin_thread;

typedef struct pkin_threads_query {
    size_t size;        /* sizeof(pkin_threads_query), set by _default */
    const char *since;  /* "YYYY-MM-DD"; NULL: `since_days` before the last update */
    uint32_t since_days;/* default 30 */
    uint32_t n_bins;    /* 1 to 10000, default 10; fewer where there are fewer days */
    int with_ended;     /* 1: also those that ended since */
    const char *thread; /* id: that one alone, ended or not, with all its papers as representatives (after those that are,
                           latest first) and its events; NULL: all */
} pkin_threads_query;

PKIN_API pkin_threads_query pkin_threads_query_default(void);

/* Threads with the most papers since come first (ties by id), then fields likewise. */
typedef struct pkin_threads {
    pkin_thread *items;
    size_t n_items;
    char since[11], until[11]; /* days, both included; until: the date of the last update */
    uint32_t n_bins;
    uint64_t n_papers, n_outliers; /* of the store with a day in that span, and of them in no thread */
    pkin_thread_event *events;     /* of updates since, latest first */
    size_t n_events;
    void *memory;
} pkin_threads;

/* PKIN_ERROR_NOT_FOUND where threads were never updated, or there is none of that id; PKIN_ERROR_INVALID_ARGUMENT where
   `since` is no day or after the last update. O(papers). Free with pkin_threads_free. */
PKIN_API pkin_status pkin_threads_list(pkin_store *store, const pkin_threads_query *query, pkin_threads *out);
PKIN_API void pkin_threads_free(pkin_threads *threads);

PKIN_EXTERN_C_END

#endif
