/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LABEL_TEXTS_H
#define PKIN_GROUPS_LABEL_TEXTS_H

#include "base/memory.h"
#include "groups/label_scan.h"
#include "groups/label_words.h"
#include "paperkin/corpus.h"
#include "text/vocabulary.h"

PKIN_EXTERN_C_BEGIN

typedef enum pkin_i_label_language { PKIN_I_LABEL_ENGLISH = 0, PKIN_I_LABEL_CHINESE } pkin_i_label_language;

enum { PKIN_I_LABEL_N_TEXTS = 3 }; /* of a paper: title, abstract, summary */

/*
 * The text of a paper that speaks for a language, or NULL: in Chinese every text that is Chinese; else title and
 * abstract that are not, and the summary only where it has to stand in for the abstract.
 */
const char *pkin_i_label_text(const pkin_paper *paper, pkin_i_label_language language, int which);

/*
 * Papers as words, in which plurals are the same as their singulars where the papers have both. Text `which` of paper
 * p has tokens [offsets[3 p + which], offsets[3 p + which + 1]): token k is the text's word k of pkin_i_label_scan.
 */
typedef struct pkin_i_label_texts {
    pkin_i_label_language language;
    uint64_t n_papers;
    uint64_t *offsets; /* 3 n_papers + 1 */
    uint32_t *tokens;  /* pkin_i_label_token_word and _gap */
    pkin_i_vocabulary *vocabulary;
    uint32_t n_words;
    unsigned char *classes; /* by word: pkin_i_label_class */
    /* By word: how often it begins with a small letter inside of sentences, less how often with a capital. Negative: a
       name. */
    int32_t *smalls;
    uint32_t *singulars; /* by word as it is written: the word that stands for it in tokens */
} pkin_i_label_texts;

enum { PKIN_I_LABEL_GAP_SHIFT = 30 };
#define PKIN_I_LABEL_MAX_WORDS (UINT32_C(1) << PKIN_I_LABEL_GAP_SHIFT)

static inline uint32_t pkin_i_label_token_word(uint32_t token) {
    return token & (PKIN_I_LABEL_MAX_WORDS - 1);
}

static inline pkin_i_label_gap pkin_i_label_token_gap(uint32_t token) {
    return (pkin_i_label_gap)(token >> PKIN_I_LABEL_GAP_SHIFT);
}

/* Zeroed on failure. The same for every number of threads (>= 1). */
pkin_status pkin_i_label_texts_read(const pkin_paper *const *papers, uint64_t n_papers, pkin_i_label_language language,
                                    int n_threads, pkin_i_label_texts *out);
void pkin_i_label_texts_free(pkin_i_label_texts *texts);

PKIN_EXTERN_C_END

#endif
