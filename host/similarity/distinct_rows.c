/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/distinct_rows.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"

enum {
    PARALLEL_ROWS = 4096, /* fewer are not worth waking threads for */
    N_PARTS = 256,        /* rows are dealt out by the upper 8 bits of their hashes */
    PART_SHIFT = 56
};

/* In place of a row's representative: no index of a row is so large. */
static const uint32_t EMPTY = UINT32_MAX;

/* What finding equal rows needs for a while. */
typedef struct search {
    const pkin_vectors *vectors;
    uint64_t *hashes;          /* n_rows */
    uint32_t *representatives; /* n_rows: the lowest row that equals this one, or EMPTY */
    uint32_t *order;           /* the rows that are not empty, by part, then ascending */
    uint32_t *table;           /* part p has the slots [2 * starts[p] + p, 2 * starts[p + 1] + p]: row + 1, or 0 */
    uint64_t starts[N_PARTS + 1];
} search;

static void search_free(search *self) {
    pkin_i_free(self->hashes);
    pkin_i_free(self->representatives);
    pkin_i_free(self->order);
    pkin_i_free(self->table);
}

/* A sum, so that its products need not wait for one another; the ascending columns stand for the order. */
static uint64_t hash_row(const pkin_vectors *vectors, uint64_t row) {
    const uint64_t begin = vectors->row_offsets[row], n = vectors->row_offsets[row + 1] - begin;
    const uint32_t *columns = vectors->columns + begin, *weights = vectors->weights + begin;
    uint64_t sum = n, k = 0;
    for (; k + 2 <= n; k += 2) {
        uint64_t two_columns, two_weights;
        memcpy(&two_columns, columns + k, sizeof two_columns);
        memcpy(&two_weights, weights + k, sizeof two_weights);
        sum += pkin_i_hash_fold(two_columns, two_weights);
    }
    if (k < n) sum += pkin_i_hash_fold(columns[k], weights[k]);
    return pkin_i_hash_u64(sum);
}

static bool rows_are_equal(const pkin_vectors *vectors, uint64_t x, uint64_t y) {
    const uint64_t at_x = vectors->row_offsets[x], at_y = vectors->row_offsets[y];
    const uint64_t n = vectors->row_offsets[x + 1] - at_x;
    return n == vectors->row_offsets[y + 1] - at_y &&
           memcmp(vectors->columns + at_x, vectors->columns + at_y, n * sizeof *vectors->columns) == 0 &&
           memcmp(vectors->weights + at_x, vectors->weights + at_y, n * sizeof *vectors->weights) == 0;
}

static bool is_empty(const pkin_vectors *vectors, uint64_t row) {
    return vectors->row_offsets[row] == vectors->row_offsets[row + 1];
}

/* Deals the rows out to parts: a stable counting sort. */
static void deal_out(search *self) {
    const pkin_vectors *vectors = self->vectors;
    uint64_t ends[N_PARTS];
    memset(self->starts, 0, sizeof self->starts);
    for (uint64_t r = 0; r < vectors->n_rows; r++) {
        if (!is_empty(vectors, r)) self->starts[(self->hashes[r] >> PART_SHIFT) + 1]++;
    }
    for (int p = 0; p < N_PARTS; p++) {
        self->starts[p + 1] += self->starts[p];
        ends[p] = self->starts[p];
    }
    for (uint64_t r = 0; r < vectors->n_rows; r++) {
        if (!is_empty(vectors, r)) self->order[ends[self->hashes[r] >> PART_SHIFT]++] = (uint32_t)r;
    }
}

/*
 * The lowest row that equals `row`, or the row itself, which then takes a slot. Hashes only lead to a place and spare
 * comparisons: equal are rows whose entries are.
 */
static uint32_t find_representative(const search *self, uint32_t *table, uint64_t n_slots, uint32_t row) {
    const uint64_t hash = self->hashes[row];
    /* The bits below those that chose the part, scaled to the table. */
    uint64_t slot = (uint64_t)((unsigned __int128)(hash << (64 - PART_SHIFT)) * n_slots >> 64);
    for (; table[slot] != 0; slot = slot + 1 < n_slots ? slot + 1 : 0) {
        uint32_t other = table[slot] - 1;
        if (self->hashes[other] == hash && rows_are_equal(self->vectors, other, row)) return other;
    }
    table[slot] = row + 1;
    return row;
}

/* Rows come in ascending order, so that the first of a group is its lowest. */
static void search_part(search *self, int part) {
    uint32_t *table = self->table + 2 * self->starts[part] + (uint64_t)part;
    uint64_t n_slots = 2 * (self->starts[part + 1] - self->starts[part]) + 1;
    memset(table, 0, n_slots * sizeof *table);
    for (uint64_t k = self->starts[part]; k < self->starts[part + 1]; k++) {
        uint32_t row = self->order[k];
        self->representatives[row] = find_representative(self, table, n_slots, row);
    }
}

static pkin_status search_run(search *self, int n_threads, pkin_i_distinct_rows *out) {
    pkin_status status;
    const pkin_vectors *vectors = self->vectors;
    const uint64_t n_rows = vectors->n_rows;
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->hashes, &self->hashes));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->representatives, &self->representatives));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *self->order, &self->order));
    PKIN_TRY(pkin_i_allocate(2 * n_rows + N_PARTS, sizeof *self->table, &self->table));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1024) if (n_rows > PARALLEL_ROWS)
    for (uint64_t r = 0; r < n_rows; r++) {
        self->hashes[r] = hash_row(vectors, r);
        self->representatives[r] = EMPTY;
    }
    deal_out(self);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1) if (n_rows > PARALLEL_ROWS)
    for (int p = 0; p < N_PARTS; p++) search_part(self, p);
    out->fingerprint = pkin_i_hash_bytes(self->hashes, n_rows * sizeof *self->hashes, vectors->n_columns);
    for (uint64_t r = 0; r < n_rows; r++) {
        if (self->representatives[r] == EMPTY) {
            out->n_empty++;
        } else if (self->representatives[r] != r) {
            out->n_copies++;
        }
    }
out:
    return status;
}

/*
 * The members of every group: `offsets` first counts them, then gives each group its place, which moves on while rows
 * are put there, and is last moved back. Leaves each row's group in `groups`, which held its representative.
 */
static pkin_status list_members(uint32_t *groups, uint64_t n_all, uint64_t n_groups, int with_copies,
                                pkin_i_distinct_rows *out) {
    pkin_status status;
    uint64_t *offsets, n = 0;
    PKIN_TRY(pkin_i_allocate_zeroed(n_groups + 1, sizeof *out->offsets, &out->offsets));
    offsets = out->offsets;
    for (uint64_t r = 0; r < n_all; r++) {
        if (groups[r] == EMPTY) continue;
        const bool is_first = groups[r] == r;
        /* The representative is lower: its group is there already. */
        groups[r] = is_first ? (uint32_t)n++ : groups[groups[r]];
        if (is_first || with_copies) offsets[groups[r] + 1]++;
    }
    for (uint64_t g = 0; g < n_groups; g++) {
        if (offsets[g + 1] > out->most_members) out->most_members = offsets[g + 1];
        offsets[g + 1] += offsets[g];
    }
    PKIN_TRY(pkin_i_allocate(offsets[n_groups], sizeof *out->members, &out->members));
    n = 0;
    for (uint64_t r = 0; r < n_all; r++) {
        if (groups[r] == EMPTY) continue;
        const bool is_first = groups[r] == n;
        n += is_first;
        if (is_first || with_copies) out->members[offsets[groups[r]]++] = (uint32_t)r;
    }
    memmove(offsets + 1, offsets, n_groups * sizeof *offsets);
    offsets[0] = 0;
out:
    return status;
}

/* What a copy of one row of each group takes, with the lists of members. */
static uint64_t bytes_of_copy(const pkin_vectors *vectors, uint64_t n_groups, const pkin_i_distinct_rows *distinct) {
    uint64_t n_entries = 0;
    for (uint64_t g = 0; g < n_groups; g++) {
        const uint64_t row = distinct->members[distinct->offsets[g]];
        n_entries += vectors->row_offsets[row + 1] - vectors->row_offsets[row];
    }
    return (n_groups + 1) * (sizeof *vectors->row_offsets + sizeof *distinct->offsets) +
           n_entries * (sizeof *vectors->columns + sizeof *vectors->weights) +
           distinct->offsets[n_groups] * sizeof *distinct->members;
}

/* Every row a group of its own, the empty ones as well: engines bear that, and find the same pairs. */
static void leave_as_they_are(const pkin_vectors *vectors, pkin_i_distinct_rows *distinct) {
    pkin_i_free(distinct->offsets);
    pkin_i_free(distinct->members);
    *distinct = (pkin_i_distinct_rows){
        .rows = *vectors, .most_members = vectors->n_rows > 0, .fingerprint = pkin_i_hash_u64(distinct->fingerprint)};
}

static pkin_status copy_rows(const pkin_vectors *vectors, uint64_t n_groups, int n_threads, pkin_i_distinct_rows *out) {
    pkin_status status;
    pkin_vectors *rows = &out->rows;
    rows->n_rows = n_groups;
    PKIN_TRY(pkin_i_allocate(n_groups + 1, sizeof *rows->row_offsets, &rows->row_offsets));
    rows->row_offsets[0] = 0;
    for (uint64_t g = 0; g < n_groups; g++) {
        uint64_t row = out->members[out->offsets[g]];
        rows->row_offsets[g + 1] = rows->row_offsets[g] + (vectors->row_offsets[row + 1] - vectors->row_offsets[row]);
    }
    PKIN_TRY(pkin_i_allocate(rows->row_offsets[n_groups], sizeof *rows->columns, &rows->columns));
    PKIN_TRY(pkin_i_allocate(rows->row_offsets[n_groups], sizeof *rows->weights, &rows->weights));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1024) if (n_groups > PARALLEL_ROWS)
    for (uint64_t g = 0; g < n_groups; g++) {
        const uint64_t from = vectors->row_offsets[out->members[out->offsets[g]]], to = rows->row_offsets[g];
        const uint64_t n = rows->row_offsets[g + 1] - to;
        memcpy(rows->columns + to, vectors->columns + from, n * sizeof *rows->columns);
        memcpy(rows->weights + to, vectors->weights + from, n * sizeof *rows->weights);
    }
out:
    return status;
}

pkin_status pkin_i_distinct_rows_find(const pkin_vectors *vectors, int with_copies, uint64_t most_bytes, int n_threads,
                                      pkin_i_distinct_rows *out) {
    pkin_status status;
    pkin_i_distinct_rows found = {.rows = *vectors};
    search self = {.vectors = vectors};
    uint64_t n_groups;
    *out = (pkin_i_distinct_rows){0};
    PKIN_TRY(search_run(&self, n_threads, &found));
    n_groups = vectors->n_rows - found.n_empty - found.n_copies;
    if (n_groups == vectors->n_rows) {
        found.most_members = n_groups > 0;
    } else {
        found.rows = (pkin_vectors){.n_columns = vectors->n_columns};
        PKIN_TRY(list_members(self.representatives, vectors->n_rows, n_groups, with_copies, &found));
        search_free(&self);
        self = (search){0};
        found.bytes = bytes_of_copy(vectors, n_groups, &found);
        if (with_copies && most_bytes > 0 && found.bytes > most_bytes) {
            leave_as_they_are(vectors, &found);
        } else {
            PKIN_TRY(copy_rows(vectors, n_groups, n_threads, &found));
        }
    }
    *out = found;
    found = (pkin_i_distinct_rows){0};
out:
    search_free(&self);
    pkin_i_distinct_rows_free(&found);
    return status;
}

void pkin_i_distinct_rows_free(pkin_i_distinct_rows *distinct) {
    if (distinct->offsets) {
        pkin_i_free(distinct->rows.row_offsets);
        pkin_i_free(distinct->rows.columns);
        pkin_i_free(distinct->rows.weights);
    }
    pkin_i_free(distinct->offsets);
    pkin_i_free(distinct->members);
    *distinct = (pkin_i_distinct_rows){0};
}

uint64_t pkin_i_group_score(const pkin_i_distinct_rows *distinct, uint64_t g) {
    const pkin_vectors *rows = &distinct->rows;
    uint64_t score = 0;
    for (uint64_t k = rows->row_offsets[g]; k < rows->row_offsets[g + 1]; k++) {
        score += (uint64_t)rows->weights[k] * rows->weights[k];
    }
    return score;
}
