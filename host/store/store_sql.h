/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_STORE_SQL_H
#define PKIN_STORE_STORE_SQL_H

/* Where the store meets SQLite: prepared statements, rows, transactions, and errors told with what to do. */
#include <sqlite3.h>
#include <stdbool.h>

#include "store/store_private.h"

PKIN_EXTERN_C_BEGIN

/* Every statement that is used more than once, prepared at its first use and kept. */
#define PKIN_I_STATEMENTS(X)                                                                                           \
    X(META_READ, "SELECT value FROM meta WHERE name = ?1")                                                             \
    X(META_WRITE, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")                                         \
    X(DATA_VERSION, "PRAGMA data_version")                                                                             \
    X(DIGEST_OF_DAY, "SELECT id, date, background FROM digests WHERE name = ?1 AND content = ?2 AND date = ?3")        \
    /* Recorded under several days (by the gate): the day asked for, else the latest record. */                        \
    X(DIGEST_OF_ANY_DAY, "SELECT id, date, background FROM digests WHERE name = ?1 AND content = ?2 "                  \
                         "ORDER BY date = ?3 DESC, id DESC LIMIT 1")                                                   \
    X(DIGEST_READ, "SELECT date, name FROM digests WHERE id = ?1")                                                     \
    X(DIGEST_INSERT, "INSERT INTO digests (name, stem, content, date, dated_by, format, n_records, n_skipped, "        \
                     "background) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                        \
    X(DIGEST_SET_BACKGROUND, "UPDATE digests SET background = ?2 WHERE id = ?1")                                       \
    X(PAPER_FIND, "SELECT id FROM papers WHERE key = ?1")                                                              \
    X(PAPER_READ, "SELECT version, shown_id, title, abstract, summary, comment, doi, link, date, authors, "            \
                  "categories, key FROM papers WHERE id = ?1")                                                         \
    X(PAPER_INSERT, "INSERT INTO papers (version, shown_id, title, abstract, summary, comment, doi, link, date, "      \
                    "authors, categories, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")            \
    X(PAPER_UPDATE, "UPDATE papers SET version = ?1, shown_id = ?2, title = ?3, abstract = ?4, summary = ?5, "         \
                    "comment = ?6, doi = ?7, link = ?8, date = ?9, authors = ?10, categories = ?11 WHERE id = ?12")    \
    X(PAPER_FIRST_DATE, "SELECT min(d.date) FROM appearances a JOIN digests d ON d.id = a.digest WHERE a.paper = ?1")  \
    X(VERSION_PUT, "INSERT INTO versions (paper, version, first_date) VALUES (?1, ?2, ?3) "                            \
                   "ON CONFLICT (paper, version) DO UPDATE SET first_date = excluded.first_date "                      \
                   "WHERE excluded.first_date < first_date")                                                           \
    X(APPEARANCE_INSERT, "INSERT INTO appearances (paper, digest, position, version) VALUES (?1, ?2, ?3, ?4)")         \
    /* Earlier than digest ?4 of day ?2 with stem ?3, and no background: see pkin_i_store_sightings. */                \
    X(SEEN_EARLIER, "SELECT count(*), max(a.version) FROM appearances a JOIN digests d ON d.id = a.digest "            \
                    "WHERE a.paper = ?1 AND d.background = 0 "                                                         \
                    "AND (d.date < ?2 OR (d.date = ?2 AND d.stem <> ?3 AND d.id < ?4))")                               \
    X(SIGHTINGS, "SELECT d.date, d.name, a.position, a.version FROM appearances a JOIN digests d ON d.id = a.digest "  \
                 "WHERE a.paper = ?1 AND d.background = 0 "                                                            \
                 "AND (d.date < ?2 OR (d.date = ?2 AND d.stem <> ?3 AND d.id < ?4)) "                                  \
                 "ORDER BY d.date, d.id, a.position")                                                                  \
    X(TERM_INSERT, "INSERT INTO terms (id, word) VALUES (?1, ?2)")                                                     \
    X(TERMS_READ, "SELECT id, word FROM terms ORDER BY id")                                                            \
    X(TOKENS_PUT, "INSERT OR REPLACE INTO paper_terms (paper, title, abstract, summary) VALUES (?1, ?2, ?3, ?4)")      \
    X(TOKENS_COUNT, "SELECT count(*) FROM paper_terms")                                                                \
    X(TOKENS_READ, "SELECT paper, title, abstract, summary FROM paper_terms ORDER BY paper")                           \
    X(TEXTS_READ, "SELECT id, title, abstract, summary FROM papers WHERE id > ?1 ORDER BY id LIMIT ?2")                \
    X(LINKS_DELETE, "DELETE FROM links WHERE paper = ?1")                                                              \
    X(LINK_INSERT, "INSERT INTO links (paper, rank, to_paper, score) VALUES (?1, ?2, ?3, ?4)")                         \
    X(VERDICT_DELETE, "DELETE FROM verdicts WHERE paper_a = ?1 AND paper_b = ?2")                                      \
    X(VERDICT_PUT, "INSERT OR REPLACE INTO verdicts (paper_a, paper_b, verdict, rule, cosine, author_overlap, "        \
                   "title_ratio, abstract_ratio, title_words_elsewhere, days_apart, same_primary_category, "           \
                   "mathematics, title_numbers_differ, reports, comment_splits, comment_names_other) "                 \
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")                   \
    X(PAPERS_READ, "SELECT version, shown_id, title, abstract, summary, comment, doi, link, date, authors, "           \
                   "categories, key, id FROM papers ORDER BY id")                                                      \
    /* Grouped in the order of the table's key, without sorting. */                                                    \
    X(FIRST_DATES, "SELECT a.paper, min(d.date), ifnull(min(CASE WHEN d.background = 0 THEN d.date END), '') "         \
                   "FROM appearances a JOIN digests d ON d.id = a.digest GROUP BY a.paper ORDER BY a.paper")           \
    X(KEYS_READ, "SELECT id, key, date FROM papers ORDER BY id")                                                       \
    X(LAST_DIGEST, "SELECT ifnull(max(CASE WHEN background = 0 THEN date END), ifnull(max(date), '')) FROM digests")   \
    X(THREADS_DELETE, "DELETE FROM threads")                                                                           \
    X(THREAD_INSERT, "INSERT INTO threads (id, is_field, field, label, label_chinese, born, ended, merged_into) "      \
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                        \
    X(THREADS_READ, "SELECT id, is_field, field, label, label_chinese, born, ended, merged_into FROM threads "         \
                    "ORDER BY id")                                                                                     \
    X(THREAD_OF, "SELECT t.id, t.is_field, t.field, t.label, t.label_chinese, t.born, t.ended, t.merged_into "         \
                 "FROM thread_members m JOIN threads t ON t.id = m.thread WHERE m.paper = ?1")                         \
    X(MEMBERS_DELETE, "DELETE FROM thread_members")                                                                    \
    X(MEMBER_INSERT, "INSERT INTO thread_members (paper, thread, rank, in_window) VALUES (?1, ?2, ?3, ?4)")            \
    X(MEMBERS_COUNT, "SELECT count(*) FROM thread_members")                                                            \
    X(MEMBERS_READ, "SELECT paper, thread, rank, in_window FROM thread_members ORDER BY paper")                        \
    X(EVENT_LAST_RUN, "SELECT ifnull(max(run), 0) FROM thread_events")                                                 \
    X(EVENT_INSERT, "INSERT INTO thread_events (run, position, date, kind, is_field, thread, label, other, "           \
                    "explanation, n_before, n_shared, n_after) "                                                       \
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                                      \
    X(EVENTS_READ, "SELECT kind, is_field, date, thread, label, other, explanation, n_before, n_shared, n_after "      \
                   "FROM thread_events WHERE date >= ?1 ORDER BY run DESC, position")

typedef enum pkin_i_statement {
#define PKIN_I_STATEMENT_ENUM(name, sql) PKIN_I_SQL_##name,
    PKIN_I_STATEMENTS(PKIN_I_STATEMENT_ENUM)
#undef PKIN_I_STATEMENT_ENUM
        PKIN_I_N_STATEMENTS
} pkin_i_statement;

struct pkin_store {
    sqlite3 *db;
    char *path;
    bool read_only;
    bool in_change;                /* between pkin_i_store_begin and pkin_i_store_end */
    uint32_t n_terms_before;       /* of the vocabulary when that began; UINT32_MAX: it was not in memory */
    pkin_i_vocabulary *vocabulary; /* the terms table in memory, NULL until needed */
    int64_t data_version;          /* SQLite's, when the vocabulary was read: another process's change shows here */
    sqlite3_stmt *statements[PKIN_I_N_STATEMENTS];
};

/* Records SQLite's last error on `db` and returns the status that fits it. `doing`: what was tried. */
pkin_status pkin_i_sqlite_fail(sqlite3 *db, const char *path, const char *doing);
pkin_status pkin_i_store_damaged(const pkin_store *store, const char *what);

pkin_status pkin_i_sql_execute(pkin_store *store, const char *sql, const char *doing);

/* The statement, reset and ready for binding. */
pkin_status pkin_i_sql_prepare(pkin_store *store, pkin_i_statement which, sqlite3_stmt **out);

/* Binds text that outlives the statement's run. Returns SQLite's code, as sqlite3_bind_int64 does: collect with `|`. */
int pkin_i_sql_bind_text(sqlite3_stmt *statement, int index, const char *text);

/*
 * One step. `bound` is what the bind calls gave. *row is false after the last row, and the statement is then reset; who
 * stops earlier calls pkin_i_sql_reset, or the read transaction stays open.
 */
pkin_status pkin_i_sql_step(pkin_store *store, sqlite3_stmt *statement, int bound, bool *row);
pkin_status pkin_i_sql_run(pkin_store *store, sqlite3_stmt *statement, int bound); /* for statements without rows */
void pkin_i_sql_reset(sqlite3_stmt *statement);                                    /* NULL is fine */

/* Copy of a text column. */
pkin_status pkin_i_sql_copy_text(pkin_store *store, sqlite3_stmt *statement, int column, pkin_i_arena *arena,
                                 const char **out);

/*
 * A change that is whole or not at all: a transaction of its own, or a savepoint inside of one that the caller of
 * pkin_i_store_begin has open. _end keeps it where `status` is PKIN_OK, undoes it otherwise, and returns what came of
 * it.
 */
typedef struct pkin_i_change {
    bool nested;
    uint32_t n_terms_before;
} pkin_i_change;

pkin_status pkin_i_change_begin(pkin_store *store, pkin_i_change *change);
pkin_status pkin_i_change_end(pkin_store *store, const pkin_i_change *change, pkin_status status);

PKIN_EXTERN_C_END

#endif
