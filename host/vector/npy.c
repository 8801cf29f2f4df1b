/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/npy.h"

#include <string.h>

#include "base/failure.h"

enum {
    PREFIX_BYTES_1 = 10, /* magic, version, 16-bit header length */
    PREFIX_BYTES_2 = 12, /* the same with a 32-bit length */
    ALIGNMENT = 64       /* of the items, as NumPy writes them */
};

static const char MAGIC[] = "\x93NUMPY";

/* A cursor over the header, which is a Python dict literal. */
typedef struct header_text {
    const char *at, *end;
} header_text;

static void skip_spaces(header_text *text) {
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\t')) text->at++;
}

static bool take(header_text *text, const char *token) {
    size_t n = strlen(token);
    skip_spaces(text);
    if ((size_t)(text->end - text->at) < n || memcmp(text->at, token, n) != 0) return false;
    text->at += n;
    return true;
}

/* 'text' or "text", without escapes. */
static bool take_string(header_text *text, const char **begin, size_t *n) {
    skip_spaces(text);
    if (text->at == text->end || (*text->at != '\'' && *text->at != '"')) return false;
    const char *close = (const char *)memchr(text->at + 1, *text->at, (size_t)(text->end - text->at) - 1);
    if (!close) return false;
    *begin = text->at + 1;
    *n = (size_t)(close - *begin);
    text->at = close + 1;
    return true;
}

static bool take_number(header_text *text, uint64_t *out) {
    skip_spaces(text);
    const char *begin = text->at;
    uint64_t value = 0;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text->at - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return text->at > begin;
}

/* "()", "(n,)"; more dimensions are refused. */
static bool take_shape(header_text *text, uint64_t *n_items) {
    *n_items = 1;
    if (!take(text, "(")) return false;
    if (take(text, ")")) return true;
    if (!take_number(text, n_items)) return false;
    take(text, "L"); /* as Python 2 wrote it */
    take(text, ",");
    return take(text, ")");
}

static bool parse_type(const char *descr, size_t n, pkin_i_npy *out) {
    header_text digits = {descr + 2, descr + n};
    uint64_t n_units = 0;
    if (n < 3 || (descr[0] != '<' && descr[0] != '|') || !take_number(&digits, &n_units) || digits.at != digits.end) {
        return false;
    }
    out->kind = descr[1];
    switch (out->kind) {
    case 'i':
    case 'u':
        out->item_bytes = n_units;
        return n_units == 1 || n_units == 2 || n_units == 4 || n_units == 8;
    case 'f':
        out->item_bytes = n_units;
        return n_units == 4 || n_units == 8;
    case 'b':
        out->item_bytes = n_units;
        return n_units == 1;
    case 'S':
        out->item_bytes = n_units;
        return n_units <= 64;
    case 'U': /* four bytes a character */
        out->item_bytes = n_units * 4;
        return n_units <= 64;
    default:
        return false;
    }
}

static pkin_status parse_header(header_text *text, const char *what, pkin_i_npy *out) {
    pkin_status status = PKIN_OK;
    bool has_type = false, has_shape = false, has_order = false;
    PKIN_REQUIRE(take(text, "{"), PKIN_ERROR_CORRUPT, "%s: the array's header is damaged", what);
    while (!take(text, "}")) {
        const char *key = NULL, *descr = NULL;
        size_t n_key = 0, n_descr = 0;
        PKIN_REQUIRE(take_string(text, &key, &n_key) && take(text, ":"), PKIN_ERROR_CORRUPT,
                     "%s: the array's header is damaged", what);
        if (n_key == 5 && memcmp(key, "descr", 5) == 0) {
            has_type = take_string(text, &descr, &n_descr) && parse_type(descr, n_descr, out);
            PKIN_REQUIRE(has_type, PKIN_ERROR_UNSUPPORTED,
                         "%s: a type of items that is not read here; little-endian integers, float32 or float64 are",
                         what);
        } else if (n_key == 5 && memcmp(key, "shape", 5) == 0) {
            has_shape = take_shape(text, &out->n_items);
            PKIN_REQUIRE(has_shape, PKIN_ERROR_UNSUPPORTED, "%s: an array of one dimension was expected", what);
        } else {
            /* fortran_order: the same for one dimension */
            has_order = take(text, "False") || take(text, "True");
            PKIN_REQUIRE(has_order, PKIN_ERROR_CORRUPT, "%s: the array's header is damaged", what);
        }
        take(text, ",");
    }
    PKIN_REQUIRE(has_type && has_shape && has_order, PKIN_ERROR_CORRUPT, "%s: the array's header is incomplete", what);
out:
    return status;
}

pkin_status pkin_i_npy_parse(const char *bytes, size_t n_bytes, const char *what, pkin_i_npy *out) {
    pkin_status status;
    size_t prefix = PREFIX_BYTES_1, n_header, n_data;
    pkin_i_npy array = {0};
    PKIN_REQUIRE(n_bytes >= PREFIX_BYTES_2 && memcmp(bytes, MAGIC, 6) == 0, PKIN_ERROR_CORRUPT,
                 "%s: no NumPy array was found", what);
    PKIN_REQUIRE(bytes[6] >= 1 && bytes[6] <= 3, PKIN_ERROR_UNSUPPORTED, "%s: NumPy format %d; 1 to 3 can be read",
                 what, bytes[6]);
    n_header = (size_t)(unsigned char)bytes[8] | (size_t)(unsigned char)bytes[9] << 8;
    if (bytes[6] > 1) {
        n_header |= (size_t)(unsigned char)bytes[10] << 16 | (size_t)(unsigned char)bytes[11] << 24;
        prefix = PREFIX_BYTES_2;
    }
    PKIN_REQUIRE(n_header <= n_bytes - prefix, PKIN_ERROR_CORRUPT, "%s: the array's header is cut off", what);
    header_text text = {bytes + prefix, bytes + prefix + n_header};
    PKIN_TRY(parse_header(&text, what, &array));
    array.items = bytes + prefix + n_header;
    PKIN_REQUIRE(pkin_i_multiply(array.n_items, array.item_bytes, &n_data) && n_data <= n_bytes - prefix - n_header,
                 PKIN_ERROR_CORRUPT, "%s: %llu items of %zu bytes were announced, fewer are there", what,
                 (unsigned long long)array.n_items, array.item_bytes);
    *out = array;
out:
    return status;
}

/* Little-endian bytes on a little-endian or big-endian machine; the usual sizes compile to one load. */
static uint64_t little_endian(const char *item, size_t n) {
    uint64_t bits = 0;
    for (size_t b = n; b > 0; b--) bits = bits << 8 | (unsigned char)item[b - 1];
    return bits;
}

static uint64_t item_bits(const pkin_i_npy *array, uint64_t k) {
    const char *item = array->items + k * array->item_bytes;
    switch (array->item_bytes) {
    case 4:
        return little_endian(item, 4);
    case 8:
        return little_endian(item, 8);
    default:
        return little_endian(item, array->item_bytes);
    }
}

bool pkin_i_npy_unsigned(const pkin_i_npy *array, uint64_t k, uint64_t *out) {
    *out = item_bits(array, k);
    return array->kind != 'i' || (*out >> (8 * array->item_bytes - 1) & 1) == 0;
}

double pkin_i_npy_double(const pkin_i_npy *array, uint64_t k) {
    uint64_t bits = item_bits(array, k), sign = UINT64_C(1) << (8 * array->item_bytes - 1);
    uint32_t narrow_bits = (uint32_t)bits;
    double value;
    float narrow;
    if (array->kind == 'f' && array->item_bytes == sizeof value) {
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (array->kind == 'f') {
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        return narrow;
    }
    return array->kind == 'i' ? (double)(int64_t)((bits ^ sign) - sign) : (double)bits;
}

pkin_status pkin_i_npy_header(const char *descr, uint64_t n_items, int n_dimensions, pkin_i_buffer *out) {
    pkin_status status;
    size_t begin = out->n_bytes;
    PKIN_TRY(pkin_i_buffer_append(out, MAGIC, 6));
    PKIN_TRY(pkin_i_buffer_append(out, "\x01\x00\x00\x00", 4));
    PKIN_TRY(pkin_i_buffer_printf(out, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr));
    if (n_dimensions) PKIN_TRY(pkin_i_buffer_printf(out, "%llu,", (unsigned long long)n_items));
    PKIN_TRY(pkin_i_buffer_string(out, "), }"));
    while ((out->n_bytes - begin + 1) % ALIGNMENT != 0) PKIN_TRY(pkin_i_buffer_char(out, ' '));
    PKIN_TRY(pkin_i_buffer_char(out, '\n'));
    size_t n_header = out->n_bytes - begin - PREFIX_BYTES_1;
    out->bytes[begin + 8] = (char)(n_header & 0xFF);
    out->bytes[begin + 9] = (char)(n_header >> 8);
out:
    return status;
}
