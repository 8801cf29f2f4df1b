/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_tail_kernels.h"

/*
 * `bound` keeps the sums of a few rows in registers over all buckets. `reaching` tests 32 rows with one branch, since
 * hardly any pair reaches its limit: plain C that compilers turn into vector code, inlined into one function for each
 * instruction set.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define PKIN_I_X86 1
#include <immintrin.h>
#else
#define PKIN_I_X86 0
#endif

static inline __attribute__((always_inline)) size_t reaching_body(const uint64_t *restrict sums,
                                                                  const uint32_t *restrict bounds, size_t n,
                                                                  uint64_t limit, const uint64_t *restrict limits,
                                                                  uint32_t *restrict found) {
    size_t n_found = 0;
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        /* A difference of values below 2^63 has its top bit set where it is negative: `below` keeps it if all are. */
        uint64_t below = UINT64_MAX;
        for (size_t k = r; k < r + PKIN_I_KERNEL_ROWS; k++) {
            uint64_t most = sums[k] + ((uint64_t)bounds[k] << PKIN_I_BOUND_SHIFT);
            below &= (most - limit) & (most - limits[k]);
        }
        if (below >> 63) continue;
        for (size_t k = r; k < r + PKIN_I_KERNEL_ROWS; k++) {
            uint64_t most = sums[k] + ((uint64_t)bounds[k] << PKIN_I_BOUND_SHIFT);
            found[n_found] = (uint32_t)k;
            n_found += (most >= limit) | (most >= limits[k]);
        }
    }
    return n_found;
}

static void bound_portable(const int16_t *norms, size_t stride, const int16_t *x, size_t n_buckets, size_t n,
                           uint32_t *bounds) {
    for (size_t r = 0; r < n; r++) {
        int32_t sum = 0;
        for (size_t b = 0; b < n_buckets; b += 2) {
            const int16_t *pair = norms + (b / 2 * stride + r) * 2;
            sum += x[b] * pair[0] + x[b + 1] * pair[1];
        }
        bounds[r] = (uint32_t)sum;
    }
}

static size_t reaching_portable(const uint64_t *sums, const uint32_t *bounds, size_t n, uint64_t limit,
                                const uint64_t *limits, uint32_t *found) {
    return reaching_body(sums, bounds, n, limit, limits, found);
}

static const pkin_i_kernels kernels_portable = {"portable", bound_portable, reaching_portable};

#if PKIN_I_X86

/* Two neighbouring buckets of the streamed row as one 32-bit lane. */
static inline int32_t bucket_pair(const int16_t *x, size_t b) {
    return (int32_t)((uint32_t)(uint16_t)x[b] | (uint32_t)(uint16_t)x[b + 1] << 16);
}

__attribute__((target("avx2"))) static void bound_avx2(const int16_t *norms, size_t stride, const int16_t *x,
                                                       size_t n_buckets, size_t n, uint32_t *bounds) {
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t b = 0; b < n_buckets; b += 2) {
            const __m256i *rows = (const __m256i *)(const void *)(norms + (b / 2 * stride + r) * 2);
            __m256i both = _mm256_set1_epi32(bucket_pair(x, b));
            s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(both, _mm256_loadu_si256(rows)));
            s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(both, _mm256_loadu_si256(rows + 1)));
            s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(both, _mm256_loadu_si256(rows + 2)));
            s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(both, _mm256_loadu_si256(rows + 3)));
        }
        __m256i *out = (__m256i *)(void *)(bounds + r);
        _mm256_storeu_si256(out, s0);
        _mm256_storeu_si256(out + 1, s1);
        _mm256_storeu_si256(out + 2, s2);
        _mm256_storeu_si256(out + 3, s3);
    }
}

__attribute__((target("avx2"))) static size_t reaching_avx2(const uint64_t *sums, const uint32_t *bounds, size_t n,
                                                            uint64_t limit, const uint64_t *limits, uint32_t *found) {
    return reaching_body(sums, bounds, n, limit, limits, found);
}

static const pkin_i_kernels kernels_avx2 = {"AVX2", bound_avx2, reaching_avx2};

__attribute__((target("avx512f,avx512bw"))) static void
bound_avx512(const int16_t *norms, size_t stride, const int16_t *x, size_t n_buckets, size_t n, uint32_t *bounds) {
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        __m512i s0 = _mm512_setzero_si512(), s1 = s0;
        for (size_t b = 0; b < n_buckets; b += 2) {
            const int16_t *rows = norms + (b / 2 * stride + r) * 2;
            __m512i both = _mm512_set1_epi32(bucket_pair(x, b));
            s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(both, _mm512_loadu_si512(rows)));
            s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(both, _mm512_loadu_si512(rows + 32)));
        }
        _mm512_storeu_si512(bounds + r, s0);
        _mm512_storeu_si512(bounds + r + 16, s1);
    }
}

__attribute__((target("avx512f,avx512bw"))) static size_t reaching_avx512(const uint64_t *sums, const uint32_t *bounds,
                                                                          size_t n, uint64_t limit,
                                                                          const uint64_t *limits, uint32_t *found) {
    return reaching_body(sums, bounds, n, limit, limits, found);
}

static const pkin_i_kernels kernels_avx512 = {"AVX-512", bound_avx512, reaching_avx512};

const pkin_i_kernels *pkin_i_kernels_at(size_t index) {
    __builtin_cpu_init();
    int has_avx2 = __builtin_cpu_supports("avx2") != 0;
    int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    if (index == 0) return &kernels_portable;
    if (index == 1) return has_avx2 ? &kernels_avx2 : NULL;
    return index == 2 && has_avx512 ? &kernels_avx512 : NULL;
}

#else

const pkin_i_kernels *pkin_i_kernels_at(size_t index) {
    return index == 0 ? &kernels_portable : NULL;
}

#endif

const pkin_i_kernels *pkin_i_kernels_choose(void) {
    size_t best = 0;
    while (pkin_i_kernels_at(best + 1)) best++;
    return pkin_i_kernels_at(best);
}
