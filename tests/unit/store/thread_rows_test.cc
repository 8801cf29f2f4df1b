/* SPDX-License-Identifier: Apache-2.0 */
#include "store/thread_rows.h"

#include "support/allocation_failures.h"
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

pkin_i_thread_row thread_row(const char *id, const char *label, const char *field = "", const char *ended = "",
                             const char *merged_into = "") {
    pkin_i_thread_row row = {};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.field, sizeof row.field, "%s", field);
    snprintf(row.ended, sizeof row.ended, "%s", ended);
    snprintf(row.merged_into, sizeof row.merged_into, "%s", merged_into);
    snprintf(row.born, sizeof row.born, "2026-01-05");
    row.is_field = id[0] == 'f';
    row.label = label;
    row.label_chinese = "";
    return row;
}

pkin_thread_event event(pkin_thread_event_kind kind, const char *date, const char *thread, const char *other,
                        uint64_t n) {
    pkin_thread_event out = {};
    out.kind = kind;
    out.is_field = thread[0] == 'f';
    snprintf(out.date, sizeof out.date, "%s", date);
    out.thread = thread;
    out.label = "A \"label\"";
    out.other = other;
    out.explanation = "kept 14 of its 16 papers";
    out.n_before = n;
    out.n_shared = n + 1;
    out.n_after = n + 2;
    return out;
}

/* Two threads, one field, one that ended; three papers of five in threads. */
struct Example {
    std::vector<pkin_i_thread_row> rows = {
        thread_row("faaaaaaa", "Gardens"), thread_row("taaaaaa2", "Tulip ' bulbs", "faaaaaaa"),
        thread_row("tbbbbbbb", "Looms", "faaaaaaa"), thread_row("tccccccc", "Ships", "", "2026-01-06", "tbbbbbbb")};
    std::vector<pkin_i_thread_member> members = {{1, 1, 2, true}, {2, 1, 1, true}, {4, 3, 0, false}};
    pkin_i_stored_threads stored = {};
    Example() {
        rows[1].label_chinese = "郁金香";
        snprintf(stored.date, sizeof stored.date, "2026-01-07");
        stored.settings = "method=leiden window=180";
        stored.last_paper_id = 5;
        stored.rows = rows.data();
        stored.n_rows = rows.size();
        stored.members = members.data();
        stored.n_members = members.size();
    }
};

std::string show(const pkin_i_thread_row &row) {
    return std::string(row.id) + (row.is_field ? " field" : " thread") + " of " + row.field + ": " + row.label + "/" +
           row.label_chinese + " " + row.born + "-" + row.ended + ">" + row.merged_into + "\n";
}

std::string show(const pkin_i_stored_threads &stored) {
    std::string out =
        std::string(stored.date) + " " + stored.settings + " " + std::to_string(stored.last_paper_id) + "\n";
    for (size_t k = 0; k < stored.n_rows; k++) out += show(stored.rows[k]);
    for (size_t k = 0; k < stored.n_members; k++) {
        const pkin_i_thread_member &m = stored.members[k];
        out += std::to_string(m.paper_id) + " in " + stored.rows[m.thread].id + " rank " + std::to_string(m.rank) +
               (m.in_window ? " inside\n" : " outside\n");
    }
    return out;
}

class ThreadRows : public ::testing::Test {
  protected:
    void SetUp() override {
        ingest(store, folder.write("2026-01-05.jsonl", papers(1, 5)));
    }
    void TearDown() override {
        pkin_i_arena_free(&arena);
    }
    pkin_status save(const Example &example, std::vector<pkin_thread_event> events = {}) {
        return pkin_i_store_save_threads(store, &example.stored, events.data(), events.size());
    }
    std::string load() {
        pkin_i_stored_threads stored = {};
        pkin_status status = pkin_i_store_load_threads(store, &arena, &stored);
        return status == PKIN_OK ? show(stored) : std::string(pkin_status_name(status)) + ": " + pkin_last_error();
    }
    std::string events_since(const char *since) {
        pkin_thread_event *events = nullptr;
        size_t n = 0;
        std::string out;
        pkin_status status = pkin_i_store_load_thread_events(store, since, &arena, &events, &n);
        if (status != PKIN_OK) return std::string(pkin_status_name(status)) + ": " + pkin_last_error();
        for (size_t k = 0; k < n; k++) {
            const pkin_thread_event &e = events[k];
            out += std::string(e.date) + " " + pkin_thread_event_name(e.kind) + (e.is_field ? " field " : " ") +
                   e.thread + "," + e.other + " [" + e.label + "] " + e.explanation + " " + std::to_string(e.n_before) +
                   "/" + std::to_string(e.n_shared) + "/" + std::to_string(e.n_after) + "\n";
        }
        return out;
    }
    std::string sql(const std::string &text) {
        return run_sql(folder / "s.db", text);
    }
    Folder folder;
    Store store{folder / "s.db"};
    pkin_i_arena arena = {};
};

TEST_F(ThreadRows, AreEmptyAtFirst) {
    char date[11] = "x";
    EXPECT_EQ(load(), "  0\n");
    ASSERT_EQ(pkin_i_store_threads_date(store, date), PKIN_OK);
    EXPECT_STREQ(date, "");
    EXPECT_EQ(events_since(""), "");
}

TEST_F(ThreadRows, ComeBackAsTheyWereSaved) {
    Example example;
    ASSERT_EQ(save(example), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(load(), show(example.stored));
    char date[11];
    ASSERT_EQ(pkin_i_store_threads_date(store, date), PKIN_OK);
    EXPECT_STREQ(date, "2026-01-07");
    ASSERT_EQ(save(example), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(load(), show(example.stored));
}

TEST_F(ThreadRows, AreReplacedAsAWhole) {
    Example example, smaller;
    ASSERT_EQ(save(example), PKIN_OK);
    smaller.rows = {thread_row("tddddddd", "Kites")};
    smaller.members = {{5, 0, 1, true}};
    smaller.stored.rows = smaller.rows.data();
    smaller.stored.members = smaller.members.data();
    smaller.stored.n_rows = smaller.stored.n_members = 1;
    ASSERT_EQ(save(smaller), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(load(), show(smaller.stored));
}

TEST_F(ThreadRows, AreGivenById) {
    Example example;
    std::swap(example.rows[0], example.rows[3]); /* members follow: 3 was the thread that ended */
    for (auto &member : example.members) {
        if (member.thread == 3) member.thread = 0;
    }
    std::swap(example.members[0], example.members[2]);
    ASSERT_EQ(save(example), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(load(), show(Example().stored));
}

TEST_F(ThreadRows, OfOnePaper) {
    ASSERT_EQ(save(Example()), PKIN_OK);
    pkin_i_thread_row row = {};
    bool found = false;
    ASSERT_EQ(pkin_i_store_thread_of(store, 2, &arena, &row, &found), PKIN_OK) << pkin_last_error();
    ASSERT_TRUE(found);
    EXPECT_EQ(show(row), "taaaaaa2 thread of faaaaaaa: Tulip ' bulbs/郁金香 2026-01-05->\n");
    ASSERT_EQ(pkin_i_store_thread_of(store, 3, &arena, &row, &found), PKIN_OK);
    EXPECT_FALSE(found);
}

TEST_F(ThreadRows, EventsLatestUpdateFirst) {
    Example example;
    ASSERT_EQ(save(example, {event(PKIN_THREAD_BORN, "2026-01-05", "tccccccc", "", 1),
                             event(PKIN_THREAD_BORN, "2026-01-05", "faaaaaaa", "", 5)}),
              PKIN_OK);
    ASSERT_EQ(save(example), PKIN_OK) << "an update without events";
    ASSERT_EQ(save(example, {event(PKIN_THREAD_MERGED, "2026-01-07", "tbbbbbbb", "tccccccc", 10),
                             event(PKIN_THREAD_SPLIT, "2026-01-07", "taaaaaa2", "tbbbbbbb", 20)}),
              PKIN_OK);
    std::string merged = "2026-01-07 merged tbbbbbbb,tccccccc [A \"label\"] kept 14 of its 16 papers 10/11/12\n"
                         "2026-01-07 split taaaaaa2,tbbbbbbb [A \"label\"] kept 14 of its 16 papers 20/21/22\n",
                born = "2026-01-05 born tccccccc, [A \"label\"] kept 14 of its 16 papers 1/2/3\n"
                       "2026-01-05 born field faaaaaaa, [A \"label\"] kept 14 of its 16 papers 5/6/7\n";
    EXPECT_EQ(events_since("2026-01-05"), merged + born);
    EXPECT_EQ(events_since("2026-01-06"), merged);
    EXPECT_EQ(events_since("2026-01-08"), "");
}

TEST_F(ThreadRows, FollowTheOpenChange) {
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    ASSERT_EQ(save(Example(), {event(PKIN_THREAD_BORN, "2026-01-07", "taaaaaa2", "", 1)}), PKIN_OK);
    EXPECT_EQ(load(), show(Example().stored));
    ASSERT_EQ(pkin_i_store_end(store, 0), PKIN_OK);
    EXPECT_EQ(load(), "  0\n");
    EXPECT_EQ(events_since(""), "");
}

TEST_F(ThreadRows, AFailureChangesNothing) {
    ASSERT_EQ(save(Example()), PKIN_OK);
    Example example;
    example.members.push_back({99, 1, 0, true}); /* no such paper */
    example.stored.members = example.members.data();
    example.stored.n_members = example.members.size();
    EXPECT_EQ(save(example), PKIN_ERROR_STORE);
    Example twice;
    twice.rows[2] = twice.rows[1];
    EXPECT_EQ(save(twice), PKIN_ERROR_STORE);
    Example wrong;
    wrong.members[0].thread = 0; /* a field */
    EXPECT_EQ(save(wrong), PKIN_ERROR_INVALID_ARGUMENT);
    wrong.members[0].thread = 4;
    EXPECT_EQ(save(wrong), PKIN_ERROR_INVALID_ARGUMENT);
    Example nameless;
    nameless.rows[1].id[7] = '\0';
    EXPECT_EQ(save(nameless), PKIN_ERROR_INVALID_ARGUMENT);
    Example undated;
    undated.stored.date[0] = '\0';
    EXPECT_EQ(save(undated), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(load(), show(Example().stored));
}

TEST_F(ThreadRows, ReadOnlyStoresAreRead) {
    ASSERT_EQ(save(Example()), PKIN_OK);
    Store reader(folder / "s.db", PKIN_STORE_READ_ONLY);
    pkin_i_stored_threads stored = {};
    ASSERT_EQ(pkin_i_store_load_threads(reader, &arena, &stored), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(show(stored), show(Example().stored));
    EXPECT_EQ(pkin_i_store_save_threads(reader, &stored, nullptr, 0), PKIN_ERROR_STORE);
}

TEST_F(ThreadRows, DamageIsTold) {
    static const char *const damages[] = {
        "UPDATE meta SET value = '2026-13-01' WHERE name = 'threads_date'",
        "UPDATE meta SET value = '2026-01-011' WHERE name = 'threads_date'",
        "DELETE FROM meta WHERE name = 'threads_date'",
        "UPDATE meta SET value = '12x' WHERE name = 'threads_last_paper'",
        "UPDATE meta SET value = '99999999999999999999' WHERE name = 'threads_last_paper'",
        "UPDATE threads SET is_field = 1 WHERE id = 'taaaaaa2'",
        "UPDATE threads SET is_field = 2 WHERE id = 'taaaaaa2'",
        "UPDATE threads SET id = 'taaaaaa1' WHERE id = 'taaaaaa2'",
        "UPDATE threads SET field = 'tbbbbbbb' WHERE id = 'taaaaaa2'",
        "UPDATE threads SET field = 'faaaaaaaaaaaaaa' WHERE id = 'taaaaaa2'",
        "UPDATE threads SET born = '' WHERE id = 'taaaaaa2'",
        "UPDATE threads SET ended = 'soon' WHERE id = 'taaaaaa2'",
        "UPDATE threads SET merged_into = 'faaaaaaa' WHERE id = 'tccccccc'",
        "DELETE FROM threads WHERE id = 'taaaaaa2'",
        "UPDATE thread_members SET thread = 'faaaaaaa' WHERE paper = 2",
        "UPDATE thread_members SET rank = -1 WHERE paper = 2",
        "UPDATE thread_members SET rank = 5000000000 WHERE paper = 2",
        "UPDATE thread_members SET in_window = 2 WHERE paper = 2",
    };
    for (const char *damage : damages) {
        ASSERT_EQ(save(Example()), PKIN_OK);
        sql(std::string("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ") + damage);
        std::string told = load();
        EXPECT_EQ(told.rfind("PKIN_ERROR_CORRUPT: ", 0), 0u) << damage << "\n" << told;
        EXPECT_NE(told.find("ingest the digests again"), std::string::npos) << damage << "\n" << told;
        sql("PRAGMA foreign_keys = OFF; DELETE FROM thread_members");
    }
    ASSERT_EQ(save(Example()), PKIN_OK);
    EXPECT_EQ(load(), show(Example().stored));
}

TEST_F(ThreadRows, DamagedEventsAreTold) {
    for (const char *damage : {"kind = 'exploded'", "date = '2026-1-1'", "thread = 'x'", "other = 'faaaaaaa'",
                               "n_after = -1", "is_field = 1"}) {
        ASSERT_EQ(save(Example(), {event(PKIN_THREAD_GREW, "2026-01-07", "taaaaaa2", "", 1)}), PKIN_OK);
        sql(std::string("PRAGMA ignore_check_constraints = ON; UPDATE thread_events SET ") + damage);
        EXPECT_EQ(events_since("").rfind("PKIN_ERROR_CORRUPT: ", 0), 0u) << damage;
        sql("DELETE FROM thread_events");
    }
}

TEST_F(ThreadRows, AStoreOfSchema1GetsThem) {
    std::string path = folder / "old.db";
    {
        Store old(path);
        ingest(old, folder / "2026-01-05.jsonl");
    }
    std::string before = dump(path);
    run_sql(path, "DROP TABLE thread_events; DROP TABLE thread_members; DROP TABLE threads; PRAGMA user_version = 1");
    {
        Store reader(path, PKIN_STORE_READ_ONLY);
        EXPECT_EQ(reader.status, PKIN_ERROR_STORE_VERSION);
    }
    Store old(path);
    ASSERT_EQ(old.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(describe(old).schema_version, 2);
    EXPECT_EQ(dump(path), before);
    Example example;
    ASSERT_EQ(pkin_i_store_save_threads(old, &example.stored, nullptr, 0), PKIN_OK) << pkin_last_error();
}

TEST_F(ThreadRows, EveryAllocationMayFail) {
    Example example;
    pkin_thread_event one = event(PKIN_THREAD_BORN, "2026-01-07", "taaaaaa2", "", 1);
    ASSERT_EQ(save(example, {one}), PKIN_OK);
    expect_clean_failures([&] {
        pkin_i_arena memory = {};
        pkin_i_stored_threads stored = {};
        pkin_thread_event *events = nullptr;
        size_t n = 0;
        pkin_status status = pkin_i_store_save_threads(store, &example.stored, &one, 0);
        if (status == PKIN_OK) status = pkin_i_store_load_threads(store, &memory, &stored);
        if (status == PKIN_OK) status = pkin_i_store_load_thread_events(store, "", &memory, &events, &n);
        pkin_i_first_seen *seen = nullptr;
        uint64_t n_seen = 0;
        if (status == PKIN_OK) status = pkin_i_store_first_seen(store, &memory, &seen, &n_seen);
        if (status == PKIN_OK && (n_seen != 5 || show(stored) != show(example.stored) || n != 1))
            status = PKIN_ERROR_INTERNAL;
        pkin_i_arena_free(&memory);
        return status;
    });
}

/* ---- What else the store tells of many papers ------------------------------------------------------------------- */

TEST_F(ThreadRows, LastDateIsOfADigestWhereThereIsOne) {
    char date[11];
    Store empty(folder / "empty.db");
    ASSERT_EQ(pkin_i_store_last_date(empty, date), PKIN_OK);
    EXPECT_STREQ(date, "");
    ingest(empty, folder.write("b.jsonl", papers(1, 2)), "2026-03-01", 1);
    ASSERT_EQ(pkin_i_store_last_date(empty, date), PKIN_OK);
    EXPECT_STREQ(date, "2026-03-01");
    ingest(empty, folder / "2026-01-05.jsonl");
    ASSERT_EQ(pkin_i_store_last_date(empty, date), PKIN_OK);
    EXPECT_STREQ(date, "2026-01-05");
}

TEST_F(ThreadRows, PapersInOnePassAreAsOneByOne) {
    ingest(store, folder.write("2026-01-04.jsonl", papers(3, 8)));
    int64_t ids[] = {1, 3, 4, 8};
    pkin_i_stored_paper many[4];
    ASSERT_EQ(pkin_i_store_papers(store, ids, 4, &arena, many), PKIN_OK) << pkin_last_error();
    for (int k = 0; k < 4; k++) {
        pkin_i_stored_paper one;
        ASSERT_EQ(pkin_i_store_paper(store, ids[k], &arena, &one), PKIN_OK);
        EXPECT_STREQ(many[k].paper.key, one.paper.key);
        EXPECT_STREQ(many[k].paper.title, one.paper.title);
        EXPECT_STREQ(many[k].paper.abstract, one.paper.abstract);
        EXPECT_STREQ(many[k].paper.link, one.paper.link);
        EXPECT_STREQ(many[k].first_date, one.first_date);
        ASSERT_EQ(many[k].paper.n_authors, one.paper.n_authors);
        EXPECT_STREQ(many[k].paper.authors[1], one.paper.authors[1]);
    }
    EXPECT_STREQ(many[0].first_date, "2026-01-05");
    EXPECT_STREQ(many[1].first_date, "2026-01-04");
    int64_t missing[] = {2, 70};
    EXPECT_EQ(pkin_i_store_papers(store, missing, 2, &arena, many), PKIN_ERROR_NOT_FOUND);
}

TEST_F(ThreadRows, FirstSeenTellsDigestsFromCorpora) {
    ingest(store, folder.write("b.jsonl", papers(4, 7)), "2026-01-01", 1);
    pkin_i_first_seen *seen = nullptr;
    uint64_t n = 0;
    ASSERT_EQ(pkin_i_store_first_seen(store, &arena, &seen, &n), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(n, 7u);
    std::string told;
    for (uint64_t k = 0; k < n; k++) {
        EXPECT_EQ(seen[k].paper_id, (int64_t)k + 1);
        told += std::string(seen[k].key + 14) + ":" + (seen[k].first_date + 8) + "," +
                (*seen[k].listed_date ? seen[k].listed_date + 8 : "") + " ";
    }
    EXPECT_EQ(told, "01:05,05 02:05,05 03:05,05 04:01,05 05:01,05 06:01, 07:01, ");
}

} // namespace
