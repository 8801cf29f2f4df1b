/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_DP4A_FILTER_CUH
#define PKIN_KERNELS_DP4A_FILTER_CUH

/*
 * The filter of every device: tiles of 128 x 128 products (dp4a_tile.cuh) of PLAIN sketches, compared in registers.
 *
 * A block takes tiles at a distance of the grid's size, so that any grid does the work. Tiles begin at multiples of
 * 128 of the shards; shards are padded to 256 rows, so a tile's sketches all exist, and what lies outside of the work
 * is left out at the end. Tiles of one band of 16 rows of tiles follow one another column by column: the blocks that
 * run at a time share 16 strips of rows and about as many of columns in the L2 cache, whatever the shape.
 *
 * n_rows * n_columns * dimension / 4 dp4a; every sketch is read once for 128 of the other side. What is found does not
 * depend on the grid; its order does.
 */
#include "kernels/append.cuh"
#include "kernels/dp4a_tile.cuh"
#include "kernels/gpu_launch.h"

namespace pkin {

enum { DP4A_BAND = 16 /* tiles */ };

/* The tiles that cover a work: [row, row + n_rows) x [column, column + n_columns), counted from the shard's first. */
struct dp4a_tiles {
    uint32_t row, n_rows;
    uint32_t column, n_columns;
};

static __host__ __device__ __forceinline__ dp4a_tiles dp4a_tiles_of(const filter_target &target) {
    dp4a_tiles out = {target.row_begin / DP4A_TILE, 0, target.column_begin / DP4A_TILE, 0};
    if (target.row_begin < target.row_end) out.n_rows = (target.row_end - 1) / DP4A_TILE + 1 - out.row;
    if (target.column_begin < target.column_end) {
        out.n_columns = (target.column_end - 1) / DP4A_TILE + 1 - out.column;
    }
    return out;
}

struct dp4a_tile_place {
    uint32_t row, column; /* in tiles */
};

/* Tile number `index` of n_rows * n_columns. The last band may have fewer rows. */
static __host__ __device__ __forceinline__ dp4a_tile_place dp4a_place_of(const dp4a_tiles &tiles, uint64_t index) {
    const uint64_t band = index / ((uint64_t)DP4A_BAND * tiles.n_columns);
    const uint64_t within = index - band * DP4A_BAND * tiles.n_columns;
    const uint64_t rest = tiles.n_rows - band * DP4A_BAND;
    const uint64_t n = rest < DP4A_BAND ? rest : (uint64_t)DP4A_BAND;
    dp4a_tile_place out;
    out.row = (uint32_t)(tiles.row + band * DP4A_BAND + within % n);
    out.column = (uint32_t)(tiles.column + within / n);
    return out;
}

/* Host: a tile a block; fewer blocks do as well. */
static inline pkin_i_gpu_grid dp4a_filter_grid(const filter_target &target) {
    const dp4a_tiles tiles = dp4a_tiles_of(target);
    return pkin_i_gpu_grid_of((uint64_t)tiles.n_rows * tiles.n_columns, 1, DP4A_THREADS, 0);
}

/*
 * The products of a thread that reach the lower limit of row and column: bit 8 * (r % 4) + c of hits[r / 4]. A missing
 * column limit is INT32_MAX, so that one form serves all.
 */
static __device__ __forceinline__ void dp4a_compare(const filter_target &target, const dp4a_tile_place &tile,
                                                    const int32_t (&products)[DP4A_EACH][DP4A_EACH],
                                                    uint32_t (&hits)[2]) {
    int32_t limits[DP4A_EACH];
#pragma unroll
    for (uint32_t c = 0; c < DP4A_EACH; c++) limits[c] = column_limit(target, tile.column * DP4A_TILE + dp4a_column(c));
    hits[0] = hits[1] = 0;
#pragma unroll
    for (uint32_t r = 0; r < DP4A_EACH; r++) {
        const int32_t limit = row_limit(target, tile.row * DP4A_TILE + dp4a_row(r));
#pragma unroll
        for (uint32_t c = 0; c < DP4A_EACH; c++) {
            const uint32_t hit = products[r][c] >= min(limit, limits[c]);
            hits[r / 4] |= hit << (r % 4 * 8 + c);
        }
    }
}

/* Whole warp: writes down the hits that count. */
static __device__ __forceinline__ void dp4a_append(const filter_target &target, const dp4a_tile_place &tile,
                                                   const uint32_t (&hits)[2]) {
    uint32_t kept[2] = {0, 0};
    for (uint32_t h = 0; h < 2; h++) {
        for (uint32_t rest = hits[h]; rest; rest &= rest - 1) {
            const uint32_t bit = (uint32_t)__ffs((int)rest) - 1;
            const uint32_t row = tile.row * DP4A_TILE + dp4a_row(h * 4 + bit / 8);
            if (is_wanted(target, row, tile.column * DP4A_TILE + dp4a_column(bit % 8))) kept[h] |= 1u << bit;
        }
    }
    uint64_t place = reserve_warp(target, (uint32_t)(__popc(kept[0]) + __popc(kept[1])));
    for (uint32_t h = 0; h < 2; h++) {
        for (uint32_t rest = kept[h]; rest; rest &= rest - 1) {
            const uint32_t bit = (uint32_t)__ffs((int)rest) - 1;
            put_candidate(target, place++, tile.row * DP4A_TILE + dp4a_row(h * 4 + bit / 8),
                          tile.column * DP4A_TILE + dp4a_column(bit % 8));
        }
    }
}

/* Launched with dp4a_filter_grid. Sketches of the shards from their first rows on, PLAIN. */
static __global__ void __launch_bounds__(DP4A_THREADS, 2)
    dp4a_filter(filter_target target, const uint8_t *row_sketches, const uint8_t *column_sketches, uint32_t dimension) {
    __shared__ dp4a_shared shared;
    const dp4a_tiles tiles = dp4a_tiles_of(target);
    const uint64_t n_tiles = (uint64_t)tiles.n_rows * tiles.n_columns;
    for (uint64_t index = blockIdx.x; index < n_tiles; index += gridDim.x) {
        const dp4a_tile_place tile = dp4a_place_of(tiles, index);
        if (!is_any_wanted(target, (uint64_t)tile.row * DP4A_TILE, DP4A_TILE, (uint64_t)tile.column * DP4A_TILE,
                           DP4A_TILE)) {
            continue;
        }
        const dp4a_side rows = {row_sketches, tile.row * DP4A_TILE, 0};
        const dp4a_side columns = {column_sketches, tile.column * DP4A_TILE, 0};
        dp4a_tile(shared, rows, columns, dimension, [&](const int32_t(&products)[DP4A_EACH][DP4A_EACH]) {
            uint32_t hits[2];
            dp4a_compare(target, tile, products, hits);
            if (__any_sync(ALL_LANES, (hits[0] | hits[1]) != 0)) dp4a_append(target, tile, hits);
        });
    }
}

} // namespace pkin

#endif
