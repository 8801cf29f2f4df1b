/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_tail_kernels.h"

/*
 * `scan` tests 32 rows with one branch and clears their sums on the way. Two buckets of 16 bits are one 32-bit lane, so
 * that one instruction multiplies both and adds. `refine` takes one row at a time.
 * `reaching` is plain C that compilers turn into vector code, inlined into one function for each instruction set.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define PKIN_I_X86 1
#include <immintrin.h>
#else
#define PKIN_I_X86 0
#endif

static inline uint32_t limit_at(uint32_t limit, const uint32_t *limits, size_t r) {
    return limits && limits[r] < limit ? limits[r] : limit;
}

static inline __attribute__((always_inline)) size_t reaching_body(const uint64_t *restrict scores, size_t n,
                                                                  uint64_t limit, const uint64_t *restrict limits,
                                                                  uint32_t *restrict found) {
    size_t n_found = 0;
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        /* A difference of values below 2^63 has its top bit set where it is negative: `below` keeps it if all are. */
        uint64_t below = UINT64_MAX;
        for (size_t k = r; k < r + PKIN_I_KERNEL_ROWS; k++) below &= (scores[k] - limit) & (scores[k] - limits[k]);
        if (below >> 63) continue;
        for (size_t k = r; k < r + PKIN_I_KERNEL_ROWS; k++) {
            found[n_found] = (uint32_t)k;
            n_found += (scores[k] >= limit) | (scores[k] >= limits[k]);
        }
    }
    return n_found;
}

static inline uint32_t coarse_bound(const int16_t *norms, const int16_t *x, size_t r) {
    return (uint32_t)(x[0] * norms[2 * r] + x[1] * norms[2 * r + 1]);
}

static size_t scan_portable(uint32_t *sums, const int16_t *norms, const int16_t *x, size_t n, uint32_t limit,
                            const uint32_t *limits, pkin_i_tail_found *found) {
    size_t n_found = 0;
    for (size_t r = 0; r < n; r++) {
        const uint32_t sum = sums[r];
        sums[r] = 0;
        found[n_found] = (pkin_i_tail_found){(uint32_t)r, sum};
        n_found += sum + coarse_bound(norms, x, r) >= limit_at(limit, limits, r);
    }
    return n_found;
}

static size_t refine_portable(const int16_t *norms, const int16_t *x, uint32_t limit, const uint32_t *limits,
                              pkin_i_tail_found *found, size_t n_found) {
    size_t n_left = 0;
    for (size_t f = 0; f < n_found; f++) {
        const int16_t *row = norms + (size_t)found[f].place * PKIN_I_FINE_BUCKETS;
        int32_t bound = 0;
        for (int b = 0; b < PKIN_I_FINE_BUCKETS; b++) bound += x[b] * row[b];
        found[n_left] = found[f];
        n_left += found[f].tail + (uint32_t)bound >= limit_at(limit, limits, found[f].place);
    }
    return n_left;
}

static size_t reaching_portable(const uint64_t *scores, size_t n, uint64_t limit, const uint64_t *limits,
                                uint32_t *found) {
    return reaching_body(scores, n, limit, limits, found);
}

static const pkin_i_tail_kernels kernels_portable = {"portable", scan_portable, refine_portable, reaching_portable};

#if PKIN_I_X86

#define AVX2 __attribute__((target("avx2,bmi")))
#define AVX512 __attribute__((target("avx2,bmi,avx512f,avx512bw,avx512dq,avx512vl")))

/* Two neighbouring buckets as one 32-bit lane. */
static inline int32_t bucket_pair(const int16_t *x) {
    return (int32_t)((uint32_t)(uint16_t)x[0] | (uint32_t)(uint16_t)x[1] << 16);
}

/* Eight rows: their sums, which it clears, and whose bounds stay below the limit, as lanes of ones. */
AVX2 static inline __m256i below_avx2(uint32_t *sums, const int16_t *norms, __m256i x, __m256i limit,
                                      const uint32_t *limits, size_t r, __m256i *sum) {
    __m256i *at = (__m256i *)(void *)(sums + r);
    *sum = _mm256_loadu_si256(at);
    _mm256_storeu_si256(at, _mm256_setzero_si256());
    __m256i row_norms = _mm256_loadu_si256((const __m256i *)(const void *)(norms + 2 * r));
    __m256i bound = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, row_norms));
    if (limits) limit = _mm256_min_epu32(limit, _mm256_loadu_si256((const __m256i *)(const void *)(limits + r)));
    return _mm256_cmpgt_epi32(limit, bound);
}

AVX2 static inline __attribute__((always_inline)) size_t scan_avx2_body(uint32_t *sums, const int16_t *norms,
                                                                        const int16_t *x, size_t n, uint32_t limit,
                                                                        const uint32_t *limits,
                                                                        pkin_i_tail_found *found) {
    const __m256i both = _mm256_set1_epi32(bucket_pair(x)), most = _mm256_set1_epi32((int32_t)limit);
    size_t n_found = 0;
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        __m256i sum[4], below[4];
        uint32_t kept[PKIN_I_KERNEL_ROWS], reached = 0;
        for (size_t q = 0; q < 4; q++) below[q] = below_avx2(sums, norms, both, most, limits, r + 8 * q, &sum[q]);
        __m256i all = _mm256_and_si256(_mm256_and_si256(below[0], below[1]), _mm256_and_si256(below[2], below[3]));
        if (_mm256_movemask_epi8(all) == -1) continue;
        for (size_t q = 0; q < 4; q++) {
            _mm256_storeu_si256((__m256i *)(void *)(kept + 8 * q), sum[q]);
            reached |= (uint32_t)(_mm256_movemask_ps(_mm256_castsi256_ps(below[q])) ^ 0xFF) << 8 * q;
        }
        for (; reached; reached &= reached - 1) {
            const uint32_t k = (uint32_t)__builtin_ctz(reached);
            found[n_found++] = (pkin_i_tail_found){(uint32_t)r + k, kept[k]};
        }
    }
    return n_found;
}

AVX2 static size_t scan_avx2(uint32_t *sums, const int16_t *norms, const int16_t *x, size_t n, uint32_t limit,
                             const uint32_t *limits, pkin_i_tail_found *found) {
    return limits ? scan_avx2_body(sums, norms, x, n, limit, limits, found)
                  : scan_avx2_body(sums, norms, x, n, limit, NULL, found);
}

AVX2 static size_t refine_avx2(const int16_t *norms, const int16_t *x, uint32_t limit, const uint32_t *limits,
                               pkin_i_tail_found *found, size_t n_found) {
    size_t n_left = 0;
    for (size_t f = 0; f < n_found; f++) {
        const int16_t *row = norms + (size_t)found[f].place * PKIN_I_FINE_BUCKETS;
        __m256i sum = _mm256_setzero_si256();
        for (int b = 0; b < PKIN_I_FINE_BUCKETS; b += 16) {
            sum =
                _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(x + b)),
                                                        _mm256_loadu_si256((const __m256i *)(const void *)(row + b))));
        }
        __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        half = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
        half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 1));
        found[n_left] = found[f];
        n_left += found[f].tail + (uint32_t)_mm_cvtsi128_si32(half) >= limit_at(limit, limits, found[f].place);
    }
    return n_left;
}

AVX2 static size_t reaching_avx2(const uint64_t *scores, size_t n, uint64_t limit, const uint64_t *limits,
                                 uint32_t *found) {
    return reaching_body(scores, n, limit, limits, found);
}

static const pkin_i_tail_kernels kernels_avx2 = {"avx2", scan_avx2, refine_avx2, reaching_avx2};

AVX512 static inline __attribute__((always_inline)) size_t scan_avx512_body(uint32_t *sums, const int16_t *norms,
                                                                            const int16_t *x, size_t n, uint32_t limit,
                                                                            const uint32_t *limits,
                                                                            pkin_i_tail_found *found) {
    const __m512i both = _mm512_set1_epi32(bucket_pair(x)), most = _mm512_set1_epi32((int32_t)limit);
    size_t n_found = 0;
    for (size_t r = 0; r < n; r += PKIN_I_KERNEL_ROWS) {
        __m512i sum0 = _mm512_loadu_si512(sums + r), sum1 = _mm512_loadu_si512(sums + r + 16);
        __m512i most0 = most, most1 = most;
        if (limits) {
            most0 = _mm512_min_epu32(most, _mm512_loadu_si512(limits + r));
            most1 = _mm512_min_epu32(most, _mm512_loadu_si512(limits + r + 16));
        }
        _mm512_storeu_si512(sums + r, _mm512_setzero_si512());
        _mm512_storeu_si512(sums + r + 16, _mm512_setzero_si512());
        __m512i bound0 = _mm512_add_epi32(sum0, _mm512_madd_epi16(both, _mm512_loadu_si512(norms + 2 * r)));
        __m512i bound1 = _mm512_add_epi32(sum1, _mm512_madd_epi16(both, _mm512_loadu_si512(norms + 2 * r + 32)));
        uint32_t reached = _mm512_cmpge_epu32_mask(bound0, most0);
        reached |= (uint32_t)_mm512_cmpge_epu32_mask(bound1, most1) << 16;
        if (!reached) continue;
        uint32_t kept[PKIN_I_KERNEL_ROWS];
        _mm512_storeu_si512(kept, sum0);
        _mm512_storeu_si512(kept + 16, sum1);
        for (; reached; reached &= reached - 1) {
            const uint32_t k = (uint32_t)__builtin_ctz(reached);
            found[n_found++] = (pkin_i_tail_found){(uint32_t)r + k, kept[k]};
        }
    }
    return n_found;
}

AVX512 static size_t scan_avx512(uint32_t *sums, const int16_t *norms, const int16_t *x, size_t n, uint32_t limit,
                                 const uint32_t *limits, pkin_i_tail_found *found) {
    return limits ? scan_avx512_body(sums, norms, x, n, limit, limits, found)
                  : scan_avx512_body(sums, norms, x, n, limit, NULL, found);
}

AVX512 static size_t reaching_avx512(const uint64_t *scores, size_t n, uint64_t limit, const uint64_t *limits,
                                     uint32_t *found) {
    return reaching_body(scores, n, limit, limits, found);
}

static const pkin_i_tail_kernels kernels_avx512 = {"avx512", scan_avx512, refine_avx2, reaching_avx512};

const pkin_i_tail_kernels *pkin_i_tail_kernels_for(pkin_i_isa isa) {
    if (isa == PKIN_I_ISA_PORTABLE) return &kernels_portable;
    return isa == PKIN_I_ISA_AVX2 ? &kernels_avx2 : &kernels_avx512;
}

#else

const pkin_i_tail_kernels *pkin_i_tail_kernels_for(pkin_i_isa isa) {
    (void)isa;
    return &kernels_portable;
}

#endif

const pkin_i_tail_kernels *pkin_i_tail_kernels_at(size_t index) {
    if (index > PKIN_I_ISA_AVX512 || !pkin_i_isa_is_available((pkin_i_isa)index)) return NULL;
    return pkin_i_tail_kernels_for((pkin_i_isa)index);
}
