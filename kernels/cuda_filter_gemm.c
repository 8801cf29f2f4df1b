/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters GEMM32 and GEMM8: blocks of products by cuBLASLt, each looked through by scan_products.cuh while it is in
 * the L2 cache.
 *
 * Rows are taken in bands; a band's blocks begin at the first column that it has to meet, so that within one side
 * nothing below the diagonal is multiplied but the band's own triangle. cuBLASLt wants a number of columns that is a
 * multiple of 4, and the scan one of 16: blocks begin at such columns, and products that are too many at the left
 * are overwritten by ones that never pass.
 *
 * GEMM8. Sketches are at most 127 (SEVEN) and the limit is L >= 1. The product s, an exact 32-bit sum below 2^24, is
 * multiplied in float by a = 126 / L, rounded to an integer and saturated: the byte of a pair with s >= L is
 * round(a s (1 + e)), |e| <= 2^-22, at least 125 whether it is rounded to nearest or cut off. So bytes of 125 and more
 * are candidates and no pair is lost; a few more than those with s >= L pass, and are scored.
 */
#include "kernels/cuda_blas.h"
#include "kernels/cuda_filter.h"
#include "kernels/cuda_launch.h"
#include "kernels/gpu_launch.h"

enum {
    SCALED_LIMIT = 126,
    NEVER = 0xc0, /* 0xc0c0c0c0 is about -2^30: no correction of scan_products.cuh lifts it to a limit */
    COLUMN_STEP = 16,
    WORKSPACE_ALIGNMENT = 1024
};
static const uint64_t scratch_most = (uint64_t)32 << 20; /* what cuBLAS's documentation advises for Hopper */

uint64_t pkin_i_cuda_gemm_workspace_bytes(const pkin_i_gpu *gpu) {
    return pkin_i_gpu_product_bytes(gpu->l2_bytes) + scratch_most;
}

/* The work, and where its blocks' products go. */
typedef struct gemm {
    pkin_i_gpu_queue *queue;
    pkin_i_cuda_blas *blas;
    const pkin_i_gpu_filter_work *work;
    pkin_i_gpu_product_block block;
    uint32_t product_bytes;
    char *products;
    void *scratch;
    uint64_t scratch_bytes;
} gemm;

static uint64_t padded(uint64_t n_rows) {
    return (n_rows + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
}

static uint32_t least(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

/* Rows or columns from `begin` on that are multiplied for `n` of them: those behind may be any that exist. */
static uint32_t round_up(const pkin_i_gpu_rows *side, uint32_t begin, uint32_t n) {
    return least(padded(n), padded(side->n_rows) - begin);
}

static pkin_status multiply(const gemm *g, uint32_t row, uint32_t n_rows, uint32_t column, uint32_t n_columns) {
    const pkin_i_gpu_filter_work *work = g->work;
    const uint64_t dimension = work->rows->dimension;
    const pkin_i_cuda_product product = {
        .rows = work->rows->sketches + row * dimension,
        .columns = work->columns->sketches + column * dimension,
        .n_rows = n_rows,
        .n_columns = n_columns,
        .dimension = work->rows->dimension,
        .scale = work->filter == PKIN_I_GPU_FILTER_GEMM8 ? (float)SCALED_LIMIT / (float)work->limit : 0,
        .products = g->products,
        .scratch = g->scratch,
        .scratch_bytes = g->scratch_bytes,
    };
    return pkin_i_cuda_blas_multiply(g->blas, g->queue, &product);
}

/* Rows [row, row_end) with the columns [column, column_end), of which those before `column_begin` are not wanted. */
static pkin_status filter_block(const gemm *g, uint32_t row, uint32_t row_end, uint32_t column, uint32_t column_begin,
                                uint32_t column_end) {
    pkin_status status;
    const uint32_t n_rows = round_up(g->work->rows, row, row_end - row);
    const uint32_t n_columns = round_up(g->work->columns, column, column_end - column);
    pkin_i_gpu_filter_work block = *g->work;
    PKIN_TRY(multiply(g, row, n_rows, column, n_columns));
    if (column < column_begin) {
        const cudaError_t error =
            cudaMemset2DAsync(g->products, (size_t)n_columns * g->product_bytes, NEVER,
                              (size_t)(column_begin - column) * g->product_bytes, n_rows, g->queue->stream);
        PKIN_TRY(pkin_i_cuda_check(g->queue->gpu, g->queue, error, "filling memory"));
    }
    block.row_begin = row, block.row_end = row_end;
    block.column_begin = column, block.column_end = column_end;
    PKIN_TRY(pkin_i_cuda_launch_scan(g->queue, &block, g->products, n_columns));
out:
    return status;
}

/* The first column that row `row` of the shard meets, at most column_end. */
static uint32_t first_column(const pkin_i_gpu_filter_work *work, uint32_t row) {
    const uint64_t begin = work->columns->first + work->column_begin, above = work->rows->first + row + 1;
    if (!work->within || above <= begin) return work->column_begin;
    return least(above - work->columns->first, work->column_end);
}

static pkin_status filter_band(const gemm *g, uint32_t row, uint32_t row_end) {
    pkin_status status = PKIN_OK;
    const uint32_t begin = first_column(g->work, row), end = g->work->column_end;
    uint32_t column = begin / COLUMN_STEP * COLUMN_STEP;
    if (g->work->within && begin > g->work->column_begin) {
        /* Columns before it are no pairs, by the scan's own test: blocks may begin where shapes repeat. */
        const uint32_t step = begin / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
        if (step >= g->work->column_begin) column = step;
    }
    while (begin < end && column < end) {
        const uint32_t next = least((uint64_t)column + g->block.n_columns, end);
        PKIN_TRY(filter_block(g, row, row_end, column, g->work->column_begin, next));
        column = next;
    }
out:
    return status;
}

static pkin_status prepare(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work, gemm *out) {
    pkin_status status;
    const uint64_t half = work->workspace_bytes / 2 / WORKSPACE_ALIGNMENT * WORKSPACE_ALIGNMENT;
    const int is_bytes = work->filter == PKIN_I_GPU_FILTER_GEMM8;
    PKIN_REQUIRE(!is_bytes || (!work->row_limits && !work->column_limits), PKIN_ERROR_UNSUPPORTED,
                 "the filter gemm8 knows one limit for all rows; a top-k needs another filter");
    out->queue = queue;
    out->work = work;
    out->scratch = work->workspace;
    out->scratch_bytes = half < scratch_most ? half : scratch_most;
    out->products = (char *)work->workspace + out->scratch_bytes;
    out->product_bytes = is_bytes ? sizeof(int8_t) : sizeof(int32_t);
    out->block = pkin_i_gpu_product_block_in(work->workspace_bytes - out->scratch_bytes, out->product_bytes);
    PKIN_REQUIRE(work->workspace && out->block.n_rows > 0, PKIN_ERROR_OUT_OF_MEMORY,
                 "%s: %llu bytes of workspace are too few for products", queue->gpu->label,
                 (unsigned long long)work->workspace_bytes);
    PKIN_TRY(pkin_i_cuda_blas_of(queue->gpu, &out->blas));
out:
    return status;
}

pkin_status pkin_i_cuda_filter_gemm(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    pkin_status status;
    gemm g = {0};
    PKIN_TRY(prepare(queue, work, &g));
    for (uint32_t row = work->row_begin; row < work->row_end;) {
        const uint32_t next = least((uint64_t)row + g.block.n_rows, work->row_end);
        PKIN_TRY(filter_band(&g, row, next));
        row = next;
    }
out:
    return status;
}
