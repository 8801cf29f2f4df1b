/* SPDX-License-Identifier: Apache-2.0 */
#include "base/take_options.h"

#include <string.h>

#include "base/failure.h"

pkin_status pkin_i_take_options(const void *given, void *options, const char *name) {
    size_t given_bytes, own_bytes;
    if (!given) return PKIN_OK;
    memcpy(&given_bytes, given, sizeof given_bytes);
    memcpy(&own_bytes, options, sizeof own_bytes);
    if (given_bytes < sizeof given_bytes || given_bytes > own_bytes) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                           "%s.size is %zu, expected up to %zu: begin with the library's defaults, which set it", name,
                           given_bytes, own_bytes);
    }
    memcpy(options, given, given_bytes);
    memcpy(options, &own_bytes, sizeof own_bytes);
    return PKIN_OK;
}
