/* SPDX-License-Identifier: Apache-2.0 */
/* Launches of the kernels that make candidates: sketches, samples, the plain filter, the scan of products. */
#include "kernels/cuda_launch.h"

#include "kernels/cuda_launch_each.h"
#include "kernels/dp4a_filter.cuh"
#include "kernels/scan_products.cuh"
#include "kernels/sketch_rows.cuh"

cudaError_t pkin_i_cuda_has_code(void) {
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void *>(pkin::sketch_rows));
}

pkin_status pkin_i_cuda_launch_sketch(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, const uint16_t *buckets) {
    return pkin_i_cuda_launch(queue, pkin::sketch_grid(*rows), "sketch_rows", pkin::sketch_rows,
                              pkin::sketch_task_of(*rows, buckets));
}

pkin_status pkin_i_cuda_launch_sample(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, uint64_t stride,
                                      const pkin_i_gpu_rows *sample) {
    return pkin_i_cuda_launch(queue, pkin::sample_grid(*sample), "sample_rows", pkin::sample_rows,
                              pkin::sample_task_of(*rows, stride, *sample));
}

pkin_status pkin_i_cuda_launch_dp4a(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    const pkin::filter_target target = pkin::filter_target_of(*work);
    return pkin_i_cuda_launch(queue, pkin::dp4a_filter_grid(target), "dp4a_filter", pkin::dp4a_filter, target,
                              work->rows->sketches, work->columns->sketches, work->rows->dimension);
}

pkin_status pkin_i_cuda_launch_scan(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *block, const void *products,
                                    uint32_t leading) {
    const pkin::filter_target target = pkin::filter_target_of(*block);
    if (block->filter == PKIN_I_GPU_FILTER_GEMM8) {
        return pkin_i_cuda_launch(queue, pkin::scan_grid<pkin::scan_bytes>(target), "scan_products (bytes)",
                                  pkin::scan_products<pkin::scan_bytes>, pkin::scan_bytes(), target, products, leading);
    }
    const pkin::scan_words words = {block->rows->sums, block->columns->sums, block->rows->dimension};
    return pkin_i_cuda_launch(queue, pkin::scan_grid<pkin::scan_words>(target), "scan_products (words)",
                              pkin::scan_products<pkin::scan_words>, words, target, products, leading);
}
