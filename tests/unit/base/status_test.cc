/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "base/failure.h"

TEST(Status, NamesAndMessagesAreDistinct) {
    std::set<std::string> names, messages;
    std::set<int> codes;
    int n = 0;
#define COUNT(name, code, message)                                                                                     \
    n++;                                                                                                               \
    names.insert(pkin_status_name(name));                                                                              \
    messages.insert(pkin_status_message(name));                                                                        \
    codes.insert(code);
    PKIN_STATUS_LIST(COUNT)
#undef COUNT
    EXPECT_EQ(names.size(), (size_t)n);
    EXPECT_EQ(messages.size(), (size_t)n);
    EXPECT_EQ(codes.size(), (size_t)n);
    EXPECT_STREQ(pkin_status_name(PKIN_OK), "PKIN_OK");
    EXPECT_STREQ(pkin_status_name((pkin_status)9999), "PKIN_ERROR_UNKNOWN");
}

TEST(Status, LastErrorBelongsToItsThread) {
    EXPECT_EQ(pkin_i_fail(PKIN_ERROR_IO, "%s: line %d", "a.md", 7), PKIN_ERROR_IO);
    std::string other = "unset";
    std::thread([&] { other = pkin_last_error(); }).join();
    EXPECT_STREQ(pkin_last_error(), "a.md: line 7");
    EXPECT_EQ(other, "");
}

TEST(Status, MessageMayQuoteThePreviousOne) {
    pkin_i_fail(PKIN_ERROR_IO, "disk full");
    pkin_i_fail(PKIN_ERROR_STORE, "store: %s", pkin_last_error());
    EXPECT_STREQ(pkin_last_error(), "store: disk full");
}

TEST(Status, LongMessagesAreCut) {
    std::string text(5000, 'x');
    pkin_i_fail(PKIN_ERROR_IO, "%s", text.c_str());
    EXPECT_EQ(std::string(pkin_last_error()), text.substr(0, 1023));
}
