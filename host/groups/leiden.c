/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Leiden algorithm (Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
 * 2019): nodes are moved, clusters refined, the refined groups become the nodes of the next level, which begins with
 * the clusters that were there before refinement; and so on until a level's nodes are its clusters. An iteration is all
 * of that; the next begins with single nodes of the graph again and the clusters found so far.
 *
 * Where refinement joins nothing, the clusters themselves become the next level's nodes. At the end, clusters that are
 * not connected (a node that held two groups together may have left; half a million runs on small random graphs met no
 * such case) are split, by which both objectives gain.
 *
 * Everything is exact or of fixed order (leiden.h), draws come from the seed: the result depends on nothing else.
 */
#include "groups/leiden.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "base/memory.h"
#include "base/take_options.h"
#include "groups/graph.h"
#include "groups/partition.h"

enum { THREADS_MAX = 1024, RUNS_MAX = 1000 };

pkin_leiden_options pkin_leiden_options_default(void) {
    return (pkin_leiden_options){
        .size = sizeof(pkin_leiden_options), .resolution = 1, .randomness = 0.01, .n_iterations = 2, .n_runs = 1};
}

bool pkin_i_leiden_is_cancelled(pkin_i_leiden_progress *progress) {
    int cancelled;
    if (progress->tell && omp_get_thread_num() == 0) {
        uint64_t n_done;
#pragma omp atomic read
        n_done = progress->n_done;
        if (progress->tell(progress->user, "clustering", n_done, progress->n_runs)) {
#pragma omp atomic write
            progress->cancelled = 1;
        }
    }
#pragma omp atomic read
    cancelled = progress->cancelled;
    return cancelled != 0;
}

/* ---- Memory of a run ----------------------------------------------------------------------------------------------
 */

static pkin_status level_make(uint64_t n, uint64_t n_entries, pkin_i_leiden_level *out) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(n + 1, sizeof *out->offsets, &out->offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *out->targets, &out->targets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *out->weights, &out->weights));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->masses, &out->masses));
out:
    return status;
}

static void level_free(pkin_i_leiden_level *level) {
    pkin_i_free(level->offsets);
    pkin_i_free(level->targets);
    pkin_i_free(level->weights);
    pkin_i_free(level->masses);
}

pkin_status pkin_i_leiden_work_make(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *out) {
    pkin_status status;
    uint64_t n = graph->n_nodes, n_entries = n ? graph->offsets[n] : 0;
    uint32_t **numbers[] = {&out->clusters, &out->cluster_sizes, &out->empty,   &out->touched, &out->order,
                            &out->refined,  &out->refined_sizes, &out->members, &out->level_of};
    double **sums[] = {&out->cluster_masses, &out->refined_masses, &out->refined_cuts, &out->choices};
    memset(out, 0, sizeof *out);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        PKIN_TRY(pkin_i_allocate(n, sizeof **numbers[k], numbers[k]));
    }
    for (size_t k = 0; k < sizeof sums / sizeof *sums; k++) PKIN_TRY(pkin_i_allocate(n, sizeof **sums[k], sums[k]));
    PKIN_TRY(pkin_i_allocate_zeroed(n, sizeof *out->weights_to, &out->weights_to));
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->is_queued, &out->is_queued));
    PKIN_TRY(pkin_i_allocate(n + 2, sizeof *out->numbers, &out->numbers));
    PKIN_TRY(level_make(n, n_entries, &out->levels[0]));
    PKIN_TRY(level_make(n, n_entries, &out->levels[1]));
out:
    return status;
}

void pkin_i_leiden_work_free(pkin_i_leiden_work *work) {
    void *arrays[] = {work->clusters,      work->cluster_masses, work->cluster_sizes, work->empty,
                      work->weights_to,    work->touched,        work->order,         work->is_queued,
                      work->refined,       work->refined_masses, work->choices,       work->refined_cuts,
                      work->refined_sizes, work->numbers,        work->members,       work->level_of};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pkin_i_free(arrays[k]);
    level_free(&work->levels[0]);
    level_free(&work->levels[1]);
    memset(work, 0, sizeof *work);
}

/* ---- One run ------------------------------------------------------------------------------------------------------
 */

static void number_singly(uint32_t *labels, uint32_t n) {
    for (uint32_t v = 0; v < n; v++) labels[v] = v;
}

/* The clusters of a level's nodes as clusters of the first level's. */
static void flatten(uint32_t n, pkin_i_leiden_work *work) {
    uint32_t *flat = work->members;
    for (uint32_t v = 0; v < n; v++) flat[v] = work->clusters[work->level_of[v]];
    work->members = work->clusters;
    work->clusters = flat;
}

/* From work->clusters to better ones; returns whether any node of any level moved. */
static bool iterate(const pkin_i_leiden_task *task, pkin_i_leiden_progress *progress, pkin_i_leiden_work *work) {
    pkin_i_leiden_graph graph = task->graph;
    uint32_t n = graph.n_nodes;
    bool moved = false;
    number_singly(work->level_of, n);
    for (int level = 0;; level ^= 1) {
        pkin_i_leiden_sum_clusters(&graph, work);
        moved |= pkin_i_leiden_move(&graph, task->resolution, work);
        if (work->n_empty == 0 || pkin_i_leiden_is_cancelled(progress)) break;
        if (pkin_i_leiden_refine(&graph, task->resolution, task->theta, work) == graph.n_nodes) {
            memcpy(work->refined, work->clusters, graph.n_nodes * sizeof *work->refined);
        }
        graph = pkin_i_leiden_aggregate(&graph, work->refined, &work->levels[level], work);
        for (uint32_t v = 0; v < n; v++) work->level_of[v] = work->refined[work->level_of[v]];
    }
    flatten(n, work);
    return moved;
}

void pkin_i_leiden_split(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *work) {
    uint32_t *labels = work->refined, *queue = work->order;
    memset(labels, 0xff, graph->n_nodes * sizeof *labels);
    for (uint32_t start = 0; start < graph->n_nodes; start++) {
        if (labels[start] != UINT32_MAX) continue;
        uint32_t n_queued = 1;
        queue[0] = start;
        labels[start] = start;
        for (uint32_t k = 0; k < n_queued; k++) {
            uint32_t v = queue[k];
            for (uint64_t e = graph->offsets[v]; e < graph->offsets[v + 1]; e++) {
                uint32_t u = graph->targets[e];
                if (labels[u] != UINT32_MAX || work->clusters[u] != work->clusters[start]) continue;
                labels[u] = start;
                queue[n_queued++] = u;
            }
        }
    }
    work->refined = work->clusters;
    work->clusters = labels;
}

void pkin_i_leiden_run(const pkin_i_leiden_task *task, uint64_t stream, pkin_i_leiden_progress *progress,
                       pkin_i_leiden_work *work) {
    work->random = pkin_i_random_start(task->seed, stream);
    work->progress = progress;
    number_singly(work->clusters, task->graph.n_nodes);
    for (uint32_t done = 0; task->n_iterations == 0 || done < task->n_iterations; done++) {
        if (!iterate(task, progress, work) || pkin_i_leiden_is_cancelled(progress)) break;
    }
    pkin_i_leiden_split(&task->graph, work);
}

/* ---- The objectives -----------------------------------------------------------------------------------------------
 */

/* Of a cluster, or an outlier: weight inside, in scaled weights; strength (modularity) or size. */
typedef struct cluster_sum {
    double inside, mass;
} cluster_sum;

static int largest_exponent(const pkin_graph_view *view) {
    double largest = 0;
    int exponent;
    for (uint64_t v = 0; v < view->n_nodes; v++) {
        if (view->inner_weights && view->inner_weights[v] > largest) largest = view->inner_weights[v];
        for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) {
            if (view->weights[e] > largest) largest = view->weights[e];
        }
    }
    frexp(largest, &exponent);
    return exponent;
}

static cluster_sum sum_node(const pkin_graph_view *view, const uint32_t *clusters, uint64_t v,
                            pkin_leiden_objective objective, int exponent) {
    double inner = view->inner_weights ? ldexp(view->inner_weights[v], -exponent) : 0;
    cluster_sum sum = {inner, 2 * inner};
    for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) {
        double weight = ldexp(view->weights[e], -exponent);
        uint32_t u = view->targets[e];
        if (u > v && clusters[u] == clusters[v] && clusters[v] != PKIN_NO_CLUSTER) sum.inside += weight;
        sum.mass += weight;
    }
    if (objective == PKIN_LEIDEN_CPM) sum.mass = view->sizes ? (double)view->sizes[v] : 1;
    return sum;
}

/* Sums by cluster, in the order of nodes; outliers follow the clusters. Returns how many there are of both. */
static uint64_t sum_partition(const pkin_graph_view *view, const pkin_partition *partition,
                              pkin_leiden_objective objective, int exponent, cluster_sum *sums) {
    uint64_t n = partition->n_clusters;
    for (uint64_t v = 0; v < view->n_nodes; v++) {
        cluster_sum of_node = sum_node(view, partition->clusters, v, objective, exponent);
        uint32_t cluster = partition->clusters[v];
        cluster_sum *into = &sums[cluster == PKIN_NO_CLUSTER ? n++ : cluster];
        into->inside += of_node.inside;
        into->mass += of_node.mass;
    }
    return n;
}

static double modularity(const cluster_sum *sums, uint64_t n, double resolution) {
    double strength = 0, quality = 0; /* strength: 2m */
    for (uint64_t c = 0; c < n; c++) strength += sums[c].mass;
    if (strength == 0) return 0;
    for (uint64_t c = 0; c < n; c++) {
        double share = sums[c].mass / strength;
        quality += 2 * sums[c].inside / strength - resolution * share * share;
    }
    return quality;
}

static double constant_potts(const cluster_sum *sums, uint64_t n, double resolution, int exponent) {
    double inside = 0, pairs = 0;
    for (uint64_t c = 0; c < n; c++) {
        inside += sums[c].inside;
        pairs += sums[c].mass * (sums[c].mass - 1) / 2;
    }
    return ldexp(inside, exponent) - resolution * pairs;
}

static pkin_status check_objective(pkin_leiden_objective objective, double resolution) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(objective == PKIN_LEIDEN_MODULARITY || objective == PKIN_LEIDEN_CPM, PKIN_ERROR_INVALID_ARGUMENT,
                 "leiden: objective %d is unknown; expected PKIN_LEIDEN_MODULARITY or PKIN_LEIDEN_CPM", (int)objective);
    PKIN_REQUIRE(isfinite(resolution) && resolution > 0, PKIN_ERROR_INVALID_ARGUMENT,
                 "leiden: a resolution of %g; expected a number above 0", resolution);
out:
    return status;
}

pkin_status pkin_leiden_quality(const pkin_graph *graph, const pkin_partition *partition,
                                pkin_leiden_objective objective, double resolution, double *out) {
    pkin_status status = PKIN_OK;
    cluster_sum *sums = NULL;
    pkin_graph_view view = pkin_graph_look(graph);
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "leiden: no place for the quality was given");
    PKIN_TRY(check_objective(objective, resolution));
    PKIN_TRY(pkin_i_partition_check(partition, view.n_nodes));
    PKIN_TRY(pkin_i_allocate_zeroed(view.n_nodes + partition->n_clusters, sizeof *sums, &sums));
    int exponent = largest_exponent(&view);
    uint64_t n = sum_partition(&view, partition, objective, exponent, sums);
    double quality =
        objective == PKIN_LEIDEN_CPM ? constant_potts(sums, n, resolution, exponent) : modularity(sums, n, resolution);
    PKIN_REQUIRE(isfinite(quality), PKIN_ERROR_OVERFLOW,
                 "leiden: the quality is beyond what a double holds; scale weights or resolution down");
    *out = quality;
out:
    pkin_i_free(sums);
    return status;
}

/* ---- The public function ------------------------------------------------------------------------------------------
 */

static pkin_status check_options(const pkin_leiden_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(check_objective(options->objective, options->resolution));
    PKIN_REQUIRE(isfinite(options->randomness) && options->randomness > 0, PKIN_ERROR_INVALID_ARGUMENT,
                 "leiden: a randomness of %g; expected a number above 0, such as 0.01", options->randomness);
    PKIN_REQUIRE(options->n_runs >= 1 && options->n_runs <= RUNS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "leiden: %lu runs; 1 to %d can be asked for", (unsigned long)options->n_runs, RUNS_MAX);
    PKIN_REQUIRE(options->n_threads >= 0 && options->n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "leiden: %d threads; 0 (all) to %d can be asked for", options->n_threads, THREADS_MAX);
out:
    return status;
}

pkin_status pkin_leiden(const pkin_graph *graph, const pkin_leiden_options *given, pkin_partition *out) {
    pkin_status status = PKIN_OK;
    pkin_leiden_options options = pkin_leiden_options_default();
    pkin_partition found = {0};
    pkin_graph_view view = pkin_graph_look(graph);
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "leiden: no place for the result was given");
    memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_take_options(given, &options, "pkin_leiden_options"));
    PKIN_TRY(check_options(&options));
    PKIN_TRY(pkin_i_leiden_runs(&view, &options, &found));
    PKIN_TRY(pkin_leiden_quality(graph, &found, options.objective, options.resolution, &found.quality));
    *out = found;
    found.clusters = NULL;
out:
    pkin_partition_free(&found);
    return status;
}
