/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/surface_forms.h"

#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "base/utf8.h"

enum {
    FREE_PLACE = 4,    /* what an occurrence counts where a writer has the choice */
    CAPITAL_PLACE = 1, /* and where capitals are the rule */
    MOST_PAPERS = 300, /* that have the term: more would not change the picture */
    MOST_FORMS = 64,   /* beyond these, new ones are left out */
    /* So many occurrences, of which 7 in 8 agree, settle the case of a name: "Large Hadron Collider". */
    SETTLED_FREE = 4,
    SETTLED_PARTS = 8
};

/* One way to write a term. */
typedef struct pkin_i_surface_form {
    size_t begin, n_bytes; /* in the scratch's bytes */
    uint64_t count;
    uint64_t n_free; /* occurrences where the writer had the choice */
} form;

void pkin_i_surface_scratch_free(pkin_i_surface_scratch *scratch) {
    pkin_i_label_scanner_free(&scratch->scanner);
    pkin_i_buffer_free(&scratch->bytes);
    pkin_i_free(scratch->forms);
    memset(scratch, 0, sizeof *scratch);
}

/* ---- Places ---- */

static int term_at(const pkin_i_label_texts *texts, uint64_t at, uint64_t end, const pkin_i_term *term) {
    if (end - at < term->n_words) return 0;
    for (uint32_t k = 0; k < term->n_words; k++) {
        uint32_t token = texts->tokens[at + k];
        if (pkin_i_label_token_word(token) != term->words[k]) return 0;
        if (k && pkin_i_label_token_gap(token) == PKIN_I_LABEL_BREAK) return 0;
    }
    return 1;
}

/* Whether a sentence, or a part of the text with a heading, begins at `at`. */
static int begins_sentence(const char *text, size_t at) {
    while (at && (text[at - 1] == ' ' || text[at - 1] == '"' || text[at - 1] == '(')) at--;
    if (at == 0) return 1;
    char c = text[at - 1];
    return c == '.' || c == '?' || c == '!' || c == ':' || c == '\n' || c == ';';
}

/* "Large Language Models (LLMs)": capitals there show where the acronym's letters come from. */
static int is_spelled_out(const char *text, size_t n_bytes, size_t end) {
    while (end < n_bytes && text[end] == ' ') end++;
    return end + 1 < n_bytes && text[end] == '(' && text[end + 1] >= 'A' && text[end + 1] <= 'Z';
}

static uint64_t place_count(const pkin_i_label_scanner *scanner, size_t first, size_t last, int in_title) {
    if (in_title || begins_sentence(scanner->text, scanner->words[first].begin)) return CAPITAL_PLACE;
    return is_spelled_out(scanner->text, scanner->n_bytes, scanner->words[last].end) ? CAPITAL_PLACE : FREE_PLACE;
}

/* ---- Forms ---- */

static int is_han_at(const pkin_i_label_scanner *scanner, size_t word) {
    return pkin_i_label_is_han(scanner->text + scanner->words[word].begin);
}

/* Appends words [first, last] as they are written: white space is one space, or none between Han characters, and every
   hyphen is the ASCII one. */
static pkin_status write_form(const pkin_i_label_scanner *scanner, size_t first, size_t last, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    for (size_t k = first; k <= last; k++) {
        const pkin_i_label_word *word = &scanner->words[k];
        if (k > first && word->gap == PKIN_I_LABEL_SPACE && !(is_han_at(scanner, k - 1) && is_han_at(scanner, k))) {
            PKIN_TRY(pkin_i_buffer_char(out, ' '));
        } else if (k > first && word->gap == PKIN_I_LABEL_JOINED) {
            size_t end = scanner->words[k - 1].end;
            uint32_t character;
            pkin_i_utf8_decode(scanner->text + end, word->begin - end, &character);
            if (character == 0x2010 || character == 0x2011)
                PKIN_TRY(pkin_i_buffer_char(out, '-'));
            else
                PKIN_TRY(pkin_i_buffer_append(out, scanner->text + end, word->begin - end));
        }
        PKIN_TRY(pkin_i_buffer_append(out, scanner->text + word->begin, word->end - word->begin));
    }
out:
    return status;
}

static pkin_status add_form(pkin_i_surface_scratch *scratch, size_t first, size_t last, uint64_t count) {
    pkin_status status = PKIN_OK;
    size_t begin = scratch->bytes.n_bytes;
    PKIN_TRY(write_form(&scratch->scanner, first, last, &scratch->bytes));
    size_t n_bytes = scratch->bytes.n_bytes - begin;
    for (size_t f = 0; f < scratch->n_forms; f++) {
        form *known = &scratch->forms[f];
        if (known->n_bytes != n_bytes ||
            memcmp(scratch->bytes.bytes + known->begin, scratch->bytes.bytes + begin, n_bytes)) {
            continue;
        }
        known->count += count;
        known->n_free += count == FREE_PLACE;
        scratch->bytes.n_bytes = begin;
        goto out;
    }
    if (scratch->n_forms == MOST_FORMS) {
        scratch->bytes.n_bytes = begin;
        goto out;
    }
    PKIN_TRY(pkin_i_grow(&scratch->forms, &scratch->capacity, scratch->n_forms + 1, sizeof *scratch->forms));
    scratch->forms[scratch->n_forms++] = (form){begin, n_bytes, count, count == FREE_PLACE};
out:
    return status;
}

/* Finds the term in one text; the text is scanned only where its tokens have it. */
static pkin_status look_in_text(const pkin_i_label_texts *texts, const pkin_paper *paper, uint64_t text, int which,
                                const pkin_i_term *term, pkin_i_surface_scratch *scratch, int *found) {
    pkin_status status = PKIN_OK;
    uint64_t begin = texts->offsets[text], end = texts->offsets[text + 1];
    int scanned = 0;
    for (uint64_t t = begin; t < end; t++) {
        if (!term_at(texts, t, end, term)) continue;
        if (!scanned) PKIN_TRY(pkin_i_label_scan(&scratch->scanner, pkin_i_label_text(paper, texts->language, which)));
        scanned = *found = 1;
        size_t first = (size_t)(t - begin), last = first + term->n_words - 1;
        PKIN_TRY(add_form(scratch, first, last, place_count(&scratch->scanner, first, last, which == 0)));
    }
out:
    return status;
}

static int same_spelling(const pkin_i_surface_scratch *scratch, const form *a, const form *b) {
    return a->n_bytes == b->n_bytes && pkin_i_ascii_equal_ignoring_case(scratch->bytes.bytes + a->begin,
                                                                        scratch->bytes.bytes + b->begin, a->n_bytes);
}

static int comes_first(const pkin_i_surface_scratch *scratch, const form *a, uint64_t count_a, const form *b,
                       uint64_t count_b) {
    if (count_a != count_b) return count_a > count_b;
    size_t n = a->n_bytes < b->n_bytes ? a->n_bytes : b->n_bytes;
    int order = memcmp(scratch->bytes.bytes + a->begin, scratch->bytes.bytes + b->begin, n);
    return order < 0 || (order == 0 && a->n_bytes < b->n_bytes);
}

/* The most frequent case of the most frequent spelling. */
static const form *best_form(const pkin_i_surface_scratch *scratch) {
    const form *spelling = NULL, *best = NULL;
    uint64_t most = 0;
    for (size_t f = 0; f < scratch->n_forms; f++) {
        uint64_t sum = 0;
        for (size_t g = 0; g < scratch->n_forms; g++) {
            if (same_spelling(scratch, &scratch->forms[f], &scratch->forms[g])) sum += scratch->forms[g].count;
        }
        if (!spelling || comes_first(scratch, &scratch->forms[f], sum, spelling, most)) {
            spelling = &scratch->forms[f];
            most = sum;
        }
    }
    for (size_t f = 0; f < scratch->n_forms; f++) {
        const form *other = &scratch->forms[f];
        if (!same_spelling(scratch, spelling, other)) continue;
        if (!best || comes_first(scratch, other, other->count, best, best->count)) best = other;
    }
    return best;
}

/* Whether writers who have the choice agree on how a form is written. */
static int is_settled(const pkin_i_surface_scratch *scratch, const form *best) {
    uint64_t n_free = 0;
    for (size_t f = 0; f < scratch->n_forms; f++) {
        if (same_spelling(scratch, best, &scratch->forms[f])) n_free += scratch->forms[f].n_free;
    }
    return n_free >= SETTLED_FREE && (n_free - best->n_free) * SETTLED_PARTS <= n_free;
}

/* A capital and then small letters: what a title makes of any word. */
static int is_capitalised(const char *word, size_t n_bytes) {
    if (n_bytes < 2 || !(word[0] >= 'A' && word[0] <= 'Z')) return 0;
    for (size_t k = 1; k < n_bytes; k++) {
        if (!(word[k] >= 'a' && word[k] <= 'z')) return 0;
    }
    return 1;
}

/* The form's word that begins at `at`: its length in bytes, 0 where none does. */
static size_t word_length(const char *text, size_t n_bytes, size_t at) {
    size_t n = 0;
    while (at + n < n_bytes && (pkin_i_ascii_is_alnum(text[at + n]) || (unsigned char)text[at + n] >= 0x80)) n++;
    return n;
}

/* How papers begin a word (as it is written here) in sentences: more than 0 with a small letter, less with a capital.
 */
static int32_t usual_case(const pkin_i_label_texts *texts, const char *word, size_t n_bytes) {
    char small[64];
    if (n_bytes > sizeof small) return 0;
    for (size_t k = 0; k < n_bytes; k++) small[k] = pkin_i_ascii_lower(word[k]);
    uint32_t id = pkin_i_vocabulary_find(texts->vocabulary, small, n_bytes);
    return id == UINT32_MAX ? 0 : texts->smalls[texts->singulars[id]];
}

/* Makes the first letter small of capitalised words that are no names; a word of which nothing is known does as the
   capitalised word before it. */
static void lower_words(const pkin_i_label_texts *texts, char *text, size_t n_bytes) {
    int lowered = 0;
    for (size_t at = 0, n; at < n_bytes; at += n ? n : 1) {
        n = word_length(text, n_bytes, at);
        if (!is_capitalised(text + at, n)) continue;
        int32_t usual = usual_case(texts, text + at, n);
        lowered = usual > 0 || (usual == 0 && lowered);
        if (lowered) text[at] = pkin_i_ascii_lower(text[at]);
    }
}

pkin_status pkin_i_surface_form_find(const pkin_i_label_texts *texts, const pkin_paper *const *papers,
                                     const uint32_t *members, uint64_t n_members, const pkin_i_term *term,
                                     pkin_i_surface_scratch *scratch, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    uint32_t n_found = 0;
    scratch->n_forms = 0;
    scratch->bytes.n_bytes = 0;
    for (uint64_t m = 0; m < n_members && n_found < MOST_PAPERS; m++) {
        int found = 0;
        for (int which = 0; which < PKIN_I_LABEL_N_TEXTS; which++) {
            uint64_t text = (uint64_t)members[m] * PKIN_I_LABEL_N_TEXTS + (uint64_t)which;
            PKIN_TRY(look_in_text(texts, papers[members[m]], text, which, term, scratch, &found));
        }
        n_found += (uint32_t)found;
    }
    const form *best = best_form(scratch);
    if (!best) goto out;
    size_t begin = out->n_bytes;
    PKIN_TRY(pkin_i_buffer_append(out, scratch->bytes.bytes + best->begin, best->n_bytes));
    if (!is_settled(scratch, best)) lower_words(texts, out->bytes + begin, best->n_bytes);
out:
    return status;
}
