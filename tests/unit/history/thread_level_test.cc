/* SPDX-License-Identifier: Apache-2.0 */
/* Identities over many updates, of clusters that are given rather than found. */
#include "history/thread_level.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "groups/thread_id.h"

namespace {

constexpr uint32_t NONE = PKIN_NO_CLUSTER, AWAY = PKIN_I_NOT_CLUSTERED;

struct Paper {
    std::string key, day;
    std::string cluster; /* planted; "": outlier, "-": outside of the window */
};

struct Event {
    std::string kind, thread, other, explanation;
    uint64_t n_before, n_shared, n_after;
};

/* A store of threads without fields that lives in memory. */
class World {
  public:
    World() {
        stored.settings = "";
    }
    ~World() {
        pkin_i_arena_free(&arena);
    }
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    void add(int n, const std::string &cluster, const std::string &day) {
        for (int k = 0; k < n; k++) {
            char key[32];
            snprintf(key, sizeof key, "arxiv:2601.%05zu", papers.size());
            papers.push_back({key, day, cluster});
        }
    }
    void move(const std::string &from, const std::string &to, int n = 1000000) {
        for (auto &paper : papers) {
            if (paper.cluster == from && n-- > 0) paper.cluster = to;
        }
    }

    /* One update; found clusters are numbered in an order that `seed` decides. Those in `hidden` are not found. */
    void update(const std::string &date, unsigned seed = 0, const std::set<std::string> &hidden = {},
                bool afresh = false) {
        std::vector<std::string> names = cluster_names(seed, hidden);
        std::vector<int64_t> ids;
        std::vector<std::array<char, 11>> days(papers.size());
        std::vector<pkin_i_stored_paper> texts(papers.size());
        std::vector<const pkin_i_stored_paper *> pointers;
        std::vector<uint32_t> found(papers.size());
        for (size_t k = 0; k < papers.size(); k++) {
            ids.push_back((int64_t)k + 1);
            memcpy(days[k].data(), papers[k].day.c_str(), 11);
            texts[k].paper.key = papers[k].key.c_str();
            pointers.push_back(&texts[k]);
            const std::string &c = papers[k].cluster;
            found[k] = c == "-" ? AWAY
                       : c == "" || hidden.count(c) > 0
                           ? NONE
                           : (uint32_t)(std::find(names.begin(), names.end(), c) - names.begin());
        }
        pkin_i_history history = {};
        history.n_papers = papers.size();
        history.paper_ids = ids.data();
        history.papers = pointers.data();
        history.days = (const char(*)[11])days.data();
        pkin_i_thread_level level = {};
        pkin_i_thread_course course = {afresh, 3};
        ASSERT_EQ(pkin_i_thread_level_follow(&level, &history, &stored, &course, found.data(), (uint32_t)names.size()),
                  PKIN_OK)
            << pkin_last_error();
        finish(level, history, names, date);
        pkin_i_thread_level_free(&level);
    }

    std::string id(const std::string &cluster) const {
        auto found = ids_now.find(cluster);
        return found == ids_now.end() ? "" : found->second;
    }
    const pkin_i_thread_row *row(const std::string &id) const {
        for (auto &r : rows) {
            if (id == r.id) return &r;
        }
        return nullptr;
    }
    std::string told() const {
        std::string out;
        for (auto &e : events) out += e.kind + " " + e.thread + " " + e.other + ": " + e.explanation + "\n";
        return out;
    }

    std::vector<Paper> papers;
    std::vector<Event> events;
    std::map<std::string, std::string> ids_now; /* by label: the cluster that it was last found as */
    std::vector<pkin_i_thread_row> rows;

  private:
    std::vector<std::string> cluster_names(unsigned seed, const std::set<std::string> &hidden) const {
        std::set<std::string> names;
        for (auto &paper : papers) {
            if (paper.cluster != "" && paper.cluster != "-") names.insert(paper.cluster);
        }
        for (auto &name : hidden) names.erase(name);
        std::vector<std::string> out(names.begin(), names.end());
        std::mt19937 random(seed);
        std::shuffle(out.begin(), out.end(), random);
        return out;
    }
    void finish(pkin_i_thread_level &level, const pkin_i_history &history, const std::vector<std::string> &names,
                const std::string &date) {
        std::vector<pkin_label> labels(level.n_now);
        for (uint32_t c = 0; c < level.n_now; c++) {
            uint32_t before = level.match.now[c].before;
            labels[c] = {level.found[c] == NONE ? rows[level.old_rows[before]].label : names[level.found[c]].c_str(),
                         "", nullptr};
        }
        pkin_labels made = {level.n_now, labels.data(), nullptr};
        std::vector<pkin_i_thread_row> book_rows(stored.n_rows + level.n_now);
        std::vector<uint64_t> new_ids(level.n_now + 1);
        std::copy(rows.begin(), rows.end(), book_rows.begin());
        pkin_i_thread_book book = {&stored, date.c_str(), book_rows.data(), stored.n_rows, new_ids.data(), 0, &arena};
        pkin_i_thread_events told = {};
        ASSERT_EQ(pkin_i_thread_level_name(&level, &history, &made, &book), PKIN_OK) << pkin_last_error();
        ASSERT_EQ(pkin_i_thread_level_tell(&level, &book, &told), PKIN_OK) << pkin_last_error();
        ids_now.clear();
        for (uint32_t c = 0; c < level.n_now; c++) ids_now[labels[c].english] = book_rows[level.row_of[c]].id;
        std::map<size_t, std::string> ids_of_papers;
        for (size_t k = 0; k < papers.size(); k++) {
            if (level.now[k] < AWAY) ids_of_papers[k] = book_rows[level.row_of[level.now[k]]].id;
        }
        events.clear();
        for (size_t k = 0; k < told.n_items; k++) {
            const pkin_thread_event &e = told.items[k];
            events.push_back(
                {pkin_thread_event_name(e.kind), e.thread, e.other, e.explanation, e.n_before, e.n_shared, e.n_after});
        }
        pkin_i_free(told.items);
        book_rows.resize(book.n_rows);
        keep(book_rows, date, ids_of_papers);
    }
    void keep(std::vector<pkin_i_thread_row> next, const std::string &date,
              const std::map<size_t, std::string> &ids_of_papers) {
        std::sort(next.begin(), next.end(), [](auto &a, auto &b) { return strcmp(a.id, b.id) < 0; });
        std::map<std::string, uint32_t> place;
        for (size_t k = 0; k < next.size(); k++) place[next[k].id] = (uint32_t)k;
        std::map<int64_t, std::string> before;
        for (auto &m : members) before[m.paper_id] = rows[m.thread].id;
        members.clear();
        for (size_t k = 0; k < papers.size(); k++) {
            const std::string &c = papers[k].cluster;
            int64_t paper_id = (int64_t)k + 1;
            if (c == "-" && before.count(paper_id)) members.push_back({paper_id, place[before[paper_id]], 0, false});
            if (ids_of_papers.count(k)) members.push_back({paper_id, place[ids_of_papers.at(k)], 0, true});
        }
        rows = next;
        memcpy(stored.date, date.c_str(), 11);
        stored.last_paper_id = (int64_t)papers.size();
        stored.rows = rows.data();
        stored.n_rows = rows.size();
        stored.members = members.data();
        stored.n_members = members.size();
    }
    pkin_i_arena arena = {};
    pkin_i_stored_threads stored = {};
    std::vector<pkin_i_thread_member> members;
};

std::string id_of(const std::string &key) {
    char id[PKIN_I_THREAD_ID_LENGTH + 1];
    pkin_i_thread_id_make('t', key.c_str(), 0, id);
    return id;
}

TEST(ThreadLevel, IdsComeFromTheEarliestPaper) {
    World world;
    world.add(1, "a", "2026-01-06");
    world.add(2, "a", "2026-01-05");
    world.add(3, "b", "2026-01-05");
    world.update("2026-01-06");
    EXPECT_EQ(world.id("a"), id_of("arxiv:2601.00001")) << "the first of two on the earliest day";
    EXPECT_EQ(world.id("b"), id_of("arxiv:2601.00003"));
    std::string a = world.id("a"), b = world.id("b"), first = std::min(a, b), second = std::max(a, b);
    EXPECT_EQ(world.told(), "born " + first + " : 3 new papers\nborn " + second + " : 3 new papers\n");
    world.update("2026-01-06", 1);
    EXPECT_EQ(world.told(), "") << "nothing is new";
    EXPECT_EQ(world.id("a"), a);
}

TEST(ThreadLevel, UnknownDaysFoundLast) {
    World world;
    world.add(2, "a", "");
    world.add(2, "a", "2026-01-05");
    world.add(2, "b", "");
    world.update("2026-01-06");
    EXPECT_EQ(world.id("a"), id_of("arxiv:2601.00002"));
    EXPECT_EQ(world.id("b"), id_of("arxiv:2601.00004"));
}

TEST(ThreadLevel, NewIsWhatTheLastUpdateDidNotKnow) {
    World world;
    world.add(3, "a", "2026-01-05");
    world.add(3, "a", "2026-03-01"); /* brought by a corpus that was read in later */
    world.update("2026-01-06");
    world.update("2026-01-06");
    EXPECT_EQ(world.told(), "") << "known, whatever its day";
    world.add(1, "a", "2026-01-01");
    world.update("2026-01-06");
    EXPECT_EQ(world.told(), "grew " + world.id("a") + " : kept 6 of its 6 papers, 1 new one\n")
        << "an old paper, new here";
}

TEST(ThreadLevel, EventsAreToldWithExactCounts) {
    World world;
    world.add(16, "a", "2026-01-05");
    world.add(6, "b", "2026-01-05");
    world.add(3, "", "2026-01-05");
    world.add(9, "c", "2026-01-05");
    world.update("2026-01-05");
    std::string a = world.id("a"), b = world.id("b"), c = world.id("c");
    /* a: one paper leaves the window, one is lost, five come; b: goes to c; c: two outliers join. */
    world.papers[0].cluster = "-";
    world.papers[1].cluster = "";
    world.add(5, "a", "2026-01-06");
    world.move("b", "c");
    world.papers[22].cluster = world.papers[23].cluster = "c";
    world.add(1, "c", "2026-01-06");
    world.add(4, "d", "2026-01-06");
    world.papers[24].cluster = "d";
    world.update("2026-01-06");
    EXPECT_EQ(world.told(),
              "born " + world.id("d") + " : 5 papers: 4 new ones, 1 that was in no thread\n" + "grew " + a +
                  " : kept 14 of its 16 papers (1 left the window), 5 new ones\n" + "grew " + c +
                  " : kept 9 of its 9 papers, 1 new one, 6 from other threads, 2 that were in no thread\n" + "merged " +
                  c + " " + b + ": took over all 6 papers of \"b\"\n");
    EXPECT_EQ(world.id("a"), a);
    EXPECT_EQ(world.id("c"), c);
    std::string d = world.id("d");
    EXPECT_EQ(d, id_of("arxiv:2601.00024")) << "the earliest of its papers had been in no thread";
    EXPECT_STREQ(world.row(b)->ended, "2026-01-06");
    EXPECT_EQ(world.row(b)->merged_into, c);
    EXPECT_EQ(world.events[1].n_before, 16u);
    EXPECT_EQ(world.events[1].n_shared, 14u);
    EXPECT_EQ(world.events[1].n_after, 19u);
    /* a splits; of d too little is left. */
    world.move("a", "e", 7);
    world.add(1, "e", "2026-01-07");
    world.move("d", "", 2);
    world.move("d", "-");
    world.update("2026-01-07");
    EXPECT_EQ(world.id("a"), a);
    EXPECT_EQ(world.told(), "split " + a + " " + world.id("e") +
                                ": 7 of its 19 papers went to the new thread \"e\", which has 8 papers\nended " + d +
                                " : its 5 papers: 2 are in no thread now, 3 left the window\n");
    /* The founder of a is outside of the window by now; that of e is not free to be a's. */
    EXPECT_NE(world.id("e"), a);
}

TEST(ThreadLevel, WhatLeavesTheWindowEnds) {
    World world;
    world.add(4, "a", "2026-01-05");
    world.update("2026-01-05");
    std::string a = world.id("a");
    world.move("a", "-");
    world.update("2026-07-05");
    EXPECT_EQ(world.told(), "ended " + a + " : its 4 papers: 4 left the window\n");
    EXPECT_STREQ(world.row(a)->ended, "2026-07-05");
    EXPECT_STREQ(world.row(a)->merged_into, "");
    world.update("2026-07-06");
    EXPECT_EQ(world.told(), "");
}

TEST(ThreadLevel, WhatComesTogetherAgainGetsItsIdBack) {
    World world;
    world.add(4, "a", "2026-01-05");
    world.update("2026-01-05");
    std::string a = world.id("a");
    world.move("a", "", 2);
    world.move("a", "-");
    world.update("2026-01-06");
    EXPECT_EQ(world.told(), "ended " + a + " : its 4 papers: 2 are in no thread now, 2 left the window\n");
    world.move("", "again");
    world.add(3, "again", "2026-01-07");
    world.update("2026-01-07");
    EXPECT_EQ(world.id("again"), a);
    EXPECT_EQ(world.told(), "born " + a +
                                " : came together again after 2026-01-06: 5 papers: 3 new ones, 2 that were "
                                "in no thread\n");
    EXPECT_STREQ(world.row(a)->ended, "");
    EXPECT_STREQ(world.row(a)->born, "2026-01-05") << "when it was found first";
}

TEST(ThreadLevel, AFoundersIdIsNotGivenTwice) {
    World world;
    world.add(3, "a", "2026-01-05");
    world.add(5, "a", "2026-01-06");
    world.update("2026-01-06");
    std::string a = world.id("a");
    EXPECT_EQ(a, id_of("arxiv:2601.00000"));
    world.move("a", "b", 3); /* its founders, and fewer */
    world.add(1, "b", "2026-01-07");
    world.update("2026-01-07");
    EXPECT_EQ(world.id("a"), a);
    EXPECT_EQ(world.id("b"), id_of("arxiv:2601.00001"));
}

TEST(ThreadLevel, LivesOnWhereItIsNotFound) {
    World world;
    world.add(6, "a", "2026-01-05");
    world.add(9, "b", "2026-01-05");
    world.update("2026-01-05");
    std::string a = world.id("a");
    world.add(1, "b", "2026-01-06");
    world.update("2026-01-06", 0, {"a"});
    EXPECT_EQ(world.told(), "grew " + world.id("b") + " : kept 9 of its 9 papers, 1 new one\n");
    EXPECT_EQ(world.id("a"), a);
    /* One of its papers goes to b; the rest is as it was. */
    world.papers[0].cluster = "b";
    world.add(1, "b", "2026-01-07");
    world.update("2026-01-07", 0, {"a"});
    EXPECT_EQ(world.told(), "grew " + world.id("b") + " : kept 10 of its 10 papers, 1 new one, 1 from other threads\n");
    world.add(1, "a", "2026-01-08");
    world.update("2026-01-08");
    EXPECT_EQ(world.told(), "grew " + a + " : kept 5 of its 5 papers, 1 new one\n");
    world.move("a", "-", 4);
    world.update("2026-03-08");
    EXPECT_EQ(world.told(), "ended " + a + " : its 6 papers: 2 are in no thread now, 4 left the window\n");
}

TEST(ThreadLevel, NothingHappensWithoutNewPapers) {
    World world;
    world.add(10, "a", "2026-01-05");
    world.add(6, "b", "2026-01-05");
    world.add(6, "", "2026-01-05");
    world.update("2026-01-05");
    auto ids = world.ids_now;
    world.move("a", "c", 3);
    world.move("b", "a");
    world.move("", "d");
    world.update("2026-01-06");
    EXPECT_EQ(world.told(), "");
    EXPECT_EQ(world.ids_now, ids);
    world.update("2026-01-06", 0, {}, true);
    EXPECT_EQ(world.told(), "born " + world.id("d") + " : 6 papers: 6 that were in no thread\nmerged " + ids["a"] +
                                " " + ids["b"] + ": took over all 6 papers of \"b\"\nsplit " + ids["a"] + " " +
                                world.id("c") +
                                ": 3 of its 10 papers went to the new thread \"c\", which has 3 papers\n")
        << "taken afresh";
    EXPECT_EQ(world.ids_now.size(), 3u);
}

/* Threads a to d of four papers each, found as they are; a gets a new paper where asked. a and b are in field 0, c and
   d in field 1. */
class Fields {
  public:
    Fields() {
        const char *ids[] = {"faaaaaaa", "fbbbbbbb", "taaaaaaa", "tbbbbbbb", "tccccccc", "tddddddd"};
        for (int r = 0; r < 6; r++) {
            pkin_i_thread_row row = {};
            memcpy(row.id, ids[r], sizeof row.id);
            row.is_field = r < 2;
            if (r >= 2) memcpy(row.field, ids[r < 4 ? 0 : 1], sizeof row.field);
            row.label = row.label_chinese = "";
            rows.push_back(row);
        }
        for (int k = 0; k < 17; k++) {
            keys.push_back("arxiv:2601." + std::to_string(10000 + k));
            if (k < 16) members.push_back({k + 1, (uint32_t)(2 + k / 4), 0, true});
        }
    }
    /* Old fields by thread, -1: a new one, -2: none; by the found fields of the threads' papers. */
    std::vector<int> follow(bool with_new, const std::vector<uint32_t> &field_of,
                            const std::set<uint32_t> &unfound = {}) {
        size_t n = with_new ? 17 : 16;
        std::vector<int64_t> ids;
        std::vector<std::array<char, 11>> days(n);
        std::vector<pkin_i_stored_paper> texts(n);
        std::vector<const pkin_i_stored_paper *> pointers;
        std::vector<uint32_t> threads_found, fields_found, numbers(4, NONE), field_of_found;
        uint32_t n_fields = 0;
        for (uint32_t t = 0; t < 4; t++) {
            if (unfound.count(t)) continue;
            numbers[t] = (uint32_t)field_of_found.size();
            field_of_found.push_back(field_of[t]);
            n_fields = std::max(n_fields, field_of[t] + 1);
        }
        for (size_t k = 0; k < n; k++) {
            uint32_t t = k < 16 ? (uint32_t)k / 4 : 0;
            ids.push_back((int64_t)k + 1);
            memcpy(days[k].data(), "2026-01-05", 11);
            texts[k].paper.key = keys[k].c_str();
            pointers.push_back(&texts[k]);
            threads_found.push_back(numbers[t]);
            fields_found.push_back(numbers[t] == NONE ? NONE : field_of[t]);
        }
        pkin_i_stored_threads stored = {};
        memcpy(stored.date, "2026-01-05", 11);
        stored.settings = "";
        stored.last_paper_id = 16;
        stored.rows = rows.data();
        stored.n_rows = rows.size();
        stored.members = members.data();
        stored.n_members = members.size();
        pkin_i_history history = {};
        history.n_papers = n;
        history.paper_ids = ids.data();
        history.papers = pointers.data();
        history.days = (const char(*)[11])days.data();
        pkin_i_thread_level threads = {}, fields = {};
        pkin_i_thread_course course = {false, 3};
        std::vector<int> out;
        EXPECT_EQ(pkin_i_thread_level_follow(&threads, &history, &stored, &course, threads_found.data(),
                                             (uint32_t)field_of_found.size()),
                  PKIN_OK);
        EXPECT_EQ(pkin_i_field_level_follow(&fields, &history, &stored, fields_found.data(), n_fields, &threads,
                                            field_of_found.data()),
                  PKIN_OK)
            << pkin_last_error();
        EXPECT_EQ(threads.n_now, 4u);
        for (uint32_t t = 0; t < threads.n_now; t++) {
            uint32_t f = fields.of_thread[t];
            for (size_t k = 0; k < n; k++) {
                if (threads.now[k] == t) {
                    EXPECT_EQ(fields.now[k], f);
                }
            }
            out.push_back(f == NONE ? -2 : fields.match.now[f].before == NONE ? -1 : (int)fields.match.now[f].before);
        }
        n_now = fields.n_now;
        has_merged = pkin_i_match_is_merged(&fields.match, 1);
        pkin_i_thread_level_free(&threads);
        pkin_i_thread_level_free(&fields);
        return out;
    }
    uint32_t n_now = 0;
    bool has_merged = false;

  private:
    std::vector<pkin_i_thread_row> rows;
    std::vector<pkin_i_thread_member> members;
    std::vector<std::string> keys;
};

TEST(ThreadLevel, FieldsAreThoseOfTheirThreads) {
    using Of = std::vector<int>;
    Fields fields;
    EXPECT_EQ(fields.follow(true, {0, 0, 1, 1}), (Of{0, 0, 1, 1}));
    EXPECT_EQ(fields.n_now, 2u) << "renewed threads and others share theirs";
    EXPECT_EQ(fields.follow(true, {1, 1, 0, 0}), (Of{0, 0, 1, 1})) << "numbers decide nothing";
    EXPECT_EQ(fields.follow(true, {0, 0, 0, 0}, {2, 3}), (Of{0, 0, 1, 1})) << "those that live on keep theirs";
    EXPECT_EQ(fields.follow(true, {1, 0, 2, 2}), (Of{0, 0, 1, 1})) << "the larger part is the field";
    EXPECT_EQ(fields.follow(true, {0, 0, 0, 1}), (Of{0, 0, 1, 1}));
    EXPECT_EQ(fields.follow(true, {1, 0, 1, 1}), (Of{1, 0, 1, 1})) << "a renewed thread goes where it was found";
    EXPECT_EQ(fields.follow(true, {0, 0, 0, 0}), (Of{0, 0, 0, 0})) << "they merged";
    EXPECT_TRUE(fields.has_merged);
    EXPECT_EQ(fields.n_now, 1u);
    EXPECT_EQ(fields.follow(false, {0, 0, 0, 0}), (Of{0, 0, 1, 1})) << "not without new papers";
    EXPECT_EQ(fields.follow(false, {3, 2, 1, 0}), (Of{0, 0, 1, 1}));
}

/* Months of days: clusters grow, merge and split. Those that nothing but growth happens to keep their ids. */
TEST(ThreadLevelProperty, UnchangedClustersKeepTheirIds) {
    for (unsigned seed = 1; seed <= 6; seed++) {
        std::mt19937 random(seed);
        World world, renumbered;
        std::vector<std::string> alive;
        int n_made = 0;
        auto make = [&](int n, const std::string &day) {
            alive.push_back("c" + std::to_string(n_made++));
            world.add(n, alive.back(), day);
        };
        char day[11] = "2026-01-01";
        for (int k = 0; k < 12; k++) make(5 + (int)(random() % 20), day);
        for (int d = 0; d < 60; d++) {
            snprintf(day, sizeof day, "2026-%02d-%02d", 1 + d / 28, 1 + d % 28);
            auto before = world.ids_now;
            std::set<std::string> touched;
            std::map<std::string, int> sizes;
            for (auto &paper : world.papers) sizes[paper.cluster]++;
            std::shuffle(alive.begin(), alive.end(), random);
            std::string merged_into, merged;
            if (d % 5 == 2 && alive.size() > 4) {
                merged = alive.back();
                alive.pop_back();
                merged_into = alive[0];
                if (sizes[merged_into] < sizes[merged]) std::swap(alive[0], merged);
                merged_into = alive[0];
                world.move(merged, merged_into);
                world.add(1, merged_into, day);
                touched.insert(merged);
                if (sizes[merged] == sizes[merged_into]) touched.insert(merged_into);
            }
            if (d % 7 == 3) {
                /* The smaller part leaves. */
                std::string source = alive[1], part = "c" + std::to_string(n_made++);
                world.move(source, part, sizes[source] / 3);
                if (sizes[source] >= 3) {
                    alive.push_back(part);
                    world.add(1, part, day);
                    world.add(1, source, day);
                }
            }
            if (d % 4 == 0) make(4, day);
            /* Some are not found today. They get nothing new, nor does anything else happen to them. */
            std::set<std::string> hidden, busy;
            for (auto &paper : world.papers) {
                if (paper.day == day) busy.insert(paper.cluster);
            }
            for (auto &name : alive) {
                if (busy.count(name) == 0 && random() % 4 == 0) hidden.insert(name);
            }
            for (auto &name : alive) {
                if (hidden.count(name) == 0) world.add((int)(random() % 3), name, day);
            }
            world.add(2, "", day);
            if (d % 11 == 10) { /* the oldest papers leave the window, but none of the small clusters' last ones */
                int n = 30;
                for (auto &paper : world.papers) {
                    if (n == 0) break;
                    if (paper.cluster != "-" && paper.cluster != "" && sizes[paper.cluster] > 6) {
                        sizes[paper.cluster]--;
                        paper.cluster = "-";
                        n--;
                    }
                }
            }
            renumbered.papers = world.papers;
            world.update(day, 0, hidden);
            renumbered.update(day, seed * 100 + (unsigned)d, hidden);
            ASSERT_EQ(world.ids_now, renumbered.ids_now) << "seed " << seed << " day " << day;
            ASSERT_EQ(world.told(), renumbered.told());
            for (auto &[name, id] : before) {
                if (touched.count(name)) continue;
                ASSERT_EQ(world.id(name), id) << name << ", seed " << seed << ", " << day << "\n" << world.told();
            }
            std::set<std::string> distinct;
            for (auto &[name, id] : world.ids_now) distinct.insert(id);
            ASSERT_EQ(distinct.size(), world.ids_now.size());
            if (!merged.empty() && !touched.count(merged_into)) {
                ASSERT_STREQ(world.row(before[merged])->merged_into, world.id(merged_into).c_str());
            }
            world.update(day, 7);
            ASSERT_EQ(world.told(), "") << "a second update says nothing";
            renumbered.update(day, 8);
        }
        EXPECT_GT(world.rows.size(), 25u);
    }
}

} // namespace
