/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_options.h"

#include <string.h>

#include "figures.h"
#include "json_out.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"
#include "table.h"

static bool is_named(const char *choice) {
    return choice && strcmp(choice, "auto") != 0;
}

/* The library would say the same, but only when everything is read. */
int pkin_i_engine_check(pkin_i_cli *cli, const pkin_i_settings *settings, bool top_k) {
    const char *name = settings->backend;
    const char *of_gpus = is_named(settings->devices) ? "device" : is_named(settings->gpu_filter) ? "gpu-filter" : NULL;
    if (of_gpus && is_named(name) && strcmp(name, "cpu") == 0) {
        return pkin_i_cli_misuse(cli, "--%s is for GPUs, but --backend cpu leaves them out: give one of the two",
                                 of_gpus);
    }
    if (top_k && is_named(settings->gpu_filter) && strcmp(settings->gpu_filter, "gemm8") == 0) {
        return pkin_i_cli_misuse(cli,
                                 "--gpu-filter gemm8 finds pairs above one threshold only, no neighbours: expected "
                                 "auto, fused, gemm32 or dp4a");
    }
    if (!is_named(name) && of_gpus) name = "cuda";
    const pkin_status status = pkin_backend_check(name);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

pkin_similarity_options pkin_i_engine_options(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_similarity_options options = pkin_similarity_options_default();
    if (settings->backend) options.backend = settings->backend;
    if (settings->method) options.method = settings->method;
    if (settings->instruction_set) options.instruction_set = settings->instruction_set;
    if (settings->devices) options.devices = settings->devices;
    if (settings->gpu_filter) options.gpu_filter = settings->gpu_filter;
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

/* ---- What was done ---- */

/* "256 buckets", "head 1.5%", "" */
static const char *particulars(const pkin_similarity_report *report, char text[PKIN_I_FIGURE_BYTES]) {
    text[0] = '\0';
    if (report->dimension) snprintf(text, PKIN_I_FIGURE_BYTES, ", %u buckets", (unsigned)report->dimension);
    if (report->head_share > 0) snprintf(text, PKIN_I_FIGURE_BYTES, ", head %.3g%%", 100 * report->head_share);
    return text;
}

void pkin_i_engine_tell(pkin_i_cli *cli, const pkin_similarity_report *report) {
    char text[PKIN_I_FIGURE_BYTES], others[PKIN_I_COUNTED_BYTES] = "";
    if (report->note[0]) pkin_i_cli_note(cli, "%s", report->note);
    /* Where there is one backend nothing was chosen. */
    if (pkin_backend_count() < 2 || !report->method || strcmp(report->method, "none") == 0) return;
    if (report->n_devices == 0) {
        pkin_i_cli_line(cli, stderr, "compared on the CPU (%s, %s%s)", report->instruction_set, report->method,
                        particulars(report, text));
        return;
    }
    if (report->n_devices > 1) snprintf(others, sizeof others, " and %d more", report->n_devices - 1);
    pkin_i_cli_line(cli, stderr, "compared on %s%s (%s, %s filter%s)", report->device, others, report->backend,
                    report->gpu_filter, particulars(report, text));
}

/* ---- What would be done ---- */

/* "86,454 papers; 86,210 are compared, 12 are empty, 232 equal another" */
static void print_rows(const pkin_i_rows *rows, const pkin_similarity_plan *plan) {
    char all[PKIN_I_COUNTED_BYTES], compared[PKIN_I_COUNT_BYTES], left_out[PKIN_I_COUNT_BYTES];
    printf("%s", pkin_i_cli_counted(pkin_vectors_n_rows(rows->vectors), rows->corpus ? "paper" : "row", all));
    if (plan->n_empty || plan->n_copies) printf("; %s are compared", pkin_i_cli_count(plan->n_rows_a, compared));
    if (plan->n_empty) printf(", %s without a term", pkin_i_cli_count(plan->n_empty, left_out));
    if (plan->n_copies) printf(", %s equal to another", pkin_i_cli_count(plan->n_copies, left_out));
    putchar('\n');
}

static bool is_on_gpu(const pkin_plan_choice *choice) {
    return strcmp(choice->gpu_filter, "none") != 0;
}

/* "sketch 256", "tail 1.5%", "index"; on a GPU the filter of its sketches, "fused 512" */
static const char *method_text(const pkin_plan_choice *choice, char text[PKIN_I_FIGURE_BYTES]) {
    snprintf(text, PKIN_I_FIGURE_BYTES, "%s", is_on_gpu(choice) ? choice->gpu_filter : choice->method);
    size_t n = strlen(text);
    if (choice->dimension) snprintf(text + n, PKIN_I_FIGURE_BYTES - n, " %u", (unsigned)choice->dimension);
    if (choice->head_share > 0) snprintf(text + n, PKIN_I_FIGURE_BYTES - n, " %.3g%%", 100 * choice->head_share);
    return text;
}

static void add_row(pkin_i_table *table, const pkin_plan_choice *choice, bool with_backend, bool chosen) {
    char text[PKIN_I_FIGURE_BYTES], memory[PKIN_I_COUNT_BYTES];
    pkin_i_table_text(table, chosen ? "->" : "");
    if (with_backend) pkin_i_table_text(table, choice->backend);
    pkin_i_table_text(table, method_text(choice, text));
    pkin_i_table_text(table, pkin_i_number_band(choice->candidates, text));
    pkin_i_table_text(table, pkin_i_time_band(choice->seconds, text));
    pkin_i_cli_bytes(is_on_gpu(choice) ? choice->device_bytes : choice->bytes, memory);
    if (choice->n_strips > 1) {
        snprintf(text, sizeof text, "%s, %llu strips", memory, (unsigned long long)choice->n_strips);
    }
    pkin_i_table_text(table, choice->n_strips > 1 ? text : memory);
}

/* The processor's, of the first choice that it would do; NULL: none. */
static const char *instruction_set_of(const pkin_similarity_plan *plan) {
    for (size_t c = 0; c < plan->n_choices; c++) {
        if (!is_on_gpu(&plan->choices[c])) return plan->choices[c].instruction_set;
    }
    return NULL;
}

/* "comparing with avx512 instructions, ...", "comparing on NVIDIA H100 80GB HBM3 (cuda) or with avx512 instructions
   (cpu), ..." */
static void print_means(const pkin_similarity_plan *plan) {
    const char *instruction_set = instruction_set_of(plan);
    fputs("comparing ", stdout);
    if (plan->device[0]) printf("on %s (cuda)%s", plan->device, instruction_set ? " or " : "");
    if (instruction_set) printf("with %s instructions%s", instruction_set, plan->device[0] ? " (cpu)" : "");
    fputs(", without holding and writing the result:\n\n", stdout);
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
    static const char *const headings[] = {"", "on", "method", "candidates", "time", "memory"};
    static const char *const headings_on_cpu[] = {"", "method", "candidates", "time", "memory"};
    const bool with_backend = plan->device[0] != '\0';
    if (plan->note[0]) pkin_i_cli_note(cli, "%s", plan->note);
    print_rows(rows, plan);
    print_result(k, threshold, plan);
    if (plan->n_choices == 0) return;
    print_means(plan);
    pkin_i_table *table = with_backend
                              ? pkin_i_table_new(headings, sizeof headings / sizeof *headings, 0)
                              : pkin_i_table_new(headings_on_cpu, sizeof headings_on_cpu / sizeof *headings, 0);
    for (size_t c = 0; c < plan->n_choices; c++) add_row(table, &plan->choices[c], with_backend, c == 0);
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
    if (plan->device[0]) pkin_i_json_text(&json, "device", plan->device);
    if (plan->note[0]) pkin_i_json_text(&json, "note", plan->note);
    pkin_i_json_begin_array(&json, "choices");
    for (size_t c = 0; c < plan->n_choices; c++) {
        const pkin_plan_choice *choice = &plan->choices[c];
        pkin_i_json_begin_object(&json, NULL);
        pkin_i_json_text(&json, "backend", choice->backend);
        pkin_i_json_text(&json, "method", choice->method);
        pkin_i_json_text(&json, "instruction_set", choice->instruction_set);
        pkin_i_json_text(&json, "gpu_filter", choice->gpu_filter);
        pkin_i_json_count(&json, "dimension", choice->dimension);
        pkin_i_json_real(&json, "head_share", choice->head_share, 4);
        print_estimate(&json, "candidates", choice->candidates, 0);
        print_estimate(&json, "seconds", choice->seconds, 6);
        pkin_i_json_count(&json, "bytes", choice->bytes);
        pkin_i_json_count(&json, "device_bytes", choice->device_bytes);
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
