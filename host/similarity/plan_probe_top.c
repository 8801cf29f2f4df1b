/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How good neighbours have to be: the sampled rows' k best over all rows, by way of an inverted index over the sampled
 * rows, past which all others stream. The k-th best of N rows cannot be read from a few of them, but the thresholds of
 * a few rows tell those of all.
 */
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/plan_probe.h"

enum { CHUNK_ROWS = 512 };

typedef struct top_index {
    const pkin_i_sample *sample;
    uint32_t *offsets;  /* n_columns + 1 */
    uint64_t *present;  /* a bit a column: whether it has postings; most have none, and this stays in the cache */
    uint64_t *postings; /* weight << 32 | sampled row */
    uint64_t *sums;     /* of every thread, one a sampled row */
} top_index;

static void index_free(top_index *index) {
    pkin_i_free(index->offsets);
    pkin_i_free(index->present);
    pkin_i_free(index->postings);
    pkin_i_free(index->sums);
}

static pkin_status index_build(top_index *index) {
    pkin_status status;
    const pkin_i_sample *sample = index->sample;
    const pkin_vectors *a = &sample->sides.a;
    const uint64_t n_entries = sample->rows.row_offsets[sample->rows.n_rows];
    PKIN_TRY(pkin_i_allocate_zeroed(a->n_columns + 2, sizeof *index->offsets, &index->offsets));
    PKIN_TRY(pkin_i_allocate_zeroed(a->n_columns / 64 + 1, sizeof *index->present, &index->present));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *index->postings, &index->postings));
    PKIN_TRY(pkin_i_allocate(sample->rows.n_rows * (uint64_t)sample->n_threads, sizeof *index->sums, &index->sums));
    /* Counted two places on, summed, and moved one place back by filling in. */
    uint32_t *offsets = index->offsets;
    for (uint64_t s = 0; s < sample->rows.n_rows; s++) {
        const uint64_t row = sample->row_ids[s];
        for (uint64_t k = a->row_offsets[row]; k < a->row_offsets[row + 1]; k++) {
            offsets[a->columns[k] + 2]++;
            index->present[a->columns[k] / 64] |= UINT64_C(1) << a->columns[k] % 64;
        }
    }
    for (uint64_t c = 2; c < a->n_columns + 2; c++) offsets[c] += offsets[c - 1];
    for (uint64_t s = 0; s < sample->rows.n_rows; s++) {
        const uint64_t row = sample->row_ids[s];
        for (uint64_t k = a->row_offsets[row]; k < a->row_offsets[row + 1]; k++) {
            index->postings[offsets[a->columns[k] + 1]++] = (uint64_t)a->weights[k] << 32 | s;
        }
    }
out:
    return status;
}

static void stream_row(const top_index *index, uint64_t j, uint64_t *sums, pkin_i_neighbor_heaps *heaps) {
    const pkin_i_sample *sample = index->sample;
    const pkin_vectors *b = &sample->sides.b;
    memset(sums, 0, heaps->n_rows * sizeof *sums);
    for (uint64_t k = b->row_offsets[j]; k < b->row_offsets[j + 1]; k++) {
        if (!(index->present[b->columns[k] / 64] >> b->columns[k] % 64 & 1)) continue;
        const uint32_t end = index->offsets[b->columns[k] + 1];
        for (uint32_t p = index->offsets[b->columns[k]]; p < end; p++) {
            sums[(uint32_t)index->postings[p]] += (index->postings[p] >> 32) * b->weights[k];
        }
    }
    for (uint64_t s = 0; s < heaps->n_rows; s++) {
        if (sums[s] < pkin_i_neighbor_threshold(heaps, s)) continue;
        if (sample->within && sample->row_ids[s] == j) continue;
        pkin_i_neighbor_offer(heaps, s, (uint32_t)j, sums[s]);
    }
}

pkin_status pkin_i_top_trial(const pkin_i_sample *sample, uint32_t k, uint64_t stride, uint64_t min_score,
                             uint64_t *out) {
    pkin_status status;
    const uint64_t n_rows = sample->rows.n_rows, n_streamed = (sample->n_b + stride - 1) / stride;
    top_index index = {.sample = sample};
    pkin_i_neighbor_heaps heaps = {0};
    pkin_neighbor *neighbors = NULL;
    uint32_t *counts = NULL;
    size_t n_places;
    k = k / stride ? (uint32_t)(k / stride) : 1;
    PKIN_REQUIRE(pkin_i_multiply(n_rows, k, &n_places), PKIN_ERROR_OVERFLOW,
                 "top-k: %llu sampled rows x %lu neighbours", (unsigned long long)n_rows, (unsigned long)k);
    PKIN_TRY(index_build(&index));
    PKIN_TRY(pkin_i_allocate(n_places, sizeof *neighbors, &neighbors));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *counts, &counts));
    PKIN_TRY(pkin_i_neighbor_heaps_open(n_rows, k, min_score, neighbors, counts, &heaps));
#pragma omp parallel for num_threads(sample->n_threads) schedule(dynamic, CHUNK_ROWS)
    for (uint64_t s = 0; s < n_streamed; s++) {
        stream_row(&index, s * stride, index.sums + (uint64_t)omp_get_thread_num() * n_rows, &heaps);
    }
    for (uint64_t r = 0; r < n_rows; r++) out[r] = pkin_i_neighbor_threshold(&heaps, r);
out:
    index_free(&index);
    pkin_i_neighbor_heaps_close(&heaps);
    pkin_i_free(neighbors);
    pkin_i_free(counts);
    return status;
}
