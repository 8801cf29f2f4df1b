/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_FUSED_LAYOUT_H
#define PKIN_KERNELS_FUSED_LAYOUT_H

/*
 * The index arithmetic of the fused filter (filter_fused.cuh): what lies where in shared memory, which tile belongs to
 * whom, and how it is launched. Plain C for host and device, so that it is tested without either.
 *
 * A block multiplies 128 rows by 256 columns at a time, 128 buckets (bytes) after 128 buckets. Bytes of rows stand in
 * shared memory as TMA writes them with a swizzle of 128 bytes and wgmma reads them: boxes of rows of 128 bytes, row
 * after row, the eight 16-byte chunks of a row permuted by chunk ^ (row % 8) (PTX ISA, "Swizzling Modes" and
 * "Asynchronous Warpgroup Level Matrix Shared Memory Layout"). Eight rows, 1,024 bytes, are the atom of the pattern: it
 * is a function of address bits, so that everything is aligned to 1,024.
 */
#include "kernels/gpu_launch.h"

#ifdef __CUDACC__
#define PKIN_I_FUSED_INLINE static __host__ __device__ __forceinline__
#else
#define PKIN_I_FUSED_INLINE static inline
#endif

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_FUSED_ROWS = 128, /* of a block's tile: 64 for each of two warpgroups */
    PKIN_I_FUSED_COLUMNS = 256,
    PKIN_I_FUSED_DEPTH = 128, /* buckets of a stage */
    PKIN_I_FUSED_STEP = 32,   /* buckets of one wgmma */
    PKIN_I_FUSED_ATOM_BYTES = 1024,

    PKIN_I_FUSED_CONSUMERS = 2, /* warpgroups that multiply; behind them one that fetches */
    PKIN_I_FUSED_THREADS = 128 * (PKIN_I_FUSED_CONSUMERS + 1),
    PKIN_I_FUSED_VALUES = 64 * PKIN_I_FUSED_COLUMNS / 128, /* products that a thread holds: 128 */

    /* TMA fetches boxes of 128 rows by 128 bytes: the rows of a block in one, the columns in two. */
    PKIN_I_FUSED_BOX_ROWS = 128,
    PKIN_I_FUSED_BOX_BYTES = PKIN_I_FUSED_BOX_ROWS * PKIN_I_FUSED_DEPTH,
    PKIN_I_FUSED_A_BYTES = PKIN_I_FUSED_BOX_BYTES,
    PKIN_I_FUSED_B_BYTES = 2 * PKIN_I_FUSED_BOX_BYTES,
    PKIN_I_FUSED_LIMITS_BYTES = 4 * PKIN_I_FUSED_COLUMNS, /* of a warpgroup: the tile's column limits */

    PKIN_I_FUSED_SHARED_MOST = 232448, /* 227 KiB: dynamic shared memory of a block, compute capability 9.0 */
    PKIN_I_FUSED_STAGES_MOST = 6,
    PKIN_I_FUSED_RESIDENT_BLOCKS = 8, /* of depth: rows of up to 1,024 buckets stay in shared memory */
    PKIN_I_FUSED_CHUNK_BYTES = 8 << 20
};

/* ---- Shared memory ---- */

/*
 *   rows     [a_blocks] boxes of 128 rows: the block's rows, whole (resident), or one a stage
 *   columns  [n_stages][2] boxes of 128 columns
 *   limits   [2][256] column limits, one set a consuming warpgroup
 *   full     [n_stages] mbarriers: a stage has arrived
 *   empty    [n_stages] mbarriers: a stage has been read by everybody it was sent to
 */
typedef struct pkin_i_fused_shared {
    uint32_t depth_blocks; /* of 128 buckets, the last perhaps half filled */
    uint32_t last_steps;   /* wgmma steps of the last: 2 or 4 */
    uint32_t is_resident;
    uint32_t n_stages;
    uint32_t columns_at, limits_at, full_at, empty_at;
    uint32_t n_bytes;
} pkin_i_fused_shared;

/* For a dimension in [64, PKIN_I_DIMENSION_MAX], a multiple of 64. Fills nearly all there is: 3 to 6 stages. */
PKIN_I_FUSED_INLINE pkin_i_fused_shared pkin_i_fused_shared_of(uint32_t dimension) {
    pkin_i_fused_shared s;
    const uint32_t beside = PKIN_I_FUSED_CONSUMERS * PKIN_I_FUSED_LIMITS_BYTES + 2 * 8 * PKIN_I_FUSED_STAGES_MOST;
    s.depth_blocks = (dimension + PKIN_I_FUSED_DEPTH - 1) / PKIN_I_FUSED_DEPTH;
    s.last_steps = (dimension - (s.depth_blocks - 1) * PKIN_I_FUSED_DEPTH) / PKIN_I_FUSED_STEP;
    s.is_resident = s.depth_blocks <= PKIN_I_FUSED_RESIDENT_BLOCKS;
    const uint32_t kept = s.is_resident * s.depth_blocks * PKIN_I_FUSED_A_BYTES;
    const uint32_t stage = PKIN_I_FUSED_B_BYTES + !s.is_resident * PKIN_I_FUSED_A_BYTES;
    const uint32_t fitting = (PKIN_I_FUSED_SHARED_MOST - beside - kept) / stage;
    s.n_stages = fitting < PKIN_I_FUSED_STAGES_MOST ? fitting : (uint32_t)PKIN_I_FUSED_STAGES_MOST;
    s.columns_at = s.is_resident ? kept : s.n_stages * PKIN_I_FUSED_A_BYTES;
    s.limits_at = s.columns_at + s.n_stages * PKIN_I_FUSED_B_BYTES;
    s.full_at = s.limits_at + PKIN_I_FUSED_CONSUMERS * PKIN_I_FUSED_LIMITS_BYTES;
    s.empty_at = s.full_at + 8 * s.n_stages;
    s.n_bytes = s.empty_at + 8 * s.n_stages;
    return s;
}

/* Where byte `depth` in [0, 128) of row `row` stands in a box, or in boxes that follow one another. */
PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_swizzled(uint32_t row, uint32_t depth) {
    return row * PKIN_I_FUSED_DEPTH + ((depth / 16 ^ row % 8) * 16 + depth % 16);
}

/*
 * The descriptor of 64 rows (A) or 256 columns (B) by 32 buckets for wgmma (PTX ISA, "Matrix Descriptor Format"): in
 * units of 16 bytes the address within the shared window (bits 0 to 13), the leading offset (16 to 29; without a
 * meaning in this layout, 1 by convention), and the stride from eight rows to the next (32 to 45): 1,024; swizzle mode
 * 1, 128 bytes (62 and 63). `address` is that of the first row, aligned to 1,024, plus 32 times the step: the
 * permutation is taken from address bits 7 to 9, which the step (below 128) leaves alone, so that no base offset is
 * needed.
 */
PKIN_I_FUSED_INLINE uint64_t pkin_i_fused_descriptor(uint32_t address) {
    return (uint64_t)(address >> 4 & 0x3fff) | (uint64_t)1 << 16 | (uint64_t)(PKIN_I_FUSED_ATOM_BYTES >> 4) << 32 |
           (uint64_t)1 << 62;
}

/* Which product a thread of a warpgroup holds in register `e`: the fragment D of wgmma m64n256 (PTX ISA, "Register
   Fragments and Shared Memory Matrix Layouts"). */
PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_value_row(uint32_t thread, uint32_t e) {
    return thread / 32 * 16 + thread % 32 / 4 + (e / 2 % 2) * 8;
}
PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_value_column(uint32_t thread, uint32_t e) {
    return e / 4 * 8 + thread % 4 * 2 + e % 2;
}

/* ---- Which tiles, in which order, by whom ---- */

/*
 * Strips of rows (128 a block, so 128 * cluster a worker: a worker is a cluster) against tiles of 256 columns, less the
 * tiles of strip s before first(s) = floor((s + shift) / strips_per_tile): they lie below the diagonal. Tiles are cut
 * into chunks whose columns stay in the L2 cache, and all workers sweep one chunk at a time: within it, a worker's
 * tiles are consecutive in the order strip, tile, as many for each as for the next but one.
 */
typedef struct pkin_i_fused_grid {
    uint32_t n_strips, n_tiles;
    uint32_t chunk_tiles;
    uint32_t strips_per_tile; /* 1 or 2: 256 / (128 * cluster) */
    int64_t shift;
} pkin_i_fused_grid;

/*
 * Rows from global row `row` on, columns from global column `column` on. Of strip s and tile t, the pair farthest above
 * the diagonal is the first row, row + s * S, with the last column, column + 256 t + 255. That i < j has to hold:
 * with x = row - column + 1, s S + x <= 256 t + 255, so t >= floor((s S + x) / 256)
 * = floor((s + floor(x / S)) / (256 / S)).
 */
PKIN_I_FUSED_INLINE pkin_i_fused_grid pkin_i_fused_grid_of(uint64_t row, uint32_t n_rows, uint64_t column,
                                                           uint32_t n_columns, int within, uint32_t cluster,
                                                           uint32_t chunk_tiles) {
    const uint32_t strip_rows = PKIN_I_FUSED_ROWS * cluster;
    pkin_i_fused_grid g;
    g.n_strips = n_rows / strip_rows + (n_rows % strip_rows != 0);
    g.n_tiles = n_columns / PKIN_I_FUSED_COLUMNS + (n_columns % PKIN_I_FUSED_COLUMNS != 0);
    g.chunk_tiles = chunk_tiles;
    g.strips_per_tile = PKIN_I_FUSED_COLUMNS / strip_rows;
    const int64_t x = (int64_t)row - (int64_t)column + 1, size = strip_rows;
    g.shift = x >= 0 ? x / size : -((-x + size - 1) / size);
    if (!within) g.shift = -(int64_t)g.n_strips; /* first(s) is then below 0 for all of them: every tile */
    return g;
}

/* A chunk's tiles: [begin, end). */
typedef struct pkin_i_fused_chunk {
    uint32_t begin, end;
    uint32_t n_full; /* strips before this have all of them */
    uint32_t n_some; /* strips before this at least one */
} pkin_i_fused_chunk;

PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_clamp(int64_t value, uint32_t least, uint32_t most) {
    return value < (int64_t)least ? least : value > (int64_t)most ? most : (uint32_t)value;
}

/* begin < n_tiles */
PKIN_I_FUSED_INLINE pkin_i_fused_chunk pkin_i_fused_chunk_at(const pkin_i_fused_grid *g, uint32_t begin) {
    pkin_i_fused_chunk c;
    c.begin = begin;
    c.end = g->n_tiles - begin < g->chunk_tiles ? g->n_tiles : begin + g->chunk_tiles;
    /* first(s) <= begin, and first(s) < end */
    c.n_full = pkin_i_fused_clamp((int64_t)g->strips_per_tile * (begin + 1) - g->shift, 0, g->n_strips);
    c.n_some = pkin_i_fused_clamp((int64_t)g->strips_per_tile * c.end - g->shift, c.n_full, g->n_strips);
    return c;
}

/* sum of floor(v / q) over v in [0, n), q 1 or 2, n >= 0 */
PKIN_I_FUSED_INLINE int64_t pkin_i_fused_stairs(int64_t n, uint32_t q) {
    return q == 1 ? n * (n - 1) / 2 : (n / 2) * ((n - 1) / 2);
}

/* Tiles of the chunk in strips before `strip`. O(1). */
PKIN_I_FUSED_INLINE uint64_t pkin_i_fused_tiles_before(const pkin_i_fused_grid *g, const pkin_i_fused_chunk *c,
                                                       uint32_t strip) {
    const uint32_t full = strip < c->n_full ? strip : c->n_full;
    const uint32_t some = strip < c->n_some ? strip : c->n_some;
    uint64_t n = (uint64_t)full * (c->end - c->begin);
    if (some > full) { /* strips [n_full, some): s + shift > 0, each end - first(s) */
        n += (uint64_t)(some - full) * c->end - (uint64_t)(pkin_i_fused_stairs(some + g->shift, g->strips_per_tile) -
                                                           pkin_i_fused_stairs(full + g->shift, g->strips_per_tile));
    }
    return n;
}

/* The strip that holds tile number `n` of the chunk, of those that there are. O(log strips). */
PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_strip_of(const pkin_i_fused_grid *g, const pkin_i_fused_chunk *c,
                                                   uint64_t n) {
    uint32_t low = 0, high = c->n_some; /* before(low) <= n < before(high) */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (pkin_i_fused_tiles_before(g, c, middle) <= n) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first tile of a strip in a chunk. */
PKIN_I_FUSED_INLINE uint32_t pkin_i_fused_first_tile(const pkin_i_fused_grid *g, uint32_t chunk_begin, uint32_t strip) {
    const int64_t v = (int64_t)strip + g->shift;
    if (v <= 0) return chunk_begin;
    const uint32_t first = (uint32_t)(v / g->strips_per_tile);
    return first < chunk_begin ? chunk_begin : first;
}

/* A worker's way through its tiles. */
typedef struct pkin_i_fused_walk {
    uint32_t strip, tile;
    uint32_t is_new_strip;           /* another one than that of the tile before */
    uint32_t chunk_begin, chunk_end; /* tiles */
    uint32_t turn;                   /* chunks seen */
    uint64_t n_left;                 /* tiles of the chunk after this one */
} pkin_i_fused_walk;

PKIN_I_FUSED_INLINE pkin_i_fused_walk pkin_i_fused_walk_begin(void) {
    const pkin_i_fused_walk walk = {UINT32_MAX, 0, 0, 0, 0, 0, 0};
    return walk;
}

/* Enters the chunk that begins at walk->chunk_end, before the first tile of the worker's share: of `n_left` tiles. */
PKIN_I_FUSED_INLINE void pkin_i_fused_walk_enter(const pkin_i_fused_grid *g, uint32_t worker, uint32_t n_workers,
                                                 pkin_i_fused_walk *walk) {
    const pkin_i_fused_chunk c = pkin_i_fused_chunk_at(g, walk->chunk_end);
    const uint64_t n = pkin_i_fused_tiles_before(g, &c, g->n_strips);
    /* Shares differ by one tile; who has the larger ones goes round, so that they do so in the sum. */
    const uint32_t share = (worker + walk->turn) % n_workers;
    const uint64_t each = n / n_workers;
    const uint32_t n_larger = (uint32_t)(n % n_workers);
    walk->turn++;
    walk->chunk_begin = c.begin;
    walk->chunk_end = c.end;
    walk->n_left = each + (share < n_larger);
    if (walk->n_left == 0) return;
    const uint64_t first = share * each + (share < n_larger ? share : n_larger);
    const uint32_t strip = pkin_i_fused_strip_of(g, &c, first);
    walk->is_new_strip = strip != walk->strip;
    walk->strip = strip;
    walk->tile =
        pkin_i_fused_first_tile(g, c.begin, strip) + (uint32_t)(first - pkin_i_fused_tiles_before(g, &c, strip));
}

/* Steps to the worker's next tile; 0 if there is none. All that walk with the same arguments see the same tiles. */
PKIN_I_FUSED_INLINE int pkin_i_fused_walk_next(const pkin_i_fused_grid *g, uint32_t worker, uint32_t n_workers,
                                               pkin_i_fused_walk *walk) {
    if (walk->n_left > 0) {
        walk->is_new_strip = ++walk->tile == walk->chunk_end;
        if (walk->is_new_strip) { /* the strip behind it has tiles here, or none would be left */
            walk->strip++;
            walk->tile = pkin_i_fused_first_tile(g, walk->chunk_begin, walk->strip);
        }
    } else {
        do {
            if (walk->chunk_end == g->n_tiles) return 0;
            pkin_i_fused_walk_enter(g, worker, n_workers, walk);
        } while (walk->n_left == 0);
    }
    walk->n_left--;
    return 1;
}

/* ---- Launching ---- */

/* A tensor map: what cuTensorMapEncodeTiled is told, all else being as in cuda_filter_fused.cu. */
typedef struct pkin_i_fused_map {
    const void *base;    /* device, aligned to 16 */
    uint64_t extents[2]; /* bytes of a row, rows: what lies outside is fetched as zeroes */
    uint64_t row_bytes;  /* from one row to the next, a multiple of 16 */
    uint32_t box[2];     /* bytes, rows */
} pkin_i_fused_map;

static inline pkin_i_fused_map pkin_i_fused_map_of(const pkin_i_gpu_rows *rows) {
    const uint64_t step = PKIN_I_GPU_ROWS_STEP;
    const pkin_i_fused_map map = {rows->sketches,
                                  {rows->dimension, (rows->n_rows + step - 1) / step * step},
                                  rows->dimension,
                                  {PKIN_I_FUSED_DEPTH, PKIN_I_FUSED_BOX_ROWS}};
    return map;
}

typedef struct pkin_i_fused_launch {
    pkin_i_fused_shared shared;
    pkin_i_fused_grid grid;
    uint32_t n_workers;
    pkin_i_gpu_grid blocks;
} pkin_i_fused_launch;

/* Blocks of a cluster: the second would have nothing to do beside so few rows. */
static inline uint32_t pkin_i_fused_cluster(const pkin_i_gpu_filter_work *work) {
    return work->row_end - work->row_begin > PKIN_I_FUSED_ROWS ? 2 : 1;
}

/*
 * `workers_most`: clusters that the device runs at once. Chunks are of CHUNK_BYTES of columns, but not so short that a
 * worker's share of a chunk is less than some tiles: with few strips nothing is lost if columns are read again.
 */
static inline pkin_i_fused_launch pkin_i_fused_launch_of(const pkin_i_gpu_filter_work *work, uint32_t cluster,
                                                         uint32_t workers_most) {
    enum { SHARE_LEAST = 8 };
    const uint32_t dimension = work->rows->dimension;
    const uint32_t n_rows = work->row_end - work->row_begin, n_columns = work->column_end - work->column_begin;
    pkin_i_fused_launch out;
    out.shared = pkin_i_fused_shared_of(dimension);
    out.grid = pkin_i_fused_grid_of(work->rows->first + work->row_begin, n_rows,
                                    work->columns->first + work->column_begin, n_columns, work->within, cluster, 0);
    const uint64_t n_tiles = (uint64_t)out.grid.n_strips * out.grid.n_tiles; /* at most */
    const uint32_t by_cache = PKIN_I_FUSED_CHUNK_BYTES / (PKIN_I_FUSED_COLUMNS * dimension);
    const uint32_t by_share = out.grid.n_strips == 0 ? 1 : SHARE_LEAST * workers_most / out.grid.n_strips + 1;
    out.grid.chunk_tiles = by_cache > by_share ? by_cache : by_share;
    out.n_workers = n_tiles < workers_most ? (uint32_t)n_tiles : workers_most;
    const pkin_i_gpu_grid blocks = {{out.n_workers * cluster, 1, 1}, PKIN_I_FUSED_THREADS, cluster, out.shared.n_bytes};
    out.blocks = blocks;
    return out;
}

PKIN_EXTERN_C_END

#endif
