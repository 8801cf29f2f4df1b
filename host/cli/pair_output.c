/* SPDX-License-Identifier: Apache-2.0 */
#include "pair_output.h"

#include <inttypes.h>
#include <string.h>

#include "json_out.h"
#include "messages.h"

enum { N_TERMS = 3, TERM_BYTES = 24 };

void pkin_i_pair_output_begin(pkin_i_pair_output *output, const pkin_i_output *destination, const pkin_i_rows *rows,
                              const pkin_i_settings *settings, bool ranked) {
    *output = (pkin_i_pair_output){.stream = destination->stream,
                                   .rows = rows,
                                   .escape = pkin_i_output_escape(destination),
                                   .as_json = settings->format && strcmp(settings->format, "jsonl") == 0,
                                   .ranked = ranked,
                                   .exact = settings->exact,
                                   .terms = settings->terms};
    if (output->as_json) return;
    fprintf(output->stream, "%sscore%s\tid_a\tid_b\ttitle_a\ttitle_b%s\n", ranked ? "rank\t" : "",
            output->exact ? "\tscore_exact" : "", output->terms ? "\tshared_terms" : "");
}

static const char *term_text(const pkin_i_rows *rows, uint32_t column, char buffer[TERM_BYTES]) {
    const char *term = pkin_matrix_term(rows->matrix, column);
    if (term) return term;
    snprintf(buffer, TERM_BYTES, "column %" PRIu32, column);
    return buffer;
}

static void write_tsv_field(const pkin_i_pair_output *output, const char *text) {
    fputc('\t', output->stream);
    pkin_i_cli_write_escaped(output->stream, output->escape, text);
}

/* "graph (0.2113), sparse (0.0981)" */
static void write_tsv_terms(const pkin_i_pair_output *output, uint64_t i, uint64_t j) {
    pkin_shared_term terms[N_TERMS];
    char buffer[TERM_BYTES];
    size_t n = pkin_vectors_shared_terms(output->rows->vectors, i, output->rows->vectors, j, N_TERMS, terms);
    fputc('\t', output->stream);
    for (size_t k = 0; k < n; k++) {
        if (k > 0) fputs(", ", output->stream);
        pkin_i_cli_write_escaped(output->stream, output->escape, term_text(output->rows, terms[k].column, buffer));
        fprintf(output->stream, " (%.4f)", pkin_score_to_cosine(terms[k].score));
    }
}

static void write_tsv(const pkin_i_pair_output *output, uint64_t score, uint64_t i, uint64_t j, uint64_t rank) {
    char buffer[PKIN_I_ROW_ID_BYTES];
    if (output->ranked) fprintf(output->stream, "%" PRIu64 "\t", rank);
    fprintf(output->stream, "%.6f", pkin_score_to_cosine(score));
    if (output->exact) fprintf(output->stream, "\t%" PRIu64, score);
    write_tsv_field(output, pkin_i_row_id(output->rows, i, buffer));
    write_tsv_field(output, pkin_i_row_id(output->rows, j, buffer));
    write_tsv_field(output, pkin_i_row_title(output->rows, i));
    write_tsv_field(output, pkin_i_row_title(output->rows, j));
    if (output->terms) write_tsv_terms(output, i, j);
    fputc('\n', output->stream);
}

static void write_json_terms(const pkin_i_pair_output *output, pkin_i_json *json, uint64_t i, uint64_t j) {
    pkin_shared_term terms[N_TERMS];
    char buffer[TERM_BYTES];
    size_t n = pkin_vectors_shared_terms(output->rows->vectors, i, output->rows->vectors, j, N_TERMS, terms);
    pkin_i_json_begin_array(json, "terms");
    for (size_t k = 0; k < n; k++) {
        pkin_i_json_begin_object(json, NULL);
        pkin_i_json_text(json, "term", term_text(output->rows, terms[k].column, buffer));
        pkin_i_json_real(json, "score", pkin_score_to_cosine(terms[k].score), 6);
        pkin_i_json_end_object(json);
    }
    pkin_i_json_end_array(json);
}

static void write_json(const pkin_i_pair_output *output, uint64_t score, uint64_t i, uint64_t j, uint64_t rank) {
    char exact[PKIN_I_COUNT_BYTES], buffer[PKIN_I_ROW_ID_BYTES];
    pkin_i_json json = {.stream = output->stream};
    snprintf(exact, sizeof exact, "%" PRIu64, score);
    pkin_i_json_begin_object(&json, NULL);
    if (output->ranked) pkin_i_json_count(&json, "rank", rank);
    pkin_i_json_real(&json, "score", pkin_score_to_cosine(score), 6);
    pkin_i_json_text(&json, "score_exact", exact); /* as text: many readers keep but 53 bits of a number */
    pkin_i_json_count(&json, "i", i);
    pkin_i_json_count(&json, "j", j);
    pkin_i_json_text(&json, "id_a", pkin_i_row_id(output->rows, i, buffer));
    pkin_i_json_text(&json, "id_b", pkin_i_row_id(output->rows, j, buffer));
    pkin_i_json_text(&json, "title_a", pkin_i_row_title(output->rows, i));
    pkin_i_json_text(&json, "title_b", pkin_i_row_title(output->rows, j));
    if (output->terms) write_json_terms(output, &json, i, j);
    pkin_i_json_end_object(&json);
    fputc('\n', output->stream);
}

void pkin_i_pair_output_write(const pkin_i_pair_output *output, uint64_t score, uint64_t i, uint64_t j, uint64_t rank) {
    if (output->as_json) {
        write_json(output, score, i, j, rank);
    } else {
        write_tsv(output, score, i, j, rank);
    }
}
