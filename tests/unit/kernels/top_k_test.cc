/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>

#include "gpu_session_support.h"

extern "C" {
#include "similarity/neighbor_heaps.h"
}

namespace {

/* Row by row, best first, as oracle_top_k; `status` tells how it went. */
std::vector<Scored> top_k(GpuSession *session, uint32_t k, uint64_t min_score) {
    const uint64_t n = session->task.a->n_rows;
    std::vector<pkin_neighbor> neighbors(n * k);
    std::vector<uint32_t> counts(n);
    pkin_i_neighbor_heaps heaps = {};
    std::vector<Scored> all;
    if (session->status != PKIN_OK) return all;
    session->status = pkin_i_neighbor_heaps_open(n, k, min_score, neighbors.data(), counts.data(), &heaps);
    if (session->status == PKIN_OK) session->status = pkin_i_gpu_top_k(session->opened, &heaps);
    if (session->status == PKIN_OK) pkin_i_neighbor_heaps_sort(&heaps, 1);
    pkin_i_neighbor_heaps_close(&heaps);
    for (uint32_t r = 0; r < n && session->status == PKIN_OK; r++) {
        for (uint32_t at = 0; at < counts[r]; at++) {
            const pkin_neighbor &neighbor = neighbors[uint64_t(r) * k + at];
            all.push_back({neighbor.score, r, neighbor.row});
        }
    }
    return all;
}

uint64_t score_of(double cosine) {
    return static_cast<uint64_t>(std::ldexp(cosine, 60));
}

/* What is asked for. */
struct Question {
    bool within;
    uint32_t k;
    uint64_t min_score;
};

const Question questions[] = {{true, 1, 1},  {true, 5, 1},  {true, 5, score_of(0.4)},  {true, 300, 1},
                              {false, 1, 1}, {false, 7, 1}, {false, 7, score_of(0.5)}, {false, 200, score_of(0.2)}};

/* Rows that overlap in few and frequent columns, with copies, empty rows and rows without any partner. */
TestMatrix rows_of(uint64_t n_rows, unsigned seed) {
    TestMatrix matrix = random_matrix({n_rows, 150, 9}, seed);
    for (uint64_t r = 20; r < n_rows; r += 37) matrix.rows[r] = {{static_cast<uint32_t>(140 + r % 10), 1.0}};
    return matrix;
}

struct Corpus {
    TestVectors a{rows_of(261, 1)}, b{rows_of(530, 2)};
};

/* All questions by one way of working. */
void expect_the_oracles(const Corpus &corpus, const GpuWay &way, const HostDeviceOptions &options = {}) {
    for (const Question &q : questions) {
        HostDevices devices(options);
        const pkin_vectors *b = q.within ? nullptr : corpus.b.vectors;
        {
            GpuSession session(devices.driver(), corpus.a.vectors, b, way);
            const std::vector<Scored> got = top_k(&session, q.k, q.min_score);
            ASSERT_EQ(session.status, PKIN_OK) << way << ": " << pkin_last_error();
            ASSERT_EQ(got, oracle_top_k(corpus.a.vectors, b, q.k, q.min_score)) << way << ", k " << q.k;
        }
        ASSERT_EQ(devices.faults(), "") << way << ", k " << q.k;
    }
}

TEST(GpuTopK, IsTheOraclesByEveryFilter) {
    const Corpus corpus;
    for (pkin_i_gpu_filter filter : {PKIN_I_GPU_FILTER_DP4A, PKIN_I_GPU_FILTER_GEMM32, PKIN_I_GPU_FILTER_FUSED}) {
        GpuWay way;
        way.filter = filter;
        way.dimension = filter == PKIN_I_GPU_FILTER_FUSED ? 128 : 64;
        expect_the_oracles(corpus, way);
    }
}

TEST(GpuTopK, IsTheOraclesHoweverRowsAreSeeded) {
    const Corpus corpus;
    const uint32_t sizes[][2] = {{1, 1}, {1, 100}, {64, 3}, {256, 1}, {256, 100}};
    for (const auto &size : sizes) {
        GpuWay way;
        way.tuning.seed_group = size[0];
        way.tuning.seed_groups = size[1];
        expect_the_oracles(corpus, way);
    }
}

TEST(GpuTopK, IsTheOraclesWhenRowsMeetEverybody) {
    const Corpus corpus;
    for (double most : {0.5, 20.0, 150.0, 1e9}) {
        GpuWay way;
        way.tuning.exhaust_candidates = most;
        expect_the_oracles(corpus, way);
        way.tuning.shard_rows = 256;
        way.tuning.shard_slots = 2;
        way.filter = PKIN_I_GPU_FILTER_GEMM32;
        expect_the_oracles(corpus, way);
    }
}

TEST(GpuTopK, IsTheOraclesWithLittleRoomForCandidates) {
    const Corpus corpus;
    for (uint64_t capacity : {1u, 37u, 1000u}) {
        GpuWay way;
        way.tuning.capacity = way.tuning.pairs_room = capacity;
        way.tuning.item_pairs = 20000;
        way.tuning.exhaust_candidates = 100;
        if (capacity == 1) way.tuning.seed_groups = 2; /* one seed at a time is slow enough */
        expect_the_oracles(corpus, way);
    }
}

TEST(GpuTopK, IsTheOraclesOnSeveralDevicesAndShards) {
    const Corpus corpus;
    HostDeviceOptions options;
    options.n_devices = 3;
    for (double most : {30.0, 1e9}) {
        GpuWay way;
        way.devices = "all";
        way.tuning.exhaust_candidates = most;
        way.tuning.item_pairs = 5000;
        expect_the_oracles(corpus, way, options);
        way.tuning.shard_rows = 256;
        way.tuning.shard_slots = 2;
        expect_the_oracles(corpus, way, options);
    }
}

/* All scores are equal: neighbours are the first rows, from either side of the row. */
TEST(GpuTopK, TiesGoToTheLowerRow) {
    TestMatrix matrix{3, {}};
    for (uint32_t r = 0; r < 300; r++) matrix.rows.push_back({{r % 3, 1.0}});
    const TestVectors v(matrix);
    for (bool within : {true, false}) {
        const pkin_vectors *b = within ? nullptr : v.vectors;
        HostDevices devices;
        GpuWay way;
        way.tuning.item_pairs = 1000;
        GpuSession session(devices.driver(), v.vectors, b, way);
        EXPECT_EQ(top_k(&session, 4, 1), oracle_top_k(v.vectors, b, 4, 1));
        EXPECT_EQ(session.status, PKIN_OK);
    }
}

TEST(GpuTopK, TwoCallsOfASessionDoNotKnowOfEachOther) {
    const Corpus corpus;
    HostDevices devices;
    GpuSession session(devices.driver(), corpus.a.vectors, corpus.b.vectors, {});
    for (uint32_t k : {3u, 60u, 2u}) {
        EXPECT_EQ(top_k(&session, k, 1), oracle_top_k(corpus.a.vectors, corpus.b.vectors, k, 1));
        EXPECT_EQ(session.join(score_of(0.3)), oracle_join(corpus.a.vectors, corpus.b.vectors, score_of(0.3)));
    }
    session.close();
    EXPECT_EQ(devices.faults(), "");
}

/* Behind the seeds, the filter lets pass a small part of the pairs only. */
TEST(GpuTopK, SeedsMakeTheFilterWork) {
    const TestVectors v(random_matrix({1200, 3000, 30}, 5));
    HostDevices devices;
    GpuWay way;
    way.dimension = 512;
    way.tuning.exhaust_candidates = 1e9;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    EXPECT_EQ(top_k(&session, 3, 1), oracle_top_k(v.vectors, nullptr, 3, 1));
    const double n_pairs = 1200.0 * 1199 / 2;
    EXPECT_LT(static_cast<double>(session.outcome.n_candidates), 0.5 * n_pairs);
    EXPECT_GT(session.outcome.n_candidates, 1200u * 3);
    EXPECT_GT(session.outcome.prepare_seconds, 0);
    EXPECT_EQ(devices.n_calls("exhaust"), 0);
}

TEST(GpuTopK, ExhaustsRowsThatNoFilterHelps) {
    /* A row in ten shares one light column with everybody, and nothing else with anyone: all its scores are equal. */
    TestMatrix matrix = random_matrix({600, 500, 8, 0, 0}, 9);
    matrix.n_columns = 2000;
    for (uint32_t r = 0; r < 600; r++) {
        double squares = 0;
        if (r % 10 == 0) matrix.rows[r] = {{600 + r, 1.0}};
        for (const auto &entry : matrix.rows[r]) squares += entry.second * entry.second;
        for (auto &entry : matrix.rows[r]) entry.second *= 0.9 / std::sqrt(squares);
        matrix.rows[r].push_back({1999, 0.01});
    }
    const TestVectors v(matrix, 0);
    HostDevices devices;
    GpuWay way;
    way.dimension = 512;
    way.tuning.exhaust_candidates = 300;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    EXPECT_EQ(top_k(&session, 5, 1), oracle_top_k(v.vectors, nullptr, 5, 1));
    EXPECT_GE(devices.n_calls("exhaust"), 60 / 8);
    EXPECT_GT(devices.n_calls("finish"), 0);
    EXPECT_LT(devices.n_calls("exhaust"), 600 / 8);
}

TEST(GpuTopK, CutsWhatDoesNotFit) {
    const Corpus corpus;
    HostDevices devices;
    GpuWay way;
    way.tuning.capacity = 500;
    way.tuning.exhaust_candidates = 1e9;
    GpuSession session(devices.driver(), corpus.a.vectors, nullptr, way);
    EXPECT_EQ(top_k(&session, 100, 1), oracle_top_k(corpus.a.vectors, nullptr, 100, 1));
    EXPECT_GT(session.outcome.n_splits, 0u);
}

TEST(GpuTopK, RefusesAFilterWithoutLimitsOfRows) {
    const Corpus corpus;
    HostDevices devices;
    GpuWay way;
    way.filter = PKIN_I_GPU_FILTER_GEMM8;
    GpuSession session(devices.driver(), corpus.a.vectors, nullptr, way);
    EXPECT_TRUE(top_k(&session, 3, 1).empty());
    EXPECT_EQ(session.status, PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("gemm8"), std::string::npos);
}

/* Heaps of many neighbours need more than the device has: said, not tried. */
TEST(GpuTopK, SaysThatHeapsDoNotFit) {
    const Corpus corpus;
    HostDeviceOptions options;
    options.memory_bytes = UINT64_C(4) << 20;
    HostDevices devices(options);
    {
        GpuWay way;
        GpuSession session(devices.driver(), corpus.b.vectors, nullptr, way);
        ASSERT_EQ(session.status, PKIN_OK) << pkin_last_error();
        EXPECT_TRUE(top_k(&session, 530, 1).empty());
        EXPECT_EQ(session.status, PKIN_ERROR_OUT_OF_MEMORY);
        EXPECT_NE(std::string(pkin_last_error()).find("memory"), std::string::npos) << pkin_last_error();
    }
    EXPECT_EQ(devices.faults(), "");
}

/* Whatever call fails, at once or late, once or from then on: told, nothing is lost, nothing is held. */
TEST(GpuTopK, EveryFailureIsTold) {
    const TestVectors a(rows_of(40, 3)), b(rows_of(270, 4));
    GpuWay way;
    way.tuning.shard_rows = 256;
    way.tuning.exhaust_candidates = 60;
    way.tuning.capacity = 2000;
    for (int mode = 0; mode < 3; mode++) {
        HostDeviceOptions options;
        options.tell_late = mode == 1;
        options.stays_broken = mode == 2;
        for (options.fail_at = 0;; options.fail_at++) {
            HostDevices devices(options);
            bool is_over;
            {
                GpuSession session(devices.driver(), a.vectors, b.vectors, way);
                const std::vector<Scored> got = top_k(&session, 6, 1);
                is_over = devices.n_calls() <= options.fail_at;
                if (session.status == PKIN_OK) {
                    /* What was done behind the last wait may fail unheard of. */
                    ASSERT_EQ(got, oracle_top_k(a.vectors, b.vectors, 6, 1)) << "call " << options.fail_at;
                    ASSERT_TRUE(is_over || options.tell_late) << "call " << options.fail_at << ", mode " << mode;
                } else {
                    ASSERT_STRNE(pkin_last_error(), "");
                    ASSERT_NE(session.status, PKIN_ERROR_CANCELLED);
                }
            }
            ASSERT_EQ(devices.faults(), "") << "call " << options.fail_at << ", mode " << mode;
            if (is_over) break;
        }
    }
}

/* Calls of the device, one after another, of a top-k that is one item, so that one thread makes them. */
std::vector<std::string> calls_of(const Corpus &corpus, long fail_at, pkin_status *status) {
    std::vector<std::string> calls;
    std::mutex lock;
    HostDeviceOptions options;
    options.fail_at = fail_at;
    options.on_call = [&](const std::string &what) {
        std::lock_guard<std::mutex> guard(lock); /* rows are brought up by two threads */
        calls.push_back(what);
    };
    HostDevices devices(options);
    GpuWay way;
    way.tuning.exhaust_candidates = 1e9;
    GpuSession session(devices.driver(), corpus.a.vectors, nullptr, way);
    top_k(&session, 5, 1);
    *status = session.status;
    return calls;
}

/* Others may fill a shard's place as soon as it is given back: what a failed item left in its queue has run by then. */
TEST(GpuTopK, NothingOfAFailedItemRunsOn) {
    const Corpus corpus;
    pkin_status status;
    const std::vector<std::string> calls = calls_of(corpus, -1, &status);
    ASSERT_EQ(status, PKIN_OK);
    const size_t begin = static_cast<size_t>(std::find(calls.begin(), calls.end(), "sample") - calls.begin());
    ASSERT_LT(begin + 20, calls.size());
    for (size_t n = begin; n < calls.size(); n++) {
        const std::vector<std::string> until_failure = calls_of(corpus, static_cast<long>(n), &status);
        ASSERT_NE(status, PKIN_OK);
        ASSERT_EQ(until_failure[n], calls[n]);
        /* Behind the items there is waiting alone. */
        const bool is_over = until_failure.size() == n + 1;
        EXPECT_TRUE(is_over ? calls[n] == "wait" : until_failure[n + 1] == "wait") << n << ": " << calls[n];
    }
}

struct Cancel {
    int calls_left;
};

int cancel_later(void *user, const char *, uint64_t, uint64_t) {
    return static_cast<Cancel *>(user)->calls_left-- <= 0;
}

/* How often the caller is asked depends on time; the first calls come in any case. */
TEST(GpuTopK, IsCancelled) {
    const Corpus corpus;
    const std::vector<Scored> expected = oracle_top_k(corpus.a.vectors, corpus.b.vectors, 5, 1);
    for (int n_calls : {0, 1, 2, 3, 5, 8, 13, 21, 34}) {
        Cancel cancel = {n_calls};
        HostDevices devices;
        {
            GpuWay way;
            way.on_progress = cancel_later;
            way.progress_user = &cancel;
            way.tuning.item_pairs = 2000;
            way.tuning.exhaust_candidates = 50;
            GpuSession session(devices.driver(), corpus.a.vectors, corpus.b.vectors, way);
            const std::vector<Scored> got = top_k(&session, 5, 1);
            if (cancel.calls_left < 0) {
                EXPECT_EQ(session.status, PKIN_ERROR_CANCELLED) << n_calls;
            } else {
                EXPECT_GT(n_calls, 3);
                EXPECT_EQ(got, expected);
            }
        }
        EXPECT_EQ(devices.faults(), "");
    }
}

} // namespace
