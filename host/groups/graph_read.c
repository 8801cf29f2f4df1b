/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading graphs: XML is told by its first character, all else is an edge list. Lines of an edge list that have a tab
 * are parted by tabs, so that names may hold blanks; others by blanks. Linear in the input.
 */
#include <string.h>

#include "base/failure.h"
#include "corpus/corpus_private.h"
#include "groups/graph_builder.h"
#include "groups/graph_xml.h"

typedef struct field {
    char *text;
    size_t n_bytes;
} field;

typedef struct line_reader {
    pkin_i_graph_builder *builder;
    char *at, *end;
    uint64_t line;
    bool heading_possible; /* nothing has been read yet */
} line_reader;

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static field trim(char *begin, char *end) {
    while (begin < end && is_blank(*begin)) begin++;
    while (begin < end && is_blank(end[-1])) end--;
    return (field){begin, (size_t)(end - begin)};
}

/* The next line without its end and its comment; a `#` begins one at the start of a line or behind a blank. */
static field next_line(line_reader *r) {
    char *begin = r->at, *end = memchr(begin, '\n', (size_t)(r->end - begin));
    r->line++;
    r->at = end ? end + 1 : r->end;
    if (!end) end = r->end;
    if (end > begin && end[-1] == '\r') end--;
    for (char *c = begin; (c = memchr(c, '#', (size_t)(end - c))); c++) {
        if (c > begin && !is_blank(c[-1])) continue;
        end = c;
        break;
    }
    /* A tab at the start is behind a field without text; some writers end lines with one. */
    while (begin < end && *begin == ' ') begin++;
    while (begin < end && is_blank(end[-1])) end--;
    return (field){begin, (size_t)(end - begin)};
}

static pkin_status check_text(const line_reader *r, field line) {
    for (size_t k = 0; k < line.n_bytes; k++) {
        unsigned char c = (unsigned char)line.text[k];
        if ((c >= 0x20 && c != 0x7F) || c == '\t') continue;
        return pkin_i_fail(PKIN_ERROR_CORRUPT,
                           "%s:%llu: a byte 0x%02X: expected an edge list as text, two names and a weight a line, "
                           "GraphML or GEXF",
                           r->builder->file, (unsigned long long)r->line, c);
    }
    return PKIN_OK;
}

/* Cuts a line into at most `n_most` fields; returns how many there are, those that did not fit counted as one. */
static size_t split(field line, field *fields, size_t n_most) {
    bool by_tabs = memchr(line.text, '\t', line.n_bytes) != NULL;
    char *at = line.text, *end = line.text + line.n_bytes;
    size_t n = 0;
    while (at < end) {
        char *stop = at;
        while (stop < end && (by_tabs ? *stop != '\t' : !is_blank(*stop))) stop++;
        if (n == n_most) return n + 1;
        fields[n++] = trim(at, stop);
        if (stop == end) break;
        at = stop + 1;
        while (!by_tabs && at < end && is_blank(*at)) at++;
    }
    return n;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* The byte of an escape at text[0] == '\\' and its length; 0: what stands there is none, and means itself. */
static size_t escaped_byte(const char *text, size_t n_bytes, char *byte) {
    if (n_bytes < 2) return 0;
    if (text[1] == 'x') {
        int high = n_bytes >= 4 ? hex_value(text[2]) : -1, low = n_bytes >= 4 ? hex_value(text[3]) : -1;
        if (high < 0 || low < 0 || high + low == 0) return 0; /* a name holds no NUL */
        *byte = (char)(high << 4 | low);
        return 4;
    }
    switch (text[1]) {
    case 't':
        *byte = '\t';
        return 2;
    case 'n':
        *byte = '\n';
        return 2;
    case 'r':
        *byte = '\r';
        return 2;
    case '\\':
        *byte = '\\';
        return 2;
    default:
        return 0;
    }
}

/* Puts the bytes that escapes stand for in their place. */
static void unescape(field *name) {
    size_t n = 0, length;
    for (size_t at = 0; at < name->n_bytes; at += length) {
        char byte;
        length = name->text[at] == '\\' ? escaped_byte(name->text + at, name->n_bytes - at, &byte) : 0;
        name->text[n++] = length ? byte : name->text[at];
        if (!length) length = 1;
    }
    name->n_bytes = n;
}

static bool is_word(field f, const char *word) {
    size_t n = strlen(word);
    if (f.n_bytes != n) return false;
    for (size_t k = 0; k < n; k++) {
        char c = f.text[k];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[k]) return false;
    }
    return true;
}

static bool is_heading(const field *fields, size_t n) {
    return (n == 2 || (n == 3 && is_word(fields[2], "weight"))) && is_word(fields[0], "source") &&
           is_word(fields[1], "target");
}

static pkin_status read_name(line_reader *r, field name, uint32_t *node) {
    pkin_status status;
    PKIN_REQUIRE(name.n_bytes, PKIN_ERROR_CORRUPT, "%s:%llu: a name is empty, expected two names and a weight",
                 r->builder->file, (unsigned long long)r->line);
    unescape(&name);
    PKIN_TRY(pkin_i_builder_node(r->builder, name.text, name.n_bytes, r->line, node));
    (void)pkin_i_builder_declare(r->builder, *node);
out:
    return status;
}

static pkin_status read_line(line_reader *r, field line) {
    pkin_status status;
    field fields[3];
    uint32_t first, second;
    double weight = 1;
    PKIN_TRY(check_text(r, line));
    size_t n = split(line, fields, 3);
    PKIN_REQUIRE(n <= 3, PKIN_ERROR_CORRUPT,
                 "%s:%llu: more than three fields, expected two names and a weight, parted by tabs or blanks",
                 r->builder->file, (unsigned long long)r->line);
    bool heading = r->heading_possible && is_heading(fields, n);
    r->heading_possible = false;
    if (heading) goto out;
    PKIN_TRY(read_name(r, fields[0], &first));
    if (n == 1) goto out;
    PKIN_TRY(read_name(r, fields[1], &second));
    if (n == 3) {
        PKIN_TRY(pkin_i_builder_weight(r->builder, r->line, fields[2].text, fields[2].n_bytes, &weight));
    }
    PKIN_TRY(pkin_i_builder_edge(r->builder, first, second, weight));
out:
    return status;
}

static pkin_status read_edge_list(char *bytes, size_t n_bytes, pkin_i_graph_builder *builder) {
    pkin_status status = PKIN_OK;
    line_reader r = {.builder = builder, .at = bytes, .end = bytes + n_bytes, .heading_possible = true};
    while (r.at < r.end) {
        field line = next_line(&r);
        if (line.n_bytes) PKIN_TRY(read_line(&r, line));
    }
out:
    return status;
}

/* XML in any encoding that expat knows: in UTF-16 it begins with a byte order mark, or with a NUL beside the '<'. */
static bool is_xml(const char *bytes, size_t n_bytes) {
    size_t at = 0;
    if (n_bytes >= 2 && (!memcmp(bytes, "\xFF\xFE", 2) || !memcmp(bytes, "\xFE\xFF", 2))) return true;
    if (n_bytes >= 2 && (!memcmp(bytes, "<\0", 2) || !memcmp(bytes, "\0<", 2))) return true;
    if (n_bytes >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) at = 3;
    while (at < n_bytes && (is_blank(bytes[at]) || bytes[at] == '\n' || bytes[at] == '\r')) at++;
    return at < n_bytes && bytes[at] == '<';
}

pkin_status pkin_graph_read_file(const char *path, pkin_graph **out) {
    pkin_status status;
    pkin_i_buffer bytes = {0};
    pkin_i_graph_builder builder = {0};
    PKIN_REQUIRE(path && out, PKIN_ERROR_INVALID_ARGUMENT,
                 "pkin_graph_read_file needs a path and a place for its graph");
    *out = NULL;
    builder.file = strcmp(path, "-") == 0 ? "standard input" : path;
    PKIN_TRY(pkin_i_input_read(path, &bytes));
    if (is_xml(bytes.bytes, bytes.n_bytes)) {
        PKIN_TRY(pkin_i_graph_read_xml(bytes.bytes, bytes.n_bytes, &builder));
    } else if (bytes.n_bytes) {
        size_t mark = bytes.n_bytes >= 3 && !memcmp(bytes.bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
        PKIN_TRY(read_edge_list(bytes.bytes + mark, bytes.n_bytes - mark, &builder));
    }
    PKIN_TRY(pkin_i_builder_finish(&builder, out));
out:
    pkin_i_buffer_free(&bytes);
    pkin_i_builder_free(&builder);
    return status;
}
