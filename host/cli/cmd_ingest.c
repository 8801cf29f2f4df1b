/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json_out.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"
#include "store_choice.h"
#include "table.h"

/* Adds the counts of `one` to `sum`. */
static void add(pkin_ingest_report *sum, const pkin_ingest_report *one) {
    sum->n_records += one->n_records;
    sum->n_skipped += one->n_skipped;
    sum->n_papers += one->n_papers;
    sum->n_new += one->n_new;
    sum->n_new_versions += one->n_new_versions;
    sum->n_repeats += one->n_repeats;
}

static void write_counts(pkin_i_json *json, const pkin_ingest_report *report) {
    pkin_i_json_count(json, "records", report->n_records);
    pkin_i_json_count(json, "skipped", report->n_skipped);
    pkin_i_json_count(json, "papers", report->n_papers);
    pkin_i_json_count(json, "new", report->n_new);
    pkin_i_json_count(json, "new_versions", report->n_new_versions);
    pkin_i_json_count(json, "repeats", report->n_repeats);
}

static void print_json(const pkin_i_settings *settings, char **paths, const pkin_ingest_report *reports, int n_files,
                       double seconds) {
    pkin_i_json json;
    pkin_ingest_report total = {0};
    pkin_i_json_begin_answer(&json, "ingest");
    pkin_i_json_text(&json, "store", pkin_i_store_path(settings->store));
    pkin_i_json_begin_array(&json, "files");
    for (int k = 0; k < n_files; k++) {
        pkin_i_json_begin_object(&json, NULL);
        pkin_i_json_text(&json, "path", paths[k]);
        pkin_i_json_text(&json, "format", pkin_format_name(reports[k].format));
        pkin_i_json_text(&json, "date", reports[k].date);
        pkin_i_json_flag(&json, "already_known", reports[k].already_known);
        pkin_i_json_flag(&json, "background", reports[k].background);
        write_counts(&json, &reports[k]);
        pkin_i_json_end_object(&json);
        add(&total, &reports[k]);
    }
    pkin_i_json_end_array(&json);
    pkin_i_json_begin_object(&json, "totals");
    write_counts(&json, &total);
    pkin_i_json_end_object(&json);
    pkin_i_json_begin_object(&json, "seconds");
    pkin_i_json_real(&json, "total", seconds, 3);
    pkin_i_json_end_object(&json);
    pkin_i_json_end_answer(&json);
}

static const char *remark(const pkin_ingest_report *report) {
    if (report->background) return report->already_known ? "background, known already" : "background";
    return report->already_known ? "known already" : "";
}

static void add_row(pkin_i_table *table, const char *name, const char *date, const pkin_ingest_report *report) {
    pkin_i_table_text(table, name);
    pkin_i_table_text(table, date);
    pkin_i_table_count(table, report->n_papers);
    pkin_i_table_count(table, report->n_new);
    pkin_i_table_count(table, report->n_new_versions);
    pkin_i_table_count(table, report->n_repeats);
    pkin_i_table_text(table, remark(report));
}

static void print_table(pkin_i_cli *cli, char **paths, const pkin_ingest_report *reports, int n_files) {
    static const char *const headings[] = {"file", "date", "papers", "new", "new\nversions", "seen\nbefore", ""};
    pkin_ingest_report total = {0};
    pkin_i_table *table = pkin_i_table_new(headings, 7, 0x3Cu);
    for (int k = 0; k < n_files; k++) {
        add_row(table, paths[k], reports[k].date, &reports[k]);
        add(&total, &reports[k]);
    }
    if (n_files > 1) {
        pkin_i_table_rule(table);
        add_row(table, "total", "", &total);
    }
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
}

static pkin_status ingest_all(pkin_i_cli *cli, const pkin_i_settings *settings, pkin_store *store, char **paths,
                              int n_files, pkin_ingest_report *reports, int *n_done) {
    pkin_ingest_options options = pkin_ingest_options_default();
    pkin_status status = PKIN_OK;
    options.date = settings->date;
    if (settings->as) options.background = strcmp(settings->as, "background") == 0;
    options.n_threads = (int)settings->n_threads;
    options.on_diagnostic = pkin_i_cli_on_diagnostic;
    options.diagnostic_user = cli;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    pkin_i_signals_defer(true);
    for (int k = 0; k < n_files && status == PKIN_OK; k++) {
        status = pkin_i_signals_caught() ? PKIN_ERROR_CANCELLED
                                         : pkin_store_ingest_file(store, paths[k], &options, &reports[k]);
        *n_done += status == PKIN_OK;
        pkin_i_cli_diagnostics_end(cli);
    }
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    return status;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (settings->date && n_operands > 1) {
        return pkin_i_cli_misuse(cli, "--date is for a single file, found %d", n_operands);
    }
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_store *store = NULL;
    if (pkin_i_store_choose(cli, settings->store, PKIN_I_STORE_REMEMBER, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    pkin_ingest_report *reports = pkin_i_cli_allocate((size_t)n_operands, sizeof *reports);
    int n_done = 0;
    pkin_status status = ingest_all(cli, settings, store, operands, n_operands, reports, &n_done);
    int exit_code = cli->n_skipped ? PKIN_I_EXIT_SKIPPED : PKIN_I_EXIT_DONE;
    if (status != PKIN_OK) {
        char files_text[PKIN_I_COUNTED_BYTES];
        exit_code = pkin_i_cli_failed(cli, status);
        if (n_done > 0) {
            pkin_i_cli_note(cli, "remembered before that: %s",
                            pkin_i_cli_counted((uint64_t)n_done, "file", files_text));
        }
    } else if (settings->json) {
        print_json(settings, operands, reports, n_operands, pkin_i_seconds_since(&began));
    } else if (!cli->quiet) {
        print_table(cli, operands, reports, n_operands);
    }
    free(reports);
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {
    PKIN_I_OPTION_STORE,
    {.name = "as",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "KIND",
     .choices = "digest|background",
     PKIN_I_MEMBER(as),
     .help = "digest: its papers were listed on its day, and are seen before from then on; background: they are known, "
             "for related papers and verdicts, and never count as seen before. Default: background for an arXiv "
             "metadata snapshot, else digest"},
    PKIN_I_OPTION_OF_DATE,
    PKIN_I_OPTION_JSON,
    PKIN_I_OPTION_THREADS,
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_ingest = {
    .name = "ingest",
    .usage = "[OPTION]... FILE...",
    .summary = "remembers papers without writing digests: the history, snapshots",
    .description = "Reads digests and corpora and remembers their papers, versions and days. Give the oldest first. A "
                   "file that is "
                   "known already changes nothing, so this can be repeated, and goes on where it was interrupted.",
    .examples = "  paperkin ingest --store papers.db 2025-*.jsonl\n"
                "  paperkin ingest --store papers.db --as background all-of-2024.jsonl.zst\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest or corpus to remember",
    .run = run,
};
