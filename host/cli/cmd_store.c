/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "json_out.h"
#include "messages.h"
#include "store_choice.h"
#include "table.h"

static void print_json(const char *path, const pkin_store_statistics *facts) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "store");
    pkin_i_json_text(&json, "store", path);
    pkin_i_json_count(&json, "schema_version", (uint64_t)facts->schema_version);
    pkin_i_json_text(&json, "tokenizer", facts->tokenizer);
    pkin_i_json_count(&json, "bytes", facts->n_bytes);
    pkin_i_json_count(&json, "papers", facts->n_papers);
    pkin_i_json_count(&json, "versions", facts->n_versions);
    pkin_i_json_count(&json, "digests", facts->n_digests);
    pkin_i_json_count(&json, "appearances", facts->n_appearances);
    pkin_i_json_count(&json, "terms", facts->n_terms);
    pkin_i_json_count(&json, "links", facts->n_links);
    pkin_i_json_count(&json, "verdicts", facts->n_verdicts);
    pkin_i_json_text(&json, "first_date", facts->first_date);
    pkin_i_json_text(&json, "last_date", facts->last_date);
    pkin_i_json_end_answer(&json);
}

static void add_count(pkin_i_table *table, const char *name, uint64_t n, const char *meaning) {
    pkin_i_table_text(table, name);
    pkin_i_table_count(table, n);
    pkin_i_table_text(table, meaning);
}

static void print_table(pkin_i_cli *cli, const char *path, const pkin_store_statistics *facts) {
    static const char *const headings[] = {"", "", ""};
    char size[PKIN_I_COUNT_BYTES];
    printf("store ");
    pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, path);
    printf(": %s, schema %d, tokenizer %s\n", pkin_i_cli_bytes(facts->n_bytes, size), facts->schema_version,
           facts->tokenizer);
    pkin_i_table *table = pkin_i_table_new(headings, 3, 1u << 1);
    add_count(table, "digests", facts->n_digests, "");
    add_count(table, "papers", facts->n_papers, "distinct");
    add_count(table, "versions", facts->n_versions, "of papers");
    add_count(table, "appearances", facts->n_appearances, "of papers in digests");
    add_count(table, "terms", facts->n_terms, "words known");
    add_count(table, "links", facts->n_links, "between related papers");
    add_count(table, "verdicts", facts->n_verdicts, "on pairs of papers");
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
    if (*facts->first_date) printf("from %s to %s\n", facts->first_date, facts->last_date);
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    (void)n_operands;
    (void)operands;
    pkin_store *store = NULL;
    pkin_store_statistics facts = {0};
    pkin_status status = pkin_i_store_choose(cli, settings->store, PKIN_I_STORE_READ, &store);
    if (status != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    status = pkin_store_describe(store, &facts);
    int exit_code = status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
    if (status == PKIN_OK && settings->json) {
        print_json(pkin_i_store_path(settings->store), &facts);
    } else if (status == PKIN_OK) {
        print_table(cli, pkin_i_store_path(settings->store), &facts);
    }
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {PKIN_I_OPTION_STORE, PKIN_I_OPTION_JSON, PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_store = {
    .name = "store",
    .usage = "[--store S] [--json]",
    .summary = "what the store holds",
    .description = "Tells what the store holds: digests, papers, versions, links, verdicts.",
    .options = options,
    .run = run,
};
