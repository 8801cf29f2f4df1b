/* SPDX-License-Identifier: Apache-2.0 */
#include "row_inputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "messages.h"
#include "progress.h"
#include "signals.h"

pkin_read_options pkin_i_read_options(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_read_options options = pkin_read_options_default();
    options.n_threads = (int)settings->n_threads;
    options.on_diagnostic = pkin_i_cli_on_diagnostic;
    options.diagnostic_user = cli;
    return options;
}

static bool wants_plain(const pkin_i_settings *settings, const char *preset) {
    return strcmp(settings->features ? settings->features : preset, "plain") == 0;
}

static void replace_when_given(double given, double *value) {
    if (!isnan(given)) *value = given;
}

static pkin_features_options make_features(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset) {
    pkin_features_options options =
        wants_plain(settings, preset) ? pkin_features_options_plain() : pkin_features_options_related();
    bool words = settings->tokenizer && strcmp(settings->tokenizer, "words") == 0;
    if (words) {
        options.tokenizer = PKIN_TOKENIZER_WORDS;
        options.stop_words = 0; /* this tokenizer knows none */
    }
    if (settings->stop_words >= 0) options.stop_words = settings->stop_words;
    if (settings->sublinear_tf >= 0) options.sublinear_tf = settings->sublinear_tf;
    replace_when_given(settings->title_weight, &options.title_weight);
    replace_when_given(settings->abstract_weight, &options.abstract_weight);
    replace_when_given(settings->summary_weight, &options.summary_weight);
    replace_when_given(settings->bigram_weight, &options.bigram_weight);
    replace_when_given(settings->max_df, &options.max_df);
    if (settings->min_df) {
        options.min_df = settings->min_df;
        options.bigram_min_df = settings->min_df;
    }
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    return options;
}

/* An option that says how text becomes numbers, and so has no meaning for a ready matrix; NULL: none was given. */
static const char *given_feature_option(const pkin_i_settings *settings) {
    if (settings->features) return "features";
    if (settings->tokenizer) return "tokenizer";
    if (settings->stop_words >= 0) return "stop-words";
    if (settings->sublinear_tf >= 0) return "sublinear";
    if (!isnan(settings->title_weight)) return "title-weight";
    if (!isnan(settings->abstract_weight)) return "abstract-weight";
    if (!isnan(settings->summary_weight)) return "summary-weight";
    if (!isnan(settings->bigram_weight)) return "bigram-weight";
    if (settings->min_df) return "min-df";
    if (!isnan(settings->max_df)) return "max-df";
    return settings->keep_repeats ? "keep-repeats" : NULL;
}

/* A `.npz` is a zip archive. Standard input and pipes are never one: they cannot be read again from the start. */
static bool is_zip(const char *path) {
    char magic[4] = {0};
    struct stat info;
    bool is_regular = strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
    FILE *file = is_regular ? fopen(path, "rb") : NULL;
    if (!file) return false;
    size_t n = fread(magic, 1, sizeof magic, file);
    fclose(file);
    return n == sizeof magic && memcmp(magic, "PK\3\4", sizeof magic) == 0;
}

static int read_matrix(pkin_i_cli *cli, const pkin_i_settings *settings, const char *path, pkin_i_rows *rows) {
    const char *option = given_feature_option(settings);
    if (option) return pkin_i_cli_misuse(cli, "--%s: %s is a matrix already; this option is for text", option, path);
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_status status = pkin_matrix_read_npz(path, &rows->matrix);
    rows->read_seconds = pkin_i_seconds_since(&began);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

/* One paper a key over all inputs, or with --keep-repeats the single input as it is. */
static pkin_status read_corpus(pkin_i_cli *cli, const pkin_i_settings *settings, int n_inputs, char **inputs,
                               pkin_corpus **out) {
    pkin_read_options options = pkin_i_read_options(cli, settings);
    pkin_corpus **corpora = pkin_i_cli_allocate((size_t)n_inputs, sizeof(pkin_corpus *));
    pkin_status status = PKIN_OK;
    for (int k = 0; k < n_inputs && status == PKIN_OK; k++) {
        status = pkin_corpus_read_file(inputs[k], &options, &corpora[k]);
    }
    if (status == PKIN_OK && settings->keep_repeats) {
        *out = corpora[0];
        corpora[0] = NULL;
    } else if (status == PKIN_OK) {
        status = pkin_corpus_unique((const pkin_corpus *const *)corpora, (size_t)n_inputs, out);
    }
    for (int k = 0; k < n_inputs; k++) pkin_corpus_free(corpora[k]);
    free(corpora);
    return status;
}

static int read_texts(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                      pkin_i_rows *rows) {
    if (settings->keep_repeats && n_inputs > 1) {
        return pkin_i_cli_misuse(cli, "--keep-repeats is for a single input, found %d", n_inputs);
    }
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_status status = read_corpus(cli, settings, n_inputs, inputs, &rows->corpus);
    rows->read_seconds = pkin_i_seconds_since(&began);
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (status == PKIN_OK) {
        pkin_features_options features = make_features(cli, settings, preset);
        pkin_i_cli_diagnostics_end(cli);
        pkin_i_signals_defer(true);
        status = pkin_matrix_vectorize(rows->corpus, &features, &rows->matrix);
        pkin_i_signals_defer(false);
        rows->vectorize_seconds = pkin_i_seconds_since(&began);
        pkin_i_progress_erase(cli);
    }
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

int pkin_i_rows_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                     pkin_i_rows *rows) {
    *rows = (pkin_i_rows){0};
    for (int k = 0; k < n_inputs; k++) {
        if (!is_zip(inputs[k])) continue;
        if (n_inputs == 1) return read_matrix(cli, settings, inputs[k], rows);
        return pkin_i_cli_misuse(cli, "%s is a matrix; it cannot be mixed with other inputs", inputs[k]);
    }
    return read_texts(cli, settings, preset, n_inputs, inputs, rows);
}

int pkin_i_rows_read_vectors(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs,
                             char **inputs, pkin_i_rows *rows) {
    int exit_code = pkin_i_rows_read(cli, settings, preset, n_inputs, inputs, rows);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    /* Normalised also where rows have length 1 already, so that text and the `.npz` made of it score the same bits. */
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_status status = pkin_vectors_from_matrix(rows->matrix, 1, &rows->vectors);
    rows->fixed_point_seconds = pkin_i_seconds_since(&began);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

void pkin_i_rows_free(pkin_i_rows *rows) {
    pkin_vectors_free(rows->vectors);
    pkin_matrix_free(rows->matrix);
    pkin_corpus_free(rows->corpus);
    *rows = (pkin_i_rows){0};
}

const char *pkin_i_row_id(const pkin_i_rows *rows, uint64_t row, char buffer[PKIN_I_ROW_ID_BYTES]) {
    const pkin_paper *paper = rows->corpus ? pkin_corpus_paper(rows->corpus, row) : NULL;
    const char *id = paper ? paper->id : pkin_matrix_row_id(rows->matrix, row);
    if (id) return id;
    snprintf(buffer, PKIN_I_ROW_ID_BYTES, "%" PRIu64, row);
    return buffer;
}

const char *pkin_i_row_title(const pkin_i_rows *rows, uint64_t row) {
    const pkin_paper *paper = rows->corpus ? pkin_corpus_paper(rows->corpus, row) : NULL;
    return paper ? paper->title : "";
}
