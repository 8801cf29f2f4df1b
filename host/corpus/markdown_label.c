/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/markdown_label.h"

#include "base/ascii.h"
#include "corpus/markdown_heading.h"

/* Every label seen in digests; a longer one before one that it begins with. */
static const struct {
    const char *name;
    pkin_i_field field;
} labels[] = {
    {"TL;DR", PKIN_I_FIELD_SUMMARY},
    {"TLDR", PKIN_I_FIELD_SUMMARY},
    {"Task", PKIN_I_FIELD_SUMMARY},
    {"Motivation", PKIN_I_FIELD_SUMMARY},
    {"Method", PKIN_I_FIELD_SUMMARY},
    {"Result", PKIN_I_FIELD_SUMMARY},
    {"Conclusion", PKIN_I_FIELD_SUMMARY},
    {"Background", PKIN_I_FIELD_SUMMARY},
    {"Data", PKIN_I_FIELD_SUMMARY},
    {"Contribution", PKIN_I_FIELD_SUMMARY},
    {"Keywords", PKIN_I_FIELD_SUMMARY},
    {"Detailed Summary", PKIN_I_FIELD_SUMMARY},
    {"Summary", PKIN_I_FIELD_SUMMARY},
    {"ai_Abstract", PKIN_I_FIELD_SUMMARY},
    {"AI Abstract", PKIN_I_FIELD_SUMMARY},
    {"Translation", PKIN_I_FIELD_SUMMARY},
    {"Abstract", PKIN_I_FIELD_ABSTRACT},
    {"Comments", PKIN_I_FIELD_COMMENT},
    {"Comment", PKIN_I_FIELD_COMMENT},
    {"Main category", PKIN_I_FIELD_CATEGORY},
    {"Primary category", PKIN_I_FIELD_CATEGORY},
    {"Categories", PKIN_I_FIELD_CATEGORY},
    {"Category", PKIN_I_FIELD_CATEGORY},
    {"Authors", PKIN_I_FIELD_AUTHORS},
    {"DOI", PKIN_I_FIELD_DOI},
    {"Published", PKIN_I_FIELD_DATE},
    {"Date", PKIN_I_FIELD_DATE},
    {"Relevance", PKIN_I_FIELD_IGNORED},
    {"Title translation", PKIN_I_FIELD_IGNORED},
    {"Topic", PKIN_I_FIELD_IGNORED},
    {"PDF", PKIN_I_FIELD_IGNORED},
    {"Code", PKIN_I_FIELD_IGNORED},
};

static pkin_i_view skip_stars(pkin_i_view text, size_t *n_stars) {
    *n_stars = 0;
    while (*n_stars < text.n_bytes && text.bytes[*n_stars] == '*') ++*n_stars;
    return pkin_i_view_from(text, *n_stars);
}

/* Past emoji and blanks before a heading's words. */
static pkin_i_view skip_decoration(pkin_i_view text) {
    size_t k = 0;
    while (k < text.n_bytes && ((unsigned char)text.bytes[k] >= 0x80 || text.bytes[k] == ' ')) k++;
    return pkin_i_view_from(text, k);
}

/* Past ":" or its full-width form; false where there is none. */
static bool skip_colon(pkin_i_view *text) {
    size_t n = pkin_i_view_starts(*text, ":") ? 1 : pkin_i_view_starts(*text, "\xEF\xBC\x9A") ? 3 : 0;
    *text = pkin_i_view_from(*text, n);
    return n > 0;
}

/* The value behind a label's name; false where the name turns out to be the beginning of something else. */
static bool read_value(pkin_i_view rest, bool heading, bool bold, pkin_i_view *value) {
    size_t n_stars, n_more;
    rest = skip_stars(rest, &n_stars);
    if (!skip_colon(&rest) && !(heading && pkin_i_view_trim(rest).n_bytes == 0)) return false;
    if (n_stars == 0 && bold) rest = skip_stars(rest, &n_stars);
    rest = pkin_i_view_trim(rest);
    /* `**Main category: cs.CV**` closes its bold face behind the value. */
    for (n_more = 0; bold && n_stars == 0 && n_more < 3 && pkin_i_view_ends(rest, "*"); n_more++) rest.n_bytes--;
    *value = rest;
    return true;
}

pkin_i_view pkin_i_unquote(pkin_i_view line) {
    if (!pkin_i_view_starts(line, ">")) return line;
    return pkin_i_view_from(line, pkin_i_view_starts(line, "> ") ? 2 : 1);
}

pkin_i_field pkin_i_label_read(pkin_i_view line, pkin_i_view *value) {
    pkin_i_view text = line;
    size_t n_stars;
    bool heading = pkin_i_heading_level(line, &text) > 1;
    if (heading) text = skip_decoration(text);
    text = skip_stars(text, &n_stars);
    for (size_t k = 0; k < sizeof labels / sizeof labels[0]; k++) {
        size_t n = strlen(labels[k].name);
        if (text.n_bytes < n || !pkin_i_ascii_equal_ignoring_case(text.bytes, labels[k].name, n)) continue;
        if (read_value(pkin_i_view_from(text, n), heading, n_stars > 1, value)) return labels[k].field;
    }
    return PKIN_I_FIELD_NONE;
}
