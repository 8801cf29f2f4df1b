/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_driver.h"
#include "kernels/cuda_driver.h"

const pkin_i_gpu_driver *const gpu_measured_driver = &pkin_i_cuda_driver;
