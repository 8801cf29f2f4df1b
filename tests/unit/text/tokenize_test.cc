/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/failure.h"
#include "text/tokenizer.h"
#include "text/tokens.h"

typedef std::vector<std::string> Words;

static pkin_status collect(void *user, const char *word, size_t n_bytes) {
    ((Words *)user)->push_back(word ? std::string(word, n_bytes) : "|");
    return PKIN_OK;
}

static Words tokens(pkin_tokenizer tokenizer, const std::string &text, int stop_words = 0) {
    Words words;
    EXPECT_EQ(pkin_i_tokenize_text(tokenizer, stop_words, text.c_str(), collect, &words), PKIN_OK);
    return words;
}

static Words unicode(const std::string &text, int stop_words = 0) {
    return tokens(PKIN_TOKENIZER_UNICODE, text, stop_words);
}

static Words plain(const std::string &text) {
    return tokens(PKIN_TOKENIZER_WORDS, text);
}

/* With the places that no bigram crosses, as "|". */
static Words with_breaks(const std::string &text) {
    Words words;
    pkin_i_tokenizer_state state = pkin_i_tokenizer_start(PKIN_TOKENIZER_UNICODE, collect, &words);
    EXPECT_EQ(pkin_i_tokenizer_run(&state, text.data(), text.size()), PKIN_OK);
    pkin_i_tokenizer_end(&state);
    return words;
}

TEST(TokenizeUnicode, EnglishWords) {
    EXPECT_EQ(unicode("Deep-Learning for a 3D model's graph, x = 7"),
              (Words{"deep", "learning", "for", "3d", "model", "graph", "7"}));
    EXPECT_EQ(unicode("GPT-3.5 and v1.2.3, 1.5B. 2"), (Words{"gpt", "3.5", "and", "v1.2.3", "1.5b", "2"}));
    EXPECT_EQ(unicode(""), Words{});
    EXPECT_EQ(unicode("a b ! ?"), Words{});
}

TEST(TokenizeUnicode, LatexAndUnicodeMeet) {
    EXPECT_EQ(unicode("R$^2$CCL"), unicode("R²CCL"));
    EXPECT_EQ(unicode("$\\alpha$-stable Schr\\\"odinger"), unicode("α-stable Schrödinger"));
    EXPECT_EQ(unicode("na\\\"ive caf\\'e"), (Words{"naïve", "café"}));
    EXPECT_EQ(unicode("$O(n \\log n)$ with $k$-means"), (Words{"log", "with", "means"}));
}

TEST(TokenizeUnicode, WebAddressesAreNoWords) {
    EXPECT_EQ(unicode("Code: https://example.org/some-body/tool_x?y=1."), (Words{"code"}));
    EXPECT_EQ(unicode("see \\url{https://example.org/a\\_b} and (www.example.org/q) too"),
              (Words{"see", "and", "too"}));
    EXPECT_EQ(unicode("代码在https://example.org/x发布"), (Words{"代码", "发布"}));
    EXPECT_EQ(unicode("the http protocol"), (Words{"the", "http", "protocol"}));
}

TEST(TokenizeUnicode, ChineseWords) {
    Words words = unicode("我们研究机器学习的方法。");
    EXPECT_NE(std::find(words.begin(), words.end(), "研究"), words.end());
    EXPECT_NE(std::find(words.begin(), words.end(), "学习"), words.end());
    for (const std::string &word : words) EXPECT_GE(word.size(), 6u) << word; /* two characters at least */
    EXPECT_EQ(unicode("GPT模型"), (Words{"gpt", "模型"}));
    EXPECT_EQ(unicode("我"), (Words{"我"})); /* nothing else is left */
    EXPECT_EQ(unicode("我 graph"), (Words{"graph"}));
    EXPECT_EQ(unicode("我们的方法", 1), (Words{"方法"}));
}

TEST(TokenizeUnicode, OtherScripts) {
    EXPECT_EQ(unicode("машинное обучение"), (Words{"машинное", "обучение"}));
    EXPECT_EQ(unicode("हिन्दी भाषा"), (Words{"हिन्दी", "भाषा"}));
    EXPECT_EQ(unicode("한국어 문장"), (Words{"한국어", "문장"}));
    EXPECT_GE(unicode("ภาษาไทยง่าย").size(), 2u);
}

TEST(TokenizeUnicode, SentencesBreak) {
    EXPECT_EQ(with_breaks("One two. Three 4.5 e!g"), (Words{"one", "two", "|", "three", "4.5"}));
    Words chinese = with_breaks("研究问题。使用方法");
    EXPECT_EQ(std::count(chinese.begin(), chinese.end(), "|"), 1);
}

TEST(TokenizeUnicode, StopWords) {
    EXPECT_EQ(unicode("The graph of the trees don't", 1), (Words{"graph", "trees"}));
    EXPECT_EQ(plain("The graph").size(), 2u);
}

TEST(TokenizeWords, AsPythonDoes) {
    EXPECT_EQ(plain("Deep-Learning for a 3D model's x_1 graph_"),
              (Words{"deep", "learning", "for", "3d", "model", "x_1", "graph_"}));
    EXPECT_EQ(plain("R²CCL ½½ Ⅷ四"), (Words{"r²ccl", "½½", "ⅷ四"}));
    EXPECT_EQ(plain("İstanbul"), (Words{"stanbul"}));   /* i, combining dot, stanbul */
    EXPECT_EQ(plain("ΌΣΟΣ"), (Words{"όσος"}));          /* final sigma */
    EXPECT_EQ(plain("cafe\xCC\x81s"), (Words{"cafe"})); /* the mark splits, and "s" is short */
    EXPECT_EQ(plain("हिन्दी"), Words{});                 /* letters between marks stand alone */
    EXPECT_EQ(plain("中文标题 ab"), (Words{"中文标题", "ab"}));
    EXPECT_EQ(plain("$\\alpha$"), (Words{"alpha"}));
    EXPECT_EQ(plain("é a"), Words{});
    EXPECT_EQ(plain("a\xFF"
                    "bc"),
              (Words{"bc"}));
}

TEST(Tokenize, FailuresOfTheReceiverEndIt) {
    struct Receiver {
        static pkin_status fail(void *user, const char *, size_t) {
            ++*(int *)user;
            return pkin_i_fail(PKIN_ERROR_CANCELLED, "enough");
        }
    };
    for (const char *text : {"one two three", "öne twö three", "中文 方法"}) {
        for (pkin_tokenizer tokenizer : {PKIN_TOKENIZER_UNICODE, PKIN_TOKENIZER_WORDS}) {
            int n_calls = 0;
            EXPECT_EQ(pkin_i_tokenize_text(tokenizer, 0, text, Receiver::fail, &n_calls), PKIN_ERROR_CANCELLED);
            EXPECT_EQ(n_calls, 1) << text;
        }
    }
}

TEST(Tokenize, IdentitiesNameTheirParts) {
    std::string unicode_identity = pkin_i_tokenizer_identity(PKIN_TOKENIZER_UNICODE);
    EXPECT_EQ(unicode_identity.find("unicode-"), 0u);
    EXPECT_NE(unicode_identity.find("icu-"), std::string::npos);
    EXPECT_LT(unicode_identity.size(), 64u);
    EXPECT_NE(unicode_identity, pkin_i_tokenizer_identity(PKIN_TOKENIZER_WORDS));
}

TEST(StopWords, AreSortedAndFound) {
    for (int list = 0; list < 2; list++) {
        size_t n;
        const char *const *words = list ? pkin_i_stop_words_chinese(&n) : pkin_i_stop_words_english(&n);
        EXPECT_GE(n, 200u);
        for (size_t k = 0; k < n; k++) {
            if (k) {
                EXPECT_LT(strcmp(words[k - 1], words[k]), 0) << words[k];
            }
            EXPECT_TRUE(pkin_i_is_stop_word(words[k], strlen(words[k])));
        }
    }
    EXPECT_FALSE(pkin_i_is_stop_word("graph", 5));
    EXPECT_FALSE(pkin_i_is_stop_word("th", 2));
    EXPECT_FALSE(pkin_i_is_stop_word("", 0));
}

TEST(TokenizeProperty, NormalisingFirstChangesNothing) {
    EXPECT_TRUE(rc::check("words of the normalised text are the words", [] {
        auto piece = rc::gen::element<std::string>("graph", "Net", " ", ". ", "-", "7", ".", "é", "$", "\\alpha", "{",
                                                   "}", "中文", "²", "_", "Ω");
        std::string text;
        for (const std::string &p : *rc::gen::container<std::vector<std::string>>(piece)) text += p;
        pkin_i_buffer normal = {};
        RC_ASSERT(pkin_i_normalize_text(text.data(), text.size(), &normal) == PKIN_OK);
        std::string normalised(normal.bytes ? normal.bytes : "", normal.n_bytes);
        pkin_i_buffer_free(&normal);
        RC_ASSERT(unicode(normalised) == unicode(text));
    }));
}

TEST(TokenizeProperty, AnyBytesGiveWholeWords) {
    EXPECT_TRUE(rc::check("words hold no space or control character", [](const std::string &bytes) {
        for (pkin_tokenizer tokenizer : {PKIN_TOKENIZER_UNICODE, PKIN_TOKENIZER_WORDS}) {
            for (const std::string &word : tokens(tokenizer, bytes.c_str())) {
                RC_ASSERT(!word.empty());
                for (unsigned char c : word) RC_ASSERT(c > ' ');
            }
        }
    }));
}
