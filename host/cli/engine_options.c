/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_options.h"

#include <string.h>

#include "figures.h"
#include "json_out.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"
#include "table.h"

pkin_similarity_options pkin_i_engine_options(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_similarity_options options = pkin_similarity_options_default();
    if (settings->backend) options.backend = settings->backend;
    if (settings->method) options.method = settings->method;
    if (settings->instruction_set) options.instruction_set = settings->instruction_set;
    options.n_threads = (int)settings->n_threads;
    options.dimension = (uint32_t)settings->dimension;
    options.memory_bytes = settings->memory_bytes;
    options.spill_dir = settings->spill_dir;
    options.checkpoint_dir = settings->checkpoint_dir;
    options.distinct_only = settings->distinct;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    return options;
}

/* "86,454 papers; 86,210 are compared, 12 are empty, 232 equal another" */
static void print_rows(const pkin_i_rows *rows, const pkin_similarity_plan *plan) {
    char all[PKIN_I_COUNTED_BYTES], compared[PKIN_I_COUNT_BYTES], left_out[PKIN_I_COUNT_BYTES];
    printf("%s", pkin_i_cli_counted(pkin_vectors_n_rows(rows->vectors), rows->corpus ? "paper" : "row", all));
    if (plan->n_empty || plan->n_copies) printf("; %s are compared", pkin_i_cli_count(plan->n_rows_a, compared));
    if (plan->n_empty) printf(", %s without a term", pkin_i_cli_count(plan->n_empty, left_out));
    if (plan->n_copies) printf(", %s equal to another", pkin_i_cli_count(plan->n_copies, left_out));
    putchar('\n');
}

/* "sketch 256", "tail 1.5%", "index" */
static const char *method_text(const pkin_plan_choice *choice, char text[PKIN_I_FIGURE_BYTES]) {
    snprintf(text, PKIN_I_FIGURE_BYTES, "%s", choice->method);
    size_t n = strlen(text);
    if (choice->dimension) snprintf(text + n, PKIN_I_FIGURE_BYTES - n, " %u", (unsigned)choice->dimension);
    if (choice->head_share > 0) snprintf(text + n, PKIN_I_FIGURE_BYTES - n, " %.3g%%", 100 * choice->head_share);
    return text;
}

static void add_row(pkin_i_table *table, const pkin_plan_choice *choice, bool chosen) {
    char text[PKIN_I_FIGURE_BYTES], memory[PKIN_I_COUNT_BYTES];
    pkin_i_table_text(table, chosen ? "->" : "");
    pkin_i_table_text(table, method_text(choice, text));
    pkin_i_table_text(table, pkin_i_number_band(choice->candidates, text));
    pkin_i_table_text(table, pkin_i_time_band(choice->seconds, text));
    pkin_i_cli_bytes(choice->bytes, memory);
    if (choice->n_strips > 1) {
        snprintf(text, sizeof text, "%s, %llu strips", memory, (unsigned long long)choice->n_strips);
    }
    pkin_i_table_text(table, choice->n_strips > 1 ? text : memory);
}

static void print_result(uint32_t k, double threshold, const pkin_similarity_plan *plan) {
    char text[PKIN_I_FIGURE_BYTES], copies[PKIN_I_COUNTED_BYTES];
    if (k) {
        printf("the %u nearest of each, from %g\n", (unsigned)k, threshold);
        return;
    }
    printf("pairs at %g or above: about %s", threshold, pkin_i_number_band(plan->pairs, text));
    if (plan->n_copy_pairs) printf(", and %s of equal rows", pkin_i_cli_counted(plan->n_copy_pairs, "pair", copies));
    putchar('\n');
}

static void print_plan(pkin_i_cli *cli, const pkin_i_rows *rows, uint32_t k, double threshold,
                       const pkin_similarity_plan *plan) {
    static const char *const headings[] = {"", "method", "candidates", "time", "memory"};
    print_rows(rows, plan);
    print_result(k, threshold, plan);
    if (plan->n_choices == 0) return;
    printf("comparing with %s instructions, without holding and writing the result:\n\n",
           plan->choices[0].instruction_set);
    pkin_i_table *table = pkin_i_table_new(headings, sizeof headings / sizeof *headings, 0);
    for (size_t c = 0; c < plan->n_choices; c++) add_row(table, &plan->choices[c], c == 0);
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
}

static void print_estimate(pkin_i_json *json, const char *key, pkin_estimate estimate, int n_decimals) {
    pkin_i_json_begin_object(json, key);
    pkin_i_json_real(json, "low", estimate.low, n_decimals);
    pkin_i_json_real(json, "middle", estimate.middle, n_decimals);
    pkin_i_json_real(json, "high", estimate.high, n_decimals);
    pkin_i_json_end_object(json);
}

static void print_plan_as_json(const char *command, uint32_t k, double threshold, const pkin_similarity_plan *plan) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, command);
    pkin_i_json_count(&json, "rows_compared", plan->n_rows_a);
    pkin_i_json_count(&json, "rows_empty", plan->n_empty);
    pkin_i_json_count(&json, "rows_equal_to_another", plan->n_copies);
    if (k) pkin_i_json_count(&json, "k", k);
    pkin_i_json_real(&json, k ? "floor" : "threshold", threshold, 6);
    if (!k) print_estimate(&json, "pairs", plan->pairs, 0);
    if (!k) pkin_i_json_count(&json, "pairs_of_equal_rows", plan->n_copy_pairs);
    pkin_i_json_begin_array(&json, "choices");
    for (size_t c = 0; c < plan->n_choices; c++) {
        const pkin_plan_choice *choice = &plan->choices[c];
        pkin_i_json_begin_object(&json, NULL);
        pkin_i_json_text(&json, "method", choice->method);
        pkin_i_json_text(&json, "instruction_set", choice->instruction_set);
        pkin_i_json_count(&json, "dimension", choice->dimension);
        pkin_i_json_real(&json, "head_share", choice->head_share, 4);
        print_estimate(&json, "candidates", choice->candidates, 0);
        print_estimate(&json, "seconds", choice->seconds, 6);
        pkin_i_json_count(&json, "bytes", choice->bytes);
        pkin_i_json_count(&json, "strips", choice->n_strips);
        pkin_i_json_end_object(&json);
    }
    pkin_i_json_end_array(&json);
    pkin_i_json_end_answer(&json);
}

int pkin_i_engine_explain(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows, uint32_t k,
                          double threshold) {
    pkin_similarity_options options = pkin_i_engine_options(cli, settings);
    pkin_similarity_plan plan;
    if (settings->out) return pkin_i_cli_misuse(cli, "--explain prints to standard output; leave --output out");
    pkin_i_signals_defer(true);
    pkin_status status = pkin_similarity_plan_make(rows->vectors, NULL, k, threshold, &options, &plan);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    if (settings->format && strcmp(settings->format, "jsonl") == 0) {
        print_plan_as_json(cli->command, k, threshold, &plan);
    } else {
        print_plan(cli, rows, k, threshold, &plan);
    }
    pkin_similarity_plan_free(&plan);
    return PKIN_I_EXIT_DONE;
}
