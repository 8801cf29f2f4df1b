/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_CUDA_BLAS_H
#define PKIN_KERNELS_CUDA_BLAS_H

/* cuBLASLt's 8-bit integer products, the library loaded when they are first wanted. */
#include "kernels/cuda_device.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_cuda_blas pkin_i_cuda_blas; /* of a device */

/* Whether the library can be had. Looks where it may lie before it loads it, which takes a tenth of a second. `why` is
   "" or the reason. */
int pkin_i_cuda_blas_is_there(char *why, size_t n_bytes);

/* The device's, opened at the first call; with the device current. From several threads. */
pkin_status pkin_i_cuda_blas_of(pkin_i_gpu *gpu, pkin_i_cuda_blas **out);
void pkin_i_cuda_blas_close(pkin_i_cuda_blas *blas); /* accepts NULL */

/*
 * products[r * n_columns + c] = sum over k of rows[r * dimension + k] * columns[c * dimension + k], signed bytes. With
 * `scale` 0: 32-bit integers, exact. Else bytes: the sum times `scale`, rounded in some way to a neighbouring integer
 * and saturated.
 * Row and column pointers (device) are multiples of 64, as are dimensions; products and scratch of 256, n_columns
 * of 16.
 */
typedef struct pkin_i_cuda_product {
    const uint8_t *rows, *columns;
    uint32_t n_rows, n_columns, dimension;
    float scale;
    void *products;
    void *scratch; /* device */
    uint64_t scratch_bytes;
} pkin_i_cuda_product;
pkin_status pkin_i_cuda_blas_multiply(pkin_i_cuda_blas *blas, pkin_i_gpu_queue *queue,
                                      const pkin_i_cuda_product *product);

PKIN_EXTERN_C_END

#endif
