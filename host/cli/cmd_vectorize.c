/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "messages.h"
#include "overwrite.h"
#include "row_inputs.h"

static void report(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_matrix *matrix) {
    pkin_csr_view view = pkin_matrix_view(matrix);
    uint64_t n_nonzeros = view.n_rows ? view.row_offsets[view.n_rows] : 0;
    if (settings->json) {
        pkin_i_json json;
        pkin_i_json_begin_answer(&json, "vectorize");
        pkin_i_json_text(&json, "path", settings->out);
        pkin_i_json_count(&json, "papers", view.n_rows);
        pkin_i_json_count(&json, "terms", view.n_columns);
        pkin_i_json_count(&json, "nonzeros", n_nonzeros);
        pkin_i_json_end_answer(&json);
        return;
    }
    char papers[PKIN_I_COUNTED_BYTES], terms[PKIN_I_COUNTED_BYTES], nonzeros[PKIN_I_COUNTED_BYTES];
    pkin_i_cli_line(cli, stdout, "%s: %s, %s, %s", settings->out, pkin_i_cli_counted(view.n_rows, "paper", papers),
                    pkin_i_cli_counted(view.n_columns, "term", terms),
                    pkin_i_cli_counted(n_nonzeros, "nonzero", nonzeros));
}

/* The matrix and the two lists beside it. */
static bool spares_inputs(pkin_i_cli *cli, const char *path, int n_inputs, char **inputs) {
    static const char *const endings[] = {".terms.txt", ".ids.txt"};
    size_t n = strlen(path), n_ending = strlen(".npz");
    if (n >= n_ending && strcmp(path + n - n_ending, ".npz") == 0) n -= n_ending;
    bool spares = pkin_i_output_spares_inputs(cli, path, n_inputs, inputs);
    for (size_t k = 0; spares && k < sizeof endings / sizeof *endings; k++) {
        size_t n_bytes = n + sizeof ".terms.txt";
        char *list = pkin_i_cli_allocate(n_bytes, 1);
        snprintf(list, n_bytes, "%.*s%s", (int)n, path, endings[k]);
        spares = pkin_i_output_spares_inputs(cli, list, n_inputs, inputs);
        free(list);
    }
    return spares;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (strcmp(settings->out, "-") == 0) {
        return pkin_i_cli_misuse(cli, "--output: a matrix is written to a file, with its terms and ids beside it");
    }
    if (!spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    pkin_i_rows rows;
    int exit_code = pkin_i_rows_read(cli, settings, "plain", n_operands, operands, &rows);
    if (exit_code == PKIN_I_EXIT_DONE) {
        pkin_status status = pkin_matrix_write_npz(rows.matrix, settings->out);
        if (status != PKIN_OK) exit_code = pkin_i_cli_failed(cli, status);
    }
    if (exit_code == PKIN_I_EXIT_DONE) report(cli, settings, rows.matrix);
    pkin_i_rows_free(&rows);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

static const pkin_i_option options[] = {{.name = "output",
                                         .letter = 'o',
                                         .kind = PKIN_I_OPTION_TEXT,
                                         .argument = "X.npz",
                                         .required = true,
                                         PKIN_I_MEMBER(out),
                                         .help = "the file to write; X.terms.txt and X.ids.txt go beside it"},
                                        PKIN_I_OPTION_JSON,
                                        PKIN_I_OPTION_KEEP_REPEATS,
                                        PKIN_I_OPTION_THREADS,
                                        PKIN_I_OPTIONS_FEATURES("plain"),
                                        {.help = "General"},
                                        PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_vectorize = {
    .name = "vectorize",
    .usage = "-o X.npz [OPTION]... INPUT...",
    .summary = "TF-IDF vectors of papers, as SciPy reads them",
    .description =
        "Writes a sparse matrix for scipy.sparse.load_npz, one row a paper and one column a term, each row of "
        "length 1.\n"
        "INPUT is a digest or corpus; several are merged to one record a paper.",
    .examples = "  paperkin vectorize -o papers.npz corpus.jsonl.zst\n"
                "  paperkin vectorize --tokenizer words -o papers.npz corpus.jsonl   (as scikit-learn)\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest or corpus to read",
    .run = run,
};
