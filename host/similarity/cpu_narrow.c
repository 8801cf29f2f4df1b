/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/cpu_narrow.h"

#include "base/failure.h"
#include "base/radix_sort.h"

/* A few columns an entry cost less than renumbering. */
static bool is_narrow(uint64_t n_columns, uint64_t n_entries) {
    return n_columns / 4 <= n_entries + 256;
}

static uint64_t n_entries_of(const pkin_vectors *vectors) {
    return vectors ? vectors->row_offsets[vectors->n_rows] : 0;
}

/* Writes the new number of every entry's column, a's entries before b's; returns how many columns are in use. */
static uint32_t renumber(const uint64_t *sorted, uint64_t n, uint32_t *columns) {
    uint32_t n_used = 0;
    for (uint64_t k = 0; k < n; k++) {
        n_used += k == 0 || sorted[k] >> 32 != sorted[k - 1] >> 32;
        columns[(uint32_t)sorted[k]] = n_used - 1;
    }
    return n_used;
}

pkin_status pkin_i_narrow(const pkin_vectors *a, const pkin_vectors *b, pkin_i_narrowed *out) {
    pkin_status status = PKIN_OK;
    const uint64_t n_a = n_entries_of(a), n = n_a + n_entries_of(b);
    pkin_i_narrowed narrowed = {*a, b ? *b : *a, NULL};
    uint64_t *keys = NULL, *spare = NULL;
    if (!is_narrow(a->n_columns, n)) {
        /* Column << 32 | place: places fit, since entries are fewer than columns. */
        PKIN_TRY(pkin_i_allocate(n, sizeof *keys, &keys));
        PKIN_TRY(pkin_i_allocate(n, sizeof *spare, &spare));
        PKIN_TRY(pkin_i_allocate(n, sizeof *narrowed.columns, &narrowed.columns));
        for (uint64_t k = 0; k < n_a; k++) keys[k] = (uint64_t)a->columns[k] << 32 | k;
        for (uint64_t k = n_a; k < n; k++) keys[k] = (uint64_t)b->columns[k - n_a] << 32 | k;
        const uint64_t *sorted = pkin_i_radix_sort(keys, spare, n, 32);
        narrowed.a.n_columns = narrowed.b.n_columns = renumber(sorted, n, narrowed.columns);
        narrowed.a.columns = narrowed.columns;
        narrowed.b.columns = b ? narrowed.columns + n_a : narrowed.columns;
    }
    *out = narrowed;
out:
    pkin_i_free(keys);
    pkin_i_free(spare);
    return status;
}

void pkin_i_narrowed_free(pkin_i_narrowed *narrowed) {
    pkin_i_free(narrowed->columns);
    *narrowed = (pkin_i_narrowed){0};
}
