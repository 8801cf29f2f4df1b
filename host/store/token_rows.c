/* SPDX-License-Identifier: Apache-2.0 */
#include "store/token_rows.h"

#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "corpus/corpus_private.h"

enum {
    BATCH_PAPERS = 16384,   /* tokenized at once: bounds the memory, about 250 tokens of 4 bytes a paper */
    TYPICAL_ROW_BYTES = 448 /* of a paper's three blobs: a first guess, the buffer grows where it is too small */
};

/* ---- The vocabulary ------------------------------------------------------------------------------------------ */

void pkin_i_vocabulary_drop(pkin_store *store) {
    pkin_i_vocabulary_free(store->vocabulary);
    store->vocabulary = NULL;
}

static pkin_status read_data_version(pkin_store *store, int64_t *version) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_DATA_VERSION, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &found));
    *version = found ? sqlite3_column_int64(statement, 0) : -1;
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_terms(pkin_store *store, pkin_i_vocabulary *vocabulary) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TERMS_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    for (int64_t expected = 1; row; expected++) {
        uint32_t id = 0;
        const char *word = (const char *)sqlite3_column_text(statement, 1);
        size_t n_bytes = (size_t)sqlite3_column_bytes(statement, 1);
        int64_t stored_id = sqlite3_column_int64(statement, 0);
        PKIN_REQUIRE(word, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory reading its words", store->path);
        PKIN_TRY(pkin_i_vocabulary_add(vocabulary, word, n_bytes, &id));
        if (stored_id != expected || (int64_t)id + 1 != expected) {
            status = pkin_i_store_damaged(store, "its words are not numbered without gaps or repeats");
            goto out;
        }
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

pkin_status pkin_i_vocabulary_load(pkin_store *store) {
    int64_t data_version = 0;
    pkin_i_vocabulary *vocabulary = NULL;
    pkin_status status;
    PKIN_TRY(read_data_version(store, &data_version));
    if (store->vocabulary && store->data_version == data_version) return PKIN_OK;
    pkin_i_vocabulary_drop(store);
    PKIN_TRY(pkin_i_vocabulary_create(&vocabulary));
    PKIN_TRY(read_terms(store, vocabulary));
    store->vocabulary = vocabulary;
    store->data_version = data_version;
    vocabulary = NULL;
out:
    pkin_i_vocabulary_free(vocabulary);
    return status;
}

/* Writes the words that the vocabulary has beyond its first `n_before`. */
static pkin_status write_terms(pkin_store *store, uint32_t n_before) {
    sqlite3_stmt *statement = NULL;
    uint32_t n_terms = pkin_i_vocabulary_size(store->vocabulary);
    pkin_status status = PKIN_OK;
    for (uint32_t id = n_before; id < n_terms; id++) {
        size_t n_bytes = 0;
        const char *word = pkin_i_vocabulary_word(store->vocabulary, id, &n_bytes);
        PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TERM_INSERT, &statement));
        int bound = sqlite3_bind_int64(statement, 1, (int64_t)id + 1);
        bound |= sqlite3_bind_text64(statement, 2, word, n_bytes, SQLITE_STATIC, SQLITE_UTF8);
        PKIN_TRY(pkin_i_sql_run(store, statement, bound));
    }
out:
    return status;
}

/* ---- Tokens as bytes ------------------------------------------------------------------------------------------ */

pkin_status pkin_i_tokens_encode(const uint32_t *tokens, size_t n_tokens, pkin_i_buffer *out) {
    size_t room = 0;
    if (!pkin_i_multiply(n_tokens, 5, &room)) return pkin_i_fail(PKIN_ERROR_OVERFLOW, "a text has too many words");
    pkin_status status = pkin_i_buffer_reserve(out, room);
    if (status != PKIN_OK) return status;
    unsigned char *p = (unsigned char *)out->bytes + out->n_bytes;
    for (size_t k = 0; k < n_tokens; k++) {
        /* id + 1, and 0 for PKIN_I_TOKEN_BREAK, which is UINT32_MAX */
        uint32_t value = tokens[k] + 1;
        for (; value >= 0x80; value >>= 7) *p++ = (unsigned char)(value | 0x80);
        *p++ = (unsigned char)value;
    }
    out->n_bytes = (size_t)((char *)p - out->bytes);
    out->bytes[out->n_bytes] = '\0';
    return PKIN_OK;
}

bool pkin_i_tokens_decode(const unsigned char *bytes, size_t n_bytes, uint32_t n_terms, uint32_t *tokens,
                          size_t n_tokens) {
    const unsigned char *p = bytes, *end = bytes + n_bytes;
    for (size_t k = 0; k < n_tokens; k++) {
        uint64_t value = 0;
        unsigned shift = 0;
        for (;; shift += 7) {
            if (p == end || shift > 28) return false;
            value |= (uint64_t)(*p & 0x7F) << shift;
            if (*p++ < 0x80) break;
        }
        if (value > n_terms) return false;
        tokens[k] = (uint32_t)value - 1; /* 0 wraps to PKIN_I_TOKEN_BREAK */
    }
    return p == end;
}

/* Each token ends in its only byte below 0x80. */
static uint64_t count_tokens(const unsigned char *bytes, size_t n_bytes) {
    uint64_t n = 0;
    for (size_t k = 0; k < n_bytes; k++) n += bytes[k] < 0x80;
    return n;
}

/* ---- Writing -------------------------------------------------------------------------------------------------- */

static pkin_status write_document(pkin_store *store, int64_t paper_id, const pkin_i_token_documents *documents,
                                  uint64_t document, pkin_i_buffer *bytes) {
    sqlite3_stmt *statement = NULL;
    size_t ends[PKIN_I_N_FIELDS + 1] = {0};
    pkin_status status;
    pkin_i_buffer_clear(bytes);
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        const pkin_i_token_field *field = &documents->fields[f];
        uint64_t begin = field->offsets[document], end = field->offsets[document + 1];
        PKIN_TRY(pkin_i_tokens_encode(field->tokens + begin, (size_t)(end - begin), bytes));
        ends[f + 1] = bytes->n_bytes;
    }
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TOKENS_PUT, &statement));
    int bound = sqlite3_bind_int64(statement, 1, paper_id);
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        /* A NULL pointer would bind NULL; an empty buffer may have one. */
        const char *begin = bytes->bytes ? bytes->bytes + ends[f] : "";
        bound |= sqlite3_bind_blob64(statement, f + 2, begin, ends[f + 1] - ends[f], SQLITE_STATIC);
    }
    PKIN_TRY(pkin_i_sql_run(store, statement, bound));
out:
    return status;
}

/* A corpus that shows the tokenizer nothing but the sources' texts. Freed by freeing `papers`. */
static pkin_status borrow_corpus(const pkin_i_token_source *sources, size_t n, pkin_corpus *corpus) {
    pkin_status status = pkin_i_allocate_zeroed(n, sizeof *corpus->papers, &corpus->papers);
    if (status != PKIN_OK) return status;
    corpus->n_papers = n;
    corpus->name = "";
    for (size_t k = 0; k < n; k++) {
        pkin_paper *paper = &corpus->papers[k];
        paper->key = paper->id = paper->comment = paper->doi = paper->link = paper->date = "";
        paper->title = sources[k].texts[PKIN_I_TITLE];
        paper->abstract = sources[k].texts[PKIN_I_ABSTRACT];
        paper->summary = sources[k].texts[PKIN_I_SUMMARY];
    }
    return PKIN_OK;
}

static pkin_status put_batch(pkin_store *store, const pkin_i_token_source *sources, size_t n, int n_threads) {
    pkin_i_tokenize_options options = {PKIN_TOKENIZER_UNICODE, 1, {1, 1, 1}, n_threads};
    pkin_i_token_documents documents;
    pkin_i_buffer bytes = {0};
    pkin_corpus corpus;
    pkin_status status;
    memset(&documents, 0, sizeof documents);
    memset(&corpus, 0, sizeof corpus);
    uint32_t n_before = pkin_i_vocabulary_size(store->vocabulary);
    PKIN_TRY(borrow_corpus(sources, n, &corpus));
    PKIN_TRY(pkin_i_tokenize_corpus(&corpus, &options, store->vocabulary, &documents));
    PKIN_TRY(write_terms(store, n_before));
    for (size_t k = 0; k < n; k++) PKIN_TRY(write_document(store, sources[k].paper_id, &documents, k, &bytes));
out:
    pkin_i_buffer_free(&bytes);
    pkin_i_token_documents_free(&documents);
    pkin_i_free(corpus.papers);
    return status;
}

pkin_status pkin_i_token_rows_put(pkin_store *store, const pkin_i_token_source *sources, size_t n_sources,
                                  int n_threads, pkin_progress_fn on_progress, void *user) {
    pkin_status status;
    if (n_sources == 0) return PKIN_OK;
    PKIN_TRY(pkin_i_vocabulary_load(store));
    for (size_t k = 0; k < n_sources; k += BATCH_PAPERS) {
        size_t n = n_sources - k < BATCH_PAPERS ? n_sources - k : BATCH_PAPERS;
        PKIN_REQUIRE(!on_progress || !on_progress(user, "tokenizing", k, n_sources), PKIN_ERROR_CANCELLED,
                     "cancelled while tokenizing");
        PKIN_TRY(put_batch(store, sources + k, n, n_threads));
    }
out:
    return status;
}

/* ---- Another tokenizer's tokens ------------------------------------------------------------------------------- */

/* Reads up to BATCH_PAPERS papers' texts after row `*last_id` to `sources`; texts live in `arena`. */
static pkin_status read_texts(pkin_store *store, int64_t *last_id, pkin_i_token_source *sources, size_t *n,
                              pkin_i_arena *arena) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    pkin_status status;
    *n = 0;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TEXTS_READ, &statement));
    int bound = sqlite3_bind_int64(statement, 1, *last_id);
    bound |= sqlite3_bind_int64(statement, 2, BATCH_PAPERS);
    PKIN_TRY(pkin_i_sql_step(store, statement, bound, &row));
    while (row) {
        pkin_i_token_source *source = &sources[(*n)++];
        *last_id = source->paper_id = sqlite3_column_int64(statement, 0);
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
            PKIN_TRY(pkin_i_sql_copy_text(store, statement, f + 1, arena, &source->texts[f]));
        }
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status tokenize_all(pkin_store *store) {
    pkin_i_token_source *sources = NULL;
    pkin_i_arena arena = {0};
    int64_t last_id = 0;
    size_t n = 0;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_execute(store, "DELETE FROM paper_terms; DELETE FROM terms", "leaving out old tokens"));
    pkin_i_vocabulary_drop(store);
    PKIN_TRY(pkin_i_allocate(BATCH_PAPERS, sizeof *sources, &sources));
    do {
        PKIN_TRY(read_texts(store, &last_id, sources, &n, &arena));
        PKIN_TRY(pkin_i_token_rows_put(store, sources, n, 0, NULL, NULL));
        pkin_i_arena_free(&arena);
    } while (n == BATCH_PAPERS);
out:
    pkin_i_arena_free(&arena);
    pkin_i_free(sources);
    return status;
}

static pkin_status has_identity(pkin_store *store, const char *identity, bool *same) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    *same = false;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_META_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, pkin_i_sql_bind_text(statement, 1, "tokenizer"), &found));
    if (found) {
        const char *stored = (const char *)sqlite3_column_text(statement, 0);
        *same = stored && strcmp(stored, identity) == 0;
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

/* Under the write lock, so that of two processes only the first does the work. */
static pkin_status adopt_tokenizer(pkin_store *store, const char *identity) {
    sqlite3_stmt *statement = NULL;
    bool same = false;
    pkin_status status;
    PKIN_TRY(has_identity(store, identity, &same));
    if (same) goto out;
    PKIN_TRY(tokenize_all(store));
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_META_WRITE, &statement));
    int bound = pkin_i_sql_bind_text(statement, 1, "tokenizer");
    bound |= pkin_i_sql_bind_text(statement, 2, identity);
    PKIN_TRY(pkin_i_sql_run(store, statement, bound));
out:
    return status;
}

pkin_status pkin_i_token_rows_check(pkin_store *store) {
    const char *identity = pkin_i_tokenizer_identity(PKIN_TOKENIZER_UNICODE);
    pkin_i_change change;
    bool same = false;
    pkin_status status;
    PKIN_TRY(has_identity(store, identity, &same));
    if (same) goto out;
    PKIN_REQUIRE(
        !store->read_only, PKIN_ERROR_STORE_VERSION,
        "%s: its words were found by another tokenizer than this one (%s): open it once for writing (for example "
        "by ingesting a digest), and its papers are tokenized again",
        store->path, identity);
    PKIN_TRY(pkin_i_change_begin(store, &change));
    status = pkin_i_change_end(store, &change, adopt_tokenizer(store, identity));
out:
    return status;
}

/* ---- Reading all ---------------------------------------------------------------------------------------------- */

/* Every paper's blobs one behind the other: field f of document d is [ends[3 d + f], ends[3 d + f + 1]). */
typedef struct blobs {
    pkin_i_buffer bytes;
    uint64_t *ends;
    int64_t *paper_ids;
    uint64_t n_documents;
} blobs;

static pkin_status append_row(pkin_store *store, sqlite3_stmt *statement, blobs *all) {
    pkin_status status = PKIN_OK;
    all->paper_ids[all->n_documents] = sqlite3_column_int64(statement, 0);
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        const void *blob = sqlite3_column_blob(statement, f + 1);
        size_t n_bytes = (size_t)sqlite3_column_bytes(statement, f + 1);
        PKIN_REQUIRE(blob || n_bytes == 0, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory reading words", store->path);
        if (n_bytes) PKIN_TRY(pkin_i_buffer_append(&all->bytes, blob, n_bytes));
        all->ends[all->n_documents * PKIN_I_N_FIELDS + (uint64_t)f + 1] = all->bytes.n_bytes;
    }
    all->n_documents++;
out:
    return status;
}

static pkin_status count_rows(pkin_store *store, uint64_t *n_rows) {
    sqlite3_stmt *statement = NULL;
    bool found = false;
    pkin_status status;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TOKENS_COUNT, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &found));
    *n_rows = found ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
out:
    pkin_i_sql_reset(statement);
    return status;
}

static pkin_status read_blobs(pkin_store *store, blobs *all) {
    sqlite3_stmt *statement = NULL;
    uint64_t n_rows = 0;
    size_t n_ends = 0, guess = 0;
    bool row = false;
    pkin_status status;
    PKIN_TRY(count_rows(store, &n_rows));
    PKIN_REQUIRE(pkin_i_multiply(n_rows, PKIN_I_N_FIELDS, &n_ends) &&
                     pkin_i_multiply(n_rows, TYPICAL_ROW_BYTES, &guess),
                 PKIN_ERROR_OVERFLOW, "%s: has too many papers", store->path);
    PKIN_TRY(pkin_i_allocate(n_ends + 1, sizeof *all->ends, &all->ends));
    PKIN_TRY(pkin_i_allocate(n_rows, sizeof *all->paper_ids, &all->paper_ids));
    PKIN_TRY(pkin_i_buffer_reserve(&all->bytes, guess));
    all->ends[0] = 0;
    PKIN_TRY(pkin_i_sql_prepare(store, PKIN_I_SQL_TOKENS_READ, &statement));
    PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    while (row && all->n_documents < n_rows) {
        PKIN_TRY(append_row(store, statement, all));
        PKIN_TRY(pkin_i_sql_step(store, statement, SQLITE_OK, &row));
    }
out:
    pkin_i_sql_reset(statement);
    return status;
}

/* Offsets of every field, from the number of tokens of each. Each thread writes its own documents' counts alone. */
static pkin_status place_tokens(const blobs *all, int n_threads, pkin_i_token_field *fields) {
    const unsigned char *bytes = (const unsigned char *)all->bytes.bytes;
    int64_t n = (int64_t)all->n_documents;
    pkin_status status;
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        PKIN_TRY(pkin_i_allocate(all->n_documents + 1, sizeof *fields[f].offsets, &fields[f].offsets));
        fields[f].offsets[0] = 0;
    }
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (int64_t d = 0; d < n; d++) {
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
            const uint64_t *end = &all->ends[d * PKIN_I_N_FIELDS + f];
            fields[f].offsets[d + 1] = end[0] == end[1] ? 0 : count_tokens(bytes + end[0], (size_t)(end[1] - end[0]));
        }
    }
    for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
        for (int64_t d = 0; d < n; d++) fields[f].offsets[d + 1] += fields[f].offsets[d];
        PKIN_TRY(pkin_i_allocate((size_t)fields[f].offsets[n], sizeof *fields[f].tokens, &fields[f].tokens));
    }
out:
    return status;
}

/* Each thread writes its own documents' tokens alone. */
static pkin_status decode_all(pkin_store *store, const blobs *all, int n_threads, pkin_i_token_field *fields) {
    const unsigned char *bytes = (const unsigned char *)all->bytes.bytes;
    uint32_t n_terms = pkin_i_vocabulary_size(store->vocabulary);
    int64_t n = (int64_t)all->n_documents;
    int64_t n_damaged = 0;
#pragma omp parallel for schedule(static) num_threads(n_threads) reduction(+ : n_damaged)
    for (int64_t d = 0; d < n; d++) {
        for (int f = 0; f < PKIN_I_N_FIELDS; f++) {
            const uint64_t *end = &all->ends[d * PKIN_I_N_FIELDS + f];
            uint64_t begin = fields[f].offsets[d];
            size_t n_tokens = (size_t)(fields[f].offsets[d + 1] - begin);
            if (end[0] == end[1]) continue;
            n_damaged += !pkin_i_tokens_decode(bytes + end[0], (size_t)(end[1] - end[0]), n_terms,
                                               fields[f].tokens + begin, n_tokens);
        }
    }
    return n_damaged ? pkin_i_store_damaged(store, "the words of a paper name terms that are not there") : PKIN_OK;
}

pkin_status pkin_i_store_load_tokens(pkin_store *store, int n_threads, pkin_i_token_documents *documents,
                                     int64_t **paper_ids, const pkin_i_vocabulary **vocabulary) {
    blobs all;
    pkin_i_token_documents loaded;
    bool began = false;
    pkin_status status;
    memset(&all, 0, sizeof all);
    memset(&loaded, 0, sizeof loaded);
    if (n_threads <= 0) n_threads = omp_get_max_threads();
    PKIN_TRY(pkin_i_snapshot_begin(store, &began));
    PKIN_TRY(pkin_i_vocabulary_load(store));
    PKIN_TRY(read_blobs(store, &all));
    loaded.n_documents = all.n_documents;
    PKIN_TRY(place_tokens(&all, n_threads, loaded.fields));
    PKIN_TRY(decode_all(store, &all, n_threads, loaded.fields));
    *documents = loaded;
    *paper_ids = all.paper_ids;
    *vocabulary = store->vocabulary;
    memset(&loaded, 0, sizeof loaded);
    all.paper_ids = NULL;
out:
    pkin_i_snapshot_end(store, began);
    pkin_i_token_documents_free(&loaded);
    pkin_i_buffer_free(&all.bytes);
    pkin_i_free(all.ends);
    pkin_i_free(all.paper_ids);
    return status;
}
