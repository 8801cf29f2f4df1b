/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "text/worker_failure.h"
#include "vector/weigher.h"

/*
 * Which bigrams are kept, and as what.
 * 1. Every chunk of documents lists the different bigrams of each document.
 * 2. The lists are scattered into partitions by the rank of the first word, cut so that partitions are about equally
 * large and fit a core's cache. Partitions ascend, so that sorting each sorts all.
 * 3. Each partition counts documents in a hash table, keeps what min_df and max_df allow, sorts it, and tells every
 *    listed bigram its index among the kept ones, or that it was dropped.
 * Most bigrams are seen once; they cost 20 bytes a document that has them, for a short while, and no memory later.
 */

enum { PAIRS_PER_PARTITION = 1 << 15, MAX_PARTITIONS = 1 << 10 };

/* ---- One document ---- */

void pkin_i_pair_counts_free(pkin_i_pair_counts *counts) {
    pkin_i_free(counts->pairs);
    pkin_i_free(counts->tf);
    pkin_i_free(counts->used_slots);
    pkin_i_free(counts->slots);
    memset(counts, 0, sizeof *counts);
}

static void clear_pairs(pkin_i_pair_counts *counts) {
    for (size_t k = 0; k < counts->n_pairs; k++) counts->slots[counts->used_slots[k]] = 0;
    counts->n_pairs = 0;
}

/* Room for `n` pairs; the counts are empty. */
static pkin_status reserve_pairs(pkin_i_pair_counts *counts, size_t n) {
    pkin_status status = PKIN_OK;
    size_t n_slots = 64;
    if (n <= counts->capacity) return PKIN_OK;
    PKIN_REQUIRE(n < UINT32_MAX / 4, PKIN_ERROR_OVERFLOW, "a document of %zu words is too long", n);
    while (n_slots < n * 2) n_slots *= 2;
    pkin_i_pair_counts_free(counts);
    n = n_slots / 2;
    PKIN_TRY(pkin_i_allocate(n, sizeof *counts->pairs, &counts->pairs));
    PKIN_TRY(pkin_i_allocate(n, sizeof *counts->tf, &counts->tf));
    PKIN_TRY(pkin_i_allocate(n, sizeof *counts->used_slots, &counts->used_slots));
    PKIN_TRY(pkin_i_allocate_zeroed(n_slots, sizeof *counts->slots, &counts->slots));
    counts->n_slots = n_slots;
    counts->capacity = n;
out:
    return status;
}

static void count_pair(pkin_i_pair_counts *counts, uint64_t pair, double weight) {
    size_t mask = counts->n_slots - 1, slot = (size_t)pkin_i_hash_u64(pair) & mask;
    for (; counts->slots[slot]; slot = (slot + 1) & mask) {
        size_t k = counts->slots[slot] - 1;
        if (counts->pairs[k] != pair) continue;
        counts->tf[k] += weight;
        return;
    }
    size_t k = counts->n_pairs++;
    counts->slots[slot] = (uint32_t)counts->n_pairs;
    counts->used_slots[k] = slot;
    counts->pairs[k] = pair;
    counts->tf[k] = weight;
}

static uint64_t n_field_tokens(const pkin_i_weigher *w, int field, uint64_t begin, uint64_t end) {
    const uint64_t *offsets = w->documents->fields[field].offsets;
    return w->field_weights[field] > 0 ? offsets[end] - offsets[begin] : 0;
}

/* An upper bound of the bigrams in documents [begin, end). */
static uint64_t most_pairs(const pkin_i_weigher *w, uint64_t begin, uint64_t end) {
    uint64_t n = 0;
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) n += n_field_tokens(w, f, begin, end);
    return n;
}

pkin_status pkin_i_count_pairs(const pkin_i_weigher *w, pkin_i_weigh_scratch *s, uint64_t document) {
    pkin_i_pair_counts *counts = &s->pairs;
    clear_pairs(counts);
    pkin_status status = reserve_pairs(counts, (size_t)most_pairs(w, document, document + 1));
    for (int f = 0; status == PKIN_OK && f < PKIN_I_N_FIELDS; f++) {
        if (w->field_weights[f] <= 0) continue;
        const pkin_i_token_field *field = &w->documents->fields[f];
        uint32_t before = PKIN_I_DROPPED; /* rank of the word before, if a bigram may begin with it */
        for (uint64_t k = field->offsets[document]; k < field->offsets[document + 1]; k++) {
            uint32_t rank = field->tokens[k] == PKIN_I_TOKEN_BREAK ? PKIN_I_DROPPED : w->rank_of[field->tokens[k]];
            if (rank != PKIN_I_DROPPED && w->df[rank] < pkin_i_bigram_min_df(w)) rank = PKIN_I_DROPPED;
            if (before != PKIN_I_DROPPED && rank != PKIN_I_DROPPED) {
                count_pair(counts, (uint64_t)before << 32 | rank, w->field_weights[f]);
            }
            before = rank;
        }
    }
    return status;
}

/* ---- Lists and partitions ---- */

typedef struct pair_lists {
    uint64_t **lists;    /* by chunk: the different bigrams of its documents, in order */
    uint64_t *counts;    /* by chunk and partition, later where they go */
    uint64_t *starts;    /* by partition, n_partitions + 1 */
    uint64_t *pairs;     /* all, by partition */
    uint32_t *positions; /* where pairs[k] stands in bigrams.kept_index */
} pair_lists;

/* Cuts the ranks into ranges with about as many occurrences each, judged by the words' document frequencies. */
static pkin_status choose_partitions(pkin_i_weigher *w) {
    pkin_i_bigrams *b = &w->bigrams;
    uint64_t total = 0, seen = 0;
    for (uint32_t r = 0; r < w->n_words; r++) total += w->df[r];
    uint64_t n = total / PAIRS_PER_PARTITION + 1;
    b->n_partitions = n < MAX_PARTITIONS ? (uint32_t)n : MAX_PARTITIONS;
    pkin_status status = pkin_i_allocate(w->n_words, sizeof *b->partition_of, &b->partition_of);
    for (uint32_t r = 0; status == PKIN_OK && r < w->n_words; r++) {
        double share = total ? (double)seen / (double)total : 0;
        uint32_t p = (uint32_t)(share * b->n_partitions);
        b->partition_of[r] = (uint16_t)(p < b->n_partitions ? p : b->n_partitions - 1);
        seen += w->df[r];
    }
    return status;
}

static pkin_status list_chunk(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk, void *user) {
    pkin_status status = PKIN_OK;
    pair_lists *lists = user;
    pkin_i_bigrams *b = &w->bigrams;
    uint64_t begin = pkin_i_chunk_begin(w, chunk), end = pkin_i_chunk_begin(w, chunk + 1), n = 0;
    uint64_t *counts = lists->counts + chunk * b->n_partitions;
    /* The bound is too large by repeats and rare words; memory that is never written costs nothing. */
    PKIN_TRY(pkin_i_allocate(most_pairs(w, begin, end), sizeof **lists->lists, &lists->lists[chunk]));
    uint64_t *list = lists->lists[chunk];
    for (uint64_t d = begin; d < end; d++) {
        PKIN_TRY(pkin_i_count_pairs(w, s, d));
        b->offsets[d + 1] = s->pairs.n_pairs;
        for (size_t k = 0; k < s->pairs.n_pairs; k++) {
            list[n] = s->pairs.pairs[k];
            counts[b->partition_of[list[n++] >> 32]]++;
        }
    }
out:
    return status;
}

/* Turns the counts into places: partition by partition, within one chunk by chunk. */
static void place_partitions(const pkin_i_weigher *w, pair_lists *lists) {
    uint64_t at = 0;
    for (uint32_t p = 0; p < w->bigrams.n_partitions; p++) {
        lists->starts[p] = at;
        for (size_t c = 0; c < w->n_chunks; c++) {
            uint64_t *count = &lists->counts[c * w->bigrams.n_partitions + p], n = *count;
            *count = at;
            at += n;
        }
    }
    lists->starts[w->bigrams.n_partitions] = at;
}

static pkin_status scatter_chunk(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk, void *user) {
    pair_lists *lists = user;
    uint64_t begin = w->bigrams.offsets[pkin_i_chunk_begin(w, chunk)];
    uint64_t end = w->bigrams.offsets[pkin_i_chunk_begin(w, chunk + 1)];
    uint64_t *places = lists->counts + chunk * w->bigrams.n_partitions;
    const uint64_t *list = lists->lists[chunk];
    (void)s;
    for (uint64_t k = begin; k < end; k++) {
        uint64_t pair = list[k - begin], place = places[w->bigrams.partition_of[pair >> 32]]++;
        lists->pairs[place] = pair;
        lists->positions[place] = (uint32_t)k;
    }
    pkin_i_free(lists->lists[chunk]);
    lists->lists[chunk] = NULL;
    return PKIN_OK;
}

/* ---- One partition ---- */

typedef struct counted_pair {
    uint64_t pair;
    uint32_t df;
    uint32_t kept_index;
} counted_pair;

typedef struct partition_kept {
    uint64_t *pairs;
    uint32_t *df;
    uint64_t n;
} partition_kept;

/* Memory of one thread, for partitions of any size. */
typedef struct partition_scratch {
    counted_pair *counted; /* different pairs in order of first appearance */
    size_t counted_capacity;
    uint32_t *which; /* by occurrence: index into `counted` */
    size_t which_capacity;
    uint32_t *slots;
    size_t slots_capacity;
} partition_scratch;

static void partition_scratch_free(partition_scratch *s) {
    pkin_i_free(s->counted);
    pkin_i_free(s->which);
    pkin_i_free(s->slots);
}

static pkin_status count_documents(partition_scratch *s, const uint64_t *pairs, size_t n, size_t *n_counted) {
    pkin_status status = PKIN_OK;
    size_t n_slots = 64, n_different = 0;
    while (n_slots < n * 2) n_slots *= 2;
    PKIN_TRY(pkin_i_grow(&s->slots, &s->slots_capacity, n_slots, sizeof *s->slots));
    PKIN_TRY(pkin_i_grow(&s->counted, &s->counted_capacity, n, sizeof *s->counted));
    PKIN_TRY(pkin_i_grow(&s->which, &s->which_capacity, n, sizeof *s->which));
    memset(s->slots, 0, n_slots * sizeof *s->slots);
    for (size_t k = 0; k < n; k++) {
        size_t slot = (size_t)pkin_i_hash_u64(pairs[k]) & (n_slots - 1);
        while (s->slots[slot] && s->counted[s->slots[slot] - 1].pair != pairs[k]) slot = (slot + 1) & (n_slots - 1);
        if (!s->slots[slot]) {
            s->counted[n_different] = (counted_pair){pairs[k], 0, PKIN_I_DROPPED};
            s->slots[slot] = (uint32_t)++n_different;
        }
        s->which[k] = s->slots[slot] - 1;
        s->counted[s->which[k]].df++;
    }
    *n_counted = n_different;
out:
    return status;
}

static int compare_counted(const void *a, const void *b) {
    const counted_pair *x = *(counted_pair *const *)a, *y = *(counted_pair *const *)b;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

static pkin_status keep_pairs(const pkin_i_weigher *w, partition_scratch *s, size_t n_counted, partition_kept *kept) {
    pkin_status status = PKIN_OK;
    size_t n = 0;
    counted_pair **order = NULL;
    PKIN_TRY(pkin_i_allocate(n_counted, sizeof *order, &order));
    for (size_t k = 0; k < n_counted; k++) {
        if (pkin_i_keeps_df(w, s->counted[k].df, pkin_i_bigram_min_df(w))) order[n++] = &s->counted[k];
    }
    qsort(order, n, sizeof *order, compare_counted);
    PKIN_TRY(pkin_i_allocate(n, sizeof *kept->pairs, &kept->pairs));
    PKIN_TRY(pkin_i_allocate(n, sizeof *kept->df, &kept->df));
    kept->n = n;
    for (size_t k = 0; k < n; k++) {
        kept->pairs[k] = order[k]->pair;
        kept->df[k] = order[k]->df;
        order[k]->kept_index = (uint32_t)k;
    }
out:
    pkin_i_free(order);
    return status;
}

static pkin_status work_partition(pkin_i_weigher *w, const pair_lists *lists, uint32_t p, partition_scratch *s,
                                  partition_kept *kept) {
    pkin_status status = PKIN_OK;
    const uint64_t *pairs = lists->pairs + lists->starts[p];
    const uint32_t *positions = lists->positions + lists->starts[p];
    size_t n = (size_t)(lists->starts[p + 1] - lists->starts[p]), n_counted = 0;
    PKIN_TRY(count_documents(s, pairs, n, &n_counted));
    PKIN_TRY(keep_pairs(w, s, n_counted, kept));
    for (size_t k = 0; k < n; k++) w->bigrams.kept_index[positions[k]] = s->counted[s->which[k]].kept_index;
out:
    return status;
}

static pkin_status work_partitions(pkin_i_weigher *w, const pair_lists *lists, partition_kept *kept) {
    pkin_i_worker_failure failure = {PKIN_OK, ""};
#pragma omp parallel num_threads(w->n_threads)
    {
        partition_scratch s = {0};
        pkin_status status = PKIN_OK;
#pragma omp for schedule(dynamic, 1)
        for (uint32_t p = 0; p < w->bigrams.n_partitions; p++) {
            if (status == PKIN_OK) status = work_partition(w, lists, p, &s, &kept[p]);
        }
        pkin_i_worker_failure_note(&failure, status);
        partition_scratch_free(&s);
    }
    return pkin_i_worker_failure_report(&failure);
}

static pkin_status join_partitions(pkin_i_weigher *w, const partition_kept *kept) {
    pkin_status status = PKIN_OK;
    pkin_i_bigrams *b = &w->bigrams;
    PKIN_TRY(pkin_i_allocate(b->n_partitions, sizeof *b->first, &b->first));
    for (uint32_t p = 0; p < b->n_partitions; p++) {
        b->first[p] = b->n_kept;
        b->n_kept += kept[p].n;
    }
    PKIN_TRY(pkin_i_allocate(b->n_kept, sizeof *b->pairs, &b->pairs));
    PKIN_TRY(pkin_i_allocate(b->n_kept, sizeof *b->df, &b->df));
    for (uint32_t p = 0; p < b->n_partitions; p++) {
        memcpy(b->pairs + b->first[p], kept[p].pairs, kept[p].n * sizeof *b->pairs);
        memcpy(b->df + b->first[p], kept[p].df, kept[p].n * sizeof *b->df);
    }
out:
    return status;
}

/* ---- All ---- */

void pkin_i_bigrams_free(pkin_i_bigrams *bigrams) {
    pkin_i_free(bigrams->partition_of);
    pkin_i_free(bigrams->first);
    pkin_i_free(bigrams->pairs);
    pkin_i_free(bigrams->df);
    pkin_i_free(bigrams->offsets);
    pkin_i_free(bigrams->kept_index);
    memset(bigrams, 0, sizeof *bigrams);
}

static void lists_free(pair_lists *lists, size_t n_chunks) {
    for (size_t c = 0; lists->lists && c < n_chunks; c++) pkin_i_free(lists->lists[c]);
    pkin_i_free(lists->lists);
    pkin_i_free(lists->counts);
    pkin_i_free(lists->starts);
    pkin_i_free(lists->pairs);
    pkin_i_free(lists->positions);
}

/* Steps 1 and 2. */
static pkin_status list_pairs(pkin_i_weigher *w, pair_lists *lists) {
    pkin_status status = PKIN_OK;
    pkin_i_bigrams *b = &w->bigrams;
    uint64_t n;
    PKIN_TRY(choose_partitions(w));
    PKIN_TRY(pkin_i_allocate_zeroed(w->n_documents + 1, sizeof *b->offsets, &b->offsets));
    PKIN_TRY(pkin_i_allocate_zeroed(w->n_chunks, sizeof *lists->lists, &lists->lists));
    PKIN_TRY(pkin_i_allocate_zeroed(w->n_chunks * b->n_partitions, sizeof *lists->counts, &lists->counts));
    PKIN_TRY(pkin_i_allocate(b->n_partitions + 1, sizeof *lists->starts, &lists->starts));
    PKIN_TRY(pkin_i_for_each_chunk(w, list_chunk, lists));
    for (uint64_t d = 0; d < w->n_documents; d++) b->offsets[d + 1] += b->offsets[d];
    n = b->offsets[w->n_documents];
    PKIN_REQUIRE(n < UINT32_MAX, PKIN_ERROR_OVERFLOW,
                 "%llu bigrams are too many, the limit is %u: raise the minimum document frequency or set the bigram "
                 "weight to 0",
                 (unsigned long long)n, UINT32_MAX);
    place_partitions(w, lists);
    PKIN_TRY(pkin_i_allocate(n, sizeof *lists->pairs, &lists->pairs));
    PKIN_TRY(pkin_i_allocate(n, sizeof *lists->positions, &lists->positions));
    status = pkin_i_for_each_chunk(w, scatter_chunk, lists);
out:
    return status;
}

pkin_status pkin_i_bigrams_find(pkin_i_weigher *w) {
    pkin_status status = PKIN_OK;
    pair_lists lists = {0};
    partition_kept *kept = NULL;
    pkin_i_bigrams *b = &w->bigrams;
    PKIN_TRY(list_pairs(w, &lists));
    PKIN_TRY(pkin_i_allocate(b->offsets[w->n_documents], sizeof *b->kept_index, &b->kept_index));
    PKIN_TRY(pkin_i_allocate_zeroed(b->n_partitions, sizeof *kept, &kept));
    PKIN_TRY(work_partitions(w, &lists, kept));
    status = join_partitions(w, kept);
out:
    for (uint32_t p = 0; kept && p < b->n_partitions; p++) {
        pkin_i_free(kept[p].pairs);
        pkin_i_free(kept[p].df);
    }
    pkin_i_free(kept);
    lists_free(&lists, w->n_chunks);
    return status;
}
