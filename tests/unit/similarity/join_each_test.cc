/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <thread>

#include "support/similarity_oracle.h"

namespace {

/* What join_each handed on; asks to stop when it has so many. */
struct Taken {
    std::thread::id caller = std::this_thread::get_id();
    std::vector<Scored> pairs;
    size_t stop_at = SIZE_MAX;
    int n_after_stop = -1;
    bool wrong_thread = false, empty_batch = false;
};

int take(void *user, const pkin_pair *pairs, size_t n_pairs) {
    Taken *taken = static_cast<Taken *>(user);
    taken->wrong_thread |= std::this_thread::get_id() != taken->caller;
    taken->empty_batch |= n_pairs == 0;
    for (size_t p = 0; p < n_pairs; p++) taken->pairs.push_back({pairs[p].score, pairs[p].i, pairs[p].j});
    bool stops = taken->pairs.size() >= taken->stop_at;
    if (stops || taken->n_after_stop >= 0) taken->n_after_stop++;
    return stops;
}

TEST(JoinEach, HandsOnThePairsOfTheJoin) {
    unsigned seed = 1;
    for (const TestShape &shape : {TestShape{0, 3, 1}, TestShape{1, 3, 1}, TestShape{400, 30, 6, 0.1, 0.4},
                                   TestShape{500, 60, 9, 0, 0}, TestShape{300, 5, 2, 0.5, 0.9}}) {
        TestVectors v(random_matrix(shape, seed++)), w(random_matrix({200, shape.n_columns, 5}, seed++));
        for (const pkin_vectors *b :
             {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
            for (double threshold : {0.01, 0.5, 1.0}) {
                pkin_similarity_options options = pkin_similarity_options_default();
                pkin_similarity_report report = pkin_similarity_report_default();
                options.n_threads = 3;
                options.report = &report;
                Taken taken;
                ASSERT_EQ(pkin_similarity_join_each(v.vectors, b, threshold, &options, take, &taken), PKIN_OK);
                EXPECT_EQ(taken.pairs, oracle_join(v.vectors, b, pkin_score_from_threshold(threshold)));
                EXPECT_FALSE(taken.wrong_thread);
                EXPECT_FALSE(taken.empty_batch);
                EXPECT_EQ(report.n_results, taken.pairs.size());
                EXPECT_EQ(report.spilled_bytes, 0u);
            }
        }
    }
}

TEST(JoinEach, EndsWhereTheCallerStops) {
    TestVectors v(random_matrix({400, 20, 6}, 5));
    std::vector<Scored> all = oracle_join(v.vectors, nullptr, 1);
    for (size_t stop_at : {size_t(1), size_t(5000), all.size()}) {
        Taken taken;
        taken.stop_at = stop_at;
        EXPECT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 1e-300, nullptr, take, &taken), PKIN_ERROR_CANCELLED);
        EXPECT_EQ(taken.n_after_stop, 0);
        ASSERT_GE(taken.pairs.size(), stop_at);
        all.resize(taken.pairs.size());
        EXPECT_EQ(taken.pairs, all);
        all = oracle_join(v.vectors, nullptr, 1);
    }
}

TEST(JoinEach, RefusesWhatTheJoinRefuses) {
    TestVectors v(random_matrix({10, 5, 3}, 1));
    Taken taken;
    EXPECT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0.5, nullptr, nullptr, nullptr),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0, nullptr, take, &taken), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_similarity_join_each(nullptr, nullptr, 0.5, nullptr, take, &taken), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_similarity_options options = pkin_similarity_options_default();
    options.on_progress = [](void *, const char *, uint64_t, uint64_t) { return 1; };
    EXPECT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0.5, &options, take, &taken), PKIN_ERROR_CANCELLED);
    EXPECT_TRUE(taken.pairs.empty());
}

/* One score, many groups of many rows: their pairs come merged. Each column is a group of its own, spread over all
 * rows. */
TEST(JoinEach, GroupsOfOneScoreAreMerged) {
    TestMatrix m{7, {}};
    for (uint32_t r = 0; r < 210; r++) m.rows.push_back({{r * r % 7, 1.0}});
    for (uint32_t r = 0; r < 60; r++) m.rows.push_back({{r % 3, 1.0}, {3 + r % 4, 1.0}});
    TestVectors v(m);
    for (double threshold : {0.4, 0.6, 1.0}) {
        Taken taken;
        ASSERT_EQ(pkin_similarity_join_each(v.vectors, nullptr, threshold, nullptr, take, &taken), PKIN_OK);
        EXPECT_EQ(taken.pairs, oracle_join(v.vectors, nullptr, pkin_score_from_threshold(threshold)));
        Taken between;
        ASSERT_EQ(pkin_similarity_join_each(v.vectors, v.vectors, threshold, nullptr, take, &between), PKIN_OK);
        EXPECT_EQ(between.pairs, oracle_join(v.vectors, v.vectors, pkin_score_from_threshold(threshold)));
    }
}

} // namespace
