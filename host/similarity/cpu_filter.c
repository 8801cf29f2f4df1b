/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_filter.h"

const pkin_i_filter *pkin_i_filter_at(size_t index) {
    return index == 0 ? &pkin_i_filter_portable : NULL;
}

const pkin_i_filter *pkin_i_filter_for(pkin_i_isa isa) {
    const pkin_i_filter *best = &pkin_i_filter_portable;
    for (size_t k = 0; pkin_i_filter_at(k); k++) {
        if (pkin_i_filter_at(k)->isa <= isa) best = pkin_i_filter_at(k);
    }
    return best;
}
