/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_DIGEST_NAME_H
#define PKIN_STORE_DIGEST_NAME_H

/* What a digest's file name tells: its day, and which other files are forms of the same day. */
#include <stddef.h>

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_DATE_BYTES = 11 }; /* "YYYY-MM-DD" and its NUL */

/* Whether `text` is exactly a day of the Gregorian calendar from 1900 on, written "YYYY-MM-DD". */
int pkin_i_is_date(const char *text);

/*
 * The first YYYY-MM-DD, YYYY_MM_DD, YYYY.MM.DD or YYYYMMDD in `name` that is a calendar day and touches no further
 * digit. 0: there is none.
 */
int pkin_i_date_in_name(const char *name, char date[PKIN_I_DATE_BYTES]);

/*
 * The date in the path's base name, else that of folders and a name like "2026/01/07.jsonl" or "2026/01/07-cs.md".
 * 0: there is none.
 */
int pkin_i_date_in_path(const char *path, char date[PKIN_I_DATE_BYTES]);

/*
 * Today in UTC. SOURCE_DATE_EPOCH (seconds since 1970), where it is set, stands for now, so that runs can be repeated
 * to the byte; a value that is no such number is PKIN_ERROR_INVALID_ARGUMENT.
 */
pkin_status pkin_i_date_today(char date[PKIN_I_DATE_BYTES]);

/*
 * Bytes of the stem: `name` without a chain of the extensions .md .jsonl .json .gz .zst and without "_AI_enhanced_" and
 * what follows. A name that would have no stem is its own.
 */
size_t pkin_i_name_stem(const char *name);

PKIN_EXTERN_C_END

#endif
