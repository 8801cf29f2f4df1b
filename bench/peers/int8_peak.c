/* SPDX-License-Identifier: Apache-2.0 */
#include "int8_peak.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_ALGORITHMS = 8, N_RUNS = 9, WORKSPACE_BYTES = 64 << 20 };

/* One measurement: everything that must be given back. */
typedef struct bench {
    int n;
    void *a, *b, *d, *workspace;
    cudaStream_t stream;
    cudaEvent_t before, after;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t layout_in, layout_out;
    cublasLtMatmulPreference_t preference;
    cublasLtMatmulHeuristicResult_t algorithms[N_ALGORITHMS];
    int n_algorithms;
    char *why;
    size_t n_why;
} bench;

static int cuda_good(bench *it, cudaError_t error, const char *what) {
    if (error == cudaSuccess) return 1;
    snprintf(it->why, it->n_why, "%s: %s", what, cudaGetErrorString(error));
    return 0;
}

static int blas_good(bench *it, cublasStatus_t status, const char *what) {
    if (status == CUBLAS_STATUS_SUCCESS) return 1;
    snprintf(it->why, it->n_why, "%s: cuBLASLt status %d", what, (int)status);
    return 0;
}

/* Bytes as sketches have them, 0 to 63: what is multiplied decides about power, and so about the clock. */
static int fill(bench *it, void *device, uint64_t n_bytes, uint32_t seed) {
    uint8_t *bytes = malloc(n_bytes);
    if (!bytes) return snprintf(it->why, it->n_why, "no memory on the host"), 0;
    for (uint64_t k = 0; k < n_bytes; k++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[k] = (uint8_t)(seed >> 26);
    }
    int good = cuda_good(it, cudaMemcpy(device, bytes, n_bytes, cudaMemcpyHostToDevice), "copying");
    free(bytes);
    return good;
}

static int open_device(bench *it, int device) {
    const uint64_t n_bytes = (uint64_t)it->n * (uint64_t)it->n;
    return cuda_good(it, cudaSetDevice(device), "choosing the device") &&
           cuda_good(it, cudaStreamCreateWithFlags(&it->stream, cudaStreamNonBlocking), "making a stream") &&
           cuda_good(it, cudaEventCreate(&it->before), "making an event") &&
           cuda_good(it, cudaEventCreate(&it->after), "making an event") &&
           cuda_good(it, cudaMalloc(&it->a, n_bytes), "allocating") &&
           cuda_good(it, cudaMalloc(&it->b, n_bytes), "allocating") &&
           cuda_good(it, cudaMalloc(&it->d, 4 * n_bytes), "allocating") &&
           cuda_good(it, cudaMalloc(&it->workspace, WORKSPACE_BYTES), "allocating") && fill(it, it->a, n_bytes, 1) &&
           fill(it, it->b, n_bytes, 2);
}

static int open_product(bench *it) {
    const uint64_t n = (uint64_t)it->n, workspace = WORKSPACE_BYTES;
    const cublasOperation_t transposed = CUBLAS_OP_T;
    return blas_good(it, cublasLtCreate(&it->handle), "opening cuBLASLt") &&
           blas_good(it, cublasLtMatmulDescCreate(&it->operation, CUBLAS_COMPUTE_32I, CUDA_R_32I), "describing") &&
           blas_good(it,
                     cublasLtMatmulDescSetAttribute(it->operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                                    sizeof transposed),
                     "describing") &&
           blas_good(it, cublasLtMatrixLayoutCreate(&it->layout_in, CUDA_R_8I, n, n, (int64_t)n), "describing") &&
           blas_good(it, cublasLtMatrixLayoutCreate(&it->layout_out, CUDA_R_32I, n, n, (int64_t)n), "describing") &&
           blas_good(it, cublasLtMatmulPreferenceCreate(&it->preference), "describing") &&
           blas_good(it,
                     cublasLtMatmulPreferenceSetAttribute(it->preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                          &workspace, sizeof workspace),
                     "describing") &&
           blas_good(it,
                     cublasLtMatmulAlgoGetHeuristic(it->handle, it->operation, it->layout_in, it->layout_in,
                                                    it->layout_out, it->layout_out, it->preference, N_ALGORITHMS,
                                                    it->algorithms, &it->n_algorithms),
                     "asking for algorithms");
}

static int run_once(bench *it, int algorithm, double *seconds) {
    const int32_t one = 1, zero = 0;
    float milliseconds = 0;
    if (!cuda_good(it, cudaEventRecord(it->before, it->stream), "timing") ||
        !blas_good(it,
                   cublasLtMatmul(it->handle, it->operation, &one, it->a, it->layout_in, it->b, it->layout_in, &zero,
                                  it->d, it->layout_out, it->d, it->layout_out, &it->algorithms[algorithm].algo,
                                  it->workspace, WORKSPACE_BYTES, it->stream),
                   "multiplying") ||
        !cuda_good(it, cudaEventRecord(it->after, it->stream), "timing") ||
        !cuda_good(it, cudaEventSynchronize(it->after), "multiplying") ||
        !cuda_good(it, cudaEventElapsedTime(&milliseconds, it->before, it->after), "timing")) {
        return 0;
    }
    *seconds = (double)milliseconds * 1e-3;
    return 1;
}

static int compare_seconds(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Algorithms that cannot run are passed over. */
static int run_all(bench *it, int8_peak *out) {
    for (int a = 0; a < it->n_algorithms; a++) {
        double seconds[N_RUNS], warm;
        int good = it->algorithms[a].state == CUBLAS_STATUS_SUCCESS && run_once(it, a, &warm);
        for (int r = 0; good && r < N_RUNS; r++) good = run_once(it, a, &seconds[r]);
        if (!good) continue;
        qsort(seconds, N_RUNS, sizeof *seconds, compare_seconds);
        if (out->n_algorithms++ == 0 || seconds[N_RUNS / 2] < out->seconds) out->seconds = seconds[N_RUNS / 2];
    }
    if (out->n_algorithms == 0 && !*it->why) snprintf(it->why, it->n_why, "cuBLASLt knows no algorithm");
    const double n = it->n;
    if (out->seconds > 0) out->operations_per_second = 2 * n * n * n / out->seconds;
    return out->n_algorithms > 0;
}

static void close_all(bench *it) {
    if (it->preference) cublasLtMatmulPreferenceDestroy(it->preference);
    if (it->layout_in) cublasLtMatrixLayoutDestroy(it->layout_in);
    if (it->layout_out) cublasLtMatrixLayoutDestroy(it->layout_out);
    if (it->operation) cublasLtMatmulDescDestroy(it->operation);
    if (it->handle) cublasLtDestroy(it->handle);
    cudaFree(it->a); /* all of these accept NULL */
    cudaFree(it->b);
    cudaFree(it->d);
    cudaFree(it->workspace);
    if (it->before) cudaEventDestroy(it->before);
    if (it->after) cudaEventDestroy(it->after);
    if (it->stream) cudaStreamDestroy(it->stream);
}

int int8_peak_measure(int device, int n, int8_peak *out, char *why, size_t n_why) {
    bench it = {.n = n, .why = why, .n_why = n_why};
    *out = (int8_peak){.n = n};
    if (n_why) *why = '\0';
    int good = open_device(&it, device) && open_product(&it) && run_all(&it, out);
    close_all(&it);
    return good;
}
