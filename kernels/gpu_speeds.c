/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Made-up rows of as many entries as abstracts have are brought to the device and sketched, at three
 * dimensions; every filter that the device has multiplies them with each other at a limit that nothing reaches. How
 * many rows is found with the first filter: twice as many until a product of all takes long enough to be measured. Each
 * run is made once before it counts (code that is loaded, libraries that choose), then timed on the device's own clock,
 * the best of a few; what takes long is timed once.
 */
#include "kernels/gpu_speeds.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "similarity/crew.h"

enum {
    ROWS_LEAST = PKIN_I_GPU_ROWS_STEP,
    ROWS_MOST = 16384,
    PLAIN_ROWS_MOST = 4096, /* of the plain filter, where it is only the last resort */
    ROW_ENTRIES = 96,
    COLUMNS_A_ENTRY = 256, /* an entry is somewhere in a stretch of so many columns */
    N_COLUMNS = ROW_ENTRIES * COLUMNS_A_ENTRY,
    N_ENTRIES = ROWS_MOST * ROW_ENTRIES,
    DIMENSION_MOST = 1024,
    CANDIDATES_MOST = 1 << 18,
    CANDIDATES_A_ROW = 64,
    SAMPLE_STRIDE = 16, /* of the rows that seeds are looked for among */
    SEED_GROUP = 32,
    BLOCKS_MOST = 16,
    RUNS_MOST = 16, /* between two marks */
    REPEATS = 3,
    WORKSPACE_PARTS = 16 /* of what a filter wishes, the least that must do: gpu_device.h */
};

/* A tenth of a row's square each: 96 of them are a little less than 1. */
static const uint32_t WEIGHT = (1u << 30) / 10;
/* Between marks at least, where RUNS_MOST allow. */
static const double MARKED_SECONDS = 0.5e-3;
/* A run that takes longer, by the clock on the wall, is not made again. */
static const double PATIENCE_SECONDS = 5e-3;
/* Rows are doubled until a product of all takes as long on the device, or on the wall. */
static const double ENOUGH_SECONDS = 0.2e-3, ENOUGH_WALL_SECONDS = 2e-3;
/* Nothing takes no time, whatever a coarse clock says; and less cannot be written down (gpu_speeds_file.c). */
static const double SECONDS_LEAST = 1e-18;

typedef struct bench {
    const pkin_i_gpu_driver *driver;
    pkin_i_gpu_info info;
    pkin_i_gpu *gpu;
    pkin_i_gpu_queue *queue;
    void *blocks[BLOCKS_MOST]; /* of the device, to be released */
    int n_blocks;
    uint32_t n_rows; /* that are multiplied with each other */
    /* On the device. */
    uint64_t *offsets;
    uint32_t *columns, *weights;
    uint16_t *buckets;
    uint8_t *sketches, *sample_sketches;
    int32_t *sums, *sample_sums, *limits;
    uint32_t *counts;
    pkin_i_gpu_candidate *candidates;
    pkin_pair *pairs;
    uint64_t *counters; /* 2: found, pairs */
    void *workspace;
    uint64_t workspace_bytes;
    /* On the host. */
    uint64_t *host_offsets;
    uint32_t *host_columns;
    uint16_t *host_buckets;
    pkin_i_gpu_candidate *host_candidates;
    void *pinned; /* of the size of the columns */
    /* What is timed now. */
    pkin_i_gpu_rows rows, sample;
    pkin_i_gpu_filter filter;
} bench;

/* ---- Rows that are none ---- */

static uint64_t mixed(uint64_t a, uint64_t b) {
    return pkin_i_hash_u64(a << 32 | b);
}

static pkin_status make_rows(bench *self) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(ROWS_MOST + 1, sizeof *self->host_offsets, &self->host_offsets));
    PKIN_TRY(pkin_i_allocate(N_ENTRIES, sizeof *self->host_columns, &self->host_columns));
    PKIN_TRY(pkin_i_allocate(N_COLUMNS, sizeof *self->host_buckets, &self->host_buckets));
    PKIN_TRY(pkin_i_allocate(CANDIDATES_MOST, sizeof *self->host_candidates, &self->host_candidates));
    for (uint64_t r = 0; r <= ROWS_MOST; r++) self->host_offsets[r] = r * ROW_ENTRIES;
    for (uint64_t e = 0; e < N_ENTRIES; e++) {
        const uint64_t row = e / ROW_ENTRIES, place = e % ROW_ENTRIES;
        self->host_columns[e] = (uint32_t)(place * COLUMNS_A_ENTRY + mixed(row, place) % COLUMNS_A_ENTRY);
    }
out:
    return status;
}

static uint64_t candidates_of(uint32_t n_rows) {
    const uint64_t n = (uint64_t)n_rows * CANDIDATES_A_ROW;
    return n < CANDIDATES_MOST ? n : CANDIDATES_MOST;
}

/* Pairs of rows, some with the same first row beside each other, as filters find them. */
static void make_candidates(bench *self) {
    const uint64_t n = candidates_of(self->n_rows);
    for (uint64_t c = 0; c < n; c++) {
        self->host_candidates[c].i = (uint32_t)(c * self->n_rows / n);
        self->host_candidates[c].j = (uint32_t)(mixed(c, 1) % self->n_rows);
    }
}

/* ---- The device's memory ---- */

static pkin_status get(bench *self, uint64_t n_bytes, void *out) {
    void *block = NULL;
    const pkin_status status = self->driver->allocate(self->gpu, n_bytes, &block);
    if (status != PKIN_OK) return status;
    self->blocks[self->n_blocks++] = block;
    memcpy(out, &block, sizeof block);
    return PKIN_OK;
}

/* What the greediest filter wishes; the least that it can do with, where that is not there. */
static pkin_status get_workspace(bench *self) {
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        if (!self->info.has_filter[f]) continue;
        const uint64_t wished = self->driver->workspace_bytes(self->gpu, (pkin_i_gpu_filter)f);
        if (wished > self->workspace_bytes) self->workspace_bytes = wished;
    }
    if (self->workspace_bytes == 0) return PKIN_OK;
    pkin_status status = get(self, self->workspace_bytes, &self->workspace);
    if (status != PKIN_ERROR_OUT_OF_MEMORY) return status;
    self->workspace_bytes = (self->workspace_bytes + WORKSPACE_PARTS - 1) / WORKSPACE_PARTS;
    return get(self, self->workspace_bytes, &self->workspace);
}

static pkin_status get_all(bench *self) {
    pkin_status status;
    enum { SAMPLE_MOST = ROWS_MOST / SAMPLE_STRIDE };
    PKIN_TRY(get(self, (ROWS_MOST + 1) * sizeof *self->offsets, &self->offsets));
    PKIN_TRY(get(self, N_ENTRIES * sizeof *self->columns, &self->columns));
    PKIN_TRY(get(self, N_ENTRIES * sizeof *self->weights, &self->weights));
    PKIN_TRY(get(self, N_COLUMNS * sizeof *self->buckets, &self->buckets));
    PKIN_TRY(get(self, (uint64_t)ROWS_MOST * DIMENSION_MOST, &self->sketches));
    PKIN_TRY(get(self, ROWS_MOST * sizeof *self->sums, &self->sums));
    PKIN_TRY(get(self, (uint64_t)SAMPLE_MOST * DIMENSION_MOST, &self->sample_sketches));
    PKIN_TRY(get(self, SAMPLE_MOST * sizeof *self->sample_sums, &self->sample_sums));
    PKIN_TRY(get(self, ROWS_MOST * sizeof *self->limits, &self->limits));
    PKIN_TRY(get(self, ROWS_MOST * sizeof *self->counts, &self->counts));
    PKIN_TRY(get(self, CANDIDATES_MOST * sizeof *self->candidates, &self->candidates));
    PKIN_TRY(get(self, CANDIDATES_MOST * sizeof *self->pairs, &self->pairs));
    PKIN_TRY(get(self, 2 * sizeof *self->counters, &self->counters));
    PKIN_TRY(get_workspace(self));
    PKIN_TRY(self->driver->allocate_host(self->gpu, N_ENTRIES * sizeof *self->columns, &self->pinned));
out:
    return status;
}

/* ---- Timing ---- */

typedef pkin_status (*run_fn)(bench *self);

/* n runs between marks: seconds on the device, and on the wall. */
static pkin_status time_once(bench *self, run_fn run, int n, double *seconds, double *wall) {
    pkin_status status;
    const double begin = pkin_i_seconds_now();
    PKIN_TRY(self->driver->mark(self->queue, 0));
    for (int k = 0; k < n; k++) PKIN_TRY(run(self));
    PKIN_TRY(self->driver->mark(self->queue, 1));
    PKIN_TRY(self->driver->seconds_between_marks(self->queue, seconds));
    PKIN_TRY(self->driver->wait(self->queue));
    *wall = pkin_i_seconds_now() - begin;
out:
    return status;
}

/* Seconds of one run, the best of a few. `*first`, if wanted: how much longer the first one took on the wall. */
static pkin_status time_runs(bench *self, run_fn run, double *first, double *out) {
    pkin_status status;
    double seconds, wall, best = 0;
    int n = 1, n_repeats = REPEATS;
    PKIN_TRY(time_once(self, run, 1, &seconds, &wall));
    if (first) *first = wall;
    for (int r = 0; r < n_repeats; r++) {
        PKIN_TRY(time_once(self, run, n, &seconds, &wall));
        if (r == 0 && first) *first = *first > wall / n ? *first - wall / n : 0;
        if (r == 0 || seconds / n < best) best = seconds / n;
        if (wall > PATIENCE_SECONDS) n_repeats = r + 1;
        if (r == 0 && n == 1 && seconds < MARKED_SECONDS && wall < PATIENCE_SECONDS) {
            n = seconds * RUNS_MOST > MARKED_SECONDS ? (int)(MARKED_SECONDS / seconds) + 1 : RUNS_MOST;
        }
    }
    *out = best;
out:
    return status;
}

static double a_piece(double seconds, double n) {
    return seconds / n > SECONDS_LEAST ? seconds / n : SECONDS_LEAST;
}

/* ---- What is timed ---- */

static pkin_status run_up(bench *self) {
    return self->driver->copy_up(self->queue, self->columns, self->host_columns, N_ENTRIES * sizeof *self->columns);
}

static pkin_status run_down(bench *self) {
    return self->driver->copy_down(self->queue, self->pinned, self->columns, N_ENTRIES * sizeof *self->columns);
}

static pkin_status run_sketch(bench *self) {
    return self->driver->sketch(self->queue, &self->rows, self->buckets);
}

static pkin_status run_filter(bench *self) {
    pkin_i_gpu_filter_work work = {.filter = self->filter, .rows = &self->rows, .columns = &self->rows};
    work.row_end = work.column_end = self->rows.n_rows;
    work.limit = INT32_MAX;
    work.workspace = self->workspace;
    work.workspace_bytes = self->workspace_bytes;
    work.found = self->candidates;
    work.capacity = CANDIDATES_MOST;
    work.n_found = &self->counters[0];
    return self->driver->filter(self->queue, &work);
}

static pkin_status run_score(bench *self) {
    pkin_i_gpu_score_work work = {.rows = &self->rows, .columns = &self->rows, .candidates = self->candidates};
    work.n_candidates = candidates_of(self->n_rows);
    work.min_score = UINT64_MAX;
    work.pairs = self->pairs;
    work.n_pairs = &self->counters[1];
    return self->driver->score(self->queue, &work);
}

static pkin_status run_seed(bench *self) {
    pkin_i_gpu_seed_work work = {.rows = &self->rows, .sample = &self->sample, .stride = SAMPLE_STRIDE};
    work.row_end = self->rows.n_rows;
    work.group = SEED_GROUP;
    work.within = 1;
    work.counts = self->counts;
    work.row_limits = self->limits;
    return self->driver->seed(self->queue, &work);
}

/* ---- The steps ---- */

static pkin_i_gpu_rows rows_of(const bench *self, uint32_t n_rows, uint32_t dimension, pkin_i_gpu_coding coding) {
    pkin_i_gpu_rows rows = {.n_rows = n_rows, .dimension = dimension, .coding = coding};
    rows.offsets = self->offsets;
    rows.columns = self->columns;
    rows.weights = self->weights;
    rows.sketches = self->sketches;
    rows.sums = coding == PKIN_I_GPU_SHIFTED ? self->sums : NULL;
    return rows;
}

static pkin_status start(bench *self, int index, double *seconds) {
    pkin_status status;
    const double begin = pkin_i_seconds_now();
    PKIN_TRY(self->driver->info(index, &self->info));
    PKIN_TRY(self->driver->open(index, &self->gpu));
    PKIN_TRY(self->driver->queue_open(self->gpu, &self->queue));
    *seconds = pkin_i_seconds_now() - begin;
out:
    return status;
}

static pkin_status bring_rows(bench *self, pkin_i_gpu_costs *costs) {
    pkin_status status;
    double seconds;
    uint32_t *weights = NULL;
    PKIN_TRY(pkin_i_allocate(N_ENTRIES, sizeof *weights, &weights));
    for (uint64_t e = 0; e < N_ENTRIES; e++) weights[e] = WEIGHT;
    PKIN_TRY(self->driver->copy_up(self->queue, self->weights, weights, N_ENTRIES * sizeof *weights));
    PKIN_TRY(
        self->driver->copy_up(self->queue, self->offsets, self->host_offsets, (ROWS_MOST + 1) * sizeof *self->offsets));
    PKIN_TRY(self->driver->fill(self->queue, self->counters, 0, 2 * sizeof *self->counters));
    PKIN_TRY(self->driver->fill(self->queue, self->limits, 0x7f, ROWS_MOST * sizeof *self->limits));
    PKIN_TRY(time_runs(self, run_up, NULL, &seconds));
    costs->up_byte_seconds = a_piece(seconds, (double)N_ENTRIES * sizeof *self->columns);
    PKIN_TRY(time_runs(self, run_down, NULL, &seconds));
    costs->down_byte_seconds = a_piece(seconds, (double)N_ENTRIES * sizeof *self->columns);
out:
    if (self->queue) self->driver->wait(self->queue);
    pkin_i_free(weights);
    return status;
}

/* Buckets of this dimension, and sketches of the rows in this coding. */
static pkin_status sketch_rows(bench *self, uint32_t n_rows, uint32_t dimension, pkin_i_gpu_coding coding) {
    pkin_status status;
    for (uint64_t c = 0; c < N_COLUMNS; c++) self->host_buckets[c] = (uint16_t)(mixed(c, 2) % dimension);
    self->rows = rows_of(self, n_rows, dimension, coding);
    PKIN_TRY(self->driver->copy_up(self->queue, self->buckets, self->host_buckets, N_COLUMNS * sizeof *self->buckets));
    PKIN_TRY(run_sketch(self));
    PKIN_TRY(self->driver->wait(self->queue));
out:
    return status;
}

static int first_filter(const bench *self) {
    int f = 0;
    while (f + 1 < PKIN_I_GPU_N_FILTERS && !self->info.has_filter[f]) f++;
    return f;
}

/* As many rows as it takes to keep the device busy, and no more than it can bear. */
static pkin_status choose_rows(bench *self, pkin_i_gpu_costs *costs) {
    pkin_status status;
    double seconds = 0, wall = 0;
    self->filter = (pkin_i_gpu_filter)first_filter(self);
    self->n_rows = ROWS_LEAST;
    for (;;) {
        PKIN_TRY(sketch_rows(self, self->n_rows, pkin_i_speed_dimensions[0], pkin_i_gpu_coding_of(self->filter)));
        PKIN_TRY(time_once(self, run_filter, 1, &seconds, &wall));
        const double first = wall;
        PKIN_TRY(time_once(self, run_filter, 1, &seconds, &wall));
        if (self->n_rows == ROWS_LEAST && first > wall) costs->filter_start_seconds[self->filter] = first - wall;
        if (seconds >= ENOUGH_SECONDS || wall >= ENOUGH_WALL_SECONDS || self->n_rows == ROWS_MOST) break;
        self->n_rows *= 2;
    }
out:
    return status;
}

/* A filter at one of the dimensions; the rows are sketched in its coding. */
static pkin_status time_filter(bench *self, pkin_i_gpu_filter filter, int d, pkin_i_gpu_costs *costs) {
    pkin_status status;
    double first, seconds;
    const int is_last_resort = filter == PKIN_I_GPU_FILTER_DP4A && first_filter(self) != PKIN_I_GPU_FILTER_DP4A;
    self->filter = filter;
    self->rows.n_rows = is_last_resort && self->n_rows > PLAIN_ROWS_MOST ? PLAIN_ROWS_MOST : self->n_rows;
    PKIN_TRY(time_runs(self, run_filter, &first, &seconds));
    costs->pair_seconds[filter][d] = a_piece(seconds, (double)self->rows.n_rows * self->rows.n_rows);
    if (d == 0 && first > costs->filter_start_seconds[filter]) costs->filter_start_seconds[filter] = first;
out:
    self->rows.n_rows = self->n_rows;
    return status;
}

static pkin_status time_scores(bench *self, pkin_i_gpu_costs *costs) {
    pkin_status status;
    const uint64_t n = candidates_of(self->n_rows);
    double seconds;
    make_candidates(self);
    PKIN_TRY(self->driver->copy_up(self->queue, self->candidates, self->host_candidates, n * sizeof *self->candidates));
    PKIN_TRY(time_runs(self, run_score, NULL, &seconds));
    costs->candidate_seconds = a_piece(seconds, (double)n);
out:
    return status;
}

/* With the rows' sketches as they are. */
static pkin_status time_sketches_and_seeds(bench *self, pkin_i_gpu_costs *costs) {
    pkin_status status;
    double seconds;
    PKIN_TRY(time_runs(self, run_sketch, NULL, &seconds));
    costs->entry_seconds = a_piece(seconds, (double)self->n_rows * ROW_ENTRIES);
    self->sample =
        rows_of(self, (self->n_rows + SAMPLE_STRIDE - 1) / SAMPLE_STRIDE, self->rows.dimension, self->rows.coding);
    self->sample.sketches = self->sample_sketches;
    self->sample.sums = self->rows.sums ? self->sample_sums : NULL;
    PKIN_TRY(self->driver->sample(self->queue, &self->rows, SAMPLE_STRIDE, &self->sample));
    PKIN_TRY(time_runs(self, run_seed, NULL, &seconds));
    costs->seed_pair_seconds = a_piece(seconds, (double)self->n_rows * self->sample.n_rows * self->rows.dimension);
out:
    return status;
}

static int has_coding(const bench *self, pkin_i_gpu_coding coding) {
    int has = 0;
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        has |= self->info.has_filter[f] && pkin_i_gpu_coding_of((pkin_i_gpu_filter)f) == coding;
    }
    return has;
}

static pkin_status time_dimension(bench *self, int d, pkin_i_gpu_costs *costs) {
    pkin_status status = PKIN_OK;
    for (int c = PKIN_I_GPU_PLAIN; c <= PKIN_I_GPU_SEVEN; c++) {
        const pkin_i_gpu_coding coding = (pkin_i_gpu_coding)c;
        /* Seeds are looked for in plain sketches, whether a filter has them or not. */
        const int is_seeding = coding == PKIN_I_GPU_PLAIN && d == 1;
        if (!has_coding(self, coding) && !is_seeding) continue;
        PKIN_TRY(sketch_rows(self, self->n_rows, pkin_i_speed_dimensions[d], coding));
        if (is_seeding) PKIN_TRY(time_sketches_and_seeds(self, costs));
        for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
            if (!self->info.has_filter[f] || pkin_i_gpu_coding_of((pkin_i_gpu_filter)f) != coding) continue;
            PKIN_TRY(time_filter(self, (pkin_i_gpu_filter)f, d, costs));
        }
    }
out:
    return status;
}

/* Both filters by products load one library: whichever is first pays for it. */
static void share_start(pkin_i_gpu_costs *costs) {
    double *a = &costs->filter_start_seconds[PKIN_I_GPU_FILTER_GEMM8],
           *b = &costs->filter_start_seconds[PKIN_I_GPU_FILTER_GEMM32];
    if (*a <= 0 || *b <= 0) return;
    *a = *b = *a > *b ? *a : *b;
}

static void close_bench(bench *self) {
    const pkin_i_gpu_driver *driver = self->driver;
    if (self->queue) driver->queue_close(self->queue); /* waits */
    for (int k = 0; k < self->n_blocks; k++) driver->release(self->gpu, self->blocks[k]);
    if (self->pinned) driver->release_host(self->gpu, self->pinned);
    driver->close(self->gpu);
    pkin_i_free(self->host_offsets);
    pkin_i_free(self->host_columns);
    pkin_i_free(self->host_buckets);
    pkin_i_free(self->host_candidates);
}

pkin_status pkin_i_gpu_costs_measure(const pkin_i_gpu_driver *driver, int index, pkin_i_gpu_costs *out) {
    pkin_status status;
    bench self = {.driver = driver};
    pkin_i_gpu_costs costs = {0};
    PKIN_TRY(start(&self, index, &costs.start_seconds));
    PKIN_TRY(make_rows(&self));
    PKIN_TRY(get_all(&self));
    PKIN_TRY(bring_rows(&self, &costs));
    PKIN_TRY(choose_rows(&self, &costs));
    PKIN_TRY(time_scores(&self, &costs));
    for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) PKIN_TRY(time_dimension(&self, d, &costs));
    share_start(&costs);
    if (costs.start_seconds < SECONDS_LEAST) costs.start_seconds = SECONDS_LEAST;
    *out = costs;
out:
    close_bench(&self);
    return status;
}
