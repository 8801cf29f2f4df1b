/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "messages.h"
#include "output.h"
#include "progress.h"
#include "signals.h"

/* A file must not take the place of a standard stream that was closed. Opened the wrong way round, so that use fails.
 */
static void hold_standard_streams(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) == -1) {
            int opened = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
            (void)opened; /* takes the lowest free number */
        }
    }
}

static pkin_i_cli begin(void) {
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool color = !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
    pkin_i_cli cli = {0};
    cli.color_errors = color && isatty(STDERR_FILENO);
    cli.color_output = color && isatty(STDOUT_FILENO);
    cli.progress.on_terminal = isatty(STDERR_FILENO) && !(terminal && strcmp(terminal, "dumb") == 0);
    return cli;
}

static int dispatch(pkin_i_cli *cli, int n_words, char **words) {
    if (n_words < 2) {
        pkin_i_commands_print_usage(stderr);
        fputs("`paperkin help` lists the commands.\n", stderr);
        return PKIN_I_EXIT_MISUSE;
    }
    const char *word = words[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        pkin_i_commands_print_overview(stdout);
        return PKIN_I_EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) word = "version";
    if (*word == '-') return pkin_i_cli_misuse(cli, "expected a command before \"%s\"", word);
    const pkin_i_command *command = pkin_i_command_find(cli, word);
    return command ? pkin_i_command_run(cli, command, n_words - 1, words + 1) : PKIN_I_EXIT_MISUSE;
}

int main(int n_words, char **words) {
    hold_standard_streams();
    pkin_i_signals_install();
    pkin_i_cli cli = begin();
    int exit_code = dispatch(&cli, n_words, words);
    pkin_i_cli_diagnostics_end(&cli);
    pkin_i_progress_erase(&cli);
    exit_code = pkin_i_output_finish(&cli, exit_code);
    if (exit_code > PKIN_I_EXIT_SIGNAL) pkin_i_signals_end_by(exit_code - PKIN_I_EXIT_SIGNAL);
    return exit_code;
}
