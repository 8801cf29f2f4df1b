/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster_output.h"
#include "commands.h"
#include "engine_options.h"
#include "json_out.h"
#include "messages.h"
#include "overwrite.h"
#include "progress.h"
#include "signals.h"
#include "store_choice.h"
#include "text_inputs.h"
#include "thread_output.h"

enum { THREADS_OF_A_FIELD = 8 };

/* ---- What was asked for ------------------------------------------------------------------------------------------ */

static pkin_cluster_method method_of(const char *name) {
    static const char *const names[] = {"leiden", "components", "density", "kmeans"};
    for (int k = 0; name && k < (int)(sizeof names / sizeof *names); k++) {
        if (strcmp(name, names[k]) == 0) return (pkin_cluster_method)k;
    }
    return PKIN_CLUSTER_LEIDEN;
}

static pkin_edge_weight weight_of(const char *name) {
    return strcmp(name, "ranked") == 0    ? PKIN_EDGE_RANKED_NEIGHBORS
           : strcmp(name, "shared") == 0  ? PKIN_EDGE_SHARED_NEIGHBORS
           : strcmp(name, "squared") == 0 ? PKIN_EDGE_COSINE_SQUARED
                                          : PKIN_EDGE_COSINE;
}

/* Whether the command line says how to cluster: a store then forgets what it remembers of that. */
static bool is_described(const pkin_i_settings *settings) {
    return settings->method || settings->objective || settings->edge_weight || settings->k || settings->mutual ||
           !isnan(settings->least_weight) || settings->n_clusters || settings->n_runs || settings->min_size ||
           settings->seed != UINT64_MAX || !isnan(settings->floor) || !isnan(settings->resolution) ||
           !isnan(settings->field_resolution) || !isnan(settings->author_damping);
}

static pkin_topics_options make_topics_options(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_topics_options options = pkin_topics_options_default();
    options.method = method_of(settings->method);
    if (settings->graph_in) { /* whose weights may be anything */
        options.objective = PKIN_LEIDEN_MODULARITY;
        options.resolution = 1;
    }
    if (settings->objective) {
        options.objective = strcmp(settings->objective, "cpm") == 0 ? PKIN_LEIDEN_CPM : PKIN_LEIDEN_MODULARITY;
    }
    if (settings->edge_weight) options.graph.weight = weight_of(settings->edge_weight);
    if (settings->k) options.graph.n_neighbors = (uint32_t)settings->k;
    if (settings->mutual) options.graph.sides = PKIN_GRAPH_MUTUAL;
    if (!isnan(settings->least_weight)) options.graph.least_weight = settings->least_weight;
    if (!isnan(settings->floor)) options.graph.floor = settings->floor;
    if (!isnan(settings->author_damping)) options.author_damping = settings->author_damping;
    if (!isnan(settings->resolution)) options.resolution = settings->resolution;
    if (!isnan(settings->field_resolution)) options.field_resolution = settings->field_resolution;
    if (settings->n_clusters) options.n_clusters = (uint32_t)settings->n_clusters;
    if (settings->n_runs) options.n_runs = (uint32_t)settings->n_runs;
    if (settings->min_size) options.min_size = settings->min_size;
    if (settings->seed != UINT64_MAX) options.seed = settings->seed;
    options.backend = settings->backend;
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    return options;
}

static int check(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands) {
    bool kmeans = method_of(settings->method) == PKIN_CLUSTER_KMEANS;
    bool of_store = n_operands == 0 && !settings->graph_in;
    if (settings->graph_in && n_operands) {
        return pkin_i_cli_misuse(cli, "--graph: a graph is clustered alone, without other inputs");
    }
    if (settings->graph_in && kmeans) {
        return pkin_i_cli_misuse(
            cli, "--method kmeans needs vectors, and --graph has none: expected leiden, components or density");
    }
    if (kmeans && settings->n_clusters == 0) {
        return pkin_i_cli_misuse(cli, "--method kmeans: say how many clusters, with --clusters N");
    }
    bool graph_to_output = settings->graph_out && strcmp(settings->graph_out, "-") == 0;
    bool results_to_output = settings->json || !settings->out || strcmp(settings->out, "-") == 0;
    if (!of_store && graph_to_output && results_to_output) {
        return pkin_i_cli_misuse(
            cli, "--write-graph -: standard output is for the results; send them elsewhere, with --output FILE");
    }
    if (settings->graph_out && settings->out && strcmp(settings->graph_out, settings->out) == 0) {
        return pkin_i_cli_misuse(cli, "--write-graph and --output both name %s: expected two files", settings->out);
    }
    if (of_store && settings->graph_out) {
        return pkin_i_cli_misuse(cli, "--write-graph is for clusters of files or of a graph; name them");
    }
    if (of_store && (settings->format || settings->out)) {
        return pkin_i_cli_misuse(
            cli, "--%s is for clusters of files or of a graph; `paperkin threads` shows those of a store",
            settings->format ? "format" : "output");
    }
    if (!of_store && (settings->date || settings->dry_run || settings->window_days != UINT64_MAX || settings->store)) {
        return pkin_i_cli_misuse(cli, "--%s is for the threads of a store, which are found where no files are named",
                                 settings->date      ? "date"
                                 : settings->dry_run ? "dry-run"
                                 : settings->store   ? "store"
                                                     : "window");
    }
    return PKIN_I_EXIT_DONE;
}

/* ---- Files and graphs -------------------------------------------------------------------------------------------- */

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

static pkin_status find_topics(pkin_i_cli *cli, const pkin_i_settings *settings, cluster_run *run) {
    pkin_topics_options options = make_topics_options(cli, settings);
    if (run->graph) return pkin_topics_of_graph(run->graph, &options, &run->topics);
    return pkin_topics_find(run->rows.vectors, NULL, run->papers, NULL, &options, &run->topics);
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

static double share(uint64_t part, uint64_t whole) {
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* "8,907 papers: 312 threads in 24 fields, 20% in none; the largest has 87" */
static void tell_summary(pkin_i_cli *cli, uint64_t n_papers, const char *unit, uint64_t n_threads, uint64_t n_fields,
                         uint64_t n_outliers, uint64_t largest) {
    char papers[PKIN_I_COUNTED_BYTES], threads[PKIN_I_COUNTED_BYTES], fields[PKIN_I_COUNTED_BYTES],
        most[PKIN_I_COUNT_BYTES];
    if (!n_threads) {
        pkin_i_cli_line(cli, stderr, "%s: no threads: nowhere are enough of them close to each other",
                        pkin_i_cli_counted(n_papers, unit, papers));
        return;
    }
    pkin_i_cli_line(cli, stderr, "%s: %s in %s, %.0f%% in none; the largest has %s",
                    pkin_i_cli_counted(n_papers, unit, papers), pkin_i_cli_counted(n_threads, "thread", threads),
                    pkin_i_cli_counted(n_fields, "field", fields), share(n_outliers, n_papers),
                    pkin_i_cli_count(largest, most));
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
        tell_summary(cli, threads->n_nodes, unit, threads->n_clusters, run->topics.fields.n_clusters,
                     count_outliers(threads), largest_cluster(threads));
    }
    return exit_code;
}

static int cluster_files(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    cluster_run run = {0};
    pkin_status status = PKIN_OK;
    int exit_code = PKIN_I_EXIT_DONE;
    if (settings->graph_in) {
        status = pkin_graph_read_file(settings->graph_in, &run.graph);
    } else {
        exit_code = pkin_i_rows_read_vectors(cli, settings, "related", n_operands, operands, &run.rows);
    }
    if (exit_code == PKIN_I_EXIT_DONE && run.rows.corpus) {
        uint64_t n_papers = pkin_corpus_size(run.rows.corpus);
        run.papers = pkin_i_cli_allocate((size_t)n_papers + 1, sizeof *run.papers);
        for (uint64_t row = 0; row < n_papers; row++) run.papers[row] = pkin_i_text_of_row(run.rows.corpus, row);
    }
    if (exit_code == PKIN_I_EXIT_DONE && status == PKIN_OK) {
        pkin_i_signals_defer(true);
        status = find_topics(cli, settings, &run);
        if (status == PKIN_OK) status = describe(cli, settings, &run);
        pkin_i_signals_defer(false);
        pkin_i_progress_erase(cli);
    }
    if (status != PKIN_OK) exit_code = pkin_i_cli_failed(cli, status);
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = write_clusters(cli, settings, &run);
    cluster_run_free(&run);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

/* ---- Threads of a store ------------------------------------------------------------------------------------------ */

static void print_update_json(const pkin_i_settings *settings, const pkin_threads_report *report) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "cluster");
    pkin_i_json_text(&json, "store", pkin_i_store_path(settings->store));
    pkin_i_json_text(&json, "date", report->date);
    pkin_i_json_flag(&json, "dry_run", settings->dry_run);
    pkin_i_json_count(&json, "papers", report->n_papers);
    pkin_i_json_count(&json, "outliers", report->n_outliers);
    pkin_i_json_count(&json, "threads", report->n_threads);
    pkin_i_json_count(&json, "fields", report->n_fields);
    pkin_i_json_count(&json, "largest_thread", report->largest_thread);
    pkin_i_thread_events_json(&json, report->events, report->n_events);
    pkin_i_json_begin_object(&json, "seconds");
    pkin_i_json_real(&json, "load", report->seconds_load, 3);
    pkin_i_json_real(&json, "neighbors", report->seconds_neighbors, 3);
    pkin_i_json_real(&json, "clusters", report->seconds_clusters, 3);
    pkin_i_json_real(&json, "labels", report->seconds_labels, 3);
    pkin_i_json_real(&json, "match", report->seconds_match, 3);
    pkin_i_json_real(&json, "save", report->seconds_save, 3);
    pkin_i_json_end_object(&json);
    pkin_i_json_end_answer(&json);
}

static void print_update(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_threads_report *report) {
    pkin_i_thread_update_print(cli, report, settings->dry_run ? "; a dry run, the store was not changed" : "");
    tell_summary(cli, report->n_papers, "paper", report->n_threads, report->n_fields, report->n_outliers,
                 report->largest_thread);
}

static int update_store(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_store *store = NULL;
    pkin_threads_report report = {0};
    pkin_topics_options topics = make_topics_options(cli, settings);
    pkin_threads_options options = pkin_threads_options_default();
    if (is_described(settings)) options.topics = &topics;
    if (settings->window_days != UINT64_MAX) options.window_days = (uint32_t)settings->window_days;
    options.date = settings->date;
    options.backend = settings->backend;
    options.dry_run = settings->dry_run;
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    if (access(pkin_i_store_path(settings->store), F_OK) != 0) {
        pkin_i_cli_error(
            cli, "%s: there is no store; `paperkin digest` or `paperkin ingest` make one. To cluster files, name them",
            pkin_i_store_path(settings->store));
        return PKIN_I_EXIT_FAILURE;
    }
    pkin_i_store_use use = settings->dry_run ? PKIN_I_STORE_READ : PKIN_I_STORE_REMEMBER;
    if (pkin_i_store_choose(cli, settings->store, use, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    pkin_i_signals_defer(true);
    pkin_status status = pkin_threads_update(store, &options, &report);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    int exit_code = status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
    if (status == PKIN_OK && settings->json) {
        print_update_json(settings, &report);
    } else if (status == PKIN_OK) {
        print_update(cli, settings, &report);
    }
    pkin_threads_report_free(&report);
    pkin_store_close(store);
    return exit_code;
}

static bool spares_inputs(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    char *graph[] = {(char *)settings->graph_in};
    int n_graphs = settings->graph_in != NULL;
    return pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands) &&
           pkin_i_output_spares_inputs(cli, settings->graph_out, n_operands, operands) &&
           pkin_i_output_spares_inputs(cli, settings->out, n_graphs, graph) &&
           pkin_i_output_spares_inputs(cli, settings->graph_out, n_graphs, graph);
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    int exit_code = check(cli, settings, n_operands);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    if (!spares_inputs(cli, settings, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    exit_code = pkin_backend_check(settings->backend) == PKIN_OK
                    ? PKIN_I_EXIT_DONE
                    : pkin_i_cli_failed(cli, pkin_backend_check(settings->backend));
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    return n_operands || settings->graph_in ? cluster_files(cli, settings, n_operands, operands)
                                            : update_store(cli, settings);
}

static const pkin_i_option options[] = {
    {.name = "method",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "M",
     .choices = "leiden|components|density|kmeans",
     PKIN_I_MEMBER(method),
     .help = "leiden (default: communities of the neighbour graph), components (what edges connect), density (HDBSCAN: "
             "dense regions, the rest left out) or kmeans (spherical)"},
    {.name = "clusters",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 10000000,
     PKIN_I_MEMBER(n_clusters),
     .help = "kmeans: how many; leiden: about how many, instead of --resolution"},
    {.name = "resolution",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "R",
     .minimum = 0,
     .maximum = 1000000,
     .above_minimum = true,
     PKIN_I_MEMBER(resolution),
     .help = "leiden: higher means smaller threads"},
    {.name = "field-resolution",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "R",
     .minimum = 0,
     .maximum = 1000000,
     .above_minimum = true,
     PKIN_I_MEMBER(field_resolution),
     .help = "the same for the fields that threads belong to"},
    {.name = "objective",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "O",
     .choices = "modularity|cpm",
     PKIN_I_MEMBER(objective),
     .help = "leiden: what is made large, modularity or the constant Potts model"},
    {.name = "runs",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 1000,
     PKIN_I_MEMBER(n_runs),
     .help = "leiden: runs that agree on the result; more make it steadier"},
    {.name = "min-size",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 1000000,
     PKIN_I_MEMBER(min_size),
     .help = "papers that a thread must have; default 5"},
    {.name = "seed",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 0,
     .maximum = 1e15,
     PKIN_I_MEMBER(seed),
     .help = "of everything that is drawn by lot; the same seed gives the same clusters"},
    {.help = "The graph"},
    {.name = "neighbors",
     .letter = 'k',
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "K",
     .minimum = 1,
     .maximum = 1000,
     PKIN_I_MEMBER(k),
     .help = "an edge joins a paper with its K closest; default: the square root of the number of papers, at most 100"},
    {.name = "mutual",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(mutual),
     .help = "an edge only where each is among the other's"},
    {.name = "least-weight",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "W",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(least_weight),
     .help = "edges that weigh less are left out; default 0.02"},
    {.name = "floor",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(floor),
     .help = "the least cosine of an edge; default 0, among fewer than 400 papers up to 0.065"},
    {.name = "edge-weight",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "W",
     .choices = "ranked|shared|cosine|squared",
     PKIN_I_MEMBER(edge_weight),
     .help = "an edge's weight: ranked (default: how far the two rankings of neighbours agree), shared (neighbours in "
             "common), cosine or squared"},
    {.name = "author-damping",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(author_damping),
     .help = "how much less an edge counts between papers with the same authors: 0 (default) nothing, 1 all of it"},
    {.name = "graph",
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "FILE",
     PKIN_I_MEMBER(graph_in),
     .help = "cluster this graph instead: an edge list, GraphML or GEXF"},
    {.name = "write-graph",
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "FILE",
     PKIN_I_MEMBER(graph_out),
     .help = "write the graph with its threads: GraphML or GEXF where the name ends in .graphml or .gexf, else an edge "
             "list"},
    {.help = "Threads of a store"},
    PKIN_I_OPTION_STORE,
    {.name = "window",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "DAYS",
     .minimum = 0,
     .maximum = 100000,
     PKIN_I_MEMBER(window_days),
     .help = "cluster the papers of so many days, 0: all; default: as before, at first 180"},
    {.name = "date",
     .kind = PKIN_I_OPTION_DATE,
     .argument = "D",
     PKIN_I_MEMBER(date),
     .help = "YYYY-MM-DD of the update; default: of the latest digest"},
    {.name = "dry-run",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(dry_run),
     .help = "say what would happen; leave the store as it is"},
    {.help = "Results"},
    {.name = "format",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "F",
     .choices = "table|tsv|jsonl",
     PKIN_I_MEMBER(format),
     .help = "of files: table (default: threads by field), tsv or jsonl (a line a paper; default with --output)"},
    PKIN_I_OPTION_OUTPUT,
    PKIN_I_OPTION_JSON,
    PKIN_I_OPTION_THREADS,
    PKIN_I_OPTION_OF_BACKEND,
    PKIN_I_OPTIONS_FEATURES("related"),
    {.help = "General"},
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_cluster = {
    .name = "cluster",
    .usage = "[OPTION]... [INPUT]...",
    .summary = "groups papers into threads of work and fields",
    .description =
        "Without INPUT: finds the threads of a store's papers, and follows them from update to update: each keeps its "
        "id while it grows, and what was born, merged, split or ended is told. `paperkin threads` shows them.\n"
        "INPUT is a digest or corpus (several are merged), or one matrix as `paperkin vectorize` and SciPy write it "
        "(.npz): its papers are clustered once, and nothing is remembered.",
    .examples = "  paperkin cluster --store papers.db\n"
                "  paperkin cluster 2026-01-*.jsonl\n"
                "  paperkin cluster --format jsonl -o clusters.jsonl --write-graph papers.graphml corpus.jsonl.zst\n",
    .options = options,
    .min_operands = 0,
    .max_operands = -1,
    .operand = "expected digests, a corpus or a matrix (.npz)",
    .run = run,
};
