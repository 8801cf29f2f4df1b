/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_BUFFER_H
#define PKIN_BASE_BUFFER_H

#include "base/memory.h"
#include "paperkin/escape.h"

PKIN_EXTERN_C_BEGIN

/* Growable bytes, always NUL-terminated once anything was appended. Zero-initialise to start. */
typedef struct pkin_i_buffer {
    char *bytes;
    size_t n_bytes;
    size_t capacity;
} pkin_i_buffer;

pkin_status pkin_i_buffer_append(pkin_i_buffer *buffer, const void *bytes, size_t n_bytes);
pkin_status pkin_i_buffer_string(pkin_i_buffer *buffer, const char *text);
pkin_status pkin_i_buffer_char(pkin_i_buffer *buffer, char c);
pkin_status pkin_i_buffer_printf(pkin_i_buffer *buffer, const char *format, ...) PKIN_PRINTF(2, 3);
/* Room for `n_bytes` more without another allocation. */
pkin_status pkin_i_buffer_reserve(pkin_i_buffer *buffer, size_t n_bytes);
static inline void pkin_i_buffer_clear(pkin_i_buffer *buffer) {
    buffer->n_bytes = 0;
    if (buffer->bytes) buffer->bytes[0] = '\0';
}
/* `text` escaped for `target`, see paperkin/escape.h. */
pkin_status pkin_i_buffer_escaped(pkin_i_buffer *buffer, pkin_escape_target target, const char *text);
void pkin_i_buffer_free(pkin_i_buffer *buffer);

PKIN_EXTERN_C_END

#endif
