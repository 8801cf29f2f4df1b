/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "corpus/blocks.h"
#include "corpus_test_support.h"

namespace {

struct Paper {
    std::string id, title, abstract, category;
    std::vector<std::string> authors, summaries;
};

/* Words that make trouble in Markdown, in JSON or in both; no white space inside. */
rc::Gen<std::string> word() {
    return rc::gen::element<std::string>("soup", "Leek", "[PAUSE]", "$[0,1)$", "(a,b]", "](x)", "\\mathbb{R}",
                                         "caf\xC3\xA9", "\xE6\xB1\xA4", "\"quoted\"", "R$^2$CCL", "a|b", "*bold*",
                                         "`code`", "<b>", "&amp;", "#1", "100%", "\\n", "\xF0\x9F\x8D\xB2", "[[x]]",
                                         "Results:", "{}", "~", "_u_", "2601.00011");
}

rc::Gen<std::string> words(int most) {
    return rc::gen::map(rc::gen::resize(most, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(word()))),
                        [](const std::vector<std::string> &list) {
                            std::string text;
                            for (const auto &item : list) text += (text.empty() ? "" : " ") + item;
                            return text;
                        });
}

/* Paragraphs as arXiv writes them: wrapped lines, further paragraphs indented by two spaces. */
rc::Gen<std::string> abstract_text() {
    auto piece = rc::gen::pair(rc::gen::element<std::string>("\n", "\n  "), words(8));
    return rc::gen::map(
        rc::gen::pair(words(8),
                      rc::gen::resize(5, rc::gen::container<std::vector<std::pair<std::string, std::string>>>(piece))),
        [](const std::pair<std::string, std::vector<std::pair<std::string, std::string>>> &parts) {
            std::string text = parts.first;
            for (const auto &more : parts.second) text += more.first + more.second;
            return text;
        });
}

rc::Gen<Paper> paper() {
    auto name = rc::gen::element<std::string>("Ada Lovage", "Bo Tansy",
                                              "J. R\xC3\xBC"
                                              "e",
                                              "\xE6\x9D\x8E", "Al Fern, Jr.", "C. d'Rue");
    return rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(1, 99999), rc::gen::inRange(0, 4), words(9), abstract_text(),
                       rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(name))),
                       rc::gen::element<std::string>("cs.PL", "hep-th", "math.GT")),
        [](const std::tuple<int, int, std::string, std::string, std::vector<std::string>, std::string> &t) {
            char id[32];
            snprintf(id, sizeof id, "2601.%05d", std::get<0>(t));
            Paper p;
            p.id = id + (std::get<1>(t) ? "v" + std::to_string(std::get<1>(t)) : std::string());
            p.title = std::get<2>(t);
            p.abstract = std::get<3>(t);
            p.authors = std::get<4>(t);
            /* A lone "X, Jr." cannot be told from two names. */
            if (p.authors.size() == 1) p.authors[0] = "Ada Lovage";
            p.category = std::get<5>(t);
            return p;
        });
}

rc::Gen<std::vector<Paper>> papers() {
    return rc::gen::resize(6, rc::gen::nonEmpty(rc::gen::container<std::vector<Paper>>(paper())));
}

std::string json_text(const std::string &text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return out + "\"";
}

std::string join(const std::vector<std::string> &items, const std::string &separator) {
    std::string out;
    for (const auto &item : items) out += (out.empty() ? "" : separator) + item;
    return out;
}

std::string as_markdown(const std::vector<Paper> &list) {
    std::string out =
        "<div id=toc></div>\n\n# Table of Contents\n\n- [cs.PL](#cs.PL) [Total: 9]\n\n\n<div id='cs.PL'></div>\n\n"
        "# cs.PL [[Back]](#toc)\n\n";
    int n = 0;
    for (const Paper &p : list) {
        out += "### [" + std::to_string(++n) + "] [" + p.title + "](https://arxiv.org/abs/" + p.id + ")\n*" +
               join(p.authors, ",") + "*\n\nMain category: " + p.category +
               "\n\nTL;DR: short\n\n\n<details>\n  <summary>Details</summary>\nMethod: how\n\n" +
               "Abstract: " + p.abstract + "\n\n</details>\n\n\n";
    }
    return out;
}

std::string as_json_lines(const std::vector<Paper> &list) {
    std::string out;
    for (const Paper &p : list) {
        std::vector<std::string> names;
        for (const auto &name : p.authors) names.push_back(json_text(name));
        out += "{\"id\": " + json_text(p.id) + ", \"categories\": [" + json_text(p.category) +
               "], \"abs\": " + json_text("https://arxiv.org/abs/" + p.id) + ", \"authors\": [" + join(names, ", ") +
               "], \"title\": " + json_text(p.title) + ", \"comment\": null, \"summary\": " + json_text(p.abstract) +
               ", \"AI\": {\"tldr\": \"short\", \"method\": \"how\"}}\n";
    }
    return out;
}

/* Line ends and a byte order mark as on Windows. */
std::string dressed(const std::string &text, bool windows, bool mark) {
    return (mark ? "\xEF\xBB\xBF" : "") + (windows ? replace_all(text, "\n", "\r\n") : text);
}

TEST(CorpusProperties, MarkdownAndJsonLinesGiveTheSamePapers) {
    EXPECT_TRUE(rc::check([] {
        std::vector<Paper> list = *papers();
        bool windows = *rc::gen::arbitrary<bool>(), mark = *rc::gen::arbitrary<bool>();
        Reading markdown = read_text(dressed(as_markdown(list), windows, mark));
        Reading json = read_text(dressed(as_json_lines(list), windows, mark));
        RC_ASSERT(markdown.error == "");
        RC_ASSERT(json.error == "");
        RC_ASSERT(markdown.told.empty());
        RC_ASSERT(json.told.empty());
        RC_ASSERT(markdown.size() == list.size());
        RC_ASSERT(json.size() == list.size());
        for (uint64_t k = 0; k < list.size(); k++) {
            RC_ASSERT(std::string(markdown[k].title) == list[k].title);
            RC_ASSERT(std::string(json[k].title) == list[k].title);
            RC_ASSERT(markdown.authors(k) == list[k].authors);
            RC_ASSERT(json.authors(k) == list[k].authors);
            RC_ASSERT(std::string(markdown[k].key) == json[k].key);
            RC_ASSERT(std::string(markdown[k].key) == "arxiv:" + list[k].id.substr(0, 10));
            RC_ASSERT(std::string(markdown[k].abstract) == json[k].abstract);
            std::string paragraphs = replace_all(replace_all(list[k].abstract, "\n  ", "\r"), "\n", " ");
            RC_ASSERT(std::string(json[k].abstract) == replace_all(paragraphs, "\r", "\n"));
            RC_ASSERT(std::string(markdown[k].link) == json[k].link);
            RC_ASSERT(std::string(markdown[k].summary) == json[k].summary);
            RC_ASSERT(markdown[k].version == json[k].version);
            RC_ASSERT(markdown.categories(k) == json.categories(k));
        }
    }));
}

/* Puts a block behind every chosen entry, as the writer of blocks does. */
std::string annotate(const std::string &text, const Reading &reading, const std::vector<bool> &chosen) {
    bool windows = text.find("\r\n") != std::string::npos;
    std::string line_end = windows ? "\r\n" : "\n", out = text;
    for (uint64_t k = reading.size(); k-- > 0;) {
        if (!chosen[k % chosen.size()]) continue;
        size_t end = reading[k].end;
        bool open = out[end - 1] != '\n';
        std::string block = (open ? line_end + PKIN_I_BLOCK_BEGIN_OPEN_LINE : std::string(PKIN_I_BLOCK_BEGIN)) +
                            line_end + "> seen before" + line_end + PKIN_I_BLOCK_END + (open ? "" : line_end);
        out.insert(end, block);
    }
    return out;
}

std::string removed(const std::string &text, pkin_format format) {
    pkin_i_buffer out = {};
    uint64_t n_blocks = 0;
    pkin_status status = pkin_i_blocks_remove(text.data(), text.size(), format, &out, &n_blocks);
    std::string result =
        status == PKIN_OK ? std::string(out.bytes, out.n_bytes) : std::string("failed: ") + pkin_last_error();
    pkin_i_buffer_free(&out);
    return result;
}

TEST(CorpusProperties, MarkdownBlocksComeOffAgain) {
    EXPECT_TRUE(rc::check([] {
        std::vector<Paper> list = *papers();
        std::string text = dressed(as_markdown(list), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>());
        /* Sometimes without the last line end, or cut in the middle of the last entry. */
        text.resize(text.size() - static_cast<size_t>(*rc::gen::inRange(0, 40)));
        Reading reading = read_text(text);
        std::string with = annotate(text, reading, *rc::gen::nonEmpty<std::vector<bool>>());
        RC_ASSERT(removed(with, PKIN_FORMAT_MARKDOWN) == text);
        Reading again = read_text(with);
        RC_ASSERT(again.size() == reading.size());
        for (uint64_t k = 0; k < reading.size(); k++) {
            RC_ASSERT(std::string(again[k].abstract) == reading[k].abstract);
            RC_ASSERT(std::string(again[k].title) == reading[k].title);
        }
    }));
}

/* Markers in any order and number: what is left holds no block, even when blocks are put between its lines. */
TEST(CorpusProperties, StrayMarkersStayStray) {
    auto piece =
        rc::gen::element<std::string>("<!-- paperkin:begin -->\n", "<!-- paperkin:end -->\n", "text\n", "### heading\n",
                                      "<!-- paperkin:begin open-line -->\n", "<!-- paperkin:end --> \t\n");
    EXPECT_TRUE(rc::check([&] {
        std::string block = std::string(PKIN_I_BLOCK_BEGIN) + "\n\n- seen\n\n" + PKIN_I_BLOCK_END + "\n", with;
        std::string text = join(*rc::gen::container<std::vector<std::string>>(piece), "");
        std::string once = removed(text, PKIN_FORMAT_MARKDOWN);
        RC_ASSERT(removed(once, PKIN_FORMAT_MARKDOWN) == once);
        for (size_t at = 0, next; at < once.size(); at = next) {
            next = once.find('\n', at) + 1;
            if (next == 0) next = once.size();
            with += once.substr(at, next - at);
            if (with.back() == '\n' && *rc::gen::arbitrary<bool>()) with += block;
        }
        RC_ASSERT(removed(with, PKIN_FORMAT_MARKDOWN) == once);
    }));
}

TEST(CorpusProperties, JsonMembersComeOffAgain) {
    EXPECT_TRUE(rc::check([] {
        std::string text = dressed(as_json_lines(*papers()), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>());
        Reading reading = read_text(text);
        std::string with = text;
        for (uint64_t k = reading.size(); k-- > 0;) {
            std::string line = reading.record(k);
            with.insert(reading[k].begin + pkin_i_json_insert_place(line.data(), line.size()),
                        std::string(PKIN_I_JSON_MEMBER_START) + "\"version\": 1, \"key\": \"k\", \"seen\": [" +
                            json_text(*words(5)) + "]}");
        }
        RC_ASSERT(removed(with, PKIN_FORMAT_ENHANCED) == text);
        RC_ASSERT(read_text(with).size() == reading.size());
    }));
}

/* Wherever among an object's members another program has put it, and whatever white space it writes. */
TEST(CorpusProperties, JsonMembersComeOffFromAnyPlace) {
    auto member =
        rc::gen::element<std::string>("\"id\"\t:\"1\"", "\"a\": {\"paperkin\": {\"version\": 1, \"key\": \"k\"}}",
                                      "\"n\":-1.5e+3", "\"l\": [1, {\"}\": \",\"}]", "\"paperkin\": {\"key\": \"k\"}",
                                      "\"s\": \", \\\"paperkin\\\": {\\\"version\\\": 1\"", "\"t\":true");
    auto own =
        rc::gen::element<std::string>("\"paperkin\":{\"key\":\"k\",\"version\":1}",
                                      "\"paperkin\" : { \"version\" : 1, \"key\": \"}\", \"r\": [{\"key\": 2}] }");
    EXPECT_TRUE(rc::check([&] {
        auto members = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(member)), with = members;
        std::string separator = *rc::gen::element<std::string>(",", ", ", ",\t ");
        for (int n = *rc::gen::inRange(1, 3); n > 0; n--) {
            with.insert(with.begin() + *rc::gen::inRange<size_t>(0, with.size() + 1), *own);
        }
        RC_ASSERT(removed("{" + join(with, separator) + "}\n", PKIN_FORMAT_CRAWL) ==
                  "{" + join(members, separator) + "}\n");
    }));
}

/* Everything that every caller relies on, whatever the bytes were. */
void assert_sound(const Reading &reading, size_t n_bytes) {
    RC_ASSERT((reading.status == PKIN_OK) == (reading.corpus != nullptr));
    uint64_t end = 0;
    for (uint64_t k = 0; k < reading.size(); k++) {
        RC_ASSERT(reading[k].title[0]);
        RC_ASSERT(reading[k].key[0]);
        RC_ASSERT(reading[k].id[0]);
        RC_ASSERT(reading[k].begin >= end);
        RC_ASSERT(reading[k].end > reading[k].begin);
        end = reading[k].end;
    }
    RC_ASSERT(end <= n_bytes);
}

TEST(CorpusProperties, RandomBytesNeverCrash) {
    static const pkin_format forms[] = {PKIN_FORMAT_UNKNOWN, PKIN_FORMAT_MARKDOWN, PKIN_FORMAT_CRAWL,
                                        PKIN_FORMAT_SNAPSHOT};
    EXPECT_TRUE(rc::check([] {
        std::string text = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        for (pkin_format form : forms) assert_sound(read_text(text, form), text.size() * 1100);
        removed(text, PKIN_FORMAT_CRAWL);
        removed(text, PKIN_FORMAT_MARKDOWN);
        pkin_i_json_insert_place(text.data(), text.size());
    }));
}

TEST(CorpusProperties, PiecesOfDigestsNeverCrash) {
    auto piece = rc::gen::element<std::string>(
        "### [", "1] [", "](https://a.example/", ")", "\n", "\r\n", "<details>\n", "</details>\n", "Abstract: ", "*",
        ",", "## ", "# ", "---\n", "<div id='x'></div>\n", "<!-- paperkin:begin -->\n", "<!-- paperkin:end -->\n",
        "{\"id\": \"", "\", \"title\": \"", "\"}", "\"AI\": {", ", \"paperkin\": {", "}", "\\", "\"", "\xFF",
        std::string(1, '\0'), "[[back]](#", "<a id=\"x\"></a>", "TL;DR:", "**", " ");
    EXPECT_TRUE(rc::check([&] {
        std::string text = join(*rc::gen::container<std::vector<std::string>>(piece), "");
        for (pkin_format form : {PKIN_FORMAT_UNKNOWN, PKIN_FORMAT_MARKDOWN, PKIN_FORMAT_CRAWL})
            assert_sound(read_text(text, form), text.size());
        removed(text, PKIN_FORMAT_CRAWL);
        removed(text, PKIN_FORMAT_MARKDOWN);
        pkin_i_json_insert_place(text.data(), text.size());
    }));
}

TEST(CorpusProperties, EveryTruncationIsReadAsFarAsItGoes) {
    for (const std::string &text : {small_digest(), small_crawl(), replace_all(small_digest(), "\n", "\r\n")}) {
        for (size_t n = 0; n <= text.size(); n++) {
            Reading reading = read_text(text.substr(0, n));
            ASSERT_TRUE(reading.status == PKIN_OK || reading.status == PKIN_ERROR_NOT_A_DIGEST) << n;
            ASSERT_LE(reading.size(), 2u);
        }
        EXPECT_EQ(2u, read_text(text).size());
    }
}

} // namespace
