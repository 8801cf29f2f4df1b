/* SPDX-License-Identifier: Apache-2.0 */
/* Launches of the kernels that know exact scores: scoring, heaps, seeds, rows compared with everybody. */
#include "kernels/cuda_launch.h"

#include "kernels/cuda_launch_each.h"
#include "kernels/exhaust_rows.cuh"
#include "kernels/heaps.cuh"
#include "kernels/score_pairs.cuh"
#include "kernels/seed_rows.cuh"

pkin_status pkin_i_cuda_launch_score(pkin_i_gpu_queue *queue, const pkin_i_gpu_score_work *work) {
    const pkin::score_arguments arguments = pkin::score_arguments_of(*work);
    if (work->pairs) {
        return pkin_i_cuda_launch(queue, pkin::score_grid(*work), "score_join", pkin::score_join_kernel, arguments);
    }
    return pkin_i_cuda_launch(queue, pkin::score_grid(*work), "score_offer", pkin::score_offer_kernel, arguments);
}

pkin_status pkin_i_cuda_launch_heaps_begin(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, uint64_t min_score) {
    return pkin_i_cuda_launch(queue, pkin::heaps_begin_grid(*heaps), "heaps_begin", pkin::heaps_begin_kernel, *heaps,
                              min_score);
}

pkin_status pkin_i_cuda_launch_finish(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, const uint32_t *listed,
                                      uint32_t n_listed) {
    return pkin_i_cuda_launch(queue, pkin::heaps_finish_grid(n_listed), "heaps_finish", pkin::heaps_finish_kernel,
                              *heaps, listed, n_listed);
}

pkin_status pkin_i_cuda_launch_seed(pkin_i_gpu_queue *queue, const pkin_i_gpu_seed_work *work) {
    const pkin::seed_arguments arguments = pkin::seed_arguments_of(*work);
    if (work->counts) {
        return pkin_i_cuda_launch(queue, pkin::seed_grid(*work), "seed_count", pkin::seed_count_kernel, arguments);
    }
    return pkin_i_cuda_launch(queue, pkin::seed_grid(*work), "seed_best", pkin::seed_best_kernel, arguments);
}

/* The table is written, used, and cleared by what was written. */
pkin_status pkin_i_cuda_launch_exhaust(pkin_i_gpu_queue *queue, const pkin_i_gpu_exhaust_work *work) {
    pkin_status status;
    const pkin::exhaust_arguments arguments = pkin::exhaust_arguments_of(*work);
    const pkin_i_gpu_grid table = pkin::exhaust_table_grid(*work);
    PKIN_TRY(pkin_i_cuda_launch(queue, table, "exhaust_table", pkin::exhaust_table_kernel, arguments, 0));
    PKIN_TRY(
        pkin_i_cuda_launch(queue, pkin::exhaust_grid(*work), "exhaust_offer", pkin::exhaust_offer_kernel, arguments));
    PKIN_TRY(pkin_i_cuda_launch(queue, table, "exhaust_table", pkin::exhaust_table_kernel, arguments, 1));
out:
    return status;
}
