/* SPDX-License-Identifier: Apache-2.0 */
/* Public feeds' own files, where they stand beside the project. */
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "corpus_test_support.h"
#include "support/shared_dir.h"

namespace {

std::string upstream(int day, const char *ending) {
    char name[96];
    snprintf(name, sizeof name, "/digests/upstream/2026-01-%02d%s", day, ending);
    return pkin_test_shared_dir() + name;
}

/* Compares the papers of a Markdown digest with those of the same keys in JSON lines; returns how many there were. */
size_t expect_same_papers(const Reading &markdown, const Reading &json, bool summaries) {
    std::map<std::string, uint64_t> by_key;
    size_t n_both = 0;
    for (uint64_t k = json.size(); k-- > 0;) by_key[json[k].key] = k;
    for (uint64_t k = 0; k < markdown.size(); k++) {
        auto found = by_key.find(markdown[k].key);
        if (found == by_key.end()) {
            ADD_FAILURE() << markdown[k].key << " is not in the JSON lines";
            continue;
        }
        uint64_t j = found->second;
        EXPECT_STREQ(json[j].id, markdown[k].id);
        EXPECT_STREQ(json[j].title, markdown[k].title);
        EXPECT_STREQ(json[j].abstract, markdown[k].abstract);
        EXPECT_STREQ(json[j].link, markdown[k].link);
        EXPECT_EQ(json.authors(j), markdown.authors(k));
        EXPECT_EQ(json.categories(j).at(0), markdown.categories(k).at(0));
        if (summaries) {
            EXPECT_STREQ(json[j].summary, markdown[k].summary);
        }
        n_both++;
    }
    return n_both;
}

TEST(RealDigests, MarkdownAndJsonLinesOfADayHoldTheSamePapers) {
    PKIN_SKIP_WITHOUT_SHARED();
    static const size_t n_entries[] = {107, 110, 147, 180, 236, 238, 232, 127, 128, 195, 161, 193, 190, 186};
    for (int day = 5; day <= 18; day++) {
        SCOPED_TRACE(day);
        Reading markdown = read_path(upstream(day, ".md")), json = read_path(upstream(day, ".jsonl"));
        ASSERT_EQ(PKIN_OK, markdown.status) << markdown.error;
        ASSERT_EQ(PKIN_OK, json.status) << json.error;
        EXPECT_EQ(PKIN_FORMAT_CRAWL, pkin_corpus_format(json.corpus.get()));
        EXPECT_TRUE(markdown.told.empty());
        EXPECT_TRUE(json.told.empty());
        EXPECT_EQ(n_entries[day - 5], expect_same_papers(markdown, json, false));
    }
}

TEST(RealDigests, EnhancedDays) {
    PKIN_SKIP_WITHOUT_SHARED();
    for (int day = 16; day <= 18; day++) {
        SCOPED_TRACE(day);
        Reading markdown = read_path(upstream(day, ".md")),
                json = read_path(upstream(day, "_AI_enhanced_Chinese.jsonl"));
        ASSERT_EQ(PKIN_OK, json.status) << json.error;
        EXPECT_EQ(PKIN_FORMAT_ENHANCED, pkin_corpus_format(json.corpus.get()));
        EXPECT_EQ(json.size(), expect_same_papers(markdown, json, true));
    }
}

TEST(RealDigests, LinesAndPapersOfTheFirstDay) {
    PKIN_SKIP_WITHOUT_SHARED();
    Reading json = read_path(upstream(5, ".jsonl"));
    ASSERT_EQ(184u, json.size());
    const pkin_corpus *corpora[] = {json.corpus.get()};
    pkin_corpus *merged = nullptr;
    ASSERT_EQ(PKIN_OK, pkin_corpus_unique(corpora, 1, &merged));
    EXPECT_EQ(146u, pkin_corpus_size(merged));
    pkin_corpus_free(merged);
}

TEST(RealDigests, RangesOfMarkdownEntries) {
    PKIN_SKIP_WITHOUT_SHARED();
    Reading reading = read_path(upstream(9, ".md"));
    uint64_t end = 0;
    for (uint64_t k = 0; k < reading.size(); k++) {
        std::string record = reading.record(k);
        EXPECT_GE(reading[k].begin, end);
        end = reading[k].end;
        EXPECT_EQ(0u, record.find("### ["));
        EXPECT_NE(std::string::npos, record.find("\n</details>"));
        EXPECT_EQ(std::string::npos, record.find("\n### [", 1));
        EXPECT_EQ(std::string::npos, record.find("<div id="));
    }
}

struct Variant {
    const char *path;
    uint64_t n_papers;
    bool abstracts, authors;
    uint32_t n_failed;
};

TEST(RealDigests, OtherFeedsMarkdown) {
    PKIN_SKIP_WITHOUT_SHARED();
    const Variant variants[] = {
        {"seeds/000_d1d8d27d2870b624.md", 16, true, true, 0},
        {"seeds/001_c32dfbe70e316947.md", 13, true, true, 0},
        {"variants/early/2025-03-21.md", 45, true, true, 0},
        {"variants/translated/2025-06-05.md", 285, true, true, 0},
        {"variants/astro-2025/2025-12-26.md", 24, true, true, 0},
        {"variants/astro-2026/2026-05-04.md", 23, false, false, 0},
        {"variants/emoji/2025-12-19.md", 4, true, true, 0},
        {"variants/small/2025-12-12.md", 5, true, true, 5},
        {"variants/failed-summaries/2025-12-13.md", 12, true, true, 0},
        {"variants/mixed-sources/2026-05-03.md", 4, true, true, 0},
    };
    for (const Variant &variant : variants) {
        SCOPED_TRACE(variant.path);
        Reading reading = read_path(pkin_test_shared_dir() + "/digests/" + variant.path);
        ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
        EXPECT_EQ(variant.n_papers, reading.size());
        EXPECT_TRUE(reading.told.empty());
        uint32_t n_failed = 0;
        std::set<std::string> keys;
        for (uint64_t k = 0; k < reading.size(); k++) {
            n_failed += reading[k].n_failed_summaries;
            keys.insert(reading[k].key);
            EXPECT_EQ(variant.abstracts, reading[k].abstract[0] != '\0') << k;
            EXPECT_EQ(variant.authors, reading[k].n_authors > 0) << k;
            EXPECT_TRUE(reading[k].summary[0] || reading[k].n_failed_summaries) << k;
            EXPECT_EQ(0, strncmp(reading[k].link, "http", 4)) << k;
        }
        EXPECT_EQ(variant.n_failed, n_failed);
        EXPECT_EQ(reading.size(), keys.size());
    }
}

TEST(RealDigests, OtherFeedsJsonLines) {
    PKIN_SKIP_WITHOUT_SHARED();
    const struct {
        const char *markdown, *json;
    } pairs[] = {
        {"emoji/2025-12-19.md", "emoji/2025-12-19.jsonl"},
        {"failed-summaries/2025-12-13.md", "failed-summaries/2025-12-13_AI_enhanced_Chinese.jsonl"},
        {"translated/2025-06-05.md", "translated/2025-06-05_AI_enhanced_Chinese.jsonl"},
    };
    for (const auto &pair : pairs) {
        SCOPED_TRACE(pair.json);
        std::string folder = pkin_test_shared_dir() + "/digests/variants/";
        Reading markdown = read_path(folder + pair.markdown), json = read_path(folder + pair.json);
        ASSERT_GT(markdown.size(), 0u);
        EXPECT_EQ(markdown.size(), expect_same_papers(markdown, json, false));
    }
}

TEST(RealDigests, CompressedCorpora) {
    PKIN_SKIP_WITHOUT_SHARED();
    Reading venues = read_path(pkin_test_shared_dir() + "/corpus/venues-20k.jsonl.zst");
    EXPECT_EQ(20000u, venues.size()) << venues.error;
    EXPECT_EQ(PKIN_FORMAT_RECORDS, pkin_corpus_format(venues.corpus.get()));
    EXPECT_TRUE(venues.told.empty());
    Reading arxiv = read_path(pkin_test_shared_dir() + "/corpus/arxiv-2025.jsonl.zst", 0);
    EXPECT_EQ(66454u, arxiv.size()) << arxiv.error;
    EXPECT_TRUE(arxiv.told.empty());
}

} // namespace
