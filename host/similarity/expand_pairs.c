/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/expand_pairs.h"

#include "base/failure.h"

enum { AHEAD_PAIRS = 4096 }; /* pairs of groups, read at a time */

/*
 * A pair of groups on its way through its pairs of rows. at_u, at_v: the next member of u and of v that was not first
 * in a pair yet (between two sets only u's come first); partner: the second of the present pair, a place among the
 * members of the other group.
 */
typedef struct cursor {
    uint32_t u, v;
    uint64_t at_u, at_v, partner;
    uint32_t i, j; /* the present pair of rows */
} cursor;

struct pkin_i_expansion {
    const pkin_i_distinct_rows *a, *b; /* b == a within one set */
    bool within, one_to_one;
    pkin_i_pair_merge *pairs;
    pkin_pair *ahead; /* AHEAD_PAIRS: read from `pairs` */
    size_t next_ahead, n_ahead;
    cursor *heap; /* of pairs of groups with this score, the next pair of rows on top */
    size_t n_heap, capacity;
    uint64_t score;
};

/*
 * Within one set, u before v: the lower of the next two rows comes first in pairs with all that are left of the other
 * group, which are higher. False where one group is through: what is left of the other has no higher partner.
 */
static bool settle_within(const pkin_i_expansion *self, cursor *at, bool is_new) {
    const pkin_i_distinct_rows *rows = self->a;
    const uint64_t end_u = pkin_i_group_begin(rows, at->u + UINT64_C(1));
    const uint64_t end_v = pkin_i_group_begin(rows, at->v + UINT64_C(1));
    for (;; is_new = true) {
        if (at->at_u == end_u || at->at_v == end_v) return false;
        const bool u_first = pkin_i_group_row(rows, at->at_u) < pkin_i_group_row(rows, at->at_v);
        if (is_new) at->partner = u_first ? at->at_v : at->at_u;
        if (at->partner < (u_first ? end_v : end_u)) {
            at->i = pkin_i_group_row(rows, u_first ? at->at_u : at->at_v);
            at->j = pkin_i_group_row(rows, at->partner);
            return true;
        }
        *(u_first ? &at->at_u : &at->at_v) += 1;
    }
}

/* The pairs within one group. */
static bool settle_alone(const pkin_i_expansion *self, cursor *at) {
    const uint64_t end = pkin_i_group_begin(self->a, at->u + UINT64_C(1));
    if (at->partner == end) at->partner = ++at->at_u + 1;
    if (at->partner >= end) return false;
    at->i = pkin_i_group_row(self->a, at->at_u);
    at->j = pkin_i_group_row(self->a, at->partner);
    return true;
}

static bool settle_between(const pkin_i_expansion *self, cursor *at) {
    const uint64_t end_u = pkin_i_group_begin(self->a, at->u + UINT64_C(1));
    const uint64_t end_v = pkin_i_group_begin(self->b, at->v + UINT64_C(1));
    if (at->partner == end_v) {
        at->at_u++;
        at->partner = at->at_v;
    }
    if (at->at_u == end_u || at->partner == end_v) return false;
    at->i = pkin_i_group_row(self->a, at->at_u);
    at->j = pkin_i_group_row(self->b, at->partner);
    return true;
}

static bool settle(const pkin_i_expansion *self, cursor *at, bool is_new) {
    if (!self->within) return settle_between(self, at);
    return at->u == at->v ? settle_alone(self, at) : settle_within(self, at, is_new);
}

/* The first pair of rows; false: there is none, as within a group of one. */
static bool begin(const pkin_i_expansion *self, const pkin_pair *groups, cursor *out) {
    cursor at = {.u = groups->i, .v = groups->j};
    at.at_u = pkin_i_group_begin(self->a, at.u);
    at.at_v = pkin_i_group_begin(self->b, at.v);
    at.partner = self->within && at.u == at.v ? at.at_u + 1 : at.at_v;
    *out = at;
    return settle(self, out, true);
}

static bool step(const pkin_i_expansion *self, cursor *at) {
    at->partner++;
    return settle(self, at, false);
}

static bool cursor_before(const cursor *x, const cursor *y) {
    return x->i != y->i ? x->i < y->i : x->j < y->j;
}

static void sift_down(pkin_i_expansion *self, size_t at) {
    const cursor item = self->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= self->n_heap) break;
        if (child + 1 < self->n_heap && cursor_before(&self->heap[child + 1], &self->heap[child])) child++;
        if (!cursor_before(&self->heap[child], &item)) break;
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = item;
}

/* Makes sure that there is a pair of groups ahead, if any is left. */
static pkin_status look_ahead(pkin_i_expansion *self) {
    if (self->next_ahead < self->n_ahead) return PKIN_OK;
    self->next_ahead = 0;
    return pkin_i_pair_merge_next(self->pairs, self->ahead, AHEAD_PAIRS, &self->n_ahead);
}

/* Fills the heap with all pairs of groups of the next score that has pairs of rows. */
static pkin_status gather(pkin_i_expansion *self) {
    pkin_status status;
    PKIN_TRY(look_ahead(self));
    while (self->n_heap == 0 && self->n_ahead > 0) {
        self->score = self->ahead[self->next_ahead].score;
        while (self->n_ahead > 0 && self->ahead[self->next_ahead].score == self->score) {
            PKIN_TRY(pkin_i_grow(&self->heap, &self->capacity, self->n_heap + 1, sizeof *self->heap));
            if (begin(self, &self->ahead[self->next_ahead++], &self->heap[self->n_heap])) self->n_heap++;
            PKIN_TRY(look_ahead(self));
        }
    }
    for (size_t at = self->n_heap / 2; at-- > 0;) sift_down(self, at);
out:
    return status;
}

pkin_status pkin_i_expansion_next(pkin_i_expansion *self, pkin_pair *pairs, size_t n_max, size_t *n_pairs) {
    pkin_status status = PKIN_OK;
    size_t n = 0;
    *n_pairs = 0;
    if (self->one_to_one) {
        PKIN_TRY(pkin_i_pair_merge_next(self->pairs, pairs, n_max, n_pairs));
        pkin_i_pairs_rename(self->a, self->b, 1, pairs, *n_pairs);
        return PKIN_OK;
    }
    while (n < n_max) {
        if (self->n_heap == 0) PKIN_TRY(gather(self));
        if (self->n_heap == 0) break;
        cursor *top = &self->heap[0];
        pairs[n++] = (pkin_pair){self->score, top->i, top->j};
        if (!step(self, top)) self->heap[0] = self->heap[--self->n_heap];
        if (self->n_heap > 1) sift_down(self, 0);
    }
    *n_pairs = n;
out:
    return status;
}

pkin_status pkin_i_expansion_open(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b,
                                  pkin_i_pair_merge *pairs, pkin_i_expansion **out) {
    pkin_status status;
    pkin_i_expansion *self = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *self, &self));
    self->a = a;
    self->b = b ? b : a;
    self->within = !b;
    self->one_to_one = pkin_i_is_one_to_one(a, b);
    self->pairs = pairs;
    if (!self->one_to_one) PKIN_TRY(pkin_i_allocate(AHEAD_PAIRS, sizeof *self->ahead, &self->ahead));
    *out = self;
    self = NULL;
out:
    pkin_i_expansion_close(self);
    return status;
}

uint64_t pkin_i_expansion_bytes(const pkin_i_expansion *self) {
    return self->capacity * sizeof *self->heap + (self->ahead ? AHEAD_PAIRS * sizeof *self->ahead : 0);
}

void pkin_i_expansion_close(pkin_i_expansion *self) {
    if (!self) return;
    pkin_i_free(self->ahead);
    pkin_i_free(self->heap);
    pkin_i_free(self);
}

uint64_t pkin_i_expanded_count(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, uint32_t u, uint32_t v) {
    const uint64_t n_u = pkin_i_group_size(a, u);
    if (!b && u == v) return n_u * (n_u - 1) / 2;
    return n_u * pkin_i_group_size(b ? b : a, v);
}

void pkin_i_pairs_rename(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, int n_threads, pkin_pair *pairs,
                         uint64_t n_pairs) {
    const uint32_t *rows_i = a->members, *rows_j = (b ? b : a)->members;
    if (!rows_i && !rows_j) return;
#pragma omp parallel for num_threads(n_threads) schedule(static) if (n_pairs > PKIN_I_EXPAND_PAIRS)
    for (uint64_t p = 0; p < n_pairs; p++) {
        if (rows_i) pairs[p].i = rows_i[pairs[p].i];
        if (rows_j) pairs[p].j = rows_j[pairs[p].j];
    }
}

/* ---- All at once ---- */

void pkin_i_pairs_count(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, const pkin_pair *groups,
                        uint64_t n_groups, int n_threads, uint64_t *counts) {
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1) if (n_groups > PKIN_I_EXPAND_PAIRS)
    for (uint64_t first = 0; first < n_groups; first += PKIN_I_EXPAND_PAIRS) {
        const uint64_t left = n_groups - first, n = left < PKIN_I_EXPAND_PAIRS ? left : PKIN_I_EXPAND_PAIRS;
        uint64_t count = 0;
        for (uint64_t p = first; p < first + n; p++) {
            count += pkin_i_expanded_count(a, b, groups[p].i, groups[p].j);
        }
        counts[first / PKIN_I_EXPAND_PAIRS] = count;
    }
}

/* Writes the pairs of rows of one pair of groups; returns where the next ones go. */
static pkin_pair *expand_one(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, const pkin_pair *groups,
                             pkin_pair *out) {
    const pkin_i_distinct_rows *others = b ? b : a;
    const bool is_alone = !b && groups->i == groups->j;
    const uint64_t end_u = pkin_i_group_begin(a, groups->i + UINT64_C(1));
    const uint64_t begin_v = pkin_i_group_begin(others, groups->j);
    const uint64_t end_v = pkin_i_group_begin(others, groups->j + UINT64_C(1));
    for (uint64_t at_u = pkin_i_group_begin(a, groups->i); at_u < end_u; at_u++) {
        const uint32_t x = pkin_i_group_row(a, at_u);
        for (uint64_t at_v = is_alone ? at_u + 1 : begin_v; at_v < end_v; at_v++) {
            const uint32_t y = pkin_i_group_row(others, at_v);
            *out++ = b || x < y ? (pkin_pair){groups->score, x, y} : (pkin_pair){groups->score, y, x};
        }
    }
    return out;
}

void pkin_i_pairs_expand(const pkin_i_distinct_rows *a, const pkin_i_distinct_rows *b, const pkin_pair *groups,
                         uint64_t n_groups, int n_threads, const uint64_t *begins, pkin_pair *out) {
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1) if (n_groups > PKIN_I_EXPAND_PAIRS)
    for (uint64_t first = 0; first < n_groups; first += PKIN_I_EXPAND_PAIRS) {
        const uint64_t left = n_groups - first, n = left < PKIN_I_EXPAND_PAIRS ? left : PKIN_I_EXPAND_PAIRS;
        pkin_pair *at = out + begins[first / PKIN_I_EXPAND_PAIRS];
        for (uint64_t p = first; p < first + n; p++) at = expand_one(a, b, &groups[p], at);
    }
}
