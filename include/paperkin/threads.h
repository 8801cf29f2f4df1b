/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_THREADS_H
#define PAPERKIN_THREADS_H

#include "paperkin/cluster.h"
#include "paperkin/store.h"

PKIN_EXTERN_C_BEGIN

/*
 * Threads of work: the clusters of a store's papers, followed through its days. Clusters are found anew from the papers
 * alone; then each takes over the identity of the thread of the last update with which it shares most papers.
 */

typedef enum pkin_thread_event_kind {
    PKIN_THREAD_BORN = 0, /* no earlier thread has enough of its papers */
    PKIN_THREAD_GREW,     /* it got papers that are new to the store */
    PKIN_THREAD_MERGED,   /* most of `other`'s papers came over, which ended by it */
    PKIN_THREAD_SPLIT,    /* `other` left it as a thread of its own */
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
    uint64_t n_before, n_shared, n_after; /* its papers in the window before, of them still together, now */
} pkin_thread_event;

typedef struct pkin_threads_options {
    size_t size;             /* sizeof(pkin_threads_options), set by _default */
    const pkin_topics_options *topics; /* NULL: as the store remembers from its last update, else the defaults */
    uint32_t window_days;    /* papers of so many days up to `date` are clustered, older ones stay where they were; 0: all;
                                UINT32_MAX (default): as remembered, else 180 */
    const char *date;        /* of the update, "YYYY-MM-DD"; NULL: that of the store's latest digest */
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
    uint64_t n_outliers;     /* of them in no thread */
    uint32_t n_threads, n_fields;
    uint64_t largest_thread; /* papers */
    pkin_thread_event *events; /* fields last; by kind, then by size; strings live as long as the report */
    size_t n_events;
    double seconds_load, seconds_neighbors, seconds_clusters, seconds_labels, seconds_match, seconds_save;
    void *memory;
} pkin_threads_report;

/*
 * Clusters the papers of the window anew, matches the clusters with the threads that the store knows, and remembers
 * both: in one transaction. Thread ids are made of the papers that founded them, so that a store made again from the
 * same digests in the same steps has the same ids; updating again without new papers changes nothing and reports no
 * event. A cluster takes over the id of the thread with which it shares most papers, if that is at least half of the smaller
 * of the two and at least 30 % of the larger; each id goes to one cluster. PKIN_ERROR_CANCELLED leaves the store as it was. Free the report with
 * pkin_threads_report_free, also after a failure.
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
    const uint32_t *counts;  /* n_bins: papers by day, from `since` to `until`, in bins of equal length */
    const pkin_thread_paper *representatives; /* best first */
    uint32_t n_representatives;
} pkin_thread;

typedef struct pkin_threads_query {
    size_t size;        /* sizeof(pkin_threads_query), set by _default */
    const char *since;  /* "YYYY-MM-DD"; NULL: `since_days` before the last update */
    uint32_t since_days;/* default 30 */
    uint32_t n_bins;    /* default 10 */
    int with_ended;     /* 1: also those that ended since */
    const char *thread; /* id: that one alone, with all its papers as representatives; NULL: all */
} pkin_threads_query;

PKIN_API pkin_threads_query pkin_threads_query_default(void);

/* Threads with the most papers since come first (ties by id), then fields likewise. */
typedef struct pkin_threads {
    pkin_thread *items;
    size_t n_items;
    char since[11], until[11]; /* days, both included */
    uint32_t n_bins;
    uint64_t n_papers, n_outliers; /* of the store with a day in that span, and of them in no thread */
    pkin_thread_event *events;     /* of updates since, latest first */
    size_t n_events;
    void *memory;
} pkin_threads;

/* PKIN_ERROR_NOT_FOUND where the store has no threads yet, or none of that id. Free with pkin_threads_free. */
PKIN_API pkin_status pkin_threads_list(pkin_store *store, const pkin_threads_query *query, pkin_threads *out);
PKIN_API void pkin_threads_free(pkin_threads *threads);

PKIN_EXTERN_C_END

#endif
