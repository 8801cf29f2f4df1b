/* SPDX-License-Identifier: Apache-2.0 */
#include "text/normalize.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/failure.h"
#include "base/utf8.h"
#include "text/latex.h"
#include "text/normalizer.h"
#include "text/special_bytes.h"

/*
 * Three steps: LaTeX away (latex.c), NFKC with case folding (ICU), and Greek letters that stand alone spelt out, so
 * that
 * `$\alpha$-stable`, `α-stable` and `alpha-stable` meet. Letters next to other Greek letters are Greek words and stay.
 */

/* ICU counts in int32_t; a text's UTF-16 form can need three times its length while it is folded. */
enum { MAX_TEXT_BYTES = INT32_MAX / 4 };

pkin_status pkin_i_icu_failure(UErrorCode code, const char *what) {
    return pkin_i_fail(code == U_MEMORY_ALLOCATION_ERROR ? PKIN_ERROR_OUT_OF_MEMORY : PKIN_ERROR_INTERNAL,
                       "ICU %s failed: %s; is its data installed?", what, u_errorName(code));
}

void pkin_i_normalizer_free(pkin_i_normalizer *normalizer) {
    pkin_i_buffer_free(&normalizer->stripped);
    pkin_i_buffer_free(&normalizer->folded);
    pkin_i_free(normalizer->wide);
    pkin_i_free(normalizer->wide_folded);
    memset(normalizer, 0, sizeof *normalizer);
}

/* ---- A look at the bytes ---- */

enum { TRAIT_NOT_ASCII = 1, TRAIT_LATEX = 2, TRAIT_COLON = 4, TRAIT_W = 8 };

static const unsigned char byte_traits[256] = {['\\'] = TRAIT_LATEX, ['$'] = TRAIT_LATEX,
                                               ['{'] = TRAIT_LATEX,  ['}'] = TRAIT_LATEX,
                                               ['^'] = TRAIT_LATEX,  ['_'] = TRAIT_LATEX,
                                               ['~'] = TRAIT_LATEX,  [':'] = TRAIT_COLON,
                                               ['w'] = TRAIT_W,      [0x80 ... 0xFF] = TRAIT_NOT_ASCII};

int pkin_i_is_ascii(const char *text, size_t n_bytes) {
    unsigned char seen = 0;
    for (size_t k = 0; k < n_bytes; k++) seen |= (unsigned char)text[k];
    return seen < 0x80;
}

/* 16 bytes at a time, as far as that goes. TRAIT_W: a `w`, here with another one behind it, which few words have. */
static size_t look_fast(const char *text, size_t n_bytes, unsigned *seen) {
    size_t at = 0;
#if defined(__SSE2__)
    __m128i all = _mm_setzero_si128(), latex = all, colons = all, ws = all;
    for (; n_bytes - at > 16; at += 16) {
        __m128i bytes = pkin_i_load_16(text + at), behind = pkin_i_load_16(text + at + 1);
        all = _mm_or_si128(all, bytes);
        latex = _mm_or_si128(latex, pkin_i_latex_bytes(bytes));
        colons = _mm_or_si128(colons, pkin_i_bytes_equal(bytes, ':'));
        ws = _mm_or_si128(ws, _mm_and_si128(pkin_i_bytes_equal(bytes, 'w'), pkin_i_bytes_equal(behind, 'w')));
    }
    *seen |= (_mm_movemask_epi8(all) ? TRAIT_NOT_ASCII : 0) | (_mm_movemask_epi8(latex) ? TRAIT_LATEX : 0) |
             (_mm_movemask_epi8(colons) ? TRAIT_COLON : 0) | (_mm_movemask_epi8(ws) ? TRAIT_W : 0);
#else
    (void)text, (void)n_bytes, (void)seen;
#endif
    return at;
}

pkin_i_text_traits pkin_i_text_look(const char *text, size_t n_bytes) {
    unsigned seen = 0;
    size_t k = look_fast(text, n_bytes, &seen);
    for (; k < n_bytes; k++) seen |= byte_traits[(unsigned char)text[k]];
    pkin_i_text_traits traits = {!(seen & TRAIT_NOT_ASCII), (seen & TRAIT_LATEX) != 0, 0};
    traits.has_link = ((seen & TRAIT_COLON) && memmem(text, n_bytes, "://", 3)) ||
                      ((seen & TRAIT_W) && memmem(text, n_bytes, "www.", 4));
    return traits;
}

/* ---- NFKC and case folding ---- */

pkin_status pkin_i_utf8_to_wide(const char *text, size_t n_bytes, UChar **wide, size_t *capacity, int32_t *length) {
    UErrorCode code = U_ZERO_ERROR;
    if (n_bytes > MAX_TEXT_BYTES) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a text of %zu bytes is too long; at most %d", n_bytes, MAX_TEXT_BYTES);
    }
    /* UTF-16 never has more units than UTF-8 has bytes. */
    pkin_status status = pkin_i_grow(wide, capacity, n_bytes + 1, sizeof **wide);
    if (status != PKIN_OK) return status;
    u_strFromUTF8WithSub(*wide, (int32_t)n_bytes + 1, length, text, (int32_t)n_bytes, PKIN_I_REPLACEMENT_CHARACTER,
                         NULL, &code);
    return U_FAILURE(code) ? pkin_i_icu_failure(code, "conversion from UTF-8") : PKIN_OK;
}

static pkin_status wide_to_utf8(const UChar *wide, int32_t length, pkin_i_buffer *out) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t written = 0;
    out->n_bytes = 0;
    pkin_status status = pkin_i_buffer_reserve(out, (size_t)length * 3);
    if (status != PKIN_OK) return status;
    int32_t room = out->capacity > INT32_MAX ? INT32_MAX : (int32_t)out->capacity;
    u_strToUTF8(out->bytes, room, &written, wide, length, &code);
    if (U_FAILURE(code)) return pkin_i_icu_failure(code, "conversion to UTF-8");
    out->n_bytes = (size_t)written;
    return PKIN_OK;
}

static pkin_status fold(pkin_i_normalizer *n, const char *text, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = 0, folded_length = 0;
    PKIN_TRY(pkin_i_utf8_to_wide(text, n_bytes, &n->wide, &n->wide_capacity, &length));
    const UNormalizer2 *nfkc = unorm2_getNFKCCasefoldInstance(&code);
    PKIN_REQUIRE(U_SUCCESS(code), PKIN_ERROR_INTERNAL, "ICU has no NFKC data: %s", u_errorName(code));
    PKIN_TRY(pkin_i_grow(&n->wide_folded, &n->wide_folded_capacity, (size_t)length + 64, sizeof *n->wide_folded));
    for (;;) {
        int32_t room = n->wide_folded_capacity > INT32_MAX ? INT32_MAX : (int32_t)n->wide_folded_capacity;
        code = U_ZERO_ERROR;
        folded_length = unorm2_normalize(nfkc, n->wide, length, n->wide_folded, room, &code);
        if (code != U_BUFFER_OVERFLOW_ERROR) break;
        PKIN_TRY(
            pkin_i_grow(&n->wide_folded, &n->wide_folded_capacity, (size_t)folded_length + 1, sizeof *n->wide_folded));
    }
    if (U_FAILURE(code)) {
        status = pkin_i_icu_failure(code, "normalisation");
        goto out;
    }
    PKIN_REQUIRE(folded_length <= INT32_MAX / 3 - 1, PKIN_ERROR_OVERFLOW, "a text of %zu bytes is too long", n_bytes);
    status = wide_to_utf8(n->wide_folded, folded_length, &n->folded);
out:
    return status;
}

/* ---- Symbols spelt out ---- */

/* U+03B1 alpha to U+03C9 omega; final sigma was folded away. */
static const char *const greek_names[] = {
    "alpha", "beta",    "gamma", "delta", "epsilon", "zeta",  "eta", "theta",   "iota", "kappa", "lambda", "mu",   "nu",
    "xi",    "omicron", "pi",    "rho",   "sigma",   "sigma", "tau", "upsilon", "phi",  "chi",   "psi",    "omega"};

static const char *symbol_name(uint32_t character) {
    if (character >= 0x3B1 && character <= 0x3C9) return greek_names[character - 0x3B1];
    switch (character) {
    case 0x221E:
        return "infty";
    case 0x2207:
        return "nabla";
    case 0x2202:
        return "partial";
    case 0x221A:
        return "sqrt";
    default:
        return NULL;
    }
}

static int is_greek(uint32_t character) {
    return (character >= 0x370 && character <= 0x3FF && u_isalpha((UChar32)character)) ||
           (character >= 0x1F00 && character <= 0x1FFF);
}

static int is_mark(uint32_t character) {
    return character >= 0x300 && (U_GET_GC_MASK((UChar32)character) & U_GC_M_MASK) != 0;
}

/* The first character of `text` that is no mark, a space where there is none. */
static uint32_t next_letter(const char *text, size_t n_bytes) {
    uint32_t character;
    for (size_t at = 0; at < n_bytes;) {
        at += pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        if (!is_mark(character)) return character;
    }
    return ' ';
}

/*
 * Appends a symbol's name, set off from letters on either side; digits stay glued, so that π0, `$\pi_0$` and pi0 meet.
 * Marks over the symbol (a tilde over alpha) are skipped: they would attach to the name. Returns the bytes skipped.
 */
static pkin_status put_name(const char *name, const char *rest, size_t n_rest, int at_start, size_t *skipped,
                            pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    uint32_t next = ' ';
    size_t at = 0, length = 0;
    while (at < n_rest) {
        length = pkin_i_utf8_decode(rest + at, n_rest - at, &next);
        if (!is_mark(next)) break;
        at += length;
        next = ' ';
    }
    unsigned char last = !at_start ? (unsigned char)out->bytes[out->n_bytes - 1] : ' ';
    if (last >= 0x80 || (last >= 'a' && last <= 'z') || (last >= '0' && last <= '9'))
        PKIN_TRY(pkin_i_buffer_char(out, ' '));
    PKIN_TRY(pkin_i_buffer_string(out, name));
    if (at < n_rest && (u_isalpha((UChar32)next) || symbol_name(next))) PKIN_TRY(pkin_i_buffer_char(out, ' '));
    *skipped = at;
out:
    return status;
}

/*
 * `text` is NFKC and case folded. Letters of TeX that only normalising brought about (full-width ones) become spaces,
 * so that normalising twice is normalising once.
 */
static pkin_status spell_out(const char *text, size_t n_bytes, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    uint32_t before = ' ', character; /* the last character that was no mark */
    PKIN_TRY(pkin_i_buffer_reserve(out, n_bytes + n_bytes / 4));
    for (size_t at = 0, length; at < n_bytes; at += length) {
        length = pkin_i_utf8_decode(text + at, n_bytes - at, &character);
        const char *rest = text + at + length, *name = symbol_name(character);
        size_t n_rest = n_bytes - at - length, skipped = 0;
        if (character < 0x80) {
            int is_tex = byte_traits[character] & TRAIT_LATEX;
            PKIN_TRY(pkin_i_buffer_char(out, is_tex ? ' ' : (char)character));
        } else if (name && !(is_greek(character) && (is_greek(before) || is_greek(next_letter(rest, n_rest))))) {
            PKIN_TRY(put_name(name, rest, n_rest, at == 0, &skipped, out));
            length += skipped;
        } else {
            PKIN_TRY(pkin_i_buffer_append(out, text + at, length));
        }
        if (!is_mark(character)) before = character;
    }
out:
    return status;
}

static pkin_status append_lower_ascii(const char *text, size_t n_bytes, pkin_i_buffer *out) {
    pkin_status status = pkin_i_buffer_reserve(out, n_bytes);
    if (status != PKIN_OK) return status;
    char *to = out->bytes + out->n_bytes;
    for (size_t k = 0; k < n_bytes; k++) {
        char c = text[k];
        to[k] = (char)(c + ((c >= 'A' && c <= 'Z') << 5));
    }
    out->n_bytes += n_bytes;
    out->bytes[out->n_bytes] = '\0';
    return PKIN_OK;
}

pkin_status pkin_i_normalizer_run(pkin_i_normalizer *normalizer, const char *text, size_t n_bytes, int drop_links,
                                  pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    pkin_i_text_traits traits = pkin_i_text_look(text, n_bytes);
    if (traits.has_latex || (drop_links && traits.has_link)) {
        pkin_i_buffer_clear(&normalizer->stripped);
        PKIN_TRY(pkin_i_latex_strip(text, n_bytes, drop_links, &normalizer->stripped));
        text = normalizer->stripped.bytes;
        n_bytes = normalizer->stripped.n_bytes;
        traits.is_ascii = pkin_i_is_ascii(text, n_bytes);
    }
    if (traits.is_ascii) {
        status = append_lower_ascii(text, n_bytes, out);
        goto out;
    }
    PKIN_TRY(fold(normalizer, text, n_bytes));
    status = spell_out(normalizer->folded.bytes, normalizer->folded.n_bytes, out);
out:
    return status;
}

pkin_status pkin_i_normalize_text(const char *text, size_t n_bytes, pkin_i_buffer *out) {
    pkin_i_normalizer normalizer = {0};
    pkin_status status = pkin_i_normalizer_run(&normalizer, text, n_bytes, 0, out);
    pkin_i_normalizer_free(&normalizer);
    return status;
}

/* ---- Keys ---- */

static int is_key_character(uint32_t character) {
    if (character < 0x80) return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
    return (U_GET_GC_MASK((UChar32)character) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) != 0;
}

pkin_status pkin_i_normalize_key(const char *text, size_t n_bytes, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer normal = {0};
    int gap = 0, begun = 0;
    PKIN_TRY(pkin_i_normalize_text(text, n_bytes, &normal));
    PKIN_TRY(pkin_i_buffer_reserve(out, normal.n_bytes));
    for (size_t at = 0, length; at < normal.n_bytes; at += length) {
        uint32_t character;
        length = pkin_i_utf8_decode(normal.bytes + at, normal.n_bytes - at, &character);
        if (!is_key_character(character)) {
            gap = begun;
            continue;
        }
        if (gap) PKIN_TRY(pkin_i_buffer_char(out, ' '));
        gap = 0;
        begun = 1;
        PKIN_TRY(pkin_i_buffer_append(out, normal.bytes + at, length));
    }
out:
    pkin_i_buffer_free(&normal);
    return status;
}
