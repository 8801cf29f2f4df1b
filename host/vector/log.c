/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/log.h"

#include <stdint.h>
#include <string.h>

/*
 * x = m * 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716, by its power
 * series 2 s (1 + s^2/3 + s^4/5 + ...): the first term left out is below 2^-60 of the sum. ln 2 is split, so that e *
 * LN2_HIGH is exact.
 */
static const double LN2_HIGH = 0x1.62e42feep-1; /* 33 bits */
static const double LN2_LOW = 0x1.a39ef35793c76p-33;
static const double SQRT_2 = 0x1.6a09e667f3bcdp+0;

enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023 };

static double half_atanh_series(double s2) {
    static const double coefficients[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                          1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
    double sum = 0;
    for (int k = (int)(sizeof coefficients / sizeof *coefficients) - 1; k >= 0; k--) sum = sum * s2 + coefficients[k];
    return sum * s2;
}

double pkin_i_log(double x) {
    uint64_t bits;
    int exponent = 0;
    if (x < 0x1p-1022) { /* subnormal */
        x *= 0x1p54;
        exponent = -54;
    }
    memcpy(&bits, &x, sizeof bits);
    exponent += (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS;
    bits = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | ((uint64_t)EXPONENT_BIAS << MANTISSA_BITS);
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m >= SQRT_2) {
        m *= 0.5;
        exponent++;
    }
    double f = m - 1; /* exact */
    double s = f / (2 + f);
    double series = half_atanh_series(s * s);
    /* 2 s = f - s f, so ln m = f - s (f - 2 series): the rounding error of s is scaled down by f. */
    double tail = s * (f - 2 * series);
    return exponent * LN2_HIGH + (f - (tail - exponent * LN2_LOW));
}
