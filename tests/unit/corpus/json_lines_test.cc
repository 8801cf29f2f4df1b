/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "corpus_test_support.h"

namespace {

using Strings = std::vector<std::string>;

std::string record(const std::string &members) {
    return "{\"id\": \"2601.00011\", \"title\": \"Soup\"" + (members.empty() ? "" : ", " + members) + "}\n";
}

TEST(JsonLines, Crawl) {
    Reading reading = read_text(small_crawl());
    ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
    EXPECT_EQ(PKIN_FORMAT_CRAWL, pkin_corpus_format(reading.corpus.get()));
    ASSERT_EQ(2u, reading.size());
    EXPECT_STREQ("arxiv:2601.00011", reading[0].key);
    EXPECT_STREQ("We plant types.\nSecond paragraph of it. Results: all green.", reading[0].abstract);
    EXPECT_STREQ("", reading[0].comment);
    EXPECT_STREQ("", reading[0].summary);
    EXPECT_STREQ("12 pages", reading[1].comment);
    EXPECT_EQ(3u, reading[1].version);
    EXPECT_EQ((Strings{"cs.PL", "cs.LO"}), reading.categories(0));
    EXPECT_EQ(1u, reading[0].line);
    EXPECT_EQ(2u, reading[1].line);
    EXPECT_EQ('{', reading.record(1).front());
    EXPECT_EQ('}', reading.record(1).back());
    EXPECT_EQ(nullptr, pkin_corpus_paper(reading.corpus.get(), 2));
}

TEST(JsonLines, SamePapersAsMarkdown) {
    Reading json = read_text(small_crawl()), markdown = read_text(small_digest());
    ASSERT_EQ(json.size(), markdown.size());
    for (uint64_t k = 0; k < json.size(); k++) {
        EXPECT_STREQ(json[k].key, markdown[k].key);
        EXPECT_STREQ(json[k].title, markdown[k].title);
        EXPECT_STREQ(json[k].abstract, markdown[k].abstract);
        EXPECT_STREQ(json[k].link, markdown[k].link);
        EXPECT_EQ(json[k].version, markdown[k].version);
        EXPECT_EQ(json.authors(k), markdown.authors(k));
    }
}

TEST(JsonLines, Enhanced) {
    Reading reading =
        read_text(record("\"summary\": \"A.\", \"AI\": {\"tldr\": \"Short.\", \"motivation\": \"Error\", "
                         "\"method\": \"Boil.\", \"result\": null, \"conclusion\": \"Error code: 429 - x\", "
                         "\"title_translation\": \"other\"}, \"code_stars\": 12"));
    EXPECT_EQ(PKIN_FORMAT_ENHANCED, pkin_corpus_format(reading.corpus.get()));
    EXPECT_STREQ("Short.\nBoil.", reading[0].summary);
    EXPECT_EQ(2u, reading[0].n_failed_summaries);
}

TEST(JsonLines, AFailureIsNoAbstract) {
    for (const char *text : {"Summary generation failed", " Error code: 429 - {'error': {}}\\n", "Error"}) {
        for (const char *key : {"abstract", "summary"}) {
            Reading reading =
                read_text(record("\"" + std::string(key) + "\": \"" + text + "\", \"AI\": {\"a\": \"Error\"}"));
            ASSERT_EQ(1u, reading.size());
            EXPECT_STREQ("", reading[0].abstract) << text;
            EXPECT_EQ(2u, reading[0].n_failed_summaries) << text;
        }
    }
    EXPECT_STREQ("Error bars shrink.", read_text(record("\"summary\": \"Error bars shrink.\""))[0].abstract);
}

TEST(JsonLines, EnhancedWhereTheFirstRecordLacksIt) {
    Reading reading =
        read_text(record("\"summary\": \"A.\"") + record("\"summary\": \"A.\", \"AI\": {\"tldr\": \"x\"}"));
    EXPECT_EQ(PKIN_FORMAT_ENHANCED, pkin_corpus_format(reading.corpus.get()));
}

TEST(JsonLines, Snapshot) {
    Reading reading = read_text(
        "{\"id\":\"0704.0001\",\"submitter\":\"A\",\"authors\":\"C. Bal\\\\'azs and E. Fern\",\"title\":\"Soup of\\n  "
        "prompt "
        "leeks\",\"comments\":\"37 pages,\\n  15 "
        "figures\",\"journal-ref\":null,\"doi\":\"10.1103/PhysRev.76\",\"report-no\":\"X\","
        "\"categories\":\"hep-ph cs.DC\",\"license\":null,\"abstract\":\"  A fully differential\\ncalculation.\\n  It "
        "works.\\n\",\"versions\":[{\"version\":\"v1\",\"created\":\"Mon, 2 Apr 2007 19:18:42 "
        "GMT\"},{\"version\":\"v2\","
        "\"created\":\"Tue, 24 Jul 2007 20:10:27 "
        "GMT\"}],\"update_date\":\"2008-11-26\",\"authors_parsed\":[[\"Bal\xC3\xA1zs\","
        "\"C.\",\"\"],[\"Fern\",\"E.\",\"Jr.\"]]}\n");
    ASSERT_EQ(1u, reading.size()) << reading.error;
    EXPECT_EQ(PKIN_FORMAT_SNAPSHOT, pkin_corpus_format(reading.corpus.get()));
    EXPECT_STREQ("arxiv:0704.0001", reading[0].key);
    EXPECT_EQ(2u, reading[0].version);
    EXPECT_STREQ("2007-04-02", reading[0].date);
    EXPECT_STREQ("Soup of prompt leeks", reading[0].title);
    EXPECT_STREQ("A fully differential calculation.\nIt works.", reading[0].abstract);
    EXPECT_STREQ("37 pages, 15 figures", reading[0].comment);
    EXPECT_STREQ("10.1103/physrev.76", reading[0].doi);
    EXPECT_STREQ("https://arxiv.org/abs/0704.0001", reading[0].link);
    EXPECT_EQ((Strings{"C. Bal\xC3\xA1zs", "E. Fern Jr."}), reading.authors(0));
    EXPECT_EQ((Strings{"hep-ph", "cs.DC"}), reading.categories(0));
}

TEST(JsonLines, SnapshotWithoutParsedAuthors) {
    Reading reading = read_text(
        record("\"abstract\": \"a\", \"update_date\": \"2008-11-26\", \"authors\": \"A. Fern, B. Moss and C. Rue\""));
    EXPECT_EQ((Strings{"A. Fern", "B. Moss", "C. Rue"}), reading.authors(0));
    EXPECT_STREQ("2008-11-26", reading[0].date);
}

TEST(JsonLines, Records) {
    Reading reading = read_text(
        "{\"id\": \"venue2022:77\", \"title\": \"Soup\", \"abstract\": \"A.\", \"authors\": [\" Al  Fern\", \"\"]}\n"
        "{\"id\": \"venue2022:78\", \"title\": \"?\", \"abstract\": \"A.\"}\n"
        "{\"id\": \"10.1000/Soup\", \"title\": \"Stew\", \"abstract\": \"A.\"}\n"
        "{\"id\": \"s2:1\", \"title\": \"Stew\", \"abstract\": \"A.\", \"doi\": \"10.48550/arXiv.2601.00011\"}\n");
    EXPECT_EQ(PKIN_FORMAT_RECORDS, pkin_corpus_format(reading.corpus.get()));
    ASSERT_EQ(4u, reading.size());
    EXPECT_STREQ("title:soup|al fern", reading[0].key);
    EXPECT_STREQ("venue2022:77", reading[0].id);
    EXPECT_EQ(Strings{"Al Fern"}, reading.authors(0));
    EXPECT_STREQ("id:venue2022:78", reading[1].key);
    EXPECT_STREQ("venue2022:78", reading[1].id);
    EXPECT_STREQ("doi:10.1000/soup", reading[2].key);
    EXPECT_STREQ("https://doi.org/10.1000/soup", reading[2].link);
    EXPECT_STREQ("arxiv:2601.00011", reading[3].key);
}

TEST(JsonLines, DatesAreDaysOfTheCalendar) {
    for (const char *date : {"2026-99-77", "2026-02-29", "2026-13-01", "2026-01-00", "0000-01-01", "2026-1-01"}) {
        EXPECT_STREQ("", read_text(record(std::string("\"date\": \"") + date + "\""))[0].date) << date;
    }
    EXPECT_STREQ("2024-02-29", read_text(record("\"date\": \"2024-02-29T00:00\""))[0].date);
}

TEST(JsonLines, OtherFeedsKeys) {
    Reading reading = read_text(
        record("\"url\": \"http://arxiv.org/abs/2601.00011v4\", \"cate\": \"cs.CV\", \"date\": \"2025-06-05T10:00\", "
               "\"summary\": \"A.\", \"background_knowledge\": \"B.\", \"contribution\": \"C.\""));
    EXPECT_EQ(4u, reading[0].version);
    EXPECT_EQ(Strings{"cs.CV"}, reading.categories(0));
    EXPECT_STREQ("2025-06-05", reading[0].date);
    EXPECT_STREQ("B.\nC.", reading[0].summary);
}

TEST(JsonLines, VersionsOfAnotherPaperDoNotCount) {
    Reading reading = read_text(record("\"pdf\": \"https://arxiv.org/pdf/2601.00099v2\"") +
                                record("\"pdf\": \"https://arxiv.org/pdf/2601.00011v2\""));
    EXPECT_STREQ("arxiv:2601.00011", reading[0].key);
    EXPECT_EQ(0u, reading[0].version);
    EXPECT_EQ(2u, reading[1].version);
}

TEST(JsonLines, BadRecordsAreSkippedWithLineAndReason) {
    std::string good = record("\"summary\": \"A.\"");
    struct {
        std::string line;
        const char *reason;
    } cases[] = {
        {"{\"id\": \"1\"", "not valid JSON"},
        {"not json", "not valid JSON"},
        {"[1, 2]", "not a JSON object"},
        {"\"text\"", "not a JSON object"},
        {"{\"title\": \"T\"}", "no \"id\""},
        {"{\"id\": null, \"title\": \"T\"}", "no \"id\""},
        {"{\"id\": \" \", \"title\": \"T\"}", "\"id\" is empty"},
        {"{\"id\": \"1\"}", "no \"title\""},
        {"{\"id\": \"1\", \"title\": \" \"}", "no title"},
        {"{\"id\": 1, \"title\": \"T\"}", "\"id\" is not a string"},
        {"{\"id\": \"1\", \"title\": [\"T\"]}", "\"title\" is not a string"},
        {"{\"id\": \"1\", \"title\": \"T\", \"authors\": 3}", "\"authors\" is not a list"},
        {"{\"id\": \"1\", \"title\": \"T\", \"authors\": [3]}", "\"authors\" holds"},
        {"{\"id\": \"1\", \"title\": \"T\", \"categories\": [{}]}", "\"categories\" holds"},
        {"{\"id\": \"1\", \"title\": \"T\", \"AI\": \"x\"}", "\"AI\" is not an object"},
        {"{\"id\": \"1\", \"id\": \"2\", \"title\": \"T\"}", "the key \"id\" occurs twice"},
        {"{\"id\": \"1\", \"title\": \"T\", \"AI\": {\"tldr\": \"a\", \"tldr\": \"b\"}}",
         "the key \"tldr\" occurs twice"},
        {"{\"id\": \"1\", \"title\": \"T\xFF\"}", "not UTF-8"},
        {"{\"id\": \"1\", \"title\": \"\\ud800\"}", "not valid JSON"},
        {"{\"id\": \"1\", \"title\": \"T\", \"n\": NaN}", "not valid JSON"},
        {"{\"id\": \"1\", \"title\": \"T\"} x", "not valid JSON"},
    };
    for (const auto &c : cases) {
        Reading reading = read_text(good + c.line + "\n" + good);
        ASSERT_EQ(PKIN_OK, reading.status) << c.line;
        EXPECT_EQ(2u, reading.size()) << c.line;
        EXPECT_EQ(3u, reading[1].line);
        EXPECT_EQ(1u, pkin_corpus_n_skipped(reading.corpus.get()));
        ASSERT_EQ(1u, reading.told.size()) << c.line;
        EXPECT_EQ(2u, reading.told[0].line);
        EXPECT_TRUE(reading.told[0].skipped);
        EXPECT_NE(std::string::npos, reading.told[0].reason.find(c.reason))
            << c.line << " -> " << reading.told[0].reason;
    }
}

TEST(JsonLines, ManyKeys) {
    std::string members = "\"x0\": 0";
    for (int k = 1; k < 500; k++) members += ", \"x" + std::to_string(k) + "\": 0";
    EXPECT_EQ(1u, read_text(record(members)).size());
    EXPECT_EQ(PKIN_ERROR_NOT_A_DIGEST, read_text(record(members + ", \"x7\": 1")).status);
}

TEST(JsonLines, CutOffLastLine) {
    Reading reading = read_text(record("") + "{\"id\": \"2601.00012\", \"ti");
    ASSERT_EQ(1u, reading.size());
    ASSERT_EQ(1u, reading.told.size());
    EXPECT_NE(std::string::npos, reading.told[0].reason.find("the file ends inside this record"));
}

TEST(JsonLines, LineEndsBlankLinesAndByteOrderMark) {
    std::string one = record("\"summary\": \"A.\"");
    std::string line = one.substr(0, one.size() - 1);
    std::string text = "\xEF\xBB\xBF" + line + "\r\n\r\n  \n" + line + "\r\n" + line;
    Reading reading = read_text(text);
    ASSERT_EQ(3u, reading.size());
    EXPECT_TRUE(reading.told.empty());
    EXPECT_EQ(3u, reading[0].begin);
    EXPECT_EQ(4u, reading[1].line);
    EXPECT_EQ(line, reading.record(0));
    EXPECT_EQ(line, reading.record(1));
    EXPECT_EQ(line, reading.record(2));
}

TEST(JsonLines, SeparatorsOfUnicodeEndNoLine) {
    Reading reading = read_text(record("\"summary\": \"a\xE2\x80\xA8z\\u2028\""));
    ASSERT_EQ(1u, reading.size());
    EXPECT_STREQ("a\xE2\x80\xA8z\xE2\x80\xA8", reading[0].abstract);
}

TEST(JsonLines, NulInsideAString) {
    Reading reading = read_text("{\"id\": \"x\\u0000y\", \"title\": \"S\\u0000p\", \"authors\": [\"A\\u0000\"]}\n");
    ASSERT_EQ(1u, reading.size());
    EXPECT_STREQ("S\xEF\xBF\xBDp", reading[0].title);
    EXPECT_STREQ("x\xEF\xBF\xBDy", reading[0].id);
    EXPECT_EQ(Strings{"A\xEF\xBF\xBD"}, reading.authors(0));
}

TEST(JsonLines, DeepNestingIsSkipped) {
    std::string deep = record("\"x\": " + std::string(200000, '[') + std::string(200000, ']'));
    Reading reading = read_text(record("") + deep + std::string(500000, '{') + "\n" + record(""));
    ASSERT_EQ(PKIN_OK, reading.status);
    EXPECT_EQ(2u, reading.size());
    EXPECT_EQ(2u, pkin_corpus_n_skipped(reading.corpus.get()));
}

TEST(JsonLines, VeryLongLine) {
    std::string text = record("\"summary\": \"" + std::string(5 << 20, 'w') + "\"") + record("");
    Reading reading = read_text(text);
    ASSERT_EQ(2u, reading.size());
    EXPECT_EQ(size_t{5 << 20}, strlen(reading[0].abstract));
    EXPECT_EQ(2u, reading[1].line);
}

TEST(JsonLines, AnyNumberOfThreadsTellsTheSame) {
    /* Several stretches, with faults in all of them. */
    std::string text;
    for (int k = 0; k < 20000; k++) {
        text += "{\"id\": \"x" + std::to_string(k) + "\", \"title\": \"Soup " + std::to_string(k) +
                "\", \"abstract\": \"" + std::string(static_cast<size_t>(k % 400), 'a') + "\"}\n";
        if (k % 97 == 0) text += "{broken " + std::to_string(k) + "\n\n";
        if (k % 131 == 0) text += "{\"id\": " + std::to_string(k) + ", \"title\": \"T\"}\n";
    }
    ASSERT_GT(text.size(), size_t{3 << 20});
    Reading one = read_text(text, PKIN_FORMAT_UNKNOWN, 1);
    ASSERT_EQ(20000u, one.size());
    EXPECT_EQ(207u + 153u, one.told.size());
    for (int n_threads : {0, 2, 3, 8}) {
        Reading many = read_text(text, PKIN_FORMAT_UNKNOWN, n_threads);
        ASSERT_EQ(one.size(), many.size());
        EXPECT_TRUE(one.told == many.told);
        for (uint64_t k = 0; k < one.size(); k++) {
            ASSERT_STREQ(one[k].title, many[k].title);
            ASSERT_EQ(one[k].line, many[k].line);
            ASSERT_EQ(one[k].begin, many[k].begin);
            ASSERT_EQ(one[k].end, many[k].end);
        }
    }
    for (size_t k = 1; k < one.told.size(); k++) ASSERT_LT(one.told[k - 1].line, one.told[k].line);
}

} // namespace
