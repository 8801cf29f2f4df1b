/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paperkin/features.h"

/*
 * vectorize_dump INPUT OUT [name=value ...]: vectors as scikit-learn would make them by default, or with options:
 * tokenizer=words|unicode title= abstract= bigram= sublinear= min_df= bigram_min_df= max_df= threads=. For parity tests.
 * OUT holds, as the machine stores them: u64 rows, columns, entries; u64 row offsets; u32 columns; f64 values; then
 * every term and every id, each with a line end.
 */

static int fail(void) {
    fprintf(stderr, "vectorize_dump: %s\n", pkin_last_error());
    return 1;
}

static int set_option(pkin_features_options *options, const char *argument) {
    const char *equals = strchr(argument, '=');
    if (!equals) return 0;
    size_t n = (size_t)(equals - argument);
    double value = atof(equals + 1);
    if (n == 9 && !strncmp(argument, "tokenizer", n)) {
        options->tokenizer = strcmp(equals + 1, "unicode") ? PKIN_TOKENIZER_WORDS : PKIN_TOKENIZER_UNICODE;
    } else if (n == 5 && !strncmp(argument, "title", n))
        options->title_weight = value;
    else if (n == 8 && !strncmp(argument, "abstract", n))
        options->abstract_weight = value;
    else if (n == 6 && !strncmp(argument, "bigram", n))
        options->bigram_weight = value;
    else if (n == 9 && !strncmp(argument, "sublinear", n))
        options->sublinear_tf = (int)value;
    else if (n == 6 && !strncmp(argument, "min_df", n))
        options->min_df = (uint64_t)value;
    else if (n == 13 && !strncmp(argument, "bigram_min_df", n))
        options->bigram_min_df = (uint64_t)value;
    else if (n == 6 && !strncmp(argument, "max_df", n))
        options->max_df = value;
    else if (n == 7 && !strncmp(argument, "threads", n))
        options->n_threads = (int)value;
    else
        return 0;
    return 1;
}

/* 0 on success. */
static int write_matrix(const pkin_matrix *matrix, const char *path) {
    pkin_csr_view view = pkin_matrix_view(matrix);
    uint64_t n = view.row_offsets[view.n_rows], sizes[3] = {view.n_rows, view.n_columns, n};
    FILE *file = fopen(path, "wb");
    if (!file) return 1;
    fwrite(sizes, sizeof *sizes, 3, file);
    fwrite(view.row_offsets, sizeof *view.row_offsets, view.n_rows + 1, file);
    fwrite(view.columns, sizeof *view.columns, n, file);
    fwrite(view.values, sizeof *view.values, n, file);
    for (uint64_t c = 0; c < view.n_columns; c++) fprintf(file, "%s\n", pkin_matrix_term(matrix, (uint32_t)c));
    for (uint64_t r = 0; r < view.n_rows; r++) fprintf(file, "%s\n", pkin_matrix_row_id(matrix, r));
    int failed = ferror(file);
    return fclose(file) || failed;
}

int main(int argc, char **argv) {
    pkin_features_options options = pkin_features_options_plain();
    options.tokenizer = PKIN_TOKENIZER_WORDS;
    pkin_corpus *corpus = NULL;
    pkin_matrix *matrix = NULL;
    int result = 0;
    for (int k = 3; k < argc; k++) {
        if (!set_option(&options, argv[k])) argc = 0;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: vectorize_dump INPUT OUT [name=value ...]\n");
        return 2;
    }
    if (pkin_corpus_read_file(argv[1], NULL, &corpus) || pkin_matrix_vectorize(corpus, &options, &matrix)) {
        result = fail();
    } else if (write_matrix(matrix, argv[2])) {
        perror(argv[2]);
        result = 1;
    }
    pkin_matrix_free(matrix);
    pkin_corpus_free(corpus);
    return result;
}
