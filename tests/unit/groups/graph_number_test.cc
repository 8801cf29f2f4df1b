/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "groups/graph_number.h"

namespace {

bool reads_as_strtod(const std::string &text) {
    double expected = std::strtod(text.c_str(), nullptr), value = 7;
    return pkin_i_number_read(text.data(), text.size(), &value) && !std::memcmp(&value, &expected, sizeof value);
}

TEST(GraphNumber, ReadsWhatTheCLibraryReads) {
    for (const char *text : {"0",
                             "-0",
                             "1",
                             "00012.50",
                             "+.5",
                             "5.",
                             "1e3",
                             "1E-3",
                             "0.1",
                             "-2.5e+10",
                             "1e400",
                             "-1e400",
                             "1e-400",
                             "1e99999999999999999999",
                             "0e99999999999",
                             "1e-99999999999999999999",
                             "4.9e-324",
                             "2.4703282292062327e-324",
                             "2.4703282292062328e-324",
                             "2.2250738585072011e-308",
                             "1.7976931348623158e308",
                             "1.7976931348623159e308",
                             "9007199254740993",
                             "9007199254740992.99999999999999999999",
                             "0.39285714285714285",
                             "18446744073709551615"})
        EXPECT_TRUE(reads_as_strtod(text)) << text;
}

TEST(GraphNumber, ReadsAnyDecimalExactly) {
    std::mt19937_64 random(3);
    char text[1300];
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (i % 2) value = std::ldexp(static_cast<double>(bits >> 34), -30);
        if (!std::isfinite(value)) continue;
        std::snprintf(text, sizeof text, "%.*e", static_cast<int>(random() % 25), value);
        ASSERT_TRUE(reads_as_strtod(text)) << text;
    }
}

/* The exact middle between two doubles goes to the even one; a digit far behind it decides otherwise. */
TEST(GraphNumber, RoundsTiesToEvenByDigitsFarAway) {
    std::mt19937_64 random(4);
    char text[1300];
    for (int i = 0; i < 500; i++) {
        double value =
            std::ldexp(1.0 + std::ldexp(static_cast<double>(random() >> 12), -52), -static_cast<int>(i % 60));
        long double middle = (static_cast<long double>(value) + std::nextafter(value, 2 * value)) / 2;
        std::snprintf(text, sizeof text, "%.800Lf", middle);
        ASSERT_TRUE(reads_as_strtod(text)) << text;
        std::strcat(text, "1");
        ASSERT_TRUE(reads_as_strtod(text)) << text;
    }
}

TEST(GraphNumber, RefusesWhatIsNoDecimal) {
    double value;
    for (const char *text :
         {"", "+", ".", "-.", "e5", "1e", "1e+", "1x", "nan", "inf", "0x10", "1 ", " 1", "--1", "1..2", "1,5", "1e5.0"})
        EXPECT_FALSE(pkin_i_number_read(text, std::strlen(text), &value)) << text;
}

TEST(GraphNumber, WritesTheFewestDigitsThatReadBack) {
    std::mt19937_64 random(5);
    for (int i = 0; i < 5000; i++) {
        double value = i % 2
                           ? std::ldexp(static_cast<double>(random() >> 34), -30)
                           : std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 1900) - 1000);
        pkin_i_buffer out = {};
        ASSERT_EQ(pkin_i_number_append(&out, value), PKIN_OK);
        ASSERT_EQ(std::strtod(out.bytes, nullptr), value) << out.bytes;
        pkin_i_buffer_free(&out);
    }
    pkin_i_buffer out = {};
    for (double value : {0.5, 0.1, 3.0, 1e-9}) ASSERT_EQ(pkin_i_number_append(&out, value), PKIN_OK);
    EXPECT_STREQ(out.bytes, "0.50.131e-09");
    pkin_i_buffer_free(&out);
}

} // namespace
