/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LABEL_CHOICE_H
#define PKIN_GROUPS_LABEL_CHOICE_H

#include "groups/label_terms.h"

PKIN_EXTERN_C_BEGIN

/* Of each cluster's terms those that its label is made of: indices into terms->terms, n_each places a cluster. */
typedef struct pkin_i_label_choice {
    uint32_t n_each;
    uint64_t *chosen;
    uint32_t *n_chosen; /* by cluster, at most n_each; 0 where it has no terms */
} pkin_i_label_choice;

/*
 * The first term of a label is the one with the highest score, or a longer phrase that holds most of its occurrences.
 * Where siblings (equal `parents`; NULL: all) want the same, it goes to the one whose papers have it more, and the
 * others take their next best. Further terms say something else than those before. Zeroed on failure.
 */
pkin_status pkin_i_label_choice_make(const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms,
                                     uint32_t n_clusters, const uint32_t *parents, uint32_t n_each,
                                     pkin_i_label_choice *out);
void pkin_i_label_choice_free(pkin_i_label_choice *choice);

PKIN_EXTERN_C_END

#endif
