/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_TAIL_ROWS_H
#define PKIN_SIMILARITY_CPU_TAIL_ROWS_H

/*
 * Rows arranged for the tail method. Columns get ranks, the most frequent first; those below n_head are the head, which
 * so many rows hold that multiplying them pair by pair would be most of the work, the others are the tail. Columns that
 * can be in no score, since only one side or a single row holds them, have no rank and are left out. A row's entries
 * are its head from the front and its tail up to the end of the room that the row has in the input:
 *
 *     [offsets[r], head_ends[r])  head        [tail_begins[r], offsets[r + 1])  tail
 *
 * The head is bounded by norms. Its columns are dealt out to a few buckets, and a row's norm in bucket b is n_b =
 * ceil(sqrt(sum of w^2 over its head columns in b) / 2^16), so that by Cauchy-Schwarz in every bucket
 *
 *     2^32 * sum_b n_b n'_b >= the head's part of the score,
 *
 * in integers that round up only. A row's sum of w^2 is at most 2^60: n_b <= 2^14, and sum_b n_b n'_b <= 2^28 + 2^20
 * for 64 buckets or fewer. There are two such bounds, of 2 buckets for every pair, and of FINE for those that it
 * leaves.
 *
 * The tail is summed in the same unit: with p = ceil(w / 2^16) <= 2^14, 2^32 * sum p p' >= the tail's part, and sum p
 * p'
 * <= (2^14 + sqrt(n))^2 for rows of n entries: below 2^29 for the 2^24 entries that a row's tail may have. Bounds of
 * both together are below 2^30.
 */
#include <stdbool.h>

#include "similarity/vectors.h"

PKIN_EXTERN_C_BEGIN

enum {
    PKIN_I_COARSE_BUCKETS = 2,
    PKIN_I_FINE_BUCKETS = 64,    /* a multiple of 16 */
    PKIN_I_TAIL_SHIFT = 32,      /* a bound of 1 is a score of 2^32, that is 2^-28 */
    PKIN_I_TAIL_NEVER = 1 << 30, /* a limit that no bound reaches */
    PKIN_I_TAIL_ROUND = 32       /* rows that kernels take at once: norms have room for a multiple */
};

typedef struct pkin_i_tail_entry {
    uint32_t rank;
    uint32_t weight;
} pkin_i_tail_entry;

typedef struct pkin_i_tail_side {
    uint64_t n_rows;
    const uint64_t *offsets; /* of the input, borrowed */
    uint64_t *head_ends, *tail_begins;
    pkin_i_tail_entry *entries;
    int16_t *coarse; /* row r's at [r * COARSE_BUCKETS ...] */
    int16_t *fine;   /* row r's at [r * FINE_BUCKETS ...] */
} pkin_i_tail_side;

typedef struct pkin_i_tail_rows {
    uint32_t n_head, n_ranks;
    bool one_side; /* b is a, and owned by it */
    pkin_i_tail_side a, b;
} pkin_i_tail_rows;

/* p = ceil(w / 2^16): a weight in the unit of bounds. */
static inline uint32_t pkin_i_tail_weight(uint32_t weight) {
    return (weight + 0xFFFF) >> 16;
}

/* The limit of a score in the unit of bounds: who is below it is below the score. */
static inline uint32_t pkin_i_tail_limit(uint64_t score) {
    const uint64_t limit = (score + UINT32_MAX) >> PKIN_I_TAIL_SHIFT;
    return limit < PKIN_I_TAIL_NEVER ? (uint32_t)limit : (uint32_t)PKIN_I_TAIL_NEVER;
}

/* The order of columns, and the head's buckets. */
typedef struct pkin_i_tail_ranks {
    uint32_t *ranks;  /* n_columns, NO_RANK: left out */
    uint8_t *buckets; /* n_head, below FINE_BUCKETS */
    uint32_t n_head, n_ranks;
} pkin_i_tail_ranks;

#define PKIN_I_TAIL_NO_RANK UINT32_MAX

/*
 * `frequencies`: how many rows hold each of the n_columns columns, on any scale; 0: left out. The head are those of
 * `least` or more. With pkin_i_tail_rows_arrange this is what pkin_i_tail_rows_build does; the planner arranges a
 * sample of rows by frequencies of other rows. O(n_columns).
 */
pkin_status pkin_i_tail_ranks_build(const uint32_t *frequencies, uint64_t n_columns, uint64_t least,
                                    pkin_i_tail_ranks *out);
void pkin_i_tail_ranks_free(pkin_i_tail_ranks *ranks);
pkin_status pkin_i_tail_rows_arrange(const pkin_i_tail_ranks *ranks, const pkin_vectors *a, const pkin_vectors *b,
                                     int n_threads, pkin_i_tail_rows *out);

/*
 * Column c is in the head where sqrt(df_a(c) df_b(c)) >= head_share * sqrt(n_rows_a n_rows_b), df being the rows that
 * hold it; `b` NULL: a alone. O(entries + columns), which are to be few (cpu_narrow.h).
 */
pkin_status pkin_i_tail_rows_build(const pkin_vectors *a, const pkin_vectors *b, double head_share, int n_threads,
                                   pkin_i_tail_rows *out);
void pkin_i_tail_rows_free(pkin_i_tail_rows *rows);
uint64_t pkin_i_tail_rows_bytes(const pkin_i_tail_rows *rows);

PKIN_EXTERN_C_END

#endif
