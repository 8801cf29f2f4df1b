/* SPDX-License-Identifier: Apache-2.0 */
/* The graphs that Leiden works on: the first, with scaled weights, and those of groups. */
#include <math.h>
#include <string.h>

#include "base/failure.h"
#include "base/memory.h"
#include "groups/leiden.h"

#define SUM_BITS 51           /* of the sum of all scaled weights, before rounding up */
#define RESOLUTION_MOST 1e200 /* times two masses it is still finite: beyond, nothing is joined anyway */

static double inner_weight(const pkin_graph_view *view, uint64_t v) {
    return view->inner_weights ? view->inner_weights[v] : 0;
}

/* The power of two that brings the sum of all strengths to SUM_BITS bits. */
static int find_scale(const pkin_graph_view *view) {
    uint64_t n_entries = view->n_nodes ? view->offsets[view->n_nodes] : 0;
    double largest = 0, sum = 0;
    int exponent, sum_exponent;
    for (uint64_t e = 0; e < n_entries; e++) largest = view->weights[e] > largest ? view->weights[e] : largest;
    for (uint64_t v = 0; v < view->n_nodes; v++)
        largest = inner_weight(view, v) > largest ? inner_weight(view, v) : largest;
    if (largest == 0) return 0;
    frexp(largest, &exponent); /* in steps, so that sums do not overflow */
    for (uint64_t e = 0; e < n_entries; e++) sum += ldexp(view->weights[e], -exponent);
    for (uint64_t v = 0; v < view->n_nodes; v++) sum += 2 * ldexp(inner_weight(view, v), -exponent);
    frexp(sum, &sum_exponent);
    return SUM_BITS - sum_exponent - exponent;
}

/* To the nearest integer, ties to even, in a way that no compiler may fold; x in [0, 2^51]. */
static double round_to_integer(double x) {
    int64_t floor = (int64_t)x;
    double rest = x - (double)floor;
    return (double)(floor + (rest > 0.5 || (rest == 0.5 && (floor & 1))));
}

static double scale_weight(double weight, int scale) {
    double scaled = round_to_integer(ldexp(weight, scale));
    return scaled < 1 ? 1 : scaled;
}

static double sum_strengths(const pkin_graph_view *view, int scale, const double *weights, double *strengths) {
    double sum = 0;
    for (uint64_t v = 0; v < view->n_nodes; v++) {
        double strength = inner_weight(view, v) > 0 ? 2 * scale_weight(inner_weight(view, v), scale) : 0;
        for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) strength += weights[e];
        strengths[v] = strength;
        sum += strength;
    }
    return sum;
}

static double limit(double x, double least, double most) {
    return x < least ? least : x > most ? most : x;
}

pkin_status pkin_i_leiden_task_make(const pkin_graph_view *view, const pkin_leiden_options *options,
                                    pkin_i_leiden_task *out) {
    pkin_status status = PKIN_OK;
    uint64_t n = view->n_nodes, n_entries = n ? view->offsets[n] : 0;
    int scale = find_scale(view);
    double sum = 0;
    memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *out->weights, &out->weights));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->masses, &out->masses));
    for (uint64_t e = 0; e < n_entries; e++) {
        out->weights[e] = scale_weight(view->weights[e], scale);
        sum += out->weights[e];
    }
    if (options->objective == PKIN_LEIDEN_CPM) {
        for (uint64_t v = 0; v < n; v++) out->masses[v] = view->sizes ? (double)view->sizes[v] : 1;
        out->resolution = ldexp(options->resolution, scale);
    } else {
        double total = sum_strengths(view, scale, out->weights, out->masses);
        out->resolution = options->resolution / (total > 0 ? total : 1);
    }
    out->resolution = limit(out->resolution, 0, RESOLUTION_MOST);
    out->theta = limit(options->randomness * (n_entries ? sum / (double)n_entries : 1), 0x1p-1000, RESOLUTION_MOST);
    out->seed = options->seed;
    out->n_iterations = options->n_iterations;
    out->graph = (pkin_i_leiden_graph){(uint32_t)n, view->offsets, view->targets, out->weights, out->masses};
out:
    return status;
}

void pkin_i_leiden_task_free(pkin_i_leiden_task *task) {
    pkin_i_free(task->weights);
    pkin_i_free(task->masses);
    memset(task, 0, sizeof *task);
}

/* New numbers for labels below n_labels, by the least node of each; returns how many are in use. */
static uint32_t renumber(uint32_t *labels, uint32_t n, uint32_t n_labels, uint32_t *numbers) {
    uint32_t n_used = 0;
    memset(numbers, 0xff, n_labels * sizeof *numbers);
    for (uint32_t v = 0; v < n; v++) {
        if (numbers[labels[v]] == UINT32_MAX) numbers[labels[v]] = n_used++;
        labels[v] = numbers[labels[v]];
    }
    return n_used;
}

/* Nodes by label, ascending; `begins` has room for n_labels + 2, and ends up as n_labels + 1 offsets. */
static void list_members(const uint32_t *labels, uint32_t n, uint32_t n_labels, uint32_t *begins, uint32_t *members) {
    memset(begins, 0, ((size_t)n_labels + 2) * sizeof *begins);
    for (uint32_t v = 0; v < n; v++) begins[(size_t)labels[v] + 2]++;
    for (size_t k = 2; k <= (size_t)n_labels + 1; k++) begins[k] += begins[k - 1];
    for (uint32_t v = 0; v < n; v++) members[begins[(size_t)labels[v] + 1]++] = v;
}

/* One row of the aggregated graph, from `at` on; returns its end. */
static uint64_t sum_group(const pkin_i_leiden_graph *graph, const uint32_t *labels, uint32_t group,
                          const uint32_t *members, uint32_t n_members, uint64_t at, pkin_i_leiden_level *into,
                          pkin_i_leiden_work *work) {
    uint32_t n_touched = 0;
    double mass = 0;
    for (uint32_t k = 0; k < n_members; k++) {
        uint32_t v = members[k];
        mass += graph->masses[v];
        for (uint64_t e = graph->offsets[v], end = graph->offsets[v + 1]; e < end; e++) {
            uint32_t other = labels[graph->targets[e]];
            work->touched[n_touched] = other;
            n_touched += work->weights_to[other] == 0;
            work->weights_to[other] += graph->weights[e];
        }
    }
    for (uint32_t k = 0; k < n_touched; k++) {
        uint32_t other = work->touched[k];
        if (other != group) {
            into->targets[at] = other;
            into->weights[at++] = work->weights_to[other];
        }
        work->weights_to[other] = 0;
    }
    into->masses[group] = mass;
    return at;
}

pkin_i_leiden_graph pkin_i_leiden_aggregate(const pkin_i_leiden_graph *graph, uint32_t *labels,
                                            pkin_i_leiden_level *into, pkin_i_leiden_work *work) {
    uint32_t n = graph->n_nodes, n_groups = renumber(labels, n, n, work->numbers);
    uint32_t *begins = work->numbers;
    list_members(labels, n, n_groups, begins, work->members);
    into->offsets[0] = 0;
    for (uint32_t group = 0; group < n_groups; group++) {
        const uint32_t *members = work->members + begins[group];
        into->offsets[group + 1] = sum_group(graph, labels, group, members, begins[group + 1] - begins[group],
                                             into->offsets[group], into, work);
        /* In place: later groups' least members, which are read, have higher numbers than any group so far. */
        work->clusters[group] = work->clusters[members[0]];
    }
    renumber(work->clusters, n_groups, n, work->numbers);
    return (pkin_i_leiden_graph){n_groups, into->offsets, into->targets, into->weights, into->masses};
}
