/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan_sample.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "base/radix_sort.h"
#include "similarity/sketch.h"

/* Half the width of a band, in standard deviations of the square root of a Poisson count (which are 1/2). */
static const double BAND_DEVIATIONS = 3.2;
/*
 * Buckets are dealt out for the sample and so fit it a little better than all rows: candidates were up to 8% more than
 * estimated, in samples of some hundred rows.
 */
static const double FIT_BELOW = 0.95, FIT_ABOVE = 1.15;

/* Any mixing will do that is the same everywhere (the finaliser of MurmurHash3, public domain). */
static uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* One row of each of n equal stretches of n_rows (< 2^32) rows, 0 < n <= n_rows. */
static void pick_rows(uint64_t n_rows, uint64_t n, uint64_t side, uint32_t *ids) {
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t first = k * n_rows / n, end = (k + 1) * n_rows / n;
        ids[k] = (uint32_t)(first + mix(side << 40 | k) % (end - first));
    }
}

/* The picked rows as a copy. */
static pkin_status copy_rows(const pkin_vectors *vectors, const uint32_t *ids, uint64_t n, pkin_vectors *out) {
    pkin_status status;
    *out = (pkin_vectors){.n_rows = n, .n_columns = vectors->n_columns};
    PKIN_TRY(pkin_i_allocate(n + 1, sizeof *out->row_offsets, &out->row_offsets));
    out->row_offsets[0] = 0;
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t length = vectors->row_offsets[ids[k] + 1] - vectors->row_offsets[ids[k]];
        out->row_offsets[k + 1] = out->row_offsets[k] + length;
    }
    PKIN_TRY(pkin_i_allocate(out->row_offsets[n], sizeof *out->columns, &out->columns));
    PKIN_TRY(pkin_i_allocate(out->row_offsets[n], sizeof *out->weights, &out->weights));
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t from = vectors->row_offsets[ids[k]], to = out->row_offsets[k];
        const uint64_t length = out->row_offsets[k + 1] - to;
        memcpy(out->columns + to, vectors->columns + from, length * sizeof *out->columns);
        memcpy(out->weights + to, vectors->weights + from, length * sizeof *out->weights);
    }
out:
    return status;
}

static void free_rows(pkin_vectors *rows) {
    pkin_i_free(rows->row_offsets);
    pkin_i_free(rows->columns);
    pkin_i_free(rows->weights);
    *rows = (pkin_vectors){0};
}

/* Numbers the sample's columns anew, the heaviest first: `weights` by old numbers is used up. */
static pkin_status renumber(pkin_i_sample *sample, uint64_t *weights) {
    pkin_status status;
    const uint64_t n_columns = sample->rows.n_columns;
    uint64_t *order = NULL, *spare = NULL, n_used = 0;
    for (uint64_t c = 0; c < n_columns; c++) n_used += weights[c] != 0;
    PKIN_TRY(pkin_i_allocate(n_used, sizeof *order, &order));
    PKIN_TRY(pkin_i_allocate(n_used, sizeof *spare, &spare));
    PKIN_TRY(pkin_i_allocate(n_used, sizeof *sample->column_weights, &sample->column_weights));
    PKIN_TRY(pkin_i_allocate(n_used, sizeof *sample->column_numbers, &sample->column_numbers));
    n_used = 0;
    for (uint64_t c = 0; c < n_columns; c++) {
        /* Descending by the weight's upper bits: sums are below 2^30 * 2^21 rows; finer than 2^-12 nobody looks. */
        const uint64_t coarse = weights[c] >> 18 < UINT32_MAX ? weights[c] >> 18 : UINT32_MAX;
        if (weights[c]) order[n_used++] = (UINT32_MAX - coarse) << 32 | c;
    }
    const uint64_t *sorted = pkin_i_radix_sort(order, spare, n_used, 32);
    for (uint64_t k = 0; k < n_used; k++) sample->column_weights[k] = weights[(uint32_t)sorted[k]];
    for (uint64_t k = 0; k < n_used; k++) sample->column_numbers[k] = (uint32_t)sorted[k];
    for (uint64_t k = 0; k < n_used; k++) weights[(uint32_t)sorted[k]] = k;
    pkin_vectors *const sides[] = {&sample->rows, &sample->columns};
    for (int s = 0; s < 2; s++) {
        const uint64_t n = sides[s]->row_offsets[sides[s]->n_rows];
        for (uint64_t k = 0; k < n; k++) sides[s]->columns[k] = (uint32_t)weights[sides[s]->columns[k]];
        sides[s]->n_columns = n_used;
    }
out:
    pkin_i_free(order);
    pkin_i_free(spare);
    return status;
}

/* Pairs of the sample that are none: a row with itself. Both lists ascend. */
static uint64_t n_self(const pkin_i_sample *sample) {
    uint64_t n = 0, c = 0;
    for (uint64_t r = 0; sample->within && r < sample->rows.n_rows; r++) {
        while (c < sample->columns.n_rows && sample->column_ids[c] < sample->row_ids[r]) c++;
        n += c < sample->columns.n_rows && sample->column_ids[c] == sample->row_ids[r];
    }
    return n;
}

static void drop_sample(pkin_i_sample *sample) {
    free_rows(&sample->rows);
    free_rows(&sample->columns);
    pkin_i_free(sample->row_ids);
    pkin_i_free(sample->column_ids);
    pkin_i_free(sample->column_weights);
    pkin_i_free(sample->column_numbers);
    sample->row_ids = sample->column_ids = sample->column_numbers = NULL;
    sample->column_weights = NULL;
}

pkin_status pkin_i_sample_open(const pkin_i_task *task, pkin_i_sample *out) {
    pkin_i_sample sample = {.within = task->b == NULL, .n_a = task->a->n_rows};
    sample.n_b = task->b ? task->b->n_rows : sample.n_a;
    sample.n_pairs = pkin_i_task_pairs(task, 0, sample.n_b);
    sample.n_threads = task->n_threads < omp_get_num_procs() ? task->n_threads : omp_get_num_procs();
    pkin_status status = pkin_i_narrow(task->a, task->b, &sample.sides);
    *out = sample;
    return status;
}

pkin_status pkin_i_sample_take(pkin_i_sample *sample, uint64_t n_rows, uint64_t n_columns) {
    pkin_status status;
    const pkin_vectors *a = &sample->sides.a, *b = sample->within ? a : &sample->sides.b;
    uint64_t *weights = NULL;
    drop_sample(sample);
    if (n_rows > sample->n_a) n_rows = sample->n_a;
    if (n_columns > sample->n_b) n_columns = sample->n_b;
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *sample->row_ids, &sample->row_ids));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *sample->column_ids, &sample->column_ids));
    pick_rows(sample->n_a, n_rows, 1, sample->row_ids);
    pick_rows(sample->n_b, n_columns, 2, sample->column_ids);
    PKIN_TRY(copy_rows(a, sample->row_ids, n_rows, &sample->rows));
    PKIN_TRY(copy_rows(b, sample->column_ids, n_columns, &sample->columns));
    PKIN_TRY(pkin_i_sketch_column_weights(&sample->rows, &sample->columns, &weights));
    PKIN_TRY(renumber(sample, weights));
    sample->n_grid = n_rows * n_columns - n_self(sample);
out:
    pkin_i_free(weights);
    return status;
}

void pkin_i_sample_close(pkin_i_sample *sample) {
    drop_sample(sample);
    pkin_i_narrowed_free(&sample->sides);
}

pkin_status pkin_i_tally_open(const pkin_i_sample *sample, pkin_i_tally *out) {
    pkin_i_tally tally = {.n_rows = sample->rows.n_rows, .n_columns = sample->columns.n_rows};
    pkin_status status = pkin_i_allocate_zeroed(tally.n_rows, sizeof *tally.row_hits, &tally.row_hits);
    if (status == PKIN_OK)
        status = pkin_i_allocate_zeroed(tally.n_columns, sizeof *tally.column_hits, &tally.column_hits);
    if (status != PKIN_OK) pkin_i_tally_close(&tally);
    *out = tally;
    return status;
}

void pkin_i_tally_clear(pkin_i_tally *tally) {
    memset(tally->row_hits, 0, tally->n_rows * sizeof *tally->row_hits);
    memset(tally->column_hits, 0, tally->n_columns * sizeof *tally->column_hits);
    tally->n_hits = 0;
}

void pkin_i_tally_close(pkin_i_tally *tally) {
    pkin_i_free(tally->row_hits);
    pkin_i_free(tally->column_hits);
    *tally = (pkin_i_tally){0};
}

/* What the hits of n of a population's rows add to the variance of their sum. */
static double variance_of(const uint32_t *hits, uint64_t n, uint64_t population) {
    if (n < 2 || n >= population) return 0;
    double sum = 0, squares = 0;
    for (uint64_t k = 0; k < n; k++) {
        sum += hits[k];
        squares += (double)hits[k] * hits[k];
    }
    const double variance = (squares - sum * sum / (double)n) / (double)(n - 1);
    return (double)n * variance * (1 - (double)n / (double)population);
}

/* Few rows tell little of their own variance. */
static double widened(double deviations, uint64_t n, uint64_t population) {
    return n < population ? deviations * (1 + 3.0 / (double)n) : deviations;
}

pkin_estimate pkin_i_sample_estimate(const pkin_i_sample *sample, const pkin_i_tally *tally, double weight) {
    const double n_all = (double)sample->n_pairs, hits = (double)tally->n_hits;
    const double n_grid = tally->n_rows == sample->rows.n_rows && tally->n_columns == sample->columns.n_rows
                              ? (double)sample->n_grid
                              : (double)tally->n_rows * (double)tally->n_columns;
    if (n_grid <= 0) return (pkin_estimate){0, 0, n_all};
    const double scale = weight * n_all / n_grid;
    if (weight <= 1 && tally->n_rows == sample->n_a && tally->n_columns == sample->n_b) {
        return (pkin_estimate){hits * scale, hits * scale, hits * scale};
    }
    const double variance = variance_of(tally->row_hits, tally->n_rows, sample->n_a) +
                            variance_of(tally->column_hits, tally->n_columns, sample->n_b);
    const double clustering = hits > 0 && variance > hits ? variance / hits : 1;
    double z = widened(BAND_DEVIATIONS, tally->n_rows, sample->n_a);
    z = widened(z, tally->n_columns, sample->n_b);
    const double n = hits / clustering, below = sqrt(n) - z / 2, above = sqrt(n + 1) + z / 2;
    pkin_estimate estimate = {below > 0 ? FIT_BELOW * below * below * clustering * scale : 0,
                              (hits > 0 ? hits : log(2)) * scale, FIT_ABOVE * above * above * clustering * scale};
    estimate.middle = estimate.middle < n_all ? estimate.middle : n_all;
    estimate.high = estimate.high < n_all ? estimate.high : n_all;
    return estimate;
}
