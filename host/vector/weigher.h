/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_WEIGHER_H
#define PKIN_VECTOR_WEIGHER_H

#include "vector/weigh.h"

PKIN_EXTERN_C_BEGIN

/* What weigh.c and bigrams.c share. A word is known by its rank in the order that the columns will have. */

#define PKIN_I_DROPPED UINT32_MAX

/*
 * Two neighbouring words: rank of the first << 32 | rank of the second. `counts` of one document, in order of first
 * appearance; `slots` is an open-addressing table of indices + 1.
 */
typedef struct pkin_i_pair_counts {
    uint64_t *pairs;
    double *tf;
    size_t *used_slots; /* slot of pair k, for clearing */
    size_t n_pairs;
    size_t capacity;
    uint32_t *slots;
    size_t n_slots; /* a power of two, at least twice the capacity */
} pkin_i_pair_counts;

/* One thread's memory. */
typedef struct pkin_i_weigh_scratch {
    /* By id, not by rank: frequent words have low ids, and what is counted most lies together. */
    double *tf;        /* 0 outside the document at work */
    uint32_t *touched; /* ids with tf > 0, in order of first appearance */
    uint32_t n_touched;
    uint32_t *df; /* the documents that this thread has counted */
    int has_df;   /* it has counted some */
    pkin_i_pair_counts pairs;
    uint64_t *keys; /* column << 32 | index, for sorting a row */
    uint64_t *other_keys;
    double *weights;
    size_t capacity;
} pkin_i_weigh_scratch;

/* The bigrams that were kept, in ascending order of pairs. */
typedef struct pkin_i_bigrams {
    uint32_t n_partitions;
    uint16_t *partition_of; /* by rank of the first word; ascending */
    uint64_t *first;        /* by partition: how many kept bigrams stand before it */
    uint64_t n_kept;
    uint64_t *pairs;      /* kept */
    uint32_t *df;         /* kept */
    uint64_t *offsets;    /* document d's different bigrams are [offsets[d], offsets[d + 1]) of `kept_index` */
    uint32_t *kept_index; /* index within the partition's kept bigrams, or PKIN_I_DROPPED */
} pkin_i_bigrams;

typedef struct pkin_i_weigher {
    const pkin_i_token_documents *documents;
    const pkin_i_vocabulary *vocabulary;
    const pkin_features_options *options;
    double field_weights[PKIN_I_N_FIELDS];
    int n_threads;
    uint64_t n_documents;
    size_t n_chunks; /* documents are worked on in this many contiguous chunks */
    uint32_t n_words;
    uint32_t *id_of;       /* by rank */
    uint32_t *rank_of;     /* by id */
    uint32_t *df;          /* documents with the word, by rank */
    uint32_t *n_different; /* by document: its different words */
    pkin_i_bigrams bigrams;
} pkin_i_weigher;

/* First document of a chunk; chunk n_chunks begins at n_documents. */
uint64_t pkin_i_chunk_begin(const pkin_i_weigher *w, size_t chunk);

/* Runs `work` on every chunk, each thread with its own scratch memory. The first failure is handed on. */
pkin_status pkin_i_for_each_chunk(pkin_i_weigher *w,
                                  pkin_status (*work)(pkin_i_weigher *w, pkin_i_weigh_scratch *s, size_t chunk,
                                                      void *user),
                                  void *user);

/* Whether a term in `df` documents is kept, given the least that its kind needs. */
int pkin_i_keeps_df(const pkin_i_weigher *w, uint64_t df, uint64_t min_df);
uint64_t pkin_i_bigram_min_df(const pkin_i_weigher *w);

/* A document's bigrams, counted into s->pairs. Those with a word in fewer documents than a bigram needs cannot be kept
 * and are left out. */
pkin_status pkin_i_count_pairs(const pkin_i_weigher *w, pkin_i_weigh_scratch *s, uint64_t document);

/* Finds the bigrams to keep, see bigrams.c. */
pkin_status pkin_i_bigrams_find(pkin_i_weigher *w);
void pkin_i_bigrams_free(pkin_i_bigrams *bigrams);
void pkin_i_pair_counts_free(pkin_i_pair_counts *counts);

PKIN_EXTERN_C_END

#endif
