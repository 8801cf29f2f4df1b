/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "similarity/policy.h"

/* More threads than any machine has; protects against a number that is none. */
enum { THREADS_MAX = 1024 };

pkin_similarity_options pkin_similarity_options_default(void) {
    pkin_similarity_options options = {0};
    options.size = sizeof options;
    options.backend = "auto";
    return options;
}

pkin_status pkin_i_plan(const pkin_vectors *a, const pkin_vectors *b, double threshold, int allow_zero,
                        const pkin_similarity_options *options, pkin_i_task *task, const pkin_i_backend **backend,
                        uint64_t *min_score) {
    pkin_status status;
    pkin_similarity_options taken = pkin_similarity_options_default();
    PKIN_REQUIRE(a, PKIN_ERROR_INVALID_ARGUMENT, "similarity: vectors to compare are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_similarity_options"));
    options = &taken;
    PKIN_REQUIRE(!b || a->n_columns == b->n_columns, PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: %llu columns against %llu; both sides must be over the same columns",
                 (unsigned long long)a->n_columns, (unsigned long long)b->n_columns);
    PKIN_REQUIRE(threshold <= 1 && (threshold > 0 || (allow_zero && threshold == 0)), PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: threshold %g; a cosine %s 0 and at most 1 is needed", threshold,
                 allow_zero ? "of at least" : "above");
    PKIN_REQUIRE(options->n_threads >= 0 && options->n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "similarity: %d threads; 0 (all) to %d can be asked for", options->n_threads, THREADS_MAX);
    PKIN_TRY(pkin_i_backend_find(options->backend, backend));
    task->a = a;
    task->b = b;
    task->n_threads = options->n_threads ? options->n_threads : omp_get_max_threads();
    task->on_progress = options->on_progress;
    task->progress_user = options->progress_user;
    *min_score = pkin_score_from_threshold(threshold);
    if (*min_score == 0) *min_score = 1;
out:
    return status;
}

pkin_status pkin_similarity_join(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                 const pkin_similarity_options *options, pkin_pair_list *out) {
    pkin_status status;
    pkin_i_task task;
    const pkin_i_backend *backend = NULL;
    pkin_pair_list found = {0};
    uint64_t min_score = 1;
    if (out) *out = found;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "join: a place for the pairs is needed");
    PKIN_TRY(pkin_i_plan(a, b, threshold, 0, options, &task, &backend, &min_score));
    PKIN_TRY(backend->join(&task, min_score, &found));
    PKIN_TRY(pkin_i_sort_pairs(found.pairs, found.n_pairs, task.n_threads));
    *out = found;
    found = (pkin_pair_list){0};
out:
    pkin_pair_list_free(&found);
    return status;
}

void pkin_pair_list_free(pkin_pair_list *list) {
    if (!list) return;
    pkin_i_free(list->pairs);
    *list = (pkin_pair_list){0};
}
