/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "commands.h"
#include "json_out.h"
#include "messages.h"
#include "overwrite.h"
#include "progress.h"
#include "store_choice.h"

static void print_json(const char *path, const char *out_path, const pkin_gate_report *report) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "gate");
    pkin_i_json_text(&json, "path", path);
    pkin_i_json_text(&json, "out_path", out_path);
    pkin_i_json_text(&json, "date", report->date);
    pkin_i_json_count(&json, "records", report->n_records);
    pkin_i_json_count(&json, "skipped", report->n_skipped);
    pkin_i_json_count(&json, "papers", report->n_papers);
    pkin_i_json_count(&json, "new", report->n_new);
    pkin_i_json_count(&json, "new_versions", report->n_new_versions);
    pkin_i_json_count(&json, "repeats", report->n_repeats);
    pkin_i_json_count(&json, "repeats_inside", report->n_repeats_inside);
    pkin_i_json_count(&json, "written", report->n_written);
    pkin_i_json_end_answer(&json);
}

static void print_counts(pkin_i_cli *cli, const char *out_path, const pkin_gate_report *report) {
    char records[PKIN_I_COUNTED_BYTES], papers[PKIN_I_COUNTED_BYTES], versions[PKIN_I_COUNTED_BYTES];
    char fresh[PKIN_I_COUNT_BYTES], known[PKIN_I_COUNT_BYTES], again[PKIN_I_COUNT_BYTES];
    pkin_i_cli_line(cli, stderr, "%s: %s, %s: %s new, %s, %s seen before; %s listed again in this file", report->date,
                    pkin_i_cli_counted(report->n_records, "record", records),
                    pkin_i_cli_counted(report->n_papers, "paper", papers), pkin_i_cli_count(report->n_new, fresh),
                    pkin_i_cli_counted(report->n_new_versions, "new version", versions),
                    pkin_i_cli_count(report->n_repeats, known), pkin_i_cli_count(report->n_repeats_inside, again));
    if (report->n_written == 0) {
        pkin_i_cli_line(cli, stderr, "nothing new: no line let through");
        return;
    }
    pkin_i_cli_line(cli, stderr, "%s let through to %s, %s held back",
                    pkin_i_cli_counted(report->n_written, "line", records),
                    strcmp(out_path, "-") == 0 ? "standard output" : out_path,
                    pkin_i_cli_count(report->n_records - report->n_written, again));
}

static pkin_new_versions chosen_versions(const char *text) {
    if (!text || strcmp(text, "keep") == 0) return PKIN_NEW_VERSIONS_KEEP;
    return strcmp(text, "drop") == 0 ? PKIN_NEW_VERSIONS_DROP : PKIN_NEW_VERSIONS_ONLY;
}

static int gate(pkin_i_cli *cli, const pkin_i_settings *settings, pkin_store *store, const char *path) {
    const char *out_path = settings->out ? settings->out : "-";
    pkin_gate_options options = pkin_gate_options_default();
    pkin_gate_report report = {0};
    options.new_versions = chosen_versions(settings->new_versions);
    options.record = !settings->no_record;
    options.date = settings->date;
    options.n_threads = (int)settings->n_threads;
    options.on_diagnostic = pkin_i_cli_on_diagnostic;
    options.diagnostic_user = cli;
    pkin_status status = pkin_gate_run(store, path, out_path, &options, &report);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    pkin_i_cli_diagnostics_end(cli);
    if (settings->json) {
        print_json(path, out_path, &report);
    } else {
        print_counts(cli, out_path, &report);
    }
    /* A workflow has to know above all that there is nothing to pay for; skipped records have been named. */
    if (report.n_written == 0) return PKIN_I_EXIT_NOTHING_NEW;
    return report.n_skipped ? PKIN_I_EXIT_SKIPPED : PKIN_I_EXIT_DONE;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (settings->json && (!settings->out || strcmp(settings->out, "-") == 0)) {
        return pkin_i_cli_misuse(cli, "--json needs -o FILE: standard output is for the lines let through");
    }
    if (!pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    if (!pkin_i_output_spares_store(cli, settings->out, settings->store)) return PKIN_I_EXIT_MISUSE;
    pkin_store *store = NULL;
    pkin_i_store_use use = settings->no_record ? PKIN_I_STORE_ASK : PKIN_I_STORE_REMEMBER;
    pkin_status status = pkin_i_store_choose(cli, settings->store, use, &store);
    if (status != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    int exit_code = gate(cli, settings, store, operands[0]);
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {
    PKIN_I_OPTION_STORE,
    PKIN_I_OPTION_OUTPUT,
    {.name = "new-versions",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "V",
     .choices = "keep|drop|only",
     PKIN_I_MEMBER(new_versions),
     .help =
         "keep (default): new papers and new versions of known ones; drop: new papers alone; only: new versions alone"},
    {.name = "no-record",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(no_record),
     .help = "ask only: today's papers are not remembered"},
    PKIN_I_OPTION_OF_DATE,
    PKIN_I_OPTION_JSON,
    PKIN_I_OPTION_THREADS,
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_gate = {
    .name = "gate",
    .usage = "[OPTION]... TODAY.jsonl",
    .summary = "lets through what no earlier digest held",
    .description =
        "Copies those lines of a JSON lines file, byte for byte, whose papers no earlier digest held, under whichever "
        "version and however long ago; of several lines for one paper the first. Run it before anything that costs "
        "money for each paper. Asking again about the same digest gives the same answer.\n"
        "Exit code 3 says that no line was let through.",
    .examples = "  paperkin gate 2026-01-06.jsonl -o new.jsonl || [ $? -eq 3 ]\n"
                "  paperkin gate --new-versions only --no-record 2026-01-06.jsonl | wc -l\n",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .operand = "expected today's JSON lines",
    .run = run,
};
