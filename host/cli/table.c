/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "messages.h"

enum { HEADING_LINES = 2, GAP = 2, USUAL_WIDTH = 120, LEAST_WIDTH = 12 /* of a column that is cut */ };

struct pkin_i_table {
    size_t n_columns;
    uint32_t right;
    char **heading_lines; /* HEADING_LINES x n_columns, the lower line always filled */
    char **cells;
    size_t n_cells;
    size_t capacity;
    size_t rule_row;  /* SIZE_MAX: none */
    size_t first_cut; /* of the columns that may be cut; n_columns: none */
};

/* ---- Width, independent of the locale ------------------------------------------------------------------------- */

typedef struct range {
    uint32_t first;
    uint32_t last;
} range;

/* Combining marks, joiners and variation selectors of the scripts that names and titles are written in. */
static const range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},  {0x064B, 0x065F}, {0x0900, 0x0902},
    {0x093C, 0x093C}, {0x0941, 0x0948}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},  {0x0E47, 0x0E4E}, {0x1160, 0x11FF},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},  {0x302A, 0x302D}, {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

/* East Asian Wide and Fullwidth (Unicode TR 11), and emoji. */
static const range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},  {0x23E9, 0x23EC}, {0x2614, 0x2615}, {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},  {0xA000, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

static bool in_ranges(uint32_t c, const range *ranges, size_t n_ranges) {
    for (size_t k = 0; k < n_ranges; k++) {
        if (c >= ranges[k].first && c <= ranges[k].last) return true;
    }
    return false;
}

/* The text comes from pkin_escape, so it is valid UTF-8. */
static uint32_t next_character(const char **text) {
    const unsigned char *bytes = (const unsigned char *)*text;
    int n_more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xE0 ? 1 : bytes[0] < 0xF0 ? 2 : 3;
    uint32_t c = n_more == 0 ? bytes[0] : bytes[0] & (0x3Fu >> n_more);
    int k = 1;
    for (; k <= n_more && (bytes[k] & 0xC0) == 0x80; k++) c = c << 6 | (bytes[k] & 0x3Fu);
    *text += k;
    return c;
}

size_t pkin_i_display_width(const char *text) {
    size_t width = 0;
    while (*text) {
        uint32_t c = next_character(&text);
        if (c < 0x300) {
            width++;
        } else if (!in_ranges(c, zero_width, sizeof zero_width / sizeof *zero_width)) {
            width += in_ranges(c, double_width, sizeof double_width / sizeof *double_width) ? 2 : 1;
        }
    }
    return width;
}

/* ---- Building --------------------------------------------------------------------------------------------------- */

pkin_i_table *pkin_i_table_new(const char *const *headings, size_t n_columns, uint32_t right) {
    pkin_i_table *table = pkin_i_cli_allocate(1, sizeof *table);
    table->n_columns = n_columns;
    table->right = right;
    table->rule_row = SIZE_MAX;
    table->first_cut = n_columns;
    table->heading_lines = pkin_i_cli_allocate(HEADING_LINES * n_columns, sizeof *table->heading_lines);
    for (size_t c = 0; c < n_columns; c++) {
        const char *newline = strchr(headings[c], '\n');
        size_t upper_bytes = newline ? (size_t)(newline - headings[c]) : 0;
        char *upper = pkin_i_cli_allocate(upper_bytes + 1, 1);
        memcpy(upper, headings[c], upper_bytes);
        table->heading_lines[c] = upper;
        table->heading_lines[n_columns + c] = pkin_i_cli_copy(newline ? newline + 1 : headings[c]);
    }
    return table;
}

void pkin_i_table_free(pkin_i_table *table) {
    if (!table) return;
    for (size_t k = 0; k < HEADING_LINES * table->n_columns; k++) free(table->heading_lines[k]);
    for (size_t k = 0; k < table->n_cells; k++) free(table->cells[k]);
    free(table->heading_lines);
    free(table->cells);
    free(table);
}

void pkin_i_table_text(pkin_i_table *table, const char *text) {
    if (table->n_cells == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        char **cells = pkin_i_cli_allocate(capacity, sizeof *cells);
        if (table->n_cells) memcpy(cells, table->cells, table->n_cells * sizeof *cells);
        free(table->cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    size_t needed = pkin_escape(PKIN_ESCAPE_TERMINAL, text, NULL, 0);
    char *cell = pkin_i_cli_allocate(needed + 1, 1);
    pkin_escape(PKIN_ESCAPE_TERMINAL, text, cell, needed + 1);
    table->cells[table->n_cells++] = cell;
}

void pkin_i_table_count(pkin_i_table *table, uint64_t n) {
    char text[PKIN_I_COUNT_BYTES];
    pkin_i_table_text(table, pkin_i_cli_count(n, text));
}

void pkin_i_table_rule(pkin_i_table *table) {
    table->rule_row = table->n_cells / table->n_columns;
}

void pkin_i_table_fit(pkin_i_table *table, size_t first) {
    table->first_cut = first;
}

/* ---- Printing --------------------------------------------------------------------------------------------------- */

static void widen(size_t *widths, size_t n_columns, char *const *cells, size_t n_cells) {
    for (size_t k = 0; k < n_cells; k++) {
        size_t width = pkin_i_display_width(cells[k]);
        if (width > widths[k % n_columns]) widths[k % n_columns] = width;
    }
}

static size_t stream_width(FILE *stream) {
    struct winsize size = {0};
    bool is_known = isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : USUAL_WIDTH;
}

/* How narrow a column may become: its heading is never cut. */
static size_t least_width(const pkin_i_table *table, size_t column) {
    size_t width = LEAST_WIDTH;
    for (size_t line = 0; line < HEADING_LINES; line++) {
        size_t heading = pkin_i_display_width(table->heading_lines[line * table->n_columns + column]);
        if (heading > width) width = heading;
    }
    return width;
}

/* Takes from the widest of the columns that may be cut, until a row has room. */
static void narrow(const pkin_i_table *table, FILE *stream, size_t *widths) {
    size_t most = stream_width(stream), total = GAP * (table->n_columns - 1);
    for (size_t c = 0; c < table->n_columns; c++) total += widths[c];
    for (; total > most; total--) {
        size_t widest = table->n_columns;
        for (size_t c = table->first_cut; c < table->n_columns; c++) {
            bool may_shrink = widths[c] > least_width(table, c);
            if (may_shrink && (widest == table->n_columns || widths[c] > widths[widest])) widest = c;
        }
        if (widest == table->n_columns) break;
        widths[widest]--;
    }
}

/* Cuts a cell that is wider than its column; "…" then is its last character. */
static void cut(char **cell, size_t width) {
    static const char mark[] = "…";
    const char *at = *cell, *end = *cell;
    if (pkin_i_display_width(*cell) <= width) return;
    for (size_t used = 0; *at; end = at) {
        char character[8] = "";
        const char *begin = at;
        next_character(&at);
        memcpy(character, begin, (size_t)(at - begin));
        used += pkin_i_display_width(character);
        if (used + 1 > width) break;
    }
    size_t n_kept = (size_t)(end - *cell);
    char *shorter = pkin_i_cli_allocate(n_kept + sizeof mark, 1);
    memcpy(shorter, *cell, n_kept);
    memcpy(shorter + n_kept, mark, sizeof mark);
    free(*cell);
    *cell = shorter;
}

static void pad(FILE *stream, size_t n_spaces) {
    for (size_t k = 0; k < n_spaces; k++) fputc(' ', stream);
}

/* Cells up to the last that is not empty: no blanks at the end of a line. */
static void print_row(const pkin_i_table *table, FILE *stream, const size_t *widths, char *const *cells, bool bold) {
    size_t n_shown = table->n_columns;
    while (n_shown > 0 && !*cells[n_shown - 1]) n_shown--;
    if (bold) fputs("\033[1m", stream);
    for (size_t c = 0; c < n_shown; c++) {
        bool right = table->right >> c & 1;
        size_t padding = widths[c] - pkin_i_display_width(cells[c]);
        if (c > 0) pad(stream, GAP);
        if (right) pad(stream, padding);
        fputs(cells[c], stream);
        if (!right && c + 1 < n_shown) pad(stream, padding);
    }
    fputs(bold ? "\033[0m\n" : "\n", stream);
}

static void print_rule(const pkin_i_table *table, FILE *stream, const size_t *widths) {
    size_t width = GAP * (table->n_columns - 1);
    for (size_t c = 0; c < table->n_columns; c++) width += widths[c];
    for (size_t k = 0; k < width; k++) fputc('-', stream);
    fputc('\n', stream);
}

/* Whether the headings need their upper line at all. */
static bool has_two_heading_lines(const pkin_i_table *table) {
    for (size_t c = 0; c < table->n_columns; c++) {
        if (*table->heading_lines[c]) return true;
    }
    return false;
}

static bool has_headings(const pkin_i_table *table) {
    for (size_t c = 0; c < table->n_columns; c++) {
        if (*table->heading_lines[table->n_columns + c]) return true;
    }
    return false;
}

void pkin_i_table_print(const pkin_i_table *table, FILE *stream, bool color) {
    size_t n_columns = table->n_columns;
    size_t *widths = pkin_i_cli_allocate(n_columns, sizeof *widths);
    widen(widths, n_columns, table->heading_lines, HEADING_LINES * n_columns);
    widen(widths, n_columns, table->cells, table->n_cells);
    if (table->first_cut < n_columns) narrow(table, stream, widths);
    for (size_t k = 0; k < table->n_cells; k++) {
        if (k % n_columns >= table->first_cut) cut(&table->cells[k], widths[k % n_columns]);
    }
    if (has_headings(table)) {
        if (has_two_heading_lines(table)) print_row(table, stream, widths, table->heading_lines, color);
        print_row(table, stream, widths, table->heading_lines + n_columns, color);
    }
    for (size_t row = 0; (row + 1) * n_columns <= table->n_cells; row++) {
        if (row == table->rule_row) print_rule(table, stream, widths);
        print_row(table, stream, widths, table->cells + row * n_columns, false);
    }
    free(widths);
}
