/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_ESCAPE_H
#define PAPERKIN_ESCAPE_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/* Titles, names and links come from strangers. Whatever writes them escapes them for the place where they go. */
typedef enum pkin_escape_target {
    PKIN_ESCAPE_JSON = 0, /* inside a JSON string, without the quotes; what is not ASCII stays UTF-8, but for controls */
    PKIN_ESCAPE_TSV,      /* one field: tab, line ends, other control characters and bidirectional ones become a space */
    PKIN_ESCAPE_MARKDOWN, /* inline text on one line: punctuation with a meaning gets a backslash, <, > and & become
                             entities, so that neither markup nor HTML nor a comment can be opened or closed */
    PKIN_ESCAPE_URL,      /* a link target for Markdown's (...) and for HTML: spaces, quotes, brackets, parentheses, <, >,
                             backslash and control characters percent-encoded */
    PKIN_ESCAPE_HTML,     /* text or a quoted attribute */
    PKIN_ESCAPE_TERMINAL  /* one line for a terminal: no control characters (C0, DEL, C1), no bidirectional overrides */
} pkin_escape_target;

/*
 * Writes `text` escaped for `target` to `buffer`, NUL-terminated and cut (never inside a character or an escape) to
 * `n_bytes`. Invalid UTF-8 becomes U+FFFD. Returns the bytes that the whole needs without its NUL; with `buffer`
 * NULL nothing is written. `text` NULL is "". Linear.
 */
PKIN_API size_t pkin_escape(pkin_escape_target target, const char *text, char *buffer, size_t n_bytes);

PKIN_EXTERN_C_END

#endif
