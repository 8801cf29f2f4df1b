/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_PHRASES_H
#define PKIN_DIGEST_PHRASES_H

#include "base/buffer.h"
#include "paperkin/groups.h"

PKIN_EXTERN_C_BEGIN

/* What a block says in words. Titles, names and terms are never translated. */
typedef enum pkin_i_phrase {
    PKIN_I_PHRASE_SEEN_BEFORE = 0,
    PKIN_I_PHRASE_TIMES,
    PKIN_I_PHRASE_NEW_VERSION,
    PKIN_I_PHRASE_FIRST_SEEN,
    PKIN_I_PHRASE_LISTED_ABOVE,
    PKIN_I_PHRASE_ENTRY,
    PKIN_I_PHRASE_SAME_WORK,
    PKIN_I_PHRASE_PROBABLY_SAME,
    PKIN_I_PHRASE_SERIES_PART,
    PKIN_I_PHRASE_SISTER,
    PKIN_I_PHRASE_MORE,
    PKIN_I_PHRASE_SHARED_TERMS,
    PKIN_I_PHRASE_RELATED,
    PKIN_I_PHRASE_LATER,
    PKIN_I_PHRASE_THREAD,
    PKIN_I_PHRASE_PAPER,
    PKIN_I_PHRASE_PAPERS,
    PKIN_I_PHRASE_SINCE,
    PKIN_I_PHRASE_DAYS,
    PKIN_I_PHRASE_WEEKS,
    PKIN_I_PHRASE_MONTHS,
    PKIN_I_PHRASE_ENDED,
    PKIN_I_PHRASE_NEW_TODAY,
    PKIN_I_PHRASE_NOVELTY,
    PKIN_I_PHRASE_NEAREST,
    PKIN_I_PHRASE_THREADS_TODAY,
    PKIN_I_PHRASE_FIELDS,
    PKIN_I_PHRASE_TODAY,
    PKIN_I_PHRASE_MORE_HERE,
    PKIN_I_PHRASE_MORE_THREADS,
    PKIN_I_PHRASE_NO_THREAD,
    PKIN_I_N_PHRASES
} pkin_i_phrase;

/* Static storage; "" out of range. */
const char *pkin_i_phrase_text(pkin_i_phrase phrase, pkin_language language);

/* How a verdict with a place of its own is introduced; PKIN_I_N_PHRASES for verdicts that get no line. */
pkin_i_phrase pkin_i_verdict_phrase(pkin_verdict verdict);

/* Appends the phrase in the languages asked for (PKIN_LANGUAGES_*), English first, `between` standing between two. */
pkin_status pkin_i_phrase_append(pkin_i_buffer *out, pkin_i_phrase phrase, int languages, const char *between);

/* The reason of a judgement in one or two languages. */
pkin_status pkin_i_reason_append(pkin_i_buffer *out, const pkin_judgement *judgement, int languages);

PKIN_EXTERN_C_END

#endif
