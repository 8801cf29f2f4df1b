/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_BENCH_H
#define PKIN_CLI_BENCH_H

/* What `paperkin bench` measures, and the parts that it is made of. */
#include "options.h"

enum { PKIN_I_BENCH_TEXT_BYTES = 128, PKIN_I_BENCH_RUNS_MAX = 25, PKIN_I_BENCH_SAMPLE = 64 };

typedef struct pkin_i_bench_machine {
    char processor[PKIN_I_BENCH_TEXT_BYTES]; /* "" where unknown */
    char system[PKIN_I_BENCH_TEXT_BYTES];
    uint64_t n_processors;
    uint64_t memory_bytes;
    int n_threads;               /* that are used */
    const char *instruction_set; /* "" where unknown */
    double peak;                 /* 8-bit integer operations a second, measured; 0: unknown */
} pkin_i_bench_machine;

typedef struct pkin_i_bench_corpus {
    pkin_vectors *vectors;
    const char *input; /* the first; NULL: generated */
    int n_inputs;
    pkin_generate_options generated;
    uint64_t n_rows, n_columns, n_entries;
    double read_seconds, vectorize_seconds, fixed_point_seconds, generate_seconds; /* 0: not done */
} pkin_i_bench_corpus;

/* Bytes in fixed point. */
uint64_t pkin_i_bench_corpus_bytes(const pkin_i_bench_corpus *corpus);

/* One join or top-k. */
typedef struct pkin_i_bench_work {
    uint32_t k; /* 0: a join */
    double threshold;
} pkin_i_bench_work;

typedef enum pkin_i_bench_check {
    PKIN_I_BENCH_UNCHECKED,
    PKIN_I_BENCH_EQUAL,
    PKIN_I_BENCH_DIFFERENT
} pkin_i_bench_check;

typedef struct pkin_i_bench_result {
    pkin_i_bench_work work;
    uint64_t n_rows;
    pkin_similarity_report report; /* of the run that took the median time */
    int n_runs;
    double seconds[PKIN_I_BENCH_RUNS_MAX]; /* of the runs, as they came */
    double median_seconds, fastest_seconds, slowest_seconds;
    uint64_t n_found;    /* pairs or neighbours */
    uint64_t peak_bytes; /* of the whole process meanwhile; 0: unknown */
    pkin_i_bench_check check;
    uint64_t n_rows_checked;
} pkin_i_bench_result;

/* What brute force finds for some rows: neighbours with a score that reaches `min_score`, or that are among the first
   `k`; the best first. */
typedef struct pkin_i_bench_truth pkin_i_bench_truth;

/* Fills the machine's description; measures the peak of `settings`' instruction set. */
void pkin_i_bench_machine_describe(const pkin_i_settings *settings, pkin_i_bench_machine *machine);

/* The process's largest memory since the last _restart; 0: unknown. */
void pkin_i_bench_memory_restart(void);
uint64_t pkin_i_bench_memory_peak(void);

/* These return exit codes; what is wrong has been told. */
int pkin_i_bench_generate(pkin_i_cli *cli, const pkin_generate_options *options, pkin_i_bench_corpus *corpus);
int pkin_i_bench_read(pkin_i_cli *cli, const pkin_i_settings *settings, int n_inputs, char **inputs,
                      pkin_i_bench_corpus *corpus);
void pkin_i_bench_corpus_free(pkin_i_bench_corpus *corpus);
/* Runs the work settings->repeat times; `truth` may be NULL. */
int pkin_i_bench_measure(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_i_bench_corpus *corpus,
                         const pkin_i_bench_work *work, const pkin_i_bench_truth *truth, pkin_i_bench_result *result);

/* By brute force for PKIN_I_BENCH_SAMPLE rows, with what any of the works can need. */
int pkin_i_bench_truth_find(pkin_i_cli *cli, const pkin_vectors *vectors, const pkin_i_bench_work *works,
                            size_t n_works, pkin_i_bench_truth **out);
void pkin_i_bench_truth_free(pkin_i_bench_truth *truth);
uint64_t pkin_i_bench_truth_n_rows(const pkin_i_bench_truth *truth);
/* Whether a result agrees with it; the first difference is told. */
bool pkin_i_bench_truth_has_pairs(pkin_i_cli *cli, const pkin_i_bench_truth *truth, double threshold,
                                  const pkin_pair_list *list);
bool pkin_i_bench_truth_has_neighbors(pkin_i_cli *cli, const pkin_i_bench_truth *truth, uint32_t k,
                                      const pkin_neighbor_lists *lists);

/* "join 0.5", "top 10" */
const char *pkin_i_bench_work_name(const pkin_i_bench_work *work, char buffer[PKIN_I_BENCH_TEXT_BYTES]);

void pkin_i_bench_print_head(const pkin_i_cli *cli, const pkin_i_bench_machine *machine,
                             const pkin_i_bench_corpus *corpus);
void pkin_i_bench_print_results(const pkin_i_cli *cli, const pkin_i_bench_machine *machine,
                                const pkin_i_bench_result *results, size_t n_results);
/* Of each work one row a size. */
void pkin_i_bench_print_growth(const pkin_i_cli *cli, const pkin_i_bench_result *results, size_t n_results);
/* All of it as one JSON object; `corpus` is that of the last result where sizes grow. */
void pkin_i_bench_print_json(const pkin_i_bench_machine *machine, const pkin_i_bench_corpus *corpus, bool growth,
                             const pkin_i_bench_result *results, size_t n_results);

#endif
