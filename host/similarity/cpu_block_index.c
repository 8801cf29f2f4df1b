/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_block_index.h"

#include <string.h>

#include "base/failure.h"

static uint64_t block_end(const pkin_vectors *vectors, uint64_t first_row) {
    uint64_t n_left = vectors->n_rows - first_row;
    return first_row + (n_left < PKIN_I_BLOCK_ROWS ? n_left : PKIN_I_BLOCK_ROWS);
}

pkin_status pkin_i_block_index_reserve(const pkin_vectors *vectors, pkin_i_block_index *out) {
    pkin_status status;
    pkin_i_block_index index = {0};
    uint64_t n_most = 0;
    for (uint64_t first = 0; first < vectors->n_rows; first += PKIN_I_BLOCK_ROWS) {
        uint64_t n = vectors->row_offsets[block_end(vectors, first)] - vectors->row_offsets[first];
        n_most = n > n_most ? n : n_most;
    }
    PKIN_REQUIRE(n_most < UINT32_MAX, PKIN_ERROR_OVERFLOW, "%d rows hold more than 2^32 entries", PKIN_I_BLOCK_ROWS);
    PKIN_TRY(pkin_i_allocate(vectors->n_columns + 1, sizeof *index.offsets, &index.offsets));
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *index.postings, &index.postings));
    PKIN_TRY(pkin_i_allocate_zeroed(PKIN_I_HEAD_BUCKETS * PKIN_I_BLOCK_ROWS, sizeof *index.norms, &index.norms));
    *out = index;
    index = (pkin_i_block_index){0};
out:
    pkin_i_block_index_free(&index);
    return status;
}

void pkin_i_block_index_free(pkin_i_block_index *index) {
    pkin_i_free(index->offsets);
    pkin_i_free(index->postings);
    pkin_i_free(index->norms);
    *index = (pkin_i_block_index){0};
}

static void arrange_norms(const pkin_i_head_rows *head_rows, pkin_i_block_index *index) {
    for (uint32_t r = 0; r < index->n_rows; r++) {
        const int16_t *norms = head_rows->norms + (index->first_row + r) * PKIN_I_HEAD_BUCKETS;
        for (size_t b = 0; b < PKIN_I_HEAD_BUCKETS; b++) {
            index->norms[(b / 2 * PKIN_I_BLOCK_ROWS + r) * 2 + b % 2] = norms[b];
        }
    }
}

void pkin_i_block_index_build(const pkin_vectors *vectors, const pkin_i_head *head, const pkin_i_head_rows *head_rows,
                              uint64_t first_row, pkin_i_block_index *index) {
    const uint64_t end_row = block_end(vectors, first_row), end = vectors->row_offsets[end_row];
    uint32_t *offsets = index->offsets, total = 0;
    index->first_row = first_row;
    index->n_rows = (uint32_t)(end_row - first_row);
    memset(offsets, 0, (vectors->n_columns + 1) * sizeof *offsets);
    for (uint64_t k = vectors->row_offsets[first_row]; k < end; k++) {
        offsets[vectors->columns[k] + 1] += head->slots[vectors->columns[k]] == PKIN_I_NOT_HEAD;
    }
    /* offsets[c + 1] becomes the begin of column c's postings, and by filling them their end: the begin of the next. */
    for (uint64_t c = 0; c < vectors->n_columns; c++) {
        uint32_t n = offsets[c + 1];
        offsets[c + 1] = total;
        total += n;
    }
    for (uint32_t r = 0; r < index->n_rows; r++) {
        for (uint64_t k = vectors->row_offsets[first_row + r]; k < vectors->row_offsets[first_row + r + 1]; k++) {
            if (head->slots[vectors->columns[k]] != PKIN_I_NOT_HEAD) continue;
            index->postings[offsets[vectors->columns[k] + 1]++] = (uint64_t)vectors->weights[k] << 32 | r;
        }
    }
    arrange_norms(head_rows, index);
}
