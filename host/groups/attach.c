/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outlier is attached in the round after its first neighbour got into a cluster, so that only neighbours of what was
 * attached last are looked at, each once. Within a round the order of nodes does not matter: labels of a round are
 * written when all of them are known.
 */
#include "groups/attach.h"

#include <string.h>

#include "base/failure.h"
#include "groups/graph.h"
#include "groups/partition.h"

typedef struct attachment {
    const pkin_graph *graph;
    double min_weight;
    uint32_t *labels;  /* by node */
    uint8_t *queued;   /* by node: it was or is in `waiting` */
    uint32_t *waiting; /* outliers of this round and of those before, one round after the other */
    uint32_t *found;   /* by place in `waiting`: the cluster */
} attachment;

static int is_strong(const attachment *self, uint64_t at) {
    return self->graph->weights[at] >= self->min_weight;
}

static uint32_t strongest_cluster(const attachment *self, uint32_t node) {
    uint32_t best = PKIN_NO_CLUSTER;
    double weight = 0;
    for (uint64_t at = self->graph->offsets[node]; at < self->graph->offsets[(uint64_t)node + 1]; at++) {
        const uint32_t label = self->labels[self->graph->targets[at]];
        if (label == PKIN_NO_CLUSTER || !is_strong(self, at) || self->graph->weights[at] <= weight) continue;
        best = label;
        weight = self->graph->weights[at];
    }
    return best;
}

/* Queues the outliers that a node of a cluster can take along. */
static uint64_t queue_neighbors(attachment *self, uint32_t node, uint64_t n) {
    for (uint64_t at = self->graph->offsets[node]; at < self->graph->offsets[(uint64_t)node + 1]; at++) {
        const uint32_t other = self->graph->targets[at];
        if (self->labels[other] != PKIN_NO_CLUSTER || self->queued[other] || !is_strong(self, at)) continue;
        self->queued[other] = 1;
        self->waiting[n++] = other;
    }
    return n;
}

static void attach_all(attachment *self) {
    uint64_t begin = 0, end = 0;
    for (uint64_t v = 0; v < self->graph->n_nodes; v++) {
        if (self->labels[v] != PKIN_NO_CLUSTER) end = queue_neighbors(self, (uint32_t)v, end);
    }
    while (begin < end) {
        for (uint64_t k = begin; k < end; k++) self->found[k] = strongest_cluster(self, self->waiting[k]);
        for (uint64_t k = begin; k < end; k++) self->labels[self->waiting[k]] = self->found[k];
        const uint64_t round_end = end;
        for (uint64_t k = begin; k < round_end; k++) end = queue_neighbors(self, self->waiting[k], end);
        begin = round_end;
    }
}

pkin_status pkin_i_attach_outliers(const pkin_graph *graph, pkin_partition *partition, double min_weight) {
    pkin_status status;
    attachment self = {.graph = graph, .min_weight = min_weight};
    pkin_partition attached = {0};
    const uint64_t n = graph->n_nodes;
    PKIN_TRY(pkin_i_partition_check(partition, n));
    PKIN_TRY(pkin_i_allocate(n, sizeof *self.labels, &self.labels));
    PKIN_TRY(pkin_i_allocate_zeroed(n, sizeof *self.queued, &self.queued));
    PKIN_TRY(pkin_i_allocate(n, sizeof *self.waiting, &self.waiting));
    PKIN_TRY(pkin_i_allocate(n, sizeof *self.found, &self.found));
    if (n > 0) memcpy(self.labels, partition->clusters, n * sizeof *self.labels);
    attach_all(&self);
    PKIN_TRY(pkin_i_partition_make(self.labels, n, 0, &attached));
    attached.quality = partition->quality;
    pkin_partition_free(partition);
    *partition = attached;
    attached = (pkin_partition){0};
out:
    pkin_i_free(self.labels);
    pkin_i_free(self.queued);
    pkin_i_free(self.waiting);
    pkin_i_free(self.found);
    pkin_partition_free(&attached);
    return status;
}
