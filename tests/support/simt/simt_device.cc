/* SPDX-License-Identifier: Apache-2.0 */
#include "support/simt/simt_device.h"

#include <cmath>

#include "kernels/dp4a_filter.cuh"
#include "kernels/exhaust_rows.cuh"
#include "kernels/filter_fused.cuh"
#include "kernels/heaps.cuh"
#include "kernels/scan_products.cuh"
#include "kernels/score_pairs.cuh"
#include "kernels/seed_rows.cuh"
#include "kernels/sketch_rows.cuh"

namespace {

template <class Kernel> void launch(const pkin_i_gpu_grid &grid, Kernel &&kernel) {
    if (grid.blocks[0] == 0 || grid.blocks[1] == 0 || grid.blocks[2] == 0) return;
    simt::launch_cluster(dim3(grid.blocks[0], grid.blocks[1], grid.blocks[2]), grid.threads, grid.cluster,
                         grid.shared_bytes, kernel);
}

/* For kernels that loop over their work in steps of the grid: now and then one block alone, so that they have to. */
template <class Kernel> void launch_looping(pkin_i_gpu_grid grid, Kernel &&kernel) {
    static thread_local uint32_t drawn = 1;
    drawn = drawn * 1664525 + 1013904223;
    if (drawn >> 31) grid.blocks[0] = std::min(grid.blocks[0], 1u);
    launch(grid, kernel);
}

void sketch(const pkin_i_gpu_rows &rows, const uint16_t *buckets) {
    const pkin::sketch_task task = pkin::sketch_task_of(rows, buckets);
    launch_looping(pkin::sketch_grid(rows), [&] { pkin::sketch_rows(task); });
}

void sample(const pkin_i_gpu_rows &rows, uint64_t stride, const pkin_i_gpu_rows &out) {
    const pkin::sample_task task = pkin::sample_task_of(rows, stride, out);
    launch_looping(pkin::sample_grid(out), [&] { pkin::sample_rows(task); });
}

/* ---- Filters ---- */

void filter_dp4a(const pkin_i_gpu_filter_work &work) {
    const pkin::filter_target target = pkin::filter_target_of(work);
    launch_looping(pkin::dp4a_filter_grid(target), [&] {
        pkin::dp4a_filter(target, work.rows->sketches, work.columns->sketches, work.rows->dimension);
    });
}

pkin::tensor_map encode(const pkin_i_gpu_rows &rows) {
    const pkin_i_fused_map map = pkin_i_fused_map_of(&rows);
    return pkin::encode_tensor_map(map.base, map.extents, map.row_bytes, map.box);
}

void filter_fused(const pkin_i_gpu_filter_work &work) {
    enum { WORKERS = 3 }; /* clusters that the device runs at once; here one after another */
    if (work.row_begin == work.row_end || work.column_begin == work.column_end) return;
    const uint32_t cluster = pkin_i_fused_cluster(&work);
    const pkin_i_fused_launch plan = pkin_i_fused_launch_of(&work, cluster, WORKERS);
    const pkin::fused_work arguments = {pkin::filter_target_of(work), plan.shared, plan.grid, plan.n_workers};
    const pkin::fused_kernel kernel = pkin::fused_kernel_of(arguments.target, cluster);
    const pkin::tensor_map rows = encode(*work.rows), columns = encode(*work.columns);
    launch(plan.blocks, [&] { kernel(rows, columns, arguments); });
}

/* Blocks of products, as large as the workspace allows, multiplied and then looked through. */
void filter_gemm(const pkin_i_gpu_filter_work &work, float scale) {
    enum { STEP = 16 }; /* of the scan's columns: those behind the last are nobody's, and are not zero */
    const pkin_i_gpu_product_block block = pkin_i_gpu_product_block_in(work.workspace_bytes, scale == 0 ? 4 : 1);
    const uint64_t d = work.rows->dimension;
    if (block.n_rows == 0) std::abort();
    memset(work.workspace, 0x7E, work.workspace_bytes);
    for (uint32_t row = work.row_begin; row < work.row_end; row += block.n_rows) {
        for (uint32_t column = work.column_begin; column < work.column_end; column += block.n_columns) {
            pkin_i_gpu_filter_work part = work;
            part.row_begin = row;
            part.row_end = std::min(work.row_end, row + block.n_rows);
            part.column_begin = column;
            part.column_end = std::min(work.column_end, column + block.n_columns);
            const uint32_t n_rows = part.row_end - row, n_columns = part.column_end - column;
            const uint32_t leading = (n_columns + STEP - 1) / STEP * STEP;
            simt_multiply({work.rows->sketches + row * d, work.columns->sketches + column * d, n_rows, n_columns,
                           leading, work.rows->dimension, scale, work.workspace});
            simt_scan(part, work.workspace, leading);
        }
    }
}

void filter(const pkin_i_gpu_filter_work &work) {
    switch (work.filter) {
    case PKIN_I_GPU_FILTER_FUSED:
        filter_fused(work);
        break;
    case PKIN_I_GPU_FILTER_GEMM8:
        filter_gemm(work, 126.0f / static_cast<float>(work.limit));
        break;
    case PKIN_I_GPU_FILTER_GEMM32:
        filter_gemm(work, 0);
        break;
    default:
        filter_dp4a(work);
    }
}

/* ---- Scores ---- */

void score(const pkin_i_gpu_score_work &work) {
    const pkin::score_arguments arguments = pkin::score_arguments_of(work);
    launch_looping(pkin::score_grid(work), [&] {
        if (work.heaps) {
            pkin::score_offer_kernel(arguments);
        } else {
            pkin::score_join_kernel(arguments);
        }
    });
}

void heaps_begin(const pkin_i_gpu_heaps &heaps, uint64_t min_score) {
    launch_looping(pkin::heaps_begin_grid(heaps), [&] { pkin::heaps_begin_kernel(heaps, min_score); });
}

void seed(const pkin_i_gpu_seed_work &work) {
    const pkin::seed_arguments arguments = pkin::seed_arguments_of(work);
    launch(pkin::seed_grid(work), [&] {
        if (work.found) {
            pkin::seed_best_kernel(arguments);
        } else {
            pkin::seed_count_kernel(arguments);
        }
    });
}

void exhaust(const pkin_i_gpu_exhaust_work &work) {
    const pkin::exhaust_arguments arguments = pkin::exhaust_arguments_of(work);
    launch(pkin::exhaust_table_grid(work), [&] { pkin::exhaust_table_kernel(arguments, 0); });
    if (work.n_listed > 0) launch_looping(pkin::exhaust_grid(work), [&] { pkin::exhaust_offer_kernel(arguments); });
    launch(pkin::exhaust_table_grid(work), [&] { pkin::exhaust_table_kernel(arguments, 1); });
}

void finish(const pkin_i_gpu_heaps &heaps, const uint32_t *listed, uint32_t n_listed) {
    launch_looping(pkin::heaps_finish_grid(n_listed), [&] { pkin::heaps_finish_kernel(heaps, listed, n_listed); });
}

} // namespace

void simt_multiply(const SimtProduct &p) {
    for (uint64_t r = 0; r < p.n_rows; r++) {
        for (uint64_t c = 0; c < p.n_columns; c++) {
            const int8_t *x = reinterpret_cast<const int8_t *>(p.rows) + r * p.dimension;
            const int8_t *y = reinterpret_cast<const int8_t *>(p.columns) + c * p.dimension;
            int32_t exact = 0;
            for (uint32_t k = 0; k < p.dimension; k++) exact += x[k] * y[k];
            if (p.scale == 0) {
                static_cast<int32_t *>(p.products)[r * p.leading + c] = exact;
                continue;
            }
            const float scaled = p.scale * static_cast<float>(exact);
            const float whole = (r + c) % 2 ? std::floor(scaled) : std::nearbyint(scaled);
            static_cast<int8_t *>(p.products)[r * p.leading + c] =
                static_cast<int8_t>(std::min(127.0f, std::max(-128.0f, whole)));
        }
    }
}

void simt_scan(const pkin_i_gpu_filter_work &work, const void *products, uint32_t leading) {
    const pkin::filter_target target = pkin::filter_target_of(work);
    if (work.filter == PKIN_I_GPU_FILTER_GEMM8) {
        launch_looping(pkin::scan_grid<pkin::scan_bytes>(target),
                       [&] { pkin::scan_products<pkin::scan_bytes>(pkin::scan_bytes(), target, products, leading); });
    } else {
        const pkin::scan_words words = {work.rows->sums, work.columns->sums, work.rows->dimension};
        launch_looping(pkin::scan_grid<pkin::scan_words>(target),
                       [&] { pkin::scan_products<pkin::scan_words>(words, target, products, leading); });
    }
}

HostKernels simt_kernels() {
    return {sketch, sample, filter, score, heaps_begin, seed, exhaust, finish};
}
