/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: kmeans_dump IN.npz N_ITERATIONS SEED ROWS|+K [BACKEND]
 * Clusters the rows of a matrix: ROWS ("3,17,4") are the first centres, or K are found by k-means++. Writes the mean
 * cosine, then a line a row: its cluster from 0, -1: none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "groups/kmeans.h"

enum { ROWS_MAX = 4096 };

static uint32_t parse_rows(const char *text, uint32_t *rows) {
    uint32_t n = 0;
    for (char *end; *text && n < ROWS_MAX; text = *end == ',' ? end + 1 : end) {
        rows[n++] = (uint32_t)strtoul(text, &end, 10);
    }
    return n;
}

int main(int argc, char **argv) {
    static uint32_t rows[ROWS_MAX];
    pkin_kmeans_options options = pkin_kmeans_options_default();
    pkin_partition partition = {0};
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    if (argc < 5) return 2;
    options.n_iterations = (uint32_t)strtoul(argv[2], NULL, 10);
    options.seed = strtoull(argv[3], NULL, 10);
    if (argc > 5) options.backend = argv[5];
    pkin_status status = pkin_matrix_read_npz(argv[1], &matrix);
    if (status == PKIN_OK) status = pkin_vectors_from_matrix(matrix, 1, &vectors);
    if (status == PKIN_OK && argv[4][0] == '+') {
        options.n_clusters = (uint32_t)strtoul(argv[4] + 1, NULL, 10);
        status = pkin_kmeans(vectors, &options, &partition);
    } else if (status == PKIN_OK) {
        status = pkin_i_kmeans_from_rows(vectors, rows, parse_rows(argv[4], rows), &options, &partition);
    }
    if (status != PKIN_OK) {
        fprintf(stderr, "%s\n", pkin_last_error());
    } else {
        printf("%.17g\n", partition.quality);
        for (uint64_t r = 0; r < partition.n_nodes; r++) {
            printf("%ld\n", partition.clusters[r] == PKIN_NO_CLUSTER ? -1L : (long)partition.clusters[r]);
        }
    }
    pkin_partition_free(&partition);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    return status != PKIN_OK;
}
