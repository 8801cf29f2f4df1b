/* SPDX-License-Identifier: Apache-2.0 */
#include "store/digest_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ascii.h"
#include "base/calendar.h"
#include "base/failure.h"
#include "base/file.h"

static int all_digits(const char *text, size_t n) {
    for (size_t k = 0; k < n; k++) {
        if (!pkin_i_ascii_is_digit(text[k])) return 0;
    }
    return 1;
}

/* Bytes of a day from 1900 on that `text` starts with, written any way and followed by no digit; 0: none. */
static size_t day_at(const char *text, char date[PKIN_I_DATE_BYTES]) {
    char day[PKIN_I_DATE_BYTES] = "";
    size_t taken = all_digits(text, 8) ? 8 : 10;
    if (taken == 8) {
        snprintf(day, sizeof day, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    } else {
        snprintf(day, sizeof day, "%.10s", text);
        if (day[4] == day[7] && (day[4] == '_' || day[4] == '.')) day[4] = day[7] = '-';
    }
    if (!pkin_i_is_calendar_day(day) || strcmp(day, "1900") < 0 || pkin_i_ascii_is_digit(text[taken])) return 0;
    memcpy(date, day, sizeof day);
    return taken;
}

int pkin_i_is_date(const char *text) {
    char date[PKIN_I_DATE_BYTES];
    return strlen(text) == 10 && text[4] == '-' && day_at(text, date) == 10;
}

int pkin_i_date_in_name(const char *name, char date[PKIN_I_DATE_BYTES]) {
    for (const char *p = name; *p; p++) {
        if (p > name && pkin_i_ascii_is_digit(p[-1])) continue;
        if (day_at(p, date)) return 1;
    }
    return 0;
}

int pkin_i_date_in_path(const char *path, char date[PKIN_I_DATE_BYTES]) {
    enum { FOLDERS_BYTES = 8 }; /* "YYYY/MM/" */
    const char *name = pkin_i_base_name(path);
    char day[PKIN_I_DATE_BYTES];
    if (pkin_i_date_in_name(name, date)) return 1;
    if (name - path < FOLDERS_BYTES || !all_digits(name, 2) || !strchr(".-_", name[2])) return 0;
    const char *folders = name - FOLDERS_BYTES;
    if ((folders > path && folders[-1] != '/') || folders[4] != '/' || folders[7] != '/') return 0;
    snprintf(day, sizeof day, "%.4s-%.2s-%.2s", folders, folders + 5, name);
    return day_at(day, date) == 10;
}

pkin_status pkin_i_date_today(char date[PKIN_I_DATE_BYTES]) {
    time_t now = time(NULL);
    const char *given = getenv("SOURCE_DATE_EPOCH");
    if (given && *given) {
        char *end = NULL;
        errno = 0;
        long long seconds = strtoll(given, &end, 10);
        if (errno || *end || !pkin_i_ascii_is_digit(given[0])) {
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
        if (n >= length && pkin_i_ascii_equal_ignoring_case(name + n - length, extensions[k], length))
            return n - length;
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
