/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_KERNELS_H
#define PKIN_SIMILARITY_CPU_KERNELS_H

/* The two inner loops that run over every pair of rows, for several instruction sets. Integers: the same bits in each.
 */
#include <stddef.h>
#include <stdint.h>

enum {
    PKIN_I_KERNEL_ROWS = 32, /* kernels run over a multiple of this many rows */
    PKIN_I_BOUND_SHIFT = 32  /* a bound of 1 is a score of 2^32, that is 2^-28 */
};

typedef struct pkin_i_kernels {
    const char *instruction_set;
    /*
     * bounds[r] = sum over b < n_buckets of x[b] * norms(b, r), for r < n; norms(b, r) is norms[(b / 2 * stride + r) *
     * 2 + b % 2]: two buckets side by side, so that one instruction multiplies both and adds. n_buckets even, n a
     * multiple of KERNEL_ROWS; norms and x in [0, 2^14], sums below 2^31 (see cpu_head.h).
     */
    void (*bound)(const int16_t *norms, size_t stride, const int16_t *x, size_t n_buckets, size_t n, uint32_t *bounds);
    /*
     * The places r < n with sums[r] + (bounds[r] << BOUND_SHIFT) >= min(limit, limits[r]), ascending, to `found` (room
     * for n + 1); returns how many. Sums and limits below 2^62. n a multiple of KERNEL_ROWS.
     */
    size_t (*reaching)(const uint64_t *sums, const uint32_t *bounds, size_t n, uint64_t limit, const uint64_t *limits,
                       uint32_t *found);
} pkin_i_kernels;

/* The best for the processor that this runs on; all that run on it, for tests: NULL past the last. */
const pkin_i_kernels *pkin_i_kernels_choose(void);
const pkin_i_kernels *pkin_i_kernels_at(size_t index);

#endif
