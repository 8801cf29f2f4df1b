/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/title_features.h"

#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "groups/text_ratio.h"
#include "groups/title_numbers.h"
#include "groups/word_list.h"
#include "text/normalize.h"

#define MAX_LEFTOVER_WORDS 8
/* Two spellings of one word ("modelling", "modeling") begin alike and share at least this much. */
#define SAME_WORD_RATIO 0.85
#define MIN_CONTAINED_WORDS 4

typedef struct text_view {
    const char *bytes;
    size_t n_bytes;
} text_view;

/* One title in its normalised forms. */
typedef struct title {
    pkin_i_buffer text;   /* as pkin_i_normalize_text leaves it */
    pkin_i_buffer key;    /* letters and digits alone, single spaces */
    pkin_i_buffer name;   /* key of what stands before the first colon; empty where there is none or it is generic */
    int n_pluses;         /* "Foo++: ..." has two; a successor is not the work it succeeds */
    uint64_t *characters; /* of the key */
    size_t n_characters;
    pkin_i_title_numbers numbers;
} title;

static void title_free(title *t) {
    pkin_i_buffer_free(&t->text);
    pkin_i_buffer_free(&t->key);
    pkin_i_buffer_free(&t->name);
    pkin_i_free(t->characters);
}

static int in_list(text_view word, const char *const *list) {
    for (; *list; list++) {
        if (strlen(*list) == word.n_bytes && !memcmp(*list, word.bytes, word.n_bytes)) return 1;
    }
    return 0;
}

/* Takes the next word off a key; 0 at its end. */
static int next_word(text_view *key, text_view *word) {
    if (!key->n_bytes) return 0;
    const char *space = memchr(key->bytes, ' ', key->n_bytes);
    size_t n = space ? (size_t)(space - key->bytes) : key->n_bytes;
    *word = (text_view){key->bytes, n};
    key->bytes += n + (space != NULL);
    key->n_bytes -= n + (space != NULL);
    return 1;
}

static text_view view_of(const pkin_i_buffer *buffer) {
    return (text_view){buffer->bytes, buffer->n_bytes};
}

static size_t count_words(text_view key) {
    size_t n = 0;
    text_view word;
    while (next_word(&key, &word)) n++;
    return n;
}

static int has_word_of(text_view key, const char *const *list) {
    text_view word;
    while (next_word(&key, &word)) {
        if (in_list(word, list)) return 1;
    }
    return 0;
}

/* Any title may begin with these and a colon. */
static int is_generic_name(text_view name) {
    static const char *const generic[] = {
        "position",    "position paper", "survey",  "a survey",  "review",         "a review",
        "short paper", "demo",           "poster",  "tutorial",  "letter",         "comment",
        "reply",       "erratum",        "note",    "a note",    "case study",     "a case study",
        "perspective", "viewpoint",      "opinion", "editorial", "technical note", "extended abstract",
        NULL};
    return in_list(name, generic);
}

static pkin_status read_name(title *t) {
    const char *colon = t->text.n_bytes ? memchr(t->text.bytes, ':', t->text.n_bytes) : NULL;
    if (!colon) return PKIN_OK;
    size_t end = (size_t)(colon - t->text.bytes);
    while (end > 0 && t->text.bytes[end - 1] == ' ') end--;
    for (size_t i = end; i > 0 && t->text.bytes[i - 1] == '+'; i--) t->n_pluses++;
    pkin_status status = pkin_i_normalize_key(t->text.bytes, end, &t->name);
    if (status == PKIN_OK && is_generic_name(view_of(&t->name))) pkin_i_buffer_clear(&t->name);
    return status;
}

/* Code points of the key; normalised text is valid UTF-8, so a lead byte says how many bytes belong to it. */
static pkin_status read_characters(title *t) {
    pkin_status status = pkin_i_allocate(t->key.n_bytes, sizeof *t->characters, &t->characters);
    for (size_t i = 0; status == PKIN_OK && i < t->key.n_bytes; i++) {
        unsigned char byte = (unsigned char)t->key.bytes[i];
        if ((byte & 0xC0) != 0x80) {
            t->characters[t->n_characters++] = byte;
        } else if (t->n_characters) {
            uint64_t *last = &t->characters[t->n_characters - 1];
            *last = *last << 8 | byte;
        }
    }
    return status;
}

static pkin_status read_title(const char *text, title *t) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = strnlen(text, PKIN_I_MAX_TITLE_BYTES + 1);
    n_bytes = pkin_i_utf8_prefix(text, n_bytes, PKIN_I_MAX_TITLE_BYTES);
    PKIN_TRY(pkin_i_normalize_text(text, n_bytes, &t->text));
    PKIN_TRY(pkin_i_normalize_key(text, n_bytes, &t->key));
    PKIN_TRY(read_name(t));
    PKIN_TRY(read_characters(t));
    pkin_i_title_numbers_read(t->text.n_bytes ? t->text.bytes : "", t->text.n_bytes, &t->numbers);
out:
    return status;
}

/* ---- One title spelt twice ---- */

static int same_letters(text_view a, text_view b) {
    for (;;) {
        while (a.n_bytes && *a.bytes == ' ') a.bytes++, a.n_bytes--;
        while (b.n_bytes && *b.bytes == ' ') b.bytes++, b.n_bytes--;
        if (!a.n_bytes || !b.n_bytes) return a.n_bytes == b.n_bytes;
        if (*a.bytes++ != *b.bytes++) return 0;
        a.n_bytes--;
        b.n_bytes--;
    }
}

static int is_function_word(text_view word) {
    static const char *const words[] = {"a",    "an",  "the", "of", "for",  "in",    "on", "to",
                                        "with", "and", "via", "by", "from", "using", NULL};
    return in_list(word, words);
}

static size_t count_word(text_view key, text_view wanted) {
    size_t n = 0;
    text_view word;
    while (next_word(&key, &word))
        n += word.n_bytes == wanted.n_bytes && !memcmp(word.bytes, wanted.bytes, word.n_bytes);
    return n;
}

/* Words of `a` that stand in `b` less often; more than fit: MAX_LEFTOVER_WORDS + 1. Function words do not count. */
static size_t leftover(text_view a, text_view b, text_view *words) {
    size_t n = 0;
    text_view whole = a, word;
    while (next_word(&a, &word)) {
        if (is_function_word(word) || count_word(b, word) >= count_word(whole, word)) continue;
        if (n == MAX_LEFTOVER_WORDS) return n + 1;
        words[n++] = word;
    }
    return n;
}

static int spelt_alike(text_view a, text_view b) {
    return a.bytes[0] == b.bytes[0] && pkin_i_spelling_ratio(a.bytes, a.n_bytes, b.bytes, b.n_bytes) >= SAME_WORD_RATIO;
}

/*
 * Whether the words that only one title has pair off as spellings of one another. A ratio alone does not see that: in a
 * long title "linear" for "nonlinear", or "GCD" for "LCM", costs two hundredths.
 */
static int no_word_exchanged(text_view a, text_view b) {
    text_view from_a[MAX_LEFTOVER_WORDS], from_b[MAX_LEFTOVER_WORDS];
    size_t n_a = leftover(a, b, from_a), n_b = leftover(b, a, from_b);
    if (n_a != n_b || n_a > MAX_LEFTOVER_WORDS) return 0;
    for (size_t i = 0; i < n_a; i++) {
        size_t j = 0, k = 0;
        while (j < n_b && !spelt_alike(from_a[i], from_b[j])) j++;
        while (k < n_a && !spelt_alike(from_b[i], from_a[k])) k++;
        if (j == n_b || k == n_a) return 0;
    }
    return 1;
}

static int same_title(const title *a, const title *b, double ratio) {
    text_view key_a = view_of(&a->key), key_b = view_of(&b->key);
    return same_letters(key_a, key_b) || (ratio >= PKIN_I_SAME_TITLE_RATIO && no_word_exchanged(key_a, key_b));
}

/* ---- One title inside the other ---- */

/* Words that make of a title another work's. */
static int adds_a_turn(text_view key) {
    static const char *const words[] = {"beyond",     "revisited", "revisiting",  "rethinking",  "towards",
                                        "toward",     "non",       "not",         "without",     "extending",
                                        "extensions", "extension", "survey",      "review",      "against",
                                        "improving",  "improved",  "generalized", "generalised", NULL};
    return has_word_of(key, words);
}

static int is_contained(const title *a, const title *b, double ratio) {
    const title *inner = a->key.n_bytes <= b->key.n_bytes ? a : b, *outer = inner == a ? b : a;
    text_view inside = view_of(&inner->key), whole = view_of(&outer->key);
    if (ratio < PKIN_I_ALIKE_TITLE_RATIO || count_words(inside) < MIN_CONTAINED_WORDS) return 0;
    if (adds_a_turn(whole) && !adds_a_turn(inside)) return 0;
    for (size_t at = 0; at + inside.n_bytes <= whole.n_bytes; at++) {
        int begins = at == 0 || whole.bytes[at - 1] == ' ';
        int ends = at + inside.n_bytes == whole.n_bytes || whole.bytes[at + inside.n_bytes] == ' ';
        if (begins && ends && !memcmp(whole.bytes + at, inside.bytes, inside.n_bytes)) return 1;
    }
    return 0;
}

/* ---- Kinds of titles ---- */

static int is_report(text_view key) {
    static const char *const words[] = {"challenge", "proceedings", "overview", "summit", "competition",
                                        "workshop",  "symposium",   "report",   NULL};
    if (has_word_of(key, words)) return 1;
    text_view word, before = {NULL, 0};
    static const char *const shared[] = {"shared", NULL}, *const task[] = {"task", "tasks", NULL};
    for (; next_word(&key, &word); before = word) {
        if (before.bytes && in_list(before, shared) && in_list(word, task)) return 1;
    }
    return 0;
}

static int is_answer(text_view key) {
    static const char *const words[] = {"erratum",    "errata",        "corrigendum", "addendum",
                                        "supplement", "supplementary", "comment",     "comments",
                                        "reply",      "rejoinder",     "retraction",  NULL};
    return has_word_of(key, words);
}

static void compare(const title *a, const title *b, pkin_i_title_features *out) {
    text_view key_a = view_of(&a->key), key_b = view_of(&b->key);
    out->same = same_title(a, b, out->ratio);
    out->same_name = a->name.n_bytes > 0 && a->name.n_bytes == b->name.n_bytes && a->n_pluses == b->n_pluses &&
                     !memcmp(a->name.bytes, b->name.bytes, a->name.n_bytes);
    out->contained = is_contained(a, b, out->ratio);
    out->numbers_differ =
        !pkin_i_title_serials_matched(&a->numbers, &b->numbers) ||
        (out->ratio >= PKIN_I_ALIKE_TITLE_RATIO && !pkin_i_title_numbers_equal(&a->numbers, &b->numbers));
    out->reports = is_report(key_a) && is_report(key_b);
    out->answers = is_answer(key_a) != is_answer(key_b);
}

pkin_status pkin_i_compare_titles(const char *a, const char *b, pkin_i_title_features *out) {
    pkin_status status = PKIN_OK;
    title first = {0}, second = {0};
    *out = (pkin_i_title_features){0};
    PKIN_TRY(read_title(a, &first));
    PKIN_TRY(read_title(b, &second));
    PKIN_TRY(pkin_i_sequence_ratio(first.characters, first.n_characters, second.characters, second.n_characters,
                                   &out->ratio));
    if (first.key.n_bytes && second.key.n_bytes) compare(&first, &second, out);
out:
    title_free(&first);
    title_free(&second);
    return status;
}
