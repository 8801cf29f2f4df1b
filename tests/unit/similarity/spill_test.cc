/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <csignal>
#include <sys/resource.h>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"
#include "support/temporary_folder.h"

extern "C" {
#include "similarity/policy.h"
}

namespace {

std::vector<pkin_pair> random_pairs(size_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<pkin_pair> pairs(n);
    uint32_t j = 0;
    for (pkin_pair &pair : pairs) pair = {random() % 97, static_cast<uint32_t>(random() % 11), j++};
    std::shuffle(pairs.begin(), pairs.end(), random);
    return pairs;
}

std::vector<Scored> sorted(const std::vector<pkin_pair> &pairs) {
    std::vector<Scored> out;
    for (const pkin_pair &pair : pairs) out.push_back({pair.score, pair.i, pair.j});
    std::sort(out.begin(), out.end());
    return out;
}

/* All that a merge gives, asked for so many at a time. */
pkin_status drain(pkin_i_pair_merge *merge, size_t n_at_once, std::vector<Scored> *out) {
    std::vector<pkin_pair> pairs(n_at_once);
    for (;;) {
        size_t n;
        pkin_status status = pkin_i_pair_merge_next(merge, pairs.data(), n_at_once, &n);
        if (status != PKIN_OK || n == 0) return status;
        for (size_t p = 0; p < n; p++) out->push_back({pairs[p].score, pairs[p].i, pairs[p].j});
    }
}

/* Puts pairs into a sink of this bound, a few at a time, and takes them out through a merge. */
pkin_status through_sink(const std::vector<pkin_pair> &pairs, const pkin_i_pair_bound &bound, size_t n_at_once,
                         std::vector<Scored> *out, uint64_t *spilled = nullptr) {
    pkin_i_pair_sink *sink = nullptr;
    pkin_i_pair_merge *merge = nullptr;
    const pkin_i_pair_run *runs = nullptr;
    size_t n_runs = 0;
    pkin_status status = pkin_i_pair_sink_open_bounded(&bound, &sink);
    for (size_t p = 0; p < pairs.size() && status == PKIN_OK; p += n_at_once) {
        status = pkin_i_pair_sink_put(sink, &pairs[p], std::min(n_at_once, pairs.size() - p));
    }
    if (status == PKIN_OK) status = pkin_i_pair_sink_finish(sink, &runs, &n_runs);
    if (status == PKIN_OK) status = pkin_i_pair_merge_open(runs, n_runs, bound.bytes, bound.folder, &merge);
    if (status == PKIN_OK) status = drain(merge, n_at_once, out);
    if (spilled && sink) *spilled = pkin_i_pair_sink_spilled(sink);
    pkin_i_pair_merge_close(merge);
    pkin_i_pair_sink_close(sink);
    return status;
}

/* Scores all over 64 bits, in a narrow range, all equal but one, or at both ends only. */
TEST(Sort, WhateverTheScores) {
    std::mt19937_64 random(3);
    for (size_t n : {size_t(16384), size_t(16385), size_t(60000)}) {
        for (int kind = 0; kind < 4; kind++) {
            std::vector<pkin_pair> pairs = random_pairs(n, static_cast<unsigned>(kind));
            for (pkin_pair &pair : pairs) {
                if (kind == 0) pair.score = random();
                if (kind == 1) pair.score = PKIN_SCORE_ONE - random() % 1000;
                if (kind == 2) pair.score = pair.j == 7;
                if (kind == 3) pair.score = pair.j % 2 ? UINT64_MAX : 0;
            }
            for (int n_threads : {1, 3}) {
                std::vector<pkin_pair> found = pairs;
                ASSERT_EQ(pkin_i_sort_pairs(found.data(), n, n_threads), PKIN_OK);
                std::vector<Scored> expected = sorted(pairs);
                for (size_t p = 0; p < n; p++) {
                    ASSERT_EQ((Scored{found[p].score, found[p].i, found[p].j}), expected[p]) << kind;
                }
            }
        }
    }
}

/* One pair a run, too, of which there are then far more than are merged at once, and more than those twice over. */
TEST(Spill, WhateverTheBoundThePairsComeInOrder) {
    TemporaryFolder folder;
    const std::string name = folder.str();
    for (size_t n : {size_t(0), size_t(1), size_t(255), size_t(3000), size_t(70000)}) {
        std::vector<pkin_pair> pairs = random_pairs(n, static_cast<unsigned>(n));
        for (uint64_t bytes : {uint64_t(0), uint64_t(1), uint64_t(96), uint64_t(20000), uint64_t(1) << 30}) {
            std::vector<Scored> found;
            uint64_t spilled = 0;
            ASSERT_EQ(through_sink(pairs, {bytes, name.c_str(), 2}, 777, &found, &spilled), PKIN_OK);
            ASSERT_EQ(found, sorted(pairs)) << n << " pairs, bound " << bytes;
            EXPECT_EQ(spilled > 0, bytes > 0 && n > std::max<uint64_t>(bytes / 32, 1));
            EXPECT_TRUE(folder.names().empty());
        }
    }
}

TEST(Spill, ASinkMayBeUsedAgain) {
    TemporaryFolder folder;
    pkin_i_pair_sink *sink = nullptr;
    const std::string name = folder.str();
    const pkin_i_pair_bound bound = {320, name.c_str(), 1};
    ASSERT_EQ(pkin_i_pair_sink_open_bounded(&bound, &sink), PKIN_OK);
    for (size_t n : {500, 3, 0, 90}) {
        std::vector<pkin_pair> pairs = random_pairs(n, 7);
        std::vector<Scored> found;
        const pkin_i_pair_run *runs = nullptr;
        size_t n_runs = 0;
        pkin_i_pair_merge *merge = nullptr;
        ASSERT_EQ(pkin_i_pair_sink_put(sink, pairs.data(), n), PKIN_OK);
        EXPECT_EQ(pkin_i_pair_sink_n_pairs(sink), n);
        EXPECT_EQ(pkin_i_pair_sink_has_spilled(sink), n > 10);
        ASSERT_EQ(pkin_i_pair_sink_finish(sink, &runs, &n_runs), PKIN_OK);
        ASSERT_EQ(pkin_i_pair_merge_open(runs, n_runs, 0, nullptr, &merge), PKIN_OK);
        ASSERT_EQ(drain(merge, 10, &found), PKIN_OK);
        pkin_i_pair_merge_close(merge);
        EXPECT_EQ(found, sorted(pairs));
        pkin_i_pair_sink_clear(sink);
    }
    pkin_i_pair_sink_close(sink);
}

TEST(Spill, AFolderThatIsNoneIsNamed) {
    TemporaryFolder folder;
    write_bytes(folder.str("file"), "no folder");
    for (const std::string &name : {folder.str("absent"), folder.str("file")}) {
        std::vector<Scored> found;
        EXPECT_EQ(through_sink(random_pairs(9, 1), {32, name.c_str(), 1}, 4, &found), PKIN_ERROR_IO);
        EXPECT_NE(std::string(pkin_last_error()).find(name), std::string::npos) << pkin_last_error();
    }
}

/* No file may grow beyond a bound, as on a disk that is full. */
struct SmallFiles {
    rlimit before;
    explicit SmallFiles(rlim_t most_bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = before;
        now.rlim_cur = most_bytes;
        setrlimit(RLIMIT_FSIZE, &now);
    }
    ~SmallFiles() {
        setrlimit(RLIMIT_FSIZE, &before);
        std::signal(SIGXFSZ, SIG_DFL);
    }
};

TEST(Spill, AFullDiskIsTold) {
    TemporaryFolder folder;
    const std::string name = folder.str();
    std::vector<Scored> found;
    pkin_status status;
    {
        SmallFiles limit(5000);
        status = through_sink(random_pairs(2000, 3), {640, name.c_str(), 1}, 100, &found);
    }
    EXPECT_EQ(status, PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find(name), std::string::npos) << pkin_last_error();
    EXPECT_TRUE(folder.names().empty());
}

TEST(Spill, EveryAllocationMayFail) {
    TemporaryFolder folder;
    const std::string name = folder.str();
    const std::vector<pkin_pair> pairs = random_pairs(400, 3);
    expect_clean_failures([&] {
        std::vector<Scored> found;
        return through_sink(pairs, {32, name.c_str(), 1}, 400, &found);
    });
    EXPECT_TRUE(folder.names().empty());
}

/* ---- Joins that spill ---- */

int take(void *user, const pkin_pair *pairs, size_t n_pairs) {
    std::vector<Scored> *out = static_cast<std::vector<Scored> *>(user);
    for (size_t p = 0; p < n_pairs; p++) out->push_back({pairs[p].score, pairs[p].i, pairs[p].j});
    return 0;
}

/* Nearly every pair of these reaches the threshold, and many rows are equal. */
const TestShape DENSE = {1300, 20, 8, 0.02, 0.05};
constexpr uint64_t BOUND = 8 << 20; /* of which pairs get a part that holds less than there are */

TEST(JoinSpills, BeyondItsMemoryIntoTheFolder) {
    TemporaryFolder folder;
    const std::string name = folder.str();
    TestVectors v(random_matrix(DENSE, 6));
    std::vector<Scored> expected = oracle_join(v.vectors, nullptr, pkin_score_from_threshold(0.02)), found;
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_similarity_report report = pkin_similarity_report_default();
    options.n_threads = 3;
    options.memory_bytes = BOUND;
    options.spill_dir = name.c_str();
    options.report = &report;
    ASSERT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0.02, &options, take, &found), PKIN_OK)
        << pkin_last_error();
    EXPECT_EQ(found, expected);
    EXPECT_GT(report.spilled_bytes, expected.size() * sizeof(pkin_pair) / 2);
    EXPECT_EQ(report.n_results, expected.size());
    EXPECT_LE(report.working_bytes, BOUND + (1 << 20));
    EXPECT_TRUE(folder.names().empty());
    pkin_pair_list list;
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.02, &options, &list), PKIN_OK) << pkin_last_error();
    found.clear();
    take(&found, list.pairs, list.n_pairs);
    pkin_pair_list_free(&list);
    EXPECT_EQ(found, expected);
}

TEST(JoinSpills, AndSaysWhyItCannot) {
    TemporaryFolder folder;
    const std::string absent = folder.str("absent"), name = folder.str();
    TestVectors v(random_matrix(DENSE, 6));
    pkin_similarity_options options = pkin_similarity_options_default();
    std::vector<Scored> found;
    options.n_threads = 3;
    options.memory_bytes = BOUND;
    options.spill_dir = absent.c_str();
    EXPECT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0.02, &options, take, &found), PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find(absent), std::string::npos) << pkin_last_error();
    options.spill_dir = name.c_str();
    pkin_status status;
    {
        SmallFiles limit(3 << 20);
        status = pkin_similarity_join_each(v.vectors, nullptr, 0.02, &options, take, &found);
    }
    EXPECT_EQ(status, PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find(name), std::string::npos) << pkin_last_error();
    EXPECT_TRUE(found.empty());
    EXPECT_TRUE(folder.names().empty());
}

} // namespace
