/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/blocks.h"

#include <gtest/gtest.h>

#include <string>

#include "corpus_test_support.h"

namespace {

struct Removed {
    pkin_status status;
    std::string text;
    uint64_t n_blocks = 0;
};

Removed strip(const std::string &text, pkin_format format = PKIN_FORMAT_MARKDOWN) {
    Removed result;
    pkin_i_buffer out = {};
    EXPECT_EQ(PKIN_OK, pkin_i_buffer_string(&out, "kept:"));
    result.status = pkin_i_blocks_remove(text.data(), text.size(), format, "day.md", &out, &result.n_blocks);
    std::string whole(out.bytes, out.n_bytes);
    EXPECT_EQ(0u, whole.find("kept:"));
    result.text = whole.substr(5);
    pkin_i_buffer_free(&out);
    return result;
}

const std::string block = "<!-- paperkin:begin -->\nseen before\n<!-- paperkin:end -->\n";

TEST(Blocks, Markers) {
    EXPECT_TRUE(pkin_i_is_block_begin("<!-- paperkin:begin -->", 23));
    EXPECT_TRUE(pkin_i_is_block_begin("<!-- paperkin:begin open-line -->", 33));
    EXPECT_TRUE(pkin_i_is_block_end("<!-- paperkin:end -->", 21));
    EXPECT_FALSE(pkin_i_is_block_begin(" <!-- paperkin:begin -->", 24));
    EXPECT_FALSE(pkin_i_is_block_begin("<!-- paperkin:begin --> ", 24));
    EXPECT_FALSE(pkin_i_is_block_end("", 0));
}

TEST(Blocks, MarkdownComesBackToTheByte) {
    EXPECT_EQ("a\nb\n", strip("a\n" + block + "b\n").text);
    EXPECT_EQ("a\nb", strip("a\n" + block + block + "b").text);
    EXPECT_EQ("", strip(block).text);
    EXPECT_EQ("a\r\nb\r\n", strip("a\r\n" + replace_all(block, "\n", "\r\n") + "b\r\n").text);
    EXPECT_EQ("a\n", strip("a\n" + block.substr(0, block.size() - 1)).text);
    EXPECT_EQ(2u, strip(block + "x\n" + block).n_blocks);
    EXPECT_EQ("no block\n", strip("no block\n").text);
    EXPECT_EQ("", strip("").text);
}

TEST(Blocks, OpenLine) {
    std::string open = "<!-- paperkin:begin open-line -->\nx\n<!-- paperkin:end -->";
    EXPECT_EQ("last line", strip("last line\n" + open).text);
    EXPECT_EQ("a\r\nlast line", strip("a\r\nlast line\r\n" + replace_all(open, "\n", "\r\n")).text);
    /* A carriage return of the file's own stays. */
    EXPECT_EQ("last line\r", strip("last line\r\n" + open).text);
    EXPECT_EQ("", strip(open).text);
}

TEST(Blocks, UnpairedMarkersAreDamage) {
    struct {
        std::string text;
        const char *place;
    } cases[] = {
        {"a\n<!-- paperkin:begin -->\nb\n", "day.md:2: "},
        {"a\n\n<!-- paperkin:end -->\n", "day.md:3: "},
        {"<!-- paperkin:begin -->\n" + block, "day.md:1: "},
        {block + "<!-- paperkin:end -->", "day.md:4: "},
    };
    for (const auto &c : cases) {
        Removed result = strip(c.text);
        EXPECT_EQ(PKIN_ERROR_CORRUPT, result.status) << c.text;
        EXPECT_EQ("", result.text);
        EXPECT_EQ(0u, std::string(pkin_last_error()).find(c.place)) << pkin_last_error();
    }
}

TEST(Blocks, JsonMembers) {
    const std::string with = "{\"id\": \"1\", \"paperkin\": {\"a\": [1, {\"b\": \"}\\\"{\"}], \"c\": {}}}\n";
    EXPECT_EQ("{\"id\": \"1\"}\n", strip(with, PKIN_FORMAT_CRAWL).text);
    EXPECT_EQ("{\"id\": \"1\"}\r\nx\n{\"id\": \"1\"} \n",
              strip(replace_all(with, "\n", "\r\n") + "x\n" + replace_all(with, "\n", " \n"), PKIN_FORMAT_CRAWL).text);
    EXPECT_EQ("{\"id\": \"1\"}", strip(with.substr(0, with.size() - 1), PKIN_FORMAT_ENHANCED).text);
    EXPECT_EQ(1u, strip(with, PKIN_FORMAT_SNAPSHOT).n_blocks);
}

TEST(Blocks, JsonThatIsNotOurs) {
    for (const char *text :
         {"{\"id\": \"1\", \"x\": {\"a\": 1, \"paperkin\": {}}}\n", "{\"id\": \"1\", \"paperkin\": {}, \"z\": 1}\n",
          "{\"id\": \"1\", \"paperkin\": {\n",
          "{\"id\": \"a, \\\"paperkin\\\": {}}\"}\n", "{\"id\": \"1\", \"paperkin\": 3}\n"}) {
        Removed result = strip(text, PKIN_FORMAT_CRAWL);
        EXPECT_EQ(PKIN_OK, result.status);
        EXPECT_EQ(text, result.text);
        EXPECT_EQ(0u, result.n_blocks);
    }
}

TEST(Blocks, JsonInsertPlace) {
    auto place = [](const std::string &line) { return pkin_i_json_insert_place(line.data(), line.size()); };
    EXPECT_EQ(7u, place("{\"a\": 1}"));
    EXPECT_EQ(9u, place("  {\"a\": 1}  "));
    EXPECT_EQ(10u, place("\xEF\xBB\xBF{\"a\": 1}"));
    EXPECT_EQ(13u, place("{\"a\": \"}\\\"}\" }"));
    for (const char *line : {"", "{}", "{ }", "[1]", "1", "{\"a\": 1", "{\"a\": 1} x", "{\"a\": 1}{\"b\": 2}",
                             "{\"a\": \"1}", "{\"a\": 1]"}) {
        EXPECT_EQ(SIZE_MAX, place(line)) << line;
    }
}

TEST(Blocks, WhatIsInsertedIsRemoved) {
    std::string line = "{\"id\": \"1\", \"title\": \"x, y\"}";
    std::string with = line;
    with.insert(pkin_i_json_insert_place(line.data(), line.size()),
                std::string(PKIN_I_JSON_MEMBER_START) + "\"k\": \"v\"}");
    EXPECT_NE(line, with);
    EXPECT_EQ(line, strip(with, PKIN_FORMAT_CRAWL).text);
}

} // namespace

TEST(Blocks, MembersAreKnownAgainAfterOtherProgramsRewroteTheLine) {
    auto removed = [](const std::string &line) {
        pkin_i_buffer out = {};
        uint64_t n = 0;
        EXPECT_EQ(pkin_i_blocks_remove(line.data(), line.size(), PKIN_FORMAT_CRAWL, "x.jsonl", &out, &n), PKIN_OK);
        std::string text(out.bytes, out.n_bytes);
        pkin_i_buffer_free(&out);
        return std::to_string(n) + " " + text;
    };
    EXPECT_EQ(removed("{\"id\":\"1\",\"paperkin\":{\"key\":\"k\"}}\n"), "1 {\"id\":\"1\"}\n");
    EXPECT_EQ(removed("{ \"id\" : \"1\" , \"paperkin\" : { \"key\" : \"k\" } }\n"), "1 { \"id\" : \"1\"  }\n");
    /* Not ours: another value, a name inside a string, a member of a member. */
    for (std::string line : {"{\"id\":\"1\",\"paperkin\":7}", "{\"id\":\"a,\\\"paperkin\\\":{}\"}", "{\"paperkin\":{\"a\":1}}",
                             "{\"a\":{\"b\":1,\"paperkin\":{}}}", "{\"a\":\"paperkin\",\"b\":{}}"}) {
        EXPECT_EQ(removed(line), "0 " + line);
    }
}
