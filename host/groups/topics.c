/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and fields of papers: the methods of this folder with defaults that were chosen by measuring
 * (docs/quality.md).
 *
 * By default both levels are communities of one graph: each paper's k nearest papers (exact), an edge where one names
 * the other, weighted by how far the two rankings agree. The constant Potts model judges a cluster by its density
 * alone, so that it neither grows giants nor forces a stray paper into one; several runs must agree. Fields come first,
 * at a low density; threads are then found inside of each field, so that the levels nest. Wherever a number of
 * clusters, a graph or another method was asked for, threads come first, and fields are communities of threads by
 * modularity.
 */
#include <math.h>
#include <omp.h>

#include "base/clock.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "groups/attach.h"
#include "groups/graph.h"
#include "groups/partition.h"

enum {
    LONGEST_LIST = 100, /* neighbours of a paper: from 10,000 papers on */
    SHORTEST_LIST = 5,
    DENSITY_LIST = 15, /* of the other methods' graphs, weighted by shared neighbours */
    DEFAULT_RUNS = 8,
    ITERATIONS_OF_A_RUN = 1, /* a second changes little of what many runs agree on */
    DEFAULT_MIN_SIZE = 5,
    FIELD_MIN_SIZE = 20, /* papers of a field, where there are MANY_PAPERS in all */
    MANY_PAPERS = 100 * FIELD_MIN_SIZE,
    FIELD_SHARE = 30,      /* of all papers is this many times the density that a field must have, see field_density */
    MANY_PAPERS_LIST = 20, /* from this length on, that of 400 papers, the lists alone tell strangers apart */
    LARGE_SIZES = 2,       /* times min_size: smaller clusters are no giants, whatever their share */
    BISECTIONS = 16,
    KMEANS_ITERATIONS = 20, /* later ones move few papers */
    FIELD_RUNS = 32,        /* threads are few, and these runs cheap */
    FIELD_STEPS = 12
};
#define DEFAULT_CPM_RESOLUTION 0.07
#define FEW_PAPERS_FLOOR 0.065   /* cosine; ten papers drawn from a month seldom make a thread above it */
#define LEAST_THREAD_WEIGHT 0.05 /* of edges inside of a field: less adds nothing to a thread */
#define DEFAULT_MODULARITY_RESOLUTION 10.0
#define DEFAULT_FIELD_MODULARITY 1.0
#define FIELD_TO_THREAD 0.2        /* a field's density, of a thread's, at most */
#define LEAST_ATTACHING_WEIGHT 0.2 /* density: shared neighbours that bring an outlier to a cluster */
#define MAX_SHARE 0.1              /* of all papers, in one field, component or dense region */
#define FIELD_STEP 1.25            /* from one resolution to the next */

pkin_topics_options pkin_topics_options_default(void) {
    pkin_topics_options options = {.size = sizeof(pkin_topics_options),
                                   .method = PKIN_CLUSTER_LEIDEN,
                                   .graph = pkin_graph_options_default(),
                                   .objective = PKIN_LEIDEN_CPM,
                                   .min_size = DEFAULT_MIN_SIZE};
    options.graph.sides = PKIN_GRAPH_EITHER;
    options.graph.weight = PKIN_EDGE_RANKED_NEIGHBORS;
    options.graph.least_weight = 0.02;
    return options;
}

/* One call's options, and what the steps hand on. */
typedef struct topics_work {
    pkin_topics_options options;
    const pkin_vectors *vectors; /* NULL: an imported graph */
    const pkin_neighbor_lists *lists;
    pkin_neighbor_lists found; /* freed at the end */
    pkin_topics *out;
} topics_work;

static pkin_status take_options(const pkin_topics_options *given, int has_vectors, pkin_topics_options *out) {
    pkin_status status;
    *out = pkin_topics_options_default();
    PKIN_TRY(pkin_i_take_options(given, out, "pkin_topics_options"));
    if (out->n_threads <= 0) out->n_threads = omp_get_max_threads();
    PKIN_REQUIRE(out->method >= PKIN_CLUSTER_LEIDEN && out->method <= PKIN_CLUSTER_KMEANS, PKIN_ERROR_INVALID_ARGUMENT,
                 "unknown clustering method %d", (int)out->method);
    PKIN_REQUIRE(out->method != PKIN_CLUSTER_KMEANS || (out->n_clusters > 0 && has_vectors),
                 PKIN_ERROR_INVALID_ARGUMENT, "k-means needs vectors, and to be told how many clusters to make");
    PKIN_REQUIRE(out->resolution >= 0 && isfinite(out->resolution) && out->field_resolution >= 0 &&
                     isfinite(out->field_resolution),
                 PKIN_ERROR_INVALID_ARGUMENT,
                 "the resolutions are %g and %g, expected numbers above 0, or 0 for the default", out->resolution,
                 out->field_resolution);
    PKIN_REQUIRE(out->author_damping >= 0 && out->author_damping <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "author damping is %g, expected a number from 0 to 1", out->author_damping);
out:
    return status;
}

/* ---- The graph --------------------------------------------------------------------------------------------------- */

static int is_default_graph(const pkin_graph_options *given) {
    const pkin_graph_options usual = pkin_topics_options_default().graph;
    return given->n_neighbors == usual.n_neighbors && given->floor == usual.floor && given->sides == usual.sides &&
           given->weight == usual.weight && given->least_weight == usual.least_weight;
}

/* Among few papers long lists name strangers: the square root of their number, within bounds. */
static uint32_t list_length(uint64_t n_rows, uint32_t longest) {
    uint32_t k = SHORTEST_LIST;
    while (k < longest && (uint64_t)k * k < n_rows) k++;
    return k;
}

/*
 * Among a handful of papers everybody is among everybody's nearest, and all lists agree: the least cosine of an edge
 * keeps strangers apart. It falls as the lists grow, to 0 at 400 papers, so that it does not touch what they tell.
 */
static double few_papers_floor(uint64_t n_rows) {
    uint32_t k = list_length(n_rows, MANY_PAPERS_LIST);
    return FEW_PAPERS_FLOOR * (MANY_PAPERS_LIST - k) / (MANY_PAPERS_LIST - SHORTEST_LIST);
}

static pkin_graph_options graph_options(const pkin_topics_options *options, uint64_t n_rows) {
    pkin_graph_options graph = options->graph;
    uint32_t longest = LONGEST_LIST;
    int is_default = is_default_graph(&graph);
    if (options->method != PKIN_CLUSTER_LEIDEN && is_default) {
        graph = pkin_graph_options_default();
        graph.weight = PKIN_EDGE_SHARED_NEIGHBORS;
        longest = DENSITY_LIST;
    }
    if (is_default) graph.floor = few_papers_floor(n_rows);
    if (graph.n_neighbors == 0) graph.n_neighbors = list_length(n_rows, longest);
    return graph;
}

static pkin_status find_neighbors(topics_work *work, const pkin_graph_options *graph) {
    pkin_status status;
    const pkin_topics_options *options = &work->options;
    pkin_similarity_options similarity = pkin_similarity_options_default();
    if (options->backend) similarity.backend = options->backend;
    similarity.n_threads = options->n_threads;
    similarity.on_progress = options->on_progress;
    similarity.progress_user = options->progress_user;
    double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_similarity_top_k(work->vectors, NULL, graph->n_neighbors, graph->floor, &similarity, &work->found));
    work->lists = &work->found;
    work->out->seconds_neighbors = pkin_i_seconds_now() - begin;
out:
    return status;
}

static pkin_status make_graph(topics_work *work, const pkin_paper *const *papers, const char *const *names) {
    pkin_status status = PKIN_OK;
    pkin_graph *plain = NULL;
    pkin_graph_options graph = graph_options(&work->options, pkin_vectors_n_rows(work->vectors));
    if (!work->lists) PKIN_TRY(find_neighbors(work, &graph));
    double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_graph_from_neighbors(work->lists, &graph, names, &plain));
    if (papers && work->options.author_damping > 0) {
        PKIN_TRY(pkin_graph_damp_authors(plain, papers, work->options.author_damping, &work->out->graph));
    } else {
        work->out->graph = plain;
        plain = NULL;
    }
    work->out->seconds_graph = pkin_i_seconds_now() - begin;
out:
    pkin_graph_free(plain);
    return status;
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

static pkin_leiden_options leiden_options(const pkin_topics_options *options, double resolution) {
    pkin_leiden_options leiden = pkin_leiden_options_default();
    leiden.objective = options->objective;
    leiden.resolution = resolution;
    leiden.seed = options->seed;
    leiden.n_runs = options->n_runs ? options->n_runs : DEFAULT_RUNS;
    leiden.n_iterations = ITERATIONS_OF_A_RUN;
    leiden.n_threads = options->n_threads;
    leiden.on_progress = options->on_progress;
    leiden.progress_user = options->progress_user;
    return leiden;
}

static pkin_status run_leiden(const topics_work *work, double resolution, pkin_partition *out) {
    pkin_leiden_options leiden = leiden_options(&work->options, resolution);
    pkin_status status = pkin_leiden(work->out->graph, &leiden, out);
    if (status == PKIN_OK) pkin_i_partition_dissolve(out, work->options.min_size);
    return status;
}

/*
 * A resolution that gives about n_clusters threads. Their number grows with the resolution, then falls again where they
 * break into pieces below min_size: the search is for the rising side, by bisection of its logarithm.
 */
static pkin_status search_resolution(const topics_work *work, double low, double high, double *out) {
    pkin_status status = PKIN_OK;
    uint32_t wanted = work->options.n_clusters, nearest = UINT32_MAX;
    for (int step = 0; step < BISECTIONS && nearest > wanted / 100; step++) {
        pkin_partition tried = {0};
        double middle = sqrt(low * high);
        PKIN_TRY(run_leiden(work, middle, &tried));
        uint32_t found = tried.n_clusters, away = found > wanted ? found - wanted : wanted - found;
        uint64_t n_out = 0;
        for (uint64_t v = 0; v < tried.n_nodes; v++) n_out += tried.clusters[v] == PKIN_NO_CLUSTER;
        int is_shattered = 2 * n_out > tried.n_nodes;
        pkin_partition_free(&tried);
        if (away < nearest) {
            nearest = away;
            *out = middle;
        }
        if (found > wanted || is_shattered)
            high = middle;
        else
            low = middle;
    }
out:
    return status;
}

static double thread_resolution(const pkin_topics_options *options) {
    if (options->resolution > 0) return options->resolution;
    return options->objective == PKIN_LEIDEN_CPM ? DEFAULT_CPM_RESOLUTION : DEFAULT_MODULARITY_RESOLUTION;
}

static pkin_status threads_by_leiden(topics_work *work) {
    pkin_status status = PKIN_OK;
    int is_cpm = work->options.objective == PKIN_LEIDEN_CPM;
    double resolution = thread_resolution(&work->options);
    if (work->options.n_clusters > 0) {
        PKIN_TRY(search_resolution(work, is_cpm ? 1e-5 : 1e-2, is_cpm ? 1 : 1e4, &resolution));
    }
    PKIN_TRY(run_leiden(work, resolution, &work->out->threads));
    work->out->resolution = resolution;
out:
    return status;
}

static uint64_t largest_cluster(const pkin_partition *partition) {
    uint64_t n = 0;
    for (uint64_t v = 0; v < partition->n_nodes; v++) n += partition->clusters[v] == 0;
    return n;
}

/* Papers of a component or dense region, at most. */
static double most_papers(const pkin_topics_options *options, uint64_t n_papers) {
    double share = MAX_SHARE * (double)n_papers, large = LARGE_SIZES * (double)options->min_size;
    return share > large ? share : large;
}

/* The lowest floor, of so many tried, at which no component is a giant; the papers left over go to their nearest. */
static pkin_status threads_by_components(topics_work *work) {
    pkin_status status = PKIN_OK;
    double low = 0, high = 1, floor = 0;
    for (int step = 0; step < BISECTIONS; step++) {
        pkin_partition tried = {0};
        PKIN_TRY(pkin_components(work->out->graph, floor, work->options.min_size, &tried));
        int is_giant = (double)largest_cluster(&tried) > most_papers(&work->options, tried.n_nodes);
        pkin_partition_free(&tried);
        if (is_giant)
            low = floor;
        else
            high = floor;
        if (high == 0) break;
        floor = (low + high) / 2;
    }
    PKIN_TRY(pkin_components(work->out->graph, high, work->options.min_size, &work->out->threads));
    PKIN_TRY(pkin_i_attach_outliers(work->out->graph, &work->out->threads, high / 2));
    work->out->resolution = high;
out:
    return status;
}

static pkin_status threads_by_density(topics_work *work) {
    pkin_status status;
    uint64_t n_papers = pkin_graph_n_nodes(work->out->graph);
    pkin_density_options density = pkin_density_options_default();
    pkin_density_result result = {0};
    density.min_cluster_size = work->options.min_size > 2 ? work->options.min_size : 2;
    density.min_samples = 2; /* more only blurs what the shared neighbours tell already */
    double share = most_papers(&work->options, n_papers) / (double)(n_papers ? n_papers : 1);
    density.max_cluster_share = share < 1 ? share : 1;
    PKIN_TRY(pkin_density(work->out->graph, &density, &result));
    work->out->threads = result.partition;
    result.partition = (pkin_partition){0};
    PKIN_TRY(pkin_i_attach_outliers(work->out->graph, &work->out->threads, LEAST_ATTACHING_WEIGHT));
out:
    pkin_density_result_free(&result);
    return status;
}

static pkin_status threads_by_kmeans(topics_work *work) {
    const pkin_topics_options *options = &work->options;
    pkin_kmeans_options kmeans = pkin_kmeans_options_default();
    kmeans.n_clusters = options->n_clusters;
    kmeans.seed = options->seed;
    kmeans.n_iterations = KMEANS_ITERATIONS;
    kmeans.backend = options->backend;
    kmeans.n_threads = options->n_threads;
    kmeans.on_progress = options->on_progress;
    kmeans.progress_user = options->progress_user;
    if (options->n_runs) kmeans.n_starts = options->n_runs;
    pkin_status status = pkin_kmeans(work->vectors, &kmeans, &work->out->threads);
    if (status == PKIN_OK) pkin_i_partition_dissolve(&work->out->threads, options->min_size);
    return status;
}

/* ---- Fields after threads ---------------------------------------------------------------------------------------- */

/* The fields of papers follow from those of threads; numbered by papers, the largest first, and the threads' likewise.
 */
static pkin_status spread_fields(pkin_topics *topics) {
    pkin_status status;
    uint32_t *labels = NULL;
    uint64_t n_papers = topics->threads.n_nodes;
    PKIN_TRY(pkin_i_allocate(n_papers, sizeof *labels, &labels));
    for (uint64_t v = 0; v < n_papers; v++) {
        uint32_t thread = topics->threads.clusters[v];
        labels[v] = thread == PKIN_NO_CLUSTER ? PKIN_NO_CLUSTER : topics->fields.clusters[thread];
    }
    pkin_partition_free(&topics->paper_fields);
    PKIN_TRY(pkin_i_partition_make(labels, n_papers, 1, &topics->paper_fields));
    for (uint64_t v = 0; v < n_papers; v++) {
        uint32_t thread = topics->threads.clusters[v];
        if (thread != PKIN_NO_CLUSTER) topics->fields.clusters[thread] = topics->paper_fields.clusters[v];
    }
out:
    pkin_i_free(labels);
    return status;
}

static pkin_status find_fields_at(const topics_work *work, const pkin_graph *threads, double resolution) {
    pkin_leiden_options leiden = leiden_options(&work->options, resolution);
    leiden.objective = PKIN_LEIDEN_MODULARITY;
    leiden.n_runs = FIELD_RUNS;
    pkin_partition_free(&work->out->fields);
    pkin_status status = pkin_leiden(threads, &leiden, &work->out->fields);
    return status == PKIN_OK ? spread_fields(work->out) : status;
}

/* Communities of the threads by modularity, whose resolution limit keeps their number small; finer where one of them
   would hold too much. */
static pkin_status find_fields(topics_work *work) {
    pkin_status status;
    pkin_graph *graph = NULL;
    const pkin_topics *out = work->out;
    double given = work->options.field_resolution, resolution = given > 0 ? given : DEFAULT_FIELD_MODULARITY;
    PKIN_TRY(pkin_graph_aggregate(out->graph, &out->threads, &graph));
    PKIN_TRY(find_fields_at(work, graph, resolution));
    for (int step = 0; given == 0 && step < FIELD_STEPS; step++) {
        if ((double)largest_cluster(&out->paper_fields) <= MAX_SHARE * (double)out->threads.n_nodes) break;
        resolution *= FIELD_STEP;
        PKIN_TRY(find_fields_at(work, graph, resolution));
    }
out:
    pkin_graph_free(graph);
    return status;
}

static pkin_status threads_then_fields(topics_work *work) {
    static pkin_status (*const methods[])(topics_work *) = {threads_by_leiden, threads_by_components,
                                                            threads_by_density, threads_by_kmeans};
    pkin_status status;
    double begin = pkin_i_seconds_now();
    PKIN_TRY(methods[work->options.method](work));
    work->out->seconds_threads = pkin_i_seconds_now() - begin;
    PKIN_TRY(find_fields(work));
    work->out->seconds_fields = pkin_i_seconds_now() - begin - work->out->seconds_threads;
out:
    return status;
}

/* ---- Threads inside of fields ------------------------------------------------------------------------------------ */

/* Lists are of a fixed length, so that how dense a field of a given share of the papers is falls with their number. */
static double field_density(const pkin_topics_options *options, uint64_t n_papers) {
    double density = (double)FIELD_SHARE / (double)(n_papers ? n_papers : 1);
    double most = FIELD_TO_THREAD * thread_resolution(options);
    if (options->field_resolution > 0) return options->field_resolution;
    return density < most ? density : most;
}

static uint64_t field_min_size(const pkin_topics_options *options, uint64_t n_papers) {
    uint64_t size = n_papers / 100 < FIELD_MIN_SIZE ? n_papers / 100 : FIELD_MIN_SIZE;
    return size > options->min_size ? size : options->min_size;
}

/* The edges whose ends have one field, or both none, and which weigh enough to matter. */
static pkin_status edges_inside(const pkin_graph *graph, const uint32_t *fields, pkin_graph **out) {
    pkin_status status;
    pkin_graph inside = {.n_nodes = graph->n_nodes};
    uint64_t n = 0;
    PKIN_TRY(pkin_i_allocate(graph->n_nodes + 1, sizeof *inside.offsets, &inside.offsets));
    PKIN_TRY(pkin_i_allocate(graph->offsets[graph->n_nodes], sizeof *inside.targets, &inside.targets));
    PKIN_TRY(pkin_i_allocate(graph->offsets[graph->n_nodes], sizeof *inside.weights, &inside.weights));
    for (uint64_t v = 0; v < graph->n_nodes; v++) {
        inside.offsets[v] = n;
        for (uint64_t e = graph->offsets[v]; e < graph->offsets[v + 1]; e++) {
            if (fields[graph->targets[e]] != fields[v] || graph->weights[e] < LEAST_THREAD_WEIGHT) continue;
            inside.targets[n] = graph->targets[e];
            inside.weights[n++] = graph->weights[e];
        }
    }
    inside.offsets[graph->n_nodes] = n;
    PKIN_TRY(pkin_i_graph_take(&inside, out));
out:
    pkin_i_graph_parts_free(&inside);
    return status;
}

/* Each thread's field: all of its papers have the same, or none. A field without a thread is none. */
static pkin_status fields_of_threads(pkin_topics *topics) {
    pkin_status status;
    uint32_t *fields = NULL, *labels = NULL;
    uint8_t *has_thread = NULL;
    pkin_partition *of_papers = &topics->paper_fields;
    const uint32_t *threads = topics->threads.clusters;
    PKIN_TRY(pkin_i_allocate(topics->threads.n_clusters, sizeof *fields, &fields));
    PKIN_TRY(pkin_i_allocate(of_papers->n_nodes, sizeof *labels, &labels));
    PKIN_TRY(pkin_i_allocate_zeroed(of_papers->n_clusters, sizeof *has_thread, &has_thread));
    for (uint64_t v = 0; v < of_papers->n_nodes; v++) {
        if (threads[v] != PKIN_NO_CLUSTER && of_papers->clusters[v] != PKIN_NO_CLUSTER)
            has_thread[of_papers->clusters[v]] = 1;
    }
    for (uint64_t v = 0; v < of_papers->n_nodes; v++) {
        uint32_t field = of_papers->clusters[v];
        labels[v] = field != PKIN_NO_CLUSTER && has_thread[field] ? field : PKIN_NO_CLUSTER;
    }
    pkin_partition_free(of_papers);
    PKIN_TRY(pkin_i_partition_make(labels, topics->threads.n_nodes, 1, of_papers));
    for (uint64_t v = 0; v < of_papers->n_nodes; v++) {
        if (threads[v] != PKIN_NO_CLUSTER) fields[threads[v]] = of_papers->clusters[v];
    }
    topics->fields = (pkin_partition){topics->threads.n_clusters, of_papers->n_clusters, fields, 0};
    fields = NULL;
out:
    pkin_i_free(fields);
    pkin_i_free(labels);
    pkin_i_free(has_thread);
    return status;
}

/* Fields of the papers; denser ones where one would be a giant, unless the density was asked for. Few papers may well
   be about one thing. */
static pkin_status find_paper_fields(topics_work *work) {
    pkin_status status = PKIN_OK;
    pkin_partition *fields = &work->out->paper_fields;
    uint64_t n_papers = pkin_graph_n_nodes(work->out->graph);
    double density = field_density(&work->options, n_papers), most = thread_resolution(&work->options);
    for (int is_giant = 1; is_giant; density *= FIELD_STEP) {
        pkin_leiden_options leiden = leiden_options(&work->options, density);
        pkin_partition_free(fields);
        PKIN_TRY(pkin_leiden(work->out->graph, &leiden, fields));
        pkin_i_partition_dissolve(fields, field_min_size(&work->options, n_papers));
        is_giant = work->options.field_resolution == 0 && n_papers >= MANY_PAPERS && density * FIELD_STEP < most &&
                   (double)largest_cluster(fields) > MAX_SHARE * (double)n_papers;
    }
out:
    return status;
}

static pkin_status fields_then_threads(topics_work *work) {
    pkin_status status;
    pkin_topics *out = work->out;
    pkin_graph *inside = NULL;
    double begin = pkin_i_seconds_now();
    pkin_leiden_options leiden = leiden_options(&work->options, thread_resolution(&work->options));
    PKIN_TRY(find_paper_fields(work));
    out->seconds_fields = pkin_i_seconds_now() - begin;
    PKIN_TRY(edges_inside(out->graph, out->paper_fields.clusters, &inside));
    PKIN_TRY(pkin_leiden(inside, &leiden, &out->threads));
    pkin_i_partition_dissolve(&out->threads, work->options.min_size);
    PKIN_TRY(fields_of_threads(out));
    out->resolution = leiden.resolution;
    out->seconds_threads = pkin_i_seconds_now() - begin - out->seconds_fields;
out:
    pkin_graph_free(inside);
    return status;
}

static pkin_status find_clusters(topics_work *work) {
    const pkin_topics_options *options = &work->options;
    int nested = options->method == PKIN_CLUSTER_LEIDEN && options->objective == PKIN_LEIDEN_CPM &&
                 options->n_clusters == 0 && options->graph.weight == PKIN_EDGE_RANKED_NEIGHBORS && work->vectors;
    return nested ? fields_then_threads(work) : threads_then_fields(work);
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

pkin_status pkin_topics_find(const pkin_vectors *vectors, const pkin_neighbor_lists *lists,
                             const pkin_paper *const *papers, const char *const *names,
                             const pkin_topics_options *options, pkin_topics *out) {
    pkin_status status;
    topics_work work = {.vectors = vectors, .lists = lists, .out = out};
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_topics_find needs a place for its result");
    *out = (pkin_topics){0};
    PKIN_REQUIRE(vectors, PKIN_ERROR_INVALID_ARGUMENT, "pkin_topics_find needs vectors");
    PKIN_REQUIRE(!lists || lists->n_rows == pkin_vectors_n_rows(vectors), PKIN_ERROR_INVALID_ARGUMENT,
                 "neighbour lists of %llu rows were given with %llu vectors", (unsigned long long)lists->n_rows,
                 (unsigned long long)pkin_vectors_n_rows(vectors));
    PKIN_TRY(take_options(options, 1, &work.options));
    PKIN_TRY(make_graph(&work, papers, names));
    PKIN_TRY(find_clusters(&work));
out:
    pkin_neighbor_lists_free(&work.found);
    if (status != PKIN_OK && out) pkin_topics_free(out);
    return status;
}

/* A graph of its own for the result. */
static pkin_status copy_graph(const pkin_graph *graph, pkin_graph **out) {
    pkin_status status;
    pkin_graph copy = {.n_nodes = graph->n_nodes};
    uint64_t n_targets = graph->offsets[graph->n_nodes];
    PKIN_TRY(pkin_i_allocate(graph->n_nodes + 1, sizeof *copy.offsets, &copy.offsets));
    PKIN_TRY(pkin_i_allocate(n_targets, sizeof *copy.targets, &copy.targets));
    PKIN_TRY(pkin_i_allocate(n_targets, sizeof *copy.weights, &copy.weights));
    for (uint64_t v = 0; v <= graph->n_nodes; v++) copy.offsets[v] = graph->offsets[v];
    for (uint64_t e = 0; e < n_targets; e++) {
        copy.targets[e] = graph->targets[e];
        copy.weights[e] = graph->weights[e];
    }
    PKIN_TRY(pkin_i_names_of_graph(graph, &copy.names));
    PKIN_TRY(pkin_i_graph_take(&copy, out));
out:
    pkin_i_graph_parts_free(&copy);
    return status;
}

pkin_status pkin_topics_of_graph(const pkin_graph *graph, const pkin_topics_options *options, pkin_topics *out) {
    pkin_status status;
    topics_work work = {.out = out};
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "pkin_topics_of_graph needs a place for its result");
    *out = (pkin_topics){0};
    PKIN_REQUIRE(graph, PKIN_ERROR_INVALID_ARGUMENT, "pkin_topics_of_graph needs a graph");
    PKIN_TRY(take_options(options, 0, &work.options));
    PKIN_TRY(copy_graph(graph, &out->graph));
    PKIN_TRY(find_clusters(&work));
out:
    if (status != PKIN_OK && out) pkin_topics_free(out);
    return status;
}

void pkin_topics_free(pkin_topics *topics) {
    if (!topics) return;
    pkin_graph_free(topics->graph);
    pkin_partition_free(&topics->threads);
    pkin_partition_free(&topics->fields);
    pkin_partition_free(&topics->paper_fields);
    *topics = (pkin_topics){0};
}
