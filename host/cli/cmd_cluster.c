/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster_runs.h"
#include "messages.h"
#include "overwrite.h"
#include "progress.h"

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
    if (settings->graph_in) options.objective = PKIN_LEIDEN_MODULARITY; /* its weights may be anything */
    if (settings->objective) {
        options.objective = strcmp(settings->objective, "cpm") == 0 ? PKIN_LEIDEN_CPM : PKIN_LEIDEN_MODULARITY;
    }
    if (settings->graph_in && options.objective == PKIN_LEIDEN_MODULARITY) options.resolution = 1;
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
    pkin_status status = pkin_backend_check(settings->backend);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    pkin_topics_options topics = make_topics_options(cli, settings);
    if (n_operands || settings->graph_in) return pkin_i_cluster_files(cli, settings, &topics, n_operands, operands);
    return pkin_i_cluster_store(cli, settings, is_described(settings) ? &topics : NULL);
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
     .help = "cluster this graph instead: an edge list, GraphML or GEXF; leiden then makes modularity large, at "
             "resolution 1"},
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
