/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refinement (Traag, Waltman and van Eck 2019, algorithm A.2): each cluster begins as single nodes. In random order,
 * nodes that are still alone and well connected to the rest of their cluster,
 *
 *     weight(v, rest) >= resolution * mass(v) * mass(rest),
 *
 * join one of the groups of their cluster that are well connected too and that they do not lose by, or stay alone;
 * with a probability of exp(gain / theta), gain 0 for staying. Groups grow by nodes that touch them: they are
 * connected. One pass over the edges, and one over those of nodes that are alone in their turn.
 *
 * Probabilities are relative to the largest gain, and computed by fixed arithmetic, so that every machine draws alike.
 */
#include "groups/leiden.h"

#include <string.h>

/* exp(-x), x >= 0, in relative error below 1e-13 up to 64, and 0 beyond: such shares are below 2^-92. Additions and
   multiplications alone: exp(-x) = 2^-k exp(-r), with r in [0, ln 2) by its power series. */
static double exp_minus(double x) {
    if (!(x < 64)) return 0;
    uint32_t k = (uint32_t)(x * 0x1.71547652b82fep+0);
    double r = x - k * 0x1.62e42fefa39efp-1, sum = 1, scale = 1;
    for (int n = 14; n > 0; n--) sum = 1 - r * sum / n;
    for (; k >= 16; k -= 16) scale *= 0x1p-16;
    for (; k > 0; k--) scale *= 0.5;
    return sum * scale;
}

/* Every node alone, and its weight to the rest of its cluster. */
static void start(const pkin_i_leiden_graph *graph, pkin_i_leiden_work *work) {
    const uint32_t *clusters = work->clusters;
    for (uint32_t v = 0; v < graph->n_nodes; v++) {
        double cut = 0;
        for (uint64_t e = graph->offsets[v], end = graph->offsets[v + 1]; e < end; e++) {
            cut += clusters[graph->targets[e]] == clusters[v] ? graph->weights[e] : 0;
        }
        work->refined[v] = v;
        work->refined_masses[v] = graph->masses[v];
        work->refined_cuts[v] = cut;
        work->refined_sizes[v] = 1;
    }
}

static bool is_well_connected(double resolution, uint32_t group, double cluster_mass, const pkin_i_leiden_work *work) {
    double mass = work->refined_masses[group];
    return work->refined_cuts[group] >= resolution * mass * (cluster_mass - mass);
}

/* Weights from v to the groups of its cluster; returns how many are touched. */
static uint32_t sum_groups(const pkin_i_leiden_graph *graph, uint32_t v, pkin_i_leiden_work *work) {
    const uint32_t *clusters = work->clusters;
    uint32_t n_touched = 0, own = clusters[v];
    for (uint64_t e = graph->offsets[v], end = graph->offsets[v + 1]; e < end; e++) {
        uint32_t u = graph->targets[e], group = work->refined[u];
        if (clusters[u] != own) continue;
        work->touched[n_touched] = group;
        n_touched += work->weights_to[group] == 0;
        work->weights_to[group] += graph->weights[e];
    }
    return n_touched;
}

/* Keeps of the touched groups those that v may join, their gains in work->choices; returns how many. */
static uint32_t keep_candidates(uint32_t n_touched, double rate, double resolution, double cluster_mass,
                                double *best_gain, pkin_i_leiden_work *work) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < n_touched; k++) {
        uint32_t group = work->touched[k];
        double gain = work->weights_to[group] - rate * work->refined_masses[group];
        if (!(gain >= 0) || !is_well_connected(resolution, group, cluster_mass, work)) {
            work->weights_to[group] = 0;
            continue;
        }
        if (gain > *best_gain) *best_gain = gain;
        work->touched[n] = group;
        work->choices[n++] = gain;
    }
    return n;
}

/* One of n candidates, or n for staying alone, whose gain is 0. */
static uint32_t draw(uint32_t n, double best_gain, double theta, pkin_i_leiden_work *work) {
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        sum += exp_minus((best_gain - work->choices[k]) / theta);
        work->choices[k] = sum;
    }
    double drawn = pkin_i_random_unit(&work->random) * (sum + exp_minus(best_gain / theta));
    uint32_t chosen = 0;
    while (chosen < n && drawn >= work->choices[chosen]) chosen++;
    return chosen;
}

static void join(uint32_t v, uint32_t group, pkin_i_leiden_work *work) {
    uint32_t alone = work->refined[v];
    work->refined_cuts[group] += work->refined_cuts[alone] - 2 * work->weights_to[group];
    work->refined_masses[group] += work->refined_masses[alone];
    work->refined_sizes[group]++;
    work->refined_sizes[alone] = 0;
    work->refined[v] = group;
}

static bool refine_node(const pkin_i_leiden_graph *graph, double resolution, double theta, uint32_t v,
                        pkin_i_leiden_work *work) {
    uint32_t own = work->clusters[v];
    double cluster_mass = work->cluster_masses[own], best_gain = 0;
    if (work->cluster_sizes[own] == 1 || work->refined[v] != v || work->refined_sizes[v] != 1) return false;
    if (!is_well_connected(resolution, v, cluster_mass, work)) return false;
    uint32_t n = sum_groups(graph, v, work);
    n = keep_candidates(n, resolution * graph->masses[v], resolution, cluster_mass, &best_gain, work);
    uint32_t chosen = n ? draw(n, best_gain, theta, work) : 0;
    if (chosen < n) join(v, work->touched[chosen], work);
    for (uint32_t k = 0; k < n; k++) work->weights_to[work->touched[k]] = 0;
    return chosen < n;
}

uint32_t pkin_i_leiden_refine(const pkin_i_leiden_graph *graph, double resolution, double theta,
                              pkin_i_leiden_work *work) {
    uint32_t n_groups = graph->n_nodes;
    start(graph, work);
    pkin_i_random_order(&work->random, work->order, graph->n_nodes);
    for (uint32_t k = 0; k < graph->n_nodes; k++) {
        n_groups -= refine_node(graph, resolution, theta, work->order[k], work);
    }
    return n_groups;
}
