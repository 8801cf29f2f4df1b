/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_SIMILARITY_H
#define PAPERKIN_SIMILARITY_H

#include "paperkin/features.h"

PKIN_EXTERN_C_BEGIN

/*
 * Exact similarity of sparse unit vectors. A weight x in [0, 1] is kept as the integer floor(x * 2^30); the score of
 * two rows is the exact 64-bit sum of products over shared columns, a multiple of 2^-60 within about 1e-8 below the
 * real cosine. Scores, pairs and neighbours are therefore the same bits on every backend, machine and thread count.
 */
#define PKIN_SCORE_ONE (UINT64_C(1) << 60)

/* score * 2^-60 as a double, correctly rounded. */
PKIN_API double pkin_score_to_cosine(uint64_t score);

/*
 * The smallest score that reaches the cosine threshold t in [0, 1]: ceil(t * 2^60), exact for every double. Because
 * weights are rounded down, equal rows score up to about 1e-8 below 1.
 */
PKIN_API uint64_t pkin_score_from_threshold(double threshold);

/* Rows in fixed point, ready for comparison. Immutable. */
typedef struct pkin_vectors pkin_vectors;

/*
 * Fixed-point copy of a matrix. With `normalize` nonzero rows are first scaled to length 1 (an empty row stays empty);
 * otherwise a row longer than 1 + 1e-6 is PKIN_ERROR_INVALID_ARGUMENT. Entries that round to 0 are dropped, and
 * a row's sum of squares never exceeds 2^60.
 */
PKIN_API pkin_status pkin_vectors_from_matrix(const pkin_matrix *matrix, int normalize, pkin_vectors **out);

/* The listed rows of `vectors`, in that order, as an owned copy over the same columns. */
PKIN_API pkin_status pkin_vectors_select(const pkin_vectors *vectors, const uint32_t *rows, uint64_t n_rows,
                                         pkin_vectors **out);
PKIN_API void pkin_vectors_free(pkin_vectors *vectors);
PKIN_API uint64_t pkin_vectors_n_rows(const pkin_vectors *vectors);
PKIN_API uint64_t pkin_vectors_n_columns(const pkin_vectors *vectors);
PKIN_API uint64_t pkin_vectors_n_entries(const pkin_vectors *vectors); /* weights that are not 0 */

/* The exact score of row i of a and row j of b, which must exist; 0 where a or b is NULL. O(length of the two rows). */
PKIN_API uint64_t pkin_vectors_score(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j);

/* One column that two rows share, and what it adds to their score. */
typedef struct pkin_shared_term {
    uint32_t column;
    uint64_t score;
} pkin_shared_term;

/* The (up to) `n_max` shared columns that add most, largest first, ties by column. Returns how many were written: none
   where a, b or out is NULL. */
PKIN_API size_t pkin_vectors_shared_terms(const pkin_vectors *a, uint64_t i, const pkin_vectors *b, uint64_t j,
                                          size_t n_max, pkin_shared_term *out);

/* A number that was estimated from a sample: with its error band, low <= middle <= high. */
typedef struct pkin_estimate {
    double low, middle, high;
} pkin_estimate;

/* What a join or a top-k did. Seconds are wall-clock unless said otherwise. */
typedef struct pkin_similarity_report {
    size_t size;                 /* sizeof(pkin_similarity_report), set by _default */
    const char *backend;         /* static strings: names as options know them */
    const char *method;          /* "sketch", "tail", "index"; "none": there was nothing to compare */
    const char *instruction_set; /* "amx", "avx512", "avx2", "portable"; "none" where a GPU does the work */
    int n_threads;
    uint32_t dimension;          /* of the sketch; else 0 */
    double head_share;           /* of the tail method; else 0 */
    uint64_t n_rows_a, n_rows_b; /* compared: without empty rows, equal rows once; b 0 in a self-join */
    uint64_t n_empty, n_copies;  /* rows that were left out of comparing: empty ones, and equal to an earlier one */
    uint64_t n_strips;           /* that the work was cut into */
    uint64_t n_strips_resumed;   /* of them, found done in the checkpoint */
    pkin_estimate estimated_candidates, estimated_seconds; /* the plan's, before the work: comparing alone */
    uint64_t estimated_bytes;
    uint64_t n_candidates;       /* pairs of rows that were scored exactly */
    uint64_t n_results;          /* pairs, or neighbours */
    uint64_t filter_operations;  /* 8-bit integer multiplications and additions of the filter, padding included */
    double distinct_seconds;     /* finding equal rows */
    double plan_seconds;
    double prepare_seconds;      /* sketches, indexes, seeds */
    double compare_seconds;      /* filter and scoring together, and whatever the threads waited */
    double filter_thread_seconds, score_thread_seconds; /* summed over the threads */
    double sort_seconds;         /* ordering, expanding copies, writing and merging what was spilled */
    double total_seconds;
    uint64_t working_bytes;      /* largest working set: all but the inputs and the result */
    uint64_t spilled_bytes;      /* written to the spill folder */
    const char *gpu_filter;      /* cuda: "fused", "gemm8", "gemm32", "dp4a"; else "none". A static string */
    char device[96];             /* cuda: the name of the GPU, the first of several; else "" */
    int n_devices;               /* cuda: GPUs at work; else 0 */
    uint64_t device_bytes;       /* cuda: largest working set on the GPUs together */
    uint64_t moved_bytes;        /* cuda: copied to the GPUs and back */
    uint64_t n_splits;           /* cuda: pieces of work that were cut again since their candidates did not fit */
    char note[256];              /* what a caller who left the choice to "auto" should be told: why no GPU; else "" */
} pkin_similarity_report;

PKIN_API pkin_similarity_report pkin_similarity_report_default(void);

typedef struct pkin_similarity_options {
    size_t size;         /* sizeof(pkin_similarity_options), set by _default */
    /*
     * "auto" or a name of pkin_backend_name. "auto": a GPU where the plan finds it faster, starting it included, else
     * the CPU; small work never looks for a GPU. If the GPU cannot be opened or has too little memory, the CPU does the
     * work and report->note says why; that a machine has none is not worth a note. A backend that is named is used, or
     * the call fails: PKIN_ERROR_UNSUPPORTED where it cannot run here, PKIN_ERROR_OUT_OF_MEMORY also of a GPU's memory.
     * A GPU that fails while it works ends the call with PKIN_ERROR_DEVICE, also with "auto". An instruction set that
     * is named is a wish for "cpu", devices or a gpu_filter that are named are one for "cuda".
     */
    const char *backend;
    int n_threads;       /* 0: all */
    pkin_progress_fn on_progress;
    void *progress_user;
    /* None of the following changes a result: they decide about time, memory and what is told. */
    const char *method;          /* "auto" (the plan's choice), "sketch", "tail" or "index"; see docs/similarity.md */
    const char *instruction_set; /* "auto" (the best here), "amx", "avx512", "avx2" or "portable" */
    uint32_t dimension;          /* of the sketch: a multiple of 64 up to 4096; 0: the plan's choice */
    uint64_t memory_bytes;       /* bound of the working set: all but inputs and a result in memory; 0: no bound */
    const char *spill_dir;       /* an existing folder for pairs beyond memory_bytes (join_each); NULL: $TMPDIR or /tmp */
    const char *checkpoint_dir;  /* join, join_each: keep finished strips there, and go on from them; NULL: do not */
    pkin_similarity_report *report; /* filled on success, its size set before; NULL: not wanted */
    /* This one does: nonzero leaves out every row that equals an earlier row of the same side. */
    int distinct_only;
    /* These change no result either. */
    const char *devices;    /* cuda: "auto" (the first GPU that can be used), "all", or numbers as in "0,2" */
    const char *gpu_filter; /* cuda: "auto" (the plan's choice), "fused", "gemm8" (joins only), "gemm32" or "dp4a" */
} pkin_similarity_options;

PKIN_API pkin_similarity_options pkin_similarity_options_default(void);

/* A pair with its exact score. In a self-join i < j; between two sets i is a row of a, j a row of b. */
typedef struct pkin_pair {
    uint64_t score;
    uint32_t i;
    uint32_t j;
} pkin_pair;

/* Pairs in fixed order: score descending, then i, then j. */
typedef struct pkin_pair_list {
    pkin_pair *pairs;
    uint64_t n_pairs;
} pkin_pair_list;

/*
 * Threshold join: every pair whose score reaches pkin_score_from_threshold(threshold), and no other. `b` NULL: pairs
 * within a. Threshold in (0, 1]: at 0 every pair would qualify. Empty rows are in no pair. Rows of a and b must be over
 * the same columns. Free the list with pkin_pair_list_free.
 *
 * Equal rows are compared once, whatever their number, but each of their pairs is in the result: n equal rows alone make
 * n * (n - 1) / 2 pairs of 16 bytes. A result that cannot be had in memory is PKIN_ERROR_OUT_OF_MEMORY; it can be
 * streamed (pkin_similarity_join_each), or asked for without copies (options->distinct_only).
 *
 * Method: bounds of all pairs, exact scores of those that may qualify (docs/similarity.md). O(n_a * n_b) in the worst
 * case, with a constant of some 1e-10 seconds a pair and less.
 */
PKIN_API pkin_status pkin_similarity_join(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                          const pkin_similarity_options *options, pkin_pair_list *out);

/*
 * The same pairs in the same order, handed to `on_pairs` in batches, so that they need not fit in memory: with
 * options->memory_bytes, pairs beyond it wait sorted in files in options->spill_dir, which are gone when the call
 * returns. `on_pairs` is called from the calling thread, never with 0 pairs; nonzero cancels.
 */
typedef int (*pkin_pairs_fn)(void *user, const pkin_pair *pairs, size_t n_pairs);
PKIN_API pkin_status pkin_similarity_join_each(const pkin_vectors *a, const pkin_vectors *b, double threshold,
                                               const pkin_similarity_options *options, pkin_pairs_fn on_pairs,
                                               void *user);
PKIN_API void pkin_pair_list_free(pkin_pair_list *list);

/* The neighbours of each row of a: row r has entries [offsets[r], offsets[r + 1]), score descending, then row. */
typedef struct pkin_neighbor {
    uint64_t score; /* > 0 */
    uint32_t row;
} pkin_neighbor;

typedef struct pkin_neighbor_lists {
    uint64_t n_rows;
    uint64_t *offsets; /* n_rows + 1 */
    pkin_neighbor *neighbors;
} pkin_neighbor_lists;

/*
 * Top-k: for each row of a the k rows of b (of a itself, the row excluded, where b is NULL) with the highest scores
 * that are > 0 and reach `floor` in [0, 1]; ties go to the lower row. Fewer where fewer qualify.
 */
PKIN_API pkin_status pkin_similarity_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                           const pkin_similarity_options *options, pkin_neighbor_lists *out);
PKIN_API void pkin_neighbor_lists_free(pkin_neighbor_lists *lists);

/* One way to do the work, as the plan judges it. */
typedef struct pkin_plan_choice {
    const char *method;          /* static strings, as in pkin_similarity_report */
    const char *instruction_set; /* "none": a GPU */
    uint32_t dimension;          /* sketch; else 0 */
    double head_share;           /* tail; else 0 */
    pkin_estimate candidates;    /* pairs to be scored exactly */
    pkin_estimate seconds;       /* preparing and comparing */
    uint64_t bytes;              /* working set, in the memory of the host */
    uint64_t n_strips;
    const char *backend;         /* that would do it: "cpu", "cuda" */
    const char *gpu_filter;      /* cuda; else "none" */
    uint64_t device_bytes;       /* cuda: working set on each GPU; else 0 */
} pkin_plan_choice;

/* The ways that were weighed, cheapest first: the first is what would be done. */
typedef struct pkin_similarity_plan {
    uint64_t n_rows_a, n_rows_b, n_empty, n_copies; /* as in pkin_similarity_report */
    pkin_estimate pairs;   /* of the result: pairs of compared rows; top-k: not estimated, 0 */
    uint64_t n_copy_pairs; /* join within a: pairs of equal rows, counted, which the result has besides */
    size_t n_choices;
    pkin_plan_choice *choices;
    char device[96]; /* the GPU that was weighed; "": none was */
    char note[256];  /* as in pkin_similarity_report */
} pkin_similarity_plan;

/*
 * What pkin_similarity_join (k 0) or pkin_similarity_top_k (k > 0; `threshold` is its floor) would do with these
 * arguments, judged from a sample of rows and a short calibration of this machine, without doing it. Estimates come
 * with a band that the outcome should lie in, on an otherwise idle machine. Free with pkin_similarity_plan_free.
 */
PKIN_API pkin_status pkin_similarity_plan_make(const pkin_vectors *a, const pkin_vectors *b, uint32_t k,
                                               double threshold, const pkin_similarity_options *options,
                                               pkin_similarity_plan *out);
PKIN_API void pkin_similarity_plan_free(pkin_similarity_plan *plan);

PKIN_EXTERN_C_END

#endif
