/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>

#include "corpus_test_support.h"

namespace {

using Strings = std::vector<std::string>;

void expect_small_digest(const Reading &reading) {
    ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
    EXPECT_EQ(PKIN_FORMAT_MARKDOWN, pkin_corpus_format(reading.corpus.get()));
    ASSERT_EQ(2u, reading.size());
    EXPECT_EQ(0u, pkin_corpus_n_skipped(reading.corpus.get()));
    EXPECT_TRUE(reading.told.empty());
    EXPECT_STREQ("arxiv:2601.00011", reading[0].key);
    EXPECT_STREQ("2601.00011", reading[0].id);
    EXPECT_EQ(0u, reading[0].version);
    EXPECT_STREQ("Gardens of Forking Types", reading[0].title);
    EXPECT_EQ((Strings{"Ada Lovage", "Bo Tansy"}), reading.authors(0));
    EXPECT_EQ(Strings{"cs.PL"}, reading.categories(0));
    EXPECT_STREQ("We plant types.\nSecond paragraph of it. Results: all green.", reading[0].abstract);
    EXPECT_STREQ("Types fork.\nGardens grow.\n1. Plant\n2. Water\nThey forked.", reading[0].summary);
    EXPECT_EQ(1u, reading[0].n_failed_summaries);
    EXPECT_STREQ("https://arxiv.org/abs/2601.00011", reading[0].link);
    EXPECT_EQ(13u, reading[0].line);
    EXPECT_STREQ("Clocks [Extended] in $[0,1)$ (a study)", reading[1].title);
    EXPECT_EQ(3u, reading[1].version);
    EXPECT_STREQ("2601.00022", reading[1].id);
    std::string text = small_digest();
    size_t second = text.find("### [2]");
    EXPECT_EQ(1u + std::count(text.begin(), text.begin() + static_cast<long>(second), '\n'), reading[1].line);
}

TEST(MarkdownReader, UpstreamForm) {
    Reading reading = read_text(small_digest());
    expect_small_digest(reading);
    EXPECT_EQ(0u, reading.record(0).find("### [1]"));
    EXPECT_EQ("\n</details>\n", reading.record(0).substr(reading.record(0).size() - 12));
    EXPECT_EQ(std::string::npos, reading.record(0).find("<div"));
}

TEST(MarkdownReader, WindowsLineEnds) {
    Reading reading = read_text(replace_all(small_digest(), "\n", "\r\n"));
    expect_small_digest(reading);
    EXPECT_EQ("</details>\r\n", reading.record(1).substr(reading.record(1).size() - 12));
}

TEST(MarkdownReader, ByteOrderMark) {
    expect_small_digest(read_text("\xEF\xBB\xBF" + small_digest()));
    std::string bare = "\xEF\xBB\xBF### [T](https://arxiv.org/abs/2601.00011)\n";
    Reading reading = read_text(bare);
    ASSERT_EQ(1u, reading.size());
    EXPECT_EQ(3u, reading[0].begin);
    EXPECT_EQ(bare.size(), reading[0].end);
}

TEST(MarkdownReader, NoLastLineEnd) {
    std::string text = small_digest();
    text.pop_back();
    Reading reading = read_text(text);
    expect_small_digest(reading);
    EXPECT_EQ(text.size(), reading[1].end);
}

TEST(MarkdownReader, BlocksAreNoPartOfAnyPaper) {
    std::string plain = small_digest();
    std::string block = "<!-- paperkin:begin -->\n> ### [9] [Not one](https://arxiv.org/abs/2601.09999)\n"
                        " ### [9] [Nor this](https://arxiv.org/abs/2601.09998)\nAbstract: no\n<!-- paperkin:end -->\n";
    Reading before = read_text(plain);
    std::string text = plain;
    text.insert(before[1].end, "\n" + block);
    text.insert(before[0].end, block);
    Reading reading = read_text(text);
    ASSERT_EQ(2u, reading.size());
    EXPECT_EQ(before[0].end, reading[0].end);
    EXPECT_EQ(before[0].begin, reading[0].begin);
    EXPECT_EQ(before.record(1), reading.record(1));
    EXPECT_EQ(before[1].line + 5, reading[1].line);
    EXPECT_STREQ(before[0].abstract, reading[0].abstract);
}

TEST(MarkdownReader, BlockInsideAnEntryEndsItsRangeButNotItsText) {
    Reading reading = read_text("### [T](https://arxiv.org/abs/2601.00011)\n*A*\n<!-- paperkin:begin -->\nx\n"
                                "<!-- paperkin:end -->\nAbstract: kept\n");
    ASSERT_EQ(1u, reading.size());
    EXPECT_EQ("### [T](https://arxiv.org/abs/2601.00011)\n*A*\n", reading.record(0));
    EXPECT_STREQ("kept", reading[0].abstract);
}

TEST(MarkdownReader, BlockThatNeverEndsHidesNothing) {
    Reading reading = read_text("### [A](https://arxiv.org/abs/2601.00011)\n<!-- paperkin:begin -->\n\n"
                                "### [B](https://arxiv.org/abs/2601.00012)\n");
    EXPECT_EQ(2u, reading.size());
    ASSERT_EQ(1u, reading.told.size());
    EXPECT_EQ(2u, reading.told[0].line);
    EXPECT_FALSE(reading.told[0].skipped);
}

TEST(MarkdownReader, MarkersInAnAbstractAreText) {
    Reading reading = read_text("### [A](https://arxiv.org/abs/2601.00011)\n<details>\nAbstract: one\n"
                                "<!-- paperkin:end -->\ntwo\n<!-- paperkin:begin -->\nthree\n</details>\n"
                                "<!-- paperkin:begin -->\nseen\n<!-- paperkin:end -->\n"
                                "### [B](https://arxiv.org/abs/2601.00012)\n<details>\nAbstract: "
                                "four\n<!-- paperkin:end -->\n</details>\n");
    ASSERT_EQ(2u, reading.size());
    EXPECT_STREQ("one <!-- paperkin:end --> two <!-- paperkin:begin --> three", reading[0].abstract);
    EXPECT_STREQ("four <!-- paperkin:end -->", reading[1].abstract);
    ASSERT_EQ(3u, reading.told.size());
    EXPECT_EQ(4u, reading.told[0].line);
    EXPECT_EQ(6u, reading.told[1].line);
    EXPECT_EQ(15u, reading.told[2].line);
    EXPECT_EQ(0u, pkin_corpus_n_skipped(reading.corpus.get()));
}

TEST(MarkdownReader, BrokenHeadingsAreSkippedWithTheirLine) {
    Reading reading = read_text("# cs.PL [[Back]](#toc)\n\n### [1] [A](https://arxiv.org/abs/2601.00011)\nTL;DR: a\n\n"
                                "### [2] A title alone\nTL;DR: lost\n\n### [3] [](https://arxiv.org/abs/2601.00013)\n\n"
                                "### [4] [D](https://arxiv.org/abs/2601.00014)\n");
    ASSERT_EQ(PKIN_OK, reading.status);
    ASSERT_EQ(2u, reading.size());
    EXPECT_STREQ("a", reading[0].summary);
    EXPECT_EQ(2u, pkin_corpus_n_skipped(reading.corpus.get()));
    ASSERT_EQ(2u, reading.told.size());
    EXPECT_EQ((Told{"test.input", 6, "an entry's heading without a link; expected `### [n] [title](link)`", true}),
              reading.told[0]);
    EXPECT_EQ((Told{"test.input", 9, "an entry's heading without a title; expected `### [n] [title](link)`", true}),
              reading.told[1]);
    EXPECT_EQ(Strings{"cs.PL"}, reading.categories(1));
}

TEST(MarkdownReader, TitleWithoutLettersAndWithoutIdIsSkipped) {
    Reading reading = read_text("### [1] [A](https://a.example/1)\n\n### [2] [?!](https://a.example/2)\n");
    ASSERT_EQ(1u, reading.size());
    ASSERT_EQ(1u, reading.told.size());
    EXPECT_EQ(3u, reading.told[0].line);
}

TEST(MarkdownReader, EarlyForm) {
    Reading reading =
        read_text("### [Soup](https://arxiv.org/abs/2503.00001)\n*A B,C D*\n\nTask: Cook.\n\nMotivation: Hunger.\n\n"
                  "<details>\n  <summary>Details</summary>\nMethod: Boil.\n\nAbstract: Soup is\nhard-wrapped\nhere.\n\n"
                  "</details>\n\n### [Stew](https://arxiv.org/abs/2503.00002)\n*E F*\n");
    ASSERT_EQ(2u, reading.size());
    EXPECT_STREQ("Cook.\nHunger.\nBoil.", reading[0].summary);
    EXPECT_STREQ("Soup is hard-wrapped here.", reading[0].abstract);
}

TEST(MarkdownReader, EmojiForm) {
    Reading reading = read_text(
        "### [1] [Soup](https://arxiv.org/abs/2512.00001)\n*A B, C D*\n\n#### \xF0\x9F\xA7\xA9 TL;DR\nShort.\n\n---\n\n"
        "#### \xF0\x9F\x93\x98 Detailed Summary\n**Motivation:** Why.\n\n**Method:** How.\n\n---\n\n"
        "#### \xF0\x9F\x93\x84 Abstract\nThe abstract.\n\n\n### [2] [Stew](https://arxiv.org/abs/2512.00002)\n");
    ASSERT_EQ(2u, reading.size());
    EXPECT_EQ((Strings{"A B", "C D"}), reading.authors(0));
    EXPECT_STREQ("Short.\nWhy.\nHow.", reading[0].summary);
    EXPECT_STREQ("The abstract.", reading[0].abstract);
}

TEST(MarkdownReader, AnchoredForm) {
    Reading reading = read_text(
        "# <a id=\"toc\"></a>Table of Contents\n\n## <a id=\"toc-1\"></a>Near\n\n- [T (0.5)](#2605.00001v1)\n\n---\n\n"
        "# Near\n\n## <a id=\"2605.00001v1\"></a>[T](http://arxiv.org/abs/2605.00001v1) [[back]](#toc-1)\n\n"
        "**Relevance:** `0.5537`\n\n### Background\n\nStars.\n\n### Summary\n\nThey shine:\n- much\n\n# Far\n");
    ASSERT_EQ(1u, reading.size());
    EXPECT_TRUE(reading.told.empty());
    EXPECT_EQ(1u, reading[0].version);
    EXPECT_STREQ("Stars.\nThey shine:\n- much", reading[0].summary);
    EXPECT_STREQ("http://arxiv.org/abs/2605.00001v1", reading[0].link);
}

TEST(MarkdownReader, TranslatedForm) {
    Reading reading =
        read_text("## cs.CV\n\n### [1] [Soup](https://arxiv.org/abs/2506.00001)\n> *translated title*\n\n"
                  "*A B, C D* | **Main category: cs.CV**\n\n**Keywords:** soup\n\n**Comment:** 3 pages,\n2 figures\n\n"
                  "> **TL;DR:** short\n\n> **ai_Abstract:** machine\n> text\n");
    ASSERT_EQ(1u, reading.size());
    EXPECT_EQ((Strings{"A B", "C D"}), reading.authors(0));
    EXPECT_EQ(Strings{"cs.CV"}, reading.categories(0));
    EXPECT_STREQ("3 pages, 2 figures", reading[0].comment);
    EXPECT_STREQ("soup\nshort\nmachine\ntext", reading[0].summary);
    EXPECT_STREQ("", reading[0].abstract);
}

TEST(MarkdownReader, AbstractHoldsLabelsAndHeadings) {
    Reading reading = read_text(
        "### [1] [A](https://arxiv.org/abs/2601.00011)\n\n<details>\n  <summary>Details</summary>\n"
        "Abstract: First.\n  Results: second.\nMethod: third.\n# of runs: 4\n---\n### not an entry\n\n</details>\n"
        "\n\n### [2] [B](https://arxiv.org/abs/2601.00012)\n");
    ASSERT_EQ(2u, reading.size());
    EXPECT_TRUE(reading.told.empty());
    EXPECT_STREQ("First.\nResults: second. Method: third. # of runs: 4 --- ### not an entry", reading[0].abstract);
    EXPECT_STREQ("", reading[0].summary);
}

TEST(MarkdownReader, AFailureIsNoAbstract) {
    for (const char *text : {"Summary generation failed", "Error code: 429 - {'error': {}}", "Error"}) {
        Reading reading = read_text(replace_all(small_digest(), "Every clock drifts.", text));
        ASSERT_EQ(2u, reading.size());
        EXPECT_STREQ("", reading[1].abstract) << text;
        EXPECT_EQ(1u, reading[1].n_failed_summaries) << text;
    }
}

TEST(MarkdownReader, UnclosedDetailsEndAtTheNextEntry) {
    Reading reading =
        read_text("### [1] [A](https://arxiv.org/abs/2601.00011)\n<details>\nAbstract: a\n\n"
                  "### [2] [B](https://arxiv.org/abs/2601.00012)\n<details>\nAbstract: b\n\n<div id='cs.DC'></div>\n\n"
                  "# cs.DC [[Back]](#toc)\n\n### [3] [C](https://arxiv.org/abs/2601.00013)\n");
    ASSERT_EQ(3u, reading.size());
    EXPECT_STREQ("a", reading[0].abstract);
    EXPECT_STREQ("b", reading[1].abstract);
    EXPECT_EQ(Strings{"cs.DC"}, reading.categories(2));
}

TEST(MarkdownReader, LinkedSectionsAreNoEntries) {
    Reading reading =
        read_text("## [cs.PL](https://arxiv.org/list/cs.PL/new)\n\n### [A](https://arxiv.org/abs/2601.00011)\n\n"
                  "### [B](https://arxiv.org/abs/2601.00012)\n\n## [cs.DC](https://arxiv.org/list/cs.DC/new)\n\n"
                  "### [C](https://arxiv.org/abs/2601.00013)\n");
    ASSERT_EQ(3u, reading.size());
    EXPECT_STREQ("A", reading[0].title);
}

TEST(MarkdownReader, OtherSites) {
    Reading reading =
        read_text("### [1] [News of Soup](https://news.example/a%2Fb)\n*The Letter*\n\n"
                  "### [2] [Journal Soup](https://doi.org/10.1000/SOUP.7)\n\n### [3] [Script](javascript:alert(1))\n");
    ASSERT_EQ(3u, reading.size());
    EXPECT_STREQ("title:news of soup|the letter", reading[0].key);
    EXPECT_STREQ(reading[0].key, reading[0].id);
    EXPECT_STREQ("doi:10.1000/soup.7", reading[1].key);
    EXPECT_STREQ("10.1000/soup.7", reading[1].doi);
    EXPECT_STREQ("", reading[2].link);
}

TEST(MarkdownReader, NamesWithCommas) {
    Reading reading = read_text("### [1] [A](https://arxiv.org/abs/2601.00011)\n*Al Fern, Jr.,Bo Moss*\n\n"
                                "### [2] [B](https://arxiv.org/abs/2601.00012)\n*Al Fern, Bo Moss, *\n\n"
                                "### [3] [C](https://arxiv.org/abs/2601.00013)\n**\n");
    EXPECT_EQ((Strings{"Al Fern, Jr.", "Bo Moss"}), reading.authors(0));
    EXPECT_EQ((Strings{"Al Fern", "Bo Moss"}), reading.authors(1));
    EXPECT_EQ(0u, reading[2].n_authors);
}

TEST(MarkdownReader, BytesThatAreNotUtf8AreReplacedAndTold) {
    std::string text =
        "### [1] [Caf\xE9](https://arxiv.org/abs/2601.00011)\n\n### [2] [B](https://arxiv.org/abs/2601.00012)\n";
    Reading reading = read_text(text);
    ASSERT_EQ(2u, reading.size());
    EXPECT_STREQ("Caf\xEF\xBF\xBD", reading[0].title);
    ASSERT_EQ(1u, reading.told.size());
    EXPECT_EQ(1u, reading.told[0].line);
    EXPECT_FALSE(reading.told[0].skipped);
    EXPECT_EQ(0u, pkin_corpus_n_skipped(reading.corpus.get()));
    size_t n_bytes;
    const char *bytes = static_cast<const char *>(pkin_corpus_bytes(reading.corpus.get(), &n_bytes));
    EXPECT_EQ(text, std::string(bytes, n_bytes));
}

TEST(MarkdownReader, DigestsWithoutPapers) {
    for (const char *text :
         {"", "\n\n", "\xEF\xBB\xBF", "<div id=toc></div>\n\n# Table of Contents\n\n- [cs.PL](#cs.PL) [Total: 4]\n",
          "# Table of Contents\r\n"}) {
        Reading reading = read_text(text);
        EXPECT_EQ(PKIN_OK, reading.status) << text << reading.error;
        EXPECT_EQ(0u, reading.size());
        EXPECT_TRUE(reading.corpus != nullptr);
        size_t n_bytes;
        EXPECT_NE(nullptr, pkin_corpus_bytes(reading.corpus.get(), &n_bytes));
        EXPECT_EQ(strlen(text), n_bytes);
    }
}

TEST(MarkdownReader, ManyBracketsTakeNoTime) {
    std::string title;
    for (int k = 0; k < 100000; k++) title += "](http://";
    Reading reading = read_text("### [1] [A](https://arxiv.org/abs/2601.00011)\n\n### [2] [" + title + "x)\n");
    EXPECT_GE(reading.size(), 1u);
}

} // namespace
