/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store_choice.h"

const char *pkin_i_store_path(const char *given) {
    const char *from_environment = getenv("PAPERKIN_STORE");
    if (given) return given;
    return from_environment && *from_environment ? from_environment : "paperkin.db";
}
