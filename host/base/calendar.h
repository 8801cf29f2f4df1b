/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_CALENDAR_H
#define PKIN_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "paperkin/version.h"

PKIN_EXTERN_C_BEGIN

/*
 * Whether the ten characters at `text` are "YYYY-MM-DD" and name a day of the Gregorian calendar, year 1 or later. What
 * comes after them is not looked at; a string that ends within them is no day.
 */
bool pkin_i_is_calendar_day(const char *text);

/* Days since 1970-01-01 of a calendar day, proleptic Gregorian; the text must be one (pkin_i_is_calendar_day). */
int32_t pkin_i_day_number(const char *day);

/* The other way, "YYYY-MM-DD" and a NUL; for years 1 to 9999. */
void pkin_i_day_text(int32_t number_of_day, char out[11]);

PKIN_EXTERN_C_END

#endif
