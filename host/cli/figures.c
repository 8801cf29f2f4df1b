/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>

const char *pkin_i_short_number(double value, char buffer[PKIN_I_FIGURE_BYTES]) {
    static const char *const prefixes[] = {"", " k", " M", " G", " T", " P"};
    size_t k = 0;
    for (; value >= 999.5 && k + 1 < sizeof prefixes / sizeof *prefixes; k++) value /= 1000;
    int n_decimals = (k == 0 && value == floor(value)) || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(buffer, PKIN_I_FIGURE_BYTES, "%.*f%s", n_decimals, value, prefixes[k]);
    return buffer;
}

const char *pkin_i_short_time(double seconds, char buffer[PKIN_I_FIGURE_BYTES]) {
    if (seconds < 0.0995) {
        snprintf(buffer, PKIN_I_FIGURE_BYTES, "%.*f ms", seconds < 0.00995 ? 1 : 0, 1000 * seconds);
    } else if (seconds < 59.5) {
        snprintf(buffer, PKIN_I_FIGURE_BYTES, "%.*f s", seconds < 9.95 ? 2 - (seconds >= 0.995) : 0, seconds);
    } else if (seconds < 3599.5) {
        unsigned whole = (unsigned)lround(seconds);
        snprintf(buffer, PKIN_I_FIGURE_BYTES, "%u min %02u s", whole / 60, whole % 60);
    } else {
        double minutes = seconds < 3.6e8 ? round(seconds / 60) : 6e6;
        snprintf(buffer, PKIN_I_FIGURE_BYTES, "%.0f h %02.0f min", floor(minutes / 60), fmod(minutes, 60));
    }
    return buffer;
}

static const char *band(pkin_estimate estimate, const char *(*form)(double, char *), char *buffer) {
    char middle[PKIN_I_FIGURE_BYTES], low[PKIN_I_FIGURE_BYTES], high[PKIN_I_FIGURE_BYTES];
    snprintf(buffer, PKIN_I_FIGURE_BYTES, "%.16s (%.16s to %.16s)", form(estimate.middle, middle),
             form(estimate.low, low), form(estimate.high, high));
    return buffer;
}

const char *pkin_i_number_band(pkin_estimate estimate, char buffer[PKIN_I_FIGURE_BYTES]) {
    return band(estimate, pkin_i_short_number, buffer);
}

const char *pkin_i_time_band(pkin_estimate seconds, char buffer[PKIN_I_FIGURE_BYTES]) {
    return band(seconds, pkin_i_short_time, buffer);
}
