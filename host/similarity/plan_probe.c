/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan_probe.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/crew.h"
#include "similarity/cpu_score.h"

enum {
    BLOCK_ROWS = 256, /* of the sample, a multiple of every filter's block_step: packed, they fit the second level */
    GROUP_PANELS = 4, /* an item of work, and of timing */
    ALIGNMENT = 64,
    KEPT_MOST = 1 << 14, /* pairs that are kept to be scored, about */
    KEPT_ROOM = 1 << 15, /* of each thread */
    SCORED_ROWS = 16,    /* rows of a thread's part of the calibration, */
    SCORED_COLUMNS = 256 /* and what each is scored against */
};

static int compare_doubles(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double median(double *values, uint64_t n) {
    if (n == 0) return 0;
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

/* What one thread needs. */
typedef struct prober {
    uint64_t *squares; /* dimension, zeroes between rows */
    uint16_t *buckets;
    uint8_t *values;
    pkin_i_survivor *survivors; /* BLOCK_ROWS * panel_rows */
    uint32_t *row_hits;
    uint64_t *kept; /* KEPT_ROOM */
    uint64_t n_kept, n_hits;
} prober;

/* One run at one dimension. */
typedef struct filter_run {
    const pkin_i_sample *sample;
    const pkin_i_filter *filter;
    const pkin_i_sketch_map *map;
    pkin_i_sketch_trial *trial;
    uint64_t keep_below; /* hits whose hash is below it are kept */
    uint64_t n_blocks, n_panels, n_groups;
    uint8_t *block_memory, *panel_memory, *blocks, *panels; /* as allocated, and aligned */
    int32_t *block_limits, *panel_limits, *panel_sums;
    double *pack_seconds, *filter_seconds; /* of every item, an entry and a pair */
    prober *probers;
    int n_threads;
} filter_run;

static uint8_t *aligned(uint8_t *memory) {
    return memory + (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
}

static pkin_status prober_init(const filter_run *run, prober *self) {
    pkin_status status;
    const uint32_t dimension = run->map->dimension;
    PKIN_TRY(pkin_i_allocate_zeroed(dimension, sizeof *self->squares, &self->squares));
    PKIN_TRY(pkin_i_allocate(dimension, sizeof *self->buckets, &self->buckets));
    PKIN_TRY(pkin_i_allocate(dimension, sizeof *self->values, &self->values));
    PKIN_TRY(pkin_i_allocate((size_t)BLOCK_ROWS * run->filter->panel_rows, sizeof *self->survivors, &self->survivors));
    PKIN_TRY(pkin_i_allocate_zeroed(run->sample->rows.n_rows, sizeof *self->row_hits, &self->row_hits));
    PKIN_TRY(pkin_i_allocate(KEPT_ROOM, sizeof *self->kept, &self->kept));
out:
    return status;
}

static void run_free(filter_run *run) {
    for (int t = 0; run->probers && t < run->n_threads; t++) {
        pkin_i_free(run->probers[t].squares);
        pkin_i_free(run->probers[t].buckets);
        pkin_i_free(run->probers[t].values);
        pkin_i_free(run->probers[t].survivors);
        pkin_i_free(run->probers[t].row_hits);
        pkin_i_free(run->probers[t].kept);
    }
    pkin_i_free(run->probers);
    pkin_i_free(run->block_memory);
    pkin_i_free(run->panel_memory);
    pkin_i_free(run->block_limits);
    pkin_i_free(run->panel_limits);
    pkin_i_free(run->panel_sums);
    pkin_i_free(run->pack_seconds);
    pkin_i_free(run->filter_seconds);
}

static pkin_status run_init(filter_run *run, const int32_t *row_limits) {
    pkin_status status;
    const pkin_i_sample *sample = run->sample;
    const uint64_t panel_rows = run->filter->panel_rows, dimension = run->map->dimension;
    run->n_blocks = (sample->rows.n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    run->n_panels = (sample->columns.n_rows + panel_rows - 1) / panel_rows;
    run->n_groups = (run->n_panels + GROUP_PANELS - 1) / GROUP_PANELS;
    const uint64_t n_row_places = run->n_blocks * BLOCK_ROWS, n_column_places = run->n_panels * panel_rows;
    PKIN_TRY(pkin_i_allocate(n_row_places * dimension + ALIGNMENT, 1, &run->block_memory));
    PKIN_TRY(pkin_i_allocate(n_column_places * dimension + ALIGNMENT, 1, &run->panel_memory));
    PKIN_TRY(pkin_i_allocate(n_row_places, sizeof *run->block_limits, &run->block_limits));
    PKIN_TRY(pkin_i_allocate(n_column_places, sizeof *run->panel_limits, &run->panel_limits));
    PKIN_TRY(pkin_i_allocate_zeroed(n_column_places, sizeof *run->panel_sums, &run->panel_sums));
    PKIN_TRY(pkin_i_allocate(run->n_blocks + run->n_panels, sizeof *run->pack_seconds, &run->pack_seconds));
    PKIN_TRY(pkin_i_allocate(run->n_groups * run->n_blocks, sizeof *run->filter_seconds, &run->filter_seconds));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)run->n_threads, sizeof *run->probers, &run->probers));
    for (int t = 0; t < run->n_threads; t++) PKIN_TRY(prober_init(run, &run->probers[t]));
    run->blocks = aligned(run->block_memory);
    run->panels = aligned(run->panel_memory);
    for (uint64_t r = 0; r < n_row_places; r++) {
        run->block_limits[r] = r < sample->rows.n_rows ? row_limits[r] : PKIN_I_FILTER_NEVER;
    }
    for (uint64_t c = 0; c < n_column_places; c++) run->panel_limits[c] = PKIN_I_FILTER_NEVER;
out:
    return status;
}

static uint64_t n_entries(const pkin_vectors *vectors, uint64_t first, uint64_t end) {
    return vectors->row_offsets[end] - vectors->row_offsets[first];
}

static uint64_t at_most(uint64_t n, uint64_t most) {
    return n < most ? n : most;
}

static void pack_block(filter_run *run, prober *self, uint64_t block) {
    const pkin_vectors *rows = &run->sample->rows;
    const uint64_t first = block * BLOCK_ROWS, end = at_most(first + BLOCK_ROWS, rows->n_rows);
    uint8_t *packed = run->blocks + first * run->map->dimension;
    const double begin = pkin_i_seconds_now();
    memset(packed, run->filter->block_zero, (size_t)BLOCK_ROWS * run->map->dimension);
    for (uint64_t r = first; r < end; r++) {
        uint32_t n = pkin_i_sketch_row(run->map, rows, r, self->squares, self->buckets, self->values);
        run->filter->pack_block_row(packed, run->map->dimension, (uint32_t)(r - first), n, self->buckets, self->values);
    }
    run->pack_seconds[block] = (pkin_i_seconds_now() - begin) / (double)n_entries(rows, first, end);
}

static void pack_panel(filter_run *run, prober *self, uint64_t panel) {
    const pkin_vectors *rows = &run->sample->columns;
    const uint64_t panel_rows = run->filter->panel_rows;
    const uint64_t first = panel * panel_rows, end = at_most(first + panel_rows, rows->n_rows);
    uint8_t *packed = run->panels + first * run->map->dimension;
    const double begin = pkin_i_seconds_now();
    memset(packed, run->filter->panel_zero, panel_rows * run->map->dimension);
    for (uint64_t r = first; r < end; r++) {
        uint32_t n = pkin_i_sketch_row(run->map, rows, r, self->squares, self->buckets, self->values);
        run->filter->pack_panel_row(packed, run->map->dimension, (uint32_t)(r - first), n, self->buckets, self->values);
        for (uint32_t k = 0; k < n; k++) run->panel_sums[r] += self->values[k];
    }
    run->pack_seconds[run->n_blocks + panel] = (pkin_i_seconds_now() - begin) / (double)n_entries(rows, first, end);
}

static void count_hit(filter_run *run, prober *self, uint64_t r, uint64_t c) {
    if (pkin_i_sample_is_self(run->sample, r, c)) return;
    self->n_hits++;
    self->row_hits[r]++;
    run->trial->tally.column_hits[c]++; /* the column's panel is this thread's */
    /* Fibonacci hashing: its upper bits are even over whatever pairs there are. */
    const uint64_t pair = r << 32 | c, hash = pair * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    if (hash < run->keep_below && self->n_kept < KEPT_ROOM) self->kept[self->n_kept++] = pair;
}

/* A few panels past a block. */
static void filter_item(filter_run *run, prober *self, uint64_t group, uint64_t block) {
    const uint32_t dimension = run->map->dimension, panel_rows = run->filter->panel_rows;
    const uint64_t first_row = block * BLOCK_ROWS;
    const uint32_t n_rows = (uint32_t)at_most(BLOCK_ROWS, run->sample->rows.n_rows - first_row);
    const uint32_t n_round = (n_rows + run->filter->block_step - 1) / run->filter->block_step * run->filter->block_step;
    const uint64_t first = group * GROUP_PANELS, end = at_most(first + GROUP_PANELS, run->n_panels);
    double seconds = 0;
    for (uint64_t p = first; p < end; p++) {
        const uint64_t first_column = p * panel_rows;
        const double begin = pkin_i_seconds_now();
        const size_t n =
            run->filter->run(run->blocks + first_row * dimension, n_round, run->panels + first_column * dimension,
                             run->panel_sums + first_column, dimension, run->block_limits + first_row,
                             run->panel_limits + first_column, self->survivors);
        seconds += pkin_i_seconds_now() - begin;
        for (size_t k = 0; k < n; k++) {
            count_hit(run, self, first_row + self->survivors[k].row, first_column + self->survivors[k].column);
        }
    }
    run->filter_seconds[group * run->n_blocks + block] = seconds / ((double)(end - first) * n_round * panel_rows);
}

static void run_all(filter_run *run) {
#pragma omp parallel num_threads(run->n_threads)
    {
        prober *self = &run->probers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1)
        for (uint64_t k = 0; k < run->n_blocks + run->n_panels; k++) {
            if (k < run->n_blocks) pack_block(run, self, k);
            if (k >= run->n_blocks) pack_panel(run, self, k - run->n_blocks);
        }
        if (run->filter->begin) run->filter->begin();
#pragma omp for schedule(dynamic, 1) nowait
        for (uint64_t g = 0; g < run->n_groups; g++) {
            for (uint64_t b = 0; b < run->n_blocks; b++) filter_item(run, self, g, b);
        }
        if (run->filter->end) run->filter->end();
    }
}

static void collect(filter_run *run) {
    pkin_i_sketch_trial *trial = run->trial;
    trial->n_kept = 0;
    for (int t = 0; t < run->n_threads; t++) {
        prober *self = &run->probers[t];
        const uint64_t n = at_most(self->n_kept, KEPT_ROOM - trial->n_kept);
        memcpy(trial->kept + trial->n_kept, self->kept, n * sizeof *trial->kept);
        trial->n_kept += n;
        trial->tally.n_hits += self->n_hits;
        for (uint64_t r = 0; r < trial->tally.n_rows; r++) trial->tally.row_hits[r] += self->row_hits[r];
    }
    trial->pair_seconds = median(run->filter_seconds, run->n_groups * run->n_blocks);
    trial->entry_seconds = median(run->pack_seconds, run->n_blocks + run->n_panels);
    trial->kept_share = trial->tally.n_hits ? (double)trial->n_kept / (double)trial->tally.n_hits : 1;
}

pkin_status pkin_i_sketch_trial_open(const pkin_i_sample *sample, pkin_i_sketch_trial *trial) {
    *trial = (pkin_i_sketch_trial){0};
    pkin_status status = pkin_i_tally_open(sample, &trial->tally);
    if (status == PKIN_OK) status = pkin_i_allocate(KEPT_ROOM, sizeof *trial->kept, &trial->kept);
    if (status != PKIN_OK) pkin_i_sketch_trial_close(trial);
    return status;
}

pkin_status pkin_i_sketch_trial_run(const pkin_i_sample *sample, const pkin_i_filter *filter,
                                    const pkin_i_sketch_map *map, const int32_t *row_limits, double n_expected,
                                    pkin_i_sketch_trial *trial) {
    pkin_status status;
    filter_run run = {.sample = sample, .filter = filter, .map = map, .trial = trial, .n_threads = sample->n_threads};
    const double keep_share = n_expected > KEPT_MOST ? KEPT_MOST / n_expected : 1;
    run.keep_below = (uint64_t)(keep_share * 0x1p32);
    pkin_i_tally_clear(&trial->tally);
    PKIN_TRY(run_init(&run, row_limits));
    run_all(&run);
    collect(&run);
out:
    run_free(&run);
    return status;
}

void pkin_i_sketch_trial_close(pkin_i_sketch_trial *trial) {
    pkin_i_tally_close(&trial->tally);
    pkin_i_free(trial->kept);
    *trial = (pkin_i_sketch_trial){0};
}

/* ---- Exact scores: on the task's own rows, wherever they stand in memory ---- */

/* One dense row, and scores, for each thread. */
typedef struct scorer {
    uint32_t *dense;
    uint32_t *rows;
    uint64_t *scores;
} scorer;

static void scorers_free(scorer *scorers, int n_threads) {
    for (int t = 0; scorers && t < n_threads; t++) {
        pkin_i_free(scorers[t].dense);
        pkin_i_free(scorers[t].rows);
        pkin_i_free(scorers[t].scores);
    }
    pkin_i_free(scorers);
}

static pkin_status scorers_open(const pkin_i_sample *sample, uint64_t n_rows, scorer **out) {
    pkin_status status;
    scorer *scorers = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)sample->n_threads, sizeof *scorers, &scorers));
    for (int t = 0; t < sample->n_threads; t++) {
        PKIN_TRY(pkin_i_allocate_zeroed(sample->sides.a.n_columns, sizeof *scorers->dense, &scorers[t].dense));
        PKIN_TRY(pkin_i_allocate(n_rows, sizeof *scorers->rows, &scorers[t].rows));
        PKIN_TRY(pkin_i_allocate(n_rows, sizeof *scorers->scores, &scorers[t].scores));
    }
    *out = scorers;
    scorers = NULL;
out:
    scorers_free(scorers, sample->n_threads);
    return status;
}

/* Times one sampled row against n sampled columns, no two threads the same. */
static double time_scores(const pkin_i_sample *sample, pkin_i_isa isa, scorer *self, uint64_t item, uint64_t n) {
    const uint64_t row = sample->row_ids[item % sample->rows.n_rows], n_columns = sample->columns.n_rows;
    for (uint64_t k = 0; k < n; k++) self->rows[k] = sample->column_ids[(item * n + k) % n_columns];
    const double begin = pkin_i_seconds_now();
    pkin_i_score_spread(&sample->sides.a, row, self->dense);
    pkin_i_score_rows(isa, self->dense, &sample->sides.b, self->rows, n, self->scores);
    pkin_i_score_clear(&sample->sides.a, row, self->dense);
    return (pkin_i_seconds_now() - begin) / (double)n;
}

pkin_status pkin_i_score_trial(const pkin_i_sample *sample, pkin_i_isa isa, double *out) {
    pkin_status status;
    const uint64_t n_items = (uint64_t)sample->n_threads * SCORED_ROWS;
    const uint64_t n = at_most(sample->columns.n_rows, SCORED_COLUMNS);
    scorer *scorers = NULL;
    double *seconds = NULL;
    PKIN_TRY(pkin_i_allocate(n_items, sizeof *seconds, &seconds));
    PKIN_TRY(scorers_open(sample, n, &scorers));
#pragma omp parallel for num_threads(sample->n_threads) schedule(dynamic, 1)
    for (uint64_t k = 0; k < n_items; k++) {
        seconds[k] = time_scores(sample, isa, &scorers[omp_get_thread_num()], k, n);
    }
    *out = median(seconds, n_items);
out:
    scorers_free(scorers, sample->n_threads);
    pkin_i_free(seconds);
    return status;
}

/* Sorts the kept pairs by row: row r has places [offsets[r], offsets[r + 1]) of `columns`. */
static void by_row(const pkin_i_sample *sample, const pkin_i_sketch_trial *trial, uint64_t *offsets,
                   uint32_t *columns) {
    const uint64_t n_rows = sample->rows.n_rows;
    for (uint64_t k = 0; k < trial->n_kept; k++) offsets[(trial->kept[k] >> 32) + 1]++;
    for (uint64_t r = 0; r < n_rows; r++) offsets[r + 1] += offsets[r];
    for (uint64_t k = 0; k < trial->n_kept; k++) {
        columns[offsets[trial->kept[k] >> 32]++] = (uint32_t)trial->kept[k];
    }
    for (uint64_t r = n_rows; r > 0; r--) offsets[r] = offsets[r - 1];
    offsets[0] = 0;
}

static void score_row(const pkin_i_sample *sample, pkin_i_isa isa, scorer *self, uint64_t r, const uint32_t *columns,
                      uint64_t n, uint64_t min_score, pkin_i_tally *tally) {
    const uint64_t row = sample->row_ids[r];
    if (n == 0) return;
    for (uint64_t k = 0; k < n; k++) self->rows[k] = sample->column_ids[columns[k]];
    pkin_i_score_spread(&sample->sides.a, row, self->dense);
    pkin_i_score_rows(isa, self->dense, &sample->sides.b, self->rows, n, self->scores);
    pkin_i_score_clear(&sample->sides.a, row, self->dense);
    for (uint64_t k = 0; k < n; k++) {
        if (self->scores[k] < min_score) continue;
        tally->row_hits[r]++;
#pragma omp atomic
        tally->column_hits[columns[k]]++;
#pragma omp atomic
        tally->n_hits++;
    }
}

pkin_status pkin_i_pairs_trial(const pkin_i_sample *sample, pkin_i_isa isa, const pkin_i_sketch_trial *trial,
                               uint64_t min_score, pkin_i_tally *out) {
    pkin_status status;
    scorer *scorers = NULL;
    uint64_t *offsets = NULL;
    uint32_t *columns = NULL;
    pkin_i_tally_clear(out);
    PKIN_TRY(scorers_open(sample, sample->columns.n_rows, &scorers));
    PKIN_TRY(pkin_i_allocate_zeroed(sample->rows.n_rows + 1, sizeof *offsets, &offsets));
    PKIN_TRY(pkin_i_allocate(trial->n_kept, sizeof *columns, &columns));
    by_row(sample, trial, offsets, columns);
#pragma omp parallel for num_threads(sample->n_threads) schedule(dynamic, 16)
    for (uint64_t r = 0; r < sample->rows.n_rows; r++) {
        score_row(sample, isa, &scorers[omp_get_thread_num()], r, columns + offsets[r], offsets[r + 1] - offsets[r],
                  min_score, out);
    }
out:
    scorers_free(scorers, sample->n_threads);
    pkin_i_free(offsets);
    pkin_i_free(columns);
    return status;
}
