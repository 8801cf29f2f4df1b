/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_head.h"

#include <stdlib.h>
#include <string.h>

#include "similarity/integer_root.h"

/* Rows looked at to estimate which columns are frequent. */
enum { SAMPLE_ROWS = 8192 };

typedef struct column_use {
    uint64_t weight; /* summed over the sample */
    uint32_t n_rows;
    uint32_t column;
} column_use;

/* Heaviest first, then by column, so that the choice is the same everywhere. */
static int compare_use(const void *x, const void *y) {
    const column_use *a = (const column_use *)x, *b = (const column_use *)y;
    if (a->weight != b->weight) return a->weight < b->weight ? 1 : -1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static uint64_t sample_uses(const pkin_vectors *vectors, column_use *uses) {
    uint64_t stride = vectors->n_rows / SAMPLE_ROWS + 1, n_sampled = 0;
    for (uint64_t r = 0; r < vectors->n_rows; r += stride, n_sampled++) {
        for (uint64_t k = vectors->row_offsets[r]; k < vectors->row_offsets[r + 1]; k++) {
            uses[vectors->columns[k]].n_rows++;
            uses[vectors->columns[k]].weight += vectors->weights[k];
        }
    }
    return n_sampled;
}

/* Each column to the bucket that is lightest so far: the heaviest columns then have a bucket to themselves. */
static void deal_out(pkin_i_head *head, const column_use *uses) {
    uint64_t loads[PKIN_I_HEAD_BUCKETS] = {0};
    for (uint32_t slot = 0; slot < head->n_columns; slot++) {
        uint32_t lightest = 0;
        for (uint32_t b = 1; b < PKIN_I_HEAD_BUCKETS; b++) lightest = loads[b] < loads[lightest] ? b : lightest;
        loads[lightest] += uses[slot].weight;
        head->buckets[slot] = (uint8_t)lightest;
        head->slots[uses[slot].column] = (uint16_t)slot;
    }
}

pkin_status pkin_i_head_choose(const pkin_vectors *vectors, double min_share, pkin_i_head *out) {
    pkin_i_head head = {0};
    column_use *uses = NULL;
    uint64_t n_frequent = 0;
    pkin_status status = pkin_i_allocate_zeroed(vectors->n_columns, sizeof *uses, &uses);
    if (status == PKIN_OK) status = pkin_i_allocate(vectors->n_columns, sizeof *head.slots, &head.slots);
    if (status == PKIN_OK) {
        uint64_t n_sampled = sample_uses(vectors, uses);
        memset(head.slots, 0xFF, vectors->n_columns * sizeof *head.slots);
        for (uint64_t c = 0; c < vectors->n_columns; c++) {
            if (uses[c].n_rows < 2 || uses[c].n_rows < min_share * (double)n_sampled) continue;
            column_use use = uses[c];
            use.column = (uint32_t)c;
            uses[n_frequent++] = use;
        }
        qsort(uses, n_frequent, sizeof *uses, compare_use);
        head.n_columns = n_frequent < PKIN_I_HEAD_COLUMNS_MAX ? (uint32_t)n_frequent : PKIN_I_HEAD_COLUMNS_MAX;
        deal_out(&head, uses);
        *out = head;
        head.slots = NULL;
    }
    pkin_i_free(uses);
    pkin_i_head_free(&head);
    return status;
}

void pkin_i_head_free(pkin_i_head *head) {
    pkin_i_free(head->slots);
    head->slots = NULL;
}

/* ceil(sqrt(squares) / 2^16), at most 2^14. */
static int16_t norm_up(uint64_t squares) {
    return (int16_t)((pkin_i_square_root_up(squares) + (1 << PKIN_I_NORM_SHIFT) - 1) >> PKIN_I_NORM_SHIFT);
}

static void fill_row(const pkin_i_head *head, const pkin_vectors *vectors, uint64_t r, pkin_i_head_rows *rows) {
    uint64_t squares[PKIN_I_HEAD_BUCKETS] = {0}, at = rows->offsets[r];
    for (uint64_t k = vectors->row_offsets[r]; k < vectors->row_offsets[r + 1]; k++) {
        uint16_t slot = head->slots[vectors->columns[k]];
        if (slot == PKIN_I_NOT_HEAD) continue;
        rows->slots[at] = slot;
        rows->weights[at++] = vectors->weights[k];
        squares[head->buckets[slot]] += (uint64_t)vectors->weights[k] * vectors->weights[k];
    }
    int16_t *norms = rows->norms + r * PKIN_I_HEAD_BUCKETS;
    for (uint32_t b = 0; b < PKIN_I_HEAD_BUCKETS; b++) norms[b] = norm_up(squares[b]);
}

pkin_status pkin_i_head_rows_build(const pkin_i_head *head, const pkin_vectors *vectors, int n_threads,
                                   pkin_i_head_rows *out) {
    pkin_i_head_rows rows = {0};
    uint64_t n_rows = vectors->n_rows;
    pkin_status status = pkin_i_allocate_zeroed(n_rows + 1, sizeof *rows.offsets, &rows.offsets);
    if (status == PKIN_OK) status = pkin_i_allocate(n_rows, PKIN_I_HEAD_BUCKETS * sizeof *rows.norms, &rows.norms);
    if (status == PKIN_OK) {
#pragma omp parallel for num_threads(n_threads) schedule(static)
        for (uint64_t r = 0; r < n_rows; r++) {
            uint64_t n_held = 0;
            for (uint64_t k = vectors->row_offsets[r]; k < vectors->row_offsets[r + 1]; k++) {
                n_held += head->slots[vectors->columns[k]] != PKIN_I_NOT_HEAD;
            }
            rows.offsets[r + 1] = n_held;
        }
        for (uint64_t r = 0; r < n_rows; r++) rows.offsets[r + 1] += rows.offsets[r];
        status = pkin_i_allocate(rows.offsets[n_rows], sizeof *rows.slots, &rows.slots);
    }
    if (status == PKIN_OK) status = pkin_i_allocate(rows.offsets[n_rows], sizeof *rows.weights, &rows.weights);
    if (status == PKIN_OK) {
#pragma omp parallel for num_threads(n_threads) schedule(static)
        for (uint64_t r = 0; r < n_rows; r++) fill_row(head, vectors, r, &rows);
        *out = rows;
    } else {
        pkin_i_head_rows_free(&rows);
    }
    return status;
}

void pkin_i_head_rows_free(pkin_i_head_rows *rows) {
    pkin_i_free(rows->offsets);
    pkin_i_free(rows->slots);
    pkin_i_free(rows->weights);
    pkin_i_free(rows->norms);
    *rows = (pkin_i_head_rows){0};
}
