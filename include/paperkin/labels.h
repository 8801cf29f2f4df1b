/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_LABELS_H
#define PAPERKIN_LABELS_H

#include "paperkin/cluster.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_labels_options {
    size_t size;            /* sizeof(pkin_labels_options), set by _default */
    uint32_t n_terms;       /* of a label, at most; default 3 */
    int n_threads;          /* 0: all; the result does not depend on it */
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_labels_options;

PKIN_API pkin_labels_options pkin_labels_options_default(void);

/* What a cluster is about. Strings are NUL-terminated UTF-8, written as the papers most often do, without control
   characters and LaTeX; parentheses hold the number that tells equal siblings apart. */
typedef struct pkin_label {
    const char *english;  /* its terms, parted by ", ": "KV cache compression, long context"; "" where no paper has text
                               that is not Chinese */
    const char *chinese;  /* the same from Chinese titles, abstracts and summaries, parted by "、"; "" where fewer than a
                               third of the papers have any */
    const char *const *terms; /* English, strongest first; NULL ends them */
} pkin_label;

typedef struct pkin_labels {
    uint32_t n_clusters;
    pkin_label *labels;
    void *memory; /* of the strings */
} pkin_labels;

/*
 * Names clusters by the words and phrases of up to five words that are frequent in a cluster and rare elsewhere:
 * class-based TF-IDF, tf * ln(1 + A / f), where a class is a cluster, and the outliers one more; tf is what the term
 * counts in the class, a paper adding 3 where its title has the term, else 1, so that no paper can name a cluster by
 * repetition; f is the same over all papers, A the mean over the classes of what their words count together. Phrases
 * are worth more than single words (docs/labels.md has the factors). A term stands in two papers or more, in larger
 * clusters in a fifth to a twentieth of them, unless the cluster has no such term. No two clusters with one parent get
 * the same label, and siblings share no first term where there is a choice: it goes to the one whose papers have it
 * more. `papers`: one a node; `parents` (may be NULL: all are siblings) gives each cluster's parent. The same on every
 * machine and for every number of threads. O(words). Free with pkin_labels_free, also after a failure.
 * Source: Grootendorst, "BERTopic: neural topic modeling with a class-based TF-IDF procedure", 2022.
 */
PKIN_API pkin_status pkin_labels_make(const pkin_paper *const *papers, const pkin_partition *partition,
                                      const uint32_t *parents, const pkin_labels_options *options, pkin_labels *out);
PKIN_API void pkin_labels_free(pkin_labels *labels);

/* A paper that stands for its cluster. */
typedef struct pkin_representative {
    uint32_t row;
    double closeness;  /* cosine with the cluster's centre, [0, 1] */
    double centrality; /* share of its cluster's inner edge weight that meets it, relative to the most central node: [0, 1] */
} pkin_representative;

/*
 * The (up to) `n_each` papers of each cluster that stand best for it: by closeness * (1 + centrality), ties by row.
 * `out` has n_clusters * n_each items, cluster by cluster, unused ones with row UINT32_MAX. `graph` may be NULL: then
 * centrality is 0. Exact sums: the same bits everywhere. O(entries + edges).
 * After a failure `out` is undefined.
 */
PKIN_API pkin_status pkin_representatives_find(const pkin_vectors *vectors, const pkin_graph *graph,
                                               const pkin_partition *partition, uint32_t n_each,
                                               pkin_representative *out);

PKIN_EXTERN_C_END

#endif
