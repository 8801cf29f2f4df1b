/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "bench.h"
#include "figures.h"
#include "json_out.h"
#include "messages.h"
#include "table.h"

/* Of the JSON answer: raised when a key changes its meaning or goes. */
enum { BENCH_VERSION = 1 };

static const char *const unknown = "-";

const char *pkin_i_bench_work_name(const pkin_i_bench_work *work, char buffer[PKIN_I_BENCH_TEXT_BYTES]) {
    if (work->k) {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "top %" PRIu32, work->k);
    } else {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "join %g", work->threshold);
    }
    return buffer;
}

/* ---- Figures that follow from a report; 0 where they are unknown ---- */

static bool is_on_gpu(const pkin_i_bench_result *result) {
    return result->report.n_devices > 0;
}

/* What the seconds that are summed are those of: threads, or GPUs. */
static int n_at_work(const pkin_i_bench_result *result) {
    if (is_on_gpu(result)) return result->report.n_devices;
    return result->report.n_threads > 0 ? result->report.n_threads : 1;
}

static double filter_rate(const pkin_i_bench_result *result) {
    const double seconds = result->report.filter_thread_seconds / n_at_work(result);
    return seconds > 0 ? (double)result->report.filter_operations / seconds : 0;
}

/* The machine's peak is the processor's: what a GPU could reach is not known here. */
static double peak_of(const pkin_i_bench_machine *machine, const pkin_i_bench_result *result) {
    return is_on_gpu(result) ? 0 : machine->peak;
}

static double score_rate(const pkin_i_bench_result *result) {
    const double seconds = result->report.score_thread_seconds / n_at_work(result);
    return seconds > 0 ? (double)result->report.n_candidates / seconds : 0;
}

/* What the plan's estimate of time is about. */
static double comparing_seconds(const pkin_i_bench_result *result) {
    return result->report.prepare_seconds + result->report.compare_seconds;
}

static double per_row(uint64_t n, const pkin_i_bench_result *result) {
    return result->n_rows ? (double)n / (double)result->n_rows : 0;
}

/* ---- Cells ---- */

static void cell(pkin_i_table *table, const char *format, ...) PKIN_PRINTF(2, 3);
static void cell(pkin_i_table *table, const char *format, ...) {
    char text[PKIN_I_BENCH_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pkin_i_table_text(table, text);
}

static void cell_number(pkin_i_table *table, double value) {
    char text[PKIN_I_FIGURE_BYTES];
    pkin_i_table_text(table, value > 0 ? pkin_i_short_number(value, text) : unknown);
}

/* Seconds with as many digits as tell something: a thousandth at most. */
static void cell_seconds(pkin_i_table *table, double seconds) {
    cell(table, "%.*f", seconds < 9.9995 ? 3 : seconds < 99.995 ? 2 : 1, seconds);
}

static void cell_time_band(pkin_i_table *table, pkin_estimate band) {
    char low[PKIN_I_FIGURE_BYTES], high[PKIN_I_FIGURE_BYTES];
    if (band.high <= 0) {
        pkin_i_table_text(table, unknown);
    } else {
        cell(table, "%s to %s", pkin_i_short_time(band.low, low), pkin_i_short_time(band.high, high));
    }
}

static void cell_number_band(pkin_i_table *table, pkin_estimate band) {
    char low[PKIN_I_FIGURE_BYTES], high[PKIN_I_FIGURE_BYTES];
    if (band.high <= 0) {
        pkin_i_table_text(table, unknown);
    } else {
        cell(table, "%s to %s", pkin_i_short_number(band.low, low), pkin_i_short_number(band.high, high));
    }
}

static void cell_bytes(pkin_i_table *table, uint64_t n_bytes) {
    char text[PKIN_I_COUNT_BYTES];
    pkin_i_table_text(table, n_bytes ? pkin_i_cli_bytes(n_bytes, text) : unknown);
}

static void cell_work(pkin_i_table *table, const pkin_i_bench_work *work) {
    char text[PKIN_I_BENCH_TEXT_BYTES];
    pkin_i_table_text(table, pkin_i_bench_work_name(work, text));
}

/* "sketch 320", "tail 4.5%", "index"; on a GPU "cuda fused 512" */
static const char *method_name(const pkin_similarity_report *report, char buffer[PKIN_I_BENCH_TEXT_BYTES]) {
    const char *method = report->method ? report->method : unknown;
    if (report->n_devices > 0) {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "%s %s %" PRIu32, report->backend, report->gpu_filter,
                 report->dimension);
    } else if (report->dimension) {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "%s %" PRIu32, method, report->dimension);
    } else if (report->head_share > 0) {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "%s %.3g%%", method, 100 * report->head_share);
    } else {
        snprintf(buffer, PKIN_I_BENCH_TEXT_BYTES, "%s", method);
    }
    return buffer;
}

static void cell_method(pkin_i_table *table, const pkin_similarity_report *report) {
    char text[PKIN_I_BENCH_TEXT_BYTES];
    pkin_i_table_text(table, method_name(report, text));
}

static const char *check_name(pkin_i_bench_check check) {
    return check == PKIN_I_BENCH_EQUAL ? "equal" : check == PKIN_I_BENCH_DIFFERENT ? "DIFFERENT" : unknown;
}

static void print_table(const pkin_i_cli *cli, const char *title, pkin_i_table *table) {
    fputc('\n', stdout);
    fputs(cli->color_output ? "\033[1m" : "", stdout);
    fputs(title, stdout);
    fputs(cli->color_output ? "\033[0m\n" : "\n", stdout);
    pkin_i_table_print(table, stdout, false);
    pkin_i_table_free(table);
}

/* ---- Head ---- */

static void print_machine(const pkin_i_bench_machine *machine) {
    char memory[PKIN_I_COUNT_BYTES], processors[PKIN_I_COUNTED_BYTES], threads[PKIN_I_COUNTED_BYTES];
    printf("machine  %s, %s, %s; %s used\n", *machine->processor ? machine->processor : "unknown processor",
           pkin_i_cli_counted(machine->n_processors, "processor", processors),
           pkin_i_cli_bytes(machine->memory_bytes, memory),
           pkin_i_cli_counted((uint64_t)machine->n_threads, "thread", threads));
    printf("         %s", machine->system);
    if (machine->peak > 0) {
        printf("; %s: %.2f TOPS of 8-bit integers at most, measured", machine->instruction_set, machine->peak * 1e-12);
    }
    fputc('\n', stdout);
}

static void print_origin(const pkin_i_bench_corpus *corpus) {
    char text[PKIN_I_FIGURE_BYTES];
    if (!corpus->input) {
        printf("         generated from seed %" PRIu64 " in %s\n", corpus->generated.seed,
               pkin_i_short_time(corpus->generate_seconds, text));
        return;
    }
    fputs("         ", stdout);
    pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, corpus->input);
    if (corpus->n_inputs > 1) printf(" and %d more", corpus->n_inputs - 1);
    printf(": read in %s", pkin_i_short_time(corpus->read_seconds, text));
    if (corpus->vectorize_seconds > 0) {
        printf(", to TF-IDF in %s", pkin_i_short_time(corpus->vectorize_seconds, text));
    }
    printf(", to fixed point in %s\n", pkin_i_short_time(corpus->fixed_point_seconds, text));
}

void pkin_i_bench_print_head(const pkin_i_cli *cli, const pkin_i_bench_machine *machine,
                             const pkin_i_bench_corpus *corpus) {
    (void)cli;
    print_machine(machine);
    if (!corpus) return;
    char rows[PKIN_I_COUNTED_BYTES], columns[PKIN_I_COUNTED_BYTES], bytes[PKIN_I_COUNT_BYTES];
    printf("corpus   %s, %s, %.1f terms a row, %s\n", pkin_i_cli_counted(corpus->n_rows, "row", rows),
           pkin_i_cli_counted(corpus->n_columns, "column", columns),
           corpus->n_rows ? (double)corpus->n_entries / (double)corpus->n_rows : 0.0,
           pkin_i_cli_bytes(pkin_i_bench_corpus_bytes(corpus), bytes));
    print_origin(corpus);
}

/* ---- Results ---- */

enum { COLUMN_1 = 1 << 1, COLUMN_2 = 1 << 2, COLUMNS_FROM_2 = ~(COLUMN_1 | 1), COLUMNS_FROM_1 = ~1 };

static void print_outcomes(const pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n) {
    static const char *const headings[] = {"",
                                           "method",
                                           "seconds",
                                           "comparing\nestimated",
                                           "\nmeasured",
                                           "candidates\nestimated",
                                           "\nscored",
                                           "\na row",
                                           "pairs or\nneighbours"};
    pkin_i_table *table = pkin_i_table_new(headings, 9, (uint32_t)COLUMNS_FROM_2);
    for (size_t k = 0; k < n; k++) {
        const pkin_similarity_report *report = &results[k].report;
        char time[PKIN_I_FIGURE_BYTES];
        cell_work(table, &results[k].work);
        cell_method(table, report);
        cell_seconds(table, results[k].median_seconds);
        cell_time_band(table, report->estimated_seconds);
        const double measured = comparing_seconds(&results[k]);
        pkin_i_table_text(table, measured > 0 ? pkin_i_short_time(measured, time) : unknown);
        cell_number_band(table, report->estimated_candidates);
        cell_number(table, (double)report->n_candidates);
        cell_number(table, per_row(report->n_candidates, &results[k]));
        pkin_i_table_count(table, results[k].n_found);
    }
    print_table(cli, "What was done, as planned and in fact", table);
}

static void print_stages(const pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n) {
    static const char *const headings[] = {"",     "distinct\nrows", "plan", "prepare", "compare",
                                           "sort", "total",          "runs", "fastest", "slowest"};
    pkin_i_table *table = pkin_i_table_new(headings, 10, (uint32_t)COLUMNS_FROM_1);
    for (size_t k = 0; k < n; k++) {
        const pkin_similarity_report *report = &results[k].report;
        const double stages[] = {report->distinct_seconds, report->plan_seconds, report->prepare_seconds,
                                 report->compare_seconds, report->sort_seconds};
        cell_work(table, &results[k].work);
        for (size_t s = 0; s < sizeof stages / sizeof *stages; s++) cell_seconds(table, stages[s]);
        cell_seconds(table, results[k].median_seconds);
        cell(table, "%d", results[k].n_runs);
        cell_seconds(table, results[k].fastest_seconds);
        cell_seconds(table, results[k].slowest_seconds);
    }
    print_table(cli, "Seconds, of the run with the median time", table);
}

static void print_rates(const pkin_i_cli *cli, const pkin_i_bench_machine *machine, const pkin_i_bench_result *results,
                        size_t n) {
    static const char *const headings[] = {
        "", "filter\nTOPS", "\nof peak", "scored\na second", "working\nset", "process\nat most", "brute\nforce"};
    pkin_i_table *table = pkin_i_table_new(headings, 7, (uint32_t)COLUMNS_FROM_1);
    bool any_on_gpu = false;
    for (size_t k = 0; k < n; k++) {
        const double rate = filter_rate(&results[k]);
        any_on_gpu |= is_on_gpu(&results[k]);
        cell_work(table, &results[k].work);
        if (rate > 0) {
            cell(table, "%.2f", rate * 1e-12);
        } else {
            pkin_i_table_text(table, unknown);
        }
        if (rate > 0 && peak_of(machine, &results[k]) > 0) {
            cell(table, "%.0f%%", 100 * rate / peak_of(machine, &results[k]));
        } else {
            pkin_i_table_text(table, unknown);
        }
        cell_number(table, score_rate(&results[k]));
        cell_bytes(table, results[k].report.working_bytes);
        cell_bytes(table, results[k].peak_bytes);
        pkin_i_table_text(table, check_name(results[k].check));
    }
    print_table(cli,
                any_on_gpu ? "Rates of all GPUs or threads together, and memory"
                           : "Rates of all threads together, and memory",
                table);
}

/* Of works on GPUs only; nothing where there are none. */
static void print_devices(const pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n) {
    static const char *const headings[] = {"", "GPU", "how many", "memory", "moved", "cut again"};
    pkin_i_table *table = pkin_i_table_new(headings, 6, (uint32_t)COLUMNS_FROM_2);
    bool any = false;
    for (size_t k = 0; k < n; k++) {
        const pkin_similarity_report *report = &results[k].report;
        if (!is_on_gpu(&results[k])) continue;
        any = true;
        cell_work(table, &results[k].work);
        pkin_i_table_text(table, report->device);
        cell(table, "%d", report->n_devices);
        cell_bytes(table, report->device_bytes);
        cell_bytes(table, report->moved_bytes);
        pkin_i_table_count(table, report->n_splits);
    }
    if (any) {
        print_table(cli, "GPUs", table);
    } else {
        pkin_i_table_free(table);
    }
}

void pkin_i_bench_print_results(const pkin_i_cli *cli, const pkin_i_bench_machine *machine,
                                const pkin_i_bench_result *results, size_t n_results) {
    print_outcomes(cli, results, n_results);
    print_stages(cli, results, n_results);
    print_rates(cli, machine, results, n_results);
    print_devices(cli, results, n_results);
}

/* ---- Growth ---- */

static bool is_same_work(const pkin_i_bench_work *a, const pkin_i_bench_work *b) {
    return a->k == b->k && a->threshold == b->threshold;
}

static void add_growth_row(pkin_i_table *table, const pkin_i_bench_result *result, const pkin_i_bench_result *before) {
    char time[PKIN_I_FIGURE_BYTES];
    pkin_i_table_count(table, result->n_rows);
    cell_method(table, &result->report);
    cell_seconds(table, result->median_seconds);
    if (before && before->median_seconds > 0) {
        cell(table, "%.1f", result->median_seconds / before->median_seconds);
    } else {
        pkin_i_table_text(table, "");
    }
    cell_time_band(table, result->report.estimated_seconds);
    const double measured = comparing_seconds(result);
    pkin_i_table_text(table, measured > 0 ? pkin_i_short_time(measured, time) : unknown);
    cell_number(table, per_row(result->report.n_candidates, result));
    pkin_i_table_count(table, result->n_found);
    cell_bytes(table, result->report.working_bytes);
    cell_bytes(table, result->peak_bytes);
}

/* Results come by size; of each work of the first size its rows follow each other here. */
void pkin_i_bench_print_growth(const pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n_results) {
    static const char *const headings[] = {"rows",
                                           "method",
                                           "seconds",
                                           "times the\nsize before",
                                           "comparing\nestimated",
                                           "\nmeasured",
                                           "scored\na row",
                                           "pairs or\nneighbours",
                                           "working\nset",
                                           "process\nat most"};
    for (size_t first = 0; first < n_results && results[first].n_rows == results[0].n_rows; first++) {
        const pkin_i_bench_result *before = NULL;
        char title[PKIN_I_BENCH_TEXT_BYTES];
        pkin_i_table *table = pkin_i_table_new(headings, 10, (uint32_t)~COLUMN_1);
        for (size_t k = first; k < n_results; k++) {
            if (!is_same_work(&results[k].work, &results[first].work)) continue;
            add_growth_row(table, &results[k], before);
            before = &results[k];
        }
        print_table(cli, pkin_i_bench_work_name(&results[first].work, title), table);
    }
}

/* ---- JSON ---- */

static void json_estimate(pkin_i_json *json, const char *key, pkin_estimate estimate, int n_decimals) {
    if (estimate.high <= 0) return;
    pkin_i_json_begin_object(json, key);
    pkin_i_json_real(json, "low", estimate.low, n_decimals);
    pkin_i_json_real(json, "middle", estimate.middle, n_decimals);
    pkin_i_json_real(json, "high", estimate.high, n_decimals);
    pkin_i_json_end_object(json);
}

static void json_machine(pkin_i_json *json, const pkin_i_bench_machine *machine) {
    pkin_i_json_begin_object(json, "machine");
    pkin_i_json_text(json, "processor", machine->processor);
    pkin_i_json_text(json, "system", machine->system);
    pkin_i_json_count(json, "processors", machine->n_processors);
    pkin_i_json_count(json, "memory_bytes", machine->memory_bytes);
    pkin_i_json_count(json, "threads", (uint64_t)machine->n_threads);
    if (machine->peak > 0) {
        pkin_i_json_text(json, "instruction_set", machine->instruction_set);
        pkin_i_json_real(json, "int8_peak_operations_per_second", machine->peak, 0);
    }
    pkin_i_json_end_object(json);
}

static void json_generated(pkin_i_json *json, const pkin_i_bench_corpus *corpus) {
    const pkin_generate_options *options = &corpus->generated;
    pkin_i_json_begin_object(json, "generated");
    pkin_i_json_count(json, "seed", options->seed);
    pkin_i_json_count(json, "topics", options->n_topics); /* 0: chosen by the number of rows */
    pkin_i_json_real(json, "mean_terms", options->mean_terms, 3);
    pkin_i_json_real(json, "near_copy_share", options->near_copy_share, 6);
    pkin_i_json_real(json, "copy_share", options->copy_share, 6);
    pkin_i_json_real(json, "seconds", corpus->generate_seconds, 6);
    pkin_i_json_end_object(json);
}

static void json_corpus(pkin_i_json *json, const pkin_i_bench_corpus *corpus) {
    pkin_i_json_begin_object(json, "corpus");
    pkin_i_json_count(json, "rows", corpus->n_rows);
    pkin_i_json_count(json, "columns", corpus->n_columns);
    pkin_i_json_count(json, "entries", corpus->n_entries);
    if (!corpus->input) {
        json_generated(json, corpus);
    } else {
        pkin_i_json_text(json, "input", corpus->input);
        pkin_i_json_count(json, "inputs", (uint64_t)corpus->n_inputs);
        pkin_i_json_real(json, "read_seconds", corpus->read_seconds, 6);
        pkin_i_json_real(json, "vectorize_seconds", corpus->vectorize_seconds, 6);
        pkin_i_json_real(json, "fixed_point_seconds", corpus->fixed_point_seconds, 6);
    }
    pkin_i_json_end_object(json);
}

static void json_method(pkin_i_json *json, const pkin_similarity_report *report) {
    if (report->backend) pkin_i_json_text(json, "backend", report->backend);
    if (report->method) pkin_i_json_text(json, "method", report->method);
    if (report->instruction_set) pkin_i_json_text(json, "instruction_set", report->instruction_set);
    if (report->n_threads) pkin_i_json_count(json, "threads", (uint64_t)report->n_threads);
    if (report->dimension) pkin_i_json_count(json, "dimension", report->dimension);
    if (report->head_share > 0) pkin_i_json_real(json, "head_share", report->head_share, 6);
    if (report->note[0]) pkin_i_json_text(json, "note", report->note);
    if (report->n_devices == 0) return;
    pkin_i_json_text(json, "gpu_filter", report->gpu_filter);
    pkin_i_json_text(json, "device", report->device);
    pkin_i_json_count(json, "devices", (uint64_t)report->n_devices);
    pkin_i_json_count(json, "device_bytes", report->device_bytes);
    pkin_i_json_count(json, "moved_bytes", report->moved_bytes);
    pkin_i_json_count(json, "splits", report->n_splits);
}

static void json_seconds(pkin_i_json *json, const pkin_i_bench_result *result) {
    const pkin_similarity_report *report = &result->report;
    pkin_i_json_begin_object(json, "seconds");
    pkin_i_json_real(json, "distinct", report->distinct_seconds, 6);
    pkin_i_json_real(json, "plan", report->plan_seconds, 6);
    pkin_i_json_real(json, "prepare", report->prepare_seconds, 6);
    pkin_i_json_real(json, "compare", report->compare_seconds, 6);
    pkin_i_json_real(json, "sort", report->sort_seconds, 6);
    pkin_i_json_real(json, "total", result->median_seconds, 6);
    pkin_i_json_end_object(json);
    pkin_i_json_begin_array(json, "run_seconds");
    for (int r = 0; r < result->n_runs; r++) pkin_i_json_real(json, NULL, result->seconds[r], 6);
    pkin_i_json_end_array(json);
}

static void json_rates(pkin_i_json *json, const pkin_i_bench_machine *machine, const pkin_i_bench_result *result) {
    const pkin_similarity_report *report = &result->report;
    pkin_i_json_count(json, "filter_operations", report->filter_operations);
    pkin_i_json_real(json, "filter_thread_seconds", report->filter_thread_seconds, 6);
    pkin_i_json_real(json, "score_thread_seconds", report->score_thread_seconds, 6);
    if (filter_rate(result) > 0) {
        pkin_i_json_real(json, "filter_operations_per_second", filter_rate(result), 0);
        if (peak_of(machine, result) > 0) {
            pkin_i_json_real(json, "filter_share_of_peak", filter_rate(result) / peak_of(machine, result), 4);
        }
    }
    if (score_rate(result) > 0) pkin_i_json_real(json, "candidates_per_second", score_rate(result), 0);
}

static void json_result(pkin_i_json *json, const pkin_i_bench_machine *machine, const pkin_i_bench_result *result) {
    const pkin_similarity_report *report = &result->report;
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_text(json, "work", result->work.k ? "top_k" : "join");
    if (result->work.k) pkin_i_json_count(json, "k", result->work.k);
    if (!result->work.k) pkin_i_json_real(json, "threshold", result->work.threshold, 6);
    pkin_i_json_count(json, "rows", result->n_rows);
    pkin_i_json_count(json, "empty_rows", report->n_empty);
    pkin_i_json_count(json, "copied_rows", report->n_copies);
    json_method(json, report);
    json_estimate(json, "estimated_seconds", report->estimated_seconds, 6);
    json_estimate(json, "estimated_candidates", report->estimated_candidates, 0);
    pkin_i_json_count(json, "estimated_bytes", report->estimated_bytes);
    pkin_i_json_count(json, "candidates", report->n_candidates);
    pkin_i_json_count(json, "found", result->n_found);
    json_seconds(json, result);
    json_rates(json, machine, result);
    pkin_i_json_count(json, "strips", report->n_strips);
    pkin_i_json_count(json, "working_bytes", report->working_bytes);
    pkin_i_json_count(json, "process_peak_bytes", result->peak_bytes);
    pkin_i_json_count(json, "rows_checked", result->n_rows_checked);
    if (result->check != PKIN_I_BENCH_UNCHECKED) {
        pkin_i_json_flag(json, "equals_brute_force", result->check == PKIN_I_BENCH_EQUAL);
    }
    pkin_i_json_end_object(json);
}

void pkin_i_bench_print_json(const pkin_i_bench_machine *machine, const pkin_i_bench_corpus *corpus, bool growth,
                             const pkin_i_bench_result *results, size_t n_results) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "bench");
    pkin_i_json_count(&json, "bench_version", BENCH_VERSION);
    json_machine(&json, machine);
    json_corpus(&json, corpus);
    pkin_i_json_flag(&json, "growth", growth);
    pkin_i_json_begin_array(&json, "results");
    for (size_t k = 0; k < n_results; k++) json_result(&json, machine, &results[k]);
    pkin_i_json_end_array(&json);
    pkin_i_json_end_answer(&json);
}
