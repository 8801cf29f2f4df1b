/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "commands.h"
#include "engine_options.h"
#include "figures.h"
#include "messages.h"
#include "overwrite.h"
#include "signals.h"

enum { DEFAULT_ROWS = 65536, VERIFY_ROWS_MAX = 200000, WORKS_MAX = 2 * PKIN_I_NUMBERS_MAX, SIZES_MAX = 33 };

/* Sizes from `from`, doubled, up to `to`. */
typedef struct growth_range {
    uint64_t from, to;
} growth_range;

/* The joins and top-k that were asked for. */
typedef struct work_list {
    pkin_i_bench_work works[WORKS_MAX];
    size_t n;
} work_list;

static work_list choose_works(const pkin_i_settings *settings) {
    work_list list = {.n = 0};
    for (size_t k = 0; k < settings->thresholds.n; k++) {
        list.works[list.n++] = (pkin_i_bench_work){0, settings->thresholds.values[k]};
    }
    for (size_t k = 0; k < settings->ks.n; k++) {
        list.works[list.n++] = (pkin_i_bench_work){(uint32_t)settings->ks.values[k], 0};
    }
    if (list.n > 0) return list;
    const work_list defaults = {{{0, 0.5}, {0, 0.3}, {10, 0}}, 3};
    return defaults;
}

static bool asks_for_neighbors(const pkin_i_settings *settings) {
    const work_list list = choose_works(settings);
    bool any = false;
    for (size_t k = 0; k < list.n; k++) any |= list.works[k].k > 0;
    return any;
}

static pkin_generate_options make_generate_options(const pkin_i_settings *settings, uint64_t n_rows) {
    pkin_generate_options options = pkin_generate_options_default();
    options.n_rows = n_rows;
    if (settings->seed != UINT64_MAX) options.seed = settings->seed;
    if (!isnan(settings->mean_terms)) options.mean_terms = settings->mean_terms;
    if (!isnan(settings->near_copies)) options.near_copy_share = settings->near_copies;
    if (!isnan(settings->copies)) options.copy_share = settings->copies;
    options.n_topics = (uint32_t)settings->n_topics;
    options.n_columns = (uint32_t)settings->n_columns;
    options.n_threads = (int)settings->n_threads;
    return options;
}

/* An option that says how a corpus is generated; NULL: none was given. */
static const char *given_generate_option(const pkin_i_settings *settings) {
    if (settings->generate) return "generate";
    if (settings->growth) return "growth";
    if (settings->seed != UINT64_MAX) return "seed";
    if (settings->n_topics) return "topics";
    if (settings->n_columns) return "columns";
    if (!isnan(settings->mean_terms)) return "terms";
    if (!isnan(settings->near_copies)) return "near-copies";
    return isnan(settings->copies) ? NULL : "copies";
}

/* "16384", also "16k" and "1M": powers of 1024. */
static bool read_rows(const char *text, size_t n_bytes, uint64_t *out) {
    char copy[24], *end;
    if (n_bytes == 0 || n_bytes >= sizeof copy || strspn(text, "0123456789") == 0) return false;
    memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    *out = strtoull(copy, &end, 10);
    if (*out > UINT32_MAX) return false;
    if (*end == 'k' || *end == 'K' || *end == 'M') *out <<= *end++ == 'M' ? 20 : 10;
    return *end == '\0' && *out >= 1 && *out < UINT32_MAX;
}

static bool read_growth(const char *text, growth_range *out) {
    const size_t n = strcspn(text, ":");
    return text[n] == ':' && read_rows(text, n, &out->from) &&
           read_rows(text + n + 1, strlen(text + n + 1), &out->to) && out->from <= out->to;
}

/* ---- One corpus ---- */

static int write_matrix(pkin_i_cli *cli, const pkin_i_bench_corpus *corpus, const char *path) {
    pkin_matrix *matrix = NULL;
    pkin_status status = pkin_vectors_to_matrix(corpus->vectors, &matrix);
    if (status == PKIN_OK) status = pkin_matrix_write_npz(matrix, path);
    pkin_matrix_free(matrix);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

/* Measures all works on a corpus, `results` in their order. */
static int measure_all(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_bench_corpus *corpus,
                       const work_list *list, bool verify, pkin_i_bench_result *results) {
    pkin_i_bench_truth *truth = NULL;
    int exit_code = PKIN_I_EXIT_DONE;
    if (verify) exit_code = pkin_i_bench_truth_find(cli, corpus->vectors, list->works, list->n, &truth);
    for (size_t k = 0; k < list->n && exit_code == PKIN_I_EXIT_DONE; k++) {
        exit_code = pkin_i_bench_measure(cli, settings, corpus, &list->works[k], truth, &results[k]);
    }
    pkin_i_bench_truth_free(truth);
    return exit_code;
}

static bool any_differs(const pkin_i_bench_result *results, size_t n) {
    bool differs = false;
    for (size_t k = 0; k < n; k++) differs |= results[k].check == PKIN_I_BENCH_DIFFERENT;
    return differs;
}

static int measure_corpus(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_bench_machine *machine,
                          const pkin_i_bench_corpus *corpus) {
    const work_list list = choose_works(settings);
    const bool verify = settings->verify < 0 ? corpus->n_rows <= VERIFY_ROWS_MAX : settings->verify;
    pkin_i_bench_result *results = pkin_i_cli_allocate(list.n, sizeof *results);
    int exit_code = PKIN_I_EXIT_DONE;
    if (settings->matrix_out) exit_code = write_matrix(cli, corpus, settings->matrix_out);
    if (exit_code == PKIN_I_EXIT_DONE && !settings->json) {
        pkin_i_bench_print_head(cli, machine, corpus);
        fflush(stdout);
    }
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = measure_all(cli, settings, corpus, &list, verify, results);
    if (exit_code == PKIN_I_EXIT_DONE) {
        if (settings->json) {
            pkin_i_bench_print_json(machine, corpus, false, results, list.n);
        } else {
            pkin_i_bench_print_results(cli, machine, results, list.n);
        }
        if (any_differs(results, list.n)) exit_code = PKIN_I_EXIT_FAILURE;
    }
    free(results);
    return exit_code;
}

/* ---- Growth ---- */

static void tell_size(pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n) {
    for (size_t k = 0; k < n; k++) {
        char rows[PKIN_I_COUNT_BYTES], name[PKIN_I_BENCH_TEXT_BYTES], time[PKIN_I_FIGURE_BYTES];
        pkin_i_cli_line(cli, stderr, "%s rows, %s: %s", pkin_i_cli_count(results[k].n_rows, rows),
                        pkin_i_bench_work_name(&results[k].work, name),
                        pkin_i_short_time(results[k].median_seconds, time));
    }
}

static int measure_growth(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_bench_machine *machine,
                          const growth_range *range) {
    const work_list list = choose_works(settings);
    pkin_i_bench_result *results = pkin_i_cli_allocate(list.n * SIZES_MAX, sizeof *results);
    pkin_i_bench_corpus corpus = {0};
    size_t n_done = 0;
    int exit_code = PKIN_I_EXIT_DONE;
    if (!settings->json) {
        pkin_i_bench_print_head(cli, machine, NULL);
        fflush(stdout);
    }
    for (uint64_t n = range->from; n <= range->to && exit_code == PKIN_I_EXIT_DONE; n *= 2) {
        const pkin_generate_options options = make_generate_options(settings, n);
        const bool verify = settings->verify > 0;
        exit_code = pkin_i_bench_generate(cli, &options, &corpus);
        if (exit_code == PKIN_I_EXIT_DONE) {
            exit_code = measure_all(cli, settings, &corpus, &list, verify, results + n_done);
        }
        pkin_i_bench_corpus_free(&corpus);
        if (exit_code != PKIN_I_EXIT_DONE) break;
        tell_size(cli, results + n_done, list.n);
        n_done += list.n;
    }
    if (exit_code == PKIN_I_EXIT_DONE) {
        if (settings->json) {
            pkin_i_bench_print_json(machine, &corpus, true, results, n_done);
        } else {
            pkin_i_bench_print_growth(cli, results, n_done);
        }
        if (any_differs(results, n_done)) exit_code = PKIN_I_EXIT_FAILURE;
    }
    free(results);
    return exit_code;
}

/* ---- The command ---- */

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    pkin_i_bench_machine machine;
    pkin_i_bench_corpus corpus = {0};
    growth_range range;
    int exit_code;
    const char *generate_option = given_generate_option(settings);
    if (n_operands > 0 && generate_option) {
        return pkin_i_cli_misuse(cli, "--%s is for generated corpora; %s is one already", generate_option, operands[0]);
    }
    if (settings->growth && !read_growth(settings->growth, &range)) {
        return pkin_i_cli_misuse(cli, "--growth: expected two numbers of rows, such as 16k:1M, found \"%s\"",
                                 settings->growth);
    }
    if (settings->growth && (settings->generate || settings->matrix_out)) {
        return pkin_i_cli_misuse(cli, "--growth generates a corpus of every size; --%s is for one",
                                 settings->generate ? "generate" : "write-matrix");
    }
    if (!pkin_i_output_spares_inputs(cli, settings->matrix_out, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    exit_code = pkin_i_engine_check(cli, settings, asks_for_neighbors(settings));
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;

    pkin_i_bench_machine_describe(settings, &machine);
    if (settings->growth) return measure_growth(cli, settings, &machine, &range);
    if (n_operands > 0) {
        exit_code = pkin_i_bench_read(cli, settings, n_operands, operands, &corpus);
    } else {
        const uint64_t n_rows = settings->generate ? settings->generate : DEFAULT_ROWS;
        const pkin_generate_options options = make_generate_options(settings, n_rows);
        exit_code = pkin_i_bench_generate(cli, &options, &corpus);
    }
    if (exit_code == PKIN_I_EXIT_DONE) exit_code = measure_corpus(cli, settings, &machine, &corpus);
    pkin_i_bench_corpus_free(&corpus);
    return exit_code == PKIN_I_EXIT_DONE && cli->n_skipped ? PKIN_I_EXIT_SKIPPED : exit_code;
}

static const pkin_i_option options[] = {
    {.name = "threshold",
     .letter = 't',
     .kind = PKIN_I_OPTION_REALS,
     .argument = "T,...",
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     PKIN_I_MEMBER(thresholds),
     .help = "every pair with a cosine of at least T; default, where no -k is given either: 0.5,0.3 and -k 10"},
    {.name = "count",
     .letter = 'k',
     .kind = PKIN_I_OPTION_COUNTS,
     .argument = "K,...",
     .minimum = 1,
     .maximum = 100000,
     PKIN_I_MEMBER(ks),
     .help = "the K closest of each row"},
    {.name = "repeat",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "R",
     .minimum = 1,
     .maximum = PKIN_I_BENCH_RUNS_MAX,
     PKIN_I_MEMBER(repeat),
     .help = "runs of each, the median is reported; default 3, or as many as begin within a minute"},
    {.name = "verify",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(verify),
     .help = "compare 64 rows with brute force; a difference is a failure. Default up to 200,000 rows, but not with "
             "--growth"},
    {.name = "no-verify", .kind = PKIN_I_OPTION_SWITCH, .value = 0, PKIN_I_MEMBER(verify), .help = "do not"},
    PKIN_I_OPTION_JSON,
    {.name = "write-matrix",
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "X.npz",
     PKIN_I_MEMBER(matrix_out),
     .help = "write the rows that are compared, for scipy.sparse.load_npz"},
    {.help = "A generated corpus"},
    {.name = "generate",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 4294967294.0,
     PKIN_I_MEMBER(generate),
     .help = "rows; default, where there is no INPUT: 65536"},
    {.name = "growth",
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "FROM:TO",
     PKIN_I_MEMBER(growth),
     .help = "corpora of FROM, 2 FROM, 4 FROM, ... up to TO rows; K and M stand for 1024 and 1024^2"},
    {.name = "seed",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "S",
     .minimum = 0,
     .maximum = 4294967295.0,
     PKIN_I_MEMBER(seed),
     .help = "another corpus of the same kind; default 1"},
    {.name = "terms",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "N",
     .minimum = 1,
     .maximum = 4096,
     PKIN_I_MEMBER(mean_terms),
     .help = "distinct terms of a row, on average; default 96"},
    {.name = "columns",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 4,
     .maximum = 4294967295.0,
     PKIN_I_MEMBER(n_columns),
     .help = "size of the vocabulary; default: grows with the rows, as that of real abstracts"},
    {.name = "topics",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 1 << 20,
     PKIN_I_MEMBER(n_topics),
     .help = "default: twice the square root of the rows"},
    {.name = "near-copies",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(near_copies),
     .help = "share of rows that take over most terms of an earlier one; default 0.005"},
    {.name = "copies",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(copies),
     .help = "share of rows that equal an earlier one; default 0.001"},
    PKIN_I_OPTIONS_ENGINE,
    PKIN_I_OPTION_KEEP_REPEATS,
    PKIN_I_OPTIONS_FEATURES("plain"),
    {.help = "General"},
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_bench = {
    .name = "bench",
    .usage = "[OPTION]... [INPUT]...",
    .summary = "how fast pairs and neighbours are found on this machine",
    .description =
        "Measures how long it takes to find similar pairs and closest neighbours, stage by stage, and tells what the "
        "plan had foreseen, how much of the processor's peak was reached, and how much memory it took. Some rows are "
        "checked against brute force.\n"
        "INPUT is what `paperkin pairs` takes: digests and corpora, or one matrix (.npz). Without it a corpus is "
        "generated whose rows behave like TF-IDF vectors of abstracts.",
    .examples = "  paperkin bench\n"
                "  paperkin bench -t 0.5,0.3 -k 10 corpus.jsonl.zst\n"
                "  paperkin bench --growth 16k:512k -t 0.5\n"
                "  paperkin bench --generate 100000 --write-matrix rows.npz --json >bench.json\n",
    .options = options,
    .max_operands = -1,
    .run = run,
};
