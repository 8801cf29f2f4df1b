/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges given pairs of papers: bench/quality/ holds the verdicts against labels.
 *
 *     bench_verdicts PAIRS CORPUS...     PAIRS: two ids a line, parted by a tab; what follows another tab is ignored.
 *                                        Prints for each: both ids, the cosine of the plain vectors over all corpora
 *                                        together, the verdict and its tier (0: show, 1: fold, 2: hide)
 *
 * A pair whose ids the corpora do not have is an error.
 */
#include <inttypes.h>
#include <paperkin.h>
#include <string.h>

#include "bench_timer.h"

enum { MAX_CORPORA = 16, LINE_BYTES = 4096 };

/* The paper's index by its id; the corpora's size where there is none. Pairs are few: no table is worth it. */
static uint64_t find_paper(const pkin_corpus *corpus, const char *id) {
    uint64_t n = pkin_corpus_size(corpus), i = 0;
    while (i < n && strcmp(pkin_corpus_paper(corpus, i)->id, id) != 0) i++;
    return i;
}

static void judge(const pkin_corpus *corpus, const pkin_vectors *vectors, const char *id_a, const char *id_b) {
    pkin_judgement judgement;
    uint64_t a = find_paper(corpus, id_a), b = find_paper(corpus, id_b);
    if (a == pkin_corpus_size(corpus) || b == pkin_corpus_size(corpus)) {
        fprintf(stderr, "%s: no such paper\n", a == pkin_corpus_size(corpus) ? id_a : id_b);
        exit(1);
    }
    double cosine = pkin_score_to_cosine(pkin_vectors_score(vectors, a, vectors, b));
    BENCH_TRY(pkin_judge(pkin_corpus_paper(corpus, a), pkin_corpus_paper(corpus, b), cosine, &judgement));
    printf("%s\t%s\t%.6f\t%s\t%d\n", id_a, id_b, cosine, pkin_verdict_name(judgement.verdict),
           (int)pkin_verdict_tier(judgement.verdict));
}

static int judge_file(const char *path, const pkin_corpus *corpus, const pkin_vectors *vectors) {
    char line[LINE_BYTES];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof line, file)) {
        char *rest = NULL, *id_a = strtok_r(line, "\t\n", &rest), *id_b = strtok_r(NULL, "\t\n", &rest);
        if (id_a && id_b) judge(corpus, vectors, id_a, id_b);
    }
    fclose(file);
    return 0;
}

int main(int argc, char **argv) {
    pkin_corpus *corpora[MAX_CORPORA] = {0}, *all = NULL;
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    pkin_features_options options = pkin_features_options_plain();
    if (argc < 3 || argc - 2 > MAX_CORPORA) {
        fputs("usage: bench_verdicts PAIRS CORPUS...\n", stderr);
        return 2;
    }
    for (int k = 2; k < argc; k++) BENCH_TRY(pkin_corpus_read_file(argv[k], NULL, &corpora[k - 2]));
    BENCH_TRY(pkin_corpus_unique((const pkin_corpus *const *)corpora, (size_t)argc - 2, &all));
    BENCH_TRY(pkin_matrix_vectorize(all, &options, &matrix));
    BENCH_TRY(pkin_vectors_from_matrix(matrix, 0, &vectors));
    int exit_code = judge_file(argv[1], all, vectors);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    pkin_corpus_free(all);
    for (int k = 0; k < argc - 2; k++) pkin_corpus_free(corpora[k]);
    return exit_code;
}
