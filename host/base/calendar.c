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

/* Years begin in March here, so that the day which leap years add comes last. 400 years have 146,097 days, and 719,468
   days lie between the first of March of year 0 and 1970. */
int32_t pkin_i_day_number(const char *day) {
    int32_t month = (int32_t)(number(day + 5, 2) + 9) % 12, year = (int32_t)number(day, 4) - (month > 9 ? 1 : 0);
    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + (int32_t)number(day + 8, 2) - 1 -
           719468;
}

static void put_digits(char *out, int n, int32_t value) {
    for (int k = n - 1; k >= 0; k--, value /= 10) out[k] = (char)('0' + value % 10);
}

void pkin_i_day_text(int32_t number_of_day, char out[11]) {
    int32_t days = number_of_day + 719468, year = (int32_t)(((int64_t)days * 10000 + 14780) / 3652425);
    int32_t rest = days - (year * 365 + year / 4 - year / 100 + year / 400);
    if (rest < 0) {
        year--;
        rest = days - (year * 365 + year / 4 - year / 100 + year / 400);
    }
    int32_t month = (rest * 100 + 52) / 3060; /* from March on */
    put_digits(out, 4, year + (month + 2) / 12);
    put_digits(out + 5, 2, (month + 2) % 12 + 1);
    put_digits(out + 8, 2, rest - (month * 306 + 5) / 10 + 1);
    out[4] = out[7] = '-';
    out[10] = '\0';
}
