/* SPDX-License-Identifier: Apache-2.0 */
#include "history/thread_level.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "groups/thread_id.h"

/* ---- Before and now -----------------------------------------------------------------------------------------------
 */

static pkin_status list_old_clusters(pkin_i_thread_level *level, const pkin_i_stored_threads *old) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(old->n_rows, sizeof *level->old_rows, &level->old_rows));
    PKIN_TRY(pkin_i_allocate(old->n_rows, sizeof *level->old_of_row, &level->old_of_row));
    for (size_t r = 0; r < old->n_rows; r++) {
        const pkin_i_thread_row *row = &old->rows[r];
        bool is_one = row->is_field == level->is_field && !*row->ended;
        level->old_of_row[r] = is_one ? level->n_before : PKIN_NO_CLUSTER;
        if (is_one) level->old_rows[level->n_before++] = (uint32_t)r;
    }
out:
    return status;
}

static uint32_t find_row(const pkin_i_stored_threads *threads, const char *id) {
    size_t low = 0, high = threads->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(threads->rows[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < threads->n_rows && strcmp(threads->rows[low].id, id) == 0 ? (uint32_t)low : UINT32_MAX;
}

/* The level's old cluster by a thread's row: the thread itself, or the field that it belongs to. */
static uint32_t old_cluster(const pkin_i_thread_level *level, const pkin_i_stored_threads *old, uint32_t thread) {
    uint32_t row = level->is_field ? find_row(old, old->rows[thread].field) : thread;
    return row == UINT32_MAX ? PKIN_NO_CLUSTER : level->old_of_row[row];
}

static pkin_status place_members(pkin_i_thread_level *level, const pkin_i_history *history,
                                 const pkin_i_stored_threads *old) {
    uint32_t *by_thread = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(old->n_rows, sizeof *by_thread, &by_thread));
    for (size_t r = 0; r < old->n_rows; r++) {
        by_thread[r] = old->rows[r].is_field ? PKIN_NO_CLUSTER : old_cluster(level, old, (uint32_t)r);
    }
    PKIN_TRY(pkin_i_allocate(history->n_papers, sizeof *level->before, &level->before));
    for (uint64_t r = 0; r < history->n_papers; r++) level->before[r] = PKIN_NO_CLUSTER;
    for (size_t m = 0; m < old->n_members; m++) {
        uint32_t row = pkin_i_history_row(history, old->members[m].paper_id);
        PKIN_REQUIRE(row != UINT32_MAX, PKIN_ERROR_STORE,
                     "another process changed the store meanwhile: run again when it has finished");
        if (old->members[m].in_window) level->before[row] = by_thread[old->members[m].thread];
    }
out:
    pkin_i_free(by_thread);
    return status;
}

/* Papers that the last update cannot have clustered. What was in a thread is known, whatever its day is. */
static pkin_status find_new(const pkin_i_thread_level *level, const pkin_i_history *history,
                            const pkin_i_stored_threads *old, uint8_t **out) {
    pkin_status status = pkin_i_allocate(history->n_papers, sizeof **out, out);
    if (status != PKIN_OK) return status;
    for (uint64_t r = 0; r < history->n_papers; r++) {
        bool is_later = history->paper_ids[r] > old->last_paper_id || strcmp(history->days[r], old->date) > 0;
        (*out)[r] = level->before[r] == PKIN_NO_CLUSTER && is_later;
    }
    return PKIN_OK;
}

/* ---- Founders -----------------------------------------------------------------------------------------------------
 */

typedef struct founder {
    const char *day, *key;
    uint32_t cluster;
} founder;

static founder founder_at(const pkin_i_history *history, uint32_t row, uint32_t cluster) {
    return (founder){history->days[row], history->papers[row]->paper.key, cluster};
}

/* By day, unknown ones last; then by key. */
static int compare_founders(const void *left, const void *right) {
    const founder *a = left, *b = right;
    if (!*a->day != !*b->day) return *a->day ? -1 : 1;
    int order = strcmp(a->day, b->day);
    return order ? order : strcmp(a->key, b->key);
}

static pkin_status find_founders(pkin_i_thread_level *level, const pkin_i_history *history) {
    founder *list = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *level->founders, &level->founders));
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *level->ranks, &level->ranks));
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *list, &list));
    for (uint32_t c = 0; c < level->n_now; c++) level->founders[c] = UINT32_MAX;
    for (uint64_t r = 0; r < history->n_papers; r++) {
        uint32_t c = level->now[r];
        if (c >= PKIN_I_NOT_CLUSTERED) continue;
        founder next = founder_at(history, (uint32_t)r, c);
        if (level->founders[c] != UINT32_MAX && compare_founders(&list[c], &next) <= 0) continue;
        level->founders[c] = (uint32_t)r;
        list[c] = next;
    }
    for (uint32_t c = 0; c < level->n_now; c++) {
        PKIN_REQUIRE(level->founders[c] != UINT32_MAX, PKIN_ERROR_INTERNAL, "cluster %u has no papers", c);
    }
    if (level->n_now > 1) qsort(list, level->n_now, sizeof *list, compare_founders);
    for (uint32_t k = 0; k < level->n_now; k++) level->ranks[list[k].cluster] = k;
out:
    pkin_i_free(list);
    return status;
}

pkin_status pkin_i_thread_level_match(pkin_i_thread_level *level, const pkin_i_history *history,
                                      const pkin_i_stored_threads *old, bool is_field, uint32_t *now, uint32_t n_now) {
    uint8_t *is_new = NULL;
    pkin_status status;
    level->is_field = is_field;
    level->now = now;
    level->n_now = n_now;
    PKIN_TRY(list_old_clusters(level, old));
    PKIN_TRY(place_members(level, history, old));
    PKIN_TRY(find_new(level, history, old, &is_new));
    PKIN_TRY(find_founders(level, history));
    pkin_i_match_input input = {.n_items = history->n_papers,
                                .before = level->before,
                                .now = level->now,
                                .is_new = is_new,
                                .n_before = level->n_before,
                                .n_now = n_now,
                                .ranks = level->ranks};
    PKIN_TRY(pkin_i_match_find(&input, &level->match));
out:
    pkin_i_free(is_new);
    return status;
}

void pkin_i_thread_level_free(pkin_i_thread_level *level) {
    pkin_i_free(level->old_rows);
    pkin_i_free(level->old_of_row);
    pkin_i_free(level->before);
    pkin_i_free(level->now);
    pkin_i_free(level->founders);
    pkin_i_free(level->ranks);
    pkin_i_free(level->row_of);
    pkin_i_match_free(&level->match);
    *level = (pkin_i_thread_level){0};
}

/* ---- Names --------------------------------------------------------------------------------------------------------
 */

static uint64_t id_number(const char *id) {
    uint64_t number;
    _Static_assert(sizeof number == PKIN_I_THREAD_ID_LENGTH, "an id is as long as a 64-bit number");
    memcpy(&number, id, sizeof number);
    return number;
}

/* An id of a row that ended in an earlier update is free: what comes together again gets it back. */
static bool is_taken(void *user, const char *id) {
    const pkin_i_thread_book *book = user;
    uint32_t row = find_row(book->old, id);
    if (row != UINT32_MAX && !*book->old->rows[row].ended) return true;
    uint64_t number = id_number(id);
    for (size_t k = 0; k < book->n_new_ids; k++) {
        if (book->new_ids[k] == number) return true;
    }
    return false;
}

/* The keys of a cluster's papers, its founder first. */
static pkin_status list_keys(const pkin_i_thread_level *level, const pkin_i_history *history, uint32_t cluster,
                             founder *scratch, const char **keys, size_t *n_keys) {
    size_t n = 0;
    for (uint64_t r = 0; r < history->n_papers; r++) {
        if (level->now[r] == cluster) scratch[n++] = founder_at(history, (uint32_t)r, cluster);
    }
    qsort(scratch, n, sizeof *scratch, compare_founders);
    for (size_t k = 0; k < n; k++) keys[k] = scratch[k].key;
    *n_keys = n;
    return PKIN_OK;
}

/* Nearly always the founder's: the other papers are looked at only where it is taken. */
static pkin_status choose_id(const pkin_i_thread_level *level, const pkin_i_history *history, uint32_t cluster,
                             pkin_i_thread_book *book, char out[PKIN_I_THREAD_ID_BYTES]) {
    const char **keys = NULL;
    founder *scratch = NULL;
    size_t n_keys = 0;
    char kind = level->is_field ? 'f' : 't';
    pkin_status status = PKIN_OK;
    pkin_i_thread_id_make(kind, history->papers[level->founders[cluster]]->paper.key, 0, out);
    if (!is_taken(book, out)) goto out;
    PKIN_TRY(pkin_i_allocate(level->match.now[cluster].n_items, sizeof *keys, &keys));
    PKIN_TRY(pkin_i_allocate(level->match.now[cluster].n_items, sizeof *scratch, &scratch));
    PKIN_TRY(list_keys(level, history, cluster, scratch, keys, &n_keys));
    pkin_i_thread_id_choose(kind, keys, n_keys, is_taken, book, out);
out:
    pkin_i_free(scratch);
    pkin_i_free(keys);
    return status;
}

/* The row of a cluster without an identity: a new one, or one that ended and lives again. */
static pkin_status open_row(const pkin_i_thread_level *level, const pkin_i_history *history, uint32_t cluster,
                            pkin_i_thread_book *book, uint32_t *out) {
    pkin_i_thread_row row = {.is_field = level->is_field};
    pkin_status status;
    PKIN_TRY(choose_id(level, history, cluster, book, row.id));
    book->new_ids[book->n_new_ids++] = id_number(row.id);
    *out = find_row(book->old, row.id);
    if (*out == UINT32_MAX) {
        *out = (uint32_t)book->n_rows++;
        memcpy(row.born, book->date, sizeof row.born);
        book->rows[*out] = row;
    } else {
        book->rows[*out].ended[0] = book->rows[*out].merged_into[0] = '\0';
    }
out:
    return status;
}

static pkin_status put_label(const pkin_label *label, pkin_i_thread_book *book, pkin_i_thread_row *row) {
    pkin_status status;
    PKIN_TRY(pkin_i_arena_string(book->arena, label->english, strlen(label->english), &row->label));
    PKIN_TRY(pkin_i_arena_string(book->arena, label->chinese, strlen(label->chinese), &row->label_chinese));
out:
    return status;
}

static void end_row(const pkin_i_thread_level *level, uint32_t before, pkin_i_thread_book *book) {
    pkin_i_thread_row *row = &book->rows[level->old_rows[before]];
    memcpy(row->ended, book->date, sizeof row->ended);
    if (!pkin_i_match_is_merged(&level->match, before)) return;
    uint32_t target = level->row_of[level->match.before[before].largest];
    memcpy(row->merged_into, book->rows[target].id, sizeof row->merged_into);
}

pkin_status pkin_i_thread_level_name(pkin_i_thread_level *level, const pkin_i_history *history,
                                     const pkin_labels *labels, pkin_i_thread_book *book) {
    uint32_t *by_rank = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *level->row_of, &level->row_of));
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *by_rank, &by_rank));
    for (uint32_t c = 0; c < level->n_now; c++) by_rank[level->ranks[c]] = c;
    for (uint32_t k = 0; k < level->n_now; k++) {
        uint32_t c = by_rank[k], before = level->match.now[c].before;
        if (before != PKIN_NO_CLUSTER) {
            level->row_of[c] = level->old_rows[before];
        } else {
            PKIN_TRY(open_row(level, history, c, book, &level->row_of[c]));
        }
        PKIN_TRY(put_label(&labels->labels[c], book, &book->rows[level->row_of[c]]));
    }
    for (uint32_t b = 0; b < level->n_before; b++) {
        if (level->match.before[b].now == PKIN_NO_CLUSTER) end_row(level, b, book);
    }
out:
    pkin_i_free(by_rank);
    return status;
}
