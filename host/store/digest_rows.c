/* SPDX-License-Identifier: Apache-2.0 */
#include "store/digest_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/hash.h"
#include "corpus/blocks.h"
#include "corpus/corpus_private.h"

/* Stored: another seed would make every digest that is recorded an unknown one. */
#define CONTENT_SEED_0 UINT64_C(0x7061706572206b69)
#define CONTENT_SEED_1 UINT64_C(0x6e20636f6e74656e)

pkin_status pkin_i_digest_content(const char *bytes, size_t n_bytes, uint64_t content[2]) {
    static const char mark[] = "paperkin"; /* in every block: most files have none and need no copy */
    pkin_i_buffer plain = {0};
    pkin_status status = PKIN_OK;
    if (n_bytes == 0) bytes = "";
    if (memmem(bytes, n_bytes, mark, sizeof mark - 1)) {
        uint64_t n_blocks = 0;
        PKIN_TRY(pkin_i_blocks_remove(bytes, n_bytes, pkin_i_format_detect(bytes, n_bytes), &plain, &n_blocks));
        bytes = plain.bytes ? plain.bytes : "";
        n_bytes = plain.n_bytes;
    }
    content[0] = pkin_i_hash_bytes(bytes, n_bytes, CONTENT_SEED_0);
    content[1] = pkin_i_hash_bytes(bytes, n_bytes, CONTENT_SEED_1);
out:
    pkin_i_buffer_free(&plain);
    return status;
}

/* The day that the identity asks for, and where it comes from. */
static pkin_status resolve_date(const pkin_i_digest_identity *identity, pkin_i_digest_row *row) {
    if (identity->date) {
        if (!pkin_i_is_date(identity->date)) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "date \"%.40s\": expected a day of the calendar, YYYY-MM-DD", identity->date);
        }
        row->dated_by = "given";
        memcpy(row->date, identity->date, PKIN_I_DATE_BYTES);
        return PKIN_OK;
    }
    row->dated_by = "name";
    if (pkin_i_date_in_path(identity->path ? identity->path : identity->name, row->date)) return PKIN_OK;
    row->dated_by = "clock";
    return pkin_i_date_today(row->date);
}

pkin_status pkin_i_digest_row_find(pkin_store *store, const pkin_i_digest_identity *identity, pkin_i_digest_row *row) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    memset(row, 0, sizeof *row);
    row->name = identity->name;
    snprintf(row->content, sizeof row->content, "%016llx%016llx", (unsigned long long)identity->content[0],
             (unsigned long long)identity->content[1]);
    PKIN_TRY(resolve_date(identity, row));
    PKIN_TRY(pkin_i_sql_prepare(
        store, identity->same_day_only ? PKIN_I_SQL_DIGEST_OF_DAY : PKIN_I_SQL_DIGEST_OF_ANY_DAY, &statement));
    int bound = pkin_i_sql_bind_text(statement, 1, row->name);
    bound |= pkin_i_sql_bind_text(statement, 2, row->content);
    bound |= pkin_i_sql_bind_text(statement, 3, row->date);
    PKIN_TRY(pkin_i_sql_step(store, statement, bound, &found));
    if (found) {
        const char *date = (const char *)sqlite3_column_text(statement, 1);
        if (!date || !pkin_i_is_date(date)) {
            status = pkin_i_store_damaged(store, "a digest has no date");
            goto out;
        }
        row->id = sqlite3_column_int64(statement, 0);
        row->background = sqlite3_column_int(statement, 2) != 0;
        memcpy(row->date, date, PKIN_I_DATE_BYTES);
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_store_find_digest(pkin_store *store, const pkin_i_digest_identity *identity, char date[11],
                                     int64_t *digest_id) {
    pkin_i_digest_row row;
    pkin_status status = pkin_i_digest_row_find(store, identity, &row);
    if (status != PKIN_OK) return status;
    memcpy(date, row.date, sizeof row.date);
    *digest_id = row.id;
    return PKIN_OK;
}

void pkin_i_digest_tell_clock(const pkin_i_digest_identity *identity, const char *date, int64_t digest_id,
                              pkin_diagnostic_fn on_diagnostic, void *diagnostic_user) {
    const char *path = identity->path ? identity->path : identity->name;
    char reason[96], in_path[PKIN_I_DATE_BYTES];
    if (!on_diagnostic || digest_id || identity->date || pkin_i_date_in_path(path, in_path)) return;
    snprintf(reason, sizeof reason, "no date in its name: taken as today, %.10s; give --date for another day", date);
    pkin_diagnostic diagnostic = {.file = path, .reason = reason};
    on_diagnostic(diagnostic_user, &diagnostic);
}

/* Binds a name's stem without copying it. */
static int bind_stem(sqlite3_stmt *statement, int index, const char *name) {
    return sqlite3_bind_text64(statement, index, name, pkin_i_name_stem(name), SQLITE_STATIC, SQLITE_UTF8);
}

pkin_status pkin_i_digest_row_insert(pkin_store *store, pkin_i_digest_row *row, const pkin_corpus *corpus) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_DIGEST_INSERT, &statement);
    if (status != PKIN_OK) return status;
    int bound = pkin_i_sql_bind_text(statement, 1, row->name);
    bound |= bind_stem(statement, 2, row->name);
    bound |= pkin_i_sql_bind_text(statement, 3, row->content);
    bound |= pkin_i_sql_bind_text(statement, 4, row->date);
    bound |= pkin_i_sql_bind_text(statement, 5, row->dated_by);
    bound |= pkin_i_sql_bind_text(statement, 6, pkin_format_name(corpus->format));
    bound |= sqlite3_bind_int64(statement, 7, (int64_t)corpus->n_papers);
    bound |= sqlite3_bind_int64(statement, 8, (int64_t)corpus->n_skipped);
    bound |= sqlite3_bind_int(statement, 9, row->background);
    status = pkin_i_sql_run(store, statement, bound);
    row->id = sqlite3_last_insert_rowid(store->db);
    return status;
}

pkin_status pkin_i_digest_row_set_background(pkin_store *store, const pkin_i_digest_row *row) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_DIGEST_SET_BACKGROUND, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, row->id);
    bound |= sqlite3_bind_int(statement, 2, row->background);
    return pkin_i_sql_run(store, statement, bound);
}

/* ---- Sightings ------------------------------------------------------------------------------------------------ */

/* The statement, bound, for what stood in earlier digests than `digest_id` of that day and name. */
static pkin_status prepare_earlier(pkin_store *store, pkin_i_statement which, int64_t paper_id, const char *date,
                                   const char *name, int64_t digest_id, sqlite3_stmt **statement, int *bound) {
    pkin_status status = pkin_i_sql_prepare(store, which, statement);
    if (status != PKIN_OK) return status;
    *bound = sqlite3_bind_int64(*statement, 1, paper_id);
    *bound |= pkin_i_sql_bind_text(*statement, 2, date);
    *bound |= bind_stem(*statement, 3, name);
    *bound |= sqlite3_bind_int64(*statement, 4, digest_id);
    return PKIN_OK;
}

static unsigned version_column(sqlite3_stmt *statement, int column) {
    int64_t version = sqlite3_column_int64(statement, column);
    return version > 0 && version <= UINT32_MAX ? (unsigned)version : 0;
}

pkin_status pkin_i_seen_earlier(pkin_store *store, int64_t paper_id, const pkin_i_digest_row *row, uint64_t *n_times,
                                unsigned *max_version) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    int bound = 0;
    pkin_status status;
    *n_times = 0;
    *max_version = 0;
    PKIN_TRY(prepare_earlier(store, PKIN_I_SQL_SEEN_EARLIER, paper_id, row->date, row->name,
                             row->id ? row->id : INT64_MAX, &statement, &bound));
    PKIN_TRY(pkin_i_sql_step(store, statement, bound, &found));
    if (found) {
        *n_times = (uint64_t)sqlite3_column_int64(statement, 0);
        *max_version = version_column(statement, 1);
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_sighting(pkin_store *store, sqlite3_stmt *statement, pkin_i_arena *arena,
                                 pkin_i_sighting *out) {
    pkin_status status;
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 0, arena, &out->date));
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 1, arena, &out->name));
    out->position = (uint64_t)sqlite3_column_int64(statement, 2);
    out->version = version_column(statement, 3);
out:
    return status;
}

/* Gathers in a growable array first: how many there are is known only at the end. */
static pkin_status read_sightings(pkin_store *store, sqlite3_stmt *statement, int bound, pkin_i_arena *arena,
                                  pkin_i_sightings *out) {
    pkin_i_sighting *items = NULL;
    size_t n = 0, capacity = 0;
    unsigned max_version = 0;
    bool row = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_step(store, statement, bound, &row));
    while (row) {
        PKIN_TRY(pkin_i_grow(&items, &capacity, n + 1, sizeof *items));
        PKIN_TRY(read_sighting(store, statement, arena, &items[n]));
        if (items[n].version > max_version) max_version = items[n].version;
        n++;
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    }
    if (n) {
        pkin_i_sighting *kept = NULL;
        PKIN_TRY(pkin_i_arena_allocate(arena, n, sizeof *kept, &kept));
        memcpy(kept, items, n * sizeof *kept);
        out->items = kept;
    }
    out->n_items = n;
    out->max_version = max_version;
out:
    pkin_i_free(items);
    return status;
}

pkin_status pkin_i_store_sightings_before(pkin_store *store, int64_t paper_id, const char *date, const char *name,
                                          int64_t digest_id, pkin_i_arena *arena, pkin_i_sightings *out) {
    sqlite3_stmt *statement = NULL;
    int bound = 0;
    memset(out, 0, sizeof *out);
    pkin_status status =
        prepare_earlier(store, PKIN_I_SQL_SIGHTINGS, paper_id, date, name, digest_id, &statement, &bound);
    if (status == PKIN_OK) status = read_sightings(store, statement, bound, arena, out);
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_store_sightings(pkin_store *store, int64_t paper_id, int64_t digest_id, pkin_i_arena *arena,
                                   pkin_i_sightings *out) {
    sqlite3_stmt *statement = NULL;
    const char *date = NULL, *name = NULL;
    bool found = false;
    pkin_status status;
    memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_DIGEST_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, sqlite3_bind_int64(statement, 1, digest_id), &found));
    PKIN_REQUIRE(found, PKIN_ERROR_NOT_FOUND, "%s: holds no digest number %lld", store->path, (long long)digest_id);
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 0, arena, &date));
    PKIN_TRY(pkin_i_sql_copy_text(store, statement, 1, arena, &name));
    PKIN_TRY(pkin_i_store_sightings_before(store, paper_id, date, name, digest_id, arena, out));
out:
    pkin_i_sql_reset(statement);
    return status;
}
