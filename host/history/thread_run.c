/* SPDX-License-Identifier: Apache-2.0 */
#include "history/thread_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "history/thread_level.h"
#include "history/thread_settings.h"

enum { LEAST_PAPERS = 3 }; /* in the window, of a thread that lives on without new ones */

/*
 * One update, step by step: the papers of the window are clustered as if there had been no update before; then the
 * clusters meet the threads of the last update, and those of them with new papers renew threads or make new ones
 * (history/thread_level.h); what comes of it is named. Steps fill this from top to bottom.
 */
typedef struct update {
    pkin_i_history *history;
    const pkin_threads_options *options;
    pkin_i_thread_run *run;
    pkin_i_stored_threads old;
    pkin_i_thread_settings settings;
    bool has_other_settings; /* than the last update had */
    char date[11];
    uint32_t *rows; /* of the history, in the window, ascending: node k of the clusters is rows[k] */
    uint64_t n_rows;
    const pkin_paper **papers; /* by node */
    pkin_vectors *selected;    /* of the window; NULL where that is the whole history */
    const pkin_vectors *vectors;
    pkin_topics topics; /* as found */
    pkin_i_thread_level threads, fields;
    pkin_partition thread_papers, field_papers; /* both levels as clusters of nodes */
    pkin_labels thread_labels, field_labels;
    pkin_representative *representatives; /* of the threads, PKIN_I_N_REPRESENTATIVES each */
    pkin_i_thread_book book;
    pkin_i_thread_events events;
    uint32_t *sorted; /* by row of the book: its place by id */
} update;

static pkin_status tell_progress(const update *u, const char *stage, uint64_t done, uint64_t total) {
    const pkin_threads_options *options = u->options;
    if (options->on_progress && options->on_progress(options->progress_user, stage, done, total)) {
        return pkin_i_fail(PKIN_ERROR_CANCELLED, "cancelled while %s", stage);
    }
    return PKIN_OK;
}

/* ---- What is asked for ----------------------------------------------------------------------------------------------
 */

/* Options of an earlier library are shorter; the graph options inside begin with a size of their own. */
static pkin_status take_topics(const pkin_topics_options *given, pkin_topics_options *out) {
    pkin_topics_options taken = pkin_topics_options_default();
    pkin_status status = pkin_i_take_options(given, &taken, "pkin_topics_options");
    if (status == PKIN_OK) *out = taken;
    return status;
}

static pkin_status compare_settings(update *u) {
    pkin_i_buffer line = {0};
    pkin_status status;
    PKIN_TRY(pkin_i_thread_settings_write(&u->settings, &line));
    u->has_other_settings =
        line.n_bytes != strlen(u->old.settings) || memcmp(line.bytes, u->old.settings, line.n_bytes) != 0;
out:
    pkin_i_buffer_free(&line);
    return status;
}

/* Given settings go before remembered ones, these before defaults. */
static pkin_status decide_settings(update *u) {
    const pkin_threads_options *options = u->options;
    pkin_i_thread_settings *settings = &u->settings;
    bool all_given = options->topics && options->window_days != UINT32_MAX;
    pkin_status status = PKIN_OK;
    *settings = pkin_i_thread_settings_default();
    PKIN_REQUIRE(all_given || !*u->old.settings || pkin_i_thread_settings_read(u->old.settings, settings),
                 PKIN_ERROR_CORRUPT,
                 "the store's settings of threads, \"%s\", cannot be understood: give the method and the window anew",
                 u->old.settings);
    if (options->topics) PKIN_TRY(take_topics(options->topics, &settings->topics));
    if (options->window_days != UINT32_MAX) settings->window_days = options->window_days;
    PKIN_TRY(pkin_i_thread_settings_tidy(settings));
    PKIN_TRY(compare_settings(u));
    if (options->backend) settings->topics.backend = options->backend;
    settings->topics.n_threads = options->n_threads;
    settings->topics.on_progress = options->on_progress;
    settings->topics.progress_user = options->progress_user;
out:
    return status;
}

/* Time does not go back: a digest of an old day, annotated again, must not end what has come since. */
static pkin_status decide_date(update *u) {
    const char *given = u->options->date;
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(!given || (pkin_i_is_calendar_day(given) && !given[10]), PKIN_ERROR_INVALID_ARGUMENT,
                 "\"%s\" is no day: give it as YYYY-MM-DD", given);
    if (given) {
        memcpy(u->date, given, sizeof u->date);
    } else {
        PKIN_TRY(pkin_i_store_last_date(u->history->store, u->date));
    }
    if (strcmp(u->old.date, u->date) > 0) memcpy(u->date, u->old.date, sizeof u->date);
    PKIN_REQUIRE(*u->date, PKIN_ERROR_NOT_FOUND, "the store has no papers yet: ingest a digest first");
    memcpy(u->run->facts.date, u->date, sizeof u->date);
out:
    return status;
}

static void first_day_of_window(const update *u, char out[11]) {
    static const char first_of_all[] = "0001-01-01";
    int64_t day = (int64_t)pkin_i_day_number(u->date) - u->settings.window_days;
    if (u->settings.window_days == 0 || day < pkin_i_day_number(first_of_all)) {
        memcpy(out, "", 1);
    } else {
        pkin_i_day_text((int32_t)day, out);
    }
}

/* Without a date given, papers that a corpus brought later than the last digest count as well. */
static pkin_status find_window(update *u) {
    const pkin_i_history *history = u->history;
    char first[11];
    pkin_status status;
    first_day_of_window(u, first);
    PKIN_TRY(pkin_i_allocate(history->n_papers, sizeof *u->rows, &u->rows));
    for (uint64_t r = 0; r < history->n_papers; r++) {
        const char *day = history->days[r];
        bool is_later = u->options->date && strcmp(day, u->date) > 0;
        if (strcmp(day, first) >= 0 && !is_later) u->rows[u->n_rows++] = (uint32_t)r;
    }
    u->run->facts.n_papers = u->n_rows;
out:
    return status;
}

static pkin_status load(update *u) {
    pkin_i_history *history = u->history;
    double begin = pkin_i_seconds_now();
    pkin_status status;
    PKIN_TRY(pkin_i_store_load_threads(history->store, &u->run->arena, &u->old));
    PKIN_TRY(decide_settings(u));
    PKIN_TRY(decide_date(u));
    PKIN_TRY(pkin_i_history_load_days(history));
    PKIN_TRY(pkin_i_history_load_papers(history));
    PKIN_TRY(find_window(u));
    PKIN_TRY(pkin_i_allocate(u->n_rows, sizeof *u->papers, &u->papers));
    for (uint64_t k = 0; k < u->n_rows; k++) u->papers[k] = &history->papers[u->rows[k]]->paper;
    PKIN_TRY(pkin_i_history_weigh_related(history, u->options->n_threads, u->options->on_progress,
                                          u->options->progress_user));
    u->run->facts.seconds_load = pkin_i_seconds_now() - begin;
out:
    return status;
}

/* ---- Clusters and identities --------------------------------------------------------------------------------------
 */

static pkin_status cluster(update *u) {
    pkin_threads_report *facts = &u->run->facts;
    pkin_status status = PKIN_OK;
    if (u->n_rows == 0) goto out;
    u->vectors = u->history->related.vectors;
    if (u->n_rows < u->history->n_papers) {
        PKIN_TRY(pkin_vectors_select(u->vectors, u->rows, u->n_rows, &u->selected));
        u->vectors = u->selected;
    }
    PKIN_TRY(pkin_topics_find(u->vectors, NULL, u->papers, NULL, &u->settings.topics, &u->topics));
    facts->seconds_neighbors = u->topics.seconds_neighbors;
    facts->seconds_clusters = u->topics.seconds_graph + u->topics.seconds_threads + u->topics.seconds_fields;
out:
    return status;
}

/* A partition of nodes by rows of the history. */
static pkin_status by_history_row(const update *u, const pkin_partition *partition, uint32_t **out) {
    pkin_status status = pkin_i_allocate(u->history->n_papers, sizeof **out, out);
    if (status != PKIN_OK) return status;
    for (uint64_t r = 0; r < u->history->n_papers; r++) (*out)[r] = PKIN_I_NOT_CLUSTERED;
    for (uint64_t k = 0; k < u->n_rows; k++) {
        (*out)[u->rows[k]] = partition->clusters ? partition->clusters[k] : PKIN_NO_CLUSTER;
    }
    return PKIN_OK;
}

/* And the other way. */
static pkin_status by_node(const update *u, const pkin_i_thread_level *level, pkin_partition *out) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(u->n_rows, sizeof *out->clusters, &out->clusters));
    out->n_nodes = u->n_rows;
    out->n_clusters = level->n_now;
    for (uint64_t k = 0; k < u->n_rows; k++) out->clusters[k] = level->now[u->rows[k]];
out:
    return status;
}

static pkin_status follow(update *u) {
    const pkin_topics *topics = &u->topics;
    uint32_t min_size = u->settings.topics.min_size > 1 ? u->settings.topics.min_size : 1;
    pkin_i_thread_course course = {.afresh = u->has_other_settings,
                                   .n_least = min_size < LEAST_PAPERS ? min_size : LEAST_PAPERS};
    uint32_t *threads = NULL, *fields = NULL;
    double begin = pkin_i_seconds_now();
    pkin_status status;
    PKIN_TRY(tell_progress(u, "matching", 0, 1));
    PKIN_TRY(by_history_row(u, &topics->threads, &threads));
    PKIN_TRY(by_history_row(u, &topics->paper_fields, &fields));
    PKIN_TRY(
        pkin_i_thread_level_follow(&u->threads, u->history, &u->old, &course, threads, topics->threads.n_clusters));
    PKIN_TRY(pkin_i_field_level_follow(&u->fields, u->history, &u->old, fields, topics->fields.n_clusters, &u->threads,
                                       topics->fields.clusters));
    PKIN_TRY(by_node(u, &u->threads, &u->thread_papers));
    PKIN_TRY(by_node(u, &u->fields, &u->field_papers));
    PKIN_TRY(tell_progress(u, "matching", 1, 1));
out:
    pkin_i_free(threads);
    pkin_i_free(fields);
    u->run->facts.seconds_match = pkin_i_seconds_now() - begin;
    return status;
}

/* ---- Labels ---------------------------------------------------------------------------------------------------------
 */

static pkin_status describe(update *u) {
    pkin_labels_options options = pkin_labels_options_default();
    uint32_t n_threads = u->threads.n_now;
    double begin = pkin_i_seconds_now();
    pkin_status status = PKIN_OK;
    options.n_threads = u->options->n_threads;
    options.on_progress = u->options->on_progress;
    options.progress_user = u->options->progress_user;
    if (n_threads == 0) goto out;
    PKIN_TRY(pkin_labels_make(u->papers, &u->thread_papers, u->fields.of_thread, &options, &u->thread_labels));
    PKIN_TRY(pkin_labels_make(u->papers, &u->field_papers, NULL, &options, &u->field_labels));
    PKIN_TRY(
        pkin_i_allocate((size_t)n_threads * PKIN_I_N_REPRESENTATIVES, sizeof *u->representatives, &u->representatives));
    PKIN_TRY(pkin_representatives_find(u->vectors, u->topics.graph, &u->thread_papers, PKIN_I_N_REPRESENTATIVES,
                                       u->representatives));
out:
    u->run->facts.seconds_labels = pkin_i_seconds_now() - begin;
    return status;
}

/* ---- Names and events -----------------------------------------------------------------------------------------------
 */

static pkin_status open_book(update *u) {
    pkin_i_thread_book *book = &u->book;
    size_t n_new = (size_t)u->threads.n_now + u->fields.n_now;
    pkin_status status;
    *book = (pkin_i_thread_book){.old = &u->old, .date = u->date, .arena = &u->run->arena};
    PKIN_TRY(pkin_i_arena_allocate(book->arena, u->old.n_rows + n_new, sizeof *book->rows, &book->rows));
    PKIN_TRY(pkin_i_allocate(n_new, sizeof *book->new_ids, &book->new_ids));
    if (u->old.n_rows) memcpy(book->rows, u->old.rows, u->old.n_rows * sizeof *book->rows);
    book->n_rows = u->old.n_rows;
out:
    return status;
}

/* Threads that live tell their field as it is now. */
static void link_fields(update *u) {
    for (uint32_t t = 0; t < u->threads.n_now; t++) {
        pkin_i_thread_row *row = &u->book.rows[u->threads.row_of[t]];
        uint32_t field = u->fields.of_thread[t];
        row->field[0] = '\0';
        if (field != PKIN_NO_CLUSTER) {
            memcpy(row->field, u->book.rows[u->fields.row_of[field]].id, sizeof row->field);
        }
    }
}

static pkin_status name(update *u) {
    double begin = pkin_i_seconds_now();
    pkin_status status;
    PKIN_TRY(open_book(u));
    PKIN_TRY(pkin_i_thread_level_name(&u->threads, u->history, &u->thread_labels, &u->book));
    PKIN_TRY(pkin_i_thread_level_name(&u->fields, u->history, &u->field_labels, &u->book));
    link_fields(u);
    PKIN_TRY(pkin_i_thread_level_tell(&u->threads, &u->book, &u->events));
    PKIN_TRY(pkin_i_thread_level_tell(&u->fields, &u->book, &u->events));
out:
    u->run->facts.seconds_match += pkin_i_seconds_now() - begin;
    return status;
}

/* ---- The result
 * ------------------------------------------------------------------------------------------------------ */

typedef struct id_place {
    char id[PKIN_I_THREAD_ID_BYTES];
    uint32_t row;
} id_place;

static int compare_ids(const void *left, const void *right) {
    return strcmp(((const id_place *)left)->id, ((const id_place *)right)->id);
}

/* The book's rows by id. */
static pkin_status sort_rows(update *u) {
    const pkin_i_thread_book *book = &u->book;
    pkin_i_stored_threads *stored = &u->run->stored;
    id_place *places = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(book->n_rows, sizeof *places, &places));
    PKIN_TRY(pkin_i_allocate(book->n_rows, sizeof *u->sorted, &u->sorted));
    PKIN_TRY(pkin_i_arena_allocate(book->arena, book->n_rows, sizeof *stored->rows, &stored->rows));
    for (size_t r = 0; r < book->n_rows; r++) {
        memcpy(places[r].id, book->rows[r].id, sizeof places[r].id);
        places[r].row = (uint32_t)r;
    }
    if (book->n_rows > 1) qsort(places, book->n_rows, sizeof *places, compare_ids);
    for (size_t k = 0; k < book->n_rows; k++) {
        stored->rows[k] = book->rows[places[k].row];
        u->sorted[places[k].row] = (uint32_t)k;
    }
    stored->n_rows = book->n_rows;
out:
    pkin_i_free(places);
    return status;
}

/* A paper that was clustered is where its cluster is, or nowhere; any other stays where it was. */
static bool member_of_row(const update *u, uint64_t row, const pkin_i_thread_member *old, pkin_i_thread_member *out) {
    uint32_t cluster = u->threads.now[row];
    if (cluster < PKIN_I_NOT_CLUSTERED) {
        *out = (pkin_i_thread_member){u->history->paper_ids[row], u->sorted[u->threads.row_of[cluster]], 0, true};
        return true;
    }
    if (cluster == PKIN_NO_CLUSTER || !old) return false;
    /* The papers that stand for a living thread are chosen anew. */
    uint32_t thread = u->sorted[old->thread];
    *out = (pkin_i_thread_member){old->paper_id, thread, *u->run->stored.rows[thread].ended ? old->rank : 0, false};
    return true;
}

static void rank_members(const update *u, const uint32_t *member_of) {
    for (uint32_t t = 0; t < u->threads.n_now; t++) {
        const pkin_representative *best = &u->representatives[(size_t)t * PKIN_I_N_REPRESENTATIVES];
        for (uint32_t k = 0; k < PKIN_I_N_REPRESENTATIVES && best[k].row != UINT32_MAX; k++) {
            u->run->stored.members[member_of[u->rows[best[k].row]]].rank = k + 1;
        }
    }
}

static pkin_status list_members(update *u) {
    const pkin_i_history *history = u->history;
    pkin_i_stored_threads *stored = &u->run->stored;
    uint32_t *member_of = NULL; /* by row of the history */
    size_t m = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(history->n_papers, sizeof *member_of, &member_of));
    PKIN_TRY(pkin_i_arena_allocate(&u->run->arena, history->n_papers, sizeof *u->run->thread_of_row,
                                   &u->run->thread_of_row));
    PKIN_TRY(pkin_i_arena_allocate(&u->run->arena, history->n_papers, sizeof *stored->members, &stored->members));
    for (uint64_t r = 0; r < history->n_papers; r++) {
        pkin_i_thread_member *member = &stored->members[stored->n_members];
        while (m < u->old.n_members && u->old.members[m].paper_id < history->paper_ids[r]) m++;
        bool had_one = m < u->old.n_members && u->old.members[m].paper_id == history->paper_ids[r];
        bool has_one = member_of_row(u, r, had_one ? &u->old.members[m] : NULL, member);
        u->run->thread_of_row[r] = has_one ? member->thread : UINT32_MAX;
        member_of[r] = (uint32_t)stored->n_members;
        stored->n_members += has_one;
    }
    rank_members(u, member_of);
out:
    pkin_i_free(member_of);
    return status;
}

static void widen(pkin_i_thread *thread, const char *day) {
    thread->n_papers++;
    if (!*day) return;
    if (!*thread->first_day || strcmp(day, thread->first_day) < 0) memcpy(thread->first_day, day, 11);
    if (strcmp(day, thread->last_day) > 0) memcpy(thread->last_day, day, 11);
}

static pkin_status summarise(update *u) {
    pkin_i_thread_run *run = u->run;
    pkin_status status;
    PKIN_TRY(pkin_i_arena_allocate(&run->arena, run->stored.n_rows, sizeof *run->threads, &run->threads));
    for (size_t k = 0; k < run->stored.n_rows; k++) run->threads[k] = (pkin_i_thread){.row = &run->stored.rows[k]};
    for (uint64_t r = 0; r < u->history->n_papers; r++) {
        uint32_t thread = run->thread_of_row[r];
        if (thread == UINT32_MAX || *run->stored.rows[thread].ended) continue;
        widen(&run->threads[thread], u->history->days[r]);
    }
out:
    return status;
}

static void count_facts(update *u) {
    pkin_threads_report *facts = &u->run->facts;
    uint64_t n_inside = 0;
    facts->n_threads = u->threads.n_now;
    facts->n_fields = u->fields.n_now;
    for (uint32_t t = 0; t < u->threads.n_now; t++) {
        uint64_t n = u->threads.match.now[t].n_items;
        n_inside += n;
        if (n > facts->largest_thread) facts->largest_thread = n;
    }
    facts->n_outliers = u->n_rows - n_inside;
}

static pkin_status remember(update *u) {
    pkin_i_thread_run *run = u->run;
    pkin_i_buffer line = {0};
    pkin_status status;
    memcpy(run->stored.date, u->date, sizeof u->date);
    PKIN_TRY(pkin_i_thread_settings_write(&u->settings, &line));
    PKIN_TRY(pkin_i_arena_string(&run->arena, line.bytes, line.n_bytes, &run->stored.settings));
    uint64_t n = u->history->n_papers;
    run->stored.last_paper_id = n ? u->history->paper_ids[n - 1] : 0;
    PKIN_TRY(pkin_i_arena_allocate(&run->arena, u->events.n_items, sizeof *run->events, &run->events));
    if (u->events.n_items) memcpy(run->events, u->events.items, u->events.n_items * sizeof *run->events);
    run->n_events = u->events.n_items;
out:
    pkin_i_buffer_free(&line);
    return status;
}

static pkin_status assemble(update *u) {
    double begin = pkin_i_seconds_now();
    pkin_status status;
    PKIN_TRY(sort_rows(u));
    PKIN_TRY(list_members(u));
    PKIN_TRY(summarise(u));
    PKIN_TRY(remember(u));
    count_facts(u);
out:
    u->run->facts.seconds_match += pkin_i_seconds_now() - begin;
    return status;
}

static void update_free(update *u) {
    pkin_i_free(u->rows);
    pkin_i_free(u->papers);
    pkin_vectors_free(u->selected);
    pkin_topics_free(&u->topics);
    pkin_partition_free(&u->thread_papers);
    pkin_partition_free(&u->field_papers);
    pkin_labels_free(&u->thread_labels);
    pkin_labels_free(&u->field_labels);
    pkin_i_free(u->representatives);
    pkin_i_thread_level_free(&u->threads);
    pkin_i_thread_level_free(&u->fields);
    pkin_i_free(u->book.new_ids);
    pkin_i_free(u->events.items);
    pkin_i_free(u->sorted);
}

pkin_status pkin_i_thread_run_find(pkin_i_history *history, const pkin_threads_options *options,
                                   pkin_i_thread_run *out) {
    update u = {.history = history, .options = options, .run = out};
    pkin_status status;
    PKIN_TRY(load(&u));
    PKIN_TRY(cluster(&u));
    PKIN_TRY(follow(&u));
    PKIN_TRY(describe(&u));
    PKIN_TRY(name(&u));
    PKIN_TRY(assemble(&u));
out:
    update_free(&u);
    return status;
}

pkin_status pkin_i_thread_run_save(pkin_i_thread_run *run, pkin_store *store) {
    double begin = pkin_i_seconds_now();
    pkin_status status = pkin_i_store_save_threads(store, &run->stored, run->events, run->n_events);
    run->facts.seconds_save = pkin_i_seconds_now() - begin;
    return status;
}

void pkin_i_thread_run_free(pkin_i_thread_run *run) {
    pkin_i_arena_free(&run->arena);
    *run = (pkin_i_thread_run){0};
}

pkin_status pkin_i_store_has_threads(pkin_store *store, bool *out) {
    char date[11];
    pkin_status status = pkin_i_store_threads_date(store, date);
    *out = status == PKIN_OK && *date;
    return status;
}
