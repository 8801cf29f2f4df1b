/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. For a streamed row and a block of indexed rows (cpu_stream.h), one 32-bit sum a row of the block:
 *   1. gets the products of all tail columns, weights rounded up, from the block's postings;
 *   2. is compared with the limit, after adding a bound of what the head can add: first one of two buckets, for all
 *      rows of the block at once, which also clears the sums; then one of more buckets, for the rows that are left;
 *   3. where that reaches the limit, the pair is a candidate: candidates wait until there are many, and are scored
 *      from the rows' exact weights, the head first; the tail only where its sum with that still reaches the limit.
 * A bound is never below what it bounds (cpu_tail_rows.h), so no pair is lost, and scores come from integers on the
 * rows: neither the division of work among threads nor the instruction set can be seen in a result. Work: sum over tail
 * columns of df_a * df_b (half of it in a self-join), a few vector instructions for every pair of rows, and the
 * candidates (cpu_tail_cost.h). A top-k begins with seeds (cpu_seeds.h). Memory: 8 bytes an entry, and for each thread
 * a block and a dense row.
 */
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_backend.h"
#include "similarity/cpu_narrow.h"
#include "similarity/cpu_seeds.h"
#include "similarity/cpu_stream.h"
#include "similarity/cpu_tail_cost.h"
#include "similarity/cpu_tail_kernels.h"

enum {
    BLOCK_ROWS = PKIN_I_TAIL_BLOCK_ROWS, /* a posting has 16 bits for the place: at most 2^16 */
    BLOCK_ENTRIES = 1 << 20,
    PREFETCH_COLUMNS = 6,    /* ahead, while postings are added */
    PREFETCH_ENTRIES = 4,    /* candidates ahead, while they are scored */
    SCAN_ROWS_A_POSTING = 8, /* a posting costs as much as a scan of so many rows */
    SEED_ROWS = 256,         /* of an item of seeding */
    GROUP = 4,               /* postings that are added at a time */
    ENTRIES_PER_LINE = 8,    /* of a cache */
    CANDIDATES_HELD = 16384  /* by a thread; at least 2 * BLOCK_ROWS */
};

/* The tail of a block of rows, by column. */
typedef struct tail_block {
    uint64_t first_row;
    uint32_t n_rows;
    int16_t most_coarse[PKIN_I_COARSE_BUCKETS]; /* the largest norms of its rows */
    uint32_t *offsets;  /* n_ranks - n_head + 1: tail column c has postings [offsets[c], offsets[c + 1]) */
    uint32_t *postings; /* p << 16 | row - first_row, p as in pkin_i_tail_weight; columns padded with p = 0 to groups */
} tail_block;

/* Candidates of one streamed row: the next n of those that are held. */
typedef struct row_run {
    uint64_t j;
    size_t n;
} row_run;

/* What one thread owns. */
typedef struct tail_worker {
    uint32_t *sums;                /* BLOCK_ROWS zeroes */
    uint32_t *limits;              /* BLOCK_ROWS: of the block's rows, top-k */
    uint32_t least_limit;          /* of them */
    uint32_t *dense;               /* n_ranks zeroes */
    pkin_i_tail_found *candidates; /* CANDIDATES_HELD + 1 */
    size_t n_candidates, n_runs;
    row_run *runs; /* STREAM_CHUNK_ROWS */
    uint64_t n_scored, n_postings, n_visits, n_refined;
    double filter_seconds, score_seconds;
} tail_worker;

typedef struct tail {
    pkin_i_stream stream;
    const pkin_i_tail_kernels *kernels;
    pkin_i_narrowed sides;
    pkin_i_tail_rows rows;
    pkin_i_isa isa;
    tail_block *blocks; /* n_slots */
    tail_worker *workers;
    int n_threads;
    uint64_t bytes; /* of the open session */
} tail;

static void find_most_coarse(const pkin_i_tail_side *side, tail_block *block) {
    for (uint32_t b = 0; b < PKIN_I_COARSE_BUCKETS; b++) {
        block->most_coarse[b] = 0;
        for (uint64_t r = block->first_row; r < block->first_row + block->n_rows; r++) {
            const int16_t norm = side->coarse[r * PKIN_I_COARSE_BUCKETS + b];
            if (norm > block->most_coarse[b]) block->most_coarse[b] = norm;
        }
    }
}

static void block_build(void *method, uint32_t slot, uint64_t first, uint32_t n_rows) {
    tail *self = method;
    tail_block *block = &self->blocks[slot];
    const pkin_i_tail_side *side = &self->rows.a;
    const uint32_t n_head = self->rows.n_head, n_columns = self->rows.n_ranks - n_head;
    uint32_t *offsets = block->offsets, total = 0;
    block->first_row = first;
    block->n_rows = n_rows;
    find_most_coarse(side, block);
    memset(offsets, 0, ((size_t)n_columns + 1) * sizeof *offsets);
    for (uint64_t r = first; r < first + n_rows; r++) {
        for (uint64_t k = side->tail_begins[r]; k < side->offsets[r + 1]; k++) {
            offsets[side->entries[k].rank - n_head + 1]++;
        }
    }
    /* offsets[c + 1] becomes the begin of column c's postings, and by filling them their end: rounded up, the begin of
       the next. */
    for (uint32_t c = 0; c < n_columns; c++) {
        const uint32_t n = (offsets[c + 1] + GROUP - 1) / GROUP * GROUP;
        offsets[c + 1] = total;
        total += n;
    }
    for (uint32_t p = 0; p < total; p++) block->postings[p] = p % GROUP; /* padding, where nothing comes over it */
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint64_t k = side->tail_begins[first + r]; k < side->offsets[first + r + 1]; k++) {
            const pkin_i_tail_entry entry = side->entries[k];
            block->postings[offsets[entry.rank - n_head + 1]++] = pkin_i_tail_weight(entry.weight) << 16 | r;
        }
    }
    for (uint32_t c = 0; c < n_columns; c++) offsets[c + 1] = (offsets[c + 1] + GROUP - 1) / GROUP * GROUP;
}

/* What a column without postings adds: so that the loop's end is no surprise to the processor. */
static const uint32_t nothing[GROUP] = {0, 1, 2, 3};

/* Adds the tail's products of row j to the sums of the block's rows. Returns how many it looked at. */
static size_t add_postings(const tail *self, const tail_block *block, uint64_t j, uint32_t *restrict sums) {
    const pkin_i_tail_entry *entry = self->rows.b.entries + self->rows.b.tail_begins[j];
    const pkin_i_tail_entry *end = self->rows.b.entries + self->rows.b.offsets[j + 1];
    const uint32_t *offsets = block->offsets, *postings = block->postings, n_head = self->rows.n_head;
    size_t n_postings = 0;
    for (; entry < end; entry++) {
        if (end - entry > PREFETCH_COLUMNS) {
            __builtin_prefetch(&postings[offsets[entry[PREFETCH_COLUMNS / 2].rank - n_head]]);
            __builtin_prefetch(&offsets[entry[PREFETCH_COLUMNS].rank - n_head]);
        }
        const uint32_t weight = pkin_i_tail_weight(entry->weight), c = entry->rank - n_head;
        const uint32_t *group = postings + offsets[c], *last = postings + offsets[c + 1];
        const bool is_empty = group == last;
        n_postings += (size_t)(last - group);
        group = is_empty ? nothing : group;
        last = is_empty ? nothing + GROUP : last;
        do {
            for (int k = 0; k < GROUP; k++) sums[group[k] & 0xFFFF] += (group[k] >> 16) * weight;
            group += GROUP;
        } while (group < last);
    }
    return n_postings;
}

/*
 * What the scan finds where only rows that share a tail column with row j can reach a limit, and those are few: no head
 * of the block adds more than `head_most`. Columns are walked again; a sum is zero once it was looked at.
 */
static size_t look_at_touched(const tail *self, const tail_block *block, uint64_t j, uint32_t head_most, uint32_t limit,
                              const uint32_t *limits, uint32_t *sums, pkin_i_tail_found *found) {
    const pkin_i_tail_side *side = &self->rows.b;
    const uint32_t n_head = self->rows.n_head;
    size_t n_found = 0;
    for (uint64_t k = side->tail_begins[j]; k < side->offsets[j + 1]; k++) {
        const uint32_t c = side->entries[k].rank - n_head;
        for (uint32_t p = block->offsets[c]; p < block->offsets[c + 1]; p++) {
            const uint32_t place = block->postings[p] & 0xFFFF, sum = sums[place];
            const uint32_t least = limits && limits[place] < limit ? limits[place] : limit;
            sums[place] = 0;
            if (sum > 0 && sum + head_most >= least) found[n_found++] = (pkin_i_tail_found){place, sum};
        }
    }
    return n_found;
}

/* The scores that the block's rows ask for, as they are now: they rise only, so that old ones lose nothing. */
static void take_limits(const tail *self, const tail_block *block, tail_worker *worker) {
    worker->least_limit = PKIN_I_TAIL_NEVER;
    for (uint32_t r = 0; self->stream.heaps && r < block->n_rows; r++) {
        const uint32_t limit = pkin_i_tail_limit(pkin_i_stream_indexed_limit(&self->stream, block->first_row + r));
        worker->limits[r] = limit;
        if (limit < worker->least_limit) worker->least_limit = limit;
    }
}

static uint64_t product_sum(const pkin_i_tail_entry *entries, const pkin_i_tail_entry *end, const uint32_t *dense) {
    uint64_t sum = 0;
    for (; entries < end; entries++) sum += (uint64_t)entries->weight * dense[entries->rank];
    return sum;
}

static void spread(const pkin_i_tail_side *side, uint64_t j, uint32_t *dense, uint32_t keep) {
    for (uint64_t k = side->offsets[j]; k < side->head_ends[j]; k++) {
        dense[side->entries[k].rank] = side->entries[k].weight & keep;
    }
    for (uint64_t k = side->tail_begins[j]; k < side->offsets[j + 1]; k++) {
        dense[side->entries[k].rank] = side->entries[k].weight & keep;
    }
}

static void prefetch_row(const pkin_i_tail_side *side, uint64_t i) {
    for (uint64_t k = side->offsets[i]; k < side->offsets[i + 1]; k += ENTRIES_PER_LINE) {
        __builtin_prefetch(&side->entries[k]);
    }
}

/* Scores the candidates of row j, which stands in the dense row. */
static pkin_status score_run(tail *self, int thread, const tail_block *block, uint64_t j,
                             const pkin_i_tail_found *found, size_t n) {
    pkin_status status = PKIN_OK;
    const pkin_i_tail_side *side = &self->rows.a;
    const uint32_t *dense = self->workers[thread].dense;
    for (size_t f = 0; f < n && status == PKIN_OK; f++) {
        if (f + PREFETCH_ENTRIES < n) prefetch_row(side, block->first_row + found[f + PREFETCH_ENTRIES].place);
        const uint64_t i = block->first_row + found[f].place;
        const uint64_t limit = pkin_i_stream_limit(&self->stream, j);
        const uint64_t indexed_limit = pkin_i_stream_indexed_limit(&self->stream, i);
        const uint64_t head = product_sum(side->entries + side->offsets[i], side->entries + side->head_ends[i], dense);
        const uint64_t most = head + ((uint64_t)found[f].tail << PKIN_I_TAIL_SHIFT);
        if (most < limit && most < indexed_limit) continue;
        const uint64_t rest =
            product_sum(side->entries + side->tail_begins[i], side->entries + side->offsets[i + 1], dense);
        if (head + rest > 0) status = pkin_i_stream_emit(&self->stream, thread, i, j, head + rest);
    }
    return status;
}

/* Scores all candidates that are held; all are of this block. */
static pkin_status drain(tail *self, pkin_i_crew *crew, int thread, const tail_block *block) {
    pkin_status status = PKIN_OK;
    tail_worker *worker = &self->workers[thread];
    const pkin_i_tail_found *found = worker->candidates;
    if (worker->n_candidates == 0) return PKIN_OK;
    const double begin = pkin_i_seconds_now();
    for (size_t k = 0; k < worker->n_runs && status == PKIN_OK; k++) {
        const row_run *run = &worker->runs[k];
        spread(&self->rows.b, run->j, worker->dense, UINT32_MAX);
        status = score_run(self, thread, block, run->j, found, run->n);
        spread(&self->rows.b, run->j, worker->dense, 0);
        found += run->n;
    }
    worker->n_scored += worker->n_candidates;
    worker->n_candidates = worker->n_runs = 0;
    if (self->stream.heaps) take_limits(self, block, worker);
    worker->score_seconds += pkin_i_seconds_now() - begin;
    pkin_i_crew_report(crew, thread);
    return status;
}

/* Rows of the block whose coarse bound with row j reaches a limit, in any order. The sums are zero again after it. */
static size_t scan(const tail *self, tail_worker *worker, const tail_block *block, uint64_t j, uint32_t limit,
                   const uint32_t *limits, pkin_i_tail_found *found) {
    const int16_t *x = self->rows.b.coarse + j * PKIN_I_COARSE_BUCKETS;
    const uint32_t head_most = (uint32_t)(x[0] * block->most_coarse[0] + x[1] * block->most_coarse[1]);
    const uint32_t n = pkin_i_stream_n_partners(&self->stream, block->first_row, block->n_rows, j);
    /* Past n, where kernels go on to a round number, sums and norms are whatever they are: not looked at. */
    const size_t n_round = ((size_t)n + PKIN_I_KERNEL_ROWS - 1) / PKIN_I_KERNEL_ROWS * PKIN_I_KERNEL_ROWS;
    const size_t n_postings = add_postings(self, block, j, worker->sums);
    worker->n_postings += n_postings;
    worker->n_visits += self->rows.b.offsets[j + 1] - self->rows.b.tail_begins[j];
    size_t n_found, n_kept = 0;
    if (head_most < limit && head_most < worker->least_limit && n_postings < n / SCAN_ROWS_A_POSTING) {
        n_found = look_at_touched(self, block, j, head_most, limit, limits, worker->sums, found);
    } else {
        n_found = self->kernels->scan(worker->sums, self->rows.a.coarse + block->first_row * PKIN_I_COARSE_BUCKETS, x,
                                      n_round, limit, limits, found);
        if (n_round < block->n_rows)
            memset(worker->sums + n_round, 0, (block->n_rows - n_round) * sizeof *worker->sums);
    }
    if (n == n_round && n == block->n_rows) return n_found;
    for (size_t f = 0; f < n_found; f++) {
        if (found[f].place < n) found[n_kept++] = found[f];
    }
    return n_kept;
}

/* Adds to the candidates those of row j. */
static void compare_row(tail *self, tail_worker *worker, const tail_block *block, uint64_t j) {
    const uint32_t limit = pkin_i_tail_limit(pkin_i_stream_limit(&self->stream, j));
    const uint32_t *limits = self->stream.heaps ? worker->limits : NULL;
    pkin_i_tail_found *found = worker->candidates + worker->n_candidates;
    size_t n_found = scan(self, worker, block, j, limit, limits, found);
    if (n_found == 0) return;
    worker->n_refined += n_found;
    n_found = self->kernels->refine(self->rows.a.fine + block->first_row * PKIN_I_FINE_BUCKETS,
                                    self->rows.b.fine + j * PKIN_I_FINE_BUCKETS, limit, limits, found, n_found);
    if (n_found == 0) return;
    worker->runs[worker->n_runs++] = (row_run){j, n_found};
    worker->n_candidates += n_found;
}

static pkin_status compare(void *method, pkin_i_crew *crew, int thread, uint32_t slot, uint64_t begin, uint64_t end) {
    tail *self = method;
    tail_worker *worker = &self->workers[thread];
    const tail_block *block = &self->blocks[slot];
    pkin_status status = PKIN_OK;
    const double began = pkin_i_seconds_now() - worker->score_seconds;
    take_limits(self, block, worker);
    for (uint64_t j = begin; j < end && status == PKIN_OK && !pkin_i_crew_is_stopping(crew); j++) {
        if (worker->n_candidates + BLOCK_ROWS > CANDIDATES_HELD) status = drain(self, crew, thread, block);
        compare_row(self, worker, block, j);
    }
    if (status == PKIN_OK && !pkin_i_crew_is_stopping(crew)) status = drain(self, crew, thread, block);
    worker->n_candidates = worker->n_runs = 0;
    worker->filter_seconds += pkin_i_seconds_now() - worker->score_seconds - began;
    return status;
}

static void worker_free(tail_worker *worker) {
    pkin_i_free(worker->sums);
    pkin_i_free(worker->limits);
    pkin_i_free(worker->dense);
    pkin_i_free(worker->candidates);
    pkin_i_free(worker->runs);
}

static pkin_status worker_init(uint32_t n_ranks, tail_worker *worker) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate_zeroed(BLOCK_ROWS, sizeof *worker->sums, &worker->sums));
    PKIN_TRY(pkin_i_allocate_zeroed(BLOCK_ROWS, sizeof *worker->limits, &worker->limits));
    PKIN_TRY(pkin_i_allocate_zeroed(n_ranks, sizeof *worker->dense, &worker->dense));
    PKIN_TRY(pkin_i_allocate(CANDIDATES_HELD + 1, sizeof *worker->candidates, &worker->candidates));
    PKIN_TRY(pkin_i_allocate(PKIN_I_STREAM_CHUNK_ROWS, sizeof *worker->runs, &worker->runs));
out:
    return status;
}

static void close_session(void *session) {
    tail *self = session;
    if (!self) return;
    for (int t = 0; self->workers && t < self->n_threads; t++) worker_free(&self->workers[t]);
    for (uint32_t s = 0; self->blocks && s < self->stream.n_slots; s++) {
        pkin_i_free(self->blocks[s].offsets);
        pkin_i_free(self->blocks[s].postings);
    }
    pkin_i_free(self->workers);
    pkin_i_free(self->blocks);
    pkin_i_tail_rows_free(&self->rows);
    pkin_i_narrowed_free(&self->sides);
    if (self->stream.task) pkin_i_stream_close(&self->stream);
    pkin_i_free(self);
}

/* Most postings of a block, padding included. */
static uint64_t most_postings(const tail *self) {
    const pkin_i_tail_side *side = &self->rows.a;
    const uint64_t n = pkin_i_stream_most_entries(&self->stream, side->tail_begins, side->offsets + 1);
    const uint64_t n_columns = self->rows.n_ranks - self->rows.n_head, n_padded = n < n_columns ? n : n_columns;
    return n + (GROUP - 1) * n_padded;
}

static pkin_status open_blocks(tail *self, uint64_t n_most) {
    pkin_status status;
    const size_t n_columns = self->rows.n_ranks - self->rows.n_head;
    PKIN_TRY(pkin_i_allocate_zeroed(self->stream.n_slots, sizeof *self->blocks, &self->blocks));
    for (uint32_t s = 0; s < self->stream.n_slots; s++) {
        PKIN_TRY(pkin_i_allocate(n_columns + 1, sizeof *self->blocks[s].offsets, &self->blocks[s].offsets));
        PKIN_TRY(pkin_i_allocate(n_most, sizeof *self->blocks[s].postings, &self->blocks[s].postings));
    }
out:
    return status;
}

static void note_bytes(tail *self, uint64_t n_most, pkin_i_outcome *outcome) {
    const uint64_t n_columns = self->rows.n_ranks - self->rows.n_head;
    const uint64_t a_block = (n_columns + 1 + n_most) * sizeof(uint32_t);
    const uint64_t a_worker = 2 * BLOCK_ROWS * sizeof(uint32_t) + self->rows.n_ranks * sizeof(uint32_t) +
                              CANDIDATES_HELD * sizeof(pkin_i_tail_found) + PKIN_I_STREAM_CHUNK_ROWS * sizeof(row_run);
    const uint64_t bytes = pkin_i_tail_rows_bytes(&self->rows) + self->stream.n_slots * a_block +
                           (uint64_t)self->n_threads * a_worker + pkin_i_stream_bytes(&self->stream);
    self->bytes = bytes;
    if (bytes > outcome->bytes) outcome->bytes = bytes;
}

static pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    pkin_status status;
    tail *self = NULL;
    const double begin = pkin_i_seconds_now();
    *session = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *self, &self));
    self->kernels = pkin_i_tail_kernels_for(plan->isa);
    self->n_threads = task->n_threads;
    self->isa = plan->isa;
    PKIN_TRY(pkin_i_narrow(task->a, task->b, &self->sides));
    PKIN_TRY(pkin_i_tail_rows_build(&self->sides.a, task->b ? &self->sides.b : NULL, plan->head_share, task->n_threads,
                                    &self->rows));
    const uint64_t *begins = self->rows.a.tail_begins, *ends = self->rows.a.offsets + 1;
    PKIN_TRY(pkin_i_stream_open(task, begins, ends, BLOCK_ROWS, BLOCK_ENTRIES, &self->stream));
    self->stream.steps = (pkin_i_stream_steps){block_build, compare};
    self->stream.method = self;
    const uint64_t n_most = most_postings(self);
    PKIN_TRY(open_blocks(self, n_most));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)task->n_threads, sizeof *self->workers, &self->workers));
    for (int t = 0; t < task->n_threads; t++) PKIN_TRY(worker_init(self->rows.n_ranks, &self->workers[t]));
    note_bytes(self, n_most, task->outcome);
    task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    *session = self;
    self = NULL;
out:
    close_session(self);
    return status;
}

static pkin_status stream(tail *self, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink,
                          pkin_i_neighbor_heaps *heaps) {
    pkin_i_outcome *outcome = self->stream.task->outcome;
    pkin_status status = pkin_i_stream_run(&self->stream, first, last, min_score, sink, heaps);
    for (int t = 0; t < self->n_threads; t++) {
        tail_worker *worker = &self->workers[t];
        outcome->n_candidates += worker->n_scored;
        outcome->n_postings += worker->n_postings;
        outcome->n_visits += worker->n_visits;
        outcome->n_refined += worker->n_refined;
        outcome->filter_seconds += worker->filter_seconds;
        outcome->score_seconds += worker->score_seconds;
        worker->n_scored = worker->n_postings = worker->n_visits = worker->n_refined = 0;
        worker->filter_seconds = worker->score_seconds = 0;
    }
    return status;
}

static pkin_status join(void *session, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink) {
    return stream(session, first, last, min_score, sink, NULL);
}

/* What seeding takes, beside the session. */
typedef struct tail_seeding {
    const tail *self;
    pkin_i_seeder *seeders; /* n_threads */
} tail_seeding;

static pkin_status seed_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    const tail_seeding *seeding = user;
    pkin_i_seeder *seeder = &seeding->seeders[thread];
    const uint64_t n_rows = seeding->self->rows.a.n_rows;
    uint64_t end = (item + 1) * SEED_ROWS;
    if (end > n_rows) end = n_rows;
    for (uint64_t r = item * SEED_ROWS; r < end && !pkin_i_crew_is_stopping(crew); r++) {
        pkin_i_seed_some(seeder, r);
    }
    return PKIN_OK;
}

static void note_seeding_bytes(const tail *self, const pkin_vectors *others, pkin_i_outcome *outcome) {
    const uint64_t bytes = self->bytes + pkin_i_postings_bytes(others) +
                           (uint64_t)self->n_threads * pkin_i_seeder_bytes(&self->sides.a, others);
    if (bytes > outcome->bytes) outcome->bytes = bytes;
}

/* Offers every row of a its most promising partners, so that limits are high from the beginning. */
static pkin_status seed(tail *self, pkin_i_neighbor_heaps *heaps) {
    pkin_status status;
    const pkin_i_task *task = self->stream.task;
    const double begin = pkin_i_seconds_now();
    const pkin_vectors *a = &self->sides.a, *others = self->stream.within ? a : &self->sides.b;
    pkin_i_postings postings = {0};
    tail_seeding seeding = {self, NULL};
    PKIN_TRY(pkin_i_postings_build(others, self->n_threads, &postings));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)self->n_threads, sizeof *seeding.seeders, &seeding.seeders));
    for (int t = 0; t < self->n_threads; t++) {
        PKIN_TRY(pkin_i_seeder_init(a, others, self->stream.within, &postings, self->isa, heaps,
                                    pkin_i_tail_seed_effort(), &seeding.seeders[t]));
    }
    note_seeding_bytes(self, others, task->outcome);
    PKIN_TRY(pkin_i_crew_run(task, "comparing", 0, self->n_threads, (a->n_rows + SEED_ROWS - 1) / SEED_ROWS, seed_item,
                             &seeding));
out:
    for (int t = 0; seeding.seeders && t < self->n_threads; t++) {
        task->outcome->n_candidates += seeding.seeders[t].n_scored;
        pkin_i_seeder_free(&seeding.seeders[t]);
    }
    pkin_i_free(seeding.seeders);
    pkin_i_postings_free(&postings);
    task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    return status;
}

static pkin_status top_k(void *session, pkin_i_neighbor_heaps *heaps) {
    pkin_status status;
    tail *self = session;
    PKIN_TRY(seed(self, heaps));
    self->stream.is_seeded = true;
    PKIN_TRY(stream(self, 0, self->rows.b.n_rows, 0, NULL, heaps));
out:
    return status;
}

const pkin_i_engine pkin_i_cpu_tail_engine = {open_session, join, top_k, close_session};
