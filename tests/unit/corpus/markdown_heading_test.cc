/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/markdown_heading.h"
#include "corpus/markdown_label.h"

#include <gtest/gtest.h>

#include <string>

namespace {

pkin_i_view view(const char *text) {
    return pkin_i_view_of(text, strlen(text));
}

std::string text_of(pkin_i_view v) {
    return std::string(v.bytes, v.n_bytes);
}

struct Case {
    const char *heading, *title, *link;
};

TEST(MarkdownHeading, Entries) {
    const Case cases[] = {
        {"[1] [Plain](https://arxiv.org/abs/2601.00001)", "Plain", "https://arxiv.org/abs/2601.00001"},
        {"[Plain](https://a.example/1)", "Plain", "https://a.example/1"},
        {"[2] [Insert [PAUSE] Tokens](https://a.example/1)", "Insert [PAUSE] Tokens", "https://a.example/1"},
        {"[2] [A [b [c]]](https://a.example/1)", "A [b [c]]", "https://a.example/1"},
        {"[3] [On $[0,1)$ sets](https://a.example/1)", "On $[0,1)$ sets", "https://a.example/1"},
        {"[3] [On (a, b] sets](https://a.example/1)", "On (a, b] sets", "https://a.example/1"},
        {"[4] [See [x](y) again](https://a.example/1)", "See [x](y) again", "https://a.example/1"},
        {"[4] [Odd ](z) title](https://a.example/1)", "Odd ](z) title", "https://a.example/1"},
        {"[5] [Wiki](https://a.example/A_(b))", "Wiki", "https://a.example/A_(b)"},
        {"[5] [Wiki](https://a.example/A_(b)", "Wiki", "https://a.example/A_(b"},
        {"[6] [[Brackets]](https://a.example/1)", "[Brackets]", "https://a.example/1"},
        {"[7] [$\\mathbb{R}^{[2]}$](https://a.example/1)", "$\\mathbb{R}^{[2]}$", "https://a.example/1"},
        {"[8] [Two](https://a.example/1) [code](https://b.example/2)", "Two", "https://a.example/1"},
        {"[8] [Two](https://a.example/1) ![badge](https://b.example/2)", "Two", "https://a.example/1"},
        {"<a id=\"2605.00001v1\"></a>[Anchored](http://arxiv.org/abs/2605.00001v1) [[back]](#toc-1)", "Anchored",
         "http://arxiv.org/abs/2605.00001v1"},
        {"[2024](https://a.example/1)", "2024", "https://a.example/1"},
        {"[9] [Angled](<https://a.example/1>)", "Angled", "https://a.example/1"},
        {"[9] [Titled](https://a.example/1 \"hover\")", "Titled", "https://a.example/1"},
        {"[10] [Elsewhere](doi:10.1000/1)", "Elsewhere", "doi:10.1000/1"},
    };
    for (const Case &c : cases) {
        pkin_i_heading heading = pkin_i_heading_read(view(c.heading));
        EXPECT_EQ(PKIN_I_HEADING_ENTRY, heading.kind) << c.heading;
        EXPECT_EQ(c.title, text_of(heading.title)) << c.heading;
        EXPECT_EQ(c.link, text_of(heading.link)) << c.heading;
    }
}

TEST(MarkdownHeading, BrokenEntries) {
    for (const char *text :
         {"[1] No link at all", "[1]", "[1] [](https://a.example/1)", "[1] [Title]()", "[1] [Title]",
          "[Title without a link]", "[1] [Title](https://a.example/1", "[1] [ ](https://a.example/1)"}) {
        pkin_i_heading heading = pkin_i_heading_read(view(text));
        EXPECT_EQ(PKIN_I_HEADING_BROKEN, heading.kind) << text;
        EXPECT_NE(nullptr, heading.fault) << text;
    }
}

TEST(MarkdownHeading, OtherHeadings) {
    for (const char *text :
         {"", "cs.PL [[Back]](#toc)", "Background", "<a id=\"toc-1\"></a>Near Space", "[Up](#toc)"}) {
        EXPECT_EQ(PKIN_I_HEADING_OTHER, pkin_i_heading_read(view(text)).kind) << text;
    }
}

TEST(MarkdownHeading, Levels) {
    pkin_i_view text;
    EXPECT_EQ(3, pkin_i_heading_level(view("### x "), &text));
    EXPECT_EQ("x", text_of(text));
    EXPECT_EQ(6, pkin_i_heading_level(view("###### x"), &text));
    for (const char *line : {"", "x", "#x", "####### x", " # x"})
        EXPECT_EQ(0, pkin_i_heading_level(view(line), &text)) << line;
}

TEST(MarkdownHeading, Sections) {
    for (const char *line : {"<div id='cs.PL'></div>", "# cs.PL [[Back]](#toc)", "## hep-th [[Back]](#toc)"}) {
        EXPECT_TRUE(pkin_i_is_section_mark(view(line))) << line;
    }
    for (const char *line :
         {"## <a id=\"x\"></a>[T](http://a.example/1) [[back]](#toc-1)", "# of clocks", "<div>", "x"}) {
        EXPECT_FALSE(pkin_i_is_section_mark(view(line))) << line;
    }
}

TEST(MarkdownLabel, EveryDress) {
    struct {
        const char *line;
        pkin_i_field field;
        const char *value;
    } cases[] = {
        {"TL;DR: short", PKIN_I_FIELD_SUMMARY, "short"},
        {"TLDR: short", PKIN_I_FIELD_SUMMARY, "short"},
        {"**TL;DR**: short", PKIN_I_FIELD_SUMMARY, "short"},
        {"**Motivation:** why **not**", PKIN_I_FIELD_SUMMARY, "why **not**"},
        {"#### \xF0\x9F\xA7\xA9 TL;DR", PKIN_I_FIELD_SUMMARY, ""},
        {"#### \xF0\x9F\x93\x84 Abstract", PKIN_I_FIELD_ABSTRACT, ""},
        {"### Background", PKIN_I_FIELD_SUMMARY, ""},
        {"Main category: cs.PL", PKIN_I_FIELD_CATEGORY, "cs.PL"},
        {"**Main category: cs.PL**", PKIN_I_FIELD_CATEGORY, "cs.PL"},
        {"**Comment:** 3 pages", PKIN_I_FIELD_COMMENT, "3 pages"},
        {"Method\xEF\xBC\x9Ahow", PKIN_I_FIELD_SUMMARY, "how"},
        {"Abstract:", PKIN_I_FIELD_ABSTRACT, ""},
    };
    for (const auto &c : cases) {
        pkin_i_view value = view("?");
        EXPECT_EQ(c.field, pkin_i_label_read(view(c.line), &value)) << c.line;
        EXPECT_EQ(c.value, text_of(value)) << c.line;
    }
    for (const char *line :
         {"", "Results: x", "  Result: x", "Methodology: x", "Method is x", "The Method: x", "**Method** x"}) {
        pkin_i_view value;
        EXPECT_EQ(PKIN_I_FIELD_NONE, pkin_i_label_read(view(line), &value)) << line;
    }
}

} // namespace
