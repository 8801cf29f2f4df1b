/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_JSON_OUT_H
#define PKIN_CLI_JSON_OUT_H

#include <stdio.h>

#include "cli.h"

/* Writes one JSON value on one line. `key` is NULL inside arrays and for the outermost value. */
typedef struct pkin_i_json {
    FILE *stream;
    bool needs_comma;
} pkin_i_json;

void pkin_i_json_begin_object(pkin_i_json *json, const char *key);
void pkin_i_json_end_object(pkin_i_json *json);
void pkin_i_json_begin_array(pkin_i_json *json, const char *key);
void pkin_i_json_end_array(pkin_i_json *json);
void pkin_i_json_text(pkin_i_json *json, const char *key, const char *text);
void pkin_i_json_count(pkin_i_json *json, const char *key, uint64_t n);
void pkin_i_json_real(pkin_i_json *json, const char *key, double value, int n_decimals);
void pkin_i_json_flag(pkin_i_json *json, const char *key, bool value);

/* Opens the outermost object of a command's answer: {"paperkin": version, "command": name, ... */
void pkin_i_json_begin_answer(pkin_i_json *json, const char *command);
void pkin_i_json_end_answer(pkin_i_json *json);

#endif
