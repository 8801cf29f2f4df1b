/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"
#include "overwrite.h"
#include "pair_output.h"
#include "progress.h"
#include "signals.h"

static int write_pairs(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows,
                       const pkin_pair_list *list) {
    pkin_i_output destination;
    pkin_i_pair_output output;
    if (!pkin_i_output_open(cli, settings->out, &destination)) return PKIN_I_EXIT_FAILURE;
    pkin_i_pair_output_begin(&output, &destination, rows, settings, false);
    for (uint64_t k = 0; k < list->n_pairs && !ferror(output.stream); k++) {
        pkin_i_pair_output_write(&output, list->pairs[k].score, list->pairs[k].i, list->pairs[k].j, 0);
    }
    return pkin_i_output_close(cli, &destination, true);
}

static int join(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows) {
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_pair_list list = {0};
    if (settings->backend) options.backend = settings->backend;
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;

    pkin_i_signals_defer(true);
    pkin_status status = pkin_similarity_join(rows->vectors, NULL, settings->threshold, &options, &list);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);

    int exit_code = write_pairs(cli, settings, rows, &list);
    if (exit_code == PKIN_I_EXIT_DONE) {
        char rows_text[PKIN_I_COUNTED_BYTES], pairs_text[PKIN_I_COUNTED_BYTES];
        pkin_i_cli_line(
            cli, stderr, "%s, %s at %g or above",
            pkin_i_cli_counted(pkin_vectors_n_rows(rows->vectors), rows->corpus ? "paper" : "row", rows_text),
            pkin_i_cli_counted(list.n_pairs, "pair", pairs_text), settings->threshold);
    }
    pkin_pair_list_free(&list);
    return exit_code;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (!pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    pkin_i_rows rows;
    int exit_code = pkin_i_rows_read_vectors(cli, settings, "plain", n_operands, operands, &rows);
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = join(cli, settings, &rows);
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
                                        PKIN_I_OPTION_THREADS,
                                        PKIN_I_OPTION_OF_BACKEND,
                                        PKIN_I_OPTIONS_FEATURES("plain"),
                                        {.help = "General"},
                                        PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_pairs = {
    .name = "pairs",
    .usage = "--threshold T [OPTION]... INPUT...",
    .summary = "every pair of papers whose similarity reaches a threshold",
    .description =
        "Writes every pair of papers whose cosine similarity reaches the threshold, and no other, the closest first. "
        "Equal texts score up to 1e-8 below 1, so ask for 0.999999 rather than 1.\n"
        "INPUT is a digest or corpus; several are merged to one record a paper. Or it is one matrix as "
        "`paperkin vectorize` and SciPy write it (.npz).",
    .examples = "  paperkin pairs --threshold 0.8 2026-01-05.jsonl 2026-01-06.jsonl\n"
                "  paperkin pairs -t 0.5 --terms --format jsonl -o pairs.jsonl corpus.jsonl.zst\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest, a corpus or a matrix (.npz) to compare",
    .run = run,
};
