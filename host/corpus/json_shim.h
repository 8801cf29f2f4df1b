/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_JSON_SHIM_H
#define PKIN_CORPUS_JSON_SHIM_H

/*
 * The little of simdjson that the readers need, for C. Strict JSON: UTF-8, no trailing garbage, no NaN, nesting up to
 * 1024 levels. No exception leaves these functions. A parser serves one thread; values and texts live until its next
 * parse.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_json_parser pkin_i_json_parser;

typedef enum pkin_i_json_kind {
    PKIN_I_JSON_ABSENT = 0,
    PKIN_I_JSON_NULL,
    PKIN_I_JSON_STRING,
    PKIN_I_JSON_ARRAY,
    PKIN_I_JSON_OBJECT,
    PKIN_I_JSON_OTHER /* numbers, true, false */
} pkin_i_json_kind;

typedef struct pkin_i_json_value {
    pkin_i_json_kind kind;
    pkin_i_view text;   /* of a string, unescaped; may hold NUL */
    uint64_t opaque[2]; /* simdjson's own handle */
} pkin_i_json_value;

pkin_i_json_parser *pkin_i_json_parser_new(void); /* NULL: out of memory */
void pkin_i_json_parser_free(pkin_i_json_parser *parser);

typedef enum pkin_i_json_outcome { PKIN_I_JSON_OK = 0, PKIN_I_JSON_BAD, PKIN_I_JSON_OUT_OF_MEMORY } pkin_i_json_outcome;

/*
 * Parses `text`. `n_readable` bytes from its start may be read, though not used: where they are fewer than simdjson's
 * padding asks for, the text is copied. *reason is a static text for PKIN_I_JSON_BAD.
 */
pkin_i_json_outcome pkin_i_json_parse(pkin_i_json_parser *parser, pkin_i_view text, size_t n_readable,
                                      pkin_i_json_value *root, const char **reason);

/* Calls `visit` for each member or element in order until it returns false; an element's key is empty. */
typedef bool (*pkin_i_json_visit)(void *user, pkin_i_view key, const pkin_i_json_value *value);
void pkin_i_json_each(const pkin_i_json_value *container, pkin_i_json_visit visit, void *user);

/* The first key found to occur twice in an object; *key has bytes NULL where all differ. Never BAD. n log n. */
pkin_i_json_outcome pkin_i_json_repeated_key(const pkin_i_json_value *object, pkin_i_view *key);

/* Whether bytes are UTF-8 throughout. */
bool pkin_i_is_utf8(const char *bytes, size_t n_bytes);

PKIN_EXTERN_C_END

#endif
