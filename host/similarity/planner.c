/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Work that takes a few milliseconds whatever way it is done is planned by rule. Else a sample of rows is
 * taken, as large as some hundredths of the work's time allow, and the filter itself is run on it, dimension by
 * dimension: that tells what share of all pairs would be candidates, and how long the filter takes here. Dimensions
 * ascend; they are given up where the filter alone takes longer than the best total so far. Heads of the tail method
 * are tried around the one that a rule gives, as long as they are better, where fixed costs leave them a chance. Top-k:
 * what each sampled row's pairs have to reach is found by comparing it with all rows.
 *
 * Unit costs of sketches and of scoring are timed on the sample; those of the tail and index methods are constants
 * (cpu_tail_cost.h), times counts that the sample tells; those of devices were measured on them once (plan_device.h),
 * and the candidates of their filters are those of the CPU's sketches, for which the filter on the CPU stands in.
 */
#include "similarity/planner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/cpu_sketch.h"
#include "similarity/cpu_stream.h"
#include "similarity/cpu_tail_cost.h"
#include "similarity/crew.h"
#include "similarity/plan_cost.h"
#include "similarity/plan_device.h"

/* Ascending; the last is the most that pays for anything seen. */
static const uint32_t dimensions[] = {64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048};

/* Heads that are tried, ascending: the best are 0.01 (thresholds of 0.8) to beyond 0.1 (0.2 and top-k). */
static const double shares[] = {0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2};

enum {
    N_SHARES = sizeof shares / sizeof shares[0],
    SHARES_TRIED = 4,      /* about */
    TAIL_ROWS_LEAST = 192, /* rows of a side that are tried, and partners: */
    N_DIMENSIONS = sizeof dimensions / sizeof dimensions[0],
    DEVICE_STEP = 128,   /* dimensions that are tried on devices are multiples of it */
    PLANS_MOST = 16,     /* listed */
    SKETCHES_MOST = 7,   /* of them */
    TAILS_MOST = 2,      /* of them */
    DEVICES_MOST = 6,    /* of them, */
    OF_FILTER_MOST = 3,  /* and with one filter */
    SAMPLE_LEAST = 128,  /* rows of a side, */
    EXPLAIN_LEAST = 400, /* where a plan alone is asked for */
    SAMPLE_MOST = 8192,
    SAMPLE_ALL = 512,    /* no more rows than this: all of them */
    TOP_ROWS_LEAST = 32, /* rows whose thresholds are found */
    TOP_ROWS_MOST = 512,
    TOP_RANK_LEAST = 8,       /* ranks as low as this are told from a part of the rows, */
    DEVICE_TOP_RANK_LEAST = 2 /* and for devices, whose work is short, lower ones if all rows would take too long */
};

/* Work that takes less, about, is planned by rule. */
static const double SMALL_SECONDS = 0.004;
/* What planning may take: a share of what the work takes, about, and a little where that is less. */
static const double PLAN_SHARE = 0.02, PLAN_SECONDS_LEAST = 0.004, PLAN_SHARE_MOST = 0.1, PLAN_SECONDS_MOST = 1.0;
/* A device's work is so short that the rest of the machine may be asked for a little more; thresholds of a top-k take
 * longer to find. */
static const double DEVICE_PLAN_SECONDS_LEAST = 0.03, DEVICE_TOP_PLAN_SECONDS_LEAST = 0.1;
/* Without a device the tail method may be so many times faster than sketches, but hardly more. */
static const double TAIL_GAIN_MOST = 8;
/* Work that the CPU is expected to do in less is not worth starting a device, nor looking for one. */
static const double DEVICE_WORK_SECONDS = 0.3;
/* Asked for a plan alone, it takes this much longer. */
static const double EXPLAIN_FACTOR = 4;
/* Less is done by the calling thread alone: where others are busy elsewhere, waiting for them takes longer. */
static const double ALONE_SECONDS = 0.025;
/* How much slower a filter is where all cores are at work than where the sample's was tried alone: clock and caches. */
static const double BESIDE_OTHERS = 1.12;

/* Unit costs of the sample itself, for choosing its size: seconds. */
static const double SAMPLE_ENTRY_SECONDS = 5e-9, SAMPLE_COLUMN_SECONDS = 400e-9, STREAMED_ENTRY_SECONDS = 1.5e-9,
                    STREAMED_POSTING_SECONDS = 1e-9, TAIL_ROW_SECONDS = 2.5e-6;
/* The same for a million rows, whose columns are many: for devices, whose work is worth planning only if they are. */
static const double DEVICE_STREAMED_ENTRY_SECONDS = 6e-9, DEVICE_STREAMED_POSTING_SECONDS = 4e-9;
/* A row shares this part of its columns' rows with a sampled one, about. */
static const double POSTINGS_AN_ENTRY = 0.07;

/*
 * In a self-join a pair is a candidate of a top-k where it reaches the threshold of either row. If the two were
 * independent this would be twice as often as for one; rows that are near each other mostly are so mutually.
 */
static const pkin_estimate either_row = {1, 1.8, 2};
/*
 * While a top-k is under way the heaps' thresholds are below the final ones: so many times as many pairs pass a bound.
 * From the ten nearest among 20,000 to 86,000 abstracts and as many generated rows.
 */
static const pkin_estimate running_sketch = {1, 2.3, 4}, running_tail = {0.7, 3, 12}, running_refined = {0.5, 1.6, 8};
/* The same where seeds are all that the heaps have: rows that are finished are judged by that. */
static const double after_seeds = 1.3;

/* One planning. */
typedef struct planning {
    const pkin_i_task *task;
    const pkin_i_target *target;
    const pkin_i_wishes *wishes;
    const pkin_i_backend *base;    /* that computes on the processor; NULL: not to be used */
    const pkin_i_backend *device;  /* that has devices; NULL: not to be used */
    pkin_i_speeds speeds;          /* of it */
    const pkin_i_filter *filter;   /* of the processor: also for trials alone */
    int may_use[PKIN_I_N_METHODS]; /* of the base */
    int explain;                   /* a plan alone is asked for */
    char note[200];                /* as in the list */
    pkin_i_job job;
    double budget;      /* seconds that planning may take */
    int n_threads;      /* that are at work in trials */
    int sample_threads; /* that could be */
    pkin_i_sample sample;
    uint64_t *row_scores; /* of every sampled row: what its pairs have to reach */
    int32_t *row_limits;  /* the same for products of sketches */
    double *row_postings; /* top-k: products of a sampled row with all rows of b; else NULL */
    double score_seconds;
    double filter_seconds; /* of the last dimension tried, on all threads: grows with the dimension */
    uint64_t least_bytes;  /* of what did not fit */
    pkin_i_plan plans[N_DIMENSIONS * (1 + PKIN_I_FILTERS_MOST) + N_SHARES + 1];
    size_t n_plans;
    pkin_estimate pairs;
} planning;

/* ---- Plans ---- */

static pkin_i_plan plan_on_base(const planning *self, pkin_i_method method) {
    const pkin_i_isa isa = self->wishes->isa;
    return (pkin_i_plan){.backend = self->base, .method = method, .isa = isa, .kernel = pkin_i_isa_name(isa)};
}

/* Adds a plan if it fits into memory; its candidates are set, its costs found here. */
static void add_sketch(planning *self, uint32_t dimension, pkin_estimate candidates, const pkin_i_rates *rates) {
    const uint64_t most_bytes = self->wishes->memory_bytes;
    const uint64_t least = pkin_i_sketch_bytes(&self->job, self->filter, dimension, 1);
    pkin_i_plan plan = plan_on_base(self, PKIN_I_METHOD_SKETCH);
    plan.dimension = dimension;
    plan.strip_rows = pkin_i_sketch_strip_rows(&self->job, self->filter, dimension, most_bytes);
    if (plan.strip_rows == 0) {
        if (self->least_bytes == 0 || least < self->least_bytes) self->least_bytes = least;
        return;
    }
    plan.bytes = pkin_i_sketch_bytes(&self->job, self->filter, dimension, plan.strip_rows);
    plan.candidates = candidates;
    pkin_i_sketch_price(&self->job, self->filter, rates, &plan);
    self->plans[self->n_plans++] = plan;
}

static void add_tail(planning *self, double share, pkin_estimate refined, pkin_estimate candidates,
                     const pkin_i_tail_use *use) {
    const pkin_i_method method = share > 0 ? PKIN_I_METHOD_TAIL : PKIN_I_METHOD_INDEX;
    pkin_i_plan plan = plan_on_base(self, method);
    plan.head_share = share;
    plan.candidates = candidates;
    plan.refined = refined;
    plan.strip_rows = self->job.n_b ? self->job.n_b : 1;
    plan.bytes = pkin_i_tail_bytes(&self->job, use, method);
    if (self->wishes->memory_bytes && plan.bytes > self->wishes->memory_bytes) {
        if (self->least_bytes == 0 || plan.bytes < self->least_bytes) self->least_bytes = plan.bytes;
        return;
    }
    pkin_i_tail_price(&self->job, use, &plan);
    self->plans[self->n_plans++] = plan;
}

/* The same on the devices, with each of their filters: candidates as they are at full precision. */
static void add_device(planning *self, uint32_t dimension, pkin_estimate candidates, double n_exhausted) {
    for (size_t f = 0; self->device && f < self->speeds.n_filters; f++) {
        const pkin_i_filter_speed *speed = &self->speeds.filters[f];
        pkin_i_plan plan = plan_on_base(self, PKIN_I_METHOD_SKETCH);
        if (self->target->k && speed->joins_only) continue;
        plan.backend = self->device;
        plan.filter = speed->filter;
        plan.kernel = speed->name;
        plan.dimension = dimension;
        plan.candidates = pkin_i_device_candidates(&self->job, speed, dimension, candidates);
        pkin_i_device_price(&self->job, &self->speeds, speed, n_exhausted, &plan);
        if (self->wishes->memory_bytes == 0 || plan.bytes <= self->wishes->memory_bytes) {
            self->plans[self->n_plans++] = plan;
        } else if (self->least_bytes == 0 || plan.bytes < self->least_bytes) {
            self->least_bytes = plan.bytes;
        }
    }
}

static int by_seconds(const void *x, const void *y) {
    const pkin_i_plan *p = x, *q = y;
    if (p->seconds.middle != q->seconds.middle) return p->seconds.middle < q->seconds.middle ? -1 : 1;
    if (p->dimension != q->dimension) return p->dimension < q->dimension ? -1 : 1;
    return (p->filter > q->filter) - (p->filter < q->filter);
}

/* With a bound of so many times what the backend needs it has enough, also when pairs and rows took their shares
   (request.c): 1 / (1 - 1/4 - 1/3). */
static const double ALL_BYTES_A_BACKEND_BYTE = 2.4;

/* A pair of the result is a candidate of every plan: where the sample had none, the candidates say more. */
static void cap_pairs(const planning *self, pkin_estimate *pairs) {
    for (size_t p = 0; p < self->n_plans && self->target->k == 0; p++) {
        const pkin_i_plan *plan = &self->plans[p];
        if (plan->method == PKIN_I_METHOD_INDEX) continue;
        if (plan->candidates.high < pairs->high) pairs->high = plan->candidates.high;
        if (plan->candidates.middle < pairs->middle) pairs->middle = plan->candidates.middle;
    }
    if (pairs->middle > pairs->high) pairs->middle = pairs->high;
    if (pairs->low > pairs->middle) pairs->low = pairs->middle;
}

/* How many plans of a kind were listed. */
typedef struct listed {
    size_t of_method[PKIN_I_N_METHODS], of_filter[PKIN_I_FILTERS_MOST], on_devices;
} listed;

/* Whether a plan is worth telling, being the next of its kind. */
static int take_into_list(const planning *self, const pkin_i_plan *plan, listed *n) {
    static const size_t most[PKIN_I_N_METHODS] = {SKETCHES_MOST, TAILS_MOST, 1};
    if (plan->backend != self->device) return n->of_method[plan->method]++ < most[plan->method];
    if (n->on_devices == DEVICES_MOST || n->of_filter[plan->filter % PKIN_I_FILTERS_MOST] == OF_FILTER_MOST) return 0;
    n->on_devices++;
    n->of_filter[plan->filter % PKIN_I_FILTERS_MOST]++;
    return 1;
}

/* Sorted, the cheapest of each kind: what is worth telling. */
static pkin_status hand_over(planning *self, pkin_i_plan_list *out) {
    pkin_status status;
    listed n = {0};
    pkin_i_plan_list list = {.pairs = self->pairs};
    if (self->device) memcpy(list.device, self->speeds.device, sizeof list.device);
    memcpy(list.note, self->note, sizeof list.note);
    PKIN_REQUIRE(
        self->n_plans > 0, PKIN_ERROR_OUT_OF_MEMORY,
        "similarity: the memory that may be used is too little for comparing: allow %.0f MB, or ask for fewer "
        "threads",
        ceil(1e-6 * ((double)self->least_bytes * ALL_BYTES_A_BACKEND_BYTE + (double)self->wishes->held_bytes * 4 / 3)));
    cap_pairs(self, &list.pairs);
    qsort(self->plans, self->n_plans, sizeof *self->plans, by_seconds);
    PKIN_TRY(pkin_i_allocate(PLANS_MOST, sizeof *list.plans, &list.plans));
    for (size_t p = 0; p < self->n_plans; p++) {
        const pkin_i_plan *plan = &self->plans[p];
        if (!take_into_list(self, plan, &n)) continue;
        list.plans[list.n_plans++] = *plan;
        if (plan->method == PKIN_I_METHOD_INDEX && self->target->k == 0) {
            list.plans[list.n_plans - 1].candidates = list.pairs; /* it scores no others */
        }
    }
    *out = list;
out:
    return status;
}

/* ---- By rule ---- */

/*
 * Columns in this share of the rows or more are the head. A larger head leaves fewer postings and looser bounds; a high
 * threshold bears looser ones. Measured on 86,000 papers: the best share of joins falls from 0.06 at a threshold of 0.3
 * to 0.03 at 0.5, and a half of that costs up to three times as long.
 */
static double head_share_by_rule(const planning *self) {
    const double share = 0.016 / pkin_score_to_cosine(self->target->min_score);
    if (self->wishes->head_share > 0) return self->wishes->head_share;
    return self->target->k || share > 0.1 ? 0.1 : share;
}

/* Sketches of small sets cost more than their products: a large dimension is cheap. */
static uint32_t dimension_by_rule(const pkin_i_target *target) {
    if (target->k || pkin_score_to_cosine(target->min_score) < 0.4) return 512;
    return 256;
}

/* A bound tells little below this: most pairs are candidates, and scoring them is what the index does faster. */
static const double LOW_THRESHOLD = 0.12;

static pkin_status plan_by_rule(planning *self, pkin_i_plan_list *out) {
    static const double guessed_share = 0.001; /* of pairs, to be scored: whatever the rows are */
    const uint32_t dimension = self->wishes->dimension ? self->wishes->dimension : dimension_by_rule(self->target);
    const double n_pairs = (double)self->job.n_pairs;
    const pkin_estimate guess = {0, guessed_share * n_pairs, n_pairs}, none = {0, 0, 0};
    const pkin_i_rates rates = pkin_i_rates_assumed(self->wishes->isa, dimension);
    const double row_entries = self->job.n_b ? (double)self->job.entries_b / (double)self->job.n_b : 0;
    const int is_low = pkin_score_to_cosine(self->target->min_score) < LOW_THRESHOLD && self->target->k == 0;
    const int may_bound = self->may_use[PKIN_I_METHOD_SKETCH] || self->may_use[PKIN_I_METHOD_TAIL];
    const pkin_i_tail_use use = {0.01 * row_entries, row_entries / 2, row_entries / 2, 0},
                          all = {0.07 * row_entries, row_entries, 0, 0};
    self->pairs = self->target->k ? none : (pkin_estimate){0, 0.1 * guess.middle, n_pairs};
    self->score_seconds = rates.score;
    if (self->may_use[PKIN_I_METHOD_SKETCH] && !(is_low && self->may_use[PKIN_I_METHOD_INDEX])) {
        add_sketch(self, dimension, guess, &rates);
    }
    if (self->n_plans == 0 && self->may_use[PKIN_I_METHOD_TAIL] && !(is_low && self->may_use[PKIN_I_METHOD_INDEX])) {
        add_tail(self, head_share_by_rule(self), guess, guess, &use);
    }
    if (self->n_plans == 0 && self->may_use[PKIN_I_METHOD_INDEX] && (is_low || !may_bound || self->least_bytes)) {
        add_tail(self, 0, none, none, &all);
    }
    add_device(self, dimension, guess, 0);
    return hand_over(self, out);
}

/* ---- The sample ---- */

/* Seconds of the work at a middling dimension, if all goes well. */
static double least_seconds(const planning *self) {
    const pkin_i_rates rates = pkin_i_rates_assumed(self->wishes->isa, 256);
    const double entries = (double)(self->job.entries_a + self->job.entries_b_beside);
    return (rates.pair * (double)self->job.n_pairs + rates.entry * entries) / self->job.n_parallel;
}

static double choose_budget(double work_seconds) {
    double budget = PLAN_SHARE_MOST * work_seconds;
    if (budget > PLAN_SECONDS_LEAST) budget = PLAN_SECONDS_LEAST;
    if (budget < PLAN_SHARE * work_seconds) budget = PLAN_SHARE * work_seconds;
    return budget < PLAN_SECONDS_MOST ? budget : PLAN_SECONDS_MOST;
}

static double row_entries(const planning *self) {
    const pkin_i_job *job = &self->job;
    return (double)(job->entries_a + job->entries_b_beside) / (double)(job->n_a + (job->within ? 0 : job->n_b));
}

/* Seconds to try n rows against m at all dimensions that it may come to. */
static double sample_seconds(const planning *self, double n, double m) {
    const double tried = N_DIMENSIONS * 0.8, tried_sum = 3000; /* dimensions: how many, and their sum */
    const pkin_i_rates rates = pkin_i_rates_assumed(self->wishes->isa, 1);
    const double entries = (n + m) * row_entries(self);
    double distinct = 0.4 * entries;
    if (distinct > (double)self->job.n_columns) distinct = (double)self->job.n_columns;
    return (entries * tried * SAMPLE_ENTRY_SECONDS + n * m * tried_sum * rates.pair +
            distinct * SAMPLE_COLUMN_SECONDS) /
           self->n_threads;
}

static uint64_t within_bounds(double n, uint64_t least, uint64_t most) {
    if (n < (double)least) return least;
    return n > (double)most ? most : (uint64_t)n;
}

/* As many rows of b as the budget allows beside n_rows of a. */
static uint64_t affordable_columns(const planning *self, double n_rows, double budget) {
    double n = self->explain ? EXPLAIN_LEAST : SAMPLE_LEAST;
    while (n < SAMPLE_MOST && sample_seconds(self, n_rows, n * 1.25) < budget) n *= 1.25;
    return within_bounds(n, SAMPLE_LEAST, SAMPLE_MOST);
}

static pkin_status sample_for_join(planning *self) {
    const uint64_t n_a = self->job.n_a;
    double n = self->explain ? EXPLAIN_LEAST : SAMPLE_LEAST;
    while (n < SAMPLE_MOST && sample_seconds(self, n * 1.25, n * 1.25) < self->budget) n *= 1.25;
    uint64_t n_rows = within_bounds(n, SAMPLE_LEAST, SAMPLE_MOST);
    /* The better part of all: then all. */
    if (n_rows > n_a / 4 * 3 || n_a <= SAMPLE_ALL) n_rows = n_a;
    uint64_t n_columns = affordable_columns(self, (double)n_rows, self->budget);
    if (n_columns > self->job.n_b / 4 * 3 || self->job.n_b <= SAMPLE_ALL) n_columns = self->job.n_b;
    pkin_status status = pkin_i_sample_take(&self->sample, n_rows, n_columns);
    if (status != PKIN_OK) return status;
    status = pkin_i_allocate(self->sample.rows.n_rows, sizeof *self->row_scores, &self->row_scores);
    for (uint64_t r = 0; status == PKIN_OK && r < self->sample.rows.n_rows; r++) {
        self->row_scores[r] = self->target->min_score;
    }
    return status;
}

/* Products of every sampled row with all rows of b, on average what its columns have in the sample. */
static pkin_status count_postings(planning *self) {
    const pkin_vectors *rows = &self->sample.rows, *columns = &self->sample.columns;
    uint32_t *counts = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(rows->n_rows, sizeof *self->row_postings, &self->row_postings));
    PKIN_TRY(pkin_i_allocate_zeroed(columns->n_columns, sizeof *counts, &counts));
    const uint64_t n_entries = columns->row_offsets[columns->n_rows];
    for (uint64_t k = 0; k < n_entries; k++) counts[columns->columns[k]]++;
    for (uint64_t r = 0; r < rows->n_rows; r++) {
        double sum = 0;
        for (uint64_t k = rows->row_offsets[r]; k < rows->row_offsets[r + 1]; k++) sum += counts[rows->columns[k]];
        self->row_postings[r] = sum * (double)self->job.n_b / (double)columns->n_rows;
    }
out:
    pkin_i_free(counts);
    return status;
}

/* Every how many rows are streamed past the sampled ones: where a device is weighed they are to fit into the time. */
static uint64_t choose_top_stride(const planning *self) {
    const uint32_t k = self->target->k;
    uint64_t stride = k / TOP_RANK_LEAST ? k / TOP_RANK_LEAST : 1;
    const double an_entry =
        DEVICE_STREAMED_ENTRY_SECONDS + TOP_ROWS_LEAST * POSTINGS_AN_ENTRY * DEVICE_STREAMED_POSTING_SECONDS;
    const double all = (double)self->job.n_b * row_entries(self) * an_entry / self->job.n_parallel;
    if (!self->device) return stride;
    while (k / (stride + 1) >= DEVICE_TOP_RANK_LEAST && all / (double)stride > self->budget / 2) stride++;
    return stride;
}

static pkin_status sample_for_top(planning *self) {
    pkin_status status;
    const uint32_t k = self->target->k;
    const uint64_t stride = choose_top_stride(self);
    const double n_streamed = (double)self->job.n_b / (double)stride;
    const double an_entry = self->device ? DEVICE_STREAMED_ENTRY_SECONDS : STREAMED_ENTRY_SECONDS;
    const double a_posting = self->device ? DEVICE_STREAMED_POSTING_SECONDS : STREAMED_POSTING_SECONDS;
    /* Half of the time for the thresholds. */
    const double a_row = self->budget / 2 * self->job.n_parallel / n_streamed - row_entries(self) * an_entry;
    const double n = a_row / (POSTINGS_AN_ENTRY * row_entries(self) * a_posting);
    const uint64_t n_rows = within_bounds(n, TOP_ROWS_LEAST, TOP_ROWS_MOST);
    const uint64_t n_columns = affordable_columns(self, (double)n_rows, self->budget / 2);
    PKIN_TRY(pkin_i_sample_take(&self->sample, n_rows, n_columns));
    PKIN_TRY(pkin_i_allocate(self->sample.rows.n_rows, sizeof *self->row_scores, &self->row_scores));
    PKIN_TRY(pkin_i_top_trial(&self->sample, k, stride, self->target->min_score, self->row_scores));
    PKIN_TRY(count_postings(self));
out:
    return status;
}

/* ---- Sketches ---- */

/*
 * Rows that the engine finishes by way of their postings have no candidates of their own, but meet everybody
 * (cpu_sketch.c). Returns what share of the rows they are; `*n_postings`: theirs, a row of all on average.
 */
static double leave_out_finished(const planning *self, pkin_i_tally *tally, double *n_postings) {
    const pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
    const double scale = after_seeds * (double)self->job.n_b / (double)self->sample.columns.n_rows;
    const double n_rows = (double)tally->n_rows;
    double n_finished = 0;
    *n_postings = 0;
    for (uint64_t r = 0; self->row_postings && r < tally->n_rows; r++) {
        if (tally->row_hits[r] * scale * tuning.postings_a_candidate <= self->row_postings[r]) continue;
        *n_postings += self->row_postings[r] / n_rows;
        n_finished++;
        tally->n_hits -= tally->row_hits[r];
        tally->row_hits[r] = 0;
    }
    return n_finished / n_rows;
}

static pkin_estimate at_most(pkin_estimate estimate, double most) {
    if (estimate.low > most) estimate.low = most;
    if (estimate.middle > most) estimate.middle = most;
    if (estimate.high > most) estimate.high = most;
    return estimate;
}

/* From pairs that reach the final threshold of the row of a to those that an engine meets. */
static pkin_estimate for_top_k(const planning *self, pkin_estimate running, pkin_estimate estimate) {
    const pkin_estimate either = self->job.within ? either_row : (pkin_estimate){1, 1, 1};
    estimate.low *= either.low * running.low;
    estimate.middle *= either.middle * running.middle;
    estimate.high *= either.high * running.high;
    return at_most(estimate, (double)self->job.n_pairs);
}

/* More that are met, n give or take as many as `share` of them. */
static pkin_estimate and_more(pkin_estimate estimate, double n, double share) {
    estimate.low += n * (1 - share);
    estimate.middle += n;
    estimate.high += n * (1 + share);
    return estimate;
}

/* A trial's tally, as it is for the CPU's plan: changes it. */
static void weigh_on_base(planning *self, uint32_t dimension, pkin_i_sketch_trial *trial) {
    const double n_a = (double)self->job.n_a, n_b = (double)self->job.n_b;
    double n_postings = 0;
    const double n_finished = leave_out_finished(self, &trial->tally, &n_postings) * n_a;
    pkin_estimate candidates = pkin_i_sample_estimate(&self->sample, &trial->tally, 1);
    if (self->target->k) candidates = for_top_k(self, running_sketch, candidates);
    const double beside = self->n_threads < self->sample_threads ? BESIDE_OTHERS : 1;
    const pkin_i_rates rates = {beside * trial->pair_seconds, trial->entry_seconds, self->score_seconds,
                                n_postings * pkin_i_finish_posting_seconds};
    const size_t n_before = self->n_plans;
    self->filter_seconds = trial->pair_seconds * (double)self->job.n_pairs / self->job.n_parallel;
    add_sketch(self, dimension, candidates, &rates);
    if (!self->target->k || self->n_plans == n_before) return;
    /* Their costs are in the rates already. Seeds: rows with few postings have none. */
    pkin_i_plan *plan = &self->plans[n_before];
    plan->candidates = and_more(plan->candidates, pkin_i_seeds_of(&self->job, PKIN_I_METHOD_SKETCH) * n_a, 1);
    plan->candidates =
        and_more(plan->candidates, n_finished * n_b, 1 / sqrt(1 + n_finished / n_a * (double)trial->tally.n_rows));
}

/*
 * The same for the plans on devices, the tally as it was found. Rows that expect too many candidates are compared with
 * everybody there: they are not candidates, but their time is that of so many.
 */
static void weigh_on_device(planning *self, uint32_t dimension, const pkin_i_tally *tally) {
    const double n_a = (double)self->job.n_a;
    pkin_estimate candidates = pkin_i_sample_estimate(&self->sample, tally, 1);
    double n_exhausted = 0;
    if (self->target->k) {
        const double scale = after_seeds * (double)self->job.n_b / (double)self->sample.columns.n_rows;
        const double most = pkin_i_device_exhaust_candidates(&self->job), all_hits = (double)tally->n_hits;
        double n_hits = all_hits;
        for (uint64_t r = 0; r < tally->n_rows; r++) {
            if (tally->row_hits[r] * scale <= most) continue;
            n_exhausted += n_a / (double)tally->n_rows;
            n_hits -= tally->row_hits[r];
        }
        const double kept = all_hits > 0 ? n_hits / all_hits : 1;
        candidates = (pkin_estimate){kept * candidates.low, kept * candidates.middle, kept * candidates.high};
        candidates = for_top_k(self, running_sketch, candidates);
        candidates = and_more(candidates, pkin_i_device_seeds(&self->job, &self->speeds) * n_a, 0.5);
    }
    add_device(self, dimension, candidates, n_exhausted);
}

/* Whether a dimension is one for the devices: any that is wished, else what fills their blocks of bytes. */
static int suits_device(const planning *self, uint32_t dimension) {
    return self->device && (self->wishes->dimension || dimension % DEVICE_STEP == 0);
}

static pkin_status try_dimension(planning *self, const pkin_i_sketch_map *map, double n_expected,
                                 pkin_i_sketch_trial *trial) {
    pkin_status status = pkin_i_sketch_trial_run(&self->sample, self->filter, map, self->row_limits, n_expected, trial);
    if (status != PKIN_OK) return status;
    if (suits_device(self, map->dimension)) weigh_on_device(self, map->dimension, &trial->tally);
    if (self->base) weigh_on_base(self, map->dimension, trial);
    return PKIN_OK;
}

/* Maps of several dimensions at once: a thread makes each. */
static pkin_status build_maps(const planning *self, const uint32_t *of, size_t n, pkin_i_sketch_map *maps) {
    int failure = PKIN_OK;
#pragma omp parallel for num_threads(self->sample.n_threads) schedule(dynamic, 1)
    for (size_t d = 0; d < n; d++) {
        const pkin_status status =
            pkin_i_sketch_map_build(self->sample.column_weights, self->sample.rows.n_columns, of[d], &maps[d]);
        if (status != PKIN_OK) __atomic_store_n(&failure, (int)status, __ATOMIC_RELAXED);
    }
    if (failure == PKIN_OK) return PKIN_OK;
    return pkin_i_fail((pkin_status)failure, "planning: %s", pkin_status_message((pkin_status)failure));
}

static double best_seconds(const planning *self) {
    double best = 0;
    for (size_t p = 0; p < self->n_plans; p++) {
        if (p == 0 || self->plans[p].seconds.middle < best) best = self->plans[p].seconds.middle;
    }
    return best;
}

/* The last plan for the processor, if it is of this dimension: else it did not fit into memory. */
static const pkin_i_plan *last_on_base(const planning *self, uint32_t dimension) {
    const pkin_i_plan *last = self->n_plans ? &self->plans[self->n_plans - 1] : NULL;
    return last && last->backend == self->base && last->dimension == dimension ? last : NULL;
}

/* Of the fastest filter. */
static double device_filter_seconds(const planning *self, uint32_t dimension) {
    double best = 0;
    for (size_t f = 0; f < self->speeds.n_filters; f++) {
        const double seconds = pkin_i_device_pair_seconds(&self->speeds.filters[f], dimension);
        if (f == 0 || seconds < best) best = seconds;
    }
    return best * (double)self->job.n_pairs / self->speeds.n_devices;
}

/* Whether a greater dimension would only take longer: what it adds to the filter is more than candidates still cost. */
static int is_enough(const planning *self, uint32_t dimension, uint32_t next) {
    const double most = (self->explain ? 1.5 : 1) * best_seconds(self) + 0.0002;
    if (self->n_plans == 0) return 0;
    if (self->base && !last_on_base(self, dimension)) return 0;
    if (self->base && self->filter_seconds * next / dimension <= most) return 0;
    return !self->device || self->speeds.start_seconds + device_filter_seconds(self, next) > most;
}

/* Whether the next dimension would still be far from enough: candidates cost many times what the filter does. */
static int is_far_off(const planning *self, uint32_t dimension) {
    const pkin_i_plan *last = last_on_base(self, dimension);
    return last && !self->device && last->seconds.middle > 9 * self->filter_seconds && !self->target->k;
}

/* Those that are to be tried, ascending: returns how many. */
static size_t list_dimensions(const planning *self, uint32_t list[N_DIMENSIONS]) {
    size_t n = 0;
    if (self->wishes->dimension) {
        list[n++] = self->wishes->dimension;
        return n;
    }
    for (size_t d = 0; d < N_DIMENSIONS; d++) {
        if (self->base || suits_device(self, dimensions[d])) list[n++] = dimensions[d];
    }
    return n;
}

/* All dimensions in turn, a few maps at a time. */
static pkin_status try_dimensions(planning *self, pkin_i_sketch_trial *trial) {
    enum { AT_ONCE_MOST = 4 };
    pkin_status status = PKIN_OK;
    pkin_i_sketch_map maps[AT_ONCE_MOST] = {0};
    uint32_t list[N_DIMENSIONS];
    const size_t n_list = list_dimensions(self, list);
    const size_t at_once = self->sample.n_threads < AT_ONCE_MOST ? (size_t)self->sample.n_threads : AT_ONCE_MOST;
    double n_expected = (double)self->sample.n_grid;
    int enough = 0, is_far = 0;
    for (size_t first = 0; first < n_list && !enough; first += at_once) {
        const size_t n = n_list - first < at_once ? n_list - first : at_once;
        PKIN_TRY(build_maps(self, list + first, n, maps));
        for (size_t d = 0; d < n && !enough; d++) {
            const int is_skipped = is_far && !self->explain && first + d + 1 < n_list;
            is_far = 0;
            if (is_skipped) continue;
            PKIN_TRY(try_dimension(self, &maps[d], n_expected, trial));
            n_expected = (double)trial->tally.n_hits + 1;
            is_far = is_far_off(self, list[first + d]);
            enough = first + d + 1 < n_list && is_enough(self, list[first + d], list[first + d + 1]);
        }
        for (size_t d = 0; d < n; d++) pkin_i_sketch_map_free(&maps[d]);
    }
out:
    for (size_t d = 0; d < AT_ONCE_MOST; d++) pkin_i_sketch_map_free(&maps[d]);
    return status;
}

/* How many pairs a join finds: those among the last trial's candidates. */
static pkin_status estimate_pairs(planning *self, const pkin_i_sketch_trial *trial) {
    pkin_status status;
    pkin_i_tally tally = {0};
    if (self->target->k) return PKIN_OK;
    PKIN_TRY(pkin_i_tally_open(&self->sample, &tally));
    PKIN_TRY(pkin_i_pairs_trial(&self->sample, self->wishes->isa, trial, self->target->min_score, &tally));
    self->pairs = pkin_i_sample_estimate(&self->sample, &tally, 1 / trial->kept_share);
out:
    pkin_i_tally_close(&tally);
    return status;
}

/* Leaves the plans on devices. */
static void leave_out_base(planning *self) {
    size_t n = 0;
    for (size_t p = 0; p < self->n_plans; p++) {
        if (self->plans[p].backend != self->base) self->plans[n++] = self->plans[p];
    }
    self->n_plans = n;
}

static pkin_status weigh_sketches(planning *self) {
    pkin_status status;
    pkin_i_sketch_trial trial;
    const uint64_t n_rows = self->sample.rows.n_rows;
    PKIN_TRY(pkin_i_sketch_trial_open(&self->sample, &trial));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->row_limits, &self->row_limits));
    for (uint64_t r = 0; r < n_rows; r++) self->row_limits[r] = pkin_i_sketch_limit(self->row_scores[r]);
    PKIN_TRY(try_dimensions(self, &trial));
    PKIN_TRY(estimate_pairs(self, &trial));
    /* Sampled for the pairs' sake alone. */
    if (!self->may_use[PKIN_I_METHOD_SKETCH]) leave_out_base(self);
out:
    pkin_i_sketch_trial_close(&trial);
    return status;
}

/* ---- Tail and index ---- */

/* Whether such a head could be the fastest plan if no pair passed its bounds. */
static int has_chance(const planning *self, const pkin_i_tail_use *use) {
    pkin_i_plan plan = {.method = PKIN_I_METHOD_TAIL};
    if (self->explain || self->n_plans == 0) return 1;
    pkin_i_tail_price(&self->job, use, &plan);
    return plan.seconds.middle < best_seconds(self);
}

/* Tries a share; `*seconds`: what it would take, the most there is where it has no chance. */
static pkin_status try_share(planning *self, pkin_i_tail_trial *trial, double share, double *seconds) {
    pkin_i_tail_use use;
    *seconds = HUGE_VAL;
    pkin_i_tail_trial_use(trial, share, &use);
    if (!has_chance(self, &use)) return PKIN_OK;
    pkin_status status = pkin_i_tail_trial_run(trial, share, self->row_scores);
    if (status != PKIN_OK) return status;
    pkin_estimate refined = pkin_i_sample_estimate(&self->sample, &trial->refined, 1);
    pkin_estimate candidates = pkin_i_sample_estimate(&self->sample, &trial->candidates, 1);
    if (self->target->k) {
        refined = for_top_k(self, running_refined, refined);
        candidates = for_top_k(self, running_tail, candidates);
        candidates = and_more(candidates, pkin_i_seeds_of(&self->job, PKIN_I_METHOD_TAIL) * (double)self->job.n_a, 0.5);
    }
    const size_t n_before = self->n_plans;
    add_tail(self, share, refined, candidates, &use);
    if (self->n_plans > n_before) *seconds = self->plans[n_before].seconds.middle;
    return PKIN_OK;
}

/* From the share that a rule gives to lower and higher ones, as long as they are better. */
static pkin_status try_shares(planning *self, pkin_i_tail_trial *trial) {
    pkin_status status;
    const double begin = head_share_by_rule(self);
    size_t first = 0;
    double at_first, seconds, before;
    if (self->wishes->head_share > 0) return try_share(self, trial, begin, &seconds);
    while (first + 1 < N_SHARES && shares[first + 1] <= begin) first++;
    PKIN_TRY(try_share(self, trial, shares[first], &at_first));
    before = at_first;
    for (size_t s = first + 1; s < N_SHARES; s++, before = seconds) {
        PKIN_TRY(try_share(self, trial, shares[s], &seconds));
        if (seconds >= before) break;
    }
    before = at_first;
    for (size_t s = first; s-- > 0; before = seconds) {
        PKIN_TRY(try_share(self, trial, shares[s], &seconds));
        if (seconds >= before && before < HUGE_VAL) break;
    }
out:
    return status;
}

/*
 * The index method has no seeds: every pair of a row is offered that it meets before its heap is full and this is heard
 * of; in a self-join those of its first block, else those of the first chunk of streamed rows (cpu_stream.h).
 */
static double unseeded(const planning *self) {
    const pkin_i_job *job = &self->job;
    const double chunk = (double)(job->within ? PKIN_I_TAIL_BLOCK_ROWS : PKIN_I_STREAM_CHUNK_ROWS);
    const double n = (double)(job->within ? job->n_b : job->n_a) * chunk;
    return n < (double)job->n_pairs ? n : (double)job->n_pairs;
}

static void add_index(planning *self, const pkin_i_tail_trial *trial) {
    const pkin_estimate none = {0, 0, 0}, met = {0, unseeded(self) / 2, (double)self->job.n_pairs};
    pkin_i_tail_use use;
    pkin_i_tail_trial_use(trial, 0, &use);
    /* What it scores is what it finds. */
    add_tail(self, 0, none, self->target->k ? met : self->pairs, &use);
}

static pkin_status weigh_tails(planning *self) {
    pkin_status status;
    pkin_i_tail_trial trial = {0};
    /* As many partners as rows where there is a choice: both have to be arranged, for every share. */
    const double a_share = self->budget / 3 / SHARES_TRIED * self->n_threads;
    const uint64_t n = within_bounds(a_share / TAIL_ROW_SECONDS / 2, TAIL_ROWS_LEAST, SAMPLE_MOST);
    PKIN_TRY(pkin_i_tail_trial_open(&self->sample, self->wishes->isa, n, self->target->k ? 2 * n : n, &trial));
    if (self->may_use[PKIN_I_METHOD_INDEX]) add_index(self, &trial);
    if (self->may_use[PKIN_I_METHOD_TAIL]) PKIN_TRY(try_shares(self, &trial));
out:
    pkin_i_tail_trial_close(&trial);
    return status;
}

/* Whether a device is that much faster than sketches on the processor that no other method of it would do. */
static int is_beaten(const planning *self) {
    double base = HUGE_VAL, device = HUGE_VAL;
    for (size_t p = 0; p < self->n_plans; p++) {
        double *best = self->plans[p].backend == self->base ? &base : &device;
        *best = fmin(*best, self->plans[p].seconds.middle);
    }
    return base < HUGE_VAL && device * TAIL_GAIN_MOST < base;
}

/* ---- All together ---- */

static pkin_status plan_by_sample(planning *self, double work_seconds, pkin_i_plan_list *out) {
    pkin_status status;
    const double least = self->target->k ? DEVICE_TOP_PLAN_SECONDS_LEAST : DEVICE_PLAN_SECONDS_LEAST;
    self->budget = choose_budget(work_seconds);
    if (self->device && self->budget < least) self->budget = least;
    if (self->explain) self->budget *= EXPLAIN_FACTOR;
    PKIN_TRY(pkin_i_sample_open(self->task, &self->sample));
    self->sample_threads = self->sample.n_threads;
    self->n_threads = self->budget < ALONE_SECONDS ? 1 : self->sample.n_threads;
    PKIN_TRY(self->target->k ? sample_for_top(self) : sample_for_join(self));
    self->sample.n_threads = self->n_threads;
    PKIN_TRY(pkin_i_score_trial(&self->sample, self->wishes->isa, &self->score_seconds));
    if (self->may_use[PKIN_I_METHOD_SKETCH] || self->device || self->explain) PKIN_TRY(weigh_sketches(self));
    if (self->may_use[PKIN_I_METHOD_TAIL] || self->may_use[PKIN_I_METHOD_INDEX]) {
        if (self->explain || !is_beaten(self)) PKIN_TRY(weigh_tails(self));
    }
    PKIN_TRY(hand_over(self, out));
out:
    pkin_i_free(self->row_scores);
    pkin_i_free(self->row_limits);
    pkin_i_free(self->row_postings);
    pkin_i_sample_close(&self->sample);
    return status;
}

/* Whether a method is wished: a dimension is that of a sketch. */
static int is_wished(const pkin_i_wishes *wishes, pkin_i_method method) {
    if (!wishes->any_method) return wishes->method == method;
    return !wishes->dimension || method == PKIN_I_METHOD_SKETCH;
}

/* What may be used: what a backend has, and is wished. `device` receives the one that has devices, if any. */
static pkin_status take_backends(planning *self, const pkin_i_backend *const *backends, size_t n_backends,
                                 const pkin_i_backend **device) {
    const pkin_i_wishes *wishes = self->wishes;
    int n = 0;
    *device = NULL;
    for (size_t k = 0; k < n_backends; k++) {
        const pkin_i_backend *backend = backends[k];
        int n_methods = 0;
        for (int m = 0; m < PKIN_I_N_METHODS; m++) {
            const int may = is_wished(wishes, (pkin_i_method)m) && backend->engine((pkin_i_method)m) != NULL;
            if (!backend->speeds) self->may_use[m] = may;
            n_methods += may;
        }
        if (n_methods > 0 && backend->speeds) *device = backend;
        if (n_methods > 0 && !backend->speeds) self->base = backend;
        n += n_methods;
    }
    if (n > 0) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "backend \"%s\" has no method \"%s\"", backends[0]->name,
                       pkin_i_method_name(wishes->any_method ? PKIN_I_METHOD_SKETCH : wishes->method));
}

/* What the processor may need, about: the threshold says what dimension. */
static double expected_seconds(const planning *self) {
    return least_seconds(self) * (dimension_by_rule(self->target) > 256 ? 4 : 1);
}

/* Takes the devices into the planning if that may pay. */
static pkin_status take_device(planning *self, const pkin_i_backend *device) {
    pkin_status status;
    int has_filter = 0;
    if (!device || (self->base && !self->explain && expected_seconds(self) < DEVICE_WORK_SECONDS)) return PKIN_OK;
    if (self->base && device->check && device->check() != PKIN_OK) return PKIN_OK;
    PKIN_TRY(device->speeds(self->task->devices, self->wishes->gpu_filter, &self->speeds));
    for (size_t f = 0; f < self->speeds.n_filters; f++) {
        has_filter |= !self->target->k || !self->speeds.filters[f].joins_only;
    }
    PKIN_REQUIRE(has_filter, PKIN_ERROR_UNSUPPORTED,
                 "top-k: the filter \"%s\" finds pairs above one threshold only: ask for another one, or for \"auto\"",
                 self->speeds.filters[0].name);
    self->device = device;
out:
    if (status == PKIN_OK || !self->base) return status;
    snprintf(self->note, sizeof self->note, "%s", pkin_last_error());
    return PKIN_OK;
}

pkin_status pkin_i_plan_weigh(const pkin_i_task *task, const pkin_i_backend *const *backends, size_t n_backends,
                              const pkin_i_target *target, const pkin_i_wishes *wishes, int explain,
                              pkin_i_plan_list *out) {
    pkin_status status;
    planning self = {.task = task, .target = target, .wishes = wishes, .explain = explain};
    const pkin_i_backend *device;
    *out = (pkin_i_plan_list){0};
    self.job = pkin_i_job_of(task, target->k, wishes->isa);
    self.filter = pkin_i_filter_for(wishes->isa);
    PKIN_TRY(take_backends(&self, backends, n_backends, &device));
    PKIN_TRY(take_device(&self, device));
    double work_seconds = self.base ? least_seconds(&self) : HUGE_VAL;
    if (self.device) work_seconds = fmin(work_seconds, pkin_i_device_least_seconds(&self.job, &self.speeds));
    /* Where backends are to be compared a guess will not do. */
    const int is_small = !explain && work_seconds < SMALL_SECONDS && !(self.base && self.device);
    if (self.job.n_pairs == 0 || is_small) {
        status = plan_by_rule(&self, out);
    } else {
        status = plan_by_sample(&self, work_seconds, out);
    }
out:
    return status;
}

pkin_status pkin_i_plan_explain(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                                const pkin_i_wishes *wishes, int explain, pkin_i_plan_list *out) {
    return pkin_i_plan_weigh(task, &backend, 1, target, wishes, explain, out);
}

pkin_status pkin_i_plan_make(const pkin_i_task *task, const pkin_i_backend *backend, const pkin_i_target *target,
                             const pkin_i_wishes *wishes, pkin_i_plan_list *out) {
    return pkin_i_plan_explain(task, backend, target, wishes, 0, out);
}

void pkin_i_plan_list_free(pkin_i_plan_list *list) {
    pkin_i_free(list->plans);
    *list = (pkin_i_plan_list){0};
}
