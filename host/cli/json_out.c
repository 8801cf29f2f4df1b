/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

#include <inttypes.h>
#include <math.h>

#include "messages.h"

static void begin_value(pkin_i_json *json, const char *key) {
    if (json->needs_comma) fputs(", ", json->stream);
    json->needs_comma = true;
    if (!key) return;
    fprintf(json->stream, "\"%s\": ", key); /* keys are the program's own words */
}

void pkin_i_json_begin_object(pkin_i_json *json, const char *key) {
    begin_value(json, key);
    fputc('{', json->stream);
    json->needs_comma = false;
}

void pkin_i_json_end_object(pkin_i_json *json) {
    fputc('}', json->stream);
    json->needs_comma = true;
}

void pkin_i_json_begin_array(pkin_i_json *json, const char *key) {
    begin_value(json, key);
    fputc('[', json->stream);
    json->needs_comma = false;
}

void pkin_i_json_end_array(pkin_i_json *json) {
    fputc(']', json->stream);
    json->needs_comma = true;
}

void pkin_i_json_text(pkin_i_json *json, const char *key, const char *text) {
    begin_value(json, key);
    fputc('"', json->stream);
    pkin_i_cli_write_escaped(json->stream, PKIN_ESCAPE_JSON, text);
    fputc('"', json->stream);
}

void pkin_i_json_count(pkin_i_json *json, const char *key, uint64_t n) {
    begin_value(json, key);
    fprintf(json->stream, "%" PRIu64, n);
}

void pkin_i_json_real(pkin_i_json *json, const char *key, double value, int n_decimals) {
    begin_value(json, key);
    if (!isfinite(value)) { /* JSON has no such number */
        fputs("null", json->stream);
        return;
    }
    fprintf(json->stream, "%.*f", n_decimals, value);
}

void pkin_i_json_flag(pkin_i_json *json, const char *key, bool value) {
    begin_value(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void pkin_i_json_begin_answer(pkin_i_json *json, const char *command) {
    *json = (pkin_i_json){.stream = stdout};
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_text(json, "paperkin", pkin_version());
    pkin_i_json_text(json, "command", command);
}

void pkin_i_json_end_answer(pkin_i_json *json) {
    pkin_i_json_end_object(json);
    fputc('\n', json->stream);
}
