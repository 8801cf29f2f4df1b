/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_tail_rows.h"

#include <math.h>
#include <string.h>

#include "base/failure.h"
#include "base/radix_sort.h"
#include "similarity/integer_root.h"

static const uint64_t TAIL_ENTRIES_MAX = UINT64_C(1) << 24; /* of a row */

static void count_rows(const pkin_vectors *vectors, uint32_t *counts) {
    const uint64_t n = vectors->row_offsets[vectors->n_rows];
    for (uint64_t k = 0; k < n; k++) counts[vectors->columns[k]]++;
}

/* How frequent a column is: sqrt(df_a df_b) rounded up, 2^31 at most; 0 where no score can hold it. */
static uint32_t frequency_of(const uint32_t *counts_a, const uint32_t *counts_b, uint64_t c) {
    if (!counts_b) return counts_a[c] >= 2 ? counts_a[c] : 0;
    const uint64_t product = (uint64_t)counts_a[c] * counts_b[c], most = UINT64_C(1) << 62;
    return (uint32_t)pkin_i_square_root_up(product < most ? product : most);
}

static uint64_t longest_row(const pkin_vectors *vectors) {
    uint64_t longest = 0;
    for (uint64_t r = 0; r < vectors->n_rows; r++) {
        const uint64_t n = vectors->row_offsets[r + 1] - vectors->row_offsets[r];
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* The least frequency of the head. Rows that are too long for the tail's sums have no tail. */
static uint64_t least_frequency(const pkin_vectors *a, const pkin_vectors *b, double head_share) {
    if (longest_row(a) > TAIL_ENTRIES_MAX || (b && longest_row(b) > TAIL_ENTRIES_MAX)) return 1;
    const double least = ceil(head_share * sqrt((double)a->n_rows * (double)(b ? b : a)->n_rows));
    return least < 1 ? 1 : least < 1e18 ? (uint64_t)least : UINT64_MAX;
}

/* Each column to the bucket that is lightest so far: the most frequent columns then have a bucket to themselves. */
static void deal_out(const uint64_t *sorted, pkin_i_tail_ranks *out) {
    uint64_t loads[PKIN_I_FINE_BUCKETS] = {0};
    for (uint32_t rank = 0; rank < out->n_head; rank++) {
        uint32_t lightest = 0;
        for (uint32_t b = 1; b < PKIN_I_FINE_BUCKETS; b++) lightest = loads[b] < loads[lightest] ? b : lightest;
        loads[lightest] += UINT32_MAX - (sorted[rank] >> 32);
        out->buckets[rank] = (uint8_t)lightest;
    }
}

pkin_status pkin_i_tail_ranks_build(const uint32_t *frequencies, uint64_t n_columns, uint64_t least,
                                    pkin_i_tail_ranks *out) {
    pkin_status status;
    pkin_i_tail_ranks made = {0};
    uint64_t *keys = NULL, *spare = NULL;
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *keys, &keys));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *spare, &spare));
    PKIN_TRY(pkin_i_allocate(n_columns, sizeof *made.ranks, &made.ranks));
    memset(made.ranks, 0xFF, n_columns * sizeof *made.ranks);
    for (uint64_t c = 0; c < n_columns; c++) {
        if (frequencies[c] == 0) continue;
        keys[made.n_ranks++] = (uint64_t)(UINT32_MAX - frequencies[c]) << 32 | c;
        made.n_head += frequencies[c] >= least;
    }
    const uint64_t *sorted = pkin_i_radix_sort(keys, spare, made.n_ranks, 32);
    for (uint32_t rank = 0; rank < made.n_ranks; rank++) made.ranks[(uint32_t)sorted[rank]] = rank;
    PKIN_TRY(pkin_i_allocate(made.n_head, sizeof *made.buckets, &made.buckets));
    deal_out(sorted, &made);
    *out = made;
    made = (pkin_i_tail_ranks){0};
out:
    pkin_i_tail_ranks_free(&made);
    pkin_i_free(keys);
    pkin_i_free(spare);
    return status;
}

void pkin_i_tail_ranks_free(pkin_i_tail_ranks *ranks) {
    pkin_i_free(ranks->ranks);
    pkin_i_free(ranks->buckets);
    *ranks = (pkin_i_tail_ranks){0};
}

static pkin_status rank_columns(const pkin_vectors *a, const pkin_vectors *b, double head_share,
                                pkin_i_tail_ranks *out) {
    pkin_status status;
    const uint64_t n_columns = a->n_columns;
    uint32_t *counts_a = NULL, *counts_b = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(n_columns, sizeof *counts_a, &counts_a));
    if (b) PKIN_TRY(pkin_i_allocate_zeroed(n_columns, sizeof *counts_b, &counts_b));
    count_rows(a, counts_a);
    if (b) count_rows(b, counts_b);
    for (uint64_t c = 0; c < n_columns; c++) counts_a[c] = frequency_of(counts_a, counts_b, c);
    PKIN_TRY(pkin_i_tail_ranks_build(counts_a, n_columns, least_frequency(a, b, head_share), out));
out:
    pkin_i_free(counts_a);
    pkin_i_free(counts_b);
    return status;
}

/* ceil(sqrt(squares) / 2^16), at most 2^14. */
static int16_t norm_up(uint64_t squares) {
    if (squares == 0) return 0;
    return (int16_t)((pkin_i_square_root_up(squares) + 0xFFFF) >> 16);
}

static void arrange_row(const pkin_i_tail_ranks *ranking, const pkin_vectors *vectors, uint64_t r,
                        pkin_i_tail_side *side) {
    const uint64_t begin = vectors->row_offsets[r], end = vectors->row_offsets[r + 1];
    uint64_t squares[PKIN_I_FINE_BUCKETS] = {0}, coarse[PKIN_I_COARSE_BUCKETS] = {0}, head = begin, tail = end;
    for (uint64_t k = begin; k < end; k++) {
        const uint32_t rank = ranking->ranks[vectors->columns[k]], weight = vectors->weights[k];
        if (rank == PKIN_I_TAIL_NO_RANK) continue;
        side->entries[rank < ranking->n_head ? head++ : --tail] = (pkin_i_tail_entry){rank, weight};
        if (rank < ranking->n_head) squares[ranking->buckets[rank]] += (uint64_t)weight * weight;
    }
    side->head_ends[r] = head;
    side->tail_begins[r] = tail;
    for (uint32_t b = 0; b < PKIN_I_FINE_BUCKETS; b++) {
        side->fine[r * PKIN_I_FINE_BUCKETS + b] = norm_up(squares[b]);
        coarse[b % PKIN_I_COARSE_BUCKETS] += squares[b];
    }
    for (uint32_t b = 0; b < PKIN_I_COARSE_BUCKETS; b++)
        side->coarse[r * PKIN_I_COARSE_BUCKETS + b] = norm_up(coarse[b]);
}

static pkin_status arrange_side(const pkin_i_tail_ranks *ranking, const pkin_vectors *vectors, int n_threads,
                                pkin_i_tail_side *side) {
    pkin_status status;
    const uint64_t n_rows = vectors->n_rows, n_room = n_rows + PKIN_I_TAIL_ROUND;
    side->n_rows = n_rows;
    side->offsets = vectors->row_offsets;
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *side->head_ends, &side->head_ends));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *side->tail_begins, &side->tail_begins));
    PKIN_TRY(pkin_i_allocate(vectors->row_offsets[n_rows], sizeof *side->entries, &side->entries));
    PKIN_TRY(pkin_i_allocate(n_room, PKIN_I_COARSE_BUCKETS * sizeof *side->coarse, &side->coarse));
    PKIN_TRY(pkin_i_allocate(n_rows, PKIN_I_FINE_BUCKETS * sizeof *side->fine, &side->fine));
    memset(side->coarse + n_rows * PKIN_I_COARSE_BUCKETS, 0,
           PKIN_I_TAIL_ROUND * PKIN_I_COARSE_BUCKETS * sizeof *side->coarse);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1024)
    for (uint64_t r = 0; r < n_rows; r++) arrange_row(ranking, vectors, r, side);
out:
    return status;
}

static void free_side(pkin_i_tail_side *side) {
    pkin_i_free(side->head_ends);
    pkin_i_free(side->tail_begins);
    pkin_i_free(side->entries);
    pkin_i_free(side->coarse);
    pkin_i_free(side->fine);
}

pkin_status pkin_i_tail_rows_arrange(const pkin_i_tail_ranks *ranks, const pkin_vectors *a, const pkin_vectors *b,
                                     int n_threads, pkin_i_tail_rows *out) {
    pkin_status status;
    pkin_i_tail_rows rows = {.one_side = b == NULL, .n_head = ranks->n_head, .n_ranks = ranks->n_ranks};
    PKIN_TRY(arrange_side(ranks, a, n_threads, &rows.a));
    if (b) PKIN_TRY(arrange_side(ranks, b, n_threads, &rows.b));
    if (!b) rows.b = rows.a;
    *out = rows;
    rows = (pkin_i_tail_rows){0};
out:
    pkin_i_tail_rows_free(&rows);
    return status;
}

pkin_status pkin_i_tail_rows_build(const pkin_vectors *a, const pkin_vectors *b, double head_share, int n_threads,
                                   pkin_i_tail_rows *out) {
    pkin_status status;
    pkin_i_tail_ranks ranks = {0};
    PKIN_TRY(rank_columns(a, b, head_share, &ranks));
    PKIN_TRY(pkin_i_tail_rows_arrange(&ranks, a, b, n_threads, out));
out:
    pkin_i_tail_ranks_free(&ranks);
    return status;
}

void pkin_i_tail_rows_free(pkin_i_tail_rows *rows) {
    free_side(&rows->a);
    if (!rows->one_side) free_side(&rows->b);
    *rows = (pkin_i_tail_rows){0};
}

static uint64_t side_bytes(const pkin_i_tail_side *side) {
    const uint64_t norms = (PKIN_I_COARSE_BUCKETS + PKIN_I_FINE_BUCKETS) * sizeof(int16_t);
    return side->n_rows * (2 * sizeof(uint64_t) + norms) + side->offsets[side->n_rows] * sizeof *side->entries;
}

uint64_t pkin_i_tail_rows_bytes(const pkin_i_tail_rows *rows) {
    return side_bytes(&rows->a) + (rows->one_side ? 0 : side_bytes(&rows->b));
}
