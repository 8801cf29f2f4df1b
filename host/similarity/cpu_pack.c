/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_pack.h"

#include <string.h>

#include "base/failure.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { LINE_BYTES = 64, HUGE_PAGE_BYTES = 2 << 20 };

pkin_status pkin_i_packed_allocate(size_t count, size_t element_bytes, pkin_i_packed *out) {
    pkin_status status;
    pkin_i_packed packed = {0};
    size_t n_bytes = 0;
    *out = packed;
    PKIN_REQUIRE(pkin_i_multiply(count, element_bytes, &n_bytes), PKIN_ERROR_OVERFLOW,
                 "%zu sketches of %zu bytes do not fit in memory", count, element_bytes);
    const size_t alignment = n_bytes >= 2 * HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : LINE_BYTES;
    PKIN_REQUIRE(pkin_i_add(n_bytes, alignment, &n_bytes), PKIN_ERROR_OVERFLOW, "%zu bytes do not fit in memory",
                 n_bytes);
    PKIN_TRY(pkin_i_allocate(n_bytes, 1, &packed.memory));
    packed.bytes = (uint8_t *)(((uintptr_t)packed.memory + alignment - 1) / alignment * alignment);
#if defined(__linux__)
    /* A wish: without it the first touch of every small page costs as much as packing what lies in it. */
    const size_t n_whole = (n_bytes - alignment) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    if (alignment == HUGE_PAGE_BYTES) (void)madvise(packed.bytes, n_whole, MADV_HUGEPAGE);
#endif
    *out = packed;
out:
    return status;
}

void pkin_i_packed_free(pkin_i_packed *packed) {
    pkin_i_free(packed->memory);
    *packed = (pkin_i_packed){0};
}

pkin_status pkin_i_packer_init(const pkin_i_filter *filter, const pkin_i_sketch_map *map, pkin_i_packer *out) {
    pkin_status status;
    *out = (pkin_i_packer){.filter = filter, .map = map};
    PKIN_TRY(pkin_i_allocate_zeroed(map->dimension, sizeof *out->squares, &out->squares));
    PKIN_TRY(pkin_i_allocate(map->dimension, sizeof *out->buckets, &out->buckets));
    PKIN_TRY(pkin_i_allocate(map->dimension, sizeof *out->values, &out->values));
out:
    return status;
}

void pkin_i_packer_free(pkin_i_packer *packer) {
    pkin_i_free(packer->squares);
    pkin_i_free(packer->buckets);
    pkin_i_free(packer->values);
    *packer = (pkin_i_packer){0};
}

void pkin_i_pack_block(pkin_i_packer *packer, const pkin_vectors *vectors, uint64_t first, uint32_t n_rows,
                       uint32_t n_places, uint8_t *block) {
    const pkin_i_filter *filter = packer->filter;
    const uint32_t dimension = packer->map->dimension;
    memset(block, filter->block_zero, (size_t)n_places * dimension);
    for (uint32_t r = 0; r < n_rows; r++) {
        uint32_t n =
            pkin_i_sketch_row(packer->map, vectors, first + r, packer->squares, packer->buckets, packer->values);
        filter->pack_block_row(block, dimension, r, n, packer->buckets, packer->values);
    }
}

pkin_status pkin_i_panels_reserve(const pkin_i_filter *filter, uint32_t dimension, uint64_t n_rows,
                                  pkin_i_panels *out) {
    pkin_status status;
    pkin_i_panels panels = {.stride = 1, .capacity = (n_rows + filter->panel_rows - 1) / filter->panel_rows};
    *out = (pkin_i_panels){0};
    PKIN_TRY(pkin_i_packed_allocate(panels.capacity, (size_t)filter->panel_rows * dimension, &panels.packed));
    PKIN_TRY(pkin_i_allocate(panels.capacity, filter->panel_rows * sizeof *panels.sums, &panels.sums));
    *out = panels;
    panels = (pkin_i_panels){0};
out:
    pkin_i_panels_free(&panels);
    return status;
}

void pkin_i_panels_free(pkin_i_panels *panels) {
    pkin_i_packed_free(&panels->packed);
    pkin_i_free(panels->sums);
    *panels = (pkin_i_panels){0};
}

void pkin_i_panels_set(pkin_i_panels *panels, const pkin_i_filter *filter, uint64_t first, uint64_t last,
                       uint64_t stride) {
    panels->first = first;
    panels->last = last;
    panels->stride = stride;
    panels->n_rows = (last - first + stride - 1) / stride;
    panels->n_panels = (panels->n_rows + filter->panel_rows - 1) / filter->panel_rows;
}

void pkin_i_panels_pack(pkin_i_panels *panels, pkin_i_packer *packer, const pkin_vectors *vectors, uint64_t p) {
    const pkin_i_filter *filter = packer->filter;
    const uint32_t dimension = packer->map->dimension;
    const uint64_t first = p * filter->panel_rows, n_left = panels->n_rows - first;
    uint8_t *panel = panels->packed.bytes + p * filter->panel_rows * dimension;
    int32_t *sums = panels->sums + first;
    memset(panel, filter->panel_zero, (size_t)filter->panel_rows * dimension);
    for (uint32_t c = 0; c < filter->panel_rows; c++) {
        uint32_t n = 0;
        if (c < n_left) {
            n = pkin_i_sketch_row(packer->map, vectors, panels->first + (first + c) * panels->stride, packer->squares,
                                  packer->buckets, packer->values);
        }
        filter->pack_panel_row(panel, dimension, c, n, packer->buckets, packer->values);
        sums[c] = 0;
        for (uint32_t k = 0; k < n; k++) sums[c] += packer->values[k];
    }
}
