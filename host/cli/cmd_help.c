/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    (void)settings;
    if (n_operands == 0) {
        pkin_i_commands_print_overview(stdout);
        return PKIN_I_EXIT_DONE;
    }
    cli->command = NULL; /* an unknown name is to be looked up in the list of commands */
    const pkin_i_command *command = pkin_i_command_find(cli, operands[0]);
    if (!command) return PKIN_I_EXIT_MISUSE;
    pkin_i_command_print_help(command, stdout);
    return PKIN_I_EXIT_DONE;
}

static const pkin_i_option options[] = {PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "how to use paperkin, or one of its commands",
    .description = "Tells how to use paperkin, or one of its commands.",
    .options = options,
    .max_operands = 1,
    .run = run,
};
