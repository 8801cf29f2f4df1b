/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "similarity/cpu_filter_amx_kernel.h"

static TILES_TARGET size_t run(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *panel_sums,
                               uint32_t dimension, const int32_t *block_limits, const int32_t *panel_limits,
                               pkin_i_survivor *out) {
    (void)panel_sums;
    return amx_run(block, n_rows, panel, dimension, block_limits, panel_limits, pkin_i_reached_avx512, out);
}

const pkin_i_filter pkin_i_filter_amx = {
    PKIN_I_ISA_AMX,     "AMX int8",         PKIN_I_AMX_ROWS, PKIN_I_AMX_ROWS, 0,  0,
    amx_pack_block_row, amx_pack_panel_row, amx_begin,       amx_end,         run};

#endif
