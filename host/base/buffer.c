/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"

pkin_status pkin_i_buffer_reserve(pkin_i_buffer *buffer, size_t n_bytes) {
    size_t needed;
    if (!pkin_i_add(buffer->n_bytes, n_bytes, &needed) || !pkin_i_add(needed, 1, &needed)) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a buffer is too large");
    }
    return pkin_i_grow(&buffer->bytes, &buffer->capacity, needed, 1);
}

pkin_status pkin_i_buffer_append(pkin_i_buffer *buffer, const void *bytes, size_t n_bytes) {
    pkin_status status = pkin_i_buffer_reserve(buffer, n_bytes);
    if (status != PKIN_OK) return status;
    if (n_bytes) memcpy(buffer->bytes + buffer->n_bytes, bytes, n_bytes);
    buffer->n_bytes += n_bytes;
    buffer->bytes[buffer->n_bytes] = '\0';
    return PKIN_OK;
}

pkin_status pkin_i_buffer_string(pkin_i_buffer *buffer, const char *text) {
    return pkin_i_buffer_append(buffer, text, strlen(text));
}

pkin_status pkin_i_buffer_char(pkin_i_buffer *buffer, char c) {
    return pkin_i_buffer_append(buffer, &c, 1);
}

pkin_status pkin_i_buffer_printf(pkin_i_buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n_bytes = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    pkin_status status = n_bytes < 0 ? pkin_i_fail(PKIN_ERROR_INTERNAL, "a text could not be formatted")
                                     : pkin_i_buffer_reserve(buffer, (size_t)n_bytes);
    if (status == PKIN_OK) {
        vsnprintf(buffer->bytes + buffer->n_bytes, (size_t)n_bytes + 1, format, again);
        buffer->n_bytes += (size_t)n_bytes;
    }
    va_end(again);
    return status;
}

pkin_status pkin_i_buffer_escaped(pkin_i_buffer *buffer, pkin_escape_target target, const char *text) {
    size_t n_bytes = pkin_escape(target, text, NULL, 0);
    pkin_status status = pkin_i_buffer_reserve(buffer, n_bytes);
    if (status != PKIN_OK) return status;
    pkin_escape(target, text, buffer->bytes + buffer->n_bytes, n_bytes + 1);
    buffer->n_bytes += n_bytes;
    return PKIN_OK;
}

void pkin_i_buffer_free(pkin_i_buffer *buffer) {
    pkin_i_free(buffer->bytes);
    *buffer = (pkin_i_buffer){0};
}
