/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/title_numbers.h"

#include <stdlib.h>
#include <string.h>

/* A word of the title and what stands around it. */
typedef struct title_word {
    const char *bytes;
    size_t n_bytes;
    const char *before; /* the word before, NULL for the first */
    size_t n_before;
    char previous;      /* byte before the word, ' ' at the beginning */
    const char *behind; /* what stands behind it, n_behind bytes */
    size_t n_behind;
} title_word;

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ASCII letters and digits, and every byte of other scripts. */
static int is_word_byte(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static int is_word(const char *word, size_t n_bytes, const char *text) {
    return strlen(text) == n_bytes && !memcmp(word, text, n_bytes);
}

static void add(uint64_t value, int serial, pkin_i_title_numbers *out) {
    if (out->n_all < PKIN_I_MAX_TITLE_NUMBERS) out->all[out->n_all++] = value;
    if (serial && out->n_serial < PKIN_I_MAX_TITLE_NUMBERS) out->serial[out->n_serial++] = value;
}

/* 1 to 39 in roman numerals, 0 where it is none: beyond that, words ("mix", "dim") are likelier. */
static uint64_t roman(const char *word, size_t n_bytes) {
    static const char *const units[] = {"", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"};
    size_t tens = 0;
    while (tens < n_bytes && word[tens] == 'x') tens++;
    if (tens > 3) return 0;
    for (size_t unit = 0; unit < 10; unit++) {
        if (is_word(word + tens, n_bytes - tens, units[unit])) return 10 * tens + unit;
    }
    return 0;
}

static uint64_t ordinal(const char *word, size_t n_bytes) {
    static const char *const words[] = {"first",     "second",      "third",      "fourth",     "fifth",
                                        "sixth",     "seventh",     "eighth",     "ninth",      "tenth",
                                        "eleventh",  "twelfth",     "thirteenth", "fourteenth", "fifteenth",
                                        "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(word, n_bytes, words[i])) return i + 1;
    }
    return 0;
}

static uint64_t counted(const char *word, size_t n_bytes) {
    static const char *const words[] = {"one", "two", "three", "four", "five", "six"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(word, n_bytes, words[i])) return i + 1;
    }
    return 0;
}

static int follows_part(const title_word *word) {
    static const char *const names[] = {"part", "paper", "volume", "vol", "chapter", "article"};
    for (size_t i = 0; word->before && i < sizeof names / sizeof *names; i++) {
        if (is_word(word->before, word->n_before, names[i])) return 1;
    }
    return 0;
}

/* "i", "v" and "x" are numerals only where a title ends or breaks behind them: "Fields I: ...", "Fields, V", not
 * "i.i.d.". */
static int stands_alone(const title_word *word) {
    if (word->previous != ' ' && word->previous != '(') return 0;
    if (!word->n_behind) return 1;
    return strchr(":.,;)", word->behind[0]) && (word->n_behind == 1 || word->behind[1] == ' ');
}

/* "First-principles study" counts nothing. */
static int of_principles(const title_word *word) {
    return is_word(word->bytes, word->n_bytes, "first") && word->n_behind > 9 &&
           !memcmp(word->behind + 1, "principle", 9);
}

static void read_letters(const title_word *word, pkin_i_title_numbers *out) {
    uint64_t value = roman(word->bytes, word->n_bytes);
    if (value && (word->n_bytes > 1 || follows_part(word) || stands_alone(word))) {
        add(value, 1, out);
    } else if ((value = ordinal(word->bytes, word->n_bytes)) != 0) {
        if (!of_principles(word)) add(value, 1, out);
    } else if (follows_part(word) && (value = counted(word->bytes, word->n_bytes)) != 0) {
        add(value, 1, out);
    }
}

/* Whether digits [begin, end) of a word count years, editions or versions. */
static int serial_digits(const title_word *word, size_t begin, size_t end, uint64_t value) {
    int whole = begin == 0 && end == word->n_bytes;
    if (whole && end == 4 && value >= 1900 && value < 2100) return 1;
    if (whole && follows_part(word)) return 1;
    if (begin == 1 && end == word->n_bytes && word->bytes[0] == 'v') return 1;
    return begin == 0 && word->n_bytes - end == 2 &&
           (!memcmp(word->bytes + end, "st", 2) || !memcmp(word->bytes + end, "nd", 2) ||
            !memcmp(word->bytes + end, "rd", 2) || !memcmp(word->bytes + end, "th", 2));
}

static void read_digits(const title_word *word, pkin_i_title_numbers *out) {
    for (size_t begin = 0; begin < word->n_bytes;) {
        size_t end = begin;
        uint64_t value = 0;
        for (; end < word->n_bytes && is_digit(word->bytes[end]); end++) {
            if (value < UINT64_MAX / 10 - 1) value = value * 10 + (uint64_t)(word->bytes[end] - '0');
        }
        if (end > begin) add(value, serial_digits(word, begin, end, value), out);
        begin = end + (end == begin);
    }
}

/* The value of a Chinese numeral from one to ten at the start of `text`, 0 where none stands there. */
static uint64_t chinese_numeral(const char *text, size_t n_bytes) {
    static const char numerals[] = "一二三四五六七八九十"; /* three bytes each */
    for (uint64_t i = 0; n_bytes >= 3 && i < 10; i++) {
        if (!memcmp(text, numerals + 3 * i, 3)) return i + 1;
    }
    return 0;
}

/* "第二部分", "第三届": the mark, a numeral, and what is counted; "第一性原理" (first principles) counts nothing. */
static void read_chinese(const title_word *word, pkin_i_title_numbers *out) {
    static const char mark[] = "第", counters[] = "部篇章卷届期次版"; /* three bytes each */
    for (size_t i = 0; i + 9 <= word->n_bytes; i++) {
        uint64_t value = memcmp(word->bytes + i, mark, 3) ? 0 : chinese_numeral(word->bytes + i + 3, 3);
        for (size_t c = 0; value && c + 3 < sizeof counters; c += 3) {
            if (!memcmp(word->bytes + i + 6, counters + c, 3)) add(value, 1, out);
        }
    }
}

static void read_word(const title_word *word, pkin_i_title_numbers *out) {
    read_letters(word, out);
    read_digits(word, out);
    read_chinese(word, out);
}

static size_t word_end(const char *title, size_t n_bytes, size_t begin) {
    size_t end = begin;
    while (end < n_bytes && is_word_byte(title[end])) end++;
    return end;
}

/* Whether the comma there stands between digits of one number: "30,000" is one word. */
static int groups_thousands(const char *title, size_t n_bytes, size_t comma) {
    return comma > 0 && comma + 3 < n_bytes && title[comma] == ',' && is_digit(title[comma - 1]) &&
           is_digit(title[comma + 1]) && is_digit(title[comma + 2]) && is_digit(title[comma + 3]) &&
           !(comma + 4 < n_bytes && is_digit(title[comma + 4]));
}

static int by_value(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void pkin_i_title_numbers_read(const char *title, size_t n_bytes, pkin_i_title_numbers *out) {
    char joined[64]; /* a number with its commas taken out */
    title_word word = {0};
    out->n_all = out->n_serial = 0;
    for (size_t begin = 0; begin < n_bytes;) {
        size_t end = word_end(title, n_bytes, begin), n_joined = end - begin;
        word.bytes = title + begin;
        if (groups_thousands(title, n_bytes, end) && n_joined < sizeof joined) {
            memcpy(joined, title + begin, n_joined);
            while (groups_thousands(title, n_bytes, end) && n_joined + 3 < sizeof joined) {
                memcpy(joined + n_joined, title + end + 1, 3);
                n_joined += 3;
                end = word_end(title, n_bytes, end + 4);
            }
            word.bytes = joined;
        }
        if (end > begin) {
            word.n_bytes = n_joined;
            word.previous = begin > 0 ? title[begin - 1] : ' ';
            word.behind = title + end;
            word.n_behind = n_bytes - end;
            read_word(&word, out);
            word.before = title + begin;
            word.n_before = end - begin;
        }
        begin = end + (end == begin);
    }
    qsort(out->all, out->n_all, sizeof *out->all, by_value);
    qsort(out->serial, out->n_serial, sizeof *out->serial, by_value);
}

int pkin_i_title_numbers_equal(const pkin_i_title_numbers *a, const pkin_i_title_numbers *b) {
    return a->n_all == b->n_all && !memcmp(a->all, b->all, a->n_all * sizeof *a->all);
}

/* Whether every value of `part` stands in `whole`; both ascend, and a value counts as often as it stands there. */
static int stands_in(const uint64_t *part, size_t n_part, const uint64_t *whole, size_t n_whole) {
    size_t i = 0;
    for (size_t j = 0; i < n_part && j < n_whole; j++) i += part[i] == whole[j];
    return i == n_part;
}

int pkin_i_title_serials_matched(const pkin_i_title_numbers *a, const pkin_i_title_numbers *b) {
    return stands_in(a->serial, a->n_serial, b->all, b->n_all) && stands_in(b->serial, b->n_serial, a->all, a->n_all);
}
