/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_CLUSTER_OUTPUT_H
#define PKIN_CLI_CLUSTER_OUTPUT_H

#include "output.h"
#include "row_inputs.h"

/* Clusters of one run, ready to be written. */
typedef struct pkin_i_clusters {
    const pkin_topics *topics;
    const pkin_i_rows *rows;   /* NULL: an imported graph, whose nodes have names at most */
    const pkin_labels *labels; /* of the threads; n_clusters 0: there is no text */
    const pkin_labels *field_labels;
    const pkin_representative *representatives; /* one a thread; NULL: none */
} pkin_i_clusters;

/* The name of a node: its paper's id, its row's, its own, else its number. `buffer` may be used. */
const char *pkin_i_cluster_node_id(const pkin_i_clusters *clusters, uint64_t node, char buffer[PKIN_I_ROW_ID_BYTES]);
const char *pkin_i_cluster_node_title(const pkin_i_clusters *clusters, uint64_t node); /* "" where unknown */

/* The threads by field, for people: of each field the largest `n_each`. */
void pkin_i_clusters_print_table(const pkin_i_clusters *clusters, const pkin_i_output *output, uint64_t n_each,
                                 bool color);

/* A line a paper, as TSV with a heading or as JSON. */
void pkin_i_clusters_print_papers(const pkin_i_clusters *clusters, const pkin_i_output *output, bool as_json);

#endif
