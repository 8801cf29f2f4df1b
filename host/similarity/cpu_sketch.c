/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Sketches of two rows bound their score (sketch.h), and a filter compares bounds with limits at the speed of
 * integer matrix products (cpu_filter.h). Rows of a strip of b (of a itself, where there is no b) are packed into
 * panels, once, by all threads. An item of work is a block of rows of a: the thread packs it, where it stays in its
 * second-level cache, and passes it by the panels, which stay in the first. In a self-join only panels with rows past
 * the block's first are needed: items are taken in ascending order, so that the last are the shortest. Few blocks and
 * many threads: items are cut along the panels, too.
 *
 * Survivors are kept by thread until there are some tens of thousands, ordered by row (counting sort) and scored: a row
 * stands in a dense array while its survivors' entries stream by. So a survivor's entries are often still in a shared
 * cache from the neighbouring row's, and a row is spread once for many.
 *
 * Top-k. The limit of a pair is the lower of its rows' limits, which follow the heaps' thresholds: they rise only, so
 * that one of some time ago loses nothing. Three steps:
 *   1. seeds (cpu_seeds.h) fill the heaps. A row with few postings meets all its partners at once;
 *   2. a sample of columns tells how many candidates each row must expect. Where that costs more than its postings do,
 *      it meets all its partners by way of them. Both kinds of rows are finished: nothing enters their heaps any more,
 *      and their limit is NEVER, though others still meet them on their own behalf;
 *   3. the filter, over all pairs.
 * A pair may be offered several times: such offers are told apart (pkin_i_neighbor_offer_again). Step 1 finishes no
 * row, since others' seeds may still be on their way to it.
 *
 * Work: n_a * n_b * dimension multiply-adds (half of it in a self-join), then the candidates.
 */
#include "similarity/cpu_sketch.h"

#include <stdbool.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/crew.h"
#include "similarity/cpu_narrow.h"
#include "similarity/cpu_pack.h"
#include "similarity/cpu_score.h"
#include "similarity/cpu_seeds.h"
#include "similarity/neighbor_heaps.h"

enum {
    PAIRS_HELD = 4096,      /* by a thread, before they go to the sink */
    SCORES_HELD = 4096,     /* scored at a time */
    PANELS_A_PACK_ITEM = 8, /* packed by a thread at a time */
    SEED_ROWS = 256         /* rows of an item of seeding */
};

/* How often the calling thread reports, from within long items. */
static const double REPORT_SECONDS = 0.004;

typedef struct session session;

/* What one thread owns. */
typedef struct worker {
    session *owner;
    pkin_i_packer packer;
    pkin_i_packed block;        /* block_rows * dimension */
    uint64_t block_first;       /* what it holds now */
    uint32_t block_n;           /* 0: nothing */
    int32_t *block_limits;      /* block_rows */
    pkin_i_survivor *survivors; /* survivors_held + block_rows * panel_rows; column: row of b */
    size_t n_survivors;
    uint32_t *sorted; /* as many: their columns, by row */
    size_t *offsets;  /* block_rows + 1: where rows' begin */
    uint64_t *scores; /* SCORES_HELD */
    uint32_t *dense;  /* n_columns zeroes */
    pkin_pair *pairs; /* PAIRS_HELD */
    size_t n_pairs;
    uint32_t *n_expected; /* block_rows: survivors in the sample */
    pkin_i_seeder seeder;
    double next_report;
    uint64_t n_candidates, filter_operations;
    double filter_seconds, score_seconds;
} worker;

struct session {
    const pkin_i_task *task;
    pkin_i_sketch_tuning tuning;
    pkin_i_isa isa;
    const pkin_i_filter *filter;
    pkin_i_narrowed sides;
    const pkin_vectors *rows, *others; /* of a; of b, or a again */
    bool within;                       /* pairs i < j of one set */
    uint32_t dimension, block_rows;
    uint64_t strip_rows;
    pkin_i_sketch_map map;
    pkin_i_panels panels;
    pkin_i_postings postings;
    worker *workers;
    int n_threads;
    uint64_t bytes; /* allocated now */
    /* Of the present call. */
    pkin_i_task strip_task; /* the task, with the progress of strips before */
    uint64_t n_blocks, n_chunks, panels_a_chunk;
    uint64_t min_score;
    int32_t min_limit;
    pkin_i_neighbor_heaps *heaps; /* NULL: a join */
    pkin_i_pair_sink *sink;
};

pkin_i_sketch_tuning pkin_i_sketch_tuning_default(void) {
    return (pkin_i_sketch_tuning){.block_bytes = 256 << 10,
                                  .block_rows_max = 1024,
                                  .survivors_held = 32 << 10,
                                  .items_a_thread = 16,
                                  .seeds = {24, 120},
                                  .postings_a_candidate = 40,
                                  .sample_rows_least = 512,
                                  .sample_share = 64};
}

/* ---- Opening and closing ---- */

static void worker_free(worker *self) {
    pkin_i_packer_free(&self->packer);
    pkin_i_packed_free(&self->block);
    pkin_i_free(self->block_limits);
    pkin_i_free(self->survivors);
    pkin_i_free(self->sorted);
    pkin_i_free(self->offsets);
    pkin_i_free(self->scores);
    pkin_i_free(self->dense);
    pkin_i_free(self->pairs);
    pkin_i_free(self->n_expected);
    pkin_i_seeder_free(&self->seeder);
}

static size_t survivors_room(const session *owner) {
    return owner->tuning.survivors_held + (size_t)owner->block_rows * owner->filter->panel_rows;
}

static pkin_status worker_init(worker *self, session *owner) {
    pkin_status status;
    const size_t room = survivors_room(owner), n_rows = owner->block_rows;
    self->owner = owner;
    PKIN_TRY(pkin_i_packer_init(owner->filter, &owner->map, &self->packer));
    PKIN_TRY(pkin_i_packed_allocate(n_rows, owner->dimension, &self->block));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->block_limits, &self->block_limits));
    PKIN_TRY(pkin_i_allocate(room, sizeof *self->survivors, &self->survivors));
    PKIN_TRY(pkin_i_allocate(room, sizeof *self->sorted, &self->sorted));
    PKIN_TRY(pkin_i_allocate(n_rows + 1, sizeof *self->offsets, &self->offsets));
    PKIN_TRY(pkin_i_allocate(SCORES_HELD, sizeof *self->scores, &self->scores));
    PKIN_TRY(pkin_i_allocate_zeroed(owner->rows->n_columns, sizeof *self->dense, &self->dense));
    PKIN_TRY(pkin_i_allocate(PAIRS_HELD, sizeof *self->pairs, &self->pairs));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->n_expected, &self->n_expected));
    owner->bytes += n_rows * (owner->dimension + sizeof *self->block_limits + sizeof *self->offsets) +
                    room * (sizeof *self->survivors + sizeof *self->sorted) + SCORES_HELD * sizeof *self->scores +
                    owner->rows->n_columns * sizeof *self->dense + PAIRS_HELD * sizeof *self->pairs;
out:
    return status;
}

/* Rows of a block: as many as its bytes allow, no more than there are, a multiple of the filter's step. */
static uint32_t choose_block_rows(const session *owner) {
    const uint32_t step = owner->filter->block_step;
    uint64_t n = owner->tuning.block_bytes / owner->dimension;
    if (n > owner->tuning.block_rows_max) n = owner->tuning.block_rows_max;
    if (n > owner->rows->n_rows) n = owner->rows->n_rows;
    return n <= step ? step : (uint32_t)((n + step - 1) / step * step);
}

static void close_session(void *opened) {
    session *owner = opened;
    if (!owner) return;
    for (int w = 0; owner->workers && w < owner->n_threads; w++) worker_free(&owner->workers[w]);
    pkin_i_free(owner->workers);
    pkin_i_postings_free(&owner->postings);
    pkin_i_panels_free(&owner->panels);
    pkin_i_sketch_map_free(&owner->map);
    pkin_i_narrowed_free(&owner->sides);
    pkin_i_free(owner);
}

static void note_bytes(session *owner) {
    if (owner->bytes > owner->task->outcome->bytes) owner->task->outcome->bytes = owner->bytes;
}

static pkin_status open_map(session *owner) {
    uint64_t *weights = NULL;
    pkin_status status =
        pkin_i_sketch_column_weights_on(owner->rows, owner->within ? NULL : owner->others, owner->n_threads, &weights);
    if (status == PKIN_OK) {
        status = pkin_i_sketch_map_build(weights, owner->rows->n_columns, owner->dimension, &owner->map);
    }
    pkin_i_free(weights);
    owner->bytes += owner->rows->n_columns * sizeof *owner->map.buckets;
    return status;
}

static pkin_status open_sides(session *owner) {
    pkin_status status = pkin_i_narrow(owner->task->a, owner->task->b, &owner->sides);
    owner->within = owner->task->b == NULL;
    owner->rows = &owner->sides.a;
    owner->others = owner->within ? &owner->sides.a : &owner->sides.b;
    if (status == PKIN_OK && owner->sides.columns) {
        owner->bytes += owner->rows->row_offsets[owner->rows->n_rows] * sizeof *owner->sides.columns;
        if (!owner->within)
            owner->bytes += owner->others->row_offsets[owner->others->n_rows] * sizeof *owner->sides.columns;
    }
    return status;
}

pkin_status pkin_i_cpu_sketch_open(const pkin_i_task *task, const pkin_i_plan *plan, const pkin_i_sketch_tuning *tuning,
                                   void **out) {
    pkin_status status;
    session *owner = NULL;
    const double begin = pkin_i_seconds_now();
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *owner, &owner));
    owner->task = task;
    owner->tuning = *tuning;
    owner->isa = plan->isa;
    owner->filter = pkin_i_filter_for(plan->isa);
    owner->dimension = plan->dimension;
    owner->strip_rows = plan->strip_rows;
    owner->n_threads = task->n_threads;
    PKIN_TRY(open_sides(owner));
    PKIN_TRY(open_map(owner));
    owner->block_rows = choose_block_rows(owner);
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)owner->n_threads, sizeof *owner->workers, &owner->workers));
    for (int w = 0; w < owner->n_threads; w++) PKIN_TRY(worker_init(&owner->workers[w], owner));
    note_bytes(owner);
    task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    *out = owner;
    owner = NULL;
out:
    close_session(owner);
    return status;
}

static pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **out) {
    const pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
    return pkin_i_cpu_sketch_open(task, plan, &tuning, out);
}

/* ---- Panels ---- */

static uint64_t panels_bytes(const session *owner) {
    return owner->panels.capacity * owner->filter->panel_rows * (owner->dimension + sizeof *owner->panels.sums);
}

/* Room for panels of `n_rows` rows; what they held is lost. */
static pkin_status reserve_panels(session *owner, uint64_t n_rows) {
    if (owner->panels.capacity * owner->filter->panel_rows >= n_rows) return PKIN_OK;
    owner->bytes -= panels_bytes(owner);
    pkin_i_panels_free(&owner->panels);
    pkin_status status = pkin_i_panels_reserve(owner->filter, owner->dimension, n_rows, &owner->panels);
    owner->bytes += panels_bytes(owner);
    note_bytes(owner);
    return status;
}

static pkin_status pack_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    session *owner = user;
    uint64_t end = (item + 1) * PANELS_A_PACK_ITEM;
    (void)crew;
    if (end > owner->panels.n_panels) end = owner->panels.n_panels;
    for (uint64_t p = item * PANELS_A_PACK_ITEM; p < end; p++) {
        pkin_i_panels_pack(&owner->panels, &owner->workers[thread].packer, owner->others, p);
    }
    return PKIN_OK;
}

/* Packs every `stride`-th row of [first, last) of the others. */
static pkin_status pack_panels(session *owner, uint64_t first, uint64_t last, uint64_t stride) {
    const double begin = pkin_i_seconds_now();
    pkin_status status = reserve_panels(owner, (last - first + stride - 1) / stride);
    if (status == PKIN_OK) {
        pkin_i_panels_set(&owner->panels, owner->filter, first, last, stride);
        status =
            pkin_i_crew_run(&owner->strip_task, "comparing", 0, owner->n_threads,
                            (owner->panels.n_panels + PANELS_A_PACK_ITEM - 1) / PANELS_A_PACK_ITEM, pack_item, owner);
    }
    owner->task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    return status;
}

/* ---- Limits ---- */

/* What rows of the heaps ask for at present; of places past them: NEVER. */
static void take_limits(const pkin_i_neighbor_heaps *heaps, uint64_t first, uint64_t n_rows, uint32_t n_places,
                        int32_t *limits) {
    for (uint32_t r = 0; r < n_places; r++) {
        uint64_t threshold = r < n_rows ? pkin_i_neighbor_threshold(heaps, first + r) : PKIN_I_NEIGHBOR_FINISHED;
        limits[r] = threshold == PKIN_I_NEIGHBOR_FINISHED ? PKIN_I_FILTER_NEVER : pkin_i_sketch_limit(threshold);
    }
}

static void take_block_limits(worker *self, uint32_t n_places) {
    const session *owner = self->owner;
    if (owner->heaps) {
        take_limits(owner->heaps, self->block_first, self->block_n, n_places, self->block_limits);
        return;
    }
    for (uint32_t r = 0; r < n_places; r++) {
        self->block_limits[r] = r < self->block_n ? owner->min_limit : PKIN_I_FILTER_NEVER;
    }
}

/* Columns ask for something themselves only where they have heaps. */
static void take_panel_limits(const session *owner, uint64_t panel, int32_t *limits) {
    const uint64_t first = owner->panels.first + panel * owner->filter->panel_rows;
    if (owner->heaps && owner->within) {
        take_limits(owner->heaps, first, owner->panels.last - first, owner->filter->panel_rows, limits);
    } else {
        for (uint32_t c = 0; c < owner->filter->panel_rows; c++) limits[c] = PKIN_I_FILTER_NEVER;
    }
}

/* ---- Scoring ---- */

static pkin_status put_pairs(worker *self) {
    pkin_status status = pkin_i_pair_sink_put(self->owner->sink, self->pairs, self->n_pairs);
    self->n_pairs = 0;
    return status;
}

static pkin_status emit(worker *self, uint64_t i, const uint32_t *columns, size_t n) {
    session *owner = self->owner;
    pkin_status status = PKIN_OK;
    if (owner->heaps) {
        for (size_t k = 0; k < n; k++) {
            if (self->scores[k] == 0) continue;
            pkin_i_neighbor_offer_again(owner->heaps, i, columns[k], self->scores[k]);
            if (owner->within) pkin_i_neighbor_offer_again(owner->heaps, columns[k], (uint32_t)i, self->scores[k]);
        }
        return PKIN_OK;
    }
    for (size_t k = 0; k < n && status == PKIN_OK; k++) {
        if (self->scores[k] < owner->min_score) continue;
        self->pairs[self->n_pairs++] = (pkin_pair){self->scores[k], (uint32_t)i, columns[k]};
        if (self->n_pairs == PAIRS_HELD) status = put_pairs(self);
    }
    return status;
}

/* Orders the survivors' columns by row: row r's are sorted[offsets[r]] to sorted[offsets[r + 1]]. */
static void order_survivors(worker *self) {
    size_t *offsets = self->offsets, total = 0;
    memset(offsets, 0, (self->block_n + 1) * sizeof *offsets);
    for (size_t s = 0; s < self->n_survivors; s++) offsets[self->survivors[s].row + 1]++;
    /* offsets[r + 1] becomes the begin of row r's, and by filling them their end. */
    for (uint32_t r = 0; r < self->block_n; r++) {
        size_t n = offsets[r + 1];
        offsets[r + 1] = total;
        total += n;
    }
    for (size_t s = 0; s < self->n_survivors; s++) {
        self->sorted[offsets[self->survivors[s].row + 1]++] = self->survivors[s].column;
    }
}

static pkin_status score_row(worker *self, uint64_t i, const uint32_t *columns, size_t n) {
    session *owner = self->owner;
    pkin_status status = PKIN_OK;
    pkin_i_score_spread(owner->rows, i, self->dense);
    for (size_t at = 0; at < n && status == PKIN_OK; at += SCORES_HELD) {
        const size_t n_now = n - at < SCORES_HELD ? n - at : SCORES_HELD;
        pkin_i_score_rows(owner->isa, self->dense, owner->others, columns + at, n_now, self->scores);
        status = emit(self, i, columns + at, n_now);
    }
    pkin_i_score_clear(owner->rows, i, self->dense);
    return status;
}

static pkin_status score_survivors(worker *self) {
    pkin_status status = PKIN_OK;
    order_survivors(self);
    for (uint32_t r = 0; r < self->block_n && status == PKIN_OK; r++) {
        const size_t begin = self->offsets[r], end = self->offsets[r + 1];
        if (begin < end) status = score_row(self, self->block_first + r, self->sorted + begin, end - begin);
    }
    self->n_candidates += self->n_survivors;
    self->n_survivors = 0;
    return status;
}

/* ---- Filtering ---- */

/* Packs rows [first, first + n_rows) unless they are what is packed. Returns the block's places. */
static uint32_t take_block(worker *self, uint64_t first, uint32_t n_rows) {
    const session *owner = self->owner;
    const uint32_t step = owner->filter->block_step, n_places = (n_rows + step - 1) / step * step;
    if (self->block_n != n_rows || self->block_first != first) {
        pkin_i_pack_block(&self->packer, owner->rows, first, n_rows, n_places, self->block.bytes);
        self->block_first = first;
        self->block_n = n_rows;
    }
    return n_places;
}

/* Passes the block by a panel; survivors' columns become rows of the others, and what is no pair is dropped. */
static void filter_panel(worker *self, uint32_t n_places, uint64_t panel) {
    const session *owner = self->owner;
    const uint32_t panel_rows = owner->filter->panel_rows;
    const uint64_t first = owner->panels.first + panel * panel_rows;
    int32_t panel_limits[PKIN_I_PANEL_ROWS_MAX];
    pkin_i_survivor *found = self->survivors + self->n_survivors;
    take_panel_limits(owner, panel, panel_limits);
    const size_t n_found = owner->filter->run(
        self->block.bytes, n_places, owner->panels.packed.bytes + panel * panel_rows * owner->dimension,
        owner->panels.sums + panel * panel_rows, owner->dimension, self->block_limits, panel_limits, found);
    size_t n_kept = 0;
    for (size_t f = 0; f < n_found; f++) {
        const uint64_t j = first + found[f].column;
        const bool is_pair = j < owner->panels.last && found[f].row < self->block_n &&
                             (!owner->within || self->block_first + found[f].row < j);
        found[n_kept] = (pkin_i_survivor){found[f].row, (uint32_t)j};
        n_kept += is_pair;
    }
    self->n_survivors += n_kept;
    self->filter_operations += 2ull * n_places * panel_rows * owner->dimension;
}

/* Pairs of the block's rows with columns [begin, end). */
static uint64_t pairs_of(const worker *self, uint64_t begin, uint64_t end) {
    const uint64_t first = self->block_first, last = first + self->block_n;
    if (!self->owner->within) return (end - begin) * self->block_n;
    if (begin < first) begin = first;
    if (begin >= end) return 0;
    const uint64_t middle = end < last ? end : last;
    uint64_t n = 0;
    if (begin < middle) n += ((begin - first) + (middle - 1 - first)) * (middle - begin) / 2;
    if (end > last) n += (end - (begin > last ? begin : last)) * self->block_n;
    return n;
}

/* Progress within an item: columns [*begin, end) have been dealt with. */
static void tell(worker *self, pkin_i_crew *crew, int thread, double now, uint64_t *begin, uint64_t end) {
    if (end > self->owner->panels.last) end = self->owner->panels.last;
    if (*begin < end) pkin_i_crew_advance(crew, pairs_of(self, *begin, end));
    if (*begin < end) *begin = end;
    pkin_i_crew_report(crew, thread);
    self->next_report = now + REPORT_SECONDS;
}

/* Panels [begin_panel, end_panel) past the block, survivors scored. */
static pkin_status pass_block(worker *self, pkin_i_crew *crew, int thread, uint32_t n_places, uint64_t begin_panel,
                              uint64_t end_panel) {
    session *owner = self->owner;
    pkin_status status = PKIN_OK;
    const uint32_t panel_rows = owner->filter->panel_rows;
    uint64_t told = owner->panels.first + begin_panel * panel_rows;
    double begin = pkin_i_seconds_now(), now = begin;
    for (uint64_t p = begin_panel; p < end_panel && status == PKIN_OK && !pkin_i_crew_is_stopping(crew); p++) {
        filter_panel(self, n_places, p);
        now = pkin_i_seconds_now();
        if (self->n_survivors >= owner->tuning.survivors_held || p + 1 == end_panel) {
            self->filter_seconds += now - begin;
            status = score_survivors(self);
            if (owner->heaps) take_block_limits(self, n_places);
            begin = pkin_i_seconds_now();
            self->score_seconds += begin - now;
            now = begin;
        }
        if (now >= self->next_report || p + 1 == end_panel) {
            tell(self, crew, thread, now, &told, owner->panels.first + (p + 1) * panel_rows);
        }
    }
    self->n_survivors = 0;
    return status;
}

/* Item: a block of rows and a chunk of panels. */
static pkin_status filter_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    session *owner = user;
    worker *self = &owner->workers[thread];
    const uint64_t chunk = item % owner->n_chunks, first = item / owner->n_chunks * owner->block_rows;
    const uint64_t n_rows = owner->within ? owner->panels.last : owner->rows->n_rows;
    uint64_t begin = chunk * owner->panels_a_chunk, end = begin + owner->panels_a_chunk;
    if (end > owner->panels.n_panels) end = owner->panels.n_panels;
    if (owner->within && first + 1 > owner->panels.first) {
        const uint64_t first_needed = (first + 1 - owner->panels.first) / owner->filter->panel_rows;
        if (begin < first_needed) begin = first_needed;
    }
    if (begin >= end) return PKIN_OK;
    const uint32_t n_places =
        take_block(self, first, (uint32_t)(n_rows - first < owner->block_rows ? n_rows - first : owner->block_rows));
    take_block_limits(self, n_places);
    if (owner->filter->begin) owner->filter->begin();
    pkin_status status = pass_block(self, crew, thread, n_places, begin, end);
    if (owner->filter->end) owner->filter->end();
    return status;
}

/* Adds up what the threads did since the last time. */
static void account(session *owner) {
    pkin_i_outcome *outcome = owner->task->outcome;
    for (int w = 0; w < owner->n_threads; w++) {
        worker *self = &owner->workers[w];
        outcome->n_candidates += self->n_candidates + self->seeder.n_scored;
        outcome->filter_operations += self->filter_operations;
        outcome->filter_seconds += self->filter_seconds;
        outcome->score_seconds += self->score_seconds;
        self->n_candidates = self->filter_operations = self->seeder.n_scored = 0;
        self->filter_seconds = self->score_seconds = 0;
    }
}

/* Items of the present strip: chunks are made where blocks alone are too few for the threads. */
static void cut_items(session *owner) {
    const uint64_t n_rows = owner->within ? owner->panels.last : owner->rows->n_rows;
    const uint64_t n_wanted = (uint64_t)owner->n_threads * owner->tuning.items_a_thread;
    owner->n_blocks = (n_rows + owner->block_rows - 1) / owner->block_rows;
    uint64_t n_chunks = owner->n_blocks ? (n_wanted + owner->n_blocks - 1) / owner->n_blocks : 1;
    if (n_chunks > owner->panels.n_panels) n_chunks = owner->panels.n_panels;
    owner->panels_a_chunk = n_chunks ? (owner->panels.n_panels + n_chunks - 1) / n_chunks : 1;
    owner->n_chunks = (owner->panels.n_panels + owner->panels_a_chunk - 1) / owner->panels_a_chunk;
}

/* Every pair of rows of a with rows [first, last) of the others. */
static pkin_status filter_strip(session *owner, uint64_t first, uint64_t last) {
    pkin_status status;
    PKIN_TRY(pack_panels(owner, first, last, 1));
    cut_items(owner);
    PKIN_TRY(pkin_i_crew_run(&owner->strip_task, "comparing", 0, owner->n_threads, owner->n_blocks * owner->n_chunks,
                             filter_item, owner));
    for (int w = 0; w < owner->n_threads && owner->sink; w++) PKIN_TRY(put_pairs(&owner->workers[w]));
    owner->strip_task.n_pairs_before += pkin_i_task_pairs(owner->task, first, last);
out:
    for (int w = 0; w < owner->n_threads; w++) owner->workers[w].n_pairs = 0;
    account(owner);
    return status;
}

static pkin_status join(void *opened, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink) {
    session *owner = opened;
    owner->strip_task = *owner->task;
    owner->min_score = min_score;
    owner->min_limit = pkin_i_sketch_limit(min_score);
    owner->heaps = NULL;
    owner->sink = sink;
    return filter_strip(owner, first, last);
}

/* ---- Top-k ---- */

static void report_now_and_then(worker *self, pkin_i_crew *crew, int thread) {
    const double now = pkin_i_seconds_now();
    if (now < self->next_report) return;
    self->next_report = now + REPORT_SECONDS;
    pkin_i_crew_report(crew, thread);
}

static pkin_status seed_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    session *owner = user;
    worker *self = &owner->workers[thread];
    uint64_t end = (item + 1) * SEED_ROWS;
    if (end > owner->rows->n_rows) end = owner->rows->n_rows;
    for (uint64_t r = item * SEED_ROWS; r < end && !pkin_i_crew_is_stopping(crew); r++) {
        if (pkin_i_seed_postings(&self->seeder, r) <= self->seeder.budget) {
            pkin_i_seed_all(&self->seeder, r);
        } else {
            pkin_i_seed_some(&self->seeder, r);
        }
        report_now_and_then(self, crew, thread);
    }
    return PKIN_OK;
}

/* Counts, for every row of the block, its survivors in the sample, which the panels hold. */
static void count_expected(worker *self, uint32_t n_places) {
    const session *owner = self->owner;
    const uint32_t panel_rows = owner->filter->panel_rows;
    int32_t never[PKIN_I_PANEL_ROWS_MAX];
    for (uint32_t c = 0; c < panel_rows; c++) never[c] = PKIN_I_FILTER_NEVER;
    memset(self->n_expected, 0, self->block_n * sizeof *self->n_expected);
    for (uint64_t p = 0; p < owner->panels.n_panels; p++) {
        const size_t n_found = owner->filter->run(
            self->block.bytes, n_places, owner->panels.packed.bytes + p * panel_rows * owner->dimension,
            owner->panels.sums + p * panel_rows, owner->dimension, self->block_limits, never, self->survivors);
        for (size_t f = 0; f < n_found; f++) self->n_expected[self->survivors[f].row]++;
        self->filter_operations += 2ull * n_places * panel_rows * owner->dimension;
    }
}

/* Finishes the rows of a block that have met all their partners, and those that had better do so now. */
static pkin_status finish_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    session *owner = user;
    worker *self = &owner->workers[thread];
    const uint64_t first = item * owner->block_rows, n_left = owner->rows->n_rows - first;
    const double a_row = (double)owner->panels.stride;
    const uint32_t n_places =
        take_block(self, first, (uint32_t)(n_left < owner->block_rows ? n_left : owner->block_rows));
    take_block_limits(self, n_places);
    if (owner->filter->begin) owner->filter->begin();
    count_expected(self, n_places);
    if (owner->filter->end) owner->filter->end();
    for (uint32_t r = 0; r < self->block_n && !pkin_i_crew_is_stopping(crew); r++) {
        const uint64_t n_postings = pkin_i_seed_postings(&self->seeder, first + r);
        const double n_candidates = a_row * self->n_expected[r];
        const bool is_all_met = n_postings <= self->seeder.budget;
        if (!is_all_met && n_candidates * owner->tuning.postings_a_candidate <= (double)n_postings) continue;
        if (!is_all_met) pkin_i_seed_all(&self->seeder, first + r);
        pkin_i_neighbor_finish(owner->heaps, first + r);
        report_now_and_then(self, crew, thread);
    }
    return PKIN_OK;
}

static void close_seeds(session *owner) {
    account(owner);
    for (int w = 0; w < owner->n_threads; w++) pkin_i_seeder_free(&owner->workers[w].seeder);
    pkin_i_postings_free(&owner->postings);
}

/* Steps 1 and 2. */
static pkin_status seed(session *owner) {
    pkin_status status;
    const uint64_t n_rows = owner->rows->n_rows, n_others = owner->others->n_rows, before = owner->bytes;
    uint64_t n_sample = n_others / owner->tuning.sample_share;
    if (n_sample < owner->tuning.sample_rows_least) n_sample = owner->tuning.sample_rows_least;
    PKIN_TRY(pkin_i_postings_build(owner->others, owner->n_threads, &owner->postings));
    for (int w = 0; w < owner->n_threads; w++) {
        PKIN_TRY(pkin_i_seeder_init(owner->rows, owner->others, owner->within, &owner->postings, owner->isa,
                                    owner->heaps, owner->tuning.seeds, &owner->workers[w].seeder));
    }
    owner->bytes += (uint64_t)owner->n_threads * pkin_i_seeder_bytes(owner->rows, owner->others) +
                    pkin_i_postings_bytes(owner->others);
    note_bytes(owner);
    PKIN_TRY(pkin_i_crew_run(&owner->strip_task, "comparing", 0, owner->n_threads, (n_rows + SEED_ROWS - 1) / SEED_ROWS,
                             seed_item, owner));
    PKIN_TRY(pack_panels(owner, 0, n_others, n_others > n_sample ? n_others / n_sample : 1));
    PKIN_TRY(pkin_i_crew_run(&owner->strip_task, "comparing", 0, owner->n_threads,
                             (n_rows + owner->block_rows - 1) / owner->block_rows, finish_item, owner));
out:
    close_seeds(owner);
    owner->bytes = before;
    return status;
}

static pkin_status top_k(void *opened, pkin_i_neighbor_heaps *heaps) {
    session *owner = opened;
    pkin_status status;
    const double begin = pkin_i_seconds_now();
    owner->strip_task = *owner->task;
    owner->heaps = heaps;
    owner->sink = NULL;
    const double packed_before = owner->task->outcome->prepare_seconds;
    PKIN_TRY(seed(owner));
    owner->task->outcome->prepare_seconds = packed_before + pkin_i_seconds_now() - begin;
    for (uint64_t first = 0; first < owner->others->n_rows; first += owner->strip_rows) {
        const uint64_t n_left = owner->others->n_rows - first;
        PKIN_TRY(filter_strip(owner, first, first + (n_left < owner->strip_rows ? n_left : owner->strip_rows)));
    }
out:
    return status;
}

const pkin_i_engine pkin_i_cpu_sketch_engine = {open_session, join, top_k, close_session};
