/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

const char pkin_i_program_purpose[] = "Remembers the papers of daily digests, tells repeats and near-duplicates, links\n"
                                      "related papers, and follows threads of work from day to day.\n";
const char pkin_i_program_inputs[] =
    "Files are digests in Markdown or JSON lines, arXiv metadata snapshots and the\n"
    "like; plain, gzip or zstd; told by their content. `-` is standard input or output.\n";

/* In the order of their names. */
const pkin_i_command *const pkin_i_commands[] = {
    &pkin_i_command_backends, &pkin_i_command_bench,     &pkin_i_command_cluster, &pkin_i_command_digest,
    &pkin_i_command_gate,     &pkin_i_command_help,      &pkin_i_command_ingest,  &pkin_i_command_neighbors,
    &pkin_i_command_pairs,    &pkin_i_command_read,      &pkin_i_command_related, &pkin_i_command_store,
    &pkin_i_command_threads,  &pkin_i_command_vectorize, &pkin_i_command_version};
const size_t pkin_i_n_commands = sizeof pkin_i_commands / sizeof *pkin_i_commands;
