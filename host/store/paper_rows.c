/* SPDX-License-Identifier: Apache-2.0 */
#include "store/paper_rows.h"

#include <string.h>

#include "base/failure.h"
#include "base/utf8.h"

/* Text columns of a paper in the order of PAPER_READ, PAPER_INSERT and PAPER_UPDATE, after the version. */
typedef enum paper_text {
    SHOWN_ID,
    TITLE,
    ABSTRACT,
    SUMMARY,
    COMMENT,
    DOI,
    LINK,
    DATE,
    AUTHORS,    /* JSON array */
    CATEGORIES, /* JSON array */
    N_PAPER_TEXTS
} paper_text;

typedef struct paper_row {
    int64_t version;
    const char *texts[N_PAPER_TEXTS];
} paper_row;

static pkin_status write_list(const char *const *strings, uint32_t n, pkin_i_buffer *out) {
    pkin_status status;
    pkin_i_buffer_clear(out);
    PKIN_TRY(pkin_i_buffer_char(out, '['));
    for (uint32_t k = 0; k < n; k++) {
        PKIN_TRY(pkin_i_buffer_string(out, k ? ",\"" : "\""));
        PKIN_TRY(pkin_i_buffer_escaped(out, PKIN_ESCAPE_JSON, strings[k]));
        PKIN_TRY(pkin_i_buffer_char(out, '"'));
    }
    PKIN_TRY(pkin_i_buffer_char(out, ']'));
out:
    return status;
}

/* Value of four hexadecimal digits, UINT32_MAX where they are none. */
static uint32_t four_hex(const char *p) {
    uint32_t value = 0;
    for (int k = 0; k < 4; k++) {
        char c = p[k];
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return value;
}

/* Decodes the escape after a backslash at *text into at most 4 bytes. 0: it is none, or one that is never written. */
static size_t read_escape(const char **text, char out[4]) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char name = *(*text)++;
    const char *found = name ? strchr(names, name) : NULL;
    if (found) {
        out[0] = values[found - names];
        return 1;
    }
    if (name != 'u') return 0;
    uint32_t character = four_hex(*text);
    /* Only control characters are written this way: what lies above the ASCII range stays UTF-8. */
    if (character == 0 || character >= 0xD800) return 0;
    *text += 4;
    return pkin_i_utf8_encode(character, out);
}

/* Decodes the JSON string whose opening quote is at *text - 1, to `out`; *text ends behind the closing quote. */
static bool read_string(const char **text, char *out, size_t *n_out) {
    size_t n = 0;
    for (char c; (c = *(*text)++) != '"';) {
        if (!c) return false;
        if (c != '\\') {
            out[n++] = c;
            continue;
        }
        size_t taken = read_escape(text, out + n); /* an escape never gives more bytes than it took */
        if (!taken) return false;
        n += taken;
    }
    out[n] = '\0';
    *n_out = n;
    return true;
}

/* Reads what write_list wrote. */
static pkin_status read_list(pkin_store *store, const char *text, pkin_i_arena *arena, const char *const **out,
                             uint32_t *n_out) {
    const char **strings = NULL;
    char *bytes = NULL;
    size_t n_bytes = 0, n_quotes = 0, n = 0;
    pkin_status status;
    for (; text[n_bytes]; n_bytes++) n_quotes += text[n_bytes] == '"';
    /* A string takes at least its two quotes. Decoded text and its NUL fit where text and quotes were. */
    PKIN_TRY(pkin_i_arena_allocate(arena, n_quotes / 2 + 1, sizeof *strings, &strings));
    PKIN_TRY(pkin_i_arena_allocate(arena, n_bytes + 4, 1, &bytes));
    status = PKIN_ERROR_CORRUPT;
    if (*text++ != '[') goto out;
    while (*text == '"') {
        size_t length = 0;
        text++;
        if (!read_string(&text, bytes, &length)) goto out;
        strings[n++] = bytes;
        bytes += length + 1;
        if (*text == ',' && text[1] == '"')
            text++;
        else
            break;
    }
    if (text[0] != ']' || text[1] || n > UINT32_MAX) goto out;
    *out = strings;
    *n_out = (uint32_t)n;
    status = PKIN_OK;
out:
    if (status == PKIN_ERROR_CORRUPT) return pkin_i_store_damaged(store, "a list of names is no JSON array of strings");
    return status;
}

/* Version and texts of the row that the statement stands on, and its key where asked for; they live in `arena`. */
static pkin_status copy_row(pkin_store *store, sqlite3_stmt *statement, pkin_i_arena *arena, paper_row *row,
                            const char **key) {
    pkin_status status = PKIN_OK;
    row->version = sqlite3_column_int64(statement, 0);
    for (int k = 0; k < N_PAPER_TEXTS; k++) {
        PKIN_TRY(pkin_i_sql_copy_text(store, statement, k + 1, arena, &row->texts[k]));
    }
    if (key) PKIN_TRY(pkin_i_sql_copy_text(store, statement, N_PAPER_TEXTS + 1, arena, key));
out:
    return status;
}

/* *found is false where there is no such paper. */
static pkin_status read_row(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, paper_row *row, const char **key,
                            bool *found) {
    sqlite3_stmt *statement = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_PAPER_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, sqlite3_bind_int64(statement, 1, paper_id), found));
    if (*found) PKIN_TRY(copy_row(store, statement, arena, row, key));
out:
    pkin_i_sql_reset(statement);
    return status;
}

static int bind_row(sqlite3_stmt *statement, const paper_row *row) {
    int bound = sqlite3_bind_int64(statement, 1, row->version);
    for (int k = 0; k < N_PAPER_TEXTS; k++) bound |= pkin_i_sql_bind_text(statement, k + 2, row->texts[k]);
    return bound;
}

static pkin_status insert_row(pkin_store *store, const paper_row *row, const char *key, int64_t *paper_id) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_PAPER_INSERT, &statement);
    if (status != PKIN_OK) return status;
    int bound = bind_row(statement, row);
    bound |= pkin_i_sql_bind_text(statement, N_PAPER_TEXTS + 2, key);
    status = pkin_i_sql_run(store, statement, bound);
    *paper_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

static pkin_status update_row(pkin_store *store, const paper_row *row, int64_t paper_id) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(store, PKIN_I_SQL_PAPER_UPDATE, &statement);
    if (status != PKIN_OK) return status;
    int bound = bind_row(statement, row);
    bound |= sqlite3_bind_int64(statement, N_PAPER_TEXTS + 2, paper_id);
    return pkin_i_sql_run(store, statement, bound);
}

static bool is_empty(const char *text) {
    return text[0] == '\0' || strcmp(text, "[]") == 0;
}

/* Whether the record's text takes the place of the remembered one. */
static bool replaces(paper_text which, const paper_row *known, const paper_row *record) {
    const char *old = known->texts[which], *new_text = record->texts[which];
    if (is_empty(new_text)) return false;
    if (is_empty(old)) return true;
    switch (which) {
    case TITLE:
    case ABSTRACT:
        return record->version > known->version && strcmp(old, new_text) != 0;
    case SUMMARY: /* failed summaries never get here: readers leave them out */
        return strlen(new_text) > strlen(old);
    default:
        return false;
    }
}

/* Completes `known` from `record`; says whether anything changed, and whether a text that is tokenized did. */
static bool merge_row(paper_row *known, const paper_row *record, bool *text_changed) {
    bool take[N_PAPER_TEXTS], changed = record->version > known->version;
    for (int k = 0; k < N_PAPER_TEXTS; k++) {
        take[k] = replaces((paper_text)k, known, record);
        changed |= take[k];
    }
    for (int k = 0; k < N_PAPER_TEXTS; k++) {
        if (take[k]) known->texts[k] = record->texts[k];
    }
    if (record->version > known->version) known->version = record->version;
    *text_changed = take[TITLE] || take[ABSTRACT] || take[SUMMARY];
    return changed;
}

static pkin_status merge_into(pkin_store *store, int64_t paper_id, const paper_row *record, pkin_i_arena *arena,
                              pkin_i_paper_put *out) {
    static const paper_text fields[PKIN_I_N_FIELDS] = {TITLE, ABSTRACT, SUMMARY};
    pkin_i_arena scratch = {0};
    paper_row known;
    bool found;
    pkin_status status;
    PKIN_TRY(read_row(store, paper_id, &scratch, &known, NULL, &found));
    if (!found) {
        status = pkin_i_store_damaged(store, "the index of papers names one that is not there");
        goto out;
    }
    if (merge_row(&known, record, &out->text_changed)) PKIN_TRY(update_row(store, &known, paper_id));
    if (out->text_changed) {
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
            const char *text = known.texts[fields[f]];
            PKIN_TRY(pkin_i_arena_string(arena, text, strlen(text), &out->texts[f]));
        }
    }
out:
    pkin_i_arena_free(&scratch);
    return status;
}

pkin_status pkin_i_paper_row_put(pkin_store *store, const pkin_paper *record, pkin_i_buffer lists[2],
                                 pkin_i_arena *arena, pkin_i_paper_put *out) {
    pkin_status status;
    memset(out, 0, sizeof *out);
    PKIN_TRY(write_list(record->authors, record->n_authors, &lists[0]));
    PKIN_TRY(write_list(record->categories, record->n_categories, &lists[1]));
    paper_row row = {record->version,
                     {record->id, record->title, record->abstract, record->summary, record->comment, record->doi,
                      record->link, record->date, lists[0].bytes, lists[1].bytes}};
    PKIN_TRY(pkin_i_store_find_paper(store, record->key, &out->paper_id));
    if (out->paper_id) {
        PKIN_TRY(merge_into(store, out->paper_id, &row, arena, out));
        goto out;
    }
    PKIN_TRY(insert_row(store, &row, record->key, &out->paper_id));
    out->is_new = out->text_changed = true;
    out->texts[PKIN_I_TITLE] = record->title;
    out->texts[PKIN_I_ABSTRACT] = record->abstract;
    out->texts[PKIN_I_SUMMARY] = record->summary;
out:
    return status;
}

pkin_status pkin_i_store_find_paper(pkin_store *store, const char *key, int64_t *paper_id) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    *paper_id = 0;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_PAPER_FIND, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, pkin_i_sql_bind_text(statement, 1, key), &found));
    if (found) *paper_id = sqlite3_column_int64(statement, 0);
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_first_date(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, const char **out) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    *out = "";
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_PAPER_FIRST_DATE, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, sqlite3_bind_int64(statement, 1, paper_id), &found));
    if (found && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        PKIN_TRY(pkin_i_sql_copy_text(store, statement, 0, arena, out));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

/* All but the first date. */
static pkin_status unpack_row(pkin_store *store, const paper_row *row, const char *key, pkin_i_arena *arena,
                              pkin_paper *paper) {
    pkin_status status;
    memset(paper, 0, sizeof *paper);
    PKIN_TRY(read_list(store, row->texts[AUTHORS], arena, &paper->authors, &paper->n_authors));
    PKIN_TRY(read_list(store, row->texts[CATEGORIES], arena, &paper->categories, &paper->n_categories));
    paper->key = key;
    paper->version = row->version > 0 && row->version <= UINT32_MAX ? (unsigned)row->version : 0;
    paper->id = row->texts[SHOWN_ID];
    paper->title = row->texts[TITLE];
    paper->abstract = row->texts[ABSTRACT];
    paper->summary = row->texts[SUMMARY];
    paper->comment = row->texts[COMMENT];
    paper->doi = row->texts[DOI];
    paper->link = row->texts[LINK];
    paper->date = row->texts[DATE];
out:
    return status;
}

static pkin_status fail_missing(const pkin_store *store, int64_t paper_id) {
    return pkin_i_fail(PKIN_ERROR_NOT_FOUND, "%s: holds no paper number %lld", store->path, (long long)paper_id);
}

pkin_status pkin_i_store_paper(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, pkin_i_stored_paper *out) {
    paper_row row;
    pkin_i_stored_paper stored;
    const char *key = NULL;
    bool found = false;
    pkin_status status;
    PKIN_TRY(read_row(store, paper_id, arena, &row, &key, &found));
    if (!found) {
        status = fail_missing(store, paper_id);
        goto out;
    }
    PKIN_TRY(unpack_row(store, &row, key, arena, &stored.paper));
    PKIN_TRY(read_first_date(store, paper_id, arena, &stored.first_date));
    *out = stored;
out:
    return status;
}

/* ---- Many papers at once ---------------------------------------------------------------------------------------- */

/* Steps on to the row whose column `id_column`, ascending, is `paper_id`, or else is the first beyond: then *row is
   false, or *at higher. *at is where the statement stands already. */
static pkin_status step_to(pkin_store *store, sqlite3_stmt *statement, int id_column, int64_t paper_id, int64_t *at,
                           bool *row) {
    pkin_status status = PKIN_OK;
    while (*row && *at < paper_id) {
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, row));
        if (*row) *at = sqlite3_column_int64(statement, id_column);
    }
out:
    return status;
}

static pkin_status take_paper(pkin_store *store, sqlite3_stmt *statement, pkin_i_arena *arena,
                              pkin_i_stored_paper *out) {
    paper_row row;
    const char *key = NULL;
    pkin_status status;
    PKIN_TRY(copy_row(store, statement, arena, &row, &key));
    PKIN_TRY(unpack_row(store, &row, key, arena, &out->paper));
out:
    return status;
}

static pkin_status read_papers(pkin_store *store, const int64_t *paper_ids, uint64_t n_papers, pkin_i_arena *arena,
                               pkin_i_stored_paper *out) {
    sqlite3_stmt *statement = NULL;
    int64_t at = INT64_MIN;
    bool row = true;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_PAPERS_READ, &statement));
    for (uint64_t k = 0; k < n_papers; k++) {
        PKIN_TRY(step_to(store, statement, N_PAPER_TEXTS + 2, paper_ids[k], &at, &row));
        if (!row || at != paper_ids[k]) {
            status = fail_missing(store, paper_ids[k]);
            goto out;
        }
        PKIN_TRY(take_paper(store, statement, arena, &out[k]));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_first_dates(pkin_store *store, const int64_t *paper_ids, uint64_t n_papers, pkin_i_arena *arena,
                                    pkin_i_stored_paper *out) {
    sqlite3_stmt *statement = NULL;
    int64_t at = INT64_MIN;
    bool row = true;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_FIRST_DATES, &statement));
    for (uint64_t k = 0; k < n_papers; k++) {
        out[k].first_date = "";
        PKIN_TRY(step_to(store, statement, 0, paper_ids[k], &at, &row));
        if (!row || at != paper_ids[k]) continue;
        PKIN_TRY(pkin_i_sql_copy_text(store, statement, 1, arena, &out[k].first_date));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_store_papers(pkin_store *store, const int64_t *paper_ids, uint64_t n_papers, pkin_i_arena *arena,
                                pkin_i_stored_paper *out) {
    bool began = false;
    pkin_status status;
    PKIN_TRY(pkin_i_snapshot_begin(store, &began));
    PKIN_TRY(read_papers(store, paper_ids, n_papers, arena, out));
    PKIN_TRY(read_first_dates(store, paper_ids, n_papers, arena, out));
out:
    pkin_i_snapshot_end(store, began);
    return status;
}

/* A paper of KEYS_READ and, where there is one, its row of FIRST_DATES. */
static pkin_status take_first_seen(pkin_store *store, sqlite3_stmt *keys, sqlite3_stmt *dates, pkin_i_arena *arena,
                                   pkin_i_first_seen *out) {
    pkin_status status;
    out->paper_id = sqlite3_column_int64(keys, 0);
    out->first_date = out->listed_date = "";
    PKIN_TRY(pkin_i_sql_copy_text(store, keys, 1, arena, &out->key));
    PKIN_TRY(pkin_i_sql_copy_text(store, keys, 2, arena, &out->own_date));
    if (!dates) goto out;
    PKIN_TRY(pkin_i_sql_copy_text(store, dates, 1, arena, &out->first_date));
    PKIN_TRY(pkin_i_sql_copy_text(store, dates, 2, arena, &out->listed_date));
out:
    return status;
}

/* Two passes side by side: twice as fast as one statement that joins them. */
static pkin_status read_first_seen(pkin_store *store, pkin_i_arena *arena, pkin_i_first_seen **items, size_t *n_items) {
    sqlite3_stmt *keys = NULL, *dates = NULL;
    size_t capacity = 0;
    int64_t at = INT64_MIN;
    bool row = false, has_dates = true;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_KEYS_READ, &keys));
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_FIRST_DATES, &dates));
    for (;;) {
        PKIN_TRY(pkin_i_sql_step(store, keys, SQLITE_OK, &row));
        if (!row) break;
        int64_t paper_id = sqlite3_column_int64(keys, 0);
        PKIN_TRY(step_to(store, dates, 0, paper_id, &at, &has_dates));
        PKIN_TRY(pkin_i_grow(items, &capacity, *n_items + 1, sizeof **items));
        bool is_dated = has_dates && at == paper_id;
        PKIN_TRY(take_first_seen(store, keys, is_dated ? dates : NULL, arena, &(*items)[(*n_items)++]));
    }
out:
    pkin_i_sql_reset(keys);
    pkin_i_sql_reset(dates);
    return status;
}

pkin_status pkin_i_store_first_seen(pkin_store *store, pkin_i_arena *arena, pkin_i_first_seen **out, uint64_t *n_out) {
    pkin_i_first_seen *items = NULL;
    size_t n = 0;
    bool began = false;
    pkin_status status;
    PKIN_TRY(pkin_i_snapshot_begin(store, &began));
    PKIN_TRY(read_first_seen(store, arena, &items, &n));
    PKIN_TRY(pkin_i_arena_allocate(arena, n, sizeof *items, out));
    if (n) memcpy(*out, items, n * sizeof *items);
    *n_out = n;
out:
    pkin_i_snapshot_end(store, began);
    pkin_i_free(items);
    return status;
}
