/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_COMMANDS_H
#define PKIN_CLI_COMMANDS_H

#include "options.h"

/* One command: what its help says, what it takes, and what it does. */
typedef struct pkin_i_command {
    const char *name;
    const char *usage;       /* what follows the name */
    const char *summary;     /* one line for the list of commands */
    const char *description; /* paragraphs, parted by '\n' */
    const char *examples;    /* lines, or NULL */
    const pkin_i_option *options;
    int min_operands;
    int max_operands;    /* -1: any number */
    const char *operand; /* what is missing when there are too few */
    int (*run)(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands); /* exit code */
} pkin_i_command;

extern const pkin_i_command pkin_i_command_backends;
extern const pkin_i_command pkin_i_command_bench;
extern const pkin_i_command pkin_i_command_cluster;
extern const pkin_i_command pkin_i_command_digest;
extern const pkin_i_command pkin_i_command_gate;
extern const pkin_i_command pkin_i_command_help;
extern const pkin_i_command pkin_i_command_ingest;
extern const pkin_i_command pkin_i_command_neighbors;
extern const pkin_i_command pkin_i_command_pairs;
extern const pkin_i_command pkin_i_command_read;
extern const pkin_i_command pkin_i_command_related;
extern const pkin_i_command pkin_i_command_store;
extern const pkin_i_command pkin_i_command_threads;
extern const pkin_i_command pkin_i_command_vectorize;
extern const pkin_i_command pkin_i_command_version;

/* What this program has and says of itself: command_list.c, or core_command_list.c in a build of the core alone. In the
   order of their names. */
extern const pkin_i_command *const pkin_i_commands[];
extern const size_t pkin_i_n_commands;
extern const char pkin_i_program_purpose[], pkin_i_program_inputs[]; /* lines of the overview */

/* The command of that name; NULL after saying that there is none, and which was probably meant. */
const pkin_i_command *pkin_i_command_find(pkin_i_cli *cli, const char *name);

/* Reads what follows the command's name (words[0]) and runs it. Returns the exit code. */
int pkin_i_command_run(pkin_i_cli *cli, const pkin_i_command *command, int n_words, char **words);

void pkin_i_command_print_help(const pkin_i_command *command, FILE *stream);
void pkin_i_commands_print_overview(FILE *stream);
void pkin_i_commands_print_usage(FILE *stream); /* two lines */

#endif
