/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_EVIDENCE_H
#define PKIN_GROUPS_EVIDENCE_H

#include "groups/comment_features.h"
#include "groups/title_features.h"
#include "paperkin/groups.h"

PKIN_EXTERN_C_BEGIN

/* Everything that the rules look at. */
typedef struct pkin_i_evidence {
    pkin_judgement facts; /* verdict and rule not set yet */
    pkin_i_title_features titles;
    pkin_i_comment_features comments;
    size_t n_title_words;     /* content words of the shorter title */
    size_t n_elsewhere_words; /* content words of the title that facts.title_words_elsewhere is the share of */
    int both_mathematics;     /* primary categories, an unknown one passing for the other's */
    int same_doi;
} pkin_i_evidence;

pkin_status pkin_i_evidence_gather(const pkin_paper *a, const pkin_paper *b, double cosine, pkin_i_evidence *out);

/* Lead words of a rule's reason, by the rule's name; "" where the name is none of the rules'. */
const char *pkin_i_rule_lead(const char *rule, pkin_language language);

PKIN_EXTERN_C_END

#endif
