/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing and describing a store. How its rows are written stands in the files beside this one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/file.h"
#include "store/schema.h"
#include "store/store_sql.h"
#include "store/token_rows.h"

enum {
    BUSY_MILLISECONDS = 10000, /* how long another writer is waited for */
    HEADER_BYTES = 100         /* of an SQLite database file */
};

/*
 * synchronous NORMAL: with a write-ahead log a killed process loses nothing that was committed, and a power cut at most
 * the last changes, never the database's integrity; a digest that was lost is ingested again. secure_delete OFF:
 * nothing here is secret, and Debian's SQLite would overwrite every freed byte. The cache (64 MiB) holds the keys'
 * index of about a million papers while a large corpus goes in. trusted_schema OFF: a store may have been fetched from
 * elsewhere.
 */
static const char settings[] = "PRAGMA foreign_keys = ON;"
                               "PRAGMA synchronous = NORMAL;"
                               "PRAGMA secure_delete = OFF;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cache_size = -65536;";

static bool is_memory(const char *path) {
    return strcmp(path, ":memory:") == 0;
}

/* ---- Whose file is it? ---------------------------------------------------------------------------------------- */

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static pkin_status check_folder(const char *path) {
    const char *base = pkin_i_base_name(path);
    char *folder = NULL;
    struct stat info;
    pkin_status status;
    if (base == path) return PKIN_OK;
    PKIN_TRY(pkin_i_copy_string(path, (size_t)(base - path), &folder));
    PKIN_REQUIRE(stat(folder, &info) == 0, PKIN_ERROR_STORE,
                 "%s: cannot be made, because its folder %s is not there (%s): make the folder first", path, folder,
                 strerror(errno));
    PKIN_REQUIRE(S_ISDIR(info.st_mode), PKIN_ERROR_STORE, "%s: cannot be made: %s is no folder", path, folder);
out:
    pkin_i_free(folder);
    return status;
}

/*
 * Looks at the header without SQLite, which might repair a foreign database by opening it. The application id is
 * written before the write-ahead log is switched on, so that it stands in the file itself.
 */
static pkin_status check_header(const char *path, const unsigned char *header, size_t n_bytes) {
    static const char magic[16] = "SQLite format 3";
    if (n_bytes < HEADER_BYTES || memcmp(header, magic, sizeof magic) != 0) {
        return pkin_i_fail(PKIN_ERROR_STORE, "%s: is no SQLite database and is left alone: name another file", path);
    }
    if (big_endian(header + 68) != PKIN_I_APPLICATION_ID) {
        return pkin_i_fail(PKIN_ERROR_STORE,
                           "%s: is a database of another program (application id 0x%08x, expected 0x%08x) and is left "
                           "alone: name another file",
                           path, (unsigned)big_endian(header + 68), (unsigned)PKIN_I_APPLICATION_ID);
    }
    return PKIN_OK;
}

static pkin_status check_missing(const char *path, pkin_store_mode mode, int cause) {
    if (cause != ENOENT && cause != ENOTDIR) {
        return pkin_i_fail(PKIN_ERROR_STORE, "%s: cannot be opened: %s", path, strerror(cause));
    }
    if (mode == PKIN_STORE_READ_ONLY) {
        return pkin_i_fail(PKIN_ERROR_NOT_FOUND, "%s: there is no such store: ingest a digest to make one", path);
    }
    return check_folder(path);
}

/* *fresh: there is no store yet, and it may be made there. An empty file counts as none. */
static pkin_status check_file(const char *path, pkin_store_mode mode, bool *fresh) {
    unsigned char header[HEADER_BYTES];
    struct stat info;
    *fresh = true;
    /* Opened without waiting: a named pipe has no end. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return check_missing(path, mode, errno);
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode), PKIN_ERROR_STORE,
                 "%s: is no regular file: name a file for the store", path);
    ssize_t n = pread(descriptor, header, sizeof header, 0);
    PKIN_REQUIRE(n >= 0, PKIN_ERROR_STORE, "%s: cannot be read: %s", path, strerror(errno));
    *fresh = n == 0 && mode == PKIN_STORE_READ_WRITE;
    if (!*fresh) status = check_header(path, header, (size_t)n);
out:
    close(descriptor);
    return status;
}

/* ---- Opening -------------------------------------------------------------------------------------------------- */

/* Waits as for any other lock: SQLite itself does not where a change of the journal mode meets another process. */
static pkin_status switch_to_log(pkin_store *store) {
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_BUSY;
    char mode[16] = "";
    for (int waited = 0; code == SQLITE_BUSY && waited <= BUSY_MILLISECONDS; waited += 10) {
        if (waited) sqlite3_sleep(10);
        code = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
        if (code == SQLITE_OK) code = sqlite3_step(statement);
        if (code == SQLITE_ROW) snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
    }
    if (code != SQLITE_ROW) return pkin_i_sqlite_fail(store->db, store->path, "switching to a write-ahead log");
    if (strcmp(mode, "wal") == 0 || strcmp(mode, "memory") == 0) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_STORE,
                       "%s: its file system cannot hold a write-ahead log (SQLite stayed with \"%s\"): "
                       "put the store on a local disk",
                       store->path, mode);
}

static pkin_status mark_as_ours(pkin_store *store) {
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d", PKIN_I_APPLICATION_ID);
    return pkin_i_sql_execute(store, pragma, "creating it");
}

/* A name of SQLite's for a file that nobody changes: "file:" and the path, without the characters that end it. */
static pkin_status append_immutable_name(pkin_i_buffer *name, const char *path) {
    pkin_status status;
    /* The two slashes of an empty host, so that further ones are not taken for its beginning. */
    PKIN_TRY(pkin_i_buffer_string(name, path[0] == '/' ? "file://" : "file:"));
    for (const char *p = path; *p; p++) {
        if (strchr("%?#", *p)) {
            PKIN_TRY(pkin_i_buffer_printf(name, "%%%02X", (unsigned char)*p));
        } else {
            PKIN_TRY(pkin_i_buffer_char(name, *p));
        }
    }
    PKIN_TRY(pkin_i_buffer_string(name, "?immutable=1"));
out:
    return status;
}

static pkin_status append_name(pkin_i_buffer *name, const char *path, bool immutable) {
    if (immutable) return append_immutable_name(name, path);
    /* Where URIs are switched on globally, as Debian does, a name like "file:x" would be taken for one. */
    return pkin_i_buffer_printf(name, "%s%s", strncmp(path, "file:", 5) == 0 ? "./" : "", path);
}

static pkin_status open_database(pkin_store *store, bool fresh, bool immutable) {
    pkin_i_buffer name = {0};
    int flags = store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | (fresh ? SQLITE_OPEN_CREATE : 0);
    pkin_status status;
    PKIN_TRY(append_name(&name, store->path, immutable));
    if (immutable) flags |= SQLITE_OPEN_URI;
    int code = sqlite3_open_v2(name.bytes, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    PKIN_REQUIRE(store->db, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory opening it", store->path);
    if (code != SQLITE_OK) {
        status = pkin_i_sqlite_fail(store->db, store->path, "opening");
        goto out;
    }
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_MILLISECONDS);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    PKIN_TRY(pkin_i_sql_execute(store, settings, "opening"));
    /* SQLite opens what it may not write for reading, without a word. */
    PKIN_REQUIRE(store->read_only || sqlite3_db_readonly(store->db, "main") == 0, PKIN_ERROR_STORE,
                 "%s: cannot be written: check the permissions of the file and of its folder", store->path);
out:
    pkin_i_buffer_free(&name);
    return status;
}

static pkin_status open_and_read_version(pkin_store *store, bool fresh, bool immutable, int *version) {
    pkin_status status = open_database(store, fresh, immutable);
    return status == PKIN_OK ? pkin_i_schema_read_version(store->db, store->path, version) : status;
}

static bool is_for_want_of_writing(const pkin_store *store) {
    int code = sqlite3_errcode(store->db) & 0xff;
    return code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
}

/*
 * Readers of a write-ahead log keep notes beside it, which a folder that they may not write does not take. A store
 * without a log waiting is all in its file and can be read without notes.
 */
static pkin_status open_without_notes(pkin_store *store, int *version) {
    struct stat info;
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(store->db, "main"));
    if (stat(log, &info) == 0 && info.st_size > 0) {
        return pkin_i_fail(
            PKIN_ERROR_STORE,
            "%s: cannot be read: its last changes still wait in %s-wal, and nothing may be written in its "
            "folder: have it opened once by somebody who may write there, or copy both files elsewhere",
            store->path, store->path);
    }
    sqlite3_close(store->db);
    store->db = NULL;
    return open_and_read_version(store, false, true, version);
}

static pkin_status open_store(pkin_store *store, bool fresh) {
    pkin_i_schema schema = pkin_i_schema_current();
    pkin_status status;
    int version = 0;
    /* A newer store is refused before anything is done to it. */
    status = open_and_read_version(store, fresh, false, &version);
    if (status == PKIN_ERROR_STORE && store->read_only && is_for_want_of_writing(store)) {
        status = open_without_notes(store, &version);
    }
    if (status != PKIN_OK) goto out;
    /* Not only where the file is fresh: a process killed while marking it left a journal, which has now undone that. */
    if (!store->read_only && version == 0) PKIN_TRY(mark_as_ours(store));
    if (!store->read_only && version <= schema.version) PKIN_TRY(switch_to_log(store));
    PKIN_TRY(pkin_i_schema_upgrade(store->db, store->path, &schema, store->read_only));
    PKIN_TRY(pkin_i_token_rows_check(store));
out:
    return status;
}

pkin_status pkin_store_open(const char *path, pkin_store_mode mode, pkin_store **out) {
    pkin_store *store = NULL;
    bool fresh = true;
    pkin_status status;
    if (out) *out = NULL;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "opening a store: no place for the result was given");
    PKIN_REQUIRE(path && *path, PKIN_ERROR_INVALID_ARGUMENT, "a store needs a path");
    PKIN_REQUIRE(!is_memory(path) || mode != PKIN_STORE_READ_ONLY, PKIN_ERROR_NOT_FOUND,
                 "a store in memory is empty: there is nothing to read");
    if (!is_memory(path)) PKIN_TRY(check_file(path, mode, &fresh));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *store, &store));
    store->read_only = mode == PKIN_STORE_READ_ONLY;
    PKIN_TRY(pkin_i_copy_string(path, strlen(path), &store->path));
    PKIN_TRY(open_store(store, fresh));
    *out = store;
    store = NULL;
out:
    pkin_store_close(store);
    return status;
}

void pkin_store_close(pkin_store *store) {
    if (!store) return;
    for (int k = 0; k < PKIN_I_N_STATEMENTS; k++) sqlite3_finalize(store->statements[k]);
    /* An open change is undone. PASSIVE waits for nobody; the last connection's close does what then remains. */
    if (store->db && !store->read_only && sqlite3_get_autocommit(store->db)) {
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    sqlite3_close(store->db);
    pkin_i_vocabulary_free(store->vocabulary);
    pkin_i_free(store->path);
    pkin_i_free(store);
}

/* ---- Describing ----------------------------------------------------------------------------------------------- */

/* Columns as in describe_row. */
static const char describe_sql[] =
    "SELECT (SELECT count(*) FROM papers), (SELECT count(*) FROM versions), (SELECT count(*) FROM digests),"
    " (SELECT count(*) FROM appearances), (SELECT ifnull(max(id), 0) FROM terms), (SELECT count(*) FROM links),"
    " (SELECT count(*) FROM verdicts),"
    " (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()),"
    " (SELECT ifnull(min(date), '') FROM digests), (SELECT ifnull(max(date), '') FROM digests),"
    " (SELECT value FROM meta WHERE name = 'tokenizer'), (SELECT user_version FROM pragma_user_version())";

static void copy_column(sqlite3_stmt *statement, int column, char *out, size_t n_bytes) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    snprintf(out, n_bytes, "%s", text ? text : "");
}

static void describe_row(sqlite3_stmt *statement, pkin_store_statistics *out) {
    uint64_t *const counts[] = {&out->n_papers, &out->n_versions, &out->n_digests,  &out->n_appearances,
                                &out->n_terms,  &out->n_links,    &out->n_verdicts, &out->n_bytes};
    enum { N_COUNTS = sizeof counts / sizeof *counts };
    for (int k = 0; k < N_COUNTS; k++) *counts[k] = (uint64_t)sqlite3_column_int64(statement, k);
    copy_column(statement, N_COUNTS, out->first_date, sizeof out->first_date);
    copy_column(statement, N_COUNTS + 1, out->last_date, sizeof out->last_date);
    copy_column(statement, N_COUNTS + 2, out->tokenizer, sizeof out->tokenizer);
    out->schema_version = sqlite3_column_int(statement, N_COUNTS + 3);
}

pkin_status pkin_store_describe(pkin_store *store, pkin_store_statistics *out) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = PKIN_OK;
    if (!store || !out) return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "store and out must not be NULL");
    if (sqlite3_prepare_v2(store->db, describe_sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = pkin_i_sqlite_fail(store->db, store->path, "counting");
    } else {
        pkin_store_statistics described;
        memset(&described, 0, sizeof described);
        describe_row(statement, &described);
        *out = described;
    }
    sqlite3_finalize(statement);
    return status;
}
