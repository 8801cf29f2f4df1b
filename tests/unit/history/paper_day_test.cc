/* SPDX-License-Identifier: Apache-2.0 */
#include "history/paper_day.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string day(const char *key, const char *own, const char *first, const char *listed) {
    pkin_i_first_seen seen = {1, key, own, first, listed};
    char out[11] = "??????????";
    pkin_i_paper_day(&seen, out);
    return out;
}

TEST(PaperDay, IsWhenADigestFirstListedIt) {
    EXPECT_EQ(day("arxiv:2601.00001", "", "2026-01-05", "2026-01-05"), "2026-01-05");
    EXPECT_EQ(day("doi:10.1000/x", "", "2026-01-05", "2026-01-05"), "2026-01-05");
    EXPECT_EQ(day("arxiv:2512.00001", "", "2026-01-05", "2026-01-05"), "2026-01-05") << "a month before is no history";
    EXPECT_EQ(day("arxiv:2601.00001", "2025-12-01", "2026-01-05", "2026-01-05"), "2026-01-05");
    EXPECT_EQ(day("arxiv:2602.00001", "", "2026-01-05", "2026-01-05"), "2026-01-05") << "never later";
}

TEST(PaperDay, IsItsOwnTwoMonthsBefore) {
    EXPECT_EQ(day("arxiv:2511.00001", "", "2026-01-05", "2026-01-05"), "2025-11-01");
    EXPECT_EQ(day("doi:10.1000/x", "2025-11-30", "2026-01-05", "2026-01-05"), "2025-11-30");
    EXPECT_EQ(day("arxiv:2511.00001", "2025-11-17", "2026-01-05", "2026-01-05"), "2025-11-17")
        << "its date before its id";
    EXPECT_EQ(day("arxiv:hep-th/9901005", "", "2026-01-05", "2026-01-05"), "1999-01-01");
    EXPECT_EQ(day("arxiv:2511.00001", "2025-11", "2026-01-05", "2026-01-05"), "2025-11-01") << "no whole date";
}

TEST(PaperDay, IsItsOwnWhereACorpusHadItFirst) {
    EXPECT_EQ(day("arxiv:2601.15000", "", "2026-02-05", ""), "2026-01-16");
    EXPECT_EQ(day("arxiv:2601.15000", "2026-01-20", "2026-02-05", "2026-02-07"), "2026-01-20");
    EXPECT_EQ(day("arxiv:2603.15000", "", "2026-02-05", ""), "2026-02-05") << "never later";
    EXPECT_EQ(day("doi:10.1000/x", "", "2026-02-05", ""), "2026-02-05");
}

TEST(PaperDay, MayBeUnknown) {
    EXPECT_EQ(day("doi:10.1000/x", "", "", ""), "");
    EXPECT_EQ(day("doi:10.1000/x", "2026-02-30", "", ""), "");
    EXPECT_EQ(day("arxiv:2601.00001", "", "", ""), "2026-01-01");
}

} // namespace
