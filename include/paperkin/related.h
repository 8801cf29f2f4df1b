/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_RELATED_H
#define PAPERKIN_RELATED_H

#include "paperkin/store.h"

PKIN_EXTERN_C_BEGIN

/*
 * What to look for, by examples and by words. The query's vector is the mean of the wanted papers' and of the text's
 * unit vectors minus `unwanted_weight` times the mean of the unwanted ones', negative weights set to 0, scaled to
 * length 1 (Rocchio, "Relevance feedback in information retrieval", 1971).
 */
typedef struct pkin_related_options {
    size_t size;             /* sizeof(pkin_related_options), set by _default */
    const char *const *ids;  /* wanted papers: keys ("arxiv:2512.11762"), or arXiv ids with or without version, DOIs,
                                links, or the ids that records gave */
    size_t n_ids;
    const char *const *not_ids; /* unwanted papers */
    size_t n_not_ids;
    /*
     * Free text, "" or NULL: none; counts as one more wanted paper. Its words are read as those of the store's papers
     * are. Where one of them stands in machine-written summaries and in no title or abstract (a Chinese word, where
     * papers are English), summaries count as abstracts do.
     */
    const char *text;
    double unwanted_weight;  /* >= 0; default 0.5 */
    uint32_t count;          /* results, at most; default 10 */
    double floor;            /* least cosine with the query, in [0, 1]; default 0.05 */
    /*
     * Maximal marginal relevance, in [0, 1]; 1 (default): by cosine alone. Below: results are chosen one by one, each
     * time the one with the largest diversity * cosine(query) - (1 - diversity) * (largest cosine with one chosen
     * before), among the best 10 * count by cosine (Carbonell and Goldstein, "The use of MMR", 1998).
     */
    double diversity;
    const char *since;       /* only papers that came out on that day or later; NULL: all */
    const char *backend;     /* as in pkin_similarity_options; NULL: auto */
    int n_threads;
    pkin_progress_fn on_progress;
    void *progress_user;
} pkin_related_options;

PKIN_API pkin_related_options pkin_related_options_default(void);

enum { PKIN_RELATED_TERMS = 5 };

/* A term and what it adds to the cosine; a pair of words often stands for its words too, with what they add. */
typedef struct pkin_related_term {
    const char *term;
    double share;
} pkin_related_term;

typedef struct pkin_related_paper {
    const char *key, *id, *title, *link;
    const char *const *authors;
    uint32_t n_authors;
    char day[11];            /* on which it came out as far as is known; "" unknown */
    double cosine;           /* with the query's vector */
    double value;            /* what it was chosen by: the cosine, or its marginal relevance */
    const char *nearest;     /* key of the wanted paper that it is closest to; "" where the query is text alone */
    double nearest_cosine;
    pkin_related_term terms[PKIN_RELATED_TERMS]; /* shared with the query, strongest first */
    uint32_t n_terms;
    const char *thread, *thread_label; /* id and label of its thread; "" */
} pkin_related_paper;

typedef struct pkin_related {
    pkin_related_paper *items; /* in the order in which they were chosen */
    size_t n_items;
    pkin_related_term *query;  /* the query's strongest terms, with their shares of its squared length */
    size_t n_query;
    const char *const *unknown_words; /* of the text, that no paper of the store has; NULL ends them */
    uint64_t n_papers;       /* that were searched */
    double seconds;
    void *memory;            /* of the strings */
} pkin_related;

/*
 * The papers of the store closest to a query; exact. The query's own papers, wanted or not, are never among them. An id
 * that the store does not know is PKIN_ERROR_NOT_FOUND, one that fits several papers PKIN_ERROR_INVALID_ARGUMENT; both
 * are named. Free with pkin_related_free, also after a failure.
 */
PKIN_API pkin_status pkin_related_find(pkin_store *store, const pkin_related_options *options, pkin_related *out);
PKIN_API void pkin_related_free(pkin_related *related);

PKIN_EXTERN_C_END

#endif
