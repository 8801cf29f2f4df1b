/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "corpus/corpus_private.h"

/* Open addressing over the merged papers; a slot holds an index plus 1, 0 is free. At most half full. */
typedef struct key_table {
    uint64_t *slots;
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
static uint64_t *table_find(const key_table *table, const pkin_paper *papers, const char *key) {
    size_t at = pkin_i_hash_bytes(key, strlen(key), 0) & table->mask;
    while (table->slots[at] && strcmp(papers[table->slots[at] - 1].key, key) != 0) at = (at + 1) & table->mask;
    return &table->slots[at];
}

static pkin_status copy_text(pkin_i_arena *arena, const char **text) {
    if ((*text)[0] == '\0') {
        *text = "";
        return PKIN_OK;
    }
    return pkin_i_arena_string(arena, *text, strlen(*text), text);
}

static pkin_status copy_list(pkin_i_arena *arena, const char *const **list, uint32_t n) {
    const char **copy;
    if (n == 0) {
        *list = NULL;
        return PKIN_OK;
    }
    pkin_status status = pkin_i_arena_allocate(arena, n, sizeof *copy, &copy);
    for (uint32_t k = 0; status == PKIN_OK && k < n; k++) {
        copy[k] = (*list)[k];
        status = copy_text(arena, &copy[k]);
    }
    if (status == PKIN_OK) *list = copy;
    return status;
}

static pkin_status copy_paper(pkin_i_arena *arena, const pkin_paper *from, pkin_paper *to) {
    pkin_status status;
    *to = *from;
    PKIN_TRY(copy_text(arena, &to->key));
    PKIN_TRY(copy_text(arena, &to->id));
    PKIN_TRY(copy_text(arena, &to->title));
    PKIN_TRY(copy_text(arena, &to->abstract));
    PKIN_TRY(copy_text(arena, &to->summary));
    PKIN_TRY(copy_text(arena, &to->comment));
    PKIN_TRY(copy_text(arena, &to->doi));
    PKIN_TRY(copy_text(arena, &to->link));
    PKIN_TRY(copy_text(arena, &to->date));
    PKIN_TRY(copy_list(arena, &to->authors, to->n_authors));
    PKIN_TRY(copy_list(arena, &to->categories, to->n_categories));
out:
    return status;
}

static pkin_status fill_text(pkin_i_arena *arena, const char **text, const char *other) {
    if ((*text)[0] || !other[0]) return PKIN_OK;
    return pkin_i_arena_string(arena, other, strlen(other), text);
}

static pkin_status fill_list(pkin_i_arena *arena, const char *const **list, uint32_t *n, const char *const *other,
                             uint32_t n_other) {
    if (*n || !n_other) return PKIN_OK;
    pkin_status status = copy_list(arena, &other, n_other);
    if (status != PKIN_OK) return status;
    *list = other;
    *n = n_other;
    return PKIN_OK;
}

/* Takes from a later record of the same paper what the first one left empty. */
static pkin_status fill_paper(pkin_i_arena *arena, pkin_paper *paper, const pkin_paper *other) {
    pkin_status status = PKIN_OK;
    /* How many summary parts failed belongs to the summary that is kept. */
    if (!paper->summary[0] && other->summary[0]) paper->n_failed_summaries = other->n_failed_summaries;
    if (other->version > paper->version) paper->version = other->version;
    PKIN_TRY(fill_text(arena, &paper->abstract, other->abstract));
    PKIN_TRY(fill_text(arena, &paper->summary, other->summary));
    PKIN_TRY(fill_text(arena, &paper->comment, other->comment));
    PKIN_TRY(fill_text(arena, &paper->doi, other->doi));
    PKIN_TRY(fill_text(arena, &paper->link, other->link));
    PKIN_TRY(fill_text(arena, &paper->date, other->date));
    PKIN_TRY(fill_list(arena, &paper->authors, &paper->n_authors, other->authors, other->n_authors));
    PKIN_TRY(fill_list(arena, &paper->categories, &paper->n_categories, other->categories, other->n_categories));
out:
    return status;
}

static pkin_status merge(pkin_corpus *into, key_table *table, const pkin_corpus *from) {
    for (uint64_t k = 0; k < from->n_papers; k++) {
        const pkin_paper *paper = &from->papers[k];
        uint64_t *slot = table_find(table, into->papers, paper->key);
        pkin_status status;
        if (*slot) {
            status = fill_paper(&into->arena, &into->papers[*slot - 1], paper);
        } else {
            status = copy_paper(&into->arena, paper, &into->papers[into->n_papers]);
            if (status == PKIN_OK) *slot = ++into->n_papers;
        }
        if (status != PKIN_OK) return status;
    }
    return PKIN_OK;
}

/* The first corpus's name, and how many others there are. */
static pkin_status name_merged(pkin_corpus *corpus, const pkin_corpus *const *corpora, size_t n_corpora) {
    pkin_i_buffer name = {0};
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(&name, n_corpora ? corpora[0]->name : ""));
    if (n_corpora > 1) PKIN_TRY(pkin_i_buffer_printf(&name, " and %zu more", n_corpora - 1));
    PKIN_TRY(pkin_i_arena_string(&corpus->arena, name.bytes, name.n_bytes, &corpus->name));
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
