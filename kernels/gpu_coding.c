/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gpu_device.h"

const char *pkin_i_gpu_filter_name(pkin_i_gpu_filter filter) {
    static const char *const names[PKIN_I_GPU_N_FILTERS] = {"fused", "gemm8", "gemm32", "dp4a"};
    return names[filter];
}

pkin_i_gpu_coding pkin_i_gpu_coding_of(pkin_i_gpu_filter filter) {
    static const pkin_i_gpu_coding codings[PKIN_I_GPU_N_FILTERS] = {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SEVEN,
                                                                    PKIN_I_GPU_SHIFTED, PKIN_I_GPU_PLAIN};
    return codings[filter];
}

/* sketch.h's limit with the square of the coding's scale in place of 255^2. */
int32_t pkin_i_gpu_limit(pkin_i_gpu_coding coding, uint64_t min_score) {
    const unsigned __int128 one = (unsigned __int128)1 << 60;
    const uint64_t scale = coding == PKIN_I_GPU_SEVEN ? 127 : 255;
    return (int32_t)(((unsigned __int128)min_score * (scale * scale) + one - 1) / one);
}
