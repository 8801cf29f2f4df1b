/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues: a stream, two marks, and staging for memory that is not pinned.
 *
 * The device reads and writes pinned memory of the host by itself at the bus's full rate, and any other only through
 * the driver's small buffers, for which it makes the stream wait. So such copies go through two halves of pinned memory
 * of the queue's own: while one is on its way, the host copies the other. Small copies share a half. Up, the half is
 * waited for before it is filled again; down, where its pieces belong is written down, and they are put there when the
 * half is needed again or the queue is waited for.
 */
#include <string.h>

#include "base/memory.h"
#include "kernels/cuda_device.h"

static int is_pinned(const void *host) {
    struct cudaPointerAttributes attributes;
    if (cudaPointerGetAttributes(&attributes, host) != cudaSuccess) {
        (void)cudaGetLastError();
        return 0;
    }
    return attributes.type == cudaMemoryTypeHost;
}

static pkin_status copy(pkin_i_gpu_queue *queue, void *to, const void *from, size_t n_bytes, enum cudaMemcpyKind kind) {
    return pkin_i_cuda_check(queue->gpu, queue, cudaMemcpyAsync(to, from, n_bytes, kind, queue->stream),
                             kind == cudaMemcpyHostToDevice ? "copying to it" : "copying from it");
}

/* ---- Staging ---- */

static pkin_status half_open(pkin_i_gpu_queue *queue, pkin_i_cuda_half *half) {
    pkin_status status;
    void *bytes = NULL;
    if (half->bytes) return PKIN_OK;
    PKIN_TRY(pkin_i_cuda_check(queue->gpu, queue, cudaEventCreateWithFlags(&half->done, cudaEventDisableTiming),
                               "making an event"));
    status = pkin_i_cuda_allocate_host(queue->gpu, PKIN_I_CUDA_HALF_BYTES, &bytes);
    if (status != PKIN_OK) {
        (void)cudaEventDestroy(half->done);
        goto out;
    }
    half->bytes = (unsigned char *)bytes;
out:
    return status;
}

static void half_close(pkin_i_gpu_queue *queue, pkin_i_cuda_half *half) {
    if (!half->bytes) return;
    (void)cudaEventDestroy(half->done);
    pkin_i_cuda_release_host(queue->gpu, half->bytes);
}

/* Waits until the half's copies are done, puts what came down where it belongs, and makes the half empty. */
static pkin_status half_drain(pkin_i_gpu_queue *queue, pkin_i_cuda_half *half) {
    pkin_status status = PKIN_OK;
    if (half->under_way) {
        PKIN_TRY(pkin_i_cuda_check(queue->gpu, queue, cudaEventSynchronize(half->done), "waiting for a copy"));
    }
    for (uint32_t k = 0; k < half->n_pieces; k++) {
        memcpy(half->pieces[k].host, half->bytes + half->pieces[k].offset, half->pieces[k].n_bytes);
    }
out:
    half->under_way = 0;
    half->n_pieces = 0;
    half->used = 0;
    return status;
}

/* The half that has room for something: the current one, or the other one, emptied. */
static pkin_status half_take(pkin_i_gpu_queue *queue, pkin_i_cuda_staging *staging, pkin_i_cuda_half **out) {
    pkin_status status;
    pkin_i_cuda_half *half = &staging->halves[staging->current];
    if (half->used == PKIN_I_CUDA_HALF_BYTES || half->n_pieces == PKIN_I_CUDA_HALF_PIECES) {
        staging->current ^= 1;
        half = &staging->halves[staging->current];
        PKIN_TRY(half_drain(queue, half));
    }
    PKIN_TRY(half_open(queue, half));
    *out = half;
out:
    return status;
}

static pkin_status half_record(pkin_i_gpu_queue *queue, pkin_i_cuda_half *half) {
    half->under_way = 1;
    return pkin_i_cuda_check(queue->gpu, queue, cudaEventRecord(half->done, queue->stream), "recording an event");
}

static size_t room_for(const pkin_i_cuda_half *half, uint64_t n_bytes) {
    const size_t room = PKIN_I_CUDA_HALF_BYTES - half->used;
    return n_bytes < room ? (size_t)n_bytes : room;
}

static pkin_status stage_up(pkin_i_gpu_queue *queue, char *device, const char *host, uint64_t n_bytes) {
    pkin_status status = PKIN_OK;
    while (n_bytes > 0) {
        pkin_i_cuda_half *half;
        PKIN_TRY(half_take(queue, &queue->up, &half));
        const size_t n = room_for(half, n_bytes);
        unsigned char *at = half->bytes + half->used;
        half->used += n;
        memcpy(at, host, n);
        PKIN_TRY(copy(queue, device, at, n, cudaMemcpyHostToDevice));
        PKIN_TRY(half_record(queue, half));
        device += n, host += n, n_bytes -= n;
    }
out:
    return status;
}

static pkin_status stage_down(pkin_i_gpu_queue *queue, char *host, const char *device, uint64_t n_bytes) {
    pkin_status status = PKIN_OK;
    while (n_bytes > 0) {
        pkin_i_cuda_half *half;
        PKIN_TRY(half_take(queue, &queue->down, &half));
        const size_t n = room_for(half, n_bytes);
        PKIN_TRY(copy(queue, half->bytes + half->used, device, n, cudaMemcpyDeviceToHost));
        half->pieces[half->n_pieces].host = host;
        half->pieces[half->n_pieces].offset = half->used;
        half->pieces[half->n_pieces++].n_bytes = n;
        half->used += n;
        PKIN_TRY(half_record(queue, half));
        device += n, host += n, n_bytes -= n;
    }
out:
    return status;
}

/* Everything is done: puts down what came, in the order in which it was asked for. */
static pkin_status drain_all(pkin_i_gpu_queue *queue) {
    pkin_status status;
    PKIN_TRY(half_drain(queue, &queue->down.halves[queue->down.current ^ 1]));
    PKIN_TRY(half_drain(queue, &queue->down.halves[queue->down.current]));
    for (int h = 0; h < 2; h++) PKIN_TRY(half_drain(queue, &queue->up.halves[h]));
out:
    return status;
}

/* ---- Opening and closing ---- */

static pkin_status open_here(pkin_i_gpu_queue *queue) {
    pkin_status status;
    PKIN_TRY(pkin_i_cuda_check(queue->gpu, NULL, cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking),
                               "opening a stream"));
    for (int n = 0; n < 2; n++) {
        PKIN_TRY(pkin_i_cuda_check(queue->gpu, NULL, cudaEventCreate(&queue->marks[n]), "making an event"));
    }
out:
    return status;
}

/* What is missing since opening failed half-way is NULL. */
static void close_here(pkin_i_gpu_queue *queue) {
    if (queue->stream) {
        (void)pkin_i_cuda_check(queue->gpu, queue, cudaStreamSynchronize(queue->stream), "finishing");
    }
    for (int h = 0; h < 2; h++) {
        half_close(queue, &queue->up.halves[h]);
        half_close(queue, &queue->down.halves[h]);
    }
    for (int n = 0; n < 2; n++) {
        if (queue->marks[n]) (void)cudaEventDestroy(queue->marks[n]);
    }
    if (queue->stream) (void)cudaStreamDestroy(queue->stream);
    (void)cudaGetLastError();
}

pkin_status pkin_i_cuda_queue_open(pkin_i_gpu *gpu, pkin_i_gpu_queue **out) {
    pkin_status status;
    int previous = 0;
    pkin_i_gpu_queue *queue = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *queue, &queue));
    queue->gpu = gpu;
    PKIN_TRY(pkin_i_cuda_enter(gpu, &previous));
    PKIN_TRY(pkin_i_cuda_leave(gpu, previous, open_here(queue)));
    *out = queue;
    queue = NULL;
out:
    pkin_i_cuda_queue_close(queue);
    return status;
}

void pkin_i_cuda_queue_close(pkin_i_gpu_queue *queue) {
    int previous = 0;
    if (!queue) return;
    if (pkin_i_cuda_enter(queue->gpu, &previous) == PKIN_OK) {
        close_here(queue);
        (void)pkin_i_cuda_leave(queue->gpu, previous, PKIN_OK);
    }
    pkin_i_free(queue);
}

/* ---- What is put into them ---- */

static pkin_status copy_up_here(pkin_i_gpu_queue *queue, void *device, const void *host, uint64_t n_bytes) {
    if (is_pinned(host)) return copy(queue, device, host, n_bytes, cudaMemcpyHostToDevice);
    return stage_up(queue, (char *)device, (const char *)host, n_bytes);
}

pkin_status pkin_i_cuda_copy_up(pkin_i_gpu_queue *queue, void *device, const void *host, uint64_t n_bytes) {
    int previous = 0;
    if (n_bytes == 0) return PKIN_OK;
    const pkin_status status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    return pkin_i_cuda_leave(queue->gpu, previous, copy_up_here(queue, device, host, n_bytes));
}

static pkin_status copy_down_here(pkin_i_gpu_queue *queue, void *host, const void *device, uint64_t n_bytes) {
    if (is_pinned(host)) return copy(queue, host, device, n_bytes, cudaMemcpyDeviceToHost);
    return stage_down(queue, (char *)host, (const char *)device, n_bytes);
}

pkin_status pkin_i_cuda_copy_down(pkin_i_gpu_queue *queue, void *host, const void *device, uint64_t n_bytes) {
    int previous = 0;
    if (n_bytes == 0) return PKIN_OK;
    const pkin_status status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    return pkin_i_cuda_leave(queue->gpu, previous, copy_down_here(queue, host, device, n_bytes));
}

pkin_status pkin_i_cuda_fill(pkin_i_gpu_queue *queue, void *device, int byte, uint64_t n_bytes) {
    int previous = 0;
    pkin_status status;
    if (n_bytes == 0) return PKIN_OK;
    status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    status =
        pkin_i_cuda_check(queue->gpu, queue, cudaMemsetAsync(device, byte, n_bytes, queue->stream), "filling memory");
    return pkin_i_cuda_leave(queue->gpu, previous, status);
}

pkin_status pkin_i_cuda_wait(pkin_i_gpu_queue *queue) {
    int previous = 0;
    pkin_status status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    status = pkin_i_cuda_check(queue->gpu, queue, cudaStreamSynchronize(queue->stream), "a kernel or copy");
    if (status == PKIN_OK) status = drain_all(queue);
    queue->n_kernels = 0;
    return pkin_i_cuda_leave(queue->gpu, previous, status);
}

pkin_status pkin_i_cuda_mark(pkin_i_gpu_queue *queue, int n) {
    int previous = 0;
    pkin_status status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    status =
        pkin_i_cuda_check(queue->gpu, queue, cudaEventRecord(queue->marks[n], queue->stream), "recording an event");
    return pkin_i_cuda_leave(queue->gpu, previous, status);
}

static cudaError_t elapsed(pkin_i_gpu_queue *queue, float *out_ms) {
    for (int n = 0; n < 2; n++) {
        const cudaError_t error = cudaEventSynchronize(queue->marks[n]);
        if (error != cudaSuccess) return error;
    }
    return cudaEventElapsedTime(out_ms, queue->marks[0], queue->marks[1]);
}

pkin_status pkin_i_cuda_seconds_between_marks(pkin_i_gpu_queue *queue, double *out) {
    enum { MS_A_SECOND = 1000 };
    int previous = 0;
    float ms = 0;
    pkin_status status = pkin_i_cuda_enter(queue->gpu, &previous);
    if (status != PKIN_OK) return status;
    status = pkin_i_cuda_check(queue->gpu, queue, elapsed(queue, &ms), "measuring time");
    if (status == PKIN_OK) *out = (double)ms / MS_A_SECOND;
    return pkin_i_cuda_leave(queue->gpu, previous, status);
}
