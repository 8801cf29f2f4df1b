/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. The rows of a are indexed in blocks (cpu_block_index.h), those of b (of a itself, where there is no b)
 * stream past each block. For a streamed row and a block, one 64-bit sum a row of the block:
 *   1. gets the exact products of all columns outside the head, from the block's postings;
 *   2. is compared with the limit, after adding a bound of what the head can add (cpu_head.h);
 *   3. where that reaches the limit, gets the head's exact products: that sum is the score.
 * A bound is never below what it bounds, so no pair is lost; integers make the order of summation, and with it the
 * division of work among threads, irrelevant. Work: sum over columns outside the head of df_a * df_b (half of it in a
 * self-join), plus a few vector instructions for every pair of rows.
 *
 * Blocks are built in waves, one a thread, so that the memory of the index does not grow with the input.
 */
#include <stdbool.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_backend.h"
#include "similarity/cpu_block_index.h"
#include "similarity/cpu_crew.h"
#include "similarity/cpu_narrow.h"
#include "similarity/cpu_tail_kernels.h"
#include "similarity/neighbor_heaps.h"

enum {
    CHUNK_ROWS = 256,      /* streamed rows a task */
    PREFETCH_DISTANCE = 6, /* columns ahead */
    PAIRS_HELD = 4096,     /* by a thread, before they go to the sink */
    WAVE_BLOCKS_MAX = 16
};

/* A share that no column reaches. */
static const double NO_HEAD = 2;

/* No sum with its bound reaches this: the one is at most 2^60, the other at most 2^60 + 2^52. */
static const uint64_t NO_LIMIT = UINT64_C(1) << 62;

typedef struct worker worker;

/* One open task, shared by its threads. */
typedef struct search {
    const pkin_i_task *task;
    const pkin_i_kernels *kernels;
    pkin_i_narrowed sides;
    const pkin_vectors *indexed, *streamed;
    int within; /* indexed == streamed: pairs i < j, i indexed, j streamed */
    pkin_i_head head;
    pkin_i_head_rows indexed_head, streamed_head;
    pkin_i_block_index *blocks; /* of the present wave */
    uint32_t n_slots, n_blocks;
    worker *workers; /* n_threads */
    int n_threads;
    /* Of the present call. */
    uint64_t first_block, n_chunks; /* of the wave, and chunks of streamed rows */
    uint64_t first, last;           /* streamed rows */
    uint64_t min_score;
    pkin_i_neighbor_heaps *heaps; /* NULL: a join */
    pkin_i_pair_sink *sink;
} search;

/* What one thread owns. */
struct worker {
    search *search;
    uint64_t *sums;     /* BLOCK_ROWS */
    uint32_t *bounds;   /* BLOCK_ROWS: of what the head can add */
    uint64_t *limits;   /* BLOCK_ROWS: scores that the block's rows ask for */
    uint32_t *found;    /* BLOCK_ROWS + 1: the places that reached a limit */
    uint32_t *head_row; /* HEAD_COLUMNS_MAX: the streamed row's head weights, else 0 */
    pkin_pair *pairs;   /* PAIRS_HELD */
    size_t n_pairs;
};

static void worker_free(worker *self) {
    pkin_i_free(self->sums);
    pkin_i_free(self->bounds);
    pkin_i_free(self->limits);
    pkin_i_free(self->found);
    pkin_i_free(self->head_row);
    pkin_i_free(self->pairs);
}

static pkin_status worker_init(worker *self, search *owner) {
    pkin_status status;
    self->search = owner;
    PKIN_TRY(pkin_i_allocate(PKIN_I_BLOCK_ROWS, sizeof *self->sums, &self->sums));
    PKIN_TRY(pkin_i_allocate(PKIN_I_BLOCK_ROWS, sizeof *self->bounds, &self->bounds));
    PKIN_TRY(pkin_i_allocate_zeroed(PKIN_I_BLOCK_ROWS, sizeof *self->limits, &self->limits));
    PKIN_TRY(pkin_i_allocate(PKIN_I_BLOCK_ROWS + 1, sizeof *self->found, &self->found));
    PKIN_TRY(pkin_i_allocate_zeroed(PKIN_I_HEAD_COLUMNS_MAX, sizeof *self->head_row, &self->head_row));
    PKIN_TRY(pkin_i_allocate(PAIRS_HELD, sizeof *self->pairs, &self->pairs));
out:
    return status;
}

/* Adds the products of all columns outside the head: those in it have no postings. */
static void add_postings(const pkin_vectors *streamed, uint64_t j, const pkin_i_block_index *block, uint64_t *sums) {
    const uint64_t begin = streamed->row_offsets[j], end = streamed->row_offsets[j + 1];
    const uint32_t *columns = streamed->columns, *offsets = block->offsets;
    const uint64_t *postings = block->postings;
    for (uint64_t k = begin; k < end; k++) {
        if (k + PREFETCH_DISTANCE < end) {
            __builtin_prefetch(&postings[offsets[columns[k + PREFETCH_DISTANCE / 2]]]);
            __builtin_prefetch(&offsets[columns[k + PREFETCH_DISTANCE]]);
        }
        const uint64_t weight = streamed->weights[k];
        const uint32_t last = offsets[columns[k] + 1];
        for (uint32_t p = offsets[columns[k]]; p < last; p++) {
            sums[(uint32_t)postings[p]] += (postings[p] >> 32) * weight;
        }
    }
}

/* What the head adds to the score of row i of the indexed side and the row that stands in head_row. */
static uint64_t head_score(const worker *self, uint64_t i) {
    const pkin_i_head_rows *head = &self->search->indexed_head;
    const uint64_t end = head->offsets[i + 1];
    uint64_t score = 0;
    for (uint64_t k = head->offsets[i]; k < end; k++) {
        score += (uint64_t)head->weights[k] * self->head_row[head->slots[k]];
    }
    return score;
}

static pkin_status put_pairs(worker *self) {
    pkin_status status = pkin_i_pair_sink_put(self->search->sink, self->pairs, self->n_pairs);
    self->n_pairs = 0;
    return status;
}

static pkin_status emit(worker *self, uint64_t i, uint64_t j, uint64_t score) {
    search *owner = self->search;
    if (owner->heaps) {
        pkin_i_neighbor_offer(owner->heaps, i, (uint32_t)j, score);
        if (owner->within) pkin_i_neighbor_offer(owner->heaps, j, (uint32_t)i, score);
        return PKIN_OK;
    }
    if (score < owner->min_score) return PKIN_OK;
    self->pairs[self->n_pairs++] = (pkin_pair){score, (uint32_t)i, (uint32_t)j};
    return self->n_pairs == PAIRS_HELD ? put_pairs(self) : PKIN_OK;
}

/* The score that row j itself asks for. */
static uint64_t streamed_limit(const search *owner, uint64_t j) {
    if (!owner->heaps) return owner->min_score;
    return owner->within ? pkin_i_neighbor_threshold(owner->heaps, j) : NO_LIMIT;
}

/* The scores that the block's rows ask for, as they are now: they rise only, so that old ones lose nothing. */
static void take_limits(worker *self, const pkin_i_block_index *block) {
    const search *owner = self->search;
    const bool wanted = owner->heaps != NULL;
    for (uint32_t r = 0; r < block->n_rows; r++) {
        self->limits[r] = wanted ? pkin_i_neighbor_threshold(owner->heaps, block->first_row + r) : NO_LIMIT;
    }
}

static void set_head_row(worker *self, uint64_t j, int present) {
    const pkin_i_head_rows *head = &self->search->streamed_head;
    for (uint64_t k = head->offsets[j]; k < head->offsets[j + 1]; k++) {
        self->head_row[head->slots[k]] = present ? head->weights[k] : 0;
    }
}

static pkin_status compare_row(worker *self, const pkin_i_block_index *block, uint64_t j) {
    const search *owner = self->search;
    pkin_status status = PKIN_OK;
    uint32_t n = block->n_rows;
    if (owner->within && j - block->first_row < n) n = (uint32_t)(j - block->first_row);
    /* Past n, where the kernels go on to a round number, sums and norms are whatever they are: not looked at. */
    const size_t n_round = ((size_t)n + PKIN_I_KERNEL_ROWS - 1) / PKIN_I_KERNEL_ROWS * PKIN_I_KERNEL_ROWS;
    memset(self->sums, 0, PKIN_I_BLOCK_ROWS * sizeof *self->sums);
    add_postings(owner->streamed, j, block, self->sums);
    owner->kernels->bound(block->norms, PKIN_I_BLOCK_ROWS, owner->streamed_head.norms + j * PKIN_I_HEAD_BUCKETS,
                          owner->head.n_columns ? PKIN_I_HEAD_BUCKETS : 0, n_round, self->bounds);
    size_t n_found = owner->kernels->reaching(self->sums, self->bounds, n_round, streamed_limit(owner, j), self->limits,
                                              self->found);
    while (n_found > 0 && self->found[n_found - 1] >= n) n_found--;
    if (n_found == 0) return PKIN_OK;
    set_head_row(self, j, 1);
    for (size_t f = 0; f < n_found && status == PKIN_OK; f++) {
        uint32_t r = self->found[f];
        status = emit(self, block->first_row + r, j, self->sums[r] + head_score(self, block->first_row + r));
    }
    set_head_row(self, j, 0);
    return status;
}

/* Pairs of rows of a block with streamed rows [begin, end). */
static uint64_t pairs_of(const search *owner, const pkin_i_block_index *block, uint64_t begin, uint64_t end) {
    uint64_t n = 0;
    if (!owner->within) return (end - begin) * block->n_rows;
    for (uint64_t j = begin; j < end; j++) n += j - block->first_row < block->n_rows ? j - block->first_row : block->n_rows;
    return n;
}

/* Streams one chunk of rows past one block; items go through a wave in order of blocks. */
static pkin_status run_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    search *owner = user;
    worker *self = &owner->workers[thread];
    const pkin_i_block_index *block = &owner->blocks[item / owner->n_chunks];
    uint64_t begin = owner->first + item % owner->n_chunks * CHUNK_ROWS, end = begin + CHUNK_ROWS;
    if (end > owner->last) end = owner->last;
    if (owner->within && begin <= block->first_row) begin = block->first_row + 1;
    if (begin >= end) return PKIN_OK;
    pkin_status status = PKIN_OK;
    take_limits(self, block);
    for (uint64_t j = begin; j < end && status == PKIN_OK && !pkin_i_crew_is_stopping(crew); j++) {
        status = compare_row(self, block, j);
    }
    pkin_i_crew_advance(crew, pairs_of(owner, block, begin, end));
    return status;
}

static void build_blocks(search *owner, uint32_t first_block, uint32_t n_blocks) {
#pragma omp parallel for num_threads(owner->n_threads) schedule(dynamic, 1)
    for (uint32_t s = 0; s < n_blocks; s++) {
        pkin_i_block_index_build(owner->indexed, &owner->head, &owner->indexed_head,
                                 (uint64_t)(first_block + s) * PKIN_I_BLOCK_ROWS, &owner->blocks[s]);
    }
}

/* Streams rows [first, last) past every block. */
static pkin_status run(search *owner, uint64_t first, uint64_t last) {
    pkin_status status = PKIN_OK;
    pkin_i_task task = *owner->task;
    owner->first = first;
    owner->last = last;
    owner->n_chunks = (last - first + CHUNK_ROWS - 1) / CHUNK_ROWS;
    for (uint32_t at = 0; at < owner->n_blocks; at += owner->n_slots) {
        uint64_t first_row = (uint64_t)at * PKIN_I_BLOCK_ROWS;
        uint32_t n_blocks = owner->n_blocks - at < owner->n_slots ? owner->n_blocks - at : owner->n_slots;
        if (owner->within && first_row >= last) break;
        build_blocks(owner, at, n_blocks);
        PKIN_TRY(pkin_i_crew_run(&task, "comparing", 0, owner->n_threads, n_blocks * owner->n_chunks, run_item, owner));
        for (uint32_t s = 0; s < n_blocks; s++) {
            uint64_t begin = owner->within && first <= owner->blocks[s].first_row ? owner->blocks[s].first_row : first;
            if (begin < last) task.n_pairs_before += pairs_of(owner, &owner->blocks[s], begin, last);
        }
    }
    for (int w = 0; w < owner->n_threads && owner->sink; w++) PKIN_TRY(put_pairs(&owner->workers[w]));
out:
    for (int w = 0; w < owner->n_threads; w++) owner->workers[w].n_pairs = 0;
    return status;
}

static void close_session(void *session) {
    search *owner = session;
    if (!owner) return;
    for (int w = 0; owner->workers && w < owner->n_threads; w++) worker_free(&owner->workers[w]);
    pkin_i_free(owner->workers);
    pkin_i_head_free(&owner->head);
    if (!owner->within) pkin_i_head_rows_free(&owner->streamed_head);
    pkin_i_head_rows_free(&owner->indexed_head);
    for (uint32_t s = 0; owner->blocks && s < owner->n_slots; s++) pkin_i_block_index_free(&owner->blocks[s]);
    pkin_i_free(owner->blocks);
    pkin_i_narrowed_free(&owner->sides);
    pkin_i_free(owner);
}

static pkin_status open_search(search *owner, double head_share) {
    pkin_status status;
    PKIN_TRY(pkin_i_head_choose(owner->streamed, head_share, &owner->head));
    PKIN_TRY(pkin_i_head_rows_build(&owner->head, owner->indexed, owner->n_threads, &owner->indexed_head));
    if (owner->within) {
        owner->streamed_head = owner->indexed_head;
    } else {
        PKIN_TRY(pkin_i_head_rows_build(&owner->head, owner->streamed, owner->n_threads, &owner->streamed_head));
    }
    PKIN_TRY(pkin_i_allocate_zeroed(owner->n_slots, sizeof *owner->blocks, &owner->blocks));
    for (uint32_t s = 0; s < owner->n_slots; s++) {
        PKIN_TRY(pkin_i_block_index_reserve(owner->indexed, &owner->blocks[s]));
    }
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)owner->n_threads, sizeof *owner->workers, &owner->workers));
    for (int w = 0; w < owner->n_threads; w++) PKIN_TRY(worker_init(&owner->workers[w], owner));
out:
    return status;
}

static pkin_status open_session(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    pkin_status status;
    search *owner = NULL;
    *session = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *owner, &owner));
    PKIN_TRY(pkin_i_narrow(task->a, task->b, &owner->sides));
    owner->task = task;
    owner->kernels = pkin_i_kernels_choose();
    owner->within = task->b == NULL;
    owner->indexed = &owner->sides.a;
    owner->streamed = task->b ? &owner->sides.b : &owner->sides.a;
    owner->n_blocks = (uint32_t)((owner->indexed->n_rows + PKIN_I_BLOCK_ROWS - 1) / PKIN_I_BLOCK_ROWS);
    owner->n_threads = task->n_threads;
    owner->n_slots = owner->n_threads < WAVE_BLOCKS_MAX ? (uint32_t)owner->n_threads : WAVE_BLOCKS_MAX;
    if (owner->n_slots > owner->n_blocks) owner->n_slots = owner->n_blocks;
    PKIN_TRY(open_search(owner, plan->method == PKIN_I_METHOD_INDEX ? NO_HEAD : plan->head_share));
    *session = owner;
    owner = NULL;
out:
    close_session(owner);
    return status;
}

static pkin_status join(void *session, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink) {
    search *owner = session;
    owner->min_score = min_score;
    owner->heaps = NULL;
    owner->sink = sink;
    return run(owner, first, last);
}

static pkin_status top_k(void *session, pkin_i_neighbor_heaps *heaps) {
    search *owner = session;
    owner->heaps = heaps;
    owner->sink = NULL;
    return run(owner, 0, owner->streamed->n_rows);
}

const pkin_i_engine pkin_i_cpu_tail_engine = {open_session, join, top_k, close_session};
