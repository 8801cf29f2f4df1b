/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "commands.h"
#include "messages.h"
#include "progress.h"
#include "related_output.h"
#include "signals.h"
#include "store_choice.h"

enum { MOST_RESULTS = 1000 };

static pkin_related_options make_options(pkin_i_cli *cli, const pkin_i_settings *settings, int n_ids, char **ids) {
    pkin_related_options options = pkin_related_options_default();
    options.ids = (const char *const *)ids;
    options.n_ids = (size_t)n_ids;
    options.not_ids = settings->not_ids.items;
    options.n_not_ids = settings->not_ids.n;
    options.text = settings->text;
    options.since = settings->since;
    options.backend = settings->backend;
    options.n_threads = (int)settings->n_threads;
    options.on_progress = pkin_i_progress_on_step;
    options.progress_user = cli;
    if (settings->k) options.count = (uint32_t)settings->k;
    if (!isnan(settings->floor)) options.floor = settings->floor;
    if (!isnan(settings->diversity)) options.diversity = settings->diversity;
    if (!isnan(settings->not_weight)) options.unwanted_weight = settings->not_weight;
    return options;
}

/* Says what the text has that no paper has, and why there may be nothing to show. */
static void tell(pkin_i_cli *cli, const pkin_related *related, const pkin_related_options *options) {
    char papers[PKIN_I_COUNTED_BYTES];
    for (size_t w = 0; related->unknown_words && related->unknown_words[w]; w++) {
        pkin_i_cli_note(cli, "no paper of the store has the word \"%s\"", related->unknown_words[w]);
    }
    if (related->n_query == 0) {
        pkin_i_cli_note(cli, "nothing is left to look for: give other words, or a paper with an abstract");
        return;
    }
    pkin_i_cli_counted(related->n_papers, "paper", papers);
    if (related->n_items) {
        pkin_i_cli_line(cli, stderr, "the closest of %s", papers);
    } else {
        pkin_i_cli_line(cli, stderr, "none of %s reaches a cosine of %g", papers, options->floor);
    }
}

static int fail(pkin_i_cli *cli, pkin_status status) {
    int exit_code = pkin_i_cli_failed(cli, status);
    if (status == PKIN_ERROR_NOT_FOUND) {
        pkin_i_cli_note(cli, "to search by words: paperkin related --text \"WORDS OF A TITLE\"");
    }
    return exit_code;
}

static int find(pkin_i_cli *cli, const pkin_i_settings *settings, pkin_store *store, int n_ids, char **ids) {
    pkin_related_options options = make_options(cli, settings, n_ids, ids);
    pkin_related related = {0};
    pkin_i_signals_defer(true);
    pkin_status status = pkin_related_find(store, &options, &related);
    pkin_i_signals_defer(false);
    pkin_i_progress_erase(cli);
    int exit_code = status == PKIN_OK ? PKIN_I_EXIT_DONE : fail(cli, status);
    if (status == PKIN_OK) {
        pkin_i_related_answer answer = {&related, n_ids > 1, options.diversity < 1};
        if (settings->json) {
            pkin_i_related_print_json(&answer);
        } else {
            pkin_i_related_print(cli, &answer);
            fflush(stdout);
            tell(cli, &related, &options);
        }
    }
    pkin_related_free(&related);
    return exit_code;
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    pkin_store *store = NULL;
    if (n_operands == 0 && !settings->text) {
        return pkin_i_cli_misuse(cli, "nothing to look for: give the id of a paper, or --text");
    }
    pkin_status status = pkin_backend_check(settings->backend);
    if (status != PKIN_OK) return pkin_i_cli_failed(cli, status);
    if (pkin_i_store_choose(cli, settings->store, PKIN_I_STORE_READ, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    int exit_code = find(cli, settings, store, n_operands, operands);
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {
    PKIN_I_OPTION_STORE,
    {.name = "text",
     .letter = 't',
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "TEXT",
     PKIN_I_MEMBER(text),
     .help = "look for these words, alone or besides the papers: a few words of a title, or a whole abstract"},
    {.name = "not",
     .kind = PKIN_I_OPTION_TEXTS,
     .argument = "ID",
     PKIN_I_MEMBER(not_ids),
     .help = "a paper that is not meant: what it shares with the others counts less. May be given several times"},
    {.name = "not-weight",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "W",
     .minimum = 0,
     .maximum = 10,
     PKIN_I_MEMBER(not_weight),
     .help = "how much the papers that are not meant count; default 0.5"},
    {.name = "count",
     .letter = 'k',
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "K",
     .minimum = 1,
     .maximum = MOST_RESULTS,
     PKIN_I_MEMBER(k),
     .help = "papers at most; default 10"},
    {.name = "mmr",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(diversity),
     .help =
         "choose papers that differ from one another: the next is the one with the most of X times its closeness to "
         "the query minus (1 - X) times that to a paper above it (maximal marginal relevance). Default 1: by closeness "
         "alone; the lower, the more variety"},
    {.name = "floor",
     .kind = PKIN_I_OPTION_REAL,
     .argument = "X",
     .minimum = 0,
     .maximum = 1,
     PKIN_I_MEMBER(floor),
     .help = "the least cosine with the query; default 0.05"},
    {.name = "since",
     .kind = PKIN_I_OPTION_DATE,
     .argument = "D",
     PKIN_I_MEMBER(since),
     .help = "YYYY-MM-DD: only papers that came out on that day or later"},
    PKIN_I_OPTION_JSON,
    PKIN_I_OPTION_THREADS,
    PKIN_I_OPTION_OF_BACKEND,
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_related = {
    .name = "related",
    .usage = "[OPTION]... (ID... | --text TEXT)",
    .summary = "the papers of the store closest to papers or words",
    .description =
        "Searches the store for the papers closest to what is given: papers by their ids, words, or both; exactly, and "
        "over all papers. Each result says by which shared terms it was found, and what each adds to the cosine.\n"
        "ID is an arXiv id, with or without version, a DOI, a link or a key (\"arxiv:2512.11762\"). Words are read as "
        "those of papers are, English or Chinese; where a word stands in machine-written summaries alone, summaries "
        "are searched too.",
    .examples = "  paperkin related 2512.11762\n"
                "  paperkin related 2512.11762 2511.04321 --not 2510.00001 --mmr 0.7\n"
                "  paperkin related --text \"KV cache eviction for long context\" --since 2026-01-01\n",
    .options = options,
    .min_operands = 0,
    .max_operands = -1,
    .operand = "expected the id of a paper",
    .run = run,
};
