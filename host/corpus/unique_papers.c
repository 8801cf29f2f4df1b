/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "corpus/corpus_private.h"

/* Open addressing over the merged papers, at most half full. The hash spares most looks at papers that differ. */
typedef struct key_slot {
    uint64_t hash;
    uint64_t index_plus_one; /* 0: free */
} key_slot;

typedef struct key_table {
    key_slot *slots;
    size_t mask; /* slots - 1, a power of two less 1 */
} key_table;

static pkin_status table_start(key_table *table, size_t n_keys) {
    size_t n_slots = 16;
    while (n_slots / 2 < n_keys) {
        if (!pkin_i_multiply(n_slots, 2, &n_slots)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "too many papers");
    }
    table->mask = n_slots - 1;
    return pkin_i_allocate_zeroed(n_slots, sizeof *table->slots, &table->slots);
}

/* The slot that holds `key`, or the free one where it belongs. */
static key_slot *table_find(const key_table *table, const pkin_paper *papers, const char *key, uint64_t hash) {
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        key_slot *slot = &table->slots[at];
        if (slot->index_plus_one == 0) return slot;
        if (slot->hash == hash && strcmp(papers[slot->index_plus_one - 1].key, key) == 0) return slot;
    }
}

static void fill_text(const char **text, const char *other) {
    if (!(*text)[0]) *text = other;
}

static void fill_list(const char *const **list, uint32_t *n, const char *const *other, uint32_t n_other) {
    if (*n) return;
    *list = other;
    *n = n_other;
}

/* Takes from a later record of the same paper what the first one left empty. */
static void fill_paper(pkin_paper *paper, const pkin_paper *other) {
    /* How many summary parts failed belongs to the summary that is kept. */
    if (!paper->summary[0] && other->summary[0]) paper->n_failed_summaries = other->n_failed_summaries;
    if (other->version > paper->version) paper->version = other->version;
    fill_text(&paper->abstract, other->abstract);
    fill_text(&paper->summary, other->summary);
    fill_text(&paper->comment, other->comment);
    fill_text(&paper->doi, other->doi);
    fill_text(&paper->link, other->link);
    fill_text(&paper->date, other->date);
    fill_list(&paper->authors, &paper->n_authors, other->authors, other->n_authors);
    fill_list(&paper->categories, &paper->n_categories, other->categories, other->n_categories);
}

/* Papers are copied, their strings are shared. */
static pkin_status merge(pkin_corpus *into, key_table *table, const pkin_corpus *from) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(
        pkin_i_grow(&into->strings, &into->strings_capacity, into->n_strings + from->n_strings, sizeof *into->strings));
    for (size_t k = 0; k < from->n_strings; k++) {
        pkin_i_strings_share(from->strings[k]);
        into->strings[into->n_strings++] = from->strings[k];
    }
    for (uint64_t k = 0; k < from->n_papers; k++) {
        const pkin_paper *paper = &from->papers[k];
        uint64_t hash = pkin_i_hash_bytes(paper->key, strlen(paper->key), 0);
        key_slot *slot = table_find(table, into->papers, paper->key, hash);
        if (slot->index_plus_one) {
            fill_paper(&into->papers[slot->index_plus_one - 1], paper);
        } else {
            into->papers[into->n_papers++] = *paper;
            *slot = (key_slot){hash, into->n_papers};
        }
    }
out:
    return status;
}

/* The first corpus's name, and how many others there are. */
static pkin_status name_merged(pkin_corpus *corpus, const pkin_corpus *const *corpora, size_t n_corpora) {
    pkin_i_buffer name = {0};
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(&name, n_corpora ? corpora[0]->name : ""));
    if (n_corpora > 1) PKIN_TRY(pkin_i_buffer_printf(&name, " and %zu more", n_corpora - 1));
    PKIN_TRY(pkin_i_grow(&corpus->strings, &corpus->strings_capacity, 1, sizeof *corpus->strings));
    PKIN_TRY(pkin_i_strings_create(&corpus->strings[0]));
    corpus->n_strings = 1;
    PKIN_TRY(pkin_i_arena_string(&corpus->strings[0]->arena, name.bytes, name.n_bytes, &corpus->name));
out:
    pkin_i_buffer_free(&name);
    return status;
}

pkin_status pkin_corpus_unique(const pkin_corpus *const *corpora, size_t n_corpora, pkin_corpus **out) {
    pkin_status status;
    pkin_corpus *merged = NULL;
    key_table table = {0};
    size_t n_records = 0;
    if (!out || (!corpora && n_corpora)) {
        return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT, "merging corpora: an argument is missing");
    }
    *out = NULL;
    for (size_t k = 0; k < n_corpora; k++) {
        PKIN_REQUIRE(corpora[k], PKIN_ERROR_INVALID_ARGUMENT, "merging corpora: corpus %zu of %zu is NULL", k + 1,
                     n_corpora);
    }
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *merged, &merged));
    merged->format = n_corpora ? corpora[0]->format : PKIN_FORMAT_UNKNOWN;
    for (size_t k = 0; k < n_corpora; k++) {
        n_records += corpora[k]->n_papers;
        merged->n_skipped += corpora[k]->n_skipped;
        if (corpora[k]->format != merged->format) merged->format = PKIN_FORMAT_UNKNOWN;
    }
    PKIN_TRY(name_merged(merged, corpora, n_corpora));
    PKIN_TRY(table_start(&table, n_records));
    PKIN_TRY(pkin_i_grow(&merged->papers, &merged->capacity, n_records, sizeof *merged->papers));
    for (size_t k = 0; k < n_corpora; k++) PKIN_TRY(merge(merged, &table, corpora[k]));
    *out = merged;
    merged = NULL;
out:
    pkin_i_free(table.slots);
    pkin_corpus_free(merged);
    return status;
}
