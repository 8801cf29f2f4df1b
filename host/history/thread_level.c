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
static pkin_status find_new(pkin_i_thread_level *level, const pkin_i_history *history,
                            const pkin_i_stored_threads *old) {
    pkin_status status = pkin_i_allocate(history->n_papers, sizeof *level->is_new, &level->is_new);
    if (status != PKIN_OK) return status;
    for (uint64_t r = 0; r < history->n_papers; r++) {
        bool is_later = history->paper_ids[r] > old->last_paper_id || strcmp(history->days[r], old->date) > 0;
        level->is_new[r] = level->before[r] == PKIN_NO_CLUSTER && is_later;
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

/* Each cluster's founder: its place is the cluster's, `list[c].cluster` is c. */
static pkin_status find_founders(const pkin_i_history *history, const uint32_t *clusters, uint32_t n_clusters,
                                 founder *list, uint32_t *rows) {
    pkin_status status = PKIN_OK;
    for (uint32_t c = 0; c < n_clusters; c++) rows[c] = UINT32_MAX;
    for (uint64_t r = 0; r < history->n_papers; r++) {
        uint32_t c = clusters[r];
        if (c >= PKIN_I_NOT_CLUSTERED) continue;
        founder next = founder_at(history, (uint32_t)r, c);
        if (rows[c] != UINT32_MAX && compare_founders(&list[c], &next) <= 0) continue;
        rows[c] = (uint32_t)r;
        list[c] = next;
    }
    for (uint32_t c = 0; c < n_clusters; c++) {
        PKIN_REQUIRE(rows[c] != UINT32_MAX, PKIN_ERROR_INTERNAL, "cluster %u has no papers", c);
    }
out:
    return status;
}

/* By cluster: its place in the order of founders, and where `rows` is not NULL, the row of the history that is its
   founder. */
static pkin_status rank_clusters(const pkin_i_history *history, const uint32_t *clusters, uint32_t n_clusters,
                                 uint32_t **ranks, uint32_t **rows) {
    founder *list = NULL;
    uint32_t *founders = NULL;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(n_clusters, sizeof **ranks, ranks));
    PKIN_TRY(pkin_i_allocate(n_clusters, sizeof *founders, &founders));
    PKIN_TRY(pkin_i_allocate(n_clusters, sizeof *list, &list));
    PKIN_TRY(find_founders(history, clusters, n_clusters, list, founders));
    if (n_clusters > 1) qsort(list, n_clusters, sizeof *list, compare_founders);
    for (uint32_t k = 0; k < n_clusters; k++) (*ranks)[list[k].cluster] = k;
    if (rows) {
        *rows = founders;
        founders = NULL;
    }
out:
    pkin_i_free(list);
    pkin_i_free(founders);
    return status;
}

/* ---- What becomes of it -------------------------------------------------------------------------------------------
 */

/* Makes `values`, by old number, be by new number. */
static pkin_status reorder(uint32_t *values, const uint32_t *numbers, uint32_t n) {
    uint32_t *copy = NULL;
    pkin_status status = pkin_i_allocate(n, sizeof *copy, &copy);
    if (status != PKIN_OK) return status;
    if (n) memcpy(copy, values, n * sizeof *copy);
    for (uint32_t c = 0; c < n; c++) values[numbers[c]] = copy[c];
    pkin_i_free(copy);
    return PKIN_OK;
}

/* Takes over a settlement, numbers its clusters by founders, and counts. */
static pkin_status take_settlement(pkin_i_thread_level *level, const pkin_i_history *history,
                                   pkin_i_settlement *settled, const uint8_t *is_new) {
    uint32_t *numbers = NULL;
    pkin_status status;
    level->now = settled->now;
    level->n_now = settled->n_now;
    level->found = settled->found;
    settled->now = settled->found = NULL;
    PKIN_TRY(rank_clusters(history, level->now, level->n_now, &numbers, &level->founders));
    PKIN_TRY(reorder(level->found, numbers, level->n_now));
    PKIN_TRY(reorder(level->founders, numbers, level->n_now));
    PKIN_TRY(reorder(settled->before, numbers, level->n_now));
    for (uint64_t r = 0; r < history->n_papers; r++) {
        if (level->now[r] < PKIN_I_NOT_CLUSTERED) level->now[r] = numbers[level->now[r]];
    }
    pkin_i_match_input input = {.n_items = history->n_papers,
                                .before = level->before,
                                .now = level->now,
                                .is_new = is_new,
                                .n_before = level->n_before,
                                .n_now = level->n_now};
    PKIN_TRY(pkin_i_match_count(&input, settled->before, &level->match));
out:
    pkin_i_free(numbers);
    return status;
}

pkin_status pkin_i_thread_level_follow(pkin_i_thread_level *level, const pkin_i_history *history,
                                       const pkin_i_stored_threads *old, const pkin_i_thread_course *course,
                                       const uint32_t *found, uint32_t n_found) {
    pkin_i_match match = {0};
    pkin_i_settlement settled = {0};
    uint32_t *ranks = NULL;
    pkin_status status;
    PKIN_TRY(list_old_clusters(level, old));
    PKIN_TRY(place_members(level, history, old));
    PKIN_TRY(find_new(level, history, old));
    PKIN_TRY(rank_clusters(history, found, n_found, &ranks, NULL));
    pkin_i_match_input input = {.n_items = history->n_papers,
                                .before = level->before,
                                .now = found,
                                .is_new = level->is_new,
                                .n_before = level->n_before,
                                .n_now = n_found,
                                .ranks = ranks};
    PKIN_TRY(pkin_i_match_find(&input, &match));
    PKIN_TRY(pkin_i_match_settle(&input, &match, course->n_least, course->afresh, &settled));
    PKIN_TRY(take_settlement(level, history, &settled, level->is_new));
out:
    pkin_i_free(ranks);
    pkin_i_match_free(&match);
    pkin_i_settlement_free(&settled);
    return status;
}

/* ---- Fields -------------------------------------------------------------------------------------------------------
 */

/* Numbers of fields while threads are put into them: found ones, then old ones that live on without. */
typedef struct field_choice {
    const pkin_i_thread_level *fields, *threads;
    const pkin_i_stored_threads *old;
    const pkin_i_match *match; /* of the found fields */
    const uint32_t *field_of;  /* by found thread */
    uint32_t n_found;
    uint8_t *is_renewed; /* by found field: a thread that was renewed or is new belongs to it */
} field_choice;

/* A thread that lives on keeps its field. A field that merged into one with something new takes its threads along. */
static uint32_t kept_field(const field_choice *c, uint32_t thread) {
    uint32_t row = c->threads->old_rows[c->threads->match.now[thread].before];
    uint32_t before = old_cluster(c->fields, c->old, row);
    if (before == PKIN_NO_CLUSTER) return PKIN_NO_CLUSTER;
    const pkin_i_match_before *field = &c->match->before[before];
    if (field->now != PKIN_NO_CLUSTER) return field->now;
    if (pkin_i_match_is_merged(c->match, before) && c->is_renewed[field->largest]) return field->largest;
    return c->n_found + before;
}

static uint32_t choose_field(const field_choice *c, uint32_t thread) {
    uint32_t found = c->threads->found[thread];
    return found != PKIN_NO_CLUSTER ? c->field_of[found] : kept_field(c, thread);
}

/* The threads' fields as numbers without gaps, in `of_thread`, and what these numbers mean. */
static pkin_status choose_fields(const field_choice *c, uint32_t *of_thread, pkin_i_settlement *out) {
    uint32_t *numbers = NULL; /* by number of a choice */
    uint32_t n_choices = c->n_found + c->fields->n_before;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(n_choices, sizeof *numbers, &numbers));
    PKIN_TRY(pkin_i_allocate(n_choices, sizeof *out->before, &out->before));
    PKIN_TRY(pkin_i_allocate(n_choices, sizeof *out->found, &out->found));
    for (uint32_t k = 0; k < n_choices; k++) numbers[k] = PKIN_NO_CLUSTER;
    for (uint32_t t = 0; t < c->threads->n_now; t++) {
        uint32_t found = c->threads->found[t];
        if (found != PKIN_NO_CLUSTER && c->field_of[found] != PKIN_NO_CLUSTER) c->is_renewed[c->field_of[found]] = 1;
    }
    for (uint32_t t = 0; t < c->threads->n_now; t++) {
        uint32_t choice = choose_field(c, t);
        of_thread[t] = PKIN_NO_CLUSTER;
        if (choice == PKIN_NO_CLUSTER) continue;
        if (numbers[choice] == PKIN_NO_CLUSTER) {
            bool is_found = choice < c->n_found;
            out->before[out->n_now] = is_found ? c->match->now[choice].before : choice - c->n_found;
            out->found[out->n_now] = is_found ? choice : PKIN_NO_CLUSTER;
            numbers[choice] = out->n_now++;
        }
        of_thread[t] = numbers[choice];
    }
out:
    pkin_i_free(numbers);
    return status;
}

/* Threads' fields by papers. Threads were looked at in the order of their founders, so fields are in that of theirs. */
static pkin_status settle_fields(pkin_i_thread_level *level, const pkin_i_history *history,
                                 const pkin_i_thread_level *threads, pkin_i_settlement *settled) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(history->n_papers, sizeof *settled->now, &settled->now));
    for (uint64_t r = 0; r < history->n_papers; r++) {
        uint32_t thread = threads->now[r];
        settled->now[r] = thread < PKIN_I_NOT_CLUSTERED ? level->of_thread[thread] : thread;
    }
    PKIN_TRY(take_settlement(level, history, settled, threads->is_new));
out:
    return status;
}

pkin_status pkin_i_field_level_follow(pkin_i_thread_level *level, const pkin_i_history *history,
                                      const pkin_i_stored_threads *old, const uint32_t *found, uint32_t n_found,
                                      const pkin_i_thread_level *threads, const uint32_t *field_of) {
    pkin_i_match match = {0};
    pkin_i_settlement settled = {0};
    uint32_t *ranks = NULL;
    field_choice choice = {
        .fields = level, .threads = threads, .old = old, .match = &match, .field_of = field_of, .n_found = n_found};
    pkin_status status;
    level->is_field = true;
    PKIN_TRY(list_old_clusters(level, old));
    PKIN_TRY(place_members(level, history, old));
    PKIN_TRY(rank_clusters(history, found, n_found, &ranks, NULL));
    pkin_i_match_input input = {.n_items = history->n_papers,
                                .before = level->before,
                                .now = found,
                                .n_before = level->n_before,
                                .n_now = n_found,
                                .ranks = ranks};
    PKIN_TRY(pkin_i_match_find(&input, &match));
    PKIN_TRY(pkin_i_allocate_zeroed(n_found, sizeof *choice.is_renewed, &choice.is_renewed));
    PKIN_TRY(pkin_i_allocate(threads->n_now, sizeof *level->of_thread, &level->of_thread));
    PKIN_TRY(choose_fields(&choice, level->of_thread, &settled));
    PKIN_TRY(settle_fields(level, history, threads, &settled));
out:
    pkin_i_free(choice.is_renewed);
    pkin_i_free(ranks);
    pkin_i_match_free(&match);
    pkin_i_settlement_free(&settled);
    return status;
}

void pkin_i_thread_level_free(pkin_i_thread_level *level) {
    pkin_i_free(level->old_rows);
    pkin_i_free(level->old_of_row);
    pkin_i_free(level->before);
    pkin_i_free(level->is_new);
    pkin_i_free(level->now);
    pkin_i_free(level->found);
    pkin_i_free(level->founders);
    pkin_i_free(level->of_thread);
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
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(level->n_now, sizeof *level->row_of, &level->row_of));
    for (uint32_t c = 0; c < level->n_now; c++) {
        uint32_t before = level->match.now[c].before;
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
    return status;
}
