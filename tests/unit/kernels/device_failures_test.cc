/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever fails, at the device or in the host's memory: the status says so, the message why, and nothing is left. */
#include <atomic>
#include <chrono>
#include <thread>

#include "gpu_session_support.h"
#include "support/allocation_failures.h"

namespace {

const uint64_t REACH = pkin_score_from_threshold(0.3);

struct Job {
    const pkin_vectors *a, *b;
    GpuWay way;
    int n_devices = 1;
};

/* All rows on the device; or in shards that come and go, on two devices, with overflow. */
std::vector<Job> jobs(const pkin_vectors *a, const pkin_vectors *b) {
    Job plain = {a, b, GpuWay()}, cut = {a, nullptr, GpuWay(), 2};
    cut.way.devices = "0,1";
    cut.way.filter = PKIN_I_GPU_FILTER_GEMM32;
    cut.way.tuning.shard_rows = 256;
    cut.way.tuning.shard_slots = 2;
    cut.way.tuning.item_pairs = 1 << 16;
    cut.way.tuning.capacity = 5000;
    cut.way.tuning.pairs_room = 2000;
    return {plain, cut};
}

bool is_device_failure(pkin_status status) {
    return status == PKIN_ERROR_DEVICE || status == PKIN_ERROR_OUT_OF_MEMORY || status == PKIN_ERROR_UNSUPPORTED;
}

void expect_why(const std::string &message) {
    EXPECT_TRUE(message.find("was made to fail") != std::string::npos ||
                message.find("something failed before") != std::string::npos ||
                message.find("it is broken") != std::string::npos)
        << message;
}

struct Mode {
    bool late, broken;
};

void expect_clean_device_failures(const Job &job, Mode mode, const std::vector<Scored> &expected) {
    long n_failed = 0;
    for (long fail_at = 0;; fail_at += mode.broken ? 3 : 1) {
        HostDeviceOptions options;
        options.n_devices = job.n_devices;
        options.fail_at = fail_at;
        options.tell_late = mode.late;
        options.stays_broken = mode.broken;
        HostDevices devices(options);
        pkin_status status;
        bool reached;
        {
            GpuSession session(devices.driver(), job.a, job.b, job.way);
            ASSERT_EQ(session.status != PKIN_OK, session.opened == nullptr);
            const std::vector<Scored> pairs = session.join(REACH);
            status = session.status;
            if (status != PKIN_OK) expect_why(pkin_last_error());
            reached = devices.n_calls() > fail_at;
            ASSERT_TRUE(status != PKIN_OK || pairs == expected);
        }
        ASSERT_EQ(devices.faults(), "") << "call " << fail_at;
        ASSERT_EQ(is_device_failure(status), reached) << "call " << fail_at << ": " << pkin_status_name(status);
        if (!reached) break;
        n_failed++;
        ASSERT_LT(fail_at, 5000);
    }
    EXPECT_GT(n_failed, mode.broken ? 12 : 40);
}

TEST(GpuFailures, EveryCallOfTheDeviceMayFail) {
    TestVectors v(random_matrix({530, 100, 12}, 1)), w(random_matrix({40, 100, 12}, 2));
    for (const Job &job : jobs(v.vectors, w.vectors)) {
        const std::vector<Scored> expected = oracle_join(job.a, job.b, REACH);
        for (Mode mode : {Mode{false, false}, Mode{true, false}, Mode{false, true}, Mode{true, true}}) {
            SCOPED_TRACE(testing::Message()
                         << job.n_devices << " devices, late " << mode.late << ", broken " << mode.broken);
            expect_clean_device_failures(job, mode, expected);
        }
    }
}

TEST(GpuFailures, EveryAllocationOfTheHostMayFail) {
    TestVectors v(random_matrix({530, 100, 12}, 1)), w(random_matrix({40, 100, 12}, 2));
    for (const Job &job : jobs(v.vectors, w.vectors)) {
        expect_clean_failures([&] {
            HostDeviceOptions options;
            options.n_devices = job.n_devices;
            HostDevices devices(options);
            pkin_status status;
            {
                GpuSession session(devices.driver(), job.a, job.b, job.way);
                session.join(REACH);
                status = session.status;
            }
            EXPECT_EQ(devices.faults(), "");
            return status;
        });
    }
}

/* A failed join leaves the session as it was: where the device goes on, so does the session. */
TEST(GpuFailures, TheNextJoinMayGoWell) {
    TestVectors v(random_matrix({530, 100, 12}, 1));
    const Job job = jobs(v.vectors, nullptr)[1];
    const std::vector<Scored> expected = oracle_join(job.a, nullptr, REACH);
    HostDeviceOptions options;
    options.n_devices = job.n_devices;
    long n_opening;
    {
        HostDevices devices(options);
        GpuSession session(devices.driver(), job.a, nullptr, job.way);
        n_opening = devices.n_calls();
    }
    for (long n = 0; n < 60; n += 3) {
        options.fail_at = n_opening + n;
        HostDevices devices(options);
        GpuSession session(devices.driver(), job.a, nullptr, job.way);
        ASSERT_EQ(session.status, PKIN_OK);
        session.join(REACH);
        ASSERT_TRUE(is_device_failure(session.status)) << n;
        session.status = PKIN_OK;
        ASSERT_EQ(session.join(REACH), expected);
        ASSERT_EQ(session.status, PKIN_OK);
        session.close();
        ASSERT_EQ(devices.faults(), "");
    }
}

/* ---- Cancelling, and progress ---- */

struct Progress {
    std::thread::id caller = std::this_thread::get_id();
    long n_calls = 0, cancel_at = -1;
    std::vector<uint64_t> done;
    uint64_t total = 0;
    bool wrong_thread = false;
};

int on_progress(void *user, const char *stage, uint64_t done, uint64_t total) {
    Progress *progress = static_cast<Progress *>(user);
    progress->wrong_thread |= std::this_thread::get_id() != progress->caller || std::string(stage) != "comparing";
    progress->done.push_back(done);
    progress->total = total;
    return progress->n_calls++ == progress->cancel_at;
}

TEST(GpuFailures, AnyReportMayCancel) {
    TestVectors v(random_matrix({530, 100, 12}, 1)), w(random_matrix({40, 100, 12}, 2));
    for (Job job : jobs(v.vectors, w.vectors)) {
        job.way.on_progress = on_progress;
        const std::vector<Scored> expected = oracle_join(job.a, job.b, REACH);
        for (long cancel_at = 0; cancel_at < 40; cancel_at++) {
            Progress progress;
            progress.cancel_at = cancel_at;
            job.way.progress_user = &progress;
            HostDeviceOptions options;
            options.n_devices = job.n_devices;
            HostDevices devices(options);
            GpuSession session(devices.driver(), job.a, job.b, job.way);
            const std::vector<Scored> pairs = session.join(REACH);
            const bool cancels = progress.n_calls > cancel_at;
            ASSERT_EQ(session.status, cancels ? PKIN_ERROR_CANCELLED : PKIN_OK) << pkin_last_error();
            ASSERT_EQ(progress.n_calls, cancels ? cancel_at + 1 : progress.n_calls);
            ASSERT_TRUE(cancels || pairs == expected);
            session.close();
            ASSERT_EQ(devices.faults(), "");
        }
    }
}

TEST(GpuFailures, ProgressCountsThePairs) {
    TestVectors v(random_matrix({530, 100, 12}, 1)), w(random_matrix({40, 100, 12}, 2));
    for (Job job : jobs(v.vectors, w.vectors)) {
        Progress progress;
        job.way.on_progress = on_progress;
        job.way.progress_user = &progress;
        HostDeviceOptions options;
        options.n_devices = job.n_devices;
        HostDevices devices(options);
        GpuSession session(devices.driver(), job.a, job.b, job.way);
        session.join(REACH);
        ASSERT_EQ(session.status, PKIN_OK);
        EXPECT_FALSE(progress.wrong_thread);
        EXPECT_TRUE(std::is_sorted(progress.done.begin(), progress.done.end()));
        EXPECT_EQ(progress.done.front(), 0u);
        EXPECT_EQ(progress.done.back(), progress.total);
        EXPECT_EQ(progress.total, session.task.n_pairs_total);
    }
}

/* While one worker's download and its host's work go on, the other's kernels run: two threads are at work, and a slow
   one holds the other up no longer than it must. */
TEST(GpuFailures, WorkersWorkBesideOneAnother) {
    TestVectors v(random_matrix({1500, 100, 12}, 3));
    std::atomic<int> n_waiting{0}, most_waiting{0};
    HostDeviceOptions options;
    options.on_call = [&](const std::string &what) {
        if (what != "wait") return;
        int now = ++n_waiting, most = most_waiting;
        while (now > most && !most_waiting.compare_exchange_weak(most, now)) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        n_waiting--;
    };
    HostDevices devices(options);
    GpuWay way;
    way.tuning.item_pairs = 1 << 16;
    GpuSession session(devices.driver(), v.vectors, nullptr, way);
    EXPECT_EQ(session.join(REACH), oracle_join(v.vectors, nullptr, REACH));
    EXPECT_EQ(most_waiting, 2);
}

} // namespace
