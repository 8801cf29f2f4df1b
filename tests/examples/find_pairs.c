/* SPDX-License-Identifier: Apache-2.0 */
#include <paperkin.h>
#include <stdio.h>

int main(int argc, char **argv) {
    pkin_features_options features = pkin_features_options_plain();
    pkin_similarity_options similarity = pkin_similarity_options_default();
    pkin_corpus *corpus = NULL;
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    pkin_pair_list pairs = {0};
    int failed = pkin_corpus_read_file(argc > 1 ? argv[1] : "-", NULL, &corpus) ||
                 pkin_matrix_vectorize(corpus, &features, &matrix) || pkin_vectors_from_matrix(matrix, 1, &vectors) ||
                 pkin_similarity_join(vectors, NULL, 0.2, &similarity, &pairs);
    if (failed) fprintf(stderr, "%s\n", pkin_last_error());
    for (uint64_t p = 0; p < pairs.n_pairs; p++) {
        printf("%.3f  %s  %s\n", pkin_score_to_cosine(pairs.pairs[p].score),
               pkin_corpus_paper(corpus, pairs.pairs[p].i)->title, pkin_corpus_paper(corpus, pairs.pairs[p].j)->title);
    }
    pkin_pair_list_free(&pairs);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    pkin_corpus_free(corpus);
    return failed;
}
