/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_GPU_SESSION_SUPPORT_H
#define PKIN_TESTS_GPU_SESSION_SUPPORT_H

/* Sessions of the pipeline on devices of the host, for tests of what stands above the devices. */
#include <gtest/gtest.h>

#include "support/host_device.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "kernels/gpu_engine.h"
}

/* Memory of the host's devices is filled when it is had: little of it keeps tests short. */
inline pkin_i_gpu_tuning small_buffers() {
    pkin_i_gpu_tuning tuning = {};
    tuning.capacity = 1 << 16;
    tuning.pairs_room = 1 << 12;
    tuning.stage_pairs = 1000;
    return tuning;
}

/* How a session is opened. */
struct GpuWay {
    pkin_i_gpu_filter filter = PKIN_I_GPU_FILTER_DP4A;
    uint32_t dimension = 64;
    double expected = 0; /* candidates, by the plan */
    const char *devices = nullptr;
    pkin_i_gpu_tuning tuning = small_buffers();
    pkin_progress_fn on_progress = nullptr;
    void *progress_user = nullptr;
};

inline std::ostream &operator<<(std::ostream &out, const GpuWay &way) {
    return out << pkin_i_gpu_filter_name(way.filter) << ", d " << way.dimension << ", shards of "
               << way.tuning.shard_rows << " in " << way.tuning.shard_slots << " slots, capacity "
               << way.tuning.capacity << ", scored by " << way.tuning.pairs_room << ", items of "
               << way.tuning.item_pairs;
}

struct GpuSession {
    pkin_i_outcome outcome = {};
    pkin_i_task task = {};
    void *opened = nullptr;
    pkin_status status;

    GpuSession(const pkin_i_gpu_driver *driver, const pkin_vectors *a, const pkin_vectors *b, const GpuWay &way) {
        pkin_i_plan plan = {};
        plan.method = PKIN_I_METHOD_SKETCH;
        plan.filter = way.filter;
        plan.dimension = way.dimension;
        plan.strip_rows = UINT64_MAX;
        plan.candidates.middle = way.expected;
        task.a = a;
        task.b = b;
        task.n_threads = 2;
        task.devices = way.devices;
        task.on_progress = way.on_progress;
        task.progress_user = way.progress_user;
        task.outcome = &outcome;
        task.n_pairs_total = pkin_i_task_pairs(&task, 0, b ? b->n_rows : a->n_rows);
        status = pkin_i_gpu_open(driver, &task, &plan, &way.tuning, &opened);
    }
    ~GpuSession() {
        close();
    }
    void close() {
        pkin_i_gpu_close(opened);
        opened = nullptr;
    }
    GpuSession(const GpuSession &) = delete;
    GpuSession &operator=(const GpuSession &) = delete;

    /* Pairs with columns [first, last), in order; `status` tells how it went. */
    std::vector<Scored> join(uint64_t first, uint64_t last, uint64_t min_score) {
        pkin_i_pair_sink *sink = nullptr;
        if (status == PKIN_OK) status = pkin_i_pair_sink_open(&sink);
        if (status == PKIN_OK) status = pkin_i_gpu_join(opened, first, last, min_score, sink);
        std::vector<Scored> pairs;
        if (sink) {
            pkin_pair_list list = {};
            pkin_i_pair_sink_take(sink, &list);
            for (uint64_t p = 0; p < list.n_pairs; p++) {
                pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
            }
            pkin_pair_list_free(&list);
        }
        pkin_i_pair_sink_close(sink);
        std::sort(pairs.begin(), pairs.end());
        return pairs;
    }
    std::vector<Scored> join(uint64_t min_score) {
        return join(0, task.b ? task.b->n_rows : task.a->n_rows, min_score);
    }
};

#endif
