/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstring>
#include <functional>

#include "store/schema.h"
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

class Open : public ::testing::Test {
  protected:
    void expect_error(const std::string &where, pkin_store_mode mode, pkin_status status, const std::string &part) {
        Store store(where, mode);
        EXPECT_EQ(store.status, status) << pkin_last_error();
        EXPECT_EQ((pkin_store *)store, nullptr);
        EXPECT_NE(std::string(pkin_last_error()).find(part), std::string::npos) << pkin_last_error();
    }
    Folder folder;
    std::string path = folder / "s.db";
};

TEST_F(Open, MakesAStoreWithItsMarks) {
    {
        Store store(path);
        ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(describe(store).n_papers, 0u);
        EXPECT_STREQ(describe(store).first_date, "");
    }
    EXPECT_EQ(run_sql(path, "PRAGMA application_id; PRAGMA user_version; PRAGMA journal_mode"), "1886087534\n2\nwal\n");
    EXPECT_EQ(run_sql(path,
                      "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 "
                      "AND name NOT LIKE 'sqlite_%'"),
              "0\n");
    EXPECT_FALSE(fs::exists(path + "-wal"));
    EXPECT_EQ(read_bytes(path).substr(68, 4), "pkin");
}

TEST_F(Open, SettingsOfTheConnection) {
    Store store(path);
    for (auto &[pragma, value] : {std::pair{"foreign_keys", 1}, {"synchronous", 1}, {"secure_delete", 0}}) {
        sqlite3_stmt *statement = nullptr;
        sqlite3_prepare_v2(store->db, (std::string("PRAGMA ") + pragma).c_str(), -1, &statement, nullptr);
        ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
        EXPECT_EQ(sqlite3_column_int(statement, 0), value) << pragma;
        sqlite3_finalize(statement);
    }
}

TEST_F(Open, InMemory) {
    Store store(":memory:");
    ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3))).n_new, 3u);
    expect_error(":memory:", PKIN_STORE_READ_ONLY, PKIN_ERROR_NOT_FOUND, "memory");
    EXPECT_FALSE(fs::exists(":memory:"));
}

TEST_F(Open, MissingFilesAndFolders) {
    expect_error(path, PKIN_STORE_READ_ONLY, PKIN_ERROR_NOT_FOUND, path);
    EXPECT_FALSE(fs::exists(path));
    expect_error(folder / "no/such/s.db", PKIN_STORE_READ_WRITE, PKIN_ERROR_STORE, "make the folder first");
    expect_error(folder / "no/such/s.db", PKIN_STORE_READ_ONLY, PKIN_ERROR_NOT_FOUND, "no such store");
    expect_error("", PKIN_STORE_READ_WRITE, PKIN_ERROR_INVALID_ARGUMENT, "path");
    EXPECT_EQ(pkin_store_open(path.c_str(), PKIN_STORE_READ_WRITE, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_FALSE(fs::exists(path));
    fs::create_directory(folder / "d");
    expect_error(folder / "d", PKIN_STORE_READ_WRITE, PKIN_ERROR_STORE, "no regular file");
    ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
    expect_error(folder / "pipe", PKIN_STORE_READ_WRITE, PKIN_ERROR_STORE, "no regular file");
    folder.write("file", "x");
    expect_error(folder / "file/s.db", PKIN_STORE_READ_WRITE, PKIN_ERROR_STORE, "s.db");
}

TEST_F(Open, ForeignFilesAreLeftAlone) {
    std::string other = folder / "other.db";
    folder.write("other.db", "");
    run_sql(other, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    folder.write("text.db", "# A note\n" + std::string(500, 'x'));
    folder.write("short.db", "SQLite format 3");
    for (const char *name : {"other.db", "text.db", "short.db"}) {
        std::string before = read_bytes(folder / name);
        auto time = fs::last_write_time(folder / name);
        for (pkin_store_mode mode : {PKIN_STORE_READ_WRITE, PKIN_STORE_READ_ONLY}) {
            expect_error(folder / name, mode, PKIN_ERROR_STORE, "left alone");
        }
        EXPECT_EQ(read_bytes(folder / name), before);
        EXPECT_EQ(fs::last_write_time(folder / name), time);
        EXPECT_FALSE(fs::exists(folder / (std::string(name) + "-wal")));
    }
}

TEST_F(Open, AnEmptyFileBecomesAStore) {
    folder.write("s.db", "");
    expect_error(path, PKIN_STORE_READ_ONLY, PKIN_ERROR_STORE, "no SQLite database");
    Store store(path);
    EXPECT_EQ(store.status, PKIN_OK) << pkin_last_error();
}

TEST_F(Open, NamesThatLookLikeAddresses) {
    std::string old = fs::current_path();
    fs::current_path(folder / "");
    {
        Store store("file:odd?mode=memory");
        EXPECT_EQ(store.status, PKIN_OK) << pkin_last_error();
    }
    EXPECT_TRUE(fs::exists(folder / "file:odd?mode=memory"));
    fs::current_path(old);
}

TEST_F(Open, ReadOnlyReadsAndRefusesToWrite) {
    std::string file = folder.write("2026-01-05.jsonl", papers(1, 3));
    {
        Store store(path);
        ingest(store, file);
    }
    std::string before = read_bytes(path);
    {
        Store store(path, PKIN_STORE_READ_ONLY);
        ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(describe(store).n_papers, 3u);
        EXPECT_EQ(ingest(store, file).already_known, 1); /* nothing is to be written */
        pkin_ingest_report report;
        EXPECT_EQ(
            pkin_store_ingest_file(store, folder.write("2026-01-06.jsonl", papers(1, 4)).c_str(), nullptr, &report),
            PKIN_ERROR_STORE);
        EXPECT_NE(std::string(pkin_last_error()).find("reading only"), std::string::npos);
        pkin_i_link link = {2, 1};
        EXPECT_EQ(pkin_i_store_put_links(store, 1, &link, 1), PKIN_ERROR_STORE);
        ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
        EXPECT_EQ(words_of(store, "arxiv:2601.00001", PKIN_I_TITLE), "survey harbours part 1");
        ASSERT_EQ(pkin_i_store_end(store, 1), PKIN_OK);
    }
    EXPECT_EQ(read_bytes(path), before);
}

/* Permissions do not stop root: the child that opens the store is then somebody else. Returns what it exited with. */
int as_ordinary_user(const std::function<int()> &act) {
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) _exit(99);
        _exit(act());
    }
    int state = 0;
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

TEST_F(Open, ReadOnlyInAFolderThatMayNotBeWritten) {
    fs::create_directory(folder / "50% #1?");
    path = folder / "50% #1?/s.db";
    {
        Store store(path);
        ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3)));
    }
    chmod((folder / "").c_str(), 0755);
    chmod((folder / "50% #1?").c_str(), 0555);
    auto count = [&] {
        Store store(path, PKIN_STORE_READ_ONLY);
        return store.status == PKIN_OK ? (int)describe(store).n_papers : 50 + (int)store.status;
    };
    EXPECT_EQ(as_ordinary_user(count), 3);
    /* Changes in the log are not passed over. */
    folder.write("50% #1?/s.db-wal", "x");
    EXPECT_EQ(as_ordinary_user(count), 50 + PKIN_ERROR_STORE);
    EXPECT_EQ(as_ordinary_user([&] {
                  Store store(path, PKIN_STORE_READ_ONLY);
                  return strstr(pkin_last_error(), "still wait") ? 1 : 0;
              }),
              1);
    chmod((folder / "50% #1?").c_str(), 0755);
}

TEST_F(Open, ReadersDoNotWaitForTheWriter) {
    Store writer(path);
    ingest(writer, folder.write("2026-01-05.jsonl", papers(1, 3)));
    Store reader(path, PKIN_STORE_READ_ONLY);
    ASSERT_EQ(pkin_i_store_begin(writer), PKIN_OK);
    ingest(writer, folder.write("2026-01-06.jsonl", papers(4, 9)));
    EXPECT_EQ(describe(reader).n_papers, 3u);
    ASSERT_EQ(pkin_i_store_end(writer, 1), PKIN_OK);
    EXPECT_EQ(describe(reader).n_papers, 9u);
}

TEST_F(Open, ASecondWriterIsToldToWait) {
    Store one(path), two(path);
    sqlite3_busy_timeout(two->db, 20);
    ASSERT_EQ(pkin_i_store_begin(one), PKIN_OK);
    pkin_ingest_report report;
    EXPECT_EQ(pkin_store_ingest_file(two, folder.write("2026-01-05.jsonl", papers(1, 3)).c_str(), nullptr, &report),
              PKIN_ERROR_STORE);
    EXPECT_NE(std::string(pkin_last_error()).find("another process is writing"), std::string::npos)
        << pkin_last_error();
    EXPECT_NE(std::string(pkin_last_error()).find(path), std::string::npos);
    ASSERT_EQ(pkin_i_store_end(one, 1), PKIN_OK);
    EXPECT_EQ(ingest(two, folder / "2026-01-05.jsonl").n_new, 3u);
}

TEST_F(Open, AFullDiskKeepsWhatWasThere) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3)));
    std::string before = dump(path);
    sqlite3_exec(store->db, "PRAGMA max_page_count = 1", nullptr, nullptr, nullptr); /* as few as there are */
    pkin_ingest_report report;
    std::string file = folder.write("2026-01-06.jsonl", papers(4, 400));
    EXPECT_EQ(pkin_store_ingest_file(store, file.c_str(), nullptr, &report), PKIN_ERROR_STORE);
    EXPECT_NE(std::string(pkin_last_error()).find("make room"), std::string::npos) << pkin_last_error();
    EXPECT_EQ(dump(path), before);
    sqlite3_exec(store->db, "PRAGMA max_page_count = 100000", nullptr, nullptr, nullptr);
    EXPECT_EQ(ingest(store, file).n_new, 397u);
    EXPECT_EQ(words_of(store, "arxiv:2601.00004", PKIN_I_TITLE), "survey violins part 4");
}

TEST_F(Open, DamageIsTold) {
    {
        Store store(path);
        ingest(store, folder.write("2026-01-05.jsonl", papers(1, 200)));
    }
    std::string bytes = read_bytes(path);
    for (size_t k = 4096; k < bytes.size(); k += 7) bytes[k] = 'X';
    folder.write("s.db", bytes);
    Store store(path);
    pkin_ingest_report report;
    pkin_status status = store.status;
    if (status == PKIN_OK) {
        status =
            pkin_store_ingest_file(store, folder.write("2026-01-06.jsonl", papers(1, 3)).c_str(), nullptr, &report);
    }
    EXPECT_EQ(status, PKIN_ERROR_CORRUPT) << pkin_last_error();
    EXPECT_NE(std::string(pkin_last_error()).find("damaged"), std::string::npos) << pkin_last_error();
}

TEST_F(Open, NewerSchemasAreLeftAlone) {
    {
        Store store(path);
        ASSERT_EQ(store.status, PKIN_OK);
    }
    run_sql(path, "PRAGMA user_version = 99");
    std::string before = read_bytes(path);
    for (pkin_store_mode mode : {PKIN_STORE_READ_WRITE, PKIN_STORE_READ_ONLY}) {
        expect_error(path, mode, PKIN_ERROR_STORE_VERSION, "use a newer paperkin");
    }
    EXPECT_EQ(read_bytes(path), before);
}

TEST_F(Open, AStoreThatWasCutWhileBeingMadeIsMadeAnew) {
    folder.write("s.db", "");
    run_sql(path, "PRAGMA application_id = 1886087534");
    expect_error(path, PKIN_STORE_READ_ONLY, PKIN_ERROR_STORE_VERSION, "open it once for writing");
    Store store(path);
    ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(describe(store).schema_version, 2);
}

/* A process was killed between writing the mark and deleting its journal: the journal takes the mark back. */
TEST_F(Open, AJournalThatUndoesTheMarkIsNoLoss) {
    folder.write("s.db", "");
    run_sql(path, "PRAGMA application_id = 1886087534");
    ASSERT_EQ(read_bytes(path).substr(68, 4), "pkin");
    std::string journal("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" /* magic */
                        "\0\0\0\0\0\0\0\0\0\0\0\0"         /* no page, checksum seed 0, no page before */
                        "\0\0\x02\0\0\0\x10\0",            /* sectors of 512, pages of 4096 */
                        28);
    folder.write("s.db-journal", journal + std::string(512 - journal.size(), '\0'));
    {
        Store store(path);
        ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
    }
    EXPECT_EQ(read_bytes(path).substr(68, 4), "pkin");
    Store again(path, PKIN_STORE_READ_ONLY);
    EXPECT_EQ(again.status, PKIN_OK) << pkin_last_error();
}

/* ---- Migration, on steps made for the test -------------------------------------------------------------------- */

class Migration : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(sqlite3_open((folder / "m.db").c_str(), &db), SQLITE_OK);
    }
    void TearDown() override {
        sqlite3_close(db);
    }
    pkin_status upgrade(std::vector<const char *> steps, int read_only = 0) {
        pkin_i_schema schema = {steps.data(), (int)steps.size()};
        return pkin_i_schema_upgrade(db, "m.db", &schema, read_only);
    }
    std::string state() {
        return run_sql(folder / "m.db", "PRAGMA user_version; SELECT name FROM sqlite_master");
    }
    Folder folder;
    sqlite3 *db = nullptr;
    const char *one = "CREATE TABLE a (x); INSERT INTO a VALUES (5)", *two = "ALTER TABLE a ADD COLUMN y",
               *three = "CREATE TABLE c AS SELECT x FROM a",
               *wrong = "CREATE TABLE d (x); SELECT nonsense FROM nowhere";
};

TEST_F(Migration, StepByStep) {
    ASSERT_EQ(upgrade({one}), PKIN_OK);
    EXPECT_EQ(state(), "1\na\n");
    ASSERT_EQ(upgrade({one, two, three}), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(state(), "3\na\nc\n");
    EXPECT_EQ(run_sql(folder / "m.db", "SELECT x FROM c"), "5\n");
    ASSERT_EQ(upgrade({one, two, three}), PKIN_OK);
    EXPECT_EQ(state(), "3\na\nc\n");
}

TEST_F(Migration, AllStepsOrNone) {
    ASSERT_EQ(upgrade({one}), PKIN_OK);
    EXPECT_EQ(upgrade({one, two, wrong}), PKIN_ERROR_STORE);
    EXPECT_EQ(state(), "1\na\n");
    EXPECT_EQ(run_sql(folder / "m.db", "SELECT count(*) FROM pragma_table_info('a')"), "1\n");
    ASSERT_EQ(upgrade({one, two, three}), PKIN_OK);
}

TEST_F(Migration, NotForReadersNorBackwards) {
    ASSERT_EQ(upgrade({one}), PKIN_OK);
    EXPECT_EQ(upgrade({one, two}, 1), PKIN_ERROR_STORE_VERSION);
    ASSERT_EQ(upgrade({one, two}), PKIN_OK);
    EXPECT_EQ(upgrade({one, two}, 1), PKIN_OK);
    EXPECT_EQ(upgrade({one}), PKIN_ERROR_STORE_VERSION);
    EXPECT_EQ(state(), "2\na\n");
}

} // namespace
