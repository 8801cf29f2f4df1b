/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "similarity/crew.h"
#include "similarity/policy.h"
#include "similarity/sketch.h"

/* More threads than any machine has; protects against a number that is none. */
enum { THREADS_MAX = 1024 };

pkin_similarity_options pkin_similarity_options_default(void) {
    pkin_similarity_options options = {0};
    options.size = sizeof options;
    options.backend = "auto";
    options.method = "auto";
    options.instruction_set = "auto";
    options.devices = "auto";
    options.gpu_filter = "auto";
    return options;
}

pkin_similarity_report pkin_similarity_report_default(void) {
    pkin_similarity_report report = {0};
    report.size = sizeof report;
    report.gpu_filter = "none";
    return report;
}

static int is_named(const char *choice) {
    return choice && strcmp(choice, "auto") != 0;
}

static pkin_status take_gpu_filter(const char *name, pkin_i_wishes *wishes) {
    /* As kernels/gpu_device.h has them: also known where no backend has any. */
    static const char *const names[] = {"auto", "fused", "gemm8", "gemm32", "dp4a"};
    wishes->gpu_filter = name;
    for (size_t k = 0; name && k < sizeof names / sizeof *names; k++) {
        if (strcmp(name, names[k]) == 0) return PKIN_OK;
    }
    if (!name) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                       "similarity: no GPU filter \"%s\": there are auto, fused, gemm8, gemm32, dp4a", name);
}

/* Which backend is meant where others' particulars are named. */
static pkin_status take_backends(const pkin_similarity_options *options, pkin_i_request *out) {
    pkin_status status;
    const char *name = options->backend;
    const int wants_gpu = is_named(options->devices) || is_named(options->gpu_filter);
    if (!is_named(name) && wants_gpu) name = "cuda";
    if (!is_named(name) && is_named(options->instruction_set)) name = "cpu";
    PKIN_REQUIRE(
        !wants_gpu || strcmp(name, "cpu") != 0, PKIN_ERROR_INVALID_ARGUMENT,
        "similarity: devices and filters are those of GPUs, but the backend is to be \"cpu\": name \"cuda\" or "
        "\"auto\"");
    PKIN_TRY(take_gpu_filter(options->gpu_filter, &out->wishes));
    PKIN_TRY(pkin_i_backends_find(name, &out->backends, &out->n_backends));
    out->task.devices = options->devices;
out:
    return status;
}

static pkin_status take_method(const char *name, pkin_i_wishes *wishes) {
    wishes->any_method = !name || strcmp(name, "auto") == 0;
    for (int m = 0; m < PKIN_I_N_METHODS && !wishes->any_method; m++) {
        wishes->method = (pkin_i_method)m;
        if (strcmp(name, pkin_i_method_name(wishes->method)) == 0) return PKIN_OK;
    }
    if (wishes->any_method) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "similarity: no method \"%s\": there are auto, sketch, tail, index",
                       name);
}

pkin_status pkin_i_request_take(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double threshold,
                                int allow_zero, const pkin_similarity_options *options, pkin_i_request *out) {
    pkin_status status;
    *out = (pkin_i_request){.options = pkin_similarity_options_default()};
    PKIN_REQUIRE(a, PKIN_ERROR_INVALID_ARGUMENT, "similarity: vectors to compare are needed");
    PKIN_TRY(pkin_i_take_options(options, &out->options, "pkin_similarity_options"));
    options = &out->options;
    PKIN_REQUIRE(!b || a->n_columns == b->n_columns, PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: %llu columns against %llu; both sides must be over the same columns",
                 (unsigned long long)a->n_columns, (unsigned long long)b->n_columns);
    PKIN_REQUIRE(threshold <= 1 && (threshold > 0 || (allow_zero && threshold == 0)), PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: threshold %g; a cosine %s 0 and at most 1 is needed", threshold,
                 allow_zero ? "of at least" : "above");
    PKIN_REQUIRE(options->n_threads >= 0 && options->n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: %d threads; 0 (all) to %d can be asked for", options->n_threads, THREADS_MAX);
    PKIN_REQUIRE(options->dimension % PKIN_I_DIMENSION_STEP == 0 && options->dimension <= PKIN_I_DIMENSION_MAX,
                 PKIN_ERROR_INVALID_ARGUMENT, "similarity: dimension %lu; a multiple of %d up to %d can be asked for",
                 (unsigned long)options->dimension, PKIN_I_DIMENSION_STEP, PKIN_I_DIMENSION_MAX);
    PKIN_REQUIRE(!options->report || (options->report->size >= sizeof options->report->size &&
                                      options->report->size <= sizeof *options->report),
                 PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: report->size is %zu, expected up to %zu: begin with pkin_similarity_report_default",
                 options->report->size, sizeof *options->report);
    PKIN_TRY(take_backends(options, out));
    PKIN_TRY(take_method(options->method, &out->wishes));
    PKIN_TRY(pkin_i_isa_find(options->instruction_set, &out->wishes.isa));
    out->wishes.dimension = options->dimension;
    out->wishes.memory_bytes = options->memory_bytes;
    out->task.a = a;
    out->task.b = b;
    out->task.n_threads = options->n_threads ? options->n_threads : omp_get_max_threads();
    out->task.on_progress = options->on_progress;
    out->task.progress_user = options->progress_user;
    out->task.outcome = &out->outcome;
    out->target.k = k;
    out->target.min_score = pkin_score_from_threshold(threshold);
    if (out->target.min_score == 0) out->target.min_score = 1;
out:
    return status;
}

/* Of a bound of memory, the share that pairs may take while they are held, sorted and merged: 1 / this. */
enum { PAIRS_SHARE = 4 };

/* Of the same bound, the share that the rows without their copies may take, so that the backend has as much: 1 / this.
 */
enum { ROWS_SHARE = 3 };

/* Divides the bound among the rows that are held, the pairs and the backend; 0 would mean no bound. */
static pkin_status divide_memory(pkin_i_compared_rows *rows) {
    pkin_status status = PKIN_OK;
    uint64_t *left = &rows->wishes.memory_bytes;
    const uint64_t all = *left, held = rows->a.bytes + rows->b.bytes;
    if (all == 0) return PKIN_OK;
    rows->wishes.held_bytes = held;
    if (rows->target.k == 0) {
        rows->pairs_bytes = all / PAIRS_SHARE > 0 ? all / PAIRS_SHARE : 1;
        *left -= all / PAIRS_SHARE;
    }
    PKIN_REQUIRE(held == 0 || *left > held || rows->task.n_pairs_total == 0, PKIN_ERROR_OUT_OF_MEMORY,
                 "similarity: of the %llu bytes that may be used %llu are left beside the pairs, but the rows, without "
                 "empty ones and copies, take %llu: allow more memory",
                 (unsigned long long)all, (unsigned long long)*left, (unsigned long long)held);
    *left = *left > held ? *left - held : 1;
out:
    return status;
}

pkin_status pkin_i_compared_rows_take(pkin_i_request *request, pkin_i_compared_rows *out) {
    pkin_status status;
    const double begin = pkin_i_seconds_now();
    const pkin_i_task *task = &request->task;
    const int with_copies = !request->options.distinct_only;
    const uint64_t most_bytes = request->options.memory_bytes / (task->b ? 2 * ROWS_SHARE : ROWS_SHARE);
    *out = (pkin_i_compared_rows){.task = *task, .target = request->target, .wishes = request->wishes};
    PKIN_TRY(pkin_i_distinct_rows_find(task->a, with_copies, most_bytes, task->n_threads, &out->a));
    if (task->b) PKIN_TRY(pkin_i_distinct_rows_find(task->b, with_copies, most_bytes, task->n_threads, &out->b));
    out->task.a = &out->a.rows;
    if (task->b) out->task.b = &out->b.rows;
    out->task.n_pairs_total = pkin_i_task_pairs(&out->task, 0, (task->b ? out->task.b : out->task.a)->n_rows);
    uint64_t n_others = task->b ? out->task.b->n_rows : out->task.a->n_rows;
    if (!task->b && n_others > 0) n_others--;
    if (out->target.k > n_others) out->target.k = n_others ? (uint32_t)n_others : 1;
    PKIN_TRY(divide_memory(out));
    out->seconds = pkin_i_seconds_now() - begin;
out:
    if (status != PKIN_OK) pkin_i_compared_rows_free(out);
    return status;
}

void pkin_i_compared_rows_free(pkin_i_compared_rows *rows) {
    pkin_i_distinct_rows_free(&rows->a);
    pkin_i_distinct_rows_free(&rows->b);
}
