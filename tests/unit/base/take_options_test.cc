/* SPDX-License-Identifier: Apache-2.0 */
#include "base/take_options.h"

#include <gtest/gtest.h>

#include <string>

namespace {

struct Options {
    size_t size;
    int first;
    int second;
};

const Options defaults = {sizeof(Options), 1, 2};

} // namespace

TEST(Options, NoneAreTheDefaults) {
    Options taken = defaults;
    ASSERT_EQ(pkin_i_take_options(nullptr, &taken, "options"), PKIN_OK);
    EXPECT_EQ(taken.first, 1);
    EXPECT_EQ(taken.second, 2);
}

TEST(Options, OfThisAndAnEarlierLibrary) {
    Options taken = defaults, given = {sizeof(Options), 10, 20};
    ASSERT_EQ(pkin_i_take_options(&given, &taken, "options"), PKIN_OK);
    EXPECT_EQ(taken.second, 20);
    taken = defaults;
    given.size = offsetof(Options, second);
    ASSERT_EQ(pkin_i_take_options(&given, &taken, "options"), PKIN_OK);
    EXPECT_EQ(taken.size, sizeof(Options));
    EXPECT_EQ(taken.first, 10);
    EXPECT_EQ(taken.second, 2);
}

TEST(Options, UnknownSizesAreRefused) {
    for (size_t size : {size_t{0}, sizeof(size_t) - 1, sizeof(Options) + 1, SIZE_MAX}) {
        Options taken = defaults, given = {size, 10, 20};
        EXPECT_EQ(pkin_i_take_options(&given, &taken, "some_options"), PKIN_ERROR_INVALID_ARGUMENT) << size;
        EXPECT_EQ(taken.first, 1);
        EXPECT_NE(std::string(pkin_last_error()).find("some_options.size"), std::string::npos);
    }
}
