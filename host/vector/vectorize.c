/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>

#include "base/failure.h"
#include "base/take_options.h"
#include "vector/weigh.h"

pkin_features_options pkin_features_options_plain(void) {
    pkin_features_options options = {
        .size = sizeof options,
        .tokenizer = PKIN_TOKENIZER_UNICODE,
        .stop_words = 1,
        .title_weight = 1,
        .abstract_weight = 1,
        .min_df = 1,
        .max_df = 1,
    };
    return options;
}

pkin_features_options pkin_features_options_related(void) {
    pkin_features_options options = pkin_features_options_plain();
    options.sublinear_tf = 1;
    options.title_weight = 3;
    options.bigram_weight = 0.75;
    options.bigram_min_df = 2;
    return options;
}

static const char *paper_id(const void *user, uint64_t s) {
    return pkin_corpus_paper(user, s)->id;
}

static pkin_status report_progress(const pkin_features_options *options, uint64_t total) {
    if (!options->on_progress || !options->on_progress(options->progress_user, "tokenizing", 0, total)) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_CANCELLED, "cancelled while tokenizing");
}

pkin_status pkin_matrix_vectorize(const pkin_corpus *corpus, const pkin_features_options *options, pkin_matrix **out) {
    pkin_status status = PKIN_OK;
    pkin_features_options taken = pkin_features_options_plain();
    pkin_i_vocabulary *vocabulary = NULL;
    pkin_i_token_documents documents = {0};
    pkin_matrix *matrix = NULL;
    if (out) *out = NULL;
    PKIN_REQUIRE(corpus && out, PKIN_ERROR_INVALID_ARGUMENT,
                 "vectorize: a corpus and a place for the matrix are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_features_options"));
    options = &taken;
    PKIN_REQUIRE(options->n_threads >= 0, PKIN_ERROR_INVALID_ARGUMENT, "vectorize: %d threads; 0 (all) or more",
                 options->n_threads);
    pkin_i_tokenize_options tokenize = {
        options->tokenizer,
        options->stop_words,
        {options->title_weight > 0, options->abstract_weight > 0, options->summary_weight > 0},
        options->n_threads,
    };
    PKIN_TRY(report_progress(options, pkin_corpus_size(corpus)));
    PKIN_TRY(pkin_i_vocabulary_create(&vocabulary));
    PKIN_TRY(pkin_i_tokenize_corpus(corpus, &tokenize, vocabulary, &documents));
    PKIN_TRY(pkin_i_weigh(&documents, vocabulary, options, 1, &matrix));
    PKIN_TRY(pkin_i_string_table_build(matrix->n_rows, paper_id, corpus, &matrix->ids));
    *out = matrix;
    matrix = NULL;
out:
    pkin_matrix_free(matrix);
    pkin_i_token_documents_free(&documents);
    pkin_i_vocabulary_free(vocabulary);
    return status;
}
