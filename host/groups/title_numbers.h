/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_TITLE_NUMBERS_H
#define PKIN_GROUPS_TITLE_NUMBERS_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_MAX_TITLE_NUMBERS 64

/*
 * The numbers in a title, ascending, as many as fit. `all` holds digits wherever they stand ("GPT4", "3D", "30,000"),
 * roman numerals and ordinals; `serial` those of them that count parts, editions or years: roman numerals, ordinals,
 * years, "part two", "v2".
 */
typedef struct pkin_i_title_numbers {
    uint64_t all[PKIN_I_MAX_TITLE_NUMBERS];
    uint64_t serial[PKIN_I_MAX_TITLE_NUMBERS];
    size_t n_all;
    size_t n_serial;
} pkin_i_title_numbers;

/* `title` as pkin_i_normalize_text leaves it: lower case, LaTeX gone, punctuation kept. */
void pkin_i_title_numbers_read(const char *title, size_t n_bytes, pkin_i_title_numbers *out);

int pkin_i_title_numbers_equal(const pkin_i_title_numbers *a, const pkin_i_title_numbers *b);
/* Whether each serial number of one title stands among all numbers of the other: "II" and "2" match. */
int pkin_i_title_serials_matched(const pkin_i_title_numbers *a, const pkin_i_title_numbers *b);

PKIN_EXTERN_C_END

#endif
