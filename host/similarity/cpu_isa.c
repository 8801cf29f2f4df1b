/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_isa.h"

#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[PKIN_I_N_ISAS] = {"portable", "avx2", "avx512", "amx"};

const char *pkin_i_isa_name(pkin_i_isa isa) {
    return names[isa];
}

#if defined(__x86_64__) && defined(__GNUC__)

static bool has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_vnni(void) {
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

/*
 * Tiles of bytes: CPUID leaf 7, EDX bits 24 (tiles) and 25 (8-bit integers); the system keeps their state: XCR0 bits 17
 * and 18. Linux gives the large tile state only to processes that ask (arch_prctl ARCH_REQ_XCOMP_PERM, feature 18);
 * what it granted holds for every thread.
 */
static bool has_amx(void) {
#if defined(__linux__)
    enum { TILES = 1 << 24, INT8 = 1 << 25, OSXSAVE = 1 << 27, TILE_STATE = 3 << 17 };
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned eax, ebx, ecx, edx, state_low, state_high;
    if (!has_vnni() || !__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & OSXSAVE)) return false;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & (TILES | INT8)) != (TILES | INT8)) return false;
    __asm__("xgetbv" : "=a"(state_low), "=d"(state_high) : "c"(0));
    if ((state_low & TILE_STATE) != TILE_STATE) return false;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return false;
#endif
}

static pkin_i_isa find_best(void) {
    if (has_amx()) return PKIN_I_ISA_AMX;
    if (has_avx512()) return PKIN_I_ISA_AVX512;
    return has_avx2() ? PKIN_I_ISA_AVX2 : PKIN_I_ISA_PORTABLE;
}

#else

static bool has_vnni(void) {
    return false;
}

static pkin_i_isa find_best(void) {
    return PKIN_I_ISA_PORTABLE;
}

#endif

int pkin_i_isa_has_vnni(void) {
    return has_vnni();
}

pkin_i_isa pkin_i_isa_best(void) {
    static int known; /* level + 1; two threads that find it at once find the same */
    int best = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (best == 0) {
        best = (int)find_best() + 1;
        __atomic_store_n(&known, best, __ATOMIC_RELAXED);
    }
    return (pkin_i_isa)(best - 1);
}

int pkin_i_isa_is_available(pkin_i_isa isa) {
    return isa <= pkin_i_isa_best();
}

pkin_status pkin_i_isa_find(const char *name, pkin_i_isa *out) {
    pkin_status status;
    pkin_i_buffer list = {0};
    *out = pkin_i_isa_best();
    if (!name || strcmp(name, "auto") == 0) return PKIN_OK;
    for (int k = 0; k < PKIN_I_N_ISAS; k++) {
        if (strcmp(name, names[k]) == 0 && pkin_i_isa_is_available((pkin_i_isa)k)) {
            *out = (pkin_i_isa)k;
            status = PKIN_OK;
            goto out;
        }
        if (pkin_i_isa_is_available((pkin_i_isa)k)) PKIN_TRY(pkin_i_buffer_printf(&list, ", %s", names[k]));
    }
    status = pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "instruction set \"%s\" is not to be had here: there are auto%s", name,
                         list.bytes);
out:
    pkin_i_buffer_free(&list);
    return status;
}
