/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_DIGEST_KINSHIP_H
#define PKIN_DIGEST_KINSHIP_H

#include "history/history.h"
#include "paperkin/digest.h"
#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

/* Papers judged against a paper, its closest: bounds the work on a flood of copies. */
enum { PKIN_I_MAX_JUDGED = 64 };

/* What another paper is to a subject. */
typedef struct pkin_i_kin {
    uint32_t subject;                /* index of the subject */
    uint32_t row;                    /* the other paper's row in the history */
    uint64_t score;                  /* of plain vectors with a judgement, else of the weights for related papers */
    const pkin_judgement *judgement; /* NULL for related papers */
    pkin_i_strong_terms terms;
} pkin_i_kin;

/* A distinct paper of today's files. */
typedef struct pkin_i_subject {
    uint32_t row;
    const pkin_i_kin *verdicts; /* same work first, sisters last; then score descending */
    size_t n_verdicts;
    const pkin_i_kin *related; /* score descending; without the papers in `verdicts` */
    size_t n_related;
} pkin_i_subject;

/* A judged pair, for the store: rows of the history, each pair once. */
typedef struct pkin_i_judged_pair {
    uint32_t row_a;
    uint32_t row_b;
    const pkin_judgement *judgement;
} pkin_i_judged_pair;

typedef struct pkin_i_kinship {
    pkin_i_subject *subjects; /* ascending rows */
    size_t n_subjects;
    pkin_i_kin *verdicts;
    size_t n_verdicts;
    size_t verdict_capacity;
    pkin_i_kin *related;
    size_t n_related;
    size_t related_capacity;
    pkin_i_judged_pair *pairs;
    size_t n_pairs;
    size_t pair_capacity;
    pkin_i_arena arena;
    double seconds_vectors;
    double seconds_similarity;
} pkin_i_kinship;

/*
 * Compares the papers at `rows` (ascending, distinct) with one another and with the whole history: near-duplicates by
 * plain weights, judged; related papers by the weights that make the best links, which stay in history->related for
 * threads and novelty where options->threads or options->novelty is 1. Drops the history's tokens when they are used
 * up. Zero-initialise `out`; free also after a failure.
 */
pkin_status pkin_i_kinship_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                const pkin_digest_options *options, pkin_i_kinship *out);
void pkin_i_kinship_free(pkin_i_kinship *kinship);

/* NULL where the row is no subject. */
const pkin_i_subject *pkin_i_kinship_subject(const pkin_i_kinship *kinship, uint32_t row);

/* Keeps links and verdicts in the store, in one transaction. */
pkin_status pkin_i_kinship_save(const pkin_i_kinship *kinship, const pkin_i_history *history);

PKIN_EXTERN_C_END

#endif
