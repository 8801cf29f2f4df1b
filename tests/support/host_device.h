/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_HOST_DEVICE_H
#define PKIN_TESTS_SUPPORT_HOST_DEVICE_H

/*
 * Devices that are none: a driver (kernels/gpu_device.h) whose memory is the host's and whose kernels are plain loops,
 * the oracle of others. They do what a GPU may do and tests must bear: memory is little and comes dirty, work runs no
 * earlier than its queue is waited for (so that whoever reads a result or writes over an input too early is found out),
 * any call may fail, at once or told later. And they see misuse: addresses outside of memory, a queue with two threads,
 * what was never released.
 */
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/gpu_device.h"

/* What runs on the device, in the place of kernels. The structs, and those they point to, are copies that live long. */
struct HostKernels {
    void (*sketch)(const pkin_i_gpu_rows &rows, const uint16_t *buckets);
    void (*sample)(const pkin_i_gpu_rows &rows, uint64_t stride, const pkin_i_gpu_rows &sample);
    void (*filter)(const pkin_i_gpu_filter_work &work);
    void (*score)(const pkin_i_gpu_score_work &work);
    void (*heaps_begin)(const pkin_i_gpu_heaps &heaps, uint64_t min_score);
    void (*seed)(const pkin_i_gpu_seed_work &work);
    void (*exhaust)(const pkin_i_gpu_exhaust_work &work);
    void (*finish)(const pkin_i_gpu_heaps &heaps, const uint32_t *listed, uint32_t n_listed);
};
HostKernels host_kernels(); /* the plain loops */

struct HostDeviceOptions {
    int n_devices = 1;
    uint64_t memory_bytes = UINT64_C(256) << 20; /* of each */
    std::vector<int> unusable;                   /* whose info fails */
    bool lacks[PKIN_I_GPU_N_FILTERS] = {};       /* filters that no device has */
    uint64_t workspace_bytes = 1 << 16;          /* that gemm8 and gemm32 ask for */
    long fail_at = -1;                           /* which call that can fail does so, counted from 0; -1: none */
    bool tell_late = false;                      /* a failing copy or kernel is told by a later call */
    bool stays_broken = false;                   /* as a GPU whose kernel failed: all later calls fail, too */
    bool defer = true;                           /* work runs when it is waited for */
    HostKernels kernels = host_kernels();
    /* Seconds on the device's clock of "filter" (operations: 2 * pairs * dimension), "score" (candidates), "up",
       "down", "fill" (bytes) and other kernels (0), by device. Unset: as long as they took here. */
    std::function<double(int device, const std::string &what, double amount)> cost;
    /* Called before every call that can fail, with its name; may be slow, or note things. */
    std::function<void(const std::string &what)> on_call;
};

class HostDevices;

struct pkin_i_gpu {
    HostDevices *owner;
    int index;
    uint64_t held = 0; /* bytes */
    pkin_status broken = PKIN_OK;
    pkin_status late = PKIN_OK; /* to be told by the next call */
    std::vector<pkin_i_gpu_queue *> queues;
    std::recursive_mutex running; /* one piece of work at a time */
};

struct pkin_i_gpu_queue {
    pkin_i_gpu *gpu;
    std::vector<std::function<void()>> work; /* not done yet */
    double clock = 0, marks[2] = {0, 0};
    bool is_marked[2] = {false, false};
    std::atomic<int> n_inside{0};
};

/* At most one at a time in the program. */
class HostDevices {
  public:
    explicit HostDevices(const HostDeviceOptions &options = {});
    ~HostDevices();
    HostDevices(const HostDevices &) = delete;
    HostDevices &operator=(const HostDevices &) = delete;

    const pkin_i_gpu_driver *driver() const;
    const HostDeviceOptions &options() const {
        return options_;
    }
    /* Calls so far, by name of the driver's member; of those that can fail, all. */
    long n_calls(const std::string &what) const;
    long n_calls() const;
    uint64_t most_held() const; /* bytes, of the device that held most */
    /* What was done wrong, a line each, with what is still held; "" is as it should be. */
    std::string faults();

    /* For the driver's functions. */
    pkin_status enter(pkin_i_gpu *gpu, const char *what, pkin_status failure, bool is_work);
    pkin_status put(pkin_i_gpu_queue *queue, const char *what, double amount, std::function<void()> work);
    void run_all(pkin_i_gpu_queue *queue);
    void fault(const std::string &what);
    /* Whether [at, at + n_bytes) is memory of the device. */
    bool holds(const pkin_i_gpu *gpu, const void *at, uint64_t n_bytes, const char *what);

    struct Block {
        std::unique_ptr<unsigned char, void (*)(void *)> memory;
        uint64_t n_bytes;
        const pkin_i_gpu *gpu;
        bool is_host;
    };
    void note_held(uint64_t n_bytes) { /* with the lock */
        if (n_bytes > most_held_) most_held_ = n_bytes;
    }
    mutable std::mutex lock;
    std::map<uintptr_t, Block> blocks;
    int n_open = 0;

  private:
    HostDeviceOptions options_;
    std::map<std::string, long> calls_;
    long n_fallible_ = 0;
    uint64_t most_held_ = 0;
    std::vector<std::string> faults_;
};

#endif
