/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/tidy_text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string tidy(pkin_i_tidy how, const std::string &text) {
    pkin_i_buffer out = {};
    EXPECT_EQ(PKIN_OK, pkin_i_tidy_text(how, pkin_i_view_of(text.data(), text.size()), &out));
    std::string result(out.bytes, out.n_bytes);
    pkin_i_buffer_free(&out);
    return result;
}

TEST(TidyText, OneLine) {
    EXPECT_EQ("a b", tidy(PKIN_I_TIDY_LINE, "  a \r\n\t b \n"));
    EXPECT_EQ("", tidy(PKIN_I_TIDY_LINE, " \n "));
    EXPECT_EQ("", tidy(PKIN_I_TIDY_LINE, ""));
    EXPECT_EQ("plain text that is longer than eight bytes",
              tidy(PKIN_I_TIDY_LINE, "plain text that is  longer than eight bytes "));
}

TEST(TidyText, Lines) {
    EXPECT_EQ("1. a\n2. b c", tidy(PKIN_I_TIDY_LINES, "1. a\n\n 2. b  c\n"));
}

TEST(TidyText, ParagraphsAsArxivWritesThem) {
    EXPECT_EQ("one two\nthree", tidy(PKIN_I_TIDY_PARAGRAPHS, "  one\ntwo\n  three\n"));
    EXPECT_EQ("one\ntwo", tidy(PKIN_I_TIDY_PARAGRAPHS, "one\r\n\r\ntwo"));
    EXPECT_EQ("one two", tidy(PKIN_I_TIDY_PARAGRAPHS, "one \r\ntwo"));
}

TEST(TidyText, EveryAlignmentOfSpaces) {
    /* The fast path copies 16 bytes at a time: a run of blanks may fall anywhere in them. */
    for (size_t before = 0; before < 36; before++) {
        for (size_t blanks = 1; blanks < 12; blanks++) {
            std::string text = std::string(before, 'x') + std::string(blanks, ' ') + "yyyyyyyyyyyyyyyyyyyyyyyy";
            std::string expected = (before ? std::string(before, 'x') + " " : "") + "yyyyyyyyyyyyyyyyyyyyyyyy";
            EXPECT_EQ(expected, tidy(PKIN_I_TIDY_LINE, text));
            text[before] = '\n';
            EXPECT_EQ(expected, tidy(PKIN_I_TIDY_LINE, text));
        }
    }
}

TEST(TidyText, NulBecomesTheReplacementCharacter) {
    EXPECT_EQ("a\xEF\xBF\xBD"
              "b",
              tidy(PKIN_I_TIDY_LINE, std::string("a\0b", 3)));
    EXPECT_EQ(3u * 9, tidy(PKIN_I_TIDY_LINE, std::string(9, '\0')).size());
}

TEST(TidyText, RepairsWhatIsNotUtf8) {
    pkin_i_buffer out = {};
    std::string text = "a\xFF\xC3\xA9\xE4\xBD";
    ASSERT_EQ(PKIN_OK, pkin_i_repair_utf8(pkin_i_view_of(text.data(), text.size()), &out));
    EXPECT_STREQ("a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD", out.bytes);
    pkin_i_buffer_free(&out);
}

} // namespace
