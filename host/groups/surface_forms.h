/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_SURFACE_FORMS_H
#define PKIN_GROUPS_SURFACE_FORMS_H

#include "groups/label_terms.h"

PKIN_EXTERN_C_BEGIN

/* Memory that is used again from label to label. Zero-initialise; one for each thread. */
typedef struct pkin_i_surface_scratch {
    pkin_i_label_scanner scanner;
    pkin_i_buffer bytes;
    struct pkin_i_surface_form *forms;
    size_t n_forms, capacity;
} pkin_i_surface_scratch;

void pkin_i_surface_scratch_free(pkin_i_surface_scratch *scratch);

/*
 * How papers write a term: of its spellings ("multi-agent", "multi agent", plural) the most frequent in the texts of
 * papers[members[0 .. n_members)], and of that the most frequent case. Places that take capitals whatever the word
 * (titles, the first word of a sentence, a name that is spelled out before its acronym in parentheses) count a quarter.
 * Ties by bytes. Where the papers do not agree on capitals ("Spiking Neural Networks", "spiking neural networks"), or
 * there is nothing but titles to learn from, words that papers in general begin with a small letter get one: "Fourier
 * neural operator". Appends it to `out`; nothing where no paper has the term.
 */
pkin_status pkin_i_surface_form_find(const pkin_i_label_texts *texts, const pkin_paper *const *papers,
                                     const uint32_t *members, uint64_t n_members, const pkin_i_term *term,
                                     pkin_i_surface_scratch *scratch, pkin_i_buffer *out);

PKIN_EXTERN_C_END

#endif
