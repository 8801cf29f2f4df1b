/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "history/paper_day.h"
#include "history/thread_run.h"

enum { MOST_BINS = 10000 };

pkin_threads_query pkin_threads_query_default(void) {
    return (pkin_threads_query){.size = sizeof(pkin_threads_query), .since_days = 30, .n_bins = 10};
}

/* What is known of a row while members are counted. Fields get what their threads get. */
typedef struct tally {
    uint32_t field; /* row; UINT32_MAX: none */
    bool is_wanted;
    uint64_t n_papers, n_since;
    char first_day[11], last_day[11];
    uint32_t *counts;  /* n_bins; NULL where the row is not wanted */
    uint32_t *members; /* those to show, best first */
    uint32_t n_members, capacity;
} tally;

typedef struct listing {
    pkin_store *store;
    const pkin_threads_query *query;
    pkin_threads *out;
    pkin_i_arena *arena;
    pkin_i_stored_threads stored;
    int32_t since, until; /* days as numbers */
    tally *tallies;       /* by row */
    char (*days)[11];     /* by member */
    uint32_t only;        /* the row asked for; UINT32_MAX: all */
} listing;

/* ---- What is asked for ----------------------------------------------------------------------------------------------
 */

static pkin_status decide_span(listing *l) {
    pkin_threads *out = l->out;
    const char *since = l->query->since;
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(!since || (pkin_i_is_calendar_day(since) && !since[10]), PKIN_ERROR_INVALID_ARGUMENT,
                 "\"%s\" is no day: give it as YYYY-MM-DD", since);
    PKIN_REQUIRE(l->query->n_bins >= 1 && l->query->n_bins <= MOST_BINS, PKIN_ERROR_INVALID_ARGUMENT,
                 "%u bins were asked for, expected 1 to %d", l->query->n_bins, MOST_BINS);
    PKIN_REQUIRE(*l->stored.date, PKIN_ERROR_NOT_FOUND,
                 "the store has no threads yet: cluster its papers first (paperkin cluster)");
    memcpy(out->until, l->stored.date, sizeof out->until);
    l->until = pkin_i_day_number(out->until);
    int64_t first = (int64_t)l->until - l->query->since_days, least = pkin_i_day_number("0001-01-01");
    l->since = since ? pkin_i_day_number(since) : (int32_t)(first > least ? first : least);
    pkin_i_day_text(l->since, out->since);
    PKIN_REQUIRE(l->since <= l->until, PKIN_ERROR_INVALID_ARGUMENT,
                 "threads since %s were asked for, but they were last updated for %s: give an earlier day", out->since,
                 out->until);
    uint32_t n_days = (uint32_t)(l->until - l->since) + 1;
    out->n_bins = l->query->n_bins < n_days ? l->query->n_bins : n_days;
out:
    return status;
}

static uint32_t find_row(const pkin_i_stored_threads *stored, const char *id) {
    for (size_t k = 0; k < stored->n_rows; k++) {
        if (strcmp(stored->rows[k].id, id) == 0) return (uint32_t)k;
    }
    return UINT32_MAX;
}

static bool is_wanted(const listing *l, uint32_t row) {
    const char *ended = l->stored.rows[row].ended;
    if (l->only != UINT32_MAX) return row == l->only;
    return !*ended || (l->query->with_ended && strcmp(ended, l->out->since) >= 0);
}

static int compare_id_to_row(const void *id, const void *row) {
    return strcmp(id, ((const pkin_i_thread_row *)row)->id);
}

static pkin_status decide_rows(listing *l) {
    const pkin_i_stored_threads *stored = &l->stored;
    pkin_status status;
    l->only = UINT32_MAX;
    if (l->query->thread) {
        l->only = find_row(stored, l->query->thread);
        PKIN_REQUIRE(l->only != UINT32_MAX, PKIN_ERROR_NOT_FOUND,
                     "the store has no thread \"%s\": see which there are with paperkin threads", l->query->thread);
    }
    PKIN_TRY(pkin_i_allocate_zeroed(stored->n_rows, sizeof *l->tallies, &l->tallies));
    for (uint32_t r = 0; r < stored->n_rows; r++) {
        tally *t = &l->tallies[r];
        const pkin_i_thread_row *field =
            bsearch(stored->rows[r].field, stored->rows, stored->n_rows, sizeof *stored->rows, compare_id_to_row);
        t->field = field ? (uint32_t)(field - stored->rows) : UINT32_MAX;
        t->is_wanted = is_wanted(l, r);
        if (!t->is_wanted) continue;
        PKIN_TRY(pkin_i_arena_allocate(l->arena, l->out->n_bins, sizeof *t->counts, &t->counts));
        memset(t->counts, 0, l->out->n_bins * sizeof *t->counts);
    }
out:
    return status;
}

/* ---- Counting -------------------------------------------------------------------------------------------------------
 */

static bool is_since(const listing *l, const char *day) {
    return strcmp(day, l->out->since) >= 0;
}

/* What came later than the last update (a corpus read in since) counts for its last day. */
static uint32_t bin_of(const listing *l, const char *day) {
    int64_t n_days = (int64_t)l->until - l->since + 1, at = (int64_t)pkin_i_day_number(day) - l->since;
    return (uint32_t)((at < n_days ? at : n_days - 1) * l->out->n_bins / n_days);
}

static void count(const listing *l, tally *t, const char *day) {
    t->n_papers++;
    if (!*day) return;
    if (!*t->first_day || strcmp(day, t->first_day) < 0) memcpy(t->first_day, day, 11);
    if (strcmp(day, t->last_day) > 0) memcpy(t->last_day, day, 11);
    if (!is_since(l, day)) return;
    t->n_since++;
    if (t->counts) t->counts[bin_of(l, day)]++;
}

/* Days of all members; counts the store's papers on the way. */
static pkin_status load_days(listing *l) {
    const pkin_i_stored_threads *stored = &l->stored;
    pkin_i_arena scratch = {0};
    pkin_i_first_seen *seen = NULL;
    uint64_t n = 0;
    size_t m = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_store_first_seen(l->store, &scratch, &seen, &n));
    PKIN_TRY(pkin_i_allocate(stored->n_members, sizeof *l->days, &l->days));
    for (uint64_t k = 0; k < n; k++) {
        char day[11];
        pkin_i_paper_day(&seen[k], day);
        bool is_member = m < stored->n_members && stored->members[m].paper_id == seen[k].paper_id;
        if (is_member) memcpy(l->days[m++], day, sizeof day);
        bool is_waiting = !is_member && strcmp(day, l->out->until) > 0; /* for the next update */
        if (!*day || !is_since(l, day) || is_waiting) continue;
        l->out->n_papers++;
        l->out->n_outliers += !is_member;
    }
    PKIN_REQUIRE(m == stored->n_members, PKIN_ERROR_CORRUPT,
                 "a thread has a paper that the store has not: restore a copy of the store, or update its threads");
out:
    pkin_i_arena_free(&scratch);
    return status;
}

static pkin_status note_member(tally *t, uint32_t member) {
    size_t capacity = t->capacity;
    pkin_status status;
    PKIN_TRY(pkin_i_grow(&t->members, &capacity, (size_t)t->n_members + 1, sizeof *t->members));
    t->capacity = (uint32_t)capacity;
    t->members[t->n_members++] = member;
out:
    return status;
}

static pkin_status count_members(listing *l) {
    pkin_status status = PKIN_OK;
    for (size_t m = 0; m < l->stored.n_members; m++) {
        const pkin_i_thread_member *member = &l->stored.members[m];
        tally *thread = &l->tallies[member->thread];
        /* What an ended thread still holds was no part of its field lately. */
        bool is_alive = !*l->stored.rows[member->thread].ended;
        tally *field = is_alive && thread->field != UINT32_MAX ? &l->tallies[thread->field] : NULL;
        count(l, thread, l->days[m]);
        if (field) count(l, field, l->days[m]);
        bool is_shown = member->rank > 0 || l->only != UINT32_MAX;
        if (is_shown && thread->is_wanted) PKIN_TRY(note_member(thread, (uint32_t)m));
        if (is_shown && field && field->is_wanted) PKIN_TRY(note_member(field, (uint32_t)m));
    }
out:
    return status;
}

/* ---- Papers to show
 * -------------------------------------------------------------------------------------------------- */

/* One member with all that decides its place. */
typedef struct shown {
    uint32_t rank; /* UINT32_MAX for 0 */
    uint64_t thread_papers;
    const char *thread_id, *day;
    uint32_t member;
} shown;

/* Those that stand for their thread first, of the largest thread first; the rest by day, latest first. */
static int compare_shown(const void *left, const void *right) {
    const shown *a = left, *b = right;
    int order = 0;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->rank == UINT32_MAX) order = strcmp(b->day, a->day);
    if (order == 0 && a->thread_papers != b->thread_papers) return a->thread_papers > b->thread_papers ? -1 : 1;
    if (order == 0) order = strcmp(a->thread_id, b->thread_id);
    return order ? order : (a->member > b->member) - (a->member < b->member);
}

static pkin_status read_paper(listing *l, uint32_t member, pkin_thread_paper *out) {
    pkin_i_arena scratch = {0};
    pkin_i_stored_paper stored;
    pkin_status status;
    PKIN_TRY(pkin_i_store_paper(l->store, l->stored.members[member].paper_id, &scratch, &stored));
    const pkin_paper *paper = &stored.paper;
    PKIN_TRY(pkin_i_arena_string(l->arena, paper->key, strlen(paper->key), &out->key));
    PKIN_TRY(pkin_i_arena_string(l->arena, paper->id, strlen(paper->id), &out->id));
    PKIN_TRY(pkin_i_arena_string(l->arena, paper->title, strlen(paper->title), &out->title));
    PKIN_TRY(pkin_i_arena_string(l->arena, paper->link, strlen(paper->link), &out->link));
    memcpy(out->day, l->days[member], sizeof out->day);
out:
    pkin_i_arena_free(&scratch);
    return status;
}

static pkin_status read_papers(listing *l, const tally *t, pkin_thread *out) {
    pkin_thread_paper *papers = NULL;
    shown *list = NULL;
    uint32_t n = t->n_members;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(n, sizeof *list, &list));
    for (uint32_t k = 0; k < n; k++) {
        const pkin_i_thread_member *member = &l->stored.members[t->members[k]];
        list[k] = (shown){.rank = member->rank ? member->rank : UINT32_MAX,
                          .thread_papers = l->tallies[member->thread].n_papers,
                          .thread_id = l->stored.rows[member->thread].id,
                          .day = l->days[t->members[k]],
                          .member = t->members[k]};
    }
    if (n > 1) qsort(list, n, sizeof *list, compare_shown);
    if (l->only == UINT32_MAX && n > PKIN_I_N_REPRESENTATIVES) n = PKIN_I_N_REPRESENTATIVES;
    PKIN_TRY(pkin_i_arena_allocate(l->arena, n, sizeof *papers, &papers));
    for (uint32_t k = 0; k < n; k++) PKIN_TRY(read_paper(l, list[k].member, &papers[k]));
    out->representatives = papers;
    out->n_representatives = n;
out:
    pkin_i_free(list);
    return status;
}

/* ---- The list
 * -------------------------------------------------------------------------------------------------------- */

static pkin_status fill_thread(listing *l, uint32_t row, pkin_thread *out) {
    const pkin_i_thread_row *stored = &l->stored.rows[row];
    const tally *t = &l->tallies[row];
    *out = (pkin_thread){.id = stored->id,
                         .is_field = stored->is_field,
                         .field = stored->field,
                         .label = stored->label,
                         .label_chinese = stored->label_chinese,
                         .merged_into = stored->merged_into,
                         .n_papers = t->n_papers,
                         .n_since = t->n_since,
                         .counts = t->counts};
    memcpy(out->born, stored->born, sizeof out->born);
    memcpy(out->ended, stored->ended, sizeof out->ended);
    memcpy(out->first_day, t->first_day, sizeof out->first_day);
    memcpy(out->last_day, t->last_day, sizeof out->last_day);
    return read_papers(l, t, out);
}

static int compare_threads(const void *left, const void *right) {
    const pkin_thread *a = left, *b = right;
    if (a->is_field != b->is_field) return a->is_field - b->is_field;
    if (a->n_since != b->n_since) return a->n_since > b->n_since ? -1 : 1;
    return strcmp(a->id, b->id);
}

static pkin_status fill_list(listing *l) {
    pkin_threads *out = l->out;
    size_t n = 0;
    pkin_status status;
    for (size_t r = 0; r < l->stored.n_rows; r++) n += l->tallies[r].is_wanted;
    PKIN_TRY(pkin_i_arena_allocate(l->arena, n, sizeof *out->items, &out->items));
    for (uint32_t r = 0; r < l->stored.n_rows; r++) {
        if (l->tallies[r].is_wanted) PKIN_TRY(fill_thread(l, r, &out->items[out->n_items++]));
    }
    if (n > 1) qsort(out->items, n, sizeof *out->items, compare_threads);
out:
    return status;
}

static pkin_status load_events(listing *l) {
    pkin_threads *out = l->out;
    const char *only = l->query->thread;
    size_t n = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_store_load_thread_events(l->store, out->since, l->arena, &out->events, &out->n_events));
    for (size_t k = 0; only && k < out->n_events; k++) {
        const pkin_thread_event *event = &out->events[k];
        if (strcmp(event->thread, only) == 0 || strcmp(event->other, only) == 0) out->events[n++] = *event;
    }
    if (only) out->n_events = n;
out:
    return status;
}

static void listing_free(listing *l) {
    for (size_t r = 0; l->tallies && r < l->stored.n_rows; r++) pkin_i_free(l->tallies[r].members);
    pkin_i_free(l->tallies);
    pkin_i_free(l->days);
}

static pkin_status list_threads(listing *l) {
    bool began = false;
    pkin_status status;
    PKIN_TRY(pkin_i_snapshot_begin(l->store, &began));
    PKIN_TRY(pkin_i_store_load_threads(l->store, l->arena, &l->stored));
    PKIN_TRY(decide_span(l));
    PKIN_TRY(decide_rows(l));
    PKIN_TRY(load_days(l));
    PKIN_TRY(count_members(l));
    PKIN_TRY(fill_list(l));
    PKIN_TRY(load_events(l));
out:
    pkin_i_snapshot_end(l->store, began);
    return status;
}

pkin_status pkin_threads_list(pkin_store *store, const pkin_threads_query *query, pkin_threads *out) {
    pkin_threads_query taken = pkin_threads_query_default();
    listing l = {.store = store, .query = &taken, .out = out};
    pkin_status status;
    if (out) *out = (pkin_threads){0};
    PKIN_REQUIRE(store && out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_threads_list: a store and a place for the result");
    PKIN_TRY(pkin_i_take_options(query, &taken, "pkin_threads_query"));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *l.arena, &l.arena));
    out->memory = l.arena;
    PKIN_TRY(list_threads(&l));
out:
    listing_free(&l);
    if (status != PKIN_OK) pkin_threads_free(out);
    return status;
}

void pkin_threads_free(pkin_threads *threads) {
    if (!threads) return;
    if (threads->memory) pkin_i_arena_free(threads->memory);
    pkin_i_free(threads->memory);
    *threads = (pkin_threads){0};
}
