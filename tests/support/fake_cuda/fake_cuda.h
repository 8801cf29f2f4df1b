/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_FAKE_CUDA_FAKE_CUDA_H
#define PKIN_TESTS_FAKE_CUDA_FAKE_CUDA_H

/*
 * A CUDA runtime and cuBLASLt that run on the host, to test the device's own files (kernels/cuda_*) and its launches
 * without a GPU: memory is the host's, kernels run in the emulator (support/simt/simt.h), products are plain loops.
 *
 * Streams are lazy, as far as CUDA allows them to be: what is put into one runs at the latest when somebody waits for
 * it, and before that now and then, by a seeded generator. So what reads a result too early, or writes over the source
 * of a copy that is still to come, is found out. Any call may fail, by its number; a kernel may fail, which the
 * stream's next waits tell, and from then on every call. What is asked for with wrong arguments (memory that is none, a
 * stream that is gone, a grid that no GPU takes) ends the program with a message; so does what was not released (at
 * `end`).
 */
#include <cstdint>
#include <set>
#include <string>

#include "kernels/gpu_device.h"

/* The driver of cuda_driver.h, on the fake runtime. */
extern "C" const pkin_i_gpu_driver pkin_i_cuda_driver;

struct FakeCuda {
    int n_devices = 1;
    int driver_version = 13000; /* 0: there is no driver */
    int major = 9, minor = 0;
    uint64_t memory_bytes = UINT64_C(256) << 20;             /* of each device */
    std::set<std::string> libraries = {"libcublasLt.so.13"}; /* that dlopen finds */
    bool cannot_start = false;                               /* a process forked from one that uses CUDA */
    bool lacks_code = false;
    long fail_at = -1;             /* which call that can fail does so, counted from 0 */
    long fail_kernel_at = -1;      /* which launched kernel goes wrong */
    bool runs_kernels = true;      /* false: they do nothing, memory is zero, and nothing is found: quick */
    bool is_fused_refused = false; /* the driver has no tensor maps */
};

namespace fake_cuda {
/* Begins anew: nothing may be left of what was before. */
void begin(const FakeCuda &options);
/* Fails the test with what was not released. Returns how many calls there were that can fail. */
long end();
long n_launches();
/* Whether the runtime remembers an error that nobody took out. */
bool remembers_error();
} // namespace fake_cuda

#endif
