/* SPDX-License-Identifier: Apache-2.0 */
#include "store/thread_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/failure.h"
#include "store/store_sql.h"

/* Names in the table meta. */
#define META_DATE "threads_date"
#define META_SETTINGS "threads_settings"
#define META_LAST_PAPER "threads_last_paper"

/* ---- What can have been written -----------------------------------------------------------------------------------
 */

static bool is_id(const char *text, char first) {
    if (text[0] != first) return false;
    for (int k = 1; k < PKIN_I_THREAD_ID_BYTES - 1; k++) {
        if (!((text[k] >= 'a' && text[k] <= 'z') || (text[k] >= '2' && text[k] <= '7'))) return false;
    }
    return text[PKIN_I_THREAD_ID_BYTES - 1] == '\0';
}

static bool is_day(const char *text) {
    return pkin_i_is_calendar_day(text) && text[10] == '\0';
}

static bool is_sound_row(const pkin_i_thread_row *row) {
    char first = row->is_field ? 'f' : 't';
    return is_id(row->id, first) && (!*row->field || (!row->is_field && is_id(row->field, 'f'))) && is_day(row->born) &&
           (!*row->ended || is_day(row->ended)) && (!*row->merged_into || is_id(row->merged_into, first));
}

/* ---- Reading ------------------------------------------------------------------------------------------------------
 */

/* A text column into a field of fixed size; *fits false, and the field "", where it is too long. */
static void copy_short(sqlite3_stmt *statement, int column, char *out, size_t n_bytes, bool *fits) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t length = text ? strlen(text) : SIZE_MAX;
    out[0] = '\0';
    if (length < n_bytes) {
        memcpy(out, text, length + 1);
    } else {
        *fits = false;
    }
}

static pkin_status read_meta(pkin_store *store, const char *name, pkin_i_arena *arena, const char **out) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    *out = "";
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_META_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, pkin_i_sql_bind_text(statement, 1, name), &found));
    if (found) PKIN_TRY(pkin_i_sql_copy_text(store, statement, 0, arena, out));
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status copy_day(pkin_store *store, const char *text, const char *what, char out[11]) {
    if (*text && !is_day(text)) return pkin_i_store_damaged(store, what);
    memcpy(out, text, strlen(text) + 1);
    return PKIN_OK;
}

/* Digits alone: what write_last_paper writes. */
static pkin_status read_last_paper(pkin_store *store, pkin_i_arena *arena, int64_t *out) {
    const char *text = NULL;
    pkin_status status;
    *out = 0;
    PKIN_TRY(read_meta(store, META_LAST_PAPER, arena, &text));
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || *out > (INT64_MAX - 9) / 10) {
            status = pkin_i_store_damaged(store, "the number of the last paper that threads were made of is no number");
            goto out;
        }
        *out = *out * 10 + (*text - '0');
    }
out:
    return status;
}

/* Columns of THREADS_READ, THREAD_OF and THREAD_INSERT. */
static pkin_status take_row(pkin_store *store, sqlite3_stmt *statement, pkin_i_arena *arena, pkin_i_thread_row *out) {
    bool fits = true;
    pkin_status status;
    memset(out, 0, sizeof *out);
    copy_short(statement, 0, out->id, sizeof out->id, &fits);
    int is_field = sqlite3_column_int(statement, 1);
    out->is_field = is_field != 0;
    copy_short(statement, 2, out->field, sizeof out->field, &fits);
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 3, arena, &out->label));
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 4, arena, &out->label_chinese));
    copy_short(statement, 5, out->born, sizeof out->born, &fits);
    copy_short(statement, 6, out->ended, sizeof out->ended, &fits);
    copy_short(statement, 7, out->merged_into, sizeof out->merged_into, &fits);
    if (!fits || (is_field & ~1) || !is_sound_row(out)) {
        status = pkin_i_store_damaged(store, "a thread's row is not as it was written");
    }
out:
    return status;
}

static pkin_status read_rows(pkin_store *store, pkin_i_arena *arena, pkin_i_stored_threads *out) {
    sqlite3_stmt *statement = NULL;
    pkin_i_thread_row *rows = NULL;
    size_t n = 0, capacity = 0;
    bool row = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_THREADS_READ, &statement));
    for (;;) {
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
        if (!row) break;
        PKIN_REQUIRE(n < UINT32_MAX, PKIN_ERROR_OVERFLOW, "%s: holds too many threads", store->path);
        PKIN_TRY(pkin_i_grow(&rows, &capacity, n + 1, sizeof *rows));
        PKIN_TRY(take_row(store, statement, arena, &rows[n++]));
    }
    PKIN_TRY(pkin_i_arena_allocate(arena, n, sizeof *rows, &out->rows));
    if (n) memcpy(out->rows, rows, n * sizeof *rows);
    out->n_rows = n;
out:
    pkin_i_sql_reset(statement);
    pkin_i_free(rows);
    return status;
}

static uint32_t find_row(const pkin_i_stored_threads *threads, const char *id) {
    size_t low = 0, high = threads->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(threads->rows[middle].id, id);
        if (order == 0) return (uint32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

static pkin_status take_member(pkin_store *store, sqlite3_stmt *statement, const pkin_i_stored_threads *threads,
                               pkin_i_thread_member *out) {
    const char *id = (const char *)sqlite3_column_text(statement, 1);
    int64_t rank = sqlite3_column_int64(statement, 2), in_window = sqlite3_column_int64(statement, 3);
    uint32_t thread = id ? find_row(threads, id) : UINT32_MAX;
    if (thread == UINT32_MAX || threads->rows[thread].is_field) {
        return pkin_i_store_damaged(store, "a paper is in a thread that is not there");
    }
    if (rank < 0 || rank > UINT32_MAX || (in_window & ~INT64_C(1))) {
        return pkin_i_store_damaged(store, "a paper's place in its thread is not as it was written");
    }
    *out = (pkin_i_thread_member){sqlite3_column_int64(statement, 0), thread, (uint32_t)rank, in_window != 0};
    return PKIN_OK;
}

static pkin_status count_members(pkin_store *store, uint64_t *out) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    pkin_status status;
    *out = 0;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_MEMBERS_COUNT, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    if (row) *out = (uint64_t)sqlite3_column_int64(statement, 0);
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_members(pkin_store *store, pkin_i_arena *arena, pkin_i_stored_threads *out) {
    sqlite3_stmt *statement = NULL;
    uint64_t n_expected = 0;
    size_t n = 0;
    bool row = false;
    pkin_status status;
    PKIN_TRY(count_members(store, &n_expected));
    PKIN_TRY(pkin_i_arena_allocate(arena, n_expected, sizeof *out->members, &out->members));
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_MEMBERS_READ, &statement));
    for (;;) {
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
        if (!row) break;
        if (n == n_expected) {
            status = pkin_i_store_damaged(store, "the members of threads are more than were counted");
            goto out;
        }
        PKIN_TRY(take_member(store, statement, out, &out->members[n]));
        if (n && out->members[n - 1].paper_id >= out->members[n].paper_id) {
            status = pkin_i_store_damaged(store, "the members of threads are out of order");
            goto out;
        }
        n++;
    }
    out->n_members = n;
out:
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_store_load_threads(pkin_store *store, pkin_i_arena *arena, pkin_i_stored_threads *out) {
    pkin_i_stored_threads threads;
    bool began = false;
    const char *date = NULL;
    pkin_status status;
    memset(&threads, 0, sizeof threads);
    PKIN_TRY(pkin_i_snapshot_begin(store, &began));
    PKIN_TRY(read_meta(store, META_DATE, arena, &date));
    PKIN_TRY(copy_day(store, date, "the date of its threads is no date", threads.date));
    PKIN_TRY(read_meta(store, META_SETTINGS, arena, &threads.settings));
    PKIN_TRY(read_last_paper(store, arena, &threads.last_paper_id));
    PKIN_TRY(read_rows(store, arena, &threads));
    PKIN_TRY(read_members(store, arena, &threads));
    if (threads.n_rows && !*threads.date) {
        status = pkin_i_store_damaged(store, "it has threads, but not the date of their update");
        goto out;
    }
    *out = threads;
out:
    pkin_i_snapshot_end(store, began);
    return status;
}

pkin_status pkin_i_store_threads_date(pkin_store *store, char date[11]) {
    pkin_i_arena arena = {0};
    const char *text = NULL;
    pkin_status status;
    date[0] = '\0';
    PKIN_TRY(read_meta(store, META_DATE, &arena, &text));
    PKIN_TRY(copy_day(store, text, "the date of its threads is no date", date));
out:
    pkin_i_arena_free(&arena);
    return status;
}

pkin_status pkin_i_store_last_date(pkin_store *store, char date[11]) {
    sqlite3_stmt *statement = NULL;
    bool row = false, fits = true;
    pkin_status status;
    date[0] = '\0';
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_LAST_DIGEST, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    if (!row) goto out;
    copy_short(statement, 0, date, 11, &fits);
    if (!fits || (*date && !is_day(date))) {
        date[0] = '\0';
        status = pkin_i_store_damaged(store, "the date of a digest is no date");
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_store_thread_of(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, pkin_i_thread_row *out,
                                   bool *found) {
    sqlite3_stmt *statement = NULL;
    pkin_status status;
    *found = false;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_THREAD_OF, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, sqlite3_bind_int64(statement, 1, paper_id), found));
    if (*found) PKIN_TRY(take_row(store, statement, arena, out));
out:
    pkin_i_sql_reset(statement);
    return status;
}

/* ---- Events -------------------------------------------------------------------------------------------------------
 */

static bool find_kind(const char *name, pkin_thread_event_kind *out) {
    for (int kind = PKIN_THREAD_BORN; kind <= PKIN_THREAD_ENDED; kind++) {
        if (name && strcmp(name, pkin_thread_event_name((pkin_thread_event_kind)kind)) == 0) {
            *out = (pkin_thread_event_kind)kind;
            return true;
        }
    }
    return false;
}

/* Columns of EVENTS_READ. */
static pkin_status take_event(pkin_store *store, sqlite3_stmt *statement, pkin_i_arena *arena, pkin_thread_event *out) {
    uint64_t *const counts[] = {&out->n_before, &out->n_shared, &out->n_after};
    const char **const texts[] = {&out->thread, &out->label, &out->other, &out->explanation};
    enum { N_TEXTS = sizeof texts / sizeof *texts, N_COUNTS = sizeof counts / sizeof *counts };
    bool fits = true;
    pkin_status status = PKIN_OK;
    memset(out, 0, sizeof *out);
    if (!find_kind((const char *)sqlite3_column_text(statement, 0), &out->kind)) fits = false;
    out->is_field = sqlite3_column_int(statement, 1);
    copy_short(statement, 2, out->date, sizeof out->date, &fits);
    for (int k = 0; k < N_TEXTS; k++) PKIN_TRY(pkin_i_sql_copy_text(store, statement, 3 + k, arena, texts[k]));
    for (int k = 0; k < N_COUNTS; k++) {
        int64_t count = sqlite3_column_int64(statement, 3 + N_TEXTS + k);
        *counts[k] = (uint64_t)count;
        fits &= count >= 0;
    }
    char first = out->is_field ? 'f' : 't';
    fits &= is_day(out->date) && is_id(out->thread, first) && (!*out->other || is_id(out->other, first));
    if (!fits) status = pkin_i_store_damaged(store, "an event of a thread is not as it was written");
out:
    return status;
}

pkin_status pkin_i_store_load_thread_events(pkin_store *store, const char *since, pkin_i_arena *arena,
                                            pkin_thread_event **events, size_t *n_events) {
    sqlite3_stmt *statement = NULL;
    pkin_thread_event *items = NULL;
    size_t n = 0, capacity = 0;
    bool row = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_EVENTS_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, pkin_i_sql_bind_text(statement, 1, since), &row));
    while (row) {
        PKIN_TRY(pkin_i_grow(&items, &capacity, n + 1, sizeof *items));
        PKIN_TRY(take_event(store, statement, arena, &items[n++]));
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    }
    PKIN_TRY(pkin_i_arena_allocate(arena, n, sizeof *items, events));
    if (n) memcpy(*events, items, n * sizeof *items);
    *n_events = n;
out:
    pkin_i_sql_reset(statement);
    pkin_i_free(items);
    return status;
}

static pkin_status next_run(pkin_store *store, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_EVENT_LAST_RUN, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    int64_t last = row ? sqlite3_column_int64(statement, 0) : 0;
    if (last < 0 || last == INT64_MAX) {
        status = pkin_i_store_damaged(store, "the updates of its threads are not numbered");
        goto out;
    }
    *out = last + 1;
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status insert_event(pkin_store *store, int64_t run, size_t position, const pkin_thread_event *event) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_EVENT_INSERT, &statement);
    if (status != PKIN_OK) return status;
    const char *const texts[] = {event->thread, event->label, event->other, event->explanation};
    const uint64_t counts[] = {event->n_before, event->n_shared, event->n_after};
    enum { N_TEXTS = sizeof texts / sizeof *texts, N_COUNTS = sizeof counts / sizeof *counts };
    int bound = sqlite3_bind_int64(statement, 1, run);
    bound |= sqlite3_bind_int64(statement, 2, (int64_t)position);
    bound |= pkin_i_sql_bind_text(statement, 3, event->date);
    bound |= pkin_i_sql_bind_text(statement, 4, pkin_thread_event_name(event->kind));
    bound |= sqlite3_bind_int(statement, 5, event->is_field != 0);
    for (int k = 0; k < N_TEXTS; k++) bound |= pkin_i_sql_bind_text(statement, 6 + k, texts[k]);
    for (int k = 0; k < N_COUNTS; k++) bound |= sqlite3_bind_int64(statement, 6 + N_TEXTS + k, (int64_t)counts[k]);
    return pkin_i_sql_run(store, statement, bound);
}

/* ---- Writing ------------------------------------------------------------------------------------------------------
 */

static pkin_status write_meta(pkin_store *store, const char *name, const char *value) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_META_WRITE, &statement);
    if (status != PKIN_OK) return status;
    int bound = pkin_i_sql_bind_text(statement, 1, name);
    bound |= pkin_i_sql_bind_text(statement, 2, value);
    return pkin_i_sql_run(store, statement, bound);
}

static pkin_status write_last_paper(pkin_store *store, int64_t paper_id) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)paper_id);
    return write_meta(store, META_LAST_PAPER, text);
}

static pkin_status delete_all(pkin_store *store, pkin_i_statement which) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, which, &statement);
    return status == PKIN_OK ? pkin_i_sql_run(store, statement, SQLITE_OK) : status;
}

static pkin_status insert_row(pkin_store *store, const pkin_i_thread_row *row) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_THREAD_INSERT, &statement);
    if (status != PKIN_OK) return status;
    const char *const texts[] = {row->field, row->label, row->label_chinese, row->born, row->ended, row->merged_into};
    enum { N_TEXTS = sizeof texts / sizeof *texts };
    int bound = pkin_i_sql_bind_text(statement, 1, row->id);
    bound |= sqlite3_bind_int(statement, 2, row->is_field);
    for (int k = 0; k < N_TEXTS; k++) bound |= pkin_i_sql_bind_text(statement, 3 + k, texts[k]);
    return pkin_i_sql_run(store, statement, bound);
}

static pkin_status insert_member(pkin_store *store, const pkin_i_thread_row *rows, const pkin_i_thread_member *member) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_MEMBER_INSERT, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, member->paper_id);
    bound |= pkin_i_sql_bind_text(statement, 2, rows[member->thread].id);
    bound |= sqlite3_bind_int64(statement, 3, member->rank);
    bound |= sqlite3_bind_int(statement, 4, member->in_window);
    return pkin_i_sql_run(store, statement, bound);
}

static pkin_status check_threads(const pkin_i_stored_threads *threads) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(is_day(threads->date), PKIN_ERROR_INVALID_ARGUMENT, "the threads' date is \"%s\", expected YYYY-MM-DD",
                 threads->date);
    for (size_t k = 0; k < threads->n_rows; k++) {
        PKIN_REQUIRE(is_sound_row(&threads->rows[k]), PKIN_ERROR_INVALID_ARGUMENT, "thread \"%s\" has no proper row",
                     threads->rows[k].id);
    }
    for (size_t k = 0; k < threads->n_members; k++) {
        uint32_t thread = threads->members[k].thread;
        PKIN_REQUIRE(thread < threads->n_rows && !threads->rows[thread].is_field, PKIN_ERROR_INVALID_ARGUMENT,
                     "a paper is in thread number %u, which is none", thread);
    }
out:
    return status;
}

/* Members go first: deleting a thread looks for members that still name it, which takes no time where there are none.
 */
static pkin_status replace_threads(pkin_store *store, const pkin_i_stored_threads *threads,
                                   const pkin_thread_event *events, size_t n_events) {
    int64_t run = 0;
    pkin_status status;
    PKIN_TRY(check_threads(threads));
    PKIN_TRY(delete_all(store, PKIN_I_SQL_MEMBERS_DELETE));
    PKIN_TRY(delete_all(store, PKIN_I_SQL_THREADS_DELETE));
    for (size_t k = 0; k < threads->n_rows; k++) PKIN_TRY(insert_row(store, &threads->rows[k]));
    for (size_t k = 0; k < threads->n_members; k++) {
        PKIN_TRY(insert_member(store, threads->rows, &threads->members[k]));
    }
    PKIN_TRY(next_run(store, &run));
    for (size_t k = 0; k < n_events; k++) PKIN_TRY(insert_event(store, run, k + 1, &events[k]));
    PKIN_TRY(write_meta(store, META_DATE, threads->date));
    PKIN_TRY(write_meta(store, META_SETTINGS, threads->settings));
    PKIN_TRY(write_last_paper(store, threads->last_paper_id));
out:
    return status;
}

pkin_status pkin_i_store_save_threads(pkin_store *store, const pkin_i_stored_threads *threads,
                                      const pkin_thread_event *events, size_t n_events) {
    pkin_i_change change;
    pkin_status status = pkin_i_change_begin(store, &change);
    if (status != PKIN_OK) return status;
    return pkin_i_change_end(store, &change, replace_threads(store, threads, events, n_events));
}

/* ---- Names --------------------------------------------------------------------------------------------------------
 */

const char *pkin_thread_event_name(pkin_thread_event_kind kind) {
    static const char *const names[] = {"born", "grew", "merged", "split", "ended"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "";
}
