/* SPDX-License-Identifier: Apache-2.0 */
#include "row_inputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "messages.h"
#include "progress.h"
#include "text_inputs.h"

/* An option that says how text becomes numbers, and so has no meaning for a ready matrix; NULL: none was given. */
static const char *given_feature_option(const pkin_i_settings *settings) {
    if (settings->features) return "features";
    if (settings->tokenizer) return "tokenizer";
    if (settings->stop_words >= 0) return "stop-words";
    if (settings->sublinear_tf >= 0) return "sublinear";
    if (!isnan(settings->title_weight)) return "title-weight";
    if (!isnan(settings->abstract_weight)) return "abstract-weight";
    if (!isnan(settings->summary_weight)) return "summary-weight";
    if (!isnan(settings->bigram_weight)) return "bigram-weight";
    if (settings->min_df) return "min-df";
    if (!isnan(settings->max_df)) return "max-df";
    return settings->keep_repeats ? "keep-repeats" : NULL;
}

/* A `.npz` is a zip archive. Standard input and pipes are never one: they cannot be read again from the start. */
static bool is_zip(const char *path) {
    char magic[4] = {0};
    struct stat info;
    bool is_regular = strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
    FILE *file = is_regular ? fopen(path, "rb") : NULL;
    if (!file) return false;
    size_t n = fread(magic, 1, sizeof magic, file);
    fclose(file);
    return n == sizeof magic && memcmp(magic, "PK\3\4", sizeof magic) == 0;
}

static int read_matrix(pkin_i_cli *cli, const pkin_i_settings *settings, const char *path, pkin_i_rows *rows) {
    const char *option = given_feature_option(settings);
    if (option) return pkin_i_cli_misuse(cli, "--%s: %s is a matrix already; this option is for text", option, path);
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_status status = pkin_matrix_read_npz(path, &rows->matrix);
    rows->read_seconds = pkin_i_seconds_since(&began);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

int pkin_i_rows_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                     pkin_i_rows *rows) {
    *rows = (pkin_i_rows){0};
    for (int k = 0; k < n_inputs; k++) {
        if (!is_zip(inputs[k])) continue;
        if (n_inputs == 1) return read_matrix(cli, settings, inputs[k], rows);
        return pkin_i_cli_misuse(cli, "%s is a matrix; it cannot be mixed with other inputs", inputs[k]);
    }
    return pkin_i_texts_read(cli, settings, preset, n_inputs, inputs, rows);
}

int pkin_i_rows_read_vectors(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs,
                             char **inputs, pkin_i_rows *rows) {
    int exit_code = pkin_i_rows_read(cli, settings, preset, n_inputs, inputs, rows);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    /* Normalised also where rows have length 1 already, so that text and the `.npz` made of it score the same bits. */
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_status status = pkin_vectors_from_matrix(rows->matrix, 1, &rows->vectors);
    rows->fixed_point_seconds = pkin_i_seconds_since(&began);
    return status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
}

void pkin_i_rows_free(pkin_i_rows *rows) {
    pkin_vectors_free(rows->vectors);
    pkin_matrix_free(rows->matrix);
    pkin_i_texts_free(rows->corpus);
    *rows = (pkin_i_rows){0};
}

const char *pkin_i_row_id(const pkin_i_rows *rows, uint64_t row, char buffer[PKIN_I_ROW_ID_BYTES]) {
    const pkin_paper *paper = pkin_i_text_of_row(rows->corpus, row);
    const char *id = paper ? paper->id : pkin_matrix_row_id(rows->matrix, row);
    if (id) return id;
    snprintf(buffer, PKIN_I_ROW_ID_BYTES, "%" PRIu64, row);
    return buffer;
}

const char *pkin_i_row_title(const pkin_i_rows *rows, uint64_t row) {
    const pkin_paper *paper = pkin_i_text_of_row(rows->corpus, row);
    return paper ? paper->title : "";
}
