/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_SIMT_CUH
#define PKIN_KERNELS_SIMT_CUH

/*
 * The dialect that kernels are written in: CUDA as nvcc knows it, less what a test cannot follow on the host. Compiled
 * by a C++ compiler alone, the names of CUDA come from an emulator that runs a block's threads one after another.
 */
#include <stdint.h>

#ifdef __CUDACC__
#define PKIN_DYNAMIC_SHARED(name) extern __shared__ __align__(1024) unsigned char name[]
#else
#include "support/simt/simt.h"
#endif

#endif
