/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_CALENDAR_H
#define PKIN_BASE_CALENDAR_H

#include <stdbool.h>

#include "paperkin/version.h"

PKIN_EXTERN_C_BEGIN

/*
 * Whether the ten characters at `text` are "YYYY-MM-DD" and name a day of the Gregorian calendar, year 1 or later. What
 * comes after them is not looked at; a string that ends within them is no day.
 */
bool pkin_i_is_calendar_day(const char *text);

PKIN_EXTERN_C_END

#endif
