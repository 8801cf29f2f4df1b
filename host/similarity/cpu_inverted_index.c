/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_inverted_index.h"

/*
 * Strategy. The smaller side is indexed in blocks (cpu_block_index.h), the rows of the other side stream past each
 * block. For a streamed row and a block, one 64-bit sum a row of the block:
 *   1. gets the exact products of all columns outside the head, from the block's postings;
 *   2. is compared with the limit, after adding a bound of what the head can add (cpu_head.h);
 *   3. where that reaches the limit, gets the head's exact products: that sum is the score.
 * A bound is never below what it bounds, so no pair is lost; integers make the order of summation, and with it the
 * division of work among threads, irrelevant. Work: sum over columns outside the head of df_a * df_b (half of it in a
 * self-join), plus a few vector instructions for every pair of rows.
 *
 * Blocks are built in waves, one a thread, so that the memory of the index does not grow with the input.
 */
#include <omp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/failure.h"
#include "similarity/cpu_block_index.h"
#include "similarity/cpu_kernels.h"
#include "similarity/cpu_narrow.h"
#include "similarity/neighbor_heaps.h"

enum {
    CHUNK_ROWS = 256,      /* streamed rows a task */
    PREFETCH_DISTANCE = 6, /* columns ahead */
    WAVE_BLOCKS_MAX = 16
};

/*
 * Columns in this share of the rows or more are the head. A larger head leaves fewer postings and looser bounds; a high
 * threshold bears looser ones. Measured on 66,454 papers. Joins: the best share falls from 0.08 at a threshold of 0.2
 * by way of 0.05 at 0.3 to 0.03 and less at 0.5, and a half of that costs up to five times as long, so that the rule
 * stays on the safe side of it. Top-k: at a twentieth the bounds are too loose, at a fifth the postings take twice as
 * long.
 */
static const double HEAD_SHARE_MOST = 0.1;
static const double HEAD_SHARE_TIMES_THRESHOLD = 0.015;

/* No sum with its bound reaches this: the one is at most 2^60, the other at most 2^60 + 2^52. */
static const uint64_t NO_LIMIT = UINT64_C(1) << 62;

/* One join or top-k, shared by its threads. */
typedef struct search {
    const pkin_i_task *task;
    const pkin_i_kernels *kernels;
    pkin_i_narrowed sides;
    const pkin_vectors *indexed, *streamed;
    int within; /* indexed == streamed: pairs i < j, i indexed, j streamed */
    int indexed_is_a;
    pkin_i_head head;
    pkin_i_head_rows indexed_head, streamed_head;
    pkin_i_block_index *blocks; /* of the present wave */
    uint32_t n_slots, n_blocks;
    uint64_t min_score;
    pkin_i_neighbor_heaps *heaps; /* NULL: a join */
    int n_threads;                /* no more than there are tasks */
    uint64_t n_tasks_all;
    _Atomic uint64_t next_task;    /* of the present wave */
    _Atomic uint64_t n_tasks_done; /* of all waves; by a thread that failed, too */
    _Atomic int failure;           /* pkin_status of the first thread that failed */
} search;

static uint64_t chunks_of(const pkin_vectors *streamed) {
    return (streamed->n_rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

/* What one thread owns. */
typedef struct worker {
    search *search;
    uint64_t *sums;     /* BLOCK_ROWS */
    uint32_t *bounds;   /* BLOCK_ROWS: of what the head can add */
    uint64_t *limits;   /* BLOCK_ROWS: scores that the block's rows ask for */
    uint32_t *found;    /* BLOCK_ROWS + 1: the places that reached a limit */
    uint32_t *head_row; /* HEAD_COLUMNS_MAX: the streamed row's head weights, else 0 */
    pkin_pair *pairs;
    size_t n_pairs, capacity;
} worker;

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

static pkin_status emit(worker *self, uint64_t i, uint64_t j, uint64_t score) {
    search *owner = self->search;
    if (owner->heaps) {
        if (owner->within || owner->indexed_is_a) pkin_i_neighbor_offer(owner->heaps, i, (uint32_t)j, score);
        if (owner->within || !owner->indexed_is_a) pkin_i_neighbor_offer(owner->heaps, j, (uint32_t)i, score);
        return PKIN_OK;
    }
    if (score < owner->min_score) return PKIN_OK;
    pkin_status status = pkin_i_grow(&self->pairs, &self->capacity, self->n_pairs + 1, sizeof *self->pairs);
    if (status == PKIN_OK) {
        pkin_pair pair = {score, (uint32_t)(owner->indexed_is_a ? i : j), (uint32_t)(owner->indexed_is_a ? j : i)};
        self->pairs[self->n_pairs++] = pair;
    }
    return status;
}

/* The score that row j itself asks for. */
static uint64_t streamed_limit(const search *owner, uint64_t j) {
    if (!owner->heaps) return owner->min_score;
    return owner->within || !owner->indexed_is_a ? pkin_i_neighbor_threshold(owner->heaps, j) : NO_LIMIT;
}

/* The scores that the block's rows ask for, as they are now: they rise only, so that old ones lose nothing. */
static void take_limits(worker *self, const pkin_i_block_index *block) {
    const search *owner = self->search;
    int wanted = owner->heaps && (owner->within || owner->indexed_is_a);
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

static bool has_failed(const search *owner) {
    return atomic_load_explicit(&owner->failure, memory_order_relaxed) != PKIN_OK;
}

static void fail_first(search *owner, pkin_status status) {
    int none = PKIN_OK;
    if (status != PKIN_OK) atomic_compare_exchange_strong(&owner->failure, &none, (int)status);
}

/* Streams one chunk of rows past one block. */
static pkin_status run_task(worker *self, const pkin_i_block_index *block, uint64_t chunk) {
    search *owner = self->search;
    uint64_t begin = chunk * CHUNK_ROWS, end = begin + CHUNK_ROWS;
    if (end > owner->streamed->n_rows) end = owner->streamed->n_rows;
    if (owner->within && begin <= block->first_row) begin = block->first_row + 1;
    pkin_status status = PKIN_OK;
    take_limits(self, block);
    for (uint64_t j = begin; j < end && status == PKIN_OK && !has_failed(owner); j++) {
        status = compare_row(self, block, j);
    }
    return status;
}

/* For the calling thread alone. Cancels the search where the caller wants that. */
static void report_progress(search *owner) {
    const pkin_i_task *task = owner->task;
    uint64_t n_done = atomic_load_explicit(&owner->n_tasks_done, memory_order_relaxed);
    if (!task->on_progress || has_failed(owner)) return;
    if (task->on_progress(task->progress_user, "comparing", n_done, owner->n_tasks_all)) {
        fail_first(owner, PKIN_ERROR_CANCELLED);
    }
}

/* One thread's share of a wave: tasks in order of blocks, each taken by whoever is free. */
static void run_tasks(worker *self, uint32_t n_wave_blocks) {
    search *owner = self->search;
    const uint64_t n_chunks = chunks_of(owner->streamed);
    while (!has_failed(owner)) {
        uint64_t at = atomic_fetch_add_explicit(&owner->next_task, 1, memory_order_relaxed);
        if (at >= n_wave_blocks * n_chunks) break;
        const pkin_i_block_index *block = &owner->blocks[at / n_chunks];
        uint64_t chunk = at % n_chunks;
        bool is_above = owner->within && (chunk + 1) * CHUNK_ROWS <= block->first_row;
        if (!is_above) fail_first(owner, run_task(self, block, chunk));
        atomic_fetch_add_explicit(&owner->n_tasks_done, 1, memory_order_relaxed);
        if (!is_above && omp_get_thread_num() == 0) report_progress(owner);
    }
}

/* The calling thread, without tasks of its own, goes on reporting: the others' last tasks may be long. */
static void await_others(search *owner, uint64_t n_tasks_at_end) {
    const struct timespec pause = {.tv_nsec = 200000};
    while (owner->task->on_progress && !has_failed(owner) &&
           atomic_load_explicit(&owner->n_tasks_done, memory_order_relaxed) < n_tasks_at_end) {
        nanosleep(&pause, NULL);
        report_progress(owner);
    }
}

/* The caller hears of the beginning of every wave, however the threads are scheduled later. */
static void run_wave(search *owner, worker *workers, uint32_t first_block, uint32_t n_wave_blocks) {
    const uint64_t n_tasks_at_end = (first_block + n_wave_blocks) * chunks_of(owner->streamed);
    report_progress(owner);
    atomic_store(&owner->next_task, 0);
#pragma omp parallel num_threads(owner->n_threads)
    {
#pragma omp for schedule(dynamic, 1)
        for (uint32_t s = 0; s < n_wave_blocks; s++) {
            if (has_failed(owner)) continue;
            pkin_i_block_index_build(owner->indexed, &owner->head, &owner->indexed_head,
                                     (uint64_t)(first_block + s) * PKIN_I_BLOCK_ROWS, &owner->blocks[s]);
        }
        run_tasks(&workers[omp_get_thread_num()], n_wave_blocks);
        if (omp_get_thread_num() == 0) await_others(owner, n_tasks_at_end);
    }
}

/* The threads' own messages went to the threads: said again for the caller. */
static pkin_status failure_of(const search *owner) {
    pkin_status failure = (pkin_status)atomic_load(&owner->failure);
    if (failure == PKIN_ERROR_CANCELLED) return pkin_i_fail(failure, "comparing was cancelled");
    if (failure != PKIN_OK) return pkin_i_fail(failure, "comparing: %s", pkin_status_message(failure));
    return PKIN_OK;
}

static void search_free(search *owner) {
    pkin_i_head_free(&owner->head);
    if (!owner->within) pkin_i_head_rows_free(&owner->streamed_head);
    pkin_i_head_rows_free(&owner->indexed_head);
    for (uint32_t s = 0; owner->blocks && s < owner->n_slots; s++) pkin_i_block_index_free(&owner->blocks[s]);
    pkin_i_free(owner->blocks);
    pkin_i_narrowed_free(&owner->sides);
}

/* Who is indexed and how the work is cut up. The sides are there. */
static void search_plan(search *owner, const pkin_i_task *task) {
    const pkin_vectors *a = &owner->sides.a, *b = task->b ? &owner->sides.b : a;
    owner->task = task;
    owner->kernels = pkin_i_kernels_choose();
    owner->within = task->b == NULL;
    owner->indexed_is_a = a->n_rows <= b->n_rows;
    owner->indexed = owner->indexed_is_a ? a : b;
    owner->streamed = owner->indexed_is_a ? b : a;
    owner->n_blocks = (uint32_t)((owner->indexed->n_rows + PKIN_I_BLOCK_ROWS - 1) / PKIN_I_BLOCK_ROWS);
    owner->n_tasks_all = owner->n_blocks * chunks_of(owner->streamed);
    owner->n_threads = task->n_threads;
    if (owner->n_tasks_all < (uint64_t)owner->n_threads)
        owner->n_threads = owner->n_tasks_all ? (int)owner->n_tasks_all : 1;
    owner->n_slots = owner->n_threads < WAVE_BLOCKS_MAX ? (uint32_t)owner->n_threads : WAVE_BLOCKS_MAX;
    if (owner->n_slots > owner->n_blocks) owner->n_slots = owner->n_blocks;
}

static double head_share(const search *owner) {
    double share = HEAD_SHARE_TIMES_THRESHOLD / pkin_score_to_cosine(owner->min_score);
    return owner->heaps || share > HEAD_SHARE_MOST ? HEAD_SHARE_MOST : share;
}

static pkin_status search_open(search *owner) {
    pkin_status status;
    PKIN_TRY(pkin_i_head_choose(owner->streamed, head_share(owner), &owner->head));
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
out:
    return status;
}

/* The threads' pairs in one array. */
static pkin_status gather_pairs(const worker *workers, int n_workers, pkin_pair_list *out) {
    pkin_pair *pairs = NULL;
    uint64_t n_pairs = 0;
    for (int w = 0; w < n_workers; w++) n_pairs += workers[w].n_pairs;
    pkin_status status = pkin_i_allocate(n_pairs, sizeof *pairs, &pairs);
    if (status != PKIN_OK) return status;
    out->pairs = pairs;
    out->n_pairs = n_pairs;
    for (int w = 0; w < n_workers; w++) {
        if (workers[w].n_pairs) memcpy(pairs, workers[w].pairs, workers[w].n_pairs * sizeof *pairs);
        pairs += workers[w].n_pairs;
    }
    return PKIN_OK;
}

/* Runs every wave; a join's pairs go to `out`, a top-k's neighbours to the heaps. */
static pkin_status search_run(const pkin_i_task *task, uint64_t min_score, pkin_i_neighbor_heaps *heaps,
                              pkin_pair_list *out) {
    pkin_status status;
    search owner = {.min_score = min_score, .heaps = heaps};
    worker *workers = NULL;
    PKIN_TRY(pkin_i_narrow(task->a, task->b, &owner.sides));
    search_plan(&owner, task);
    PKIN_TRY(search_open(&owner));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)owner.n_threads, sizeof *workers, &workers));
    for (int w = 0; w < owner.n_threads; w++) PKIN_TRY(worker_init(&workers[w], &owner));
    for (uint32_t first = 0; first < owner.n_blocks; first += owner.n_slots) {
        uint32_t n_left = owner.n_blocks - first;
        run_wave(&owner, workers, first, n_left < owner.n_slots ? n_left : owner.n_slots);
        PKIN_TRY(failure_of(&owner));
    }
    report_progress(&owner);
    PKIN_TRY(failure_of(&owner));
    if (out) PKIN_TRY(gather_pairs(workers, owner.n_threads, out));
out:
    for (int w = 0; workers && w < owner.n_threads; w++) worker_free(&workers[w]);
    pkin_i_free(workers);
    search_free(&owner);
    return status;
}

static int is_available(void) {
    return 1;
}

static pkin_status join(const pkin_i_task *task, uint64_t min_score, pkin_pair_list *out) {
    return search_run(task, min_score, NULL, out);
}

static pkin_status top_k(const pkin_i_task *task, uint32_t k, uint64_t min_score, pkin_neighbor *neighbors,
                         uint32_t *counts) {
    pkin_i_neighbor_heaps heaps;
    pkin_status status = pkin_i_neighbor_heaps_open(task->a->n_rows, k, min_score, neighbors, counts, &heaps);
    if (status != PKIN_OK) return status;
    status = search_run(task, min_score, &heaps, NULL);
    if (status == PKIN_OK) pkin_i_neighbor_heaps_sort(&heaps, task->n_threads);
    pkin_i_neighbor_heaps_close(&heaps);
    return status;
}

const pkin_i_backend pkin_i_cpu_backend = {
    "cpu", "blocked inverted index with bounds for frequent terms, OpenMP, AVX2 or AVX-512 where present", is_available,
    join, top_k};
