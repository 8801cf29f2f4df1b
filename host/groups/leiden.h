/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_LEIDEN_H
#define PKIN_GROUPS_LEIDEN_H

#include <stdbool.h>

#include "groups/random.h"
#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

/*
 * A graph as the Leiden algorithm works on it. Both objectives are sums over clusters c of
 *
 *     (weight inside of c) - resolution / 2 * mass(c)^2 + what does not depend on the clusters,
 *
 * where a node's mass is its strength (modularity, resolution / 2m) or its size (constant Potts model).
 *
 * Weights are scaled by a power of two, one for the whole graph, and rounded to integers, so that twice the sum of all
 * is below 2^52: every sum of them, and every sum of masses, is then exact in a double, whatever its order. Weights
 * that are multiples of 2^-30 keep their value as long as they sum to less than 2^20; of others at most 2^-51 of the
 * sum is lost. No weight becomes less than 1.
 */
typedef struct pkin_i_leiden_graph {
    uint32_t n_nodes;
    const uint64_t *offsets;
    const uint32_t *targets; /* in any order, none twice, not the node itself */
    const double *weights;   /* integers >= 1 */
    const double *masses;    /* integers >= 0 */
} pkin_i_leiden_graph;

/* The first level: scaled weights and masses of a graph, whose rows it borrows. Threads share it. */
typedef struct pkin_i_leiden_task {
    pkin_i_leiden_graph graph;
    double *weights, *masses; /* owned; graph's */
    double resolution;        /* of masses in scaled weights; in [0, 1e200] */
    double theta;             /* randomness in scaled weights; > 0 */
    uint64_t seed;
    uint32_t n_iterations; /* 0: until nothing moves */
} pkin_i_leiden_task;

/* `view` must live as long as the task. Free it also after a failure. */
pkin_status pkin_i_leiden_task_make(const pkin_graph_view *view, const pkin_leiden_options *options,
                                    pkin_i_leiden_task *out);
void pkin_i_leiden_task_free(pkin_i_leiden_task *task);

/* Arrays of an aggregated graph, reused from level to level. */
typedef struct pkin_i_leiden_level {
    uint64_t *offsets;
    uint32_t *targets;
    double *weights, *masses;
} pkin_i_leiden_level;

/* One run's memory, each array as long as the first level has nodes; nothing is allocated while a run goes on. */
typedef struct pkin_i_leiden_work {
    pkin_i_random random;
    /* The partition of the level's nodes. Numbers are below the level's number of nodes; some are empty. */
    uint32_t *clusters;
    double *cluster_masses;
    uint32_t *cluster_sizes;
    uint32_t *empty; /* numbers of empty clusters */
    uint32_t n_empty;
    /* Weights from one node, or group of nodes, to groups: zero but while one is looked at. */
    double *weights_to;
    uint32_t *touched;
    uint32_t *order; /* of visits; a ring while nodes are moved */
    uint8_t *is_queued;
    /* The partition inside of the partition, by refinement. */
    uint32_t *refined;
    double *refined_masses;
    double *refined_cuts; /* weight to the rest of their cluster */
    uint32_t *refined_sizes;
    double *choices; /* of one node: sums of shares */
    uint32_t *numbers, *members;
    uint32_t *level_of; /* of a node of the first level: the node of this one that it is in */
    pkin_i_leiden_level levels[2];
    struct pkin_i_leiden_progress *progress; /* of the run that goes on; NULL: it cannot be cancelled */
} pkin_i_leiden_work;

pkin_status pkin_i_leiden_work_make(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *out);
void pkin_i_leiden_work_free(pkin_i_leiden_work *work);

/* Sums of the partition `clusters` of a level's nodes. */
void pkin_i_leiden_sum_clusters(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *work);

/* Moves single nodes to the best neighbouring cluster, or to an empty one, until none gains, or for a number of visits
   that graphs of papers are far from; returns whether any moved. Stops early when the run is cancelled. */
bool pkin_i_leiden_move(const pkin_i_leiden_graph *graph, double resolution, pkin_i_leiden_work *work);

/* Splits each cluster into well-connected parts, `refined`, by randomised merges; returns how many there are. */
uint32_t pkin_i_leiden_refine(const pkin_i_leiden_graph *graph, double resolution, double theta,
                              pkin_i_leiden_work *work);

/* The graph of the groups `labels` (below n_nodes, renumbered by their least node), whose clusters become `clusters`.
 */
pkin_i_leiden_graph pkin_i_leiden_aggregate(const pkin_i_leiden_graph *graph, uint32_t *labels,
                                            pkin_i_leiden_level *into, pkin_i_leiden_work *work);

/* Of work->clusters, which are of the first level's nodes, parts that are not connected become clusters. */
void pkin_i_leiden_split(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *work);

/* How far the runs are, shared by the threads of one call. Only the calling thread tells of progress. */
typedef struct pkin_i_leiden_progress {
    pkin_progress_fn tell; /* may be NULL */
    void *user;
    uint64_t n_done, n_runs;
    int cancelled;
} pkin_i_leiden_progress;

/* Whether to stop. Called at every level of a run, and while its nodes are moved. */
bool pkin_i_leiden_is_cancelled(pkin_i_leiden_progress *progress);

/* One run from single nodes; the partition is in work->clusters, each cluster connected. `stream` parts its draws from
   those of other runs. Stops early, with an unfinished result, when it is cancelled. */
void pkin_i_leiden_run(const pkin_i_leiden_task *task, uint64_t stream, pkin_i_leiden_progress *progress,
                       pkin_i_leiden_work *work);

/* options->n_runs runs, and where they are several the partition that they agree on; see ensemble.c. */
pkin_status pkin_i_leiden_runs(const pkin_graph_view *view, const pkin_leiden_options *options, pkin_partition *out);

PKIN_EXTERN_C_END

#endif
