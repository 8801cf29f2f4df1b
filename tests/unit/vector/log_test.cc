/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstring>

#include "vector/log.h"

static void expect_close(double x) {
    long double exact = std::log((long double)x);
    double scale = std::fmax(1.0, (double)fabsl(exact));
    EXPECT_LE((double)fabsl(exact - (long double)pkin_i_log(x)), 1e-15 * scale) << x;
}

TEST(Log, FixedBits) {
    /* The point of having a logarithm of one's own. */
    EXPECT_EQ(pkin_i_log(1.0), 0.0);
    EXPECT_EQ(pkin_i_log(2.0), 0x1.62e42fefa39efp-1);
    EXPECT_EQ(pkin_i_log(10.0), 0x1.26bb1bbb55516p+1);
}

TEST(Log, SmallAndLargeNumbers) {
    for (double x : {4.9406564584124654e-324, 1e-310, 2.2250738585072014e-308, 1e-100, 0.5, 0.70710678118654746,
                     0.70710678118654757, std::nextafter(1.0, 0.0), std::nextafter(1.0, 2.0), 1.4142135623730949,
                     1.4142135623730951, 2.0, 1e100, 1.7976931348623157e308}) {
        expect_close(x);
    }
    for (int k = 1; k < 20000; k++) expect_close(k);
    for (int k = 1; k < 20000; k++) expect_close(66455.0 / k);
}

TEST(Log, NearOneRelativeToItself) {
    for (int k = 1; k < 1000; k++) {
        double x = 1 + k * 1e-9, exact = (double)std::log((long double)x);
        EXPECT_NEAR(pkin_i_log(x) / exact, 1.0, 1e-15);
    }
}

TEST(LogProperty, AnyPositiveNumber) {
    EXPECT_TRUE(rc::check("close to the C library's", [](uint64_t bits) {
        bits &= ~(UINT64_C(1) << 63);
        double x;
        std::memcpy(&x, &bits, sizeof x);
        RC_PRE(std::isfinite(x) && x > 0);
        long double exact = std::log((long double)x);
        RC_ASSERT(fabsl(exact - (long double)pkin_i_log(x)) <= 1e-15L * fmaxl(1, fabsl(exact)));
    }));
}
