/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: similarity_dump IN.npz THRESHOLD K THREADS OUT
 * Reads a matrix, writes it again to OUT.npz, its pairs to OUT.pairs ("score i j") and its neighbours to OUT.neighbors
 * ("score row neighbor").
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "paperkin.h"

static FILE *open_beside(const char *stem, const char *suffix, char *name, size_t n_name) {
    snprintf(name, n_name, "%s%s", stem, suffix);
    return fopen(name, "w");
}

static pkin_status dump_pairs(const pkin_vectors *vectors, double threshold, const pkin_similarity_options *options,
                              FILE *out) {
    pkin_pair_list list;
    pkin_status status = pkin_similarity_join(vectors, NULL, threshold, options, &list);
    for (uint64_t p = 0; p < list.n_pairs; p++) {
        fprintf(out, "%" PRIu64 " %" PRIu32 " %" PRIu32 "\n", list.pairs[p].score, list.pairs[p].i, list.pairs[p].j);
    }
    pkin_pair_list_free(&list);
    return status;
}

static pkin_status dump_neighbors(const pkin_vectors *vectors, uint32_t k, const pkin_similarity_options *options,
                                  FILE *out) {
    pkin_neighbor_lists lists;
    pkin_status status = pkin_similarity_top_k(vectors, NULL, k, 0, options, &lists);
    for (uint64_t r = 0; r < lists.n_rows; r++) {
        for (uint64_t n = lists.offsets[r]; n < lists.offsets[r + 1]; n++) {
            fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu32 "\n", lists.neighbors[n].score, r, lists.neighbors[n].row);
        }
    }
    pkin_neighbor_lists_free(&lists);
    return status;
}

int main(int argc, char **argv) {
    char name[4096];
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    pkin_similarity_options options = pkin_similarity_options_default();
    if (argc != 6) return 2;
    options.n_threads = atoi(argv[4]);
    pkin_status status = pkin_matrix_read_npz(argv[1], &matrix);
    if (status == PKIN_OK) {
        snprintf(name, sizeof name, "%s.npz", argv[5]);
        status = pkin_matrix_write_npz(matrix, name);
    }
    if (status == PKIN_OK) status = pkin_vectors_from_matrix(matrix, 1, &vectors);
    FILE *pairs = open_beside(argv[5], ".pairs", name, sizeof name);
    FILE *neighbors = open_beside(argv[5], ".neighbors", name, sizeof name);
    if (!pairs || !neighbors) return 3;
    if (status == PKIN_OK) status = dump_pairs(vectors, atof(argv[2]), &options, pairs);
    if (status == PKIN_OK) status = dump_neighbors(vectors, (uint32_t)atoi(argv[3]), &options, neighbors);
    if (status != PKIN_OK) fprintf(stderr, "%s\n", pkin_last_error());
    fclose(pairs);
    fclose(neighbors);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    return status != PKIN_OK;
}
