/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SciPy's `.npz` for CSR matrices: a zip archive of the arrays `indices`, `indptr`, `format`, `shape` and `data`.
 * Source: scipy.sparse.save_npz and load_npz. Files come from strangers: nothing in them is believed.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/file.h"
#include "vector/matrix.h"
#include "vector/npy.h"
#include "vector/zip.h"

/* ---- Reading ---- */

/* The archive's arrays, each unpacked into a buffer of its own. */
typedef struct npz_arrays {
    pkin_i_buffer buffers[5];
    pkin_i_npy format, shape, indptr, indices, data;
} npz_arrays;

static pkin_status read_array(const pkin_i_buffer *file, const char *path, const char *name, pkin_i_buffer *buffer,
                              pkin_i_npy *out) {
    pkin_status status;
    pkin_i_zip_member member;
    pkin_i_buffer what = {0};
    PKIN_TRY(pkin_i_zip_find(file->bytes, file->n_bytes, path, name, &member));
    PKIN_TRY(pkin_i_zip_unpack(&member, path, buffer));
    PKIN_TRY(pkin_i_buffer_printf(&what, "%s: %s", path, name));
    PKIN_TRY(pkin_i_npy_parse(buffer->bytes, buffer->n_bytes, what.bytes, out));
out:
    pkin_i_buffer_free(&what);
    return status;
}

/* Whether the string array says `text`; NumPy pads strings with NULs. */
static bool says(const pkin_i_npy *array, const char *text) {
    size_t width = array->kind == 'U' ? 4 : 1, length = strlen(text);
    if ((array->kind != 'S' && array->kind != 'U') || array->n_items != 1) return false;
    if (array->item_bytes < length * width) return false;
    for (size_t k = 0; k < array->item_bytes; k++) {
        char expected = k % width == 0 && k / width < length ? text[k / width] : '\0';
        if (array->items[k] != expected) return false;
    }
    return true;
}

static bool holds_integers(const pkin_i_npy *array) {
    return array->kind == 'i' || array->kind == 'u';
}

static pkin_status read_arrays(const pkin_i_buffer *file, const char *path, npz_arrays *arrays) {
    pkin_status status = read_array(file, path, "format.npy", &arrays->buffers[0], &arrays->format);
    if (status == PKIN_ERROR_NOT_FOUND) {
        return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s: no sparse matrix; write it with scipy.sparse.save_npz", path);
    }
    if (status != PKIN_OK) return status;
    PKIN_REQUIRE(says(&arrays->format, "csr"), PKIN_ERROR_UNSUPPORTED,
                 "%s: not in CSR form; convert it with scipy.sparse.save_npz(path, matrix.tocsr())", path);
    PKIN_TRY(read_array(file, path, "shape.npy", &arrays->buffers[1], &arrays->shape));
    PKIN_TRY(read_array(file, path, "indptr.npy", &arrays->buffers[2], &arrays->indptr));
    PKIN_TRY(read_array(file, path, "indices.npy", &arrays->buffers[3], &arrays->indices));
    PKIN_TRY(read_array(file, path, "data.npy", &arrays->buffers[4], &arrays->data));
    PKIN_REQUIRE(holds_integers(&arrays->shape) && holds_integers(&arrays->indptr) && holds_integers(&arrays->indices),
                 PKIN_ERROR_CORRUPT, "%s: shape, indptr and indices must be integers", path);
    PKIN_REQUIRE(arrays->data.kind != 'S' && arrays->data.kind != 'U', PKIN_ERROR_CORRUPT, "%s: data must be numbers",
                 path);
out:
    return status == PKIN_ERROR_NOT_FOUND ? pkin_i_fail(PKIN_ERROR_CORRUPT, "%s", pkin_last_error()) : status;
}

static pkin_status read_shape(const npz_arrays *arrays, const char *path, pkin_matrix *matrix) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(arrays->shape.n_items == 2 && pkin_i_npy_unsigned(&arrays->shape, 0, &matrix->n_rows) &&
                     pkin_i_npy_unsigned(&arrays->shape, 1, &matrix->n_columns),
                 PKIN_ERROR_CORRUPT, "%s: shape must be rows and columns", path);
    PKIN_REQUIRE(matrix->n_columns <= UINT32_MAX, PKIN_ERROR_UNSUPPORTED, "%s: %llu columns; 2^32 - 1 can be read",
                 path, (unsigned long long)matrix->n_columns);
    PKIN_REQUIRE(arrays->indptr.n_items > 0 && arrays->indptr.n_items - 1 == matrix->n_rows, PKIN_ERROR_CORRUPT,
                 "%s: %llu rows, but indptr has %llu items", path, (unsigned long long)matrix->n_rows,
                 (unsigned long long)arrays->indptr.n_items);
out:
    return status;
}

static pkin_status read_offsets(const npz_arrays *arrays, const char *path, pkin_matrix *matrix) {
    pkin_status status;
    uint64_t n_rows = matrix->n_rows, *offsets, previous = 0;
    PKIN_TRY(pkin_i_allocate(n_rows + 1, sizeof *matrix->row_offsets, &matrix->row_offsets));
    offsets = matrix->row_offsets;
    for (uint64_t r = 0; r <= n_rows; r++) {
        PKIN_REQUIRE(pkin_i_npy_unsigned(&arrays->indptr, r, &offsets[r]) && offsets[r] >= previous, PKIN_ERROR_CORRUPT,
                     "%s: indptr does not ascend at row %llu", path, (unsigned long long)r);
        previous = offsets[r];
    }
    PKIN_REQUIRE(offsets[0] == 0 && offsets[n_rows] <= arrays->indices.n_items &&
                     arrays->indices.n_items == arrays->data.n_items,
                 PKIN_ERROR_CORRUPT, "%s: indptr from %llu to %llu, with %llu indices and %llu items of data", path,
                 (unsigned long long)offsets[0], (unsigned long long)offsets[n_rows],
                 (unsigned long long)arrays->indices.n_items, (unsigned long long)arrays->data.n_items);
out:
    return status;
}

typedef struct npz_entry {
    uint32_t column;
    double value;
} npz_entry;

/* Stable, so that duplicates are summed in the order of the file. Merge sort; short runs by insertion. */
static void sort_entries(npz_entry *entries, uint64_t n, npz_entry *spare) {
    if (n <= 16) {
        for (uint64_t k = 1; k < n; k++) {
            npz_entry entry = entries[k];
            uint64_t at = k;
            for (; at > 0 && entries[at - 1].column > entry.column; at--) entries[at] = entries[at - 1];
            entries[at] = entry;
        }
        return;
    }
    uint64_t middle = n / 2, left = 0, right = middle, to = 0;
    sort_entries(entries, middle, spare);
    sort_entries(entries + middle, n - middle, spare);
    memcpy(spare, entries, middle * sizeof *entries);
    while (left < middle && right < n) {
        entries[to++] = entries[right].column < spare[left].column ? entries[right++] : spare[left++];
    }
    memcpy(entries + to, spare + left, (middle - left) * sizeof *entries);
}

/* Entries [begin, end) of the file, checked; *sorted receives whether their columns ascend strictly. */
static pkin_status read_row(const npz_arrays *arrays, const char *path, uint64_t n_columns, uint64_t row,
                            uint64_t begin, uint64_t end, npz_entry *entries, bool *sorted) {
    pkin_status status = PKIN_OK;
    uint64_t previous = 0;
    *sorted = true;
    for (uint64_t k = begin; k < end; k++) {
        uint64_t column;
        double value = pkin_i_npy_double(&arrays->data, k);
        PKIN_REQUIRE(pkin_i_npy_unsigned(&arrays->indices, k, &column) && column < n_columns, PKIN_ERROR_CORRUPT,
                     "%s: row %llu names a column outside the matrix", path, (unsigned long long)row);
        PKIN_REQUIRE(value >= 0 && isfinite(value), PKIN_ERROR_INVALID_ARGUMENT,
                     "%s: row %llu has the value %g in column %llu; values must be finite and not negative", path,
                     (unsigned long long)row, value, (unsigned long long)column);
        if (k > begin && column <= previous) *sorted = false;
        previous = column;
        entries[k - begin] = (npz_entry){(uint32_t)column, value};
    }
out:
    return status;
}

/* Appends a row's entries at *at: duplicates summed, zeros left out. */
static pkin_status append_row(const npz_entry *entries, uint64_t n, const char *path, uint64_t row, uint64_t *at,
                              pkin_matrix *matrix) {
    for (uint64_t k = 0; k < n;) {
        uint32_t column = entries[k].column;
        double value = 0;
        for (; k < n && entries[k].column == column; k++) value += entries[k].value;
        if (!isfinite(value)) {
            return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                               "%s: row %llu: the sum of column %lu's duplicates overflows", path,
                               (unsigned long long)row, (unsigned long)column);
        }
        if (value == 0) continue;
        matrix->columns[*at] = column;
        matrix->values[(*at)++] = value;
    }
    return PKIN_OK;
}

static pkin_status read_entries(const npz_arrays *arrays, const char *path, pkin_matrix *matrix) {
    pkin_status status;
    npz_entry *entries = NULL, *spare = NULL;
    uint64_t *offsets = matrix->row_offsets, n_longest = 0, at = 0, begin = 0;
    for (uint64_t r = 0; r < matrix->n_rows; r++) {
        n_longest = offsets[r + 1] - offsets[r] > n_longest ? offsets[r + 1] - offsets[r] : n_longest;
    }
    PKIN_TRY(pkin_i_allocate(offsets[matrix->n_rows], sizeof *matrix->columns, &matrix->columns));
    PKIN_TRY(pkin_i_allocate(offsets[matrix->n_rows], sizeof *matrix->values, &matrix->values));
    PKIN_TRY(pkin_i_allocate(n_longest, sizeof *entries, &entries));
    PKIN_TRY(pkin_i_allocate(n_longest, sizeof *spare, &spare));
    for (uint64_t r = 0; r < matrix->n_rows; r++) {
        uint64_t end = offsets[r + 1];
        bool sorted;
        PKIN_TRY(read_row(arrays, path, matrix->n_columns, r, begin, end, entries, &sorted));
        if (!sorted) sort_entries(entries, end - begin, spare);
        PKIN_TRY(append_row(entries, end - begin, path, r, &at, matrix));
        offsets[r + 1] = at; /* the file's own offset is in `end`, and begins the next row */
        begin = end;
    }
out:
    pkin_i_free(entries);
    pkin_i_free(spare);
    return status;
}

/* ---- Ids and terms, one a line ---- */

/* "dir/X.npz" and ".ids.txt" give "dir/X.ids.txt". */
static pkin_status beside(const char *path, const char *suffix, pkin_i_buffer *out) {
    pkin_status status;
    size_t n = strlen(path);
    if (n >= 4 && strcmp(path + n - 4, ".npz") == 0) n -= 4;
    PKIN_TRY(pkin_i_buffer_append(out, path, n));
    PKIN_TRY(pkin_i_buffer_string(out, suffix));
out:
    return status;
}

/* Cuts the text, which is empty or ends with \n, into lines in place: lines[l] are NUL-terminated. False: not n lines.
 */
static bool cut_lines(pkin_i_buffer *text, uint64_t n, const char **lines) {
    char *next = text->bytes, *end = text->bytes + text->n_bytes;
    uint64_t n_cut = 0;
    for (; next < end && n_cut < n; n_cut++) {
        char *line_end = (char *)memchr(next, '\n', (size_t)(end - next));
        lines[n_cut] = next;
        next = line_end + 1;
        *line_end = '\0';
        if (line_end > lines[n_cut] && line_end[-1] == '\r') line_end[-1] = '\0';
    }
    return n_cut == n && next == end;
}

static const char *get_line(const void *user, uint64_t s) {
    return ((const char *const *)user)[s];
}

/* A name too long for the file system is no file's. */
static bool is_missing(const char *path) {
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG);
}

/* Takes up the file's lines where there are exactly `n`; otherwise, and where there is no file, `out` stays empty. */
static pkin_status read_lines(const char *path, const char *suffix, uint64_t n, pkin_i_string_table *out) {
    pkin_status status;
    pkin_i_buffer name = {0}, text = {0};
    const char **lines = NULL;
    PKIN_TRY(beside(path, suffix, &name));
    if (is_missing(name.bytes)) goto out;
    PKIN_TRY(pkin_i_file_read(name.bytes, &text));
    /* A NUL of the file's own would end a line early; fewer bytes than lines are settled before asking for memory. */
    if (text.n_bytes > 0 && memchr(text.bytes, '\0', text.n_bytes)) goto out;
    if (text.n_bytes > 0 && text.bytes[text.n_bytes - 1] != '\n') PKIN_TRY(pkin_i_buffer_char(&text, '\n'));
    if (text.n_bytes < n) goto out;
    PKIN_TRY(pkin_i_allocate(n, sizeof *lines, &lines));
    if (cut_lines(&text, n, lines)) PKIN_TRY(pkin_i_string_table_build(n, get_line, lines, out));
out:
    pkin_i_free((void *)lines);
    pkin_i_buffer_free(&text);
    pkin_i_buffer_free(&name);
    return status;
}

pkin_status pkin_matrix_read_npz(const char *path, pkin_matrix **out) {
    pkin_status status;
    pkin_i_buffer file = {0};
    npz_arrays arrays;
    pkin_matrix *matrix = NULL;
    memset(&arrays, 0, sizeof arrays);
    if (out) *out = NULL;
    PKIN_REQUIRE(path && out, PKIN_ERROR_INVALID_ARGUMENT, "npz: a path and a place for the matrix are needed");
    PKIN_TRY(pkin_i_file_read(path, &file));
    PKIN_TRY(read_arrays(&file, path, &arrays));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *matrix, &matrix));
    PKIN_TRY(read_shape(&arrays, path, matrix));
    PKIN_TRY(read_offsets(&arrays, path, matrix));
    PKIN_TRY(read_entries(&arrays, path, matrix));
    PKIN_TRY(read_lines(path, ".ids.txt", matrix->n_rows, &matrix->ids));
    PKIN_TRY(read_lines(path, ".terms.txt", matrix->n_columns, &matrix->terms));
    *out = matrix;
    matrix = NULL;
out:
    for (int b = 0; b < 5; b++) pkin_i_buffer_free(&arrays.buffers[b]);
    pkin_i_buffer_free(&file);
    pkin_matrix_free(matrix);
    return status;
}

/* ---- Writing ---- */

/*
 * The strings one a line; control characters, which cannot occur in ids and terms, would be spaces. Where there are
 * none, a file left by an earlier matrix of the same name is removed: its lines would be taken for this matrix's.
 */
static pkin_status write_lines(const pkin_i_string_table *table, const char *path, const char *suffix) {
    pkin_status status;
    pkin_i_buffer name = {0}, text = {0};
    if (strcmp(path, "-") == 0) return PKIN_OK; /* beside standard output there is no place */
    PKIN_TRY(beside(path, suffix, &name));
    if (!table->offsets) {
        unlink(name.bytes);
        goto out;
    }
    for (uint64_t s = 0; s < table->n_strings; s++) {
        PKIN_TRY(pkin_i_buffer_escaped(&text, PKIN_ESCAPE_TSV, table->bytes + table->offsets[s]));
        PKIN_TRY(pkin_i_buffer_char(&text, '\n'));
    }
    PKIN_TRY(pkin_i_file_write_atomic(name.bytes, text.bytes ? text.bytes : "", text.n_bytes));
out:
    pkin_i_buffer_free(&text);
    pkin_i_buffer_free(&name);
    return status;
}

static pkin_status append_integers(pkin_i_buffer *out, const uint64_t *wide, const uint32_t *narrow, uint64_t n,
                                   size_t item_bytes) {
    size_t n_bytes;
    if (!pkin_i_multiply(n, item_bytes, &n_bytes)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "npz: too many entries");
    pkin_status status = pkin_i_buffer_reserve(out, n_bytes);
    for (uint64_t k = 0; k < n && status == PKIN_OK; k++) {
        char item[8];
        uint64_t value = wide ? wide[k] : narrow[k];
        for (size_t b = 0; b < item_bytes; b++) item[b] = (char)(value >> (8 * b) & 0xFF);
        status = pkin_i_buffer_append(out, item, item_bytes);
    }
    return status;
}

/* Item type of indices and offsets: SciPy wants both alike. */
static size_t index_bytes(const pkin_matrix *matrix) {
    return matrix->n_columns <= INT32_MAX && matrix->row_offsets[matrix->n_rows] <= INT32_MAX ? 4 : 8;
}

static pkin_status write_index_array(pkin_i_zip_writer *writer, const char *name, const pkin_matrix *matrix,
                                     const uint64_t *wide, const uint32_t *narrow, uint64_t n) {
    pkin_status status;
    size_t item_bytes = index_bytes(matrix);
    PKIN_TRY(pkin_i_zip_begin_member(writer, name));
    PKIN_TRY(pkin_i_npy_header(item_bytes == 4 ? "<i4" : "<i8", n, 1, &writer->archive));
    PKIN_TRY(append_integers(&writer->archive, wide, narrow, n, item_bytes));
    PKIN_TRY(pkin_i_zip_end_member(writer, name));
out:
    return status;
}

static pkin_status write_format(pkin_i_zip_writer *writer) {
    pkin_status status;
    PKIN_TRY(pkin_i_zip_begin_member(writer, "format.npy"));
    PKIN_TRY(pkin_i_npy_header("|S3", 1, 0, &writer->archive));
    PKIN_TRY(pkin_i_buffer_string(&writer->archive, "csr"));
    PKIN_TRY(pkin_i_zip_end_member(writer, "format.npy"));
out:
    return status;
}

static pkin_status write_shape(pkin_i_zip_writer *writer, const pkin_matrix *matrix) {
    pkin_status status;
    uint64_t shape[2] = {matrix->n_rows, matrix->n_columns};
    PKIN_TRY(pkin_i_zip_begin_member(writer, "shape.npy"));
    PKIN_TRY(pkin_i_npy_header("<i8", 2, 1, &writer->archive));
    PKIN_TRY(append_integers(&writer->archive, shape, NULL, 2, 8));
    PKIN_TRY(pkin_i_zip_end_member(writer, "shape.npy"));
out:
    return status;
}

static pkin_status write_data(pkin_i_zip_writer *writer, const pkin_matrix *matrix) {
    pkin_status status;
    uint64_t n = matrix->row_offsets[matrix->n_rows];
    PKIN_TRY(pkin_i_zip_begin_member(writer, "data.npy"));
    PKIN_TRY(pkin_i_npy_header("<f8", n, 1, &writer->archive));
    for (uint64_t k = 0; k < n; k++) {
        uint64_t bits;
        memcpy(&bits, &matrix->values[k], sizeof bits);
        PKIN_TRY(append_integers(&writer->archive, &bits, NULL, 1, 8));
    }
    PKIN_TRY(pkin_i_zip_end_member(writer, "data.npy"));
out:
    return status;
}

pkin_status pkin_matrix_write_npz(const pkin_matrix *matrix, const char *path) {
    pkin_status status;
    pkin_i_zip_writer writer;
    memset(&writer, 0, sizeof writer);
    PKIN_REQUIRE(matrix && path, PKIN_ERROR_INVALID_ARGUMENT, "npz: a matrix and a path are needed");
    const uint64_t n_entries = matrix->row_offsets[matrix->n_rows];
    PKIN_TRY(write_index_array(&writer, "indices.npy", matrix, NULL, matrix->columns, n_entries));
    PKIN_TRY(write_index_array(&writer, "indptr.npy", matrix, matrix->row_offsets, NULL, matrix->n_rows + 1));
    PKIN_TRY(write_format(&writer));
    PKIN_TRY(write_shape(&writer, matrix));
    PKIN_TRY(write_data(&writer, matrix));
    PKIN_TRY(pkin_i_zip_finish(&writer));
    PKIN_TRY(write_lines(&matrix->ids, path, ".ids.txt"));
    PKIN_TRY(write_lines(&matrix->terms, path, ".terms.txt"));
    PKIN_TRY(pkin_i_file_write_atomic(path, writer.archive.bytes, writer.archive.n_bytes));
out:
    pkin_i_zip_writer_free(&writer);
    return status;
}
