/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lloyd's algorithm on the sphere: rows go to the nearest centre, centres move to the middle of their rows, until no
 * row changes its cluster. Assigning is a top-1 search of the similarity engine, which is exact: a tie goes to the
 * lower centre. Everything is an integer, or a double computed from one row or one cluster in the order of its columns.
 *
 * The sum over rows of the score with their centre never falls (but for what rounding centres to fixed point costs,
 * some 1e-9 a row): the best centre is no worse than the old one, and the sum's direction is the best centre there is.
 */
#include "groups/kmeans.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "groups/kmeans_assign.h"
#include "groups/kmeans_centers.h"
#include "groups/kmeans_seeds.h"
#include "groups/partition.h"
#include "similarity/vectors.h"

/* More threads than any machine has. */
enum { THREADS_MAX = 1024 };

/* Closer than this a row is its centre, and cannot take an empty cluster: it would come back at once. */
static const double SAME_COSINE = 1 - 0x1p-20;

typedef struct kmeans {
    const pkin_vectors *vectors;
    pkin_kmeans_options options;
    int n_threads;
    double *lengths;   /* by row: 1 for a unit row, up to rounding; 0 for an empty one */
    uint64_t n_filled; /* rows that are not empty */
    uint64_t n_done;   /* iterations, of all starts, for progress */
    int cancelled;     /* while seeds were drawn */
} kmeans;

/* One start. */
typedef struct start {
    uint32_t n_clusters;
    uint32_t *labels; /* by row: cluster or PKIN_NO_CLUSTER */
    uint32_t *before; /* the same an iteration ago */
    uint64_t *scores; /* by row: with its centre */
    uint64_t *sizes;  /* by cluster */
    double cosine_sum;
} start;

static void start_free(start *self) {
    pkin_i_free(self->labels);
    pkin_i_free(self->before);
    pkin_i_free(self->scores);
    pkin_i_free(self->sizes);
    *self = (start){0};
}

static pkin_status start_allocate(uint64_t n_rows, uint32_t n_clusters, start *out) {
    pkin_status status;
    *out = (start){.n_clusters = n_clusters};
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *out->labels, &out->labels));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *out->before, &out->before));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *out->scores, &out->scores));
    PKIN_TRY(pkin_i_allocate(n_clusters, sizeof *out->sizes, &out->sizes));
out:
    return status;
}

/* ---- Setting up -------------------------------------------------------------------------------------------------- */

static int report_progress(void *user, const char *stage, uint64_t done, uint64_t total) {
    const kmeans *self = user;
    (void)stage, (void)done, (void)total; /* of a part of one iteration */
    if (!self->options.on_progress) return 0;
    return self->options.on_progress(self->options.progress_user, "clustering", self->n_done,
                                     (uint64_t)self->options.n_starts * self->options.n_iterations);
}

/* Remembers: who cancels says so once. */
static int is_cancelled(void *user) {
    kmeans *self = user;
    if (!self->cancelled) self->cancelled = report_progress(user, "", 0, 0) != 0;
    return self->cancelled;
}

static pkin_status check_options(const pkin_kmeans_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(options->n_clusters >= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "k-means: set n_clusters, the number of clusters, to 1 or more");
    PKIN_REQUIRE(options->n_starts >= 1, PKIN_ERROR_INVALID_ARGUMENT, "k-means: n_starts is 0; 1 or more are needed");
    PKIN_REQUIRE(options->n_iterations >= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "k-means: n_iterations is 0; 1 or more are needed");
    PKIN_REQUIRE(options->n_threads >= 0 && options->n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "k-means: %d threads; 0 (all) to %d can be asked for", options->n_threads, THREADS_MAX);
out:
    return status;
}

static pkin_status kmeans_open(const pkin_vectors *vectors, const pkin_kmeans_options *options, kmeans *out) {
    pkin_status status;
    *out = (kmeans){.vectors = vectors, .options = *options};
    out->n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    PKIN_TRY(pkin_i_allocate(vectors->n_rows, sizeof *out->lengths, &out->lengths));
    for (uint64_t row = 0; row < vectors->n_rows; row++) {
        const uint64_t squares = pkin_vectors_score(vectors, row, vectors, row);
        out->lengths[row] = sqrt((double)squares) * 0x1p-30;
        out->n_filled += squares > 0;
    }
out:
    return status;
}

/* ---- An iteration ------------------------------------------------------------------------------------------------ */

static int is_here(const char *backend) {
    return !backend || strcmp(backend, "auto") == 0 || strcmp(backend, "cpu") == 0;
}

/* For a backend that was named. */
static pkin_status assign_elsewhere(kmeans *self, const pkin_vectors *centers, start *run) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.backend = self->options.backend;
    options.n_threads = self->options.n_threads;
    options.on_progress = report_progress;
    options.progress_user = self;
    return pkin_i_kmeans_assign_by_search(self->vectors, centers, &options, run->labels, run->scores);
}

static pkin_status assign(kmeans *self, const pkin_vectors *centers, start *run) {
    pkin_status status;
    if (is_here(self->options.backend)) {
        PKIN_TRY(pkin_i_kmeans_assign(self->vectors, centers, self->n_threads, run->labels, run->scores));
    } else {
        PKIN_TRY(assign_elsewhere(self, centers, run));
    }
    memset(run->sizes, 0, run->n_clusters * sizeof *run->sizes);
    run->cosine_sum = 0;
    for (uint64_t row = 0; row < self->vectors->n_rows; row++) {
        if (run->labels[row] == PKIN_NO_CLUSTER) continue;
        run->sizes[run->labels[row]]++;
        run->cosine_sum += pkin_score_to_cosine(run->scores[row]) / self->lengths[row];
    }
out:
    return status;
}

/* A row that may take an empty cluster. */
typedef struct far_row {
    double cosine;
    uint32_t row;
} far_row;

static int compare_far_rows(const void *a, const void *b) {
    const far_row *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine < y->cosine ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static uint64_t list_far_rows(const kmeans *self, const start *run, far_row *out) {
    uint64_t n = 0;
    for (uint64_t row = 0; row < self->vectors->n_rows; row++) {
        if (self->lengths[row] == 0) continue;
        const double cosine = pkin_score_to_cosine(run->scores[row]) / self->lengths[row];
        if (cosine < SAME_COSINE) out[n++] = (far_row){cosine, (uint32_t)row};
    }
    qsort(out, n, sizeof *out, compare_far_rows);
    return n;
}

/* Each empty cluster takes the row farthest from its centre, outliers first, which leaves no cluster empty thereby. */
static pkin_status fill_empty_clusters(const kmeans *self, start *run) {
    pkin_status status = PKIN_OK;
    far_row *far = NULL;
    uint32_t c = 0;
    while (c < run->n_clusters && run->sizes[c] > 0) c++;
    if (c == run->n_clusters) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(self->n_filled, sizeof *far, &far));
    const uint64_t n = list_far_rows(self, run, far);
    for (uint64_t k = 0; k < n && c < run->n_clusters; k++) {
        uint32_t *label = &run->labels[far[k].row];
        if (*label != PKIN_NO_CLUSTER && run->sizes[*label] < 2) continue;
        if (*label != PKIN_NO_CLUSTER) run->sizes[*label]--;
        *label = c;
        run->sizes[c] = 1;
        while (c < run->n_clusters && run->sizes[c] > 0) c++;
    }
out:
    pkin_i_free(far);
    return status;
}

/* Labels say where it begins. */
static pkin_status iterate(kmeans *self, start *run) {
    pkin_status status = PKIN_OK;
    pkin_vectors *centers = NULL;
    const uint64_t begin = self->n_done;
    for (uint32_t i = 0; i < self->options.n_iterations; i++) {
        memcpy(run->before, run->labels, self->vectors->n_rows * sizeof *run->labels);
        PKIN_TRY(pkin_i_kmeans_centers(self->vectors, run->labels, run->n_clusters, self->n_threads, &centers));
        PKIN_TRY(assign(self, centers, run));
        PKIN_TRY(fill_empty_clusters(self, run));
        pkin_vectors_free(centers);
        centers = NULL;
        self->n_done++;
        if (report_progress(self, "", 0, 0)) PKIN_TRY(pkin_i_fail(PKIN_ERROR_CANCELLED, "k-means was cancelled"));
        if (memcmp(run->before, run->labels, self->vectors->n_rows * sizeof *run->labels) == 0) break;
    }
out:
    self->n_done = begin + self->options.n_iterations;
    pkin_vectors_free(centers);
    return status;
}

static pkin_status run_from(kmeans *self, const uint32_t *rows, uint32_t n_rows, start *out) {
    pkin_status status;
    PKIN_TRY(start_allocate(self->vectors->n_rows, n_rows, out));
    for (uint64_t row = 0; row < self->vectors->n_rows; row++) out->labels[row] = PKIN_NO_CLUSTER;
    for (uint32_t c = 0; c < n_rows; c++) out->labels[rows[c]] = c;
    PKIN_TRY(iterate(self, out));
out:
    if (status != PKIN_OK) start_free(out);
    return status;
}

static pkin_status give(const kmeans *self, const start *run, pkin_partition *out) {
    pkin_status status;
    uint64_t n_assigned = 0;
    PKIN_TRY(pkin_i_partition_make(run->labels, self->vectors->n_rows, 0, out));
    for (uint64_t row = 0; row < out->n_nodes; row++) n_assigned += out->clusters[row] != PKIN_NO_CLUSTER;
    out->quality = n_assigned ? run->cosine_sum / (double)n_assigned : 0;
out:
    return status;
}

/* ---- The calls --------------------------------------------------------------------------------------------------- */

pkin_status pkin_i_kmeans_from_rows(const pkin_vectors *vectors, const uint32_t *rows, uint32_t n_rows,
                                    const pkin_kmeans_options *options, pkin_partition *out) {
    pkin_status status;
    kmeans self = {0};
    start run = {0};
    *out = (pkin_partition){0};
    PKIN_TRY(kmeans_open(vectors, options, &self));
    PKIN_TRY(run_from(&self, rows, n_rows, &run));
    PKIN_TRY(give(&self, &run, out));
out:
    start_free(&run);
    pkin_i_free(self.lengths);
    return status;
}

/* The best of several starts; of equal ones the first. */
static pkin_status run_starts(kmeans *self, pkin_i_kmeans_seeder *seeder, uint32_t n_most, start *out) {
    pkin_status status = PKIN_OK;
    uint32_t *rows = NULL;
    start run = {0};
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *rows, &rows));
    for (uint32_t s = 0; s < self->options.n_starts; s++) {
        pkin_i_random random = pkin_i_random_start(self->options.seed, s);
        const uint32_t n = pkin_i_kmeans_seed(seeder, &random, n_most, rows, is_cancelled, self);
        PKIN_REQUIRE(!is_cancelled(self), PKIN_ERROR_CANCELLED, "k-means: cancelled");
        PKIN_TRY(run_from(self, rows, n, &run));
        if (s > 0 && run.cosine_sum <= out->cosine_sum) {
            start_free(&run);
            continue;
        }
        start_free(out);
        *out = run;
        run = (start){0};
    }
out:
    pkin_i_free(rows);
    start_free(&run);
    return status;
}

pkin_kmeans_options pkin_kmeans_options_default(void) {
    pkin_kmeans_options options = {0};
    options.size = sizeof options;
    options.n_starts = 1;
    options.n_iterations = 50;
    return options;
}

pkin_status pkin_kmeans(const pkin_vectors *vectors, const pkin_kmeans_options *options, pkin_partition *out) {
    pkin_status status;
    pkin_kmeans_options taken = pkin_kmeans_options_default();
    kmeans self = {0};
    pkin_i_kmeans_seeder *seeder = NULL;
    start best = {0};
    if (out) *out = (pkin_partition){0};
    PKIN_REQUIRE(vectors && out, PKIN_ERROR_INVALID_ARGUMENT, "k-means: vectors and a place for the result are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_kmeans_options"));
    PKIN_TRY(check_options(&taken));
    PKIN_TRY(kmeans_open(vectors, &taken, &self));
    PKIN_TRY(pkin_i_kmeans_seeder_open(vectors, self.lengths, &seeder));
    const uint32_t n_most = taken.n_clusters < self.n_filled ? taken.n_clusters : (uint32_t)self.n_filled;
    PKIN_TRY(run_starts(&self, seeder, n_most, &best));
    PKIN_TRY(give(&self, &best, out));
out:
    pkin_i_kmeans_seeder_close(seeder);
    start_free(&best);
    pkin_i_free(self.lengths);
    return status;
}
