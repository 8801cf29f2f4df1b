/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cluster_runs.h"
#include "json_out.h"
#include "messages.h"
#include "progress.h"
#include "signals.h"
#include "store_choice.h"
#include "thread_output.h"

void pkin_i_cluster_tell(pkin_i_cli *cli, const pkin_i_cluster_counts *counts) {
    char papers[PKIN_I_COUNTED_BYTES], threads[PKIN_I_COUNTED_BYTES], fields[PKIN_I_COUNTED_BYTES],
        most[PKIN_I_COUNT_BYTES];
    double share = counts->n_papers ? 100.0 * (double)counts->n_outliers / (double)counts->n_papers : 0;
    pkin_i_cli_counted(counts->n_papers, counts->unit, papers);
    if (!counts->n_threads) {
        pkin_i_cli_line(cli, stderr, "%s: no threads: nowhere are enough of them close to each other", papers);
        return;
    }
    pkin_i_cli_line(cli, stderr, "%s: %s in %s, %.0f%% in none; the largest has %s", papers,
                    pkin_i_cli_counted(counts->n_threads, "thread", threads),
                    pkin_i_cli_counted(counts->n_fields, "field", fields), share,
                    pkin_i_cli_count(counts->largest, most));
}

static void print_update_json(const pkin_i_settings *settings, const pkin_threads_report *report) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "cluster");
    pkin_i_json_text(&json, "store", pkin_i_store_path(settings->store));
    pkin_i_json_text(&json, "date", report->date);
    pkin_i_json_flag(&json, "dry_run", settings->dry_run);
    pkin_i_json_count(&json, "papers", report->n_papers);
    pkin_i_json_count(&json, "outliers", report->n_outliers);
    pkin_i_json_count(&json, "threads", report->n_threads);
    pkin_i_json_count(&json, "fields", report->n_fields);
    pkin_i_json_count(&json, "largest_thread", report->largest_thread);
    pkin_i_thread_events_json(&json, report->events, report->n_events);
    pkin_i_json_begin_object(&json, "seconds");
    pkin_i_json_real(&json, "load", report->seconds_load, 3);
    pkin_i_json_real(&json, "neighbors", report->seconds_neighbors, 3);
    pkin_i_json_real(&json, "clusters", report->seconds_clusters, 3);
    pkin_i_json_real(&json, "labels", report->seconds_labels, 3);
    pkin_i_json_real(&json, "match", report->seconds_match, 3);
    pkin_i_json_real(&json, "save", report->seconds_save, 3);
    pkin_i_json_end_object(&json);
    pkin_i_json_end_answer(&json);
}

static void print_update(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_threads_report *report) {
    pkin_i_thread_update_print(cli, report, settings->dry_run ? "; a dry run, the store was not changed" : "");
    pkin_i_cluster_counts counts = {.n_papers = report->n_papers,
                                    .n_threads = report->n_threads,
                                    .n_fields = report->n_fields,
                                    .n_outliers = report->n_outliers,
                                    .largest = report->largest_thread,
                                    .unit = "paper"};
    pkin_i_cluster_tell(cli, &counts);
}

int pkin_i_cluster_store(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_topics_options *topics) {
    pkin_store *store = NULL;
    pkin_threads_report report = {0};
    pkin_threads_options options = pkin_threads_options_default();
    options.topics = topics;
    if (settings->window_days != UINT64_MAX) options.window_days = (uint32_t)settings->window_days;
    options.date = settings->date;
    options.backend = settings->backend;
    options.dry_run = settings->dry_run;
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    if (access(pkin_i_store_path(settings->store), F_OK) != 0) {
        pkin_i_cli_error(
            cli, "%s: there is no store; `paperkin digest` or `paperkin ingest` make one. To cluster files, name them",
            pkin_i_store_path(settings->store));
        return PKIN_I_EXIT_FAILURE;
    }
    pkin_i_store_use use = settings->dry_run ? PKIN_I_STORE_READ : PKIN_I_STORE_REMEMBER;
    if (pkin_i_store_choose(cli, settings->store, use, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    pkin_i_signals_defer(true);
    pkin_status status = pkin_threads_update(store, &options, &report);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    int exit_code = status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
    if (status == PKIN_OK && settings->json) {
        print_update_json(settings, &report);
    } else if (status == PKIN_OK) {
        print_update(cli, settings, &report);
    }
    pkin_threads_report_free(&report);
    pkin_store_close(store);
    return exit_code;
}
