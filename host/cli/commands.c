/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <string.h>

#include "messages.h"

static const char *command_name(const void *table, size_t k) {
    (void)table;
    return k < pkin_i_n_commands ? pkin_i_commands[k]->name : NULL;
}

const pkin_i_command *pkin_i_command_find(pkin_i_cli *cli, const char *name) {
    for (size_t k = 0; k < pkin_i_n_commands; k++) {
        if (strcmp(pkin_i_commands[k]->name, name) == 0) return pkin_i_commands[k];
    }
    const char *near = pkin_i_nearest_name(name, command_name, NULL);
    if (near) {
        pkin_i_cli_misuse(cli, "unknown command \"%s\"; did you mean %s?", name, near);
    } else {
        pkin_i_cli_misuse(cli, "unknown command \"%s\"", name);
    }
    return NULL;
}

/* Standard input can be read but once. */
static bool repeats_standard_input(int n_operands, char **operands) {
    int n = 0;
    for (int k = 0; k < n_operands; k++) n += strcmp(operands[k], "-") == 0;
    return n > 1;
}

int pkin_i_command_run(pkin_i_cli *cli, const pkin_i_command *command, int n_words, char **words) {
    pkin_i_settings settings;
    int first_operand;
    cli->command = command->name;
    if (!pkin_i_options_read(cli, command->options, n_words, words, &settings, &first_operand)) {
        return PKIN_I_EXIT_MISUSE;
    }
    cli->quiet = settings.quiet;
    if (settings.help) {
        pkin_i_command_print_help(command, stdout);
        return PKIN_I_EXIT_DONE;
    }
    if (!pkin_i_options_check(cli, command->options, &settings)) return PKIN_I_EXIT_MISUSE;

    int n_operands = n_words - first_operand;
    char **operands = words + first_operand;
    if (n_operands < command->min_operands) return pkin_i_cli_misuse(cli, "%s", command->operand);
    if (command->max_operands >= 0 && n_operands > command->max_operands) {
        return pkin_i_cli_misuse(cli, "\"%s\" is one argument too many", operands[command->max_operands]);
    }
    if (repeats_standard_input(n_operands, operands)) {
        return pkin_i_cli_misuse(cli, "standard input (-) can be read only once");
    }
    return command->run(cli, &settings, n_operands, operands);
}

/* ---- Help -------------------------------------------------------------------------------------------------------- */

void pkin_i_command_print_help(const pkin_i_command *command, FILE *stream) {
    fprintf(stream, "Usage: paperkin %s%s%s\n\n", command->name, *command->usage ? " " : "", command->usage);
    for (const char *at = command->description; *at;) {
        size_t length = strcspn(at, "\n");
        char paragraph[1024];
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, at);
        pkin_i_print_wrapped(stream, paragraph, 0, 0);
        at += length + (at[length] == '\n');
    }
    fputc('\n', stream);
    pkin_i_options_print_help(command->options, stream);
    if (command->examples) fprintf(stream, "\nExamples:\n%s", command->examples);
}

void pkin_i_commands_print_usage(FILE *stream) {
    fputs("Usage: paperkin COMMAND [OPTION]... [FILE]...\n", stream);
}

void pkin_i_commands_print_overview(FILE *stream) {
    pkin_i_commands_print_usage(stream);
    fprintf(stream, "\n%s\nCommands:\n", pkin_i_program_purpose);
    for (size_t k = 0; k < pkin_i_n_commands; k++) {
        fprintf(stream, "  %-10s ", pkin_i_commands[k]->name);
        pkin_i_print_wrapped(stream, pkin_i_commands[k]->summary, 13, 13);
    }
    fprintf(stream, "\n%s\n", pkin_i_program_inputs);
    fputs("Exit codes:\n"
          "  0    done\n"
          "  1    failed; standard error says why\n"
          "  2    misused: unknown command or option, bad or missing value\n"
          "  3    gate only: no line was let through; this also when records were skipped\n"
          "  4    done, but records that could not be read were skipped; standard error\n"
          "       names them as file:line\n"
          "  130, 143  interrupted (SIGINT, SIGTERM)\n"
          "\n"
          "Environment:\n"
          "  PAPERKIN_STORE  the store that is used without --store\n"
          "  NO_COLOR        when set and not empty: no colours\n"
          "\n"
          "`paperkin help COMMAND` tells more about a command.\n",
          stream);
}
