/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_summary.h"

#include <string.h>

#include "json_out.h"
#include "messages.h"
#include "table.h"

typedef enum column_use {
    IN_TABLE,
    IN_TABLE_IF_ANY,
    IN_TABLE_BESIDE_SKIPPED, /* records are told only beside skipped ones: else they would be taken for papers */
    IN_JSON_ALONE
} column_use;

/* The counts of a file's report that are told and summed up, in the order of their columns. */
typedef struct count_column {
    const char *key; /* in JSON */
    const char *heading;
    size_t offset;
    column_use use;
} count_column;

#define COLUMN(key_text, heading_text, member, where)                                                                  \
    { key_text, heading_text, offsetof(pkin_digest_file_report, member), where }

static const count_column columns[] = {COLUMN("records", "records", n_records, IN_TABLE_BESIDE_SKIPPED),
                                       COLUMN("skipped", "skipped", n_skipped, IN_TABLE_BESIDE_SKIPPED),
                                       COLUMN("papers", "papers", n_papers, IN_TABLE),
                                       COLUMN("repeats", "repeats", n_repeats, IN_TABLE),
                                       COLUMN("repeats_inside", "listed\ntwice", n_repeats_inside, IN_TABLE_IF_ANY),
                                       COLUMN("new_versions", "new\nversions", n_new_versions, IN_TABLE),
                                       COLUMN("same_work", "same\nwork", n_same_work, IN_TABLE),
                                       COLUMN("probably_same", "probably\nsame", n_probably_same, IN_TABLE),
                                       COLUMN("series_parts", "series", n_series_parts, IN_TABLE),
                                       COLUMN("sisters", "sister", n_sisters, IN_TABLE),
                                       COLUMN("with_related", "with\nrelated", n_with_related, IN_TABLE),
                                       COLUMN("related_links", "links", n_related_links, IN_JSON_ALONE)};

enum { N_COLUMNS = sizeof columns / sizeof *columns, SKIPPED_COLUMN = 1 };

static uint64_t count_of(const pkin_digest_file_report *file, size_t column) {
    return *(const uint64_t *)((const char *)file + columns[column].offset);
}

static uint64_t total_of(const pkin_digest_report *report, size_t column) {
    uint64_t total = 0;
    for (size_t k = 0; k < report->n_files; k++) total += count_of(&report->files[k], column);
    return total;
}

static bool is_shown(const pkin_digest_report *report, size_t column) {
    switch (columns[column].use) {
    case IN_TABLE:
        return true;
    case IN_TABLE_IF_ANY:
        return total_of(report, column) > 0;
    case IN_TABLE_BESIDE_SKIPPED:
        return total_of(report, SKIPPED_COLUMN) > 0;
    case IN_JSON_ALONE:
        break;
    }
    return false;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static pkin_i_table *make_table(const pkin_digest_report *report) {
    const char *headings[2 + N_COLUMNS] = {"file", "date"};
    size_t n_headings = 2;
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (is_shown(report, c)) headings[n_headings++] = columns[c].heading;
    }
    pkin_i_table *table = pkin_i_table_new(headings, n_headings, ~3u);
    for (size_t k = 0; k < report->n_files; k++) {
        pkin_i_table_text(table, base_name(report->files[k].path));
        pkin_i_table_text(table, report->files[k].date);
        for (size_t c = 0; c < N_COLUMNS; c++) {
            if (is_shown(report, c)) pkin_i_table_count(table, count_of(&report->files[k], c));
        }
    }
    if (report->n_files < 2) return table;
    pkin_i_table_rule(table);
    pkin_i_table_text(table, "total");
    pkin_i_table_text(table, "");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (is_shown(report, c)) pkin_i_table_count(table, total_of(report, c));
    }
    return table;
}

static size_t n_changed(const pkin_digest_report *report) {
    size_t n = 0;
    for (size_t k = 0; k < report->n_files; k++) n += report->files[k].changed != 0;
    return n;
}

/* How many files went where. */
static void print_destination(pkin_i_cli *cli, const pkin_i_digest_summary *summary, FILE *stream) {
    char files[PKIN_I_COUNTED_BYTES], changed[PKIN_I_COUNT_BYTES];
    pkin_i_cli_counted(summary->report->n_files, "file", files);
    pkin_i_cli_count(n_changed(summary->report), changed);
    if (summary->dry_run) {
        pkin_i_cli_line(cli, stream, "dry run: %s of %s would change; nothing was written", changed, files);
    } else if (summary->destination) {
        pkin_i_cli_line(cli, stream, "%s written to %s", files, summary->destination);
    } else {
        pkin_i_cli_line(cli, stream, "%s of %s changed in place", changed, files);
    }
}

enum { SECONDS_BYTES = 32 };

/* ", threads 1.52"; nothing for a step that was left out. */
static const char *told_seconds(const char *step, double seconds, char buffer[SECONDS_BYTES]) {
    buffer[0] = '\0';
    if (seconds > 0) snprintf(buffer, SECONDS_BYTES, ", %s %.2f", step, seconds);
    return buffer;
}

/* "threads: 87 of 120 papers are in 34 threads, 3 of them new" */
static void print_threads(pkin_i_cli *cli, const pkin_digest_report *report, FILE *stream) {
    char threads[PKIN_I_COUNTED_BYTES], inside[PKIN_I_COUNT_BYTES], papers[PKIN_I_COUNTED_BYTES];
    char fresh[PKIN_I_COUNT_BYTES];
    if (!report->with_threads) return;
    pkin_i_cli_counted(report->n_threads_today, "thread", threads);
    pkin_i_cli_counted(report->n_papers_today, "paper", papers);
    pkin_i_cli_count(report->n_in_threads, inside);
    pkin_i_cli_count(report->n_new_threads, fresh);
    pkin_i_cli_line(cli, stream, "threads: %s of %s in %s, %s of them new", inside, papers, threads, fresh);
}

void pkin_i_digest_summary_print(pkin_i_cli *cli, const pkin_i_digest_summary *summary, FILE *stream) {
    const pkin_digest_report *report = summary->report;
    if (cli->quiet) return;
    pkin_i_table *table = make_table(report);
    pkin_i_table_print(table, stream, stream == stdout ? cli->color_output : cli->color_errors);
    pkin_i_table_free(table);
    fputc('\n', stream);
    print_destination(cli, summary, stream);
    char papers[PKIN_I_COUNTED_BYTES], size[PKIN_I_COUNT_BYTES];
    pkin_i_cli_counted(report->n_store_papers, "paper", papers);
    if (summary->dry_run) {
        pkin_i_cli_line(cli, stream, "compared with %s", papers);
    } else {
        pkin_i_cli_line(cli, stream, "store %s: %s, %s", summary->store_path, papers,
                        pkin_i_cli_bytes(summary->n_store_bytes, size));
    }
    char threads[SECONDS_BYTES], novelty[SECONDS_BYTES];
    print_threads(cli, report, stream);
    pkin_i_cli_line(cli, stream, "%.2f s: reading %.2f, vectors %.2f, similarity %.2f%s%s, writing %.2f",
                    summary->seconds, report->seconds_ingest, report->seconds_vectors, report->seconds_similarity,
                    told_seconds("threads", report->seconds_threads, threads),
                    told_seconds("novelty", report->seconds_novelty, novelty), report->seconds_write);
}

static void write_threads(pkin_i_json *json, uint64_t n_in_threads, uint64_t n_threads, uint64_t n_new) {
    pkin_i_json_count(json, "in_threads", n_in_threads);
    pkin_i_json_count(json, "threads", n_threads);
    pkin_i_json_count(json, "new_threads", n_new);
}

static void write_file(pkin_i_json *json, const pkin_digest_file_report *file) {
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_text(json, "path", file->path);
    pkin_i_json_text(json, "out_path", file->out_path);
    pkin_i_json_text(json, "format", pkin_format_name(file->format));
    pkin_i_json_text(json, "date", file->date);
    pkin_i_json_flag(json, "changed", file->changed);
    for (size_t c = 0; c < N_COLUMNS; c++) pkin_i_json_count(json, columns[c].key, count_of(file, c));
    write_threads(json, file->n_in_threads, file->n_threads_today, file->n_new_threads);
    pkin_i_json_end_object(json);
}

void pkin_i_digest_summary_print_json(const pkin_i_digest_summary *summary) {
    const pkin_digest_report *report = summary->report;
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "digest");
    pkin_i_json_flag(&json, "dry_run", summary->dry_run);
    pkin_i_json_text(&json, "store", summary->store_path);
    pkin_i_json_count(&json, "store_papers", report->n_store_papers);
    pkin_i_json_count(&json, "store_bytes", summary->n_store_bytes);
    pkin_i_json_begin_array(&json, "files");
    for (size_t k = 0; k < report->n_files; k++) write_file(&json, &report->files[k]);
    pkin_i_json_end_array(&json);
    pkin_i_json_begin_object(&json, "totals");
    for (size_t c = 0; c < N_COLUMNS; c++) pkin_i_json_count(&json, columns[c].key, total_of(report, c));
    write_threads(&json, report->n_in_threads, report->n_threads_today, report->n_new_threads);
    pkin_i_json_end_object(&json);
    pkin_i_json_begin_object(&json, "seconds");
    pkin_i_json_real(&json, "total", summary->seconds, 3);
    pkin_i_json_real(&json, "ingest", report->seconds_ingest, 3);
    pkin_i_json_real(&json, "vectors", report->seconds_vectors, 3);
    pkin_i_json_real(&json, "similarity", report->seconds_similarity, 3);
    pkin_i_json_real(&json, "threads", report->seconds_threads, 3);
    pkin_i_json_real(&json, "novelty", report->seconds_novelty, 3);
    pkin_i_json_real(&json, "write", report->seconds_write, 3);
    pkin_i_json_end_object(&json);
    pkin_i_json_end_answer(&json);
}
