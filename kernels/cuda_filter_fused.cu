/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launches of the fused filter: as many clusters as the device runs at once, each of which takes its share of the
 * tiles. Tensor maps are encoded for every launch, by the driver's function, in about a microsecond on the host; they
 * travel as parameters of the kernel.
 */
#include <cuda.h> /* types alone: no function of the driver's library is linked */
#include <string.h>

#include "kernels/cuda_filter.h"
#include "kernels/cuda_launch_each.h"
#include "kernels/filter_fused.cuh"

/* CUtensorMap *, type, rank, address, extents, strides, box, steps, interleave, swizzle, promotion, outside */
typedef CUresult (*encode_function)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,
                                    const cuuint64_t *, const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave,
                                    CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill);

static pkin_status find_encode(pkin_i_gpu_queue *queue, encode_function *out) {
    void *function = nullptr;
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
    const cudaError_t error =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
#else
    const cudaError_t error = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found);
#endif
    if (error != cudaSuccess) return pkin_i_cuda_check(queue->gpu, queue, error, "asking the driver for a function");
    if (found != cudaDriverEntryPointSuccess || !function) {
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED,
                           "%s: the driver has no cuTensorMapEncodeTiled, which the filter 'fused' needs: update the "
                           "driver, or choose another filter",
                           queue->gpu->label);
    }
    *out = reinterpret_cast<encode_function>(function);
    return PKIN_OK;
}

static pkin_status encode(pkin_i_gpu_queue *queue, encode_function encode_tiled, const pkin_i_gpu_rows *rows,
                          pkin::tensor_map *out) {
    const pkin_i_fused_map map = pkin_i_fused_map_of(rows);
    const cuuint64_t extents[2] = {map.extents[0], map.extents[1]}, strides[1] = {map.row_bytes};
    const cuuint32_t box[2] = {map.box[0], map.box[1]}, steps[2] = {1, 1};
    CUtensorMap encoded;
    static_assert(sizeof encoded == sizeof *out && alignof(CUtensorMap) <= alignof(pkin::tensor_map), "one layout");
    const CUresult result =
        encode_tiled(&encoded, CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, const_cast<void *>(map.base), extents, strides, box,
                     steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                     CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE /* zeroes */);
    if (result != CUDA_SUCCESS) {
        return pkin_i_fail(PKIN_ERROR_DEVICE,
                           "%s: cuTensorMapEncodeTiled refuses sketches of %llu rows of %u bytes (error %d of the "
                           "driver): choose another filter",
                           queue->gpu->label, static_cast<unsigned long long>(map.extents[1]), rows->dimension,
                           static_cast<int>(result));
    }
    memcpy(out, &encoded, sizeof encoded);
    return PKIN_OK;
}

/* How many clusters run at once; 0 if none can. One block fills a processor. */
static pkin_status workers_most(pkin_i_gpu_queue *queue, pkin::fused_kernel kernel, pkin_i_gpu_grid grid,
                                uint32_t *out) {
    if (grid.cluster == 1) {
        *out = static_cast<uint32_t>(queue->gpu->info.n_processors);
        return PKIN_OK;
    }
    cudaError_t error = pkin_i_cuda_allow_shared(queue, kernel);
    int n = 0;
    if (error == cudaSuccess) {
        cudaLaunchAttribute cluster = {};
        cluster.id = cudaLaunchAttributeClusterDimension;
        cluster.val.clusterDim.x = grid.cluster, cluster.val.clusterDim.y = 1, cluster.val.clusterDim.z = 1;
        cudaLaunchConfig_t config = {};
        config.gridDim = dim3(grid.cluster);
        config.blockDim = dim3(grid.threads);
        config.dynamicSmemBytes = grid.shared_bytes;
        config.attrs = &cluster;
        config.numAttrs = 1;
        error = cudaOccupancyMaxActiveClusters(&n, kernel, &config);
    }
    *out = n > 0 ? static_cast<uint32_t>(n) : 0;
    return pkin_i_cuda_check(queue->gpu, queue, error, "asking how many clusters of the filter 'fused' fit");
}

pkin_status pkin_i_cuda_filter_fused(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    const pkin::filter_target target = pkin::filter_target_of(*work);
    encode_function encode_tiled = nullptr;
    pkin::tensor_map rows, columns;
    pkin_status status = find_encode(queue, &encode_tiled);
    if (status == PKIN_OK) status = encode(queue, encode_tiled, work->rows, &rows);
    if (status == PKIN_OK) status = encode(queue, encode_tiled, work->columns, &columns);
    uint32_t cluster = pkin_i_fused_cluster(work), n_workers = 0;
    if (status == PKIN_OK) {
        const pkin_i_gpu_grid blocks = pkin_i_fused_launch_of(work, cluster, 1).blocks;
        status = workers_most(queue, pkin::fused_kernel_of(target, cluster), blocks, &n_workers);
    }
    if (status != PKIN_OK) return status;
    if (n_workers == 0) { /* a slice of a device may have no place for two blocks side by side */
        cluster = 1;
        n_workers = static_cast<uint32_t>(queue->gpu->info.n_processors);
    }
    const pkin_i_fused_launch launch = pkin_i_fused_launch_of(work, cluster, n_workers);
    const pkin::fused_work in_kernel = {target, launch.shared, launch.grid, launch.n_workers};
    return pkin_i_cuda_launch(queue, launch.blocks, "filter_fused", pkin::fused_kernel_of(target, cluster), rows,
                              columns, in_kernel);
}
