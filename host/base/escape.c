/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "paperkin/escape.h"

/* The longest piece that one character becomes: "%F0%9F%98%80", NUL included. */
enum { PIECE_BYTES = 16 };

static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* Characters that reorder or hide the text around them: bidirectional controls, zero-width marks, line separators. */
static bool is_deceptive(uint32_t c) {
    return c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
}

static size_t literal(const char *text, char piece[PIECE_BYTES]) {
    size_t n = strlen(text);
    memcpy(piece, text, n + 1);
    return n;
}

static size_t escape_json(uint32_t c, char piece[PIECE_BYTES]) {
    switch (c) {
    case '"':
        return literal("\\\"", piece);
    case '\\':
        return literal("\\\\", piece);
    case '\n':
        return literal("\\n", piece);
    case '\r':
        return literal("\\r", piece);
    case '\t':
        return literal("\\t", piece);
    default:
        /* What reorders text too: nothing is lost, and a terminal that shows the line is not deceived. */
        if (is_control(c) || is_deceptive(c)) return (size_t)snprintf(piece, PIECE_BYTES, "\\u%04x", (unsigned)c);
        return pkin_i_utf8_encode(c, piece);
    }
}

static size_t escape_html(uint32_t c, char piece[PIECE_BYTES]) {
    switch (c) {
    case '<':
        return literal("&lt;", piece);
    case '>':
        return literal("&gt;", piece);
    case '&':
        return literal("&amp;", piece);
    case '"':
        return literal("&quot;", piece);
    case '\'':
        return literal("&#39;", piece);
    default:
        if (is_control(c)) return literal(" ", piece);
        return pkin_i_utf8_encode(c, piece);
    }
}

static size_t escape_markdown(uint32_t c, char piece[PIECE_BYTES]) {
    if (c == '<' || c == '>' || c == '&') return escape_html(c, piece);
    if (is_control(c) || is_deceptive(c)) return literal(" ", piece);
    /* `$` as well: it starts mathematics on many hosts. `@` and `#`: mentions and issue links. */
    if (c < 0x80 && strchr("\\`*_{}[]()#+!|~$@", (int)c)) {
        piece[0] = '\\';
        piece[1] = (char)c;
        return 2;
    }
    return pkin_i_utf8_encode(c, piece);
}

static size_t escape_url(uint32_t c, char piece[PIECE_BYTES]) {
    char bytes[4];
    size_t n = pkin_i_utf8_encode(c, bytes);
    if (!is_control(c) && !is_deceptive(c) && c != 0x20 && !(c < 0x80 && strchr("\"'()<>[]\\^`{|}", (int)c))) {
        memcpy(piece, bytes, n);
        return n;
    }
    for (size_t k = 0; k < n; k++) snprintf(piece + 3 * k, PIECE_BYTES - 3 * k, "%%%02X", (unsigned)(unsigned char)bytes[k]);
    return 3 * n;
}

static size_t escape_character(pkin_escape_target target, uint32_t c, char piece[PIECE_BYTES]) {
    switch (target) {
    case PKIN_ESCAPE_JSON:
        return escape_json(c, piece);
    case PKIN_ESCAPE_MARKDOWN:
        return escape_markdown(c, piece);
    case PKIN_ESCAPE_URL:
        return escape_url(c, piece);
    case PKIN_ESCAPE_HTML:
        return escape_html(c, piece);
    case PKIN_ESCAPE_TSV:
    case PKIN_ESCAPE_TERMINAL:
        if (is_control(c) || is_deceptive(c)) return literal(" ", piece);
        return pkin_i_utf8_encode(c, piece);
    }
    return 0;
}

size_t pkin_escape(pkin_escape_target target, const char *text, char *buffer, size_t n_bytes) {
    if (!text) text = "";
    if (!buffer) n_bytes = 0;
    size_t needed = 0, written = 0, length = strlen(text);
    bool room = n_bytes > 0;
    for (size_t at = 0; at < length;) {
        uint32_t c;
        char piece[PIECE_BYTES];
        at += pkin_i_utf8_decode(text + at, length - at, &c);
        size_t n = escape_character(target, c, piece);
        room = room && n < n_bytes - written;
        if (room) {
            memcpy(buffer + written, piece, n);
            written += n;
        }
        needed += n;
    }
    if (n_bytes > 0) buffer[written] = '\0';
    return needed;
}
