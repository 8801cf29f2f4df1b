/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/placement.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/failure.h"

/* As of the latest digest that the store knows: an old one that is annotated again does not take threads back. */
static pkin_status find_threads(pkin_i_history *history, const pkin_digest_options *options, pkin_i_placement *out) {
    pkin_threads_options threads = pkin_threads_options_default();
    double begin = pkin_i_seconds_now();
    pkin_status status = PKIN_OK;
    threads.backend = options->backend;
    threads.n_threads = options->n_threads;
    threads.on_progress = options->on_progress;
    threads.progress_user = options->progress_user;
    PKIN_TRY(pkin_i_thread_run_find(history, &threads, &out->threads));
    const pkin_i_stored_threads *stored = &out->threads.stored;
    for (size_t t = 0; t < stored->n_rows; t++) {
        const char *born = stored->rows[t].born;
        if (!*out->first_birth || strcmp(born, out->first_birth) < 0) out->first_birth = born;
    }
    out->has_threads = true;
    out->seconds_threads = pkin_i_seconds_now() - begin;
out:
    return status;
}

static pkin_status find_novelties(pkin_i_history *history, const pkin_digest_options *options, pkin_i_placement *out) {
    pkin_similarity_options similarity = pkin_similarity_options_default();
    double begin = pkin_i_seconds_now();
    pkin_status status = PKIN_OK;
    if (options->backend) similarity.backend = options->backend;
    similarity.n_threads = options->n_threads;
    similarity.on_progress = options->on_progress;
    similarity.progress_user = options->progress_user;
    PKIN_TRY(pkin_i_allocate(out->n_rows, sizeof *out->novelties, &out->novelties));
    PKIN_TRY(pkin_i_novelty_find(history, out->rows, out->n_rows, &similarity, out->novelties));
    out->seconds_novelty = pkin_i_seconds_now() - begin;
out:
    return status;
}

pkin_status pkin_i_placement_find(pkin_i_history *history, const uint32_t *rows, size_t n_rows,
                                  const pkin_digest_options *options, pkin_i_placement *out) {
    pkin_status status = PKIN_OK;
    out->history = history;
    out->rows = rows;
    out->n_rows = n_rows;
    out->first_birth = "";
    if (options->threads == 1) PKIN_TRY(find_threads(history, options, out));
    if (options->novelty == 1 && n_rows > 0) PKIN_TRY(find_novelties(history, options, out));
out:
    return status;
}

void pkin_i_placement_free(pkin_i_placement *placement) {
    pkin_i_thread_run_free(&placement->threads);
    pkin_i_free(placement->novelties);
    *placement = (pkin_i_placement){0};
}

pkin_status pkin_i_placement_save(pkin_i_placement *placement) {
    pkin_status status = PKIN_OK;
    if (!placement->has_threads) goto out;
    PKIN_TRY(pkin_i_thread_run_save(&placement->threads, placement->history->store));
    placement->seconds_threads += placement->threads.facts.seconds_save;
out:
    return status;
}

/* Days from the first of a thread's papers to this digest's day; -1: not known, or later. */
static int32_t days_before(const char *first_day, const char *date) {
    if (!pkin_i_is_calendar_day(first_day) || !pkin_i_is_calendar_day(date)) return -1;
    int32_t days = pkin_i_day_number(date) - pkin_i_day_number(first_day);
    return days < 0 ? -1 : days;
}

/*
 * New are threads that were born at this digest; but not those of the first update of all, which finds every thread at
 * once, however old it is.
 */
bool pkin_i_placement_thread(const pkin_i_placement *placement, uint32_t row, const char *date,
                             pkin_i_thread_line *out) {
    if (!placement->has_threads || row == UINT32_MAX) return false;
    uint32_t index = placement->threads.thread_of_row[row];
    if (index == UINT32_MAX) return false;
    const pkin_i_thread *thread = &placement->threads.threads[index];
    const pkin_i_thread_row *stored = thread->row;
    *out = (pkin_i_thread_line){.id = stored->id,
                                .field = stored->field,
                                .label = *stored->label ? stored->label : stored->id,
                                .label_chinese = stored->label_chinese,
                                .since = thread->first_day,
                                .ended = stored->ended,
                                .n_papers = thread->n_papers,
                                .age_days = days_before(thread->first_day, date),
                                .is_new = strcmp(stored->born, date) == 0 && strcmp(placement->first_birth, date) < 0};
    return true;
}

static int compare_id(const void *id, const void *row) {
    return strcmp(id, ((const pkin_i_thread_row *)row)->id);
}

/* Rows are by id. */
const pkin_i_thread_row *pkin_i_placement_field(const pkin_i_placement *placement, const char *id) {
    const pkin_i_stored_threads *stored = &placement->threads.stored;
    if (!*id || stored->n_rows == 0) return NULL;
    return bsearch(id, stored->rows, stored->n_rows, sizeof *stored->rows, compare_id);
}

static size_t index_of_row(const pkin_i_placement *placement, uint32_t row) {
    size_t low = 0, high = placement->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (placement->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < placement->n_rows && placement->rows[low] == row ? low : SIZE_MAX;
}

static pkin_status describe_novelty(const pkin_i_placement *placement, uint32_t row, const char *date,
                                    pkin_i_arena *arena, pkin_i_novelty_line *out) {
    pkin_status status = PKIN_OK;
    size_t k = placement->novelties ? index_of_row(placement, row) : SIZE_MAX;
    if (k == SIZE_MAX) goto out;
    const pkin_i_novelty *novelty = &placement->novelties[k];
    if (novelty->percentile < 0) goto out;
    out->is_known = 1;
    out->percentile = novelty->percentile < 100 ? (unsigned)novelty->percentile : 100;
    if (novelty->nearest == UINT32_MAX) goto out;
    out->has_nearest = 1;
    out->cosine = pkin_score_to_cosine(novelty->score);
    PKIN_TRY(pkin_i_partner_describe(placement->history, novelty->nearest, date, arena, &out->nearest));
out:
    return status;
}

pkin_status pkin_i_placement_describe(const pkin_i_placement *placement, uint32_t row, const char *date,
                                      pkin_i_arena *arena, pkin_i_annotation *annotation) {
    if (annotation->listed_above) return PKIN_OK;
    annotation->has_thread = pkin_i_placement_thread(placement, row, date, &annotation->thread);
    return describe_novelty(placement, row, date, arena, &annotation->novelty);
}
