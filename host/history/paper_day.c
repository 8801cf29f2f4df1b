/* SPDX-License-Identifier: Apache-2.0 */
#include "history/paper_day.h"

#include <string.h>

#include "base/calendar.h"
#include "groups/id_days.h"

static bool is_day(const char *text) {
    return pkin_i_is_calendar_day(text) && text[10] == '\0';
}

/* Months since year 0 of a day. */
static int month_number(const char *day) {
    int year = (day[0] - '0') * 1000 + (day[1] - '0') * 100 + (day[2] - '0') * 10 + (day[3] - '0');
    return year * 12 + (day[5] - '0') * 10 + (day[6] - '0') - 1;
}

/* The paper's own date, else its arXiv id's; false where neither tells one. */
static bool own_day(const pkin_i_first_seen *seen, char day[11]) {
    if (!is_day(seen->own_date)) return pkin_i_id_day(seen->key, day);
    memcpy(day, seen->own_date, 11);
    return true;
}

void pkin_i_paper_day(const pkin_i_first_seen *seen, char day[11]) {
    char own[11] = "";
    bool was_listed_first = strcmp(seen->first_date, seen->listed_date) == 0;
    memcpy(day, is_day(seen->first_date) ? seen->first_date : "", is_day(seen->first_date) ? 11 : 1);
    if (!own_day(seen, own)) return;
    /* A digest lists what is new, whatever small difference its dates have; a corpus is read in when it suits. */
    bool is_history = *day && (was_listed_first ? month_number(day) - month_number(own) >= 2 : strcmp(own, day) < 0);
    if (!*day || is_history) memcpy(day, own, sizeof own);
}
