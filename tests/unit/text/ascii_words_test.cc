/* SPDX-License-Identifier: Apache-2.0 */
#include "text/ascii_words.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "text/latex.h"
#include "text/normalizer.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The definition, byte by byte. */
static std::vector<std::string> expected_words(const std::string &text, pkin_i_ascii_rule rule) {
    std::vector<std::string> words(1);
    for (size_t k = 0; k < text.size(); k++) {
        char c = text[k];
        bool joins = rule == PKIN_I_ASCII_UNDERSCORES
                         ? c == '_'
                         : c == '.' && k > 0 && is_digit(text[k - 1]) && k + 1 < text.size() && is_digit(text[k + 1]);
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_letter || is_digit(c) || joins) {
            words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        } else if (!words.back().empty()) {
            words.emplace_back();
        }
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

class AsciiWords : public testing::TestWithParam<pkin_i_ascii_rule> {
  protected:
    void TearDown() override {
        pkin_i_ascii_words_free(&found);
    }
    std::vector<std::string> find(const std::string &text) {
        EXPECT_EQ(pkin_i_ascii_words_find(&found, text.data(), text.size(), GetParam()), PKIN_OK);
        EXPECT_EQ(found.n_edges % 2, 0u);
        std::vector<std::string> words;
        for (size_t e = 0; e + 1 < found.n_edges; e += 2) {
            words.emplace_back(found.lower.bytes + found.edges[e], found.lower.bytes + found.edges[e + 1]);
        }
        return words;
    }
    pkin_i_ascii_words found = {};
};

/* Texts of every length around two blocks, so that each rule meets each place in a block and each block's end. */
TEST_P(AsciiWords, AreThoseOfTheDefinition) {
    static const char bytes[] = "azAZ09..__ ,\t\n?!{}@[`/:\x01\x7F";
    std::mt19937 random(7);
    for (int round = 0; round < 4000; round++) {
        std::string text(random() % 200, ' ');
        for (char &c : text) c = bytes[random() % (sizeof bytes - 1)];
        ASSERT_EQ(find(text), expected_words(text, GetParam())) << text;
    }
    EXPECT_EQ(find("").size(), 0u);
    EXPECT_EQ(find(std::string(64, 'a')).at(0).size(), 64u);
    EXPECT_EQ(find(std::string(1000, 'a')).at(0).size(), 1000u);
}

INSTANTIATE_TEST_SUITE_P(Rules, AsciiWords, testing::Values(PKIN_I_ASCII_UNDERSCORES, PKIN_I_ASCII_DECIMAL_POINTS));

/* What is told of a text, whatever stands before it and behind it. */
TEST(TextLook, FindsASpecialByteAtEveryPlace) {
    for (size_t n = 1; n < 50; n++) {
        for (size_t at = 0; at < n; at++) {
            for (char special : std::string("\\${}^_~")) {
                std::string text(n, 'w' - 1);
                text[at] = special;
                ASSERT_TRUE(pkin_i_text_look(text.data(), n).has_latex) << text;
            }
            std::string text(n, 'b');
            EXPECT_FALSE(pkin_i_text_look(text.data(), n).has_latex);
            text[at] = static_cast<char>(0xC3);
            ASSERT_FALSE(pkin_i_text_look(text.data(), n).is_ascii);
            for (const char *link : {"://", "www."}) {
                text = std::string(at, 'b') + link + std::string(n - at, 'b');
                ASSERT_TRUE(pkin_i_text_look(text.data(), text.size()).has_link) << text;
            }
        }
    }
    EXPECT_FALSE(pkin_i_text_look("a: b/ww w", 9).has_link);
}

/* Stretches of plain text are copied as a whole: what stands around a link or a command may not show. */
TEST(LatexStrip, FindsLinksAndCommandsAtEveryPlace) {
    for (size_t before = 0; before < 40; before++) {
        for (size_t behind = 0; behind < 40; behind++) {
            std::string start = std::string(before, 'x') + " ", end = " " + std::string(behind, 'y');
            for (const char *link : {"http://a.b/c", "HTTPS://a", "ftp://a.b", "WWW.a.b"}) {
                pkin_i_buffer out = {};
                std::string text = start + link + end;
                ASSERT_EQ(pkin_i_latex_strip(text.data(), text.size(), 1, &out), PKIN_OK);
                ASSERT_EQ(std::string(out.bytes), start + " " + end) << text;
                pkin_i_buffer_clear(&out);
                text = start + "$a^{2}$~b" + end;
                ASSERT_EQ(pkin_i_latex_strip(text.data(), text.size(), 1, &out), PKIN_OK);
                ASSERT_EQ(std::string(out.bytes), start + "a2 b" + end) << text;
                pkin_i_buffer_free(&out);
            }
        }
    }
}
