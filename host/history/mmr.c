/* SPDX-License-Identifier: Apache-2.0 */
#include "history/mmr.h"

#include <omp.h>

#include "base/failure.h"
#include "base/memory.h"

enum { PARALLEL_CANDIDATES = 256 }; /* fewer are not worth waking threads for */

typedef struct mmr_candidate {
    double relevance; /* cosine with the query */
    uint64_t nearest; /* highest score with one that was chosen */
    bool chosen;
} mmr_candidate;

static double value_of(const mmr_candidate *candidate, double diversity) {
    return diversity * candidate->relevance - (1 - diversity) * pkin_score_to_cosine(candidate->nearest);
}

static size_t best_of(const mmr_candidate *candidates, size_t n, double diversity) {
    size_t best = n;
    for (size_t c = 0; c < n; c++) {
        if (candidates[c].chosen) continue;
        if (best == n || value_of(&candidates[c], diversity) > value_of(&candidates[best], diversity)) best = c;
    }
    return best;
}

pkin_status pkin_i_mmr_choose(const pkin_vectors *vectors, const pkin_neighbor *candidates, size_t n_candidates,
                              size_t n_wanted, double diversity, int n_threads, pkin_i_mmr_choice *out, size_t *n_out) {
    pkin_status status = PKIN_OK;
    mmr_candidate *states = NULL;
    if (n_threads <= 0) n_threads = omp_get_max_threads();
    PKIN_TRY(pkin_i_allocate_zeroed(n_candidates, sizeof *states, &states));
    for (size_t c = 0; c < n_candidates; c++) states[c].relevance = pkin_score_to_cosine(candidates[c].score);
    for (*n_out = 0; *n_out < n_wanted && *n_out < n_candidates; ++*n_out) {
        size_t best = best_of(states, n_candidates, diversity);
        out[*n_out] = (pkin_i_mmr_choice){.candidate = best, .value = value_of(&states[best], diversity)};
        states[best].chosen = true;
        if (diversity == 1) continue; /* what is near to one that was chosen counts nothing */
#pragma omp parallel for num_threads(n_threads) schedule(static) if (n_candidates > PARALLEL_CANDIDATES)
        for (size_t c = 0; c < n_candidates; c++) {
            if (states[c].chosen) continue;
            uint64_t score = pkin_vectors_score(vectors, candidates[best].row, vectors, candidates[c].row);
            if (score > states[c].nearest) states[c].nearest = score;
        }
    }
out:
    pkin_i_free(states);
    return status;
}
