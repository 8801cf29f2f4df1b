/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/pair_table.h"

#include <string.h>

#include "base/hash.h"

void pkin_i_pair_table_free(pkin_i_pair_table *table) {
    pkin_i_free(table->keys);
    pkin_i_free(table->nodes);
    memset(table, 0, sizeof *table);
}

static inline size_t pair_slot(const pkin_i_pair_table *table, uint64_t key) {
    size_t mask = table->n_slots - 1, slot = (size_t)pkin_i_hash_u64(key) & mask;
    while (table->nodes[slot] != PKIN_I_NO_NODE && table->keys[slot] != key) slot = (slot + 1) & mask;
    return slot;
}

pkin_status pkin_i_pair_table_clear(pkin_i_pair_table *table, size_t n_slots) {
    if (n_slots > table->capacity) {
        pkin_i_pair_table_free(table);
        pkin_status status = pkin_i_allocate(n_slots, sizeof *table->keys, &table->keys);
        if (status == PKIN_OK) status = pkin_i_allocate(n_slots, sizeof *table->nodes, &table->nodes);
        if (status != PKIN_OK) return status;
        table->capacity = n_slots;
    }
    table->n_slots = n_slots;
    table->n_used = 0;
    memset(table->nodes, 0xFF, n_slots * sizeof *table->nodes);
    return PKIN_OK;
}

static pkin_status pair_table_double(pkin_i_pair_table *table) {
    pkin_i_pair_table larger = {0};
    pkin_status status = pkin_i_pair_table_clear(&larger, table->n_slots * 2);
    if (status != PKIN_OK) {
        pkin_i_pair_table_free(&larger);
        return status;
    }
    for (size_t old = 0; old < table->n_slots; old++) {
        if (table->nodes[old] == PKIN_I_NO_NODE) continue;
        size_t slot = pair_slot(&larger, table->keys[old]);
        larger.keys[slot] = table->keys[old];
        larger.nodes[slot] = table->nodes[old];
    }
    larger.n_used = table->n_used;
    pkin_i_pair_table_free(table);
    *table = larger;
    return PKIN_OK;
}

uint32_t pkin_i_pair_find(const pkin_i_pair_table *table, uint32_t parent, uint32_t word) {
    return table->nodes[pair_slot(table, (uint64_t)parent << 32 | word)];
}

pkin_status pkin_i_pair_add(pkin_i_pair_table *table, uint32_t parent, uint32_t word, uint32_t new_node,
                            uint32_t *node) {
    uint64_t key = (uint64_t)parent << 32 | word;
    if ((table->n_used + 1) * 2 > table->n_slots) {
        pkin_status status = pair_table_double(table);
        if (status != PKIN_OK) return status;
    }
    size_t slot = pair_slot(table, key);
    if (table->nodes[slot] == PKIN_I_NO_NODE) {
        table->keys[slot] = key;
        table->nodes[slot] = new_node;
        table->n_used++;
    }
    *node = table->nodes[slot];
    return PKIN_OK;
}
