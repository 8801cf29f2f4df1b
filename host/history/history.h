/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_HISTORY_H
#define PKIN_HISTORY_HISTORY_H

#include "history/weighting.h"
#include "store/store_private.h"

PKIN_EXTERN_C_BEGIN

/* Every paper of the store as tokens, with the papers themselves fetched when asked for. Rows are papers by row id. */
typedef struct pkin_i_history {
    pkin_store *store;
    uint64_t n_papers;
    int64_t *paper_ids;                  /* ascending */
    pkin_i_token_documents tokens;       /* may be freed early, see pkin_i_history_drop_tokens */
    const pkin_i_vocabulary *vocabulary; /* the store's */
    const pkin_i_stored_paper **papers;  /* NULL until fetched */
    pkin_i_weighting related;            /* of all papers, see pkin_i_history_weigh_related */
    const char (*days)[11];              /* by row, see pkin_i_history_load_days */
    pkin_i_arena arena;
} pkin_i_history;

/* Zero-initialise; free also after a failure. */
pkin_status pkin_i_history_load(pkin_store *store, int n_threads, pkin_i_history *out);
void pkin_i_history_drop_tokens(pkin_i_history *history);
void pkin_i_history_free(pkin_i_history *history);

/* Makes sure that `related` is there: all papers by pkin_features_options_related. Needs the tokens, unless it was
   called before. */
pkin_status pkin_i_history_weigh_related(pkin_i_history *history, int n_threads, pkin_progress_fn on_progress,
                                         void *progress_user);

/*
 * Makes sure that `days` is there: "YYYY-MM-DD" on which each paper came out as far as is known. That is when it was
 * first seen; but where its own date, else its arXiv id, tells a day two months or more before that (a digest of old
 * papers), that one, and where a background corpus had it first (which is read in when it suits), any day before that.
 * An arXiv id tells the month, and by its running number the day to within about a week. "" where nothing is known.
 */
pkin_status pkin_i_history_load_days(pkin_i_history *history);

/* Makes sure that every paper is fetched, so that pkin_i_history_paper costs nothing and cannot fail. */
pkin_status pkin_i_history_load_papers(pkin_i_history *history);

/* The row of a paper; UINT32_MAX where it is not among them. O(log n). */
uint32_t pkin_i_history_row(const pkin_i_history *history, int64_t paper_id);
pkin_status pkin_i_history_paper(pkin_i_history *history, uint32_t row, const pkin_i_stored_paper **out);

PKIN_EXTERN_C_END

#endif
