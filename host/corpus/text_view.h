/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_TEXT_VIEW_H
#define PKIN_CORPUS_TEXT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "paperkin/version.h"

PKIN_EXTERN_C_BEGIN

/* Borrowed bytes, not NUL-terminated. */
typedef struct pkin_i_view {
    const char *bytes;
    size_t n_bytes;
} pkin_i_view;

static inline pkin_i_view pkin_i_view_of(const char *bytes, size_t n_bytes) {
    pkin_i_view view = {bytes, n_bytes};
    return view;
}

static inline bool pkin_i_is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline pkin_i_view pkin_i_view_from(pkin_i_view view, size_t at) {
    return at < view.n_bytes ? pkin_i_view_of(view.bytes + at, view.n_bytes - at)
                             : pkin_i_view_of(view.bytes + view.n_bytes, 0);
}

static inline pkin_i_view pkin_i_view_trim(pkin_i_view view) {
    while (view.n_bytes && pkin_i_is_blank(view.bytes[0])) view.bytes++, view.n_bytes--;
    while (view.n_bytes && pkin_i_is_blank(view.bytes[view.n_bytes - 1])) view.n_bytes--;
    return view;
}

static inline bool pkin_i_view_starts(pkin_i_view view, const char *prefix) {
    size_t n = strlen(prefix);
    return view.n_bytes >= n && memcmp(view.bytes, prefix, n) == 0;
}

static inline bool pkin_i_view_ends(pkin_i_view view, const char *suffix) {
    size_t n = strlen(suffix);
    return view.n_bytes >= n && memcmp(view.bytes + view.n_bytes - n, suffix, n) == 0;
}

static inline bool pkin_i_view_is(pkin_i_view view, const char *text) {
    return view.n_bytes == strlen(text) && pkin_i_view_starts(view, text);
}

/* The line that begins at offset `at` of [bytes, bytes + n_bytes), without LF or CR LF; *next is where the next begins.
 */
static inline pkin_i_view pkin_i_line_at(const char *bytes, size_t n_bytes, size_t at, size_t *next) {
    const char *line = bytes + at;
    const char *end = (const char *)memchr(line, '\n', n_bytes - at);
    size_t n = end ? (size_t)(end - line) : n_bytes - at;
    *next = at + n + (end ? 1 : 0);
    if (end && n && line[n - 1] == '\r') n--;
    return pkin_i_view_of(line, n);
}

/* Bytes of a UTF-8 byte order mark at the start: 3 or 0. */
static inline size_t pkin_i_bom_bytes(const char *bytes, size_t n_bytes) {
    return n_bytes >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

PKIN_EXTERN_C_END

#endif
