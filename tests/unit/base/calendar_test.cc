/* SPDX-License-Identifier: Apache-2.0 */
#include "base/calendar.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

TEST(Calendar, KnowsDays) {
    for (const char *day :
         {"2026-01-16", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2026-03-03T10:00:00"}) {
        EXPECT_TRUE(pkin_i_is_calendar_day(day)) << day;
    }
    for (const char *text :
         {"",           "2",          "2026",       "2026-",       "2026-0",     "2026-01-",   "2026-01-1",
          "2026-99-77", "2026-02-29", "1900-02-29", "2026-00-10",  "2026-13-01", "2026-01-00", "2026-04-31",
          "0000-01-01", "2026/01/16", "20260116",   " 2026-01-16", "2026-1-16",  "-026-01-16", "2026-01--1"}) {
        EXPECT_FALSE(pkin_i_is_calendar_day(text)) << text;
    }
}

/* Against the C library: a day that mktime does not move to another one exists. */
TEST(Calendar, AgreesWithTheCLibrary) {
    for (int year = 1896; year <= 2104; year++) {
        for (int month = 0; month <= 13; month++) {
            for (int day = 0; day <= 32; day++) {
                char text[32];
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                std::tm tm = {};
                tm.tm_year = year - 1900, tm.tm_mon = month - 1, tm.tm_mday = day;
                bool exists = timegm(&tm) != -1 || (year == 1969 && month == 12 && day == 31);
                exists = exists && tm.tm_year == year - 1900 && tm.tm_mon == month - 1 && tm.tm_mday == day;
                ASSERT_EQ(pkin_i_is_calendar_day(text), exists) << text;
            }
        }
    }
}

/* Every day of 2,000 years, one after the other. */
TEST(Calendar, NumbersDays) {
    EXPECT_EQ(pkin_i_day_number("1970-01-01"), 0);
    EXPECT_EQ(pkin_i_day_number("2026-03-01"), 20513);
    int32_t number = pkin_i_day_number("1000-01-01");
    for (int year = 1000; year < 3000; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                char text[32], back[11];
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                if (!pkin_i_is_calendar_day(text)) continue;
                ASSERT_EQ(pkin_i_day_number(text), number) << text;
                pkin_i_day_text(number++, back);
                ASSERT_STREQ(back, text);
            }
        }
    }
}
