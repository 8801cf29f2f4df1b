/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fast local moving (Traag, Waltman and van Eck 2019, algorithm A.2): nodes wait in a queue, at first all in random
 * order. Each goes where the objective gains most; when it moved, its neighbours outside of its new cluster are queued
 * again. O(degree) a visit.
 *
 * It ends: weights and masses are exact, so a gain is off by the rounding of two products at most, less than 2^-49 of
 * the node's strength for any cluster worth moving to. A move must gain TOLERANCE of it, hence raises the objective
 * itself, and no partition comes twice. Of equal gains the cluster met first counts, in the order of the node's edges.
 */
#include "groups/leiden.h"

#include <string.h>

#define TOLERANCE 0x1p-44

enum {
    /*
     * Visits of a node, in the mean: beyond, the next level goes on, where whole groups move at once. Graphs of papers
     * stay below that. Where each node prefers the next one (a path whose weights rise), clusters creep along it node
     * by node, and it would be as many as there are nodes.
     */
    MOST_VISITS = 64,
    VISITS_AT_A_TIME = 1 << 16 /* between two looks at whether to stop */
};

/* A ring of nodes, none twice, over work->order. */
typedef struct ring {
    uint32_t *nodes;
    uint32_t size, begin, n;
} ring;

static uint32_t ring_take(ring *queue) {
    uint32_t node = queue->nodes[queue->begin];
    if (++queue->begin == queue->size) queue->begin = 0;
    queue->n--;
    return node;
}

static void ring_add(ring *queue, uint32_t node) {
    uint64_t place = (uint64_t)queue->begin + queue->n++;
    queue->nodes[place < queue->size ? place : place - queue->size] = node;
}

void pkin_i_leiden_sum_clusters(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *work) {
    uint32_t n = graph->n_nodes;
    memset(work->cluster_masses, 0, n * sizeof *work->cluster_masses);
    memset(work->cluster_sizes, 0, n * sizeof *work->cluster_sizes);
    for (uint32_t v = 0; v < n; v++) {
        work->cluster_masses[work->clusters[v]] += graph->masses[v];
        work->cluster_sizes[work->clusters[v]]++;
    }
    work->n_empty = 0;
    for (uint32_t c = n; c-- > 0;) {
        if (work->cluster_sizes[c] == 0) work->empty[work->n_empty++] = c;
    }
}

/* The best cluster for v: its own, unless another is better by more than rounding. */
static uint32_t choose_cluster(const pkin_i_leiden_graph *graph, double resolution, uint32_t v,
                               pkin_i_leiden_work *work) {
    double *weights_to = work->weights_to;
    uint32_t *touched = work->touched, n_touched = 0, own = work->clusters[v];
    double mass = graph->masses[v], rate = resolution * mass;
    for (uint64_t e = graph->offsets[v], end = graph->offsets[v + 1]; e < end; e++) {
        uint32_t c = work->clusters[graph->targets[e]];
        touched[n_touched] = c;
        n_touched += weights_to[c] == 0;
        weights_to[c] += graph->weights[e];
    }
    double strength = weights_to[own];
    double own_gain = strength - rate * (work->cluster_masses[own] - mass);
    double best_gain = 0; /* alone */
    uint32_t best = work->cluster_sizes[own] > 1 ? work->empty[work->n_empty - 1] : own;
    weights_to[own] = 0; /* no candidate: its gain is not above 0 now */
    for (uint32_t k = 0; k < n_touched; k++) {
        uint32_t c = touched[k];
        double gain = weights_to[c] - rate * work->cluster_masses[c];
        strength += weights_to[c];
        weights_to[c] = 0;
        if (gain > best_gain) {
            best_gain = gain;
            best = c;
        }
    }
    return best_gain - own_gain > TOLERANCE * strength ? best : own;
}

static void put_into(const pkin_i_leiden_graph *graph, uint32_t v, uint32_t to, pkin_i_leiden_work *work) {
    uint32_t from = work->clusters[v];
    if (work->cluster_sizes[to] == 0) work->n_empty--; /* `to` was the last of them */
    work->cluster_masses[from] -= graph->masses[v];
    work->cluster_sizes[from]--;
    work->cluster_masses[to] += graph->masses[v];
    work->cluster_sizes[to]++;
    work->clusters[v] = to;
    if (work->cluster_sizes[from] == 0) work->empty[work->n_empty++] = from;
}

bool pkin_i_leiden_move(const pkin_i_leiden_graph *graph, double resolution, pkin_i_leiden_work *work) {
    bool moved = false;
    uint64_t n_visits = 0, n_most = (uint64_t)MOST_VISITS * graph->n_nodes;
    ring queue = {.nodes = work->order, .size = graph->n_nodes, .n = graph->n_nodes};
    pkin_i_random_order(&work->random, work->order, graph->n_nodes);
    memset(work->is_queued, 1, graph->n_nodes);
    for (; queue.n > 0 && n_visits < n_most; n_visits++) {
        if (n_visits % VISITS_AT_A_TIME == VISITS_AT_A_TIME - 1 && work->progress &&
            pkin_i_leiden_is_cancelled(work->progress)) {
            break;
        }
        uint32_t v = ring_take(&queue), to = choose_cluster(graph, resolution, v, work);
        work->is_queued[v] = 0;
        if (to == work->clusters[v]) continue;
        put_into(graph, v, to, work);
        moved = true;
        for (uint64_t e = graph->offsets[v], end = graph->offsets[v + 1]; e < end; e++) {
            uint32_t u = graph->targets[e];
            if (work->is_queued[u] || work->clusters[u] == to) continue;
            work->is_queued[u] = 1;
            ring_add(&queue, u);
        }
    }
    return moved;
}
