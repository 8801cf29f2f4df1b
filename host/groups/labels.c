/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/labels.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/take_options.h"
#include "groups/label_choice.h"
#include "groups/partition.h"
#include "groups/surface_forms.h"
#include "text/worker_failure.h"

/*
 * For each language: the papers as words (label_texts.h), the terms of each cluster (label_terms.h), which of them make
 * its label (label_choice.h), and how its papers write them (surface_forms.h).
 */
enum { DEFAULT_TERMS = 3, MOST_TERMS = 16, FALLBACK_WORDS = 6, N_STEPS = 8 };

static const char *const separators[] = {", ", "\xE3\x80\x81"};

pkin_labels_options pkin_labels_options_default(void) {
    return (pkin_labels_options){.size = sizeof(pkin_labels_options), .n_terms = DEFAULT_TERMS};
}

void pkin_labels_free(pkin_labels *labels) {
    if (!labels) return;
    pkin_i_free(labels->labels);
    if (labels->memory) pkin_i_arena_free(labels->memory);
    pkin_i_free(labels->memory);
    memset(labels, 0, sizeof *labels);
}

typedef struct labeller {
    const pkin_paper *const *papers;
    const pkin_partition *partition;
    const uint32_t *parents;
    const pkin_labels_options *options;
    int n_threads;
    uint64_t *offsets; /* members by cluster */
    uint32_t *members;
    pkin_i_buffer *written; /* by cluster: terms of the language at work, each ended by a NUL */
    uint32_t *n_written;
    uint64_t n_steps; /* done */
} labeller;

static pkin_status tell(labeller *l) {
    const pkin_labels_options *options = l->options;
    uint64_t done = l->n_steps++;
    if (!options->on_progress || !options->on_progress(options->progress_user, "labelling", done, N_STEPS)) {
        return PKIN_OK;
    }
    return pkin_i_fail(PKIN_ERROR_CANCELLED, "labelling was cancelled");
}

/* ---- Written terms ---- */

static pkin_status write_cluster(const labeller *l, const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms,
                                 const pkin_i_label_choice *choice, uint32_t cluster, pkin_i_surface_scratch *scratch) {
    pkin_status status = PKIN_OK;
    for (uint32_t k = 0; k < choice->n_chosen[cluster]; k++) {
        const pkin_i_term *term = &terms->terms[choice->chosen[(uint64_t)cluster * choice->n_each + k]];
        uint64_t begin = l->offsets[cluster];
        PKIN_TRY(pkin_i_surface_form_find(texts, l->papers, l->members + begin, l->offsets[cluster + 1] - begin, term,
                                          scratch, &l->written[cluster]));
        PKIN_TRY(pkin_i_buffer_append(&l->written[cluster], "", 1));
        l->n_written[cluster]++;
    }
out:
    return status;
}

/* For a cluster with text, but without a word that could be a term: the first words of its first text. */
static pkin_status write_fallback(const labeller *l, const pkin_i_label_texts *texts, uint32_t cluster,
                                  pkin_i_surface_scratch *scratch) {
    pkin_status status = PKIN_OK;
    pkin_i_label_scanner *scanner = &scratch->scanner;
    for (uint64_t m = l->offsets[cluster]; m < l->offsets[cluster + 1]; m++) {
        uint64_t text = (uint64_t)l->members[m] * PKIN_I_LABEL_N_TEXTS;
        int which = 0;
        while (which < PKIN_I_LABEL_N_TEXTS && texts->offsets[text] == texts->offsets[text + 1]) which++, text++;
        if (which == PKIN_I_LABEL_N_TEXTS) continue;
        PKIN_TRY(pkin_i_label_scan(scanner, pkin_i_label_text(l->papers[l->members[m]], texts->language, which)));
        for (size_t w = 0; w < scanner->n_words && w < FALLBACK_WORDS; w++) {
            size_t n_bytes = scanner->words[w].end - scanner->words[w].begin;
            if (w) PKIN_TRY(pkin_i_buffer_char(&l->written[cluster], ' '));
            PKIN_TRY(pkin_i_buffer_append(&l->written[cluster], scanner->text + scanner->words[w].begin, n_bytes));
        }
        PKIN_TRY(pkin_i_buffer_append(&l->written[cluster], "", 1));
        l->n_written[cluster] = 1;
        break;
    }
out:
    return status;
}

/* Chinese labels are for clusters of which a third of the papers or more has Chinese text. */
static int wants_label(const labeller *l, const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms,
                       uint32_t cluster) {
    uint64_t n_members = l->offsets[cluster + 1] - l->offsets[cluster], n = terms->n_papers[cluster];
    return n > 0 && (texts->language == PKIN_I_LABEL_ENGLISH || n * 3 >= n_members);
}

static pkin_status write_clusters(labeller *l, const pkin_i_label_texts *texts, const pkin_i_cluster_terms *terms,
                                  const pkin_i_label_choice *choice) {
    pkin_i_worker_failure failure = {0};
#pragma omp parallel num_threads(l->n_threads)
    {
        pkin_i_surface_scratch scratch = {0};
#pragma omp for schedule(dynamic, 1)
        for (uint32_t c = 0; c < l->partition->n_clusters; c++) {
            l->n_written[c] = 0;
            pkin_i_buffer_clear(&l->written[c]);
            if (!wants_label(l, texts, terms, c)) continue;
            pkin_i_worker_failure_note(&failure, choice->n_chosen[c]
                                                     ? write_cluster(l, texts, terms, choice, c, &scratch)
                                                     : write_fallback(l, texts, c, &scratch));
        }
        pkin_i_surface_scratch_free(&scratch);
    }
    return pkin_i_worker_failure_report(&failure);
}

/* ---- Labels ---- */

typedef struct named_cluster {
    uint32_t parent, cluster;
    const char *text;
} named_cluster;

static int compare_names(const void *first, const void *second) {
    const named_cluster *a = first, *b = second;
    if (a->parent != b->parent) return a->parent < b->parent ? -1 : 1;
    int order = strcmp(a->text, b->text);
    return order ? order : a->cluster < b->cluster ? -1 : 1;
}

static const char **label_text(pkin_label *label, pkin_i_label_language language) {
    return language == PKIN_I_LABEL_ENGLISH ? &label->english : &label->chinese;
}

/* Siblings that have the same label after all are told apart by numbers: "lattice (2)". No term has a parenthesis. */
static pkin_status number_equals(const labeller *l, pkin_i_label_language language, pkin_labels *out) {
    pkin_status status = PKIN_OK;
    named_cluster *names = NULL;
    pkin_i_buffer text = {0};
    uint32_t n = 0;
    PKIN_TRY(pkin_i_allocate(out->n_clusters, sizeof *names, &names));
    for (uint32_t c = 0; c < out->n_clusters; c++) {
        const char *name = *label_text(&out->labels[c], language);
        if (*name) names[n++] = (named_cluster){l->parents ? l->parents[c] : 0, c, name};
    }
    qsort(names, n, sizeof *names, compare_names);
    for (uint32_t k = 1, same = 1; k < n; k++) {
        int equal = names[k].parent == names[k - 1].parent && !strcmp(names[k].text, names[k - 1].text);
        same = equal ? same + 1 : 1;
        if (!equal) continue;
        pkin_i_buffer_clear(&text);
        PKIN_TRY(pkin_i_buffer_printf(&text, "%s (%u)", names[k].text, same));
        PKIN_TRY(pkin_i_arena_string(out->memory, text.bytes, text.n_bytes,
                                     label_text(&out->labels[names[k].cluster], language)));
    }
out:
    pkin_i_free(names);
    pkin_i_buffer_free(&text);
    return status;
}

/* The terms of a cluster as strings, and all of them in one. */
static pkin_status join_terms(const labeller *l, pkin_i_label_language language, uint32_t cluster,
                              pkin_i_buffer *scratch, pkin_labels *out) {
    pkin_status status = PKIN_OK;
    pkin_label *label = &out->labels[cluster];
    const char **terms = NULL, *from = l->written[cluster].bytes;
    uint32_t n = l->n_written[cluster];
    if (language == PKIN_I_LABEL_ENGLISH) {
        PKIN_TRY(pkin_i_arena_allocate(out->memory, (size_t)n + 1, sizeof *terms, &terms));
        label->terms = terms;
        terms[n] = NULL;
    }
    pkin_i_buffer_clear(scratch);
    for (uint32_t k = 0; k < n; k++, from += strlen(from) + 1) {
        if (terms) PKIN_TRY(pkin_i_arena_string(out->memory, from, strlen(from), &terms[k]));
        if (k) PKIN_TRY(pkin_i_buffer_string(scratch, separators[language]));
        PKIN_TRY(pkin_i_buffer_string(scratch, from));
    }
    PKIN_TRY(pkin_i_arena_string(out->memory, scratch->n_bytes ? scratch->bytes : "", scratch->n_bytes,
                                 label_text(label, language)));
out:
    return status;
}

static pkin_status label_language(labeller *l, pkin_i_label_language language, pkin_labels *out) {
    pkin_status status = PKIN_OK;
    pkin_i_label_texts texts = {0};
    pkin_i_cluster_terms terms = {0};
    pkin_i_label_choice choice = {0};
    pkin_i_buffer scratch = {0};
    uint32_t n_clusters = out->n_clusters;
    PKIN_TRY(tell(l));
    PKIN_TRY(pkin_i_label_texts_read(l->papers, l->partition->n_nodes, language, l->n_threads, &texts));
    PKIN_TRY(tell(l));
    PKIN_TRY(pkin_i_cluster_terms_find(&texts, l->partition, l->n_threads, &terms));
    PKIN_TRY(tell(l));
    PKIN_TRY(pkin_i_label_choice_make(&texts, &terms, n_clusters, l->parents, l->options->n_terms, &choice));
    PKIN_TRY(write_clusters(l, &texts, &terms, &choice));
    PKIN_TRY(tell(l));
    for (uint32_t c = 0; c < n_clusters; c++) PKIN_TRY(join_terms(l, language, c, &scratch, out));
    status = number_equals(l, language, out);
out:
    pkin_i_label_texts_free(&texts);
    pkin_i_cluster_terms_free(&terms);
    pkin_i_label_choice_free(&choice);
    pkin_i_buffer_free(&scratch);
    return status;
}

static pkin_status make_labels(labeller *l, pkin_labels *out) {
    pkin_status status = PKIN_OK;
    uint32_t n_clusters = l->partition->n_clusters;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof(pkin_i_arena), &out->memory));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *out->labels, &out->labels));
    out->n_clusters = n_clusters;
    PKIN_TRY(pkin_i_partition_members(l->partition, &l->offsets, &l->members));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *l->written, &l->written));
    PKIN_TRY(pkin_i_allocate_zeroed(n_clusters, sizeof *l->n_written, &l->n_written));
    PKIN_TRY(label_language(l, PKIN_I_LABEL_ENGLISH, out));
    PKIN_TRY(label_language(l, PKIN_I_LABEL_CHINESE, out));
out:
    for (uint32_t c = 0; l->written && c < n_clusters; c++) pkin_i_buffer_free(&l->written[c]);
    pkin_i_free(l->written);
    pkin_i_free(l->n_written);
    pkin_i_free(l->offsets);
    pkin_i_free(l->members);
    return status;
}

/* Threads are not worth waking for few papers. */
static int choose_n_threads(int n_wanted, uint64_t n_papers) {
    enum { PAPERS_PER_THREAD = 256 };
    uint64_t most = n_papers / PAPERS_PER_THREAD + 1;
    if (n_wanted > 0) return n_wanted;
    return most < (uint64_t)omp_get_max_threads() ? (int)most : omp_get_max_threads();
}

pkin_status pkin_labels_make(const pkin_paper *const *papers, const pkin_partition *partition, const uint32_t *parents,
                             const pkin_labels_options *options, pkin_labels *out) {
    pkin_status status = PKIN_OK;
    pkin_labels_options o = pkin_labels_options_default();
    if (out) memset(out, 0, sizeof *out);
    PKIN_TRY(pkin_i_take_options(options, &o, "pkin_labels_options"));
    PKIN_REQUIRE(partition && out && (papers || !partition->n_nodes), PKIN_ERROR_INVALID_ARGUMENT,
                 "labels: papers, a partition and a place for the result are needed");
    PKIN_REQUIRE(o.n_terms >= 1 && o.n_terms <= MOST_TERMS, PKIN_ERROR_INVALID_ARGUMENT,
                 "labels: %u terms, expected 1 to %d", o.n_terms, MOST_TERMS);
    PKIN_REQUIRE(o.n_threads >= 0, PKIN_ERROR_INVALID_ARGUMENT, "labels: %d threads, expected 0 (all) or more",
                 o.n_threads);
    PKIN_TRY(pkin_i_partition_check(partition, partition->n_nodes));
    labeller l = {.papers = papers, .partition = partition, .parents = parents, .options = &o};
    l.n_threads = choose_n_threads(o.n_threads, partition->n_nodes);
    status = make_labels(&l, out);
out:
    if (status != PKIN_OK) pkin_labels_free(out);
    return status;
}
