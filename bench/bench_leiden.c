/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leiden on a graph: its time and quality. bench/quality/leiden_speed.py runs it in turn with igraph.
 *
 *     bench_leiden graph OUT (MATRIX.npz | ROWS) [k]      writes the graph of each row's k nearest neighbours (10), an
 *                                                         edge where one is among the other's; ROWS: generated rows
 *     bench_leiden run GRAPH OBJECTIVE RESOLUTION [iterations] [seed] [runs] [threads] [OUT]
 *                                                         modularity or cpm; OUT: the clusters, a line a node
 *
 * A graph is a file of the machine's own numbers: 64-bit counts of nodes and edges, then edges as two 32-bit nodes and
 * a double. Seconds are of pkin_leiden alone, from the graph in memory to the partition.
 */
#include <paperkin.h>
#include <string.h>

#include "bench_timer.h"

static const char usage[] = "usage: bench_leiden graph OUT (MATRIX.npz | ROWS) [k]\n"
                            "       bench_leiden run GRAPH modularity|cpm RESOLUTION [iterations] [seed] [runs] "
                            "[threads] [OUT]\n";

static FILE *open_or_die(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file) return file;
    perror(path);
    exit(1);
}

static pkin_vectors *rows_of(const char *source) {
    pkin_vectors *vectors = NULL;
    pkin_matrix *matrix = NULL;
    if (strstr(source, ".npz")) {
        BENCH_TRY(pkin_matrix_read_npz(source, &matrix));
        BENCH_TRY(pkin_vectors_from_matrix(matrix, 0, &vectors));
        pkin_matrix_free(matrix);
        return vectors;
    }
    pkin_generate_options options = pkin_generate_options_default();
    options.n_rows = strtoull(source, NULL, 10);
    BENCH_TRY(pkin_vectors_generate(&options, &vectors));
    return vectors;
}

static void write_graph(const char *path, const pkin_graph *graph) {
    pkin_graph_view view = pkin_graph_look(graph);
    uint64_t counts[2] = {view.n_nodes, pkin_graph_n_edges(graph)};
    FILE *file = open_or_die(path, "wb");
    fwrite(counts, sizeof counts, 1, file);
    for (uint32_t v = 0; v < view.n_nodes; v++) {
        for (uint64_t e = view.offsets[v]; e < view.offsets[v + 1]; e++) {
            pkin_edge edge = {v, view.targets[e], view.weights[e]};
            if (edge.a < edge.b) fwrite(&edge, sizeof edge, 1, file);
        }
    }
    if (ferror(file) || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static int make_graph(int argc, char **argv) {
    pkin_vectors *vectors = rows_of(argv[3]);
    pkin_neighbor_lists lists;
    pkin_graph *graph = NULL;
    pkin_graph_options options = pkin_graph_options_default();
    options.sides = PKIN_GRAPH_EITHER;
    options.floor = 0;
    options.n_neighbors = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 10;
    BENCH_TRY(pkin_similarity_top_k(vectors, NULL, options.n_neighbors, 0, NULL, &lists));
    BENCH_TRY(pkin_graph_from_neighbors(&lists, &options, NULL, &graph));
    write_graph(argv[2], graph);
    pkin_graph_free(graph);
    pkin_neighbor_lists_free(&lists);
    pkin_vectors_free(vectors);
    return 0;
}

static pkin_graph *read_graph(const char *path) {
    uint64_t counts[2];
    pkin_edge *edges = NULL;
    pkin_graph *graph = NULL;
    FILE *file = open_or_die(path, "rb");
    if (fread(counts, sizeof counts, 1, file) == 1) edges = calloc(counts[1] + 1, sizeof *edges);
    if (!edges || fread(edges, sizeof *edges, counts[1], file) != counts[1]) {
        fprintf(stderr, "%s: not a graph of bench_leiden\n", path);
        exit(1);
    }
    fclose(file);
    BENCH_TRY(pkin_graph_from_edges(counts[0], edges, counts[1], NULL, &graph));
    free(edges);
    return graph;
}

static void write_clusters(const char *path, const pkin_partition *partition) {
    FILE *file = open_or_die(path, "w");
    for (uint64_t v = 0; v < partition->n_nodes; v++) fprintf(file, "%u\n", (unsigned)partition->clusters[v]);
    fclose(file);
}

static int run_leiden(int argc, char **argv) {
    pkin_graph *graph = read_graph(argv[2]);
    pkin_partition partition;
    pkin_leiden_options options = pkin_leiden_options_default();
    options.objective = strcmp(argv[3], "cpm") == 0 ? PKIN_LEIDEN_CPM : PKIN_LEIDEN_MODULARITY;
    options.resolution = atof(argv[4]);
    options.n_iterations = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 2;
    options.seed = argc > 6 ? strtoull(argv[6], NULL, 10) : 0;
    options.n_runs = argc > 7 ? (uint32_t)strtoul(argv[7], NULL, 10) : 1;
    options.n_threads = argc > 8 ? atoi(argv[8]) : 1;
    double begin = bench_now();
    BENCH_TRY(pkin_leiden(graph, &options, &partition));
    bench_report("seconds", bench_now() - begin);
    bench_report("quality", partition.quality);
    bench_report("clusters", partition.n_clusters);
    if (argc > 9) write_clusters(argv[9], &partition);
    pkin_partition_free(&partition);
    pkin_graph_free(graph);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 4 && strcmp(argv[1], "graph") == 0) return make_graph(argc, argv);
    if (argc >= 5 && strcmp(argv[1], "run") == 0) return run_leiden(argc, argv);
    fputs(usage, stderr);
    return 2;
}
