/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/failure.h"

static void *default_allocate(void *user, size_t n_bytes) {
    (void)user;
    return malloc(n_bytes);
}

static void *default_reallocate(void *user, void *memory, size_t n_bytes) {
    (void)user;
    return realloc(memory, n_bytes);
}

static void default_release(void *user, void *memory) {
    (void)user;
    free(memory);
}

static const pkin_allocator default_allocator = {default_allocate, default_reallocate, default_release, NULL};
static pkin_allocator hooks = {default_allocate, default_reallocate, default_release, NULL};

void pkin_set_allocator(const pkin_allocator *allocator) {
    bool is_whole = allocator && allocator->allocate && allocator->reallocate && allocator->release;
    hooks = is_whole ? *allocator : default_allocator;
}

bool pkin_i_multiply(size_t a, size_t b, size_t *out) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

bool pkin_i_add(size_t a, size_t b, size_t *out) {
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

static pkin_status out_of_memory(size_t n_bytes) {
    return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "out of memory: %zu bytes could not be had", n_bytes);
}

static pkin_status array_bytes(size_t count, size_t element_bytes, size_t *n_bytes) {
    if (!pkin_i_multiply(count ? count : 1, element_bytes, n_bytes)) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "%zu elements of %zu bytes do not fit in memory", count,
                           element_bytes);
    }
    return PKIN_OK;
}

pkin_status pkin_i_allocate(size_t count, size_t element_bytes, void *out) {
    void *block = NULL;
    size_t n_bytes = 0;
    pkin_status status = array_bytes(count, element_bytes, &n_bytes);
    if (status == PKIN_OK) {
        block = hooks.allocate(hooks.user, n_bytes);
        if (!block) status = out_of_memory(n_bytes);
    }
    memcpy(out, &block, sizeof block);
    return status;
}

pkin_status pkin_i_allocate_zeroed(size_t count, size_t element_bytes, void *out) {
    pkin_status status = pkin_i_allocate(count, element_bytes, out);
    if (status == PKIN_OK) {
        void *block;
        memcpy(&block, out, sizeof block);
        memset(block, 0, (count ? count : 1) * element_bytes);
    }
    return status;
}

pkin_status pkin_i_reallocate(void *block, size_t count, size_t element_bytes) {
    void *old, *new_block;
    size_t n_bytes = 0;
    pkin_status status = array_bytes(count, element_bytes, &n_bytes);
    if (status != PKIN_OK) return status;
    memcpy(&old, block, sizeof old);
    new_block = old ? hooks.reallocate(hooks.user, old, n_bytes) : hooks.allocate(hooks.user, n_bytes);
    if (!new_block) return out_of_memory(n_bytes);
    memcpy(block, &new_block, sizeof new_block);
    return PKIN_OK;
}

void pkin_i_free(void *block) {
    if (block) hooks.release(hooks.user, block);
}

pkin_status pkin_i_grow(void *block, size_t *capacity, size_t needed, size_t element_bytes) {
    if (needed <= *capacity) return PKIN_OK;
    size_t larger = *capacity < SIZE_MAX / 2 ? *capacity * 2 : SIZE_MAX;
    if (larger < needed) larger = needed;
    if (larger < 16) larger = 16;
    pkin_status status = pkin_i_reallocate(block, larger, element_bytes);
    if (status == PKIN_OK) *capacity = larger;
    return status;
}

pkin_status pkin_i_copy_string(const char *text, size_t n_bytes, char **out) {
    *out = NULL;
    size_t with_nul;
    if (!pkin_i_add(n_bytes, 1, &with_nul)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a string is too long");
    pkin_status status = pkin_i_allocate(with_nul, 1, out);
    if (status == PKIN_OK) {
        if (n_bytes) memcpy(*out, text, n_bytes);
        (*out)[n_bytes] = '\0';
    }
    return status;
}

/* ---- Arena ---- */

enum { ARENA_ALIGNMENT = 16, ARENA_BLOCK_BYTES = 1 << 16 };

struct pkin_i_arena_block {
    struct pkin_i_arena_block *next;
    size_t padding; /* keeps the payload aligned to 16 bytes */
};

static pkin_status arena_new_block(pkin_i_arena *arena, size_t n_bytes) {
    size_t payload = n_bytes > ARENA_BLOCK_BYTES ? n_bytes : ARENA_BLOCK_BYTES;
    size_t total;
    struct pkin_i_arena_block *block;
    if (!pkin_i_add(payload, sizeof *block, &total)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "an arena is too large");
    pkin_status status = pkin_i_allocate(total, 1, &block);
    if (status != PKIN_OK) return status;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    arena->size = payload;
    return PKIN_OK;
}

pkin_status pkin_i_arena_allocate(pkin_i_arena *arena, size_t count, size_t element_bytes, void *out) {
    void *result = NULL;
    size_t n_bytes = 0;
    memcpy(out, &result, sizeof result);
    pkin_status status = array_bytes(count, element_bytes, &n_bytes);
    if (status != PKIN_OK) return status;
    if (!pkin_i_add(n_bytes, ARENA_ALIGNMENT - 1, &n_bytes)) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "an arena is too large");
    }
    n_bytes &= ~(size_t)(ARENA_ALIGNMENT - 1);
    if (!arena->blocks || arena->size - arena->used < n_bytes) {
        status = arena_new_block(arena, n_bytes);
        if (status != PKIN_OK) return status;
    }
    result = (char *)(arena->blocks + 1) + arena->used;
    arena->used += n_bytes;
    memcpy(out, &result, sizeof result);
    return PKIN_OK;
}

pkin_status pkin_i_arena_string(pkin_i_arena *arena, const char *text, size_t n_bytes, const char **out) {
    char *copy;
    size_t with_nul;
    *out = NULL;
    if (!pkin_i_add(n_bytes, 1, &with_nul)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a string is too long");
    pkin_status status = pkin_i_arena_allocate(arena, with_nul, 1, &copy);
    if (status != PKIN_OK) return status;
    if (n_bytes) memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    *out = copy;
    return PKIN_OK;
}

void pkin_i_arena_adopt(pkin_i_arena *into, pkin_i_arena *from) {
    if (!from->blocks) return;
    if (!into->blocks) {
        *into = *from;
    } else {
        /* Behind the newest block of `into`, which stays the one that is filled. */
        struct pkin_i_arena_block *last = from->blocks;
        while (last->next) last = last->next;
        last->next = into->blocks->next;
        into->blocks->next = from->blocks;
    }
    *from = (pkin_i_arena){0};
}

void pkin_i_arena_free(pkin_i_arena *arena) {
    struct pkin_i_arena_block *block = arena->blocks;
    while (block) {
        struct pkin_i_arena_block *next = block->next;
        pkin_i_free(block);
        block = next;
    }
    *arena = (pkin_i_arena){0};
}
