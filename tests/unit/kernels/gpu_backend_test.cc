/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From the request to the report with a backend of GPUs that are none (support/host_device.h): measured, planned by
 * what was measured, opened, joined; and what happens where they have too little.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "support/host_device.h"
#include "support/similarity_oracle.h"
#include "support/temporary_folder.h"

extern "C" {
#include "kernels/gpu_engine.h"
#include "kernels/gpu_speeds.h"
#include "paperkin/generate.h"
#include "similarity/cpu_backend.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/policy.h"
}

namespace {

/* ---- The backend, bound to whatever devices there are in a test ---- */

const pkin_i_gpu_driver *driver;

pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    return pkin_i_gpu_open(driver, task, plan, nullptr, session);
}

const pkin_i_engine *engine(pkin_i_method method) {
    static const pkin_i_engine sketch = {open_session, pkin_i_gpu_join, pkin_i_gpu_top_k, pkin_i_gpu_close};
    return method == PKIN_I_METHOD_SKETCH ? &sketch : nullptr;
}

pkin_status check() {
    return pkin_i_gpu_check(driver);
}

pkin_status devices(pkin_device_list *out) {
    return pkin_i_gpu_list(driver, out);
}

pkin_status speeds(const char *wanted, const char *filter, pkin_i_speeds *out) {
    return pkin_i_gpu_speeds(driver, wanted, filter, out);
}

const pkin_i_backend gpu_backend = {"gpu", "GPUs that are none", engine, check, devices, speeds};
const pkin_i_backend *const both[] = {&pkin_i_cpu_backend, &gpu_backend}, *const alone[] = {&gpu_backend};

/* A clock by which the devices are as fast as may be, so that a plan takes them for anything. */
HostDeviceOptions fast_devices(int n_devices = 1) {
    HostDeviceOptions options;
    options.n_devices = n_devices;
    options.cost = [](int, const std::string &, double amount) { return 1e-16 * amount; };
    return options;
}

/* What a test asks for. */
struct Asked {
    const pkin_i_backend *const *backends;
    size_t n_backends;
    const char *filter = "auto", *devices = "auto";
    uint32_t dimension = 0, k = 0;
};

struct GpuBackend : ::testing::Test {
    TemporaryFolder cache;
    pkin_vectors *rows = nullptr;
    pkin_similarity_report report = pkin_similarity_report_default();

    GpuBackend() {
        setenv("PAPERKIN_CACHE_DIR", cache.str().c_str(), 1);
        remember_fast_devices();
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = 500;
        options.copy_share = 0.01;
        EXPECT_EQ(pkin_vectors_generate(&options, &rows), PKIN_OK);
    }
    ~GpuBackend() override {
        pkin_vectors_free(rows);
        unsetenv("PAPERKIN_CACHE_DIR");
        driver = nullptr;
    }

    /* Measured without computing anything. */
    static void remember_fast_devices() {
        HostDeviceOptions options = fast_devices();
        options.kernels.sketch = [](const pkin_i_gpu_rows &, const uint16_t *) {};
        options.kernels.filter = [](const pkin_i_gpu_filter_work &) {};
        options.kernels.score = [](const pkin_i_gpu_score_work &) {};
        options.kernels.seed = [](const pkin_i_gpu_seed_work &) {};
        HostDevices host(options);
        pkin_i_speeds found;
        EXPECT_EQ(pkin_i_gpu_speeds(host.driver(), nullptr, nullptr, &found), PKIN_OK) << pkin_last_error();
    }
    static pkin_status search(pkin_i_work *work, uint32_t k, std::vector<Scored> *out) {
        const uint64_t n_rows = work->rows.task.a->n_rows;
        pkin_i_neighbor_heaps heaps;
        std::vector<pkin_neighbor> neighbors(n_rows * k);
        std::vector<uint32_t> counts(n_rows);
        EXPECT_EQ(pkin_i_neighbor_heaps_open(n_rows, k, 1, neighbors.data(), counts.data(), &heaps), PKIN_OK);
        const pkin_status status = work->engine->top_k(work->session, &heaps);
        pkin_i_neighbor_heaps_sort(&heaps, 1);
        pkin_i_neighbor_heaps_close(&heaps);
        for (uint32_t r = 0; r < n_rows; r++) {
            for (uint64_t n = 0; n < counts[r]; n++)
                out->push_back({neighbors[r * k + n].score, r, neighbors[r * k + n].row});
        }
        return status;
    }
    static pkin_status join(pkin_i_work *work, std::vector<Scored> *out) {
        pkin_i_pair_sink *sink = nullptr;
        pkin_pair_list list = {};
        EXPECT_EQ(pkin_i_pair_sink_open(&sink), PKIN_OK);
        const pkin_status status =
            work->engine->join(work->session, 0, work->rows.task.a->n_rows, work->rows.target.min_score, sink);
        pkin_i_pair_sink_take(sink, &list);
        for (uint64_t p = 0; p < list.n_pairs; p++) {
            out->push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
        }
        std::sort(out->begin(), out->end());
        pkin_pair_list_free(&list);
        pkin_i_pair_sink_close(sink);
        return status;
    }

    /* As pkin_similarity_join and _top_k do it, among groups of equal rows, with the backends of the test. In a plan's
       eyes the processor is a slow one, so that any work is large. */
    pkin_status run(const Asked &asked, std::vector<Scored> *out) {
        pkin_i_work work = {};
        pkin_similarity_options options = pkin_similarity_options_default();
        report = pkin_similarity_report_default();
        options.report = &report;
        options.n_threads = 2;
        options.dimension = asked.dimension;
        pkin_status status = pkin_i_work_take(rows, nullptr, asked.k, asked.k ? 0 : 0.3, 1, &options, &work);
        EXPECT_EQ(status, PKIN_OK);
        work.request.backends = asked.backends;
        work.request.n_backends = asked.n_backends;
        work.rows.task.devices = asked.devices;
        work.rows.wishes.gpu_filter = asked.filter;
        work.rows.wishes.isa = PKIN_I_ISA_PORTABLE;
        status = pkin_i_work_open(&work);
        if (status == PKIN_OK) status = asked.k ? search(&work, asked.k, out) : join(&work, out);
        pkin_i_work_end(&work);
        if (status == PKIN_OK) pkin_i_work_report(&work, out->size(), 0);
        pkin_i_work_close(&work);
        return status;
    }
    std::vector<Scored> found(const Asked &asked) {
        std::vector<Scored> out;
        EXPECT_EQ(run(asked, &out), PKIN_OK) << pkin_last_error();
        return out;
    }
};

TEST_F(GpuBackend, FindsWhatTheCpuFinds) {
    for (uint32_t k : {0u, 4u}) {
        const std::vector<Scored> expected = found({both, 1, "auto", "auto", 0, k});
        EXPECT_GT(expected.size(), 5u);
        EXPECT_STREQ(report.backend, "cpu");
        for (int n_devices : {1, 2}) {
            HostDevices host(fast_devices(n_devices));
            driver = host.driver();
            for (const char *filter : {"auto", "fused", "gemm8", "gemm32"}) {
                if (k && std::string(filter) == "gemm8") continue;
                EXPECT_EQ(found({alone, 1, filter, n_devices > 1 ? "all" : "0", 128, k}), expected) << filter;
                EXPECT_STREQ(report.backend, "gpu");
                if (std::string(filter) != "auto") {
                    EXPECT_STREQ(report.gpu_filter, filter);
                }
                EXPECT_EQ(report.dimension, 128u);
                EXPECT_EQ(report.n_devices, n_devices);
                EXPECT_NE(std::string(report.device), "");
                EXPECT_GT(report.moved_bytes, 8 * pkin_vectors_n_entries(rows) / 2);
                EXPECT_GT(report.device_bytes, 0u);
                EXPECT_STREQ(report.note, "");
            }
            EXPECT_EQ(host.faults(), "");
        }
    }
}

/* What was measured once is known to all later plans. */
TEST_F(GpuBackend, IsWeighedByWhatWasMeasured) {
    HostDevices host(fast_devices());
    driver = host.driver();
    pkin_i_plan_list plans = {};
    pkin_i_work work = {};
    for (int round = 0; round < 2; round++) {
        ASSERT_EQ(pkin_i_work_take(rows, nullptr, 0, 0.5, 0, nullptr, &work), PKIN_OK);
        /* Small work is not worth a look, so this is an explanation. */
        ASSERT_EQ(pkin_i_plan_weigh(&work.rows.task, both, 2, &work.rows.target, &work.rows.wishes, 1, &plans),
                  PKIN_OK);
        EXPECT_EQ(host.n_calls("open"), 0);
        EXPECT_STRNE(plans.device, "");
        EXPECT_STREQ(plans.note, "");
        bool has_gpu = false;
        for (size_t p = 0; p < plans.n_plans; p++) has_gpu |= plans.plans[p].backend == &gpu_backend;
        EXPECT_TRUE(has_gpu);
        pkin_i_plan_list_free(&plans);
        pkin_i_work_close(&work);
        work = {};
    }
    EXPECT_EQ(cache.names().size(), 1u);
    EXPECT_EQ(host.faults(), "");
}

/* A device without room: asked for it is an error that says what is missing. */
TEST_F(GpuBackend, SaysWhatMemoryIsMissing) {
    HostDeviceOptions options = fast_devices();
    options.memory_bytes = 1 << 20;
    HostDevices host(options);
    driver = host.driver();
    std::vector<Scored> none;
    EXPECT_EQ(run({alone, 1, "auto", "auto", 512}, &none), PKIN_ERROR_OUT_OF_MEMORY);
    EXPECT_NE(std::string(pkin_last_error()), "");
    EXPECT_EQ(host.faults(), "");
}

} // namespace
