/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_BACKEND_H
#define PKIN_KERNELS_CUDA_BACKEND_H

#include "similarity/backend.h"

PKIN_EXTERN_C_BEGIN

/* The sketch method on NVIDIA's GPUs: gpu_engine.h on cuda_driver.h. */
extern const pkin_i_backend pkin_i_cuda_backend;

PKIN_EXTERN_C_END

#endif
