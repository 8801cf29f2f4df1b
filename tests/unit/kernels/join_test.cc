/* SPDX-License-Identifier: Apache-2.0 */
/* Joins through the pipeline, on devices of the host, against brute force. */
#include <atomic>
#include <chrono>
#include <set>

#include "gpu_session_support.h"

namespace {

uint64_t reach(double threshold) {
    return pkin_score_from_threshold(threshold);
}

void expect_as_oracle(const pkin_vectors *a, const pkin_vectors *b, const GpuWay &way,
                      const HostDeviceOptions &options = {},
                      const std::vector<double> &thresholds = {0.01, 0.2, 0.6, 1.0}) {
    for (double threshold : thresholds) {
        HostDevices devices(options);
        {
            GpuSession session(devices.driver(), a, b, way);
            ASSERT_EQ(session.status, PKIN_OK) << pkin_last_error();
            const std::vector<Scored> pairs = session.join(reach(threshold));
            ASSERT_EQ(session.status, PKIN_OK) << pkin_last_error();
            ASSERT_EQ(pairs, oracle_join(a, b, reach(threshold))) << "t " << threshold << ", " << way;
        }
        ASSERT_EQ(devices.faults(), "") << way;
    }
}

const pkin_i_gpu_filter ALL_FILTERS[] = {PKIN_I_GPU_FILTER_FUSED, PKIN_I_GPU_FILTER_GEMM8, PKIN_I_GPU_FILTER_GEMM32,
                                         PKIN_I_GPU_FILTER_DP4A};

TEST(GpuJoin, EveryFilterAndDimension) {
    TestVectors v(random_matrix({150, 200, 30}, 1)), w(random_matrix({70, 200, 30}, 2));
    for (pkin_i_gpu_filter filter : ALL_FILTERS) {
        for (uint32_t dimension : {64u, 192u, 512u}) {
            GpuWay way;
            way.filter = filter;
            way.dimension = dimension;
            expect_as_oracle(v.vectors, nullptr, way);
            expect_as_oracle(v.vectors, w.vectors, way);
        }
    }
}

TEST(GpuJoin, SizesAroundSteps) {
    unsigned seed = 10;
    for (uint64_t n : {0u, 1u, 2u, 3u, 255u, 256u, 257u, 511u, 513u}) {
        TestVectors v(random_matrix({n, 100, 12}, seed++)), w(random_matrix({n / 2 + 30, 100, 12}, seed++));
        SCOPED_TRACE(n);
        GpuWay way, fine;
        fine.tuning.shard_rows = 256;
        fine.tuning.item_pairs = 1;
        fine.filter = PKIN_I_GPU_FILTER_GEMM32;
        for (const GpuWay &each : {way, fine}) {
            expect_as_oracle(v.vectors, nullptr, each);
            expect_as_oracle(v.vectors, w.vectors, each);
            expect_as_oracle(w.vectors, v.vectors, each);
        }
    }
}

/* Shards that come and go: two slots are the least. */
TEST(GpuJoin, RowsInSlots) {
    TestVectors v(random_matrix({1400, 150, 12}, 31)), w(random_matrix({900, 150, 12}, 32));
    for (uint32_t slots : {2u, 3u, 4u}) {
        for (int n_devices : {1, 3}) {
            GpuWay way;
            way.tuning.shard_rows = 256;
            way.tuning.shard_slots = slots;
            way.tuning.item_pairs = 1 << 16;
            way.devices = "all";
            way.filter = slots == 3 ? PKIN_I_GPU_FILTER_GEMM32 : PKIN_I_GPU_FILTER_FUSED;
            HostDeviceOptions options;
            options.n_devices = n_devices;
            expect_as_oracle(v.vectors, nullptr, way, options, {0.3});
            expect_as_oracle(v.vectors, w.vectors, way, options, {0.3});
        }
    }
}

/* What the device has decides: down to where nothing fits, which is said. */
TEST(GpuJoin, LittleMemory) {
    TestVectors v(random_matrix({1000, 100, 12}, 41));
    const std::vector<Scored> expected = oracle_join(v.vectors, nullptr, reach(0.3));
    bool has_split = false, has_failed = false;
    for (uint64_t kilobytes = 1536; kilobytes >= 64; kilobytes -= 64) {
        HostDeviceOptions options;
        options.memory_bytes = kilobytes << 10;
        HostDevices devices(options);
        {
            GpuWay way;
            way.dimension = 128;
            way.tuning.capacity = 4096;
            way.tuning.pairs_room = 1024;
            GpuSession session(devices.driver(), v.vectors, nullptr, way);
            if (session.status == PKIN_OK) {
                EXPECT_FALSE(has_failed) << kilobytes;
                EXPECT_EQ(session.join(reach(0.3)), expected);
                EXPECT_EQ(session.status, PKIN_OK) << pkin_last_error();
                has_split |= devices.n_calls("sketch") > 1;
                EXPECT_LE(session.outcome.device_bytes, options.memory_bytes);
                EXPECT_EQ(session.outcome.device_bytes, devices.most_held());
            } else {
                has_failed = true;
                EXPECT_EQ(session.status, PKIN_ERROR_OUT_OF_MEMORY);
                EXPECT_NE(std::string(pkin_last_error()).find("GB are needed"), std::string::npos) << pkin_last_error();
                EXPECT_EQ(session.opened, nullptr);
            }
        }
        EXPECT_EQ(devices.faults(), "");
    }
    EXPECT_TRUE(has_split);
    EXPECT_TRUE(has_failed);
}

TEST(GpuJoin, OverflowLosesNothing) {
    TestVectors v(random_matrix({600, 80, 12}, 51)), w(random_matrix({300, 80, 12}, 52));
    for (uint64_t capacity : {1u, 7u, 1000u, 20000u}) {
        for (uint64_t pairs_room : {1u, 100u, 100000u}) {
            if (capacity * pairs_room < 100 && capacity > 1) continue;
            GpuWay way;
            way.tuning.capacity = capacity;
            way.tuning.pairs_room = pairs_room;
            const double threshold = capacity < 100 ? 0.9 : 0.01;
            for (const pkin_vectors *b :
                 {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
                HostDevices devices;
                {
                    GpuSession session(devices.driver(), v.vectors, b, way);
                    const std::vector<Scored> pairs = session.join(reach(threshold));
                    ASSERT_EQ(session.status, PKIN_OK) << pkin_last_error();
                    ASSERT_EQ(pairs, oracle_join(v.vectors, b, reach(threshold))) << way;
                    EXPECT_GT(session.outcome.n_splits, 0u) << way;
                    EXPECT_GE(session.outcome.n_candidates, pairs.size());
                }
                ASSERT_EQ(devices.faults(), "");
            }
        }
    }
}

/* Once overflow was met, later items are cut before they are filtered in vain. */
TEST(GpuJoin, OverflowIsLearntFrom) {
    TestVectors v(random_matrix({3000, 60, 12}, 53));
    GpuWay way;
    way.tuning.capacity = 20000;
    way.tuning.item_pairs = 1 << 19;
    HostDevices devices;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    session.join(reach(0.05));
    ASSERT_EQ(session.status, PKIN_OK);
    EXPECT_LT(session.outcome.n_splits, 8u);
    EXPECT_GT(session.outcome.n_candidates, 10 * way.tuning.capacity);
}

TEST(GpuJoin, StripsMakeTheWhole) {
    TestVectors v(random_matrix({620, 100, 15}, 61)), w(random_matrix({333, 100, 15}, 62));
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        const uint64_t n = b ? b->n_rows : v.vectors->n_rows;
        for (uint64_t step : {1u, 100u, 256u, 500u}) {
            if (step == 1 && b == nullptr) continue;
            HostDevices devices;
            GpuWay way;
            way.tuning.shard_rows = 256;
            way.tuning.shard_slots = 2;
            GpuSession session(devices.driver(), v.vectors, b, way);
            std::vector<Scored> all;
            for (uint64_t first = 0; first < n; first += step) {
                const std::vector<Scored> part = session.join(first, std::min(n, first + step), reach(0.3));
                ASSERT_EQ(session.status, PKIN_OK);
                for (const Scored &pair : part) ASSERT_TRUE(pair.j >= first && pair.j < first + step);
                all.insert(all.end(), part.begin(), part.end());
            }
            std::sort(all.begin(), all.end());
            EXPECT_EQ(all, oracle_join(v.vectors, b, reach(0.3)));
            session.close();
            EXPECT_EQ(devices.faults(), "");
        }
    }
}

/* A few entries may claim 2^32 - 1 columns: those in use alone go to the device. */
TEST(GpuJoin, FewEntriesOverVeryManyColumns) {
    const TestMatrix narrow_matrix = random_matrix({60, 40, 8}, 11);
    TestMatrix wide_matrix = narrow_matrix;
    for (TestRow &row : wide_matrix.rows) {
        for (auto &entry : row) entry.first += UINT32_MAX - 40;
    }
    wide_matrix.n_columns = UINT32_MAX;
    TestVectors narrow(narrow_matrix), wide(wide_matrix);
    HostDevices devices;
    GpuSession session(devices.driver(), wide.vectors, nullptr, GpuWay());
    EXPECT_EQ(session.join(reach(0.2)), oracle_join(narrow.vectors, nullptr, reach(0.2)));
    EXPECT_EQ(session.status, PKIN_OK);
    session.close();
    EXPECT_EQ(devices.faults(), "");
}

/* Work is shared: every device filters, and tells what it did. */
TEST(GpuJoin, SeveralDevicesShareTheWork) {
    TestVectors v(random_matrix({2000, 100, 12}, 71));
    HostDeviceOptions options;
    options.n_devices = 3;
    std::set<int> at_work;
    std::mutex lock;
    options.cost = [&](int device, const std::string &what, double amount) {
        std::lock_guard<std::mutex> guard(lock);
        if (what == "filter") at_work.insert(device);
        return what == "filter" ? amount * 1e-15 : 0.0;
    };
    for (const char *which : {"all", "0,2", "1"}) {
        HostDevices devices(options);
        at_work.clear();
        GpuWay way;
        way.devices = which;
        way.tuning.item_pairs = 1 << 16;
        GpuSession session(devices.driver(), v.vectors, nullptr, way);
        EXPECT_EQ(session.join(reach(0.4)), oracle_join(v.vectors, nullptr, reach(0.4)));
        EXPECT_EQ(session.status, PKIN_OK);
        const int n = which[0] == 'a' ? 3 : which[0] == '0' ? 2 : 1;
        EXPECT_EQ(session.outcome.n_devices, n);
        EXPECT_STREQ(session.outcome.device, which[0] == '1' ? "host device 1" : "host device 0");
        EXPECT_LE(int(at_work.size()), n);
        EXPECT_EQ(at_work.count(1), which[0] == '0' ? 0u : at_work.count(1));
        EXPECT_NEAR(session.outcome.filter_seconds, double(session.outcome.filter_operations) * 1e-15,
                    session.outcome.filter_seconds * 0.5);
        session.close();
        EXPECT_EQ(devices.faults(), "");
    }
}

/* What is told of the work, against what was counted at the device. */
TEST(GpuJoin, TellsWhatItDid) {
    TestVectors v(random_matrix({512, 100, 12}, 81)), w(random_matrix({256, 100, 12}, 82));
    std::atomic<uint64_t> operations{0}, up{0}, down{0}, candidates{0};
    HostDeviceOptions options;
    options.cost = [&](int, const std::string &what, double amount) {
        if (what == "filter") operations += uint64_t(amount);
        if (what == "up") up += uint64_t(amount);
        if (what == "down") down += uint64_t(amount);
        if (what == "score") candidates += uint64_t(amount);
        return what == "score" ? 1e-9 : 0.0;
    };
    HostDevices devices(options);
    GpuSession session(devices.driver(), v.vectors, w.vectors, GpuWay());
    const std::vector<Scored> pairs = session.join(reach(0.2));
    EXPECT_EQ(session.outcome.filter_operations, operations);
    EXPECT_EQ(session.outcome.bytes_up, up);
    EXPECT_EQ(session.outcome.bytes_down, down);
    EXPECT_EQ(session.outcome.n_candidates, candidates);
    EXPECT_NEAR(session.outcome.score_seconds, 1e-9 * double(devices.n_calls("score")), 1e-15);
    EXPECT_GE(down, pairs.size() * sizeof(pkin_pair));
    EXPECT_EQ(session.outcome.device_bytes, devices.most_held());
    EXPECT_GT(session.outcome.prepare_seconds, 0);
    EXPECT_EQ(session.outcome.n_splits, 0u);
}

/* Kernels of two queues that wait for one another: the sums stay within the time that went by. */
TEST(GpuJoin, SecondsAreNotCountedTwice) {
    TestVectors v(random_matrix({1200, 100, 12}, 83));
    HostDeviceOptions options;
    options.cost = [](int, const std::string &what, double) {
        return what == "filter" || what == "score" ? 10.0 : 0.0;
    };
    HostDevices devices(options);
    GpuWay way;
    way.tuning.item_pairs = 1 << 16;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    const auto begin = std::chrono::steady_clock::now();
    session.join(reach(0.3));
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    ASSERT_EQ(session.status, PKIN_OK);
    /* The first kernel follows nothing, and is believed. */
    EXPECT_LE(session.outcome.filter_seconds + session.outcome.score_seconds, 10.0 + passed.count());
    EXPECT_GT(session.outcome.filter_seconds, 0);
}

/* New rows against a history: a handful of kernels, copies and waits, whatever the sizes. */
TEST(GpuJoin, SmallJobsAreFewCalls) {
    TestVectors v(random_matrix({30, 300, 20}, 91)), w(random_matrix({3000, 300, 20}, 92));
    HostDevices devices;
    GpuWay way;
    way.tuning = {};
    GpuSession session(devices.driver(), v.vectors, w.vectors, way);
    ASSERT_EQ(session.status, PKIN_OK);
    EXPECT_EQ(devices.n_calls("sketch"), 2);
    EXPECT_LE(devices.n_calls("wait"), 4);
    EXPECT_LE(devices.n_calls("copy_up"), 7);
    EXPECT_LE(devices.n_calls("allocate"), 5);
    const long before = devices.n_calls(), waits = devices.n_calls("wait");
    EXPECT_EQ(session.join(reach(0.4)), oracle_join(v.vectors, w.vectors, reach(0.4)));
    EXPECT_EQ(devices.n_calls("filter"), 1);
    EXPECT_EQ(devices.n_calls("score"), 1);
    EXPECT_LE(devices.n_calls("wait") - waits, 3);
    EXPECT_LE(devices.n_calls() - before, 16);
}

/* No candidates: nothing is scored. */
TEST(GpuJoin, NothingFoundIsNothingScored) {
    TestMatrix matrix{100, {}};
    for (uint32_t r = 0; r < 100; r++) matrix.rows.push_back({{r, 1.0}});
    TestVectors v(matrix);
    GpuWay way;
    way.dimension = 128;
    HostDevices devices;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    EXPECT_TRUE(session.join(reach(0.5)).empty());
    EXPECT_EQ(session.status, PKIN_OK);
    EXPECT_EQ(devices.n_calls("filter"), 1);
    EXPECT_EQ(devices.n_calls("score"), 0);
}

/* ---- Which devices ---- */

pkin_status choose(const HostDevices &devices, const char *text, std::vector<int> *out,
                   pkin_i_gpu_filter filter = PKIN_I_GPU_N_FILTERS) {
    pkin_i_gpu_choice choice = {};
    const pkin_status status = pkin_i_gpu_choose(devices.driver(), text, filter, &choice);
    out->assign(choice.indices, choice.indices + choice.n);
    return status;
}

TEST(GpuDevices, AreChosenByNumberOrAll) {
    HostDeviceOptions options;
    options.n_devices = 4;
    options.unusable = {0, 2};
    HostDevices devices(options);
    std::vector<int> got;
    const std::pair<const char *, std::vector<int>> good[] = {
        {nullptr, {1}}, {"auto", {1}}, {"all", {1, 3}}, {"3", {3}}, {"3,1", {3, 1}}};
    for (const auto &each : good) {
        EXPECT_EQ(choose(devices, each.first, &got), PKIN_OK);
        EXPECT_EQ(got, each.second) << (each.first ? each.first : "NULL");
    }
    for (const char *wrong : {"", ",", "1,", ",1", "1,1", "1;3", " 1", "-1", "one", "1,,3", "9999999", "Auto"}) {
        EXPECT_EQ(choose(devices, wrong, &got), PKIN_ERROR_INVALID_ARGUMENT) << wrong;
        EXPECT_NE(std::string(pkin_last_error()).find(wrong), std::string::npos);
    }
    EXPECT_EQ(choose(devices, "0", &got), PKIN_ERROR_UNSUPPORTED);
    EXPECT_STREQ(pkin_last_error(), "host device 0 is too old");
    EXPECT_EQ(choose(devices, "1,4", &got), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("no device 4"), std::string::npos);
}

TEST(GpuDevices, ThatLackTheFilterSaySo) {
    HostDeviceOptions options;
    options.n_devices = 2;
    options.lacks[PKIN_I_GPU_FILTER_FUSED] = true;
    HostDevices devices(options);
    std::vector<int> got;
    EXPECT_EQ(choose(devices, "auto", &got, PKIN_I_GPU_FILTER_DP4A), PKIN_OK);
    for (const char *text : {"auto", "all", "1"}) {
        EXPECT_EQ(choose(devices, text, &got, PKIN_I_GPU_FILTER_FUSED), PKIN_ERROR_UNSUPPORTED);
        EXPECT_NE(std::string(pkin_last_error()).find("cannot run the filter \"fused\": left out"), std::string::npos)
            << pkin_last_error();
    }
}

TEST(GpuDevices, MayBeNone) {
    HostDeviceOptions options;
    options.n_devices = 0;
    HostDevices devices(options);
    std::vector<int> got;
    EXPECT_EQ(choose(devices, "auto", &got), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("no device"), std::string::npos);
}

} // namespace
