/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_PACK_H
#define PKIN_SIMILARITY_CPU_PACK_H

/*
 * Rows as packed sketches, the way a filter reads them (cpu_filter.h): blocks of rows, which a thread packs for itself,
 * and panels, which all threads share.
 */
#include "similarity/crew.h"
#include "similarity/cpu_filter.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_PANEL_ROWS_MAX = 64 };

/* Bytes that begin on a cache line; large ones lie on huge pages where the system has them. Not initialised. */
typedef struct pkin_i_packed {
    uint8_t *bytes;
    void *memory; /* to be freed: `bytes` lies in it */
} pkin_i_packed;

pkin_status pkin_i_packed_allocate(size_t count, size_t element_bytes, pkin_i_packed *out);
void pkin_i_packed_free(pkin_i_packed *packed);

/* What a thread packs with. */
typedef struct pkin_i_packer {
    const pkin_i_filter *filter;
    const pkin_i_sketch_map *map;
    uint64_t *squares; /* of each: the map's dimension */
    uint16_t *buckets;
    uint8_t *values;
} pkin_i_packer;

pkin_status pkin_i_packer_init(const pkin_i_filter *filter, const pkin_i_sketch_map *map, pkin_i_packer *out);
void pkin_i_packer_free(pkin_i_packer *packer);

/* Rows [first, first + n_rows) as a block of `n_places` >= n_rows, a multiple of the filter's block_step. O(entries).
 */
void pkin_i_pack_block(pkin_i_packer *packer, const pkin_vectors *vectors, uint64_t first, uint32_t n_rows,
                       uint32_t n_places, uint8_t *block);

/* Every `stride`-th row of [first, last), as panels one after another. */
typedef struct pkin_i_panels {
    uint64_t first, last, stride;
    uint64_t n_rows, n_panels; /* the last panel may have places without a row */
    pkin_i_packed packed;      /* room for capacity * panel_rows * dimension bytes */
    int32_t *sums;             /* capacity * panel_rows: of each sketch's bytes */
    uint64_t capacity;         /* panels */
} pkin_i_panels;

/* Room for `n_rows` rows. */
pkin_status pkin_i_panels_reserve(const pkin_i_filter *filter, uint32_t dimension, uint64_t n_rows, pkin_i_panels *out);
void pkin_i_panels_free(pkin_i_panels *panels);

/* Says which rows the panels hold from now on; they fit. */
void pkin_i_panels_set(pkin_i_panels *panels, const pkin_i_filter *filter, uint64_t first, uint64_t last,
                       uint64_t stride);
/* Packs panel p. O(its entries + its bytes). */
void pkin_i_panels_pack(pkin_i_panels *panels, pkin_i_packer *packer, const pkin_vectors *vectors, uint64_t p);

PKIN_EXTERN_C_END

#endif
