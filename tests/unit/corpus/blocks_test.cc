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
    result.status = pkin_i_blocks_remove(text.data(), text.size(), format, &out, &result.n_blocks);
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
    EXPECT_TRUE(pkin_i_is_block_begin("<!-- paperkin:begin --> ", 24));
    EXPECT_TRUE(pkin_i_is_block_end("<!-- paperkin:end -->\t ", 23));
    EXPECT_FALSE(pkin_i_is_block_begin("<!-- paperkin:begin -->.", 24));
    EXPECT_FALSE(pkin_i_is_block_end("<!-- paperkin:end -->\0", 22));
    EXPECT_FALSE(pkin_i_is_block_end("", 0));
}

TEST(Blocks, MarkdownComesBackToTheByte) {
    EXPECT_EQ("a\nb\n", strip("a\n" + block + "b\n").text);
    EXPECT_EQ("a\nb", strip("a\n" + block + block + "b").text);
    EXPECT_EQ("", strip(block).text);
    EXPECT_EQ("a\r\nb\r\n", strip("a\r\n" + replace_all(block, "\n", "\r\n") + "b\r\n").text);
    EXPECT_EQ("a\n", strip("a\n" + block.substr(0, block.size() - 1)).text);
    EXPECT_EQ(2u, strip(block + "x\n" + block).n_blocks);
    EXPECT_EQ("a\nb\n", strip("a\n<!-- paperkin:begin --> \nx\n<!-- paperkin:end -->\t\nb\n").text);
    EXPECT_EQ("a\r\nb", strip("a\r\n<!-- paperkin:begin -->\t \r\nx\r\n<!-- paperkin:end -->  \r\nb").text);
    EXPECT_EQ("\xEF\xBB\xBF"
              "a\n",
              strip("\xEF\xBB\xBF" + block + "a\n").text);
    EXPECT_EQ("no block\n", strip("no block\n").text);
    EXPECT_EQ("", strip("").text);
}

TEST(Blocks, OpenLine) {
    std::string open = "<!-- paperkin:begin open-line -->\nx\n<!-- paperkin:end -->";
    EXPECT_EQ("last line", strip("last line\n" + open).text);
    EXPECT_EQ("last line", strip("last line\n" + replace_all(open, "line -->", "line --> \t")).text);
    EXPECT_EQ("a\r\nlast line", strip("a\r\nlast line\r\n" + replace_all(open, "\n", "\r\n")).text);
    /* A carriage return of the file's own stays. */
    EXPECT_EQ("last line\r", strip("last line\r\n" + open).text);
    EXPECT_EQ("", strip(open).text);
}

/* Lines may have been added behind the block since: two lines must not become one. */
TEST(Blocks, OpenLineCountsAtTheEndOnly) {
    std::string open = "<!-- paperkin:begin open-line -->\nx\n<!-- paperkin:end -->\n";
    EXPECT_EQ("one\ntwo\n", strip("one\n" + open + "two\n").text);
    EXPECT_EQ("one\n### two\n", strip("one\n" + open + "### two\n").text);
}

TEST(Blocks, UnpairedMarkersAreDamageWhenChecked) {
    struct {
        std::string text;
        const char *place;
    } cases[] = {
        {"a\n<!-- paperkin:begin -->\nb\n", "day.md:2: "},
        {"a\n\n<!-- paperkin:end -->\n", "day.md:3: "},
        {"<!-- paperkin:begin -->\n" + block, "day.md:1: "},
        {block + "<!-- paperkin:end -->", "day.md:4: "},
        {"<!-- paperkin:begin -->\n### next\n<!-- paperkin:end -->\n", "day.md:1: "},
    };
    for (const auto &c : cases) {
        EXPECT_EQ(PKIN_ERROR_CORRUPT, pkin_i_blocks_check(c.text.data(), c.text.size(), "day.md")) << c.text;
        EXPECT_EQ(0u, std::string(pkin_last_error()).find(c.place)) << pkin_last_error();
    }
    std::string whole = "a\n" + block + "# b\n" + block;
    EXPECT_EQ(PKIN_OK, pkin_i_blocks_check(whole.data(), whole.size(), "day.md"));
}

TEST(Blocks, UnpairedMarkersAreTextWhenRemoved) {
    const std::string begin = "<!-- paperkin:begin -->\n", end = "<!-- paperkin:end -->\n";
    for (const std::string &text : {"a\n" + begin + "b\n", "a\n" + end, end + begin, begin + "### entry\n" + end}) {
        EXPECT_EQ(text, strip(text).text);
        EXPECT_EQ(0u, strip(text).n_blocks);
        EXPECT_EQ(text, strip(text + block).text) << "a block behind them is still a block";
    }
    EXPECT_EQ(begin + "b\n", strip(begin + block + "b\n").text);
    EXPECT_EQ(end + "b\n", strip(block + end + "b\n").text);
    EXPECT_EQ("", strip(begin + block + end).text) << "what is left must not become a block";
}

TEST(Blocks, StrayMarkersAreFoundWithTheirLines) {
    const std::string begin = "<!-- paperkin:begin -->\n", end = "<!-- paperkin:end -->\n";
    std::string text = end + "a\n" + begin + block + "# b\n" + end + block + begin + begin;
    pkin_i_blocks blocks = {};
    ASSERT_EQ(PKIN_OK, pkin_i_blocks_find(text.data(), text.size(), &blocks));
    EXPECT_EQ((std::vector<uint64_t>{1, 3, 8, 12, 13}),
              std::vector<uint64_t>(blocks.strays, blocks.strays + blocks.n_strays));
    ASSERT_EQ(2u, blocks.n_items);
    EXPECT_EQ(4u, blocks.items[0].line);
    EXPECT_EQ(9u, blocks.items[1].line);
    /* Lines of the text without blocks, and where they were before. */
    EXPECT_EQ(3u, pkin_i_blocks_line_before(&blocks, 3));
    EXPECT_EQ(7u, pkin_i_blocks_line_before(&blocks, 4));
    EXPECT_EQ(12u, pkin_i_blocks_line_before(&blocks, 6));
    pkin_i_blocks_free(&blocks);
}

TEST(Blocks, JsonMembers) {
    const std::string with =
        "{\"id\": \"1\", \"paperkin\": {\"version\": 1, \"key\": \"k\", \"a\": [1, {\"b\": \"}\\\"{\"}], \"c\": {}}}\n";
    EXPECT_EQ("{\"id\": \"1\"}\n", strip(with, PKIN_FORMAT_CRAWL).text);
    EXPECT_EQ("{\"id\": \"1\"}\r\nx\n{\"id\": \"1\"} \n",
              strip(replace_all(with, "\n", "\r\n") + "x\n" + replace_all(with, "\n", " \n"), PKIN_FORMAT_CRAWL).text);
    EXPECT_EQ("{\"id\": \"1\"}", strip(with.substr(0, with.size() - 1), PKIN_FORMAT_ENHANCED).text);
    EXPECT_EQ(1u, strip(with, PKIN_FORMAT_SNAPSHOT).n_blocks);
}

TEST(Blocks, JsonThatIsNotOurs) {
    for (const char *text :
         {"{\"id\": \"1\", \"x\": {\"a\": 1, \"paperkin\": {\"version\": 1, \"key\": \"k\"}}}\n",
          "{\"id\": \"1\", \"x\": [{\"paperkin\": {\"version\": 1, \"key\": \"k\"}}]}\n",
          "{\"id\": \"1\", \"paperkin\": {\"a\": {\"version\": 1, \"key\": \"k\"}}}\n",
          "{\"id\": \"1\", \"paperkin\": [{\"version\": 1, \"key\": \"k\"}]}\n",
          "{\"id\": \"1\", \"paperkin\": {\"version\": 1, \"key\": \"k\"}, \"z\": 1\n",
          "[{\"id\": \"1\", \"paperkin\": {\"version\": 1, \"key\": \"k\"}, \"z\": 1}]\n",
          "{\"id\": \"1\", \"paperkin\": {\n", "{\"id\": \"1\", \"paperkin\": {\"score\": 1}}\n",
          "{\"id\": \"1\", \"paperkin\": {\"version\": \"1\", \"key\": \"k\"}}\n",
          "{\"id\": \"1\", \"paperkin\": {\"version\": 1, \"key\": 2}}\n", "{\"id\": \"1\", \"paperkin\": {}}\n",
          "{\"id\": \"a, \\\"paperkin\\\": {}}\"}\n", "{\"id\": \"1\", \"paperkin\": 3}\n"}) {
        Removed result = strip(text, PKIN_FORMAT_CRAWL);
        EXPECT_EQ(PKIN_OK, result.status);
        EXPECT_EQ(text, result.text);
        EXPECT_EQ(0u, result.n_blocks);
    }
}

/* A summariser adds `AI` behind the member, another program sorts by name, and a line may have got it twice so. */
TEST(Blocks, JsonMembersAtAnyPlace) {
    const std::string own = "\"paperkin\": {\"version\": 1, \"key\": \"k, }\", \"related\": [{\"key\": \"{\"}]}";
    const std::string sorted = "\"paperkin\": {\"key\": \"k\", \"related\": [{}], \"version\": 1}";
    struct {
        std::string with, without;
        uint64_t n_blocks;
    } cases[] = {
        {"{\"id\": \"1\", " + own + ", \"AI\": {\"tldr\": \"x\"}}\n", "{\"id\": \"1\", \"AI\": {\"tldr\": \"x\"}}\n",
         1},
        {"{" + own + ", \"title\": \"x\"}\n", "{\"title\": \"x\"}\n", 1},
        {"\xEF\xBB\xBF { " + own + " , \"a\": 1}\r\n", "\xEF\xBB\xBF { \"a\": 1}\r\n", 1},
        {"{\"id\": \"1\", " + sorted + ", \"title\": \"x\"}", "{\"id\": \"1\", \"title\": \"x\"}", 1},
        {"{\"a\": -1.5e3, " + own + ", \"b\": null, \"c\": true}\n", "{\"a\": -1.5e3, \"b\": null, \"c\": true}\n", 1},
        {"{\"id\": \"1\", " + own + ", \"AI\": {}, " + own + "}\n", "{\"id\": \"1\", \"AI\": {}}\n", 2},
        {"{" + own + ", " + sorted + ", \"id\": \"1\", " + own + ", " + own + "}\n", "{\"id\": \"1\"}\n", 4},
        {"{" + own + ", " + own + "}\n", "{}\n", 2},
    };
    for (const auto &c : cases) {
        Removed result = strip(c.with, PKIN_FORMAT_ENHANCED);
        EXPECT_EQ(c.without, result.text) << c.with;
        EXPECT_EQ(c.n_blocks, result.n_blocks) << c.with;
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
                std::string(PKIN_I_JSON_MEMBER_START) + "\"version\": 1, \"key\": \"v\"}");
    EXPECT_NE(line, with);
    EXPECT_EQ(line, strip(with, PKIN_FORMAT_CRAWL).text);
}

} // namespace

TEST(Blocks, MembersAreKnownAgainAfterOtherProgramsRewroteTheLine) {
    auto removed = [](const std::string &line) {
        pkin_i_buffer out = {};
        uint64_t n = 0;
        EXPECT_EQ(pkin_i_blocks_remove(line.data(), line.size(), PKIN_FORMAT_CRAWL, &out, &n), PKIN_OK);
        std::string text(out.bytes, out.n_bytes);
        pkin_i_buffer_free(&out);
        return std::to_string(n) + " " + text;
    };
    EXPECT_EQ(removed("{\"id\":\"1\",\"paperkin\":{\"version\":1,\"key\":\"k\"}}\n"), "1 {\"id\":\"1\"}\n");
    EXPECT_EQ(removed("{ \"id\" : \"1\" , \"paperkin\" : { \"version\" : 1 , \"key\" : \"k\" } }\n"),
              "1 { \"id\" : \"1\"  }\n");
    /* Not ours: another value, a name inside a string, a member of a member. */
    for (std::string line :
         {"{\"id\":\"1\",\"paperkin\":7}", "{\"id\":\"a,\\\"paperkin\\\":{}\"}", "{\"paperkin\":{\"a\":1}}",
          "{\"a\":{\"b\":1,\"paperkin\":{}}}", "{\"a\":\"paperkin\",\"b\":{}}"}) {
        EXPECT_EQ(removed(line), "0 " + line);
    }
}

TEST(Blocks, MembersOfTheOutermostObject) {
    auto has = [](const std::string &line) { return pkin_i_json_has_member(line.data(), line.size(), "\"paperkin\""); };
    EXPECT_TRUE(has("{\"paperkin\": {}, \"z\": 1}"));
    EXPECT_TRUE(has(" {\"a\": [{}], \"paperkin\" : 3}"));
    for (const char *line : {"{\"a\": {\"paperkin\": 1}}", "{\"a\": \"paperkin\"}", "{\"a\": [\"paperkin\"]}", "{}", "",
                             "{\"a\": \"\\\"paperkin\\\": 1\"}", "\"paperkin", "}}\"paperkin\":"}) {
        EXPECT_FALSE(has(line)) << line;
    }
}
