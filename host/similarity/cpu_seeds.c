/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_seeds.h"

#include "base/failure.h"
#include "similarity/cpu_score.h"

/*
 * Strategy. A row's columns are taken from a heap, those first that tell most for what they cost: w^2 / (rows that have
 * them). Their products are added up in 32 bits, coarsely, one sum a partner, which the second-level cache holds; the
 * partners with the largest sums are scored exactly. Those that stand in the row's heap already, because the row was
 * among their own seeds, are not scored again: others take their places.
 */
enum {
    SHARES_MAX = 16, /* of the rows, each with a counter a column while the index is built */
    /* Weights are at most 2^30 and a row's squares add up to 2^60 at most: sums of (w >> 15) (w' >> 15) to 2^30. */
    PART_SHIFT = 15,
    ENTRIES_PER_LINE = 8, /* of a cache */
    PREFETCH_MOST = 64    /* of a column's postings: the processor sees by itself how it goes on */
};

/* ---- The inverted index ---- */

static uint64_t share_begin(const pkin_vectors *vectors, int share, int n_shares) {
    return vectors->n_rows / (uint64_t)n_shares * (uint64_t)share +
           (share == n_shares ? vectors->n_rows % (uint64_t)n_shares : 0);
}

/* Every share's counters become the places where its postings of each column begin: column by column, and in it share
 * by share, so that rows ascend. */
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
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *postings.rarity, &postings.rarity));
#pragma omp parallel for num_threads(n_shares) schedule(static, 1) if (n_shares > 1)
    for (int s = 0; s < n_shares; s++) {
        count_share(vectors, share_begin(vectors, s, n_shares), share_begin(vectors, s + 1, n_shares),
                    counters + (uint64_t)s * n_columns);
    }
    place(counters, n_columns, n_shares, postings.offsets);
    for (uint64_t c = 0; c < n_columns; c++) {
        postings.rarity[c] = 1.0f / ((float)(postings.offsets[c + 1] - postings.offsets[c]) + 1.0f);
    }
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
    pkin_i_free(postings->rarity);
    *postings = (pkin_i_postings){0};
}

uint64_t pkin_i_postings_bytes(const pkin_vectors *vectors) {
    return vectors->n_columns * (sizeof(uint64_t) + sizeof(float)) +
           vectors->row_offsets[vectors->n_rows] * sizeof(uint64_t);
}

/* ---- Seeds ---- */

static uint64_t n_best_for(uint32_t k, uint32_t n_partners) {
    uint64_t wanted = (uint64_t)k + k / 2;
    return wanted < n_partners ? n_partners : wanted;
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
                               pkin_i_seed_effort effort, pkin_i_seeder *out) {
    pkin_status status;
    const uint64_t n_best = n_best_for(heaps->k, effort.n_partners), n_longest = longest_row(rows);
    *out = (pkin_i_seeder){
        .rows = rows, .others = others, .within = within, .postings = postings, .isa = isa, .heaps = heaps};
    out->n_best = (uint32_t)(n_best < others->n_rows ? n_best : others->n_rows);
    out->budget = n_best * effort.n_postings;
    PKIN_TRY(pkin_i_allocate_zeroed(others->n_rows, sizeof *out->sums, &out->sums));
    PKIN_TRY(pkin_i_allocate_zeroed(others->n_rows, sizeof *out->parts, &out->parts));
    PKIN_TRY(pkin_i_allocate(others->n_rows + 1, sizeof *out->touched, &out->touched));
    PKIN_TRY(pkin_i_allocate_zeroed(rows->n_columns, sizeof *out->dense, &out->dense));
    PKIN_TRY(pkin_i_allocate(n_longest, sizeof *out->columns, &out->columns));
    PKIN_TRY(pkin_i_allocate(n_longest, sizeof *out->slices, &out->slices));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->best, &out->best));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->best_rows, &out->best_rows));
    PKIN_TRY(pkin_i_allocate(out->n_best, sizeof *out->scores, &out->scores));
out:
    return status;
}

uint64_t pkin_i_seeder_bytes(const pkin_vectors *rows, const pkin_vectors *others) {
    return others->n_rows * (sizeof(uint64_t) + 2 * sizeof(uint32_t)) + rows->n_columns * sizeof(uint32_t);
}

void pkin_i_seeder_free(pkin_i_seeder *seeder) {
    pkin_i_free(seeder->sums);
    pkin_i_free(seeder->parts);
    pkin_i_free(seeder->touched);
    pkin_i_free(seeder->dense);
    pkin_i_free(seeder->columns);
    pkin_i_free(seeder->slices);
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

/* ---- A few columns of a row ---- */

/* Puts an item at place `at` of a heap whose root is the least, in place of what is there; it may sink. */
static void sink(uint64_t *heap, size_t n, size_t at, uint64_t item) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) break;
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[child] >= item) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

static void rise(uint64_t *heap, size_t at, uint64_t item) {
    while (at > 0 && item < heap[(at - 1) / 2]) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = item;
}

/* A row's entries as a heap, the most telling at its root. Floating point chooses where to look first, and decides no
 * result. */
static void heap_columns(pkin_i_seeder *seeder, uint64_t begin, size_t n) {
    const uint32_t *columns = seeder->rows->columns + begin, *weights = seeder->rows->weights + begin;
    for (size_t k = 0; k < n; k++) {
        const float weight = (float)weights[k];
        /* Descending as integers ascend; a float's bits order as its value does. */
        union {
            float value;
            uint32_t bits;
        } telling = {.value = weight * weight * seeder->postings->rarity[columns[k]]};
        seeder->columns[k] = (uint64_t)~telling.bits << 32 | k;
    }
    for (size_t at = n / 2; at-- > 0;) sink(seeder->columns, n, at, seeder->columns[at]);
}

/* Of a column with more postings than are wanted, those of the rows about as far on as this one: so that not all rows
 * meet the same partners, and neighbouring rows read the same memory. */
static pkin_i_seed_slice slice_of(const pkin_i_seeder *seeder, uint64_t row, uint64_t at, uint64_t n_most) {
    const uint32_t column = seeder->rows->columns[at];
    const uint64_t n_all = n_postings_of(seeder->postings, column), n = n_all < n_most ? n_all : n_most;
    const uint64_t first = (uint64_t)((double)(n_all - n) * ((double)row / (double)seeder->rows->n_rows));
    return (pkin_i_seed_slice){.entries = seeder->postings->entries + seeder->postings->offsets[column] + first,
                               .n = n,
                               .by = seeder->rows->weights[at] >> PART_SHIFT};
}

/* The postings of the most telling columns of a row, as many as the budget allows. Returns how many slices. */
static size_t take_slices(pkin_i_seeder *seeder, uint64_t row) {
    const uint64_t begin = seeder->rows->row_offsets[row];
    uint64_t n_left = seeder->budget;
    size_t n = seeder->rows->row_offsets[row + 1] - begin, n_slices = 0;
    heap_columns(seeder, begin, n);
    while (n > 0 && n_left > 0) {
        const pkin_i_seed_slice slice = slice_of(seeder, row, begin + (uint32_t)seeder->columns[0], n_left);
        for (uint64_t p = 0; p < slice.n && p < PREFETCH_MOST; p += ENTRIES_PER_LINE) {
            __builtin_prefetch(&slice.entries[p]);
        }
        seeder->slices[n_slices++] = slice;
        n_left -= slice.n;
        n--;
        sink(seeder->columns, n, 0, seeder->columns[n]);
    }
    return n_slices;
}

/* Adds products with a slice's rows; lists the rows that get their first. The place after the last is written, too. */
static size_t add_parts(pkin_i_seeder *seeder, pkin_i_seed_slice slice, size_t n_touched) {
    uint32_t *restrict parts = seeder->parts, *restrict touched = seeder->touched;
    for (uint64_t p = 0; p < slice.n; p++) {
        const uint32_t row = (uint32_t)slice.entries[p], part = parts[row];
        touched[n_touched] = row;
        n_touched += part == 0;
        /* Odd, so that no sum stays 0. */
        parts[row] = (part + (uint32_t)(slice.entries[p] >> (32 + PART_SHIFT)) * slice.by) | 1;
    }
    return n_touched;
}

/* Partners that need no seed: the row itself, and those that its heap holds. */
static void leave_out(pkin_i_seeder *seeder, uint64_t row) {
    if (!seeder->within) return;
    seeder->parts[row] = 0;
    const size_t n = pkin_i_neighbor_rows(seeder->heaps, row, seeder->best_rows, seeder->n_best);
    for (size_t k = 0; k < n; k++) seeder->parts[seeder->best_rows[k]] = 0;
}

/* The touched rows with the largest sums go to best_rows; all sums are 0 again. */
static size_t take_best(pkin_i_seeder *seeder, size_t n_touched) {
    uint64_t *best = seeder->best, least = 0;
    const size_t n_best = seeder->n_best;
    size_t n = 0;
    for (size_t t = 0; t < n_touched; t++) {
        const uint32_t other = seeder->touched[t], part = seeder->parts[other];
        const uint64_t item = (uint64_t)part << 32 | other;
        seeder->parts[other] = 0;
        if (part == 0 || item < least) continue;
        if (n < n_best) {
            rise(best, n++, item);
        } else {
            sink(best, n, 0, item);
        }
        if (n == n_best) least = best[0];
    }
    for (size_t k = 0; k < n; k++) {
        seeder->best_rows[k] = (uint32_t)best[k];
        if (seeder->within) pkin_i_neighbor_prefetch(seeder->heaps, (uint32_t)best[k]);
    }
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
    const size_t n_slices = take_slices(seeder, row);
    size_t n_touched = 0;
    for (size_t k = 0; k < n_slices; k++) n_touched = add_parts(seeder, seeder->slices[k], n_touched);
    leave_out(seeder, row);
    score_best(seeder, row, take_best(seeder, n_touched));
}

/* ---- All columns of a row ---- */

/* Adds a column's products; as add_parts. */
static size_t add_column(pkin_i_seeder *seeder, uint32_t column, uint64_t weight, size_t n_touched) {
    const uint64_t *entries = seeder->postings->entries + seeder->postings->offsets[column];
    const uint64_t n = n_postings_of(seeder->postings, column);
    for (uint64_t p = 0; p < n; p++) {
        const uint32_t row = (uint32_t)entries[p];
        seeder->touched[n_touched] = row;
        n_touched += seeder->sums[row] == 0;
        seeder->sums[row] += (entries[p] >> 32) * weight;
    }
    return n_touched;
}

void pkin_i_seed_all(pkin_i_seeder *seeder, uint64_t row) {
    const pkin_vectors *rows = seeder->rows;
    size_t n_touched = 0;
    for (uint64_t k = rows->row_offsets[row]; k < rows->row_offsets[row + 1]; k++) {
        n_touched = add_column(seeder, rows->columns[k], rows->weights[k], n_touched);
    }
    seeder->n_scored += n_touched;
    for (size_t t = 0; t < n_touched; t++) {
        const uint32_t other = seeder->touched[t];
        offer(seeder, row, other, seeder->sums[other]);
        seeder->sums[other] = 0;
    }
}
