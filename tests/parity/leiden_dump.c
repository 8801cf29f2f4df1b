/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: leiden_dump GRAPH modularity|cpm RESOLUTION ITERATIONS SEED
 * GRAPH: the number of nodes, the number of edges, then two nodes and a weight an edge. Writes the quality, then each
 * node's cluster.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paperkin/cluster.h"

static pkin_status read_graph(const char *path, pkin_graph **out) {
    uint64_t n_nodes, n_edges;
    pkin_edge *edges = NULL;
    pkin_status status = PKIN_ERROR_CORRUPT;
    FILE *file = fopen(path, "r");
    if (!file) return PKIN_ERROR_IO;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &n_nodes, &n_edges) == 2) edges = calloc(n_edges + 1, sizeof *edges);
    uint64_t n_read = 0;
    while (edges && n_read < n_edges &&
           fscanf(file, "%" SCNu32 " %" SCNu32 " %lf", &edges[n_read].a, &edges[n_read].b, &edges[n_read].weight) ==
               3) {
        n_read++;
    }
    if (edges && n_read == n_edges) status = pkin_graph_from_edges(n_nodes, edges, n_edges, NULL, out);
    free(edges);
    fclose(file);
    return status;
}

int main(int argc, char **argv) {
    pkin_graph *graph = NULL;
    pkin_partition found = {0};
    pkin_leiden_options options = pkin_leiden_options_default();
    if (argc != 6) return 2;
    options.objective = strcmp(argv[2], "cpm") == 0 ? PKIN_LEIDEN_CPM : PKIN_LEIDEN_MODULARITY;
    options.resolution = atof(argv[3]);
    options.n_iterations = (uint32_t)strtoul(argv[4], NULL, 10);
    options.seed = strtoull(argv[5], NULL, 10);
    pkin_status status = read_graph(argv[1], &graph);
    if (status == PKIN_OK) status = pkin_leiden(graph, &options, &found);
    if (status == PKIN_OK) {
        printf("%.17g\n", found.quality);
        for (uint64_t v = 0; v < found.n_nodes; v++) printf("%" PRIu32 "\n", found.clusters[v]);
    } else {
        fprintf(stderr, "%s: %s\n", pkin_status_name(status), pkin_last_error());
    }
    pkin_partition_free(&found);
    pkin_graph_free(graph);
    return status != PKIN_OK;
}
