/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_NORMALIZER_H
#define PKIN_TEXT_NORMALIZER_H

#include <unicode/utypes.h>

#include "text/normalize.h"

PKIN_EXTERN_C_BEGIN

/* Scratch memory that is used again from text to text. Zero-initialise; one for each thread. */
typedef struct pkin_i_normalizer {
    pkin_i_buffer stripped; /* without LaTeX */
    pkin_i_buffer folded;   /* NFKC, case folded */
    UChar *wide;            /* the same two as UTF-16 */
    size_t wide_capacity;
    UChar *wide_folded;
    size_t wide_folded_capacity;
} pkin_i_normalizer;

void pkin_i_normalizer_free(pkin_i_normalizer *normalizer);

/* As pkin_i_normalize_text; with `drop_links`, web addresses become a gap. */
pkin_status pkin_i_normalizer_run(pkin_i_normalizer *normalizer, const char *text, size_t n_bytes, int drop_links,
                                  pkin_i_buffer *out);

/* What a text holds, from one fast look at its bytes. */
typedef struct pkin_i_text_traits {
    int is_ascii;
    int has_latex; /* one of \ $ { } ^ _ ~ */
    int has_link;
} pkin_i_text_traits;

pkin_i_text_traits pkin_i_text_look(const char *text, size_t n_bytes);
int pkin_i_is_ascii(const char *text, size_t n_bytes);

/* UTF-8 to UTF-16 in a buffer that grows; what is invalid becomes U+FFFD. */
pkin_status pkin_i_utf8_to_wide(const char *text, size_t n_bytes, UChar **wide, size_t *capacity, int32_t *length);

/* Text written for ICU's failures; `what` names the service. */
pkin_status pkin_i_icu_failure(UErrorCode code, const char *what);

PKIN_EXTERN_C_END

#endif
