/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's table, and its kernels behind the checks that all of them need. */
#include "kernels/cuda_driver.h"

#include "kernels/cuda_filter.h"
#include "kernels/cuda_launch.h"

/* Calls with the queue's device current. */
#define ON_DEVICE(queue, call)                                                                                         \
    do {                                                                                                               \
        int previous = 0;                                                                                              \
        const pkin_status entered = pkin_i_cuda_enter((queue)->gpu, &previous);                                        \
        return entered == PKIN_OK ? pkin_i_cuda_leave((queue)->gpu, previous, (call)) : entered;                       \
    } while (0)

static uint64_t workspace_bytes(const pkin_i_gpu *gpu, pkin_i_gpu_filter filter) {
    const int is_gemm = filter == PKIN_I_GPU_FILTER_GEMM8 || filter == PKIN_I_GPU_FILTER_GEMM32;
    return is_gemm ? pkin_i_cuda_gemm_workspace_bytes(gpu) : 0;
}

static pkin_status sketch(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, const uint16_t *buckets) {
    ON_DEVICE(queue, pkin_i_cuda_launch_sketch(queue, rows, buckets));
}

static pkin_status sample(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, uint64_t stride,
                          const pkin_i_gpu_rows *out) {
    ON_DEVICE(queue, pkin_i_cuda_launch_sample(queue, rows, stride, out));
}

/* Whether the work holds a pair: within one side the one farthest above the diagonal is its first row with its last
   column. */
static int holds_pairs(const pkin_i_gpu_filter_work *work) {
    return work->row_begin < work->row_end && work->column_begin < work->column_end &&
           (!work->within || work->rows->first + work->row_begin < work->columns->first + work->column_end - 1);
}

static pkin_status filter_here(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    const pkin_i_gpu_info *info = &queue->gpu->info;
    if (!info->has_filter[work->filter]) {
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "%s: the filter %s cannot run: %s", queue->gpu->label,
                           pkin_i_gpu_filter_name(work->filter), info->missing[work->filter]);
    }
    if (!holds_pairs(work)) return PKIN_OK;
    switch (work->filter) {
    case PKIN_I_GPU_FILTER_FUSED:
        return pkin_i_cuda_filter_fused(queue, work);
    case PKIN_I_GPU_FILTER_GEMM8:
    case PKIN_I_GPU_FILTER_GEMM32:
        return pkin_i_cuda_filter_gemm(queue, work);
    default:
        return pkin_i_cuda_launch_dp4a(queue, work);
    }
}

static pkin_status filter(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    ON_DEVICE(queue, filter_here(queue, work));
}

static pkin_status score(pkin_i_gpu_queue *queue, const pkin_i_gpu_score_work *work) {
    ON_DEVICE(queue, pkin_i_cuda_launch_score(queue, work));
}

static pkin_status heaps_begin(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, uint64_t min_score) {
    ON_DEVICE(queue, pkin_i_cuda_launch_heaps_begin(queue, heaps, min_score));
}

static pkin_status seed(pkin_i_gpu_queue *queue, const pkin_i_gpu_seed_work *work) {
    ON_DEVICE(queue, pkin_i_cuda_launch_seed(queue, work));
}

static pkin_status exhaust(pkin_i_gpu_queue *queue, const pkin_i_gpu_exhaust_work *work) {
    ON_DEVICE(queue, pkin_i_cuda_launch_exhaust(queue, work));
}

static pkin_status finish(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, const uint32_t *listed,
                          uint32_t n_listed) {
    ON_DEVICE(queue, pkin_i_cuda_launch_finish(queue, heaps, listed, n_listed));
}

const pkin_i_gpu_driver pkin_i_cuda_driver = {
    .name = "cuda",
    .count = pkin_i_cuda_count,
    .info = pkin_i_cuda_info,
    .open = pkin_i_cuda_open,
    .close = pkin_i_cuda_close,
    .free_memory = pkin_i_cuda_free_memory,
    .allocate = pkin_i_cuda_allocate,
    .release = pkin_i_cuda_release,
    .allocate_host = pkin_i_cuda_allocate_host,
    .release_host = pkin_i_cuda_release_host,
    .queue_open = pkin_i_cuda_queue_open,
    .queue_close = pkin_i_cuda_queue_close,
    .copy_up = pkin_i_cuda_copy_up,
    .copy_down = pkin_i_cuda_copy_down,
    .fill = pkin_i_cuda_fill,
    .wait = pkin_i_cuda_wait,
    .mark = pkin_i_cuda_mark,
    .seconds_between_marks = pkin_i_cuda_seconds_between_marks,
    .workspace_bytes = workspace_bytes,
    .sketch = sketch,
    .sample = sample,
    .filter = filter,
    .score = score,
    .heaps_begin = heaps_begin,
    .seed = seed,
    .exhaust = exhaust,
    .finish = finish,
};
