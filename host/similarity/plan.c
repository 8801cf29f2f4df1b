/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan.h"

const char *pkin_i_method_name(pkin_i_method method) {
    static const char *const names[PKIN_I_N_METHODS] = {"sketch", "tail", "index"};
    return names[method];
}
