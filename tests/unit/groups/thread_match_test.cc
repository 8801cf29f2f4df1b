/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "groups/thread_id.h"
#include "groups/thread_match.h"
#include "support/allocation_failures.h"

namespace {

constexpr uint32_t NONE = PKIN_NO_CLUSTER, AWAY = PKIN_I_NOT_CLUSTERED;
using Clusters = std::vector<uint32_t>;

/* `n` items that go from one cluster to another. */
void put(Clusters &before, Clusters &now, int n, uint32_t from, uint32_t to) {
    before.insert(before.end(), (size_t)n, from);
    now.insert(now.end(), (size_t)n, to);
}

uint32_t count_of(const Clusters &clusters) {
    uint32_t n = 0;
    for (uint32_t c : clusters) {
        if (c < AWAY) n = std::max(n, c + 1);
    }
    return n;
}

class Match {
  public:
    Match(Clusters b, Clusters n, std::vector<uint8_t> fresh = {}, Clusters by_rank = {})
        : before(std::move(b)), now(std::move(n)), is_new(std::move(fresh)), ranks(std::move(by_rank)) {
        pkin_i_match_input input = {};
        input.n_items = before.size();
        input.before = before.data();
        input.now = now.data();
        input.is_new = is_new.empty() ? nullptr : is_new.data();
        input.n_before = count_of(before);
        input.n_now = count_of(now);
        input.ranks = ranks.empty() ? nullptr : ranks.data();
        n_before = input.n_before;
        n_now = input.n_now;
        status = pkin_i_match_find(&input, &match);
        EXPECT_EQ(status, PKIN_OK) << pkin_last_error();
    }
    ~Match() {
        pkin_i_match_free(&match);
    }
    Match(const Match &) = delete;
    Match &operator=(const Match &) = delete;
    uint32_t identity(uint32_t cluster) const {
        return match.now[cluster].before;
    }
    Clusters before, now;
    std::vector<uint8_t> is_new;
    Clusters ranks;
    uint32_t n_before = 0, n_now = 0;
    pkin_i_match match = {};
    pkin_status status;
};

struct Flow {
    Clusters before, now;
    Flow &add(int n, uint32_t from, uint32_t to) {
        put(before, now, n, from, to);
        return *this;
    }
};

TEST(ThreadMatch, AnUnchangedClusterKeepsItsIdentityWhateverJoinsIt) {
    Flow flow;
    flow.add(4, 0, 1).add(100, NONE, 1).add(5, 1, 0);
    Match m(flow.before, flow.now);
    EXPECT_EQ(m.identity(1), 0u);
    EXPECT_EQ(m.identity(0), 1u);
    EXPECT_EQ(m.match.now[1].n_kept, 4u);
    EXPECT_EQ(m.match.now[1].n_items, 104u);
    EXPECT_EQ(m.match.now[1].n_old, 4u);
    EXPECT_EQ(m.match.before[0].now, 1u);
}

TEST(ThreadMatch, WhatLeftTheWindowDoesNotCount) {
    Flow flow;
    flow.add(50, 0, AWAY).add(3, 0, 0);
    Match m(flow.before, flow.now);
    EXPECT_EQ(m.identity(0), 0u);
    EXPECT_EQ(m.match.before[0].n_left, 50u);
    EXPECT_EQ(m.match.before[0].n_items, 53u);
}

TEST(ThreadMatch, WhatBecameAnOutlierCounts) {
    Flow few, enough;
    few.add(71, 0, NONE).add(29, 0, 0);
    enough.add(70, 0, NONE).add(30, 0, 0);
    EXPECT_EQ(Match(few.before, few.now).identity(0), NONE);
    EXPECT_EQ(Match(enough.before, enough.now).identity(0), 0u);
    EXPECT_EQ(Match(few.before, few.now).match.before[0].n_outliers, 71u);
}

TEST(ThreadMatch, HalfOfTheSmallerIsNeeded) {
    /* Clusters of 10 and 10: 5 in common are enough, 4 are not. The rest of both came from or went to outliers. */
    Flow four, five;
    four.add(4, 0, 0).add(6, 0, 1).add(6, 1, 0).add(20, 1, 2);
    five.add(5, 0, 0).add(5, 0, 1).add(5, 1, 0).add(20, 1, 2);
    EXPECT_NE(Match(four.before, four.now).identity(0), 0u);
    EXPECT_EQ(Match(five.before, five.now).identity(0), 0u);
}

TEST(ThreadMatch, ASplitLeavesTheIdentityWithTheLargestPart) {
    Flow flow;
    flow.add(10, 0, 0).add(20, 0, 1).add(5, 0, 2);
    Match m(flow.before, flow.now);
    EXPECT_EQ(m.identity(1), 0u);
    EXPECT_EQ(m.identity(0), NONE);
    EXPECT_TRUE(pkin_i_match_is_split(&m.match, 0));
    EXPECT_TRUE(pkin_i_match_is_split(&m.match, 2));
    EXPECT_FALSE(pkin_i_match_is_split(&m.match, 1)) << "it has an identity";
    EXPECT_EQ(m.match.now[0].largest, 0u);
    EXPECT_EQ(m.match.now[0].n_largest, 10u);
    EXPECT_EQ(m.match.before[0].n_targets, 3u);
}

TEST(ThreadMatch, AFewPapersOfAThreadAreNoSplit) {
    Flow flow;
    flow.add(30, 0, 0).add(2, 0, 1).add(5, NONE, 1);
    Match m(flow.before, flow.now);
    EXPECT_FALSE(pkin_i_match_is_split(&m.match, 1)) << "2 of 7";
    Flow more;
    more.add(30, 0, 0).add(3, 0, 1).add(4, NONE, 1);
    Match enough(more.before, more.now);
    EXPECT_TRUE(pkin_i_match_is_split(&enough.match, 1)) << "3 of 7";
}

TEST(ThreadMatch, NoSplitOffFromWhatEnded) {
    Flow flow;
    flow.add(25, 0, 0).add(25, 0, 1).add(50, 0, NONE).add(10, 0, 2);
    Match m(flow.before, flow.now);
    EXPECT_EQ(m.match.before[0].now, NONE);
    for (uint32_t c = 0; c < 3; c++) EXPECT_FALSE(pkin_i_match_is_split(&m.match, c));
    EXPECT_FALSE(pkin_i_match_is_merged(&m.match, 0));
}

TEST(ThreadMatch, AMergeKeepsTheLargerIdentity) {
    Flow flow;
    flow.add(10, 0, 0).add(20, 1, 0).add(3, 0, AWAY);
    Match m(flow.before, flow.now);
    EXPECT_EQ(m.identity(0), 1u);
    EXPECT_TRUE(pkin_i_match_is_merged(&m.match, 0));
    EXPECT_FALSE(pkin_i_match_is_merged(&m.match, 1));
    EXPECT_EQ(m.match.before[0].largest, 0u);
    EXPECT_EQ(m.match.before[0].n_largest, 10u);
}

TEST(ThreadMatch, AMergeIsOfWhatIsStillLookedAt) {
    Flow most, half;
    most.add(10, 0, AWAY).add(3, 0, 0).add(2, 0, NONE).add(30, 1, 0);
    half.add(10, 0, AWAY).add(2, 0, 0).add(2, 0, NONE).add(30, 1, 0);
    Match merged(most.before, most.now), ended(half.before, half.now);
    EXPECT_TRUE(pkin_i_match_is_merged(&merged.match, 0)) << "3 of 5";
    EXPECT_FALSE(pkin_i_match_is_merged(&ended.match, 0)) << "2 of 4";
}

TEST(ThreadMatch, TiesGoToTheLowerIdThenToTheEarlierFounder) {
    Flow merge, split;
    merge.add(10, 0, 0).add(10, 1, 0);
    EXPECT_EQ(Match(merge.before, merge.now).identity(0), 0u);
    split.add(10, 0, 0).add(10, 0, 1);
    EXPECT_EQ(Match(split.before, split.now, {}, {0, 1}).identity(0), 0u);
    EXPECT_EQ(Match(split.before, split.now, {}, {1, 0}).identity(1), 0u);
    EXPECT_EQ(Match(split.before, split.now, {}, {1, 0}).match.before[0].largest, 1u);
}

TEST(ThreadMatch, CountsWhatIsNew) {
    Match m({0, 0, 0, NONE, NONE, NONE}, {0, 0, 0, 0, 0, NONE}, {0, 0, 0, 1, 0, 1});
    EXPECT_EQ(m.match.now[0].n_new, 1u);
    EXPECT_EQ(m.match.now[0].n_items, 5u);
    EXPECT_EQ(m.match.now[0].n_old, 3u);
}

TEST(ThreadMatch, NothingAtAll) {
    Match m({}, {});
    EXPECT_EQ(m.n_before, 0u);
    Match first({NONE, NONE}, {0, 0});
    EXPECT_EQ(first.identity(0), NONE);
    EXPECT_EQ(first.match.now[0].largest, NONE);
    EXPECT_FALSE(pkin_i_match_is_split(&first.match, 0));
    Match last({0, 0}, {AWAY, AWAY});
    EXPECT_EQ(last.match.before[0].now, NONE);
    EXPECT_FALSE(pkin_i_match_is_merged(&last.match, 0));
}

TEST(ThreadMatch, RefusesClustersOutOfRange) {
    uint32_t before[] = {5}, now[] = {0};
    pkin_i_match_input input = {1, before, now, nullptr, 5, 1, nullptr};
    pkin_i_match match = {};
    EXPECT_EQ(pkin_i_match_find(&input, &match), PKIN_ERROR_INVALID_ARGUMENT);
    before[0] = 0;
    now[0] = 1;
    EXPECT_EQ(pkin_i_match_find(&input, &match), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_i_match_free(&match);
}

TEST(ThreadMatch, EveryAllocationMayFail) {
    Flow flow;
    flow.add(10, 0, 0).add(20, 1, 0).add(7, 1, 1);
    expect_clean_failures([&] {
        pkin_i_match_input input = {flow.now.size(), flow.before.data(), flow.now.data(), nullptr, 2, 2, nullptr};
        pkin_i_match match = {};
        pkin_status status = pkin_i_match_find(&input, &match);
        pkin_i_match_free(&match);
        return status;
    });
}

/* ---- Settling ------------------------------------------------------------------------------------------------------
 */

/* Items with what they were, are found in, and whether they are new; settled at once. */
class Settled {
  public:
    Settled(Clusters b, Clusters f, std::vector<uint8_t> fresh, bool all = false, uint64_t n_least = 3,
            Clusters by_rank = {})
        : m(std::move(b), std::move(f), std::move(fresh), std::move(by_rank)) {
        pkin_i_match_input input = {m.now.size(),
                                    m.before.data(),
                                    m.now.data(),
                                    m.is_new.data(),
                                    m.n_before,
                                    m.n_now,
                                    m.ranks.empty() ? nullptr : m.ranks.data()};
        EXPECT_EQ(pkin_i_match_settle(&input, &m.match, n_least, all, &out), PKIN_OK) << pkin_last_error();
        now.assign(out.now, out.now + m.now.size());
    }
    ~Settled() {
        pkin_i_settlement_free(&out);
    }
    Settled(const Settled &) = delete;
    Settled &operator=(const Settled &) = delete;
    /* How many items are in the cluster that goes on as `before`; -1: there is none. */
    int size_of(uint32_t before) const {
        for (uint32_t c = 0; c < out.n_now; c++) {
            if (out.before[c] == before) return (int)std::count(now.begin(), now.end(), c);
        }
        return -1;
    }
    int n_born() const {
        return (int)std::count(out.before, out.before + out.n_now, NONE);
    }
    int n_outliers() const {
        return (int)std::count(now.begin(), now.end(), NONE);
    }
    Match m;
    pkin_i_settlement out = {};
    Clusters now;
};

/* As in Flow, with news: `n_new` of nothing before, found in `to`. */
struct News : Flow {
    std::vector<uint8_t> is_new;
    News &old(int n, uint32_t from, uint32_t to) {
        add(n, from, to);
        is_new.insert(is_new.end(), (size_t)n, 0);
        return *this;
    }
    News &fresh(int n, uint32_t to) {
        add(n, NONE, to);
        is_new.insert(is_new.end(), (size_t)n, 1);
        return *this;
    }
};

TEST(ThreadSettle, ARenewedClusterIsWhatWasFound) {
    News news;
    news.old(8, 0, 0).old(3, NONE, 0).old(2, 1, 0).old(2, 0, NONE).fresh(1, 0).old(6, 1, 1);
    Settled s(news.before, news.now, news.is_new);
    EXPECT_EQ(s.size_of(0), 8 + 3 + 2 + 1) << "with former outliers and another's items, without its new outliers";
    EXPECT_EQ(s.size_of(1), 6);
    EXPECT_EQ(s.n_outliers(), 2);
    EXPECT_EQ(s.n_born(), 0);
}

TEST(ThreadSettle, WithoutNewItemsNothingIsBornOrSplits) {
    News news;
    news.old(10, 0, 0).old(6, 0, 1).old(5, NONE, 2).fresh(1, 0);
    Settled s(news.before, news.now, news.is_new);
    EXPECT_EQ(s.size_of(0), 17) << "what would have split off stays";
    EXPECT_EQ(s.n_outliers(), 5);
    EXPECT_EQ(s.out.n_now, 1u);
    news.fresh(1, 1).fresh(1, 2);
    Settled born(news.before, news.now, news.is_new);
    EXPECT_EQ(born.size_of(0), 11);
    EXPECT_EQ(born.n_born(), 2);
    EXPECT_EQ(born.n_outliers(), 0);
}

TEST(ThreadSettle, WhatIsNotFoundLivesOn) {
    News news;
    news.old(4, 0, NONE).old(1, 0, 1).old(9, 1, 1).fresh(1, 1).old(20, 0, AWAY);
    Settled s(news.before, news.now, news.is_new);
    EXPECT_EQ(s.size_of(0), 4);
    EXPECT_EQ(s.size_of(1), 11);
    EXPECT_EQ(s.n_outliers(), 0);
    uint32_t c = s.now[0];
    EXPECT_EQ(s.out.found[c], NONE);
    EXPECT_EQ(s.now.back(), AWAY);
}

TEST(ThreadSettle, EndsWhereTooLittleOrLessThanHalfStays) {
    News two, three, half, less;
    two.old(2, 0, NONE).old(5, 0, AWAY);
    three.old(3, 0, NONE).old(5, 0, AWAY);
    EXPECT_EQ(Settled(two.before, two.now, two.is_new).size_of(0), -1);
    EXPECT_EQ(Settled(two.before, two.now, two.is_new).n_outliers(), 2);
    EXPECT_EQ(Settled(three.before, three.now, three.is_new).size_of(0), 3);
    half.old(4, 0, NONE).old(4, 0, 0).old(20, 1, 0).fresh(1, 0);
    less.old(4, 0, NONE).old(5, 0, 0).old(20, 1, 0).fresh(1, 0);
    EXPECT_EQ(Settled(half.before, half.now, half.is_new).size_of(0), 4);
    Settled merged(less.before, less.now, less.is_new);
    EXPECT_EQ(merged.size_of(0), -1);
    EXPECT_EQ(merged.n_outliers(), 4);
    EXPECT_EQ(merged.size_of(1), 26);
}

TEST(ThreadSettle, AllAreTakenAsTheyAreFoundWhenAsked) {
    News news;
    news.old(6, 0, 0).old(6, 1, NONE).old(6, NONE, 1).old(5, 2, 0).fresh(1, NONE);
    Settled s(news.before, news.now, news.is_new, true);
    EXPECT_EQ(s.size_of(0), 11);
    EXPECT_EQ(s.size_of(1), -1);
    EXPECT_EQ(s.n_born(), 1);
    EXPECT_EQ(s.n_outliers(), 7);
}

TEST(ThreadSettle, EveryAllocationMayFail) {
    News news;
    news.old(10, 0, 0).old(20, 1, NONE).fresh(1, 0);
    expect_clean_failures([&] {
        pkin_i_match_input input = {news.now.size(), news.before.data(), news.now.data(), news.is_new.data(), 2, 1,
                                    nullptr};
        pkin_i_match match = {}, counted = {};
        pkin_i_settlement settled = {};
        pkin_status status = pkin_i_match_find(&input, &match);
        if (status == PKIN_OK) status = pkin_i_match_settle(&input, &match, 3, false, &settled);
        if (status == PKIN_OK) {
            input.now = settled.now;
            input.n_now = settled.n_now;
            status = pkin_i_match_count(&input, settled.before, &counted);
        }
        pkin_i_match_free(&match);
        pkin_i_match_free(&counted);
        pkin_i_settlement_free(&settled);
        return status;
    });
}

/* Items of many clusters, some of them new. */
News random_news(unsigned seed, uint32_t n_clusters) {
    std::mt19937 random(seed);
    News news;
    for (uint32_t c = 0; c < n_clusters; c++) news.old(4, c, c).old(1, NONE, c);
    for (int k = 0; k < 150; k++) {
        uint32_t from = random() % n_clusters, to = random() % (1 + seed % 4) ? from : random() % n_clusters;
        if (random() % 8 == 0) to = random() % 2 ? NONE : AWAY;
        if (random() % 20 == 0) {
            news.fresh(1, to);
        } else {
            news.old(1, random() % 6 ? from : NONE, to);
        }
    }
    return news;
}

TEST(ThreadSettleProperty, FollowsThePlainRule) {
    size_t n_living = 0, n_ended = 0;
    for (unsigned seed = 0; seed < 200; seed++) {
        News news = random_news(seed, 9);
        Settled s(news.before, news.now, news.is_new);
        std::set<uint32_t> renewed;
        for (size_t k = 0; k < news.now.size(); k++) {
            if (news.is_new[k] && news.now[k] < AWAY) renewed.insert(news.now[k]);
        }
        std::map<uint32_t, int> stay, seen, items;
        auto is_taken = [&](size_t k) { return renewed.count(news.now[k]) > 0; };
        for (size_t k = 0; k < news.now.size(); k++) {
            if (news.before[k] == NONE) continue;
            items[news.before[k]]++;
            seen[news.before[k]] += news.now[k] != AWAY;
            stay[news.before[k]] += news.now[k] != AWAY && !is_taken(k);
        }
        for (size_t k = 0; k < news.now.size(); k++) {
            uint32_t b = news.before[k], c = s.now[k];
            if (news.now[k] == AWAY) {
                ASSERT_EQ(c, AWAY);
            } else if (is_taken(k)) {
                ASSERT_LT(c, s.out.n_now);
                ASSERT_EQ(s.out.found[c], news.now[k]);
                ASSERT_EQ(s.out.before[c], s.m.identity(news.now[k]));
            } else if (b == NONE) {
                ASSERT_EQ(c, NONE);
            } else if (s.m.match.before[b].now != NONE && renewed.count(s.m.match.before[b].now)) {
                if (news.now[k] == NONE) {
                    ASSERT_EQ(c, NONE);
                } else {
                    ASSERT_EQ(s.out.before[c], b);
                    ASSERT_EQ(s.out.found[c], s.m.match.before[b].now);
                }
            } else if (stay[b] == items[b] || (stay[b] >= 3 && stay[b] * 2 >= seen[b])) {
                ASSERT_LT(c, s.out.n_now);
                ASSERT_EQ(s.out.before[c], b);
                ASSERT_EQ(s.out.found[c], NONE);
                n_living++;
            } else {
                ASSERT_EQ(c, NONE);
                n_ended++;
            }
        }
    }
    EXPECT_GT(n_living, 100u);
    EXPECT_GT(n_ended, 100u);
}

TEST(ThreadSettleProperty, SettledIsSettledWhateverIsFoundThen) {
    for (unsigned seed = 0; seed < 100; seed++) {
        News news = random_news(seed, 7);
        Settled s(news.before, news.now, news.is_new);
        std::mt19937 random(seed);
        Clusters found;
        for (uint32_t c : s.now) found.push_back(c == AWAY ? AWAY : random() % 6 ? (uint32_t)(random() % 5) : NONE);
        Clusters before = s.now;
        std::replace(before.begin(), before.end(), AWAY, NONE);
        Settled again(before, found, std::vector<uint8_t>(found.size(), 0));
        for (size_t k = 0; k < found.size(); k++) {
            uint32_t c = again.now[k];
            ASSERT_EQ(c < AWAY ? again.out.before[c] : c, s.now[k]) << seed << " " << k;
        }
    }
}

TEST(ThreadSettleProperty, CountsAgainWhatTheMatchCounted) {
    for (unsigned seed = 0; seed < 50; seed++) {
        News news = random_news(seed, 8);
        Match m(news.before, news.now, news.is_new);
        Clusters identities;
        for (uint32_t c = 0; c < m.n_now; c++) identities.push_back(m.identity(c));
        pkin_i_match_input input = {m.now.size(), m.before.data(), m.now.data(), m.is_new.data(),
                                    m.n_before,   m.n_now,         nullptr};
        pkin_i_match counted = {};
        ASSERT_EQ(pkin_i_match_count(&input, identities.data(), &counted), PKIN_OK);
        for (uint32_t c = 0; c < m.n_now; c++) {
            ASSERT_EQ(counted.now[c].before, m.match.now[c].before);
            ASSERT_EQ(counted.now[c].n_kept, m.match.now[c].n_kept);
            ASSERT_EQ(counted.now[c].n_new, m.match.now[c].n_new);
            ASSERT_EQ(counted.now[c].largest, m.match.now[c].largest);
        }
        for (uint32_t b = 0; b < m.n_before; b++) {
            ASSERT_EQ(counted.before[b].now, m.match.before[b].now);
            ASSERT_EQ(counted.before[b].n_targets, m.match.before[b].n_targets);
        }
        pkin_i_match_free(&counted);
    }
}

/* ---- Properties, against a plain statement of the rule ---------------------------------------------------------- */

/* Identities by the rule as it is written: again and again the best pair that is left. */
std::map<uint32_t, uint32_t> plain_rule(const Clusters &before, const Clusters &now, const Clusters &ranks) {
    std::map<std::pair<uint32_t, uint32_t>, uint64_t> common;
    std::map<uint32_t, uint64_t> a, b;
    for (size_t k = 0; k < before.size(); k++) {
        if (before[k] != NONE && now[k] != AWAY) a[before[k]]++;
        if (before[k] != NONE && now[k] < AWAY) {
            b[now[k]]++;
            common[{before[k], now[k]}]++;
        }
    }
    std::map<uint32_t, uint32_t> out;
    std::set<uint32_t> used;
    for (;;) {
        std::tuple<int64_t, uint32_t, uint32_t> best{1, 0, 0};
        uint32_t chosen = NONE;
        for (auto &[pair, n] : common) {
            auto [from, to] = pair;
            if (used.count(from) || out.count(to)) continue;
            uint64_t low = std::min(a[from], b[to]), high = std::max(a[from], b[to]);
            if (2 * n < low || 10 * n < 3 * high) continue;
            std::tuple<int64_t, uint32_t, uint32_t> place{-(int64_t)n, from, ranks[to]};
            if (place < best) {
                best = place;
                chosen = to;
            }
        }
        if (chosen == NONE) return out;
        out[chosen] = std::get<1>(best);
        used.insert(std::get<1>(best));
    }
}

TEST(ThreadMatchProperty, FollowsThePlainRule) {
    for (unsigned seed = 0; seed < 200; seed++) {
        std::mt19937 random(seed);
        uint32_t n_before = 1 + random() % 8, n_now = 1 + random() % 8;
        Clusters before, now;
        for (int k = 0; k < 60; k++) {
            uint32_t from = random() % (n_before + 1), to = random() % (n_now + 2);
            if (random() % 3) to = from; /* much stays together */
            before.push_back(from == n_before ? NONE : from);
            now.push_back(to < n_now ? to : to == n_now ? NONE : AWAY);
        }
        for (uint32_t c = 0; c < n_before; c++) put(before, now, 1, c, NONE);
        for (uint32_t c = 0; c < n_now; c++) put(before, now, 1, NONE, c);
        Clusters ranks(n_now);
        std::iota(ranks.begin(), ranks.end(), 0u);
        std::shuffle(ranks.begin(), ranks.end(), random);
        Match m(before, now, {}, ranks);
        auto expected = plain_rule(before, now, ranks);
        uint64_t n_kept = 0;
        for (uint32_t c = 0; c < n_now; c++) {
            ASSERT_EQ(m.identity(c), expected.count(c) ? expected[c] : NONE) << "seed " << seed << " cluster " << c;
            if (m.identity(c) != NONE) {
                ASSERT_EQ(m.match.before[m.identity(c)].now, c);
                ASSERT_LE(m.match.now[c].n_kept, m.match.now[c].n_largest);
            }
            n_kept += m.match.now[c].n_kept;
        }
        ASSERT_LE(n_kept, before.size());
    }
}

TEST(ThreadMatchProperty, NumbersOfNewClustersDecideNothing) {
    for (unsigned seed = 0; seed < 100; seed++) {
        std::mt19937 random(seed);
        Clusters before, now;
        for (int k = 0; k < 80; k++) {
            uint32_t from = random() % 6;
            before.push_back(random() % 5 ? from : NONE);
            now.push_back(random() % 4 ? from / 2 * 2 + (random() % 3 == 0) : random() % 6);
        }
        for (uint32_t c = 0; c < 6; c++) put(before, now, 1, c, c);
        Clusters ranks(6), numbers(6);
        std::iota(ranks.begin(), ranks.end(), 0u);
        std::iota(numbers.begin(), numbers.end(), 0u);
        std::shuffle(numbers.begin(), numbers.end(), random);
        Clusters renumbered(now.size()), moved_ranks(6);
        for (size_t k = 0; k < now.size(); k++) renumbered[k] = numbers[now[k]];
        for (uint32_t c = 0; c < 6; c++) moved_ranks[numbers[c]] = ranks[c];
        Match m(before, now, {}, ranks), other(before, renumbered, {}, moved_ranks);
        for (uint32_t c = 0; c < 6; c++) ASSERT_EQ(m.identity(c), other.identity(numbers[c])) << seed;
    }
}

TEST(ThreadMatchProperty, AgainstItselfNothingChanges) {
    for (unsigned seed = 0; seed < 50; seed++) {
        std::mt19937 random(seed);
        Clusters clusters;
        for (int k = 0; k < 100; k++) clusters.push_back(random() % 4 ? random() % 9 : NONE);
        for (uint32_t c = 0; c < 9; c++) clusters.push_back(c);
        Match m(clusters, clusters);
        for (uint32_t c = 0; c < 9; c++) {
            ASSERT_EQ(m.identity(c), c);
            ASSERT_EQ(m.match.now[c].n_new, 0u);
            ASSERT_EQ(m.match.now[c].n_kept, m.match.now[c].n_items);
        }
    }
}

/* ---- Ids --------------------------------------------------------------------------------------------------------- */

std::string id_of(char kind, const char *key, uint32_t attempt = 0) {
    char id[PKIN_I_THREAD_ID_LENGTH + 1];
    pkin_i_thread_id_make(kind, key, attempt, id);
    return id;
}

/* Stores hold them: these may never change. Checked against a few lines of Python that follow the same description. */
TEST(ThreadId, IsWhatItEverWas) {
    EXPECT_EQ(id_of('t', "arxiv:2512.11762"), "tq2f3vtx");
    EXPECT_EQ(id_of('f', "arxiv:2512.11762"), "fq2f3vtx");
    EXPECT_EQ(id_of('t', ""), "t6uvbl2n");
    EXPECT_EQ(id_of('t', "doi:10.1000/xyz", 1), "tdk7fw4g");
}

TEST(ThreadId, HasItsFormAndIsSpread) {
    std::set<std::string> seen;
    std::map<char, int> at_end;
    for (int k = 0; k < 20000; k++) {
        std::string id = id_of('t', ("arxiv:2601." + std::to_string(10000 + k)).c_str());
        ASSERT_EQ(id.size(), 8u);
        ASSERT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 1), std::string::npos) << id;
        seen.insert(id);
        at_end[id[7]]++;
    }
    EXPECT_EQ(seen.size(), 20000u) << "of 2^35 ids";
    EXPECT_EQ(at_end.size(), 32u);
    for (auto &[c, n] : at_end) EXPECT_NEAR(n, 625, 125) << c;
}

TEST(ThreadId, TakesTheNextFounderWhereOneIsTaken) {
    std::set<std::string> taken;
    const char *keys[] = {"arxiv:1", "arxiv:2", "arxiv:3"};
    auto choose = [&] {
        char id[PKIN_I_THREAD_ID_LENGTH + 1];
        pkin_i_thread_id_choose(
            'f', keys, 3,
            [](void *user, const char *tried) { return static_cast<std::set<std::string> *>(user)->count(tried) > 0; },
            &taken, id);
        return std::string(id);
    };
    for (uint32_t attempt = 0; attempt < 3; attempt++) {
        for (const char *key : keys) {
            std::string id = choose();
            EXPECT_EQ(id, id_of('f', key, attempt));
            taken.insert(id);
        }
    }
    EXPECT_EQ(taken.size(), 9u);
}

} // namespace
