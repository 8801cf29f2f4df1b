/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_stream.h"

#include "base/failure.h"

enum {
    PAIRS_HELD = 4096, /* by a thread, before they go to the sink */
    WAVE_BLOCKS_MAX = 16
};

/* Walks the blocks; `starts` may be NULL. */
static uint64_t cut_blocks(uint64_t n_rows, const uint64_t *begins, const uint64_t *ends, uint32_t block_rows,
                           uint64_t block_entries, uint64_t *starts) {
    uint64_t n_blocks = 0, n_entries = 0, n_held = 0;
    for (uint64_t r = 0; r < n_rows; r++) {
        const uint64_t n = ends[r] - begins[r];
        if (r == 0 || n_held == block_rows || n_entries + n > block_entries) {
            if (starts) starts[n_blocks] = r;
            n_blocks++;
            n_entries = n_held = 0;
        }
        n_entries += n;
        n_held++;
    }
    if (starts) starts[n_blocks] = n_rows;
    return n_blocks;
}

pkin_status pkin_i_stream_open(const pkin_i_task *task, const uint64_t *begins, const uint64_t *ends,
                               uint32_t block_rows, uint64_t block_entries, pkin_i_stream *out) {
    pkin_status status;
    const uint64_t n_rows = task->a->n_rows;
    *out = (pkin_i_stream){.task = task, .within = task->b == NULL};
    out->n_blocks = cut_blocks(n_rows, begins, ends, block_rows, block_entries, NULL);
    out->n_slots = task->n_threads < WAVE_BLOCKS_MAX ? (uint32_t)task->n_threads : WAVE_BLOCKS_MAX;
    if (out->n_slots > out->n_blocks) out->n_slots = (uint32_t)out->n_blocks;
    PKIN_TRY(pkin_i_allocate(out->n_blocks + 1, sizeof *out->block_starts, &out->block_starts));
    cut_blocks(n_rows, begins, ends, block_rows, block_entries, out->block_starts);
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)task->n_threads, sizeof *out->held, &out->held));
    for (int t = 0; t < task->n_threads; t++) {
        PKIN_TRY(pkin_i_allocate(PAIRS_HELD, sizeof *out->held[t].pairs, &out->held[t].pairs));
    }
out:
    return status;
}

void pkin_i_stream_close(pkin_i_stream *stream) {
    for (int t = 0; stream->held && t < stream->task->n_threads; t++) pkin_i_free(stream->held[t].pairs);
    pkin_i_free(stream->held);
    pkin_i_free(stream->block_starts);
    *stream = (pkin_i_stream){0};
}

uint64_t pkin_i_stream_most_entries(const pkin_i_stream *stream, const uint64_t *begins, const uint64_t *ends) {
    uint64_t n_most = 0;
    for (uint64_t k = 0; k < stream->n_blocks; k++) {
        uint64_t n = 0;
        for (uint64_t r = stream->block_starts[k]; r < stream->block_starts[k + 1]; r++) n += ends[r] - begins[r];
        n_most = n > n_most ? n : n_most;
    }
    return n_most;
}

uint64_t pkin_i_stream_bytes(const pkin_i_stream *stream) {
    return (stream->n_blocks + 1) * sizeof *stream->block_starts +
           (uint64_t)stream->task->n_threads * (PAIRS_HELD * sizeof(pkin_pair) + sizeof *stream->held);
}

static pkin_status put_pairs(pkin_i_stream *stream, int thread) {
    pkin_i_held_pairs *held = &stream->held[thread];
    pkin_status status = pkin_i_pair_sink_put(stream->sink, held->pairs, held->n_pairs);
    held->n_pairs = 0;
    return status;
}

pkin_status pkin_i_stream_emit(pkin_i_stream *stream, int thread, uint64_t i, uint64_t j, uint64_t score) {
    pkin_i_held_pairs *held = &stream->held[thread];
    if (stream->heaps && stream->is_seeded) {
        pkin_i_neighbor_offer_again(stream->heaps, i, (uint32_t)j, score);
        if (stream->within) pkin_i_neighbor_offer_again(stream->heaps, j, (uint32_t)i, score);
        return PKIN_OK;
    }
    if (stream->heaps) {
        pkin_i_neighbor_offer(stream->heaps, i, (uint32_t)j, score);
        if (stream->within) pkin_i_neighbor_offer(stream->heaps, j, (uint32_t)i, score);
        return PKIN_OK;
    }
    if (score < stream->min_score) return PKIN_OK;
    held->pairs[held->n_pairs++] = (pkin_pair){score, (uint32_t)i, (uint32_t)j};
    return held->n_pairs == PAIRS_HELD ? put_pairs(stream, thread) : PKIN_OK;
}

/* Pairs of the rows of a block with streamed rows [begin, end): progress. */
static uint64_t pairs_of(const pkin_i_stream *stream, uint64_t block, uint64_t begin, uint64_t end) {
    const uint64_t first_row = stream->block_starts[block], n_rows = stream->block_starts[block + 1] - first_row;
    if (!stream->within) return (end - begin) * n_rows;
    if (begin < first_row) begin = first_row;
    if (begin >= end) return 0;
    /* Rows of the block itself meet those before them, rows after it meet all of it. */
    uint64_t from = begin - first_row, to = end - first_row;
    uint64_t inner_from = from < n_rows ? from : n_rows, inner_to = to < n_rows ? to : n_rows, n = (to - from) * n_rows;
    for (uint64_t k = inner_from; k < inner_to; k++) n -= n_rows - k;
    return n;
}

static pkin_status run_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    pkin_i_stream *stream = user;
    const uint32_t slot = (uint32_t)(item / stream->n_chunks);
    const uint64_t block = stream->first_block + slot, first_row = stream->block_starts[block];
    uint64_t begin = stream->first + item % stream->n_chunks * PKIN_I_STREAM_CHUNK_ROWS;
    uint64_t end = begin + PKIN_I_STREAM_CHUNK_ROWS;
    if (end > stream->last) end = stream->last;
    if (stream->within && begin <= first_row) begin = first_row + 1;
    if (begin >= end) return PKIN_OK;
    pkin_status status = stream->steps.compare(stream->method, crew, thread, slot, begin, end);
    pkin_i_crew_advance(crew, pairs_of(stream, block, begin, end));
    return status;
}

static void build_blocks(pkin_i_stream *stream, uint32_t n_blocks) {
    double begin = pkin_i_seconds_now();
#pragma omp parallel for num_threads((int)n_blocks) schedule(dynamic, 1)
    for (uint32_t s = 0; s < n_blocks; s++) {
        const uint64_t *starts = stream->block_starts + stream->first_block + s;
        stream->steps.build(stream->method, s, starts[0], (uint32_t)(starts[1] - starts[0]));
    }
    stream->task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
}

pkin_status pkin_i_stream_run(pkin_i_stream *stream, uint64_t first, uint64_t last, uint64_t min_score,
                              pkin_i_pair_sink *sink, pkin_i_neighbor_heaps *heaps) {
    pkin_status status = PKIN_OK;
    pkin_i_task task = *stream->task;
    stream->first = first;
    stream->last = last;
    stream->min_score = min_score;
    stream->sink = sink;
    stream->heaps = heaps;
    stream->n_chunks = (last - first + PKIN_I_STREAM_CHUNK_ROWS - 1) / PKIN_I_STREAM_CHUNK_ROWS;
    for (stream->first_block = 0; stream->first_block < stream->n_blocks; stream->first_block += stream->n_slots) {
        const uint64_t n_left = stream->n_blocks - stream->first_block;
        const uint32_t n_blocks = n_left < stream->n_slots ? (uint32_t)n_left : stream->n_slots;
        if (stream->within && stream->block_starts[stream->first_block] >= last) break;
        build_blocks(stream, n_blocks);
        PKIN_TRY(pkin_i_crew_run(&task, "comparing", 0, task.n_threads, n_blocks * stream->n_chunks, run_item, stream));
        for (uint32_t s = 0; s < n_blocks; s++) {
            task.n_pairs_before += pairs_of(stream, stream->first_block + s, first, last);
        }
    }
    for (int t = 0; t < task.n_threads && sink; t++) PKIN_TRY(put_pairs(stream, t));
out:
    for (int t = 0; t < task.n_threads; t++) stream->held[t].n_pairs = 0;
    return status;
}
