/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_DEVICE_H
#define PKIN_KERNELS_CUDA_DEVICE_H

/* What the files of the CUDA device share: its structs, and how its errors are told. */
#include <cuda_runtime_api.h>
#include <pthread.h>

#include "base/failure.h"
#include "kernels/gpu_device.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_CUDA_LEAST_MAJOR = 7, /* 7.5: int8 tensor cores, and the oldest that CUDA 13 compiles for */
    PKIN_I_CUDA_LEAST_MINOR = 5,
    PKIN_I_CUDA_ALIGNMENT = 1024 /* of device memory: the swizzle atoms of TMA */
};

/* A block of device memory that cudaMalloc did not align. */
typedef struct pkin_i_cuda_block {
    void *aligned, *base;
} pkin_i_cuda_block;

struct pkin_i_gpu {
    pkin_i_gpu_info info;
    char label[128];            /* "NVIDIA H100 80GB HBM3 (device 0)": messages begin with it */
    uint32_t shared_bytes_most; /* dynamic shared memory that a block can be given */
    uint64_t l2_bytes;

    pthread_mutex_t lock; /* of what follows */
    char failure[768];    /* the first error of the device, "" before; every later one is told as this */
    pkin_i_cuda_block *blocks;
    size_t n_blocks, blocks_capacity;
    struct pkin_i_cuda_blas *blas; /* NULL before the first product */
};

/* Half of a staging buffer: pinned memory that is filled, then drained, while the other half is on its way. */
enum { PKIN_I_CUDA_HALF_BYTES = 8 << 20, PKIN_I_CUDA_HALF_PIECES = 256 };
typedef struct pkin_i_cuda_half {
    unsigned char *bytes; /* NULL before the first use */
    cudaEvent_t done;     /* of the last copy from or to it */
    size_t used;
    int under_way; /* `done` was recorded since it was last waited for */
    /* Down: where its bytes belong. */
    uint32_t n_pieces;
    struct pkin_i_cuda_piece {
        void *host;
        size_t offset, n_bytes;
    } pieces[PKIN_I_CUDA_HALF_PIECES];
} pkin_i_cuda_half;

typedef struct pkin_i_cuda_staging {
    pkin_i_cuda_half halves[2];
    int current;
} pkin_i_cuda_staging;

enum { PKIN_I_CUDA_KERNELS_NAMED = 6 };
struct pkin_i_gpu_queue {
    pkin_i_gpu *gpu;
    cudaStream_t stream;
    cudaEvent_t marks[2];
    pkin_i_cuda_staging up, down;
    const char
        *kernels[PKIN_I_CUDA_KERNELS_NAMED]; /* launched since the last wait, each once: whom an error may mean */
    int n_kernels;
};

/* ---- Errors: cuda_check.c ---- */

/*
 * PKIN_OK for cudaSuccess. Else the failure is recorded, and the runtime's memory of it is cleared: `gpu` (NULL: none
 * is open) begins the message, `what` says what was being done ("copying 3 MB up"). `queue` NULL: none in particular.
 */
pkin_status pkin_i_cuda_check(pkin_i_gpu *gpu, const pkin_i_gpu_queue *queue, cudaError_t error, const char *what);

/* The same for a launch on the queue, whose kernel is remembered: `kernel` is a name with static storage. */
pkin_status pkin_i_cuda_launched(pkin_i_gpu_queue *queue, cudaError_t error, const char *kernel);

/* PKIN_ERROR_DEVICE with the device's first failure, which `text` becomes if there was none. Not while gpu->lock is
 * held. */
pkin_status pkin_i_cuda_lost(pkin_i_gpu *gpu, const char *text);

/* Of errors that no device is open for: no driver, one too old, no device, ... */
pkin_status pkin_i_cuda_unusable(cudaError_t error);

/* Makes the device the thread's current one; pkin_i_cuda_leave undoes it and returns `status`. */
pkin_status pkin_i_cuda_enter(pkin_i_gpu *gpu, int *previous);
pkin_status pkin_i_cuda_leave(const pkin_i_gpu *gpu, int previous, pkin_status status);

/* ---- Devices and their memory: cuda_device.c ---- */
pkin_status pkin_i_cuda_count(int *out);
pkin_status pkin_i_cuda_info(int index, pkin_i_gpu_info *out);
pkin_status pkin_i_cuda_open(int index, pkin_i_gpu **out);
void pkin_i_cuda_close(pkin_i_gpu *gpu);
pkin_status pkin_i_cuda_free_memory(pkin_i_gpu *gpu, uint64_t *out_bytes);
pkin_status pkin_i_cuda_allocate(pkin_i_gpu *gpu, uint64_t n_bytes, void *out);
void pkin_i_cuda_release(pkin_i_gpu *gpu, void *memory);
pkin_status pkin_i_cuda_allocate_host(pkin_i_gpu *gpu, uint64_t n_bytes, void *out);
void pkin_i_cuda_release_host(pkin_i_gpu *gpu, void *memory);

/* ---- Queues: cuda_queue.c ---- */
pkin_status pkin_i_cuda_queue_open(pkin_i_gpu *gpu, pkin_i_gpu_queue **out);
void pkin_i_cuda_queue_close(pkin_i_gpu_queue *queue);
pkin_status pkin_i_cuda_copy_up(pkin_i_gpu_queue *queue, void *device, const void *host, uint64_t n_bytes);
pkin_status pkin_i_cuda_copy_down(pkin_i_gpu_queue *queue, void *host, const void *device, uint64_t n_bytes);
pkin_status pkin_i_cuda_fill(pkin_i_gpu_queue *queue, void *device, int byte, uint64_t n_bytes);
pkin_status pkin_i_cuda_wait(pkin_i_gpu_queue *queue);
pkin_status pkin_i_cuda_mark(pkin_i_gpu_queue *queue, int n);
pkin_status pkin_i_cuda_seconds_between_marks(pkin_i_gpu_queue *queue, double *out);

PKIN_EXTERN_C_END

#endif
