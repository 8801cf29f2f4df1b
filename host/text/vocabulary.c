/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"

typedef struct word_entry {
    const char *bytes; /* NUL-terminated, in the arena */
    size_t n_bytes;
} word_entry;

/*
 * An open-addressing slot. A word of up to eight bytes is its own key, so that most words are found without a look at
 * anything but the slot; a longer one has its hash there.
 */
typedef struct word_slot {
    uint64_t key;
    uint32_t id_plus_one; /* 0: free */
    uint32_t n_bytes;     /* at most LONG_WORD, which stands for anything longer than the key */
} word_slot;

struct pkin_i_vocabulary {
    pkin_i_arena arena;
    word_entry *words;
    size_t capacity;
    uint32_t n_words;
    word_slot *slots;
    size_t n_slots; /* a power of two, at least twice n_words */
};

enum { KEY_BYTES = 8, LONG_WORD = KEY_BYTES + 1 };

enum { FIRST_SLOTS = 256 };

pkin_status pkin_i_vocabulary_create(pkin_i_vocabulary **out) {
    pkin_status status = PKIN_OK;
    pkin_i_vocabulary *vocabulary = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *vocabulary, &vocabulary));
    vocabulary->n_slots = FIRST_SLOTS;
    PKIN_TRY(pkin_i_allocate_zeroed(vocabulary->n_slots, sizeof *vocabulary->slots, &vocabulary->slots));
    *out = vocabulary;
    vocabulary = NULL;
out:
    pkin_i_vocabulary_free(vocabulary);
    return status;
}

void pkin_i_vocabulary_free(pkin_i_vocabulary *vocabulary) {
    if (!vocabulary) return;
    pkin_i_arena_free(&vocabulary->arena);
    pkin_i_free(vocabulary->words);
    pkin_i_free(vocabulary->slots);
    pkin_i_free(vocabulary);
}

uint32_t pkin_i_vocabulary_size(const pkin_i_vocabulary *vocabulary) {
    return vocabulary->n_words;
}

/* What a slot would hold for the word; id_plus_one is left 0. */
static word_slot describe(const char *word, size_t n_bytes) {
    word_slot slot = {0, 0, LONG_WORD};
    if (n_bytes > KEY_BYTES) {
        slot.key = pkin_i_hash_bytes(word, n_bytes, 0);
        return slot;
    }
    if (n_bytes) memcpy(&slot.key, word, n_bytes);
    slot.n_bytes = (uint32_t)n_bytes;
    return slot;
}

static size_t first_place(const word_slot *slot, size_t n_slots) {
    uint64_t hash = slot->n_bytes == LONG_WORD ? slot->key : pkin_i_hash_u64(slot->key + slot->n_bytes);
    return (size_t)hash & (n_slots - 1);
}

/* The slot that holds the word, or the free one where it belongs. */
static word_slot *find_slot(const pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes,
                            const word_slot *wanted) {
    size_t mask = vocabulary->n_slots - 1;
    for (size_t s = first_place(wanted, vocabulary->n_slots);; s = (s + 1) & mask) {
        word_slot *slot = &vocabulary->slots[s];
        if (slot->id_plus_one == 0) return slot;
        if (slot->key != wanted->key || slot->n_bytes != wanted->n_bytes) continue;
        if (wanted->n_bytes != LONG_WORD) return slot;
        const word_entry *entry = &vocabulary->words[slot->id_plus_one - 1];
        if (entry->n_bytes == n_bytes && memcmp(entry->bytes, word, n_bytes) == 0) return slot;
    }
}

static pkin_status double_slots(pkin_i_vocabulary *vocabulary) {
    size_t n_slots;
    word_slot *slots;
    if (!pkin_i_multiply(vocabulary->n_slots, 2, &n_slots)) {
        return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a vocabulary of %u words cannot grow", vocabulary->n_words);
    }
    pkin_status status = pkin_i_allocate_zeroed(n_slots, sizeof *slots, &slots);
    if (status != PKIN_OK) return status;
    for (size_t old = 0; old < vocabulary->n_slots; old++) {
        if (!vocabulary->slots[old].id_plus_one) continue;
        size_t s = first_place(&vocabulary->slots[old], n_slots);
        while (slots[s].id_plus_one) s = (s + 1) & (n_slots - 1);
        slots[s] = vocabulary->slots[old];
    }
    pkin_i_free(vocabulary->slots);
    vocabulary->slots = slots;
    vocabulary->n_slots = n_slots;
    return PKIN_OK;
}

pkin_status pkin_i_vocabulary_add(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes, uint32_t *id) {
    pkin_status status = PKIN_OK;
    word_slot wanted = describe(word, n_bytes);
    word_slot *slot = find_slot(vocabulary, word, n_bytes, &wanted);
    if (slot->id_plus_one) {
        *id = slot->id_plus_one - 1;
        return PKIN_OK;
    }
    /* UINT32_MAX means "unknown" and "break", so the last id is UINT32_MAX - 2 and id + 1 never wraps. */
    PKIN_REQUIRE(vocabulary->n_words < UINT32_MAX - 1, PKIN_ERROR_OVERFLOW, "more than %u different words",
                 UINT32_MAX - 1);
    if ((size_t)vocabulary->n_words * 2 >= vocabulary->n_slots) {
        PKIN_TRY(double_slots(vocabulary));
        slot = find_slot(vocabulary, word, n_bytes, &wanted);
    }
    PKIN_TRY(pkin_i_grow(&vocabulary->words, &vocabulary->capacity, (size_t)vocabulary->n_words + 1,
                         sizeof *vocabulary->words));
    word_entry entry = {NULL, n_bytes};
    PKIN_TRY(pkin_i_arena_string(&vocabulary->arena, word, n_bytes, &entry.bytes));
    vocabulary->words[vocabulary->n_words] = entry;
    *id = vocabulary->n_words++;
    wanted.id_plus_one = vocabulary->n_words;
    *slot = wanted;
out:
    return status;
}

uint32_t pkin_i_vocabulary_find(const pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes) {
    word_slot wanted = describe(word, n_bytes);
    /* A free slot holds 0, which becomes UINT32_MAX. */
    return find_slot(vocabulary, word, n_bytes, &wanted)->id_plus_one - 1;
}

const char *pkin_i_vocabulary_word(const pkin_i_vocabulary *vocabulary, uint32_t id, size_t *n_bytes) {
    if (id >= vocabulary->n_words) {
        if (n_bytes) *n_bytes = 0;
        return NULL;
    }
    if (n_bytes) *n_bytes = vocabulary->words[id].n_bytes;
    return vocabulary->words[id].bytes;
}
