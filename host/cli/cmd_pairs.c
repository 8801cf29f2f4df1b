/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_options.h"
#include "messages.h"
#include "overwrite.h"
#include "pair_output.h"
#include "progress.h"
#include "signals.h"

/* Pairs come in batches, and only when all are found: until then no output is
 * opened. */
typedef struct pair_writer {
    pkin_i_cli *cli;
    const pkin_i_settings *settings;
    const pkin_i_rows *rows;
    pkin_i_output destination;
    pkin_i_pair_output output;
    bool is_open, cannot_open;
} pair_writer;

static bool open_output(pair_writer *writer) {
    if (writer->is_open) return true;
    pkin_i_progress_erase(writer->cli);
    writer->is_open = pkin_i_output_open(writer->cli, writer->settings->out, &writer->destination);
    writer->cannot_open = !writer->is_open;
    if (writer->is_open) {
        pkin_i_pair_output_begin(&writer->output, &writer->destination, writer->rows, writer->settings, false);
    }
    return writer->is_open;
}

static int write_pairs(void *user, const pkin_pair *pairs, size_t n_pairs) {
    pair_writer *writer = user;
    if (!open_output(writer)) return 1;
    for (size_t k = 0; k < n_pairs; k++) {
        pkin_i_pair_output_write(&writer->output, pairs[k].score, pairs[k].i, pairs[k].j, 0);
    }
    return ferror(writer->output.stream) || pkin_i_signals_caught();
}

/* What writing had to say goes before what the library says of a join that it
 * cancelled. */
static int finish_output(pair_writer *writer, pkin_status status) {
    pkin_i_cli *cli = writer->cli;
    if (status == PKIN_OK && !open_output(writer)) return PKIN_I_EXIT_FAILURE;
    bool failed = writer->is_open && ferror(writer->output.stream);
    int exit_code = writer->is_open ? pkin_i_output_close(cli, &writer->destination, status == PKIN_OK) : 0;
    if (writer->cannot_open || failed) return PKIN_I_EXIT_FAILURE;
    if (status == PKIN_ERROR_CANCELLED && writer->settings->checkpoint_dir) {
        pkin_i_cli_note(cli, "what is done is kept in %s; the same command goes on from there",
                        writer->settings->checkpoint_dir);
    }
    return status == PKIN_OK ? exit_code : pkin_i_cli_failed(cli, status);
}

static int join(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows) {
    pkin_similarity_options options = pkin_i_engine_options(cli, settings);
    pkin_similarity_report report = pkin_similarity_report_default();
    pair_writer writer = {.cli = cli, .settings = settings, .rows = rows};
    options.report = &report;

    pkin_i_signals_defer(true);
    pkin_status status =
        pkin_similarity_join_each(rows->vectors, NULL, settings->threshold, &options, write_pairs, &writer);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    int exit_code = finish_output(&writer, status);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    pkin_i_engine_tell(cli, &report);
    char rows_text[PKIN_I_COUNTED_BYTES], pairs_text[PKIN_I_COUNTED_BYTES];
    pkin_i_cli_line(cli, stderr, "%s, %s at %g or above",
                    pkin_i_cli_counted(pkin_vectors_n_rows(rows->vectors), rows->corpus ? "paper" : "row", rows_text),
                    pkin_i_cli_counted(report.n_results, "pair", pairs_text), settings->threshold);
    return exit_code;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (!pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    pkin_i_rows rows;
    int exit_code = pkin_i_engine_check(cli, settings, false);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    exit_code = pkin_i_rows_read_vectors(cli, settings, "plain", n_operands, operands, &rows);
    if (exit_code == PKIN_I_EXIT_DONE) {
        exit_code = settings->explain ? pkin_i_engine_explain(cli, settings, &rows, 0, settings->threshold)
                                      : join(cli, settings, &rows);
    }
    pkin_i_rows_free(&rows);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

static const pkin_i_option options[] = {{.name = "threshold",
                                         .letter = 't',
                                         .kind = PKIN_I_OPTION_REAL,
                                         .argument = "T",
                                         .minimum = 0,
                                         .maximum = 1,
                                         .above_minimum = true,
                                         .required = true,
                                         PKIN_I_MEMBER(threshold),
                                         .help = "the least cosine, above 0 and at most 1"},
                                        PKIN_I_OPTION_RESULTS_FORMAT,
                                        PKIN_I_OPTION_OUTPUT,
                                        PKIN_I_OPTION_TERMS,
                                        PKIN_I_OPTION_EXACT,
                                        PKIN_I_OPTION_KEEP_REPEATS,
                                        PKIN_I_OPTION_DISTINCT,
                                        PKIN_I_OPTION_EXPLAIN,
                                        PKIN_I_OPTIONS_ENGINE,
                                        {.name = "spill",
                                         .kind = PKIN_I_OPTION_TEXT,
                                         .argument = "DIR",
                                         PKIN_I_MEMBER(spill_dir),
                                         .help = "an existing folder for pairs beyond --memory; default $TMPDIR, "
                                                 "else /tmp"},
                                        {.name = "checkpoint",
                                         .kind = PKIN_I_OPTION_TEXT,
                                         .argument = "DIR",
                                         PKIN_I_MEMBER(checkpoint_dir),
                                         .help = "keep what is done in DIR, and go on from what is there: an "
                                                 "interrupted run, called again with the same rows, threshold and "
                                                 "--memory, ends with the same result; DIR may be removed then"},
                                        PKIN_I_OPTIONS_FEATURES("plain"),
                                        {.help = "General"},
                                        PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_pairs = {
    .name = "pairs",
    .usage = "--threshold T [OPTION]... INPUT...",
    .summary = "every pair of papers whose similarity reaches a threshold",
    .description = "Writes every pair of papers whose cosine similarity "
                   "reaches the threshold, and no other, the closest first. "
                   "Equal texts score up to 1e-8 below 1, so ask for 0.999999 "
                   "rather than 1.\n"
                   "INPUT is a digest or corpus; several are merged to one "
                   "record a paper. Or it is one matrix as "
                   "`paperkin vectorize` and SciPy write it (.npz).",
    .examples = "  paperkin pairs --threshold 0.8 2026-01-05.jsonl 2026-01-06.jsonl\n"
                "  paperkin pairs -t 0.5 --terms --format jsonl -o pairs.jsonl "
                "corpus.jsonl.zst\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest, a corpus or a matrix (.npz) to compare",
    .run = run,
};
