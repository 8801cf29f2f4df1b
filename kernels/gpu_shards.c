/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gpu_shards.h"

#include "base/failure.h"

/* Kernels count a shard's rows in 32 bits, TMA with a sign. */
static const uint64_t ROWS_MOST = UINT64_C(1) << 30;

static uint64_t places_of(uint64_t n_rows) {
    return (n_rows + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
}

static uint64_t entries_between(const pkin_vectors *side, uint64_t first, uint64_t last) {
    return side->row_offsets[last] - side->row_offsets[first];
}

static uint64_t take_bytes(uint64_t *at, uint64_t n_bytes) {
    const uint64_t begin = *at;
    *at += (n_bytes + PKIN_I_GPU_ALIGNMENT - 1) / PKIN_I_GPU_ALIGNMENT * PKIN_I_GPU_ALIGNMENT;
    return begin;
}

pkin_i_gpu_shard_layout pkin_i_gpu_shard_lay_out(uint64_t n_rows, uint64_t n_entries, uint32_t dimension,
                                                 pkin_i_gpu_coding coding) {
    const uint64_t n_places = places_of(n_rows);
    pkin_i_gpu_shard_layout layout;
    uint64_t at = 0;
    layout.sketches = take_bytes(&at, n_places * dimension);
    layout.sums = take_bytes(&at, coding == PKIN_I_GPU_SHIFTED ? n_places * sizeof(int32_t) : 0);
    layout.offsets = take_bytes(&at, (n_rows + 1) * sizeof(uint64_t));
    layout.columns = take_bytes(&at, n_entries * sizeof(uint32_t));
    layout.weights = take_bytes(&at, n_entries * sizeof(uint32_t));
    layout.bytes = at;
    return layout;
}

static uint64_t bytes_between(const pkin_i_gpu_shards_want *want, const pkin_vectors *side, uint64_t first,
                              uint64_t last) {
    return pkin_i_gpu_shard_lay_out(last - first, entries_between(side, first, last), want->dimension, want->coding)
        .bytes;
}

/* The row a step behind `row`, or the last. */
static uint64_t step_behind(const pkin_vectors *side, uint64_t row) {
    return side->n_rows - row < PKIN_I_GPU_ROWS_STEP ? side->n_rows : row + PKIN_I_GPU_ROWS_STEP;
}

/* The end of the shard that begins at `first`; `first` where not one step has room. */
static uint64_t shard_end(const pkin_i_gpu_shards_want *want, const pkin_vectors *side, uint64_t first) {
    uint64_t end = first;
    while (end < side->n_rows && end - first < ROWS_MOST) {
        const uint64_t next = step_behind(side, end);
        if (bytes_between(want, side, first, next) > want->most_bytes) break;
        if (want->most_rows && end > first && next - first > want->most_rows) break;
        end = next;
    }
    return end;
}

static uint64_t largest_step(const pkin_i_gpu_shards_want *want, const pkin_vectors *side) {
    uint64_t largest = 0;
    for (uint64_t first = 0; first < side->n_rows; first = step_behind(side, first)) {
        const uint64_t bytes = bytes_between(want, side, first, step_behind(side, first));
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

uint64_t pkin_i_gpu_shards_step_bytes(const pkin_i_gpu_shards_want *want) {
    const uint64_t a = largest_step(want, want->a), b = want->b ? largest_step(want, want->b) : 0;
    return a > b ? a : b;
}

pkin_status pkin_i_gpu_shards_cut(const pkin_i_gpu_shards_want *want, pkin_i_gpu_shard **out, uint32_t *n_out) {
    pkin_status status = PKIN_OK;
    const pkin_vectors *const sides[2] = {want->a, want->b};
    pkin_i_gpu_shard *shards = NULL;
    size_t n = 0, capacity = 0;
    *out = NULL;
    *n_out = 0;
    for (int side = 0; side < 2 && sides[side]; side++) {
        for (uint64_t first = 0; first < sides[side]->n_rows;) {
            const uint64_t end = shard_end(want, sides[side], first);
            PKIN_REQUIRE(end > first, PKIN_ERROR_OUT_OF_MEMORY, "no room for the %d rows from row %llu on",
                         PKIN_I_GPU_ROWS_STEP, (unsigned long long)first);
            PKIN_TRY(pkin_i_grow(&shards, &capacity, n + 1, sizeof *shards));
            shards[n++] = (pkin_i_gpu_shard){side, first, end};
            first = end;
        }
    }
    *out = shards;
    *n_out = (uint32_t)n;
    shards = NULL;
out:
    pkin_i_free(shards);
    return status;
}
