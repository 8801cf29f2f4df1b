/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/evidence.h"

#include <stdint.h>
#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "groups/author_overlap.h"
#include "groups/id_days.h"
#include "groups/text_ratio.h"
#include "groups/word_list.h"

/* The texts of one paper as words. */
typedef struct paper_words {
    pkin_i_word_list title;    /* content words */
    pkin_i_word_list abstract; /* all words, in order */
    pkin_i_word_list record;   /* content words of title and abstract, sorted */
} paper_words;

static void paper_words_free(paper_words *words) {
    pkin_i_word_list_free(&words->title);
    pkin_i_word_list_free(&words->abstract);
    pkin_i_word_list_free(&words->record);
}

static pkin_status read_words(const pkin_paper *paper, paper_words *out) {
    pkin_status status = PKIN_OK;
    pkin_i_word_list record = {0};
    PKIN_TRY(pkin_i_word_list_append(paper->title, 1, &out->title));
    PKIN_TRY(pkin_i_word_list_append(paper->abstract, 0, &out->abstract));
    PKIN_TRY(pkin_i_word_list_append(paper->title, 1, &record));
    PKIN_TRY(pkin_i_word_list_append(paper->abstract, 1, &record));
    PKIN_TRY(pkin_i_word_list_sorted(&record, &out->record));
out:
    pkin_i_word_list_free(&record);
    return status;
}

/* The share of a title's content words that the other record holds; 0 for a title without one. */
static double words_elsewhere(const pkin_i_word_list *title, const pkin_i_word_list *record) {
    size_t n_found = 0;
    for (size_t i = 0; i < title->n_words; i++) n_found += pkin_i_word_list_holds(record, title->hashes[i]) != 0;
    return title->n_words ? (double)n_found / (double)title->n_words : 0.0;
}

static void compare_titles_with_records(const paper_words *a, const paper_words *b, pkin_i_evidence *out) {
    size_t n_a = a->title.n_words, n_b = b->title.n_words;
    double forth = words_elsewhere(&a->title, &b->record), back = words_elsewhere(&b->title, &a->record);
    out->facts.title_words_elsewhere = forth < back ? forth : back;
    out->n_title_words = n_a < n_b ? n_a : n_b;
    /* Equal shares: the longer title, whichever paper comes first. */
    out->n_elsewhere_words = forth < back || (forth == back && n_a > n_b) ? n_a : n_b;
}

static pkin_status compare_words(const pkin_paper *a, const pkin_paper *b, pkin_i_evidence *out) {
    pkin_status status = PKIN_OK;
    paper_words first = {0}, second = {0};
    PKIN_TRY(read_words(a, &first));
    PKIN_TRY(read_words(b, &second));
    out->facts.abstract_ratio = -1;
    if (first.abstract.n_words && second.abstract.n_words) {
        PKIN_TRY(pkin_i_sequence_ratio(first.abstract.hashes, first.abstract.n_words, second.abstract.hashes,
                                       second.abstract.n_words, &out->facts.abstract_ratio));
    }
    compare_titles_with_records(&first, &second, out);
out:
    paper_words_free(&first);
    paper_words_free(&second);
    return status;
}

static const char *primary_category(const pkin_paper *paper) {
    return paper->n_categories ? paper->categories[0] : "";
}

static int same_word(const char *a, const char *b) {
    return pkin_i_ascii_equal_ignoring_case(a, b, SIZE_MAX);
}

static int is_mathematics(const char *category) {
    return pkin_i_ascii_equal_ignoring_case(category, "math.", 5) || same_word(category, "math-ph");
}

static void compare_fields(const pkin_paper *a, const pkin_paper *b, pkin_i_evidence *out) {
    const char *first = primary_category(a), *second = primary_category(b);
    out->facts.same_primary_category = *first && same_word(first, second);
    out->facts.mathematics = is_mathematics(first) || is_mathematics(second);
    out->both_mathematics =
        out->facts.mathematics && (!*first || is_mathematics(first)) && (!*second || is_mathematics(second));
    out->facts.days_apart = pkin_i_days_apart(a, b);
    out->same_doi = !strncmp(a->doi, "10.", 3) && same_word(a->doi, b->doi);
}

pkin_status pkin_i_evidence_gather(const pkin_paper *a, const pkin_paper *b, double cosine, pkin_i_evidence *out) {
    pkin_status status = PKIN_OK;
    *out = (pkin_i_evidence){0};
    /* Not a number and what is below 0 count as nothing in common; rounding may carry a cosine past 1. */
    out->facts.cosine = cosine > 0 ? (cosine < 1 ? cosine : 1.0) : 0.0;
    PKIN_TRY(pkin_i_author_overlap(a, b, &out->facts.author_overlap));
    PKIN_TRY(pkin_i_compare_titles(a->title, b->title, &out->titles));
    PKIN_TRY(pkin_i_compare_comments(a, b, &out->comments));
    PKIN_TRY(compare_words(a, b, out));
    compare_fields(a, b, out);
    out->facts.title_ratio = out->titles.ratio;
    out->facts.title_numbers_differ = out->titles.numbers_differ;
    out->facts.reports = out->titles.reports;
    out->facts.comment_splits = out->comments.splits;
    out->facts.comment_names_other = out->comments.names_other;
out:
    return status;
}
