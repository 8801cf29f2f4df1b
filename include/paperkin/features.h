/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_FEATURES_H
#define PAPERKIN_FEATURES_H

#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

typedef enum pkin_tokenizer {
    PKIN_TOKENIZER_UNICODE = 0, /* NFKC, case folding, LaTeX stripped to words, English and Chinese words (ICU) */
    PKIN_TOKENIZER_WORDS        /* scikit-learn's TfidfVectorizer defaults: lower case, \b\w\w+\b, no stop words */
} pkin_tokenizer;

/*
 * How text becomes TF-IDF vectors. The weight of term t in document d is
 *     g * tf(t, d) * (ln((1 + n) / (1 + df(t))) + 1),   rows then scaled to Euclidean length 1,
 * where tf counts t over the fields, each occurrence as much as its field weighs; with sublinear_tf it is 1 + ln(tf) for
 * tf >= 1 and tf below; g is 1 for single words and bigram_weight for two neighbouring words.
 * Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988; smoothing as scikit-learn.
 */
typedef struct pkin_features_options {
    size_t size;             /* sizeof(pkin_features_options), set by the functions below */
    pkin_tokenizer tokenizer;
    int stop_words;          /* leave out English and Chinese stop words (unicode tokenizer only) */
    int sublinear_tf;
    double title_weight;     /* >= 0; 0 leaves the field out */
    double abstract_weight;  /* >= 0 */
    double summary_weight;   /* >= 0; machine-written summaries, 0 by default */
    double bigram_weight;    /* >= 0; 0: single words only */
    uint64_t min_df;         /* leave out terms in fewer documents than this; 1 keeps all */
    uint64_t bigram_min_df;  /* the same for bigrams; 0: as min_df */
    double max_df;           /* leave out terms in more than this share of documents, in (0, 1]; 1 keeps all */
    int n_threads;           /* >= 0; 0: all; the result is the same bits for every value */
    pkin_progress_fn on_progress; /* may be NULL */
    void *progress_user;
} pkin_features_options;

/* Title and abstract alike, single words, raw tf: what the near-duplicate rules stand on. */
PKIN_API pkin_features_options pkin_features_options_plain(void);
/* Title 3, sublinear tf, bigrams at .75 that stand in 2 documents or more: the best links (docs/quality.md). Single words
   are all kept, so that in a small corpus the words that two papers do not share still count against them. */
PKIN_API pkin_features_options pkin_features_options_related(void);

/*
 * A sparse matrix, documents x terms, in compressed sparse row form (CSR): row r holds entries
 * [row_offsets[r], row_offsets[r + 1]), columns strictly ascending within a row.
 */
typedef struct pkin_csr_view {
    uint64_t n_rows;
    uint64_t n_columns;           /* < 2^32 */
    const uint64_t *row_offsets;  /* n_rows + 1 values, the first 0 */
    const uint32_t *columns;      /* row_offsets[n_rows] values */
    const double *values;         /* same length; finite, >= 0 */
} pkin_csr_view;

/* An owned CSR matrix with, where known, a term for each column and an id for each row. Immutable. */
typedef struct pkin_matrix pkin_matrix;

/*
 * TF-IDF matrix of a corpus, one row a paper in the corpus's order (an empty text gives an empty row), columns in
 * byte order of their terms. Linear in the text, plus sorting the vocabulary.
 */
PKIN_API pkin_status pkin_matrix_vectorize(const pkin_corpus *corpus, const pkin_features_options *options,
                                           pkin_matrix **out);

/* Copies a matrix of the caller's. Checks every invariant of pkin_csr_view. Rows longer than 1 are an error later,
   where similarity needs unit rows; see pkin_vectors_from_matrix. */
PKIN_API pkin_status pkin_matrix_from_csr(const pkin_csr_view *view, pkin_matrix **out);

/* Reads and writes SciPy's CSR `.npz` (scipy.sparse.save_npz, compressed or not; int32/int64 indices, float32/float64
   data). Writing is atomic: a temporary file, flushed, renamed. Beside `X.npz` it writes `X.ids.txt` and
   `X.terms.txt`, one a line, where they are known; reading takes them up where they stand and have as many lines as
   the matrix has rows or columns. */
PKIN_API pkin_status pkin_matrix_read_npz(const char *path, pkin_matrix **out);
PKIN_API pkin_status pkin_matrix_write_npz(const pkin_matrix *matrix, const char *path);

PKIN_API void pkin_matrix_free(pkin_matrix *matrix);
PKIN_API pkin_csr_view pkin_matrix_view(const pkin_matrix *matrix); /* borrowed; of NULL: no rows, all pointers NULL */
PKIN_API const char *pkin_matrix_term(const pkin_matrix *matrix, uint32_t column); /* NULL where unknown */
PKIN_API const char *pkin_matrix_row_id(const pkin_matrix *matrix, uint64_t row);  /* NULL where unknown */

PKIN_EXTERN_C_END

#endif
