/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "base/file.h"
#include "digest/annotation.h"
#include "digest/day_file.h"

pkin_gate_options pkin_gate_options_default(void) {
    return (pkin_gate_options){.size = sizeof(pkin_gate_options), .new_versions = PKIN_NEW_VERSIONS_KEEP, .record = 1};
}

typedef enum novelty { NOVELTY_NEW, NOVELTY_NEW_VERSION, NOVELTY_REPEAT } novelty;

static novelty novelty_of(unsigned version, const pkin_i_sightings *sightings) {
    if (sightings->n_items == 0) return NOVELTY_NEW;
    return pkin_i_is_new_version(version, sightings) ? NOVELTY_NEW_VERSION : NOVELTY_REPEAT;
}

static int is_wanted(novelty kind, pkin_new_versions policy) {
    if (kind == NOVELTY_NEW) return policy != PKIN_NEW_VERSIONS_ONLY;
    return kind == NOVELTY_NEW_VERSION && policy != PKIN_NEW_VERSIONS_DROP;
}

/* Copies a record's line with its line end, whatever that is. A line that had none gets one when another follows. */
static pkin_status copy_line(const pkin_i_buffer *input, const pkin_paper *record, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    const char *begin = input->bytes + record->begin;
    const char *end = memchr(input->bytes + record->end, '\n', input->n_bytes - (size_t)record->end);
    size_t n_bytes = end ? (size_t)(end - begin) + 1 : input->n_bytes - (size_t)record->begin;
    if (out->n_bytes > 3 && out->bytes[out->n_bytes - 1] != '\n') PKIN_TRY(pkin_i_buffer_char(out, '\n'));
    PKIN_TRY(pkin_i_buffer_append(out, begin, n_bytes));
out:
    return status;
}

/* A byte order mark belongs to the file, not to the first line, which may be left out. */
static pkin_status copy_mark(const pkin_i_buffer *input, pkin_i_buffer *out) {
    static const char mark[] = "\xEF\xBB\xBF";
    return input->n_bytes >= 3 && memcmp(input->bytes, mark, 3) == 0 ? pkin_i_buffer_append(out, mark, 3) : PKIN_OK;
}

/* What one gate holds from reading to writing. */
typedef struct gate {
    pkin_store *store;
    const pkin_gate_options *options;
    pkin_i_day_file file;
    pkin_i_digest_identity identity;
    int64_t before; /* the digest's row id, INT64_MAX while it has none: it would come last */
    pkin_gate_report report;
    pkin_i_buffer out;
} gate;

/* What the earlier digests know of a record's paper. */
static pkin_status judge_record(gate *work, const pkin_paper *record, pkin_i_arena *arena, novelty *kind) {
    pkin_status status = PKIN_OK;
    int64_t paper_id = 0;
    pkin_i_sightings sightings = {0};
    PKIN_TRY(pkin_i_store_find_paper(work->store, record->key, &paper_id));
    if (paper_id) {
        PKIN_TRY(pkin_i_store_sightings_before(work->store, paper_id, work->report.date, work->identity.name,
                                               work->before, arena, &sightings));
    }
    *kind = novelty_of(record->version, &sightings);
out:
    return status;
}

static pkin_status count_and_copy(gate *work) {
    pkin_status status = PKIN_OK;
    const pkin_i_day_file *file = &work->file;
    pkin_gate_report *report = &work->report;
    pkin_i_arena arena = {0};
    novelty kind = NOVELTY_NEW;
    PKIN_TRY(copy_mark(&file->present, &work->out));
    for (uint64_t r = 0; r < report->n_records; r++) {
        const pkin_paper *record = pkin_corpus_paper(file->corpus, r);
        if (file->first_records[r] != r) {
            report->n_repeats_inside++;
            continue;
        }
        report->n_papers++;
        PKIN_TRY(judge_record(work, record, &arena, &kind));
        report->n_new += kind == NOVELTY_NEW;
        report->n_new_versions += kind == NOVELTY_NEW_VERSION;
        report->n_repeats += kind == NOVELTY_REPEAT;
        if (!is_wanted(kind, work->options->new_versions)) continue;
        report->n_written++;
        PKIN_TRY(copy_line(&file->present, record, &work->out));
    }
out:
    pkin_i_arena_free(&arena);
    return status;
}

/*
 * Reads the papers of the bytes as they are: lines go through to the byte, also those that hold a member of an earlier
 * annotation.
 */
static pkin_status read_lines(pkin_i_day_file *file, const pkin_gate_options *options) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer bytes = {0};
    pkin_read_options reading = pkin_read_options_default();
    reading.n_threads = options->n_threads;
    reading.on_diagnostic = options->on_diagnostic;
    reading.diagnostic_user = options->diagnostic_user;
    PKIN_TRY(pkin_i_day_file_load(file));
    reading.format = file->format;
    PKIN_REQUIRE(
        file->format != PKIN_FORMAT_MARKDOWN, PKIN_ERROR_UNSUPPORTED,
        "%s is a digest in Markdown; the gate reads the JSON lines of the crawl, before a digest is made of them",
        file->path);
    if (file->present.n_bytes) PKIN_TRY(pkin_i_buffer_append(&bytes, file->present.bytes, file->present.n_bytes));
    PKIN_TRY(pkin_i_digest_content(file->present.bytes, file->present.n_bytes, file->content));
    PKIN_TRY(pkin_i_corpus_read_buffer(&bytes, file->path, &reading, &file->corpus));
    file->format = pkin_corpus_format(file->corpus);
    PKIN_TRY(pkin_i_day_file_find_repeats(file));
out:
    pkin_i_buffer_free(&bytes);
    return status;
}

static pkin_status check_gate_options(const pkin_store *store, const char *path, const char *out_path,
                                      const pkin_gate_options *options, const pkin_gate_report *report) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(store && path && out_path && report, PKIN_ERROR_INVALID_ARGUMENT,
                 "pkin_gate_run: a store, an input, an output and a report are needed");
    PKIN_REQUIRE((unsigned)options->new_versions <= PKIN_NEW_VERSIONS_ONLY, PKIN_ERROR_INVALID_ARGUMENT,
                 "new_versions is %d, expected one of PKIN_NEW_VERSIONS_*", (int)options->new_versions);
    PKIN_REQUIRE(!pkin_i_is_same_file(path, out_path), PKIN_ERROR_INVALID_ARGUMENT,
                 "writing %s would replace the input: choose another output", out_path);
out:
    return status;
}

static pkin_status remember(gate *work) {
    pkin_ingest_options ingest = pkin_ingest_options_default();
    ingest.date = work->options->date;
    ingest.background = 0; /* today's papers are listed, whatever their form */
    ingest.n_threads = work->options->n_threads;
    return pkin_i_store_ingest_corpus(work->store, work->file.corpus, &work->identity, &ingest, NULL, NULL);
}

static int is_standard_output(const char *out_path) {
    return strcmp(out_path, "-") == 0;
}

static pkin_status write_lines(const gate *work, const char *out_path) {
    return pkin_i_file_write_atomic(out_path, work->out.n_bytes ? work->out.bytes : "", work->out.n_bytes);
}

/*
 * One transaction, so that two gates at a time cannot both call a paper new. A digest not yet recorded is asked about
 * as the last of its day, which is what it becomes: before and after it is remembered the answer is the same.
 */
static pkin_status run_in_transaction(gate *work, const char *out_path) {
    pkin_status status = PKIN_OK;
    const pkin_corpus *corpus = work->file.corpus;
    PKIN_TRY(pkin_i_store_find_digest(work->store, &work->identity, work->report.date, &work->before));
    pkin_i_digest_tell_clock(&work->identity, work->report.date, work->before, work->options->on_diagnostic,
                             work->options->diagnostic_user);
    if (work->before == 0) work->before = INT64_MAX;
    work->report.n_records = pkin_corpus_size(corpus);
    work->report.n_skipped = pkin_corpus_n_skipped(corpus);
    PKIN_TRY(count_and_copy(work));
    if (work->options->record) PKIN_TRY(remember(work));
    if (!is_standard_output(out_path)) PKIN_TRY(write_lines(work, out_path));
out:
    return status;
}

pkin_status pkin_gate_run(pkin_store *store, const char *path, const char *out_path, const pkin_gate_options *options,
                          pkin_gate_report *report) {
    pkin_status status = PKIN_OK;
    pkin_gate_options taken = pkin_gate_options_default();
    gate work = {.store = store, .options = &taken, .file = {.path = path}};
    int begun = 0;
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_gate_options"));
    PKIN_TRY(check_gate_options(store, path, out_path, &taken, report));
    PKIN_TRY(read_lines(&work.file, &taken));
    work.identity = pkin_i_day_file_identity(&work.file, taken.date, 1);
    PKIN_TRY(pkin_i_store_begin(store));
    begun = 1;
    PKIN_TRY(run_in_transaction(&work, out_path));
    begun = 0;
    PKIN_TRY(pkin_i_store_end(store, taken.record != 0));
    /* Behind the transaction: whoever reads the pipe may be slow, and the store must not be locked meanwhile. Should
       the write fail nothing is lost, since asking again about the same digest gives the same lines. */
    if (is_standard_output(out_path)) PKIN_TRY(write_lines(&work, out_path));
    *report = work.report;
out:
    if (begun) (void)pkin_i_store_end(store, 0);
    pkin_i_day_file_free(&work.file);
    pkin_i_buffer_free(&work.out);
    return status;
}
