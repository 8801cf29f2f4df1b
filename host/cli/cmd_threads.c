/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "messages.h"
#include "store_choice.h"
#include "table.h"
#include "thread_output.h"

enum { DEFAULT_BINS = 10, DEFAULT_COUNT = 20, N_EVENTS_SHOWN = 12, MOST_DAYS = 36500 };

/* --since: "30d" or "YYYY-MM-DD". */
static bool read_since(pkin_i_cli *cli, const char *text, pkin_threads_query *query) {
    size_t n_digits = strspn(text, "0123456789");
    unsigned long days = strtoul(text, NULL, 10);
    bool is_days = n_digits > 0 && n_digits < 6 && strcmp(text + n_digits, "d") == 0 && days <= MOST_DAYS;
    if (is_days) {
        query->since_days = (uint32_t)days;
    } else if (strlen(text) == 10 && n_digits == 4) {
        query->since = text; /* the library says what is wrong with it */
    } else {
        pkin_i_cli_misuse(cli, "--since: expected days as in 30d, or a date YYYY-MM-DD, found \"%s\"", text);
        return false;
    }
    return true;
}

/* ---- For people -------------------------------------------------------------------------------------------------- */

static const char *shown_label(const pkin_thread *thread) {
    return *thread->label ? thread->label : *thread->label_chinese ? thread->label_chinese : "(no label)";
}

static void add_thread(pkin_i_table *table, const pkin_thread *thread, const pkin_threads *threads) {
    char age[PKIN_I_AGE_BYTES], *bars = pkin_i_cli_allocate(threads->n_bins + 1, 3);
    pkin_i_bars(thread->counts, threads->n_bins, bars);
    pkin_i_table_text(table, thread->id);
    pkin_i_table_count(table, thread->n_since);
    pkin_i_table_text(table, bars);
    pkin_i_table_count(table, thread->n_papers);
    pkin_i_table_text(table, *thread->ended ? "ended" : pkin_i_age(thread->first_day, threads->until, age));
    pkin_i_table_text(table, shown_label(thread));
    free(bars);
}

/* Threads or fields, as many as asked for. */
static void print_level(pkin_i_cli *cli, const pkin_threads *threads, bool fields, uint64_t n_max) {
    static const char *const headings[] = {"thread", "new", "when", "papers", "age", "about"};
    static const char *const field_headings[] = {"field", "new", "when", "papers", "age", "about"};
    pkin_i_table *table = pkin_i_table_new(fields ? field_headings : headings, sizeof headings / sizeof *headings,
                                           1u << 1 | 1u << 3 | 1u << 4);
    uint64_t n_shown = 0, n_left = 0;
    for (size_t k = 0; k < threads->n_items; k++) {
        const pkin_thread *thread = &threads->items[k];
        if (!thread->is_field == fields || (thread->n_since == 0 && !*thread->ended)) continue;
        if (n_shown == n_max) {
            n_left++;
            continue;
        }
        add_thread(table, thread, threads);
        n_shown++;
    }
    pkin_i_table_fit(table, 5);
    if (n_shown) pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
    if (n_left) {
        char text[PKIN_I_COUNTED_BYTES];
        printf("and %s more that grew; --count shows more\n",
               pkin_i_cli_counted(n_left, fields ? "field" : "thread", text));
    }
    if (n_shown) putchar('\n');
}

static uint64_t n_alive(const pkin_threads *threads, bool fields) {
    uint64_t n = 0;
    for (size_t k = 0; k < threads->n_items; k++)
        n += !threads->items[k].is_field != fields && !*threads->items[k].ended;
    return n;
}

static void print_overview(pkin_i_cli *cli, const pkin_i_settings *settings, const pkin_threads *threads) {
    char n_threads[PKIN_I_COUNTED_BYTES], n_fields[PKIN_I_COUNTED_BYTES], n_papers[PKIN_I_COUNTED_BYTES];
    uint64_t count = settings->k ? settings->k : DEFAULT_COUNT;
    printf("%s to %s: %s", threads->since, threads->until, pkin_i_cli_counted(threads->n_papers, "paper", n_papers));
    if (threads->n_papers) {
        printf(", %.0f%% of them in no thread", 100.0 * (double)threads->n_outliers / (double)threads->n_papers);
    }
    printf("; %s in %s\n\n", pkin_i_cli_counted(n_alive(threads, false), "thread", n_threads),
           pkin_i_cli_counted(n_alive(threads, true), "field", n_fields));
    print_level(cli, threads, false, count);
    print_level(cli, threads, true, count);
    pkin_i_thread_events_print(threads->events, threads->n_events, N_EVENTS_SHOWN);
}

static const pkin_thread *find_thread(const pkin_threads *threads, const char *id) {
    for (size_t k = 0; k < threads->n_items; k++) {
        if (strcmp(threads->items[k].id, id) == 0) return &threads->items[k];
    }
    return NULL;
}

static void print_line(const char *name, const char *value) {
    if (!*value) return;
    printf("%-10s  ", name);
    pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, value);
    putchar('\n');
}

/* One thread with its papers: those that stand for it, then the latest first. */
static void print_thread(const pkin_threads *threads, const pkin_thread *thread) {
    char papers[PKIN_I_COUNT_BYTES], since[PKIN_I_COUNT_BYTES];
    char *bars = pkin_i_cli_allocate(threads->n_bins + 1, 3);
    const pkin_thread *field = find_thread(threads, thread->field);
    pkin_i_bars(thread->counts, threads->n_bins, bars);
    print_line(thread->id, shown_label(thread));
    if (*thread->label) print_line("", thread->label_chinese);
    if (*thread->field) print_line("field", field ? shown_label(field) : thread->field);
    printf("%-10s  %s, from %s to %s; %s since %s  %s\n", "papers", pkin_i_cli_count(thread->n_papers, papers),
           thread->first_day, thread->last_day, pkin_i_cli_count(thread->n_since, since), threads->since, bars);
    print_line("born", thread->born);
    print_line("ended", thread->ended);
    print_line("went to", thread->merged_into);
    putchar('\n');
    for (uint32_t p = 0; p < thread->n_representatives; p++) {
        const pkin_thread_paper *paper = &thread->representatives[p];
        printf("%-10s  ", paper->day);
        pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, *paper->title ? paper->title : paper->id);
        fputs("  ", stdout);
        pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, *paper->link ? paper->link : paper->id);
        putchar('\n');
    }
    if (threads->n_events && !thread->is_field) putchar('\n');
    pkin_i_thread_events_print(threads->events, threads->n_events, N_EVENTS_SHOWN);
    free(bars);
}

/* ---- For programs ------------------------------------------------------------------------------------------------ */

static void thread_json(pkin_i_json *json, const pkin_thread *thread, uint32_t n_bins) {
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_text(json, "id", thread->id);
    pkin_i_json_flag(json, "is_field", thread->is_field);
    if (!thread->is_field) pkin_i_json_text(json, "field", thread->field);
    pkin_i_json_text(json, "label", thread->label);
    pkin_i_json_text(json, "label_zh", thread->label_chinese);
    pkin_i_json_text(json, "born", thread->born);
    pkin_i_json_text(json, "first_day", thread->first_day);
    pkin_i_json_text(json, "last_day", thread->last_day);
    pkin_i_json_text(json, "ended", thread->ended);
    pkin_i_json_text(json, "merged_into", thread->merged_into);
    pkin_i_json_count(json, "papers", thread->n_papers);
    pkin_i_json_count(json, "papers_since", thread->n_since);
    pkin_i_json_begin_array(json, "counts");
    for (uint32_t k = 0; k < n_bins; k++) pkin_i_json_count(json, NULL, thread->counts[k]);
    pkin_i_json_end_array(json);
    pkin_i_json_begin_array(json, "representatives");
    for (uint32_t p = 0; p < thread->n_representatives; p++) {
        const pkin_thread_paper *paper = &thread->representatives[p];
        pkin_i_json_begin_object(json, NULL);
        pkin_i_json_text(json, "key", paper->key);
        pkin_i_json_text(json, "title", paper->title);
        pkin_i_json_text(json, "link", paper->link);
        pkin_i_json_text(json, "day", paper->day);
        pkin_i_json_end_object(json);
    }
    pkin_i_json_end_array(json);
    pkin_i_json_end_object(json);
}

static void print_json(const pkin_threads *threads) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "threads");
    pkin_i_json_text(&json, "since", threads->since);
    pkin_i_json_text(&json, "until", threads->until);
    pkin_i_json_count(&json, "papers", threads->n_papers);
    pkin_i_json_count(&json, "papers_in_no_thread", threads->n_outliers);
    pkin_i_json_begin_array(&json, "threads");
    for (size_t k = 0; k < threads->n_items; k++) thread_json(&json, &threads->items[k], threads->n_bins);
    pkin_i_json_end_array(&json);
    pkin_i_thread_events_json(&json, threads->events, threads->n_events);
    pkin_i_json_end_answer(&json);
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    pkin_store *store = NULL;
    pkin_threads threads = {0};
    pkin_threads_query query = pkin_threads_query_default();
    query.n_bins = DEFAULT_BINS;
    query.with_ended = settings->all;
    query.thread = n_operands ? operands[0] : NULL;
    if (settings->since && !read_since(cli, settings->since, &query)) return PKIN_I_EXIT_MISUSE;
    if (pkin_i_store_choose(cli, settings->store, PKIN_I_STORE_READ, &store) != PKIN_OK) return PKIN_I_EXIT_FAILURE;
    pkin_status status = pkin_threads_list(store, &query, &threads);
    int exit_code = status == PKIN_OK ? PKIN_I_EXIT_DONE : pkin_i_cli_failed(cli, status);
    const pkin_thread *thread = query.thread && status == PKIN_OK ? find_thread(&threads, query.thread) : NULL;
    if (status == PKIN_OK && settings->json) {
        print_json(&threads);
    } else if (thread) {
        print_thread(&threads, thread);
    } else if (status == PKIN_OK) {
        print_overview(cli, settings, &threads);
    }
    pkin_threads_free(&threads);
    pkin_store_close(store);
    return exit_code;
}

static const pkin_i_option options[] = {
    PKIN_I_OPTION_STORE,
    {.name = "since",
     .kind = PKIN_I_OPTION_TEXT,
     .argument = "S",
     PKIN_I_MEMBER(since),
     .help = "what grew since a date (YYYY-MM-DD) or in so many days up to the last update (30d, the default)"},
    {.name = "count",
     .letter = 'k',
     .kind = PKIN_I_OPTION_COUNT,
     .argument = "N",
     .minimum = 1,
     .maximum = 1000000,
     PKIN_I_MEMBER(k),
     .help = "threads and fields to show; default 20"},
    {.name = "all",
     .kind = PKIN_I_OPTION_SWITCH,
     .value = 1,
     PKIN_I_MEMBER(all),
     .help = "also threads that ended since"},
    PKIN_I_OPTION_JSON,
    PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_threads = {
    .name = "threads",
    .usage = "[OPTION]... [THREAD]",
    .summary = "what grew: threads of work and their fields, day by day",
    .description = "Shows the threads of a store, those with the most new papers first: how many papers came when, how "
                   "many there are, since when, and what they are about; then the fields that threads belong to, and "
                   "what was born, merged, split and ended. `paperkin cluster` finds threads and keeps them up to "
                   "date.\n"
                   "THREAD is the id of a thread or field: it is shown with its papers.",
    .examples = "  paperkin threads --since 30d\n"
                "  paperkin threads t4fzq7da\n",
    .options = options,
    .min_operands = 0,
    .max_operands = 1,
    .operand = "expected the id of a thread",
    .run = run,
};
