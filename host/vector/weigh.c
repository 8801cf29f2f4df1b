/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/weigh.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "base/radix_sort.h"
#include "text/worker_failure.h"
#include "vector/log.h"
#include "vector/weigher.h"
#include "vector/word_order.h"

/*
 * Documents are cut into contiguous chunks, as many as suit the threads. Every number is either an integer or computed
 * from one document alone in a fixed order, so neither chunks nor threads show in the result.
 */

enum { CHUNKS_PER_THREAD = 8, MIN_DOCUMENTS_PER_THREAD = 128 };

/* Logarithms of small whole term frequencies, which are nearly all. */
enum { N_SMALL_TF = 32 };

/* How the columns stand; see columns_number. */
typedef struct column_plan {
    uint64_t n_columns;
    int drops_words;               /* some word that occurs has no column */
    uint32_t *word_column;         /* by rank, PKIN_I_DROPPED where left out */
    uint32_t *bigram_column;       /* by index among the kept bigrams */
    double *factors;               /* by column: idf, times the bigram weight */
    double tf_factors[N_SMALL_TF]; /* sublinear tf of 1, 2, ...; [0] is unused */
} column_plan;

typedef struct row_job {
    const column_plan *columns;
    pkin_matrix *matrix;
} row_job;

/* ---- Chunks and threads ---- */

uint64_t pkin_i_chunk_begin(const pkin_i_weigher *w, size_t chunk) {
    uint64_t share = w->n_documents / w->n_chunks, rest = w->n_documents % w->n_chunks;
    return share * chunk + (chunk < rest ? chunk : rest);
}

static pkin_status scratch_open(const pkin_i_weigher *w, pkin_i_weigh_scratch *s) {
    pkin_status status = PKIN_OK;
    memset(s, 0, sizeof *s);
    PKIN_TRY(pkin_i_allocate_zeroed(w->n_words, sizeof *s->tf, &s->tf));
    PKIN_TRY(pkin_i_allocate((size_t)w->n_words + 1, sizeof *s->touched, &s->touched));
    status = pkin_i_allocate_zeroed(w->n_words, sizeof *s->df, &s->df);
out:
    return status;
}

static void scratch_close(pkin_i_weigh_scratch *s) {
    pkin_i_free(s->tf);
    pkin_i_free(s->touched);
    pkin_i_free(s->df);
    pkin_i_pair_counts_free(&s->pairs);
    pkin_i_free(s->keys);
    pkin_i_free(s->other_keys);
    pkin_i_free(s->weights);
}

/* The documents that a thread has counted, added to all. */
static void collect_df(pkin_i_weigher *w, const pkin_i_weigh_scratch *s) {
#pragma omp critical(pkin_i_collect_df)
    for (uint32_t id = 0; id < w->n_words; id++) w->df[w->rank_of[id]] += s->df[id];
}

pkin_status pkin_i_for_each_chunk(pkin_i_weigher *w,
                                  pkin_status (*work)(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk,
                                                      void *user),
                                  void *user) {
    pkin_i_worker_failure failure = {PKIN_OK, ""};
#pragma omp parallel num_threads(w->n_threads)
    {
        pkin_i_weigh_scratch s;
        pkin_status status = scratch_open(w, &s);
#pragma omp for schedule(dynamic, 1)
        for (size_t c = 0; c < w->n_chunks; c++) {
            if (status == PKIN_OK) status = work(w, &s, c, user);
        }
        if (status == PKIN_OK && s.has_df) collect_df(w, &s);
        pkin_i_worker_failure_note(&failure, status);
        scratch_close(&s);
    }
    return pkin_i_worker_failure_report(&failure);
}

/* ---- Words ---- */

static void clear_words(pkin_i_weigh_scratch *s) {
    for (uint32_t k = 0; k < s->n_touched; k++) s->tf[s->touched[k]] = 0;
    s->n_touched = 0;
}

/* A document's single words, counted into s->tf; the document before is cleared away. */
static void count_words(const pkin_i_weigher *w, pkin_i_weigh_scratch *s, uint64_t document) {
    clear_words(s);
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        if (w->field_weights[f] <= 0) continue;
        const pkin_i_token_field *field = &w->documents->fields[f];
        for (uint64_t k = field->offsets[document]; k < field->offsets[document + 1]; k++) {
            if (field->tokens[k] == PKIN_I_TOKEN_BREAK) continue;
            uint32_t id = field->tokens[k];
            s->touched[s->n_touched] = id; /* stays where it is new; there is room for one more than there are words */
            s->n_touched += s->tf[id] == 0;
            s->tf[id] += w->field_weights[f];
        }
    }
}

static pkin_status check_tokens(const pkin_i_weigher *w, uint64_t begin, uint64_t end) {
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        if (w->field_weights[f] <= 0) continue;
        const pkin_i_token_field *field = &w->documents->fields[f];
        for (uint64_t k = field->offsets[begin]; k < field->offsets[end]; k++) {
            if (field->tokens[k] < w->n_words || field->tokens[k] == PKIN_I_TOKEN_BREAK) continue;
            return pkin_i_fail(PKIN_ERROR_CORRUPT, "token %u is beyond the vocabulary of %u words", field->tokens[k],
                               w->n_words);
        }
    }
    return PKIN_OK;
}

static pkin_status df_chunk(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk, void *user) {
    uint64_t begin = pkin_i_chunk_begin(w, chunk), end = pkin_i_chunk_begin(w, chunk + 1);
    pkin_status status = check_tokens(w, begin, end);
    (void)user;
    s->has_df = 1;
    for (uint64_t d = begin; status == PKIN_OK && d < end; d++) {
        count_words(w, s, d);
        w->n_different[d] = s->n_touched;
        for (uint32_t k = 0; k < s->n_touched; k++) s->df[s->touched[k]]++;
    }
    return status;
}

uint64_t pkin_i_bigram_min_df(const pkin_i_weigher *w) {
    return w->options->bigram_min_df ? w->options->bigram_min_df : w->options->min_df;
}

int pkin_i_keeps_df(const pkin_i_weigher *w, uint64_t df, uint64_t min_df) {
    return df > 0 && df >= min_df && (double)df <= w->options->max_df * (double)w->n_documents;
}

/* ---- Columns ---- */

static double idf(const pkin_i_weigher *w, uint64_t df) {
    return pkin_i_log((1 + (double)w->n_documents) / (1 + (double)df)) + 1;
}

/*
 * In order of ids the words come first, then the bigrams. In byte order a word is followed by the bigrams that begin
 * with it: words hold nothing below '!', so the space between two words sorts before whatever lengthens the first.
 */
static void columns_number(const pkin_i_weigher *w, int sort_terms, column_plan *plan) {
    const pkin_i_bigrams *b = &w->bigrams;
    uint64_t column = 0, k = 0;
    for (uint32_t r = 0; r < w->n_words; r++) {
        int keeps = pkin_i_keeps_df(w, w->df[r], w->options->min_df);
        plan->word_column[r] = keeps ? (uint32_t)column++ : PKIN_I_DROPPED;
        plan->drops_words |= !keeps && w->df[r] > 0;
        while (sort_terms && k < b->n_kept && b->pairs[k] >> 32 == r) plan->bigram_column[k++] = (uint32_t)column++;
    }
    while (k < b->n_kept) plan->bigram_column[k++] = (uint32_t)column++;
    plan->n_columns = column;
}

static pkin_status columns_plan(const pkin_i_weigher *w, int sort_terms, column_plan *plan) {
    pkin_status status = PKIN_OK;
    const pkin_i_bigrams *b = &w->bigrams;
    /* Sizes are below 2^32 each, and one number is taken for PKIN_I_DROPPED. */
    PKIN_REQUIRE((uint64_t)w->n_words + b->n_kept < UINT32_MAX, PKIN_ERROR_OVERFLOW,
                 "%u words and %llu bigrams are too many columns: raise the minimum document frequency", w->n_words,
                 (unsigned long long)b->n_kept);
    PKIN_TRY(pkin_i_allocate(w->n_words, sizeof *plan->word_column, &plan->word_column));
    PKIN_TRY(pkin_i_allocate(b->n_kept, sizeof *plan->bigram_column, &plan->bigram_column));
    columns_number(w, sort_terms, plan);
    PKIN_TRY(pkin_i_allocate(plan->n_columns, sizeof *plan->factors, &plan->factors));
#pragma omp parallel for num_threads(w->n_threads) schedule(static)
    for (uint32_t r = 0; r < w->n_words; r++) {
        if (plan->word_column[r] != PKIN_I_DROPPED) plan->factors[plan->word_column[r]] = idf(w, w->df[r]);
    }
#pragma omp parallel for num_threads(w->n_threads) schedule(static)
    for (uint64_t k = 0; k < b->n_kept; k++) {
        plan->factors[plan->bigram_column[k]] = w->options->bigram_weight * idf(w, b->df[k]);
    }
    for (int tf = 1; tf < N_SMALL_TF; tf++) plan->tf_factors[tf] = 1 + pkin_i_log(tf);
out:
    return status;
}

static void plan_free(column_plan *plan) {
    pkin_i_free(plan->word_column);
    pkin_i_free(plan->bigram_column);
    pkin_i_free(plan->factors);
}

/* ---- Rows ---- */

static pkin_status count_row_chunk(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk, void *user) {
    const row_job *job = user;
    const pkin_i_bigrams *b = &w->bigrams;
    for (uint64_t d = pkin_i_chunk_begin(w, chunk); d < pkin_i_chunk_begin(w, chunk + 1); d++) {
        uint64_t n = w->n_different[d];
        if (job->columns->drops_words) {
            count_words(w, s, d);
            n = 0;
            for (uint32_t k = 0; k < s->n_touched; k++) {
                n += job->columns->word_column[w->rank_of[s->touched[k]]] != PKIN_I_DROPPED;
            }
        }
        for (uint64_t k = b->offsets ? b->offsets[d] : 0; b->offsets && k < b->offsets[d + 1]; k++) {
            n += b->kept_index[k] != PKIN_I_DROPPED;
        }
        job->matrix->row_offsets[d + 1] = n;
    }
    return PKIN_OK;
}

static double tf_factor(const pkin_i_weigher *w, const column_plan *plan, double tf) {
    if (!w->options->sublinear_tf || tf < 1) return tf;
    if (tf < N_SMALL_TF && tf == (int)tf) return plan->tf_factors[(int)tf];
    return 1 + pkin_i_log(tf);
}

static void add_entry(pkin_i_weigh_scratch *s, size_t *n, uint32_t column, double weight) {
    s->keys[*n] = (uint64_t)column << 32 | *n;
    s->weights[(*n)++] = weight;
}

/* A row's entries in whatever order they come. */
static pkin_status gather_row(const pkin_i_weigher *w, const column_plan *plan, pkin_i_weigh_scratch *s, uint64_t d,
                              size_t *n_entries) {
    pkin_status status = PKIN_OK;
    const pkin_i_bigrams *b = &w->bigrams;
    size_t n = 0, capacity;
    count_words(w, s, d);
    if (b->offsets) PKIN_TRY(pkin_i_count_pairs(w, s, d));
    for (int array = 0; array < 3; array++) { /* three arrays that grow together */
        void *block = array == 0 ? (void *)&s->keys : array == 1 ? (void *)&s->other_keys : (void *)&s->weights;
        capacity = s->capacity;
        PKIN_TRY(pkin_i_grow(block, &capacity, s->n_touched + s->pairs.n_pairs, sizeof(uint64_t)));
    }
    s->capacity = capacity;
    for (uint32_t k = 0; k < s->n_touched; k++) {
        uint32_t id = s->touched[k], column = plan->word_column[w->rank_of[id]];
        if (column == PKIN_I_DROPPED) continue;
        add_entry(s, &n, column, tf_factor(w, plan, s->tf[id]) * plan->factors[column]);
    }
    for (size_t k = 0; b->offsets && k < s->pairs.n_pairs; k++) {
        uint32_t index = b->kept_index[b->offsets[d] + k];
        if (index == PKIN_I_DROPPED) continue;
        uint32_t column = plan->bigram_column[b->first[b->partition_of[s->pairs.pairs[k] >> 32]] + index];
        add_entry(s, &n, column, tf_factor(w, plan, s->pairs.tf[k]) * plan->factors[column]);
    }
    *n_entries = n;
out:
    return status;
}

static int significant_bits(uint64_t n) {
    int bits = 0;
    for (; n; n >>= 1) bits++;
    return bits;
}

static pkin_status fill_row_chunk(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk, void *user) {
    pkin_status status = PKIN_OK;
    const row_job *job = user;
    pkin_matrix *m = job->matrix;
    int bits = significant_bits(m->n_columns);
    for (uint64_t d = pkin_i_chunk_begin(w, chunk); d < pkin_i_chunk_begin(w, chunk + 1); d++) {
        size_t n = 0;
        double squares = 0;
        PKIN_TRY(gather_row(w, job->columns, s, d, &n));
        const uint64_t *sorted = pkin_i_radix_sort(s->keys, s->other_keys, n, bits);
        uint32_t *columns = m->columns + m->row_offsets[d];
        double *values = m->values + m->row_offsets[d];
        for (size_t k = 0; k < n; k++) {
            double weight = s->weights[(uint32_t)sorted[k]];
            columns[k] = (uint32_t)(sorted[k] >> 32);
            values[k] = weight;
            squares += weight * weight;
        }
        double norm = sqrt(squares);
        for (size_t k = 0; k < n; k++) values[k] /= norm;
    }
out:
    return status;
}

static pkin_status fill_rows(pkin_i_weigher *w, const column_plan *plan, pkin_matrix *m) {
    pkin_status status = PKIN_OK;
    row_job job = {plan, m};
    m->n_rows = w->n_documents;
    m->n_columns = plan->n_columns;
    PKIN_TRY(pkin_i_allocate_zeroed(m->n_rows + 1, sizeof *m->row_offsets, &m->row_offsets));
    PKIN_TRY(pkin_i_for_each_chunk(w, count_row_chunk, &job));
    for (uint64_t r = 0; r < m->n_rows; r++) m->row_offsets[r + 1] += m->row_offsets[r];
    PKIN_TRY(pkin_i_allocate(m->row_offsets[m->n_rows], sizeof *m->columns, &m->columns));
    PKIN_TRY(pkin_i_allocate(m->row_offsets[m->n_rows], sizeof *m->values, &m->values));
    status = pkin_i_for_each_chunk(w, fill_row_chunk, &job);
out:
    return status;
}

/* ---- Terms ---- */

static size_t word_bytes(const pkin_i_weigher *w, uint32_t rank) {
    size_t n;
    pkin_i_vocabulary_word(w->vocabulary, w->id_of[rank], &n);
    return n;
}

static char *copy_word(const pkin_i_weigher *w, uint32_t rank, char *to) {
    size_t n;
    const char *word = pkin_i_vocabulary_word(w->vocabulary, w->id_of[rank], &n);
    memcpy(to, word, n);
    return to + n;
}

/* Words, and bigrams as two words with a space between. */
static pkin_status name_columns(const pkin_i_weigher *w, const column_plan *plan, pkin_matrix *m) {
    pkin_status status = PKIN_OK;
    const pkin_i_bigrams *b = &w->bigrams;
    pkin_i_string_table *terms = &m->terms;
    terms->n_strings = plan->n_columns;
    PKIN_TRY(pkin_i_allocate_zeroed(plan->n_columns + 1, sizeof *terms->offsets, &terms->offsets));
    for (uint32_t r = 0; r < w->n_words; r++) {
        uint32_t column = plan->word_column[r];
        if (column != PKIN_I_DROPPED) terms->offsets[column + 1] = word_bytes(w, r) + 1;
    }
    for (uint64_t k = 0; k < b->n_kept; k++) {
        size_t n = word_bytes(w, (uint32_t)(b->pairs[k] >> 32)) + word_bytes(w, (uint32_t)b->pairs[k]);
        terms->offsets[plan->bigram_column[k] + 1] = n + 2;
    }
    for (uint64_t c = 0; c < plan->n_columns; c++) terms->offsets[c + 1] += terms->offsets[c];
    PKIN_TRY(pkin_i_allocate(terms->offsets[plan->n_columns], 1, &terms->bytes));
#pragma omp parallel for num_threads(w->n_threads) schedule(static)
    for (uint32_t r = 0; r < w->n_words; r++) {
        uint32_t column = plan->word_column[r];
        if (column != PKIN_I_DROPPED) *copy_word(w, r, terms->bytes + terms->offsets[column]) = '\0';
    }
#pragma omp parallel for num_threads(w->n_threads) schedule(static)
    for (uint64_t k = 0; k < b->n_kept; k++) {
        char *to = copy_word(w, (uint32_t)(b->pairs[k] >> 32), terms->bytes + terms->offsets[plan->bigram_column[k]]);
        *to = ' ';
        *copy_word(w, (uint32_t)b->pairs[k], to + 1) = '\0';
    }
out:
    return status;
}

/* ---- All ---- */

/* Weights outside would overflow or vanish when squared. */
static int is_sane_weight(double weight) {
    return weight == 0 || (weight >= 1e-6 && weight <= 1e6);
}

static pkin_status check_options(const pkin_i_token_documents *documents, const pkin_features_options *options) {
    pkin_status status = PKIN_OK;
    const double weights[] = {options->title_weight, options->abstract_weight, options->summary_weight,
                              options->bigram_weight};
    static const char *const names[] = {"title", "abstract", "summary", "bigram"};
    for (int k = 0; k < 4; k++) {
        PKIN_REQUIRE(is_sane_weight(weights[k]), PKIN_ERROR_INVALID_ARGUMENT,
                     "the %s weight is %g; it must be 0 or from 1e-6 to 1e6", names[k], weights[k]);
        PKIN_REQUIRE(k >= PKIN_I_N_FIELDS || weights[k] == 0 || documents->fields[k].offsets,
                     PKIN_ERROR_INVALID_ARGUMENT, "the %s has a weight, but was not tokenized", names[k]);
    }
    PKIN_REQUIRE(options->max_df > 0 && options->max_df <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "max_df is %g; it must be a share above 0 and at most 1", options->max_df);
    PKIN_REQUIRE(documents->n_documents < UINT32_MAX, PKIN_ERROR_OVERFLOW, "more than %u documents", UINT32_MAX - 1);
out:
    return status;
}

static pkin_status report_progress(const pkin_features_options *options, uint64_t done, uint64_t total) {
    if (!options->on_progress || !options->on_progress(options->progress_user, "weighing", done, total)) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_CANCELLED, "cancelled while weighing");
}

/* Few documents are not worth waking many threads. */
static int choose_n_threads(uint64_t n_documents, int n_wanted) {
    int n_threads = n_wanted > 0 ? n_wanted : omp_get_max_threads();
    uint64_t most = n_documents / MIN_DOCUMENTS_PER_THREAD + 1;
    return (uint64_t)n_threads < most ? n_threads : (int)most;
}

static pkin_status weigher_open(pkin_i_weigher *w, int sort_terms) {
    pkin_status status = PKIN_OK;
    w->field_weights[PKIN_I_TITLE] = w->options->title_weight;
    w->field_weights[PKIN_I_ABSTRACT] = w->options->abstract_weight;
    w->field_weights[PKIN_I_SUMMARY] = w->options->summary_weight;
    w->n_documents = w->documents->n_documents;
    w->n_threads = choose_n_threads(w->n_documents, w->options->n_threads);
    w->n_chunks = (size_t)w->n_threads * CHUNKS_PER_THREAD;
    w->n_words = pkin_i_vocabulary_size(w->vocabulary);
    PKIN_TRY(pkin_i_allocate(w->n_words, sizeof *w->id_of, &w->id_of));
    PKIN_TRY(pkin_i_allocate(w->n_words, sizeof *w->rank_of, &w->rank_of));
    PKIN_TRY(pkin_i_allocate_zeroed(w->n_words, sizeof *w->df, &w->df));
    PKIN_TRY(pkin_i_allocate(w->n_documents, sizeof *w->n_different, &w->n_different));
    PKIN_TRY(pkin_i_word_order(w->vocabulary, sort_terms, w->id_of));
    for (uint32_t r = 0; r < w->n_words; r++) w->rank_of[w->id_of[r]] = r;
out:
    return status;
}

pkin_status pkin_i_weigh(const pkin_i_token_documents *documents, const pkin_i_vocabulary *vocabulary,
                         const pkin_features_options *options, int sort_terms, pkin_matrix **out) {
    pkin_status status = PKIN_OK;
    pkin_i_weigher w = {.documents = documents, .vocabulary = vocabulary, .options = options};
    column_plan plan = {0};
    pkin_matrix *matrix = NULL;
    uint64_t n = documents->n_documents;
    *out = NULL;
    PKIN_TRY(check_options(documents, options));
    PKIN_TRY(report_progress(options, 0, n));
    PKIN_TRY(weigher_open(&w, sort_terms));
    PKIN_TRY(pkin_i_for_each_chunk(&w, df_chunk, NULL));
    if (options->bigram_weight > 0) PKIN_TRY(pkin_i_bigrams_find(&w));
    PKIN_TRY(report_progress(options, n / 2, n));
    PKIN_TRY(columns_plan(&w, sort_terms, &plan));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *matrix, &matrix));
    PKIN_TRY(fill_rows(&w, &plan, matrix));
    PKIN_TRY(name_columns(&w, &plan, matrix));
    PKIN_TRY(report_progress(options, n, n));
    *out = matrix;
    matrix = NULL;
out:
    pkin_matrix_free(matrix);
    plan_free(&plan);
    pkin_i_bigrams_free(&w.bigrams);
    pkin_i_free(w.id_of);
    pkin_i_free(w.rank_of);
    pkin_i_free(w.df);
    pkin_i_free(w.n_different);
    return status;
}
