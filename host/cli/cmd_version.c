/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    (void)cli;
    (void)settings;
    (void)n_operands;
    (void)operands;
    printf("paperkin %s\n", pkin_version());
    return PKIN_I_EXIT_DONE;
}

static const pkin_i_option options[] = {PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_version = {
    .name = "version",
    .usage = "",
    .summary = "the version of this program",
    .description = "Prints the version.",
    .options = options,
    .run = run,
};
