/* SPDX-License-Identifier: Apache-2.0 */
/* A process that ingests is killed at random moments, and the store must not mind. */
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <random>
#include <thread>

#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

enum { N_FILES = 12, N_KILLS = 40, WORK_DONE = 42 };

std::string file_name(int k) {
    return "2026-01-" + std::string(k < 9 ? "0" : "") + std::to_string(k + 1) + ".jsonl";
}

[[noreturn]] void give_up() {
    fprintf(stderr, "%s\n", pkin_last_error());
    _exit(1);
}

/* Not a test of its own: the process to be killed runs this one alone. */
TEST(DISABLED_CrashChild, Ingests) {
    const char *given = std::getenv("PAPERKIN_CRASH_FOLDER");
    ASSERT_NE(given, nullptr);
    std::string folder = given;
    pkin_store *store = nullptr;
    pkin_ingest_options options = pkin_ingest_options_default();
    options.n_threads = 1;
    pkin_ingest_report report;
    if (pkin_store_open((folder + "/s.db").c_str(), PKIN_STORE_READ_WRITE, &store) != PKIN_OK) give_up();
    for (int k = 0; k < N_FILES; k++) {
        if (pkin_store_ingest_file(store, (folder + "/" + file_name(k)).c_str(), &options, &report) != PKIN_OK)
            give_up();
    }
    pkin_store_close(store);
    _exit(WORK_DONE);
}

/* Days that overlap, with new versions of old papers. */
void write_days(const Folder &folder) {
    for (int k = 0; k < N_FILES; k++) {
        std::string lines = papers(1 + 60 * k, 90 + 60 * k);
        for (int n = 1; n <= 60 * k; n += 17) lines += paper_line(n, "v" + std::to_string(k + 1));
        folder.write(file_name(k), lines + paper_line(1 + 60 * k));
    }
}

pid_t start_child(const std::string &folder) {
    pid_t child = fork();
    if (child == 0) {
        setenv("PAPERKIN_CRASH_FOLDER", folder.c_str(), 1);
        if (!freopen("/dev/null", "w", stdout)) _exit(3);
        execl("/proc/self/exe", "test_store_crash", "--gtest_filter=DISABLED_CrashChild.*",
              "--gtest_also_run_disabled_tests", (char *)nullptr);
        _exit(4);
    }
    return child;
}

int wait_for(pid_t child) {
    int state = 0;
    EXPECT_EQ(waitpid(child, &state, 0), child);
    return state;
}

TEST(StoreCrash, KilledAtAnyMoment) {
    using clock = std::chrono::steady_clock;
    Folder folder;
    write_days(folder);
    std::string path = folder / "s.db";
    auto start = clock::now();
    int state = wait_for(start_child(folder / ""));
    ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == WORK_DONE) << state;
    auto whole = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - start).count();
    std::string expected = dump(path);
    fs::remove(path);

    std::mt19937 random(20260105);
    int n_killed = 0, n_finished = 0, n_partial = 0;
    while (n_killed < N_KILLS && n_finished < 10 * N_KILLS) {
        pid_t child = start_child(folder / "");
        std::this_thread::sleep_for(std::chrono::microseconds(random() % (uint32_t)whole));
        kill(child, SIGKILL);
        state = wait_for(child);
        if (WIFEXITED(state)) {
            ASSERT_EQ(WEXITSTATUS(state), WORK_DONE);
            ASSERT_EQ(dump(path), expected);
            n_finished++;
            fs::remove(path);
            continue;
        }
        n_killed++;
        /* Before or while the file was made there may be nothing to look at yet; opening it settles that. */
        {
            Store store(path);
            ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
            n_partial += describe(store).n_digests > 0 && describe(store).n_digests < N_FILES;
        }
        ASSERT_EQ(run_sql(path, "PRAGMA integrity_check"), "ok\n");
        ASSERT_EQ(run_sql(path, "PRAGMA foreign_key_check"), "");
        ASSERT_EQ(run_sql(path, "SELECT name FROM digests d WHERE n_records <> "
                                "(SELECT count(*) FROM appearances WHERE digest = d.id)"),
                  "");
        ASSERT_EQ(run_sql(path, "SELECT id FROM papers WHERE id NOT IN (SELECT paper FROM paper_terms) "
                                "OR id NOT IN (SELECT paper FROM appearances)"),
                  "");
        /* Every third store goes on from where it was cut, and may be cut again. */
        if (n_killed % 3 == 0) continue;
        state = wait_for(start_child(folder / ""));
        ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == WORK_DONE) << state;
        ASSERT_EQ(dump(path), expected);
        fs::remove(path);
    }
    EXPECT_EQ(n_killed, N_KILLS);
    EXPECT_GT(n_partial, 0) << "no kill came between two files: the test saw too little";
}

/* Several processes make one store at once. */
TEST(StoreCrash, ManyProcessesOneStore) {
    Folder folder;
    write_days(folder);
    std::string path = folder / "s.db";
    std::vector<pid_t> children;
    for (int k = 0; k < 4; k++) children.push_back(start_child(folder / ""));
    for (pid_t child : children) {
        int state = wait_for(child);
        EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == WORK_DONE) << state;
    }
    std::string together = dump(path);
    fs::remove(path);
    wait_for(start_child(folder / ""));
    EXPECT_EQ(together, dump(path)); /* each digest went in once, in order */
}

} // namespace
