/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_output.h"

#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "table.h"

enum { N_KINDS = PKIN_THREAD_ENDED + 1 };

void pkin_i_thread_events_count(const pkin_thread_event *events, size_t n_events, char *text, size_t n_bytes) {
    uint64_t counts[N_KINDS] = {0};
    size_t at = 0;
    for (size_t e = 0; e < n_events; e++) {
        if (!events[e].is_field && (int)events[e].kind < N_KINDS) counts[events[e].kind]++;
    }
    snprintf(text, n_bytes, "nothing changed");
    for (int kind = 0; kind < N_KINDS && at < n_bytes; kind++) {
        char number[PKIN_I_COUNT_BYTES];
        if (!counts[kind]) continue;
        at += (size_t)snprintf(text + at, n_bytes - at, "%s%s %s", at ? ", " : "",
                               pkin_thread_event_name((pkin_thread_event_kind)kind),
                               pkin_i_cli_count(counts[kind], number));
    }
}

/* Growing is the ordinary course of things: the table shows it. */
static bool is_worth_a_line(const pkin_thread_event *event) {
    return !event->is_field && event->kind != PKIN_THREAD_GREW;
}

static void print_event(const pkin_thread_event *event) {
    printf("%-6s  %s  ", pkin_thread_event_name(event->kind), event->thread);
    pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, event->label);
    fputs(*event->label ? ": " : "", stdout);
    pkin_i_cli_write_escaped(stdout, PKIN_ESCAPE_TERMINAL, event->explanation);
    putchar('\n');
}

void pkin_i_thread_events_print(const pkin_thread_event *events, size_t n_events, size_t n_max) {
    size_t n_shown = 0, n_more = 0;
    for (size_t e = 0; e < n_events; e++) {
        const pkin_thread_event *event = &events[e];
        if (!is_worth_a_line(event)) continue;
        if (n_shown == n_max) {
            n_more++;
            continue;
        }
        n_shown++;
        printf("%s  ", event->date);
        print_event(event);
    }
    if (n_more) {
        char text[PKIN_I_COUNTED_BYTES];
        printf("and %s more; --json tells all\n", pkin_i_cli_counted(n_more, "event", text));
    }
}

/* ---- One update -----------------------------------------------------------------------------------------------------
 */

/* Lines of each kind; the rest is counted. What ended matters least to a reader. */
static const size_t lines_of_kind[N_KINDS] = {
    [PKIN_THREAD_BORN] = 20, [PKIN_THREAD_MERGED] = 10, [PKIN_THREAD_SPLIT] = 10, [PKIN_THREAD_ENDED] = 5};

static void print_kind(const pkin_threads_report *report, pkin_thread_event_kind kind) {
    size_t n = 0;
    for (size_t e = 0; e < report->n_events; e++) {
        const pkin_thread_event *event = &report->events[e];
        if (event->is_field || event->kind != kind || n++ >= lines_of_kind[kind]) continue;
        print_event(event);
    }
    if (n > lines_of_kind[kind]) {
        char text[PKIN_I_COUNT_BYTES];
        printf("%-6s  and %s more; --json tells all\n", pkin_thread_event_name(kind),
               pkin_i_cli_count(n - lines_of_kind[kind], text));
    }
}

/* Every thread is new where there were none, however old its papers are: that is no news, so the largest are shown. */
static bool is_first_update(const pkin_threads_report *report) {
    size_t n_born = 0;
    for (size_t e = 0; e < report->n_events; e++) {
        const pkin_thread_event *event = &report->events[e];
        if (event->is_field) continue;
        if (event->kind != PKIN_THREAD_BORN) return false;
        n_born++;
    }
    return n_born > 0 && n_born == report->n_threads;
}

static void print_found(pkin_i_cli *cli, const pkin_threads_report *report, const char *note) {
    enum { N_LARGEST = 20 };
    static const char *const headings[] = {"thread", "papers", "about"};
    char threads[PKIN_I_COUNTED_BYTES];
    bool is_part = report->n_threads > N_LARGEST;
    pkin_i_table *table = pkin_i_table_new(headings, sizeof headings / sizeof *headings, 1u << 1);
    size_t n = 0;
    for (size_t e = 0; e < report->n_events && n < N_LARGEST; e++) {
        const pkin_thread_event *event = &report->events[e];
        if (event->is_field) continue;
        pkin_i_table_text(table, event->thread);
        pkin_i_table_count(table, event->n_after);
        pkin_i_table_text(table, *event->label ? event->label : "(no label)");
        n++;
    }
    pkin_i_table_fit(table, 2);
    pkin_i_cli_line(cli, stdout, "%s: found %s%s%s:", report->date,
                    pkin_i_cli_counted(report->n_threads, "thread", threads), note, is_part ? "; the largest" : "");
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
}

void pkin_i_thread_update_print(pkin_i_cli *cli, const pkin_threads_report *report, const char *note) {
    char counts[256];
    if (is_first_update(report)) {
        print_found(cli, report, note);
        return;
    }
    print_kind(report, PKIN_THREAD_BORN);
    print_kind(report, PKIN_THREAD_MERGED);
    print_kind(report, PKIN_THREAD_SPLIT);
    print_kind(report, PKIN_THREAD_ENDED);
    pkin_i_thread_events_count(report->events, report->n_events, counts, sizeof counts);
    pkin_i_cli_line(cli, stdout, "%s: %s%s", report->date, counts, note);
}

void pkin_i_thread_events_json(pkin_i_json *json, const pkin_thread_event *events, size_t n_events) {
    pkin_i_json_begin_array(json, "events");
    for (size_t e = 0; e < n_events; e++) {
        const pkin_thread_event *event = &events[e];
        pkin_i_json_begin_object(json, NULL);
        pkin_i_json_text(json, "event", pkin_thread_event_name(event->kind));
        pkin_i_json_flag(json, "field", event->is_field);
        pkin_i_json_text(json, "date", event->date);
        pkin_i_json_text(json, "thread", event->thread);
        pkin_i_json_text(json, "label", event->label);
        if (*event->other) pkin_i_json_text(json, "other", event->other);
        pkin_i_json_count(json, "papers_before", event->n_before);
        pkin_i_json_count(json, "papers_shared", event->n_shared);
        pkin_i_json_count(json, "papers_after", event->n_after);
        pkin_i_json_text(json, "explanation", event->explanation);
        pkin_i_json_end_object(json);
    }
    pkin_i_json_end_array(json);
}

void pkin_i_bars(const uint32_t *counts, uint32_t n, char *text) {
    static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { N_HEIGHTS = sizeof heights / sizeof *heights };
    uint32_t most = 1;
    size_t at = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (counts[k] > most) most = counts[k];
    }
    for (uint32_t k = 0; k < n; k++) {
        const char *bar = counts[k] ? heights[((uint64_t)counts[k] * N_HEIGHTS - 1) / most] : "·";
        memcpy(text + at, bar, strlen(bar));
        at += strlen(bar);
    }
    text[at] = '\0';
}

/* Days since some day, of a date that was checked; Howard Hinnant, "chrono-compatible date algorithms". */
static int32_t day_number(const char *date) {
    int32_t year = (int32_t)strtol(date, NULL, 10), month = (int32_t)strtol(date + 5, NULL, 10);
    year -= month <= 2;
    return year * 365 + year / 4 - year / 100 + year / 400 + ((month + 9) % 12 * 306 + 5) / 10 +
           (int32_t)strtol(date + 8, NULL, 10);
}

const char *pkin_i_age(const char *from, const char *to, char text[PKIN_I_AGE_BYTES]) {
    text[0] = '\0';
    if (!*from || !*to) return text;
    int32_t days = day_number(to) - day_number(from);
    if (days < 28) {
        snprintf(text, PKIN_I_AGE_BYTES, "%d d", (int)days);
    } else if (days < 365) {
        snprintf(text, PKIN_I_AGE_BYTES, "%d wk", (int)days / 7);
    } else {
        snprintf(text, PKIN_I_AGE_BYTES, "%.1f yr", days / 365.25);
    }
    return text;
}
