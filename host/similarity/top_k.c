/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "similarity/policy.h"

/* Moves the rows' neighbours, k places each, together, and gives back the room that is left. */
static pkin_status compact(const uint32_t *counts, uint32_t k, pkin_neighbor_lists *lists) {
    uint64_t total = 0;
    for (uint64_t r = 0; r < lists->n_rows; r++) {
        memmove(lists->neighbors + total, lists->neighbors + r * k, counts[r] * sizeof *lists->neighbors);
        lists->offsets[r] = total;
        total += counts[r];
    }
    lists->offsets[lists->n_rows] = total;
    return pkin_i_reallocate(&lists->neighbors, total, sizeof *lists->neighbors);
}

pkin_status pkin_similarity_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                  const pkin_similarity_options *options, pkin_neighbor_lists *out) {
    pkin_status status;
    pkin_i_task task;
    const pkin_i_backend *backend = NULL;
    pkin_neighbor_lists lists = {0};
    uint32_t *counts = NULL;
    uint64_t min_score = 1;
    size_t n_places;
    if (out) *out = lists;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "top-k: a place for the neighbours is needed");
    PKIN_REQUIRE(k > 0, PKIN_ERROR_INVALID_ARGUMENT, "top-k: k is 0; at least one neighbour is to be asked for");
    PKIN_TRY(pkin_i_plan(a, b, floor, 1, options, &task, &backend, &min_score));
    /* No row has more neighbours than there are rows. */
    uint64_t n_candidates = b ? b->n_rows : a->n_rows;
    if (k > n_candidates) k = n_candidates ? (uint32_t)n_candidates : 1;
    PKIN_REQUIRE(pkin_i_multiply(a->n_rows, k, &n_places), PKIN_ERROR_OVERFLOW, "top-k: %llu rows x %lu neighbours",
                 (unsigned long long)a->n_rows, (unsigned long)k);
    lists.n_rows = a->n_rows;
    PKIN_TRY(pkin_i_allocate(a->n_rows + 1, sizeof *lists.offsets, &lists.offsets));
    PKIN_TRY(pkin_i_allocate(n_places, sizeof *lists.neighbors, &lists.neighbors));
    PKIN_TRY(pkin_i_allocate_zeroed(a->n_rows, sizeof *counts, &counts));
    PKIN_TRY(backend->top_k(&task, k, min_score, lists.neighbors, counts));
    PKIN_TRY(compact(counts, k, &lists));
    *out = lists;
    lists = (pkin_neighbor_lists){0};
out:
    pkin_i_free(counts);
    pkin_neighbor_lists_free(&lists);
    return status;
}

void pkin_neighbor_lists_free(pkin_neighbor_lists *lists) {
    if (!lists) return;
    pkin_i_free(lists->offsets);
    pkin_i_free(lists->neighbors);
    *lists = (pkin_neighbor_lists){0};
}
