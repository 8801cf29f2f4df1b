/* SPDX-License-Identifier: Apache-2.0 */
#include "text/tokens.h"

#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "text/tokenizer.h"
#include "text/worker_failure.h"

/*
 * The papers are cut into chunks. Each chunk is tokenized with a vocabulary of its own; the chunks' vocabularies are
 * then added to the caller's one after the other, so that words get their ids in order of first appearance however the
 * papers were cut; at last every chunk copies its tokens to their place, with the final ids.
 */
typedef struct chunk {
    uint64_t first_paper, end_paper;
    pkin_i_vocabulary *words;
    unsigned char *is_stop; /* by local id */
    size_t stop_capacity;
    uint32_t *final_ids;               /* by local id */
    uint32_t *tokens[PKIN_I_N_FIELDS]; /* local ids */
    size_t capacity[PKIN_I_N_FIELDS];
    size_t n_tokens[PKIN_I_N_FIELDS];
    /* The field at work. */
    pkin_i_field field;
    size_t field_begin;
    int break_pending;
    int drop_stop_words;
    char padding[64]; /* keeps two threads off one cache line */
} chunk;

static void chunks_free(chunk *chunks, size_t n_chunks) {
    if (!chunks) return;
    for (size_t c = 0; c < n_chunks; c++) {
        pkin_i_vocabulary_free(chunks[c].words);
        pkin_i_free(chunks[c].is_stop);
        pkin_i_free(chunks[c].final_ids);
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) pkin_i_free(chunks[c].tokens[f]);
    }
    pkin_i_free(chunks);
}

void pkin_i_token_documents_free(pkin_i_token_documents *documents) {
    if (!documents) return;
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        pkin_i_free(documents->fields[f].offsets);
        pkin_i_free(documents->fields[f].tokens);
    }
    memset(documents, 0, sizeof *documents);
}

/* ---- One chunk ---- */

static pkin_status append_token(chunk *c, uint32_t token) {
    pkin_i_field f = c->field;
    if (c->n_tokens[f] == c->capacity[f]) {
        pkin_status status = pkin_i_grow(&c->tokens[f], &c->capacity[f], c->n_tokens[f] + 1, sizeof **c->tokens);
        if (status != PKIN_OK) return status;
    }
    c->tokens[f][c->n_tokens[f]++] = token;
    return PKIN_OK;
}

/* A break is written when a word follows, and only behind a word. */
static pkin_status take_word(void *user, const char *word, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    chunk *c = user;
    if (!word) {
        c->break_pending = 1;
        return PKIN_OK;
    }
    uint32_t id, n_known = pkin_i_vocabulary_size(c->words);
    PKIN_TRY(pkin_i_vocabulary_add_padded(c->words, word, n_bytes, &id));
    if (id == n_known) {
        PKIN_TRY(pkin_i_grow(&c->is_stop, &c->stop_capacity, (size_t)id + 1, 1));
        c->is_stop[id] = (unsigned char)(c->drop_stop_words && pkin_i_is_stop_word(word, n_bytes));
    }
    if (c->is_stop[id]) return PKIN_OK;
    if (c->break_pending && c->n_tokens[c->field] > c->field_begin) PKIN_TRY(append_token(c, PKIN_I_TOKEN_BREAK));
    c->break_pending = 0;
    status = append_token(c, id);
out:
    return status;
}

static const char *field_text(const pkin_paper *paper, pkin_i_field field) {
    return field == PKIN_I_TITLE ? paper->title : field == PKIN_I_ABSTRACT ? paper->abstract : paper->summary;
}

static pkin_status tokenize_chunk(const pkin_corpus *corpus, const pkin_i_tokenize_options *options, chunk *c,
                                  pkin_i_token_documents *out) {
    pkin_status status = PKIN_OK;
    pkin_i_tokenizer_state state = pkin_i_tokenizer_start(options->tokenizer, take_word, c);
    c->drop_stop_words = options->stop_words && options->tokenizer == PKIN_TOKENIZER_UNICODE;
    PKIN_TRY(pkin_i_vocabulary_create(&c->words));
    for (uint64_t p = c->first_paper; p < c->end_paper; p++) {
        const pkin_paper *paper = pkin_corpus_paper(corpus, p);
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
            if (!options->fields[f]) continue;
            const char *text = field_text(paper, (pkin_i_field)f);
            c->field = (pkin_i_field)f;
            c->field_begin = c->n_tokens[f];
            c->break_pending = 0;
            PKIN_TRY(pkin_i_tokenizer_run(&state, text, strlen(text)));
            out->fields[f].offsets[p + 1] = c->n_tokens[f] - c->field_begin; /* a length, summed up later */
        }
    }
out:
    pkin_i_tokenizer_end(&state);
    if (c->words) pkin_i_vocabulary_close(c->words);
    return status;
}

/* ---- Together ---- */

/* So many words ahead of the one that is merged, the merged vocabulary's slots are fetched. */
enum { MERGE_AHEAD = 16 };

static pkin_status merge_words(chunk *c, pkin_i_vocabulary *vocabulary) {
    pkin_status status = PKIN_OK;
    uint32_t n_words = pkin_i_vocabulary_size(c->words);
    PKIN_TRY(pkin_i_allocate(n_words, sizeof *c->final_ids, &c->final_ids));
    for (uint32_t id = 0; id < n_words; id++) {
        size_t n_bytes;
        const char *word = pkin_i_vocabulary_word(c->words, id + MERGE_AHEAD, &n_bytes);
        if (word) pkin_i_vocabulary_prefetch(vocabulary, word, n_bytes);
        word = pkin_i_vocabulary_word(c->words, id, &n_bytes);
        c->final_ids[id] = PKIN_I_TOKEN_BREAK;
        if (!c->is_stop[id]) PKIN_TRY(pkin_i_vocabulary_add_padded(vocabulary, word, n_bytes, &c->final_ids[id]));
    }
    pkin_i_vocabulary_free(c->words);
    c->words = NULL;
out:
    return status;
}

static void copy_tokens(chunk *c, pkin_i_token_documents *out) {
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        if (!out->fields[f].tokens) continue;
        uint32_t *to = out->fields[f].tokens + out->fields[f].offsets[c->first_paper];
        for (size_t k = 0; k < c->n_tokens[f]; k++) {
            uint32_t token = c->tokens[f][k];
            to[k] = token == PKIN_I_TOKEN_BREAK ? token : c->final_ids[token];
        }
        pkin_i_free(c->tokens[f]);
        c->tokens[f] = NULL;
    }
}

static pkin_status allocate_tokens(const pkin_i_tokenize_options *options, pkin_i_token_documents *out) {
    pkin_status status = PKIN_OK;
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        uint64_t *offsets = out->fields[f].offsets;
        if (!options->fields[f]) continue;
        for (uint64_t p = 0; p < out->n_documents; p++) offsets[p + 1] += offsets[p];
        PKIN_TRY(pkin_i_allocate(offsets[out->n_documents], sizeof *out->fields[f].tokens, &out->fields[f].tokens));
    }
out:
    return status;
}

/* More chunks than threads even out unequal papers; every chunk costs a merge of its vocabulary. */
enum { CHUNKS_PER_THREAD = 4, MIN_PAPERS_PER_CHUNK = 64 };

/* Few papers are not worth waking many threads. */
static int choose_n_threads(uint64_t n_papers, int n_wanted) {
    int n_threads = n_wanted > 0 ? n_wanted : omp_get_max_threads();
    uint64_t most = n_papers / MIN_PAPERS_PER_CHUNK + 1;
    return (uint64_t)n_threads < most ? n_threads : (int)most;
}

static size_t choose_n_chunks(uint64_t n_papers, int n_threads) {
    uint64_t most = n_papers / MIN_PAPERS_PER_CHUNK + 1;
    uint64_t wanted = n_threads == 1 ? 1 : (uint64_t)n_threads * CHUNKS_PER_THREAD;
    return (size_t)(wanted < most ? wanted : most);
}

pkin_status pkin_i_tokenize_corpus(const pkin_corpus *corpus, const pkin_i_tokenize_options *options,
                                   pkin_i_vocabulary *vocabulary, pkin_i_token_documents *out) {
    pkin_status status = PKIN_OK;
    uint64_t n_papers = pkin_corpus_size(corpus);
    int n_threads = choose_n_threads(n_papers, options->n_threads);
    size_t n_chunks = choose_n_chunks(n_papers, n_threads);
    chunk *chunks = NULL;
    pkin_i_worker_failure failure = {PKIN_OK, ""};
    pkin_i_token_documents documents;
    memset(&documents, 0, sizeof documents);
    memset(out, 0, sizeof *out);
    documents.n_documents = n_papers;
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        pkin_i_token_field *field = &documents.fields[f];
        if (options->fields[f]) PKIN_TRY(pkin_i_allocate_zeroed(n_papers + 1, sizeof *field->offsets, &field->offsets));
    }
    PKIN_TRY(pkin_i_allocate_zeroed(n_chunks, sizeof *chunks, &chunks));
    for (size_t c = 0; c < n_chunks; c++) {
        chunks[c].first_paper = n_papers / n_chunks * c + (c < n_papers % n_chunks ? c : n_papers % n_chunks);
        chunks[c].end_paper = chunks[c].first_paper + n_papers / n_chunks + (c < n_papers % n_chunks);
    }
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1)
    for (size_t c = 0; c < n_chunks; c++) {
        pkin_i_worker_failure_note(&failure, tokenize_chunk(corpus, options, &chunks[c], &documents));
    }
    PKIN_TRY(pkin_i_worker_failure_report(&failure));
    for (size_t c = 0; c < n_chunks; c++) PKIN_TRY(merge_words(&chunks[c], vocabulary));
    PKIN_TRY(allocate_tokens(options, &documents));
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, 1)
    for (size_t c = 0; c < n_chunks; c++) copy_tokens(&chunks[c], &documents);
    *out = documents;
    memset(&documents, 0, sizeof documents);
out:
    chunks_free(chunks, n_chunks);
    pkin_i_token_documents_free(&documents);
    return status;
}
