/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "corpus/corpus_private.h"
#include "corpus_test_support.h"

namespace {

pkin_format detect(const std::string &text) {
    return pkin_i_format_detect(text.data(), text.size());
}

TEST(Detect, KnownForms) {
    EXPECT_EQ(PKIN_FORMAT_MARKDOWN, detect(small_digest()));
    EXPECT_EQ(PKIN_FORMAT_MARKDOWN, detect("\xEF\xBB\xBF\r\n\r\n" + replace_all(small_digest(), "\n", "\r\n")));
    EXPECT_EQ(PKIN_FORMAT_MARKDOWN, detect("### [T](https://arxiv.org/abs/2601.00011)"));
    EXPECT_EQ(PKIN_FORMAT_MARKDOWN, detect("# Table of Contents\n"));
    EXPECT_EQ(PKIN_FORMAT_CRAWL, detect(small_crawl()));
    EXPECT_EQ(PKIN_FORMAT_CRAWL, detect("\xEF\xBB\xBF\n\n" + small_crawl()));
    EXPECT_EQ(PKIN_FORMAT_CRAWL, detect("{broken\n" + small_crawl()));
    EXPECT_EQ(PKIN_FORMAT_CRAWL, detect("a log line\n" + small_crawl()));
    EXPECT_EQ(PKIN_FORMAT_RECORDS, detect("{\"id\": \"1\", \"title\": \"T\", \"abstract\": \"A\"}"));
    EXPECT_EQ(PKIN_FORMAT_SNAPSHOT, detect("{\"id\": \"1\", \"title\": \"T\", \"abstract\": \"A\", \"versions\": []}"));
    EXPECT_EQ(PKIN_FORMAT_ENHANCED, detect("{\"id\": \"1\", \"title\": \"T\", \"summary\": \"A\", \"AI\": {}}"));
}

TEST(Detect, OtherThings) {
    for (const std::string &text :
         {std::string(), std::string("   \n"), std::string("Dear diary,\n\ntoday I cooked.\n"),
          std::string("<!DOCTYPE html>\n<html><body><h3>[1] Soup</h3></body></html>\n"),
          std::string("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16), std::string("{\"a\": 1}\n{\"b\": 2}\n"),
          std::string("[1, 2]\n"), std::string("[{\"id\": \"1\", \"title\": \"T\"}]\n"),
          std::string("{\n  \"id\": \"1\",\n  \"title\": \"T\"\n}\n"),
          std::string("# Changes\n\n## [1.0] - 2024\n\n### [Unreleased]\n"), std::string("id\ttitle\n1\tSoup\n"),
          std::string("{\"id\": 1, \"title\": \"T\"}\n")}) {
        EXPECT_EQ(PKIN_FORMAT_UNKNOWN, detect(text)) << text;
    }
}

TEST(Detect, TheMessageSaysWhatWasFoundAndExpected) {
    struct {
        std::string text;
        const char *says;
    } cases[] = {
        {std::string("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16), "\\x89PNG\\x0D\\x0A"},
        {std::string("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16), "binary file"},
        {"<!DOCTYPE html>\n<html></html>\n", "web page"},
        {"[{\"id\": \"1\"}]", "jq -c"},
        {"{\"a\": 1}\n", "each line must be a whole object"},
        {"\xFF\xFEx", "UTF-16"},
        {"\x1B[31mred\x1B[0m", "\\x1B[31mred"},
        {"Dear diary", "### [1] [title](link)"},
        {"Dear diary", "test.input: "},
    };
    for (const auto &c : cases) {
        Reading reading = read_text(c.text);
        EXPECT_EQ(PKIN_ERROR_NOT_A_DIGEST, reading.status);
        EXPECT_EQ(nullptr, reading.corpus);
        EXPECT_NE(std::string::npos, reading.error.find(c.says)) << reading.error;
        EXPECT_EQ(std::string::npos, reading.error.find('\x1B'));
    }
}

TEST(Detect, AGivenFormIsNotDetected) {
    EXPECT_EQ(PKIN_ERROR_NOT_A_DIGEST, read_text(small_digest(), PKIN_FORMAT_CRAWL).status);
    EXPECT_EQ(PKIN_ERROR_NOT_A_DIGEST, read_text(small_crawl(), PKIN_FORMAT_MARKDOWN).status);
    Reading reading = read_text(small_crawl(), PKIN_FORMAT_RECORDS);
    EXPECT_EQ(PKIN_FORMAT_RECORDS, pkin_corpus_format(reading.corpus.get()));
    EXPECT_EQ(2u, reading.size());
    EXPECT_NE(std::string::npos, read_text("{\"id\": \"1\"}\n", PKIN_FORMAT_CRAWL).error.find("line 1: "));
}

TEST(Detect, WrongArguments) {
    pkin_corpus *corpus = nullptr;
    pkin_read_options options = {};
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_read_memory("", 0, "x", &options, &corpus));
    options = pkin_read_options_default();
    options.n_threads = -1;
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_read_memory("", 0, "x", &options, &corpus));
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_read_memory(nullptr, 3, "x", nullptr, &corpus));
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_read_memory("", 0, "x", nullptr, nullptr));
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_read_file(nullptr, nullptr, &corpus));
    EXPECT_EQ(nullptr, corpus);
    pkin_corpus_free(nullptr);
}

TEST(Detect, FormatNames) {
    EXPECT_STREQ("markdown", pkin_format_name(PKIN_FORMAT_MARKDOWN));
    EXPECT_STREQ("snapshot", pkin_format_name(PKIN_FORMAT_SNAPSHOT));
    EXPECT_STREQ("unknown", pkin_format_name(static_cast<pkin_format>(77)));
}

} // namespace
