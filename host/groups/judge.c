/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "groups/evidence.h"

/*
 * The thresholds were found on labelled pairs of real papers, see docs/verdicts.md, which also says how far each can
 * move before the outcome there changes. They bound similarities in [0, 1], but for the days and the counts of words.
 */
#define MIN_AUTHOR_OVERLAP 0.40
#define MIN_ABSTRACT_RATIO 0.40
#define MIN_HIDDEN_ABSTRACT_RATIO 0.50
#define MIN_HIDDEN_WORDS_ELSEWHERE 0.50
#define MIN_DAYS_APART 30 /* exclusive */
#define COPIED_ABSTRACT_RATIO 0.95
#define MIN_WORDS_UNDER_COPY 0.60
#define MIN_WORDS_ELSEWHERE 0.25
#define MIN_WORDS_TO_COUNT 5 /* a shorter title ("Foo: Look, It Works") says too little to be foreign */
#define SHORT_TITLE_WORDS 3
#define COVERED_ABSTRACT_RATIO 0.75

typedef struct rule {
    const char *name;
    int (*holds)(const pkin_i_evidence *e);
    pkin_verdict verdict;
    const char *lead_en; /* begins the reason */
    const char *lead_zh;
} rule;

static int is_below_threshold(const pkin_i_evidence *e) {
    return e->facts.cosine < PKIN_NEAR_DUPLICATE_COSINE;
}

static int authors_differ(const pkin_i_evidence *e) {
    return e->facts.author_overlap >= 0 && e->facts.author_overlap < MIN_AUTHOR_OVERLAP;
}

static int comment_splits(const pkin_i_evidence *e) {
    return e->comments.splits;
}

static int both_report(const pkin_i_evidence *e) {
    return e->titles.reports;
}

static int numbered_alike(const pkin_i_evidence *e) {
    return e->titles.numbers_differ && e->titles.ratio >= PKIN_I_ALIKE_TITLE_RATIO;
}

static int numbers_differ(const pkin_i_evidence *e) {
    return e->titles.numbers_differ;
}

static int answers(const pkin_i_evidence *e) {
    return e->titles.answers;
}

/* A short title says little, and so does any title without authors: then the abstracts must agree as well. */
static int same_title(const pkin_i_evidence *e) {
    int says_little = e->n_title_words < SHORT_TITLE_WORDS || e->facts.author_overlap < 0;
    return e->titles.same && (!says_little || e->facts.abstract_ratio >= MIN_ABSTRACT_RATIO);
}

/*
 * Outside mathematics, where sequels keep name, template and authors. A paper that was announced once in mathematics
 * and once elsewhere is no such sequel.
 */
static int like_record(const pkin_i_evidence *e) {
    return !e->both_mathematics && e->facts.author_overlap >= 0 &&
           e->facts.abstract_ratio >= MIN_HIDDEN_ABSTRACT_RATIO &&
           e->facts.title_words_elsewhere >= MIN_HIDDEN_WORDS_ELSEWHERE;
}

static int same_doi(const pkin_i_evidence *e) {
    return e->same_doi && e->titles.ratio >= PKIN_I_ALIKE_TITLE_RATIO && like_record(e);
}

static int same_name(const pkin_i_evidence *e) {
    return e->titles.same_name && like_record(e);
}

static int title_contained(const pkin_i_evidence *e) {
    return e->titles.contained && like_record(e);
}

static int declared_version(const pkin_i_evidence *e) {
    return e->comments.declares_version;
}

/* Every content word of each title occurs in the other record: spelt-out acronyms, words set in another order. */
static int titles_covered(const pkin_i_evidence *e) {
    return !e->both_mathematics && e->facts.abstract_ratio >= COVERED_ABSTRACT_RATIO &&
           e->facts.title_words_elsewhere >= 1 && e->titles.ratio >= PKIN_I_ALIKE_TITLE_RATIO;
}

/* Whether a title speaks of what the other record does not hold: the abstract may be a sibling's, listed by mistake. */
static int is_foreign(const pkin_i_evidence *e) {
    if (e->facts.abstract_ratio >= COPIED_ABSTRACT_RATIO) return e->facts.title_words_elsewhere < MIN_WORDS_UNDER_COPY;
    return e->n_elsewhere_words >= MIN_WORDS_TO_COUNT && e->facts.title_words_elsewhere < MIN_WORDS_ELSEWHERE;
}

/* Papers submitted within a month are siblings more often than versions. Venues' records tell no day: they pass. */
static int later_version(const pkin_i_evidence *e) {
    int months_apart = e->facts.days_apart < 0 || e->facts.days_apart > MIN_DAYS_APART;
    return !e->both_mathematics && months_apart && e->facts.abstract_ratio >= MIN_ABSTRACT_RATIO && !is_foreign(e);
}

static int authors_shared(const pkin_i_evidence *e) {
    return e->facts.author_overlap >= MIN_AUTHOR_OVERLAP;
}

static int is_close(const pkin_i_evidence *e) {
    return e->facts.cosine > 0;
}

/* The first rule that holds decides. What speaks against one work stands before what speaks for it. */
static const rule rules[] = {
    {"unlike", is_below_threshold, PKIN_VERDICT_RELATED, "", ""},
    {"few shared authors", authors_differ, PKIN_VERDICT_RELATED, "different groups", "研究组不同"},
    {"comment speaks of parts", comment_splits, PKIN_VERDICT_SERIES_PART, "a comment speaks of parts or companions",
     "备注提到分篇或姊妹篇"},
    {"both are reports", both_report, PKIN_VERDICT_SISTER, "reports of one kind", "同类报告"},
    {"numbered titles", numbered_alike, PKIN_VERDICT_SERIES_PART, "like titles with different numbers",
     "标题相近而编号不同"},
    {"title numbers differ", numbers_differ, PKIN_VERDICT_SISTER, "different numbers in the titles", "标题中编号不同"},
    {"answers the other", answers, PKIN_VERDICT_SERIES_PART, "one is a note or a reply to the other",
     "一篇是另一篇的勘误、评论或补充"},
    {"same title", same_title, PKIN_VERDICT_SAME_WORK, "same title", "标题相同"},
    {"same DOI", same_doi, PKIN_VERDICT_SAME_WORK, "same DOI", "DOI 相同"},
    {"same name", same_name, PKIN_VERDICT_SAME_WORK, "same name in the title", "标题中名称相同"},
    {"title contained", title_contained, PKIN_VERDICT_SAME_WORK, "one title contains the other", "一个标题包含另一个"},
    {"declared version", declared_version, PKIN_VERDICT_PROBABLY_SAME, "a comment calls one a version of the other",
     "备注说明一篇是另一篇的版本"},
    {"titles covered", titles_covered, PKIN_VERDICT_PROBABLY_SAME, "each title's words occur in the other paper",
     "标题用词都见于对方"},
    {"later version", later_version, PKIN_VERDICT_PROBABLY_SAME, "looks like a rewritten version", "像是改写后的版本"},
    {"shared authors", authors_shared, PKIN_VERDICT_SISTER, "one group, different works", "同组作者，工作不同"},
    {"close", is_close, PKIN_VERDICT_RELATED, "", ""},
};

#define N_RULES (sizeof rules / sizeof *rules)

/* Two records of one paper. */
static const rule repeat_rule = {"same paper", NULL, PKIN_VERDICT_REPEAT, "the same paper", "同一篇论文"};
static const rule version_rule = {"other version", NULL, PKIN_VERDICT_NEW_VERSION, "another version of the same paper",
                                  "同一篇论文的另一版本"};
static const rule nothing_rule = {"nothing in common", NULL, PKIN_VERDICT_NONE, "", ""};

static const rule *decide(const pkin_paper *a, const pkin_paper *b, const pkin_i_evidence *e) {
    if (*a->key && !strcmp(a->key, b->key)) {
        return a->version && b->version && a->version != b->version ? &version_rule : &repeat_rule;
    }
    if (!is_close(e)) return &nothing_rule;
    size_t r = 0;
    while (r + 1 < N_RULES && !rules[r].holds(e)) r++;
    return &rules[r];
}

pkin_status pkin_judge(const pkin_paper *a, const pkin_paper *b, double cosine, pkin_judgement *out) {
    pkin_status status = PKIN_OK;
    pkin_i_evidence evidence;
    PKIN_REQUIRE(a && b && out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_judge needs two papers and a place for its answer");
    PKIN_TRY(pkin_i_evidence_gather(a, b, cosine, &evidence));
    const rule *chosen = decide(a, b, &evidence);
    evidence.facts.verdict = chosen->verdict;
    evidence.facts.rule = chosen->name;
    *out = evidence.facts;
out:
    return status;
}

const char *pkin_i_rule_lead(const char *name, pkin_language language) {
    const rule *others[] = {&repeat_rule, &version_rule};
    for (size_t r = 0; name && r < N_RULES + 2; r++) {
        const rule *candidate = r < N_RULES ? &rules[r] : others[r - N_RULES];
        if (!strcmp(candidate->name, name))
            return language == PKIN_LANGUAGE_ZH ? candidate->lead_zh : candidate->lead_en;
    }
    return "";
}
