/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_FAKE_CUDA_RUNTIME_API_H
#define PKIN_TESTS_FAKE_CUDA_RUNTIME_API_H

/*
 * As much of the CUDA runtime's interface as kernels/cuda_* use, for a runtime that is none (fake_cuda.h): the device's
 * own files are compiled against it and run on the host, with every failure that a test wishes. Values of enumerations
 * are not the real ones; that the calls agree with the real headers is what the CUDA build tells.
 */
#include <stddef.h>
#include <stdint.h>

#define CUDART_VERSION 13000

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cudaError {
    cudaSuccess,
    cudaErrorInvalidValue,
    cudaErrorMemoryAllocation,
    cudaErrorInitializationError,
    cudaErrorInsufficientDriver,
    cudaErrorNoDevice,
    cudaErrorInvalidDevice,
    cudaErrorDevicesUnavailable,
    cudaErrorNoKernelImageForDevice,
    cudaErrorUnsupportedPtxVersion,
    cudaErrorJitCompilerNotFound,
    cudaErrorNotSupported,
    cudaErrorSystemDriverMismatch,
    cudaErrorSystemNotReady,
    cudaErrorIllegalAddress,
    cudaErrorMisalignedAddress,
    cudaErrorLaunchFailure,
    cudaErrorIllegalInstruction,
    cudaErrorHardwareStackError,
    cudaErrorAssert,
    cudaErrorECCUncorrectable,
    cudaErrorLaunchTimeout
} cudaError_t;

typedef struct fake_stream *cudaStream_t;
typedef struct fake_event *cudaEvent_t;

typedef struct cudaUUID {
    char bytes[16];
} cudaUUID_t;
struct cudaDeviceProp {
    char name[256];
    cudaUUID_t uuid;
    size_t totalGlobalMem;
    int major, minor;
    int multiProcessorCount;
};
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin, cudaDevAttrL2CacheSize };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
enum cudaMemoryType { cudaMemoryTypeUnregistered, cudaMemoryTypeHost, cudaMemoryTypeDevice };
struct cudaPointerAttributes {
    enum cudaMemoryType type;
};
enum { cudaHostAllocPortable = 1, cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };

cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);
const char *cudaGetErrorName(cudaError_t error);
cudaError_t cudaDriverGetVersion(int *out);
cudaError_t cudaRuntimeGetVersion(int *out);
cudaError_t cudaGetDeviceCount(int *out);
cudaError_t cudaGetDevice(int *out);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *out, int device);
cudaError_t cudaDeviceGetAttribute(int *out, enum cudaDeviceAttr attribute, int device);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaMemGetInfo(size_t *out_free, size_t *out_all);
cudaError_t cudaMalloc(void **out, size_t n_bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaHostAlloc(void **out, size_t n_bytes, unsigned flags);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *out, const void *memory);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaEventCreate(cudaEvent_t *out);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *out_ms, cudaEvent_t begin, cudaEvent_t end);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n_bytes, enum cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *memory, int byte, size_t n_bytes, cudaStream_t stream);
cudaError_t cudaMemset2DAsync(void *memory, size_t pitch, int byte, size_t width, size_t height, cudaStream_t stream);

/* ---- Of kernels ---- */

typedef struct cudaFuncAttributes {
    int binaryVersion;
} cudaFuncAttributes;
typedef enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize } cudaFuncAttribute;
typedef enum cudaDriverEntryPointQueryResult {
    cudaDriverEntryPointSuccess,
    cudaDriverEntryPointSymbolNotFound
} cudaDriverEntryPointQueryResult;
enum { cudaEnableDefault = 0 };

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *out, const void *kernel);
cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value);
cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **out, unsigned version, unsigned long long flags,
                                             cudaDriverEntryPointQueryResult *out_found);

#ifdef __cplusplus
}

#include <functional>
#include <tuple>

#include "support/simt/simt.h"

typedef enum cudaLaunchAttributeID { cudaLaunchAttributeClusterDimension } cudaLaunchAttributeID;
struct cudaLaunchAttribute {
    cudaLaunchAttributeID id;
    struct {
        uint3 clusterDim;
    } val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute *attrs;
    unsigned numAttrs;
};

/* fake_cuda.cc */
cudaError_t fake_launch(const cudaLaunchConfig_t &config, const void *kernel, std::function<void()> thread);

/* Arguments are copied as they are passed, and the kernel runs when its stream comes to it. */
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(Parameters...),
                               Arguments &&...arguments) {
    const std::tuple<std::decay_t<Parameters>...> copies(std::forward<Arguments>(arguments)...);
    return fake_launch(*config, reinterpret_cast<const void *>(kernel), [=] { std::apply(kernel, copies); });
}

template <class Kernel>
cudaError_t cudaOccupancyMaxActiveClusters(int *out, Kernel *, const cudaLaunchConfig_t *config) {
    *out = config->gridDim.x == 2 ? 3 : 1;
    return cudaSuccess;
}
#endif

#endif
