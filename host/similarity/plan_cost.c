/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan_cost.h"

#include <math.h>
#include <omp.h>

#include "similarity/cpu_block_index.h"
#include "similarity/cpu_sketch.h"
#include "similarity/cpu_tail_cost.h"

/* The map of a sketch: adding up weights, an entry; sorting and dealing out, a column. */
static const double MAP_ENTRY_SECONDS = 0.7e-9, MAP_COLUMN_SECONDS = 120e-9;
/* Beside the score itself: ordering survivors, and the row that is spread. */
static const double SURVIVOR_SECONDS = 10e-9;
/* Seeds of a top-k: a posting that is looked at; building the inverted index, an entry; scoring a seed and offering it
 * to two heaps. Fitted to the ten nearest of 86,000 abstracts, as is a posting of a row that is finished. */
static const double SEED_POSTING_SECONDS = 3e-9, SEED_ENTRY_SECONDS = 15e-9, SEED_SECONDS = 400e-9;
const double pkin_i_finish_posting_seconds = 2.5e-9;
/* A job is never as even as its parts: threads that wait at the end, pages that are touched for the first time. */
static const double BAND_BELOW = 0.7, BAND_ABOVE = 1.5;
static const double START_SECONDS = 100e-6;
/* The tail's columns are counted and ordered by one thread. */
static const double SERIAL_ENTRY_SECONDS = 1e-9, SERIAL_COLUMN_SECONDS = 30e-9;

static pkin_i_seed_effort seed_effort(pkin_i_method method) {
    if (method == PKIN_I_METHOD_SKETCH) return pkin_i_sketch_tuning_default().seeds;
    return method == PKIN_I_METHOD_TAIL ? pkin_i_tail_seed_effort() : (pkin_i_seed_effort){0, 0};
}

double pkin_i_seeds_of(const pkin_i_job *job, pkin_i_method method) {
    const double wanted = 1.5 * job->k, least = seed_effort(method).n_partners, n = wanted > least ? wanted : least;
    if (job->k == 0 || least <= 0) return 0;
    return n < (double)job->n_b ? n : (double)job->n_b;
}

/* What seeding takes, on one thread: finding partners, scoring them, and the inverted index for it. */
static double seed_seconds(const pkin_i_job *job, pkin_i_method method) {
    if (job->k == 0) return 0;
    const double a_seed = seed_effort(method).n_postings * SEED_POSTING_SECONDS + SEED_SECONDS;
    return SEED_ENTRY_SECONDS * (double)job->entries_b + pkin_i_seeds_of(job, method) * (double)job->n_a * a_seed;
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
    return job->n_columns * 12 + job->entries_b * 8 + (uint64_t)job->n_threads * (job->n_b * 16 + job->n_columns * 12);
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

static uint64_t stream_block_rows(pkin_i_method method) {
    return method == PKIN_I_METHOD_INDEX ? PKIN_I_BLOCK_ROWS : PKIN_I_TAIL_BLOCK_ROWS;
}

static uint64_t stream_blocks(const pkin_i_job *job, pkin_i_method method) {
    const uint64_t rows = stream_block_rows(method), n = (job->n_a + rows - 1) / rows;
    return n ? n : 1;
}

uint64_t pkin_i_tail_bytes(const pkin_i_job *job, const pkin_i_tail_use *use, pkin_i_method method) {
    enum { SLOTS_MAX = 16, GROUP = 4, CANDIDATES_HELD = 16384, WORKER_BYTES = PKIN_I_TAIL_BLOCK_ROWS * 20 + 4096 * 16 };
    const uint64_t n_blocks = stream_blocks(job, method), n_entries = job->entries_a + job->entries_b_beside;
    uint64_t n_slots = (uint64_t)job->n_threads < SLOTS_MAX ? (uint64_t)job->n_threads : SLOTS_MAX;
    if (n_slots > n_blocks) n_slots = n_blocks;
    const uint64_t most_rows = stream_block_rows(method), block_rows = job->n_a < most_rows ? job->n_a : most_rows;
    /* Some blocks have more than others. */
    const double held = 1.25 * use->entries * (double)block_rows;
    const uint64_t n_rows = job->n_a + (job->within ? 0 : job->n_b);
    const uint64_t worker = WORKER_BYTES + job->n_columns * 4;
    if (method == PKIN_I_METHOD_INDEX) {
        const uint64_t block = (job->n_columns + 1) * 4 + (uint64_t)held * 8;
        return n_slots * block + (uint64_t)job->n_threads * worker + n_entries * 4 + 4096;
    }
    /* A column's postings in a block are rounded up to groups. */
    const uint64_t n_padded = held < (double)job->n_columns ? (uint64_t)held : job->n_columns;
    const uint64_t block = (job->n_columns + 1 + (uint64_t)held + (GROUP - 1) * n_padded) * 4;
    const uint64_t norms = (PKIN_I_COARSE_BUCKETS + PKIN_I_FINE_BUCKETS) * sizeof(int16_t);
    const uint64_t seeds = seeds_bytes(job);
    return n_slots * block + (uint64_t)job->n_threads * (worker + CANDIDATES_HELD * 8) + n_rows * (16 + norms) +
           n_entries * 8 + seeds + 4096;
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
        parallel += seed_seconds(job, pkin_i_sketch_tuning_default().seeds.n_postings);
        parallel += rates->row * (double)job->n_a;
    }
    price(START_SECONDS + map + parallel / job->n_parallel, (rates->score + SURVIVOR_SECONDS) / job->n_parallel, plan);
}

/* Groups of pairs that hold one of `refined` at least, were these everywhere alike. */
static double groups_of(const pkin_i_job *job, double refined) {
    const double n_groups = (double)job->n_pairs / PKIN_I_TAIL_ROUND;
    return n_groups > 0 ? n_groups * -expm1(-refined / n_groups) : 0;
}

static double bounds_ns(const pkin_i_job *job, const pkin_i_tail_cost *cost, double refined, double candidates) {
    return cost->ns_per_refined * refined + cost->ns_per_group * groups_of(job, refined) +
           cost->ns_per_candidate * candidates;
}

void pkin_i_tail_price(const pkin_i_job *job, const pkin_i_tail_use *use, pkin_i_plan *plan) {
    const int is_index = plan->method == PKIN_I_METHOD_INDEX;
    const pkin_i_tail_cost cost = is_index ? pkin_i_index_costs(job->isa) : pkin_i_tail_costs(job->isa);
    const double n_blocks = (double)stream_blocks(job, plan->method);
    const double n_entries = (double)(job->entries_a + job->entries_b_beside);
    const double block_rows = (double)stream_block_rows(plan->method);
    const double n_a = (double)job->n_a, n_b = (double)job->n_b;
    double blocks_met = n_blocks, scanned = n_a * n_b;
    if (job->within) {
        /* A row meets those blocks that begin before it, all of their rows. */
        const double before_last = n_blocks - 1, last_rows = n_a - before_last * block_rows;
        blocks_met = n_blocks - block_rows * n_blocks * before_last / 2 / (n_b > 0 ? n_b : 1);
        scanned = block_rows * before_last * (n_a - block_rows * (before_last - 1) / 2) + last_rows * last_rows;
    }
    plan->visits = use->entries * (double)job->n_b * blocks_met;
    plan->postings = use->postings * scanned + (is_index ? 0 : use->padding * n_b * blocks_met);
    double parallel = cost.ns_per_posting * plan->postings + cost.ns_per_visit * plan->visits +
                      cost.ns_per_pair * scanned + cost.ns_per_entry * n_entries;
    if (!is_index) parallel += 1e9 * seed_seconds(job, PKIN_I_METHOD_TAIL);
    /* Columns are counted and ordered by one thread. */
    const double serial =
        is_index ? 0 : SERIAL_ENTRY_SECONDS * n_entries + SERIAL_COLUMN_SECONDS * (double)job->n_columns;
    const double fixed = START_SECONDS + serial + 1e-9 * parallel / job->n_parallel;
    const double a_thread = 1e-9 / job->n_parallel;
    const pkin_estimate *r = &plan->refined, *c = &plan->candidates;
    plan->seconds.low = BAND_BELOW * (fixed + a_thread * bounds_ns(job, &cost, r->low, c->low));
    plan->seconds.middle = fixed + a_thread * bounds_ns(job, &cost, r->middle, c->middle);
    plan->seconds.high = BAND_ABOVE * (fixed + a_thread * bounds_ns(job, &cost, r->high, c->high));
}
