/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_block_index.h"

#include <string.h>

#include "base/failure.h"

pkin_status pkin_i_block_index_reserve(uint64_t n_columns, uint64_t n_entries, pkin_i_block_index *out) {
    pkin_status status;
    pkin_i_block_index index = {0};
    PKIN_REQUIRE(n_entries < UINT32_MAX, PKIN_ERROR_OVERFLOW, "a row holds more than 2^31 entries: shorten it");
    PKIN_TRY(pkin_i_allocate(n_columns + 1, sizeof *index.offsets, &index.offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *index.postings, &index.postings));
    *out = index;
    index = (pkin_i_block_index){0};
out:
    pkin_i_block_index_free(&index);
    return status;
}

void pkin_i_block_index_free(pkin_i_block_index *index) {
    pkin_i_free(index->offsets);
    pkin_i_free(index->postings);
    *index = (pkin_i_block_index){0};
}

void pkin_i_block_index_build(const pkin_vectors *vectors, uint64_t first_row, uint32_t n_rows,
                              pkin_i_block_index *index) {
    const uint64_t begin = vectors->row_offsets[first_row], end = vectors->row_offsets[first_row + n_rows];
    uint32_t *offsets = index->offsets, total = 0;
    index->first_row = first_row;
    index->n_rows = n_rows;
    memset(offsets, 0, (vectors->n_columns + 1) * sizeof *offsets);
    for (uint64_t k = begin; k < end; k++) offsets[vectors->columns[k] + 1]++;
    /* offsets[c + 1] becomes the begin of column c's postings, and by filling them their end: the begin of the next. */
    for (uint64_t c = 0; c < vectors->n_columns; c++) {
        const uint32_t n = offsets[c + 1];
        offsets[c + 1] = total;
        total += n;
    }
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint64_t k = vectors->row_offsets[first_row + r]; k < vectors->row_offsets[first_row + r + 1]; k++) {
            index->postings[offsets[vectors->columns[k] + 1]++] = (uint64_t)vectors->weights[k] << 32 | r;
        }
    }
}
