/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_ISA_H
#define PKIN_SIMILARITY_CPU_ISA_H

/*
 * Levels of instruction sets, each with all that is below it. What a level has no kernel of its own for is done with
 * the best one below. All levels compute the same bits.
 */
#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

typedef enum pkin_i_isa {
    PKIN_I_ISA_PORTABLE, /* plain C */
    PKIN_I_ISA_AVX2,
    PKIN_I_ISA_AVX512, /* F, BW, DQ and VL; kernels that want VNNI look for it themselves */
    PKIN_I_ISA_AMX     /* tiles of 8-bit integers; implies AVX512 with VNNI */
} pkin_i_isa;
enum { PKIN_I_N_ISAS = PKIN_I_ISA_AMX + 1 };

const char *pkin_i_isa_name(pkin_i_isa isa); /* "portable", "avx2", "avx512", "amx" */

/* Whether the processor has it and the operating system lets this process use it. Asked once a process. */
int pkin_i_isa_is_available(pkin_i_isa isa);
int pkin_i_isa_has_vnni(void); /* AVX512_VNNI beside PKIN_I_ISA_AVX512 */

/* The highest available level. */
pkin_i_isa pkin_i_isa_best(void);

/* By name; "auto" or NULL: the best. PKIN_ERROR_UNSUPPORTED says what there is on this machine. */
pkin_status pkin_i_isa_find(const char *name, pkin_i_isa *out);

PKIN_EXTERN_C_END

#endif
