/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_STREAM_H
#define PKIN_SIMILARITY_CPU_STREAM_H

/*
 * What the methods with an inverted index share: the rows of a are indexed in blocks, those of b (of a itself, where
 * there is no b) stream past each block in chunks. Blocks are built in waves, one a thread, so that the memory of the
 * index does not grow with the input; the items of a wave, a block and a chunk each, are taken in order of blocks.
 */
#include <stdbool.h>

#include "similarity/crew.h"
#include "similarity/neighbor_heaps.h"

/* What a method adds to it. `thread` in [0, n_threads), `slot` in [0, n_slots). */
typedef struct pkin_i_stream_steps {
    /* Indexes rows [first, first + n_rows) of a in a slot. Must not fail: room is made before. */
    void (*build)(void *method, uint32_t slot, uint64_t first, uint32_t n_rows);
    /* Compares streamed rows [begin, end) with the block in a slot; in a self-join all after its first row. */
    pkin_status (*compare)(void *method, pkin_i_crew *crew, int thread, uint32_t slot, uint64_t begin, uint64_t end);
} pkin_i_stream_steps;

/* Pairs that a thread holds back, to be put into the sink many at a time. */
typedef struct pkin_i_held_pairs {
    pkin_pair *pairs;
    size_t n_pairs;
} pkin_i_held_pairs;

typedef struct pkin_i_stream {
    const pkin_i_task *task;
    pkin_i_stream_steps steps;
    void *method;
    bool within;            /* pairs i < j of one side */
    uint64_t *block_starts; /* n_blocks + 1: first rows, and the end */
    uint64_t n_blocks;
    uint32_t n_slots;
    pkin_i_held_pairs *held; /* n_threads */
    /* Of the present call. */
    uint64_t first_block, n_chunks; /* of the wave, and chunks of streamed rows */
    uint64_t first, last;           /* streamed rows */
    uint64_t min_score;
    pkin_i_neighbor_heaps *heaps; /* over the rows of a; NULL: a join */
    pkin_i_pair_sink *sink;
    bool is_seeded; /* the heaps may hold pairs already that will be found again */
} pkin_i_stream;

enum {
    PKIN_I_STREAM_CHUNK_ROWS = 256 /* at most these are streamed in one call of `compare` */
};

/* No score reaches it: at most 2^60 + 2^53 are asked for. */
#define PKIN_I_STREAM_NEVER (UINT64_C(1) << 61)

/*
 * Blocks of at most `block_rows` rows and, but for blocks of one row, `block_entries` entries, where row r has `ends[r]
 * - begins[r]` entries. pkin_i_stream_close after failure, too; it frees what _open allocated.
 */
pkin_status pkin_i_stream_open(const pkin_i_task *task, const uint64_t *begins, const uint64_t *ends,
                               uint32_t block_rows, uint64_t block_entries, pkin_i_stream *out);
void pkin_i_stream_close(pkin_i_stream *stream);

/* Most entries of a block; bytes that the stream itself holds. */
uint64_t pkin_i_stream_most_entries(const pkin_i_stream *stream, const uint64_t *begins, const uint64_t *ends);
uint64_t pkin_i_stream_bytes(const pkin_i_stream *stream);

/* Streams rows [first, last) past every block: a join into `sink`, or a top-k into `heaps`, the other being NULL. */
pkin_status pkin_i_stream_run(pkin_i_stream *stream, uint64_t first, uint64_t last, uint64_t min_score,
                              pkin_i_pair_sink *sink, pkin_i_neighbor_heaps *heaps);

/* A pair with its exact score, found by this thread: kept if it is wanted. */
pkin_status pkin_i_stream_emit(pkin_i_stream *stream, int thread, uint64_t i, uint64_t j, uint64_t score);

/* The score that a pair must have for the sake of row i of a, and for that of streamed row j: the lower counts. */
static inline uint64_t pkin_i_stream_indexed_limit(const pkin_i_stream *stream, uint64_t i) {
    const uint64_t limit = stream->heaps ? pkin_i_neighbor_threshold(stream->heaps, i) : PKIN_I_STREAM_NEVER;
    return limit < PKIN_I_STREAM_NEVER ? limit : PKIN_I_STREAM_NEVER;
}

static inline uint64_t pkin_i_stream_limit(const pkin_i_stream *stream, uint64_t j) {
    if (!stream->heaps) return stream->min_score;
    return stream->within ? pkin_i_stream_indexed_limit(stream, j) : PKIN_I_STREAM_NEVER;
}

/* How many of a block's rows row j is compared with. */
static inline uint32_t pkin_i_stream_n_partners(const pkin_i_stream *stream, uint64_t first_row, uint32_t n_rows,
                                                uint64_t j) {
    return stream->within && j - first_row < n_rows ? (uint32_t)(j - first_row) : n_rows;
}

#endif
