/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On unit rows k-means++ draws by the squared Euclidean distance, 2 - 2 cos. The scores of all rows against a new
 * centre come from the rows by column: only rows that share a column with it are touched, the others keep their
 * distance. Distances are kept as integers of 32 bits, rounded down, so that their sum is exact and whoever equals a
 * centre has no chance. O(sum over the centre's columns of the rows that have them) a centre.
 */
#include "groups/kmeans_seeds.h"

#include "base/failure.h"
#include "similarity/vectors.h"

#define WHOLE_DISTANCE 0x1p32

typedef struct posting {
    uint32_t row, weight;
} posting;

enum { ASKED_AFTER = 64 }; /* centres */

struct pkin_i_kmeans_seeder {
    const pkin_vectors *vectors;
    const double *lengths;
    uint64_t *offsets;   /* by column, n_columns + 1 */
    posting *postings;   /* rows ascending within a column */
    uint64_t *scores;    /* by row: 0 between the calls */
    uint32_t *touched;   /* rows with a score */
    uint32_t *distances; /* by row: to the nearest centre, WHOLE_DISTANCE = 1; at most 2^32 - 1 */
};

static void fill_postings(pkin_i_kmeans_seeder *self) {
    const pkin_vectors *vectors = self->vectors;
    const uint64_t n_entries = vectors->row_offsets[vectors->n_rows];
    for (uint64_t at = 0; at < n_entries; at++) self->offsets[vectors->columns[at]]++;
    for (uint64_t c = 0, sum = 0; c <= vectors->n_columns; c++) {
        sum += self->offsets[c];
        self->offsets[c] = sum; /* the end of column c; counted down to its begin */
    }
    for (uint64_t row = vectors->n_rows; row-- > 0;) {
        for (uint64_t at = vectors->row_offsets[row]; at < vectors->row_offsets[row + 1]; at++) {
            self->postings[--self->offsets[vectors->columns[at]]] = (posting){(uint32_t)row, vectors->weights[at]};
        }
    }
}

pkin_status pkin_i_kmeans_seeder_open(const pkin_vectors *vectors, const double *lengths, pkin_i_kmeans_seeder **out) {
    pkin_status status;
    pkin_i_kmeans_seeder *self = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *self, &self));
    self->vectors = vectors;
    self->lengths = lengths;
    PKIN_TRY(pkin_i_allocate_zeroed(vectors->n_columns + 1, sizeof *self->offsets, &self->offsets));
    PKIN_TRY(pkin_i_allocate(vectors->row_offsets[vectors->n_rows], sizeof *self->postings, &self->postings));
    PKIN_TRY(pkin_i_allocate_zeroed(vectors->n_rows, sizeof *self->scores, &self->scores));
    PKIN_TRY(pkin_i_allocate(vectors->n_rows, sizeof *self->touched, &self->touched));
    PKIN_TRY(pkin_i_allocate(vectors->n_rows, sizeof *self->distances, &self->distances));
    fill_postings(self);
    *out = self;
    self = NULL;
out:
    pkin_i_kmeans_seeder_close(self);
    return status;
}

void pkin_i_kmeans_seeder_close(pkin_i_kmeans_seeder *seeder) {
    if (!seeder) return;
    pkin_i_free(seeder->offsets);
    pkin_i_free(seeder->postings);
    pkin_i_free(seeder->scores);
    pkin_i_free(seeder->touched);
    pkin_i_free(seeder->distances);
    pkin_i_free(seeder);
}

/* Scores of all rows against one; returns how many are not 0, and lists these in `touched`. */
static uint64_t score_all(pkin_i_kmeans_seeder *self, uint32_t center) {
    const pkin_vectors *vectors = self->vectors;
    uint64_t n = 0;
    for (uint64_t at = vectors->row_offsets[center]; at < vectors->row_offsets[(uint64_t)center + 1]; at++) {
        const uint64_t column = vectors->columns[at], weight = vectors->weights[at];
        for (uint64_t p = self->offsets[column]; p < self->offsets[column + 1]; p++) {
            const posting item = self->postings[p];
            if (self->scores[item.row] == 0) self->touched[n++] = item.row;
            self->scores[item.row] += weight * item.weight;
        }
    }
    return n;
}

/* Takes a row as a centre: distances shrink. */
static void approach(pkin_i_kmeans_seeder *self, uint32_t center) {
    const uint64_t n = score_all(self, center);
    for (uint64_t k = 0; k < n; k++) {
        const uint32_t row = self->touched[k];
        const double cosine = pkin_score_to_cosine(self->scores[row]) / (self->lengths[row] * self->lengths[center]);
        const double distance = cosine < 1 ? (1 - cosine) * WHOLE_DISTANCE : 0;
        if (distance < (double)self->distances[row]) self->distances[row] = (uint32_t)distance;
        self->scores[row] = 0;
    }
    self->distances[center] = 0; /* whatever its length was rounded to */
}

/* The row in whose share of all distances `place` falls. */
static uint32_t row_at(const pkin_i_kmeans_seeder *self, uint64_t place) {
    uint32_t row = 0;
    while (place >= self->distances[row]) place -= self->distances[row++];
    return row;
}

uint32_t pkin_i_kmeans_seed(pkin_i_kmeans_seeder *seeder, pkin_i_random *random, uint32_t n_most, uint32_t *rows,
                            int (*is_cancelled)(void *user), void *user) {
    const pkin_vectors *vectors = seeder->vectors;
    uint32_t n = 0;
    for (uint64_t row = 0; row < vectors->n_rows; row++) {
        seeder->distances[row] = vectors->row_offsets[row] < vectors->row_offsets[row + 1] ? UINT32_MAX : 0;
    }
    for (; n < n_most; n++) {
        if (n % ASKED_AFTER == 0 && is_cancelled(user)) break;
        uint64_t sum = 0; /* < 2^32 rows: it fits */
        for (uint64_t row = 0; row < vectors->n_rows; row++) sum += seeder->distances[row];
        if (sum == 0) break;
        rows[n] = row_at(seeder, pkin_i_random_below(random, sum));
        approach(seeder, rows[n]);
    }
    return n;
}
