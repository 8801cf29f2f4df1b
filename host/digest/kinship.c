/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/kinship.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/failure.h"

/* One comparison of today's papers with all: a weighting, and today's rows of it. */
typedef struct comparison {
    const pkin_i_weighting *weights;
    pkin_vectors *subjects;
} comparison;

static pkin_features_options with_run(pkin_features_options features, const pkin_digest_options *options) {
    features.n_threads = options->n_threads;
    features.on_progress = options->on_progress;
    features.progress_user = options->progress_user;
    return features;
}

static pkin_status select_subjects(const pkin_i_kinship *kinship, uint32_t *rows, comparison *out) {
    for (size_t s = 0; s < kinship->n_subjects; s++) rows[s] = kinship->subjects[s].row;
    return pkin_vectors_select(out->weights->vectors, rows, kinship->n_subjects, &out->subjects);
}

static pkin_similarity_options similarity_options(const pkin_digest_options *options) {
    pkin_similarity_options similarity = pkin_similarity_options_default();
    if (options->backend) similarity.backend = options->backend;
    similarity.n_threads = options->n_threads;
    similarity.on_progress = options->on_progress;
    similarity.progress_user = options->progress_user;
    return similarity;
}

static pkin_status strong_terms(const comparison *compared, pkin_i_kin *kin, pkin_i_arena *arena) {
    return pkin_i_weighting_shared_terms(compared->weights, compared->subjects, kin->subject, kin->row, arena,
                                         &kin->terms);
}

static size_t subject_index(const pkin_i_kinship *kinship, uint32_t row) {
    size_t low = 0, high = kinship->n_subjects;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kinship->subjects[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < kinship->n_subjects && kinship->subjects[low].row == row ? low : SIZE_MAX;
}

const pkin_i_subject *pkin_i_kinship_subject(const pkin_i_kinship *kinship, uint32_t row) {
    size_t s = subject_index(kinship, row);
    return s == SIZE_MAX ? NULL : &kinship->subjects[s];
}

/* Whether a verdict names its partner in a line of its own, which then needs no related link. */
static int is_named(pkin_verdict verdict) {
    return verdict == PKIN_VERDICT_SAME_WORK || verdict == PKIN_VERDICT_PROBABLY_SAME ||
           verdict == PKIN_VERDICT_SERIES_PART || verdict == PKIN_VERDICT_SISTER;
}

static pkin_status add_verdict(pkin_i_kinship *kinship, const comparison *compared, pkin_i_kin kin) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(strong_terms(compared, &kin, &kinship->arena));
    PKIN_TRY(pkin_i_grow(&kinship->verdicts, &kinship->verdict_capacity, kinship->n_verdicts + 1, sizeof kin));
    kinship->verdicts[kinship->n_verdicts++] = kin;
out:
    return status;
}

/* The rows to be judged against a subject: its closest ones, without itself, at most PKIN_I_MAX_JUDGED. */
static size_t closest(const pkin_i_kinship *kinship, const pkin_neighbor_lists *lists, size_t s,
                      pkin_neighbor out[PKIN_I_MAX_JUDGED]) {
    size_t n = 0;
    for (uint64_t e = lists->offsets[s]; e < lists->offsets[s + 1] && n < PKIN_I_MAX_JUDGED; e++) {
        if (lists->neighbors[e].row != kinship->subjects[s].row) out[n++] = lists->neighbors[e];
    }
    return n;
}

/* Whether subject `s` would be judged against `row` from its own side. */
static int is_among_closest(const pkin_i_kinship *kinship, const pkin_neighbor_lists *lists, size_t s, uint32_t row) {
    pkin_neighbor near[PKIN_I_MAX_JUDGED];
    size_t n = closest(kinship, lists, s, near);
    for (size_t k = 0; k < n; k++) {
        if (near[k].row == row) return 1;
    }
    return 0;
}

/* Judges subject `s` against a neighbour; `mirror` is the subject that gets the same verdict, or SIZE_MAX. */
static pkin_status judge_pair(pkin_i_history *history, const comparison *compared, size_t s, pkin_neighbor near,
                              size_t mirror, pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    const pkin_i_stored_paper *a = NULL, *b = NULL;
    pkin_judgement *judgement = NULL;
    pkin_i_judged_pair pair = {.row_a = kinship->subjects[s].row, .row_b = near.row};
    PKIN_TRY(pkin_i_history_paper(history, pair.row_a, &a));
    PKIN_TRY(pkin_i_history_paper(history, pair.row_b, &b));
    PKIN_TRY(pkin_i_arena_allocate(&kinship->arena, 1, sizeof *judgement, &judgement));
    PKIN_TRY(pkin_judge(&a->paper, &b->paper, pkin_score_to_cosine(near.score), judgement));
    if (judgement->verdict == PKIN_VERDICT_NONE) goto out;
    pair.judgement = judgement;
    PKIN_TRY(pkin_i_grow(&kinship->pairs, &kinship->pair_capacity, kinship->n_pairs + 1, sizeof pair));
    kinship->pairs[kinship->n_pairs++] = pair;
    if (!is_named(judgement->verdict)) goto out;
    pkin_i_kin kin = {.subject = (uint32_t)s, .row = near.row, .score = near.score, .judgement = judgement};
    PKIN_TRY(add_verdict(kinship, compared, kin));
    if (mirror == SIZE_MAX) goto out;
    kin.subject = (uint32_t)mirror;
    kin.row = pair.row_a;
    PKIN_TRY(add_verdict(kinship, compared, kin));
out:
    return status;
}

/*
 * A pair of today's papers is judged once, for both; on a flood of copies one may be among the closest of the other and
 * not the other way round, then it is judged for that one alone. So no paper gets more than PKIN_I_MAX_JUDGED verdicts.
 */
static pkin_status judge_subject(pkin_i_history *history, const comparison *compared, const pkin_neighbor_lists *lists,
                                 size_t s, pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    pkin_neighbor near[PKIN_I_MAX_JUDGED];
    size_t n = closest(kinship, lists, s, near);
    for (size_t k = 0; k < n; k++) {
        size_t mirror = subject_index(kinship, near[k].row);
        if (mirror != SIZE_MAX && !is_among_closest(kinship, lists, mirror, kinship->subjects[s].row)) {
            mirror = SIZE_MAX;
        } else if (mirror != SIZE_MAX && mirror < s) {
            continue;
        }
        PKIN_TRY(judge_pair(history, compared, s, near[k], mirror, kinship));
    }
out:
    return status;
}

static int compare_verdicts(const void *left, const void *right) {
    const pkin_i_kin *a = left, *b = right;
    if (a->subject != b->subject) return a->subject < b->subject ? -1 : 1;
    if (a->judgement->verdict != b->judgement->verdict) return a->judgement->verdict < b->judgement->verdict ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static pkin_status find_near_duplicates(pkin_i_history *history, const pkin_digest_options *options, uint32_t *rows,
                                        pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    pkin_i_weighting plain = {0};
    comparison compared = {.weights = &plain};
    pkin_neighbor_lists lists = {0};
    pkin_similarity_options similarity = similarity_options(options);
    pkin_features_options features = with_run(pkin_features_options_plain(), options);
    double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_weighting_build(&history->tokens, history->vocabulary, &features, &plain));
    PKIN_TRY(select_subjects(kinship, rows, &compared));
    double weighed = pkin_i_seconds_now();
    kinship->seconds_vectors += weighed - begin;
    /* One more: the paper itself. */
    PKIN_TRY(pkin_similarity_top_k(compared.subjects, compared.weights->vectors, PKIN_I_MAX_JUDGED + 1,
                                   PKIN_NEAR_DUPLICATE_COSINE, &similarity, &lists));
    for (size_t s = 0; s < kinship->n_subjects; s++) {
        PKIN_TRY(judge_subject(history, &compared, &lists, s, kinship));
    }
    if (kinship->n_verdicts) qsort(kinship->verdicts, kinship->n_verdicts, sizeof *kinship->verdicts, compare_verdicts);
    for (size_t v = kinship->n_verdicts; v-- > 0;) {
        pkin_i_subject *subject = &kinship->subjects[kinship->verdicts[v].subject];
        subject->verdicts = &kinship->verdicts[v];
        subject->n_verdicts++;
    }
    kinship->seconds_similarity += pkin_i_seconds_now() - weighed;
out:
    pkin_neighbor_lists_free(&lists);
    pkin_vectors_free(compared.subjects);
    pkin_i_weighting_free(&plain);
    return status;
}

static int is_verdict_partner(const pkin_i_subject *subject, uint32_t row) {
    for (size_t v = 0; v < subject->n_verdicts; v++) {
        if (subject->verdicts[v].row == row) return 1;
    }
    return 0;
}

/* Takes the n_related best neighbours of a subject that are neither itself nor named by a verdict. */
static pkin_status take_related(const comparison *compared, const pkin_neighbor_lists *lists, size_t s,
                                uint32_t n_related, pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    pkin_i_subject *subject = &kinship->subjects[s];
    for (uint64_t e = lists->offsets[s]; e < lists->offsets[s + 1] && subject->n_related < n_related; e++) {
        pkin_i_kin kin = {.subject = (uint32_t)s, .row = lists->neighbors[e].row, .score = lists->neighbors[e].score};
        if (kin.row == subject->row || is_verdict_partner(subject, kin.row)) continue;
        PKIN_TRY(strong_terms(compared, &kin, &kinship->arena));
        PKIN_TRY(pkin_i_grow(&kinship->related, &kinship->related_capacity, kinship->n_related + 1, sizeof kin));
        kinship->related[kinship->n_related++] = kin;
        subject->n_related++;
    }
out:
    return status;
}

/* The last use of the tokens. */
static pkin_status weigh_related(pkin_i_history *history, const pkin_digest_options *options, pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_history_weigh_related(history, options->n_threads, options->on_progress, options->progress_user));
    pkin_i_history_drop_tokens(history);
    kinship->seconds_vectors += pkin_i_seconds_now() - begin;
out:
    return status;
}

static pkin_status find_related(pkin_i_history *history, const pkin_digest_options *options, uint32_t *rows,
                                pkin_i_kinship *kinship) {
    pkin_status status = PKIN_OK;
    comparison compared = {0};
    pkin_neighbor_lists lists = {0};
    pkin_similarity_options similarity = similarity_options(options);
    PKIN_TRY(weigh_related(history, options, kinship));
    double weighed = pkin_i_seconds_now();
    compared.weights = &history->related;
    PKIN_TRY(select_subjects(kinship, rows, &compared));
    /* As many more neighbours as could be left out: the paper itself and those, few, that a verdict names. */
    size_t most_verdicts = 0;
    for (size_t s = 0; s < kinship->n_subjects; s++) {
        if (kinship->subjects[s].n_verdicts > most_verdicts) most_verdicts = kinship->subjects[s].n_verdicts;
    }
    uint64_t k = (uint64_t)options->n_related + 1 + most_verdicts;
    if (k > history->n_papers) k = history->n_papers;
    PKIN_TRY(pkin_similarity_top_k(compared.subjects, compared.weights->vectors, (uint32_t)k, options->related_floor,
                                   &similarity, &lists));
    for (size_t s = 0; s < kinship->n_subjects; s++) {
        PKIN_TRY(take_related(&compared, &lists, s, options->n_related, kinship));
    }
    for (size_t r = kinship->n_related; r-- > 0;) {
        kinship->subjects[kinship->related[r].subject].related = &kinship->related[r];
    }
    kinship->seconds_similarity += pkin_i_seconds_now() - weighed;
out:
    pkin_neighbor_lists_free(&lists);
    pkin_vectors_free(compared.subjects);
    return status;
}

pkin_status pkin_i_kinship_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                const pkin_digest_options *options, pkin_i_kinship *out) {
    pkin_status status = PKIN_OK;
    uint32_t *scratch = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(n_rows, sizeof *out->subjects, &out->subjects));
    for (size_t s = 0; s < n_rows; s++) out->subjects[s].row = rows[s];
    out->n_subjects = n_rows;
    if (n_rows == 0) goto out;
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *scratch, &scratch));
    PKIN_TRY(find_near_duplicates(history, options, scratch, out));
    if (options->n_related > 0) {
        PKIN_TRY(find_related(history, options, scratch, out));
    } else if (options->threads == 1 || options->novelty == 1) {
        PKIN_TRY(weigh_related(history, options, out));
    }
    pkin_i_history_drop_tokens(history);
out:
    pkin_i_free(scratch);
    return status;
}

void pkin_i_kinship_free(pkin_i_kinship *kinship) {
    pkin_i_free(kinship->subjects);
    pkin_i_free(kinship->verdicts);
    pkin_i_free(kinship->related);
    pkin_i_free(kinship->pairs);
    pkin_i_arena_free(&kinship->arena);
    *kinship = (pkin_i_kinship){0};
}

static pkin_status save_links(const pkin_i_kinship *kinship, const pkin_i_history *history) {
    pkin_status status = PKIN_OK;
    pkin_i_link *links = NULL;
    size_t capacity = 0;
    for (size_t s = 0; s < kinship->n_subjects; s++) {
        const pkin_i_subject *subject = &kinship->subjects[s];
        PKIN_TRY(pkin_i_grow(&links, &capacity, subject->n_related + 1, sizeof *links));
        for (size_t r = 0; r < subject->n_related; r++) {
            const pkin_i_kin *kin = &subject->related[r];
            links[r] = (pkin_i_link){.to_paper_id = history->paper_ids[kin->row], .score = kin->score};
        }
        PKIN_TRY(pkin_i_store_put_links(history->store, history->paper_ids[subject->row], links, subject->n_related));
    }
out:
    pkin_i_free(links);
    return status;
}

pkin_status pkin_i_kinship_save(const pkin_i_kinship *kinship, const pkin_i_history *history) {
    pkin_status status = PKIN_OK;
    int begun = 0;
    PKIN_TRY(pkin_i_store_begin(history->store));
    begun = 1;
    PKIN_TRY(save_links(kinship, history));
    for (size_t p = 0; p < kinship->n_pairs; p++) {
        const pkin_i_judged_pair *pair = &kinship->pairs[p];
        PKIN_TRY(pkin_i_store_put_verdict(history->store, history->paper_ids[pair->row_a],
                                          history->paper_ids[pair->row_b], pair->judgement));
    }
    begun = 0;
    PKIN_TRY(pkin_i_store_end(history->store, 1));
out:
    if (begun) (void)pkin_i_store_end(history->store, 0);
    return status;
}
