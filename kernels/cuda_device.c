/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: what there is, opening, memory. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/cuda_blas.h"
#include "kernels/cuda_launch.h"

enum { MEBIBYTE_SHIFT = 20 };

pkin_status pkin_i_cuda_count(int *out) {
    int n = 0;
    const cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaErrorNoDevice) {
        (void)cudaGetLastError();
        n = 0;
    } else if (error != cudaSuccess) {
        return pkin_i_cuda_unusable(error);
    }
    *out = n;
    return PKIN_OK;
}

/* ---- What a device is ---- */

static void print_uuid(const cudaUUID_t *uuid, char *out, size_t n_bytes) {
    const unsigned char *b = (const unsigned char *)uuid->bytes;
    snprintf(out, n_bytes, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static pkin_status read_properties(int index, pkin_i_gpu_info *out) {
    struct cudaDeviceProp properties;
    const cudaError_t error = cudaGetDeviceProperties(&properties, index);
    if (error != cudaSuccess) return pkin_i_cuda_unusable(error);
    memset(out, 0, sizeof *out);
    out->index = index;
    snprintf(out->name, sizeof out->name, "%.*s", (int)sizeof out->name - 1, properties.name);
    print_uuid(&properties.uuid, out->uuid, sizeof out->uuid);
    out->major = properties.major;
    out->minor = properties.minor;
    out->n_processors = properties.multiProcessorCount;
    out->memory_bytes = properties.totalGlobalMem;
    (void)cudaDriverGetVersion(&out->driver_version);
    (void)cudaRuntimeGetVersion(&out->runtime_version);
    return PKIN_OK;
}

static void read_filters(pkin_i_gpu_info *info) {
    char *why = info->missing[PKIN_I_GPU_FILTER_FUSED];
    info->has_filter[PKIN_I_GPU_FILTER_DP4A] = 1;
    info->has_filter[PKIN_I_GPU_FILTER_FUSED] = info->major == 9 && info->minor == 0;
    if (!info->has_filter[PKIN_I_GPU_FILTER_FUSED]) {
        snprintf(why, sizeof info->missing[0], "made for compute capability 9.0 (Hopper); this device has %d.%d",
                 info->major, info->minor);
    }
    const int has_blas = pkin_i_cuda_blas_is_there(info->missing[PKIN_I_GPU_FILTER_GEMM8], sizeof info->missing[0]);
    memcpy(info->missing[PKIN_I_GPU_FILTER_GEMM32], info->missing[PKIN_I_GPU_FILTER_GEMM8], sizeof info->missing[0]);
    info->has_filter[PKIN_I_GPU_FILTER_GEMM8] = info->has_filter[PKIN_I_GPU_FILTER_GEMM32] = has_blas;
}

pkin_status pkin_i_cuda_info(int index, pkin_i_gpu_info *out) {
    pkin_status status;
    pkin_i_gpu_info info;
    int n = 0;
    PKIN_TRY(pkin_i_cuda_count(&n));
    PKIN_REQUIRE(index >= 0 && index < n, PKIN_ERROR_UNSUPPORTED,
                 "no CUDA device %d: there are %d, counted from 0 (CUDA_VISIBLE_DEVICES may hide some)", index, n);
    PKIN_TRY(read_properties(index, &info));
    PKIN_REQUIRE(info.major > PKIN_I_CUDA_LEAST_MAJOR ||
                     (info.major == PKIN_I_CUDA_LEAST_MAJOR && info.minor >= PKIN_I_CUDA_LEAST_MINOR),
                 PKIN_ERROR_UNSUPPORTED,
                 "%s (device %d) has compute capability %d.%d; %d.%d is the least that is supported (Turing, 2018): "
                 "choose another device, or --backend cpu",
                 info.name, index, info.major, info.minor, PKIN_I_CUDA_LEAST_MAJOR, PKIN_I_CUDA_LEAST_MINOR);
    read_filters(&info);
    *out = info;
out:
    return status;
}

/* ---- Opening ---- */

static pkin_status read_attributes(pkin_i_gpu *gpu) {
    int shared_bytes = 0, l2_bytes = 0;
    cudaError_t error = cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, gpu->info.index);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&l2_bytes, cudaDevAttrL2CacheSize, gpu->info.index);
    gpu->shared_bytes_most = (uint32_t)shared_bytes;
    gpu->l2_bytes = (uint64_t)l2_bytes;
    return pkin_i_cuda_check(gpu, NULL, error, "asking for its sizes");
}

/* The runtime makes a device's context at the first call that needs one: here, where its failure is expected. */
static pkin_status start(pkin_i_gpu *gpu) {
    pkin_status status;
    int previous = 0, is_entered = 0;
    PKIN_TRY(pkin_i_cuda_enter(gpu, &previous));
    is_entered = 1;
    PKIN_TRY(pkin_i_cuda_check(gpu, NULL, cudaFree(NULL), "starting it"));
    PKIN_TRY(pkin_i_cuda_check(gpu, NULL, pkin_i_cuda_has_code(), "loading the kernels"));
    PKIN_TRY(read_attributes(gpu));
out:
    return is_entered ? pkin_i_cuda_leave(gpu, previous, status) : status;
}

pkin_status pkin_i_cuda_open(int index, pkin_i_gpu **out) {
    pkin_status status;
    pkin_i_gpu *gpu = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *gpu, &gpu));
    pthread_mutex_init(&gpu->lock, NULL);
    PKIN_TRY(pkin_i_cuda_info(index, &gpu->info));
    snprintf(gpu->label, sizeof gpu->label, "%s (device %d)", gpu->info.name, index);
    PKIN_TRY(start(gpu));
    *out = gpu;
    gpu = NULL;
out:
    pkin_i_cuda_close(gpu);
    return status;
}

void pkin_i_cuda_close(pkin_i_gpu *gpu) {
    int previous = 0;
    if (!gpu) return;
    if (gpu->blas && pkin_i_cuda_enter(gpu, &previous) == PKIN_OK) {
        pkin_i_cuda_blas_close(gpu->blas);
        (void)pkin_i_cuda_leave(gpu, previous, PKIN_OK);
    }
    pthread_mutex_destroy(&gpu->lock);
    pkin_i_free(gpu->blocks);
    pkin_i_free(gpu);
}

/* ---- Memory ---- */

static pkin_status free_memory_here(pkin_i_gpu *gpu, uint64_t *out_bytes) {
    size_t free_bytes = 0, all_bytes = 0;
    const pkin_status status =
        pkin_i_cuda_check(gpu, NULL, cudaMemGetInfo(&free_bytes, &all_bytes), "asking for its free memory");
    if (status == PKIN_OK) *out_bytes = free_bytes;
    return status;
}

pkin_status pkin_i_cuda_free_memory(pkin_i_gpu *gpu, uint64_t *out_bytes) {
    int previous = 0;
    const pkin_status status = pkin_i_cuda_enter(gpu, &previous);
    return status == PKIN_OK ? pkin_i_cuda_leave(gpu, previous, free_memory_here(gpu, out_bytes)) : status;
}

static pkin_status no_room(pkin_i_gpu *gpu, uint64_t n_bytes) {
    size_t free_bytes = 0, all_bytes = 0;
    (void)cudaGetLastError();
    if (cudaMemGetInfo(&free_bytes, &all_bytes) != cudaSuccess) (void)cudaGetLastError();
    return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY,
                       "%s: %llu MiB of device memory are needed, of %llu MiB %llu are free: stop what else uses the "
                       "device, choose another one, or give this run less",
                       gpu->label, (unsigned long long)(n_bytes >> MEBIBYTE_SHIFT),
                       (unsigned long long)(all_bytes >> MEBIBYTE_SHIFT),
                       (unsigned long long)(free_bytes >> MEBIBYTE_SHIFT));
}

static pkin_status allocate_raw(pkin_i_gpu *gpu, uint64_t n_bytes, void **out) {
    const cudaError_t error = cudaMalloc(out, n_bytes);
    if (error == cudaErrorMemoryAllocation) return no_room(gpu, n_bytes);
    return pkin_i_cuda_check(gpu, NULL, error, "allocating memory");
}

static int is_aligned(const void *memory) {
    return (uintptr_t)memory % PKIN_I_CUDA_ALIGNMENT == 0;
}

/* Small blocks may be aligned to less (CUDA promises 256): a larger one is taken, and where it begins is remembered. */
static pkin_status allocate_shifted(pkin_i_gpu *gpu, uint64_t n_bytes, void **out) {
    pkin_status status;
    char *base = NULL;
    PKIN_TRY(allocate_raw(gpu, n_bytes + PKIN_I_CUDA_ALIGNMENT, (void **)&base));
    const size_t beyond = (uintptr_t)base % PKIN_I_CUDA_ALIGNMENT;
    char *aligned = base + (beyond ? PKIN_I_CUDA_ALIGNMENT - beyond : 0);
    pthread_mutex_lock(&gpu->lock);
    status = pkin_i_grow(&gpu->blocks, &gpu->blocks_capacity, gpu->n_blocks + 1, sizeof *gpu->blocks);
    if (status == PKIN_OK) gpu->blocks[gpu->n_blocks++] = (pkin_i_cuda_block){aligned, base};
    pthread_mutex_unlock(&gpu->lock);
    if (status == PKIN_OK)
        *out = aligned;
    else
        (void)cudaFree(base);
out:
    return status;
}

static pkin_status allocate_here(pkin_i_gpu *gpu, uint64_t n_bytes, void **out) {
    void *memory = NULL;
    pkin_status status = allocate_raw(gpu, n_bytes, &memory);
    if (status == PKIN_OK && !is_aligned(memory)) {
        status = pkin_i_cuda_check(gpu, NULL, cudaFree(memory), "releasing memory");
        memory = NULL;
        if (status == PKIN_OK) status = allocate_shifted(gpu, n_bytes, &memory);
    }
    if (status == PKIN_OK) *out = memory;
    return status;
}

pkin_status pkin_i_cuda_allocate(pkin_i_gpu *gpu, uint64_t n_bytes, void *out) {
    enum { MOST_SHIFT = 48 }; /* of bytes; leaves room for the alignment */
    int previous = 0;
    pkin_status status;
    *(void **)out = NULL;
    if (n_bytes >> MOST_SHIFT) return no_room(gpu, n_bytes);
    status = pkin_i_cuda_enter(gpu, &previous);
    if (status != PKIN_OK) return status;
    return pkin_i_cuda_leave(gpu, previous, allocate_here(gpu, n_bytes ? n_bytes : 1, out));
}

/* The block's beginning, which is forgotten. */
static void *take_base(pkin_i_gpu *gpu, void *memory) {
    pthread_mutex_lock(&gpu->lock);
    for (size_t k = 0; k < gpu->n_blocks; k++) {
        if (gpu->blocks[k].aligned != memory) continue;
        memory = gpu->blocks[k].base;
        gpu->blocks[k] = gpu->blocks[--gpu->n_blocks];
        break;
    }
    pthread_mutex_unlock(&gpu->lock);
    return memory;
}

/* On a device that is lost nothing can be released, and nothing needs to be: errors are those told before. */
void pkin_i_cuda_release(pkin_i_gpu *gpu, void *memory) {
    int previous = 0;
    if (!memory || pkin_i_cuda_enter(gpu, &previous) != PKIN_OK) return;
    (void)pkin_i_cuda_check(gpu, NULL, cudaDeviceSynchronize(), "finishing before memory is released");
    (void)pkin_i_cuda_check(gpu, NULL, cudaFree(take_base(gpu, memory)), "releasing memory");
    (void)pkin_i_cuda_leave(gpu, previous, PKIN_OK);
}

pkin_status pkin_i_cuda_allocate_host(pkin_i_gpu *gpu, uint64_t n_bytes, void *out) {
    int previous = 0;
    void *memory = NULL;
    pkin_status status = pkin_i_cuda_enter(gpu, &previous);
    *(void **)out = NULL;
    if (status != PKIN_OK) return status;
    const cudaError_t error = cudaHostAlloc(&memory, n_bytes ? n_bytes : 1, cudaHostAllocPortable);
    if (error == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        status = pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY,
                             "%s: %llu MiB of the host's memory could not be pinned for transfers: free memory, or "
                             "raise the container's limit",
                             gpu->label, (unsigned long long)(n_bytes >> MEBIBYTE_SHIFT));
    } else {
        status = pkin_i_cuda_check(gpu, NULL, error, "pinning memory of the host");
    }
    if (status == PKIN_OK) *(void **)out = memory;
    return pkin_i_cuda_leave(gpu, previous, status);
}

void pkin_i_cuda_release_host(pkin_i_gpu *gpu, void *memory) {
    int previous = 0;
    if (!memory || pkin_i_cuda_enter(gpu, &previous) != PKIN_OK) return;
    (void)pkin_i_cuda_check(gpu, NULL, cudaDeviceSynchronize(), "finishing before memory is released");
    (void)pkin_i_cuda_check(gpu, NULL, cudaFreeHost(memory), "releasing pinned memory");
    (void)pkin_i_cuda_leave(gpu, previous, PKIN_OK);
}
