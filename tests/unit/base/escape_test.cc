/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/escape.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "base/utf8.h"

static std::string escape(pkin_escape_target target, const std::string &text) {
    std::vector<char> buffer(pkin_escape(target, text.c_str(), nullptr, 0) + 1);
    EXPECT_EQ(pkin_escape(target, text.c_str(), buffer.data(), buffer.size()), buffer.size() - 1);
    return buffer.data();
}

TEST(Escape, Json) {
    EXPECT_EQ(escape(PKIN_ESCAPE_JSON, "a\"\\\n\r\t\x01\x7f/é中"), "a\\\"\\\\\\n\\r\\t\\u0001\\u007f/é中");
    EXPECT_EQ(escape(PKIN_ESCAPE_JSON, "\xE2\x80\xA8"), "\\u2028");
    EXPECT_EQ(escape(PKIN_ESCAPE_JSON, "a\xE2\x80\xAE" "b"), "a\\u202eb"); /* right-to-left override */
}

TEST(Escape, Markdown) {
    EXPECT_EQ(escape(PKIN_ESCAPE_MARKDOWN, "A [b](c) *d* <!-- e --> & `f` $x_1$"),
              "A \\[b\\]\\(c\\) \\*d\\* &lt;\\!-- e --&gt; &amp; \\`f\\` \\$x\\_1\\$");
    EXPECT_EQ(escape(PKIN_ESCAPE_MARKDOWN, "two\nlines"), "two lines");
}

TEST(Escape, Url) {
    EXPECT_EQ(escape(PKIN_ESCAPE_URL, "https://a.org/x?y=1&z=(2)#t"), "https://a.org/x?y=1&z=%282%29#t");
    EXPECT_EQ(escape(PKIN_ESCAPE_URL, "a b\"<>\n"), "a%20b%22%3C%3E%0A");
    EXPECT_EQ(escape(PKIN_ESCAPE_URL, "%20"), "%20");
}

TEST(Escape, TsvHtmlTerminal) {
    EXPECT_EQ(escape(PKIN_ESCAPE_TSV, "a\tb\nc\xE2\x81\xA6"), "a b c ");
    EXPECT_EQ(escape(PKIN_ESCAPE_HTML, "<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    EXPECT_EQ(escape(PKIN_ESCAPE_TERMINAL, "\x1b[31mred\xC2\x9b" "0m \xE2\x80\xAEover"), " [31mred 0m  over");
}

TEST(Escape, CutsBetweenPieces) {
    char buffer[8];
    EXPECT_EQ(pkin_escape(PKIN_ESCAPE_HTML, "ab<cd", buffer, sizeof buffer), 8u);
    EXPECT_STREQ(buffer, "ab&lt;c");
    EXPECT_EQ(pkin_escape(PKIN_ESCAPE_HTML, "ab<cd", buffer, 5), 8u);
    EXPECT_STREQ(buffer, "ab");
    EXPECT_EQ(pkin_escape(PKIN_ESCAPE_JSON, "é中", buffer, 4), 5u);
    EXPECT_STREQ(buffer, "é");
}

TEST(Escape, NullsAreHarmless) {
    char buffer[4] = "old";
    EXPECT_EQ(pkin_escape(PKIN_ESCAPE_JSON, nullptr, buffer, sizeof buffer), 0u);
    EXPECT_STREQ(buffer, "");
    EXPECT_EQ(pkin_escape(PKIN_ESCAPE_HTML, "a<", nullptr, 100), 5u);
}

TEST(Escape, NothingDangerousComesThrough) {
    EXPECT_TRUE(rc::check("no control character, no raw markup, valid UTF-8", [](std::string text) {
        text = text.substr(0, text.find('\0'));
        for (int target = PKIN_ESCAPE_JSON; target <= PKIN_ESCAPE_TERMINAL; target++) {
            std::string out = escape((pkin_escape_target)target, text);
            for (size_t at = 0; at < out.size();) {
                uint32_t c;
                size_t n = pkin_i_utf8_decode(out.data() + at, out.size() - at, &c);
                RC_ASSERT(!(c == PKIN_I_REPLACEMENT_CHARACTER && n == 1)); /* a real U+FFFD takes three bytes */
                RC_ASSERT(c >= 0x20 && (c < 0x7F || c >= 0xA0));
                if (target == PKIN_ESCAPE_HTML || target == PKIN_ESCAPE_MARKDOWN || target == PKIN_ESCAPE_URL) {
                    RC_ASSERT(c != '<' && c != '>');
                }
                at += n;
            }
        }
    }));
}

TEST(Utf8, RejectsWhatUnicodeRejects) {
    uint32_t c;
    EXPECT_EQ(pkin_i_utf8_decode("\xC0\x80", 2, &c), 1u); /* overlong */
    EXPECT_EQ(c, PKIN_I_REPLACEMENT_CHARACTER);
    EXPECT_EQ(pkin_i_utf8_decode("\xED\xA0\x80", 3, &c), 1u); /* surrogate */
    EXPECT_EQ(pkin_i_utf8_decode("\xF4\x90\x80\x80", 4, &c), 1u); /* above U+10FFFF */
    EXPECT_EQ(pkin_i_utf8_decode("\xE4\xB8", 2, &c), 1u); /* cut */
    EXPECT_EQ(pkin_i_utf8_decode("\xE4\xB8\xAD", 3, &c), 3u);
    EXPECT_EQ(c, 0x4E2Du);
}
