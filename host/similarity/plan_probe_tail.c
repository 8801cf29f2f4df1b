/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tail method on a sample, one head at a time. Which columns are the head follows from how many rows hold them, and
 * that from more rows than can be compared: counting is cheap. The rows of the sample are arranged by the method's own
 * code (cpu_tail_rows.h) and looked at by its own kernels, so that both bounds are what they will be, but for the order
 * of columns of nearly equal frequency.
 */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_tail_cost.h"
#include "similarity/cpu_tail_kernels.h"
#include "similarity/plan_probe.h"

enum { COUNTED_ROWS = 8192 }; /* of a side: a column in 1% of all is in 82 +- 9 of them */

/* One run: rows of the sample against partners, which are "columns" of it. */
typedef struct tail_run {
    const pkin_i_tail_trial *trial;
    pkin_i_tail_trial *out;
    const pkin_i_tail_kernels *kernels;
    pkin_i_tail_ranks ranks;
    pkin_i_tail_rows arranged;
    uint32_t *sums;           /* of every thread: n_room zeroes */
    pkin_i_tail_found *found; /* of every thread: n_room + 1 */
    uint64_t n_room;          /* partners, rounded up */
    const uint64_t *row_scores;
} tail_run;

/* ---- Frequencies ---- */

/* Rows of a side that hold each column, among every `stride`-th of them; returns how many rows those are. */
static uint64_t count_some(const pkin_vectors *rows, uint32_t *counts) {
    const uint64_t stride = (rows->n_rows + COUNTED_ROWS - 1) / COUNTED_ROWS;
    uint64_t n = 0;
    for (uint64_t r = 0; r < rows->n_rows; r += stride, n++) {
        for (uint64_t k = rows->row_offsets[r]; k < rows->row_offsets[r + 1]; k++) counts[rows->columns[k]]++;
    }
    return n;
}

/* Counts that the head is judged by, in place of those of a. */
static void mean_counts(pkin_i_tail_trial *trial) {
    for (uint64_t c = 0; trial->counts_b && c < trial->n_columns; c++) {
        trial->counts_a[c] = (uint32_t)ceil(sqrt((double)trial->counts_a[c] * trial->counts_b[c]));
    }
    trial->n_counted = sqrt((double)trial->n_counted_a * (double)trial->n_counted_b);
}

/*
 * Postings that a visit of a column with n postings in a block, on average, sees beside these: lists are padded to
 * groups of four, by one and a half where they are long, by three where they have one posting, and not where they have
 * none.
 */
static double padding_of(double n) {
    return n / (1 + n) * (1.5 + 1.5 / (1 + n));
}

/* What the columns outside the head, those of a count below `least`, make of every pair of rows and every row. */
static void sum_up(const pkin_i_tail_trial *trial, uint64_t least, pkin_i_tail_use *use) {
    const double n = trial->n_counted, n_pairs = trial->counts_b ? n * n : n * (n - 1);
    const double block_rows =
        trial->sample->n_a < PKIN_I_TAIL_BLOCK_ROWS ? (double)trial->sample->n_a : PKIN_I_TAIL_BLOCK_ROWS;
    /* Columns of a single row are left out, where they are known. */
    const uint32_t dropped = !trial->counts_b && trial->n_counted_a == trial->sample->n_a;
    *use = (pkin_i_tail_use){0};
    for (uint64_t c = 0; c < trial->n_columns; c++) {
        const double count = trial->counts_a[c];
        if (trial->counts_a[c] >= least) use->head_entries += count / n;
        if (trial->counts_a[c] >= least || trial->counts_a[c] <= dropped) continue;
        /* Within one set: pairs of different rows, so that few counted rows do not mislead. */
        use->postings += trial->counts_b ? count * count / n_pairs : count * (count - 1) / n_pairs;
        const double entries = trial->counts_b ? trial->counts_b[c] / (double)trial->n_counted_b : count / n;
        use->entries += entries;
        use->padding += entries * padding_of(block_rows * count / n);
    }
}

static uint64_t least_count(const pkin_i_tail_trial *trial, double share) {
    const double least = ceil(share * trial->n_counted);
    return share <= 0 ? UINT64_MAX : least < 1 ? 1 : (uint64_t)least;
}

void pkin_i_tail_trial_use(const pkin_i_tail_trial *trial, double share, pkin_i_tail_use *out) {
    sum_up(trial, least_count(trial, share), out);
}

/* ---- The sample's rows ---- */

static pkin_status take_some(const pkin_vectors *rows, uint64_t n, uint32_t **ids, pkin_vectors **out) {
    pkin_status status = pkin_i_allocate(n, sizeof **ids, ids);
    if (status != PKIN_OK) return status;
    for (uint64_t k = 0; k < n; k++) (*ids)[k] = (uint32_t)(k * rows->n_rows / n);
    return pkin_vectors_select(rows, *ids, n, out);
}

/* Which partners hold each column of the sample, with their weights. */
static pkin_status index_partners(pkin_i_tail_trial *trial) {
    pkin_status status;
    const pkin_vectors *partners = trial->partners;
    const uint64_t n = partners->row_offsets[partners->n_rows];
    PKIN_TRY(pkin_i_allocate_zeroed(partners->n_columns + 2, sizeof *trial->offsets, &trial->offsets));
    PKIN_TRY(pkin_i_allocate(n, sizeof *trial->postings, &trial->postings));
    /* Counted two places on, summed, and moved one place back by filling in. */
    for (uint64_t k = 0; k < n; k++) trial->offsets[partners->columns[k] + 2]++;
    for (uint64_t c = 2; c < partners->n_columns + 2; c++) trial->offsets[c] += trial->offsets[c - 1];
    for (uint64_t p = 0; p < partners->n_rows; p++) {
        for (uint64_t k = partners->row_offsets[p]; k < partners->row_offsets[p + 1]; k++) {
            trial->postings[trial->offsets[partners->columns[k] + 1]++] =
                (pkin_i_tail_found){(uint32_t)p, pkin_i_tail_weight(partners->weights[k])};
        }
    }
out:
    return status;
}

pkin_status pkin_i_tail_trial_open(const pkin_i_sample *sample, pkin_i_isa isa, uint64_t n_rows, uint64_t n_partners,
                                   pkin_i_tail_trial *out) {
    pkin_status status;
    const pkin_vectors *a = &sample->sides.a, *b = sample->within ? NULL : &sample->sides.b;
    pkin_i_tail_trial trial = {.sample = sample, .isa = isa, .n_columns = a->n_columns};
    PKIN_TRY(pkin_i_allocate_zeroed(a->n_columns, sizeof *trial.counts_a, &trial.counts_a));
    trial.n_counted_a = trial.n_counted_b = count_some(a, trial.counts_a);
    if (b) {
        PKIN_TRY(pkin_i_allocate_zeroed(b->n_columns, sizeof *trial.counts_b, &trial.counts_b));
        trial.n_counted_b = count_some(b, trial.counts_b);
    }
    mean_counts(&trial);
    if (n_rows > sample->rows.n_rows) n_rows = sample->rows.n_rows;
    if (n_partners > sample->columns.n_rows) n_partners = sample->columns.n_rows;
    PKIN_TRY(take_some(&sample->rows, n_rows, &trial.row_ids, &trial.rows));
    PKIN_TRY(take_some(&sample->columns, n_partners, &trial.partner_ids, &trial.partners));
    PKIN_TRY(index_partners(&trial));
    PKIN_TRY(pkin_i_tally_open(sample, &trial.refined));
    PKIN_TRY(pkin_i_tally_open(sample, &trial.candidates));
    trial.refined.n_rows = trial.candidates.n_rows = n_rows;
    trial.refined.n_columns = trial.candidates.n_columns = n_partners;
    *out = trial;
    trial = (pkin_i_tail_trial){0};
out:
    pkin_i_tail_trial_close(&trial);
    return status;
}

void pkin_i_tail_trial_close(pkin_i_tail_trial *trial) {
    pkin_i_tally_close(&trial->refined);
    pkin_i_tally_close(&trial->candidates);
    pkin_vectors_free(trial->rows);
    pkin_vectors_free(trial->partners);
    pkin_i_free(trial->row_ids);
    pkin_i_free(trial->partner_ids);
    pkin_i_free(trial->counts_a);
    pkin_i_free(trial->counts_b);
    pkin_i_free(trial->offsets);
    pkin_i_free(trial->postings);
    *trial = (pkin_i_tail_trial){0};
}

/* ---- One head ---- */

static pkin_status arrange(tail_run *run, uint64_t least) {
    pkin_status status;
    const pkin_i_tail_trial *trial = run->trial;
    const uint64_t n_columns = trial->rows->n_columns;
    uint32_t *frequencies = NULL;
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *frequencies, &frequencies));
    for (uint64_t c = 0; c < n_columns; c++) {
        /* None is left out: that a column was not counted does not mean that a single row holds it. */
        const uint32_t count = trial->counts_a[trial->sample->column_numbers[c]];
        frequencies[c] = count ? count : 1;
    }
    PKIN_TRY(pkin_i_tail_ranks_build(frequencies, n_columns, least, &run->ranks));
    PKIN_TRY(
        pkin_i_tail_rows_arrange(&run->ranks, trial->rows, trial->partners, trial->sample->n_threads, &run->arranged));
out:
    pkin_i_free(frequencies);
    return status;
}

/* The tail's products of row r, in the unit of bounds. */
static void add_tail(const tail_run *run, uint64_t r, uint32_t *sums) {
    const pkin_i_tail_trial *trial = run->trial;
    const pkin_vectors *rows = trial->rows;
    for (uint64_t k = rows->row_offsets[r]; k < rows->row_offsets[r + 1]; k++) {
        const uint32_t c = rows->columns[k], weight = pkin_i_tail_weight(rows->weights[k]);
        if (run->ranks.ranks[c] < run->ranks.n_head) continue;
        for (uint32_t p = trial->offsets[c]; p < trial->offsets[c + 1]; p++) {
            sums[trial->postings[p].place] += trial->postings[p].tail * weight;
        }
    }
}

/* Adds who was found to the tally; partners may be shared between threads. */
static void count_found(const tail_run *run, uint64_t r, const pkin_i_tail_found *found, size_t n_found,
                        pkin_i_tally *tally) {
    const pkin_i_tail_trial *trial = run->trial;
    uint32_t n = 0;
    for (size_t f = 0; f < n_found; f++) {
        const uint32_t place = found[f].place;
        if (place >= trial->partners->n_rows) continue;
        if (pkin_i_sample_is_self(trial->sample, trial->row_ids[r], trial->partner_ids[place])) continue;
        __atomic_fetch_add(&tally->column_hits[place], 1, __ATOMIC_RELAXED);
        n++;
    }
    tally->row_hits[r] = n;
    __atomic_fetch_add(&tally->n_hits, n, __ATOMIC_RELAXED);
}

static void run_row(const tail_run *run, uint64_t r) {
    const uint64_t thread = (uint64_t)omp_get_thread_num();
    uint32_t *sums = run->sums + thread * run->n_room;
    pkin_i_tail_found *found = run->found + thread * (run->n_room + 1);
    const pkin_i_tail_side *a = &run->arranged.a, *b = &run->arranged.b;
    const uint32_t limit = pkin_i_tail_limit(run->row_scores[run->trial->row_ids[r]]);
    add_tail(run, r, sums);
    size_t n =
        run->kernels->scan(sums, b->coarse, a->coarse + r * PKIN_I_COARSE_BUCKETS, run->n_room, limit, NULL, found);
    while (n > 0 && found[n - 1].place >= b->n_rows) n--;
    count_found(run, r, found, n, &run->out->refined);
    n = run->kernels->refine(b->fine, a->fine + r * PKIN_I_FINE_BUCKETS, limit, NULL, found, n);
    count_found(run, r, found, n, &run->out->candidates);
}

pkin_status pkin_i_tail_trial_run(pkin_i_tail_trial *trial, double share, const uint64_t *row_scores) {
    pkin_status status;
    const uint64_t n_partners = trial->partners->n_rows, n_threads = (uint64_t)trial->sample->n_threads;
    tail_run run = {.trial = trial, .out = trial, .row_scores = row_scores};
    run.kernels = pkin_i_tail_kernels_for(trial->isa);
    run.n_room = (n_partners + PKIN_I_TAIL_ROUND - 1) / PKIN_I_TAIL_ROUND * PKIN_I_TAIL_ROUND;
    pkin_i_tally_clear(&trial->refined);
    pkin_i_tally_clear(&trial->candidates);
    PKIN_TRY(pkin_i_allocate_zeroed(run.n_room * n_threads, sizeof *run.sums, &run.sums));
    PKIN_TRY(pkin_i_allocate((run.n_room + 1) * n_threads, sizeof *run.found, &run.found));
    PKIN_TRY(arrange(&run, least_count(trial, share)));
#pragma omp parallel for num_threads((int)n_threads) schedule(dynamic, 4)
    for (uint64_t r = 0; r < trial->rows->n_rows; r++) run_row(&run, r);
out:
    pkin_i_tail_rows_free(&run.arranged);
    pkin_i_tail_ranks_free(&run.ranks);
    pkin_i_free(run.sums);
    pkin_i_free(run.found);
    return status;
}
