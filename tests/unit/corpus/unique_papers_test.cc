/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "corpus_test_support.h"

namespace {

CorpusPointer unique(const std::vector<const pkin_corpus *> &corpora) {
    pkin_corpus *out = nullptr;
    EXPECT_EQ(PKIN_OK, pkin_corpus_unique(corpora.data(), corpora.size(), &out));
    return CorpusPointer(out);
}

std::string line(const std::string &id, const std::string &members) {
    return "{\"id\": \"" + id + "\", \"title\": \"Soup " + id.substr(0, 10) + "\"" + members + "}\n";
}

TEST(UniquePapers, OneForEachKeyInOrderOfAppearance) {
    Reading reading = read_text(line("2601.00012", "") + line("2601.00011v1", "") + line("2601.00012v3", "") +
                                line("2601.00011v2", ""));
    ASSERT_EQ(4u, reading.size());
    CorpusPointer merged = unique({reading.corpus.get()});
    ASSERT_EQ(2u, pkin_corpus_size(merged.get()));
    const pkin_paper *first = pkin_corpus_paper(merged.get(), 0), *second = pkin_corpus_paper(merged.get(), 1);
    EXPECT_STREQ("arxiv:2601.00012", first->key);
    EXPECT_EQ(3u, first->version);
    EXPECT_EQ(1u, first->line);
    EXPECT_EQ(2u, second->version);
    EXPECT_EQ(2u, second->line);
    size_t n_bytes = 7;
    EXPECT_EQ(nullptr, pkin_corpus_bytes(merged.get(), &n_bytes));
    EXPECT_EQ(0u, n_bytes);
    EXPECT_STREQ("test.input", pkin_corpus_name(merged.get()));
}

TEST(UniquePapers, LaterRecordsFillWhatIsEmpty) {
    CorpusPointer merged;
    {
        Reading crawl = read_text(line("2601.00011", ", \"comment\": null, \"summary\": \"\"") + "{bad\n");
        Reading enhanced = read_text(
            line("2601.00011v2", ", \"comment\": \"9 pages\", \"summary\": \"Text.\", \"authors\": [\"A\", \"B\"], "
                                 "\"categories\": [\"cs.PL\"], \"doi\": \"10.1000/1\", \"date\": \"2026-01-02\", "
                                 "\"AI\": {\"tldr\": \"Short.\", \"method\": \"Error\"}"));
        merged = unique({crawl.corpus.get(), enhanced.corpus.get()});
    } /* The corpora are gone: their strings live on. */
    ASSERT_EQ(1u, pkin_corpus_size(merged.get()));
    const pkin_paper *paper = pkin_corpus_paper(merged.get(), 0);
    EXPECT_STREQ("9 pages", paper->comment);
    EXPECT_STREQ("Text.", paper->abstract);
    EXPECT_STREQ("Short.", paper->summary);
    EXPECT_STREQ("10.1000/1", paper->doi);
    EXPECT_STREQ("2026-01-02", paper->date);
    ASSERT_EQ(2u, paper->n_authors);
    EXPECT_STREQ("B", paper->authors[1]);
    ASSERT_EQ(1u, paper->n_categories);
    EXPECT_EQ(1u, paper->n_failed_summaries);
    EXPECT_EQ(2u, paper->version);
    EXPECT_EQ(1u, pkin_corpus_n_skipped(merged.get()));
    EXPECT_EQ(PKIN_FORMAT_UNKNOWN, pkin_corpus_format(merged.get()));
    EXPECT_STREQ("test.input and 1 more", pkin_corpus_name(merged.get()));
}

TEST(UniquePapers, Nothing) {
    CorpusPointer merged = unique({});
    EXPECT_EQ(0u, pkin_corpus_size(merged.get()));
    pkin_corpus *out = nullptr;
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_unique(nullptr, 2, &out));
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_unique(nullptr, 0, nullptr));
}

TEST(UniquePapers, NullIsNoCorpus) {
    const pkin_corpus *corpora[] = {nullptr};
    pkin_corpus *out = nullptr;
    size_t n_bytes = 1;
    EXPECT_EQ(PKIN_ERROR_INVALID_ARGUMENT, pkin_corpus_unique(corpora, 1, &out));
    EXPECT_EQ(nullptr, out);
    EXPECT_EQ(0u, pkin_corpus_size(nullptr));
    EXPECT_EQ(nullptr, pkin_corpus_paper(nullptr, 0));
    EXPECT_EQ(PKIN_FORMAT_UNKNOWN, pkin_corpus_format(nullptr));
    EXPECT_EQ(0u, pkin_corpus_n_skipped(nullptr));
    EXPECT_STREQ("", pkin_corpus_name(nullptr));
    EXPECT_EQ(nullptr, pkin_corpus_bytes(nullptr, &n_bytes));
    EXPECT_EQ(0u, n_bytes);
}

TEST(UniquePapers, Many) {
    std::string text;
    for (int k = 0; k < 5000; k++) text += "{\"id\": \"x\", \"title\": \"Soup " + std::to_string(k % 1700) + "\"}\n";
    Reading reading = read_text(text);
    CorpusPointer merged = unique({reading.corpus.get()});
    ASSERT_EQ(1700u, pkin_corpus_size(merged.get()));
    EXPECT_STREQ("Soup 1699", pkin_corpus_paper(merged.get(), 1699)->title);
}

} // namespace
