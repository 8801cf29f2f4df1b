/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BENCH_GPU_DRIVER_H
#define PKIN_BENCH_GPU_DRIVER_H

/* Which devices are measured: a driver of one's own lets the programs be tested where there is no GPU. */
#include "kernels/gpu_device.h"

PKIN_EXTERN_C_BEGIN

/* gpu_driver_cuda.c has the real one. */
extern const pkin_i_gpu_driver *const gpu_measured_driver;

PKIN_EXTERN_C_END

#endif
