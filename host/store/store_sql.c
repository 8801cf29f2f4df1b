/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_sql.h"

#include <string.h>

#include "base/failure.h"
#include "store/token_rows.h"

static const char *const statement_texts[] = {
#define STATEMENT_TEXT(name, sql) sql,
    PKIN_I_STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

/* What a person can do about it. */
static const char *advice(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another process is writing to it and did not finish in time: run again later";
    case SQLITE_FULL:
        return "the disk is full: make room and run again; what was being written is not kept";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "it cannot be written: check the permissions of the file and of its folder";
    case SQLITE_CANTOPEN:
        return "check that its folder is there and that file and folder may be read and written";
    case SQLITE_CORRUPT:
        return "it is damaged: restore a copy, or move it away and ingest the digests again";
    case SQLITE_NOTADB:
        return "it is no SQLite database and is left alone: name another file";
    case SQLITE_IOERR:
        return "the disk did not do as told: check it and its free space, and run again";
    default:
        return "run again; should it stay, move the store away and ingest the digests again";
    }
}

pkin_status pkin_i_sqlite_fail(sqlite3 *db, const char *path, const char *doing) {
    int code = sqlite3_extended_errcode(db);
    pkin_status status = (code & 0xff) == SQLITE_NOMEM     ? PKIN_ERROR_OUT_OF_MEMORY
                         : (code & 0xff) == SQLITE_CORRUPT ? PKIN_ERROR_CORRUPT
                                                           : PKIN_ERROR_STORE;
    return pkin_i_fail(status, "%s: %s failed: %s (SQLite %d); %s", path, doing, sqlite3_errmsg(db), code,
                       advice(code));
}

pkin_status pkin_i_store_damaged(const pkin_store *store, const char *what) {
    return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s: %s; %s", store->path, what, advice(SQLITE_CORRUPT));
}

pkin_status pkin_i_sql_execute(pkin_store *store, const char *sql, const char *doing) {
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK) return PKIN_OK;
    return pkin_i_sqlite_fail(store->db, store->path, doing);
}

pkin_status pkin_i_sql_prepare(pkin_store *store, pkin_i_statement which, sqlite3_stmt **out) {
    sqlite3_stmt **kept = &store->statements[which];
    if (!*kept) {
        int code = sqlite3_prepare_v3(store->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
        if (code != SQLITE_OK) return pkin_i_sqlite_fail(store->db, store->path, "preparing a statement");
    }
    pkin_i_sql_reset(*kept);
    *out = *kept;
    return PKIN_OK;
}

int pkin_i_sql_bind_text(sqlite3_stmt *statement, int index, const char *text) {
    return sqlite3_bind_text64(statement, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

pkin_status pkin_i_sql_step(pkin_store *store, sqlite3_stmt *statement, int bound, bool *row) {
    int code = bound == SQLITE_OK ? sqlite3_step(statement) : SQLITE_ERROR;
    *row = code == SQLITE_ROW;
    if (*row) return PKIN_OK;
    pkin_status status = PKIN_OK;
    if (code != SQLITE_DONE) {
        status = pkin_i_sqlite_fail(store->db, store->path, sqlite3_stmt_readonly(statement) ? "reading" : "writing");
    }
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_sql_run(pkin_store *store, sqlite3_stmt *statement, int bound) {
    bool row;
    pkin_status status = pkin_i_sql_step(store, statement, bound, &row);
    pkin_i_sql_reset(statement);
    return status;
}

void pkin_i_sql_reset(sqlite3_stmt *statement) {
    if (!statement) return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

pkin_status pkin_i_sql_copy_text(pkin_store *store, sqlite3_stmt *statement, int column, pkin_i_arena *arena,
                                 const char **out) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    /* Columns are NOT NULL, so that only want of memory gives NULL here. */
    if (!text) return pkin_i_sqlite_fail(store->db, store->path, "reading a text");
    return pkin_i_arena_string(arena, text, (size_t)sqlite3_column_bytes(statement, column), out);
}

static pkin_status refuse_writing(const pkin_store *store) {
    return pkin_i_fail(PKIN_ERROR_STORE, "%s: was opened for reading only: open it for writing to change it",
                       store->path);
}

static uint32_t terms_in_memory(const pkin_store *store) {
    return store->vocabulary ? pkin_i_vocabulary_size(store->vocabulary) : UINT32_MAX;
}

/* After an undone change the vocabulary may hold words that the terms table does not. */
static void forget_undone_terms(pkin_store *store, uint32_t n_terms_before) {
    if (terms_in_memory(store) != n_terms_before) pkin_i_vocabulary_drop(store);
}

/* Some errors (disk full, for one) make SQLite roll back by itself. */
static void roll_back(pkin_store *store, uint32_t n_terms_before) {
    if (!sqlite3_get_autocommit(store->db)) (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    forget_undone_terms(store, n_terms_before);
}

pkin_status pkin_i_store_begin(pkin_store *store) {
    if (store->in_change) return pkin_i_fail(PKIN_ERROR_INTERNAL, "%s: changes may not nest", store->path);
    /* IMMEDIATE takes the write lock at once, where waiting for it is possible; a reader takes a snapshot. */
    pkin_status status = pkin_i_sql_execute(store, store->read_only ? "BEGIN" : "BEGIN IMMEDIATE", "locking it");
    if (status != PKIN_OK) return status;
    store->in_change = true;
    store->n_terms_before = terms_in_memory(store);
    return PKIN_OK;
}

pkin_status pkin_i_store_end(pkin_store *store, int keep) {
    if (!store->in_change) return pkin_i_fail(PKIN_ERROR_INTERNAL, "%s: no change was begun", store->path);
    pkin_status status = PKIN_OK;
    store->in_change = false;
    if (keep) status = pkin_i_sql_execute(store, "COMMIT", "keeping a change");
    if (!keep || status != PKIN_OK) roll_back(store, store->n_terms_before);
    return status;
}

pkin_status pkin_i_change_begin(pkin_store *store, pkin_i_change *change) {
    if (store->read_only) return refuse_writing(store);
    change->nested = store->in_change;
    change->n_terms_before = terms_in_memory(store);
    return pkin_i_sql_execute(store, change->nested ? "SAVEPOINT change" : "BEGIN IMMEDIATE", "locking it");
}

pkin_status pkin_i_change_end(pkin_store *store, const pkin_i_change *change, pkin_status status) {
    if (status == PKIN_OK) {
        status = pkin_i_sql_execute(store, change->nested ? "RELEASE change" : "COMMIT", "keeping a change");
        if (status == PKIN_OK) return PKIN_OK;
    }
    if (change->nested) {
        (void)sqlite3_exec(store->db, "ROLLBACK TO change; RELEASE change", NULL, NULL, NULL);
        forget_undone_terms(store, change->n_terms_before);
    } else {
        roll_back(store, change->n_terms_before);
    }
    return status;
}

pkin_status pkin_i_snapshot_begin(pkin_store *store, bool *began) {
    *began = sqlite3_get_autocommit(store->db) != 0;
    return *began ? pkin_i_sql_execute(store, "BEGIN", "reading") : PKIN_OK;
}

void pkin_i_snapshot_end(pkin_store *store, bool began) {
    if (began) (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}
