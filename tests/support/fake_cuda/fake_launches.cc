/* SPDX-License-Identifier: Apache-2.0 */
/* The launches and the kernels, which nvcc compiles for a device, compiled for the emulator. */
#include "kernels/cuda_filter_fused.cu"
#include "kernels/cuda_launch.cu"
#include "kernels/cuda_launch_scores.cu"
