/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_DRIVER_H
#define PKIN_KERNELS_CUDA_DRIVER_H

/*
 * NVIDIA's devices behind the seam gpu_device.h, by the CUDA runtime. The runtime is linked statically and loads the
 * machine's driver at the first question, and cuBLASLt is loaded at its first use: a program with this in it starts and
 * works on machines that have neither.
 *
 * Calls leave the calling thread's current device as they found it, and the library keeps no state of its own beside
 * what was opened. CUDA itself does not survive fork(): a child of a process that has asked for devices gets errors.
 */
#include "kernels/gpu_device.h"

PKIN_EXTERN_C_BEGIN

extern const pkin_i_gpu_driver pkin_i_cuda_driver;

PKIN_EXTERN_C_END

#endif
