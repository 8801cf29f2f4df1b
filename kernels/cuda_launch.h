/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_LAUNCH_H
#define PKIN_KERNELS_CUDA_LAUNCH_H

/* The kernels, as functions: those of the seam gpu_device.h by their names there. The queue's device is current. */
#include "kernels/cuda_device.h"

PKIN_EXTERN_C_BEGIN

/* cudaSuccess where this build's code runs on the current device. */
cudaError_t pkin_i_cuda_has_code(void);

pkin_status pkin_i_cuda_launch_sketch(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, const uint16_t *buckets);
pkin_status pkin_i_cuda_launch_sample(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, uint64_t stride,
                                      const pkin_i_gpu_rows *sample);
pkin_status pkin_i_cuda_launch_dp4a(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work);
pkin_status pkin_i_cuda_launch_score(pkin_i_gpu_queue *queue, const pkin_i_gpu_score_work *work);
pkin_status pkin_i_cuda_launch_heaps_begin(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, uint64_t min_score);
pkin_status pkin_i_cuda_launch_seed(pkin_i_gpu_queue *queue, const pkin_i_gpu_seed_work *work);
pkin_status pkin_i_cuda_launch_exhaust(pkin_i_gpu_queue *queue, const pkin_i_gpu_exhaust_work *work);
pkin_status pkin_i_cuda_launch_finish(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, const uint32_t *listed,
                                      uint32_t n_listed);

/*
 * Appends what passes of a block of products: those of the work's rows and columns, row-major, `leading` to a row;
 * exact ones of 32 bits, or (GEMM8) scaled bytes: scan_products.cuh.
 */
pkin_status pkin_i_cuda_launch_scan(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *block, const void *products,
                                    uint32_t leading);

PKIN_EXTERN_C_END

#endif
