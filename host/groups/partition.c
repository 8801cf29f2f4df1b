/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/partition.h"

#include <inttypes.h>
#include <string.h>

#include "base/failure.h"
#include "base/memory.h"

void pkin_partition_free(pkin_partition *partition) {
    if (!partition) return;
    pkin_i_free(partition->clusters);
    memset(partition, 0, sizeof *partition);
}

/* Labels' sizes; `first` lists the labels by their least node. Returns how many labels there are. */
static uint64_t count_labels(const uint32_t *labels, uint64_t n_nodes, uint32_t *sizes, uint32_t *first) {
    uint64_t n_labels = 0;
    for (uint64_t node = 0; node < n_nodes; node++) {
        uint32_t label = labels[node];
        if (label == PKIN_NO_CLUSTER) continue;
        if (sizes[label]++ == 0) first[n_labels++] = label;
    }
    return n_labels;
}

/*
 * The new number of each label: by size, the largest first, then by least node. A counting sort by size, stable in the
 * order of `first`. `begins`, of n_nodes + 2 zeros, becomes by size how many labels are larger.
 */
static void number_labels(const uint32_t *sizes, const uint32_t *first, uint64_t n_labels, uint64_t n_nodes,
                          uint64_t min_size, uint32_t *begins, uint32_t *numbers) {
    for (uint64_t k = 0; k < n_labels; k++) begins[sizes[first[k]]]++;
    uint32_t n_larger = 0;
    for (uint64_t size = n_nodes; size > 0; size--) {
        uint32_t n_equal = begins[size];
        begins[size] = n_larger;
        n_larger += n_equal;
    }
    for (uint64_t k = 0; k < n_labels; k++) {
        uint32_t label = first[k], number = begins[sizes[label]]++;
        numbers[label] = sizes[label] < min_size ? PKIN_NO_CLUSTER : number;
    }
}

pkin_status pkin_i_partition_make(const uint32_t *labels, uint64_t n_nodes, uint64_t min_size, pkin_partition *out) {
    pkin_status status = PKIN_OK;
    uint32_t *sizes = NULL, *first = NULL, *begins = NULL, *clusters = NULL;
    memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_allocate(n_nodes, sizeof *clusters, &clusters));
    PKIN_TRY(pkin_i_allocate_zeroed(n_nodes, sizeof *sizes, &sizes));
    PKIN_TRY(pkin_i_allocate(n_nodes, sizeof *first, &first));
    PKIN_TRY(pkin_i_allocate_zeroed(n_nodes + 2, sizeof *begins, &begins));
    uint64_t n_labels = count_labels(labels, n_nodes, sizes, first);
    uint32_t n_kept = 0;
    for (uint64_t k = 0; k < n_labels; k++) n_kept += sizes[first[k]] >= min_size;
    number_labels(sizes, first, n_labels, n_nodes, min_size, begins, clusters /* for now by label */);
    for (uint64_t k = 0; k < n_labels; k++) sizes[first[k]] = clusters[first[k]];
    for (uint64_t node = 0; node < n_nodes; node++) {
        clusters[node] = labels[node] == PKIN_NO_CLUSTER ? PKIN_NO_CLUSTER : sizes[labels[node]];
    }
    *out = (pkin_partition){.n_nodes = n_nodes, .n_clusters = n_kept, .clusters = clusters};
    clusters = NULL;
out:
    pkin_i_free(sizes);
    pkin_i_free(first);
    pkin_i_free(begins);
    pkin_i_free(clusters);
    return status;
}

/* The small ones stand last: what is left keeps its numbers. Sizes of clusters from the end are counted until one is
   large enough. */
void pkin_i_partition_dissolve(pkin_partition *partition, uint64_t min_size) {
    if (min_size <= 1) return;
    uint32_t low = 0, high = partition->n_clusters; /* clusters below low are large, those from high on small */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t size = 0;
        for (uint64_t node = 0; node < partition->n_nodes; node++) size += partition->clusters[node] == middle;
        if (size >= min_size)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint64_t node = 0; node < partition->n_nodes; node++) {
        if (partition->clusters[node] >= low) partition->clusters[node] = PKIN_NO_CLUSTER;
    }
    partition->n_clusters = low;
}

pkin_status pkin_i_partition_members(const pkin_partition *partition, uint64_t **out_offsets, uint32_t **out_members) {
    pkin_status status = PKIN_OK;
    uint64_t *offsets = NULL, n_clusters = partition->n_clusters;
    uint32_t *members = NULL;
    *out_offsets = NULL;
    *out_members = NULL;
    /* One place more than needed: entry c + 2 counts cluster c first, and entry c + 1 is where its next member goes. */
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters + 2, sizeof *offsets, &offsets));
    PKIN_TRY(pkin_i_allocate(partition->n_nodes, sizeof *members, &members));
    for (uint64_t node = 0; node < partition->n_nodes; node++) {
        uint32_t cluster = partition->clusters[node];
        if (cluster != PKIN_NO_CLUSTER) offsets[(uint64_t)cluster + 2]++;
    }
    for (uint64_t c = 2; c <= n_clusters + 1; c++) offsets[c] += offsets[c - 1];
    for (uint64_t node = 0; node < partition->n_nodes; node++) {
        uint32_t cluster = partition->clusters[node];
        if (cluster != PKIN_NO_CLUSTER) members[offsets[(uint64_t)cluster + 1]++] = (uint32_t)node;
    }
    *out_offsets = offsets;
    *out_members = members;
    offsets = NULL;
    members = NULL;
out:
    pkin_i_free(offsets);
    pkin_i_free(members);
    return status;
}

pkin_status pkin_i_partition_check(const pkin_partition *partition, uint64_t n_nodes) {
    if (!partition || partition->n_nodes != n_nodes || (n_nodes && !partition->clusters)) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                           "partition: %" PRIu64 " nodes, but the graph has %" PRIu64 ": make it from this graph",
                           partition ? partition->n_nodes : 0, n_nodes);
    }
    for (uint64_t node = 0; node < n_nodes; node++) {
        uint32_t cluster = partition->clusters[node];
        if (cluster >= partition->n_clusters && cluster != PKIN_NO_CLUSTER) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "partition: node %" PRIu64 " is in cluster %" PRIu32 ", but there are %" PRIu32
                               " clusters",
                               node, cluster, partition->n_clusters);
        }
    }
    return PKIN_OK;
}
