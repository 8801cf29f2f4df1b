/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_CLOCK_H
#define PKIN_BASE_CLOCK_H

#include <time.h>

/* Seconds of a clock that never goes back. */
static inline double pkin_i_seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
