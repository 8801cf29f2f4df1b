/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

/*
 * CPUID leaf 7, subleaf 1, EAX bit 4: vpdpbusd on 256-bit registers, without AVX-512. Asked once a process, since a
 * hypervisor may take long to answer; two threads that ask at once hear the same.
 */
static int has_avx_vnni(void) {
    static int known; /* answer + 1 */
    unsigned eax, ebx, ecx, edx;
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        answer = 1 + (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1 << 4));
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer - 1;
}

/* Slowest first. What a level needs beyond its instructions is asked for here. */
static const pkin_i_filter *const filters[] = {&pkin_i_filter_portable, &pkin_i_filter_avx2, &pkin_i_filter_avx_vnni,
                                               &pkin_i_filter_avx512, &pkin_i_filter_amx};

static int is_available(const pkin_i_filter *filter) {
    if (!pkin_i_isa_is_available(filter->isa)) return 0;
    if (filter == &pkin_i_filter_avx_vnni) return has_avx_vnni();
    return filter != &pkin_i_filter_avx512 || pkin_i_isa_has_vnni();
}

#else

static const pkin_i_filter *const filters[] = {&pkin_i_filter_portable};

static int is_available(const pkin_i_filter *filter) {
    return filter == &pkin_i_filter_portable;
}

#endif

enum { N_FILTERS = sizeof filters / sizeof filters[0] };

const pkin_i_filter *pkin_i_filter_at(size_t index) {
    for (size_t k = 0; k < N_FILTERS; k++) {
        if (is_available(filters[k]) && index-- == 0) return filters[k];
    }
    return NULL;
}

const pkin_i_filter *pkin_i_filter_for(pkin_i_isa isa) {
    const pkin_i_filter *best = &pkin_i_filter_portable;
    for (size_t k = 0; pkin_i_filter_at(k); k++) {
        if (pkin_i_filter_at(k)->isa <= isa) best = pkin_i_filter_at(k);
    }
    return best;
}
