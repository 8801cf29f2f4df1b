/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closest earlier paper of many papers at once, and where its distance stands among those of a sample. Most papers'
 * closest papers are found together by one top-k of a few neighbours, of which the first that is earlier is the closest
 * of all that are earlier: whatever is not in the list comes behind it. Where the list holds none, more neighbours are
 * asked for, among what is earlier than the latest of those that are left: they are then found at once, so that every
 * round leaves fewer.
 */
#include "history/novelty.h"

#include <limits.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/failure.h"
#include "similarity/vectors.h"

enum {
    FIRST_NEIGHBORS = 8, /* of a paper, itself among them */
    MORE_NEIGHBORS = 8   /* times as many in each further round */
};

/* Papers in the order of their days. */
typedef struct timeline {
    uint64_t n_papers;
    uint32_t *order;     /* rows by day, then by row */
    uint32_t *n_earlier; /* by row: papers of earlier days. One of two papers is earlier where this is less. */
} timeline;

static int compare_numbers(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Days ascending, unknown ones first; never 0 but for those. */
static uint64_t day_key(const char *day) {
    return *day ? (uint64_t)(pkin_i_day_number(day) - (int64_t)INT32_MIN) : 0;
}

static pkin_status timeline_make(uint64_t n_papers, const char (*days)[11], timeline *out) {
    pkin_status status = PKIN_OK;
    uint64_t *keys = NULL;
    out->n_papers = n_papers;
    PKIN_TRY(pkin_i_allocate(n_papers, sizeof *keys, &keys));
    PKIN_TRY(pkin_i_allocate(n_papers, sizeof *out->order, &out->order));
    PKIN_TRY(pkin_i_allocate(n_papers, sizeof *out->n_earlier, &out->n_earlier));
    for (uint64_t row = 0; row < n_papers; row++) keys[row] = day_key(days[row]) << 32 | row;
    if (n_papers > 1) qsort(keys, n_papers, sizeof *keys, compare_numbers);
    for (uint64_t k = 0, first = 0; k < n_papers; k++) {
        if (keys[k] >> 32 != keys[first] >> 32) first = k;
        out->order[k] = (uint32_t)keys[k];
        out->n_earlier[out->order[k]] = (uint32_t)first;
    }
out:
    pkin_i_free(keys);
    return status;
}

static void timeline_free(timeline *line) {
    pkin_i_free(line->order);
    pkin_i_free(line->n_earlier);
}

static bool is_empty(const pkin_vectors *vectors, uint32_t row) {
    return vectors->row_offsets[row] == vectors->row_offsets[row + 1];
}

static bool can_be_judged(const pkin_vectors *vectors, const timeline *line, uint32_t row) {
    return line->n_earlier[row] >= PKIN_I_NOVELTY_LEAST && !is_empty(vectors, row);
}

/* The number of papers before a paper of the sample: a span that ends with the latest of the papers asked for. */
typedef struct sample_span {
    uint32_t least, most;
} sample_span;

/* Halfway back: who had far fewer papers before it was farther from them for that alone. */
static sample_span span_of(const timeline *line, const uint32_t *rows, size_t n_rows) {
    uint32_t most = 0;
    for (size_t r = 0; r < n_rows; r++) {
        if (line->n_earlier[rows[r]] > most) most = line->n_earlier[rows[r]];
    }
    return (sample_span){most - most / 2, most};
}

static bool is_in_sample_span(const pkin_vectors *vectors, const timeline *line, sample_span span, uint32_t row) {
    return line->n_earlier[row] >= span.least && line->n_earlier[row] <= span.most && can_be_judged(vectors, line, row);
}

/* Evenly spread over the span; `out` has room for PKIN_I_NOVELTY_SAMPLE. Returns how many. */
static size_t choose_sample(const pkin_vectors *vectors, const timeline *line, sample_span span, uint32_t *out) {
    uint64_t n = 0, n_taken = 0;
    for (uint64_t k = 0; k < line->n_papers; k++) n += is_in_sample_span(vectors, line, span, line->order[k]);
    uint64_t n_sample = n < PKIN_I_NOVELTY_SAMPLE ? n : PKIN_I_NOVELTY_SAMPLE;
    for (uint64_t k = 0, at = 0; k < line->n_papers && n_taken < n_sample; k++) {
        if (!is_in_sample_span(vectors, line, span, line->order[k])) continue;
        if (at++ == n_taken * n / n_sample) out[n_taken++] = line->order[k];
    }
    return (size_t)n_taken;
}

/* ---- The closest earlier paper ---- */

/* A paper on the way to its closest earlier one. */
typedef struct earlier_search {
    const pkin_vectors *vectors;
    const timeline *line;
    const pkin_similarity_options *options;
    pkin_i_novelty *found; /* by paper of the search */
    const uint32_t *rows;
    uint32_t *pending; /* papers of the search that are left */
    uint32_t *pending_rows;
    size_t n_pending;
} earlier_search;

/* Rows with fewer than `n_earlier` papers before them, ascending; all of them where the limit is UINT32_MAX. */
static pkin_status select_earlier(const earlier_search *search, uint32_t n_earlier, uint32_t **rows,
                                  pkin_vectors **out) {
    pkin_status status = PKIN_OK;
    uint64_t n = 0;
    PKIN_TRY(pkin_i_allocate(n_earlier, sizeof **rows, rows));
    for (uint64_t row = 0; row < search->line->n_papers && n < n_earlier; row++) {
        if (search->line->n_earlier[row] < n_earlier) (*rows)[n++] = (uint32_t)row;
    }
    status = pkin_vectors_select(search->vectors, *rows, n, out);
out:
    return status;
}

/* Takes what the lists tell; keeps the papers whose closest earlier one may stand behind the end of their lists.
   `others` NULL: the lists name rows themselves. */
static void take_earlier(earlier_search *search, const pkin_neighbor_lists *lists, const uint32_t *others, uint32_t k) {
    size_t n_left = 0;
    for (size_t p = 0; p < search->n_pending; p++) {
        uint32_t paper = search->pending[p], n_earlier = search->line->n_earlier[search->rows[paper]];
        uint64_t e = lists->offsets[p], end = lists->offsets[p + 1];
        uint32_t row = UINT32_MAX;
        for (; e < end; e++) {
            row = others ? others[lists->neighbors[e].row] : lists->neighbors[e].row;
            if (search->line->n_earlier[row] < n_earlier) break;
        }
        if (e < end) {
            search->found[paper].nearest = row;
            search->found[paper].score = lists->neighbors[e].score;
        } else if (end - lists->offsets[p] == k) {
            search->pending[n_left++] = paper;
        }
    }
    search->n_pending = n_left;
}

static pkin_status search_round(earlier_search *search, uint32_t k, bool all) {
    pkin_status status = PKIN_OK;
    pkin_vectors *papers = NULL, *others = NULL;
    uint32_t *other_rows = NULL, latest = 0;
    pkin_neighbor_lists lists = {0};
    for (size_t p = 0; p < search->n_pending; p++) {
        uint32_t row = search->rows[search->pending[p]];
        search->pending_rows[p] = row;
        if (search->line->n_earlier[row] > latest) latest = search->line->n_earlier[row];
    }
    PKIN_TRY(pkin_vectors_select(search->vectors, search->pending_rows, search->n_pending, &papers));
    if (!all) PKIN_TRY(select_earlier(search, latest, &other_rows, &others));
    PKIN_TRY(pkin_similarity_top_k(papers, all ? search->vectors : others, k, 0, search->options, &lists));
    take_earlier(search, &lists, other_rows, k);
out:
    pkin_neighbor_lists_free(&lists);
    pkin_i_free(other_rows);
    pkin_vectors_free(others);
    pkin_vectors_free(papers);
    return status;
}

/* Fills nearest and score of `found` for all rows. */
static pkin_status find_earlier(const pkin_vectors *vectors, const timeline *line, const uint32_t *rows, size_t n_rows,
                                const pkin_similarity_options *options, pkin_i_novelty *found) {
    pkin_status status = PKIN_OK;
    earlier_search search = {.vectors = vectors, .line = line, .options = options, .found = found, .rows = rows};
    uint64_t k = FIRST_NEIGHBORS;
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *search.pending, &search.pending));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *search.pending_rows, &search.pending_rows));
    for (size_t r = 0; r < n_rows; r++) {
        found[r] = (pkin_i_novelty){.percentile = -1, .nearest = UINT32_MAX};
        if (line->n_earlier[rows[r]] > 0 && !is_empty(vectors, rows[r]))
            search.pending[search.n_pending++] = (uint32_t)r;
    }
    for (bool first = true; search.n_pending > 0; first = false) {
        if (k > line->n_papers) k = line->n_papers;
        PKIN_TRY(search_round(&search, (uint32_t)k, first));
        k *= MORE_NEIGHBORS;
    }
out:
    pkin_i_free(search.pending);
    pkin_i_free(search.pending_rows);
    return status;
}

/* ---- Percentiles ---- */

/* Of ascending scores, how many are less than `score`. */
static size_t n_below(const uint64_t *scores, size_t n, uint64_t score) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scores[middle] < score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The farther, the higher: a higher score is a smaller distance. */
static double percentile_of(const uint64_t *scores, size_t n, uint64_t score) {
    size_t n_farther = n_below(scores, n, score), n_not_closer = n_below(scores, n, score + 1);
    size_t n_equal = n_not_closer - n_farther, n_closer = n - n_not_closer;
    return 100 * ((double)n_closer + 0.5 * (double)n_equal) / (double)n;
}

static pkin_status fill_percentiles(const pkin_vectors *vectors, const timeline *line, const uint32_t *rows,
                                    size_t n_rows, const pkin_i_novelty *sample, size_t n_sample, pkin_i_novelty *out) {
    pkin_status status = PKIN_OK;
    uint64_t *scores = NULL;
    PKIN_TRY(pkin_i_allocate(n_sample, sizeof *scores, &scores));
    for (size_t s = 0; s < n_sample; s++) scores[s] = sample[s].score;
    if (n_sample > 1) qsort(scores, n_sample, sizeof *scores, compare_numbers);
    for (size_t r = 0; r < n_rows && n_sample >= PKIN_I_NOVELTY_LEAST; r++) {
        if (can_be_judged(vectors, line, rows[r])) out[r].percentile = percentile_of(scores, n_sample, out[r].score);
    }
out:
    pkin_i_free(scores);
    return status;
}

pkin_status pkin_i_novelty_among(const pkin_vectors *vectors, const char (*days)[11], const uint32_t *rows,
                                 size_t n_rows, const pkin_similarity_options *options, pkin_i_novelty *out) {
    pkin_status status = PKIN_OK;
    timeline line = {0};
    uint32_t *all_rows = NULL;
    pkin_i_novelty *found = NULL;
    if (n_rows == 0) return PKIN_OK;
    PKIN_TRY(timeline_make(pkin_vectors_n_rows(vectors), days, &line));
    PKIN_TRY(pkin_i_allocate(n_rows + PKIN_I_NOVELTY_SAMPLE, sizeof *all_rows, &all_rows));
    PKIN_TRY(pkin_i_allocate(n_rows + PKIN_I_NOVELTY_SAMPLE, sizeof *found, &found));
    for (size_t r = 0; r < n_rows; r++) all_rows[r] = rows[r];
    size_t n_sample = choose_sample(vectors, &line, span_of(&line, rows, n_rows), all_rows + n_rows);
    PKIN_TRY(find_earlier(vectors, &line, all_rows, n_rows + n_sample, options, found));
    for (size_t r = 0; r < n_rows; r++) out[r] = found[r];
    status = fill_percentiles(vectors, &line, rows, n_rows, found + n_rows, n_sample, out);
out:
    pkin_i_free(found);
    pkin_i_free(all_rows);
    timeline_free(&line);
    return status;
}

pkin_status pkin_i_novelty_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                const pkin_similarity_options *options, pkin_i_novelty *out) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_history_load_days(history));
    status = pkin_i_novelty_among(history->related.vectors, history->days, rows, n_rows, options, out);
out:
    return status;
}
