/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_GROUPS_H
#define PAPERKIN_GROUPS_H

#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/* What two records are to each other. */
typedef enum pkin_verdict {
    PKIN_VERDICT_NONE = 0,          /* nothing to say */
    PKIN_VERDICT_REPEAT,            /* the same paper, listed before */
    PKIN_VERDICT_NEW_VERSION,       /* the same paper, listed before under a lower version */
    PKIN_VERDICT_SAME_WORK,         /* another id, the same work: sure enough to hide one of them */
    PKIN_VERDICT_PROBABLY_SAME,     /* another id, probably another version of the work: fold, do not hide */
    PKIN_VERDICT_SERIES_PART,       /* parts of a series or companions: link, never merge */
    PKIN_VERDICT_SISTER,            /* one group or one template, different works */
    PKIN_VERDICT_RELATED            /* close in content */
} pkin_verdict;

/* How a reader may be shown a paper with that verdict. paperkin marks; it deletes nothing. */
typedef enum pkin_tier { PKIN_TIER_SHOW = 0, PKIN_TIER_FOLD, PKIN_TIER_HIDE } pkin_tier;

typedef enum pkin_language { PKIN_LANGUAGE_EN = 0, PKIN_LANGUAGE_ZH } pkin_language;

PKIN_API const char *pkin_verdict_name(pkin_verdict verdict); /* machine name: "same_work", ... */
PKIN_API const char *pkin_verdict_label(pkin_verdict verdict, pkin_language language); /* for people */
PKIN_API pkin_tier pkin_verdict_tier(pkin_verdict verdict);

/* What the verdict on two papers with different ids rests on. */
typedef struct pkin_judgement {
    pkin_verdict verdict;
    double cosine;               /* of plain vectors, [0, 1] */
    double author_overlap;       /* share of the shorter author list found in the other, [0, 1]; -1 where unknown */
    double title_ratio;          /* similarity of the normalised titles, [0, 1] */
    double abstract_ratio;       /* word-diff similarity of the abstracts, [0, 1]; -1 where one is missing */
    double title_words_elsewhere;/* the smaller share of a title's content words that the other record holds, [0, 1] */
    int days_apart;              /* between the ids' months or the records' dates; -1 where unknown */
    int same_primary_category;
    int mathematics;             /* primary category of either is math.* or math-ph */
    int title_numbers_differ;    /* arabic, roman or year numbers in the titles are not the same */
    int reports;                 /* both titles are report-like (challenge, proceedings, overview, ...) */
    int comment_splits;          /* a comment says split, part, companion or subsumes */
    int comment_names_other;     /* a comment names the other id */
    const char *rule;            /* short name of the rule that decided; static storage */
} pkin_judgement;

/* Cosine from which on papers with different ids are judged at all; below it they are related at most. */
#define PKIN_NEAR_DUPLICATE_COSINE 0.72

/*
 * Judges two papers with different keys, given the cosine of their plain vectors (pkin_features_options_plain). Never
 * fails but for memory. Symmetric: judging (b, a) gives the same verdict. O(words of a x words of b) at worst.
 */
PKIN_API pkin_status pkin_judge(const pkin_paper *a, const pkin_paper *b, double cosine, pkin_judgement *out);

/*
 * Writes the reason in one short line ("same title, all 3 authors shared, cosine 0.93, 214 days apart"), NUL-terminated and
 * cut to `n_bytes`. Returns the bytes that the whole line needs without its NUL.
 */
PKIN_API size_t pkin_judgement_reason(const pkin_judgement *judgement, pkin_language language, char *buffer,
                                      size_t n_bytes);

PKIN_EXTERN_C_END

#endif
