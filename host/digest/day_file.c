/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/day_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "base/file.h"

static int is_stream(const char *path) {
    return strcmp(path, "-") == 0;
}

pkin_status pkin_i_day_file_load(pkin_i_day_file *file) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_input_read_telling(file->path, &file->present, &file->is_compressed));
    if (file->present.n_bytes) file->format = pkin_i_format_detect(file->present.bytes, file->present.n_bytes);
out:
    return status;
}

/* Diagnostics name lines of the bytes without blocks; people look them up in the file as it is. */
typedef struct told_lines {
    pkin_i_blocks blocks;
    pkin_diagnostic_fn on_diagnostic;
    void *user;
} told_lines;

static void tell_line_of_file(void *user, const pkin_diagnostic *diagnostic) {
    const told_lines *told = user;
    pkin_diagnostic moved = *diagnostic;
    moved.line = pkin_i_blocks_line_before(&told->blocks, diagnostic->line);
    told->on_diagnostic(told->user, &moved);
}

pkin_status pkin_i_day_file_read(pkin_i_day_file *file, int n_threads, pkin_diagnostic_fn on_diagnostic,
                                 void *diagnostic_user) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer original = {0};
    pkin_read_options reading = pkin_read_options_default();
    reading.n_threads = n_threads;
    told_lines told = {.on_diagnostic = on_diagnostic, .user = diagnostic_user};
    if (on_diagnostic) reading.on_diagnostic = tell_line_of_file;
    reading.diagnostic_user = &told;
    PKIN_TRY(pkin_i_day_file_load(file));
    reading.format = file->format;
    if (reading.format == PKIN_FORMAT_MARKDOWN) {
        PKIN_TRY(pkin_i_blocks_find(file->present.bytes, file->present.n_bytes, &told.blocks));
    }
    if (reading.format == PKIN_FORMAT_UNKNOWN) {
        /* Nothing that could hold a block: the reader says what is wrong, or that there is no paper in it. */
        if (file->present.n_bytes) {
            PKIN_TRY(pkin_i_buffer_append(&original, file->present.bytes, file->present.n_bytes));
        }
    } else {
        PKIN_TRY(pkin_i_blocks_remove(file->present.bytes, file->present.n_bytes, reading.format, &original,
                                      &file->n_blocks));
    }
    PKIN_TRY(pkin_i_digest_content(file->present.bytes, file->present.n_bytes, file->content));
    PKIN_TRY(pkin_i_corpus_read_buffer(&original, file->path, &reading, &file->corpus));
    file->format = pkin_corpus_format(file->corpus);
    PKIN_TRY(pkin_i_day_file_find_repeats(file));
out:
    pkin_i_blocks_free(&told.blocks);
    pkin_i_buffer_free(&original);
    return status;
}

void pkin_i_day_file_free(pkin_i_day_file *file) {
    pkin_i_buffer_free(&file->present);
    pkin_corpus_free(file->corpus);
    pkin_i_free(file->out_path);
    pkin_i_free(file->paper_ids);
    pkin_i_free(file->first_records);
    *file = (pkin_i_day_file){0};
}

pkin_i_digest_identity pkin_i_day_file_identity(const pkin_i_day_file *file, const char *date, int same_day_only) {
    return (pkin_i_digest_identity){.name = pkin_i_base_name(file->path),
                                    .path = file->path,
                                    .content = {file->content[0], file->content[1]},
                                    .date = date,
                                    .same_day_only = same_day_only};
}

typedef struct listed_record {
    const char *key;
    uint64_t record;
} listed_record;

static int compare_listed(const void *left, const void *right) {
    const listed_record *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : (a->record > b->record) - (a->record < b->record);
}

pkin_status pkin_i_day_file_find_repeats(pkin_i_day_file *file) {
    pkin_status status = PKIN_OK;
    listed_record *listed = NULL;
    uint64_t n = pkin_corpus_size(file->corpus);
    PKIN_TRY(pkin_i_allocate(n, sizeof *listed, &listed));
    PKIN_TRY(pkin_i_allocate(n, sizeof *file->first_records, &file->first_records));
    for (uint64_t r = 0; r < n; r++) listed[r] = (listed_record){pkin_corpus_paper(file->corpus, r)->key, r};
    qsort(listed, n, sizeof *listed, compare_listed);
    for (uint64_t k = 0; k < n; k++) {
        int same = k > 0 && strcmp(listed[k].key, listed[k - 1].key) == 0;
        file->first_records[listed[k].record] = same ? file->first_records[listed[k - 1].record] : listed[k].record;
    }
out:
    pkin_i_free(listed);
    return status;
}

pkin_status pkin_i_day_file_ingest(pkin_store *store, pkin_i_day_file *file, const pkin_ingest_options *options) {
    pkin_status status = PKIN_OK;
    uint64_t n = pkin_corpus_size(file->corpus);
    pkin_i_digest_identity identity = pkin_i_day_file_identity(file, options->date, 0);
    PKIN_TRY(pkin_i_store_ingest_corpus(store, file->corpus, &identity, options, &file->ingest, &file->digest_id));
    PKIN_TRY(pkin_i_allocate(n, sizeof *file->paper_ids, &file->paper_ids));
    for (uint64_t r = 0; r < n; r++) {
        const char *key = pkin_corpus_paper(file->corpus, r)->key;
        PKIN_TRY(pkin_i_store_find_paper(store, key, &file->paper_ids[r]));
        PKIN_REQUIRE(file->paper_ids[r] != 0, PKIN_ERROR_INTERNAL, "%s: paper %s was ingested but is not in the store",
                     file->path, key);
    }
out:
    return status;
}

pkin_status pkin_i_check_destination(const pkin_digest_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(options->in_place || options->dry_run || (options->out_dir && *options->out_dir),
                 PKIN_ERROR_INVALID_ARGUMENT,
                 "nowhere to write: give an output folder, or ask for in place or a dry run");
out:
    return status;
}

/* "day.jsonl" for "day.jsonl.gz": the output is never compressed. Its length within `name`. */
static size_t name_without_compression(const char *name, int is_compressed) {
    static const char *const extensions[] = {".gz", ".zst", ".zstd"};
    size_t n = strlen(name);
    for (size_t e = 0; is_compressed && e < sizeof extensions / sizeof *extensions; e++) {
        size_t length = strlen(extensions[e]);
        if (n > length && pkin_i_ascii_equal_ignoring_case(name + n - length, extensions[e], length)) return n - length;
    }
    return n;
}

pkin_status pkin_i_day_file_place(pkin_i_day_file *file, const pkin_digest_options *options) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer path = {0};
    const char *name = pkin_i_base_name(file->path);
    int is_markdown = file->format == PKIN_FORMAT_MARKDOWN || file->format == PKIN_FORMAT_UNKNOWN;
    if (is_stream(file->path)) name = is_markdown ? "stdin.md" : "stdin.jsonl";
    if (options->in_place) {
        PKIN_REQUIRE(!is_stream(file->path), PKIN_ERROR_UNSUPPORTED,
                     "standard input cannot be replaced in place: give an output folder, or - for standard output");
        PKIN_REQUIRE(!file->is_compressed, PKIN_ERROR_UNSUPPORTED,
                     "%s is compressed and is not rewritten in place: give an output folder, or decompress it first",
                     file->path);
        PKIN_TRY(pkin_i_buffer_string(&path, file->path));
    } else if (options->out_dir && is_stream(options->out_dir)) {
        PKIN_TRY(pkin_i_buffer_string(&path, "-"));
    } else {
        const char *folder = options->out_dir ? options->out_dir : "";
        size_t n = strlen(folder);
        PKIN_TRY(pkin_i_buffer_string(&path, folder));
        if (n > 0 && folder[n - 1] != '/') PKIN_TRY(pkin_i_buffer_char(&path, '/'));
        PKIN_TRY(pkin_i_buffer_append(&path, name, name_without_compression(name, file->is_compressed)));
    }
    PKIN_TRY(pkin_i_copy_string(path.bytes, path.n_bytes, &file->out_path));
out:
    pkin_i_buffer_free(&path);
    return status;
}

int pkin_i_is_same_file(const char *a, const char *b) {
    struct stat first, second;
    if (is_stream(a) || is_stream(b) || stat(a, &first) != 0 || stat(b, &second) != 0) return 0;
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

pkin_status pkin_i_check_places(const pkin_i_day_file *files, size_t n_files, const pkin_digest_options *options) {
    pkin_status status = PKIN_OK;
    for (size_t i = 0; i < n_files; i++) {
        for (size_t j = 0; j < i; j++) {
            PKIN_REQUIRE(strcmp(files[i].path, files[j].path) != 0, PKIN_ERROR_INVALID_ARGUMENT,
                         "%s is given twice: give it once", files[i].path);
            PKIN_REQUIRE(options->dry_run || strcmp(files[i].out_path, files[j].out_path) != 0,
                         PKIN_ERROR_INVALID_ARGUMENT,
                         "%s and %s would both be written to %s: give them in separate runs with separate folders",
                         files[j].path, files[i].path, files[i].out_path);
        }
        for (size_t j = 0; j < n_files && !options->dry_run; j++) {
            int own = options->in_place && i == j;
            PKIN_REQUIRE(own || !pkin_i_is_same_file(files[i].out_path, files[j].path), PKIN_ERROR_INVALID_ARGUMENT,
                         "writing %s would replace the input %s: choose another output folder, or ask for in place",
                         files[i].out_path, files[j].path);
        }
    }
out:
    return status;
}

pkin_status pkin_i_day_file_write(const pkin_i_day_file *file, const pkin_i_buffer *text,
                                  const pkin_digest_options *options) {
    pkin_status status = PKIN_OK;
    int changed = text->n_bytes != file->present.n_bytes ||
                  (text->n_bytes && memcmp(text->bytes, file->present.bytes, text->n_bytes) != 0);
    if (options->dry_run) {
        if (options->on_text) {
            PKIN_TRY(pkin_i_unified_diff(file->path, &file->present, text, options->on_text, options->text_user));
        }
        goto out;
    }
    if (options->in_place && !changed) goto out;
    if (!options->in_place && !is_stream(options->out_dir)) PKIN_TRY(pkin_i_make_directories(options->out_dir));
    PKIN_TRY(pkin_i_file_write_atomic(file->out_path, text->n_bytes ? text->bytes : "", text->n_bytes));
out:
    return status;
}
