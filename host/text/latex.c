/* SPDX-License-Identifier: Apache-2.0 */
#include "text/latex.h"

#include <string.h>

#include "base/failure.h"
#include "base/utf8.h"
#include "text/special_bytes.h"

/*
 * One pass over the text. Every construct writes at most twice the bytes that it took, plus one: a reservation made
 * before the pass suffices, and the pass itself cannot fail.
 */
typedef struct stripper {
    const char *text;
    size_t n_bytes;
    size_t at; /* next byte to read */
    char *out; /* next byte to write */
    char *out_begin;
    int drop_links;
    int split_arguments; /* after \frac: the next `}{` is a gap */
} stripper;

static int is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void put(stripper *s, char c) {
    *s->out++ = c;
}

static void put_string(stripper *s, const char *text) {
    for (; *text; text++) put(s, *text);
}

/* The byte `ahead` of the next one; NUL past the end. */
static char peek(const stripper *s, size_t ahead) {
    return s->at + ahead < s->n_bytes ? s->text[s->at + ahead] : '\0';
}

static void skip_spaces(stripper *s) {
    while (s->at < s->n_bytes && is_space(s->text[s->at])) s->at++;
}

/* A gap, if a word stands before. */
static void put_gap(stripper *s) {
    if (s->out > s->out_begin && s->out[-1] != ' ') put(s, ' ');
}

/* Arguments that are dropped are addresses and labels; the bound keeps hostile nesting linear. */
enum { MAX_ARGUMENT_BYTES = 2048 };

/* The place behind the argument in braces that begins at `at`; `at` itself where there is none or it does not end. */
static size_t argument_end(const stripper *s, size_t at, char open, char close) {
    size_t depth = 0;
    if (at >= s->n_bytes || s->text[at] != open) return at;
    for (size_t k = at; k < s->n_bytes && k - at < MAX_ARGUMENT_BYTES; k++) {
        char c = s->text[k];
        if (c == '\\')
            k++;
        else if (c == open)
            depth++;
        else if (c == close && --depth == 0)
            return k + 1;
    }
    return at;
}

/* ---- Links ---- */

static int starts_with(const char *text, size_t n_bytes, const char *prefix) {
    size_t k = 0;
    for (; prefix[k]; k++) {
        if (k >= n_bytes) return 0;
        char c = text[k] >= 'A' && text[k] <= 'Z' ? (char)(text[k] + 32) : text[k];
        if (c != prefix[k]) return 0;
    }
    return 1;
}

size_t pkin_i_link_length(const char *text, size_t n_bytes) {
    static const char *const starts[] = {"http://", "https://", "ftp://", "www."};
    size_t n = 0;
    for (size_t k = 0; k < sizeof starts / sizeof *starts && n == 0; k++) {
        if (starts_with(text, n_bytes, starts[k])) n = strlen(starts[k]);
    }
    if (n == 0) return 0;
    /* An address is ASCII here, so that Chinese text may follow it without a space. */
    while (n < n_bytes && (unsigned char)text[n] > ' ' && (unsigned char)text[n] < 0x7F &&
           !strchr("<>\"{}()[]|`", text[n])) {
        n++;
    }
    return n;
}

/* ---- Commands ---- */

/* The letter under an accent, written with the mark behind it: `e`, `{e}`, `\i`, `{\i}`, any UTF-8 character. */
static void put_accented(stripper *s, const char *mark) {
    size_t at = s->at;
    while (at < s->n_bytes && is_space(s->text[at])) at++;
    if (at < s->n_bytes && s->text[at] == '{') at++;
    if (at + 1 < s->n_bytes && s->text[at] == '\\' && (s->text[at + 1] == 'i' || s->text[at + 1] == 'j')) at++;
    if (at >= s->n_bytes) return;
    uint32_t character;
    size_t length = pkin_i_utf8_decode(s->text + at, s->n_bytes - at, &character);
    if (character < 0x80 && !is_letter((char)character)) return;
    for (size_t k = 0; k < length; k++) put(s, s->text[at + k]);
    put_string(s, mark);
    s->at = at + length;
}

/* \unicode{x2013}, as some preprint servers write what is not ASCII. */
static void put_code_point(stripper *s) {
    uint32_t value = 0;
    size_t at = s->at, n_digits = 0;
    char bytes[4];
    if (at + 1 >= s->n_bytes || s->text[at] != '{' || s->text[at + 1] != 'x') return;
    for (at += 2; at < s->n_bytes && n_digits < 6; at++, n_digits++) {
        char c = s->text[at];
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) break;
        value = value * 16 + digit;
    }
    if (at >= s->n_bytes || s->text[at] != '}' || n_digits == 0) return;
    s->at = at + 1;
    if (value < 0x80 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        put(s, ' ');
        return;
    }
    size_t length = pkin_i_utf8_encode(value, bytes);
    for (size_t k = 0; k < length; k++) put(s, bytes[k]);
}

static void drop_argument(stripper *s) {
    if (peek(s, 0) == '*') s->at++;
    s->at = argument_end(s, s->at, '[', ']');
    s->at = argument_end(s, s->at, '{', '}');
}

/* A Greek letter right behind a Greek letter would read as a Greek word; set it off. */
static void put_symbol(stripper *s, const char *symbol) {
    if (s->out > s->out_begin && ((unsigned char)s->out[-1] & 0x80)) put(s, ' ');
    put_string(s, symbol);
}

static void put_unknown(stripper *s, const char *name, size_t n_bytes) {
    put_gap(s);
    for (size_t k = 0; k < n_bytes; k++) put(s, name[k]);
    put(s, ' ');
}

static void named_command(stripper *s) {
    const char *name = s->text + s->at;
    size_t n = 0;
    while (s->at + n < s->n_bytes && is_letter(name[n])) n++;
    const pkin_i_latex_command *command = pkin_i_latex_find(name, n);
    s->at += n;
    if (!command) {
        put_unknown(s, name, n);
        return;
    }
    switch (command->kind) {
    case PKIN_I_LATEX_NOTHING:
        break;
    case PKIN_I_LATEX_SPACE:
        put(s, ' ');
        break;
    case PKIN_I_LATEX_ARGUMENTS:
        put(s, ' ');
        s->split_arguments = 1;
        break;
    case PKIN_I_LATEX_SYMBOL:
        put_symbol(s, command->replacement);
        break;
    case PKIN_I_LATEX_LETTER:
        put_string(s, command->replacement);
        skip_spaces(s);
        break;
    case PKIN_I_LATEX_ACCENT:
        put_accented(s, command->replacement);
        break;
    case PKIN_I_LATEX_DROP:
        drop_argument(s);
        put(s, ' ');
        break;
    case PKIN_I_LATEX_LINK:
        if (s->drop_links) drop_argument(s);
        put(s, ' ');
        break;
    case PKIN_I_LATEX_CODE_POINT:
        put_code_point(s);
        break;
    }
}

/* `\` and a character that is no letter. */
static void symbol_command(stripper *s) {
    static const struct {
        char command;
        const char *mark;
    } accents[] = {{'\'', "\xCC\x81"}, {'`', "\xCC\x80"}, {'"', "\xCC\x88"}, {'^', "\xCC\x82"},
                   {'~', "\xCC\x83"},  {'=', "\xCC\x84"}, {'.', "\xCC\x87"}};
    char c = s->text[s->at++];
    for (size_t k = 0; k < sizeof accents / sizeof *accents; k++) {
        if (accents[k].command == c) {
            put_accented(s, accents[k].mark);
            return;
        }
    }
    if (c == '%' || c == '&' || c == '#')
        put(s, c);
    else if (c == '!' || c == '-' || c == '/' || c == '_' || c == '(' || c == ')')
        return; /* no gap */
    else if (is_digit(c) || (unsigned char)c >= 0x80)
        s->at--; /* a stray backslash */
    else
        put(s, ' ');
}

/* ---- Text ---- */

static void special(stripper *s, char c) {
    s->at++;
    switch (c) {
    case '~':
        put(s, ' ');
        break;
    case '{':
        if (s->split_arguments && s->at >= 2 && s->text[s->at - 2] == '}') {
            put(s, ' ');
            s->split_arguments = 0;
        }
        break;
    case '\\':
        if (s->at >= s->n_bytes) break;
        if (is_letter(s->text[s->at]))
            named_command(s);
        else
            symbol_command(s);
        break;
    default:
        break; /* $ } ^ _ vanish */
    }
}

/* Links start where no letter or digit stands before; only h, f, w can begin one. */
static size_t link_here(const stripper *s, char c) {
    if (!s->drop_links || !(c == 'h' || c == 'H' || c == 'f' || c == 'F' || c == 'w' || c == 'W')) return 0;
    if (s->at && (is_letter(s->text[s->at - 1]) || is_digit(s->text[s->at - 1]))) return 0;
    return pkin_i_link_length(s->text + s->at, s->n_bytes - s->at);
}

/* Copies text up to where something may have to be done, 16 bytes at a time, and less than that not at all. */
static void copy_plain(stripper *s) {
#if defined(__SSE2__)
    unsigned stops = 0;
    while (!stops && s->n_bytes - s->at > 16) {
        __m128i bytes = pkin_i_load_16(s->text + s->at), behind = pkin_i_load_16(s->text + s->at + 1);
        __m128i found = pkin_i_latex_bytes(bytes);
        if (s->drop_links) { /* "ht", "ft", "ww" */
            __m128i t_start = _mm_or_si128(pkin_i_letters_equal(bytes, 'h'), pkin_i_letters_equal(bytes, 'f'));
            found = _mm_or_si128(found, _mm_and_si128(t_start, pkin_i_letters_equal(behind, 't')));
            __m128i w_start = pkin_i_letters_equal(bytes, 'w');
            found = _mm_or_si128(found, _mm_and_si128(w_start, pkin_i_letters_equal(behind, 'w')));
        }
        stops = (unsigned)_mm_movemask_epi8(found);
        _mm_storeu_si128((__m128i *)(void *)s->out, bytes); /* at most 2 * at + 1 are written, and 16 more fit */
        size_t n = stops ? (size_t)__builtin_ctz(stops) : 16;
        s->out += n;
        s->at += n;
    }
#else
    (void)s;
#endif
}

pkin_status pkin_i_latex_strip(const char *text, size_t n_bytes, int drop_links, pkin_i_buffer *out) {
    size_t room;
    if (!pkin_i_multiply(n_bytes, 2, &room) || !pkin_i_add(room, 32, &room)) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a text of %zu bytes is too long", n_bytes);
    }
    pkin_status status = pkin_i_buffer_reserve(out, room);
    if (status != PKIN_OK) return status;
    char *begin = out->bytes + out->n_bytes;
    stripper s = {text, n_bytes, 0, begin, begin, drop_links, 0};
    for (copy_plain(&s); s.at < n_bytes; copy_plain(&s)) {
        char c = text[s.at];
        size_t link = link_here(&s, c);
        if (link) {
            put(&s, ' ');
            s.at += link;
        } else if (c == '\\' || c == '$' || c == '{' || c == '}' || c == '^' || c == '_' || c == '~') {
            special(&s, c);
        } else {
            put(&s, c);
            s.at++;
        }
    }
    out->n_bytes = (size_t)(s.out - out->bytes);
    out->bytes[out->n_bytes] = '\0';
    return PKIN_OK;
}
