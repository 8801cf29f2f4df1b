/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failure.h"
#include "digest/annotate.h"
#include "digest/day_file.h"

pkin_digest_options pkin_digest_options_default(void) {
    return (pkin_digest_options){.size = sizeof(pkin_digest_options),
                                 .languages = PKIN_LANGUAGES_EN,
                                 .n_related = 5,
                                 .related_floor = 0.13,
                                 .threads = -1,
                                 .novelty = 1};
}

/* Everything of one run; steps fill it from top to bottom. */
typedef struct digest_run {
    pkin_store *store;
    pkin_digest_options *options;
    pkin_i_day_file *files;
    size_t n_files;     /* files that could be read; those behind them are not looked at */
    int in_transaction; /* dry run: everything is undone at the end */
    uint32_t *rows;     /* today's distinct papers, ascending rows of the history */
    size_t n_rows;
    pkin_i_history history;
    pkin_i_kinship kinship;
    pkin_i_placement placement;
    pkin_digest_report *report;
} digest_run;

static pkin_status check_run_options(const pkin_digest_options *options, const char *const *paths, size_t n_paths) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_check_destination(options));
    PKIN_REQUIRE(n_paths > 0 && paths, PKIN_ERROR_INVALID_ARGUMENT, "no digest was given: name at least one file");
    for (size_t f = 0; f < n_paths; f++) {
        PKIN_REQUIRE(paths[f] && *paths[f], PKIN_ERROR_INVALID_ARGUMENT, "file %zu has no name", f + 1);
    }
    PKIN_REQUIRE(!options->date || n_paths == 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "a date was given with %zu files: give it with one file at a time, or name the files by their dates",
                 n_paths);
    PKIN_REQUIRE(options->languages >= PKIN_LANGUAGES_EN && options->languages <= PKIN_LANGUAGES_BOTH,
                 PKIN_ERROR_INVALID_ARGUMENT, "languages is %d, expected one of PKIN_LANGUAGES_*", options->languages);
    PKIN_REQUIRE(options->related_floor >= 0 && options->related_floor <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "the floor of related papers is %g, expected a cosine in [0, 1]", options->related_floor);
    PKIN_REQUIRE(options->threads >= -1 && options->threads <= 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "threads is %d, expected -1 (where the store has them), 0 or 1", options->threads);
    PKIN_REQUIRE(options->novelty == 0 || options->novelty == 1, PKIN_ERROR_INVALID_ARGUMENT,
                 "novelty is %d, expected 0 or 1", options->novelty);
out:
    return status;
}

static pkin_status tell_progress(const digest_run *run, const char *stage, uint64_t done, uint64_t total) {
    const pkin_digest_options *options = run->options;
    if (options->on_progress && options->on_progress(options->progress_user, stage, done, total)) {
        return pkin_i_fail(PKIN_ERROR_CANCELLED, "cancelled while %s", stage);
    }
    return PKIN_OK;
}

/* Faults of one file: those before it are still worth finishing. */
static int is_fault_of_file(pkin_status status) {
    return status == PKIN_ERROR_IO || status == PKIN_ERROR_NOT_A_DIGEST || status == PKIN_ERROR_CORRUPT ||
           status == PKIN_ERROR_NOT_FOUND;
}

/* Reads files up to the first that cannot be read; `*failure` says what was wrong with it. */
static pkin_status read_files(digest_run *run, const char *const *paths, size_t n_paths, pkin_status *failure) {
    pkin_status status = PKIN_OK;
    const pkin_digest_options *options = run->options;
    PKIN_TRY(pkin_i_allocate_zeroed(n_paths, sizeof *run->files, &run->files));
    for (size_t f = 0; f < n_paths; f++) {
        pkin_i_day_file *file = &run->files[f];
        file->path = paths[f];
        PKIN_TRY(tell_progress(run, "reading", f, n_paths));
        status = pkin_i_day_file_read(file, options->n_threads, options->on_diagnostic, options->diagnostic_user);
        if (status != PKIN_OK) {
            pkin_i_day_file_free(file);
            if (!is_fault_of_file(status)) goto out;
            *failure = status;
            status = PKIN_OK;
            break;
        }
        run->n_files++;
        PKIN_TRY(pkin_i_day_file_place(file, options));
    }
    PKIN_TRY(pkin_i_check_places(run->files, run->n_files, options));
out:
    return status;
}

static pkin_status ingest_files(digest_run *run) {
    pkin_status status = PKIN_OK;
    const pkin_digest_options *options = run->options;
    double begin = pkin_i_seconds_now();
    pkin_ingest_options ingest = pkin_ingest_options_default();
    ingest.date = options->date;
    ingest.background = 0; /* what is annotated is a digest, whatever its form */
    ingest.n_threads = options->n_threads;
    ingest.on_diagnostic = options->on_diagnostic;
    ingest.diagnostic_user = options->diagnostic_user;
    ingest.on_progress = options->on_progress;
    ingest.progress_user = options->progress_user;
    if (options->dry_run) {
        PKIN_TRY(pkin_i_store_begin(run->store));
        run->in_transaction = 1;
    }
    for (size_t f = 0; f < run->n_files; f++) PKIN_TRY(pkin_i_day_file_ingest(run->store, &run->files[f], &ingest));
    run->report->seconds_ingest = pkin_i_seconds_now() - begin;
out:
    return status;
}

static int compare_rows(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The rows of today's distinct papers over all files. */
static pkin_status collect_rows(digest_run *run) {
    pkin_status status = PKIN_OK;
    size_t capacity = 0, n = 0;
    for (size_t f = 0; f < run->n_files; f++) {
        const pkin_i_day_file *file = &run->files[f];
        for (uint64_t r = 0; r < pkin_corpus_size(file->corpus); r++) {
            if (file->first_records[r] != r) continue;
            uint32_t row = pkin_i_history_row(&run->history, file->paper_ids[r]);
            PKIN_REQUIRE(row != UINT32_MAX, PKIN_ERROR_INTERNAL, "%s: a paper of this digest is not in the history",
                         file->path);
            PKIN_TRY(pkin_i_grow(&run->rows, &capacity, n + 1, sizeof *run->rows));
            run->rows[n++] = row;
        }
    }
    if (n > 1) qsort(run->rows, n, sizeof *run->rows, compare_rows);
    for (size_t k = 0; k < n; k++) {
        if (k == 0 || run->rows[k] != run->rows[k - 1]) run->rows[run->n_rows++] = run->rows[k];
    }
out:
    return status;
}

/* From here on options->threads is 0 or 1. */
static pkin_status decide_threads(digest_run *run) {
    bool has_threads = false;
    pkin_status status = PKIN_OK;
    if (run->options->threads >= 0) goto out;
    PKIN_TRY(pkin_i_store_has_threads(run->store, &has_threads));
    run->options->threads = has_threads;
out:
    return status;
}

static pkin_status keep_findings(digest_run *run) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_kinship_save(&run->kinship, &run->history));
    PKIN_TRY(pkin_i_placement_save(&run->placement));
out:
    return status;
}

static pkin_status compare_papers(digest_run *run) {
    pkin_status status = PKIN_OK;
    double begin = pkin_i_seconds_now();
    PKIN_TRY(decide_threads(run));
    PKIN_TRY(pkin_i_history_load(run->store, run->options->n_threads, &run->history));
    run->report->n_store_papers = run->history.n_papers;
    PKIN_TRY(collect_rows(run));
    run->report->n_papers_today = run->n_rows;
    double loaded = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_kinship_find(&run->history, run->rows, run->n_rows, run->options, &run->kinship));
    run->report->seconds_vectors = loaded - begin + run->kinship.seconds_vectors;
    run->report->seconds_similarity = run->kinship.seconds_similarity;
    PKIN_TRY(pkin_i_placement_find(&run->history, run->rows, run->n_rows, run->options, &run->placement));
    if (!run->options->dry_run) PKIN_TRY(keep_findings(run));
    run->report->seconds_threads = run->placement.seconds_threads;
    run->report->seconds_novelty = run->placement.seconds_novelty;
out:
    return status;
}

static void count_annotation(const pkin_i_annotation *annotation, pkin_digest_file_report *report) {
    int has[PKIN_VERDICT_RELATED + 1] = {0};
    report->n_papers += !annotation->listed_above;
    report->n_new_versions += annotation->is_new_version != 0;
    report->n_repeats += annotation->n_seen && !annotation->is_new_version;
    report->n_repeats_inside += annotation->listed_above != 0;
    for (size_t v = 0; v < annotation->n_verdicts; v++) has[annotation->verdicts[v].judgement->verdict] = 1;
    report->n_same_work += (uint64_t)has[PKIN_VERDICT_SAME_WORK];
    report->n_probably_same += (uint64_t)has[PKIN_VERDICT_PROBABLY_SAME];
    report->n_series_parts += (uint64_t)has[PKIN_VERDICT_SERIES_PART];
    report->n_sisters += (uint64_t)has[PKIN_VERDICT_SISTER];
    report->n_with_related += annotation->n_related > 0;
    report->n_related_links += annotation->n_related;
}

static pkin_status annotate_record(digest_run *run, const pkin_i_day_file *file, uint64_t r, pkin_i_arena *arena,
                                   pkin_i_annotator *annotator, pkin_digest_file_report *report) {
    pkin_status status = PKIN_OK;
    const pkin_paper *record = pkin_corpus_paper(file->corpus, r);
    uint64_t listed_above = file->first_records[r] != r ? file->first_records[r] + 1 : 0;
    pkin_i_sightings sightings = {0};
    pkin_i_annotation annotation = {0};
    uint32_t row = pkin_i_history_row(&run->history, file->paper_ids[r]);
    if (!listed_above) {
        PKIN_TRY(pkin_i_store_sightings(run->store, file->paper_ids[r], file->digest_id, arena, &sightings));
    }
    PKIN_TRY(pkin_i_annotation_build(&run->history, record, listed_above, file->ingest.date, &sightings,
                                     pkin_i_kinship_subject(&run->kinship, row), arena, &annotation));
    PKIN_TRY(pkin_i_placement_describe(&run->placement, row, file->ingest.date, arena, &annotation));
    count_annotation(&annotation, report);
    PKIN_TRY(pkin_i_annotator_insert(annotator, record, &annotation));
out:
    return status;
}

static void free_file_report(pkin_digest_file_report *report) {
    pkin_i_free(report->path);
    pkin_i_free(report->out_path);
    *report = (pkin_digest_file_report){0};
}

static pkin_status start_file_report(const pkin_i_day_file *file, int dry_run, pkin_digest_file_report *report) {
    pkin_status status = PKIN_OK;
    const char *out_path = dry_run ? "" : file->out_path;
    *report = (pkin_digest_file_report){.format = file->format,
                                        .n_records = pkin_corpus_size(file->corpus),
                                        .n_skipped = pkin_corpus_n_skipped(file->corpus)};
    memcpy(report->date, file->ingest.date, sizeof report->date);
    PKIN_TRY(pkin_i_copy_string(file->path, strlen(file->path), &report->path));
    PKIN_TRY(pkin_i_copy_string(out_path, strlen(out_path), &report->out_path));
out:
    return status;
}

/* Once a file: a feed that has such members has them everywhere. */
static void tell_foreign_member(const digest_run *run, const pkin_i_day_file *file, uint64_t line) {
    pkin_diagnostic diagnostic = {
        .file = file->path,
        .line = line,
        .reason =
            "the record has a member \"paperkin\" that paperkin did not write; it, and any later one like it, stays "
            "without annotation"};
    if (line && run->options->on_diagnostic) run->options->on_diagnostic(run->options->diagnostic_user, &diagnostic);
}

static pkin_status annotate_file(digest_run *run, const pkin_i_day_file *file, pkin_digest_file_report *report) {
    pkin_status status = PKIN_OK;
    pkin_i_arena arena = {0};
    pkin_i_buffer text = {0};
    pkin_i_day_threads threads = {0};
    pkin_i_annotator annotator = {.format = file->format, .languages = run->options->languages, .out = &text};
    annotator.bytes = pkin_corpus_bytes(file->corpus, &annotator.n_bytes);
    PKIN_TRY(start_file_report(file, run->options->dry_run, report));
    PKIN_TRY(pkin_i_day_threads_find(&run->placement, file, &arena, &threads));
    report->n_in_threads = threads.n_inside;
    report->n_threads_today = threads.n_items;
    report->n_new_threads = threads.n_new;
    PKIN_TRY(pkin_i_annotator_insert_section(&annotator, &threads, file));
    for (uint64_t r = 0; r < pkin_corpus_size(file->corpus); r++) {
        PKIN_TRY(annotate_record(run, file, r, &arena, &annotator, report));
    }
    PKIN_TRY(pkin_i_annotator_finish(&annotator));
    tell_foreign_member(run, file, annotator.foreign_line);
    report->changed = text.n_bytes != file->present.n_bytes ||
                      (text.n_bytes && memcmp(text.bytes, file->present.bytes, text.n_bytes) != 0);
    PKIN_TRY(pkin_i_day_file_write(file, &text, run->options));
out:
    pkin_i_buffer_free(&text);
    pkin_i_arena_free(&arena);
    return status;
}

/* Each paper and each thread once, in however many of the files they are. */
static pkin_status count_threads(digest_run *run) {
    enum { IS_TODAY = 1, IS_NEW = 2 };
    const pkin_i_placement *placement = &run->placement;
    pkin_digest_report *report = run->report;
    pkin_status status = PKIN_OK;
    unsigned char *seen = NULL; /* by thread */
    pkin_i_thread_line line;
    if (!placement->has_threads) goto out;
    report->with_threads = 1;
    PKIN_TRY(pkin_i_allocate_zeroed(placement->threads.stored.n_rows, 1, &seen));
    for (size_t k = 0; k < run->n_rows; k++) {
        uint32_t thread = placement->threads.thread_of_row[run->rows[k]];
        if (thread == UINT32_MAX) continue;
        report->n_in_threads++;
        seen[thread] |= IS_TODAY;
        for (size_t f = 0; f < run->n_files; f++) {
            (void)pkin_i_placement_thread(placement, run->rows[k], run->files[f].ingest.date, &line);
            if (line.is_new) seen[thread] |= IS_NEW;
        }
    }
    for (size_t t = 0; t < placement->threads.stored.n_rows; t++) {
        report->n_threads_today += (seen[t] & IS_TODAY) != 0;
        report->n_new_threads += (seen[t] & IS_NEW) != 0;
    }
out:
    pkin_i_free(seen);
    return status;
}

static pkin_status annotate_files(digest_run *run) {
    pkin_status status = PKIN_OK;
    double begin = pkin_i_seconds_now();
    pkin_digest_report *report = run->report;
    PKIN_TRY(count_threads(run));
    PKIN_TRY(pkin_i_allocate_zeroed(run->n_files, sizeof *report->files, &report->files));
    for (size_t f = 0; f < run->n_files; f++) {
        PKIN_TRY(tell_progress(run, "writing", f, run->n_files));
        status = annotate_file(run, &run->files[f], &report->files[f]);
        if (status != PKIN_OK) {
            free_file_report(&report->files[f]);
            goto out;
        }
        report->n_files++;
    }
    PKIN_TRY(tell_progress(run, "writing", run->n_files, run->n_files));
out:
    report->seconds_write = pkin_i_seconds_now() - begin;
    return status;
}

static void digest_run_free(digest_run *run) {
    /* Ends before the history is freed: its vocabulary is the store's. */
    if (run->in_transaction) (void)pkin_i_store_end(run->store, 0);
    pkin_i_placement_free(&run->placement);
    pkin_i_kinship_free(&run->kinship);
    pkin_i_history_free(&run->history);
    for (size_t f = 0; f < run->n_files; f++) pkin_i_day_file_free(&run->files[f]);
    pkin_i_free(run->files);
    pkin_i_free(run->rows);
}

pkin_status pkin_digest_run(pkin_store *store, const char *const *paths, size_t n_paths,
                            const pkin_digest_options *options, pkin_digest_report *report) {
    pkin_status status = PKIN_OK, failure = PKIN_OK;
    pkin_digest_options taken = pkin_digest_options_default();
    digest_run run = {.store = store, .options = &taken, .report = report};
    char *message = NULL;
    if (report) *report = (pkin_digest_report){0};
    PKIN_REQUIRE(store && options && report, PKIN_ERROR_INVALID_ARGUMENT,
                 "pkin_digest_run: a store, options and a report are needed");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_digest_options"));
    PKIN_TRY(check_run_options(&taken, paths, n_paths));
    PKIN_TRY(read_files(&run, paths, n_paths, &failure));
    if (failure != PKIN_OK) PKIN_TRY(pkin_i_copy_string(pkin_last_error(), strlen(pkin_last_error()), &message));
    if (run.n_files > 0) {
        PKIN_TRY(ingest_files(&run));
        PKIN_TRY(compare_papers(&run));
        PKIN_TRY(annotate_files(&run));
    }
    if (failure != PKIN_OK) status = pkin_i_fail(failure, "%s", message);
out:
    digest_run_free(&run);
    pkin_i_free(message);
    return status;
}

void pkin_digest_report_free(pkin_digest_report *report) {
    if (!report) return;
    for (size_t f = 0; f < report->n_files; f++) free_file_report(&report->files[f]);
    pkin_i_free(report->files);
    *report = (pkin_digest_report){0};
}
