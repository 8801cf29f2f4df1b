/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_LAUNCH_EACH_H
#define PKIN_KERNELS_CUDA_LAUNCH_EACH_H

/* How files of nvcc launch a kernel. */
#include "kernels/cuda_device.h"
#include "kernels/gpu_launch.h"

/*
 * Lets a kernel have all shared memory of the device, whatever it wants today: the attribute belongs to the function,
 * which another thread may be about to launch with more.
 */
template <class... Parameters>
static cudaError_t pkin_i_cuda_allow_shared(const pkin_i_gpu_queue *queue, void (*kernel)(Parameters...)) {
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(queue->gpu->shared_bytes_most));
}

/*
 * Launches and tells the kernel's name with any error. cudaLaunchKernelEx answers for this launch alone, where
 * cudaGetLastError would also tell what some earlier call of the program left behind. A grid without blocks launches
 * nothing.
 */
template <class... Parameters, class... Arguments>
static pkin_status pkin_i_cuda_launch(pkin_i_gpu_queue *queue, const pkin_i_gpu_grid &grid, const char *name,
                                      void (*kernel)(Parameters...), Arguments &&...arguments) {
    enum { SHARED_BYTES_WITHOUT_ASKING = 48 << 10 };
    if (grid.blocks[0] == 0 || grid.blocks[1] == 0 || grid.blocks[2] == 0) return PKIN_OK;
    cudaError_t error = cudaSuccess;
    if (grid.shared_bytes > SHARED_BYTES_WITHOUT_ASKING) error = pkin_i_cuda_allow_shared(queue, kernel);
    if (error == cudaSuccess) {
        cudaLaunchAttribute cluster = {};
        cluster.id = cudaLaunchAttributeClusterDimension;
        cluster.val.clusterDim.x = grid.cluster, cluster.val.clusterDim.y = 1, cluster.val.clusterDim.z = 1;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3(grid.blocks[0], grid.blocks[1], grid.blocks[2]);
        config.blockDim = dim3(grid.threads);
        config.dynamicSmemBytes = grid.shared_bytes;
        config.stream = queue->stream;
        config.attrs = &cluster;
        config.numAttrs = grid.cluster > 1 ? 1 : 0;
        error = cudaLaunchKernelEx(&config, kernel, static_cast<Arguments &&>(arguments)...);
    }
    return pkin_i_cuda_launched(queue, error, name);
}

#endif
