/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "json_out.h"
#include "messages.h"
#include "output.h"
#include "overwrite.h"
#include "text_inputs.h"

static void write_list(pkin_i_json *json, const char *key, const char *const *items, uint32_t n_items) {
    pkin_i_json_begin_array(json, key);
    for (uint32_t k = 0; k < n_items; k++) pkin_i_json_text(json, NULL, items[k]);
    pkin_i_json_end_array(json);
}

static void write_paper(FILE *stream, const pkin_paper *paper, const char *file) {
    pkin_i_json json = {.stream = stream};
    pkin_i_json_begin_object(&json, NULL);
    pkin_i_json_text(&json, "key", paper->key);
    pkin_i_json_text(&json, "id", paper->id);
    pkin_i_json_count(&json, "version", paper->version);
    pkin_i_json_text(&json, "title", paper->title);
    write_list(&json, "authors", paper->authors, paper->n_authors);
    write_list(&json, "categories", paper->categories, paper->n_categories);
    pkin_i_json_text(&json, "link", paper->link);
    pkin_i_json_text(&json, "doi", paper->doi);
    pkin_i_json_text(&json, "date", paper->date);
    pkin_i_json_text(&json, "comment", paper->comment);
    pkin_i_json_text(&json, "abstract", paper->abstract);
    pkin_i_json_text(&json, "summary", paper->summary);
    pkin_i_json_count(&json, "failed_summaries", paper->n_failed_summaries);
    pkin_i_json_text(&json, "file", file);
    pkin_i_json_count(&json, "line", paper->line);
    pkin_i_json_end_object(&json);
    fputc('\n', stream);
}

static int read_file(pkin_i_cli *cli, const pkin_i_settings *settings, const char *path, FILE *stream) {
    pkin_read_options options = pkin_i_read_options(cli, settings);
    pkin_corpus *corpus = NULL;
    pkin_status status = pkin_corpus_read_file(path, &options, &corpus);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    uint64_t n = pkin_corpus_size(corpus);
    for (uint64_t k = 0; k < n && !ferror(stream); k++) write_paper(stream, pkin_corpus_paper(corpus, k), path);
    pkin_i_cli_diagnostics_end(cli);
    char records[PKIN_I_COUNTED_BYTES];
    if (pkin_corpus_format(corpus) == PKIN_FORMAT_UNKNOWN) {
        pkin_i_cli_line(cli, stderr, "%s: empty", path);
    } else {
        pkin_i_cli_line(cli, stderr, "%s: %s, %s", path, pkin_format_name(pkin_corpus_format(corpus)),
                        pkin_i_cli_counted(n, "record", records));
    }
    pkin_corpus_free(corpus);
    return PKIN_I_EXIT_DONE;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    if (!pkin_i_output_spares_inputs(cli, settings->out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    pkin_i_output output;
    int exit_code = PKIN_I_EXIT_DONE;
    if (!pkin_i_output_open(cli, settings->out, &output)) return PKIN_I_EXIT_FAILURE;
    for (int k = 0; k < n_operands && exit_code == PKIN_I_EXIT_DONE; k++) {
        exit_code = read_file(cli, settings, operands[k], output.stream);
    }
    int close_code = pkin_i_output_close(cli, &output, exit_code == PKIN_I_EXIT_DONE);
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = close_code;
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

static const pkin_i_option options[] = {{.name = "format",
                                         .kind = PKIN_I_OPTION_CHOICE,
                                         .argument = "F",
                                         .choices = "jsonl",
                                         PKIN_I_MEMBER(format),
                                         .help = "jsonl (default): one JSON object a record"},
                                        PKIN_I_OPTION_OUTPUT,
                                        PKIN_I_OPTION_THREADS,
                                        PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_read = {
    .name = "read",
    .usage = "[OPTION]... INPUT...",
    .summary = "what paperkin reads in a file, one JSON object a record",
    .description =
        "Shows what paperkin reads in digests and corpora: one JSON object a record, repeats included, in the "
        "order of the files. Useful to see why a paper is told or not told to be another.",
    .examples = "  paperkin read 2026-01-05.md\n"
                "  zcat 2026-01-05.jsonl.gz | paperkin read -\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest or corpus to read",
    .run = run,
};
