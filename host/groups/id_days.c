/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/id_days.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_DAY (-1L)
#define DAYS_OF_MONTH 30.44 /* mean */

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The number in exactly `n` digits, -1 where one of them is none. */
static long digits(const char *text, int n) {
    long value = 0;
    for (int i = 0; i < n; i++) {
        if (!is_digit(text[i])) return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Submissions a month, roughly, so that a running number tells the day: arXiv's monthly statistics, by half decades. */
static double submissions_a_month(long year) {
    if (year < 2010) return 5500;
    if (year < 2015) return 8000;
    if (year < 2018) return 10500;
    if (year < 2021) return 14500;
    if (year < 2024) return 18000;
    if (year < 2026) return 26000;
    return 30000;
}

/* Days since year 0 of an estimated month, all months alike: fit for differences of weeks and more. */
static long day_of_month(long year, long month, double share) {
    return (long)(((double)year * 12 + (double)(month - 1) + (share < 1 ? share : 1)) * DAYS_OF_MONTH);
}

/* What an arXiv id tells of the day: its month, and which share of it had gone by. */
typedef struct id_month {
    long year, month;
    double share; /* by the running number, may exceed 1; -1: an old-style id, whose number counts by archive */
} id_month;

/* "2512.11762" (number of four or five digits) or "hep-th/9901001"; `text` behind "arxiv:". */
static bool month_of_arxiv_id(const char *text, id_month *out) {
    const char *slash = strchr(text, '/');
    const char *start = slash ? slash + 1 : text;
    long yymm = digits(start, 4);
    if (yymm < 0) return false;
    out->year = yymm / 100 + (yymm / 100 >= 91 ? 1900 : 2000);
    out->month = yymm % 100;
    out->share = -1;
    if (out->month < 1 || out->month > 12) return false;
    if (slash) return digits(start + 4, 3) >= 0;
    if (start[4] != '.') return false;
    long number = digits(start + 5, 5);
    if (number < 0) number = digits(start + 5, 4);
    out->share = (double)number / submissions_a_month(out->year);
    return number >= 0;
}

/* Days since 1970 of a proleptic Gregorian "YYYY-MM-DD". Source: Howard Hinnant, "chrono-compatible date algorithms".
 */
static long day_of_date(const char *date) {
    if (strlen(date) < 10 || date[4] != '-' || date[7] != '-') return UNKNOWN_DAY;
    long year = digits(date, 4), month = digits(date + 5, 2), day = digits(date + 8, 2);
    if (year < 1900 || month < 1 || month > 12 || day < 1 || day > 31) return UNKNOWN_DAY;
    year -= month <= 2;
    long year_of_era = year % 400, day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return year / 400 * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
}

static bool month_of_key(const char *key, id_month *out) {
    static const char scheme[] = "arxiv:";
    return strncmp(key, scheme, sizeof scheme - 1) == 0 && month_of_arxiv_id(key + sizeof scheme - 1, out);
}

static long day_of_key(const pkin_paper *paper) {
    id_month id;
    if (!month_of_key(paper->key, &id)) return UNKNOWN_DAY;
    return day_of_month(id.year, id.month, id.share < 0 ? 0.5 : id.share);
}

bool pkin_i_id_day(const char *key, char day[11]) {
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}; /* a leap day counts little */
    id_month id;
    if (!month_of_key(key, &id)) return false;
    int length = lengths[id.month - 1], at = id.share < 0 ? 0 : id.share < 1 ? (int)(id.share * length) : length - 1;
    char text[48];
    snprintf(text, sizeof text, "%04ld-%02ld-%02d", id.year, id.month, at + 1);
    memcpy(day, text, 11);
    day[10] = '\0';
    return true;
}

int pkin_i_days_apart(const pkin_paper *a, const pkin_paper *b) {
    long from = day_of_key(a), to = day_of_key(b);
    if (from < 0 || to < 0) {
        from = day_of_date(a->date);
        to = day_of_date(b->date);
    }
    return from < 0 || to < 0 ? -1 : (int)labs(to - from);
}
