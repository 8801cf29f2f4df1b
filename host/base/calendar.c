/* SPDX-License-Identifier: Apache-2.0 */
#include "base/calendar.h"

#include "base/ascii.h"

/* The number that `n` digits spell; -1: one of them is no digit. */
static int number(const char *text, int n) {
    int value = 0;
    for (int k = 0; k < n; k++) {
        if (!pkin_i_ascii_is_digit(text[k])) return -1;
        value = value * 10 + (text[k] - '0');
    }
    return value;
}

bool pkin_i_is_calendar_day(const char *text) {
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    /* In reading order, so that nothing behind a NUL is read. */
    int year = number(text, 4);
    if (year < 1 || text[4] != '-') return false;
    int month = number(text + 5, 2);
    if (month < 1 || month > 12 || text[7] != '-') return false;
    int day = number(text + 8, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}
