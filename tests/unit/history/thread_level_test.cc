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

    /* One update; new clusters are numbered in an order that `seed` decides. */
    void update(const std::string &date, unsigned seed = 0) {
        std::vector<std::string> names = cluster_names(seed);
        std::vector<int64_t> ids;
        std::vector<std::array<char, 11>> days(papers.size());
        std::vector<pkin_i_stored_paper> texts(papers.size());
        std::vector<const pkin_i_stored_paper *> pointers;
        uint32_t *now = nullptr;
        ASSERT_EQ(pkin_i_allocate(papers.size(), sizeof *now, &now), PKIN_OK);
        for (size_t k = 0; k < papers.size(); k++) {
            ids.push_back((int64_t)k + 1);
            memcpy(days[k].data(), papers[k].day.c_str(), 11);
            texts[k].paper.key = papers[k].key.c_str();
            pointers.push_back(&texts[k]);
            const std::string &c = papers[k].cluster;
            now[k] = c == ""    ? NONE
                     : c == "-" ? AWAY
                                : (uint32_t)(std::find(names.begin(), names.end(), c) - names.begin());
        }
        pkin_i_history history = {};
        history.n_papers = papers.size();
        history.paper_ids = ids.data();
        history.papers = pointers.data();
        history.days = (const char(*)[11])days.data();
        pkin_i_thread_level level = {};
        ASSERT_EQ(pkin_i_thread_level_match(&level, &history, &stored, false, now, (uint32_t)names.size()), PKIN_OK)
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
    std::map<std::string, std::string> ids_now;
    std::vector<pkin_i_thread_row> rows;

  private:
    std::vector<std::string> cluster_names(unsigned seed) const {
        std::set<std::string> names;
        for (auto &paper : papers) {
            if (paper.cluster != "" && paper.cluster != "-") names.insert(paper.cluster);
        }
        std::vector<std::string> out(names.begin(), names.end());
        std::mt19937 random(seed);
        std::shuffle(out.begin(), out.end(), random);
        return out;
    }
    void finish(pkin_i_thread_level &level, const pkin_i_history &history, const std::vector<std::string> &names,
                const std::string &date) {
        std::vector<pkin_label> labels(names.size());
        for (size_t c = 0; c < names.size(); c++) labels[c] = {names[c].c_str(), "", nullptr};
        pkin_labels made = {(uint32_t)names.size(), labels.data(), nullptr};
        std::vector<pkin_i_thread_row> book_rows(stored.n_rows + names.size());
        std::vector<uint64_t> new_ids(names.size() + 1);
        std::copy(rows.begin(), rows.end(), book_rows.begin());
        pkin_i_thread_book book = {&stored, date.c_str(), book_rows.data(), stored.n_rows, new_ids.data(), 0, &arena};
        pkin_i_thread_events told = {};
        ASSERT_EQ(pkin_i_thread_level_name(&level, &history, &made, &book), PKIN_OK) << pkin_last_error();
        ASSERT_EQ(pkin_i_thread_level_tell(&level, &book, &told), PKIN_OK) << pkin_last_error();
        ids_now.clear();
        for (size_t c = 0; c < names.size(); c++) ids_now[names[c]] = book_rows[level.row_of[c]].id;
        events.clear();
        for (size_t k = 0; k < told.n_items; k++) {
            const pkin_thread_event &e = told.items[k];
            events.push_back(
                {pkin_thread_event_name(e.kind), e.thread, e.other, e.explanation, e.n_before, e.n_shared, e.n_after});
        }
        pkin_i_free(told.items);
        book_rows.resize(book.n_rows);
        keep(book_rows, date);
    }
    void keep(std::vector<pkin_i_thread_row> next, const std::string &date) {
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
            if (c != "" && c != "-") members.push_back({paper_id, place[ids_now[c]], 0, true});
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
    /* a splits, d dissolves. */
    world.move("a", "e", 7);
    world.move("d", "", 4);
    world.move("d", "-");
    world.update("2026-01-07");
    EXPECT_EQ(world.id("a"), a);
    EXPECT_EQ(world.told(), "split " + a + " " + world.id("e") +
                                ": 7 of its 19 papers went to the new thread \"e\", which has 7 papers\nended " + d +
                                " : its 5 papers: 4 are in no thread now, 1 left the window\n");
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
    world.move("a", "");
    world.update("2026-01-06");
    EXPECT_EQ(world.told(), "ended " + a + " : its 4 papers: 4 are in no thread now\n");
    world.move("", "again");
    world.add(2, "again", "2026-01-07");
    world.update("2026-01-07");
    EXPECT_EQ(world.id("again"), a);
    EXPECT_EQ(world.told(), "born " + a +
                                " : came together again after 2026-01-06: 6 papers: 2 new ones, 4 that were "
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
    world.update("2026-01-07");
    EXPECT_EQ(world.id("a"), a);
    EXPECT_EQ(world.id("b"), id_of("arxiv:2601.00001"));
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
                touched.insert(merged);
                if (sizes[merged] == sizes[merged_into]) touched.insert(merged_into);
            }
            if (d % 7 == 3) {
                /* The smaller part leaves. */
                std::string source = alive[1], part = "c" + std::to_string(n_made++);
                world.move(source, part, sizes[source] / 3);
                if (sizes[source] >= 3) alive.push_back(part);
            }
            if (d % 4 == 0) make(4, day);
            for (auto &name : alive) world.add((int)(random() % 3), name, day);
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
            world.update(day, 0);
            renumbered.update(day, seed * 100 + (unsigned)d);
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
