/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_CLUSTER_H
#define PAPERKIN_CLUSTER_H

#include "paperkin/graph.h"

PKIN_EXTERN_C_BEGIN

/* Nodes or rows in disjoint clusters, numbered from 0: the largest first, of equal sizes the one with the least node. */
typedef struct pkin_partition {
    uint64_t n_nodes;
    uint32_t n_clusters;
    uint32_t *clusters; /* by node: its cluster, or PKIN_NO_CLUSTER */
    double quality;     /* of the objective, as each function says */
} pkin_partition;

PKIN_API void pkin_partition_free(pkin_partition *partition);

/* ---- Leiden -------------------------------------------------------------------------------------------------------- */

typedef enum pkin_leiden_objective {
    PKIN_LEIDEN_MODULARITY = 0, /* sum over clusters of w_c / m - resolution * (k_c / 2m)^2 */
    PKIN_LEIDEN_CPM             /* constant Potts model: sum over clusters of w_c - resolution * n_c * (n_c - 1) / 2 */
} pkin_leiden_objective;

typedef struct pkin_leiden_options {
    size_t size;              /* sizeof(pkin_leiden_options), set by _default */
    pkin_leiden_objective objective;
    double resolution;        /* > 0; higher: smaller clusters. Default 1 */
    uint64_t seed;            /* of the order in which nodes are visited, and of the refinement's choices */
    double randomness;        /* theta of the refinement, > 0: larger explores more; default 0.01 */
    uint32_t n_iterations;    /* at most; each begins from the last one's result; 0: until nothing moves. Default 2 */
    /*
     * More than 1, at most 1000: that many runs with seeds of their own, and then one on the same graph whose weights are
     * multiplied by the share of the runs that put an edge's ends together, without the edges of less than half of the
     * runs (after Poulin and Theberge, "Ensemble clustering for graphs", 2019, and Lancichinetti
     * and Fortunato, "Consensus clustering in complex networks", 2012): a result that depends less on the seed and on
     * single papers. Runs are shared among the threads; each holds some 50 bytes an edge.
     */
    uint32_t n_runs;
    int n_threads;            /* 0: all. The result is the same bits for every value */
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_leiden_options;

PKIN_API pkin_leiden_options pkin_leiden_options_default(void);

/*
 * Communities of a graph. quality is the objective's value on `graph`: modularity in [-0.5, 1], or the CPM's sum.
 * Nodes without edges become clusters of their own. Every cluster is connected. Deterministic: the same graph, options
 * and seed give the same partition on every machine and thread count. O(edges) an iteration in practice.
 * Source: Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing well-connected communities", 2019.
 */
PKIN_API pkin_status pkin_leiden(const pkin_graph *graph, const pkin_leiden_options *options, pkin_partition *out);

/* The objective's value of a partition (outliers count as clusters of their own). */
PKIN_API pkin_status pkin_leiden_quality(const pkin_graph *graph, const pkin_partition *partition,
                                         pkin_leiden_objective objective, double resolution, double *out);

/* The graph whose nodes are the clusters of a partition (outliers are left out): weights between them summed, inner
   weights and sizes kept. */
PKIN_API pkin_status pkin_graph_aggregate(const pkin_graph *graph, const pkin_partition *partition, pkin_graph **out);

/* ---- Connected components ------------------------------------------------------------------------------------------ */

/* Of the edges with a weight of at least `floor`; components of fewer than `min_size` nodes are outliers. quality: the
   share of all weight that is inside of clusters. O(edges). */
PKIN_API pkin_status pkin_components(const pkin_graph *graph, double floor, uint64_t min_size, pkin_partition *out);

/* ---- Density -------------------------------------------------------------------------------------------------------- */

typedef struct pkin_density_options {
    size_t size;               /* sizeof(pkin_density_options), set by _default */
    uint64_t min_cluster_size; /* >= 2; default 5 */
    uint64_t min_samples;      /* a node's core distance is that to its min_samples-th nearest, itself the first; default 5 */
    double max_cluster_share;  /* no cluster larger than this share of all nodes is chosen, in (0, 1]; default 1 */
    int leaves;                /* 1: the leaves of the tree instead of the most stable clusters */
} pkin_density_options;

PKIN_API pkin_density_options pkin_density_options_default(void);

/* One cluster of the condensed tree. */
typedef struct pkin_density_cluster {
    uint32_t parent;      /* index, less than its own; the root (0) has UINT32_MAX */
    double birth;         /* lambda = 1 / distance at which it appears */
    double death;         /* at which it splits or its last node leaves; may be infinite */
    double stability;     /* sum over its nodes of (lambda at which the node leaves it - birth) */
    uint64_t size;        /* nodes when it appears */
    uint32_t cluster;     /* its number in the partition, PKIN_NO_CLUSTER where it was not chosen */
} pkin_density_cluster;

typedef struct pkin_density_result {
    pkin_partition partition; /* outliers: PKIN_NO_CLUSTER; quality: sum of the chosen clusters' stabilities */
    double *probabilities;    /* by node: strength of its membership, in [0, 1]; 0 for outliers */
    double *outlier_scores;   /* by node: GLOSH, in [0, 1] */
    pkin_density_cluster *tree;
    uint32_t n_tree;
} pkin_density_result;

/*
 * Density-based clusters with outliers in the manner of HDBSCAN, on a graph whose weights are cosines: distance is
 * 1 - weight, pairs without an edge are at distance 1 (beyond every edge, and joined last). On the complete graph this
 * is HDBSCAN* exactly. O(edges log edges).
 * Source: Campello, Moulavi, Zimek and Sander, "Hierarchical density estimates for data clustering, visualization, and
 * outlier detection", 2015.
 */
PKIN_API pkin_status pkin_density(const pkin_graph *graph, const pkin_density_options *options,
                                  pkin_density_result *out);
PKIN_API void pkin_density_result_free(pkin_density_result *result);

/* ---- Spherical k-means ---------------------------------------------------------------------------------------------- */

typedef struct pkin_kmeans_options {
    size_t size;           /* sizeof(pkin_kmeans_options), set by _default */
    uint32_t n_clusters;   /* k >= 1; no default: it must be set */
    uint64_t seed;
    uint32_t n_starts;     /* the best of so many is kept; default 1 */
    uint32_t n_iterations; /* at most; default 50 */
    const char *backend;   /* as in pkin_similarity_options; NULL: auto */
    int n_threads;
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_kmeans_options;

PKIN_API pkin_kmeans_options pkin_kmeans_options_default(void);

/*
 * Rows by the direction of the nearest centre: centres are seeded by k-means++ and then are the rows' exact sums,
 * scaled to length 1; assigning is an exact top-1 search of rows against centres, on the CPU by a product of sparse rows
 * and centres in integers, on another backend that is named by pkin_similarity_top_k: the result is the same bits on
 * every backend and thread count. A row that is shorter than 1 counts less in its cluster's sum. Empty
 * rows, and rows that share nothing with any centre, are outliers. quality: the mean cosine of the assigned rows with
 * their centres. Fewer clusters where rows are fewer. An empty cluster takes the row farthest from its centre.
 * Source: Dhillon and Modha, "Concept decompositions for large sparse text data using clustering", 2001; Arthur and
 * Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
 */
PKIN_API pkin_status pkin_kmeans(const pkin_vectors *vectors, const pkin_kmeans_options *options, pkin_partition *out);

/* ---- Fields and threads of papers: all of the above with defaults that serve readers --------------------------------- */

typedef enum pkin_cluster_method {
    PKIN_CLUSTER_LEIDEN = 0,
    PKIN_CLUSTER_COMPONENTS,
    PKIN_CLUSTER_DENSITY,
    PKIN_CLUSTER_KMEANS
} pkin_cluster_method;

typedef struct pkin_topics_options {
    size_t size; /* sizeof(pkin_topics_options), set by _default */
    pkin_cluster_method method;
    /* n_neighbors 0 (default): the square root of the number of papers, from 5 to 100. The other defaults suit leiden; where
       they are left as they are, components and density take mutual neighbours, up to 15, and the
       share of neighbours in common; and among fewer than 400 papers the floor is up to 0.065, since short lists do
       not tell strangers apart. */
    pkin_graph_options graph;
    double author_damping;    /* pkin_graph_damp_authors; 0 (default): none */
    pkin_leiden_objective objective; /* default PKIN_LEIDEN_CPM */
    double resolution;        /* leiden: of the threads; 0: the default of the objective, 0.07 for CPM */
    double field_resolution;  /* of the fields, see pkin_topics_find; 0: the default */
    uint32_t n_clusters;      /* kmeans: how many; leiden: > 0 asks for a resolution that gives about so many; 0: default */
    uint32_t n_runs;          /* leiden: see pkin_leiden_options; 0: the default */
    uint64_t min_size;        /* smaller threads are dissolved, their papers are outliers; default 5 */
    uint64_t seed;
    const char *backend;      /* as in pkin_similarity_options; NULL: auto */
    int n_threads;
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_topics_options;

PKIN_API pkin_topics_options pkin_topics_options_default(void);

typedef struct pkin_topics {
    pkin_graph *graph;      /* of the papers */
    pkin_partition threads; /* of the papers */
    pkin_partition fields;  /* of the threads: node t is thread t; numbered as paper_fields */
    pkin_partition paper_fields; /* of the papers: that of their thread, and of papers without a thread where it is known */
    double resolution;      /* of the threads, as used */
    double seconds_neighbors, seconds_graph, seconds_threads, seconds_fields;
} pkin_topics;

/*
 * Two levels of clusters of papers: threads, and fields that threads belong to. With leiden and its defaults fields are
 * found first, by the constant Potts model with resolution 30 / papers, and threads inside of each. Where n_clusters,
 * another objective, another edge weight or another method is asked for, threads come first, and fields are their
 * communities by modularity (resolution 1; higher where a field would hold more than 10% of the papers). `lists` NULL: the neighbours are found
 * first (pkin_similarity_top_k). `papers` (one a row) is needed for author damping only; `names` as in
 * pkin_graph_from_edges; both may be NULL. Free with pkin_topics_free, also after a failure.
 */
PKIN_API pkin_status pkin_topics_find(const pkin_vectors *vectors, const pkin_neighbor_lists *lists,
                                      const pkin_paper *const *papers, const char *const *names,
                                      const pkin_topics_options *options, pkin_topics *out);
/* The same on a graph that exists (which is copied into the result): no kmeans, no damping. */
PKIN_API pkin_status pkin_topics_of_graph(const pkin_graph *graph, const pkin_topics_options *options,
                                          pkin_topics *out);
PKIN_API void pkin_topics_free(pkin_topics *topics);

PKIN_EXTERN_C_END

#endif
