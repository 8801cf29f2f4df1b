/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.h"
#include "digest_summary.h"
#include "engine_options.h"
#include "json_out.h"
#include "messages.h"
#include "overwrite.h"
#include "progress.h"
#include "signals.h"
#include "store_choice.h"

static void write_diff(void *user, const char *bytes, size_t n_bytes) {
    pkin_i_progress_erase(user);
    fwrite(bytes, 1, n_bytes, stdout);
}

static int chosen_languages(const char *text) {
    if (!text || strcmp(text, "en") == 0) return PKIN_LANGUAGES_EN;
    return strcmp(text, "zh") == 0 ? PKIN_LANGUAGES_ZH : PKIN_LANGUAGES_BOTH;
}

static pkin_digest_options make_options(pkin_i_cli *cli, const pkin_i_settings *settings) {
    pkin_digest_options options = pkin_digest_options_default();
    options.out_dir = settings->out;
    options.in_place = settings->in_place;
    options.dry_run = settings->dry_run;
    options.languages = chosen_languages(settings->languages);
    if (settings->n_related != UINT64_MAX) options.n_related = (uint32_t)settings->n_related;
    if (!isnan(settings->related_floor)) options.related_floor = settings->related_floor;
    options.threads = settings->with_threads;
    options.novelty = !settings->no_novelty;
    options.date = settings->date;
    options.backend = settings->backend;
    options.n_threads = (int)settings->n_threads;
    options.on_diagnostic = pkin_i_cli_on_diagnostic;
    options.diagnostic_user = cli;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    options.on_text = settings->json ? NULL : write_diff; /* one JSON object is all that goes to standard output */
    options.text_user = cli;
    return options;
}

/* Exactly one place for the result, and nothing that contradicts itself. Returns the exit code. */
static int check(pkin_i_cli *cli, const pkin_i_settings *settings, int n_files, char **files) {
    int n_places = (settings->out != NULL) + (settings->in_place != 0) + (settings->dry_run != 0);
    if (n_places == 0) {
        return pkin_i_cli_misuse(cli, "say where the result goes: --out DIR, --in-place or --dry-run");
    }
    if (n_places > 1) return pkin_i_cli_misuse(cli, "--out, --in-place and --dry-run exclude one another");
    if (settings->date && n_files > 1) {
        return pkin_i_cli_misuse(cli, "--date is for a single file, found %d", n_files);
    }
    for (int k = 0; k < n_files && settings->in_place; k++) {
        if (strcmp(files[k], "-") == 0) return pkin_i_cli_misuse(cli, "standard input (-) cannot be changed in place");
    }
    return PKIN_I_EXIT_DONE;
}

/*
 * Whether a file of that name in the output folder may be written. Compressed files come out without the last extension
 * of their names; whether they are compressed is not known yet.
 */
static bool may_write(pkin_i_cli *cli, const pkin_i_settings *settings, const char *name, int n_files, char **files) {
    size_t n_bytes = strlen(settings->out) + strlen(name) + 2;
    char *path = pkin_i_cli_allocate(n_bytes, 1);
    snprintf(path, n_bytes, "%s/%s", settings->out, name);
    bool may = pkin_i_output_spares_store(cli, path, settings->store);
    char *dot = strrchr(path, '.');
    if (dot && (strcasecmp(dot, ".gz") == 0 || strcasecmp(dot, ".zst") == 0 || strcasecmp(dot, ".zstd") == 0)) {
        *dot = '\0';
        may = may && pkin_i_output_spares_store(cli, path, settings->store);
    }
    may = may && pkin_i_output_spares_inputs(cli, path, n_files, files);
    free(path);
    return may;
}

/* In place nothing but a digest is replaced, and a store is none. */
static bool may_write_all(pkin_i_cli *cli, const pkin_i_settings *settings, int n_files, char **files) {
    bool may = true;
    if (!settings->out || strcmp(settings->out, "-") == 0) return true;
    for (int k = 0; k < n_files && may; k++) {
        const char *slash = strrchr(files[k], '/');
        bool is_stream = strcmp(files[k], "-") == 0;
        may = may_write(cli, settings,
                        is_stream ? "stdin.md"
                        : slash   ? slash + 1
                                  : files[k],
                        n_files, files) &&
              (!is_stream || may_write(cli, settings, "stdin.jsonl", n_files, files));
    }
    return may;
}

/* ---- Taking blocks out again ------------------------------------------------------------------------------------ */

static void print_stripped(pkin_i_cli *cli, const pkin_i_settings *settings, char **files, const uint64_t *n_blocks,
                           int n_files) {
    if (settings->json) {
        pkin_i_json json;
        pkin_i_json_begin_answer(&json, "digest");
        pkin_i_json_flag(&json, "strip", true);
        pkin_i_json_flag(&json, "dry_run", settings->dry_run);
        pkin_i_json_begin_array(&json, "files");
        for (int k = 0; k < n_files; k++) {
            pkin_i_json_begin_object(&json, NULL);
            pkin_i_json_text(&json, "path", files[k]);
            pkin_i_json_count(&json, "blocks", n_blocks[k]);
            pkin_i_json_end_object(&json);
        }
        pkin_i_json_end_array(&json);
        pkin_i_json_end_answer(&json);
        return;
    }
    for (int k = 0; k < n_files; k++) {
        char blocks[PKIN_I_COUNTED_BYTES];
        pkin_i_cli_line(cli, settings->dry_run ? stderr : stdout, "%s: %s %s", files[k],
                        pkin_i_cli_counted(n_blocks[k], "block", blocks),
                        settings->dry_run ? "would be removed" : "removed");
    }
}

static int strip(pkin_i_cli *cli, const pkin_i_settings *settings, int n_files, char **files) {
    pkin_digest_options options = make_options(cli, settings);
    uint64_t *n_blocks = pkin_i_cli_allocate((size_t)n_files, sizeof *n_blocks);
    pkin_status status = PKIN_OK;
    for (int k = 0; k < n_files && status == PKIN_OK; k++) {
        status = pkin_digest_strip(files[k], &options, &n_blocks[k]);
    }
    int exit_code = PKIN_I_EXIT_DONE;
    if (status != PKIN_OK) {
        exit_code = pkin_i_cli_failed(cli, status);
    } else {
        print_stripped(cli, settings, files, n_blocks, n_files);
    }
    free(n_blocks);
    return exit_code;
}

/* ---- Annotating -------------------------------------------------------------------------------------------------- */

static void summarise(pkin_i_cli *cli, const pkin_i_settings *settings, pkin_store *store,
                      const pkin_digest_report *report, double seconds) {
    pkin_store_statistics facts = {0};
    if (pkin_store_describe(store, &facts) != PKIN_OK) facts.n_bytes = 0; /* the work itself is done */
    pkin_i_digest_summary summary = {.report = report,
                                     .store_path = pkin_i_store_path(settings->store),
                                     .n_store_bytes = facts.n_bytes,
                                     .destination = settings->out,
                                     .dry_run = settings->dry_run,
                                     .seconds = seconds};
    if (settings->json) {
        pkin_i_digest_summary_print_json(&summary);
    } else {
        pkin_i_digest_summary_print(cli, &summary, settings->dry_run ? stderr : stdout);
    }
}

static int annotate(pkin_i_cli *cli, const pkin_i_settings *settings, pkin_store *store, int n_files, char **files) {
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pkin_digest_options options = make_options(cli, settings);
    pkin_digest_report report = {0};
    pkin_i_signals_defer(true);
    pkin_status status = pkin_digest_run(store, (const char *const *)files, (size_t)n_files, &options, &report);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    int exit_code = cli->n_skipped ? PKIN_I_EXIT_SKIPPED : PKIN_I_EXIT_DONE;
    if (status == PKIN_OK) {
        pkin_i_cli_diagnostics_end(cli);
        summarise(cli, settings, store, &report, pkin_i_seconds_since(&began));
    } else {
        char files_text[PKIN_I_COUNTED_BYTES];
        exit_code = pkin_i_cli_failed(cli, status);
        if (report.n_files > 0 && !settings->dry_run) {
            pkin_i_cli_note(cli, "complete before that: %s", pkin_i_cli_counted(report.n_files, "file", files_text));
        }
    }
    pkin_digest_report_free(&report);
    return exit_code;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    int exit_code = check(cli, settings, n_operands, operands);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    if (!may_write_all(cli, settings, n_operands, operands)) return PKIN_I_EXIT_MISUSE;
    if (settings->strip) return strip(cli, settings, n_operands, operands);
    exit_code = pkin_i_engine_check(cli, settings, false);
    if (exit_code != PKIN_I_EXIT_DONE) return exit_code;
    pkin_store *store = NULL;
    pkin_i_store_use use = settings->dry_run ? PKIN_I_STORE_TRY : PKIN_I_STORE_REMEMBER;
    if (pkin_i_store_choose(cli, settings->store, use, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    exit_code = annotate(cli, settings, store, n_operands, operands);
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {
    PKIN_I_OPTION_STORE,
    {.name = "out",
     .letter = 'o',
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "DIR",
     PKIN_I_MEMBER(out),
     .help = "write the annotated files to this folder, under their own names"},
    {.name = "in-place",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(in_place),
     .help = "replace the files themselves, each at once and whole"},
    {.name = "dry-run",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(dry_run),
     .help = "write neither files nor store; show what would change as a diff"},
    {.name = "strip",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(strip),
     .help = "take paperkin's blocks out again, to the last byte; needs no store"},
    {.name = "lang",
     .kind = PKIN_I_OPTION_CHOICE,
     .argument = "L",
     .choices = "en|zh|both",
     PKIN_I_MEMBER(languages),
     .help = "language of the blocks: en (default), zh or both"},
    {.name = "related",
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 0,
     .maximum = 1000,
     PKIN_I_MEMBER(n_related),
     .help = "related papers for each paper, at most; default 5"},
    {.name = "related-floor",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(related_floor),
     .help = "the least cosine of a related paper; default 0.13"},
    {.name = "with-threads",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(with_threads),
     .help = "tell each paper's thread, and the threads of the day at the top; default: if the store has threads"},
    {.name = "without-threads",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 0,
     PKIN_I_MEMBER(with_threads),
     .help = "no threads, also if the store has some"},
    {.name = "without-novelty",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(no_novelty),
     .help = "do not tell how far papers are from all earlier ones"},
    PKIN_I_OPTION_OF_DATE,
    {.name = "json",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(json),
     .help = "print one JSON object instead of the summary; in a dry run instead of the diff too"},
    PKIN_I_OPTION_THREADS,
    PKIN_I_OPTION_OF_BACKEND,
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_digest = {
    .name = "digest",
    .usage = "(--out DIR | --in-place | --dry-run) [OPTION]... FILE...",
    .summary = "annotates digests: repeats, duplicates, threads, related papers",
    .description =
        "Remembers the papers of the files, compares them with one another and with everything remembered before, and "
        "writes each file again with a short block for each paper: where it was seen before, which papers are the same "
        "work or part of a series and why, its thread, how novel it is, and related papers.\n"
        "Markdown gets the block between marker comments, and one at the top with the threads of the day; JSON lines a "
        "member \"paperkin\"; every other byte stays. "
        "Running again replaces the blocks.",
    .examples = "  paperkin digest --store papers.db --out annotated 2026-01-05.md 2026-01-06.md\n"
                "  paperkin digest --dry-run 2026-01-06.md\n"
                "  paperkin digest --strip --in-place 2026-01-06.md\n",
    .options = options,
    .min_operands = 1,
    .max_operands = -1,
    .operand = "expected a digest to annotate",
    .run = run,
};
