/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gpu_items.h"

#include "base/failure.h"
#include "kernels/gpu_device.h"

static const uint64_t STEP = PKIN_I_GPU_ROWS_STEP;

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t in_steps(uint64_t n) {
    return (n + STEP - 1) / STEP * STEP;
}

uint64_t pkin_i_gpu_block_pairs(const pkin_i_gpu_block *block, bool within) {
    const uint64_t first = block->row_begin, last = block->row_end, end = block->column_end;
    uint64_t begin = block->column_begin, n = 0;
    if (first >= last || begin >= end) return 0;
    if (!within) return (last - first) * (end - begin);
    /* Columns j up to first have no row before them, those up to last have j - first, all others every row. */
    begin = most(begin, first);
    const uint64_t middle = most(begin, least(end, last));
    if (begin < middle) n += ((begin - first) + (middle - 1 - first)) * (middle - begin) / 2;
    if (middle < end) n += (end - middle) * (last - first);
    return n;
}

uint64_t pkin_i_gpu_block_padded_pairs(const pkin_i_gpu_block *block, bool within) {
    const uint64_t n_row_steps = (block->row_end - block->row_begin + STEP - 1) / STEP;
    uint64_t n_squares = 0;
    if (pkin_i_gpu_block_pairs(block, within) == 0) return 0;
    for (uint64_t begin = block->column_begin; begin < block->column_end; begin += STEP) {
        const uint64_t last_column = least(block->column_end, begin + STEP) - 1;
        if (!within || last_column >= block->row_end) {
            n_squares += n_row_steps;
        } else if (last_column > block->row_begin) {
            n_squares += (last_column - block->row_begin + STEP - 1) / STEP;
        }
    }
    return n_squares * STEP * STEP;
}

/* ---- Listing ---- */

typedef struct listing {
    const pkin_i_gpu_items_want *want;
    pkin_i_gpu_block *blocks;
    uint64_t n_blocks;
    size_t capacity;
} listing;

/* `n` in equal shares of at most `most_n` or a step, each but the last a multiple of steps. */
static uint64_t even_share(uint64_t n, uint64_t most_n) {
    if (n <= most_n) return in_steps(n);
    const uint64_t whole = most(STEP, most_n / STEP * STEP), n_shares = (n + whole - 1) / whole;
    return in_steps((n + n_shares - 1) / n_shares);
}

/* Rows and columns of the items of a region: about square, or as long as the region is narrow. */
static void choose_sides(uint64_t n_rows, uint64_t n_columns, uint64_t most_pairs, uint64_t *rows, uint64_t *columns) {
    uint64_t side = STEP;
    while (side <= most_pairs / (4 * side)) side *= 2;
    *rows = even_share(n_rows, most_pairs / least(n_columns, side));
    *columns = even_share(n_columns, most_pairs / least(n_rows, *rows));
}

static pkin_status list_region(listing *self, const pkin_i_gpu_block *region) {
    pkin_status status = PKIN_OK;
    const bool within = self->want->within;
    uint64_t rows, columns;
    if (pkin_i_gpu_block_pairs(region, within) == 0) return PKIN_OK;
    choose_sides(region->row_end - region->row_begin, region->column_end - region->column_begin, self->want->most_pairs,
                 &rows, &columns);
    for (uint64_t r = region->row_begin; r < region->row_end; r += rows) {
        for (uint64_t c = region->column_begin; c < region->column_end; c += columns) {
            pkin_i_gpu_block block = *region;
            block.row_begin = r;
            block.row_end = least(region->row_end, r + rows);
            block.column_begin = c;
            block.column_end = least(region->column_end, c + columns);
            if (pkin_i_gpu_block_pairs(&block, within) == 0) continue;
            PKIN_TRY(pkin_i_grow(&self->blocks, &self->capacity, self->n_blocks + 1, sizeof *self->blocks));
            self->blocks[self->n_blocks++] = block;
        }
    }
out:
    return status;
}

/* The wanted part of rows of shard s against columns of shard t. */
static pkin_i_gpu_block region_of(const pkin_i_gpu_items_want *want, uint32_t s, uint32_t t) {
    const pkin_i_gpu_shard *rows = &want->shards[s], *columns = &want->shards[t];
    pkin_i_gpu_block region = {.row_shard = s,
                               .column_shard = t,
                               .row_begin = rows->first,
                               .row_end = rows->last,
                               .column_begin = most(want->first, columns->first),
                               .column_end = least(want->last, columns->last)};
    /* No row from the last column on has a partner. */
    if (want->within && region.column_end > 0) region.row_end = least(region.row_end, region.column_end - 1);
    return region;
}

pkin_status pkin_i_gpu_items_list(const pkin_i_gpu_items_want *want, pkin_i_gpu_block **out, uint64_t *n_out) {
    pkin_status status = PKIN_OK;
    listing self = {.want = want};
    const int column_side = want->within ? 0 : 1;
    bool descending = false;
    *out = NULL;
    *n_out = 0;
    for (uint32_t s = 0; s < want->n_shards; s++) {
        if (want->shards[s].side != 0) continue;
        for (uint32_t n = 0; n < want->n_shards; n++) {
            const uint32_t t = descending ? want->n_shards - 1 - n : n;
            if (want->shards[t].side != column_side || (want->within && t < s)) continue;
            const pkin_i_gpu_block region = region_of(want, s, t);
            PKIN_TRY(list_region(&self, &region));
        }
        descending = !descending;
    }
    *out = self.blocks;
    *n_out = self.n_blocks;
    self.blocks = NULL;
out:
    pkin_i_free(self.blocks);
    return status;
}

/* ---- Cutting ---- */

pkin_i_gpu_cut pkin_i_gpu_block_cut(const pkin_i_gpu_block *block, uint64_t n_wanted) {
    const uint64_t n_rows = block->row_end - block->row_begin, n_columns = block->column_end - block->column_begin;
    pkin_i_gpu_cut cut = {.along_rows = n_rows > n_columns};
    const uint64_t length = cut.along_rows ? n_rows : n_columns;
    if (n_wanted < 2) n_wanted = 2;
    cut.step = (length + n_wanted - 1) / n_wanted;
    if (length > STEP) cut.step = least(in_steps(cut.step), (length - 1) / STEP * STEP);
    if (cut.step == 0) cut.step = 1;
    cut.n_parts = (length + cut.step - 1) / cut.step;
    return cut;
}

pkin_i_gpu_block pkin_i_gpu_block_part(const pkin_i_gpu_block *block, pkin_i_gpu_cut cut, uint64_t part) {
    pkin_i_gpu_block out = *block;
    uint64_t *begin = cut.along_rows ? &out.row_begin : &out.column_begin;
    uint64_t *end = cut.along_rows ? &out.row_end : &out.column_end;
    *begin += part * cut.step;
    *end = least(*end, *begin + cut.step);
    return out;
}
