/* SPDX-License-Identifier: Apache-2.0 */
#include "history/history.h"

#include "base/failure.h"
#include "history/paper_day.h"

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

static bool has_every_paper(const pkin_i_history *history) {
    uint64_t row = 0;
    while (row < history->n_papers && history->papers[row]) row++;
    return row == history->n_papers;
}

/* In one pass over the store. Papers that were fetched before stay where they are: others may hold them. */
pkin_status pkin_i_history_load_papers(pkin_i_history *history) {
    pkin_i_stored_paper *stored = NULL;
    pkin_status status = PKIN_OK;
    if (has_every_paper(history)) goto out;
    PKIN_TRY(pkin_i_arena_allocate(&history->arena, history->n_papers, sizeof *stored, &stored));
    PKIN_TRY(pkin_i_store_papers(history->store, history->paper_ids, history->n_papers, &history->arena, stored));
    for (uint64_t row = 0; row < history->n_papers; row++) {
        if (!history->papers[row]) history->papers[row] = &stored[row];
    }
out:
    return status;
}

/* Both by row id; the store may have got papers since the history was loaded. */
static pkin_status fill_days(const pkin_i_history *history, const pkin_i_first_seen *seen, uint64_t n_seen,
                             char (*days)[11]) {
    uint64_t s = 0;
    pkin_status status = PKIN_OK;
    for (uint64_t row = 0; row < history->n_papers; row++) {
        while (s < n_seen && seen[s].paper_id < history->paper_ids[row]) s++;
        PKIN_REQUIRE(s < n_seen && seen[s].paper_id == history->paper_ids[row], PKIN_ERROR_NOT_FOUND,
                     "the store holds no paper number %lld any more", (long long)history->paper_ids[row]);
        pkin_i_paper_day(&seen[s], days[row]);
    }
out:
    return status;
}

pkin_status pkin_i_history_load_days(pkin_i_history *history) {
    pkin_i_arena scratch = {0};
    pkin_i_first_seen *seen = NULL;
    uint64_t n_seen = 0;
    char(*days)[11] = NULL;
    pkin_status status = PKIN_OK;
    if (history->days) goto out;
    PKIN_TRY(pkin_i_store_first_seen(history->store, &scratch, &seen, &n_seen));
    PKIN_TRY(pkin_i_arena_allocate(&history->arena, history->n_papers, sizeof *days, &days));
    PKIN_TRY(fill_days(history, seen, n_seen, days));
    history->days = (const char(*)[11])days;
out:
    pkin_i_arena_free(&scratch);
    return status;
}
