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
static void note_overlap(const overlap *common, pkin_i_match *match) {
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
}

static void give_identity(uint32_t before, uint32_t now, pkin_i_match *match) {
    match->before[before].now = now;
    match->now[now].before = before;
}

static void take_overlap(const overlap *common, pkin_i_match *match) {
    const pkin_i_match_before *before = &match->before[common->before];
    const pkin_i_match_now *now = &match->now[common->now];
    if (before->now != PKIN_NO_CLUSTER || now->before != PKIN_NO_CLUSTER) return;
    if (is_enough(common->n_items, before->n_items - before->n_left, now->n_old)) {
        give_identity(common->before, common->now, match);
    }
}

/* With the identities given, or where these are NULL, with those that overlaps give. */
static pkin_status make_match(const pkin_i_match_input *input, const uint32_t *identities, pkin_i_match *out) {
    overlap *overlaps = NULL;
    size_t n_overlaps = 0;
    pkin_status status;
    PKIN_TRY(check_input(input));
    PKIN_TRY(pkin_i_allocate_zeroed(input->n_before, sizeof *out->before, &out->before));
    PKIN_TRY(pkin_i_allocate_zeroed(input->n_now, sizeof *out->now, &out->now));
    for (uint32_t b = 0; b < input->n_before; b++) out->before[b].now = out->before[b].largest = PKIN_NO_CLUSTER;
    for (uint32_t n = 0; n < input->n_now; n++) out->now[n].before = out->now[n].largest = PKIN_NO_CLUSTER;
    for (size_t k = 0; k < input->n_items; k++) count_item(input, k, out);
    for (uint32_t n = 0; identities && n < input->n_now; n++) {
        if (identities[n] != PKIN_NO_CLUSTER) give_identity(identities[n], n, out);
    }
    PKIN_TRY(count_overlaps(input, &overlaps, &n_overlaps));
    if (n_overlaps > 1) qsort(overlaps, n_overlaps, sizeof *overlaps, compare_overlaps);
    for (size_t k = 0; k < n_overlaps; k++) {
        const overlap *common = &overlaps[k];
        if (!identities) take_overlap(common, out);
        if (out->now[common->now].before == common->before) out->now[common->now].n_kept = common->n_items;
        note_overlap(common, out);
    }
out:
    pkin_i_free(overlaps);
    return status;
}

pkin_status pkin_i_match_find(const pkin_i_match_input *input, pkin_i_match *out) {
    return make_match(input, NULL, out);
}

pkin_status pkin_i_match_count(const pkin_i_match_input *input, const uint32_t *identities, pkin_i_match *out) {
    return make_match(input, identities, out);
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

/* ---- What stays as it was -----------------------------------------------------------------------------------------
 */

/* A settlement being made. */
typedef struct settling {
    const pkin_i_match_input *input;
    const pkin_i_match *match;
    pkin_i_settlement *out;
    uint32_t *of_found;  /* by found cluster: its settled one; PKIN_NO_CLUSTER: it changes nothing */
    uint32_t *of_before; /* by old cluster, where what nobody took of it stays; PKIN_NO_CLUSTER: it ends */
    uint64_t *n_stay;    /* by old cluster: items that are looked at, and that no renewed cluster took */
} settling;

static uint32_t settled_found(const settling *s, size_t item) {
    uint32_t found = s->input->now[item];
    return found < PKIN_I_NOT_CLUSTERED ? s->of_found[found] : PKIN_NO_CLUSTER;
}

static uint32_t open_settled(pkin_i_settlement *out, uint32_t before, uint32_t found) {
    out->before[out->n_now] = before;
    out->found[out->n_now] = found;
    return out->n_now++;
}

static void renew_clusters(settling *s, bool all) {
    for (uint32_t n = 0; n < s->input->n_now; n++) {
        const pkin_i_match_now *now = &s->match->now[n];
        s->of_found[n] = all || now->n_new ? open_settled(s->out, now->before, n) : PKIN_NO_CLUSTER;
    }
}

/* What nothing happened to stays, however small it is. */
static bool lives_on(const pkin_i_match_before *before, uint64_t n_stay, uint64_t n_least) {
    if (n_stay == 0 || n_stay == before->n_items) return n_stay > 0;
    return n_stay >= n_least && n_stay * 2 >= before->n_items - before->n_left;
}

static void keep_clusters(settling *s, uint64_t n_least) {
    const pkin_i_match_input *input = s->input;
    for (size_t k = 0; k < input->n_items; k++) {
        bool is_looked_at = input->before[k] != PKIN_NO_CLUSTER && input->now[k] != PKIN_I_NOT_CLUSTERED;
        if (is_looked_at && settled_found(s, k) == PKIN_NO_CLUSTER) s->n_stay[input->before[k]]++;
    }
    for (uint32_t b = 0; b < input->n_before; b++) {
        const pkin_i_match_before *before = &s->match->before[b];
        uint32_t heir = before->now == PKIN_NO_CLUSTER ? PKIN_NO_CLUSTER : s->of_found[before->now];
        if (heir == PKIN_NO_CLUSTER && lives_on(before, s->n_stay[b], n_least)) {
            heir = open_settled(s->out, b, PKIN_NO_CLUSTER);
        }
        s->of_before[b] = heir;
    }
}

static uint32_t settle_item(const settling *s, size_t item, bool all) {
    uint32_t found = s->input->now[item], before = s->input->before[item], settled = settled_found(s, item);
    if (found == PKIN_I_NOT_CLUSTERED || settled != PKIN_NO_CLUSTER) {
        return found == PKIN_I_NOT_CLUSTERED ? found : settled;
    }
    if (all || before == PKIN_NO_CLUSTER) return PKIN_NO_CLUSTER;
    uint32_t heir = s->of_before[before];
    bool is_renewed = heir != PKIN_NO_CLUSTER && s->out->found[heir] != PKIN_NO_CLUSTER;
    return is_renewed && found == PKIN_NO_CLUSTER ? PKIN_NO_CLUSTER : heir;
}

pkin_status pkin_i_match_settle(const pkin_i_match_input *input, const pkin_i_match *match, uint64_t n_least, bool all,
                                pkin_i_settlement *out) {
    settling s = {.input = input, .match = match, .out = out};
    size_t n_most = (size_t)input->n_now + input->n_before;
    pkin_status status;
    PKIN_REQUIRE(n_most < PKIN_I_NOT_CLUSTERED, PKIN_ERROR_OVERFLOW, "too many clusters to match");
    PKIN_TRY(pkin_i_allocate(input->n_items, sizeof *out->now, &out->now));
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *out->before, &out->before));
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *out->found, &out->found));
    PKIN_TRY(pkin_i_allocate(input->n_now, sizeof *s.of_found, &s.of_found));
    PKIN_TRY(pkin_i_allocate(input->n_before, sizeof *s.of_before, &s.of_before));
    PKIN_TRY(pkin_i_allocate_zeroed(input->n_before, sizeof *s.n_stay, &s.n_stay));
    renew_clusters(&s, all);
    if (!all) keep_clusters(&s, n_least);
    for (size_t k = 0; k < input->n_items; k++) out->now[k] = settle_item(&s, k, all);
out:
    pkin_i_free(s.of_found);
    pkin_i_free(s.of_before);
    pkin_i_free(s.n_stay);
    return status;
}

void pkin_i_settlement_free(pkin_i_settlement *settlement) {
    pkin_i_free(settlement->now);
    pkin_i_free(settlement->before);
    pkin_i_free(settlement->found);
    *settlement = (pkin_i_settlement){0};
}
