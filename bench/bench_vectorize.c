/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times reading a corpus and vectorising it as scikit-learn's defaults do (tokenizer "words", plain weights).
 *
 *     bench_vectorize CORPUS THREADS REPEATS
 *
 * Reports, for each repeat, `read` and `vectorize` in seconds of wall-clock time; then `papers`, `terms` and `nonzeros` of the
 * matrix, by which the driver checks that both sides did the same work.
 */
#include <paperkin.h>

#include "bench_timer.h"

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: bench_vectorize CORPUS THREADS REPEATS\n");
        return 2;
    }
    pkin_read_options read_options = pkin_read_options_default();
    pkin_features_options features = pkin_features_options_plain();
    features.tokenizer = PKIN_TOKENIZER_WORDS;
    features.stop_words = 0;
    read_options.n_threads = features.n_threads = atoi(argv[2]);
    int n_repeats = atoi(argv[3]);
    for (int repeat = 0; repeat < n_repeats; repeat++) {
        pkin_corpus *corpus = NULL;
        pkin_matrix *matrix = NULL;
        double begin = bench_now();
        BENCH_TRY(pkin_corpus_read_file(argv[1], &read_options, &corpus));
        double read = bench_now();
        BENCH_TRY(pkin_matrix_vectorize(corpus, &features, &matrix));
        double end = bench_now();
        bench_report("read", read - begin);
        bench_report("vectorize", end - read);
        if (repeat == n_repeats - 1) {
            pkin_csr_view view = pkin_matrix_view(matrix);
            bench_report("papers", (double)view.n_rows);
            bench_report("terms", (double)view.n_columns);
            bench_report("nonzeros", (double)view.row_offsets[view.n_rows]);
        }
        pkin_matrix_free(matrix);
        pkin_corpus_free(corpus);
    }
    return 0;
}
