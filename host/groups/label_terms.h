/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LABEL_TERMS_H
#define PKIN_GROUPS_LABEL_TERMS_H

#include "groups/label_texts.h"
#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_TERM_MAX_WORDS = 5, /* stop words inside included */
    PKIN_I_TERM_TITLE_WEIGHT = 3,
    PKIN_I_TERM_NO_PARENT = -1
};

/* A phrase that stands in papers of a cluster. */
typedef struct pkin_i_term {
    uint32_t words[PKIN_I_TERM_MAX_WORDS];
    uint32_t n_words;
    uint32_t n_papers;          /* of the cluster that have it */
    uint32_t weight;            /* a paper counts PKIN_I_TERM_TITLE_WEIGHT where its title has it, else 1 */
    uint64_t weight_everywhere; /* the same over all papers */
    double score;
} pkin_i_term;

/* The terms of each cluster: those of cluster c are [offsets[c], offsets[c + 1]), highest score first. */
typedef struct pkin_i_cluster_terms {
    uint64_t *offsets; /* n_clusters + 1 */
    pkin_i_term *terms;
    uint32_t *n_papers; /* by cluster: those with text in the language */
} pkin_i_cluster_terms;

/*
 * Phrases of up to PKIN_I_TERM_MAX_WORDS words that may name a cluster (label_words.h) and stand in enough of its
 * papers, at most PKIN_I_MAX_TERMS of each cluster. Zeroed on failure. The same for every number of threads.
 */
enum { PKIN_I_MAX_TERMS = 200 };
pkin_status pkin_i_cluster_terms_find(const pkin_i_label_texts *texts, const pkin_partition *partition, int n_threads,
                                      pkin_i_cluster_terms *out);
void pkin_i_cluster_terms_free(pkin_i_cluster_terms *terms);

/* How many of a cluster's n papers a term has to stand in: 2, a fifth, 10 and a twentieth of those beyond 50. */
uint64_t pkin_i_term_least_papers(uint64_t n);

/* Whether a phrase may begin at token `at`, end at it, or go over it. `end`: of the paper's tokens. */
int pkin_i_term_may_begin(const pkin_i_label_texts *texts, uint64_t at, uint64_t end);
int pkin_i_term_may_end(const pkin_i_label_texts *texts, uint64_t at, uint64_t end);
int pkin_i_term_may_go_on(const pkin_i_label_texts *texts, uint64_t at, uint64_t end);

PKIN_EXTERN_C_END

#endif
