/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of invented papers, from the digests to the list: topics with words of their own. */
#include "paperkin/threads.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "history/thread_run.h"
#include "support/allocation_failures.h"
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

/* A word that no dictionary has: three syllables by number. */
std::string word(int topic, int n) {
    static const char *const syllables[] = {"ba", "ko", "du", "fe", "gi", "lo", "mu", "na", "pe", "ri", "so", "ta"};
    int code = topic * 17 + n;
    return std::string(syllables[code % 12]) + syllables[code / 12 % 12] + syllables[code / 144 % 12] + "x";
}

/* Paper `number` of a month is about `topic`: its title and abstract are made of the topic's seventeen words. */
std::string topic_line(const std::string &month, int number, int topic) {
    std::mt19937 random((unsigned)number * 7919u + (unsigned)topic);
    auto some = [&](int n) {
        std::string text;
        for (int k = 0; k < n; k++) text += (k ? " " : "") + word(topic, (int)(random() % 17));
        return text;
    };
    char id[24];
    snprintf(id, sizeof id, "%s.%05d", month.c_str(), number);
    return crawl_line(id, some(5), some(25) + ". We measure " + some(6) + ".");
}

/* Papers [first, last] over the topics in turn. */
std::string topic_lines(int first, int last, const std::vector<int> &topics, const std::string &month = "2601") {
    std::string lines;
    for (int n = first; n <= last; n++) lines += topic_line(month, n, topics[(size_t)n % topics.size()]);
    return lines;
}

struct Report : pkin_threads_report {
    Report() : pkin_threads_report{} {}
    ~Report() {
        pkin_threads_report_free(this);
    }
    Report(const Report &) = delete;
    Report &operator=(const Report &) = delete;
    std::string told() const {
        std::string out;
        for (size_t k = 0; k < n_events; k++) {
            out += std::string(pkin_thread_event_name(events[k].kind)) + (events[k].is_field ? " field " : " ") +
                   events[k].thread + " " + events[k].other + ": " + events[k].explanation + "\n";
        }
        return out;
    }
    size_t count(pkin_thread_event_kind kind, int is_field = 0) const {
        size_t n = 0;
        for (size_t k = 0; k < n_events; k++) n += events[k].kind == kind && events[k].is_field == is_field;
        return n;
    }
};

struct List : pkin_threads {
    List() : pkin_threads{} {}
    ~List() {
        pkin_threads_free(this);
    }
    List(const List &) = delete;
    List &operator=(const List &) = delete;
};

class Threads : public ::testing::Test {
  protected:
    pkin_threads_options options() {
        pkin_threads_options o = pkin_threads_options_default();
        o.n_threads = 2;
        return o;
    }
    void update(pkin_store *s, Report &report, const pkin_threads_options &o) {
        ASSERT_EQ(pkin_threads_update(s, &o, &report), PKIN_OK) << pkin_last_error();
    }
    void list(pkin_store *s, List &out, const pkin_threads_query &query) {
        ASSERT_EQ(pkin_threads_list(s, &query, &out), PKIN_OK) << pkin_last_error();
    }
    /* Three topics on two days, clustered on the second: 24 papers. */
    void fill() {
        ingest(store, folder.write("2026-01-05.jsonl", topic_lines(1, 15, {0, 1, 2})));
        ingest(store, folder.write("2026-01-06.jsonl", topic_lines(16, 24, {0, 1, 2})));
    }
    std::string threads_of_papers(const std::string &where) {
        return run_sql(where,
                       "SELECT p.key, m.thread FROM thread_members m JOIN papers p ON p.id = m.paper ORDER BY 1");
    }
    Folder folder;
    std::string path = folder / "s.db";
    Store store{path};
};

TEST_F(Threads, NeedPapers) {
    Report report;
    pkin_threads_options o = options();
    EXPECT_EQ(pkin_threads_update(store, &o, &report), PKIN_ERROR_NOT_FOUND);
    EXPECT_NE(std::string(pkin_last_error()).find("ingest"), std::string::npos);
    List none;
    EXPECT_EQ(pkin_threads_list(store, nullptr, &none), PKIN_ERROR_NOT_FOUND);
    bool has = true;
    ASSERT_EQ(pkin_i_store_has_threads(store, &has), PKIN_OK);
    EXPECT_FALSE(has);
    o.date = "2026-1-5";
    EXPECT_EQ(pkin_threads_update(store, &o, &report), PKIN_ERROR_INVALID_ARGUMENT);
    o.date = "2026-01-05";
    ASSERT_EQ(pkin_threads_update(store, &o, &report), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(report.n_papers, 0u);
    EXPECT_EQ(report.n_events, 0u);
}

TEST_F(Threads, AreTheTopics) {
    fill();
    Report report;
    update(store, report, options());
    EXPECT_STREQ(report.date, "2026-01-06");
    EXPECT_EQ(report.n_papers, 24u);
    EXPECT_EQ(report.n_outliers, 0u);
    ASSERT_EQ(report.n_threads, 3u);
    EXPECT_EQ(report.largest_thread, 8u);
    EXPECT_EQ(report.count(PKIN_THREAD_BORN), 3u);
    EXPECT_EQ(report.count(PKIN_THREAD_BORN, 1), report.n_fields);
    std::map<int, std::set<std::string>> by_topic;
    std::string rows = threads_of_papers(path);
    for (int n = 1; n <= 24; n++) {
        char key[32];
        snprintf(key, sizeof key, "arxiv:2601.%05d|", n);
        size_t at = rows.find(key);
        ASSERT_NE(at, std::string::npos) << rows;
        by_topic[n % 3].insert(rows.substr(at + strlen(key), 8));
    }
    for (auto &[topic, ids] : by_topic) EXPECT_EQ(ids.size(), 1u) << topic;
}

TEST_F(Threads, ASecondUpdateChangesNothing) {
    fill();
    Report first, second, dry;
    update(store, first, options());
    std::string before = dump(path);
    update(store, second, options());
    EXPECT_EQ(second.told(), "");
    EXPECT_EQ(dump(path), before);
    ingest(store, folder.write("2026-01-07.jsonl", topic_lines(25, 40, {0, 1, 2, 3})));
    before = dump(path);
    pkin_threads_options o = options();
    o.dry_run = 1;
    update(store, dry, o);
    EXPECT_GT(dry.n_events, 0u);
    EXPECT_EQ(dump(path), before) << "a dry run";
    Store reader(path, PKIN_STORE_READ_ONLY);
    Report read, refused;
    update(reader, read, o);
    EXPECT_EQ(read.told(), dry.told());
    o.dry_run = 0;
    EXPECT_EQ(pkin_threads_update(reader, &o, &refused), PKIN_ERROR_STORE);
}

TEST_F(Threads, GrowDayByDayAndKeepTheirIds) {
    /* A resolution at which no topic falls apart, however many papers it has. */
    pkin_topics_options topics = pkin_topics_options_default();
    topics.resolution = 0.02;
    pkin_threads_options o = options();
    o.topics = &topics;
    Store at_once(folder / "once.db");
    std::map<std::string, std::string> known; /* paper: thread */
    size_t n_grew = 0, n_born = 0;
    for (int day = 1; day <= 9; day++) {
        char name[32];
        snprintf(name, sizeof name, "2026-01-%02d.jsonl", day);
        std::vector<int> day_topics = {0, 1, 2, 3};
        if (day >= 7) day_topics.push_back(4);
        if (day == 7) day_topics.insert(day_topics.end(), 5, 4); /* many at once: a thread from the first day on */
        std::string file = folder.write(name, topic_lines(day * 100, day * 100 + (day == 1 ? 59 : 19), day_topics));
        ingest(store, file);
        ingest(at_once, file);
        Report report;
        update(store, report, o);
        ASSERT_EQ(report.count(PKIN_THREAD_ENDED), 0u) << report.told();
        ASSERT_EQ(report.count(PKIN_THREAD_SPLIT), 0u) << report.told();
        n_grew += report.count(PKIN_THREAD_GREW);
        n_born += report.count(PKIN_THREAD_BORN);
        for (auto &[paper, thread] : known) {
            ASSERT_NE(threads_of_papers(path).find(paper + "|" + thread), std::string::npos) << paper << " day " << day;
        }
        std::string rows = threads_of_papers(path);
        for (size_t at = 0; at < rows.size(); at = rows.find('\n', at) + 1) {
            known[rows.substr(at, rows.find('|', at) - at)] = rows.substr(rows.find('|', at) + 1, 8);
        }
    }
    EXPECT_EQ(n_born, 5u);
    EXPECT_EQ(n_grew, 4u * 8 + 2);
    Report once;
    update(at_once, once, o);
    EXPECT_EQ(threads_of_papers(folder / "once.db"), threads_of_papers(path)) << "the same ids in one step";
}

TEST_F(Threads, PapersBeforeTheWindowStayWhereTheyWere) {
    fill();
    Report first, second, third;
    pkin_threads_options o = options();
    o.window_days = 10;
    update(store, first, o);
    std::string before = threads_of_papers(path);
    ingest(store, folder.write("2026-01-16.jsonl", topic_lines(31, 50, {0, 1}))); /* the papers of 01-05 are outside */
    update(store, second, options());
    EXPECT_EQ(second.n_papers, 9u + 20) << "the window is remembered";
    std::string after = threads_of_papers(path);
    for (size_t at = 0; at < before.size(); at = before.find('\n', at) + 1) {
        std::string line = before.substr(at, before.find('\n', at) - at);
        bool is_inside = line.substr(0, 16) >= "arxiv:2601.00016" && line.substr(0, 16) <= "arxiv:2601.00024";
        EXPECT_TRUE(is_inside || after.find(line) != std::string::npos) << line;
    }
    ingest(store, folder.write("2026-03-01.jsonl", topic_lines(51, 60, {0}, "2603")));
    update(store, third, options());
    EXPECT_EQ(third.n_papers, 10u);
    EXPECT_GE(third.count(PKIN_THREAD_ENDED), 2u) << third.told();
    List all, one;
    pkin_threads_query query = pkin_threads_query_default();
    query.with_ended = 1;
    query.since = "2026-01-01";
    list(store, all, query);
    uint64_t n_papers = 0;
    for (size_t k = 0; k < all.n_items; k++) n_papers += all.items[k].is_field ? 0 : all.items[k].n_papers;
    EXPECT_EQ(n_papers + all.n_outliers, 24u + 20 + 10);
}

TEST_F(Threads, OutliersAreInNoThread) {
    fill();
    Report first, second;
    update(store, first, options());
    ASSERT_EQ(first.n_outliers, 0u);
    pkin_topics_options topics = pkin_topics_options_default();
    topics.min_size = 100;
    pkin_threads_options o = options();
    o.topics = &topics;
    update(store, second, o);
    EXPECT_EQ(second.n_outliers, 24u);
    EXPECT_EQ(second.count(PKIN_THREAD_ENDED), 3u) << second.told();
    EXPECT_EQ(threads_of_papers(path), "");
    List all;
    list(store, all, pkin_threads_query_default());
    EXPECT_EQ(all.n_items, 0u);
    EXPECT_EQ(all.n_outliers, 24u);
}

TEST_F(Threads, WithoutNewPapersTimeAloneChangesNothing) {
    fill();
    Report first, later;
    update(store, first, options());
    std::string before = run_sql(path, "SELECT * FROM threads; SELECT * FROM thread_members");
    pkin_threads_options o = options();
    o.date = "2026-01-20";
    update(store, later, o);
    EXPECT_STREQ(later.date, "2026-01-20");
    EXPECT_EQ(later.told(), "");
    EXPECT_EQ(later.n_threads, 3u);
    EXPECT_EQ(run_sql(path, "SELECT * FROM threads; SELECT * FROM thread_members"), before);
}

/* Topic 0 gets papers, so that its thread is renewed; meanwhile no cluster can be as small as the others' threads. */
TEST_F(Threads, LiveOnWithoutACluster) {
    pkin_topics_options topics = pkin_topics_options_default();
    topics.resolution = 0.02; /* at which no topic falls apart */
    topics.min_size = 6;
    pkin_threads_options o = options();
    o.topics = &topics;
    Report first, second, third;
    fill();
    update(store, first, o);
    ASSERT_EQ(first.n_threads, 3u);
    std::string before = threads_of_papers(path);
    run_sql(path, "UPDATE meta SET value = replace(value, 'min_size=6', 'min_size=9') WHERE name = 'threads_settings'");
    ingest(store, folder.write("2026-01-07.jsonl", topic_lines(25, 34, {0})));
    update(store, second, options());
    EXPECT_EQ(second.count(PKIN_THREAD_GREW), 1u) << second.told();
    EXPECT_EQ(second.n_events, 1u) << second.told();
    EXPECT_EQ(second.n_threads, 3u);
    EXPECT_EQ(second.n_outliers, 0u);
    EXPECT_EQ(second.largest_thread, 18u);
    std::string after = threads_of_papers(path);
    EXPECT_EQ(after.substr(0, before.size()), before);
    List all;
    list(store, all, pkin_threads_query_default());
    for (size_t k = 0; k < all.n_items; k++) {
        if (all.items[k].is_field) continue;
        EXPECT_EQ(all.items[k].n_representatives, 3u);
        EXPECT_STRNE(all.items[k].label, "");
        EXPECT_STRNE(all.items[k].field, "") << "fields are kept too";
    }
    /* A digest months later: those that live on leave the window and end. */
    ingest(store, folder.write("2026-07-20.jsonl", topic_lines(1, 12, {0}, "2607")));
    update(store, third, options());
    EXPECT_EQ(third.count(PKIN_THREAD_ENDED), 3u) << third.told();
}

TEST_F(Threads, SettingsAreRemembered) {
    fill();
    Report first, second, third, fourth;
    pkin_topics_options topics = pkin_topics_options_default();
    topics.method = PKIN_CLUSTER_COMPONENTS;
    topics.graph.floor = 0.25;
    topics.min_size = 3;
    pkin_threads_options o = options(), plain = options();
    o.topics = &topics;
    o.window_days = 0;
    update(store, first, o);
    std::string settings = run_sql(path, "SELECT value FROM meta WHERE name = 'threads_settings'");
    EXPECT_NE(settings.find("method=components "), std::string::npos) << settings;
    EXPECT_NE(settings.find(" floor=0.25 "), std::string::npos) << settings;
    EXPECT_NE(settings.find(" window=0\n"), std::string::npos) << settings;
    update(store, second, plain);
    EXPECT_EQ(second.told(), "");
    EXPECT_EQ(run_sql(path, "SELECT value FROM meta WHERE name = 'threads_settings'"), settings);
    run_sql(path, "UPDATE meta SET value = 'method=louvain' WHERE name = 'threads_settings'");
    EXPECT_EQ(pkin_threads_update(store, &plain, &third), PKIN_ERROR_CORRUPT);
    EXPECT_NE(std::string(pkin_last_error()).find("give the method and the window anew"), std::string::npos);
    update(store, fourth, o);
    EXPECT_EQ(run_sql(path, "SELECT value FROM meta WHERE name = 'threads_settings'"), settings);
}

TEST_F(Threads, TimeDoesNotGoBack) {
    fill();
    Report first, again, early;
    update(store, first, options());
    std::string before = dump(path);
    pkin_threads_options o = options();
    o.date = "2025-06-01";
    update(store, again, o);
    EXPECT_STREQ(again.date, "2026-01-06");
    EXPECT_EQ(again.told(), "");
    EXPECT_EQ(dump(path), before);
    Store other(folder / "o.db");
    ingest(other, folder / "2026-01-05.jsonl");
    ingest(other, folder / "2026-01-06.jsonl");
    o.date = "2026-01-05";
    update(other, early, o);
    EXPECT_EQ(early.n_papers, 15u) << "papers of later days wait";
    Report next;
    o.date = "2026-01-06";
    update(other, next, o);
    EXPECT_EQ(next.n_papers, 24u);
    EXPECT_EQ(next.count(PKIN_THREAD_GREW), 3u) << next.told();
    EXPECT_EQ(threads_of_papers(folder / "o.db"), threads_of_papers(path));
}

TEST_F(Threads, FollowTheOpenChange) {
    fill();
    std::string before = dump(path);
    Report report, kept;
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    update(store, report, options());
    bool has = false;
    ASSERT_EQ(pkin_i_store_has_threads(store, &has), PKIN_OK);
    EXPECT_TRUE(has);
    List inside;
    list(store, inside, pkin_threads_query_default());
    EXPECT_GE(inside.n_items, 3u);
    ASSERT_EQ(pkin_i_store_end(store, 0), PKIN_OK);
    EXPECT_EQ(dump(path), before);
}

TEST_F(Threads, MayBeCancelledAtAnyMoment) {
    fill();
    std::string before = dump(path);
    struct Cancel {
        int calls = 0, at = 0;
    } cancel;
    pkin_threads_options o = options();
    o.progress_user = &cancel;
    o.on_progress = [](void *user, const char *, uint64_t, uint64_t) -> int {
        Cancel *c = (Cancel *)user;
        return ++c->calls == c->at;
    };
    pkin_status status = PKIN_ERROR_CANCELLED;
    int n = 0;
    for (; n < 1000 && status == PKIN_ERROR_CANCELLED; n++) {
        Report report;
        cancel.calls = 0;
        cancel.at = n + 1;
        status = pkin_threads_update(store, &o, &report);
        ASSERT_TRUE(status == PKIN_OK || dump(path) == before) << n;
    }
    EXPECT_EQ(status, PKIN_OK) << pkin_last_error();
    EXPECT_GT(n, 3);
}

/* ---- The list ---------------------------------------------------------------------------------------------------- */

TEST_F(Threads, AreListedWithTheirDays) {
    ingest(store, folder.write("2026-01-01.jsonl", topic_lines(1, 12, {0, 1})));
    ingest(store, folder.write("2026-01-20.jsonl", topic_lines(13, 27, {0, 1, 1})));
    Report report;
    pkin_topics_options topics = pkin_topics_options_default();
    topics.resolution = 0.02; /* at which no topic falls apart */
    pkin_threads_options o = options();
    o.topics = &topics;
    update(store, report, o);
    ASSERT_EQ(report.n_threads, 2u);
    List all;
    pkin_threads_query query = pkin_threads_query_default();
    query.since_days = 9; /* 2026-01-11 to 20 */
    query.n_bins = 5;
    list(store, all, query);
    EXPECT_STREQ(all.since, "2026-01-11");
    EXPECT_STREQ(all.until, "2026-01-20");
    EXPECT_EQ(all.n_papers, 15u);
    EXPECT_EQ(all.n_outliers, 0u);
    ASSERT_EQ(all.n_items, 2u + report.n_fields);
    const pkin_thread &first = all.items[0], &second = all.items[1];
    EXPECT_EQ(first.is_field + second.is_field, 0);
    EXPECT_EQ(first.n_since, 10u);
    EXPECT_EQ(first.n_papers, 16u);
    EXPECT_EQ(second.n_since, 5u);
    EXPECT_EQ(second.n_papers, 11u);
    for (size_t k = 0; k < all.n_items; k++) {
        const pkin_thread &thread = all.items[k];
        uint64_t n = 0;
        for (uint32_t b = 0; b < all.n_bins; b++) n += thread.counts[b];
        EXPECT_EQ(n, thread.n_since);
        EXPECT_EQ(thread.counts[4], thread.n_since) << "all on the last day";
        EXPECT_STREQ(thread.first_day, "2026-01-01");
        EXPECT_STREQ(thread.last_day, "2026-01-20");
        EXPECT_STREQ(thread.born, "2026-01-20");
        EXPECT_STREQ(thread.ended, "");
        EXPECT_EQ(thread.n_representatives, 3u);
        EXPECT_NE(std::string(thread.representatives[0].link).find("https://arxiv.org/abs/2601."), std::string::npos);
        EXPECT_STRNE(thread.label, "");
        EXPECT_EQ(thread.field[0], thread.is_field ? '\0' : 'f');
    }
    EXPECT_EQ(all.n_events, report.n_events);
    query.n_bins = 100;
    query.since = "2026-01-20";
    List day;
    list(store, day, query);
    EXPECT_EQ(day.n_bins, 1u) << "no more bins than days";
    EXPECT_EQ(day.items[0].counts[0], 10u);
}

TEST_F(Threads, OneThreadWithAllItsPapers) {
    fill();
    Report report;
    update(store, report, options());
    List all, one, field;
    pkin_threads_query query = pkin_threads_query_default();
    list(store, all, query);
    std::string id = all.items[1].id, field_id = all.items[1].field;
    query.thread = id.c_str();
    list(store, one, query);
    ASSERT_EQ(one.n_items, 1u);
    ASSERT_EQ(one.items[0].n_representatives, 8u);
    for (int k = 0; k < 3; k++) {
        EXPECT_STREQ(one.items[0].representatives[k].key, all.items[1].representatives[k].key);
    }
    std::string last = "9999";
    for (int k = 3; k < 8; k++) {
        EXPECT_LE(std::string(one.items[0].representatives[k].day), last) << "latest first";
        last = one.items[0].representatives[k].day;
    }
    EXPECT_EQ(one.n_events, 1u);
    query.thread = field_id.c_str();
    list(store, field, query);
    ASSERT_EQ(field.n_items, 1u);
    EXPECT_EQ(field.items[0].is_field, 1);
    EXPECT_EQ(field.items[0].n_representatives, field.items[0].n_papers);
    query.thread = "taaaaaaa";
    List none;
    EXPECT_EQ(pkin_threads_list(store, &query, &none), PKIN_ERROR_NOT_FOUND);
    EXPECT_NE(std::string(pkin_last_error()).find("taaaaaaa"), std::string::npos);
}

TEST_F(Threads, WrongQuestionsAreRefused) {
    fill();
    Report report;
    update(store, report, options());
    pkin_threads_query query = pkin_threads_query_default();
    List none;
    query.since = "yesterday";
    EXPECT_EQ(pkin_threads_list(store, &query, &none), PKIN_ERROR_INVALID_ARGUMENT);
    query.since = "2026-01-07";
    EXPECT_EQ(pkin_threads_list(store, &query, &none), PKIN_ERROR_INVALID_ARGUMENT);
    query.since = nullptr;
    query.n_bins = 0;
    EXPECT_EQ(pkin_threads_list(store, &query, &none), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_threads_list(store, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_threads_update(store, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    query = pkin_threads_query_default();
    query.since_days = UINT32_MAX;
    List far;
    list(store, far, query);
    EXPECT_STREQ(far.since, "0001-01-01");
}

TEST_F(Threads, DamageIsTold) {
    fill();
    Report report;
    update(store, report, options());
    run_sql(path, "PRAGMA foreign_keys = OFF; UPDATE thread_members SET paper = 900 WHERE paper = 3");
    pkin_threads_options o = options();
    Report other;
    List none;
    EXPECT_EQ(pkin_threads_list(store, nullptr, &none), PKIN_ERROR_CORRUPT) << pkin_last_error();
    EXPECT_NE(pkin_threads_update(store, &o, &other), PKIN_OK);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

TEST_F(Threads, EveryAllocationMayFail) {
    ingest(store, folder.write("2026-01-05.jsonl", topic_lines(1, 12, {0, 1})));
    pkin_threads_options o = options();
    o.n_threads = 1;
    Report report;
    update(store, report, o);
    std::string before = dump(path);
    expect_clean_failures([&] {
        List out;
        return pkin_threads_list(store, nullptr, &out);
    });
    expect_clean_failures([&] {
        Report again;
        return pkin_threads_update(store, &o, &again);
    });
    EXPECT_EQ(dump(path), before);
}

} // namespace
