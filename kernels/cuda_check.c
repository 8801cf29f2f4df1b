/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of CUDA as statuses and messages.
 *
 * Two kinds need care. An error of a kernel turns up in whatever call comes next, on every queue and thread, and stays:
 * the first that sees it words it, with the kernels that its queue had launched, and all later calls on that device
 * repeat that text. An error of a call alone (no memory, a bad argument) is also kept by the runtime as "the last
 * error", where somebody else's check would find it: it is taken out.
 */
#include <stdio.h>
#include <string.h>

#include "kernels/cuda_device.h"

static void whole(int version, char *out, size_t n_bytes) {
    snprintf(out, n_bytes, "%d.%d", version / 1000, version % 1000 / 10);
}

static pkin_status driver_missing_or_old(void) {
    char needed[16], there[16];
    int driver = 0, runtime = 0;
    (void)cudaDriverGetVersion(&driver); /* 0 where there is none */
    (void)cudaRuntimeGetVersion(&runtime);
    whole(runtime, needed, sizeof needed);
    whole(driver, there, sizeof there);
    if (driver == 0) {
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED,
                           "no NVIDIA driver on this machine (libcuda.so.1 was not found): install one for CUDA %s or "
                           "later; in a container, start it with access to the GPUs",
                           needed);
    }
    return pkin_i_fail(
        PKIN_ERROR_UNSUPPORTED,
        "the NVIDIA driver is too old: it knows CUDA %s, this build needs CUDA %s: update the driver, or "
        "build paperkin with an older CUDA",
        there, needed);
}

pkin_status pkin_i_cuda_unusable(cudaError_t error) {
    (void)cudaGetLastError();
    switch (error) {
    case cudaErrorInsufficientDriver:
        return driver_missing_or_old();
    case cudaErrorNoDevice:
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "the NVIDIA driver shows no device: look at nvidia-smi and at the "
                                                   "environment's CUDA_VISIBLE_DEVICES");
    case cudaErrorInitializationError:
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED,
                           "CUDA did not start (%s): a process forked from one that has used CUDA cannot use it; else "
                           "look at nvidia-smi",
                           cudaGetErrorString(error));
    default:
        return pkin_i_fail(error == cudaErrorMemoryAllocation ? PKIN_ERROR_OUT_OF_MEMORY : PKIN_ERROR_UNSUPPORTED,
                           "CUDA did not start: %s (%s); look at nvidia-smi", cudaGetErrorString(error),
                           cudaGetErrorName(error));
    }
}

static pkin_status status_of(cudaError_t error) {
    switch (error) {
    case cudaErrorMemoryAllocation:
        return PKIN_ERROR_OUT_OF_MEMORY;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorNotSupported:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
        return PKIN_ERROR_UNSUPPORTED;
    default:
        return PKIN_ERROR_DEVICE;
    }
}

static const char *advice_on(cudaError_t error) {
    switch (error) {
    case cudaErrorMemoryAllocation:
        return ": free memory of the device, or give this run less";
    case cudaErrorDevicesUnavailable:
        return ": another process has it to itself; wait, or choose another device";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
        return ": this build has no code for it; build with -DPAPERKIN_CUDA_ARCHITECTURES for its compute capability, "
               "or update the driver";
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorIllegalInstruction:
    case cudaErrorHardwareStackError:
    case cudaErrorAssert:
        return ": a fault of paperkin or of the device. The device is lost to this process; run again with "
               "CUDA_LAUNCH_BLOCKING=1 to see which kernel it was, or with --backend cpu";
    case cudaErrorECCUncorrectable:
        return ": the device's memory is damaged; look at nvidia-smi -q -d ECC";
    case cudaErrorLaunchTimeout:
        return ": the display's watchdog ended it; use a device without a display";
    default:
        return "";
    }
}

/* "score_pairs, heaps or another queue's kernel": whom an error that came late may mean. */
static void name_suspects(const pkin_i_gpu_queue *queue, const char *what, char *out, size_t n_bytes) {
    size_t used = (size_t)snprintf(out, n_bytes, "%s", what);
    if (!queue || queue->n_kernels == 0) return;
    for (int k = 0; k < queue->n_kernels && used < n_bytes; k++) {
        used +=
            (size_t)snprintf(out + used, n_bytes - used, "%s%s", k ? ", " : " (launched before: ", queue->kernels[k]);
    }
    if (used < n_bytes) snprintf(out + used, n_bytes - used, ")");
}

pkin_status pkin_i_cuda_lost(pkin_i_gpu *gpu, const char *text) {
    char first[sizeof gpu->failure];
    pthread_mutex_lock(&gpu->lock);
    if (!gpu->failure[0]) snprintf(gpu->failure, sizeof gpu->failure, "%s", text);
    memcpy(first, gpu->failure, sizeof first);
    pthread_mutex_unlock(&gpu->lock);
    return pkin_i_fail(PKIN_ERROR_DEVICE, "%s", first);
}

pkin_status pkin_i_cuda_check(pkin_i_gpu *gpu, const pkin_i_gpu_queue *queue, cudaError_t error, const char *what) {
    char text[sizeof gpu->failure], suspects[384];
    if (error == cudaSuccess) return PKIN_OK;
    (void)cudaGetLastError();
    const pkin_status status = status_of(error);
    name_suspects(status == PKIN_ERROR_DEVICE ? queue : NULL, what, suspects, sizeof suspects);
    snprintf(text, sizeof text, "%s: %s failed: %s (%s)%s", gpu ? gpu->label : "CUDA", suspects,
             cudaGetErrorString(error), cudaGetErrorName(error), advice_on(error));
    return gpu && status == PKIN_ERROR_DEVICE ? pkin_i_cuda_lost(gpu, text) : pkin_i_fail(status, "%s", text);
}

pkin_status pkin_i_cuda_launched(pkin_i_gpu_queue *queue, cudaError_t error, const char *kernel) {
    int k = 0;
    if (error != cudaSuccess) return pkin_i_cuda_check(queue->gpu, queue, error, kernel);
    while (k < queue->n_kernels && queue->kernels[k] != kernel) k++;
    if (k == queue->n_kernels && k < PKIN_I_CUDA_KERNELS_NAMED) queue->kernels[queue->n_kernels++] = kernel;
    return PKIN_OK;
}

pkin_status pkin_i_cuda_enter(pkin_i_gpu *gpu, int *previous) {
    /* Not knowing where to go back to is no reason not to work: memory must be released in any case. */
    if (cudaGetDevice(previous) != cudaSuccess) {
        (void)cudaGetLastError();
        *previous = gpu->info.index;
    } else if (*previous == gpu->info.index) {
        return PKIN_OK;
    }
    return pkin_i_cuda_check(gpu, NULL, cudaSetDevice(gpu->info.index), "choosing the device");
}

pkin_status pkin_i_cuda_leave(const pkin_i_gpu *gpu, int previous, pkin_status status) {
    /* A failure to go back harms others only, who will see it themselves. */
    if (previous != gpu->info.index && cudaSetDevice(previous) != cudaSuccess) (void)cudaGetLastError();
    return status;
}
