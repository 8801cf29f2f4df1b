/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A search: the papers as weighed vectors, a query's vector made of examples and words, its nearest neighbours found
 * exactly by the similarity engine, and of those either the closest or, one by one, the closest that add something.
 */
#include "paperkin/related.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "history/history.h"
#include "history/merged_terms.h"
#include "history/mmr.h"
#include "history/paper_reference.h"
#include "history/query_vector.h"
#include "similarity/vectors.h"
#include "store/thread_rows.h"

enum {
    CANDIDATES_PER_RESULT = 10, /* that marginal relevance chooses from */
    QUERY_TERMS = 8
};

pkin_related_options pkin_related_options_default(void) {
    return (pkin_related_options){
        .size = sizeof(pkin_related_options), .unwanted_weight = 0.5, .count = 10, .floor = 0.05, .diversity = 1};
}

/* Everything of one search; steps fill it from top to bottom. */
typedef struct related_search {
    const pkin_related_options *options;
    pkin_i_history history;
    uint32_t *wanted, *unwanted; /* rows, ascending, each once */
    size_t n_wanted, n_unwanted;
    pkin_i_query_words words;
    pkin_features_options features;
    pkin_i_weighting with_summaries;   /* where the words need it */
    const pkin_i_weighting *weighting; /* that one, or the history's */
    uint32_t *df;                      /* papers of that weighting that have a term, by column */
    pkin_vectors *query;               /* one row */
    uint32_t *searched;                /* rows of the history, ascending; NULL: all */
    size_t n_searched;
    pkin_neighbor *candidates; /* rows of the history, best first */
    size_t n_candidates;
    pkin_i_arena *memory; /* of the result */
    pkin_related *out;
} related_search;

static pkin_status check_options(const pkin_related_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE((options->ids || !options->n_ids) && (options->not_ids || !options->n_not_ids),
                 PKIN_ERROR_INVALID_ARGUMENT, "ids were counted, but not given");
    PKIN_REQUIRE(options->n_ids || (options->text && *options->text), PKIN_ERROR_INVALID_ARGUMENT,
                 "nothing to look for: give the id of a paper, or text");
    PKIN_REQUIRE(options->unwanted_weight >= 0 && options->unwanted_weight <= 1e6, PKIN_ERROR_INVALID_ARGUMENT,
                 "the weight of unwanted papers is %g, expected 0 to 1e6", options->unwanted_weight);
    PKIN_REQUIRE(options->floor >= 0 && options->floor <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the floor is %g, expected a cosine in [0, 1]", options->floor);
    PKIN_REQUIRE(options->diversity >= 0 && options->diversity <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the diversity is %g, expected 0 to 1", options->diversity);
    PKIN_REQUIRE(!options->since || (strlen(options->since) == 10 && pkin_i_is_calendar_day(options->since)),
                 PKIN_ERROR_INVALID_ARGUMENT, "since is \"%s\", expected a day as YYYY-MM-DD", options->since);
out:
    return status;
}

/* ---- The query ---- */

static int compare_rows(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static bool is_among(const uint32_t *rows, size_t n, uint32_t row) {
    return n && bsearch(&row, rows, n, sizeof *rows, compare_rows);
}

static pkin_status find_examples(related_search *search, const char *const *ids, size_t n_ids, uint32_t **rows,
                                 size_t *n_rows) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_allocate(n_ids, sizeof **rows, rows));
    for (size_t k = 0; k < n_ids; k++) PKIN_TRY(pkin_i_find_reference(&search->history, ids[k], &(*rows)[k]));
    if (n_ids > 1) qsort(*rows, n_ids, sizeof **rows, compare_rows);
    for (size_t k = 0; k < n_ids; k++) {
        if (k == 0 || (*rows)[k] != (*rows)[k - 1]) (*rows)[(*n_rows)++] = (*rows)[k];
    }
out:
    return status;
}

static pkin_status find_all_examples(related_search *search) {
    pkin_status status = PKIN_OK;
    const pkin_related_options *options = search->options;
    PKIN_TRY(find_examples(search, options->ids, options->n_ids, &search->wanted, &search->n_wanted));
    PKIN_TRY(find_examples(search, options->not_ids, options->n_not_ids, &search->unwanted, &search->n_unwanted));
    for (size_t k = 0; k < search->n_unwanted; k++) {
        const pkin_i_stored_paper *stored = NULL;
        if (!is_among(search->wanted, search->n_wanted, search->unwanted[k])) continue;
        PKIN_TRY(pkin_i_history_paper(&search->history, search->unwanted[k], &stored));
        status = pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "%s is both wanted and unwanted: leave out one of the two",
                             stored->paper.id);
        goto out;
    }
out:
    return status;
}

/*
 * The history's weighting of titles and abstracts; where a word stands in machine-written summaries alone, one that
 * reads them as it reads abstracts.
 */
static pkin_status weigh(related_search *search) {
    pkin_status status = PKIN_OK;
    const pkin_related_options *options = search->options;
    bool needs_summaries = false;
    search->features = pkin_features_options_related();
    search->features.n_threads = options->n_threads;
    search->features.on_progress = options->on_progress;
    search->features.progress_user = options->progress_user;
    PKIN_TRY(pkin_i_query_words_need_summaries(&search->words, &search->history.tokens, &needs_summaries));
    if (needs_summaries) {
        search->features.summary_weight = search->features.abstract_weight;
        PKIN_TRY(pkin_i_weighting_build(&search->history.tokens, search->history.vocabulary, &search->features,
                                        &search->with_summaries));
        search->weighting = &search->with_summaries;
    } else {
        PKIN_TRY(pkin_i_history_weigh_related(&search->history, options->n_threads, options->on_progress,
                                              options->progress_user));
        search->weighting = &search->history.related;
    }
    pkin_i_history_drop_tokens(&search->history);
    status = pkin_i_weighting_count_documents(search->weighting, &search->df);
out:
    return status;
}

static pkin_status make_query(related_search *search) {
    pkin_status status = PKIN_OK;
    pkin_vectors *text = NULL;
    pkin_i_query_parts parts = {.wanted = search->wanted,
                                .n_wanted = search->n_wanted,
                                .unwanted = search->unwanted,
                                .n_unwanted = search->n_unwanted,
                                .unwanted_weight = search->options->unwanted_weight};
    if (search->words.n_ids) {
        PKIN_TRY(pkin_i_query_words_weigh(&search->words, search->weighting, search->df, &search->features, &text));
        /* Text of which nothing is known is no part of the mean. */
        if (pkin_vectors_n_entries(text) || !search->n_wanted) parts.text = text;
    }
    if (search->n_wanted || parts.text) status = pkin_i_query_combine(search->weighting, &parts, &search->query);
out:
    pkin_vectors_free(text);
    return status;
}

/* ---- The search ---- */

static bool is_example(const related_search *search, uint32_t row) {
    return is_among(search->wanted, search->n_wanted, row) || is_among(search->unwanted, search->n_unwanted, row);
}

/* The rows that came out since then. Without a day all are searched, and `searched` stays NULL. */
static pkin_status choose_searched(related_search *search) {
    pkin_status status = PKIN_OK;
    const pkin_i_history *history = &search->history;
    const char *since = search->options->since;
    search->n_searched = history->n_papers;
    if (!since) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(history->n_papers, sizeof *search->searched, &search->searched));
    search->n_searched = 0;
    for (uint32_t row = 0; row < history->n_papers; row++) {
        if (strcmp(history->days[row], since) >= 0) search->searched[search->n_searched++] = row;
    }
out:
    return status;
}

/* Papers searched that are not the query's own. */
static uint64_t n_others(const related_search *search) {
    uint64_t n = search->n_searched;
    for (size_t k = 0; k < search->n_wanted + search->n_unwanted; k++) {
        uint32_t row = k < search->n_wanted ? search->wanted[k] : search->unwanted[k - search->n_wanted];
        n -= !search->searched || is_among(search->searched, search->n_searched, row);
    }
    return n;
}

/* Takes what was found but the query's own papers, `n_most` at most. */
static void take_candidates(related_search *search, pkin_neighbor_lists *lists, uint64_t n_most) {
    search->candidates = lists->neighbors;
    lists->neighbors = NULL;
    for (uint64_t e = 0; e < lists->offsets[1] && search->n_candidates < n_most; e++) {
        pkin_neighbor found = search->candidates[e];
        if (search->searched) found.row = search->searched[found.row];
        if (!is_example(search, found.row)) search->candidates[search->n_candidates++] = found;
    }
}

static pkin_status find_candidates(related_search *search) {
    pkin_status status = PKIN_OK;
    const pkin_related_options *options = search->options;
    const pkin_vectors *among = search->weighting->vectors;
    pkin_vectors *selected = NULL;
    pkin_neighbor_lists lists = {0};
    pkin_similarity_options similarity = pkin_similarity_options_default();
    if (options->backend) similarity.backend = options->backend;
    similarity.n_threads = options->n_threads;
    similarity.on_progress = options->on_progress;
    similarity.progress_user = options->progress_user;
    uint64_t n_wanted = (uint64_t)options->count * (options->diversity < 1 ? CANDIDATES_PER_RESULT : 1);
    uint64_t k = n_wanted + search->n_wanted + search->n_unwanted; /* the query's own come out too */
    if (k > search->n_searched) k = search->n_searched;
    if (n_wanted == 0 || k == 0 || pkin_vectors_n_entries(search->query) == 0) return PKIN_OK;
    if (search->searched) {
        PKIN_TRY(pkin_vectors_select(among, search->searched, search->n_searched, &selected));
        among = selected;
    }
    PKIN_TRY(pkin_similarity_top_k(search->query, among, (uint32_t)k, options->floor, &similarity, &lists));
    take_candidates(search, &lists, n_wanted);
out:
    pkin_neighbor_lists_free(&lists);
    pkin_vectors_free(selected);
    return status;
}

/* ---- What was found ---- */

static pkin_status keep_text(related_search *search, const char *text, const char **out) {
    return pkin_i_arena_string(search->memory, text, strlen(text), out);
}

/* Whether a character of Chinese or Japanese begins there: U+3000 to U+9FFF. */
static bool begins_ideograph(const char *at) {
    return (unsigned char)*at >= 0xE3 && (unsigned char)*at <= 0xE9;
}

/* A term as it is written: pairs of Chinese words without the space between. */
static pkin_status keep_term(related_search *search, const char *term, const char **out) {
    pkin_status status = PKIN_OK;
    const char *space = strchr(term, ' ');
    char *joined = NULL;
    size_t n = strlen(term);
    if (!space || space - term < 3 || !begins_ideograph(space - 3) || !begins_ideograph(space + 1)) {
        return keep_text(search, term, out);
    }
    size_t n_first = (size_t)(space - term);
    PKIN_TRY(pkin_i_arena_allocate(search->memory, n, 1, &joined));
    memcpy(joined, term, n_first);
    memcpy(joined + n_first, space + 1, n - n_first); /* with its NUL */
    *out = joined;
out:
    return status;
}

/* The strongest of what was shared, as people read it. */
static pkin_status keep_terms(related_search *search, pkin_shared_term *shared, size_t n_shared, size_t n_max,
                              pkin_related_term *out, size_t *n_out) {
    pkin_status status = PKIN_OK;
    const pkin_matrix *matrix = search->weighting->matrix;
    n_shared = pkin_i_merge_terms(matrix, search->df, shared, n_shared);
    for (*n_out = 0; *n_out < n_shared && *n_out < n_max; ++*n_out) {
        const pkin_shared_term *term = &shared[*n_out];
        PKIN_TRY(keep_term(search, pkin_matrix_term(matrix, term->column), &out[*n_out].term));
        out[*n_out].share = pkin_score_to_cosine(term->score);
    }
out:
    return status;
}

static pkin_status describe_query(related_search *search) {
    pkin_status status = PKIN_OK;
    pkin_shared_term shared[PKIN_I_MERGED_TERMS_MAX];
    /* The query with itself: what each term adds to its squared length. */
    size_t n_shared = pkin_vectors_shared_terms(search->query, 0, search->query, 0, PKIN_I_MERGED_TERMS_MAX, shared);
    PKIN_TRY(pkin_i_arena_allocate(search->memory, QUERY_TERMS, sizeof *search->out->query, &search->out->query));
    PKIN_TRY(keep_terms(search, shared, n_shared, QUERY_TERMS, search->out->query, &search->out->n_query));
out:
    return status;
}

static pkin_status keep_unknown_words(related_search *search) {
    pkin_status status = PKIN_OK;
    const char **copies = NULL;
    const pkin_i_query_words *words = &search->words;
    PKIN_TRY(pkin_i_arena_allocate(search->memory, words->n_unknown + 1, sizeof *copies, &copies));
    for (size_t k = 0; k < words->n_unknown; k++) PKIN_TRY(keep_text(search, words->unknown[k], &copies[k]));
    copies[words->n_unknown] = NULL;
    search->out->unknown_words = copies;
out:
    return status;
}

static pkin_status keep_authors(related_search *search, const pkin_paper *paper, pkin_related_paper *out) {
    pkin_status status = PKIN_OK;
    const char **authors = NULL;
    PKIN_TRY(pkin_i_arena_allocate(search->memory, paper->n_authors, sizeof *authors, &authors));
    for (uint32_t a = 0; a < paper->n_authors; a++) PKIN_TRY(keep_text(search, paper->authors[a], &authors[a]));
    out->authors = authors;
    out->n_authors = paper->n_authors;
out:
    return status;
}

/* The wanted paper that the found one is closest to. */
static pkin_status find_nearest(related_search *search, uint32_t row, pkin_related_paper *out) {
    pkin_status status = PKIN_OK;
    const pkin_vectors *vectors = search->weighting->vectors;
    uint32_t nearest = UINT32_MAX;
    uint64_t highest = 0;
    out->nearest = "";
    for (size_t k = 0; k < search->n_wanted; k++) {
        uint64_t score = pkin_vectors_score(vectors, row, vectors, search->wanted[k]);
        if (score > highest) nearest = search->wanted[k];
        if (score > highest) highest = score;
    }
    if (nearest == UINT32_MAX) goto out;
    const pkin_i_stored_paper *stored = NULL;
    PKIN_TRY(pkin_i_history_paper(&search->history, nearest, &stored));
    PKIN_TRY(keep_text(search, stored->paper.key, &out->nearest));
    out->nearest_cosine = pkin_score_to_cosine(highest);
out:
    return status;
}

static pkin_status find_thread(related_search *search, uint32_t row, pkin_related_paper *out) {
    pkin_status status = PKIN_OK;
    pkin_i_thread_row thread = {0};
    bool found = false;
    const pkin_i_history *history = &search->history;
    out->thread = out->thread_label = "";
    PKIN_TRY(pkin_i_store_thread_of(history->store, history->paper_ids[row], search->memory, &thread, &found));
    if (!found) goto out;
    PKIN_TRY(keep_text(search, thread.id, &out->thread));
    out->thread_label = *thread.label ? thread.label : thread.label_chinese;
out:
    return status;
}

static pkin_status describe_paper(related_search *search, const pkin_i_mmr_choice *choice, pkin_related_paper *out) {
    pkin_status status = PKIN_OK;
    const pkin_neighbor *found = &search->candidates[choice->candidate];
    const pkin_i_stored_paper *stored = NULL;
    pkin_shared_term shared[PKIN_I_MERGED_TERMS_MAX];
    size_t n_terms = 0;
    *out = (pkin_related_paper){.cosine = pkin_score_to_cosine(found->score), .value = choice->value};
    PKIN_TRY(pkin_i_history_paper(&search->history, found->row, &stored));
    PKIN_TRY(keep_text(search, stored->paper.key, &out->key));
    PKIN_TRY(keep_text(search, stored->paper.id, &out->id));
    PKIN_TRY(keep_text(search, stored->paper.title, &out->title));
    PKIN_TRY(keep_text(search, stored->paper.link, &out->link));
    PKIN_TRY(keep_authors(search, &stored->paper, out));
    memcpy(out->day, search->history.days[found->row], sizeof out->day);
    PKIN_TRY(find_nearest(search, found->row, out));
    size_t n_shared = pkin_vectors_shared_terms(search->query, 0, search->weighting->vectors, found->row,
                                                PKIN_I_MERGED_TERMS_MAX, shared);
    PKIN_TRY(keep_terms(search, shared, n_shared, PKIN_RELATED_TERMS, out->terms, &n_terms));
    out->n_terms = (uint32_t)n_terms;
    status = find_thread(search, found->row, out);
out:
    return status;
}

static pkin_status choose_and_describe(related_search *search) {
    pkin_status status = PKIN_OK;
    pkin_i_mmr_choice *choices = NULL;
    pkin_related *out = search->out;
    size_t n_choices = 0, n_most = search->options->count;
    if (n_most > search->n_candidates) n_most = search->n_candidates;
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *choices, &choices));
    PKIN_TRY(pkin_i_mmr_choose(search->weighting->vectors, search->candidates, search->n_candidates, n_most,
                               search->options->diversity, search->options->n_threads, choices, &n_choices));
    PKIN_TRY(pkin_i_arena_allocate(search->memory, n_choices, sizeof *out->items, &out->items));
    for (size_t k = 0; k < n_choices; k++) {
        PKIN_TRY(describe_paper(search, &choices[k], &out->items[k]));
        out->n_items++;
    }
out:
    pkin_i_free(choices);
    return status;
}

static void search_free(related_search *search) {
    pkin_i_query_words_free(&search->words);
    pkin_i_weighting_free(&search->with_summaries);
    pkin_i_history_free(&search->history);
    pkin_i_free(search->df);
    pkin_vectors_free(search->query);
    pkin_i_free(search->wanted);
    pkin_i_free(search->unwanted);
    pkin_i_free(search->searched);
    pkin_i_free(search->candidates);
}

static pkin_status run_search(related_search *search, pkin_store *store) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_history_load(store, search->options->n_threads, &search->history));
    PKIN_TRY(find_all_examples(search));
    PKIN_TRY(pkin_i_query_words_read(search->options->text, search->history.vocabulary, &search->words));
    PKIN_TRY(keep_unknown_words(search));
    PKIN_TRY(weigh(search));
    PKIN_TRY(make_query(search));
    PKIN_TRY(pkin_i_history_load_days(&search->history));
    PKIN_TRY(choose_searched(search));
    search->out->n_papers = n_others(search);
    if (!search->query) goto out; /* text without a single known word */
    PKIN_TRY(describe_query(search));
    PKIN_TRY(find_candidates(search));
    status = choose_and_describe(search);
out:
    return status;
}

pkin_status pkin_related_find(pkin_store *store, const pkin_related_options *options, pkin_related *out) {
    pkin_status status = PKIN_OK;
    pkin_related_options taken = pkin_related_options_default();
    related_search search = {.options = &taken, .out = out};
    double begin = pkin_i_seconds_now();
    if (out) *out = (pkin_related){0};
    PKIN_REQUIRE(store && options && out, PKIN_ERROR_INVALID_ARGUMENT,
                 "pkin_related_find: a store, options and a result are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_related_options"));
    PKIN_TRY(check_options(&taken));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *search.memory, &search.memory));
    out->memory = search.memory;
    PKIN_TRY(run_search(&search, store));
    out->seconds = pkin_i_seconds_now() - begin;
out:
    search_free(&search);
    return status;
}

void pkin_related_free(pkin_related *related) {
    if (!related) return;
    if (related->memory) pkin_i_arena_free(related->memory);
    pkin_i_free(related->memory);
    *related = (pkin_related){0};
}
