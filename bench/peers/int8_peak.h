/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BENCH_PEERS_INT8_PEAK_H
#define PKIN_BENCH_PEERS_INT8_PEAK_H

#include <stddef.h>

/*
 * What a filter's rate is held against: a large product of signed bytes with 32-bit sums by cuBLASLt, D = A^T B with A
 * and B of k x n bytes, the form in which the library is fastest. The best of the algorithms that it proposes.
 */
typedef struct int8_peak {
    int n;                        /* m = n = k */
    double seconds;               /* median of several runs of the best algorithm */
    double operations_per_second; /* 2 n^3 / seconds */
    int n_algorithms;             /* that were tried */
} int8_peak;

/* Whether it was measured; else `why`, which is ended by NUL, says why not. */
int int8_peak_measure(int device, int n, int8_peak *out, char *why, size_t n_why);

#endif
