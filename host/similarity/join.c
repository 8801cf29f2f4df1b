/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Groups of equal rows are compared, strip after strip; their pairs are put into a sink, which may spill them
 * to a file in sorted runs; where a checkpoint is wanted each strip's pairs become a file there. In the end all runs
 * are merged into one sequence, together with one run that is known from the start, the groups with themselves; that
 * sequence is expanded to pairs of rows while it is handed on (expand_pairs.h).
 */
#include <unistd.h>

#include "base/failure.h"
#include "similarity/checkpoint.h"
#include "similarity/crew.h"
#include "similarity/expand_pairs.h"
#include "similarity/policy.h"

enum {
    STRIPS_LONG = 16,            /* of a checkpoint: a kill costs at most a sixteenth of a long job */
    STRIPS_MOST = 4096,          /* of a checkpoint */
    STRIP_SECONDS = 60,          /* about, of a longer one */
    STRIP_PAIRS_LEAST = 1 << 17, /* fewer are not worth a file */
    BATCH_PAIRS = 4096,          /* handed on at a time */
    EXPAND_AT_ONCE = 2           /* times as many pairs of rows as of groups: then they are expanded before sorting */
};

typedef struct joining {
    pkin_i_work work;
    pkin_i_pair_sink *sink;
    pkin_i_checkpoint *checkpoint; /* NULL: not wanted */
    pkin_pair *own;                /* groups of several rows with themselves, where they reach the threshold: sorted */
    size_t n_own;
    uint64_t n_own_pairs; /* of rows */
    pkin_i_pair_merge *merge;
    pkin_i_expansion *expansion;
    uint64_t merge_bytes; /* most that was held in merging */
} joining;

static const pkin_i_distinct_rows *side_b(const joining *self) {
    return self->work.rows.task.b ? &self->work.rows.b : NULL;
}

static uint64_t n_streamed(const joining *self) {
    const pkin_i_task *task = &self->work.rows.task;
    return task->b ? task->b->n_rows : task->a->n_rows;
}

/* ---- Before the work ---- */

/* Groups of equal rows reach the threshold with themselves or not, whatever else is found. */
static pkin_status find_own_pairs(joining *self) {
    pkin_status status = PKIN_OK;
    const pkin_i_distinct_rows *rows = &self->work.rows.a;
    size_t capacity = 0;
    if (side_b(self) || rows->most_members < 2) return PKIN_OK;
    for (uint64_t g = 0; g < rows->rows.n_rows; g++) {
        const uint32_t group = (uint32_t)g;
        const uint64_t score = pkin_i_group_size(rows, g) > 1 ? pkin_i_group_score(rows, g) : 0;
        if (score < self->work.rows.target.min_score) continue;
        PKIN_TRY(pkin_i_grow(&self->own, &capacity, self->n_own + 1, sizeof *self->own));
        self->own[self->n_own++] = (pkin_pair){score, group, group};
        self->n_own_pairs += pkin_i_expanded_count(rows, NULL, group, group);
    }
    PKIN_TRY(pkin_i_sort_pairs(self->own, self->n_own, self->work.request.task.n_threads));
out:
    return status;
}

/* Whether so many pairs may fit in this machine's memory at all: asking the system for more may end the process. */
static bool may_fit(uint64_t n_pairs) {
    const long n_pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (n_pairs > SIZE_MAX / sizeof(pkin_pair)) return false;
    return n_pages <= 0 || page_bytes <= 0 || n_pairs / (uint64_t)page_bytes <= (uint64_t)n_pages / sizeof(pkin_pair);
}

static pkin_status too_many(const char *whose, uint64_t n_pairs) {
    return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY,
                       "join: %s %llu pairs of %zu bytes, %.3g GB, which cannot be had in memory: leave copies out "
                       "(distinct_only), stream the pairs (pkin_similarity_join_each), or raise the threshold",
                       whose, (unsigned long long)n_pairs, sizeof(pkin_pair),
                       (double)n_pairs * sizeof(pkin_pair) * 1e-9);
}

static pkin_status open_checkpoint(joining *self) {
    const pkin_i_request *request = &self->work.request;
    const pkin_vectors *a = request->task.a, *b = request->task.b;
    const pkin_i_checkpoint_key key = {
        .within = !b,
        .n_rows_a = a->n_rows,
        .n_rows_b = b ? b->n_rows : 0,
        .n_columns = a->n_columns,
        .fingerprint_a = self->work.rows.a.fingerprint,
        .fingerprint_b = self->work.rows.b.fingerprint,
        .min_score = request->target.min_score,
    };
    return pkin_i_checkpoint_open(request->options.checkpoint_dir, &key, &self->checkpoint);
}

static pkin_status begin(joining *self, const pkin_vectors *a, const pkin_vectors *b, double threshold,
                         const pkin_similarity_options *options) {
    pkin_status status;
    PKIN_TRY(pkin_i_work_take(a, b, 0, threshold, 0, options, &self->work));
    PKIN_TRY(find_own_pairs(self));
out:
    return status;
}

/* ---- Strips ---- */

/* Finds the pairs of streamed rows [first, last), in as many portions as the plan's memory asks for. */
static pkin_status compare_rows(joining *self, uint64_t first, uint64_t last, uint64_t *n_portions) {
    pkin_status status = PKIN_OK;
    pkin_i_work *work = &self->work;
    pkin_i_task *task = &work->rows.task;
    if (pkin_i_task_pairs(task, first, last) == 0) return PKIN_OK;
    PKIN_TRY(pkin_i_work_open(work));
    const uint64_t step = work->plans.plans[0].strip_rows;
    const double begin = pkin_i_seconds_now();
    for (uint64_t at = first; at < last; at += step) {
        const uint64_t end = last - at < step ? last : at + step;
        status = work->engine->join(work->session, at, end, work->rows.target.min_score, self->sink);
        PKIN_TRY(pkin_i_pair_sink_failure(self->sink, status));
        task->n_pairs_before += pkin_i_task_pairs(task, at, end);
        ++*n_portions;
        if (end == last) break;
    }
    work->compare_seconds += pkin_i_seconds_now() - begin;
out:
    return status;
}

static size_t checkpoint_strips(const joining *self) {
    const uint64_t n_pairs = self->work.rows.task.n_pairs_total, n_rows = n_streamed(self);
    const double seconds = self->work.plans.n_plans > 0 ? self->work.plans.plans[0].seconds.middle : 0;
    uint64_t n = STRIPS_LONG, most = n_pairs / STRIP_PAIRS_LEAST;
    if (seconds > (double)STRIPS_LONG * STRIP_SECONDS) n = (uint64_t)(seconds / STRIP_SECONDS);
    if (n > STRIPS_MOST) n = STRIPS_MOST;
    if (n > most) n = most;
    if (n > n_rows) n = n_rows;
    return n > 0 ? (size_t)n : 1;
}

/* The first row where the pairs of the rows before it are at least so many. */
static uint64_t row_after_pairs(const pkin_i_task *task, uint64_t n_rows, uint64_t n_pairs) {
    uint64_t low = 0, high = n_rows;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (pkin_i_task_pairs(task, 0, middle) < n_pairs) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Cuts the rows into strips of about the same number of pairs each. */
static pkin_status begin_checkpoint(joining *self) {
    pkin_status status;
    const pkin_i_task *task = &self->work.rows.task;
    const uint64_t n_rows = n_streamed(self);
    const size_t n_strips = checkpoint_strips(self);
    uint64_t *borders = NULL;
    PKIN_TRY(pkin_i_allocate(n_strips + 1, sizeof *borders, &borders));
    for (size_t s = 0; s < n_strips; s++) {
        borders[s] = row_after_pairs(task, n_rows, task->n_pairs_total / n_strips * s);
    }
    borders[n_strips] = n_rows;
    PKIN_TRY(pkin_i_checkpoint_begin(self->checkpoint, borders, n_strips));
out:
    pkin_i_free(borders);
    return status;
}

static void note_merge(joining *self, const pkin_i_pair_merge *merge) {
    if (pkin_i_pair_merge_bytes(merge) > self->merge_bytes) self->merge_bytes = pkin_i_pair_merge_bytes(merge);
    self->work.report.spilled_bytes += pkin_i_pair_merge_spilled(merge);
}

static pkin_status open_merge(joining *self, const pkin_i_pair_run *runs, size_t n_runs, pkin_i_pair_merge **out) {
    /* Half of what pairs may take: the sink may still hold as much. */
    const uint64_t bound = self->work.rows.pairs_bytes;
    pkin_status status =
        pkin_i_pair_merge_open(runs, n_runs, bound ? bound / 2 + 1 : 0, self->work.request.options.spill_dir, out);
    if (status == PKIN_OK) note_merge(self, *out);
    return status;
}

/* Puts what the sink holds into the checkpoint. */
static pkin_status keep_strip(joining *self, size_t strip) {
    pkin_status status;
    const pkin_i_pair_run *runs;
    size_t n_runs;
    pkin_i_pair_merge *merge = NULL;
    const double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_pair_sink_finish(self->sink, &runs, &n_runs));
    PKIN_TRY(open_merge(self, runs, n_runs, &merge));
    PKIN_TRY(pkin_i_checkpoint_keep(self->checkpoint, strip, merge));
    pkin_i_pair_sink_clear(self->sink);
out:
    pkin_i_pair_merge_close(merge);
    self->work.report.sort_seconds += pkin_i_seconds_now() - begin;
    return status;
}

/* Nothing is left to compare: the caller hears so, and may cancel. */
static pkin_status report_all_done(const pkin_i_task *task) {
    if (!task->on_progress || task->n_pairs_total == 0) return PKIN_OK;
    if (!task->on_progress(task->progress_user, "comparing", task->n_pairs_total, task->n_pairs_total)) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_CANCELLED, "comparing was cancelled");
}

/* Finishes every strip of the checkpoint that is not. */
static pkin_status compare_strips(joining *self) {
    pkin_status status = PKIN_OK;
    pkin_i_task *task = &self->work.rows.task;
    pkin_i_checkpoint *checkpoint = self->checkpoint;
    uint64_t n_portions = 0;
    if (checkpoint->n_strips == 0) {
        if (task->n_pairs_total > 0) PKIN_TRY(pkin_i_work_open(&self->work));
        PKIN_TRY(begin_checkpoint(self));
    }
    PKIN_REQUIRE(checkpoint->strips[0].first == 0 &&
                     checkpoint->strips[checkpoint->n_strips - 1].last == n_streamed(self),
                 PKIN_ERROR_CORRUPT, "%s: the strips are not those of these rows; empty the folder",
                 self->work.request.options.checkpoint_dir);
    for (size_t s = 0; s < checkpoint->n_strips; s++) {
        const pkin_i_checkpoint_strip *strip = &checkpoint->strips[s];
        if (!strip->is_done) continue;
        self->work.report.n_strips_resumed++;
        task->n_pairs_before += pkin_i_task_pairs(task, strip->first, strip->last);
    }
    self->work.report.n_strips = checkpoint->n_strips;
    if (self->work.report.n_strips_resumed == checkpoint->n_strips) PKIN_TRY(report_all_done(task));
    for (size_t s = 0; s < checkpoint->n_strips; s++) {
        const pkin_i_checkpoint_strip *strip = &checkpoint->strips[s];
        if (strip->is_done) continue;
        PKIN_TRY(compare_rows(self, strip->first, strip->last, &n_portions));
        PKIN_TRY(keep_strip(self, s));
    }
out:
    return status;
}

static pkin_status compare(joining *self) {
    pkin_status status;
    const pkin_similarity_options *options = &self->work.request.options;
    const pkin_i_pair_bound bound = {self->work.rows.pairs_bytes, options->spill_dir,
                                     self->work.request.task.n_threads};
    PKIN_TRY(pkin_i_pair_sink_open_bounded(&bound, &self->sink));
    if (options->checkpoint_dir) {
        PKIN_TRY(open_checkpoint(self));
        PKIN_TRY(compare_strips(self));
    } else {
        PKIN_TRY(compare_rows(self, 0, n_streamed(self), &self->work.report.n_strips));
    }
    pkin_i_work_end(&self->work);
out:
    return status;
}

/* ---- After the work ---- */

/* All runs there are: the sink's, the checkpoint's, and that of the groups with themselves. The array is the caller's.
 */
static pkin_status list_runs(joining *self, pkin_i_pair_run **out, size_t *n_out) {
    pkin_status status;
    const pkin_i_pair_run *held = NULL;
    size_t n_held = 0, n = 0;
    const size_t n_strips = self->checkpoint ? self->checkpoint->n_strips : 0;
    pkin_i_pair_run *runs = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_pair_sink_finish(self->sink, &held, &n_held));
    PKIN_TRY(pkin_i_allocate(n_held + n_strips + 1, sizeof *runs, &runs));
    for (size_t r = 0; r < n_held; r++) runs[n++] = held[r];
    for (size_t s = 0; s < n_strips; s++) runs[n++] = pkin_i_checkpoint_run(self->checkpoint, s);
    if (self->n_own > 0) runs[n++] = (pkin_i_pair_run){self->own, -1, "memory", 0, self->n_own};
    *out = runs;
    *n_out = n;
out:
    return status;
}

static pkin_status open_expansion(joining *self, const pkin_i_pair_run *runs, size_t n_runs) {
    pkin_status status;
    PKIN_TRY(open_merge(self, runs, n_runs, &self->merge));
    PKIN_TRY(pkin_i_expansion_open(&self->work.rows.a, side_b(self), self->merge, &self->expansion));
out:
    return status;
}

static uint64_t count_expanded(const joining *self, const pkin_pair *groups, uint64_t n_groups) {
    uint64_t n = 0;
    for (uint64_t p = 0; p < n_groups; p++) {
        n += pkin_i_expanded_count(&self->work.rows.a, side_b(self), groups[p].i, groups[p].j);
    }
    return n;
}

/* Pairs of rows in a run; where groups have several rows, that takes reading it. */
static pkin_status count_run(joining *self, const pkin_i_pair_run *run, uint64_t *count) {
    pkin_status status = PKIN_OK;
    pkin_i_pair_merge *merge = NULL;
    pkin_pair *pairs = NULL;
    size_t n = 0;
    if (pkin_i_is_one_to_one(&self->work.rows.a, side_b(self))) {
        *count += run->n_pairs;
        return PKIN_OK;
    }
    if (run->pairs) {
        *count += count_expanded(self, run->pairs, run->n_pairs);
        return PKIN_OK;
    }
    PKIN_TRY(pkin_i_allocate(BATCH_PAIRS, sizeof *pairs, &pairs));
    PKIN_TRY(open_merge(self, run, 1, &merge));
    do {
        PKIN_TRY(pkin_i_pair_merge_next(merge, pairs, BATCH_PAIRS, &n));
        *count += count_expanded(self, pairs, n);
    } while (n > 0);
out:
    pkin_i_pair_merge_close(merge);
    pkin_i_free(pairs);
    return status;
}

/* All pairs of rows into one list of just that length. */
static pkin_status expand_into(joining *self, pkin_pair_list *out) {
    pkin_status status;
    pkin_i_pair_run *runs = NULL;
    size_t n_runs = 0, n = 0;
    uint64_t n_pairs = 0;
    PKIN_TRY(list_runs(self, &runs, &n_runs));
    for (size_t r = 0; r < n_runs; r++) PKIN_TRY(count_run(self, &runs[r], &n_pairs));
    status = may_fit(n_pairs) ? pkin_i_allocate(n_pairs, sizeof *out->pairs, &out->pairs) : PKIN_ERROR_OUT_OF_MEMORY;
    PKIN_TRY(status == PKIN_OK ? PKIN_OK : too_many("there are", n_pairs));
    PKIN_TRY(open_expansion(self, runs, n_runs));
    while (out->n_pairs < n_pairs) {
        PKIN_TRY(pkin_i_expansion_next(self->expansion, out->pairs + out->n_pairs, n_pairs - out->n_pairs, &n));
        PKIN_REQUIRE(n > 0, PKIN_ERROR_INTERNAL, "join: %llu of %llu pairs were there",
                     (unsigned long long)out->n_pairs, (unsigned long long)n_pairs);
        out->n_pairs += n;
    }
out:
    pkin_i_free(runs);
    return status;
}

/* What is in memory already, and stands for as many pairs of rows, is put in order where it is. */
static pkin_status order_in_place(joining *self, pkin_pair_list *out) {
    pkin_status status;
    const pkin_i_pair_run *runs;
    size_t n_runs;
    PKIN_TRY(pkin_i_pair_sink_finish(self->sink, &runs, &n_runs));
    pkin_i_pair_sink_take(self->sink, out);
    pkin_i_pairs_rename(&self->work.rows.a, side_b(self), self->work.request.task.n_threads, out->pairs, out->n_pairs);
    /* The array was doubled as it filled: the rest is given back. */
    if (out->n_pairs > 0) (void)pkin_i_reallocate(&out->pairs, out->n_pairs, sizeof *out->pairs);
out:
    return status;
}

/* Where the pairs of each portion of the sink's begin, and in the end how many there are: at most n_portions + 1. */
static uint64_t place_portions(uint64_t *counts, uint64_t n_portions) {
    uint64_t total = 0;
    for (uint64_t p = 0; p <= n_portions; p++) {
        const uint64_t n = p < n_portions ? counts[p] : 0;
        counts[p] = total;
        total += n;
    }
    return total;
}

/*
 * Where few groups have several rows, all pairs in memory are expanded first and then sorted, by all threads: what
 * expand_into does one after another. `*is_done` 0: they stand for too many pairs of rows, and nothing was done.
 */
static pkin_status expand_and_sort(joining *self, pkin_pair_list *out, bool *is_done) {
    pkin_status status;
    const pkin_i_distinct_rows *a = &self->work.rows.a, *b = side_b(self);
    const int n_threads = self->work.request.task.n_threads;
    uint64_t n_held, *begins = NULL;
    const pkin_pair *held = pkin_i_pair_sink_held(self->sink, &n_held);
    const uint64_t n_portions = pkin_i_expand_portions(n_held), own_begin = 0;
    *is_done = false;
    PKIN_TRY(pkin_i_allocate(n_portions + 1, sizeof *begins, &begins));
    pkin_i_pairs_count(a, b, held, n_held, n_threads, begins);
    const uint64_t n_found = place_portions(begins, n_portions), n_pairs = n_found + self->n_own_pairs;
    if (n_pairs / EXPAND_AT_ONCE > n_held + self->n_own || !may_fit(2 * n_pairs)) goto out;
    PKIN_TRY(pkin_i_allocate(n_pairs, sizeof *out->pairs, &out->pairs));
    pkin_i_pairs_expand(a, b, held, n_held, n_threads, begins, out->pairs);
    for (size_t g = 0, at = n_found; g < self->n_own; g++) {
        pkin_i_pairs_expand(a, b, &self->own[g], 1, 1, &own_begin, out->pairs + at);
        at += pkin_i_expanded_count(a, b, self->own[g].i, self->own[g].j);
    }
    out->n_pairs = n_pairs;
    PKIN_TRY(pkin_i_sort_pairs(out->pairs, n_pairs, n_threads));
    /* Sorting took a second array. */
    if (n_pairs * sizeof *out->pairs > self->merge_bytes) self->merge_bytes = n_pairs * sizeof *out->pairs;
    *is_done = true;
out:
    pkin_i_free(begins);
    return status;
}

static pkin_status collect(joining *self, pkin_pair_list *out) {
    pkin_status status = PKIN_OK;
    const double begin = pkin_i_seconds_now();
    const bool is_held = !self->checkpoint && !pkin_i_pair_sink_has_spilled(self->sink);
    bool is_done = false;
    if (is_held && pkin_i_is_one_to_one(&self->work.rows.a, side_b(self))) {
        status = order_in_place(self, out);
        is_done = true;
    } else if (is_held && self->work.rows.pairs_bytes == 0) {
        status = expand_and_sort(self, out, &is_done);
    }
    if (status == PKIN_OK && !is_done) status = expand_into(self, out);
    self->work.report.sort_seconds += pkin_i_seconds_now() - begin;
    return status;
}

/* Hands all pairs on, `*n_pairs` in all. */
static pkin_status deliver(joining *self, pkin_pairs_fn on_pairs, void *user, uint64_t *n_pairs) {
    pkin_status status;
    pkin_i_pair_run *runs = NULL;
    pkin_pair *pairs = NULL;
    size_t n_runs = 0, n;
    double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_allocate(BATCH_PAIRS, sizeof *pairs, &pairs));
    PKIN_TRY(list_runs(self, &runs, &n_runs));
    PKIN_TRY(open_expansion(self, runs, n_runs));
    for (;; begin = pkin_i_seconds_now()) {
        PKIN_TRY(pkin_i_expansion_next(self->expansion, pairs, BATCH_PAIRS, &n));
        self->work.report.sort_seconds += pkin_i_seconds_now() - begin;
        if (n == 0) break;
        *n_pairs += n;
        PKIN_REQUIRE(!on_pairs(user, pairs, n), PKIN_ERROR_CANCELLED, "join: cancelled after %llu pairs",
                     (unsigned long long)*n_pairs);
    }
out:
    pkin_i_free(pairs);
    pkin_i_free(runs);
    return status;
}

static void report(joining *self, uint64_t n_results) {
    uint64_t bytes = self->n_own * sizeof *self->own + self->merge_bytes;
    if (self->sink) {
        bytes += pkin_i_pair_sink_bytes(self->sink);
        self->work.report.spilled_bytes += pkin_i_pair_sink_spilled(self->sink);
    }
    if (self->expansion) bytes += pkin_i_expansion_bytes(self->expansion);
    pkin_i_work_report(&self->work, n_results, bytes);
}

static void end(joining *self) {
    pkin_i_expansion_close(self->expansion);
    pkin_i_pair_merge_close(self->merge);
    pkin_i_checkpoint_close(self->checkpoint);
    pkin_i_pair_sink_close(self->sink);
    pkin_i_free(self->own);
    pkin_i_work_close(&self->work);
}

pkin_status pkin_similarity_join(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                 const pkin_similarity_options *options, pkin_pair_list *out) {
    pkin_status status;
    joining self = {0};
    pkin_pair_list found = {0};
    if (out) *out = found;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "join: a place for the pairs is needed");
    PKIN_TRY(begin(&self, a, b, threshold, options));
    PKIN_TRY(may_fit(self.n_own_pairs) ? PKIN_OK
                                       : too_many("rows that equal one another alone make", self.n_own_pairs));
    PKIN_TRY(compare(&self));
    PKIN_TRY(collect(&self, &found));
    report(&self, found.n_pairs);
    *out = found;
    found = (pkin_pair_list){0};
out:
    end(&self);
    pkin_pair_list_free(&found);
    return status;
}

pkin_status pkin_similarity_join_each(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                      const pkin_similarity_options *options, pkin_pairs_fn on_pairs, void *user) {
    pkin_status status;
    joining self = {0};
    uint64_t n_pairs = 0;
    PKIN_REQUIRE(on_pairs, PKIN_ERROR_INVALID_ARGUMENT, "join: a function that takes the pairs is needed");
    PKIN_TRY(begin(&self, a, b, threshold, options));
    PKIN_TRY(compare(&self));
    PKIN_TRY(deliver(&self, on_pairs, user, &n_pairs));
    report(&self, n_pairs);
out:
    end(&self);
    return status;
}

void pkin_pair_list_free(pkin_pair_list *list) {
    if (!list) return;
    pkin_i_free(list->pairs);
    *list = (pkin_pair_list){0};
}
