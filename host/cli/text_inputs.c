/* SPDX-License-Identifier: Apache-2.0 */
#include "text_inputs.h"

#include <stdlib.h>
#include <string.h>

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

int pkin_i_texts_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
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

void pkin_i_texts_free(pkin_corpus *corpus) {
    pkin_corpus_free(corpus);
}

const pkin_paper *pkin_i_text_of_row(const pkin_corpus *corpus, uint64_t row) {
    return corpus ? pkin_corpus_paper(corpus, row) : NULL;
}
