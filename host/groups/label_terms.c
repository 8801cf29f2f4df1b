/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/label_terms.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "groups/pair_table.h"
#include "groups/partition.h"
#include "text/worker_failure.h"
#include "vector/log.h"

/*
 * 1. Each cluster by itself: words that stand in enough of its papers, then phrases of two words of which both do, then
 *    of three that continue those, and so on (Agrawal and Srikant, "Fast algorithms for mining association rules",
 *    1994): a longer phrase never stands in more papers than its beginning. A phrase is a node of a tree: its parent is
 *    the phrase without the last word, words are the roots and are numbered by themselves.
 * 2. The clusters' trees are merged into one, cluster by cluster.
 * 3. Every paper walks that tree from each of its words, and the nodes it meets are counted: a term's weight over all.
 * 4. Each cluster scores its terms.
 * Counts are integers, so their order does not matter; a score is one expression of them.
 */

#define DEAD PKIN_I_NO_NODE /* a phrase that has ended */

/* ---- Where phrases begin and end ---- */

static pkin_i_label_class class_at(const pkin_i_label_texts *texts, uint64_t at) {
    return (pkin_i_label_class)texts->classes[pkin_i_label_token_word(texts->tokens[at])];
}

/* Whether a hyphen joins the token to the next one. */
static int joins_next(const pkin_i_label_texts *texts, uint64_t at, uint64_t end) {
    return at + 1 < end && pkin_i_label_token_gap(texts->tokens[at + 1]) == PKIN_I_LABEL_JOINED;
}

static int is_joined(const pkin_i_label_texts *texts, uint64_t at) {
    return pkin_i_label_token_gap(texts->tokens[at]) == PKIN_I_LABEL_JOINED;
}

/* Compounds are not cut: "multi-agent learning" has no "agent learning". "in-context" may begin as it does,
   "widely-used" says nothing. */
int pkin_i_term_may_begin(const pkin_i_label_texts *texts, uint64_t at, uint64_t end) {
    if (is_joined(texts, at)) return 0;
    pkin_i_label_class class_here = class_at(texts, at);
    size_t n_bytes;
    if (class_here == PKIN_I_LABEL_SUBJECT) return 1;
    const char *word = pkin_i_vocabulary_word(texts->vocabulary, pkin_i_label_token_word(texts->tokens[at]), &n_bytes);
    if (joins_next(texts, at, end)) return n_bytes < 2 || memcmp(word + n_bytes - 2, "ly", 2) != 0;
    return class_here == PKIN_I_LABEL_GENERIC && !pkin_i_ascii_is_digit(word[0]);
}

/* "LLM" of "LLM-based" may end one. */
int pkin_i_term_may_end(const pkin_i_label_texts *texts, uint64_t at, uint64_t end) {
    if (class_at(texts, at) > PKIN_I_LABEL_GENERIC) return 0;
    return !joins_next(texts, at, end) || class_at(texts, at + 1) == PKIN_I_LABEL_EDGE;
}

int pkin_i_term_may_go_on(const pkin_i_label_texts *texts, uint64_t at, uint64_t end) {
    if (pkin_i_label_token_gap(texts->tokens[at]) == PKIN_I_LABEL_BREAK) return 0;
    return class_at(texts, at) < PKIN_I_LABEL_EMPTY || is_joined(texts, at) || joins_next(texts, at, end);
}

/* ---- One cluster ---- */

uint64_t pkin_i_term_least_papers(uint64_t n) {
    if (n <= 1) return 1;
    uint64_t least = n <= 50 ? (n + 4) / 5 : 10 + (n - 50) / 20;
    return least < 2 ? 2 : least;
}

/* How often a word or phrase was met. Those that are phrases are counted as beginnings of longer ones too. */
typedef struct node {
    uint32_t parent, word;
    uint32_t n_begun, last_begun; /* papers; the last paper, counted from 1 */
    uint32_t n_papers, last_paper, weight;
} node;

/* A node that a cluster keeps. */
typedef struct kept_node {
    int64_t parent; /* index among the cluster's, PKIN_I_TERM_NO_PARENT of words */
    uint32_t word, n_papers, weight;
    uint32_t merged; /* its number in the tree of all clusters */
} kept_node;

typedef struct kept_nodes {
    kept_node *nodes;
    size_t n_nodes, capacity;
    uint64_t n_papers, n_least;
} kept_nodes;

/* What a thread works with, from cluster to cluster. */
typedef struct miner {
    const pkin_i_label_texts *texts;
    node *words;   /* by word; n_papers 0: not met */
    uint32_t *met; /* words */
    size_t n_met, met_capacity;
    node *phrases; /* phrase k is node n_words + k */
    size_t n_phrases, phrase_capacity;
    uint32_t *kept; /* by phrase: index among the kept nodes */
    size_t kept_capacity;
    pkin_i_pair_table table;
    uint32_t *at; /* by token of the cluster: the phrase that began there */
    size_t at_capacity;
} miner;

static void miner_free(miner *m) {
    pkin_i_free(m->words);
    pkin_i_free(m->met);
    pkin_i_free(m->phrases);
    pkin_i_free(m->kept);
    pkin_i_pair_table_free(&m->table);
    pkin_i_free(m->at);
}

static uint64_t tokens_begin(const pkin_i_label_texts *texts, uint64_t paper) {
    return texts->offsets[paper * PKIN_I_LABEL_N_TEXTS];
}

static uint64_t title_end(const pkin_i_label_texts *texts, uint64_t paper) {
    return texts->offsets[paper * PKIN_I_LABEL_N_TEXTS + 1];
}

/* A paper counts once, by the first place, and titles come first. */
static inline void count_term(node *n, uint32_t paper_stamp, int in_title) {
    if (n->last_paper == paper_stamp) return;
    n->last_paper = paper_stamp;
    n->n_papers++;
    n->weight += in_title ? PKIN_I_TERM_TITLE_WEIGHT : 1;
}

static pkin_status count_words(miner *m, const uint32_t *papers, uint64_t n_papers) {
    pkin_status status = PKIN_OK;
    for (uint64_t k = 0; k < n_papers; k++) {
        uint64_t title = title_end(m->texts, papers[k]), end = tokens_begin(m->texts, papers[k] + UINT64_C(1));
        for (uint64_t t = tokens_begin(m->texts, papers[k]); t < end; t++) {
            uint32_t word = pkin_i_label_token_word(m->texts->tokens[t]);
            if (!m->words[word].n_papers) {
                if (m->n_met == m->met_capacity) {
                    PKIN_TRY(pkin_i_grow(&m->met, &m->met_capacity, m->n_met + 1, sizeof *m->met));
                }
                m->met[m->n_met++] = word;
            }
            count_term(&m->words[word], (uint32_t)k + 1, t < title);
        }
    }
out:
    return status;
}

/* The phrase that goes on from `parent` with `word`, counted as begun; *out is its number. */
static pkin_status go_on(miner *m, uint32_t parent, uint32_t word, uint32_t paper_stamp, uint32_t *out) {
    pkin_status status = PKIN_OK;
    uint32_t new_node = m->texts->n_words + (uint32_t)m->n_phrases;
    PKIN_REQUIRE(m->n_phrases < DEAD - m->texts->n_words - 1, PKIN_ERROR_OVERFLOW, "labels: too many phrases");
    PKIN_TRY(pkin_i_pair_add(&m->table, parent, word, new_node, out));
    if (*out == new_node) {
        if (m->n_phrases == m->phrase_capacity) {
            PKIN_TRY(pkin_i_grow(&m->phrases, &m->phrase_capacity, m->n_phrases + 1, sizeof *m->phrases));
        }
        m->phrases[m->n_phrases++] = (node){.parent = parent, .word = word};
    }
    node *phrase = &m->phrases[*out - m->texts->n_words];
    if (phrase->last_begun != paper_stamp) {
        phrase->last_begun = paper_stamp;
        phrase->n_begun++;
    }
out:
    return status;
}

/* Whether a node stands in enough papers to be gone on from. */
static int is_alive(const miner *m, uint32_t number, uint64_t n_least) {
    if (number == DEAD) return 0;
    return number < m->texts->n_words ? m->words[number].n_papers >= n_least
                                      : m->phrases[number - m->texts->n_words].n_begun >= n_least;
}

/* Phrases of `length` words in one paper; `at` belongs to its first token. */
static pkin_status lengthen_paper(miner *m, uint64_t paper, uint32_t paper_stamp, uint64_t length, uint64_t n_least,
                                  uint32_t *at) {
    pkin_status status = PKIN_OK;
    const pkin_i_label_texts *texts = m->texts;
    uint64_t begin = tokens_begin(texts, paper), end = tokens_begin(texts, paper + 1), title = title_end(texts, paper);
    for (uint64_t t = begin; t < end; t++) {
        uint32_t *phrase = &at[t - begin];
        uint64_t last = t + length - 1;
        if (length == 2) {
            *phrase = pkin_i_term_may_begin(texts, t, end) ? pkin_i_label_token_word(texts->tokens[t]) : DEAD;
        }
        if (*phrase == DEAD) continue;
        if (last >= end || !is_alive(m, *phrase, n_least) || !pkin_i_term_may_go_on(texts, last, end) ||
            m->words[pkin_i_label_token_word(texts->tokens[last])].n_papers < n_least) {
            *phrase = DEAD;
            continue;
        }
        PKIN_TRY(go_on(m, *phrase, pkin_i_label_token_word(texts->tokens[last]), paper_stamp, phrase));
        if (pkin_i_term_may_end(texts, last, end)) {
            count_term(&m->phrases[*phrase - texts->n_words], paper_stamp, t < title);
        }
    }
out:
    return status;
}

static pkin_status find_phrases(miner *m, const uint32_t *papers, uint64_t n_papers, uint64_t n_least) {
    pkin_status status = PKIN_OK;
    uint64_t n_tokens = 0;
    for (uint64_t k = 0; k < n_papers; k++) {
        n_tokens += tokens_begin(m->texts, papers[k] + UINT64_C(1)) - tokens_begin(m->texts, papers[k]);
    }
    m->n_phrases = 0;
    PKIN_TRY(pkin_i_pair_table_clear(&m->table, 1 << 10));
    PKIN_TRY(pkin_i_grow(&m->at, &m->at_capacity, (size_t)n_tokens, sizeof *m->at));
    for (uint64_t length = 2; length <= PKIN_I_TERM_MAX_WORDS; length++) {
        uint64_t done = 0;
        for (uint64_t k = 0; k < n_papers; k++) {
            PKIN_TRY(lengthen_paper(m, papers[k], (uint32_t)k + 1, length, n_least, m->at + done));
            done += tokens_begin(m->texts, papers[k] + UINT64_C(1)) - tokens_begin(m->texts, papers[k]);
        }
    }
out:
    return status;
}

static pkin_status keep(kept_nodes *kept, const node *n, int64_t parent, uint32_t word) {
    if (kept->n_nodes == kept->capacity) {
        pkin_status status = pkin_i_grow(&kept->nodes, &kept->capacity, kept->n_nodes + 1, sizeof *kept->nodes);
        if (status != PKIN_OK) return status;
    }
    kept->nodes[kept->n_nodes++] = (kept_node){parent, word, n->n_papers, n->weight, DEAD};
    return PKIN_OK;
}

/* Keeps words and phrases that are frequent enough, each behind its parent. Words are kept by first appearance. */
static pkin_status keep_frequent(miner *m, uint64_t n_least, kept_nodes *kept) {
    pkin_status status = PKIN_OK;
    kept->n_nodes = 0;
    for (size_t k = 0; k < m->n_met; k++) {
        node *word = &m->words[m->met[k]];
        if (word->n_papers < n_least) continue;
        word->parent = (uint32_t)kept->n_nodes; /* its index among the kept */
        PKIN_TRY(keep(kept, word, PKIN_I_TERM_NO_PARENT, m->met[k]));
    }
    PKIN_TRY(pkin_i_grow(&m->kept, &m->kept_capacity, m->n_phrases, sizeof *m->kept));
    for (size_t k = 0; k < m->n_phrases; k++) {
        const node *phrase = &m->phrases[k];
        if (phrase->n_begun < n_least) continue;
        uint32_t parent = phrase->parent;
        m->kept[k] = (uint32_t)kept->n_nodes;
        parent = parent < m->texts->n_words ? m->words[parent].parent : m->kept[parent - m->texts->n_words];
        PKIN_TRY(keep(kept, phrase, parent, phrase->word));
    }
out:
    return status;
}

/* Whether a kept node may be a label. */
static int is_term(const pkin_i_label_texts *texts, const kept_node *n, uint64_t n_least) {
    if (n->n_papers < n_least) return 0;
    return n->parent != PKIN_I_TERM_NO_PARENT || texts->classes[n->word] == PKIN_I_LABEL_SUBJECT;
}

static int has_terms(const pkin_i_label_texts *texts, const kept_nodes *kept, uint64_t n_least) {
    for (size_t k = 0; k < kept->n_nodes; k++) {
        if (is_term(texts, &kept->nodes[k], n_least)) return 1;
    }
    return 0;
}

/* A cluster whose papers have too little in common is asked for less, at last for terms of a single paper. */
static pkin_status mine_cluster(miner *m, const uint32_t *papers, uint64_t n_papers, kept_nodes *out) {
    pkin_status status = PKIN_OK;
    m->n_met = 0;
    PKIN_TRY(count_words(m, papers, n_papers));
    for (uint64_t k = 0; k < n_papers; k++) {
        out->n_papers += tokens_begin(m->texts, papers[k]) < tokens_begin(m->texts, papers[k] + UINT64_C(1));
    }
    if (!out->n_papers) goto out;
    out->n_least = pkin_i_term_least_papers(out->n_papers);
    for (;;) {
        PKIN_TRY(find_phrases(m, papers, n_papers, out->n_least));
        PKIN_TRY(keep_frequent(m, out->n_least, out));
        if (out->n_least == 1 || has_terms(m->texts, out, out->n_least)) break;
        out->n_least = out->n_least > 2 ? 2 : 1;
    }
out:
    for (size_t k = 0; k < m->n_met; k++) memset(&m->words[m->met[k]], 0, sizeof *m->words);
    return status;
}

static pkin_status mine_clusters(const pkin_i_label_texts *texts, const uint64_t *offsets, const uint32_t *members,
                                 uint32_t n_clusters, int n_threads, kept_nodes *out) {
    pkin_i_worker_failure failure = {0};
#pragma omp parallel num_threads(n_threads)
    {
        miner m = {.texts = texts};
        pkin_status status = pkin_i_allocate_zeroed(texts->n_words, sizeof *m.words, &m.words);
#pragma omp for schedule(dynamic, 1)
        for (uint32_t c = 0; c < n_clusters; c++) {
            if (status != PKIN_OK) continue;
            status = mine_cluster(&m, members + offsets[c], offsets[c + 1] - offsets[c], &out[c]);
        }
        pkin_i_worker_failure_note(&failure, status);
        miner_free(&m);
    }
    return pkin_i_worker_failure_report(&failure);
}

/* ---- All clusters ---- */

typedef struct merged_tree {
    pkin_i_pair_table table;
    uint32_t n_nodes;            /* words included */
    unsigned char *has_children; /* by node */
    uint64_t *weights;           /* by node: over all papers */
    uint64_t *n_met, *n_final;   /* by node: occurrences, and those that no other word of a phrase follows */
} merged_tree;

static void merged_tree_free(merged_tree *tree) {
    pkin_i_pair_table_free(&tree->table);
    pkin_i_free(tree->has_children);
    pkin_i_free(tree->weights);
    pkin_i_free(tree->n_met);
    pkin_i_free(tree->n_final);
}

static pkin_status merge_trees(const pkin_i_label_texts *texts, kept_nodes *clusters, uint32_t n_clusters,
                               merged_tree *tree) {
    pkin_status status = PKIN_OK;
    tree->n_nodes = texts->n_words;
    PKIN_TRY(pkin_i_pair_table_clear(&tree->table, 1 << 10));
    for (uint32_t c = 0; c < n_clusters; c++) {
        for (size_t k = 0; k < clusters[c].n_nodes; k++) {
            kept_node *n = &clusters[c].nodes[k];
            n->merged = n->word;
            if (n->parent == PKIN_I_TERM_NO_PARENT) continue;
            PKIN_REQUIRE(tree->n_nodes < DEAD, PKIN_ERROR_OVERFLOW, "labels: too many phrases");
            PKIN_TRY(
                pkin_i_pair_add(&tree->table, clusters[c].nodes[n->parent].merged, n->word, tree->n_nodes, &n->merged));
            tree->n_nodes += n->merged == tree->n_nodes;
        }
    }
    PKIN_TRY(pkin_i_allocate_zeroed(tree->n_nodes, sizeof *tree->has_children, &tree->has_children));
    PKIN_TRY(pkin_i_allocate_zeroed(tree->n_nodes, sizeof *tree->weights, &tree->weights));
    PKIN_TRY(pkin_i_allocate_zeroed(tree->n_nodes, sizeof *tree->n_met, &tree->n_met));
    PKIN_TRY(pkin_i_allocate_zeroed(tree->n_nodes, sizeof *tree->n_final, &tree->n_final));
    for (size_t s = 0; s < tree->table.n_slots; s++) {
        if (tree->table.nodes[s] != DEAD) tree->has_children[tree->table.keys[s] >> 32] = 1;
    }
out:
    return status;
}

/* By node: weight so far, the last paper that added to it, counted from 1, and occurrences as in merged_tree. */
typedef struct tally {
    uint32_t weight, last_paper;
    uint32_t n_met, n_final;
} tally;

static inline void count_node(tally *n, uint32_t paper_stamp, int in_title, int is_final) {
    n->n_met++;
    n->n_final += (uint32_t)is_final;
    if (n->last_paper == paper_stamp) return;
    n->last_paper = paper_stamp;
    n->weight += in_title ? PKIN_I_TERM_TITLE_WEIGHT : 1;
}

/* Whether no word that could go on a phrase follows. */
static int is_final(const pkin_i_label_texts *texts, uint64_t at, uint64_t end) {
    return at + 1 == end || pkin_i_label_token_gap(texts->tokens[at + 1]) == PKIN_I_LABEL_BREAK ||
           (class_at(texts, at + 1) >= PKIN_I_LABEL_INNER && !is_joined(texts, at + 1));
}

static void count_paper(const pkin_i_label_texts *texts, const merged_tree *tree, uint64_t paper, tally *tallies) {
    uint64_t end = tokens_begin(texts, paper + 1), title = title_end(texts, paper);
    uint32_t stamp = (uint32_t)paper + 1;
    for (uint64_t t = tokens_begin(texts, paper); t < end; t++) {
        uint32_t n = pkin_i_label_token_word(texts->tokens[t]);
        count_node(&tallies[n], stamp, t < title, is_final(texts, t, end));
        if (!tree->has_children[n] || !pkin_i_term_may_begin(texts, t, end)) continue;
        for (uint64_t last = t + 1; last < end && last < t + PKIN_I_TERM_MAX_WORDS; last++) {
            if (!tree->has_children[n] || !pkin_i_term_may_go_on(texts, last, end)) break;
            n = pkin_i_pair_find(&tree->table, n, pkin_i_label_token_word(texts->tokens[last]));
            if (n == DEAD) break;
            if (pkin_i_term_may_end(texts, last, end))
                count_node(&tallies[n], stamp, t < title, is_final(texts, last, end));
        }
    }
}

static void add_tallies(const tally *tallies, merged_tree *tree) {
    for (uint32_t n = 0; n < tree->n_nodes; n++) {
        tree->weights[n] += tallies[n].weight;
        tree->n_met[n] += tallies[n].n_met;
        tree->n_final[n] += tallies[n].n_final;
    }
}

/* Each thread needs 16 bytes a node, so not many take part. */
static pkin_status count_everywhere(const pkin_i_label_texts *texts, int n_threads, merged_tree *tree) {
    enum { MOST_THREADS = 8 };
    pkin_i_worker_failure failure = {0};
#pragma omp parallel num_threads(n_threads < MOST_THREADS ? n_threads : MOST_THREADS)
    {
        tally *tallies = NULL;
        pkin_status status = pkin_i_allocate_zeroed(tree->n_nodes, sizeof *tallies, &tallies);
        pkin_i_worker_failure_note(&failure, status);
#pragma omp for schedule(static)
        for (uint64_t p = 0; p < texts->n_papers; p++) {
            if (status == PKIN_OK) count_paper(texts, tree, p, tallies);
        }
#pragma omp critical(pkin_i_label_tallies)
        if (status == PKIN_OK) add_tallies(tallies, tree);
        pkin_i_free(tallies);
    }
    return pkin_i_worker_failure_report(&failure);
}

/* ---- Scores ---- */

static void spell(const kept_nodes *kept, size_t index, pkin_i_term *term) {
    int64_t at = (int64_t)index;
    uint32_t n = 0;
    for (; at != PKIN_I_TERM_NO_PARENT; at = kept->nodes[at].parent) n++;
    term->n_words = n;
    for (at = (int64_t)index; at != PKIN_I_TERM_NO_PARENT; at = kept->nodes[at].parent) {
        term->words[--n] = kept->nodes[at].word;
    }
}

/* Terms behind which a phrase ends more rarely are adjectives or beginnings, and say little alone: "clinical", "3D",
   "fault-tolerant quantum". */
static const double FINAL_SHARE = 0.3;

/*
 * What a term is worth beside a single noun: phrases say more, but one that has no subject word ("training data") less,
 * and two things at once ("generation and editing") no more than each. Stop words inside do not count. `number`: its
 * node's.
 */
static double worth(const pkin_i_label_texts *texts, const merged_tree *tree, const pkin_i_term *term,
                    uint32_t number) {
    static const double by_length[] = {1, 1, 2, 2.3, 2.4, 2.4};
    uint32_t n_content = 0, n_subject = 0;
    double factor = 1;
    for (uint32_t k = 0; k < term->n_words; k++) {
        pkin_i_label_class class_here = (pkin_i_label_class)texts->classes[term->words[k]];
        size_t n_bytes;
        n_content += class_here <= PKIN_I_LABEL_EDGE;
        n_subject += class_here == PKIN_I_LABEL_SUBJECT;
        if (!strcmp(pkin_i_vocabulary_word(texts->vocabulary, term->words[k], &n_bytes), "and")) factor = 0.5;
    }
    if (!n_subject) factor *= 0.6;
    if ((double)tree->n_final[number] < FINAL_SHARE * (double)tree->n_met[number]) factor *= 0.5;
    return by_length[n_content] * factor;
}

/* A phrase of numbers and single letters is none. */
static int has_letters(const pkin_i_label_texts *texts, const pkin_i_term *term) {
    for (uint32_t k = 0; k < term->n_words; k++) {
        size_t n_bytes;
        const char *word = pkin_i_vocabulary_word(texts->vocabulary, term->words[k], &n_bytes);
        if (texts->classes[term->words[k]] == PKIN_I_LABEL_SUBJECT) return 1;
        if (texts->classes[term->words[k]] == PKIN_I_LABEL_GENERIC && !pkin_i_ascii_is_digit(word[0])) return 1;
    }
    return 0;
}

/* Whether a Chinese phrase is a word of the lists that the dictionary cut in pieces. */
static int is_listed(const pkin_i_label_texts *texts, const pkin_i_term *term) {
    char joined[64];
    size_t n = 0;
    for (uint32_t k = 0; k < term->n_words; k++) {
        size_t n_bytes;
        const char *word = pkin_i_vocabulary_word(texts->vocabulary, term->words[k], &n_bytes);
        if (!pkin_i_label_is_han(word) || n + n_bytes > sizeof joined) return 0;
        memcpy(joined + n, word, n_bytes);
        n += n_bytes;
    }
    return pkin_i_label_classify(joined, n) != PKIN_I_LABEL_SUBJECT;
}

static double score_of(const pkin_i_label_texts *texts, const merged_tree *tree, const pkin_i_term *term,
                       uint32_t number, double mean_words) {
    return (double)term->weight * pkin_i_log(1 + mean_words / (double)term->weight_everywhere) *
           worth(texts, tree, term, number);
}

typedef struct sorter {
    const pkin_i_label_texts *texts;
    pkin_i_term term;
} sorter;

static int compare_words(const sorter *a, const sorter *b) {
    for (uint32_t k = 0; k < a->term.n_words && k < b->term.n_words; k++) {
        size_t n_bytes;
        const char *first = pkin_i_vocabulary_word(a->texts->vocabulary, a->term.words[k], &n_bytes);
        int order = strcmp(first, pkin_i_vocabulary_word(a->texts->vocabulary, b->term.words[k], &n_bytes));
        if (order) return order;
    }
    return a->term.n_words < b->term.n_words ? -1 : a->term.n_words > b->term.n_words;
}

/* Highest score first, then by bytes. */
static int compare_terms(const void *first, const void *second) {
    const sorter *a = first, *b = second;
    if (a->term.score != b->term.score) return a->term.score > b->term.score ? -1 : 1;
    return compare_words(a, b);
}

/* The best terms of a cluster, at most PKIN_I_MAX_TERMS; *n_out says how many. */
static pkin_status rank_cluster(const pkin_i_label_texts *texts, const kept_nodes *kept, const merged_tree *tree,
                                double mean_words, pkin_i_term *out, uint64_t *n_out) {
    pkin_status status = PKIN_OK;
    sorter *all = NULL;
    size_t n = 0;
    *n_out = 0;
    PKIN_TRY(pkin_i_allocate(kept->n_nodes, sizeof *all, &all));
    for (size_t k = 0; k < kept->n_nodes; k++) {
        const kept_node *from = &kept->nodes[k];
        if (!is_term(texts, from, kept->n_least)) continue;
        pkin_i_term term = {.n_papers = from->n_papers, .weight = from->weight};
        term.weight_everywhere = tree->weights[from->merged];
        spell(kept, k, &term);
        if (!has_letters(texts, &term) || is_listed(texts, &term)) continue;
        term.score = score_of(texts, tree, &term, from->merged, mean_words);
        all[n++] = (sorter){texts, term};
    }
    qsort(all, n, sizeof *all, compare_terms);
    *n_out = n < PKIN_I_MAX_TERMS ? n : PKIN_I_MAX_TERMS;
    for (size_t k = 0; k < *n_out; k++) out[k] = all[k].term;
out:
    pkin_i_free(all);
    return status;
}

/* Mean over the classes (clusters, and the outliers as one more) of the words that could be in a label. */
static double mean_words_of_class(const pkin_i_label_texts *texts, const merged_tree *tree,
                                  const pkin_partition *partition) {
    uint64_t n_words = 0, n_classes = partition->n_clusters;
    for (uint32_t w = 0; w < texts->n_words; w++) {
        if (texts->classes[w] <= PKIN_I_LABEL_EDGE) n_words += tree->weights[w];
    }
    for (uint64_t p = 0; p < partition->n_nodes; p++) {
        if (partition->clusters[p] == PKIN_NO_CLUSTER) {
            n_classes++;
            break;
        }
    }
    return n_classes ? (double)n_words / (double)n_classes : 0;
}

static pkin_status rank_clusters(const pkin_i_label_texts *texts, const kept_nodes *clusters, const merged_tree *tree,
                                 const pkin_partition *partition, int n_threads, pkin_i_cluster_terms *out) {
    pkin_status status = PKIN_OK;
    pkin_i_worker_failure failure = {0};
    uint32_t n_clusters = partition->n_clusters;
    double mean_words = mean_words_of_class(texts, tree, partition);
    uint64_t *n_terms = NULL, n = 0;
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *n_terms, &n_terms));
    for (uint32_t c = 0; c < n_clusters; c++) { /* room for as many as there can be */
        out->offsets[c] = n;
        out->n_papers[c] = (uint32_t)clusters[c].n_papers;
        n += clusters[c].n_nodes < PKIN_I_MAX_TERMS ? clusters[c].n_nodes : PKIN_I_MAX_TERMS;
    }
    PKIN_TRY(pkin_i_allocate(n, sizeof *out->terms, &out->terms));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 4)
    for (uint32_t c = 0; c < n_clusters; c++) {
        pkin_i_worker_failure_note(
            &failure, rank_cluster(texts, &clusters[c], tree, mean_words, out->terms + out->offsets[c], &n_terms[c]));
    }
    PKIN_TRY(pkin_i_worker_failure_report(&failure));
    n = 0;
    for (uint32_t c = 0; c < n_clusters; c++) {
        memmove(out->terms + n, out->terms + out->offsets[c], n_terms[c] * sizeof *out->terms);
        out->offsets[c] = n;
        n += n_terms[c];
    }
    out->offsets[n_clusters] = n;
out:
    pkin_i_free(n_terms);
    return status;
}

void pkin_i_cluster_terms_free(pkin_i_cluster_terms *terms) {
    pkin_i_free(terms->offsets);
    pkin_i_free(terms->terms);
    pkin_i_free(terms->n_papers);
    memset(terms, 0, sizeof *terms);
}

pkin_status pkin_i_cluster_terms_find(const pkin_i_label_texts *texts, const pkin_partition *partition, int n_threads,
                                      pkin_i_cluster_terms *out) {
    pkin_status status = PKIN_OK;
    uint32_t n_clusters = partition->n_clusters;
    uint64_t *offsets = NULL;
    uint32_t *members = NULL;
    kept_nodes *clusters = NULL;
    merged_tree tree = {0};
    memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)n_clusters + 1, sizeof *out->offsets, &out->offsets));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *out->n_papers, &out->n_papers));
    PKIN_TRY(pkin_i_partition_members(partition, &offsets, &members));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *clusters, &clusters));
    PKIN_TRY(mine_clusters(texts, offsets, members, n_clusters, n_threads, clusters));
    PKIN_TRY(merge_trees(texts, clusters, n_clusters, &tree));
    PKIN_TRY(count_everywhere(texts, n_threads, &tree));
    PKIN_TRY(rank_clusters(texts, clusters, &tree, partition, n_threads, out));
out:
    pkin_i_free(offsets);
    pkin_i_free(members);
    for (uint32_t c = 0; clusters && c < n_clusters; c++) pkin_i_free(clusters[c].nodes);
    pkin_i_free(clusters);
    merged_tree_free(&tree);
    if (status != PKIN_OK) pkin_i_cluster_terms_free(out);
    return status;
}
