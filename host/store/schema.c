/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <stdio.h>

#include "base/failure.h"
#include "store/store_sql.h"

/*
 * Dates are "YYYY-MM-DD", which sorts as text. Text columns are never NULL: "" is what a record did not tell.
 * Nothing is ever deleted but links, verdicts and threads with their members, which are replaced (threads when they
 * have no members left), so that no foreign key needs an index on its child.
 */
static const char step_0_to_1[] =
    "CREATE TABLE meta ("
    "  name TEXT PRIMARY KEY,"
    "  value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* One file as it was seen. `content`: hash of its decompressed bytes without paperkin's blocks, 32 hex digits.
       `stem`: what the forms of one day have in common. `dated_by`: where the date comes from. `background` 1: a corpus
       whose papers are known, but were listed nowhere. */
    "CREATE TABLE digests ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  stem TEXT NOT NULL,"
    "  content TEXT NOT NULL,"
    "  date TEXT NOT NULL,"
    "  dated_by TEXT NOT NULL CHECK (dated_by IN ('given', 'name', 'clock')),"
    "  format TEXT NOT NULL,"
    "  background INTEGER NOT NULL CHECK (background IN (0, 1)),"
    "  n_records INTEGER NOT NULL,"
    "  n_skipped INTEGER NOT NULL,"
    "  UNIQUE (name, content, date)"
    ") STRICT;"

    /* One paper, its fields filled from every record that told them. Lists are JSON arrays of strings: they are read
       and written whole, and json_each opens them to anybody's query. `version` 0: no record named one. */
    "CREATE TABLE papers ("
    "  id INTEGER PRIMARY KEY,"
    "  key TEXT NOT NULL UNIQUE,"
    "  shown_id TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  title TEXT NOT NULL,"
    "  abstract TEXT NOT NULL,"
    "  summary TEXT NOT NULL,"
    "  comment TEXT NOT NULL,"
    "  doi TEXT NOT NULL,"
    "  link TEXT NOT NULL,"
    "  date TEXT NOT NULL,"
    "  authors TEXT NOT NULL,"
    "  categories TEXT NOT NULL"
    ") STRICT;"

    /* Versions that records named, and the earliest digest date of each. */
    "CREATE TABLE versions ("
    "  paper INTEGER NOT NULL REFERENCES papers,"
    "  version INTEGER NOT NULL CHECK (version > 0),"
    "  first_date TEXT NOT NULL,"
    "  PRIMARY KEY (paper, version)"
    ") STRICT, WITHOUT ROWID;"

    /* Record number `position` (from 1) of a digest is that paper. Ordered by paper, because the question is always
       where a paper was seen. `version` 0: the record named none. */
    "CREATE TABLE appearances ("
    "  paper INTEGER NOT NULL REFERENCES papers,"
    "  digest INTEGER NOT NULL REFERENCES digests,"
    "  position INTEGER NOT NULL CHECK (position > 0),"
    "  version INTEGER NOT NULL,"
    "  PRIMARY KEY (paper, digest, position)"
    ") STRICT, WITHOUT ROWID;"

    /* The words of all papers; id = vocabulary id + 1, without gaps. Always read whole, so no index on the word. */
    "CREATE TABLE terms ("
    "  id INTEGER PRIMARY KEY,"
    "  word TEXT NOT NULL"
    ") STRICT;"

    /* What counts, document frequencies and bigrams follow from: each field's words in reading order, every word as its
       terms.id, every break between words that are no neighbours as 0, in LEB128 (7 bits a byte, low ones first, the
       top bit set where another byte follows). */
    "CREATE TABLE paper_terms ("
    "  paper INTEGER PRIMARY KEY REFERENCES papers,"
    "  title BLOB NOT NULL,"
    "  abstract BLOB NOT NULL,"
    "  summary BLOB NOT NULL"
    ") STRICT;"

    /* Related papers, best first (rank from 1); the cosine is score / 2^60. */
    "CREATE TABLE links ("
    "  paper INTEGER NOT NULL REFERENCES papers,"
    "  rank INTEGER NOT NULL CHECK (rank > 0),"
    "  to_paper INTEGER NOT NULL REFERENCES papers,"
    "  score INTEGER NOT NULL,"
    "  PRIMARY KEY (paper, rank)"
    ") STRICT, WITHOUT ROWID;"

    /* What two papers with different keys are to each other, and what that rests on; -1 where unknown. */
    "CREATE TABLE verdicts ("
    "  paper_a INTEGER NOT NULL REFERENCES papers,"
    "  paper_b INTEGER NOT NULL REFERENCES papers,"
    "  verdict TEXT NOT NULL,"
    "  rule TEXT NOT NULL,"
    "  cosine REAL NOT NULL,"
    "  author_overlap REAL NOT NULL,"
    "  title_ratio REAL NOT NULL,"
    "  abstract_ratio REAL NOT NULL,"
    "  title_words_elsewhere REAL NOT NULL,"
    "  days_apart INTEGER NOT NULL,"
    "  same_primary_category INTEGER NOT NULL,"
    "  mathematics INTEGER NOT NULL,"
    "  title_numbers_differ INTEGER NOT NULL,"
    "  reports INTEGER NOT NULL,"
    "  comment_splits INTEGER NOT NULL,"
    "  comment_names_other INTEGER NOT NULL,"
    "  PRIMARY KEY (paper_a, paper_b),"
    "  CHECK (paper_a < paper_b)"
    ") STRICT, WITHOUT ROWID;";

static const char step_1_to_2[] =
    /* What papers cluster to: threads of work, and the fields that they belong to; ended ones too. The day of the last
       update, its settings and the highest papers.id that it knew stand in meta. */
    "CREATE TABLE threads ("
    "  id TEXT PRIMARY KEY,"
    "  is_field INTEGER NOT NULL CHECK (is_field IN (0, 1)),"
    "  field TEXT NOT NULL,"
    "  label TEXT NOT NULL,"
    "  label_chinese TEXT NOT NULL,"
    "  born TEXT NOT NULL,"
    "  ended TEXT NOT NULL,"
    "  merged_into TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* The thread of a paper. `rank`: as one that stands for it, from 1; 0: none. `in_window` 1: it was among the papers
       that the last update clustered. */
    "CREATE TABLE thread_members ("
    "  paper INTEGER PRIMARY KEY REFERENCES papers,"
    "  thread TEXT NOT NULL REFERENCES threads,"
    "  rank INTEGER NOT NULL CHECK (rank >= 0),"
    "  in_window INTEGER NOT NULL CHECK (in_window IN (0, 1))"
    ") STRICT;"

    /* What happened to threads at update number `run` (from 1), in the order told. No foreign keys: threads are
       replaced as a whole. */
    "CREATE TABLE thread_events ("
    "  run INTEGER NOT NULL CHECK (run > 0),"
    "  position INTEGER NOT NULL CHECK (position > 0),"
    "  date TEXT NOT NULL,"
    "  kind TEXT NOT NULL CHECK (kind IN ('born', 'grew', 'merged', 'split', 'ended')),"
    "  is_field INTEGER NOT NULL CHECK (is_field IN (0, 1)),"
    "  thread TEXT NOT NULL,"
    "  label TEXT NOT NULL,"
    "  other TEXT NOT NULL,"
    "  explanation TEXT NOT NULL,"
    "  n_before INTEGER NOT NULL CHECK (n_before >= 0),"
    "  n_shared INTEGER NOT NULL CHECK (n_shared >= 0),"
    "  n_after INTEGER NOT NULL CHECK (n_after >= 0),"
    "  PRIMARY KEY (run, position)"
    ") STRICT, WITHOUT ROWID;";

static const char *const steps[] = {step_0_to_1, step_1_to_2};

pkin_i_schema pkin_i_schema_current(void) {
    return (pkin_i_schema){steps, sizeof steps / sizeof *steps};
}

pkin_status pkin_i_schema_read_version(sqlite3 *db, const char *path, int *version) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = PKIN_OK;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = pkin_i_sqlite_fail(db, path, "reading its schema version");
    } else {
        *version = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return status;
}

static pkin_status execute(sqlite3 *db, const char *path, const char *sql, const char *doing) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) return PKIN_OK;
    return pkin_i_sqlite_fail(db, path, doing);
}

/* Reads the version again under the write lock: another process may have been quicker. */
static pkin_status apply_steps(sqlite3 *db, const char *path, const pkin_i_schema *schema) {
    int version = 0;
    char pragma[64];
    pkin_status status = pkin_i_schema_read_version(db, path, &version);
    for (int k = version; status == PKIN_OK && k < schema->version; k++) {
        status = execute(db, path, schema->steps[k], "bringing its schema up to date");
    }
    if (status != PKIN_OK || version >= schema->version) return status;
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", schema->version);
    return execute(db, path, pragma, "writing its schema version");
}

pkin_status pkin_i_schema_upgrade(sqlite3 *db, const char *path, const pkin_i_schema *schema, int read_only) {
    int version = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_schema_read_version(db, path, &version));
    PKIN_REQUIRE(version >= 0 && version <= schema->version, PKIN_ERROR_STORE_VERSION,
                 "%s: has schema version %d, this paperkin (%s) knows up to %d: use a newer paperkin, or another store",
                 path, version, PKIN_VERSION_STRING, schema->version);
    if (version == schema->version) return PKIN_OK;
    PKIN_REQUIRE(!read_only, PKIN_ERROR_STORE_VERSION,
                 "%s: has schema version %d, this paperkin (%s) needs %d: open it once for writing (for example by "
                 "ingesting a digest) to bring it up to date",
                 path, version, PKIN_VERSION_STRING, schema->version);
    PKIN_TRY(execute(db, path, "BEGIN IMMEDIATE", "locking it"));
    status = apply_steps(db, path, schema);
    if (status == PKIN_OK) status = execute(db, path, "COMMIT", "bringing its schema up to date");
    if (status != PKIN_OK && !sqlite3_get_autocommit(db)) (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
out:
    return status;
}
