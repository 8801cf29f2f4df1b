/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/markdown_heading.h"

#include <stdint.h>

#include "base/ascii.h"

int pkin_i_heading_level(pkin_i_view line, pkin_i_view *text) {
    int level = 0;
    while ((size_t)level < line.n_bytes && level < 7 && line.bytes[level] == '#') level++;
    if (level < 1 || level > 6) return 0;
    *text = pkin_i_view_from(line, (size_t)level);
    if (text->n_bytes && !pkin_i_is_blank(text->bytes[0])) return 0;
    *text = pkin_i_view_trim(*text);
    return level;
}

static bool starts_without_case(pkin_i_view view, const char *prefix) {
    size_t n = strlen(prefix);
    return view.n_bytes >= n && pkin_i_ascii_equal_ignoring_case(view.bytes, prefix, n);
}

/* Offset of `needle` in `view`, or SIZE_MAX. */
static size_t find(pkin_i_view view, const char *needle) {
    const char *at = view.n_bytes ? (const char *)memmem(view.bytes, view.n_bytes, needle, strlen(needle)) : NULL;
    return at ? (size_t)(at - view.bytes) : SIZE_MAX;
}

/* Past `<a id="..."></a>` at the start. */
static pkin_i_view skip_anchor(pkin_i_view text) {
    if (!starts_without_case(text, "<a ")) return text;
    size_t end = find(text, "</a>");
    return end == SIZE_MAX ? text : pkin_i_view_trim(pkin_i_view_from(text, end + 4));
}

/* Without ` [[back]](#toc)` at the end. */
static pkin_i_view drop_way_back(pkin_i_view text) {
    if (!pkin_i_view_ends(text, ")")) return text;
    for (size_t k = text.n_bytes; k-- > 0;) {
        pkin_i_view rest = pkin_i_view_from(text, k);
        if (rest.bytes[0] != '[' || !pkin_i_view_starts(rest, "[[")) continue;
        bool way_back = starts_without_case(rest, "[[back]](#") || starts_without_case(rest, "[[top]](#");
        return way_back ? pkin_i_view_trim(pkin_i_view_of(text.bytes, k)) : text;
    }
    return text;
}

/* Past `[12]` at the start, where something follows; *numbered tells. */
static pkin_i_view skip_number(pkin_i_view text, bool *numbered) {
    size_t n = 1;
    *numbered = false;
    if (!pkin_i_view_starts(text, "[")) return text;
    while (n < text.n_bytes && text.bytes[n] >= '0' && text.bytes[n] <= '9') n++;
    bool closed = n > 1 && n < text.n_bytes && text.bytes[n] == ']';
    /* `[2024](link)` is a title that happens to be a number. */
    if (!closed || (n + 1 < text.n_bytes && text.bytes[n + 1] == '(')) return text;
    *numbered = true;
    return pkin_i_view_trim(pkin_i_view_from(text, n + 1));
}

/* Length of a link target at `text`, up to its closing parenthesis, which it may hold in pairs; SIZE_MAX: not closed.
 */
static size_t link_bytes(pkin_i_view text) {
    size_t depth = 0;
    for (size_t k = 0; k < text.n_bytes; k++) {
        if (text.bytes[k] == '(') depth++;
        if (text.bytes[k] == ')' && depth-- == 0) return k;
    }
    return SIZE_MAX;
}

/* The target alone, of `<target>` or `target "title"`. */
static pkin_i_view clean_link(pkin_i_view link) {
    link = pkin_i_view_trim(link);
    if (pkin_i_view_starts(link, "<") && pkin_i_view_ends(link, ">")) {
        return pkin_i_view_of(link.bytes + 1, link.n_bytes - 2);
    }
    for (size_t k = 0; k < link.n_bytes; k++) {
        if (pkin_i_is_blank(link.bytes[k])) return pkin_i_view_of(link.bytes, k);
    }
    return link;
}

/* Whether what follows a link leaves it the heading's own: nothing, or more links and badges. */
static bool is_trailer(pkin_i_view rest) {
    if (rest.n_bytes == 0) return true;
    if (!pkin_i_is_blank(rest.bytes[0])) return false;
    rest = pkin_i_view_trim(rest);
    return pkin_i_view_starts(rest, "[") || pkin_i_view_starts(rest, "!") || pkin_i_view_starts(rest, "<") ||
           pkin_i_view_starts(rest, "(") || pkin_i_view_starts(rest, "`");
}

static bool is_web_link(pkin_i_view link) {
    return starts_without_case(link, "http://") || starts_without_case(link, "https://");
}

/* How well a `](` serves as the border between title and link. Titles hold brackets, also unpaired ones. */
enum { NO_BORDER, POOR_BORDER, WEB_BORDER, WEB_LAST_BORDER, BALANCED_BORDER };

static int rate_border(pkin_i_view rest, bool balanced) {
    size_t n = link_bytes(rest);
    if (n == SIZE_MAX) {
        /* An unpaired "(" in the link itself. */
        if (!pkin_i_view_ends(rest, ")")) return NO_BORDER;
        n = rest.n_bytes - 1;
    }
    bool web = is_web_link(pkin_i_view_trim(pkin_i_view_of(rest.bytes, n)));
    bool trailer = is_trailer(pkin_i_view_from(rest, n + 1));
    if (web && trailer && balanced) return BALANCED_BORDER;
    if (web && n + 1 == rest.n_bytes) return WEB_LAST_BORDER;
    return web ? WEB_BORDER : POOR_BORDER;
}

/*
 * The best `](`: the first whose brackets pair up and whose web link is followed by nothing but more links; else the
 * last with a web link up to the end of the line; else the last with any. SIZE_MAX: none. Quadratic only in the number
 * of `](` on the line, which is cut off.
 */
static size_t find_border(pkin_i_view text) {
    enum { MOST_BORDERS = 64 };
    size_t best = SIZE_MAX;
    int best_rate = NO_BORDER, n_borders = 0;
    long depth = 0;
    for (size_t k = 0; k + 1 < text.n_bytes && n_borders < MOST_BORDERS; k++) {
        if (text.bytes[k] == '[') depth++;
        if (text.bytes[k] != ']') continue;
        depth--;
        if (text.bytes[k + 1] != '(') continue;
        n_borders++;
        int rate = rate_border(pkin_i_view_from(text, k + 2), depth == 0);
        if (rate != NO_BORDER && rate >= best_rate) {
            best = k;
            best_rate = rate;
        }
        if (rate == BALANCED_BORDER) break;
    }
    return best;
}

static pkin_i_heading broken(pkin_i_heading heading, const char *fault) {
    heading.kind = PKIN_I_HEADING_BROKEN;
    heading.fault = fault;
    return heading;
}

pkin_i_heading pkin_i_heading_read(pkin_i_view text) {
    pkin_i_heading heading = {PKIN_I_HEADING_OTHER, false, {"", 0}, {"", 0}, NULL};
    text = skip_anchor(drop_way_back(text));
    text = skip_number(text, &heading.numbered);
    bool bracket = pkin_i_view_starts(text, "[");
    if (!bracket && !heading.numbered) return heading;
    size_t border = bracket ? find_border(text) : SIZE_MAX;
    if (border == SIZE_MAX) return broken(heading, "an entry's heading without a link");
    pkin_i_view rest = pkin_i_view_from(text, border + 2);
    size_t n = link_bytes(rest);
    heading.link = clean_link(pkin_i_view_of(rest.bytes, n == SIZE_MAX ? rest.n_bytes - 1 : n));
    heading.title = pkin_i_view_trim(pkin_i_view_of(text.bytes + 1, border - 1));
    /* A link inside the document leads to a section. */
    if (!heading.numbered && pkin_i_view_starts(heading.link, "#")) return heading;
    if (heading.link.n_bytes == 0) return broken(heading, "an entry's heading with an empty link");
    if (heading.title.n_bytes == 0) return broken(heading, "an entry's heading without a title");
    heading.kind = PKIN_I_HEADING_ENTRY;
    return heading;
}

static bool is_anchor_div(pkin_i_view line) {
    line = pkin_i_view_trim(line);
    return starts_without_case(line, "<div id=") && pkin_i_view_ends(line, "></div>");
}

bool pkin_i_is_section_mark(pkin_i_view line) {
    pkin_i_view text;
    if (is_anchor_div(line)) return true;
    if (pkin_i_heading_level(line, &text) == 0) return false;
    return drop_way_back(text).n_bytes != text.n_bytes && pkin_i_heading_read(text).kind == PKIN_I_HEADING_OTHER;
}

bool pkin_i_is_contents_mark(pkin_i_view line) {
    static const char *const divs[] = {"<div id=toc></div>", "<div id='toc'></div>", "<div id=\"toc\"></div>"};
    pkin_i_view text, trimmed = pkin_i_view_trim(line);
    for (size_t k = 0; k < sizeof divs / sizeof divs[0]; k++) {
        if (pkin_i_view_is(trimmed, divs[k])) return true;
    }
    if (pkin_i_heading_level(line, &text) != 1) return false;
    text = skip_anchor(text);
    return starts_without_case(text, "table of contents") && text.n_bytes == strlen("table of contents");
}
