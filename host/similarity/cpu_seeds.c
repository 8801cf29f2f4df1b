/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_seeds.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/failure.h"
#include "similarity/cpu_score.h"

enum {
    SHARES_MAX = 16, /* of the rows, each with a counter a column while the index is built */
    BEST_LEAST = 32  /* partners that are scored */
};

struct pkin_i_promise {
    uint64_t sum;
    uint32_t row;
};

/* ---- The inverted index ---- */

static uint64_t share_begin(const pkin_vectors *vectors, int share, int n_shares) {
    return vectors->n_rows / (uint64_t)n_shares * (uint64_t)share +
           (share == n_shares ? vectors->n_rows % (uint64_t)n_shares : 0);
}

/* Every share's counters become the places where its postings of each column begin: column by column, and in it share
   by share, so that rows ascend. */
static void place(uint64_t *counters, uint64_t n_columns, int n_shares, uint64_t *offsets) {
    uint64_t total = 0;
    for (uint64_t c = 0; c < n_columns; c++) {
        offsets[c] = total;
        for (int s = 0; s < n_shares; s++) {
            uint64_t n = counters[(uint64_t)s * n_columns + c];
            counters[(uint64_t)s * n_columns + c] = total;
            total += n;
        }
    }
    offsets[n_columns] = total;
}

static void count_share(const pkin_vectors *vectors, uint64_t begin_row, uint64_t end_row, uint64_t *counters) {
    const uint64_t end = vectors->row_offsets[end_row];
    for (uint64_t k = vectors->row_offsets[begin_row]; k < end; k++) counters[vectors->columns[k]]++;
}

static void fill_share(const pkin_vectors *vectors, uint64_t begin_row, uint64_t end_row, uint64_t *counters,
                       uint64_t *entries) {
    for (uint64_t r = begin_row; r < end_row; r++) {
        for (uint64_t k = vectors->row_offsets[r]; k < vectors->row_offsets[r + 1]; k++) {
            entries[counters[vectors->columns[k]]++] = (uint64_t)vectors->weights[k] << 32 | r;
        }
    }
}

pkin_status pkin_i_postings_build(const pkin_vectors *vectors, int n_threads, pkin_i_postings *out) {
    pkin_status status;
    pkin_i_postings postings = {0};
    uint64_t *counters = NULL;
    const uint64_t n_columns = vectors->n_columns, n_entries = vectors->row_offsets[vectors->n_rows];
    size_t n_counters;
    int n_shares = n_threads < SHARES_MAX ? n_threads : SHARES_MAX;
    while (n_shares > 1 && n_columns * (uint64_t)n_shares > n_entries) n_shares--;
    PKIN_REQUIRE(pkin_i_multiply(n_columns, (size_t)n_shares, &n_counters), PKIN_ERROR_OVERFLOW, "index: %llu columns",
                 (unsigned long long)n_columns);
    PKIN_TRY(pkin_i_allocate_zeroed(n_counters, sizeof *counters, &counters));
    PKIN_TRY(pkin_i_allocate(n_columns + 1, sizeof *postings.offsets, &postings.offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *postings.entries, &postings.entries));
#pragma omp parallel for num_threads(n_shares) schedule(static, 1) if (n_shares > 1)
    for (int s = 0; s < n_shares; s++) {
        count_share(vectors, share_begin(vectors, s, n_shares), share_begin(vectors, s + 1, n_shares),
                    counters + (uint64_t)s * n_columns);
    }
    place(counters, n_columns, n_shares, postings.offsets);
#pragma omp parallel for num_threads(n_shares) schedule(static, 1) if (n_shares > 1)
    for (int s = 0; s < n_shares; s++) {
        fill_share(vectors, share_begin(vectors, s, n_shares), share_begin(vectors, s + 1, n_shares),
                   counters + (uint64_t)s * n_columns, postings.entries);
    }
    *out = postings;
    postings = (pkin_i_postings){0};
out:
    pkin_i_postings_free(&postings);
    pkin_i_free(counters);
    return status;
}

void pkin_i_postings_free(pkin_i_postings *postings) {
    pkin_i_free(postings->offsets);
    pkin_i_free(postings->entries);
    *postings = (pkin_i_postings){0};
}

/* ---- Seeds ---- */

static uint64_t n_best_for(uint32_t k) {
    uint64_t wanted = (uint64_t)k + k / 2;
    return wanted < BEST_LEAST ? BEST_LEAST : wanted;
}

static uint64_t longest_row(const pkin_vectors *vectors) {
    uint64_t longest = 0;
    for (uint64_t r = 0; r < vectors->n_rows; r++) {
        uint64_t n = vectors->row_offsets[r + 1] - vectors->row_offsets[r];
        longest = n > longest ? n : longest;
    }
    return longest;
}

pkin_status pkin_i_seeder_init(const pkin_vectors *rows, const pkin_vectors *others, int within,
                               const pkin_i_postings *postings, pkin_i_isa isa, pkin_i_neighbor_heaps *heaps,
                               uint32_t postings_a_partner, pkin_i_seeder *out) {
    pkin_status status;
    const uint64_t n_best = n_best_for(heaps->k);
    *out = (pkin_i_seeder){
        .rows = rows, .others = others, .within = within, .postings = postings, .isa = isa, .heaps = heaps};
    out->n_best = (uint32_t)(n_best < others->n_rows ? n_best : others->n_rows);
    out->budget = n_best * postings_a_partner;
    PKIN_TRY(pkin_i_allocate_zeroed(others->n_rows, sizeof *out->sums, &out->sums));
    PKIN_TRY(pkin_i_allocate(others->n_rows + 1, sizeof *out->touched, &out->touched));
    PKIN_TRY(pkin_i_allocate_zeroed(rows->n_columns, sizeof *out->dense, &out->dense));
    PKIN_TRY(pkin_i_allocate(longest_row(rows), sizeof *out->order, &out->order));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->best, &out->best));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->best_rows, &out->best_rows));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->scores, &out->scores));
out:
    return status;
}

void pkin_i_seeder_free(pkin_i_seeder *seeder) {
    pkin_i_free(seeder->sums);
    pkin_i_free(seeder->touched);
    pkin_i_free(seeder->dense);
    pkin_i_free(seeder->order);
    pkin_i_free(seeder->best);
    pkin_i_free(seeder->best_rows);
    pkin_i_free(seeder->scores);
    *seeder = (pkin_i_seeder){0};
}

static uint64_t n_postings_of(const pkin_i_postings *postings, uint32_t column) {
    return postings->offsets[column + 1] - postings->offsets[column];
}

uint64_t pkin_i_seed_postings(const pkin_i_seeder *seeder, uint64_t row) {
    uint64_t n = 0;
    for (uint64_t k = seeder->rows->row_offsets[row]; k < seeder->rows->row_offsets[row + 1]; k++) {
        n += n_postings_of(seeder->postings, seeder->rows->columns[k]);
    }
    return n;
}

/* Adds products with the first `n` rows of a column; lists the rows that get their first. The place after the last is
   written, too. */
static size_t add_column(pkin_i_seeder *seeder, uint32_t column, uint64_t weight, uint64_t n, size_t n_touched) {
    const uint64_t *entries = seeder->postings->entries + seeder->postings->offsets[column];
    for (uint64_t p = 0; p < n; p++) {
        const uint32_t row = (uint32_t)entries[p];
        seeder->touched[n_touched] = row;
        n_touched += seeder->sums[row] == 0;
        seeder->sums[row] += (entries[p] >> 32) * weight;
    }
    return n_touched;
}

/* A column tells by w^2 / (rows that have it): floating point chooses where to look first, and decides no result. */
static uint64_t *order_columns(pkin_i_seeder *seeder, uint64_t begin, uint64_t end) {
    uint64_t *order = seeder->order;
    for (uint64_t k = begin; k < end; k++) {
        const double weight = seeder->rows->weights[k];
        const double n = (double)n_postings_of(seeder->postings, seeder->rows->columns[k]);
        /* Descending as integers ascend; a float's bits order as its value does. */
        union {
            float value;
            uint32_t bits;
        } telling = {.value = (float)(weight * weight / (n + 1))};
        order[k - begin] = (uint64_t)~telling.bits << 32 | (k - begin);
    }
    return order;
}

static int ascending(const void *x, const void *y) {
    const uint64_t *p = x, *q = y;
    return (*p > *q) - (*p < *q);
}

static bool is_less(pkin_i_promise x, pkin_i_promise y) {
    return x.sum < y.sum;
}

/* Puts an item at the root of a heap of n whose root is the least, in place of what is there. */
static void replace_root(pkin_i_promise *heap, size_t n, pkin_i_promise item) {
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) break;
        if (child + 1 < n && is_less(heap[child + 1], heap[child])) child++;
        if (!is_less(heap[child], item)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

static void enter(pkin_i_promise *heap, size_t n, pkin_i_promise item) {
    size_t at = n;
    while (at > 0 && is_less(item, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = item;
}

/* The touched rows with the largest sums go to best_rows; all sums are 0 again. */
static size_t take_best(pkin_i_seeder *seeder, uint64_t row, size_t n_touched) {
    size_t n = 0;
    for (size_t t = 0; t < n_touched; t++) {
        pkin_i_promise item = {seeder->sums[seeder->touched[t]], seeder->touched[t]};
        seeder->sums[item.row] = 0;
        if (seeder->within && item.row == row) continue;
        if (n < seeder->n_best) {
            enter(seeder->best, n++, item);
        } else if (is_less(seeder->best[0], item)) {
            replace_root(seeder->best, n, item);
        }
    }
    for (size_t k = 0; k < n; k++) seeder->best_rows[k] = seeder->best[k].row;
    return n;
}

static void offer(pkin_i_seeder *seeder, uint64_t row, uint32_t other, uint64_t score) {
    if (score == 0 || (seeder->within && other == row)) return;
    pkin_i_neighbor_offer_again(seeder->heaps, row, other, score);
}

/* Scores the row against the first `n` of best_rows and offers each to the other. */
static void score_best(pkin_i_seeder *seeder, uint64_t row, size_t n) {
    pkin_i_score_spread(seeder->rows, row, seeder->dense);
    pkin_i_score_rows(seeder->isa, seeder->dense, seeder->others, seeder->best_rows, n, seeder->scores);
    pkin_i_score_clear(seeder->rows, row, seeder->dense);
    for (size_t k = 0; k < n; k++) {
        offer(seeder, row, seeder->best_rows[k], seeder->scores[k]);
        if (seeder->within) offer(seeder, seeder->best_rows[k], (uint32_t)row, seeder->scores[k]);
    }
    seeder->n_scored += n;
}

void pkin_i_seed_some(pkin_i_seeder *seeder, uint64_t row) {
    const uint64_t begin = seeder->rows->row_offsets[row], end = seeder->rows->row_offsets[row + 1];
    uint64_t budget = seeder->budget;
    size_t n_touched = 0;
    uint64_t *order = order_columns(seeder, begin, end);
    qsort(order, end - begin, sizeof *order, ascending);
    for (uint64_t k = 0; k < end - begin && budget > 0; k++) {
        const uint64_t at = begin + (uint32_t)order[k];
        const uint64_t all = n_postings_of(seeder->postings, seeder->rows->columns[at]),
                       n = all < budget ? all : budget;
        n_touched = add_column(seeder, seeder->rows->columns[at], seeder->rows->weights[at], n, n_touched);
        budget -= n;
    }
    score_best(seeder, row, take_best(seeder, row, n_touched));
}

void pkin_i_seed_all(pkin_i_seeder *seeder, uint64_t row) {
    const pkin_vectors *rows = seeder->rows;
    size_t n_touched = 0;
    for (uint64_t k = rows->row_offsets[row]; k < rows->row_offsets[row + 1]; k++) {
        const uint64_t n = n_postings_of(seeder->postings, rows->columns[k]);
        n_touched = add_column(seeder, rows->columns[k], rows->weights[k], n, n_touched);
    }
    seeder->n_scored += n_touched;
    for (size_t t = 0; t < n_touched; t++) {
        const uint32_t other = seeder->touched[t];
        offer(seeder, row, other, seeder->sums[other]);
        seeder->sums[other] = 0;
    }
}
