/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan_cost.h"

#include <omp.h>

#include "similarity/cpu_sketch.h"
#include "similarity/cpu_tail_cost.h"

/* The map of a sketch: adding up weights, an entry; sorting and dealing out, a column. */
static const double MAP_ENTRY_SECONDS = 0.7e-9, MAP_COLUMN_SECONDS = 120e-9;
/* Beside the score itself: ordering survivors, and the row that is spread. */
static const double SURVIVOR_SECONDS = 10e-9;
/* Seeds of a top-k: a posting that is looked at; building the inverted index, an entry. */
const double pkin_i_seed_posting_seconds = 1.5e-9;
static const double SEED_ENTRY_SECONDS = 4e-9;
/* A job is never as even as its parts: threads that wait at the end, pages that are touched for the first time. */
static const double BAND_BELOW = 0.7, BAND_ABOVE = 1.5;
static const double START_SECONDS = 100e-6;
/* Second bounds, which are not counted here, and memory: on 86,401 papers the tail took so much longer, next to
 * sketches. */
static const double TAIL_BESIDE = 1.35;

enum {
    SEEDS_LEAST = 32,  /* partners that a row's seeding scores, or 1.5 k */
    SEED_POSTINGS = 80 /* looked at for each of them */
};

double pkin_i_seeds_of(const pkin_i_job *job) {
    const double wanted = 1.5 * job->k;
    const double n = wanted > SEEDS_LEAST ? wanted : SEEDS_LEAST;
    return job->k == 0 ? 0 : n < (double)job->n_b ? n : (double)job->n_b;
}

pkin_i_job pkin_i_job_of(const pkin_i_task *task, uint32_t k, pkin_i_isa isa) {
    const pkin_vectors *a = task->a, *b = task->b ? task->b : task->a;
    pkin_i_job job = {.within = task->b == NULL, .k = k, .n_a = a->n_rows, .n_b = b->n_rows, .isa = isa};
    job.n_pairs = pkin_i_task_pairs(task, 0, b->n_rows);
    job.entries_a = a->row_offsets[a->n_rows] - a->row_offsets[0];
    job.entries_b = b->row_offsets[b->n_rows] - b->row_offsets[0];
    job.entries_b_beside = task->b ? job.entries_b : 0;
    job.n_columns = a->n_columns;
    job.n_threads = task->n_threads;
    job.n_parallel = task->n_threads < omp_get_num_procs() ? task->n_threads : omp_get_num_procs();
    /* Engines number columns anew where there are far more of them than entries. */
    const uint64_t n_entries = job.entries_a + job.entries_b_beside;
    if (job.n_columns / 4 > n_entries + 256) job.n_columns = n_entries;
    return job;
}

pkin_i_rates pkin_i_rates_assumed(pkin_i_isa isa, uint32_t dimension) {
    static const double product_seconds[PKIN_I_N_ISAS] = {60e-12, 8e-12, 3.5e-12, 0.8e-12};
    return (pkin_i_rates){product_seconds[isa] * dimension, 5e-9, 100e-9, 0};
}

static uint64_t round_up(uint64_t n, uint64_t step) {
    return (n + step - 1) / step * step;
}

static uint64_t block_rows_of(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension) {
    const pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
    uint64_t n = tuning.block_bytes / dimension;
    if (n > tuning.block_rows_max) n = tuning.block_rows_max;
    if (n > job->n_a) n = job->n_a;
    return n <= filter->block_step ? filter->block_step : round_up(n, filter->block_step);
}

/* All but the panels. */
static uint64_t sketch_bytes_fixed(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension) {
    enum { HELD_BYTES = 4096 * (8 + 16) }; /* scores and pairs */
    const pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
    const uint64_t block_rows = block_rows_of(job, filter, dimension);
    const uint64_t n_survivors = tuning.survivors_held + block_rows * filter->panel_rows;
    const uint64_t of_thread =
        block_rows * (dimension + 16) + n_survivors * 12 + HELD_BYTES + job->n_columns * 4 + dimension * 11;
    /* Sums of weights, and columns in order of them, are gone before panels come. */
    return (uint64_t)job->n_threads * of_thread + job->n_columns * 2;
}

static uint64_t seeds_bytes(const pkin_i_job *job) {
    if (job->k == 0) return 0;
    return job->n_columns * 8 + job->entries_b * 8 + (uint64_t)job->n_threads * (job->n_b * 12 + job->n_columns * 12);
}

uint64_t pkin_i_sketch_bytes(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension,
                             uint64_t strip_rows) {
    const uint64_t panels = round_up(strip_rows, filter->panel_rows) * (dimension + 4);
    const pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
    /* While seeding, panels hold a sample of rows. */
    uint64_t sampled = job->n_b / tuning.sample_share;
    if (sampled < tuning.sample_rows_least) sampled = tuning.sample_rows_least;
    if (sampled > job->n_b) sampled = job->n_b;
    const uint64_t seeding =
        job->k ? seeds_bytes(job) + round_up(2 * sampled, filter->panel_rows) * (dimension + 4) : 0;
    return sketch_bytes_fixed(job, filter, dimension) + (panels > seeding ? panels : seeding);
}

uint64_t pkin_i_sketch_strip_rows(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension,
                                  uint64_t most_bytes) {
    const uint64_t step = filter->panel_rows, all = job->n_b ? job->n_b : 1;
    if (most_bytes == 0 || pkin_i_sketch_bytes(job, filter, dimension, all) <= most_bytes) return all;
    const uint64_t least = pkin_i_sketch_bytes(job, filter, dimension, step);
    if (least > most_bytes) return 0;
    /* What the least takes may be that of seeding: panels come on top of the rest only. */
    const uint64_t left = most_bytes - sketch_bytes_fixed(job, filter, dimension);
    uint64_t most_rows = left / (dimension + 4) / step * step;
    if (most_rows > all) most_rows = all;
    /* Strips of equal length. */
    const uint64_t n_strips = (all + most_rows - 1) / most_rows;
    const uint64_t even = round_up((all + n_strips - 1) / n_strips, step);
    return even < most_rows ? even : most_rows;
}

uint64_t pkin_i_tail_bytes(const pkin_i_job *job, double head_entries, pkin_i_method method) {
    enum { SLOTS_MAX = 16, WORKER_BYTES = PKIN_I_TAIL_BLOCK_ROWS * 32 + 4096 * 16 };
    const uint64_t n_blocks = (job->n_a + PKIN_I_TAIL_BLOCK_ROWS - 1) / PKIN_I_TAIL_BLOCK_ROWS;
    uint64_t n_slots = (uint64_t)job->n_threads < SLOTS_MAX ? (uint64_t)job->n_threads : SLOTS_MAX;
    if (n_slots > n_blocks) n_slots = n_blocks;
    const uint64_t block_rows = job->n_a < PKIN_I_TAIL_BLOCK_ROWS ? job->n_a : PKIN_I_TAIL_BLOCK_ROWS;
    const double row_entries = job->n_a ? (double)job->entries_a / (double)job->n_a : 0;
    const uint64_t of_block =
        (job->n_columns + 1) * 4 + (uint64_t)(1.5 * row_entries * (double)block_rows) * 8 + PKIN_I_TAIL_BLOCK_ROWS * 64;
    const uint64_t n_rows = job->n_a + (job->within ? 0 : job->n_b);
    const uint64_t of_heads = method == PKIN_I_METHOD_TAIL ? (uint64_t)((double)n_rows * (48 + 6 * head_entries)) : 0;
    /* Rows are kept once more, in the order that suits the index. */
    const uint64_t of_rows = (job->entries_a + job->entries_b_beside) * 8 + n_rows * 8;
    return n_slots * of_block + of_heads + of_rows + (uint64_t)job->n_threads * WORKER_BYTES + job->n_columns * 24;
}

/* Seconds from what does not depend on candidates, and theirs. */
static void price(double fixed, double per_candidate, pkin_i_plan *plan) {
    plan->seconds.low = BAND_BELOW * (fixed + plan->candidates.low * per_candidate);
    plan->seconds.middle = fixed + plan->candidates.middle * per_candidate;
    plan->seconds.high = BAND_ABOVE * (fixed + plan->candidates.high * per_candidate);
}

/* Pairs that the filter looks at: what does not fill a block or a panel, or lies across the diagonal, included. */
static double filtered_pairs(const pkin_i_job *job, const pkin_i_filter *filter, uint32_t dimension) {
    const double n_b = (double)round_up(job->n_b, filter->panel_rows);
    if (!job->within) return (double)round_up(job->n_a, filter->block_step) * n_b;
    return n_b * (n_b + (double)block_rows_of(job, filter, dimension)) / 2;
}

/* How often rows of a are sketched, on average. */
static double passes(const pkin_i_job *job, uint64_t strip_rows) {
    const double n_strips = (double)((job->n_b + strip_rows - 1) / strip_rows);
    return job->within ? (n_strips + 1) / 2 : n_strips;
}

void pkin_i_sketch_price(const pkin_i_job *job, const pkin_i_filter *filter, const pkin_i_rates *rates,
                         pkin_i_plan *plan) {
    const double n_used = job->n_columns < job->entries_a + job->entries_b_beside
                              ? (double)job->n_columns
                              : (double)(job->entries_a + job->entries_b_beside);
    const double map = MAP_COLUMN_SECONDS * n_used +
                       MAP_ENTRY_SECONDS * (double)(job->entries_a + job->entries_b_beside) / job->n_parallel;
    const double sketched = (double)job->entries_b + passes(job, plan->strip_rows) * (double)job->entries_a;
    double parallel = rates->entry * sketched + rates->pair * filtered_pairs(job, filter, plan->dimension);
    if (job->k) {
        parallel += SEED_ENTRY_SECONDS * (double)job->entries_b;
        parallel += pkin_i_seeds_of(job) * (double)job->n_a * SEED_POSTINGS * pkin_i_seed_posting_seconds;
        parallel += rates->row * (double)job->n_a;
    }
    price(START_SECONDS + map + parallel / job->n_parallel, (rates->score + SURVIVOR_SECONDS) / job->n_parallel, plan);
}

void pkin_i_tail_price(const pkin_i_job *job, const pkin_i_tail_use *use, double score_seconds, pkin_i_plan *plan) {
    const int is_index = plan->method == PKIN_I_METHOD_INDEX;
    const pkin_i_tail_cost cost = is_index ? pkin_i_index_costs(job->isa) : pkin_i_tail_costs(job->isa);
    const double n_blocks = (double)((job->n_a + PKIN_I_TAIL_BLOCK_ROWS - 1) / PKIN_I_TAIL_BLOCK_ROWS);
    const double n_pairs = (double)job->n_pairs;
    const double visits = use->entries * (double)job->n_b * n_blocks * (job->within ? 0.5 : 1);
    const double prepare = cost.ns_per_entry * (double)(job->entries_a + job->entries_b_beside);
    const double parallel = cost.ns_per_posting * use->postings * n_pairs + cost.ns_per_visit * visits +
                            cost.ns_per_pair * n_pairs + prepare;
    double candidate = is_index ? 0 : cost.ns_per_candidate * 1e-9 + cost.ns_per_refined * 1e-9 * 4;
    if (!is_index && score_seconds > candidate) candidate = score_seconds;
    price(START_SECONDS + (is_index ? 1 : TAIL_BESIDE) * parallel * 1e-9 / job->n_parallel, candidate / job->n_parallel,
          plan);
}
