/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"

typedef struct word_entry {
    const char *bytes; /* NUL-terminated, in the arena, whose blocks of 16 bytes pad it */
    size_t n_bytes;
} word_entry;

/*
 * An open-addressing slot. A word of up to 16 bytes is its own key, zeros behind it, so that nearly all words are found
 * without a look at anything but the slot; a longer one has its hash there.
 */
typedef struct word_slot {
    uint64_t key[2];
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

enum { KEY_BYTES = PKIN_I_WORD_PADDING, LONG_WORD = KEY_BYTES + 1 };

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

/* Bits of the bytes of a key that belong to a word of so many bytes. */
static const uint64_t low_mask[KEY_BYTES + 1] = {
    0,          0xFF,       0xFFFF,     0xFFFFFF,   0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,   UINT64_MAX,     UINT64_MAX,
    UINT64_MAX};

/* What a slot would hold for a padded word; id_plus_one is left 0. Bytes count from the lowest, as x86 and ARM do. */
static inline word_slot describe_padded(const char *word, size_t n_bytes) {
    word_slot slot = {{0, 0}, 0, LONG_WORD};
    if (n_bytes > KEY_BYTES) {
        slot.key[0] = pkin_i_hash_bytes(word, n_bytes, 0);
        return slot;
    }
    memcpy(slot.key, word, KEY_BYTES);
    slot.key[0] &= low_mask[n_bytes];
    slot.key[1] &= n_bytes > 8 ? low_mask[n_bytes - 8] : 0;
    slot.n_bytes = (uint32_t)n_bytes;
    return slot;
}

static word_slot describe(const char *word, size_t n_bytes) {
    char padded[KEY_BYTES] = {0};
    if (n_bytes > KEY_BYTES) return describe_padded(word, n_bytes);
    if (n_bytes) memcpy(padded, word, n_bytes);
    return describe_padded(padded, n_bytes);
}

static inline size_t first_place(const word_slot *slot, size_t n_slots) {
    return (size_t)pkin_i_hash_fold(slot->key[0] + slot->n_bytes, slot->key[1]) & (n_slots - 1);
}

/* The slot that holds the word, or the free one where it belongs. */
static inline word_slot *find_slot(const pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes,
                                   const word_slot *wanted) {
    size_t mask = vocabulary->n_slots - 1;
    for (size_t s = first_place(wanted, vocabulary->n_slots);; s = (s + 1) & mask) {
        word_slot *slot = &vocabulary->slots[s];
        if (slot->id_plus_one == 0) return slot;
        uint64_t difference =
            (slot->key[0] ^ wanted->key[0]) | (slot->key[1] ^ wanted->key[1]) | (slot->n_bytes ^ wanted->n_bytes);
        if (difference) continue;
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

/* A word that is not there yet; `slot` is the free one where it belongs. */
static pkin_status add_new(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes, word_slot wanted,
                           word_slot *slot, uint32_t *id) {
    pkin_status status = PKIN_OK;
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

pkin_status pkin_i_vocabulary_add(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes, uint32_t *id) {
    word_slot wanted = describe(word, n_bytes);
    word_slot *slot = find_slot(vocabulary, word, n_bytes, &wanted);
    if (!slot->id_plus_one) return add_new(vocabulary, word, n_bytes, wanted, slot, id);
    *id = slot->id_plus_one - 1;
    return PKIN_OK;
}

pkin_status pkin_i_vocabulary_add_padded(pkin_i_vocabulary *vocabulary, const char *word, size_t n_bytes,
                                         uint32_t *id) {
    word_slot wanted = describe_padded(word, n_bytes);
    word_slot *slot = find_slot(vocabulary, word, n_bytes, &wanted);
    if (!slot->id_plus_one) return add_new(vocabulary, word, n_bytes, wanted, slot, id);
    *id = slot->id_plus_one - 1;
    return PKIN_OK;
}

void pkin_i_vocabulary_prefetch(const pkin_i_vocabulary *vocabulary, const char *padded_word, size_t n_bytes) {
    word_slot wanted = describe_padded(padded_word, n_bytes);
    __builtin_prefetch(&vocabulary->slots[first_place(&wanted, vocabulary->n_slots)]);
}

void pkin_i_vocabulary_close(pkin_i_vocabulary *vocabulary) {
    pkin_i_free(vocabulary->slots);
    vocabulary->slots = NULL;
    vocabulary->n_slots = 0;
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
