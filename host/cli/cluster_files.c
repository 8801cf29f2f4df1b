/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cluster_output.h"
#include "cluster_runs.h"
#include "json_out.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"
#include "text_inputs.h"

enum { THREADS_OF_A_FIELD = 8 };

/* Everything that one run on files has; freed as a whole. */
typedef struct cluster_run {
    pkin_i_rows rows;
    pkin_graph *graph; /* read */
    pkin_topics topics;
    const pkin_paper **papers; /* by row; NULL: there is no text */
    pkin_labels labels, field_labels;
    pkin_representative *representatives;
} cluster_run;

static void cluster_run_free(cluster_run *run) {
    pkin_labels_free(&run->labels);
    pkin_labels_free(&run->field_labels);
    pkin_topics_free(&run->topics);
    pkin_graph_free(run->graph);
    pkin_i_rows_free(&run->rows);
    free(run->representatives);
    free(run->papers);
}

static pkin_status find_topics(const pkin_topics_options *options, cluster_run *run) {
    if (run->graph) return pkin_topics_of_graph(run->graph, options, &run->topics);
    return pkin_topics_find(run->rows.vectors, NULL, run->papers, NULL, options, &run->topics);
}

static pkin_status describe(pkin_i_cli *cli, const pkin_i_settings *settings, cluster_run *run) {
    pkin_status status = PKIN_OK;
    pkin_labels_options options = pkin_labels_options_default();
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    if (run->rows.vectors && run->topics.threads.n_clusters) {
        run->representatives = pkin_i_cli_allocate(run->topics.threads.n_clusters, sizeof *run->representatives);
        status = pkin_representatives_find(run->rows.vectors, run->topics.graph, &run->topics.threads, 1,
                                           run->representatives);
    }
    if (status == PKIN_OK && run->papers) {
        status = pkin_labels_make(run->papers, &run->topics.paper_fields, NULL, &options, &run->field_labels);
    }
    if (status == PKIN_OK && run->papers) {
        status =
            pkin_labels_make(run->papers, &run->topics.threads, run->topics.fields.clusters, &options, &run->labels);
    }
    return status;
}

static pkin_graph_format graph_format_of(const char *path) {
    const char *dot = strrchr(path, '.');
    if (dot && strcmp(dot, ".graphml") == 0) return PKIN_GRAPH_GRAPHML;
    return dot && strcmp(dot, ".gexf") == 0 ? PKIN_GRAPH_GEXF : PKIN_GRAPH_EDGE_LIST;
}

/* The graph again, its nodes called by their papers' ids, with titles and threads. */
static pkin_status write_graph(const pkin_i_settings *settings, const pkin_i_clusters *clusters) {
    pkin_graph_view view = pkin_graph_look(clusters->topics->graph);
    pkin_graph_notes notes = pkin_graph_notes_default();
    const char **names = pkin_i_cli_allocate((size_t)view.n_nodes + 1, sizeof *names);
    const char **titles = pkin_i_cli_allocate((size_t)view.n_nodes + 1, sizeof *titles);
    const char **labels = pkin_i_cli_allocate((size_t)clusters->topics->threads.n_clusters + 1, sizeof *labels);
    char(*buffers)[PKIN_I_ROW_ID_BYTES] = pkin_i_cli_allocate((size_t)view.n_nodes + 1, sizeof *buffers);
    pkin_edge *edges = pkin_i_cli_allocate((size_t)pkin_graph_n_edges(clusters->topics->graph) + 1, sizeof *edges);
    uint64_t n_edges = 0;
    pkin_graph *named = NULL;
    for (uint32_t node = 0; node < view.n_nodes; node++) {
        names[node] = pkin_i_cluster_node_id(clusters, node, buffers[node]);
        titles[node] = pkin_i_cluster_node_title(clusters, node);
        for (uint64_t e = view.offsets[node]; e < view.offsets[node + 1]; e++) {
            if (view.targets[e] > node) edges[n_edges++] = (pkin_edge){node, view.targets[e], view.weights[e]};
        }
    }
    for (uint32_t c = 0; c < clusters->labels->n_clusters; c++) labels[c] = clusters->labels->labels[c].english;
    notes.titles = clusters->rows && clusters->rows->corpus ? titles : NULL;
    notes.clusters = clusters->topics->threads.clusters;
    notes.cluster_labels = clusters->labels->n_clusters ? labels : NULL;
    pkin_status status = pkin_graph_from_edges(view.n_nodes, edges, n_edges, names, &named);
    if (status == PKIN_OK)
        status = pkin_graph_write_file(named, graph_format_of(settings->graph_out), &notes, settings->graph_out);
    pkin_graph_free(named);
    free(edges);
    free(buffers);
    free(labels);
    free(titles);
    free(names);
    return status;
}

static uint64_t count_outliers(const pkin_partition *partition) {
    uint64_t n = 0;
    for (uint64_t node = 0; node < partition->n_nodes; node++) n += partition->clusters[node] == PKIN_NO_CLUSTER;
    return n;
}

static uint64_t largest_cluster(const pkin_partition *partition) {
    uint64_t n = 0;
    for (uint64_t node = 0; node < partition->n_nodes; node++) n += partition->clusters[node] == 0;
    return n;
}

static void print_summary_json(const cluster_run *run) {
    const pkin_topics *topics = &run->topics;
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "cluster");
    pkin_i_json_count(&json, "papers", topics->threads.n_nodes);
    pkin_i_json_count(&json, "edges", pkin_graph_n_edges(topics->graph));
    pkin_i_json_count(&json, "threads", topics->threads.n_clusters);
    pkin_i_json_count(&json, "fields", topics->fields.n_clusters);
    pkin_i_json_count(&json, "outliers", count_outliers(&topics->threads));
    pkin_i_json_count(&json, "largest_thread", largest_cluster(&topics->threads));
    pkin_i_json_real(&json, "quality", topics->threads.quality, 6);
    pkin_i_json_real(&json, "resolution", topics->resolution, 6);
    pkin_i_json_begin_object(&json, "seconds");
    pkin_i_json_real(&json, "neighbors", topics->seconds_neighbors, 3);
    pkin_i_json_real(&json, "graph", topics->seconds_graph, 3);
    pkin_i_json_real(&json, "threads", topics->seconds_threads, 3);
    pkin_i_json_real(&json, "fields", topics->seconds_fields, 3);
    pkin_i_json_end_object(&json);
    pkin_i_json_end_answer(&json);
}

static int write_clusters(pkin_i_cli *cli, const pkin_i_settings *settings, const cluster_run *run) {
    pkin_i_output output;
    pkin_i_clusters clusters = {.topics = &run->topics,
                                .rows = run->graph ? NULL : &run->rows,
                                .labels = &run->labels,
                                .field_labels = &run->field_labels,
                                .representatives = run->representatives};
    if (settings->graph_out) {
        pkin_status status = write_graph(settings, &clusters);
        if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    }
    if (settings->json) {
        print_summary_json(run);
        if (!settings->out) return PKIN_I_EXIT_DONE;
    }
    if (!pkin_i_output_open(cli, settings->out, &output)) return PKIN_I_EXIT_FAILURE;
    const char *format = settings->format ? settings->format : settings->out ? "tsv" : "table";
    if (strcmp(format, "table") == 0) {
        pkin_i_clusters_print_table(&clusters, &output, THREADS_OF_A_FIELD, cli->color_output);
    } else {
        pkin_i_clusters_print_papers(&clusters, &output, strcmp(format, "jsonl") == 0);
    }
    int exit_code = pkin_i_output_close(cli, &output, true);
    if (exit_code == PKIN_I_EXIT_DONE) {
        const pkin_partition *threads = &run->topics.threads;
        const char *unit = run->graph ? "node" : run->papers ? "paper" : "row";
        pkin_i_cluster_counts counts = {.n_papers = threads->n_nodes,
                                        .n_threads = threads->n_clusters,
                                        .n_fields = run->topics.fields.n_clusters,
                                        .n_outliers = count_outliers(threads),
                                        .largest = largest_cluster(threads),
                                        .unit = unit};
        pkin_i_cluster_tell(cli, &counts);
    }
    return exit_code;
}

int pkin_i_cluster_files(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_topics_options *topics,
                         int n_inputs, char **inputs) {
    cluster_run run = {0};
    pkin_status status = PKIN_OK;
    int exit_code = PKIN_I_EXIT_DONE;
    if (settings->graph_in) {
        status = pkin_graph_read_file(settings->graph_in, &run.graph);
    } else {
        exit_code = pkin_i_rows_read_vectors(cli, settings, "related", n_inputs, inputs, &run.rows);
    }
    if (exit_code == PKIN_I_EXIT_DONE && run.rows.corpus) {
        uint64_t n_papers = pkin_corpus_size(run.rows.corpus);
        run.papers = pkin_i_cli_allocate((size_t)n_papers + 1, sizeof *run.papers);
        for (uint64_t row = 0; row < n_papers; row++) run.papers[row] = pkin_i_text_of_row(run.rows.corpus, row);
    }
    if (exit_code == PKIN_I_EXIT_DONE && status == PKIN_OK) {
        pkin_i_signals_defer(true);
        status = find_topics(topics, &run);
        if (status == PKIN_OK) status = describe(cli, settings, &run);
        pkin_i_signals_defer(false);
        pkin_i_progress_erase(cli);
    }
    if (status != PKIN_OK) exit_code = pkin_i_cli_failed(cli, status);
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = write_clusters(cli, settings, &run);
    cluster_run_free(&run);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}
