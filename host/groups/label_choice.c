/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/label_choice.h"

#include <string.h>

#include "base/failure.h"
#include "base/hash.h"

/* First terms that a cluster can fall back on where its siblings have better claims. */
enum { MAX_HEADS = 24 };
/* A longer phrase stands for a shorter one if it is in so many of its papers. */
static const double LONGER_SHARE = 0.5;
/* Further terms reach this part of the best score. */
static const double FURTHER_SHARE = 0.25;

static const char *word_text(const pkin_i_label_texts *texts, uint32_t word, size_t *n_bytes) {
    return pkin_i_vocabulary_word(texts->vocabulary, word, n_bytes);
}

static pkin_i_label_class class_of(const pkin_i_label_texts *texts, uint32_t word) {
    return (pkin_i_label_class)texts->classes[word];
}

/* ---- Terms beside each other ---- */

/* Whether `part` stands in `whole`, word by word. */
static int contains(const pkin_i_term *whole, const pkin_i_term *part) {
    for (uint32_t k = 0; k + part->n_words <= whole->n_words; k++) {
        if (!memcmp(whole->words + k, part->words, part->n_words * sizeof *part->words)) return 1;
    }
    return 0;
}

/* The term's letters without what parts its words, so that "multi-agent" and "multiagent" are one. */
static uint64_t key_of(const pkin_i_label_texts *texts, const pkin_i_term *term) {
    enum { MOST = 320 };
    char letters[MOST];
    size_t n = 0;
    for (uint32_t k = 0; k < term->n_words; k++) {
        size_t n_bytes;
        const char *word = word_text(texts, term->words[k], &n_bytes);
        if (n_bytes > MOST - n) n_bytes = MOST - n;
        memcpy(letters + n, word, n_bytes);
        n += n_bytes;
    }
    return pkin_i_hash_bytes(letters, n, 0);
}

/* Whether a single word is made of the first letters of a phrase's words: "rag", "retrieval augmented generation". */
static int is_acronym(const pkin_i_label_texts *texts, const pkin_i_term *shorter, const pkin_i_term *phrase,
                      int with_stop_words) {
    size_t n_bytes, at = 0;
    const char *acronym = word_text(texts, shorter->words[0], &n_bytes);
    for (uint32_t k = 0; k < phrase->n_words; k++) {
        size_t length;
        if (!with_stop_words && class_of(texts, phrase->words[k]) >= PKIN_I_LABEL_INNER) continue;
        if (at == n_bytes || word_text(texts, phrase->words[k], &length)[0] != acronym[at]) return 0;
        at++;
    }
    return at == n_bytes && at >= 2;
}

static int stands_for(const pkin_i_label_texts *texts, const pkin_i_term *shorter, const pkin_i_term *phrase) {
    if (shorter->n_words != 1 || phrase->n_words < 2) return 0;
    return is_acronym(texts, shorter, phrase, 0) || is_acronym(texts, shorter, phrase, 1);
}

/* Equal, or of one stem as far as letters tell: a common beginning of 5 letters or more, 3/4 of the shorter word. */
static int words_alike(const pkin_i_label_texts *texts, uint32_t a, uint32_t b) {
    size_t n_a, n_b, n = 0;
    if (a == b) return 1;
    const char *first = word_text(texts, a, &n_a), *second = word_text(texts, b, &n_b);
    while (n < n_a && n < n_b && first[n] == second[n]) n++;
    if ((unsigned char)first[0] >= 0x80) return n >= 6 && (n == n_a || n == n_b); /* two Han characters */
    return n >= 5 && n * 4 >= (n_a < n_b ? n_a : n_b) * 3;
}

/* Whether b says again what a said: the same letters, a part, an acronym, or a subject word in common. */
static int repeats(const pkin_i_label_texts *texts, const pkin_i_term *a, const pkin_i_term *b) {
    uint32_t n_generic = 0;
    if (contains(a, b) || contains(b, a) || key_of(texts, a) == key_of(texts, b)) return 1;
    if (stands_for(texts, a, b) || stands_for(texts, b, a)) return 1;
    for (uint32_t i = 0; i < a->n_words; i++) {
        for (uint32_t j = 0; j < b->n_words; j++) {
            if (class_of(texts, a->words[i]) >= PKIN_I_LABEL_EDGE || !words_alike(texts, a->words[i], b->words[j])) {
                continue;
            }
            if (class_of(texts, a->words[i]) == PKIN_I_LABEL_SUBJECT || ++n_generic > 1) return 1;
        }
    }
    return 0;
}

/* ---- One cluster ---- */

/* The longest phrase that holds most of a term's papers, or the term itself. */
static uint64_t lengthen(const pkin_i_cluster_terms *terms, uint64_t begin, uint64_t end, uint64_t at) {
    for (uint64_t k = begin; k < end; k++) {
        const pkin_i_term *longer = &terms->terms[k], *term = &terms->terms[at];
        if (longer->n_words <= term->n_words || !contains(longer, term)) continue;
        if ((double)longer->n_papers < LONGER_SHARE * (double)term->n_papers) continue;
        return lengthen(terms, begin, end, k); /* ends: phrases have a greatest length */
    }
    return at;
}

typedef struct heads {
    uint64_t terms[MAX_HEADS], keys[MAX_HEADS];
    uint32_t n, next; /* next: the one that is claimed now */
} heads;

static void find_heads(const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms, uint32_t cluster,
                       heads *out) {
    uint64_t begin = terms->offsets[cluster], end = terms->offsets[cluster + 1];
    for (uint64_t k = begin; k < end && out->n < MAX_HEADS; k++) {
        uint64_t term = lengthen(terms, begin, end, k), key = key_of(texts, &terms->terms[term]);
        uint32_t h = 0;
        while (h < out->n && out->keys[h] != key) h++;
        if (h < out->n) continue;
        out->terms[out->n] = term;
        out->keys[out->n++] = key;
    }
}

/* Adds terms behind the first. */
static uint32_t add_further(const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms, uint32_t cluster,
                            uint32_t n_each, uint64_t *chosen) {
    uint64_t begin = terms->offsets[cluster], end = terms->offsets[cluster + 1];
    uint32_t n = 1;
    for (uint64_t k = begin; k < end && n < n_each; k++) {
        uint32_t c = 0;
        uint64_t term = lengthen(terms, begin, end, k);
        if (terms->terms[k].score < FURTHER_SHARE * terms->terms[begin].score) break;
        while (c < n && !repeats(texts, &terms->terms[chosen[c]], &terms->terms[term])) c++;
        if (c == n) chosen[n++] = term;
    }
    return n;
}

/* ---- Siblings ---- */

/*
 * Each cluster claims its best term; a term goes to the sibling with the strongest claim so far, who is turned down
 * claims his next best, until nobody is left (deferred acceptance: Gale and Shapley, "College admissions and the
 * stability of marriage", 1962). The outcome does not depend on the order of claims.
 */
typedef struct claims {
    uint64_t *keys;    /* of parent and term */
    uint32_t *holders; /* UINT32_MAX: the slot is free */
    size_t n_slots;
} claims;

/* How much of a cluster's papers a term stands for. */
static double strength(const pkin_i_cluster_terms *terms, const heads *all, uint32_t cluster) {
    const pkin_i_term *term = &terms->terms[all[cluster].terms[all[cluster].next]];
    return term->score / (double)terms->n_papers[cluster];
}

static size_t claim_slot(const claims *c, uint64_t key) {
    size_t slot = (size_t)pkin_i_hash_u64(key) & (c->n_slots - 1);
    while (c->holders[slot] != UINT32_MAX && c->keys[slot] != key) slot = (slot + 1) & (c->n_slots - 1);
    return slot;
}

/* A cluster that runs out of terms keeps its best one after all: it had no choice. */
static void settle(const pkin_i_cluster_terms *terms, const uint32_t *parents, claims *c, heads *all,
                   uint32_t cluster) {
    while (all[cluster].next < all[cluster].n) {
        uint64_t key = pkin_i_hash_fold(all[cluster].keys[all[cluster].next], parents ? parents[cluster] : 0);
        size_t slot = claim_slot(c, key);
        uint32_t holder = c->holders[slot];
        c->keys[slot] = key;
        if (holder == UINT32_MAX) {
            c->holders[slot] = cluster;
            return;
        }
        double ours = strength(terms, all, cluster), theirs = strength(terms, all, holder);
        if (ours > theirs || (ours == theirs && cluster < holder)) {
            c->holders[slot] = cluster;
            cluster = holder;
        }
        all[cluster].next++;
    }
    all[cluster].next = 0;
}

static pkin_status settle_all(const pkin_i_cluster_terms *terms, uint32_t n_clusters, const uint32_t *parents,
                              heads *all) {
    pkin_status status = PKIN_OK;
    claims c = {.n_slots = 64};
    size_t n_heads = 0;
    for (uint32_t k = 0; k < n_clusters; k++) n_heads += all[k].n;
    while (c.n_slots < n_heads * 2) c.n_slots *= 2;
    PKIN_TRY(pkin_i_allocate(c.n_slots, sizeof *c.keys, &c.keys));
    PKIN_TRY(pkin_i_allocate(c.n_slots, sizeof *c.holders, &c.holders));
    memset(c.holders, 0xFF, c.n_slots * sizeof *c.holders);
    for (uint32_t k = 0; k < n_clusters; k++) settle(terms, parents, &c, all, k);
out:
    pkin_i_free(c.keys);
    pkin_i_free(c.holders);
    return status;
}

void pkin_i_label_choice_free(pkin_i_label_choice *choice) {
    pkin_i_free(choice->chosen);
    pkin_i_free(choice->n_chosen);
    memset(choice, 0, sizeof *choice);
}

pkin_status pkin_i_label_choice_make(const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms,
                                     uint32_t n_clusters, const uint32_t *parents, uint32_t n_each,
                                     pkin_i_label_choice *out) {
    pkin_status status = PKIN_OK;
    heads *all = NULL;
    size_t n;
    *out = (pkin_i_label_choice){.n_each = n_each};
    PKIN_REQUIRE(pkin_i_multiply(n_clusters, n_each, &n), PKIN_ERROR_OVERFLOW, "labels: too many terms");
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->chosen, &out->chosen));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *out->n_chosen, &out->n_chosen));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *all, &all));
    for (uint32_t c = 0; c < n_clusters; c++) find_heads(texts, terms, c, &all[c]);
    PKIN_TRY(settle_all(terms, n_clusters, parents, all));
    for (uint32_t c = 0; c < n_clusters; c++) {
        uint64_t *chosen = out->chosen + (uint64_t)c * n_each;
        if (!all[c].n) continue;
        chosen[0] = all[c].terms[all[c].next];
        out->n_chosen[c] = add_further(texts, terms, c, n_each, chosen);
    }
out:
    pkin_i_free(all);
    if (status != PKIN_OK) pkin_i_label_choice_free(out);
    return status;
}
