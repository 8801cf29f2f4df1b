/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "corpus/markdown_heading.h"
#include "corpus/readers.h"

/* How many readable records are looked at for the members that only some records of a file have. */
enum { RECORDS_TO_SEE = 16 };

static bool is_digest_line(pkin_i_view line) {
    pkin_i_view text;
    if (line.n_bytes == 0 || (line.bytes[0] != '#' && line.bytes[0] != '<')) return false;
    if (pkin_i_is_contents_mark(line)) return true;
    int level = pkin_i_heading_level(line, &text);
    if (level < 2 || level > 4) return false;
    pkin_i_heading heading = pkin_i_heading_read(text);
    bool web = pkin_i_view_starts(heading.link, "http://") || pkin_i_view_starts(heading.link, "https://");
    return heading.kind == PKIN_I_HEADING_ENTRY && (heading.numbered || web);
}

static pkin_format detect_markdown(const char *bytes, size_t n_bytes, size_t start) {
    for (size_t at = start, next; at < n_bytes; at = next) {
        if (is_digest_line(pkin_i_line_at(bytes, n_bytes, at, &next))) return PKIN_FORMAT_MARKDOWN;
    }
    return PKIN_FORMAT_UNKNOWN;
}

/* ENHANCED wins: some records of an enhanced file may lack the summaries. Otherwise the first record decides. */
static pkin_format detect_json(const char *bytes, size_t n_bytes, size_t start) {
    pkin_format form = PKIN_FORMAT_UNKNOWN;
    pkin_i_json_parser *parser = pkin_i_json_parser_new();
    int n_seen = 0;
    for (size_t at = start, next; parser && at < n_bytes && n_seen < RECORDS_TO_SEE; at = next) {
        pkin_i_json_value root;
        const char *reason;
        pkin_i_view line = pkin_i_view_trim(pkin_i_line_at(bytes, n_bytes, at, &next));
        size_t n_readable = n_bytes - (size_t)(line.bytes - bytes);
        if (line.n_bytes == 0 || line.bytes[0] != '{') continue;
        if (pkin_i_json_parse(parser, line, n_readable, &root, &reason) != PKIN_I_JSON_OK) continue;
        pkin_format found = pkin_i_json_record_format(&root);
        if (found != PKIN_FORMAT_UNKNOWN) n_seen++;
        if (form == PKIN_FORMAT_UNKNOWN || found == PKIN_FORMAT_ENHANCED) form = found;
        if (form == PKIN_FORMAT_ENHANCED) break;
    }
    pkin_i_json_parser_free(parser);
    return form;
}

pkin_format pkin_i_format_detect(const char *bytes, size_t n_bytes) {
    size_t start = pkin_i_bom_bytes(bytes, n_bytes), first = start;
    while (first < n_bytes && pkin_i_is_blank(bytes[first])) first++;
    if (first == n_bytes) return PKIN_FORMAT_UNKNOWN;
    bool json_first = bytes[first] == '{';
    pkin_format form = json_first ? detect_json(bytes, n_bytes, start) : detect_markdown(bytes, n_bytes, start);
    if (form != PKIN_FORMAT_UNKNOWN) return form;
    return json_first ? detect_markdown(bytes, n_bytes, start) : detect_json(bytes, n_bytes, start);
}
