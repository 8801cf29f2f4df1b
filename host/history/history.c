/* SPDX-License-Identifier: Apache-2.0 */
#include "history/history.h"

#include "base/failure.h"

pkin_status pkin_i_history_load(pkin_store *store, int n_threads, pkin_i_history *out) {
    pkin_status status = PKIN_OK;
    out->store = store;
    PKIN_TRY(pkin_i_store_load_tokens(store, n_threads, &out->tokens, &out->paper_ids, &out->vocabulary));
    PKIN_REQUIRE(out->tokens.n_documents < UINT32_MAX, PKIN_ERROR_OVERFLOW,
                 "the store holds %llu papers, more than can be compared at once (%u)",
                 (unsigned long long)out->tokens.n_documents, UINT32_MAX - 1);
    PKIN_TRY(pkin_i_allocate_zeroed(out->tokens.n_documents, sizeof *out->papers, &out->papers));
    out->n_papers = out->tokens.n_documents;
out:
    return status;
}

void pkin_i_history_drop_tokens(pkin_i_history *history) {
    pkin_i_token_documents_free(&history->tokens);
    history->tokens = (pkin_i_token_documents){0};
}

void pkin_i_history_free(pkin_i_history *history) {
    pkin_i_history_drop_tokens(history);
    pkin_i_free(history->paper_ids);
    pkin_i_free(history->papers);
    pkin_i_weighting_free(&history->related);
    pkin_i_arena_free(&history->arena);
    *history = (pkin_i_history){0};
}

pkin_status pkin_i_history_weigh_related(pkin_i_history *history, int n_threads, pkin_progress_fn on_progress,
                                         void *progress_user) {
    pkin_features_options features = pkin_features_options_related();
    features.n_threads = n_threads;
    features.on_progress = on_progress;
    features.progress_user = progress_user;
    if (history->related.vectors) return PKIN_OK;
    return pkin_i_weighting_build(&history->tokens, history->vocabulary, &features, &history->related);
}

uint32_t pkin_i_history_row(const pkin_i_history *history, int64_t paper_id) {
    uint64_t low = 0, high = history->n_papers;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (history->paper_ids[middle] < paper_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < history->n_papers && history->paper_ids[low] == paper_id ? (uint32_t)low : UINT32_MAX;
}

pkin_status pkin_i_history_paper(pkin_i_history *history, uint32_t row, const pkin_i_stored_paper **out) {
    pkin_status status = PKIN_OK;
    if (!history->papers[row]) {
        pkin_i_stored_paper *stored = NULL;
        PKIN_TRY(pkin_i_arena_allocate(&history->arena, 1, sizeof *stored, &stored));
        PKIN_TRY(pkin_i_store_paper(history->store, history->paper_ids[row], &history->arena, stored));
        history->papers[row] = stored;
    }
    *out = history->papers[row];
out:
    return status;
}

pkin_status pkin_i_history_load_papers(pkin_i_history *history) {
    pkin_status status = PKIN_OK;
    const pkin_i_stored_paper *stored = NULL;
    for (uint64_t row = 0; row < history->n_papers; row++) {
        PKIN_TRY(pkin_i_history_paper(history, (uint32_t)row, &stored));
    }
out:
    return status;
}
