/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: density_dump EDGES N_NODES MIN_CLUSTER_SIZE MIN_SAMPLES MAX_SHARE LEAVES
 * EDGES has a line an edge: "a b weight". Writes a line a node: "cluster probability outlier-score", clusters as
 * numbers from 0, -1: none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "paperkin/cluster.h"

/* Returns how many; -1 where the file cannot be read. */
static long read_edges(const char *path, pkin_edge **out) {
    FILE *in = fopen(path, "r");
    long n = 0, n_room = 0;
    pkin_edge *edges = NULL, edge;
    if (!in) return -1;
    while (fscanf(in, "%" SCNu32 " %" SCNu32 " %lf", &edge.a, &edge.b, &edge.weight) == 3) {
        if (n == n_room) {
            n_room = n_room ? 2 * n_room : 1024;
            pkin_edge *larger = realloc(edges, (size_t)n_room * sizeof *edges);
            if (!larger) break;
            edges = larger;
        }
        edges[n++] = edge;
    }
    fclose(in);
    *out = edges;
    return n;
}

int main(int argc, char **argv) {
    pkin_density_options options = pkin_density_options_default();
    pkin_density_result result = {0};
    pkin_graph *graph = NULL;
    pkin_edge *edges = NULL;
    if (argc != 7) return 2;
    long n = read_edges(argv[1], &edges);
    if (n < 0) return 3;
    options.min_cluster_size = strtoull(argv[3], NULL, 10);
    options.min_samples = strtoull(argv[4], NULL, 10);
    options.max_cluster_share = atof(argv[5]);
    options.leaves = atoi(argv[6]);
    pkin_status status = pkin_graph_from_edges(strtoull(argv[2], NULL, 10), edges, (uint64_t)n, NULL, &graph);
    if (status == PKIN_OK) status = pkin_density(graph, &options, &result);
    for (uint64_t v = 0; v < result.partition.n_nodes; v++) {
        const uint32_t cluster = result.partition.clusters[v];
        printf("%ld %.17g %.17g\n", cluster == PKIN_NO_CLUSTER ? -1L : (long)cluster, result.probabilities[v],
               result.outlier_scores[v]);
    }
    if (status != PKIN_OK) fprintf(stderr, "%s\n", pkin_last_error());
    pkin_density_result_free(&result);
    pkin_graph_free(graph);
    free(edges);
    return status != PKIN_OK;
}
