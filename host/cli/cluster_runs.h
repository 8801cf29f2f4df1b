/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_CLUSTER_RUNS_H
#define PKIN_CLI_CLUSTER_RUNS_H

#include "commands.h"

/* The two kinds of work that `cluster` does. Each returns the exit code; what is wrong has been told. */

/* Clusters files, or the graph of --graph, once, and writes what it found. */
int pkin_i_cluster_files(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_topics_options *topics,
                         int n_inputs, char **inputs);

/* Brings the threads of the store up to date. `topics` NULL: as the store remembers. */
int pkin_i_cluster_store(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_topics_options *topics);

/* What one run found, in a line. */
typedef struct pkin_i_cluster_counts {
    uint64_t n_papers, n_threads, n_fields, n_outliers;
    uint64_t largest; /* papers of the largest thread */
    const char *unit; /* "paper", "row", "node" */
} pkin_i_cluster_counts;

/* "8,907 papers: 312 threads in 24 fields, 20% in none; the largest has 87", on standard error. */
void pkin_i_cluster_tell(pkin_i_cli *cli, const pkin_i_cluster_counts *counts);

#endif
