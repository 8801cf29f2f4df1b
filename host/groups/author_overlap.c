/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/author_overlap.h"

#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/hash.h"
#include "groups/text_ratio.h"
#include "groups/word_list.h"
#include "text/normalize.h"

#define MAX_NAME_BYTES 256
#define MAX_PARTS 8
/* Spellings of one name ("Micheal", "Michael") share at least this much; shorter parts must be the same. */
#define LIKE_SPELLING 0.8
#define LIKE_SPELLING_MIN_BYTES 5
#define SPELLING_BYTES 64 /* of longer parts pkin_i_spelling_ratio sees the beginning only */

typedef struct name_part {
    uint32_t begin; /* byte offsets in name_list.text */
    uint32_t n_bytes;
    uint32_t bytes; /* set of its bytes, folded to 32 */
} name_part;

/* Small, and without its parts: most names are told apart by what stands here. */
typedef struct name {
    uint64_t letters;  /* hash of all parts joined */
    uint32_t initials; /* set of the parts' first bytes, folded to 32: a quick test */
    uint32_t n_parts;
    size_t first_part; /* in name_list.parts */
} name;

typedef struct pkin_i_author_list {
    pkin_i_buffer text;
    name *names;
    size_t n_names;
    name_part *parts;
    size_t n_parts, part_capacity;
} name_list;

static void name_list_free(name_list *list) {
    pkin_i_buffer_free(&list->text);
    pkin_i_free(list->names);
    pkin_i_free(list->parts);
}

static int is_ascii(const char *text, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++) {
        if ((unsigned char)text[i] >= 0x80) return 0;
    }
    return 1;
}

/*
 * Appends UTF-8 text without its accents: canonical decomposition, marks dropped. Text longer than MAX_NAME_BYTES is
 * cut; what ICU cannot take is appended as it is.
 */
static pkin_status append_without_accents(const char *text, size_t n_bytes, pkin_i_buffer *out) {
    UChar wide[MAX_NAME_BYTES], split[4 * MAX_NAME_BYTES];
    char narrow[12 * MAX_NAME_BYTES];
    int32_t n_wide = 0, n_split = 0, n_kept = 0, n_narrow = 0;
    UErrorCode error = U_ZERO_ERROR;
    n_bytes = pkin_i_utf8_prefix(text, n_bytes, MAX_NAME_BYTES);
    if (is_ascii(text, n_bytes)) return pkin_i_buffer_append(out, text, n_bytes);
    u_strFromUTF8WithSub(wide, MAX_NAME_BYTES, &n_wide, text, (int32_t)n_bytes, 0xFFFD, NULL, &error);
    const UNormalizer2 *decompose = unorm2_getNFDInstance(&error);
    if (U_SUCCESS(error)) n_split = unorm2_normalize(decompose, wide, n_wide, split, 4 * MAX_NAME_BYTES, &error);
    if (U_FAILURE(error)) return pkin_i_buffer_append(out, text, n_bytes);
    for (int32_t i = 0; i < n_split; i++) {
        /* U+0300 to U+036F are the combining accents of Latin, Greek and Cyrillic letters. */
        if (split[i] < 0x0300 || split[i] > 0x036F) split[n_kept++] = split[i];
    }
    u_strToUTF8WithSub(narrow, (int32_t)sizeof narrow, &n_narrow, split, n_kept, 0xFFFD, NULL, &error);
    if (U_FAILURE(error)) return pkin_i_buffer_append(out, text, n_bytes);
    return pkin_i_buffer_append(out, narrow, (size_t)n_narrow);
}

static uint32_t bit_of(char c) {
    return UINT32_C(1) << ((unsigned char)c & 31);
}

static uint32_t bytes_of(const char *text, size_t n_bytes) {
    uint32_t bytes = 0;
    for (size_t i = 0; i < n_bytes; i++) bytes |= bit_of(text[i]);
    return bytes;
}

/*
 * Takes the name at text [begin, end), parts separated by single spaces, to pieces, which are put behind the list's
 * parts; there is room for MAX_PARTS. Joins the parts in place.
 */
static void split_name(name_list *list, size_t begin, name *out) {
    pkin_i_buffer *text = &list->text;
    size_t start = begin, joined = begin, end = text->n_bytes;
    *out = (name){.first_part = list->n_parts};
    while (begin < end && out->n_parts < MAX_PARTS) {
        const char *space = memchr(text->bytes + begin, ' ', end - begin);
        size_t n_bytes = (space ? (size_t)(space - text->bytes) : end) - begin;
        int of_others = (n_bytes == 2 && !memcmp(text->bytes + begin, "et", 2)) ||
                        (n_bytes == 2 && !memcmp(text->bytes + begin, "al", 2)); /* "Ada Byron et al." */
        if (n_bytes && !(of_others && out->n_parts)) {
            list->parts[list->n_parts++] =
                (name_part){(uint32_t)joined, (uint32_t)n_bytes, bytes_of(text->bytes + begin, n_bytes)};
            out->n_parts++;
            out->initials |= bit_of(text->bytes[begin]);
            memmove(text->bytes + joined, text->bytes + begin, n_bytes);
            joined += n_bytes;
        }
        begin += n_bytes + 1;
    }
    if (out->n_parts) out->letters = pkin_i_hash_bytes(text->bytes + start, joined - start, 0);
}

/* Appends one name to a list; one without letters is left out. */
static pkin_status add_name(const char *author, pkin_i_buffer *scratch, name_list *list) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = strnlen(author, MAX_NAME_BYTES + 1);
    size_t begin = list->text.n_bytes;
    pkin_i_buffer_clear(scratch);
    PKIN_TRY(pkin_i_normalize_key(author, pkin_i_utf8_prefix(author, n_bytes, MAX_NAME_BYTES), scratch));
    if (scratch->n_bytes) PKIN_TRY(append_without_accents(scratch->bytes, scratch->n_bytes, &list->text));
    PKIN_TRY(pkin_i_grow(&list->parts, &list->part_capacity, list->n_parts + MAX_PARTS, sizeof *list->parts));
    split_name(list, begin, &list->names[list->n_names]);
    if (list->names[list->n_names].n_parts) list->n_names++;
out:
    return status;
}

static pkin_status read_names(const char *const *authors, size_t n_authors, name_list *list) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer scratch = {0};
    if (n_authors > PKIN_I_MAX_AUTHORS) n_authors = PKIN_I_MAX_AUTHORS;
    PKIN_TRY(pkin_i_allocate_zeroed(n_authors, sizeof *list->names, &list->names));
    for (size_t i = 0; i < n_authors; i++) PKIN_TRY(add_name(authors[i], &scratch, list));
out:
    pkin_i_buffer_free(&scratch);
    return status;
}

typedef enum part_match { NO_MATCH = 0, INITIAL_MATCH, LIKE_MATCH, WORD_MATCH } part_match;

/* Bytes of the first character. */
static size_t first_character(const char *text) {
    size_t n = 1;
    while (((unsigned char)text[n] & 0xC0) == 0x80) n++;
    return n;
}

/*
 * Whether the spellings could be alike. What is not of the longest common subsequence is at most a fifth of all bytes
 * then (LIKE_SPELLING), and a byte that only one of the two has is never of it.
 */
static int may_be_like(const name_part *a, const name_part *b) {
    if (a->n_bytes < LIKE_SPELLING_MIN_BYTES || b->n_bytes < LIKE_SPELLING_MIN_BYTES) return 0;
    if (a->n_bytes > SPELLING_BYTES || b->n_bytes > SPELLING_BYTES) return 1;
    return 5 * (uint32_t)__builtin_popcount(a->bytes ^ b->bytes) <= a->n_bytes + b->n_bytes;
}

static part_match match_parts(const name_list *a_list, const name_part *a_part, const name_list *b_list,
                              const name_part *b_part) {
    const char *a = a_list->text.bytes + a_part->begin, *b = b_list->text.bytes + b_part->begin;
    size_t n_a = a_part->n_bytes, n_b = b_part->n_bytes;
    if (*a != *b) return NO_MATCH;
    if (n_a == n_b && !memcmp(a, b, n_a)) return WORD_MATCH;
    size_t first_a = first_character(a), first_b = first_character(b);
    if (first_a > n_a) first_a = n_a;
    if (first_b > n_b) first_b = n_b;
    if (first_a != first_b || memcmp(a, b, first_a)) return NO_MATCH;
    if (first_a == n_a || first_b == n_b) return INITIAL_MATCH;
    if (!may_be_like(a_part, b_part)) return NO_MATCH;
    return pkin_i_spelling_ratio(a, n_a, b, n_b) >= LIKE_SPELLING ? LIKE_MATCH : NO_MATCH;
}

/*
 * Gives each part of `few` a part of its own in `many`, best kinds first, and says whether all found one, one of them
 * at least as a word of more than one character.
 */
static int parts_found(const name_list *few_list, const name *few, const name_list *many_list, const name *many) {
    const name_part *few_parts = few_list->parts + few->first_part, *many_parts = many_list->parts + many->first_part;
    uint32_t found = 0, taken = 0, n_found = 0;
    int words = 0;
    for (int kind = WORD_MATCH; kind >= INITIAL_MATCH; kind--) {
        for (uint32_t i = 0; i < few->n_parts; i++) {
            const char *a = few_list->text.bytes + few_parts[i].begin;
            for (uint32_t j = 0; j < many->n_parts && !(found >> i & 1); j++) {
                if (taken >> j & 1) continue;
                if ((int)match_parts(few_list, &few_parts[i], many_list, &many_parts[j]) != kind) continue;
                found |= UINT32_C(1) << i;
                taken |= UINT32_C(1) << j;
                n_found++;
                words += kind != INITIAL_MATCH && few_parts[i].n_bytes > first_character(a);
            }
        }
    }
    return n_found == few->n_parts && words > 0;
}

static int same_name(const name_list *a_list, const name *a, const name_list *b_list, const name *b) {
    if (a->letters == b->letters) return 1;
    if (a->n_parts > b->n_parts) return same_name(b_list, b, a_list, a);
    /* A single part alone says too little to be found inside a longer name. */
    if (a->n_parts < 2 || (a->initials & ~b->initials)) return 0;
    if (parts_found(a_list, a, b_list, b)) return 1;
    /* The greedy choice may differ by direction where both have as many parts. */
    return a->n_parts == b->n_parts && parts_found(b_list, b, a_list, a);
}

/* The share of `few`, or of `n_sought` of its names that lie evenly among them, that `many` holds. */
static double share_found(const name_list *few, const name_list *many, size_t n_sought) {
    size_t n_found = 0;
    if (n_sought > few->n_names) n_sought = few->n_names;
    for (size_t k = 0; k < n_sought; k++) {
        const name *sought = &few->names[k * few->n_names / n_sought];
        size_t j = 0;
        while (j < many->n_names && !same_name(few, sought, many, &many->names[j])) j++;
        n_found += j < many->n_names;
    }
    return (double)n_found / (double)n_sought;
}

double pkin_i_author_list_overlap(const pkin_i_author_list *a, const pkin_i_author_list *b, size_t n_sought) {
    if (!a || !b || !a->n_names || !b->n_names) return -1;
    if (a->n_names != b->n_names) {
        return a->n_names < b->n_names ? share_found(a, b, n_sought) : share_found(b, a, n_sought);
    }
    double forth = share_found(a, b, n_sought), back = share_found(b, a, n_sought);
    return forth < back ? forth : back;
}

pkin_status pkin_i_author_list_make(const pkin_paper *paper, pkin_i_author_list **out) {
    pkin_status status;
    pkin_i_author_list *list = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *list, &list));
    PKIN_TRY(read_names(paper->authors, paper->n_authors, list));
    *out = list;
    list = NULL;
out:
    pkin_i_author_list_free(list);
    return status;
}

void pkin_i_author_list_free(pkin_i_author_list *list) {
    if (!list) return;
    name_list_free(list);
    pkin_i_free(list);
}

pkin_status pkin_i_author_overlap(const pkin_paper *a, const pkin_paper *b, double *out) {
    pkin_status status = PKIN_OK;
    name_list first = {0}, second = {0};
    PKIN_TRY(read_names(a->authors, a->n_authors, &first));
    PKIN_TRY(read_names(b->authors, b->n_authors, &second));
    *out = pkin_i_author_list_overlap(&first, &second, PKIN_I_MAX_AUTHORS);
out:
    name_list_free(&first);
    name_list_free(&second);
    return status;
}

pkin_status pkin_i_same_author(const char *a, const char *b, int *out) {
    pkin_status status = PKIN_OK;
    name_list first = {0}, second = {0};
    PKIN_TRY(read_names(&a, 1, &first));
    PKIN_TRY(read_names(&b, 1, &second));
    *out = first.n_names && second.n_names && same_name(&first, &first.names[0], &second, &second.names[0]);
out:
    name_list_free(&first);
    name_list_free(&second);
    return status;
}
