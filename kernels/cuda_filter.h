/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_FILTER_H
#define PKIN_KERNELS_CUDA_FILTER_H

/*
 * The filters of the CUDA device, one a file. Each is called with its device current, with rows and columns that are
 * not empty and, within one side, reach above the diagonal; everything it launches goes to queue->stream. A launch is
 * followed by pkin_i_cuda_launched(queue, error, "kernel's name").
 */
#include "kernels/cuda_device.h"

PKIN_EXTERN_C_BEGIN

/* cuda_filter_fused.cu: compute capability 9.0. */
pkin_status pkin_i_cuda_filter_fused(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work);
/* cuda_filter_gemm.c: GEMM8 and GEMM32, by cuBLASLt. */
pkin_status pkin_i_cuda_filter_gemm(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work);
uint64_t pkin_i_cuda_gemm_workspace_bytes(const pkin_i_gpu *gpu);

PKIN_EXTERN_C_END

#endif
