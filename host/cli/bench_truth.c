/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"

/* Neighbours in the order of results: score descending, then row. */
typedef struct neighbor_array {
    pkin_neighbor *all;
    size_t n, capacity;
} neighbor_array;

struct pkin_i_bench_truth {
    uint64_t n_rows;
    uint64_t rows[PKIN_I_BENCH_SAMPLE]; /* ascending */
    size_t n_sampled;
    neighbor_array neighbors[PKIN_I_BENCH_SAMPLE];
};

static void add_neighbor(neighbor_array *array, uint64_t score, uint64_t row) {
    if (array->n == array->capacity) {
        size_t capacity = array->capacity ? 2 * array->capacity : 256;
        pkin_neighbor *all = pkin_i_cli_allocate(capacity, sizeof *all);
        if (array->n) memcpy(all, array->all, array->n * sizeof *all);
        free(array->all);
        array->all = all;
        array->capacity = capacity;
    }
    array->all[array->n++] = (pkin_neighbor){score, (uint32_t)row};
}

static int compare_neighbors(const void *a, const void *b) {
    const pkin_neighbor *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void sort_neighbors(neighbor_array *array) {
    if (array->n) qsort(array->all, array->n, sizeof *array->all, compare_neighbors);
}

/* Row r's neighbours that reach min_score or are among the first k; at most 4 k of the latter are held at a time. */
static void find_neighbors(const pkin_vectors *vectors, uint64_t r, uint64_t min_score, uint64_t k,
                           neighbor_array *out) {
    const uint64_t n_rows = pkin_vectors_n_rows(vectors);
    neighbor_array best = {0};
    for (uint64_t j = 0; j < n_rows; j++) {
        const uint64_t score = j == r ? 0 : pkin_vectors_score(vectors, r, vectors, j);
        if (score == 0) continue;
        if (score >= min_score) {
            add_neighbor(out, score, j);
        } else if (k > 0) {
            add_neighbor(&best, score, j);
            if (best.n < 4 * k) continue;
            sort_neighbors(&best);
            best.n = k;
        }
    }
    sort_neighbors(out);
    sort_neighbors(&best);
    for (size_t n = 0; n < best.n && out->n < k; n++) add_neighbor(out, best.all[n].score, best.all[n].row);
    free(best.all);
}

int pkin_i_bench_truth_find(pkin_i_cli *cli, const pkin_vectors *vectors, const pkin_i_bench_work *works,
                            size_t n_works, pkin_i_bench_truth **out) {
    pkin_i_bench_truth *truth = pkin_i_cli_allocate(1, sizeof *truth);
    uint64_t min_score = UINT64_MAX, k = 0;
    int stopped = 0;
    for (size_t w = 0; w < n_works; w++) {
        const uint64_t score = pkin_score_from_threshold(works[w].threshold);
        if (works[w].k == 0 && score < min_score) min_score = score;
        if (works[w].k > k) k = works[w].k;
    }
    truth->n_rows = pkin_vectors_n_rows(vectors);
    truth->n_sampled = truth->n_rows < PKIN_I_BENCH_SAMPLE ? (size_t)truth->n_rows : PKIN_I_BENCH_SAMPLE;
    pkin_i_signals_defer(true);
    for (size_t s = 0; s < truth->n_sampled && !stopped; s++) {
        /* Evenly, but not in step with whatever repeats in the corpus. */
        const uint64_t part = truth->n_rows / truth->n_sampled;
        truth->rows[s] = s * part + (s * UINT64_C(0x9e3779b97f4a7c15) >> 32) % part;
        stopped = pkin_i_progress_on_step(cli, "brute force", s, truth->n_sampled);
        if (!stopped) find_neighbors(vectors, truth->rows[s], min_score, k, &truth->neighbors[s]);
    }
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    *out = truth;
    return stopped ? pkin_i_cli_failed(cli, PKIN_ERROR_CANCELLED) : PKIN_I_EXIT_DONE;
}

void pkin_i_bench_truth_free(pkin_i_bench_truth *truth) {
    if (!truth) return;
    for (size_t s = 0; s < truth->n_sampled; s++) free(truth->neighbors[s].all);
    free(truth);
}

uint64_t pkin_i_bench_truth_n_rows(const pkin_i_bench_truth *truth) {
    return truth ? truth->n_sampled : 0;
}

/* How many of a row's neighbours a join at this score, or a top-k, must find. */
static size_t n_due(const neighbor_array *array, uint64_t min_score, uint64_t k) {
    size_t n = 0;
    while (n < array->n && n < k && array->all[n].score >= min_score) n++;
    return n;
}

static bool agrees(pkin_i_cli *cli, uint64_t row, const neighbor_array *due, size_t n, const pkin_neighbor *found,
                   size_t n_found) {
    size_t at = 0;
    while (at < n && at < n_found && due->all[at].score == found[at].score && due->all[at].row == found[at].row) at++;
    if (at == n && at == n_found) return true;
    char expected[PKIN_I_BENCH_TEXT_BYTES] = "nothing", instead[PKIN_I_BENCH_TEXT_BYTES] = "nothing";
    const char *const form = "row %" PRIu32 " with the score %" PRIu64;
    if (at < n) snprintf(expected, sizeof expected, form, due->all[at].row, due->all[at].score);
    if (at < n_found) snprintf(instead, sizeof instead, form, found[at].row, found[at].score);
    pkin_i_cli_error(cli, "neighbour %zu of row %" PRIu64 ": brute force finds %s, the result has %s", at + 1, row,
                     expected, instead);
    return false;
}

/* Which sampled row it is, or n_sampled. */
static size_t find_sampled(const pkin_i_bench_truth *truth, uint64_t row) {
    size_t low = 0, high = truth->n_sampled;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (truth->rows[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < truth->n_sampled && truth->rows[low] == row ? low : truth->n_sampled;
}

bool pkin_i_bench_truth_has_pairs(pkin_i_cli *cli, const pkin_i_bench_truth *truth, double threshold,
                                  const pkin_pair_list *list) {
    neighbor_array found[PKIN_I_BENCH_SAMPLE + 1] = {{0}}; /* the last: of rows that were not sampled, empty */
    bool good = true;
    for (uint64_t p = 0; p < list->n_pairs; p++) {
        const pkin_pair *pair = &list->pairs[p];
        const size_t i = find_sampled(truth, pair->i), j = find_sampled(truth, pair->j);
        if (i < truth->n_sampled) add_neighbor(&found[i], pair->score, pair->j);
        if (j < truth->n_sampled) add_neighbor(&found[j], pair->score, pair->i);
    }
    for (size_t s = 0; s < truth->n_sampled; s++) {
        const size_t n = n_due(&truth->neighbors[s], pkin_score_from_threshold(threshold), UINT64_MAX);
        sort_neighbors(&found[s]);
        good = good && agrees(cli, truth->rows[s], &truth->neighbors[s], n, found[s].all, found[s].n);
        free(found[s].all);
    }
    return good;
}

bool pkin_i_bench_truth_has_neighbors(pkin_i_cli *cli, const pkin_i_bench_truth *truth, uint32_t k,
                                      const pkin_neighbor_lists *lists) {
    bool good = true;
    for (size_t s = 0; s < truth->n_sampled && good; s++) {
        const uint64_t row = truth->rows[s], first = lists->offsets[row];
        good = agrees(cli, row, &truth->neighbors[s], n_due(&truth->neighbors[s], 1, k), lists->neighbors + first,
                      (size_t)(lists->offsets[row + 1] - first));
    }
    return good;
}
