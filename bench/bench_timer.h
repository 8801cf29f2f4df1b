/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_TIMER_H
#define BENCH_TIMER_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Wall-clock seconds from a fixed point. */
static inline double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One figure a line on stdout, `name<TAB>value`: what bench/end_to_end.py reads. */
static inline void bench_report(const char *name, double value) {
    printf("%s\t%.9g\n", name, value);
    fflush(stdout);
}

/* Ends the program with the library's own words when a call failed. */
#define BENCH_TRY(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != PKIN_OK) {                                                                                       \
            fprintf(stderr, "%s: %s\n", #call, pkin_last_error());                                                     \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
