/* SPDX-License-Identifier: Apache-2.0 */
#include "store/digest_name.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <string>

namespace {

std::string date_in(const std::string &name) {
    char date[PKIN_I_DATE_BYTES] = "";
    return pkin_i_date_in_name(name.c_str(), date) ? date : "";
}

std::string stem_of(const std::string &name) {
    return name.substr(0, pkin_i_name_stem(name.c_str()));
}

TEST(DigestName, FindsTheDate) {
    EXPECT_EQ(date_in("2026-01-16.md"), "2026-01-16");
    EXPECT_EQ(date_in("2026-01-16_AI_enhanced_Chinese.jsonl"), "2026-01-16");
    EXPECT_EQ(date_in("digest-20260116.jsonl.gz"), "2026-01-16");
    EXPECT_EQ(date_in("20260116"), "2026-01-16");
    EXPECT_EQ(date_in("2026_01_16.jsonl"), "2026-01-16");
    EXPECT_EQ(date_in("cs_2026_01_16_AI_enhanced_Chinese.jsonl"), "2026-01-16");
    EXPECT_EQ(date_in("2026.01.16.md"), "2026-01-16");
    EXPECT_EQ(date_in("from 2026-02-30 to 2026-03-01"), "2026-03-01");
    EXPECT_EQ(date_in("2024-02-29"), "2024-02-29");
    EXPECT_EQ(date_in("2000-02-29"), "2000-02-29");
}

TEST(DigestName, RefusesWhatIsNoDate) {
    for (const char *name :
         {"",           "-",          "today.md",    "2026-13-01.md", "2026-00-10.md", "2026-02-29.md", "2100-02-29",
          "2026-01-00", "2026-01-32", "2026-1-1",    "12026-01-16",   "2026-01-161",   "120260116",     "202601161",
          "20261301",   "1899-12-31", "0000-00-00",  "2026-01",       "2026-01-1",     "2512.11762",    "2026_02_30",
          "2026.01_16", "2026_01-16", "12026_01_16", "2026.01.161",   "2026/01/16"}) {
        EXPECT_EQ(date_in(name), "") << name;
    }
}

TEST(DigestName, FoldersTellTheDateWhereTheNameDoesNot) {
    auto in_path = [](const char *path) {
        char date[PKIN_I_DATE_BYTES] = "";
        return std::string(pkin_i_date_in_path(path, date) ? date : "");
    };
    for (const char *path : {"2026/01/07.jsonl", "dd/2026/01/07.jsonl.gz", "/2026/01/07", "a/2026/01/07-cs.md",
                             "2026/01/07_AI_enhanced_Chinese.jsonl", "2025/01/09/2026-01-07.md"}) {
        EXPECT_EQ(in_path(path), "2026-01-07") << path;
    }
    for (const char *path :
         {"", "-", "07.jsonl", "01/07.jsonl", "12026/01/07.jsonl", "x2026/01/07.jsonl", "2026/13/07.jsonl",
          "2026/02/30.md", "2026/01/071.md", "2026/01/07papers.md", "2026/01/7.md", "2026/01/", "2026/01/07/digest.md",
          "2026-01/07.md", "2026-01-07/digest.md", "1899/01/07"}) {
        EXPECT_EQ(in_path(path), "") << path;
    }
}

TEST(DigestName, GivenDatesAreExact) {
    EXPECT_TRUE(pkin_i_is_date("2026-01-16"));
    for (const char *date : {"", "20260116", "2026-01-16 ", " 2026-01-16", "2026-01-1", "2026-02-31", "2026/01/16",
                             "2026_01_16", "2026.01.16"}) {
        EXPECT_FALSE(pkin_i_is_date(date)) << date;
    }
}

TEST(DigestName, Stems) {
    EXPECT_EQ(stem_of("2026-01-16.md"), "2026-01-16");
    EXPECT_EQ(stem_of("2026-01-16.jsonl"), "2026-01-16");
    EXPECT_EQ(stem_of("2026-01-16.jsonl.zst"), "2026-01-16");
    EXPECT_EQ(stem_of("2026-01-16.MD.gz"), "2026-01-16");
    EXPECT_EQ(stem_of("2026-01-16_AI_enhanced_Chinese.jsonl"), "2026-01-16");
    EXPECT_EQ(stem_of("2026-01-16_AI_enhanced_English.jsonl.gz"), "2026-01-16");
    EXPECT_EQ(stem_of("a.b.md"), "a.b");
    EXPECT_EQ(stem_of("notes.md.backup"), "notes.md.backup");
    EXPECT_EQ(stem_of("plain"), "plain");
    EXPECT_EQ(stem_of("-"), "-");
    EXPECT_EQ(stem_of(".md"), ".md");
    EXPECT_EQ(stem_of("_AI_enhanced_Chinese.jsonl"), "_AI_enhanced_Chinese.jsonl");
}

TEST(DigestName, StemsOfAnyNameAreItsBeginning) {
    EXPECT_TRUE(rc::check("a stem is a beginning that no extension changes", [](const std::string &any) {
        std::string name = any.substr(0, any.find('\0'));
        std::string stem = stem_of(name);
        RC_ASSERT(name.compare(0, stem.size(), stem) == 0);
        RC_ASSERT(stem.empty() == name.empty());
        if (stem != name || name.empty()) return;
        RC_ASSERT(stem_of(name + ".jsonl.gz") == name);
    }));
}

TEST(DigestName, TodayFollowsTheGivenClock) {
    char date[PKIN_I_DATE_BYTES] = "";
    setenv("SOURCE_DATE_EPOCH", "1768521600", 1);
    EXPECT_EQ(pkin_i_date_today(date), PKIN_OK);
    EXPECT_STREQ(date, "2026-01-16");
    setenv("SOURCE_DATE_EPOCH", "1768521599", 1);
    EXPECT_EQ(pkin_i_date_today(date), PKIN_OK);
    EXPECT_STREQ(date, "2026-01-15");
    for (const char *bad : {"soon", "-5", "12x", "99999999999999999999999", "999999999999999"}) {
        setenv("SOURCE_DATE_EPOCH", bad, 1);
        EXPECT_EQ(pkin_i_date_today(date), PKIN_ERROR_INVALID_ARGUMENT) << bad;
    }
    unsetenv("SOURCE_DATE_EPOCH");
    EXPECT_EQ(pkin_i_date_today(date), PKIN_OK);
    EXPECT_TRUE(pkin_i_is_date(date));
}

} // namespace
