/* SPDX-License-Identifier: Apache-2.0 */
#include "history/query_vector.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/vectors.h"
#include "text/tokenizer.h"
#include "vector/log.h"

/* ---- Words ---- */

static pkin_status add_id(pkin_i_query_words *words, uint32_t id) {
    pkin_status status = pkin_i_grow(&words->ids, &words->capacity, words->n_ids + 1, sizeof *words->ids);
    if (status == PKIN_OK) words->ids[words->n_ids++] = id;
    return status;
}

/* The list stays ended by NULL. */
static pkin_status add_unknown(pkin_i_query_words *words, const char *word, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    const char *copy = NULL;
    for (size_t k = 0; k < words->n_unknown; k++) {
        if (strlen(words->unknown[k]) == n_bytes && memcmp(words->unknown[k], word, n_bytes) == 0) return PKIN_OK;
    }
    PKIN_TRY(pkin_i_grow(&words->unknown, &words->unknown_capacity, words->n_unknown + 2, sizeof *words->unknown));
    words->unknown[words->n_unknown] = NULL;
    PKIN_TRY(pkin_i_arena_string(&words->arena, word, n_bytes, &copy));
    words->unknown[words->n_unknown++] = copy;
    words->unknown[words->n_unknown] = NULL;
out:
    return status;
}

static pkin_status on_word(void *user, const char *word, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    pkin_i_query_words *words = user;
    if (!word) return add_id(words, PKIN_I_TOKEN_BREAK);
    if (pkin_i_is_stop_word(word, n_bytes)) return PKIN_OK;
    uint32_t id = pkin_i_vocabulary_find(words->vocabulary, word, n_bytes);
    if (id == UINT32_MAX) {
        id = PKIN_I_TOKEN_BREAK;
        PKIN_TRY(add_unknown(words, word, n_bytes));
    }
    status = add_id(words, id);
out:
    return status;
}

pkin_status pkin_i_query_words_read(const char *text, const pkin_i_vocabulary *vocabulary, pkin_i_query_words *out) {
    pkin_status status = PKIN_OK;
    out->vocabulary = vocabulary;
    if (!text || !*text) return PKIN_OK;
    pkin_i_tokenizer_state state = pkin_i_tokenizer_start(PKIN_TOKENIZER_UNICODE, on_word, out);
    status = pkin_i_tokenizer_run(&state, text, strlen(text));
    pkin_i_tokenizer_end(&state);
    return status;
}

void pkin_i_query_words_free(pkin_i_query_words *words) {
    pkin_i_free(words->ids);
    pkin_i_free(words->unknown);
    pkin_i_arena_free(&words->arena);
    *words = (pkin_i_query_words){0};
}

/* Clears the marks of words that stand in the field. */
static void clear_field(const pkin_i_token_documents *tokens, pkin_i_field field, uint8_t *marked) {
    const pkin_i_token_field *of = &tokens->fields[field];
    if (!of->offsets) return;
    for (uint64_t k = 0; k < of->offsets[tokens->n_documents]; k++) {
        if (of->tokens[k] != PKIN_I_TOKEN_BREAK) marked[of->tokens[k]] = 0;
    }
}

pkin_status pkin_i_query_words_need_summaries(const pkin_i_query_words *words, const pkin_i_token_documents *tokens,
                                              bool *out) {
    pkin_status status = PKIN_OK;
    uint8_t *marked = NULL;
    *out = false;
    if (words->n_ids == 0 || !tokens->fields[PKIN_I_SUMMARY].offsets) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate_zeroed(pkin_i_vocabulary_size(words->vocabulary), sizeof *marked, &marked));
    for (size_t k = 0; k < words->n_ids; k++) {
        if (words->ids[k] != PKIN_I_TOKEN_BREAK) marked[words->ids[k]] = 1;
    }
    clear_field(tokens, PKIN_I_TITLE, marked);
    clear_field(tokens, PKIN_I_ABSTRACT, marked);
    /* A word that has an id and stands in neither stands in summaries, or in nothing any more. */
    const pkin_i_token_field *summaries = &tokens->fields[PKIN_I_SUMMARY];
    for (uint64_t k = 0; k < summaries->offsets[tokens->n_documents] && !*out; k++) {
        *out = summaries->tokens[k] != PKIN_I_TOKEN_BREAK && marked[summaries->tokens[k]];
    }
out:
    pkin_i_free(marked);
    return status;
}

/* ---- Words as a row ---- */

/*
 * The columns of a weighting by what they stand for. Words come first, by id, then pairs of words, by both ids: a key
 * is id + 1 of the second word (0: there is none) behind the id of the first, so that keys ascend within each part.
 */
typedef struct column_finder {
    const pkin_matrix *matrix;
    const pkin_i_vocabulary *vocabulary;
    uint64_t n_words;
    uint64_t n_columns;
} column_finder;

static uint64_t word_key(uint32_t word) {
    return (uint64_t)word << 32;
}

static uint64_t pair_key(uint32_t first, uint32_t second) {
    return (uint64_t)first << 32 | (second + 1);
}

static bool is_pair(uint64_t key) {
    return (uint32_t)key != 0;
}

static uint64_t column_key(const column_finder *finder, uint64_t column) {
    const char *term = pkin_matrix_term(finder->matrix, (uint32_t)column);
    const char *space = strchr(term, ' ');
    size_t n_first = space ? (size_t)(space - term) : strlen(term);
    uint32_t first = pkin_i_vocabulary_find(finder->vocabulary, term, n_first);
    if (!space) return word_key(first);
    return pair_key(first, pkin_i_vocabulary_find(finder->vocabulary, space + 1, strlen(space + 1)));
}

static column_finder finder_make(const pkin_matrix *matrix, const pkin_i_vocabulary *vocabulary) {
    column_finder finder = {matrix, vocabulary, 0, pkin_matrix_view(matrix).n_columns};
    uint64_t high = finder.n_columns;
    while (finder.n_words < high) {
        uint64_t middle = finder.n_words + (high - finder.n_words) / 2;
        if (strchr(pkin_matrix_term(matrix, (uint32_t)middle), ' '))
            high = middle;
        else
            finder.n_words = middle + 1;
    }
    return finder;
}

/* UINT32_MAX where no column stands for it. */
static uint32_t find_column(const column_finder *finder, uint64_t key) {
    uint64_t low = is_pair(key) ? finder->n_words : 0, end = is_pair(key) ? finder->n_columns : finder->n_words;
    uint64_t high = end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (column_key(finder, middle) < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && column_key(finder, low) == key ? (uint32_t)low : UINT32_MAX;
}

/* A term of the text, and how often it stands there. */
typedef struct query_term {
    uint64_t key;
    uint32_t column;
    uint32_t n_times;
} query_term;

static int compare_keys(const void *left, const void *right) {
    uint64_t a = ((const query_term *)left)->key, b = ((const query_term *)right)->key;
    return (a > b) - (a < b);
}

static int compare_columns(const void *left, const void *right) {
    uint32_t a = ((const query_term *)left)->column, b = ((const query_term *)right)->column;
    return (a > b) - (a < b);
}

/* The different terms that have a column, by column. `terms` has room for two a word. */
static size_t collect_terms(const pkin_i_query_words *words, const column_finder *finder, query_term *terms) {
    size_t n = 0, n_kept = 0;
    for (size_t k = 0; k < words->n_ids; k++) {
        if (words->ids[k] == PKIN_I_TOKEN_BREAK) continue;
        terms[n++] = (query_term){.key = word_key(words->ids[k]), .n_times = 1};
        if (k + 1 == words->n_ids || words->ids[k + 1] == PKIN_I_TOKEN_BREAK) continue;
        terms[n++] = (query_term){.key = pair_key(words->ids[k], words->ids[k + 1]), .n_times = 1};
    }
    if (n > 1) qsort(terms, n, sizeof *terms, compare_keys);
    for (size_t k = 0; k < n; k++) {
        if (n_kept && terms[n_kept - 1].key == terms[k].key) {
            terms[n_kept - 1].n_times++;
        } else {
            terms[n_kept++] = terms[k];
        }
    }
    n = n_kept;
    n_kept = 0;
    for (size_t k = 0; k < n; k++) {
        terms[k].column = find_column(finder, terms[k].key);
        if (terms[k].column != UINT32_MAX) terms[n_kept++] = terms[k];
    }
    if (n_kept > 1) qsort(terms, n_kept, sizeof *terms, compare_columns);
    return n_kept;
}

pkin_status pkin_i_weighting_count_documents(const pkin_i_weighting *weighting, uint32_t **df) {
    pkin_csr_view view = pkin_matrix_view(weighting->matrix);
    pkin_status status = pkin_i_allocate_zeroed(view.n_columns, sizeof **df, df);
    for (uint64_t e = 0; status == PKIN_OK && e < view.row_offsets[view.n_rows]; e++) (*df)[view.columns[e]]++;
    return status;
}

/* As documented at pkin_features_options, each occurrence counting 1. */
static double term_weight(const query_term *term, uint32_t df, uint64_t n_documents,
                          const pkin_features_options *features) {
    double tf = features->sublinear_tf ? 1 + pkin_i_log((double)term->n_times) : (double)term->n_times;
    double idf = pkin_i_log((1 + (double)n_documents) / (1 + (double)df)) + 1;
    return tf * idf * (is_pair(term->key) ? features->bigram_weight : 1);
}

/* One row, scaled to length 1. Columns ascend. */
static pkin_status make_row(uint64_t n_columns, const uint32_t *columns, const double *values, uint64_t n_entries,
                            pkin_vectors **out) {
    pkin_status status = PKIN_OK;
    pkin_matrix *matrix = NULL;
    uint64_t offsets[2] = {0, n_entries};
    pkin_csr_view view = {1, n_columns, offsets, columns, values};
    PKIN_TRY(pkin_matrix_from_csr(&view, &matrix));
    status = pkin_vectors_from_matrix(matrix, 1, out);
out:
    pkin_matrix_free(matrix);
    return status;
}

pkin_status pkin_i_query_words_weigh(const pkin_i_query_words *words, const pkin_i_weighting *weighting,
                                     const uint32_t *df, const pkin_features_options *features, pkin_vectors **out) {
    pkin_status status = PKIN_OK;
    pkin_csr_view view = pkin_matrix_view(weighting->matrix);
    column_finder finder = finder_make(weighting->matrix, words->vocabulary);
    query_term *terms = NULL;
    uint32_t *columns = NULL;
    double *values = NULL;
    size_t n_most = 0;
    PKIN_REQUIRE(pkin_i_multiply(words->n_ids, 2, &n_most), PKIN_ERROR_OVERFLOW, "the text to search for is too long");
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *terms, &terms));
    size_t n = collect_terms(words, &finder, terms);
    PKIN_TRY(pkin_i_allocate(n, sizeof *columns, &columns));
    PKIN_TRY(pkin_i_allocate(n, sizeof *values, &values));
    for (size_t k = 0; k < n; k++) {
        columns[k] = terms[k].column;
        values[k] = term_weight(&terms[k], df[columns[k]], view.n_rows, features);
    }
    status = make_row(view.n_columns, columns, values, n, out);
out:
    pkin_i_free(terms);
    pkin_i_free(columns);
    pkin_i_free(values);
    return status;
}

/* ---- The query ---- */

/* One weight of one part; sums of 2^33 parts fit. */
typedef struct query_entry {
    uint32_t column;
    int64_t wanted, unwanted;
} query_entry;

static int compare_entries(const void *left, const void *right) {
    uint32_t a = ((const query_entry *)left)->column, b = ((const query_entry *)right)->column;
    return (a > b) - (a < b);
}

static uint64_t row_length(const pkin_vectors *vectors, uint64_t row) {
    return vectors->row_offsets[row + 1] - vectors->row_offsets[row];
}

static void add_row(const pkin_vectors *vectors, uint64_t row, bool wanted, query_entry *entries, size_t *n) {
    for (uint64_t e = vectors->row_offsets[row]; e < vectors->row_offsets[row + 1]; e++) {
        entries[(*n)++] = (query_entry){.column = vectors->columns[e],
                                        .wanted = wanted ? vectors->weights[e] : 0,
                                        .unwanted = wanted ? 0 : vectors->weights[e]};
    }
}

/* All entries of all parts. */
static pkin_status gather_entries(const pkin_vectors *vectors, const pkin_i_query_parts *parts, query_entry **out,
                                  size_t *n_out) {
    pkin_status status = PKIN_OK;
    uint64_t n_entries = parts->text ? row_length(parts->text, 0) : 0;
    for (size_t k = 0; k < parts->n_wanted; k++) n_entries += row_length(vectors, parts->wanted[k]);
    for (size_t k = 0; k < parts->n_unwanted; k++) n_entries += row_length(vectors, parts->unwanted[k]);
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof **out, out));
    *n_out = 0;
    for (size_t k = 0; k < parts->n_wanted; k++) add_row(vectors, parts->wanted[k], true, *out, n_out);
    for (size_t k = 0; k < parts->n_unwanted; k++) add_row(vectors, parts->unwanted[k], false, *out, n_out);
    if (parts->text) add_row(parts->text, 0, true, *out, n_out);
out:
    return status;
}

pkin_status pkin_i_query_combine(const pkin_i_weighting *weighting, const pkin_i_query_parts *parts,
                                 pkin_vectors **out) {
    pkin_status status = PKIN_OK;
    query_entry *entries = NULL;
    uint32_t *columns = NULL;
    double *values = NULL;
    size_t n = 0, n_columns = 0;
    double n_wanted = (double)parts->n_wanted + (parts->text ? 1 : 0);
    double unwanted_share = parts->n_unwanted ? parts->unwanted_weight / (double)parts->n_unwanted : 0;
    PKIN_TRY(gather_entries(weighting->vectors, parts, &entries, &n));
    if (n > 1) qsort(entries, n, sizeof *entries, compare_entries);
    PKIN_TRY(pkin_i_allocate(n, sizeof *columns, &columns));
    PKIN_TRY(pkin_i_allocate(n, sizeof *values, &values));
    for (size_t k = 0, end; k < n; k = end) {
        query_entry sum = entries[k];
        for (end = k + 1; end < n && entries[end].column == sum.column; end++) {
            sum.wanted += entries[end].wanted;
            sum.unwanted += entries[end].unwanted;
        }
        double value = (double)sum.wanted / n_wanted - unwanted_share * (double)sum.unwanted;
        if (value <= 0) continue;
        columns[n_columns] = sum.column;
        values[n_columns++] = value;
    }
    status = make_row(pkin_vectors_n_columns(weighting->vectors), columns, values, n_columns, out);
out:
    pkin_i_free(entries);
    pkin_i_free(columns);
    pkin_i_free(values);
    return status;
}
