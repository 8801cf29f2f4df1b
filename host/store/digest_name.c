/* SPDX-License-Identifier: Apache-2.0 */
#include "store/digest_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/failure.h"

/* ASCII alone: the C library's isdigit may follow the locale. */
static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int all_digits(const char *text, size_t n) {
    for (size_t k = 0; k < n; k++) {
        if (!is_digit(text[k])) return 0;
    }
    return 1;
}

static unsigned number(const char *digits, size_t n) {
    unsigned value = 0;
    for (size_t k = 0; k < n; k++) value = value * 10 + (unsigned)(digits[k] - '0');
    return value;
}

static int is_calendar_day(unsigned year, unsigned month, unsigned day) {
    static const unsigned days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1900 || month < 1 || month > 12 || day < 1) return 0;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Bytes of a day that `text` starts with, written either way and followed by no digit; 0: none. */
static size_t day_at(const char *text, char date[PKIN_I_DATE_BYTES]) {
    size_t n = strlen(text);
    size_t taken, month_at, day_at_byte;
    if (n >= 10 && all_digits(text, 4) && text[4] == '-' && all_digits(text + 5, 2) && text[7] == '-' &&
        all_digits(text + 8, 2)) {
        taken = 10, month_at = 5, day_at_byte = 8;
    } else if (n >= 8 && all_digits(text, 8)) {
        taken = 8, month_at = 4, day_at_byte = 6;
    } else {
        return 0;
    }
    unsigned year = number(text, 4), month = number(text + month_at, 2), day = number(text + day_at_byte, 2);
    if (is_digit(text[taken]) || !is_calendar_day(year, month, day)) return 0;
    snprintf(date, PKIN_I_DATE_BYTES, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
    return taken;
}

int pkin_i_is_date(const char *text) {
    char date[PKIN_I_DATE_BYTES];
    return strlen(text) == 10 && day_at(text, date) == 10;
}

int pkin_i_date_in_name(const char *name, char date[PKIN_I_DATE_BYTES]) {
    for (const char *p = name; *p; p++) {
        if (p > name && is_digit(p[-1])) continue;
        if (day_at(p, date)) return 1;
    }
    return 0;
}

pkin_status pkin_i_date_today(char date[PKIN_I_DATE_BYTES]) {
    time_t now = time(NULL);
    const char *given = getenv("SOURCE_DATE_EPOCH");
    if (given && *given) {
        char *end = NULL;
        errno = 0;
        long long seconds = strtoll(given, &end, 10);
        if (errno || *end || !is_digit(given[0])) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "SOURCE_DATE_EPOCH is \"%.40s\": expected seconds since 1970; correct or unset it",
                               given);
        }
        now = (time_t)seconds;
    }
    struct tm day;
    /* Beyond the year 9999 a date would no longer sort as text. */
    if (!gmtime_r(&now, &day) || day.tm_year + 1900 > 9999 || day.tm_year < 0) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "the current time is no date that can be written YYYY-MM-DD; "
                                                        "set the clock or SOURCE_DATE_EPOCH");
    }
    strftime(date, PKIN_I_DATE_BYTES, "%Y-%m-%d", &day);
    return PKIN_OK;
}

/* Bytes of `name` without one known extension at its end. */
static size_t without_extension(const char *name, size_t n) {
    static const char *const extensions[] = {".md", ".jsonl", ".json", ".gz", ".zst"};
    for (size_t k = 0; k < sizeof extensions / sizeof *extensions; k++) {
        size_t length = strlen(extensions[k]);
        if (n >= length && strncasecmp(name + n - length, extensions[k], length) == 0) return n - length;
    }
    return n;
}

size_t pkin_i_name_stem(const char *name) {
    size_t n = strlen(name), shorter;
    while ((shorter = without_extension(name, n)) < n) n = shorter;
    const char *enhanced = strstr(name, "_AI_enhanced_");
    if (enhanced && (size_t)(enhanced - name) < n) n = (size_t)(enhanced - name);
    return n ? n : strlen(name);
}
