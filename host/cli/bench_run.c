/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "bench.h"
#include "engine_options.h"
#include "messages.h"
#include "progress.h"
#include "row_inputs.h"
#include "signals.h"

/* Without --repeat nobody waits for more runs once they have taken so long. */
static const double PATIENCE_SECONDS = 60;
enum { DEFAULT_REPEAT = 3 };

/* ---- The corpus ---- */

static void note_size(pkin_i_bench_corpus *corpus) {
    corpus->n_rows = pkin_vectors_n_rows(corpus->vectors);
    corpus->n_columns = pkin_vectors_n_columns(corpus->vectors);
    corpus->n_entries = pkin_vectors_n_entries(corpus->vectors);
}

uint64_t pkin_i_bench_corpus_bytes(const pkin_i_bench_corpus *corpus) {
    return 8 * (corpus->n_entries + corpus->n_rows + 1);
}

int pkin_i_bench_generate(pkin_i_cli *cli, const pkin_generate_options *options, pkin_i_bench_corpus *corpus) {
    struct timespec began;
    *corpus = (pkin_i_bench_corpus){.generated = *options};
    corpus->generated.on_progress = pkin_i_progress_on_step;
    corpus->generated.progress_user = cli;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_i_signals_defer(true);
    pkin_status status = pkin_vectors_generate(&corpus->generated, &corpus->vectors);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    corpus->generate_seconds = pkin_i_seconds_since(&began);
    note_size(corpus);
    return PKIN_I_EXIT_DONE;
}

int pkin_i_bench_read(pkin_i_cli *cli, const pkin_i_settings *settings, int n_inputs, char **inputs,
                      pkin_i_bench_corpus *corpus) {
    pkin_i_rows rows;
    *corpus = (pkin_i_bench_corpus){.input = inputs[0], .n_inputs = n_inputs};
    int exit_code = pkin_i_rows_read_vectors(cli, settings, "plain", n_inputs, inputs, &rows);
    corpus->vectors = rows.vectors;
    corpus->read_seconds = rows.read_seconds;
    corpus->vectorize_seconds = rows.vectorize_seconds;
    corpus->fixed_point_seconds = rows.fixed_point_seconds;
    note_size(corpus);
    rows.vectors = NULL;
    pkin_i_rows_free(&rows); /* so that what is measured is the memory of comparing */
    return exit_code;
}

void pkin_i_bench_corpus_free(pkin_i_bench_corpus *corpus) {
    pkin_vectors_free(corpus->vectors);
    corpus->vectors = NULL;
}

/* ---- Work ---- */

/* What one run gave. */
typedef struct run_outcome {
    pkin_similarity_report report;
    double seconds;
    uint64_t n_found;
} run_outcome;

/* `*agrees` stays as it was where there is no truth to compare with. */
static pkin_status run_once(pkin_i_cli *cli, const pkin_similarity_options *options, const pkin_vectors *vectors,
                            const pkin_i_bench_work *work, const pkin_i_bench_truth *truth, run_outcome *outcome,
                            bool *agrees) {
    struct timespec began;
    pkin_status status;
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (work->k == 0) {
        pkin_pair_list list = {0};
        status = pkin_similarity_join(vectors, NULL, work->threshold, options, &list);
        outcome->seconds = pkin_i_seconds_since(&began);
        outcome->n_found = list.n_pairs;
        if (status == PKIN_OK && truth) *agrees = pkin_i_bench_truth_has_pairs(cli, truth, work->threshold, &list);
        pkin_pair_list_free(&list);
    } else {
        pkin_neighbor_lists lists = {0};
        status = pkin_similarity_top_k(vectors, NULL, work->k, 0, options, &lists);
        outcome->seconds = pkin_i_seconds_since(&began);
        outcome->n_found = lists.offsets ? lists.offsets[lists.n_rows] : 0;
        if (status == PKIN_OK && truth) *agrees = pkin_i_bench_truth_has_neighbors(cli, truth, work->k, &lists);
        pkin_neighbor_lists_free(&lists);
    }
    outcome->report = *options->report;
    if (outcome->report.total_seconds <= 0) outcome->report.total_seconds = outcome->seconds;
    return status;
}

static int compare_outcomes(const void *a, const void *b) {
    const run_outcome *x = a, *y = b;
    return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

static void summarize(run_outcome *outcomes, pkin_i_bench_result *result) {
    for (int r = 0; r < result->n_runs; r++) result->seconds[r] = outcomes[r].seconds;
    qsort(outcomes, (size_t)result->n_runs, sizeof *outcomes, compare_outcomes);
    const run_outcome *median = &outcomes[(result->n_runs - 1) / 2];
    result->report = median->report;
    result->median_seconds = median->seconds;
    result->n_found = median->n_found;
    result->fastest_seconds = outcomes[0].seconds;
    result->slowest_seconds = outcomes[result->n_runs - 1].seconds;
}

int pkin_i_bench_measure(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_bench_corpus *corpus,
                         const pkin_i_bench_work *work, const pkin_i_bench_truth *truth, pkin_i_bench_result *result) {
    run_outcome outcomes[PKIN_I_BENCH_RUNS_MAX];
    const int n_wanted = settings->repeat ? (int)settings->repeat : DEFAULT_REPEAT;
    double spent = 0;
    bool agrees = true;
    pkin_status status = PKIN_OK;
    *result = (pkin_i_bench_result){.work = *work, .n_rows = corpus->n_rows};
    pkin_i_bench_memory_restart();
    pkin_i_signals_defer(true);
    for (int r = 0; r < n_wanted && status == PKIN_OK && agrees; r++) {
        if (!settings->repeat && spent > PATIENCE_SECONDS) break;
        pkin_similarity_report report = pkin_similarity_report_default();
        pkin_similarity_options options = pkin_i_engine_options(cli, settings);
        options.report = &report;
        status = run_once(cli, &options, corpus->vectors, work, r == 0 ? truth : NULL, &outcomes[r], &agrees);
        spent += outcomes[r].seconds;
        result->n_runs = r + 1;
    }
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    if (outcomes[0].report.note[0]) pkin_i_cli_note(cli, "%s", outcomes[0].report.note);
    result->peak_bytes = pkin_i_bench_memory_peak();
    result->n_rows_checked = pkin_i_bench_truth_n_rows(truth);
    result->check = !truth ? PKIN_I_BENCH_UNCHECKED : agrees ? PKIN_I_BENCH_EQUAL : PKIN_I_BENCH_DIFFERENT;
    summarize(outcomes, result);
    return PKIN_I_EXIT_DONE;
}
