/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_MEMORY_H
#define PKIN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/* a * b and a + b; false, with *out untouched, where they do not fit. */
bool pkin_i_multiply(size_t a, size_t b, size_t *out);
bool pkin_i_add(size_t a, size_t b, size_t *out);

/*
 * Memory through the hooks of pkin_set_allocator. `*out` receives the block, or NULL on failure with
 * PKIN_ERROR_OUT_OF_MEMORY or PKIN_ERROR_OVERFLOW recorded. A count of 0 yields a block of one element, never NULL.
 * pkin_i_free accepts NULL.
 */
pkin_status pkin_i_allocate(size_t count, size_t element_bytes, void *out);      /* uninitialised */
pkin_status pkin_i_allocate_zeroed(size_t count, size_t element_bytes, void *out);
/* `*block` keeps its old value and content on failure. */
pkin_status pkin_i_reallocate(void *block, size_t count, size_t element_bytes);
void pkin_i_free(void *block);

/*
 * Makes room for `needed` elements in a growable array (`*block`, `*capacity`), at least doubling it. `block` is the
 * address of the typed pointer, as in pkin_i_reallocate.
 */
pkin_status pkin_i_grow(void *block, size_t *capacity, size_t needed, size_t element_bytes);

/* NUL-terminated copy of `n_bytes` bytes. */
pkin_status pkin_i_copy_string(const char *text, size_t n_bytes, char **out);

/* ---- Arena: many small blocks, freed together. Not for use by two threads at once. ---- */
typedef struct pkin_i_arena {
    struct pkin_i_arena_block *blocks; /* newest first */
    size_t used;                       /* bytes used of the newest block */
    size_t size;
} pkin_i_arena;

/* Zero-initialise a pkin_i_arena to start. Blocks are aligned to 16 bytes. */
pkin_status pkin_i_arena_allocate(pkin_i_arena *arena, size_t count, size_t element_bytes, void *out);
pkin_status pkin_i_arena_string(pkin_i_arena *arena, const char *text, size_t n_bytes, const char **out);
/* Moves every block of `from` into `into`, leaving `from` empty; pointers stay valid. */
void pkin_i_arena_adopt(pkin_i_arena *into, pkin_i_arena *from);
void pkin_i_arena_free(pkin_i_arena *arena);

PKIN_EXTERN_C_END

#endif
