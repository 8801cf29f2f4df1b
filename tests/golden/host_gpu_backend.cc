/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The backend "cuda" of a program for tests, on devices that are none: what the command line says of GPUs can be seen
 * on any machine. PAPERKIN_TEST_GPUS devices (1) with PAPERKIN_TEST_GPU_BYTES of memory each (256 MB), without the
 * filter fused where PAPERKIN_TEST_GPU_OLD is set.
 */
#include <cstdlib>

#include "support/host_device.h"

extern "C" {
#include "kernels/cuda_backend.h"
#include "kernels/gpu_engine.h"
#include "kernels/gpu_speeds.h"
}

namespace {

uint64_t number(const char *name, uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

const pkin_i_gpu_driver *driver() {
    static HostDevices *devices = [] {
        HostDeviceOptions options;
        options.n_devices = static_cast<int>(number("PAPERKIN_TEST_GPUS", 1));
        options.memory_bytes = number("PAPERKIN_TEST_GPU_BYTES", options.memory_bytes);
        options.lacks[PKIN_I_GPU_FILTER_FUSED] = number("PAPERKIN_TEST_GPU_OLD", 0) != 0;
        options.cost = [](int, const std::string &, double amount) { return 1e-15 * amount; };
        return new HostDevices(options);
    }();
    return devices->driver();
}

pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    return pkin_i_gpu_open(driver(), task, plan, nullptr, session);
}

const pkin_i_engine *engine(pkin_i_method method) {
    static const pkin_i_engine sketch = {open_session, pkin_i_gpu_join, pkin_i_gpu_top_k, pkin_i_gpu_close};
    return method == PKIN_I_METHOD_SKETCH ? &sketch : nullptr;
}

pkin_status check() {
    return pkin_i_gpu_check(driver());
}

pkin_status devices(pkin_device_list *out) {
    return pkin_i_gpu_list(driver(), out);
}

pkin_status speeds(const char *wanted, const char *filter, pkin_i_speeds *out) {
    return pkin_i_gpu_speeds(driver(), wanted, filter, out);
}

} // namespace

extern "C" const pkin_i_backend pkin_i_cuda_backend = {"cuda", "GPUs that are none", engine, check, devices, speeds};
