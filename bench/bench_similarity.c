/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the exact top-k of all papers and the exact threshold join, and checks both against brute force on a sample of
 * rows: a wrong result ends the program with status 1.
 *
 *     bench_similarity CORPUS plain|related THREADS REPEATS K THRESHOLD
 *
 * Reports `papers`, `nonzeros`, and for each repeat `top_k` and `join` in seconds (vectors in fixed point are there), and
 * how many `neighbors` and `pairs` were found.
 */
#include <paperkin.h>
#include <string.h>

#include "bench_timer.h"

enum { N_SAMPLES = 16 };

static pkin_vectors *vectors_of(const char *path, const char *preset, int n_threads) {
    int is_related = strcmp(preset, "related") == 0;
    pkin_features_options features = is_related ? pkin_features_options_related() : pkin_features_options_plain();
    pkin_read_options read_options = pkin_read_options_default();
    pkin_corpus *corpus = NULL;
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    features.n_threads = read_options.n_threads = n_threads;
    BENCH_TRY(pkin_corpus_read_file(path, &read_options, &corpus));
    BENCH_TRY(pkin_matrix_vectorize(corpus, &features, &matrix));
    pkin_csr_view view = pkin_matrix_view(matrix);
    bench_report("papers", (double)view.n_rows);
    bench_report("nonzeros", (double)view.row_offsets[view.n_rows]);
    BENCH_TRY(pkin_vectors_from_matrix(matrix, 1, &vectors));
    pkin_matrix_free(matrix);
    pkin_corpus_free(corpus);
    return vectors;
}

static void fail(const char *what, uint64_t row) {
    fprintf(stderr, "bench_similarity: %s of row %llu differ from brute force\n", what, (unsigned long long)row);
    exit(1);
}

/* The sampled row's k-th score splits all rows: those above it must all be listed, and the list must hold their scores. */
static void check_top_k(const pkin_vectors *vectors, const pkin_neighbor_lists *lists, uint32_t k, uint64_t row) {
    uint64_t begin = lists->offsets[row], end = lists->offsets[row + 1], n_positive = 0, n_above = 0;
    uint64_t last = end > begin ? lists->neighbors[end - 1].score : 0;
    for (uint64_t other = 0; other < lists->n_rows; other++) {
        uint64_t score = other == row ? 0 : pkin_vectors_score(vectors, row, vectors, other);
        n_positive += score > 0;
        n_above += score > last;
    }
    for (uint64_t entry = begin; entry < end; entry++) {
        const pkin_neighbor *found = &lists->neighbors[entry];
        if (found->row == row || found->score != pkin_vectors_score(vectors, row, vectors, found->row)) fail("scores", row);
        if (entry > begin && found->score > found[-1].score) fail("order", row);
        n_above -= found->score > last;
    }
    if (n_above != 0 || end - begin != (n_positive < k ? n_positive : k)) fail("neighbours", row);
}

static void check_join(const pkin_vectors *vectors, const pkin_pair_list *list, double threshold, uint64_t row) {
    uint64_t reach = pkin_score_from_threshold(threshold), n_expected = 0, n_found = 0;
    for (uint64_t other = 0; other < pkin_vectors_n_rows(vectors); other++) {
        n_expected += other != row && pkin_vectors_score(vectors, row, vectors, other) >= reach;
    }
    for (uint64_t pair = 0; pair < list->n_pairs; pair++) {
        n_found += list->pairs[pair].i == row || list->pairs[pair].j == row;
    }
    if (n_expected != n_found) fail("pairs", row);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: bench_similarity CORPUS plain|related THREADS REPEATS K THRESHOLD\n");
        return 2;
    }
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = atoi(argv[3]);
    uint32_t k = (uint32_t)atoi(argv[5]);
    double threshold = atof(argv[6]);
    pkin_vectors *vectors = vectors_of(argv[1], argv[2], options.n_threads);
    for (int repeat = atoi(argv[4]); repeat > 0; repeat--) {
        pkin_neighbor_lists lists = {0};
        pkin_pair_list pairs = {0};
        double begin = bench_now();
        BENCH_TRY(pkin_similarity_top_k(vectors, NULL, k, 0.0, &options, &lists));
        double middle = bench_now();
        BENCH_TRY(pkin_similarity_join(vectors, NULL, threshold, &options, &pairs));
        double end = bench_now();
        bench_report("top_k", middle - begin);
        bench_report("join", end - middle);
        for (uint64_t sample = 0; repeat == 1 && sample < N_SAMPLES && lists.n_rows > 0; sample++) {
            uint64_t row = sample * (lists.n_rows - 1) / (N_SAMPLES - 1);
            check_top_k(vectors, &lists, k, row);
            check_join(vectors, &pairs, threshold, row);
        }
        bench_report("neighbors", lists.offsets ? (double)lists.offsets[lists.n_rows] : 0);
        bench_report("pairs", (double)pairs.n_pairs);
        pkin_neighbor_lists_free(&lists);
        pkin_pair_list_free(&pairs);
    }
    pkin_vectors_free(vectors);
    return 0;
}
