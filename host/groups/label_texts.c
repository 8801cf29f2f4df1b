/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/label_texts.h"

#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "text/worker_failure.h"

/*
 * As the module text does: chunks of papers are scanned with vocabularies of their own, which are merged one after the
 * other, so that words get their numbers in order of first appearance however the papers were cut.
 */
enum { CHUNKS_PER_THREAD = 8 };

typedef struct chunk {
    uint64_t first_paper, end_paper;
    pkin_i_vocabulary *words;
    uint32_t *final_words; /* by the chunk's own number */
    int32_t *smalls;       /* the same */
    size_t smalls_capacity;
    uint32_t *tokens;
    size_t n_tokens, capacity;
    char padding[64]; /* keeps two threads off one cache line */
} chunk;

const char *pkin_i_label_text(const pkin_paper *paper, pkin_i_label_language language, int which) {
    const char *text = which == 0 ? paper->title : which == 1 ? paper->abstract : paper->summary;
    if (!*text) return NULL;
    if (pkin_i_label_is_chinese(text) != (language == PKIN_I_LABEL_CHINESE)) return NULL;
    if (which < 2 || language == PKIN_I_LABEL_CHINESE) return text;
    return pkin_i_label_text(paper, language, 1) ? NULL : text;
}

void pkin_i_label_texts_free(pkin_i_label_texts *texts) {
    pkin_i_free(texts->offsets);
    pkin_i_free(texts->tokens);
    pkin_i_free(texts->classes);
    pkin_i_free(texts->smalls);
    pkin_i_free(texts->singulars);
    pkin_i_vocabulary_free(texts->vocabulary);
    memset(texts, 0, sizeof *texts);
}

static void chunks_free(chunk *chunks, size_t n_chunks) {
    for (size_t c = 0; chunks && c < n_chunks; c++) {
        pkin_i_vocabulary_free(chunks[c].words);
        pkin_i_free(chunks[c].final_words);
        pkin_i_free(chunks[c].smalls);
        pkin_i_free(chunks[c].tokens);
    }
    pkin_i_free(chunks);
}

/* ---- One chunk ---- */

static int begins_with_capital(const pkin_i_label_scanner *scanner, size_t word) {
    char first = scanner->text[scanner->words[word].begin];
    return first >= 'A' && first <= 'Z';
}

/* Whether a neighbour behind or before a space has a capital too: "Synthetic Aperture Radar" tells little of its words.
 */
static int stands_among_capitals(const pkin_i_label_scanner *scanner, size_t word) {
    if (scanner->words[word].gap == PKIN_I_LABEL_SPACE && begins_with_capital(scanner, word - 1)) return 1;
    return word + 1 < scanner->n_words && scanner->words[word + 1].gap == PKIN_I_LABEL_SPACE &&
           begins_with_capital(scanner, word + 1);
}

/* Counts the case of a word's first letter where it is the writer's choice: behind a space, in no title. Behind a
   hyphen a capital may be there only because the word before has one. */
static pkin_status note_case(chunk *c, const pkin_i_label_scanner *scanner, size_t word, uint32_t id) {
    pkin_status status = PKIN_OK;
    size_t known = c->smalls_capacity;
    char first = scanner->text[scanner->words[word].begin];
    pkin_i_label_gap gap = scanner->words[word].gap;
    if (id >= known) {
        PKIN_TRY(pkin_i_grow(&c->smalls, &c->smalls_capacity, (size_t)id + 1, sizeof *c->smalls));
        memset(c->smalls + known, 0, (c->smalls_capacity - known) * sizeof *c->smalls);
    }
    if (gap == PKIN_I_LABEL_BREAK || !pkin_i_ascii_is_alpha(first)) goto out;
    if (first >= 'a')
        c->smalls[id]++;
    else if (gap == PKIN_I_LABEL_SPACE && !stands_among_capitals(scanner, word))
        c->smalls[id]--;
out:
    return status;
}

static pkin_status read_text(chunk *c, pkin_i_label_scanner *scanner, const char *text, int in_title) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_label_scan(scanner, text));
    PKIN_TRY(pkin_i_grow(&c->tokens, &c->capacity, c->n_tokens + scanner->n_words, sizeof *c->tokens));
    for (size_t k = 0; k < scanner->n_words; k++) {
        const char *word;
        size_t n_bytes;
        uint32_t id;
        PKIN_TRY(pkin_i_label_fold(scanner, &scanner->words[k], &word, &n_bytes));
        PKIN_TRY(pkin_i_vocabulary_add_padded(c->words, word, n_bytes, &id));
        PKIN_REQUIRE(id < PKIN_I_LABEL_MAX_WORDS, PKIN_ERROR_OVERFLOW, "labels: more than 2^30 different words");
        if (!in_title) PKIN_TRY(note_case(c, scanner, k, id));
        c->tokens[c->n_tokens++] = id | (uint32_t)scanner->words[k].gap << PKIN_I_LABEL_GAP_SHIFT;
    }
out:
    return status;
}

static pkin_status read_chunk(const pkin_paper *const *papers, chunk *c, pkin_i_label_texts *out) {
    pkin_status status = PKIN_OK;
    pkin_i_label_scanner scanner = {0};
    PKIN_TRY(pkin_i_vocabulary_create(&c->words));
    for (uint64_t p = c->first_paper; p < c->end_paper; p++) {
        for (int which = 0; which < PKIN_I_LABEL_N_TEXTS; which++) {
            const char *text = pkin_i_label_text(papers[p], out->language, which);
            size_t before = c->n_tokens;
            if (text) PKIN_TRY(read_text(c, &scanner, text, which == 0));
            /* A length, summed up later. */
            out->offsets[p * PKIN_I_LABEL_N_TEXTS + (uint64_t)which + 1] = c->n_tokens - before;
        }
    }
out:
    pkin_i_label_scanner_free(&scanner);
    if (c->words) pkin_i_vocabulary_close(c->words);
    return status;
}

/* ---- Together ---- */

static pkin_status merge_words(chunk *c, pkin_i_vocabulary *vocabulary) {
    enum { AHEAD = 16 }; /* so many words ahead of the one that is added, its slot is fetched */
    pkin_status status = PKIN_OK;
    uint32_t n_words = pkin_i_vocabulary_size(c->words);
    PKIN_TRY(pkin_i_allocate(n_words, sizeof *c->final_words, &c->final_words));
    for (uint32_t id = 0; id < n_words; id++) {
        size_t n_bytes;
        const char *word = pkin_i_vocabulary_word(c->words, id + AHEAD, &n_bytes);
        if (word) pkin_i_vocabulary_prefetch(vocabulary, word, n_bytes);
        word = pkin_i_vocabulary_word(c->words, id, &n_bytes);
        PKIN_TRY(pkin_i_vocabulary_add_padded(vocabulary, word, n_bytes, &c->final_words[id]));
        PKIN_REQUIRE(c->final_words[id] < PKIN_I_LABEL_MAX_WORDS, PKIN_ERROR_OVERFLOW,
                     "labels: more than 2^30 different words");
    }
out:
    return status;
}

/* The word's singular where the papers have that too, else the word itself. */
static uint32_t find_singular(const pkin_i_vocabulary *vocabulary, uint32_t id) {
    enum { MAX_BYTES = 64 };
    char singular[MAX_BYTES + 1];
    size_t n_bytes, length;
    const char *word = pkin_i_vocabulary_word(vocabulary, id, &n_bytes);
    if (n_bytes > MAX_BYTES) return id;
    for (int attempt = 0; (length = pkin_i_label_singular(word, n_bytes, attempt, singular)) > 0; attempt++) {
        uint32_t found = pkin_i_vocabulary_find(vocabulary, singular, length);
        if (found != UINT32_MAX) return found;
    }
    return id;
}

static void classify_words(pkin_i_label_texts *out, int n_threads) {
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (uint32_t id = 0; id < out->n_words; id++) {
        size_t n_bytes;
        const char *word = pkin_i_vocabulary_word(out->vocabulary, id, &n_bytes);
        out->classes[id] = (unsigned char)pkin_i_label_classify(word, n_bytes);
        out->singulars[id] = find_singular(out->vocabulary, id);
    }
}

static void copy_tokens(const chunk *c, pkin_i_label_texts *out) {
    uint32_t *to = out->tokens + out->offsets[c->first_paper * PKIN_I_LABEL_N_TEXTS];
    for (size_t k = 0; k < c->n_tokens; k++) {
        uint32_t word = c->final_words[pkin_i_label_token_word(c->tokens[k])];
        to[k] = out->singulars[word] | (uint32_t)pkin_i_label_token_gap(c->tokens[k]) << PKIN_I_LABEL_GAP_SHIFT;
    }
}

/* Each case is counted for the word that stands for it, its singular. */
static void sum_cases(const chunk *c, pkin_i_label_texts *out) {
    uint32_t n_words = pkin_i_vocabulary_size(c->words);
    for (uint32_t id = 0; id < n_words && id < c->smalls_capacity; id++) {
        out->smalls[out->singulars[c->final_words[id]]] += c->smalls[id];
    }
}

static pkin_status read_chunks(const pkin_paper *const *papers, chunk *chunks, size_t n_chunks, int n_threads,
                               pkin_i_label_texts *out) {
    pkin_i_worker_failure failure = {0};
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1)
    for (size_t c = 0; c < n_chunks; c++) {
        pkin_i_worker_failure_note(&failure, read_chunk(papers, &chunks[c], out));
    }
    return pkin_i_worker_failure_report(&failure);
}

static pkin_status join_chunks(chunk *chunks, size_t n_chunks, int n_threads, pkin_i_label_texts *out) {
    pkin_status status = PKIN_OK;
    uint64_t n_texts = out->n_papers * PKIN_I_LABEL_N_TEXTS;
    for (uint64_t t = 0; t < n_texts; t++) out->offsets[t + 1] += out->offsets[t];
    PKIN_TRY(pkin_i_vocabulary_create(&out->vocabulary));
    for (size_t c = 0; c < n_chunks; c++) PKIN_TRY(merge_words(&chunks[c], out->vocabulary));
    out->n_words = pkin_i_vocabulary_size(out->vocabulary);
    PKIN_TRY(pkin_i_allocate(out->n_words, 1, &out->classes));
    PKIN_TRY(pkin_i_allocate_zeroed(out->n_words, sizeof *out->smalls, &out->smalls));
    PKIN_TRY(pkin_i_allocate(out->n_words, sizeof *out->singulars, &out->singulars));
    PKIN_TRY(pkin_i_allocate(out->offsets[n_texts], sizeof *out->tokens, &out->tokens));
    classify_words(out, n_threads);
    for (size_t c = 0; c < n_chunks; c++) sum_cases(&chunks[c], out);
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1)
    for (size_t c = 0; c < n_chunks; c++) copy_tokens(&chunks[c], out);
out:
    return status;
}

pkin_status pkin_i_label_texts_read(const pkin_paper *const *papers, uint64_t n_papers, pkin_i_label_language language,
                                    int n_threads, pkin_i_label_texts *out) {
    pkin_status status = PKIN_OK;
    size_t n_chunks = (size_t)n_threads * CHUNKS_PER_THREAD, n_texts;
    chunk *chunks = NULL;
    memset(out, 0, sizeof *out);
    out->language = language;
    out->n_papers = n_papers;
    if (n_chunks > n_papers) n_chunks = n_papers ? (size_t)n_papers : 1;
    PKIN_REQUIRE(pkin_i_multiply(n_papers, PKIN_I_LABEL_N_TEXTS, &n_texts) && pkin_i_add(n_texts, 1, &n_texts),
                 PKIN_ERROR_OVERFLOW, "labels: %llu papers are too many", (unsigned long long)n_papers);
    PKIN_TRY(pkin_i_allocate_zeroed(n_texts, sizeof *out->offsets, &out->offsets));
    PKIN_TRY(pkin_i_allocate_zeroed(n_chunks, sizeof *chunks, &chunks));
    for (size_t c = 0; c < n_chunks; c++) {
        chunks[c].first_paper = n_papers / n_chunks * c + (c < n_papers % n_chunks ? c : n_papers % n_chunks);
        chunks[c].end_paper = chunks[c].first_paper + n_papers / n_chunks + (c < n_papers % n_chunks);
    }
    PKIN_TRY(read_chunks(papers, chunks, n_chunks, n_threads, out));
    PKIN_TRY(join_chunks(chunks, n_chunks, n_threads, out));
out:
    chunks_free(chunks, n_chunks);
    if (status != PKIN_OK) pkin_i_label_texts_free(out);
    return status;
}
