/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to threads and fields, in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "history/thread_level.h"

/* One event being written; `level` and `book` are what it is told of. */
typedef struct telling {
    const pkin_i_thread_level *level;
    const pkin_i_thread_book *book;
    pkin_i_thread_events *out;
    pkin_i_buffer text;
} telling;

static const char *noun(const telling *t) {
    return t->level->is_field ? "field" : "thread";
}

static pkin_status say(telling *t, const char *singular, const char *plural, uint64_t n) {
    return pkin_i_buffer_printf(&t->text, "%" PRIu64 " %s", n, n == 1 ? singular : plural);
}

/* ", 5 new ones, 2 from other threads, 1 that was in no thread": the items but those already told of. */
static pkin_status say_others(telling *t, const pkin_i_match_now *now, uint64_t n_told) {
    uint64_t n_elsewhere = now->n_old - n_told, n_loose = now->n_items - now->n_old - now->n_new;
    pkin_status status = PKIN_OK;
    if (now->n_new) {
        PKIN_TRY(pkin_i_buffer_string(&t->text, ", "));
        PKIN_TRY(say(t, "new one", "new ones", now->n_new));
    }
    if (n_elsewhere) {
        PKIN_TRY(pkin_i_buffer_printf(&t->text, ", %" PRIu64 " from %s %ss", n_elsewhere, n_told ? "other" : "earlier",
                                      noun(t)));
    }
    if (n_loose) {
        PKIN_TRY(pkin_i_buffer_string(&t->text, ", "));
        PKIN_TRY(say(t, "that was in no", "that were in no", n_loose));
        PKIN_TRY(pkin_i_buffer_printf(&t->text, " %s", noun(t)));
    }
out:
    return status;
}

/* Takes the text as the event's explanation. */
static pkin_status add(telling *t, pkin_thread_event event, uint32_t row, uint32_t other) {
    const pkin_i_thread_row *rows = t->book->rows;
    pkin_i_thread_events *out = t->out;
    pkin_status status;
    event.is_field = t->level->is_field;
    memcpy(event.date, t->book->date, sizeof event.date);
    PKIN_TRY(pkin_i_arena_string(t->book->arena, rows[row].id, strlen(rows[row].id), &event.thread));
    PKIN_TRY(pkin_i_arena_string(t->book->arena, rows[row].label, strlen(rows[row].label), &event.label));
    event.other = "";
    if (other != UINT32_MAX) {
        PKIN_TRY(pkin_i_arena_string(t->book->arena, rows[other].id, strlen(rows[other].id), &event.other));
    }
    PKIN_TRY(pkin_i_arena_string(t->book->arena, t->text.bytes, t->text.n_bytes, &event.explanation));
    PKIN_TRY(pkin_i_grow(&out->items, &out->capacity, out->n_items + 1, sizeof *out->items));
    out->items[out->n_items++] = event;
    pkin_i_buffer_clear(&t->text);
out:
    return status;
}

static pkin_status say_name(telling *t, uint32_t row) {
    const pkin_i_thread_row *named = &t->book->rows[row];
    if (!*named->label) return pkin_i_buffer_string(&t->text, named->id);
    return pkin_i_buffer_printf(&t->text, "\"%s\"", named->label);
}

/* ---- One kind each --------------------------------------------------------------------------------------------------
 */

static pkin_status tell_born(telling *t, uint32_t cluster) {
    const pkin_i_match_now *now = &t->level->match.now[cluster];
    uint32_t row = t->level->row_of[cluster];
    bool lives_again = row < t->book->old->n_rows;
    pkin_status status;
    if (lives_again) {
        PKIN_TRY(pkin_i_buffer_printf(&t->text, "came together again after %s: ", t->book->old->rows[row].ended));
    }
    if (now->n_new == now->n_items) {
        PKIN_TRY(say(t, "new paper", "new papers", now->n_items));
    } else {
        PKIN_TRY(say(t, "paper", "papers", now->n_items));
        PKIN_TRY(say_others(t, now, 0));
        char *comma = strchr(t->text.bytes + (lives_again ? strcspn(t->text.bytes, ":") : 0), ',');
        if (comma) *comma = ':';
    }
    PKIN_TRY(add(t, (pkin_thread_event){.kind = PKIN_THREAD_BORN, .n_after = now->n_items}, row, UINT32_MAX));
out:
    return status;
}

static pkin_status tell_grew(telling *t, uint32_t cluster) {
    const pkin_i_match_now *now = &t->level->match.now[cluster];
    const pkin_i_match_before *before = &t->level->match.before[now->before];
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_printf(&t->text, "kept %" PRIu64 " of its ", now->n_kept));
    PKIN_TRY(say(t, "paper", "papers", before->n_items));
    if (before->n_left) PKIN_TRY(pkin_i_buffer_printf(&t->text, " (%" PRIu64 " left the window)", before->n_left));
    PKIN_TRY(say_others(t, now, now->n_kept));
    PKIN_TRY(add(
        t,
        (pkin_thread_event){
            .kind = PKIN_THREAD_GREW, .n_before = before->n_items, .n_shared = now->n_kept, .n_after = now->n_items},
        t->level->row_of[cluster], UINT32_MAX));
out:
    return status;
}

static pkin_status tell_split(telling *t, uint32_t cluster) {
    const pkin_i_match_now *now = &t->level->match.now[cluster];
    const pkin_i_match_before *source = &t->level->match.before[now->largest];
    uint32_t row = t->level->row_of[cluster];
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_printf(&t->text, "%" PRIu64 " of its ", now->n_largest));
    PKIN_TRY(say(t, "paper", "papers", source->n_items));
    PKIN_TRY(pkin_i_buffer_printf(&t->text, " went to the new %s ", noun(t)));
    PKIN_TRY(say_name(t, row));
    PKIN_TRY(pkin_i_buffer_string(&t->text, ", which has "));
    PKIN_TRY(say(t, "paper", "papers", now->n_items));
    PKIN_TRY(add(t,
                 (pkin_thread_event){.kind = PKIN_THREAD_SPLIT,
                                     .n_before = source->n_items,
                                     .n_shared = now->n_largest,
                                     .n_after = now->n_items},
                 t->level->row_of[source->now], row));
out:
    return status;
}

static pkin_status tell_merged(telling *t, uint32_t before) {
    const pkin_i_match_before *gone = &t->level->match.before[before];
    uint32_t row = t->level->old_rows[before];
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(&t->text, "took over "));
    if (gone->n_largest < gone->n_items) PKIN_TRY(pkin_i_buffer_printf(&t->text, "%" PRIu64 " of ", gone->n_largest));
    PKIN_TRY(pkin_i_buffer_string(&t->text, gone->n_largest < gone->n_items ? "the " : "all "));
    PKIN_TRY(say(t, "paper", "papers", gone->n_items));
    PKIN_TRY(pkin_i_buffer_string(&t->text, " of "));
    PKIN_TRY(say_name(t, row));
    PKIN_TRY(add(t,
                 (pkin_thread_event){.kind = PKIN_THREAD_MERGED,
                                     .n_before = gone->n_items,
                                     .n_shared = gone->n_largest,
                                     .n_after = t->level->match.now[gone->largest].n_items},
                 t->level->row_of[gone->largest], row));
out:
    return status;
}

static pkin_status tell_ended(telling *t, uint32_t before) {
    const pkin_i_match_before *gone = &t->level->match.before[before];
    uint64_t n_moved = gone->n_items - gone->n_left - gone->n_outliers;
    const char *glue = ": ";
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(&t->text, "its "));
    PKIN_TRY(say(t, "paper", "papers", gone->n_items));
    if (n_moved) {
        PKIN_TRY(pkin_i_buffer_printf(&t->text, "%s%" PRIu64 " went to ", glue, n_moved));
        PKIN_TRY(say(t, t->level->is_field ? "other field" : "other thread",
                     t->level->is_field ? "other fields" : "other threads", gone->n_targets));
        glue = ", ";
    }
    if (gone->n_outliers) {
        PKIN_TRY(pkin_i_buffer_string(&t->text, glue));
        PKIN_TRY(say(t, "is in no", "are in no", gone->n_outliers));
        PKIN_TRY(pkin_i_buffer_printf(&t->text, " %s now", noun(t)));
        glue = ", ";
    }
    if (gone->n_left) PKIN_TRY(pkin_i_buffer_printf(&t->text, "%s%" PRIu64 " left the window", glue, gone->n_left));
    PKIN_TRY(add(t,
                 (pkin_thread_event){.kind = PKIN_THREAD_ENDED, .n_before = gone->n_items, .n_shared = gone->n_largest},
                 t->level->old_rows[before], UINT32_MAX));
out:
    return status;
}

/* ---- All of a level -------------------------------------------------------------------------------------------------
 */

/* By kind, then by size, largest first; then by ids, of which no two events have the same. */
static int compare_events(const void *left, const void *right) {
    const pkin_thread_event *a = left, *b = right;
    uint64_t size_a = a->kind == PKIN_THREAD_ENDED ? a->n_before : a->n_after;
    uint64_t size_b = b->kind == PKIN_THREAD_ENDED ? b->n_before : b->n_after;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (size_a != size_b) return size_a > size_b ? -1 : 1;
    int order = strcmp(a->thread, b->thread);
    return order ? order : strcmp(a->other, b->other);
}

static pkin_status tell_of_cluster(telling *t, uint32_t cluster) {
    const pkin_i_match *match = &t->level->match;
    /* Fields grow every day. */
    if (match->now[cluster].before != PKIN_NO_CLUSTER) {
        return match->now[cluster].n_new && !t->level->is_field ? tell_grew(t, cluster) : PKIN_OK;
    }
    return pkin_i_match_is_split(match, cluster) ? tell_split(t, cluster) : tell_born(t, cluster);
}

pkin_status pkin_i_thread_level_tell(const pkin_i_thread_level *level, const pkin_i_thread_book *book,
                                     pkin_i_thread_events *out) {
    telling t = {.level = level, .book = book, .out = out};
    size_t n_before = out->n_items;
    pkin_status status = PKIN_OK;
    for (uint32_t c = 0; c < level->n_now; c++) PKIN_TRY(tell_of_cluster(&t, c));
    for (uint32_t b = 0; b < level->n_before; b++) {
        if (level->match.before[b].now != PKIN_NO_CLUSTER) continue;
        PKIN_TRY(pkin_i_match_is_merged(&level->match, b) ? tell_merged(&t, b) : tell_ended(&t, b));
    }
    size_t n = out->n_items - n_before;
    if (n > 1) qsort(out->items + n_before, n, sizeof *out->items, compare_events);
out:
    pkin_i_buffer_free(&t.text);
    return status;
}
