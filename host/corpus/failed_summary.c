/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of what digests hold where a language model failed. Seen in public feeds: a bare "Error", the text of an
 * HTTP error, and the defaults that enhancing scripts put in place of a missing field.
 */
#include "corpus/failed_summary.h"

#include "base/ascii.h"

/* The whole part, whatever its case and without closing punctuation. */
static const char *const whole_texts[] = {
    "error",
    "errors",
    "failed",
    "failure",
    "unknown error",
    "n/a",
    "na",
    "none",
    "null",
    "nan",
    "undefined",
    "not available",
    "unavailable",
    "processing failed",
    "processing error",
    "summary generation failed",
    "translation generation failed",
    "translation failed",
    "motivation analysis unavailable",
    "method extraction failed",
    "result analysis unavailable",
    "conclusion extraction failed",
    "no summary available",
    "no summary",
    "request timed out",
    "connection error",
    "rate limit exceeded",
    "\xE9\x94\x99\xE8\xAF\xAF", /* error */
    "\xE5\xA4\xB1\xE8\xB4\xA5", /* failed */
    "\xE6\x97\xA0",             /* none */
    "\xE6\x9A\x82\xE6\x97\xA0", /* none yet */
};

/* The part begins so; what follows is the message of a server or of a library. */
static const char *const prefixes[] = {
    "error code:",         "error:",          "http error",
    "httperror",           "ratelimiterror",  "apierror",
    "apiconnectionerror",  "apitimeouterror", "badrequesterror",
    "authenticationerror", "openai.",         "traceback (most recent call last)",
    "{'error':",           "{\"error\":",
};

/* A part of at most SHORT_BYTES that ends so: "Keyword generation failed", "Background analysis unavailable". */
static const char *const suffixes[] = {
    " generation failed",
    " extraction failed",
    " analysis failed",
    " analysis unavailable",
    " generation unavailable",
    " extraction unavailable",
    "\xE7\x94\x9F\xE6\x88\x90\xE5\xA4\xB1\xE8\xB4\xA5", /* generation failed */
    "\xE7\xBF\xBB\xE8\xAF\x91\xE5\xA4\xB1\xE8\xB4\xA5", /* translation failed */
    "\xE5\xA4\x84\xE7\x90\x86\xE5\xA4\xB1\xE8\xB4\xA5", /* processing failed */
    "\xE6\x8F\x90\xE5\x8F\x96\xE5\xA4\xB1\xE8\xB4\xA5", /* extraction failed */
};

enum { SHORT_BYTES = 48 };

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static bool begins_without_case(pkin_i_view text, const char *prefix) {
    size_t n = strlen(prefix);
    return text.n_bytes >= n && pkin_i_ascii_equal_ignoring_case(text.bytes, prefix, n);
}

static pkin_i_view without_closing_punctuation(pkin_i_view text) {
    static const char full_stop[] = "\xE3\x80\x82";
    text = pkin_i_view_trim(text);
    while (text.n_bytes && strchr(".!", text.bytes[text.n_bytes - 1])) text.n_bytes--;
    if (pkin_i_view_ends(text, full_stop)) text.n_bytes -= strlen(full_stop);
    return text;
}

bool pkin_i_is_failed_summary(pkin_i_view text) {
    text = without_closing_punctuation(text);
    for (size_t k = 0; k < LENGTH(prefixes); k++) {
        if (begins_without_case(text, prefixes[k])) return true;
    }
    if (text.n_bytes > SHORT_BYTES) return false;
    for (size_t k = 0; k < LENGTH(whole_texts); k++) {
        if (strlen(whole_texts[k]) == text.n_bytes && begins_without_case(text, whole_texts[k])) return true;
    }
    for (size_t k = 0; k < LENGTH(suffixes); k++) {
        size_t n = strlen(suffixes[k]);
        if (text.n_bytes >= n && begins_without_case(pkin_i_view_from(text, text.n_bytes - n), suffixes[k]))
            return true;
    }
    return false;
}
