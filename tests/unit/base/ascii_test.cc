/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ascii.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>

/* In the "C" locale, in which this program runs, ctype.h answers for ASCII alone, as these do in every locale. */
TEST(Ascii, AgreesWithTheCLocale) {
    for (int byte = 0; byte < 256; byte++) {
        char c = static_cast<char>(byte);
        EXPECT_EQ(pkin_i_ascii_is_digit(c), isdigit(byte) != 0) << byte;
        EXPECT_EQ(pkin_i_ascii_is_alpha(c), isalpha(byte) != 0) << byte;
        EXPECT_EQ(pkin_i_ascii_is_alnum(c), isalnum(byte) != 0) << byte;
        EXPECT_EQ(pkin_i_ascii_is_space(c), isspace(byte) != 0) << byte;
        EXPECT_EQ(pkin_i_ascii_lower(c), static_cast<char>(tolower(byte))) << byte;
    }
}

TEST(Ascii, ComparesWithoutCase) {
    EXPECT_TRUE(pkin_i_ascii_equal_ignoring_case("ARXIV:x", "arXiv:y", 6));
    EXPECT_FALSE(pkin_i_ascii_equal_ignoring_case("ARXIV:x", "arXiv:y", 7));
    EXPECT_TRUE(pkin_i_ascii_equal_ignoring_case("", "x", 0));
    EXPECT_TRUE(pkin_i_ascii_equal_ignoring_case("Same", "sAME", SIZE_MAX));
    EXPECT_FALSE(pkin_i_ascii_equal_ignoring_case("same", "same too", SIZE_MAX));
    EXPECT_FALSE(pkin_i_ascii_equal_ignoring_case("k", "\xE2\x84\xAA", 3)); /* the Kelvin sign is no k */
}
