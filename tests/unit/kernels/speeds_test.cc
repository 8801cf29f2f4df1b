/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Measuring devices and remembering them, on devices whose clock says what a test wants it to say.
 */
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "support/host_device.h"
#include "support/temporary_folder.h"

extern "C" {
#include "base/memory.h"
#include "kernels/gpu_speeds.h"
}

namespace {

/* An environment variable for the time of a test. */
struct Variable {
    std::string name, before;
    bool was_set;
    Variable(const char *name_, const char *value) : name(name_) {
        const char *old = std::getenv(name_);
        was_set = old != nullptr;
        before = old ? old : "";
        value ? setenv(name_, value, 1) : unsetenv(name_);
    }
    ~Variable() {
        was_set ? setenv(name.c_str(), before.c_str(), 1) : unsetenv(name.c_str());
    }
    Variable(const Variable &) = delete;
    Variable &operator=(const Variable &) = delete;
};

/* A device that takes these seconds for an operation of a filter, a candidate and a byte; 10 us for any other kernel.
 */
struct Rates {
    double operation = 1e-12, candidate = 2e-9, up = 1e-10, down = 3e-10, other = 1e-5;
};

/* Without kernels nothing is computed: the clock alone says how long it took. */
HostDeviceOptions devices_of(const Rates &rates, bool with_kernels = false) {
    HostDeviceOptions options;
    options.cost = [rates](int, const std::string &what, double amount) {
        if (what == "filter") return rates.operation * amount;
        if (what == "score") return rates.candidate * amount;
        if (what == "up") return rates.up * amount;
        if (what == "down") return rates.down * amount;
        return what == "fill" || what == "mark" ? 0.0 : rates.other;
    };
    if (!with_kernels) {
        options.kernels.sketch = [](const pkin_i_gpu_rows &, const uint16_t *) {};
        options.kernels.filter = [](const pkin_i_gpu_filter_work &) {};
        options.kernels.score = [](const pkin_i_gpu_score_work &) {};
        options.kernels.seed = [](const pkin_i_gpu_seed_work &) {};
    }
    return options;
}

pkin_i_gpu_costs measured(const HostDevices &devices) {
    pkin_i_gpu_costs costs = {};
    EXPECT_EQ(pkin_i_gpu_costs_measure(devices.driver(), 0, &costs), PKIN_OK) << pkin_last_error();
    return costs;
}

pkin_i_gpu_info info_of(const HostDevices &devices, int index = 0) {
    pkin_i_gpu_info info = {};
    EXPECT_EQ(devices.driver()->info(index, &info), PKIN_OK);
    return info;
}

TEST(Measuring, FindsWhatTheClockSays) {
    const Rates rates;
    HostDevices devices(devices_of(rates, true));
    const pkin_i_gpu_costs costs = measured(devices);
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) {
            EXPECT_NEAR(costs.pair_seconds[f][d] / (2 * rates.operation * pkin_i_speed_dimensions[d]), 1, 1e-6);
        }
        EXPECT_GE(costs.filter_start_seconds[f], 0);
    }
    EXPECT_NEAR(costs.candidate_seconds / rates.candidate, 1, 1e-6);
    EXPECT_NEAR(costs.up_byte_seconds / rates.up, 1, 1e-6);
    EXPECT_NEAR(costs.down_byte_seconds / rates.down, 1, 1e-6);
    EXPECT_GT(costs.entry_seconds, 0);
    EXPECT_GT(costs.seed_pair_seconds, 0);
    EXPECT_GT(costs.start_seconds, 0);
    EXPECT_EQ(devices.faults(), "");
}

/* A clock too coarse to see anything: never 0, which would say that it was not measured. */
TEST(Measuring, BearsAClockThatStandsStill) {
    HostDevices devices(devices_of({0, 0, 0, 0, 0}));
    const pkin_i_gpu_costs costs = measured(devices);
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) EXPECT_GT(costs.pair_seconds[f][0], 0);
    EXPECT_GT(costs.candidate_seconds, 0);
    EXPECT_GT(costs.up_byte_seconds, 0);
}

/* A run that was disturbed, however much, is not the one that counts. */
TEST(Measuring, TakesTheBestOfAFew) {
    HostDeviceOptions options = devices_of({});
    int n = 0;
    options.cost = [&n](int, const std::string &what, double amount) {
        if (what == "score") return 2e-9 * amount * (n++ % 3 == 0 ? 5 : 1);
        return what == "fill" || what == "mark" ? 0.0 : 1e-12 * amount + 1e-6;
    };
    HostDevices devices(options);
    EXPECT_LT(measured(devices).candidate_seconds, 4e-9);
}

TEST(Measuring, LeavesOutWhatADeviceHasNot) {
    HostDeviceOptions options = devices_of({});
    options.lacks[PKIN_I_GPU_FILTER_FUSED] = options.lacks[PKIN_I_GPU_FILTER_GEMM32] = true;
    HostDevices devices(options);
    const pkin_i_gpu_costs costs = measured(devices);
    EXPECT_EQ(costs.pair_seconds[PKIN_I_GPU_FILTER_FUSED][0], 0);
    EXPECT_EQ(costs.pair_seconds[PKIN_I_GPU_FILTER_GEMM32][2], 0);
    EXPECT_GT(costs.pair_seconds[PKIN_I_GPU_FILTER_GEMM8][1], 0);
    EXPECT_GT(costs.pair_seconds[PKIN_I_GPU_FILTER_DP4A][1], 0);
    EXPECT_EQ(devices.faults(), "");
}

/* Every call that can fail does so once: the failure is told, nothing is held, nothing is remembered. */
TEST(Measuring, EndsWellWhateverFails) {
    TemporaryFolder folder;
    Variable cache("PAPERKIN_CACHE_DIR", folder.str().c_str());
    long n_calls = 0;
    {
        HostDeviceOptions options = devices_of({});
        options.lacks[PKIN_I_GPU_FILTER_FUSED] = true;
        HostDevices devices(options);
        measured(devices);
        n_calls = devices.n_calls();
    }
    ASSERT_GT(n_calls, 50);
    for (bool late : {false, true}) {
        for (long n = 0; n < n_calls; n += n < 40 ? 1 : 31) {
            HostDeviceOptions options = devices_of({});
            options.lacks[PKIN_I_GPU_FILTER_FUSED] = true;
            options.fail_at = n;
            options.tell_late = late;
            HostDevices devices(options);
            pkin_i_gpu_costs costs = {};
            costs.start_seconds = -7;
            const pkin_status status = pkin_i_gpu_costs_measure(devices.driver(), 0, &costs);
            if (status == PKIN_OK) continue; /* told by nothing that came after, or the workspace could be less */
            EXPECT_EQ(costs.start_seconds, -7) << n;
            EXPECT_NE(std::string(pkin_last_error()), "") << n;
            EXPECT_EQ(devices.faults(), "") << n;
        }
    }
    EXPECT_TRUE(folder.names().empty());
}

TEST(Measuring, DoesWithLessMemoryThanFiltersWish) {
    HostDeviceOptions options = devices_of({});
    options.memory_bytes = UINT64_C(60) << 20;
    options.workspace_bytes = UINT64_C(32) << 20;
    HostDevices devices(options);
    EXPECT_GT(measured(devices).pair_seconds[PKIN_I_GPU_FILTER_GEMM32][0], 0);
    EXPECT_EQ(devices.faults(), "");
}

/* ---- Remembering ---- */

struct Cache : ::testing::Test {
    TemporaryFolder folder;
    Variable variable{"PAPERKIN_CACHE_DIR", (folder.str() + "/deep/er").c_str()};

    std::string path(const pkin_i_gpu_info &info) {
        char *found = nullptr;
        EXPECT_EQ(pkin_i_gpu_costs_path(&info, &found), PKIN_OK);
        std::string out = found ? found : "";
        pkin_i_free(found);
        return out;
    }
};

TEST_F(Cache, IsReadBack) {
    HostDevices devices(devices_of({}));
    const pkin_i_gpu_info info = info_of(devices);
    const pkin_i_gpu_costs costs = measured(devices);
    pkin_i_gpu_costs found = {};
    EXPECT_FALSE(pkin_i_gpu_costs_recall(path(info).c_str(), &info, &found));
    pkin_i_gpu_costs_remember(path(info).c_str(), &info, &costs);
    ASSERT_TRUE(pkin_i_gpu_costs_recall(path(info).c_str(), &info, &found)) << read_bytes(path(info));
    EXPECT_NEAR(found.start_seconds / costs.start_seconds, 1, 1e-5);
    EXPECT_NEAR(found.candidate_seconds / costs.candidate_seconds, 1, 1e-5);
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) {
            EXPECT_NEAR(found.pair_seconds[f][d] / costs.pair_seconds[f][d], 1, 1e-5);
        }
    }
}

TEST_F(Cache, IsOfOneDeviceDriverAndRuntime) {
    HostDevices devices(devices_of({}));
    const pkin_i_gpu_info info = info_of(devices);
    const pkin_i_gpu_costs costs = measured(devices);
    pkin_i_gpu_costs found = {};
    const std::string file = path(info);
    pkin_i_gpu_costs_remember(file.c_str(), &info, &costs);
    for (int change = 0; change < 4; change++) {
        pkin_i_gpu_info other = info;
        if (change == 0) other.uuid[0] ^= 1;
        if (change == 1) other.driver_version += 10;
        if (change == 2) other.runtime_version += 10;
        if (change == 3) other.name[0] ^= 1;
        EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &other, &found)) << change;
    }
    pkin_i_gpu_info another = info;
    another.uuid[5] ^= 1;
    EXPECT_NE(path(another), file);
}

/* A filter that was not there when the device was measured. */
TEST_F(Cache, IsNoGoodForAFilterThatCameLater) {
    HostDeviceOptions options = devices_of({});
    options.lacks[PKIN_I_GPU_FILTER_GEMM8] = true;
    HostDevices devices(options);
    pkin_i_gpu_info info = info_of(devices);
    const pkin_i_gpu_costs costs = measured(devices);
    pkin_i_gpu_costs found = {};
    pkin_i_gpu_costs_remember(path(info).c_str(), &info, &costs);
    EXPECT_TRUE(pkin_i_gpu_costs_recall(path(info).c_str(), &info, &found));
    info.has_filter[PKIN_I_GPU_FILTER_GEMM8] = 1;
    EXPECT_FALSE(pkin_i_gpu_costs_recall(path(info).c_str(), &info, &found));
}

/* Any byte that changes, goes or is added makes it useless, and nothing worse. */
TEST_F(Cache, BearsAnyDamage) {
    HostDevices devices(devices_of({}));
    const pkin_i_gpu_info info = info_of(devices);
    const pkin_i_gpu_costs costs = measured(devices);
    const std::string file = path(info);
    pkin_i_gpu_costs found = {};
    pkin_i_gpu_costs_remember(file.c_str(), &info, &costs);
    const std::string good = read_bytes(file);
    ASSERT_GT(good.size(), 200u);
    for (size_t at = 0; at < good.size(); at += 3) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << at % 7));
        write_bytes(file, bad);
        EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found)) << at;
        write_bytes(file, good.substr(0, at));
        EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found)) << at;
    }
    for (const std::string &bad :
         {good + "x", good + std::string(1, '\0'), std::string(100000, 'a'), std::string(3000, '\0')}) {
        write_bytes(file, bad);
        EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found));
    }
    std::filesystem::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found));
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_FALSE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found));
    pkin_i_gpu_costs_remember(file.c_str(), &info, &costs); /* cannot, and says nothing */
    std::filesystem::remove(file);
    write_bytes(file, good);
    EXPECT_TRUE(pkin_i_gpu_costs_recall(file.c_str(), &info, &found));
}

TEST(CachePath, FollowsTheEnvironment) {
    pkin_i_gpu_info info = {};
    snprintf(info.uuid, sizeof info.uuid, "GPU-12/..34");
    Variable own("PAPERKIN_CACHE_DIR", nullptr), caches("XDG_CACHE_HOME", nullptr), home("HOME", nullptr);
    auto path = [&] {
        char *found = nullptr;
        EXPECT_EQ(pkin_i_gpu_costs_path(&info, &found), PKIN_OK);
        std::string out = found ? found : "none";
        pkin_i_free(found);
        return out;
    };
    EXPECT_EQ(path(), "none");
    setenv("HOME", "/h", 1);
    EXPECT_EQ(path(), "/h/.cache/paperkin/gpu-GPU-12---34.txt");
    setenv("XDG_CACHE_HOME", "relative", 1); /* to be ignored, says its specification */
    EXPECT_EQ(path(), "/h/.cache/paperkin/gpu-GPU-12---34.txt");
    setenv("XDG_CACHE_HOME", "/c", 1);
    EXPECT_EQ(path(), "/c/paperkin/gpu-GPU-12---34.txt");
    setenv("PAPERKIN_CACHE_DIR", "", 1);
    EXPECT_EQ(path(), "/c/paperkin/gpu-GPU-12---34.txt");
    setenv("PAPERKIN_CACHE_DIR", "own", 1);
    EXPECT_EQ(path(), "own/gpu-GPU-12---34.txt");
    info.uuid[0] = '\0';
    EXPECT_EQ(path(), "none");
}

/* ---- What the plan is told ---- */

TEST_F(Cache, SpeedsAreMeasuredOnce) {
    HostDevices devices(devices_of({}));
    pkin_i_speeds first = {}, second = {};
    ASSERT_EQ(pkin_i_gpu_speeds(devices.driver(), nullptr, "auto", &first), PKIN_OK) << pkin_last_error();
    const long n_opened = devices.n_calls("open");
    EXPECT_EQ(n_opened, 1);
    ASSERT_EQ(pkin_i_gpu_speeds(devices.driver(), nullptr, nullptr, &second), PKIN_OK);
    EXPECT_EQ(devices.n_calls("open"), n_opened);
    EXPECT_EQ(first.n_filters, static_cast<size_t>(PKIN_I_GPU_N_FILTERS));
    EXPECT_EQ(second.n_filters, first.n_filters);
    EXPECT_EQ(first.n_devices, 1);
    EXPECT_STREQ(first.device, info_of(devices).name);
    for (size_t f = 0; f < first.n_filters; f++) {
        EXPECT_STREQ(first.filters[f].name, pkin_i_gpu_filter_name(static_cast<pkin_i_gpu_filter>(f)));
        EXPECT_EQ(first.filters[f].joins_only, f == PKIN_I_GPU_FILTER_GEMM8);
        EXPECT_NEAR(second.filters[f].pair_seconds[1] / first.filters[f].pair_seconds[1], 1, 1e-5);
    }
    EXPECT_EQ(devices.faults(), "");
}

TEST_F(Cache, SpeedsOfOneFilterAreThoseOfNoOther) {
    HostDeviceOptions options = devices_of({});
    options.lacks[PKIN_I_GPU_FILTER_FUSED] = true;
    HostDevices devices(options);
    pkin_i_speeds speeds = {};
    ASSERT_EQ(pkin_i_gpu_speeds(devices.driver(), "0", "dp4a", &speeds), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(speeds.n_filters, 1u);
    EXPECT_STREQ(speeds.filters[0].name, "dp4a");
    EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), "0", "fused", &speeds), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("fused"), std::string::npos) << pkin_last_error();
    EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), "0", "abacus", &speeds), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), "0,x", nullptr, &speeds), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), "3", nullptr, &speeds), PKIN_ERROR_UNSUPPORTED);
}

/* Several devices share the work: rates are those of the slowest, and only one of a kind is measured. */
TEST_F(Cache, SpeedsOfSeveralDevices) {
    HostDeviceOptions options = devices_of({});
    options.n_devices = 3;
    HostDevices devices(options);
    pkin_i_speeds one = {}, all = {};
    ASSERT_EQ(pkin_i_gpu_speeds(devices.driver(), "0", nullptr, &one), PKIN_OK);
    ASSERT_EQ(pkin_i_gpu_speeds(devices.driver(), "all", nullptr, &all), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(all.n_devices, 3);
    EXPECT_GT(all.start_seconds, one.start_seconds); /* one after another */
    EXPECT_NEAR(all.filters[0].pair_seconds[0] / one.filters[0].pair_seconds[0], 1, 1e-5);
    EXPECT_EQ(all.memory_bytes, one.memory_bytes);
}

/* A folder that nothing can be written to costs a measurement each time, and nothing else. */
TEST(CacheFolder, MayBeMissingOrUnwritable) {
    for (const char *where : {"/dev/null/no", "/proc/no/such"}) {
        Variable cache("PAPERKIN_CACHE_DIR", where);
        HostDevices devices(devices_of({}));
        pkin_i_speeds speeds = {};
        EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), nullptr, nullptr, &speeds), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(pkin_i_gpu_speeds(devices.driver(), nullptr, nullptr, &speeds), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(devices.n_calls("open"), 2);
    }
}

/* ---- Check and list ---- */

TEST(Devices, AreListedWithWhatTheyCanDo) {
    HostDeviceOptions options;
    options.n_devices = 3;
    options.unusable = {1};
    options.lacks[PKIN_I_GPU_FILTER_FUSED] = true;
    HostDevices devices(options);
    pkin_device_list list = {};
    ASSERT_EQ(pkin_i_gpu_list(devices.driver(), &list), PKIN_OK);
    ASSERT_EQ(list.n_devices, 3u);
    for (int index = 0; index < 3; index++) {
        const pkin_device &device = list.devices[index];
        EXPECT_EQ(device.index, index);
        EXPECT_EQ(device.can_run, index != 1);
        EXPECT_EQ(device.why_not[0] != '\0', index == 1);
        if (index == 1) continue;
        EXPECT_NE(device.name[0], '\0');
        ASSERT_EQ(device.n_filters, static_cast<size_t>(PKIN_I_GPU_N_FILTERS));
        for (size_t f = 0; f < device.n_filters; f++) {
            EXPECT_EQ(device.filters[f].can_run, f != PKIN_I_GPU_FILTER_FUSED);
            EXPECT_EQ(device.filters[f].why_not[0] != '\0', f == PKIN_I_GPU_FILTER_FUSED);
        }
    }
    pkin_device_list_free(&list);
    EXPECT_EQ(list.devices, nullptr);
    pkin_device_list_free(nullptr);
    EXPECT_EQ(pkin_i_gpu_check(devices.driver()), PKIN_OK);
}

TEST(Devices, NoneThatCanBeUsed) {
    HostDeviceOptions options;
    options.n_devices = 0;
    {
        HostDevices devices(options);
        pkin_device_list list = {};
        EXPECT_EQ(pkin_i_gpu_check(devices.driver()), PKIN_ERROR_UNSUPPORTED);
        ASSERT_EQ(pkin_i_gpu_list(devices.driver(), &list), PKIN_OK);
        EXPECT_EQ(list.n_devices, 0u);
        pkin_device_list_free(&list);
    }
    options.n_devices = 1;
    options.unusable = {0};
    HostDevices devices(options);
    EXPECT_EQ(pkin_i_gpu_check(devices.driver()), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()), "");
}

} // namespace
