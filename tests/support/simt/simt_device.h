/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_SIMT_SIMT_DEVICE_H
#define PKIN_TESTS_SUPPORT_SIMT_SIMT_DEVICE_H

/*
 * The kernels of kernels/ (*.cuh) in the emulator, laid over their grids by the functions that the CUDA device uses
 * too: for host devices (support/host_device.h) in the place of their plain loops,
 *
 *     HostDeviceOptions options;
 *     options.kernels = simt_kernels();
 *     HostDevices devices(options);
 *
 * so that the whole pipeline runs above the real kernels. cuBLASLt alone is a plain loop (simt_multiply); its products
 * go to the workspace in blocks as the CUDA device's do.
 */
#include "support/host_device.h"

HostKernels simt_kernels();

/* Filters by products need room for a block: what HostDeviceOptions::workspace_bytes should be at least. */
enum { SIMT_WORKSPACE_BYTES = 16 << 20 };

/*
 * products[r * leading + c] = sum over k of rows[r * dimension + k] * columns[c * dimension + k], signed bytes. With
 * `scale` 0 as 32 bits; else scaled in single precision, brought to a neighbouring integer (now the nearest one, now
 * the lower one: nobody may rely on either), saturated to a byte.
 */
struct SimtProduct {
    const uint8_t *rows, *columns;
    uint32_t n_rows, n_columns, leading, dimension;
    float scale;
    void *products;
};
void simt_multiply(const SimtProduct &product);

/* Looks through a block of products: rows and columns of the work, each row of `leading` products. */
void simt_scan(const pkin_i_gpu_filter_work &work, const void *products, uint32_t leading);

#endif
