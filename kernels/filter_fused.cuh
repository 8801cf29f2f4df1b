/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_FILTER_FUSED_CUH
#define PKIN_KERNELS_FILTER_FUSED_CUH

/*
 * The filter of Hopper: sketches multiplied by wgmma, products compared in the registers they arise in.
 *
 * Work. A tile is 128 rows by 256 columns of products of `dimension` unsigned bytes. A block has two warpgroups that
 * multiply, 64 rows each, so that a thread holds 128 products; and one whose first warp has a thread that fetches by
 * TMA. Registers move from the one to the others (setmaxnreg). Two blocks make a cluster: they have neighbouring strips
 * of rows and the same columns, of which each fetches half and sends it to both. As many clusters run as fit, each
 * takes its share of the tiles in the order of fused_layout.h, and all its threads compute that order for themselves.
 *
 * Shared memory. The rows of a strip stay there, up to 1,024 buckets of them; columns come in stages of 128 buckets
 * through a ring of three to six. Longer rows come in stages beside their columns. A stage is "full" when its bytes
 * have come (one arrival, of the thread that asks for them, and the bytes), and "empty" when the eight warps of each
 * block that it was sent to have read it. Resident rows are fetched with the columns of their strip's first tile, each
 * stage once the same depth of the strip before has been read: consumers know nothing of it, and need not wait
 * for rows alone. Buckets behind the last are zeroes of TMA's, as are rows outside; products of the former are left
 * out.
 *
 * Test. A thread takes the maximum of its products (of a row, where rows have limits; less the column's limit, where
 * columns have), its warp votes, and mostly that is all. Else the products' bits are gathered, the pairs that do not
 * count left out, and places reserved by one atomic addition a warp: 16 x 256 products. What is found is the same set
 * in any order of tiles and threads: products are exact integers, below 2^31 for any bytes (255^2 * 4,096 < 2^29).
 *
 * Rates, computed and not measured. A processor of an H100 multiplies 4,096 pairs of bytes a cycle, so one wgmma takes
 * 128 cycles and reads 10 KB of shared memory, 80 of 128 bytes a cycle. A stage is 1,024 cycles of a block: 16 KB from
 * L2 for each, 16 bytes a cycle and processor, 3.7 TB/s for 132 of them at 1.75 GHz, where single blocks would need
 * 7.4, more than L2 gives. A tile is 8 * dimension cycles; a warp's test is 64 three-way maxima, 128 cycles, and about
 * as many for the rest; column limits make it some three times as long. That is hidden behind the other warpgroup's
 * products if they are out of step by as much; in step it costs some 6% at 512 buckets, 12% at 256. Whoever is ahead
 * stays ahead, since one that multiplies alone has the tensor cores alone, so that it is enough to start them out of
 * step.
 */
#include "kernels/append.cuh"
#include "kernels/fused_layout.h"
#include "kernels/hopper.cuh"

namespace pkin {

enum class fused_limits {
    one, /* target.limit */
    row, /* the row's */
    both /* the lower of the row's and the column's */
};

struct fused_work {
    filter_target target;
    pkin_i_fused_shared shared;
    pkin_i_fused_grid grid;
    uint32_t n_workers;
};

/* The ring of stages, as each of its users counts through it. */
struct fused_ring {
    uint32_t slot, round;
};

static __device__ __forceinline__ void fused_step(fused_ring &ring, uint32_t n_stages) {
    if (++ring.slot == n_stages) ring.slot = 0, ring.round++;
}

static __device__ __forceinline__ uint64_t *fused_barriers(unsigned char *shared, uint32_t at) {
    return reinterpret_cast<uint64_t *>(shared + at);
}

/* One thread of a block: fetches all its tiles, stage after stage. */
template <uint32_t cluster>
static __device__ __forceinline__ void fused_produce(const tensor_map *rows, const tensor_map *columns,
                                                     const fused_work &work, unsigned char *shared) {
    const pkin_i_fused_shared &s = work.shared;
    const uint32_t rank = cluster > 1 ? cluster_rank() : 0;
    uint64_t *const full = fused_barriers(shared, s.full_at), *const empty = fused_barriers(shared, s.empty_at);
    tma_prefetch(rows);
    tma_prefetch(columns);
    fused_ring ring = {0, 0};
    pkin_i_fused_walk walk = pkin_i_fused_walk_begin();
    while (pkin_i_fused_walk_next(&work.grid, blockIdx.x / cluster, work.n_workers, &walk)) {
        const uint32_t row = work.target.row_begin + (walk.strip * cluster + rank) * PKIN_I_FUSED_ROWS;
        const uint32_t column = work.target.column_begin + walk.tile * PKIN_I_FUSED_COLUMNS;
        const bool has_rows = !s.is_resident || walk.is_new_strip;
        /* Resident rows of a depth were last read depth_blocks stages ago, perhaps later than the slot's columns. */
        const bool has_younger = s.is_resident && walk.is_new_strip && s.depth_blocks < s.n_stages;
        for (uint32_t block = 0; block < s.depth_blocks; block++) {
            /* What is overwritten must have been read. Every phase of every barrier is waited for, one by one. */
            if (ring.round > 0) barrier_wait(&empty[ring.slot], (ring.round - 1) & 1);
            if (has_younger && ring.slot >= s.depth_blocks) {
                barrier_wait(&empty[ring.slot - s.depth_blocks], ring.round & 1);
            } else if (has_younger && ring.round > 0) {
                barrier_wait(&empty[ring.slot + s.n_stages - s.depth_blocks], (ring.round - 1) & 1);
            }
            const int32_t depth = static_cast<int32_t>(block * PKIN_I_FUSED_DEPTH);
            uint64_t *const arrived = &full[ring.slot];
            barrier_expect(arrived, PKIN_I_FUSED_B_BYTES + (has_rows ? PKIN_I_FUSED_A_BYTES : 0));
            if (has_rows) {
                unsigned char *to = shared + (s.is_resident ? block : ring.slot) * PKIN_I_FUSED_A_BYTES;
                tma_load(to, rows, arrived, depth, static_cast<int32_t>(row));
            }
            unsigned char *const to = shared + s.columns_at + ring.slot * PKIN_I_FUSED_B_BYTES;
            if (cluster == 1) {
                tma_load(to, columns, arrived, depth, static_cast<int32_t>(column));
                tma_load(to + PKIN_I_FUSED_BOX_BYTES, columns, arrived, depth,
                         static_cast<int32_t>(column + PKIN_I_FUSED_BOX_ROWS));
            } else { /* each block fetches a half for both */
                tma_load_multicast(to + rank * PKIN_I_FUSED_BOX_BYTES, columns, arrived, depth,
                                   static_cast<int32_t>(column + rank * PKIN_I_FUSED_BOX_ROWS), (1 << cluster) - 1);
            }
            fused_step(ring, s.n_stages);
        }
    }
}

/* Limits of the products that a thread holds: of its two rows, and where the limits of the tile's columns are. */
struct fused_thread_limits {
    int32_t rows[2];
    const int32_t *columns; /* of column 0 of the tile */
};

/* What product `e` passes from on. */
template <fused_limits limits>
static __device__ __forceinline__ int32_t fused_limit_of(const fused_thread_limits &own, uint32_t e) {
    const int32_t row = own.rows[e / 2 % 2];
    if (limits != fused_limits::both) return row;
    return min(row, own.columns[pkin_i_fused_value_column(threadIdx.x, e)]);
}

/* Whether any of the thread's products passes: the common answer is no, so that this alone has to be fast. */
template <fused_limits limits>
static __device__ __forceinline__ bool fused_any_passes(const int32_t (&values)[PKIN_I_FUSED_VALUES],
                                                        const fused_thread_limits &own) {
    int32_t most[2] = {0, 0};    /* by row; products are not negative */
    int32_t above[2] = {-1, -1}; /* a column's limit, less this much: two chains, each half as long */
#pragma unroll
    for (uint32_t e = 0; e < PKIN_I_FUSED_VALUES; e += 4) {
#pragma unroll
        for (uint32_t h = 0; h < 2; h++) {
            most[h] = max(max(most[h], values[e + 2 * h]), values[e + 2 * h + 1]);
        }
        if (limits == fused_limits::both) {
            const int2 column =
                *reinterpret_cast<const int2 *>(own.columns + pkin_i_fused_value_column(threadIdx.x, e));
            above[0] = max(above[0], max(values[e], values[e + 2]) - column.x);
            above[1] = max(above[1], max(values[e + 1], values[e + 3]) - column.y);
        }
    }
    if (limits == fused_limits::one) return max(most[0], most[1]) >= own.rows[0];
    return most[0] >= own.rows[0] || most[1] >= own.rows[1] || max(above[0], above[1]) >= 0;
}

/*
 * Whole warp: appends what passes of a tile. First as bits, since registers cannot be indexed at run time; the number
 * of a bit is all that a candidate needs. One reservation for the warp's 16 x 256 products.
 */
template <fused_limits limits>
static __device__ __forceinline__ void fused_append(const filter_target &target,
                                                    const int32_t (&values)[PKIN_I_FUSED_VALUES],
                                                    const fused_thread_limits &own, uint32_t row, uint32_t column) {
    const uint32_t thread = threadIdx.x % 128;
    uint32_t passed[PKIN_I_FUSED_VALUES / 32];
    uint32_t n = 0;
#pragma unroll
    for (uint32_t w = 0; w < PKIN_I_FUSED_VALUES / 32; w++) {
        uint32_t bits = 0;
#pragma unroll
        for (uint32_t e = 0; e < 32; e++) {
            if (values[32 * w + e] >= fused_limit_of<limits>(own, 32 * w + e)) bits |= 1u << e;
        }
        for (uint32_t left = bits; left != 0; left &= left - 1) {
            const uint32_t e = 32 * w + __ffs(left) - 1;
            if (!is_wanted(target, row + pkin_i_fused_value_row(thread, e),
                           column + pkin_i_fused_value_column(thread, e))) {
                bits &= ~(left & -left);
            }
        }
        passed[w] = bits;
        n += __popc(bits);
    }
    uint64_t place = reserve_warp(target, n);
#pragma unroll
    for (uint32_t w = 0; w < PKIN_I_FUSED_VALUES / 32; w++) {
        for (uint32_t left = passed[w]; left != 0; left &= left - 1) {
            const uint32_t e = 32 * w + __ffs(left) - 1;
            put_candidate(target, place++, row + pkin_i_fused_value_row(thread, e),
                          column + pkin_i_fused_value_column(thread, e));
        }
    }
}

/* A warp tells the producers of all blocks that it has read a stage. */
template <uint32_t cluster> static __device__ __forceinline__ void fused_release(uint64_t *empty) {
    const uint32_t lane = threadIdx.x % 32;
    if (lane < cluster) barrier_arrive_at(empty, lane);
}

/*
 * A warpgroup's products of a tile. Whole warpgroup; `rows` and `columns` are where block 0 or slot 0 of its rows and
 * of the columns stand. In halves of a stage, two steps each: the last stage may have only one, and products within a
 * branch of their own are serialised by the compiler (it says so).
 */
template <uint32_t cluster>
static __device__ __forceinline__ void fused_multiply(int32_t (&values)[PKIN_I_FUSED_VALUES], fused_ring &ring,
                                                      const pkin_i_fused_shared &s, unsigned char *shared,
                                                      uint32_t rows, uint32_t columns) {
    constexpr uint32_t STEP = PKIN_I_FUSED_STEP / 16; /* of a descriptor's address */
    uint64_t *const full = fused_barriers(shared, s.full_at), *const empty = fused_barriers(shared, s.empty_at);
    const uint32_t n_halves = 2 * s.depth_blocks - (s.last_steps == 2);
    uint64_t a = 0, b = 0;
    uint64_t *read = nullptr; /* whom to tell that the stage has been read */
    for (uint32_t half = 0; half < n_halves; half++) {
        if (half % 2 == 0) {
            a = pkin_i_fused_descriptor(rows + (s.is_resident ? half / 2 : ring.slot) * PKIN_I_FUSED_A_BYTES);
            b = pkin_i_fused_descriptor(columns + ring.slot * PKIN_I_FUSED_B_BYTES);
            barrier_wait(&full[ring.slot], ring.round & 1);
        }
        wgmma_fence();
        wgmma_m64n256k32_u8(values, a, b, half > 0);
        wgmma_m64n256k32_u8(values, a + STEP, b + STEP, true);
        wgmma_commit();
        a += 2 * STEP, b += 2 * STEP;
        wgmma_wait<1>(); /* the half before is done, while this one keeps the tensor cores busy */
        if (half % 2 == 0) {
            if (half > 0) fused_release<cluster>(read);
            read = &empty[ring.slot];
            fused_step(ring, s.n_stages);
        }
    }
    wgmma_wait_all(values);
    fused_release<cluster>(read);
}

/* A warpgroup of a block: its 64 rows of all tiles. */
template <fused_limits limits, uint32_t cluster>
static __device__ __forceinline__ void fused_consume(const fused_work &work, unsigned char *shared) {
    const pkin_i_fused_shared &s = work.shared;
    const filter_target &target = work.target;
    const uint32_t group = threadIdx.x / 128, thread = threadIdx.x % 128;
    const uint32_t rank = cluster > 1 ? cluster_rank() : 0;
    const uint32_t rows_at = shared_address(shared) + group * (PKIN_I_FUSED_A_BYTES / PKIN_I_FUSED_CONSUMERS);
    const uint32_t columns_at = shared_address(shared) + s.columns_at;
    int32_t *const column_limits =
        reinterpret_cast<int32_t *>(shared + s.limits_at + group * PKIN_I_FUSED_LIMITS_BYTES);
    fused_thread_limits own = {{target.limit, target.limit}, column_limits};
    int32_t values[PKIN_I_FUSED_VALUES] = {0};
    fused_ring ring = {0, 0};
    pkin_i_fused_walk walk = pkin_i_fused_walk_begin();
    while (pkin_i_fused_walk_next(&work.grid, blockIdx.x / cluster, work.n_workers, &walk)) {
        const uint32_t row = target.row_begin + (walk.strip * cluster + rank) * PKIN_I_FUSED_ROWS + group * 64;
        const uint32_t column = target.column_begin + walk.tile * PKIN_I_FUSED_COLUMNS;
        if (group > 0 && ring.slot == 0 && ring.round == 0) { /* the first tile: falls behind the other warpgroup */
            barrier_wait(fused_barriers(shared, s.full_at), 0);
            __nanosleep(200);
        }
        if (limits != fused_limits::one && walk.is_new_strip) {
            own.rows[0] = row_limit(target, row + pkin_i_fused_value_row(thread, 0));
            own.rows[1] = row_limit(target, row + pkin_i_fused_value_row(thread, 2));
        }
        int32_t fetched[2] = {0, 0}; /* on their way while the tile is multiplied */
        if (limits == fused_limits::both) {
            fetched[0] = column_limit(target, column + thread);
            fetched[1] = column_limit(target, column + thread + 128);
        }
        fused_multiply<cluster>(values, ring, s, shared, rows_at, columns_at);
        if (limits == fused_limits::both) {
            named_barrier_sync(1 + group, 128); /* all have read those of the tile before */
            column_limits[thread] = fetched[0];
            column_limits[thread + 128] = fetched[1];
            named_barrier_sync(1 + group, 128);
        }
        if (__any_sync(ALL_LANES, fused_any_passes<limits>(values, own))) {
            fused_append<limits>(target, values, own, row, column);
        }
    }
}

template <fused_limits limits, uint32_t cluster>
__global__ void __launch_bounds__(PKIN_I_FUSED_THREADS, 1)
    filter_fused(const __grid_constant__ tensor_map rows, const __grid_constant__ tensor_map columns,
                 const __grid_constant__ fused_work work) {
#if PKIN_IS_HOPPER
    PKIN_DYNAMIC_SHARED(shared);
    if (threadIdx.x == 0) {
        if (shared_address(shared) % PKIN_I_FUSED_ATOM_BYTES != 0) trap();
#pragma unroll 1
        for (uint32_t slot = 0; slot < work.shared.n_stages; slot++) {
            barrier_init(&fused_barriers(shared, work.shared.full_at)[slot], 1);
            barrier_init(&fused_barriers(shared, work.shared.empty_at)[slot], cluster * PKIN_I_FUSED_CONSUMERS * 4);
        }
        barrier_init_fence();
    }
    if (cluster > 1) {
        cluster_sync();
    } else {
        __syncthreads();
    }
    if (threadIdx.x >= 128 * PKIN_I_FUSED_CONSUMERS) {
        registers_shrink<40>();
        if (threadIdx.x / 32 == 4 * PKIN_I_FUSED_CONSUMERS && elect_one()) {
            fused_produce<cluster>(&rows, &columns, work, shared);
        }
    } else {
        registers_grow<232>();
        fused_consume<limits, cluster>(work, shared);
    }
    if (cluster > 1) cluster_sync(); /* the other block may still arrive here, or send */
#else
    trap(); /* the launcher asks for the compute capability before */
#endif
}

using fused_kernel = void (*)(tensor_map rows, tensor_map columns, fused_work work);

/* Host: the instance for a target's limits. */
template <uint32_t cluster> static inline fused_kernel fused_kernel_of(const filter_target &target) {
    if (!target.row_limits) return filter_fused<fused_limits::one, cluster>;
    if (!target.column_limits) return filter_fused<fused_limits::row, cluster>;
    return filter_fused<fused_limits::both, cluster>;
}
static inline fused_kernel fused_kernel_of(const filter_target &target, uint32_t cluster) {
    return cluster == 1 ? fused_kernel_of<1>(target) : fused_kernel_of<2>(target);
}

} // namespace pkin

#endif
