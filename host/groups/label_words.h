/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LABEL_WORDS_H
#define PKIN_GROUPS_LABEL_WORDS_H

#include <stddef.h>

#include "paperkin/version.h"

PKIN_EXTERN_C_BEGIN

/* What a folded word may do in a label. The lists are English and Chinese. */
typedef enum pkin_i_label_class {
    PKIN_I_LABEL_SUBJECT = 0, /* may be a label by itself */
    PKIN_I_LABEL_GENERIC,     /* "method", "analysis", "3": only beside a subject word */
    PKIN_I_LABEL_EDGE,        /* "based", "driven", and words of one letter: as generic, and may end no phrase */
    PKIN_I_LABEL_INNER,       /* "of", "to": only between two other words */
    PKIN_I_LABEL_EMPTY        /* stop words and "propose", "novel": no phrase holds one, unless a hyphen joins it */
} pkin_i_label_class;

pkin_i_label_class pkin_i_label_classify(const char *word, size_t n_bytes);

/*
 * The singular that an English word may be the plural of ("agents", "policies", "boxes"), written to `out`, which has
 * room for n_bytes + 1. Returns its length, 0 where the word is no plural. `attempt` counts from 0: "es" may be one
 * letter or two; 0 ends the attempts.
 */
size_t pkin_i_label_singular(const char *word, size_t n_bytes, int attempt, char *out);

/* For tests: list number `index` from 0 with its length; NULL behind the last. Each is in byte order. */
const char *const *pkin_i_label_word_list(size_t index, size_t *n);

PKIN_EXTERN_C_END

#endif
