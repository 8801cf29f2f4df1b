/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "json_out.h"
#include "messages.h"
#include "table.h"

static void print_json(void) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "backends");
    pkin_i_json_begin_array(&json, "backends");
    for (size_t k = 0; k < pkin_backend_count(); k++) {
        pkin_i_json_begin_object(&json, NULL);
        pkin_i_json_text(&json, "name", pkin_backend_name(k));
        pkin_i_json_text(&json, "description", pkin_backend_description(k));
        pkin_i_json_flag(&json, "auto", k == 0);
        pkin_i_json_end_object(&json);
    }
    pkin_i_json_end_array(&json);
    pkin_i_json_end_answer(&json);
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    (void)n_operands;
    (void)operands;
    if (settings->json) {
        print_json();
        return PKIN_I_EXIT_DONE;
    }
    static const char *const headings[] = {"backend", "", "how it computes"};
    pkin_i_table *table = pkin_i_table_new(headings, 3, 0);
    for (size_t k = 0; k < pkin_backend_count(); k++) {
        pkin_i_table_text(table, pkin_backend_name(k));
        pkin_i_table_text(table, k == 0 ? "(auto)" : "");
        pkin_i_table_text(table, pkin_backend_description(k));
    }
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
    return PKIN_I_EXIT_DONE;
}

static const pkin_i_option options[] = {PKIN_I_OPTION_JSON, PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_backends = {
    .name = "backends",
    .usage = "[--json]",
    .summary = "what can compute similarity on this machine",
    .description = "Lists what can compute similarity on this machine. All compute the same bits and differ in speed "
                   "only; `auto` is the one that is chosen without --backend.",
    .options = options,
    .run = run,
};
