/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. The k best groups of equal rows are found for each group; from them and the group's own rows come the k
 * best rows of each row. That is enough: take a row whose group is not among the k best of another group. Each of those
 * k is better by a higher score, or by the same score and a lower first row; so its first row is better than every row
 * of the group that was left out, and there are k such rows. A group's own rows are further candidates, with the score
 * that the group has with itself, which need not be the highest: rows may be shorter than 1.
 *
 * The rows of a group share one list of k + 1 best rows, the group's own among them: each leaves out itself, or else
 * the last.
 */
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/crew.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/policy.h"

enum { PARALLEL_GROUPS = 1024, GROUPS_AT_ONCE = 64 };

/* The k best groups of every group: those of group g begin at [g * k]. */
typedef struct best_groups {
    uint32_t k;
    pkin_neighbor *neighbors; /* their `row` is a group */
    uint32_t *counts;
} best_groups;

static void best_groups_free(best_groups *best) {
    pkin_i_free(best->neighbors);
    pkin_i_free(best->counts);
}

static pkin_status compare(pkin_i_work *work, best_groups *best) {
    pkin_status status;
    pkin_i_neighbor_heaps heaps = {0};
    const uint64_t n_groups = work->rows.task.a->n_rows;
    size_t n_places;
    const uint32_t k = best->k = work->rows.target.k;
    PKIN_REQUIRE(pkin_i_multiply(n_groups, k, &n_places), PKIN_ERROR_OVERFLOW, "top-k: %llu rows x %lu neighbours",
                 (unsigned long long)n_groups, (unsigned long)k);
    PKIN_TRY(pkin_i_allocate(n_places, sizeof *best->neighbors, &best->neighbors));
    PKIN_TRY(pkin_i_allocate_zeroed(n_groups, sizeof *best->counts, &best->counts));
    if (work->rows.task.n_pairs_total == 0) goto out;
    PKIN_TRY(
        pkin_i_neighbor_heaps_open(n_groups, k, work->rows.target.min_score, best->neighbors, best->counts, &heaps));
    PKIN_TRY(pkin_i_work_open(work));
    const double begin = pkin_i_seconds_now();
    PKIN_TRY(work->engine->top_k(work->session, &heaps));
    work->compare_seconds += pkin_i_seconds_now() - begin;
    work->report.n_strips = 1;
    pkin_i_work_end(work);
    const double found = pkin_i_seconds_now();
    pkin_i_neighbor_heaps_sort(&heaps, work->rows.task.n_threads);
    work->report.sort_seconds += pkin_i_seconds_now() - found;
out:
    pkin_i_neighbor_heaps_close(&heaps);
    return status;
}

/* ---- Where every row is a group: the groups' neighbours are the rows' ---- */

/* Moves the rows' neighbours, k places each, together, and gives back the room that is left. */
static pkin_status take_groups(best_groups *best, uint64_t n_rows, pkin_neighbor_lists *lists) {
    uint64_t total = 0;
    lists->neighbors = best->neighbors;
    best->neighbors = NULL;
    for (uint64_t r = 0; r < n_rows; r++) {
        if (total < r * best->k) {
            memmove(lists->neighbors + total, lists->neighbors + r * best->k,
                    best->counts[r] * sizeof *lists->neighbors);
        }
        lists->offsets[r] = total;
        total += best->counts[r];
    }
    lists->offsets[n_rows] = total;
    return pkin_i_reallocate(&lists->neighbors, total, sizeof *lists->neighbors);
}

/* ---- Where groups have several rows, or rows are in no group ---- */

/* The rows of one group that are still to come, in a heap by the next of them. */
typedef struct member_cursor {
    uint32_t row;
    uint64_t at, end;
} member_cursor;

typedef struct expansion {
    const pkin_i_compared_rows *rows;
    const pkin_i_distinct_rows *b; /* whose rows are the neighbours */
    const best_groups *best;
    uint64_t k;
    pkin_neighbor_lists *lists;
} expansion;

/* What one thread works in. */
typedef struct scratch {
    pkin_neighbor *groups; /* k + 1: a group's best groups and, in its place among them, itself */
    member_cursor *heap;   /* k + 1 */
    pkin_neighbor *rows;   /* k + 1 */
} scratch;

static void scratch_free(scratch *self) {
    pkin_i_free(self->groups);
    pkin_i_free(self->heap);
    pkin_i_free(self->rows);
}

static pkin_status scratch_init(scratch *self, uint64_t k, uint32_t best_k) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate((size_t)best_k + 1, sizeof *self->groups, &self->groups));
    PKIN_TRY(pkin_i_allocate((size_t)best_k + 1, sizeof *self->heap, &self->heap));
    PKIN_TRY(pkin_i_allocate(k + 1, sizeof *self->rows, &self->rows));
out:
    return status;
}

/* Whether group g's own rows are neighbours of each other; `*score` is that of any two. */
static bool has_own(const expansion *self, uint64_t g, uint64_t *score) {
    if (self->rows->task.b || pkin_i_group_size(&self->rows->a, g) < 2) return false;
    *score = pkin_i_group_score(&self->rows->a, g);
    return *score >= self->rows->target.min_score;
}

/* Neighbours that each row of group g will have. */
static uint64_t count_of(const expansion *self, uint64_t g) {
    const pkin_neighbor *best = self->best->neighbors + g * self->best->k;
    uint64_t own_score, n = has_own(self, g, &own_score) ? pkin_i_group_size(&self->rows->a, g) - 1 : 0;
    for (uint32_t c = 0; c < self->best->counts[g] && n < self->k; c++) n += pkin_i_group_size(self->b, best[c].row);
    return n < self->k ? n : self->k;
}

/* The groups whose rows are candidates for group g's, the best first: ties are in no order. Returns how many. */
static uint64_t list_groups(const expansion *self, uint64_t g, pkin_neighbor *groups) {
    const pkin_neighbor *best = self->best->neighbors + g * self->best->k;
    const uint32_t n = self->best->counts[g];
    uint32_t before = 0;
    uint64_t own_score;
    if (!has_own(self, g, &own_score)) {
        memcpy(groups, best, n * sizeof *groups);
        return n;
    }
    while (before < n && best[before].score >= own_score) before++;
    memcpy(groups, best, before * sizeof *groups);
    groups[before] = (pkin_neighbor){own_score, (uint32_t)g};
    memcpy(groups + before + 1, best + before, (n - before) * sizeof *groups);
    return (uint64_t)n + 1;
}

static void sift_down(member_cursor *heap, uint64_t n, uint64_t at) {
    const member_cursor item = heap[at];
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= n) break;
        if (child + 1 < n && heap[child + 1].row < heap[child].row) child++;
        if (heap[child].row >= item.row) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

/* Appends rows of these groups, which share a score, in ascending order, until there are `n_most`. */
static uint64_t merge_members(const expansion *self, const pkin_neighbor *groups, uint64_t n_groups, uint64_t n_most,
                              uint64_t n, scratch *own) {
    member_cursor *heap = own->heap;
    uint64_t n_heap = n_groups;
    for (uint64_t c = 0; c < n_groups; c++) {
        const uint64_t at = pkin_i_group_begin(self->b, groups[c].row);
        heap[c] = (member_cursor){pkin_i_group_row(self->b, at), at,
                                  pkin_i_group_begin(self->b, groups[c].row + UINT64_C(1))};
    }
    for (uint64_t at = n_heap / 2; at-- > 0;) sift_down(heap, n_heap, at);
    while (n_heap > 0 && n < n_most) {
        own->rows[n++] = (pkin_neighbor){groups[0].score, heap[0].row};
        if (++heap[0].at < heap[0].end) {
            heap[0].row = pkin_i_group_row(self->b, heap[0].at);
        } else {
            heap[0] = heap[--n_heap];
        }
        if (n_heap > 0) sift_down(heap, n_heap, 0);
    }
    return n;
}

/* Writes the neighbours of every row of group g. */
static void expand_group(const expansion *self, uint64_t g, scratch *own) {
    const uint64_t n_groups = list_groups(self, g, own->groups);
    uint64_t n = 0;
    for (uint64_t first = 0, end; first < n_groups && n <= self->k; first = end) {
        for (end = first; end < n_groups && own->groups[end].score == own->groups[first].score;) end++;
        n = merge_members(self, own->groups + first, end - first, self->k + 1, n, own);
    }
    const bool within = !self->rows->task.b;
    for (uint64_t m = pkin_i_group_begin(&self->rows->a, g); m < pkin_i_group_begin(&self->rows->a, g + 1); m++) {
        const uint32_t row = pkin_i_group_row(&self->rows->a, m);
        uint64_t to = self->lists->offsets[row];
        const uint64_t last = self->lists->offsets[(uint64_t)row + 1];
        for (uint64_t c = 0; to < last; c++) {
            if (!within || own->rows[c].row != row) self->lists->neighbors[to++] = own->rows[c];
        }
    }
}

/* Where each row's neighbours begin. Rows in no group have none. */
static void place_rows(const expansion *self, uint64_t n_rows, int n_threads) {
    uint64_t *offsets = self->lists->offsets;
    memset(offsets, 0, (n_rows + 1) * sizeof *offsets);
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (uint64_t g = 0; g < self->rows->a.rows.n_rows; g++) {
        const uint64_t n = count_of(self, g), end = pkin_i_group_begin(&self->rows->a, g + 1);
        for (uint64_t m = pkin_i_group_begin(&self->rows->a, g); m < end; m++) {
            offsets[(uint64_t)pkin_i_group_row(&self->rows->a, m) + 1] = n;
        }
    }
    for (uint64_t r = 0; r < n_rows; r++) offsets[r + 1] += offsets[r];
}

static pkin_status expand_groups(const pkin_i_compared_rows *rows, const best_groups *best, uint64_t k, uint64_t n_rows,
                                 pkin_neighbor_lists *lists) {
    pkin_status status;
    const expansion self = {rows, rows->task.b ? &rows->b : &rows->a, best, k, lists};
    const uint64_t n_groups = rows->a.rows.n_rows;
    const int n_threads = n_groups > PARALLEL_GROUPS ? rows->task.n_threads : 1;
    scratch *own = NULL;
    place_rows(&self, n_rows, n_threads);
    PKIN_TRY(pkin_i_allocate(lists->offsets[n_rows], sizeof *lists->neighbors, &lists->neighbors));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)n_threads, sizeof *own, &own));
    for (int t = 0; t < n_threads; t++) PKIN_TRY(scratch_init(&own[t], k, best->k));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, GROUPS_AT_ONCE)
    for (uint64_t g = 0; g < n_groups; g++) expand_group(&self, g, &own[omp_get_thread_num()]);
out:
    for (int t = 0; own && t < n_threads; t++) scratch_free(&own[t]);
    pkin_i_free(own);
    return status;
}

/* ---- The call ---- */

static pkin_status collect(pkin_i_work *work, best_groups *best, uint64_t k, pkin_neighbor_lists *lists) {
    pkin_status status;
    const double begin = pkin_i_seconds_now();
    const uint64_t n_rows = work->request.task.a->n_rows;
    lists->n_rows = n_rows;
    PKIN_TRY(pkin_i_allocate(n_rows + 1, sizeof *lists->offsets, &lists->offsets));
    if (!work->rows.a.offsets && !work->rows.b.offsets) {
        PKIN_TRY(take_groups(best, n_rows, lists));
    } else {
        PKIN_TRY(expand_groups(&work->rows, best, k, n_rows, lists));
    }
    work->report.sort_seconds += pkin_i_seconds_now() - begin;
out:
    return status;
}

pkin_status pkin_similarity_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                  const pkin_similarity_options *options, pkin_neighbor_lists *out) {
    pkin_status status;
    pkin_i_work work = {0};
    best_groups best = {0};
    pkin_neighbor_lists lists = {0};
    if (out) *out = lists;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "top-k: a place for the neighbours is needed");
    PKIN_REQUIRE(k > 0, PKIN_ERROR_INVALID_ARGUMENT, "top-k: k is 0; at least one neighbour is to be asked for");
    PKIN_TRY(pkin_i_work_take(a, b, k, floor, 1, options, &work));
    PKIN_REQUIRE(!work.request.options.checkpoint_dir, PKIN_ERROR_UNSUPPORTED,
                 "top-k: checkpoints are kept of joins only; leave checkpoint_dir NULL");
    /* No row has more neighbours than there are rows. */
    if (k > (b ? b : a)->n_rows) k = (b ? b : a)->n_rows ? (uint32_t)(b ? b : a)->n_rows : 1;
    PKIN_TRY(compare(&work, &best));
    PKIN_TRY(collect(&work, &best, k, &lists));
    pkin_i_work_report(&work, lists.offsets[lists.n_rows], 0);
    *out = lists;
    lists = (pkin_neighbor_lists){0};
out:
    best_groups_free(&best);
    pkin_i_work_close(&work);
    pkin_neighbor_lists_free(&lists);
    return status;
}

void pkin_neighbor_lists_free(pkin_neighbor_lists *lists) {
    if (!lists) return;
    pkin_i_free(lists->offsets);
    pkin_i_free(lists->neighbors);
    *lists = (pkin_neighbor_lists){0};
}
