/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/plan_device.h"

#include <math.h>

const uint32_t pkin_i_speed_dimensions[PKIN_I_SPEED_DIMENSIONS] = {256, 512, 1024};

/* The device's rows come in multiples of this, and so do products. */
enum { ROWS_STEP = 256 };

/* On the host, as with the CPU's sketches (plan_cost.c): the map. An entry; a column. */
static const double MAP_ENTRY_SECONDS = 0.7e-9, MAP_COLUMN_SECONDS = 120e-9;
/* Launches, waits and what else a job takes at the least. */
static const double JOB_SECONDS = 2e-3;
/* Entries of a row for which the scoring rate holds; it grows with them, but not below a part of this. */
static const double SCORED_ENTRIES = 96, SCORED_ENTRIES_LEAST = 24;
/* Offering a score to the heaps of a top-k, beside scoring. */
static const double OFFER_SHARE = 0.5;
/* Comparing a row of a top-k with all others takes as long as scoring this share of them as candidates; and not less
 * than so many. What follows is as kernels/gpu_top_k.c has it. */
static const double EXHAUST_SHARE = 0.25, EXHAUST_LEAST = 4096;
/* Seeds: groups of sampled columns, each of which gives one, and columns of a group. */
enum { SEED_GROUPS_LEAST = 32, SEED_GROUPS_EACH = 4, SEED_GROUPS_EASY = 256 };
enum { SEED_GROUP_MOST = 128, SEED_GROUP_LEAST = 32, SEED_SHARE = 16 };
/* In memory: of the session on the host, a device; on a device beside rows, candidates and pairs among it. */
static const uint64_t HOST_BYTES_A_DEVICE = UINT64_C(40) << 20, DEVICE_BYTES_LEAST = UINT64_C(256) << 20;
/* Of a device's memory what rows may take, at most. */
static const double ROWS_MEMORY_SHARE = 0.8;
/* A job on a device is as even as its parts, but rates were measured on other rows. */
static const double BAND_BELOW = 0.5, BAND_ABOVE = 2;
/* Candidates of coarse filters, to those at full precision: measured on 4,000 generated rows at dimensions of 128 to
 * 2,048 and thresholds of 0.2 to 0.5, where it is 1.01 to 1.78, mostly 1.2 to 1.45. */
static const pkin_estimate coarse = {1, 1.4, 1.8};

double pkin_i_device_pair_seconds(const pkin_i_filter_speed *speed, uint32_t dimension) {
    const uint32_t *at = pkin_i_speed_dimensions;
    const double *seconds = speed->pair_seconds;
    const int last = PKIN_I_SPEED_DIMENSIONS - 1;
    if (dimension <= at[0]) return seconds[0] * dimension / at[0];
    if (dimension >= at[last]) return seconds[last] * dimension / at[last];
    int k = 0;
    while (dimension > at[k + 1]) k++;
    return seconds[k] + (seconds[k + 1] - seconds[k]) * (dimension - at[k]) / (at[k + 1] - at[k]);
}

static double round_up(uint64_t n) {
    return (double)((n + ROWS_STEP - 1) / ROWS_STEP * ROWS_STEP);
}

static double n_entries(const pkin_i_job *job) {
    return (double)(job->entries_a + job->entries_b_beside);
}

/* Pairs that a filter looks at: what does not fill a tile, or lies across the diagonal, included. */
static double filtered_pairs(const pkin_i_job *job) {
    const double n_b = round_up(job->n_b);
    return job->within ? n_b * (n_b + ROWS_STEP) / 2 : round_up(job->n_a) * n_b;
}

/* Bytes of all rows on a device. */
static double rows_bytes(const pkin_i_job *job, uint32_t dimension) {
    const double n_rows = round_up(job->n_a) + (job->within ? 0 : round_up(job->n_b));
    return n_rows * (dimension + 12.0) + 8 * n_entries(job);
}

static double rows_room(const pkin_i_speeds *speeds) {
    return ROWS_MEMORY_SHARE * (double)speeds->memory_bytes;
}

/* How often a row is brought to a device, on average: once, or as often as rows that stay are changed for others. */
static double passes(const pkin_i_job *job, const pkin_i_speeds *speeds, uint32_t dimension) {
    const double parts = rows_bytes(job, dimension) / rows_room(speeds);
    return parts > 1 ? 1 + parts : 1;
}

static double bring_seconds(const pkin_i_job *job, const pkin_i_speeds *speeds) {
    return n_entries(job) * (8 * speeds->up_byte_seconds + speeds->entry_seconds);
}

double pkin_i_device_least_seconds(const pkin_i_job *job, const pkin_i_speeds *speeds) {
    double pair_seconds = pkin_i_device_pair_seconds(&speeds->filters[0], pkin_i_speed_dimensions[0]);
    for (size_t f = 1; f < speeds->n_filters; f++) {
        const double seconds = pkin_i_device_pair_seconds(&speeds->filters[f], pkin_i_speed_dimensions[0]);
        if (seconds < pair_seconds) pair_seconds = seconds;
    }
    return pair_seconds * (double)job->n_pairs / speeds->n_devices + bring_seconds(job, speeds);
}

pkin_estimate pkin_i_device_candidates(const pkin_i_job *job, const pkin_i_filter_speed *speed, uint32_t dimension,
                                       pkin_estimate candidates) {
    const double most = (double)job->n_pairs;
    (void)dimension;
    if (!speed->is_coarse) return candidates;
    candidates.low *= coarse.low;
    candidates.middle *= coarse.middle;
    candidates.high *= coarse.high;
    if (candidates.middle > most) candidates.middle = most;
    if (candidates.high > most) candidates.high = most;
    return candidates;
}

static double seed_groups(const pkin_i_job *job) {
    double groups = (double)SEED_GROUPS_EACH * job->k;
    if (groups > SEED_GROUPS_EASY) groups = fmax(1.5 * job->k, SEED_GROUPS_EASY);
    return fmax(groups, SEED_GROUPS_LEAST);
}

/* Columns that seeds are looked for among. */
static double sampled_columns(const pkin_i_job *job) {
    const double groups = seed_groups(job), n = (double)job->n_b;
    double group = SEED_GROUP_MOST;
    while (group > SEED_GROUP_LEAST && groups * group > n / SEED_SHARE) group /= 2;
    return fmin(groups * group, n);
}

double pkin_i_device_seeds(const pkin_i_job *job, const pkin_i_speeds *speeds) {
    if (job->k == 0) return 0;
    return fmin(seed_groups(job), (double)job->n_b) * speeds->n_devices;
}

double pkin_i_device_exhaust_candidates(const pkin_i_job *job) {
    return fmax(EXHAUST_SHARE * (double)job->n_b, EXHAUST_LEAST);
}

/* Looking for seeds, and then for rows that expect too many candidates: every device does it for itself. */
static double seed_seconds(const pkin_i_job *job, const pkin_i_speeds *speeds, uint32_t dimension) {
    if (job->k == 0) return 0;
    return 2 * (double)job->n_a * sampled_columns(job) * dimension * speeds->seed_pair_seconds;
}

static double candidate_seconds(const pkin_i_job *job, const pkin_i_speeds *speeds) {
    const double n_rows = (double)(job->n_a + (job->within ? 0 : job->n_b));
    double entries = n_rows > 0 ? n_entries(job) / n_rows : 0;
    if (entries < SCORED_ENTRIES_LEAST) entries = SCORED_ENTRIES_LEAST;
    const double score = speeds->candidate_seconds * entries / SCORED_ENTRIES;
    return score * (job->k ? 1 + OFFER_SHARE : 1) / speeds->n_devices;
}

void pkin_i_device_price(const pkin_i_job *job, const pkin_i_speeds *speeds, const pkin_i_filter_speed *speed,
                         double n_exhausted, pkin_i_plan *plan) {
    const double n_used = (double)job->n_columns < n_entries(job) ? (double)job->n_columns : n_entries(job);
    const double rows = rows_bytes(job, plan->dimension), room = rows_room(speeds);
    const double a_candidate = candidate_seconds(job, speeds);
    double fixed = speeds->start_seconds + speed->start_seconds + JOB_SECONDS + MAP_COLUMN_SECONDS * n_used +
                   MAP_ENTRY_SECONDS * n_entries(job) / job->n_parallel;
    fixed += passes(job, speeds, plan->dimension) * bring_seconds(job, speeds);
    fixed += filtered_pairs(job) * pkin_i_device_pair_seconds(speed, plan->dimension) / speeds->n_devices;
    fixed += seed_seconds(job, speeds, plan->dimension);
    fixed += n_exhausted * pkin_i_device_exhaust_candidates(job) * a_candidate;
    fixed += 12.0 * job->k * (double)job->n_a * speeds->down_byte_seconds;
    plan->seconds.low = BAND_BELOW * (fixed + plan->candidates.low * a_candidate);
    plan->seconds.middle = fixed + plan->candidates.middle * a_candidate;
    plan->seconds.high = BAND_ABOVE * (fixed + plan->candidates.high * a_candidate);
    plan->strip_rows = job->n_b ? job->n_b : 1;
    plan->bytes = (uint64_t)speeds->n_devices * HOST_BYTES_A_DEVICE + 10 * job->n_columns;
    plan->device_bytes = (uint64_t)fmin(rows, room) + 2 * job->n_columns + DEVICE_BYTES_LEAST;
    if (job->k) plan->device_bytes += job->n_a * (UINT64_C(12) * job->k + 20);
    if (plan->device_bytes > speeds->memory_bytes) plan->device_bytes = speeds->memory_bytes;
}
