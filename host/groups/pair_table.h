/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_PAIR_TABLE_H
#define PKIN_GROUPS_PAIR_TABLE_H

#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

#define PKIN_I_NO_NODE UINT32_MAX

/*
 * The branches of a tree whose nodes are numbered: from a node and a word to the node that they lead to. An open hash
 * table that is at most half full. Zero-initialise, then clear.
 */
typedef struct pkin_i_pair_table {
    uint64_t *keys;  /* node << 32 | word */
    uint32_t *nodes; /* PKIN_I_NO_NODE: the slot is free */
    size_t n_slots, n_used, capacity;
} pkin_i_pair_table;

/* Empties the table and gives it `n_slots`, a power of two, in the memory that it has if it can. */
pkin_status pkin_i_pair_table_clear(pkin_i_pair_table *table, size_t n_slots);
void pkin_i_pair_table_free(pkin_i_pair_table *table);

/* The node of a pair, PKIN_I_NO_NODE where there is none. */
uint32_t pkin_i_pair_find(const pkin_i_pair_table *table, uint32_t parent, uint32_t word);
/* The same; where there is none, it becomes `new_node`. */
pkin_status pkin_i_pair_add(pkin_i_pair_table *table, uint32_t parent, uint32_t word, uint32_t new_node,
                            uint32_t *node);

PKIN_EXTERN_C_END

#endif
