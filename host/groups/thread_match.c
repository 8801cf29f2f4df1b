/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/thread_match.h"

#include <stdlib.h>

#include "base/failure.h"

/* Items that an old and a new cluster have in common. */
typedef struct overlap {
    uint64_t n_items;
    uint32_t before, now;
    uint32_t rank; /* of `now` */
} overlap;

static uint32_t rank_of(const pkin_i_match_input *input, uint32_t now) {
    return input->ranks ? input->ranks[now] : now;
}

static pkin_status check_input(const pkin_i_match_input *input) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(input->n_before < PKIN_I_NOT_CLUSTERED && input->n_now < PKIN_I_NOT_CLUSTERED, PKIN_ERROR_OVERFLOW,
                 "too many clusters to match");
    for (size_t k = 0; k < input->n_items; k++) {
        PKIN_REQUIRE(input->before[k] < input->n_before || input->before[k] == PKIN_NO_CLUSTER,
                     PKIN_ERROR_INVALID_ARGUMENT, "item %zu was in cluster %u of %u", k, input->before[k],
                     input->n_before);
        PKIN_REQUIRE(input->now[k] < input->n_now || input->now[k] >= PKIN_I_NOT_CLUSTERED, PKIN_ERROR_INVALID_ARGUMENT,
                     "item %zu is in cluster %u of %u", k, input->now[k], input->n_now);
    }
out:
    return status;
}

/* ---- Counting -----------------------------------------------------------------------------------------------------
 */

static void count_item(const pkin_i_match_input *input, size_t k, pkin_i_match *out) {
    uint32_t b = input->before[k], n = input->now[k];
    pkin_i_match_now *now = n < PKIN_I_NOT_CLUSTERED ? &out->now[n] : NULL;
    if (now) {
        now->n_items++;
        now->n_new += input->is_new && input->is_new[k];
        now->n_old += b != PKIN_NO_CLUSTER;
    }
    if (b == PKIN_NO_CLUSTER) return;
    out->before[b].n_items++;
    out->before[b].n_left += n == PKIN_I_NOT_CLUSTERED;
    out->before[b].n_outliers += n == PKIN_NO_CLUSTER;
}

static int compare_keys(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Every pair of an old and a new cluster with common items, ordered by both numbers. */
static pkin_status count_overlaps(const pkin_i_match_input *input, overlap **out, size_t *n_out) {
    uint64_t *keys = NULL;
    size_t n_keys = 0, n = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(input->n_items, sizeof *keys, &keys));
    for (size_t k = 0; k < input->n_items; k++) {
        if (input->before[k] == PKIN_NO_CLUSTER || input->now[k] >= PKIN_I_NOT_CLUSTERED) continue;
        keys[n_keys++] = (uint64_t)input->before[k] << 32 | input->now[k];
    }
    if (n_keys > 1) qsort(keys, n_keys, sizeof *keys, compare_keys);
    PKIN_TRY(pkin_i_allocate(n_keys, sizeof **out, out));
    for (size_t k = 0; k < n_keys; k++) {
        if (k && keys[k] == keys[k - 1]) {
            (*out)[n - 1].n_items++;
        } else {
            uint32_t now = (uint32_t)keys[k];
            (*out)[n++] = (overlap){1, (uint32_t)(keys[k] >> 32), now, rank_of(input, now)};
        }
    }
    *n_out = n;
out:
    pkin_i_free(keys);
    return status;
}

/* Most items first, then by old number, then by the new one's rank: no two compare equal. */
static int compare_overlaps(const void *left, const void *right) {
    const overlap *a = left, *b = right;
    if (a->n_items != b->n_items) return a->n_items > b->n_items ? -1 : 1;
    if (a->before != b->before) return a->before < b->before ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* ---- Identities ---------------------------------------------------------------------------------------------------
 */

static bool is_enough(uint64_t n_common, uint64_t a, uint64_t b) {
    uint64_t smaller = a < b ? a : b, larger = a < b ? b : a;
    return n_common * 2 >= smaller && n_common * 10 >= larger * 3;
}

/* Overlaps come in the order in which identities are given, so that the first of a cluster is its largest too. */
static void take_overlap(const overlap *common, pkin_i_match *match) {
    pkin_i_match_before *before = &match->before[common->before];
    pkin_i_match_now *now = &match->now[common->now];
    before->n_targets++;
    if (before->largest == PKIN_NO_CLUSTER) {
        before->largest = common->now;
        before->n_largest = common->n_items;
    }
    if (now->largest == PKIN_NO_CLUSTER) {
        now->largest = common->before;
        now->n_largest = common->n_items;
    }
    if (before->now != PKIN_NO_CLUSTER || now->before != PKIN_NO_CLUSTER) return;
    if (!is_enough(common->n_items, before->n_items - before->n_left, now->n_old)) return;
    before->now = common->now;
    now->before = common->before;
    now->n_kept = common->n_items;
}

pkin_status pkin_i_match_find(const pkin_i_match_input *input, pkin_i_match *out) {
    overlap *overlaps = NULL;
    size_t n_overlaps = 0;
    pkin_status status;
    PKIN_TRY(check_input(input));
    PKIN_TRY(pkin_i_allocate_zeroed(input->n_before, sizeof *out->before, &out->before));
    PKIN_TRY(pkin_i_allocate_zeroed(input->n_now, sizeof *out->now, &out->now));
    for (uint32_t b = 0; b < input->n_before; b++) out->before[b].now = out->before[b].largest = PKIN_NO_CLUSTER;
    for (uint32_t n = 0; n < input->n_now; n++) out->now[n].before = out->now[n].largest = PKIN_NO_CLUSTER;
    for (size_t k = 0; k < input->n_items; k++) count_item(input, k, out);
    PKIN_TRY(count_overlaps(input, &overlaps, &n_overlaps));
    if (n_overlaps > 1) qsort(overlaps, n_overlaps, sizeof *overlaps, compare_overlaps);
    for (size_t k = 0; k < n_overlaps; k++) take_overlap(&overlaps[k], out);
out:
    pkin_i_free(overlaps);
    return status;
}

void pkin_i_match_free(pkin_i_match *match) {
    pkin_i_free(match->before);
    pkin_i_free(match->now);
    *match = (pkin_i_match){0};
}

bool pkin_i_match_is_split(const pkin_i_match *match, uint32_t now) {
    const pkin_i_match_now *cluster = &match->now[now];
    if (cluster->before != PKIN_NO_CLUSTER || cluster->largest == PKIN_NO_CLUSTER) return false;
    return match->before[cluster->largest].now != PKIN_NO_CLUSTER && cluster->n_largest * 2 > cluster->n_old &&
           cluster->n_largest * 10 >= cluster->n_items * 3;
}

bool pkin_i_match_is_merged(const pkin_i_match *match, uint32_t before) {
    const pkin_i_match_before *cluster = &match->before[before];
    return cluster->now == PKIN_NO_CLUSTER && cluster->n_largest * 2 > cluster->n_items - cluster->n_left;
}
