/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_options.h"
#include "messages.h"
#include "overwrite.h"
#include "pair_output.h"
#include "progress.h"
#include "signals.h"

static int write_neighbors(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows,
                           const pkin_neighbor_lists *lists) {
    pkin_i_output destination;
    pkin_i_pair_output output;
    if (!pkin_i_output_open(cli, settings->out, &destination)) return PKIN_I_EXIT_FAILURE;
    pkin_i_pair_output_begin(&output, &destination, rows, settings, true);
    for (uint64_t row = 0; row < lists->n_rows && !ferror(output.stream); row++) {
        uint64_t first = lists->offsets[row];
        for (uint64_t k = first; k < lists->offsets[row + 1]; k++) {
            pkin_i_pair_output_write(&output, lists->neighbors[k].score, row, lists->neighbors[k].row, k - first + 1);
        }
    }
    return pkin_i_output_close(cli, &destination, true);
}

static int find_neighbors(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_rows *rows) {
    pkin_similarity_options options = pkin_i_engine_options(cli, settings);
    pkin_similarity_report report = pkin_similarity_report_default();
    pkin_neighbor_lists lists = {0};
    double floor = isnan(settings->floor) ? 0 : settings->floor;
    if (settings->explain) return pkin_i_engine_explain(cli, settings, rows, (uint32_t)settings->k, floor);

    options.report = &report;
    pkin_i_signals_defer(true);
    pkin_status status = pkin_similarity_top_k(rows->vectors, NULL, (uint32_t)settings->k, floor, &options, &lists);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);

    int exit_code = write_neighbors(cli, settings, rows, &lists);
    if (exit_code == PKIN_I_EXIT_DONE) {
        pkin_i_engine_tell(cli, &report);
        char rows_text[PKIN_I_COUNTED_BYTES], found_text[PKIN_I_COUNTED_BYTES];
        pkin_i_cli_line(cli, stderr, "%s, %s",
                        pkin_i_cli_counted(lists.n_rows, rows->corpus ? "paper" : "row", rows_text),
                        pkin_i_cli_counted(lists.n_rows ? lists.offsets[lists.n_rows] : 0, "neighbour", found_text));
    }
    pkin_neighbor_lists_free(&lists);
    return exit_code;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (!pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    pkin_i_rows rows;
    int exit_code = pkin_i_engine_check(cli, settings, true);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    exit_code = pkin_i_rows_read_vectors(cli, settings, "related", n_operands, operands, &rows);
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = find_neighbors(cli, settings, &rows);
    pkin_i_rows_free(&rows);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

static const pkin_i_option options[] = {{.name = "count",
                                         .letter = 'k',
                                         .kind = PKIN_I_OPTION_COUNT,
                                         .argument = "K",
                                         .minimum = 1,
                                         .maximum = 1000000,
                                         .required = true,
                                         PKIN_I_MEMBER(k),
                                         .help = "neighbours of each paper, at most"},
                                        {.name = "floor",
                                         .kind = PKIN_I_OPTION_REAL,
                                         .argument = "X",
                                         .minimum = 0,
                                         .maximum = 1,
                                         PKIN_I_MEMBER(floor),
                                         .help = "the least cosine of a neighbour; default 0"},
                                        PKIN_I_OPTION_RESULTS_FORMAT,
                                        PKIN_I_OPTION_OUTPUT,
                                        PKIN_I_OPTION_TERMS,
                                        PKIN_I_OPTION_EXACT,
                                        PKIN_I_OPTION_KEEP_REPEATS,
                                        PKIN_I_OPTION_DISTINCT,
                                        PKIN_I_OPTION_EXPLAIN,
                                        PKIN_I_OPTIONS_ENGINE,
                                        PKIN_I_OPTIONS_FEATURES("related"),
                                        {.help = "General"},
                                        PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_neighbors = {
    .name = "neighbors",
    .usage = "-k K [OPTION]... INPUT...",
    .summary = "the papers closest to each paper",
    .description = "Writes for each paper the K closest others, exactly: "
                   "papers in the order of the input, neighbours from the "
                   "closest on.\n"
                   "INPUT is a digest or corpus; several are merged to one "
                   "record a paper. Or it is one matrix as "
                   "`paperkin vectorize` and SciPy write it (.npz).",
    .examples = "  paperkin neighbors -k 5 2026-01-05.jsonl\n"
                "  paperkin neighbors -k 10 --floor 0.2 --terms -o "
                "neighbours.tsv corpus.jsonl.zst\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest, a corpus or a matrix (.npz) to compare",
    .run = run,
};
