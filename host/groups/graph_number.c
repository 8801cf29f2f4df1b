/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading decimals exactly. Digits and exponent make a fraction of two integers, digits * 10^e over 1 or digits over
 * 10^-e; its quotient is taken to 64 bits or more, the remainder tells whether anything follows, and one rounding makes
 * the double. Up to 19 digits and 10^-19 this fits in 128 bits, which is every weight that is written here; else the
 * integers are long ones of at most MOST_LIMBS words. What follows the first MOST_DIGITS digits matters only by not
 * being 0 (the exact middle between two doubles has at most 767 digits): a single 1 stands for it.
 */
#include "groups/graph_number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DIGITS = 780, MOST_LIMBS = 140 };

typedef struct decimal {
    char digits[MOST_DIGITS + 1]; /* 0 to 9, the first not 0 */
    int n_digits;
    int64_t exponent; /* of ten, behind the last digit */
    bool negative;
    bool more; /* digits that are not 0 were left out */
} decimal;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void take_digit(decimal *d, char c, bool behind_point) {
    bool leading = d->n_digits == 0 && c == '0';
    bool kept = !leading && d->n_digits < MOST_DIGITS;
    if (kept) d->digits[d->n_digits++] = (char)(c - '0');
    if (!kept && !leading) d->more = d->more || c != '0';
    if (leading || kept) {
        d->exponent -= behind_point;
    } else {
        d->exponent += !behind_point;
    }
}

/* Whether there was an exponent in full, or none. */
static bool take_exponent(const char *text, const char *end, decimal *d) {
    int64_t value = 0;
    if (text == end) return true;
    if (*text != 'e' && *text != 'E') return false;
    text++;
    bool negative = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    if (text == end) return false;
    for (; text < end; text++) {
        if (!is_digit(*text)) return false;
        if (value < 1000000000) value = value * 10 + (*text - '0');
    }
    d->exponent += negative ? -value : value;
    return true;
}

static bool take_decimal(const char *text, const char *end, decimal *d) {
    bool any = false, behind_point = false;
    d->n_digits = 0;
    d->exponent = 0;
    d->more = false;
    d->negative = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    for (; text < end; text++) {
        if (*text == '.' && !behind_point) {
            behind_point = true;
        } else if (is_digit(*text)) {
            take_digit(d, *text, behind_point);
            any = true;
        } else {
            break;
        }
    }
    if (d->more) {
        d->digits[d->n_digits++] = 1;
        d->exponent--;
    }
    return any && take_exponent(text, end, d);
}

/* (quotient + something below 1 where `more`) * 2^exponent as the nearest double, ties to even. quotient >= 2^62. */
static double round_quotient(unsigned __int128 quotient, bool more, int exponent) {
    int n_bits = quotient >> 64 ? 128 - __builtin_clzll((unsigned long long)(quotient >> 64))
                                : 64 - __builtin_clzll((unsigned long long)quotient);
    int kept = n_bits + exponent > -1021 ? 53 : n_bits + exponent + 1074; /* below 2^-1022 there are fewer */
    if (kept < 0) return 0;
    int cut = n_bits - kept;
    uint64_t mantissa = (uint64_t)(quotient >> cut);
    unsigned __int128 rest = quotient - ((unsigned __int128)mantissa << cut), half = (unsigned __int128)1 << (cut - 1);
    mantissa += rest > half || (rest == half && (more || (mantissa & 1)));
    return ldexp((double)mantissa, exponent + cut);
}

/* ---- Long integers: words of 32 bits, the lowest first ----------------------------------------------------------- */

typedef struct long_integer {
    uint32_t limbs[MOST_LIMBS];
    int n; /* without leading zeros */
} long_integer;

static void multiply_add(long_integer *x, uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (int i = 0; i < x->n; i++) {
        carry += (uint64_t)x->limbs[i] * factor;
        x->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) x->limbs[x->n++] = (uint32_t)carry;
}

static void multiply_by_ten_to(long_integer *x, int64_t exponent) {
    for (; exponent >= 9; exponent -= 9) multiply_add(x, 1000000000, 0);
    for (; exponent > 0; exponent--) multiply_add(x, 10, 0);
}

static int bits_of(const long_integer *x) {
    return x->n ? 32 * x->n - __builtin_clz(x->limbs[x->n - 1]) : 0;
}

static void shift_left(long_integer *x, int n_bits) {
    int words = n_bits / 32;
    if (!x->n) return;
    memmove(x->limbs + words, x->limbs, (size_t)x->n * sizeof *x->limbs);
    memset(x->limbs, 0, (size_t)words * sizeof *x->limbs);
    x->n += words;
    multiply_add(x, UINT32_C(1) << n_bits % 32, 0);
}

static int compare(const long_integer *x, const long_integer *y) {
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    for (int i = x->n - 1; i >= 0; i--) {
        if (x->limbs[i] != y->limbs[i]) return x->limbs[i] < y->limbs[i] ? -1 : 1;
    }
    return 0;
}

/* x >= y */
static void subtract(long_integer *x, const long_integer *y) {
    int64_t borrow = 0;
    for (int i = 0; i < x->n; i++) {
        borrow += (int64_t)x->limbs[i] - (i < y->n ? y->limbs[i] : 0);
        x->limbs[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (x->n && !x->limbs[x->n - 1]) x->n--;
}

/*
 * Both are shifted until the upper one has as many bits as the lower one or one less, and then, bit by bit, the
 * quotient is found by comparing and subtracting: 66 steps. Values are between 10^-331 and 10^310, so that the upper
 * integer has at most 781 digits and the lower one is 10^1112 at most: 3694 bits, and MOST_LIMBS holds 4480.
 */
static double divide_long(const decimal *d) {
    long_integer upper = {.n = 0}, lower = {.limbs = {1}, .n = 1};
    unsigned __int128 quotient = 0;
    for (int i = 0; i < d->n_digits; i++) multiply_add(&upper, 10, (uint32_t)d->digits[i]);
    if (d->exponent > 0) multiply_by_ten_to(&upper, d->exponent);
    if (d->exponent < 0) multiply_by_ten_to(&lower, -d->exponent);
    int exponent = bits_of(&upper) - bits_of(&lower);
    if (exponent > 0) shift_left(&lower, exponent);
    if (exponent < 0) shift_left(&upper, -exponent);
    for (int bit = 0; bit < 66; bit++) {
        int holds = compare(&upper, &lower) >= 0;
        quotient = quotient << 1 | (unsigned)holds;
        if (holds) subtract(&upper, &lower);
        shift_left(&upper, 1);
    }
    return round_quotient(quotient, upper.n > 0, exponent - 65);
}

/* digits / 10^n_places, both below 2^64. */
static double divide_short(uint64_t digits, int n_places) {
    uint64_t lower = 1;
    for (int i = 0; i < n_places; i++) lower *= 10;
    int shift = 64 + __builtin_clzll(digits);
    unsigned __int128 upper = (unsigned __int128)digits << shift;
    return round_quotient(upper / lower, upper % lower != 0, -shift);
}

static double value_of(const decimal *d) {
    uint64_t digits = 0;
    /* The value is in [10^(magnitude - 1), 10^magnitude). */
    int64_t magnitude = d->exponent + d->n_digits;
    if (!d->n_digits || magnitude < -330) return 0;
    if (magnitude > 310) return HUGE_VAL;
    if (d->n_digits > 19 || d->exponent > 0 || d->exponent < -19) return divide_long(d);
    for (int i = 0; i < d->n_digits; i++) digits = digits * 10 + (uint64_t)d->digits[i];
    return divide_short(digits, (int)-d->exponent);
}

bool pkin_i_number_read(const char *text, size_t n_bytes, double *out) {
    decimal d;
    if (!take_decimal(text, text + n_bytes, &d)) return false;
    *out = d.negative ? -value_of(&d) : value_of(&d);
    return true;
}

/* Puts a point where the C library put that of the caller's locale, which may take several bytes. */
static size_t undo_locale(char *text) {
    size_t n = 0;
    for (const char *c = text; *c; c++) {
        bool foreign = !is_digit(*c) && *c != '-' && *c != '+' && *c != 'e';
        if (!foreign) text[n++] = *c;
        if (foreign && (n == 0 || text[n - 1] != '.')) text[n++] = '.';
    }
    text[n] = '\0';
    return n;
}

pkin_status pkin_i_number_append(pkin_i_buffer *out, double value) {
    char text[64];
    size_t n = 0;
    double same;
    for (int n_digits = 15; n_digits <= 17; n_digits++) {
        snprintf(text, sizeof text, "%.*g", n_digits, value);
        n = undo_locale(text);
        if (pkin_i_number_read(text, n, &same) && same == value) break;
    }
    return pkin_i_buffer_append(out, text, n);
}
