/* SPDX-License-Identifier: Apache-2.0 */
#include "related_output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "json_out.h"
#include "messages.h"
#include "table.h"

enum {
    USUAL_WIDTH = 80,  /* of a terminal that does not tell */
    NARROW_WIDTH = 64, /* below, titles stand on lines of their own */
    TITLE_COLUMN = 24,
    NARROW_INDENT = 4
};

static const double LEAST_SHARE = 0.005;

/* ---- Lines that fit ---------------------------------------------------------------------------------------------- */

/* A line being written: from `indent` on after the first, up to `width`. */
typedef struct wrapped_line {
    size_t column;
    size_t indent;
    size_t width;
    bool gap; /* a blank is due before what comes next, unless a line begins there */
} wrapped_line;

/* SIZE_MAX where standard output is no terminal: what reads it there wants one line a text. */
static size_t output_width(void) {
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO)) return SIZE_MAX;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_WIDTH;
}

static void begin_line(wrapped_line *line) {
    putchar('\n');
    for (line->column = 0; line->column < line->indent; line->column++) putchar(' ');
    line->gap = false;
}

static size_t character_bytes(const char *text) {
    size_t n = 1;
    while ((text[n] & 0xC0) == 0x80) n++;
    return n;
}

static size_t character_width(const char *text, size_t n_bytes) {
    char character[8] = "";
    memcpy(character, text, n_bytes < sizeof character ? n_bytes : sizeof character - 1);
    return pkin_i_display_width(character);
}

/* What must stay on one line: a word up to the next space, or one wide character of a script without spaces. */
static size_t unit_bytes(const char *text, size_t *width) {
    size_t n = 0;
    *width = 0;
    while (text[n] && text[n] != ' ') {
        size_t n_character = character_bytes(text + n), character = character_width(text + n, n_character);
        if (character == 2 && n > 0) break;
        n += n_character;
        *width += character;
        if (character == 2) break;
    }
    return n;
}

static char *escaped(const char *text) {
    size_t needed = pkin_escape(PKIN_ESCAPE_TERMINAL, text, NULL, 0) + 1;
    char *safe = pkin_i_cli_allocate(needed, 1);
    pkin_escape(PKIN_ESCAPE_TERMINAL, text, safe, needed);
    return safe;
}

/* `n` bytes of escaped text, on a new line where they do not fit. */
static void write_unit(wrapped_line *line, const char *unit, size_t n, size_t width) {
    if (line->column > line->indent && line->column + line->gap + width > line->width) begin_line(line);
    if (line->gap) putchar(' ');
    fwrite(unit, 1, n, stdout);
    line->column += line->gap + width;
    line->gap = false;
}

/* Escapes `text` and writes it behind what the line holds. */
static void write_wrapped(wrapped_line *line, const char *text) {
    char *safe = escaped(text);
    for (const char *at = safe; *at;) {
        size_t n_spaces = strspn(at, " "), width;
        line->gap = line->gap || n_spaces > 0;
        at += n_spaces;
        size_t n = unit_bytes(at, &width);
        if (n > 0) write_unit(line, at, n, width);
        at += n;
    }
    free(safe);
}

/* The same for what is to stay together. */
static void write_whole(wrapped_line *line, const char *text) {
    char *safe = escaped(text);
    write_unit(line, safe, strlen(safe), pkin_i_display_width(safe));
    free(safe);
}

static void set_style(const pkin_i_cli *cli, const char *parameter) {
    if (cli->color_output) printf("\033[%sm", parameter);
}

/* ---- For people -------------------------------------------------------------------------------------------------- */

/* "kv cache 0.16, eviction 0.11"; a term and its share stay on one line. */
static void write_terms(wrapped_line *line, const pkin_related_term *terms, size_t n_terms, bool as_percent) {
    for (size_t t = 0; t < n_terms; t++) {
        size_t n_bytes = strlen(terms[t].term) + 32;
        char *text = pkin_i_cli_allocate(n_bytes, 1);
        snprintf(text, n_bytes, as_percent ? "%s %.0f%%%s" : "%s %.2f%s", terms[t].term,
                 (as_percent ? 100 : 1) * terms[t].share, t + 1 < n_terms ? "," : "");
        write_whole(line, text);
        line->gap = true;
        free(text);
    }
    line->gap = false;
}

/* What is less to be read is dim. */
static void begin_detail(const pkin_i_cli *cli, wrapped_line *line) {
    begin_line(line);
    set_style(cli, "2");
}

static void end_detail(const pkin_i_cli *cli) {
    set_style(cli, "0");
}

static void print_terms(wrapped_line *line, const pkin_related_paper *paper) {
    size_t n_terms = paper->n_terms;
    while (n_terms > 1 && paper->terms[n_terms - 1].share < LEAST_SHARE) n_terms--; /* "0.00" says nothing */
    if (n_terms == 0) return;
    begin_line(line);
    write_wrapped(line, "because ");
    write_terms(line, paper->terms, n_terms, false);
}

/* "closest to arxiv:2512.00001 (0.31); chosen by 0.12" */
static void print_choice(const pkin_i_cli *cli, wrapped_line *line, const pkin_i_related_answer *answer,
                         const pkin_related_paper *paper) {
    char text[64];
    bool names_nearest = answer->several_wanted && *paper->nearest;
    if (!names_nearest && !answer->diverse) return;
    begin_detail(cli, line);
    if (names_nearest) {
        write_wrapped(line, "closest to ");
        write_wrapped(line, paper->nearest);
        snprintf(text, sizeof text, " (%.2f)%s", paper->nearest_cosine, answer->diverse ? "; " : "");
        write_wrapped(line, text);
    }
    if (answer->diverse) {
        snprintf(text, sizeof text, "chosen by %.3f", paper->value);
        write_wrapped(line, text);
    }
    end_detail(cli);
}

static void print_thread(const pkin_i_cli *cli, wrapped_line *line, const pkin_related_paper *paper) {
    if (!*paper->thread) return;
    begin_detail(cli, line);
    write_wrapped(line, "thread ");
    write_wrapped(line, paper->thread);
    if (*paper->thread_label) write_wrapped(line, ": ");
    write_wrapped(line, paper->thread_label);
    end_detail(cli);
}

static void print_place(const pkin_i_cli *cli, wrapped_line *line, const pkin_related_paper *paper) {
    begin_detail(cli, line);
    write_wrapped(line, *paper->link ? paper->link : paper->id);
    end_detail(cli);
}

static void print_paper(const pkin_i_cli *cli, const pkin_i_related_answer *answer, size_t k, size_t width) {
    const pkin_related_paper *paper = &answer->related->items[k];
    bool narrow = width < NARROW_WIDTH;
    wrapped_line line = {.indent = narrow ? NARROW_INDENT : TITLE_COLUMN, .width = width};
    int n = printf("%3zu  %.3f  %-10s", k + 1, paper->cosine, paper->day);
    line.column = (size_t)n;
    if (narrow) begin_line(&line);
    while (line.column < line.indent) line.column += (size_t)printf(" ");
    set_style(cli, "1");
    write_wrapped(&line, *paper->title ? paper->title : paper->id);
    set_style(cli, "0");
    print_terms(&line, paper);
    print_choice(cli, &line, answer, paper);
    print_thread(cli, &line, paper);
    print_place(cli, &line, paper);
    putchar('\n');
}

void pkin_i_related_print(pkin_i_cli *cli, const pkin_i_related_answer *answer) {
    const pkin_related *related = answer->related;
    size_t width = output_width();
    wrapped_line line = {.width = width};
    if (related->n_query) {
        write_wrapped(&line, "query: ");
        line.indent = line.column + 1;
        write_terms(&line, related->query, related->n_query, true);
        fputs("\n\n", stdout);
    }
    for (size_t k = 0; k < related->n_items; k++) print_paper(cli, answer, k, width);
}

/* ---- For programs ------------------------------------------------------------------------------------------------ */

static void terms_json(pkin_i_json *json, const char *key, const pkin_related_term *terms, size_t n_terms) {
    pkin_i_json_begin_array(json, key);
    for (size_t t = 0; t < n_terms; t++) {
        pkin_i_json_begin_object(json, NULL);
        pkin_i_json_text(json, "term", terms[t].term);
        pkin_i_json_real(json, "share", terms[t].share, 6);
        pkin_i_json_end_object(json);
    }
    pkin_i_json_end_array(json);
}

static void paper_json(pkin_i_json *json, const pkin_related_paper *paper, size_t rank) {
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_count(json, "rank", rank);
    pkin_i_json_real(json, "cosine", paper->cosine, 6);
    pkin_i_json_real(json, "value", paper->value, 6);
    pkin_i_json_text(json, "key", paper->key);
    pkin_i_json_text(json, "id", paper->id);
    pkin_i_json_text(json, "title", paper->title);
    pkin_i_json_begin_array(json, "authors");
    for (uint32_t a = 0; a < paper->n_authors; a++) pkin_i_json_text(json, NULL, paper->authors[a]);
    pkin_i_json_end_array(json);
    pkin_i_json_text(json, "day", paper->day);
    pkin_i_json_text(json, "link", paper->link);
    if (*paper->nearest) {
        pkin_i_json_text(json, "nearest", paper->nearest);
        pkin_i_json_real(json, "nearest_cosine", paper->nearest_cosine, 6);
    }
    pkin_i_json_text(json, "thread", paper->thread);
    pkin_i_json_text(json, "thread_label", paper->thread_label);
    terms_json(json, "terms", paper->terms, paper->n_terms);
    pkin_i_json_end_object(json);
}

void pkin_i_related_print_json(const pkin_i_related_answer *answer) {
    const pkin_related *related = answer->related;
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "related");
    pkin_i_json_count(&json, "searched", related->n_papers);
    terms_json(&json, "query", related->query, related->n_query);
    pkin_i_json_begin_array(&json, "unknown_words");
    for (size_t w = 0; related->unknown_words[w]; w++) pkin_i_json_text(&json, NULL, related->unknown_words[w]);
    pkin_i_json_end_array(&json);
    pkin_i_json_begin_array(&json, "papers");
    for (size_t k = 0; k < related->n_items; k++) paper_json(&json, &related->items[k], k + 1);
    pkin_i_json_end_array(&json);
    pkin_i_json_end_answer(&json);
}
