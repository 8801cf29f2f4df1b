/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times joins and top-k on one matrix of unit rows, each as often as wanted, and can write what was found and check it.
 *
 *     bench_similarity MATRIX.npz [--threads N] [--repeats N] [--write FOLDER] [--check N] JOB...
 *
 *     join:THRESHOLD[:METHOD[:INSTRUCTIONS[:DIMENSION]]]     method and instructions as pkin_similarity_options knows
 * them top:K[:METHOD[:INSTRUCTIONS[:DIMENSION]]] peak:INSTRUCTIONS                                      8-bit
 * operations a second of the processor
 *
 * The jobs run in turn, repeat after repeat, so that a busy moment of the machine meets them all. Seconds are from
 * vectors in fixed point in memory to the sorted result in memory. Results are JSON lines on stdout: one for the
 * matrix, one for each run of a job. A job that this machine or build cannot do is a line with "unsupported".
 *
 * --write FOLDER keeps the result of job n's last run as FOLDER/<n>.bin, n from 0: records of a 64-bit score and two
 * 32-bit rows, pairs in their order, neighbours as (row, neighbour). --check N holds N rows of the last results against
 * brute force: a difference ends the program with status 1.
 */
#include <paperkin.h>
#include <string.h>

#include "bench_timer.h"

enum { MAX_JOBS = 64, MAX_WORD = 32, MAX_PATH = 4096 };

typedef struct job {
    const char *text;
    char kind[MAX_WORD], method[MAX_WORD], instructions[MAX_WORD];
    double value;
    uint32_t dimension;
} job;

typedef struct settings {
    const char *matrix, *write;
    int n_threads, n_repeats, n_checks, n_jobs;
    job jobs[MAX_JOBS];
} settings;

/* What a job found: one of the two. */
typedef struct finding {
    pkin_pair_list pairs;
    pkin_neighbor_lists lists;
} finding;

static void finding_free(finding *found) {
    pkin_pair_list_free(&found->pairs);
    pkin_neighbor_lists_free(&found->lists);
}

static uint64_t n_found(const finding *found) {
    return found->lists.offsets ? found->lists.offsets[found->lists.n_rows] : found->pairs.n_pairs;
}

static int is_top_k(const job *of) {
    return strcmp(of->kind, "top") == 0;
}

/* --- arguments --- */

static void misuse(const char *text) {
    fprintf(stderr,
            "bench_similarity: %s\nusage: bench_similarity MATRIX.npz [--threads N] [--repeats N] "
            "[--write FOLDER] [--check N] {join:T|top:K|peak:I}[:METHOD[:INSTRUCTIONS[:DIMENSION]]]...\n",
            text);
    exit(2);
}

/* Copies the word up to ':' or the end; returns what follows, "" at the end. */
static const char *take_word(const char *text, char word[MAX_WORD]) {
    size_t n = strcspn(text, ":");
    if (n >= MAX_WORD) misuse(text);
    memcpy(word, text, n);
    word[n] = '\0';
    return text + n + (text[n] == ':');
}

static job job_parse(const char *text) {
    job made = {.text = text, .method = "auto", .instructions = "auto"};
    char value[MAX_WORD];
    const char *rest = take_word(take_word(text, made.kind), value);
    made.value = atof(value);
    if (strcmp(made.kind, "peak") == 0) {
        memcpy(made.instructions, value, sizeof value);
        return made;
    }
    if ((strcmp(made.kind, "join") != 0 && !is_top_k(&made)) || made.value <= 0) misuse(text);
    if (*rest) rest = take_word(rest, made.method);
    if (*rest) rest = take_word(rest, made.instructions);
    made.dimension = (uint32_t)strtoul(rest, NULL, 10);
    return made;
}

static settings settings_parse(int argc, char **argv) {
    settings made = {.n_repeats = 1};
    for (int k = 1; k < argc; k++) {
        const char *option = argv[k];
        if (strncmp(option, "--", 2) == 0) {
            if (++k == argc) misuse(option);
            if (strcmp(option, "--threads") == 0)
                made.n_threads = atoi(argv[k]);
            else if (strcmp(option, "--repeats") == 0)
                made.n_repeats = atoi(argv[k]);
            else if (strcmp(option, "--check") == 0)
                made.n_checks = atoi(argv[k]);
            else if (strcmp(option, "--write") == 0)
                made.write = argv[k];
            else
                misuse(option);
        } else if (!made.matrix) {
            made.matrix = option;
        } else if (made.n_jobs < MAX_JOBS) {
            made.jobs[made.n_jobs++] = job_parse(option);
        } else {
            misuse("too many jobs");
        }
    }
    if (!made.matrix || made.n_jobs == 0) misuse("a matrix and jobs are needed");
    return made;
}

/* --- results as JSON lines --- */

static void print_text(const char *name, const char *text) {
    printf(", \"%s\": \"", name);
    for (; text && *text; text++) putchar(*text == '"' || *text == '\\' || *text == '\n' ? '\'' : *text);
    putchar('"');
}

static void print_number(const char *name, double value) {
    printf(", \"%s\": %.12g", name, value);
}

static void print_estimate(const char *name, pkin_estimate value) {
    printf(", \"%s\": [%.12g, %.12g, %.12g]", name, value.low, value.middle, value.high);
}

static void print_begin(const job *of, int repeat) {
    printf("{\"job\": \"%s\", \"repeat\": %d", of->text, repeat);
}

static void print_end(void) {
    printf("}\n");
    fflush(stdout);
}

static void print_report(const pkin_similarity_report *report) {
    print_text("backend", report->backend);
    print_text("method", report->method);
    print_text("instruction_set", report->instruction_set);
    print_number("n_threads", report->n_threads);
    print_number("dimension", report->dimension);
    print_number("head_share", report->head_share);
    print_number("n_rows", (double)report->n_rows_a);
    print_number("n_empty", (double)report->n_empty);
    print_number("n_copies", (double)report->n_copies);
    print_number("n_strips", (double)report->n_strips);
    print_estimate("estimated_candidates", report->estimated_candidates);
    print_estimate("estimated_seconds", report->estimated_seconds);
    print_number("n_candidates", (double)report->n_candidates);
    print_number("filter_operations", (double)report->filter_operations);
    print_number("distinct_seconds", report->distinct_seconds);
    print_number("plan_seconds", report->plan_seconds);
    print_number("prepare_seconds", report->prepare_seconds);
    print_number("compare_seconds", report->compare_seconds);
    print_number("filter_thread_seconds", report->filter_thread_seconds);
    print_number("score_thread_seconds", report->score_thread_seconds);
    print_number("sort_seconds", report->sort_seconds);
    print_number("working_bytes", (double)report->working_bytes);
}

/* --- checks --- */

static void fail(const char *what, uint64_t row) {
    fprintf(stderr, "bench_similarity: %s of row %llu differ from brute force\n", what, (unsigned long long)row);
    exit(1);
}

/* The sampled row's k-th score splits all rows: those above it must all be listed, and the list must hold their scores.
 */
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
        if (found->row == row || found->score != pkin_vectors_score(vectors, row, vectors, found->row))
            fail("scores", row);
        if (entry > begin && found->score > found[-1].score) fail("order", row);
        n_above -= found->score > last;
    }
    if (n_above != 0 || end - begin != (n_positive < k ? n_positive : k)) fail("neighbours", row);
}

static void check_join(const pkin_vectors *vectors, const pkin_pair_list *list, double threshold, uint64_t row) {
    uint64_t reach = pkin_score_from_threshold(threshold), n_expected = 0, n_listed = 0;
    for (uint64_t other = 0; other < pkin_vectors_n_rows(vectors); other++) {
        n_expected += other != row && pkin_vectors_score(vectors, row, vectors, other) >= reach;
    }
    for (uint64_t pair = 0; pair < list->n_pairs; pair++) {
        n_listed += list->pairs[pair].i == row || list->pairs[pair].j == row;
    }
    if (n_expected != n_listed) fail("pairs", row);
}

static void check(const pkin_vectors *vectors, const job *of, const finding *found, int n_checks) {
    uint64_t n_rows = pkin_vectors_n_rows(vectors);
    for (int sample = 0; sample < n_checks && n_rows > 0; sample++) {
        uint64_t row = (uint64_t)sample * (n_rows - 1) / (uint64_t)(n_checks > 1 ? n_checks - 1 : 1);
        if (is_top_k(of))
            check_top_k(vectors, &found->lists, (uint32_t)of->value, row);
        else
            check_join(vectors, &found->pairs, of->value, row);
    }
}

/* --- the result as a file --- */

static void write_or_die(const void *bytes, size_t n_bytes, FILE *file, const char *path) {
    if (n_bytes && fwrite(bytes, n_bytes, 1, file) != 1) {
        perror(path);
        exit(1);
    }
}

static void write_finding(const finding *found, const char *folder, int number) {
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%d.bin", folder, number);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    _Static_assert(sizeof(pkin_pair) == 16, "a record is a 64-bit score and two 32-bit rows");
    write_or_die(found->pairs.pairs, found->pairs.n_pairs * sizeof(pkin_pair), file, path);
    for (uint64_t row = 0; row < found->lists.n_rows; row++) {
        for (uint64_t entry = found->lists.offsets[row]; entry < found->lists.offsets[row + 1]; entry++) {
            const pkin_neighbor *neighbor = &found->lists.neighbors[entry];
            pkin_pair record = {neighbor->score, (uint32_t)row, neighbor->row};
            write_or_die(&record, sizeof record, file, path);
        }
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* --- runs --- */

/* Whether it could be done; what failed otherwise ends the program. */
static int could(pkin_status status, const job *of, int repeat) {
    if (status == PKIN_OK) return 1;
    if (status != PKIN_ERROR_UNSUPPORTED) {
        fprintf(stderr, "bench_similarity: %s: %s\n", of->text, pkin_last_error());
        exit(1);
    }
    print_begin(of, repeat);
    print_text("unsupported", pkin_last_error());
    print_end();
    return 0;
}

static void run_peak(const settings *all, const job *of, int repeat) {
    double operations = 0;
    const char *name = NULL;
    if (!could(pkin_backend_peak(of->instructions, all->n_threads, &operations, &name), of, repeat)) return;
    print_begin(of, repeat);
    print_text("instruction_set", name);
    print_number("operations_per_second", operations);
    print_end();
}

static void run_job(const settings *all, const pkin_vectors *vectors, int number, int repeat) {
    const job *of = &all->jobs[number];
    finding found = {0};
    pkin_status status;
    pkin_similarity_report report = pkin_similarity_report_default();
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = all->n_threads;
    options.method = of->method;
    options.instruction_set = of->instructions;
    options.dimension = of->dimension;
    options.report = &report;
    double begin = bench_now();
    if (is_top_k(of)) {
        status = pkin_similarity_top_k(vectors, NULL, (uint32_t)of->value, 0.0, &options, &found.lists);
    } else {
        status = pkin_similarity_join(vectors, NULL, of->value, &options, &found.pairs);
    }
    double seconds = bench_now() - begin;
    if (!could(status, of, repeat)) return;
    print_begin(of, repeat);
    print_number("seconds", seconds);
    print_number("n_results", (double)n_found(&found));
    print_report(&report);
    print_end();
    if (repeat == all->n_repeats - 1) {
        check(vectors, of, &found, all->n_checks);
        if (all->write) write_finding(&found, all->write, number);
    }
    finding_free(&found);
}

static pkin_vectors *vectors_read(const char *path) {
    pkin_matrix *matrix = NULL;
    pkin_vectors *vectors = NULL;
    double begin = bench_now();
    BENCH_TRY(pkin_matrix_read_npz(path, &matrix));
    double middle = bench_now();
    BENCH_TRY(pkin_vectors_from_matrix(matrix, 0, &vectors));
    double end = bench_now();
    pkin_csr_view view = pkin_matrix_view(matrix);
    printf("{\"rows\": %llu", (unsigned long long)view.n_rows);
    print_number("columns", (double)view.n_columns);
    print_number("nonzeros", view.n_rows ? (double)view.row_offsets[view.n_rows] : 0);
    print_number("read_seconds", middle - begin);
    print_number("fixed_point_seconds", end - middle);
    print_text("version", pkin_version());
    print_end();
    pkin_matrix_free(matrix);
    return vectors;
}

int main(int argc, char **argv) {
    settings all = settings_parse(argc, argv);
    pkin_vectors *vectors = vectors_read(all.matrix);
    for (int repeat = 0; repeat < all.n_repeats; repeat++) {
        for (int number = 0; number < all.n_jobs; number++) {
            if (strcmp(all.jobs[number].kind, "peak") == 0)
                run_peak(&all, &all.jobs[number], repeat);
            else
                run_job(&all, vectors, number, repeat);
        }
    }
    pkin_vectors_free(vectors);
    return 0;
}
