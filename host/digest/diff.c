/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "digest/day_file.h"

enum { CONTEXT = 3 };

typedef struct text_line {
    const char *bytes; /* with its line end, where it has one */
    size_t n_bytes;
} text_line;

typedef struct text_lines {
    text_line *items;
    size_t n_items;
    size_t capacity;
} text_lines;

/* One line of a diff: ' ' in both texts, '-' in the first alone, '+' in the second alone. */
typedef struct edit {
    text_line line;
    char kind;
} edit;

typedef struct edit_list {
    edit *items;
    size_t n_items;
    size_t capacity;
} edit_list;

static pkin_status split_lines(const pkin_i_buffer *text, text_lines *out) {
    pkin_status status = PKIN_OK;
    for (size_t at = 0; at < text->n_bytes;) {
        const char *begin = text->bytes + at;
        const char *end = memchr(begin, '\n', text->n_bytes - at);
        size_t n = end ? (size_t)(end - begin) + 1 : text->n_bytes - at;
        PKIN_TRY(pkin_i_grow(&out->items, &out->capacity, out->n_items + 1, sizeof *out->items));
        out->items[out->n_items++] = (text_line){begin, n};
        at += n;
    }
out:
    return status;
}

static size_t length_without_end(const text_line *line) {
    size_t n = line->n_bytes;
    if (n && line->bytes[n - 1] == '\n') n--;
    if (n && line->bytes[n - 1] == '\r') n--;
    return n;
}

static int lines_equal(const text_line *a, const text_line *b) {
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

/* How many lines from `at` on are one block of paperkin's, markers included; 0 where none begins there. */
static size_t block_lines(const text_lines *lines, size_t at) {
    if (at >= lines->n_items) return 0;
    if (!pkin_i_is_block_begin(lines->items[at].bytes, length_without_end(&lines->items[at]))) return 0;
    for (size_t k = at + 1; k < lines->n_items; k++) {
        if (pkin_i_is_block_end(lines->items[k].bytes, length_without_end(&lines->items[k]))) return k - at + 1;
    }
    return 0;
}

static pkin_status add_edits(edit_list *edits, char kind, const text_lines *lines, size_t at, size_t n) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_grow(&edits->items, &edits->capacity, edits->n_items + n, sizeof *edits->items));
    for (size_t k = 0; k < n; k++) edits->items[edits->n_items++] = (edit){lines->items[at + k], kind};
out:
    return status;
}

/*
 * Outside the blocks the two texts have the same lines one by one (an object may have changed within its line), so
 * walking both at once is enough. Deletions and insertions of one run are put in order by order_runs.
 */
static pkin_status find_edits(const text_lines *before, const text_lines *after, edit_list *edits) {
    pkin_status status = PKIN_OK;
    size_t i = 0, j = 0;
    while (i < before->n_items || j < after->n_items) {
        size_t n_old = block_lines(before, i), n_new = block_lines(after, j);
        if (n_old == 0 && n_new == 0) {
            n_old = i < before->n_items;
            n_new = j < after->n_items;
        }
        int equal = n_old == n_new;
        for (size_t k = 0; equal && k < n_old; k++) equal = lines_equal(&before->items[i + k], &after->items[j + k]);
        PKIN_TRY(add_edits(edits, equal ? ' ' : '-', before, i, n_old));
        if (!equal) PKIN_TRY(add_edits(edits, '+', after, j, n_new));
        i += n_old;
        j += n_new;
    }
out:
    return status;
}

/* Within a run of changes all deletions come first, as every reader of diffs expects. */
static pkin_status order_runs(edit_list *edits) {
    pkin_status status = PKIN_OK;
    edit *inserted = NULL;
    PKIN_TRY(pkin_i_allocate(edits->n_items, sizeof *inserted, &inserted));
    for (size_t at = 0; at < edits->n_items;) {
        size_t kept = at, n_inserted = 0, k = at;
        for (; k < edits->n_items && edits->items[k].kind != ' '; k++) {
            if (edits->items[k].kind == '+')
                inserted[n_inserted++] = edits->items[k];
            else
                edits->items[kept++] = edits->items[k];
        }
        if (n_inserted) memcpy(edits->items + kept, inserted, n_inserted * sizeof *inserted);
        at = k + 1;
    }
out:
    pkin_i_free(inserted);
    return status;
}

/* "12,7": the first line and the number of lines; the line before where there are none, as diff writes it. */
static pkin_status put_range(pkin_i_buffer *out, char sign, size_t n_before, size_t n_lines) {
    return pkin_i_buffer_printf(out, " %c%zu,%zu", sign, n_lines ? n_before + 1 : n_before, n_lines);
}

static pkin_status put_edit(pkin_i_buffer *out, const edit *item) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_char(out, item->kind));
    PKIN_TRY(pkin_i_buffer_append(out, item->line.bytes, item->line.n_bytes));
    if (item->line.bytes[item->line.n_bytes - 1] != '\n') {
        PKIN_TRY(pkin_i_buffer_string(out, "\n\\ No newline at end of file\n"));
    }
out:
    return status;
}

/* Lines of the first and of the second text among edits [begin, end). */
static void count_lines(const edit_list *edits, size_t begin, size_t end, size_t *n_old, size_t *n_new) {
    *n_old = *n_new = 0;
    for (size_t k = begin; k < end; k++) {
        *n_old += edits->items[k].kind != '+';
        *n_new += edits->items[k].kind != '-';
    }
}

static pkin_status put_hunk(pkin_i_buffer *out, const edit_list *edits, size_t begin, size_t end, size_t old_before,
                            size_t new_before) {
    pkin_status status = PKIN_OK;
    size_t n_old, n_new;
    count_lines(edits, begin, end, &n_old, &n_new);
    PKIN_TRY(pkin_i_buffer_string(out, "@@"));
    PKIN_TRY(put_range(out, '-', old_before, n_old));
    PKIN_TRY(put_range(out, '+', new_before, n_new));
    PKIN_TRY(pkin_i_buffer_string(out, " @@\n"));
    for (size_t k = begin; k < end; k++) PKIN_TRY(put_edit(out, &edits->items[k]));
out:
    return status;
}

/* The end of the hunk whose first change is at `change`: changes that share their context belong together. */
static size_t hunk_end(const edit_list *edits, size_t change) {
    size_t last = change;
    for (size_t k = change; k < edits->n_items && k - last <= 2 * CONTEXT; k++) {
        if (edits->items[k].kind != ' ') last = k;
    }
    return edits->n_items - last - 1 < CONTEXT ? edits->n_items : last + 1 + CONTEXT;
}

pkin_status pkin_i_unified_diff(const char *name, const pkin_i_buffer *before, const pkin_i_buffer *after,
                                void (*on_text)(void *user, const char *bytes, size_t n_bytes), void *user) {
    pkin_status status = PKIN_OK;
    text_lines old_lines = {0}, new_lines = {0};
    edit_list edits = {0};
    pkin_i_buffer text = {0};
    size_t done = 0, old_before = 0, new_before = 0, n_old, n_new;
    PKIN_TRY(split_lines(before, &old_lines));
    PKIN_TRY(split_lines(after, &new_lines));
    PKIN_TRY(find_edits(&old_lines, &new_lines, &edits));
    PKIN_TRY(order_runs(&edits));
    PKIN_TRY(pkin_i_buffer_string(&text, "--- "));
    PKIN_TRY(pkin_i_buffer_escaped(&text, PKIN_ESCAPE_TERMINAL, name));
    PKIN_TRY(pkin_i_buffer_string(&text, "\n+++ "));
    PKIN_TRY(pkin_i_buffer_escaped(&text, PKIN_ESCAPE_TERMINAL, name));
    PKIN_TRY(pkin_i_buffer_char(&text, '\n'));
    for (size_t change = 0; change < edits.n_items; change++) {
        if (edits.items[change].kind == ' ') continue;
        size_t begin = change - done < CONTEXT ? done : change - CONTEXT;
        size_t end = hunk_end(&edits, change);
        count_lines(&edits, done, begin, &n_old, &n_new);
        old_before += n_old;
        new_before += n_new;
        PKIN_TRY(put_hunk(&text, &edits, begin, end, old_before, new_before));
        on_text(user, text.bytes, text.n_bytes);
        pkin_i_buffer_clear(&text);
        count_lines(&edits, begin, end, &n_old, &n_new);
        old_before += n_old;
        new_before += n_new;
        done = end;
        change = end - 1;
    }
out:
    pkin_i_free(old_lines.items);
    pkin_i_free(new_lines.items);
    pkin_i_free(edits.items);
    pkin_i_buffer_free(&text);
    return status;
}
