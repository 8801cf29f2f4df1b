/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string>

#include "groups/id_days.h"
#include "test_paper.h"

static int days(TestPaper a, TestPaper b) {
    int forth = pkin_i_days_apart(a.view(), b.view());
    EXPECT_EQ(forth, pkin_i_days_apart(b.view(), a.view()));
    return forth;
}

TEST(DaysApart, ComeFromTheIds) {
    EXPECT_EQ(days(TestPaper("2503.12492", "x"), TestPaper("2503.12494", "y")), 0);
    EXPECT_NEAR(days(TestPaper("2412.00001", "x"), TestPaper("2501.00001", "y")), 30, 1);
    EXPECT_NEAR(days(TestPaper("2403.10000", "x"), TestPaper("2503.10000", "y")), 365, 10);
    EXPECT_NEAR(days(TestPaper("hep-th/9901001", "x"), TestPaper("hep-th/0001001", "y")), 365, 2);
    EXPECT_NEAR(days(TestPaper("0704.0001", "x"), TestPaper("0705.0001", "y")), 30, 1);
    EXPECT_LE(days(TestPaper("2503.00001", "x"), TestPaper("2503.99999", "y")), 31) << "a month at most";
}

TEST(DaysApart, ComeFromTheDatesWhereAnIdTellsNone) {
    TestPaper a("2501.00001", "x"), b("2501.00001", "y");
    b.key = "doi:10.1000/boat";
    EXPECT_EQ(days(a, b), -1);
    a.date = "2024-02-28";
    b.date = "2025-03-01";
    EXPECT_EQ(days(a, b), 367);
    b.date = "2025-13-01";
    EXPECT_EQ(days(a, b), -1);
}

TEST(DaysApart, AreUnknownForDamagedIds) {
    for (const char *key : {"arxiv:", "arxiv:25", "arxiv:2513.00001", "arxiv:2500.00001", "arxiv:2503.12", "arxiv:x/25",
                            "arxiv:hep-th/99", "arxiv:/", ""}) {
        TestPaper a("2501.00001", "x"), b("2501.00001", "y");
        b.key = key;
        EXPECT_EQ(days(a, b), -1) << key;
    }
}

static std::string id_day(const char *key) {
    char day[11] = "";
    return pkin_i_id_day(key, day) ? day : std::string("none") + day;
}

TEST(IdDay, IsTheDayByTheRunningNumber) {
    EXPECT_EQ(id_day("arxiv:2512.00001"), "2025-12-01");
    EXPECT_EQ(id_day("arxiv:2512.13000"), "2025-12-16") << "half of 26,000";
    EXPECT_EQ(id_day("arxiv:2601.29999"), "2026-01-31") << "30,000 a month";
    EXPECT_EQ(id_day("arxiv:2602.99999"), "2026-02-28") << "never beyond the month";
    EXPECT_EQ(id_day("arxiv:0704.0001"), "2007-04-01");
    EXPECT_EQ(id_day("arxiv:hep-th/9912999"), "1999-12-01") << "old numbers count by archive";
    for (const char *key : {"doi:10.1000/x", "arxiv:2513.00001", "arxiv:", "arxiv:25", "title:a|b", ""}) {
        EXPECT_EQ(id_day(key), "none") << key;
    }
}
