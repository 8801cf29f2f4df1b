/* SPDX-License-Identifier: Apache-2.0 */
/* Connected components by breadth-first search from each node that was not reached before. */
#include <math.h>
#include <string.h>

#include "base/failure.h"
#include "base/memory.h"
#include "groups/graph.h"
#include "groups/partition.h"

/* Labels what `start` reaches by its number. `queue`: room for every node. */
static void reach(const pkin_graph_view *view, double floor, uint32_t start, uint32_t *labels, uint32_t *queue) {
    uint64_t n_queued = 1;
    queue[0] = start;
    labels[start] = start;
    for (uint64_t k = 0; k < n_queued; k++) {
        uint32_t v = queue[k];
        for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) {
            uint32_t u = view->targets[e];
            if (labels[u] != PKIN_NO_CLUSTER || !(view->weights[e] >= floor)) continue;
            labels[u] = start;
            queue[n_queued++] = u;
        }
    }
}

/* Halved and scaled so that no sum overflows: which power of two it is does not matter to a share. */
static double share_inside(const pkin_graph_view *view, const uint32_t *clusters) {
    double inside = 0, all = 0;
    for (uint64_t v = 0; v < view->n_nodes; v++) {
        for (uint64_t e = view->offsets[v]; e < view->offsets[v + 1]; e++) {
            double weight = view->weights[e] * 0x1p-64;
            all += weight;
            if (clusters[v] != PKIN_NO_CLUSTER && clusters[v] == clusters[view->targets[e]]) inside += weight;
        }
    }
    return all > 0 ? inside / all : 0;
}

pkin_status pkin_components(const pkin_graph *graph, double floor, uint64_t min_size, pkin_partition *out) {
    pkin_status status = PKIN_OK;
    uint32_t *labels = NULL, *queue = NULL;
    pkin_graph_view view = pkin_graph_look(graph);
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "components: no place for the result was given");
    memset(out, 0, sizeof *out);
    PKIN_REQUIRE(!isnan(floor), PKIN_ERROR_INVALID_ARGUMENT, "components: the floor is not a number");
    PKIN_TRY(pkin_i_allocate(view.n_nodes, sizeof *labels, &labels));
    PKIN_TRY(pkin_i_allocate(view.n_nodes, sizeof *queue, &queue));
    for (uint64_t v = 0; v < view.n_nodes; v++) labels[v] = PKIN_NO_CLUSTER;
    for (uint64_t v = 0; v < view.n_nodes; v++) {
        if (labels[v] == PKIN_NO_CLUSTER) reach(&view, floor, (uint32_t)v, labels, queue);
    }
    PKIN_TRY(pkin_i_partition_make(labels, view.n_nodes, min_size, out));
    out->quality = share_inside(&view, out->clusters);
out:
    pkin_i_free(labels);
    pkin_i_free(queue);
    return status;
}
