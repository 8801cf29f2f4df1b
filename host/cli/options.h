/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_OPTIONS_H
#define PKIN_CLI_OPTIONS_H

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "cli.h"

/* What an option that takes several numbers was given, over all its uses. */
enum { PKIN_I_NUMBERS_MAX = 32 };
typedef struct pkin_i_numbers {
    size_t n;
    double values[PKIN_I_NUMBERS_MAX];
} pkin_i_numbers;

/* The same for one that is given a text at each use. */
enum { PKIN_I_TEXTS_MAX = 64 };
typedef struct pkin_i_texts {
    size_t n;
    const char *items[PKIN_I_TEXTS_MAX];
} pkin_i_texts;

/*
 * What the options of every command set. Texts are NULL and reals NAN where the option was not given, counts are 0,
 * and switches that have an opposite are -1.
 */
typedef struct pkin_i_settings {
    const char *store;
    const char *out;
    const char *date;
    const char *as;
    const char *backend;
    const char *format;
    const char *features;
    const char *tokenizer;
    const char *languages;
    const char *new_versions;
    const char *method;
    const char *instruction_set;
    const char *devices;
    const char *gpu_filter;
    const char *spill_dir;
    const char *checkpoint_dir;
    int help;
    int quiet;
    int json;
    int in_place;
    int dry_run;
    int strip;
    int no_record;
    int terms;
    int exact;
    int keep_repeats;
    int explain;
    int distinct;
    int with_threads; /* -1: as the store has them */
    int no_novelty;
    int stop_words;   /* -1: as the preset has it */
    int sublinear_tf; /* -1: as the preset has it */
    uint64_t n_threads;
    uint64_t n_related; /* UINT64_MAX: not given */
    uint64_t k;
    uint64_t min_df;
    uint64_t dimension;
    uint64_t memory_bytes;
    double threshold;
    double floor;
    double related_floor;
    double title_weight;
    double abstract_weight;
    double summary_weight;
    double bigram_weight;
    double max_df;
    /* cluster, threads */
    const char *since; /* a date, or days as in "30d" */
    const char *objective;
    const char *edge_weight;
    const char *graph_in;
    const char *graph_out;
    int all;
    int mutual;
    uint64_t n_clusters;
    uint64_t n_runs;
    uint64_t min_size;
    uint64_t window_days; /* UINT64_MAX: not given */
    double resolution;
    double field_resolution;
    double author_damping;
    double least_weight;
    /* related */
    pkin_i_texts not_ids;
    const char *text;
    double diversity;
    double not_weight;
    /* bench */
    pkin_i_numbers thresholds;
    pkin_i_numbers ks;
    const char *growth;
    const char *matrix_out;
    int verify; /* -1: not given */
    uint64_t repeat;
    uint64_t generate;
    uint64_t seed; /* UINT64_MAX: not given */
    uint64_t n_topics;
    uint64_t n_columns;
    double mean_terms;
    double near_copies;
    double copies;
} pkin_i_settings;

typedef enum pkin_i_option_kind {
    PKIN_I_OPTION_HEADING = 0, /* of a group in the help; no option */
    PKIN_I_OPTION_SWITCH,      /* sets an int to `value` */
    PKIN_I_OPTION_TEXT,
    PKIN_I_OPTION_TEXTS, /* given again they are added */
    PKIN_I_OPTION_CHOICE, /* one of `choices`, parted by '|' */
    PKIN_I_OPTION_DATE,
    PKIN_I_OPTION_BACKEND,
    PKIN_I_OPTION_COUNT, /* a whole number in [minimum, maximum] */
    PKIN_I_OPTION_SIZE,  /* bytes, with K, M, G or T for powers of 1024; as a count afterwards */
    PKIN_I_OPTION_REALS, /* numbers as below, parted by commas; given again they are added */
    PKIN_I_OPTION_COUNTS,
    PKIN_I_OPTION_REAL   /* a number in [minimum, maximum], or in (minimum, maximum] */
} pkin_i_option_kind;

/* One option. The table of a command drives reading, checking and help. */
typedef struct pkin_i_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    pkin_i_option_kind kind;
    const char *argument; /* as the help names it; NULL for switches */
    const char *help;
    size_t offset; /* of the member of pkin_i_settings */
    int value;     /* of a switch */
    const char *choices;
    double minimum;
    double maximum;
    bool above_minimum; /* the minimum itself is not allowed */
    bool required;
} pkin_i_option;

#define PKIN_I_MEMBER(member) .offset = offsetof(pkin_i_settings, member)
#define PKIN_I_OPTIONS_END                                                                                             \
    { .name = NULL, .help = NULL }

/* Rows that several commands share. */
#define PKIN_I_OPTIONS_COMMON                                                                                          \
    {.name = "quiet",                                                                                                  \
     .letter = 'q',                                                                                                    \
     .kind = PKIN_I_OPTION_SWITCH,                                                                                     \
     .value = 1,                                                                                                       \
     PKIN_I_MEMBER(quiet),                                                                                             \
     .help = "no progress, notes or summary; errors and skipped records are still told"},                              \
        {.name = "help",                                                                                               \
         .letter = 'h',                                                                                                \
         .kind = PKIN_I_OPTION_SWITCH,                                                                                 \
         .value = 1,                                                                                                   \
         PKIN_I_MEMBER(help),                                                                                          \
         .help = "show this help"},                                                                                    \
        PKIN_I_OPTIONS_END
#define PKIN_I_OPTION_STORE                                                                                            \
    {                                                                                                                  \
        .name = "store", .kind = PKIN_I_OPTION_TEXT, .argument = "S", PKIN_I_MEMBER(store),                            \
        .help = "the store: one file that remembers every paper; default $PAPERKIN_STORE, else paperkin.db"            \
    }
#define PKIN_I_OPTION_OF_DATE                                                                                          \
    {                                                                                                                  \
        .name = "date", .kind = PKIN_I_OPTION_DATE, .argument = "D", PKIN_I_MEMBER(date),                              \
        .help = "YYYY-MM-DD of the digest (a single file); default: from the file's name, else today (UTC)"            \
    }
#define PKIN_I_OPTION_JSON                                                                                             \
    {                                                                                                                  \
        .name = "json", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(json),                                 \
        .help = "print one JSON object instead of the summary"                                                         \
    }
#define PKIN_I_OPTION_THREADS                                                                                          \
    {                                                                                                                  \
        .name = "threads", .kind = PKIN_I_OPTION_COUNT, .argument = "N", .minimum = 0, .maximum = 1024,                \
        PKIN_I_MEMBER(n_threads), .help = "threads; default 0: all. The result does not depend on it"                  \
    }
#define PKIN_I_OPTION_OF_BACKEND                                                                                       \
    {                                                                                                                  \
        .name = "backend", .kind = PKIN_I_OPTION_BACKEND, .argument = "B", PKIN_I_MEMBER(backend),                     \
        .help = "what computes similarity: cpu, cuda (a GPU), or auto (default: what a plan says is faster)"           \
    }
/* How similarity is computed; none of these changes a result. */
#define PKIN_I_OPTIONS_ENGINE                                                                                          \
    {.help = "How it is computed (none of these changes a result)"},                                                   \
        PKIN_I_OPTION_THREADS, PKIN_I_OPTION_OF_BACKEND,                                                               \
        {.name = "device",                                                                                             \
         .kind = PKIN_I_OPTION_TEXT,                                                                                   \
         .argument = "N,...",                                                                                          \
         PKIN_I_MEMBER(devices),                                                                                       \
         .help = "GPUs that compute, as `paperkin backends` numbers them, or all; default auto: the first that can "   \
                 "be used. Means --backend cuda"},                                                                     \
        {.name = "gpu-filter",                                                                                         \
         .kind = PKIN_I_OPTION_CHOICE,                                                                                 \
         .argument = "F",                                                                                              \
         .choices = "auto|fused|gemm8|gemm32|dp4a",                                                                    \
         PKIN_I_MEMBER(gpu_filter),                                                                                    \
         .help = "how a GPU multiplies sketches: fused (Hopper), gemm8 (pairs only) or gemm32 (cuBLASLt), dp4a (any); "\
                 "default auto: what was measured fastest on it. Means --backend cuda"},                               \
        {.name = "method",                                                                                             \
         .kind = PKIN_I_OPTION_CHOICE,                                                                                 \
         .argument = "M",                                                                                              \
         .choices = "auto|sketch|tail|index",                                                                          \
         PKIN_I_MEMBER(method),                                                                                        \
         .help = "auto (default: what a sample says is fastest), sketch (integer matrix products bound every pair), "  \
                 "tail (inverted index, frequent terms bounded) or index (inverted index alone)"},                     \
        {.name = "instruction-set",                                                                                    \
         .kind = PKIN_I_OPTION_CHOICE,                                                                                 \
         .argument = "I",                                                                                              \
         .choices = "auto|amx|avx512|avx2|portable",                                                                   \
         PKIN_I_MEMBER(instruction_set),                                                                               \
         .help = "of the CPU, no better than this; default auto: the best that it has"},                               \
        {.name = "dimension",                                                                                          \
         .kind = PKIN_I_OPTION_COUNT,                                                                                  \
         .argument = "D",                                                                                              \
         .minimum = 64,                                                                                                \
         .maximum = 4096,                                                                                              \
         PKIN_I_MEMBER(dimension),                                                                                     \
         .help = "bytes of a sketch, a multiple of 64; default: what a sample says is fastest"},                       \
    {                                                                                                                  \
        .name = "memory", .kind = PKIN_I_OPTION_SIZE, .argument = "SIZE", .minimum = 1 << 20, .maximum = 1e15,         \
        PKIN_I_MEMBER(memory_bytes),                                                                                   \
        .help = "working memory at most, beside the input: bytes, or with K, M, G; default: no bound"                  \
    }
#define PKIN_I_OPTION_EXPLAIN                                                                                          \
    {                                                                                                                  \
        .name = "explain", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(explain),                           \
        .help = "compare nothing; say how it would be done, how long that would take and what else was weighed"        \
    }
#define PKIN_I_OPTION_DISTINCT                                                                                         \
    {                                                                                                                  \
        .name = "distinct", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(distinct),                         \
        .help = "of rows with equal weights only the first takes part"                                                 \
    }
#define PKIN_I_OPTION_RESULTS_FORMAT                                                                                   \
    {                                                                                                                  \
        .name = "format", .kind = PKIN_I_OPTION_CHOICE, .argument = "F", .choices = "tsv|jsonl",                       \
        PKIN_I_MEMBER(format), .help = "tsv (default, with a heading line) or jsonl"                                   \
    }
#define PKIN_I_OPTION_OUTPUT                                                                                           \
    {                                                                                                                  \
        .name = "output", .letter = 'o', .kind = PKIN_I_OPTION_TEXT, .argument = "FILE", PKIN_I_MEMBER(out),           \
        .help = "write to FILE, which is replaced when all is done; default -: standard output"                        \
    }
#define PKIN_I_OPTION_TERMS                                                                                            \
    {                                                                                                                  \
        .name = "terms", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(terms),                               \
        .help = "with the three shared terms that add most to each score"                                              \
    }
#define PKIN_I_OPTION_EXACT                                                                                            \
    {                                                                                                                  \
        .name = "exact", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(exact),                               \
        .help = "with the exact score as a whole number, in units of 2^-60"                                            \
    }
#define PKIN_I_OPTION_KEEP_REPEATS                                                                                     \
    {                                                                                                                  \
        .name = "keep-repeats", .kind = PKIN_I_OPTION_SWITCH, .value = 1, PKIN_I_MEMBER(keep_repeats),                 \
        .help = "compare every record of a single input, also several of one paper"                                    \
    }
#define PKIN_I_WEIGHT_OPTION(option_name, member, text)                                                                \
    {                                                                                                                  \
        .name = option_name, .kind = PKIN_I_OPTION_REAL, .argument = "W", .minimum = 0, .maximum = 1000,               \
        PKIN_I_MEMBER(member), .help = text                                                                            \
    }
#define PKIN_I_OPTIONS_FEATURES(default_preset)                                                                        \
    {.help = "How text becomes numbers"},                                                                              \
        {.name = "features",                                                                                           \
         .kind = PKIN_I_OPTION_CHOICE,                                                                                 \
         .argument = "P",                                                                                              \
         .choices = "plain|related",                                                                                   \
         PKIN_I_MEMBER(features),                                                                                      \
         .help =                                                                                                       \
             "preset: plain (title and abstract alike; for duplicates) or related (titles count more, word pairs; "    \
             "for related papers); default " default_preset},                                                          \
        {.name = "tokenizer",                                                                                          \
         .kind = PKIN_I_OPTION_CHOICE,                                                                                 \
         .argument = "T",                                                                                              \
         .choices = "unicode|words",                                                                                   \
         PKIN_I_MEMBER(tokenizer),                                                                                     \
         .help = "unicode (default: English, Chinese, LaTeX) or words (as scikit-learn's TfidfVectorizer)"},           \
        {.name = "stop-words",                                                                                         \
         .kind = PKIN_I_OPTION_SWITCH,                                                                                 \
         .value = 1,                                                                                                   \
         PKIN_I_MEMBER(stop_words),                                                                                    \
         .help = "leave out English and Chinese stop words"},                                                          \
        {.name = "no-stop-words",                                                                                      \
         .kind = PKIN_I_OPTION_SWITCH,                                                                                 \
         .value = 0,                                                                                                   \
         PKIN_I_MEMBER(stop_words),                                                                                    \
         .help = "keep stop words"},                                                                                   \
        PKIN_I_WEIGHT_OPTION("title-weight", title_weight, "how much a word of the title counts"),                     \
        PKIN_I_WEIGHT_OPTION("abstract-weight", abstract_weight, "how much a word of the abstract counts"),            \
        PKIN_I_WEIGHT_OPTION("summary-weight", summary_weight, "how much a word of a machine-written summary counts"), \
        PKIN_I_WEIGHT_OPTION("bigram-weight", bigram_weight,                                                           \
                             "weight of two neighbouring words; 0: single words only"),                                \
        {.name = "sublinear",                                                                                          \
         .kind = PKIN_I_OPTION_SWITCH,                                                                                 \
         .value = 1,                                                                                                   \
         PKIN_I_MEMBER(sublinear_tf),                                                                                  \
         .help = "a repeated word counts 1 + ln(times)"},                                                              \
        {.name = "no-sublinear",                                                                                       \
         .kind = PKIN_I_OPTION_SWITCH,                                                                                 \
         .value = 0,                                                                                                   \
         PKIN_I_MEMBER(sublinear_tf),                                                                                  \
         .help = "a repeated word counts as often as it stands there"},                                                \
        {.name = "min-df",                                                                                             \
         .kind = PKIN_I_OPTION_COUNT,                                                                                  \
         .argument = "N",                                                                                              \
         .minimum = 1,                                                                                                 \
         .maximum = 4294967295.0,                                                                                      \
         PKIN_I_MEMBER(min_df),                                                                                        \
         .help = "leave out terms in fewer than N papers"},                                                            \
    {                                                                                                                  \
        .name = "max-df", .kind = PKIN_I_OPTION_REAL, .argument = "X", .minimum = 0, .maximum = 1,                     \
        .above_minimum = true, PKIN_I_MEMBER(max_df), .help = "leave out terms in more than this share of the papers"  \
    }

struct pkin_i_command;

/*
 * Reads a command's options. `words` are its name and what follows it; operands are moved to the end, and the index of
 * the first is returned in `*first_operand`. Returns false after saying what is wrong.
 */
bool pkin_i_options_read(pkin_i_cli *cli, const pkin_i_option *table, int n_words, char **words,
                         pkin_i_settings *settings, int *first_operand);

/* Checks what can only be checked when all options are read: those that must be given. */
bool pkin_i_options_check(pkin_i_cli *cli, const pkin_i_option *table, const pkin_i_settings *settings);

/* The options, aligned and wrapped to 80 columns. */
void pkin_i_options_print_help(const pkin_i_option *table, FILE *stream);

/* Prints `text` wrapped to 80 columns, lines after the first indented. `column`: where the first line begins. */
void pkin_i_print_wrapped(FILE *stream, const char *text, size_t column, size_t indent);

/* The name that was probably meant, or NULL when none is near. `names` yields the k-th, NULL after the last. */
const char *pkin_i_nearest_name(const char *word, const char *(*names)(const void *table, size_t k), const void *table);

#endif
