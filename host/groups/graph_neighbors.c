/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of nearest neighbours. The entries that count (the first k of each list, at or above the floor) are
 * scattered twice, by the row they name and back by the row whose list they stand in: this gives, for each row, whom it
 * names and who names it, both ascending, without comparisons. An edge is what both hold (mutual), or either; merging
 * the two tells each row's edges, independently of all other rows, so that rows are shared among threads and the result
 * is the same for any number of them. Everything is integers until a weight is written down.
 *
 * Lists are compared by marks: a thread writes down what the list of its row counts for each row, and reads that off
 * for the list at the other end of each edge.
 *
 * Memory: 32 bytes an entry beside the graph, and for comparing lists 4 bytes a row and thread. Time: linear in the
 * entries; comparing lists takes the length of one for each direction of an edge.
 */
#include <omp.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "groups/graph.h"

/* A weight is so many of these. */
#define WEIGHT_UNIT (1.0 / (double)(UINT64_C(1) << 30))

enum { ROWS_AT_A_TIME = 1024 };

pkin_graph_options pkin_graph_options_default(void) {
    return (pkin_graph_options){
        .size = sizeof(pkin_graph_options), .sides = PKIN_GRAPH_MUTUAL, .weight = PKIN_EDGE_COSINE};
}

/* What one list says of one row. */
typedef struct list_entry {
    uint64_t score;
    uint32_t row;
    uint32_t rank; /* place in the list, from 0 */
} list_entry;

/* Entries of rows, by row; within a row ascending by the row that they name. */
typedef struct entry_rows {
    uint64_t *offsets;
    list_entry *entries;
} entry_rows;

static void entry_rows_free(entry_rows *rows) {
    pkin_i_free(rows->offsets);
    pkin_i_free(rows->entries);
}

typedef struct build {
    const pkin_neighbor_lists *lists;
    uint64_t n_rows;
    uint64_t n_first;     /* entries of each list that count */
    uint64_t least_score; /* and the score that they need */
    pkin_graph_sides sides;
    pkin_edge_weight weight;
    uint64_t least_weight; /* in units, at least 1 */
    entry_rows names;      /* by row: whom it names */
    entry_rows named_by;   /* by row: who names it */
    pkin_graph graph;
} build;

/* ---- Entries ----------------------------------------------------------------------------------------------------- */

/* Where the entries of list r that may count end; those below the floor stand among them. */
static uint64_t list_end(const build *b, uint64_t r) {
    uint64_t begin = b->lists->offsets[r], end = b->lists->offsets[r + 1];
    return end - begin > b->n_first ? begin + b->n_first : end;
}

static pkin_status check_lists(const build *b) {
    pkin_status status = PKIN_OK;
    const pkin_neighbor_lists *lists = b->lists;
    PKIN_REQUIRE(b->n_rows < UINT32_MAX, PKIN_ERROR_OVERFLOW, "neighbours of %llu rows: expected fewer than 4294967295",
                 (unsigned long long)b->n_rows);
    PKIN_REQUIRE(lists->offsets && lists->offsets[0] == 0 && (lists->neighbors || !lists->offsets[b->n_rows]),
                 PKIN_ERROR_INVALID_ARGUMENT, "the neighbour lists are incomplete: expected pkin_similarity_top_k's");
    for (uint64_t r = 0; r < b->n_rows; r++) {
        PKIN_REQUIRE(lists->offsets[r] <= lists->offsets[r + 1], PKIN_ERROR_INVALID_ARGUMENT,
                     "neighbour list %llu ends before it begins", (unsigned long long)r);
        for (uint64_t i = lists->offsets[r]; i < list_end(b, r); i++) {
            const pkin_neighbor *entry = &lists->neighbors[i];
            PKIN_REQUIRE(entry->row < b->n_rows && entry->row != r && entry->score <= PKIN_SCORE_ONE,
                         PKIN_ERROR_INVALID_ARGUMENT,
                         "neighbour list %llu names row %lu of %llu: expected lists of one set of rows, made by "
                         "pkin_similarity_top_k(a, NULL, ...)",
                         (unsigned long long)r, (unsigned long)entry->row, (unsigned long long)b->n_rows);
            PKIN_REQUIRE(i == lists->offsets[r] || entry->score <= entry[-1].score, PKIN_ERROR_INVALID_ARGUMENT,
                         "neighbour list %llu is not in the order of its scores, the highest first",
                         (unsigned long long)r);
        }
    }
out:
    return status;
}

static void sum_up(uint64_t *counts, uint64_t n_rows) {
    for (uint64_t r = 0; r < n_rows; r++) counts[r + 1] += counts[r];
}

/* By row: who names it. Also counts whom each row names, for scatter_back. */
static pkin_status scatter_lists(build *b, uint64_t *next) {
    pkin_status status = PKIN_OK;
    const pkin_neighbor_lists *lists = b->lists;
    uint64_t *named = b->named_by.offsets;
    for (uint64_t r = 0; r < b->n_rows; r++) {
        for (uint64_t i = lists->offsets[r]; i < list_end(b, r); i++) {
            if (lists->neighbors[i].score < b->least_score) continue;
            named[lists->neighbors[i].row + 1]++;
            b->names.offsets[r + 1]++;
        }
    }
    sum_up(named, b->n_rows);
    sum_up(b->names.offsets, b->n_rows);
    PKIN_TRY(pkin_i_allocate(named[b->n_rows], sizeof(list_entry), &b->named_by.entries));
    for (uint64_t r = 0; r < b->n_rows; r++) next[r] = named[r];
    for (uint64_t r = 0; r < b->n_rows; r++) {
        for (uint64_t i = lists->offsets[r]; i < list_end(b, r); i++) {
            const pkin_neighbor *entry = &lists->neighbors[i];
            if (entry->score >= b->least_score)
                b->named_by.entries[next[entry->row]++] =
                    (list_entry){entry->score, (uint32_t)r, (uint32_t)(i - lists->offsets[r])};
        }
    }
out:
    return status;
}

/* By row: whom it names, ascending. */
static pkin_status scatter_back(build *b, uint64_t *next) {
    pkin_status status = PKIN_OK;
    const entry_rows *named_by = &b->named_by;
    PKIN_TRY(pkin_i_allocate(b->names.offsets[b->n_rows], sizeof(list_entry), &b->names.entries));
    for (uint64_t r = 0; r < b->n_rows; r++) next[r] = b->names.offsets[r];
    for (uint64_t q = 0; q < b->n_rows; q++) {
        for (uint64_t i = named_by->offsets[q]; i < named_by->offsets[q + 1]; i++) {
            const list_entry *entry = &named_by->entries[i];
            uint64_t at = next[entry->row]++;
            PKIN_REQUIRE(at == b->names.offsets[entry->row] || b->names.entries[at - 1].row != q,
                         PKIN_ERROR_INVALID_ARGUMENT, "neighbour list %lu names row %llu twice",
                         (unsigned long)entry->row, (unsigned long long)q);
            b->names.entries[at] = (list_entry){entry->score, (uint32_t)q, entry->rank};
        }
    }
out:
    return status;
}

static pkin_status gather_entries(build *b) {
    pkin_status status;
    uint64_t *next = NULL;
    PKIN_TRY(check_lists(b));
    PKIN_TRY(pkin_i_allocate_zeroed(b->n_rows + 1, sizeof(uint64_t), &b->names.offsets));
    PKIN_TRY(pkin_i_allocate_zeroed(b->n_rows + 1, sizeof(uint64_t), &b->named_by.offsets));
    PKIN_TRY(pkin_i_allocate(b->n_rows, sizeof *next, &next));
    PKIN_TRY(scatter_lists(b, next));
    PKIN_TRY(scatter_back(b, next));
out:
    pkin_i_free(next);
    return status;
}

/* ---- Edges ------------------------------------------------------------------------------------------------------- */

/* What a list of n entries counts for the one of a rank, and for its own row; for rows that it does not name, 0. */
static uint32_t entry_count(const build *b, uint64_t n, uint32_t rank) {
    return b->weight == PKIN_EDGE_RANKED_NEIGHBORS ? (uint32_t)n - rank : 1;
}

static uint32_t own_count(const build *b, uint64_t n) {
    return b->weight == PKIN_EDGE_RANKED_NEIGHBORS ? (uint32_t)n + 1 : 1;
}

/* All that it counts. */
static uint64_t list_sum(const build *b, uint64_t n) {
    return b->weight == PKIN_EDGE_RANKED_NEIGHBORS ? (n + 1) * (n + 2) / 2 : n + 1;
}

/* Puts what the list of r counts by row into `marks`, or zeros in their place. */
static void mark_list(const build *b, uint64_t r, bool set, uint32_t *marks) {
    const list_entry *begin = b->names.entries + b->names.offsets[r];
    uint64_t n = b->names.offsets[r + 1] - b->names.offsets[r];
    marks[r] = set ? own_count(b, n) : 0;
    for (uint64_t i = 0; i < n; i++) marks[begin[i].row] = set ? entry_count(b, n, begin[i].rank) : 0;
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Of the lists of r, which is marked, and q: the sum of the smaller counts over that of the larger ones, in units. */
static uint64_t shared_neighbors(const build *b, uint64_t r, uint64_t q, const uint32_t *marks) {
    const list_entry *begin = b->names.entries + b->names.offsets[q];
    uint64_t n_r = b->names.offsets[r + 1] - b->names.offsets[r], n_q = b->names.offsets[q + 1] - b->names.offsets[q];
    uint64_t smaller = least(marks[q], own_count(b, n_q));
    for (uint64_t i = 0; i < n_q; i++) smaller += least(marks[begin[i].row], entry_count(b, n_q, begin[i].rank));
    uint64_t larger = list_sum(b, n_r) + list_sum(b, n_q) - smaller;
    return (uint64_t)(((unsigned __int128)smaller << 30) / larger);
}

/* In units; 0: no edge. */
static uint64_t weight_of(const build *b, uint64_t r, uint64_t q, uint64_t score, const uint32_t *marks) {
    switch (b->weight) {
    case PKIN_EDGE_COSINE_SQUARED:
        return (uint64_t)((unsigned __int128)score * score >> 90);
    case PKIN_EDGE_SHARED_NEIGHBORS:
    case PKIN_EDGE_RANKED_NEIGHBORS:
        return shared_neighbors(b, r, q, marks);
    default:
        return score >> 30;
    }
}

/*
 * The edges of row r, ascending; returns how many. An edge that both name has one score, or the larger of two. `marks`:
 * those of the list of r, where weights need them.
 */
static uint64_t join_row(const build *b, uint64_t r, const uint32_t *marks, uint32_t *targets, double *weights) {
    const list_entry *a = b->names.entries + b->names.offsets[r];
    const list_entry *a_end = b->names.entries + b->names.offsets[r + 1];
    const list_entry *c = b->named_by.entries + b->named_by.offsets[r];
    const list_entry *c_end = b->named_by.entries + b->named_by.offsets[r + 1];
    uint64_t n = 0;
    while (a < a_end || c < c_end) {
        int forth = c == c_end || (a < a_end && a->row <= c->row);
        int back = a == a_end || (c < c_end && c->row <= a->row);
        uint32_t q = forth ? a->row : c->row;
        uint64_t score = !back || (forth && a->score > c->score) ? a->score : c->score;
        a += forth;
        c += back;
        if (b->sides == PKIN_GRAPH_MUTUAL && !(forth && back)) continue;
        uint64_t weight = weight_of(b, r, q, score, marks);
        if (weight < b->least_weight) continue;
        targets[n] = q;
        weights[n++] = (double)weight * WEIGHT_UNIT;
    }
    return n;
}

/* The most edges that row r can have. */
static uint64_t row_bound(const build *b, uint64_t r) {
    uint64_t forth = b->names.offsets[r + 1] - b->names.offsets[r];
    uint64_t back = b->named_by.offsets[r + 1] - b->named_by.offsets[r];
    if (b->sides != PKIN_GRAPH_MUTUAL) return forth + back;
    return forth < back ? forth : back;
}

/* Moves rows that were written with gaps together. `begins`: where each was written. */
static void close_gaps(pkin_graph *graph, const uint64_t *begins) {
    for (uint64_t r = 0; r < graph->n_nodes; r++) {
        uint64_t n = graph->offsets[r + 1], at = graph->offsets[r];
        for (uint64_t i = 0; i < n; i++) {
            graph->targets[at + i] = graph->targets[begins[r] + i];
            graph->weights[at + i] = graph->weights[begins[r] + i];
        }
        graph->offsets[r + 1] = at + n;
    }
}

static pkin_status join_rows(build *b) {
    pkin_status status;
    pkin_graph *graph = &b->graph;
    uint64_t *begins = NULL;
    uint32_t *marks = NULL; /* of each thread: a count for every row, zeros between two rows' turns */
    int n_threads = omp_get_max_threads();
    bool compares_lists = b->weight == PKIN_EDGE_SHARED_NEIGHBORS || b->weight == PKIN_EDGE_RANKED_NEIGHBORS;
    size_t n_marks;
    PKIN_REQUIRE(pkin_i_multiply((size_t)n_threads, b->n_rows, &n_marks), PKIN_ERROR_OVERFLOW,
                 "neighbours of %llu rows do not fit in memory", (unsigned long long)b->n_rows);
    graph->n_nodes = b->n_rows;
    PKIN_TRY(pkin_i_allocate_zeroed(b->n_rows + 1, sizeof *begins, &begins));
    for (uint64_t r = 0; r < b->n_rows; r++) begins[r + 1] = begins[r] + row_bound(b, r);
    PKIN_TRY(pkin_i_allocate_zeroed(b->n_rows + 1, sizeof *graph->offsets, &graph->offsets));
    PKIN_TRY(pkin_i_allocate(begins[b->n_rows], sizeof *graph->targets, &graph->targets));
    PKIN_TRY(pkin_i_allocate(begins[b->n_rows], sizeof *graph->weights, &graph->weights));
    if (compares_lists) PKIN_TRY(pkin_i_allocate_zeroed(n_marks, sizeof *marks, &marks));
#pragma omp parallel num_threads(n_threads)
    {
        uint32_t *own = marks ? marks + (size_t)omp_get_thread_num() * b->n_rows : NULL;
#pragma omp for schedule(dynamic, ROWS_AT_A_TIME)
        for (uint64_t r = 0; r < b->n_rows; r++) {
            if (own) mark_list(b, r, true, own);
            graph->offsets[r + 1] = join_row(b, r, own, graph->targets + begins[r], graph->weights + begins[r]);
            if (own) mark_list(b, r, false, own);
        }
    }
    close_gaps(graph, begins);
out:
    pkin_i_free(begins);
    pkin_i_free(marks);
    return status;
}

static pkin_status take_options(const pkin_graph_options *given, build *b) {
    pkin_status status;
    pkin_graph_options options = pkin_graph_options_default();
    PKIN_TRY(pkin_i_take_options(given, &options, "pkin_graph_options"));
    PKIN_REQUIRE(options.floor >= 0 && options.floor <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the floor of a graph's edges is %g, expected a cosine from 0 to 1", options.floor);
    PKIN_REQUIRE(options.sides == PKIN_GRAPH_MUTUAL || options.sides == PKIN_GRAPH_EITHER, PKIN_ERROR_INVALID_ARGUMENT,
                 "unknown sides %d of a graph's edges", (int)options.sides);
    PKIN_REQUIRE(options.weight >= PKIN_EDGE_COSINE && options.weight <= PKIN_EDGE_RANKED_NEIGHBORS,
                 PKIN_ERROR_INVALID_ARGUMENT, "unknown weight %d of a graph's edges", (int)options.weight);
    b->n_first = options.n_neighbors ? options.n_neighbors : UINT64_MAX;
    b->least_score = pkin_score_from_threshold(options.floor);
    b->sides = options.sides;
    b->weight = options.weight;
    PKIN_REQUIRE(options.least_weight >= 0 && options.least_weight <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the least weight of a graph's edges is %g, expected a number from 0 to 1", options.least_weight);
    b->least_weight = (uint64_t)(options.least_weight / WEIGHT_UNIT);
    if (b->least_weight == 0) b->least_weight = 1;
out:
    return status;
}

pkin_status pkin_graph_from_neighbors(const pkin_neighbor_lists *lists, const pkin_graph_options *options,
                                      const char *const *names, pkin_graph **out) {
    pkin_status status;
    build b = {.lists = lists, .n_rows = lists ? lists->n_rows : 0};
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_from_neighbors needs a place for its graph");
    *out = NULL;
    PKIN_REQUIRE(lists, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_from_neighbors needs neighbour lists");
    PKIN_TRY(take_options(options, &b));
    PKIN_TRY(gather_entries(&b));
    PKIN_TRY(join_rows(&b));
    PKIN_TRY(pkin_i_names_copy(names, b.n_rows, &b.graph.names));
    PKIN_TRY(pkin_i_graph_take(&b.graph, out));
out:
    entry_rows_free(&b.names);
    entry_rows_free(&b.named_by);
    pkin_i_graph_parts_free(&b.graph);
    return status;
}
