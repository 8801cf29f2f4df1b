/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a build of the similarity core alone: what needs no text and no store. */
#include "commands.h"

const char pkin_i_program_purpose[] =
    "Finds the similar rows of sparse matrices, exactly. This is the similarity core\n"
    "alone: what reads text or remembers papers needs a full build.\n";
const char pkin_i_program_inputs[] = "Files are sparse matrices in SciPy's .npz (scipy.sparse.save_npz), a row a\n"
                                     "document.\n";

const pkin_i_command *const pkin_i_commands[] = {&pkin_i_command_backends, &pkin_i_command_bench,
                                                 &pkin_i_command_help,     &pkin_i_command_neighbors,
                                                 &pkin_i_command_pairs,    &pkin_i_command_version};
const size_t pkin_i_n_commands = sizeof pkin_i_commands / sizeof *pkin_i_commands;
