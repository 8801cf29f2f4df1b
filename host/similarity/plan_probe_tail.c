/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tail method on a sample, for several heads at once. A head of a greater share is part of that of a smaller one: a
 * sampled row's products are added up class by class, from the columns that are in no head to those that are in all,
 * and after each class the sums so far are what the tail of one share gives. Floating point: these are only counts that
 * costs are judged by.
 */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_head.h"
#include "similarity/plan_probe.h"

/* Best shares go from 0.01 (thresholds of 0.8) to beyond 0.1 (0.2 and top-k). */
const double pkin_i_tail_shares[PKIN_I_TAIL_SHARES] = {0.01, 0.015, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15};

enum { BUCKETS = PKIN_I_HEAD_BUCKETS, N_CLASSES = PKIN_I_TAIL_SHARES + 1 };

/* A bound within this below a limit counts: norms are rounded up to 2^-14. */
static const float ROUNDING = 1e-4f;

/* One run. Columns are the sample's own numbers; "columns" of the sample are called partners here. */
typedef struct tail_run {
    const pkin_i_sample *sample;
    const pkin_i_tail_trial *trial;
    uint8_t *buckets[PKIN_I_TAIL_SHARES]; /* of every column in the head */
    uint32_t *offsets;                    /* n_columns + 1: of every column the partners that hold it */
    uint32_t *postings;
    float *weights;
    float *norms;   /* SHARES x BUCKETS x partners */
    float *sums;    /* of every thread, one a partner */
    uint32_t *hits; /* of every thread: SHARES x partners */
    uint64_t n_partners;
    int n_threads;
} tail_run;

static void count_rows(const pkin_vectors *rows, uint32_t *counts) {
    const uint64_t n = rows->row_offsets[rows->n_rows];
    for (uint64_t k = 0; k < n; k++) counts[rows->columns[k]]++;
}

static uint8_t class_of(double share) {
    uint8_t n = 0;
    while (n < PKIN_I_TAIL_SHARES && share >= pkin_i_tail_shares[n]) n++;
    return n;
}

/* What the columns of each class add, then what all classes up to one add. */
static void sum_up(const pkin_i_sample *sample, const uint32_t *row_counts, const uint32_t *partner_counts,
                   pkin_i_tail_trial *trial) {
    const double n_rows = (double)sample->rows.n_rows, n_partners = (double)sample->columns.n_rows;
    double entries[N_CLASSES + 1] = {0};
    uint64_t n_columns[N_CLASSES + 1] = {0};
    for (uint64_t c = 0; c < sample->rows.n_columns; c++) {
        const uint8_t class = trial->classes[c];
        trial->postings[class] += row_counts[c] / n_rows * partner_counts[c] / n_partners;
        entries[class] += (row_counts[c] + partner_counts[c]) / (n_rows + n_partners);
        n_columns[class]++;
    }
    for (int class = 1; class < N_CLASSES; class ++) trial->postings[class] += trial->postings[class - 1];
    for (int share = PKIN_I_TAIL_SHARES - 1; share >= 0; share--) {
        trial->head_entries[share] = trial->head_entries[share + 1] + entries[share + 1];
        trial->head_columns[share] = trial->head_columns[share + 1] + n_columns[share + 1];
    }
}

pkin_status pkin_i_tail_trial_open(const pkin_i_sample *sample, pkin_i_tail_trial *out) {
    pkin_status status;
    const uint64_t n_columns = sample->rows.n_columns;
    const double n_rows = (double)(sample->rows.n_rows + sample->columns.n_rows);
    pkin_i_tail_trial trial = {0};
    uint32_t *row_counts = NULL, *partner_counts = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(n_columns, sizeof *row_counts, &row_counts));
    PKIN_TRY(pkin_i_allocate_zeroed(n_columns, sizeof *partner_counts, &partner_counts));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *trial.classes, &trial.classes));
    count_rows(&sample->rows, row_counts);
    count_rows(&sample->columns, partner_counts);
    for (uint64_t c = 0; c < n_columns; c++) {
        const uint32_t n = row_counts[c] + partner_counts[c];
        /* The heaviest columns come first; a head has room for so many. */
        trial.classes[c] = n < 2 || c >= PKIN_I_HEAD_COLUMNS_MAX ? 0 : class_of(n / n_rows);
    }
    sum_up(sample, row_counts, partner_counts, &trial);
    *out = trial;
    trial.classes = NULL;
out:
    pkin_i_free(row_counts);
    pkin_i_free(partner_counts);
    pkin_i_free(trial.classes);
    return status;
}

/* As cpu_head.c does it: the heaviest first, each to the lightest bucket. */
static void deal_out(const tail_run *run, int share) {
    uint64_t loads[BUCKETS] = {0};
    for (uint64_t c = 0; c < run->sample->rows.n_columns && c < PKIN_I_HEAD_COLUMNS_MAX; c++) {
        if (run->trial->classes[c] <= share) continue;
        int lightest = 0;
        for (int b = 1; b < BUCKETS; b++) lightest = loads[b] < loads[lightest] ? b : lightest;
        loads[lightest] += run->sample->column_weights[c];
        run->buckets[share][c] = (uint8_t)lightest;
    }
}

static void row_norms(const tail_run *run, const pkin_vectors *rows, uint64_t r, int share, float *norms) {
    for (int b = 0; b < BUCKETS; b++) norms[b] = 0;
    for (uint64_t k = rows->row_offsets[r]; k < rows->row_offsets[r + 1]; k++) {
        const uint32_t c = rows->columns[k];
        const float weight = (float)rows->weights[k] * 0x1p-30f;
        if (run->trial->classes[c] > share) norms[run->buckets[share][c]] += weight * weight;
    }
    for (int b = 0; b < BUCKETS; b++) norms[b] = sqrtf(norms[b]);
}

static void index_partners(tail_run *run) {
    const pkin_vectors *partners = &run->sample->columns;
    uint32_t *offsets = run->offsets; /* counted two places on, moved one back by filling in */
    const uint64_t n = partners->row_offsets[partners->n_rows];
    for (uint64_t k = 0; k < n; k++) offsets[partners->columns[k] + 2]++;
    for (uint64_t c = 2; c < partners->n_columns + 2; c++) offsets[c] += offsets[c - 1];
    for (uint64_t p = 0; p < partners->n_rows; p++) {
        for (uint64_t k = partners->row_offsets[p]; k < partners->row_offsets[p + 1]; k++) {
            const uint32_t at = offsets[partners->columns[k] + 1]++;
            run->postings[at] = (uint32_t)p;
            run->weights[at] = (float)partners->weights[k] * 0x1p-30f;
        }
    }
}

static void partner_norms(tail_run *run, uint64_t p) {
    float norms[BUCKETS];
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) {
        row_norms(run, &run->sample->columns, p, share, norms);
        for (int b = 0; b < BUCKETS; b++) run->norms[(uint64_t)(share * BUCKETS + b) * run->n_partners + p] = norms[b];
    }
}

static void run_free(tail_run *run) {
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) pkin_i_free(run->buckets[share]);
    pkin_i_free(run->offsets);
    pkin_i_free(run->postings);
    pkin_i_free(run->weights);
    pkin_i_free(run->norms);
    pkin_i_free(run->sums);
    pkin_i_free(run->hits);
}

static pkin_status run_init(tail_run *run) {
    pkin_status status;
    const pkin_vectors *partners = &run->sample->columns;
    const uint64_t n_entries = partners->row_offsets[partners->n_rows], n_threads = (uint64_t)run->n_threads;
    run->n_partners = partners->n_rows;
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) {
        PKIN_TRY(pkin_i_allocate_zeroed(PKIN_I_HEAD_COLUMNS_MAX, 1, &run->buckets[share]));
        deal_out(run, share);
    }
    PKIN_TRY(pkin_i_allocate_zeroed(partners->n_columns + 2, sizeof *run->offsets, &run->offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *run->postings, &run->postings));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *run->weights, &run->weights));
    PKIN_TRY(pkin_i_allocate(run->n_partners * PKIN_I_TAIL_SHARES * BUCKETS, sizeof *run->norms, &run->norms));
    PKIN_TRY(pkin_i_allocate(run->n_partners * n_threads, sizeof *run->sums, &run->sums));
    PKIN_TRY(pkin_i_allocate_zeroed(run->n_partners * PKIN_I_TAIL_SHARES * n_threads, sizeof *run->hits, &run->hits));
    index_partners(run);
out:
    return status;
}

static void add_class(const tail_run *run, uint64_t r, int class, float *sums) {
    const pkin_vectors *rows = &run->sample->rows;
    for (uint64_t k = rows->row_offsets[r]; k < rows->row_offsets[r + 1]; k++) {
        const uint32_t c = rows->columns[k];
        if (run->trial->classes[c] != class) continue;
        const float weight = (float)rows->weights[k] * 0x1p-30f;
        for (uint32_t p = run->offsets[c]; p < run->offsets[c + 1]; p++)
            sums[run->postings[p]] += weight * run->weights[p];
    }
}

/* Adds to `hits` the partners whose sum, with what the head can add, reaches the limit; returns how many. */
static uint32_t count_reaching(const tail_run *run, uint64_t r, int share, const float *sums, float limit,
                               uint32_t *hits) {
    enum { STEP = 64 };
    float norms[BUCKETS], bounds[STEP];
    uint32_t n_hits = 0;
    row_norms(run, &run->sample->rows, r, share, norms);
    for (uint64_t first = 0; first < run->n_partners; first += STEP) {
        const uint64_t n = run->n_partners - first < STEP ? run->n_partners - first : STEP;
        memcpy(bounds, sums + first, n * sizeof *bounds);
        for (int b = 0; b < BUCKETS; b++) {
            const float *of_bucket = run->norms + (uint64_t)(share * BUCKETS + b) * run->n_partners + first;
            for (uint64_t p = 0; p < n; p++) bounds[p] += norms[b] * of_bucket[p];
        }
        for (uint64_t p = 0; p < n; p++) {
            if (bounds[p] < limit || pkin_i_sample_is_self(run->sample, r, first + p)) continue;
            hits[first + p]++;
            n_hits++;
        }
    }
    return n_hits;
}

static void run_row(const tail_run *run, pkin_i_tail_trial *trial, uint64_t k, uint64_t r, float limit) {
    const uint64_t thread = (uint64_t)omp_get_thread_num();
    float *sums = run->sums + thread * run->n_partners;
    uint32_t *hits = run->hits + thread * PKIN_I_TAIL_SHARES * run->n_partners;
    memset(sums, 0, run->n_partners * sizeof *sums);
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) {
        add_class(run, r, share, sums);
        trial->tallies[share].row_hits[k] =
            count_reaching(run, r, share, sums, limit, hits + (uint64_t)share * run->n_partners);
    }
}

static void collect(const tail_run *run, pkin_i_tally *tally, int share) {
    for (int t = 0; t < run->n_threads; t++) {
        const uint32_t *hits = run->hits + (uint64_t)(t * PKIN_I_TAIL_SHARES + share) * run->n_partners;
        for (uint64_t p = 0; p < run->n_partners; p++) tally->column_hits[p] += hits[p];
    }
    for (uint64_t k = 0; k < tally->n_rows; k++) tally->n_hits += tally->row_hits[k];
}

pkin_status pkin_i_tail_trial_run(const pkin_i_sample *sample, uint64_t n_rows, const uint64_t *row_scores,
                                  pkin_i_tail_trial *trial) {
    pkin_status status;
    const uint64_t n_sampled = sample->rows.n_rows;
    tail_run run = {.sample = sample, .trial = trial, .n_threads = sample->n_threads};
    if (n_rows > n_sampled) n_rows = n_sampled;
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) {
        PKIN_TRY(pkin_i_tally_open(sample, &trial->tallies[share]));
        trial->tallies[share].n_rows = n_rows;
    }
    PKIN_TRY(run_init(&run));
#pragma omp parallel num_threads(run.n_threads)
    {
#pragma omp for schedule(static)
        for (uint64_t p = 0; p < run.n_partners; p++) partner_norms(&run, p);
#pragma omp for schedule(dynamic, 1)
        for (uint64_t k = 0; k < n_rows; k++) {
            const uint64_t r = k * n_sampled / n_rows;
            run_row(&run, trial, k, r, (float)pkin_score_to_cosine(row_scores[r]) - ROUNDING);
        }
    }
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) collect(&run, &trial->tallies[share], share);
out:
    run_free(&run);
    return status;
}

void pkin_i_tail_trial_close(pkin_i_tail_trial *trial) {
    for (int share = 0; share < PKIN_I_TAIL_SHARES; share++) pkin_i_tally_close(&trial->tallies[share]);
    pkin_i_free(trial->classes);
    *trial = (pkin_i_tail_trial){0};
}
