/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. The plain way: for a streamed row and a block of indexed rows (cpu_stream.h), one 64-bit sum a row of the
 * block gets the exact products of all columns from the block's postings, and is the score. No bound, nothing rounded.
 * Work: sum over all columns of df_a * df_b (half of it in a self-join), and a few vector instructions for every pair.
 */
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_backend.h"
#include "similarity/cpu_block_index.h"
#include "similarity/cpu_narrow.h"
#include "similarity/cpu_stream.h"
#include "similarity/cpu_tail_kernels.h"

enum {
    BLOCK_ENTRIES = 1 << 20,
    PREFETCH_COLUMNS = 6 /* ahead */
};

/* What one thread owns. */
typedef struct index_worker {
    uint64_t *sums;   /* BLOCK_ROWS zeroes */
    uint64_t *limits; /* BLOCK_ROWS: scores that the block's rows ask for */
    uint32_t *found;  /* BLOCK_ROWS + 1 */
    uint64_t n_scored, n_postings, n_visits;
    double seconds;
} index_worker;

typedef struct inverted {
    pkin_i_stream stream;
    const pkin_i_tail_kernels *kernels;
    pkin_i_narrowed sides;
    const pkin_vectors *indexed, *streamed;
    pkin_i_block_index *blocks; /* n_slots */
    index_worker *workers;
    int n_threads;
} inverted;

/* Returns how many it looked at. */
static uint64_t add_postings(const pkin_vectors *streamed, uint64_t j, const pkin_i_block_index *block,
                             uint64_t *sums) {
    const uint64_t begin = streamed->row_offsets[j], end = streamed->row_offsets[j + 1];
    const uint32_t *columns = streamed->columns, *offsets = block->offsets;
    const uint64_t *postings = block->postings;
    uint64_t n_postings = 0;
    for (uint64_t k = begin; k < end; k++) {
        if (k + PREFETCH_COLUMNS < end) {
            __builtin_prefetch(&postings[offsets[columns[k + PREFETCH_COLUMNS / 2]]]);
            __builtin_prefetch(&offsets[columns[k + PREFETCH_COLUMNS]]);
        }
        const uint64_t weight = streamed->weights[k];
        const uint32_t last = offsets[columns[k] + 1];
        n_postings += last - offsets[columns[k]];
        for (uint32_t p = offsets[columns[k]]; p < last; p++) {
            sums[(uint32_t)postings[p]] += (postings[p] >> 32) * weight;
        }
    }
    return n_postings;
}

static pkin_status compare_row(inverted *self, int thread, const pkin_i_block_index *block, uint64_t j) {
    pkin_status status = PKIN_OK;
    index_worker *worker = &self->workers[thread];
    const uint32_t n = pkin_i_stream_n_partners(&self->stream, block->first_row, block->n_rows, j);
    /* Past n, where the kernel goes on to a round number, sums are whatever they are: not looked at. */
    const size_t n_round = ((size_t)n + PKIN_I_KERNEL_ROWS - 1) / PKIN_I_KERNEL_ROWS * PKIN_I_KERNEL_ROWS;
    uint64_t limit = pkin_i_stream_limit(&self->stream, j);
    worker->n_postings += add_postings(self->streamed, j, block, worker->sums);
    worker->n_visits += self->streamed->row_offsets[j + 1] - self->streamed->row_offsets[j];
    size_t n_found = self->kernels->reaching(worker->sums, n_round, limit, worker->limits, worker->found);
    for (size_t f = 0; f < n_found && worker->found[f] < n && status == PKIN_OK; f++) {
        const uint32_t r = worker->found[f];
        status = pkin_i_stream_emit(&self->stream, thread, block->first_row + r, j, worker->sums[r]);
        worker->n_scored++;
    }
    memset(worker->sums, 0, PKIN_I_BLOCK_ROWS * sizeof *worker->sums);
    return status;
}

static pkin_status compare(void *method, pkin_i_crew *crew, int thread, uint32_t slot, uint64_t begin, uint64_t end) {
    inverted *self = method;
    index_worker *worker = &self->workers[thread];
    const pkin_i_block_index *block = &self->blocks[slot];
    pkin_status status = PKIN_OK;
    const double began = pkin_i_seconds_now();
    /* The scores that the block's rows ask for, as they are now: they rise only, so that old ones lose nothing. */
    for (uint32_t r = 0; r < PKIN_I_BLOCK_ROWS; r++) {
        worker->limits[r] =
            r < block->n_rows ? pkin_i_stream_indexed_limit(&self->stream, block->first_row + r) : PKIN_I_STREAM_NEVER;
    }
    for (uint64_t j = begin; j < end && status == PKIN_OK && !pkin_i_crew_is_stopping(crew); j++) {
        status = compare_row(self, thread, block, j);
    }
    worker->seconds += pkin_i_seconds_now() - began;
    return status;
}

static void build(void *method, uint32_t slot, uint64_t first, uint32_t n_rows) {
    inverted *self = method;
    pkin_i_block_index_build(self->indexed, first, n_rows, &self->blocks[slot]);
}

static pkin_status worker_init(index_worker *worker) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate_zeroed(PKIN_I_BLOCK_ROWS, sizeof *worker->sums, &worker->sums));
    PKIN_TRY(pkin_i_allocate(PKIN_I_BLOCK_ROWS, sizeof *worker->limits, &worker->limits));
    PKIN_TRY(pkin_i_allocate(PKIN_I_BLOCK_ROWS + 1, sizeof *worker->found, &worker->found));
out:
    return status;
}

static void close_session(void *session) {
    inverted *self = session;
    if (!self) return;
    for (int t = 0; self->workers && t < self->n_threads; t++) {
        pkin_i_free(self->workers[t].sums);
        pkin_i_free(self->workers[t].limits);
        pkin_i_free(self->workers[t].found);
    }
    for (uint32_t s = 0; self->blocks && s < self->stream.n_slots; s++) pkin_i_block_index_free(&self->blocks[s]);
    pkin_i_free(self->workers);
    pkin_i_free(self->blocks);
    pkin_i_narrowed_free(&self->sides);
    if (self->stream.task) pkin_i_stream_close(&self->stream);
    pkin_i_free(self);
}

static void note_bytes(const inverted *self, uint64_t n_most, pkin_i_outcome *outcome) {
    const uint64_t n_entries = self->sides.columns ? self->indexed->row_offsets[self->indexed->n_rows] : 0;
    const uint64_t a_block = (self->indexed->n_columns + 1) * sizeof(uint32_t) + n_most * sizeof(uint64_t);
    const uint64_t a_worker = PKIN_I_BLOCK_ROWS * (2 * sizeof(uint64_t) + sizeof(uint32_t));
    const uint64_t bytes = n_entries * sizeof(uint32_t) + self->stream.n_slots * a_block +
                           (uint64_t)self->n_threads * a_worker + pkin_i_stream_bytes(&self->stream);
    if (bytes > outcome->bytes) outcome->bytes = bytes;
}

static pkin_status open_blocks(inverted *self, uint64_t n_most) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate_zeroed(self->stream.n_slots, sizeof *self->blocks, &self->blocks));
    for (uint32_t s = 0; s < self->stream.n_slots; s++) {
        PKIN_TRY(pkin_i_block_index_reserve(self->indexed->n_columns, n_most, &self->blocks[s]));
    }
out:
    return status;
}

static pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    pkin_status status;
    inverted *self = NULL;
    const double begin = pkin_i_seconds_now();
    *session = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *self, &self));
    self->kernels = pkin_i_tail_kernels_for(plan->isa);
    self->n_threads = task->n_threads;
    PKIN_TRY(pkin_i_narrow(task->a, task->b, &self->sides));
    self->indexed = &self->sides.a;
    self->streamed = task->b ? &self->sides.b : &self->sides.a;
    const uint64_t *begins = self->indexed->row_offsets, *ends = begins + 1;
    PKIN_TRY(pkin_i_stream_open(task, begins, ends, PKIN_I_BLOCK_ROWS, BLOCK_ENTRIES, &self->stream));
    self->stream.steps = (pkin_i_stream_steps){build, compare};
    self->stream.method = self;
    const uint64_t n_most = pkin_i_stream_most_entries(&self->stream, begins, ends);
    PKIN_TRY(open_blocks(self, n_most));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)task->n_threads, sizeof *self->workers, &self->workers));
    for (int t = 0; t < task->n_threads; t++) PKIN_TRY(worker_init(&self->workers[t]));
    note_bytes(self, n_most, task->outcome);
    task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    *session = self;
    self = NULL;
out:
    close_session(self);
    return status;
}

static pkin_status stream(inverted *self, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink,
                          pkin_i_neighbor_heaps *heaps) {
    pkin_i_outcome *outcome = self->stream.task->outcome;
    pkin_status status = pkin_i_stream_run(&self->stream, first, last, min_score, sink, heaps);
    for (int t = 0; t < self->n_threads; t++) {
        index_worker *worker = &self->workers[t];
        outcome->n_candidates += worker->n_scored;
        outcome->n_postings += worker->n_postings;
        outcome->n_visits += worker->n_visits;
        outcome->filter_seconds += worker->seconds;
        worker->n_scored = worker->n_postings = worker->n_visits = 0;
        worker->seconds = 0;
    }
    return status;
}

static pkin_status join(void *session, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink) {
    return stream(session, first, last, min_score, sink, NULL);
}

static pkin_status top_k(void *session, pkin_i_neighbor_heaps *heaps) {
    inverted *self = session;
    return stream(self, 0, self->streamed->n_rows, 0, NULL, heaps);
}

const pkin_i_engine pkin_i_cpu_index_engine = {open_session, join, top_k, close_session};
