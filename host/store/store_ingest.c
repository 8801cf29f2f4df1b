/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/take_options.h"
#include "corpus/corpus_private.h"
#include "store/digest_rows.h"
#include "store/paper_rows.h"
#include "store/token_rows.h"

enum { RECORDS_A_PROGRESS = 1024 };

/* One distinct paper of the digest at hand. */
typedef struct ingest_paper {
    int64_t id;       /* 0: the store does not know it (a known digest's are all known) */
    unsigned version; /* highest in this digest */
    bool is_new;      /* its row was made by this ingestion */
} ingest_paper;

/* All that one ingestion holds. */
typedef struct ingestion {
    pkin_store *store;
    const pkin_corpus *corpus;
    pkin_ingest_options options;
    pkin_i_digest_row digest;
    ingest_paper *papers; /* in order of first record */
    size_t n_papers;
    uint64_t *slots;              /* hash table over paper ids, 0 or index of `papers` + 1 */
    size_t n_slots;               /* a power of two, at least twice the records */
    pkin_i_token_source *sources; /* papers with texts to tokenize */
    size_t *source_of;            /* paper -> index of `sources` + 1, 0: none */
    size_t n_sources;
    pkin_i_arena texts; /* merged texts, until they are tokenized */
    pkin_i_buffer lists[2];
} ingestion;

static pkin_status prepare_ingestion(ingestion *work) {
    size_t n = (size_t)work->corpus->n_papers, doubled = 0;
    pkin_status status;
    PKIN_REQUIRE(pkin_i_multiply(n, 4, &doubled), PKIN_ERROR_OVERFLOW, "%s: has too many records", work->corpus->name);
    for (work->n_slots = 16; work->n_slots < 2 * n;) work->n_slots *= 2;
    PKIN_TRY(pkin_i_allocate_zeroed(work->n_slots, sizeof *work->slots, &work->slots));
    PKIN_TRY(pkin_i_allocate(n, sizeof *work->papers, &work->papers));
    PKIN_TRY(pkin_i_allocate(n, sizeof *work->sources, &work->sources));
    PKIN_TRY(pkin_i_allocate_zeroed(n, sizeof *work->source_of, &work->source_of));
out:
    return status;
}

static void free_ingestion(ingestion *work) {
    pkin_i_free(work->slots);
    pkin_i_free(work->papers);
    pkin_i_free(work->sources);
    pkin_i_free(work->source_of);
    pkin_i_arena_free(&work->texts);
    pkin_i_buffer_free(&work->lists[0]);
    pkin_i_buffer_free(&work->lists[1]);
}

/* Index of the paper in `papers`, added where this is its first record. */
static size_t paper_index(ingestion *work, int64_t id, bool is_new) {
    size_t mask = work->n_slots - 1;
    size_t slot = (size_t)pkin_i_hash_u64((uint64_t)id) & mask;
    while (work->slots[slot] && work->papers[work->slots[slot] - 1].id != id) slot = (slot + 1) & mask;
    if (!work->slots[slot]) {
        work->papers[work->n_papers] = (ingest_paper){id, 0, is_new};
        work->slots[slot] = ++work->n_papers;
    }
    return (size_t)work->slots[slot] - 1;
}

static void note_version(ingestion *work, size_t paper, unsigned version) {
    if (version > work->papers[paper].version) work->papers[paper].version = version;
}

/* A paper whose text changes twice in one file is tokenized once, in its last form. */
static void note_texts(ingestion *work, size_t paper, const pkin_i_paper_put *put) {
    if (!work->source_of[paper]) work->source_of[paper] = ++work->n_sources;
    pkin_i_token_source *source = &work->sources[work->source_of[paper] - 1];
    source->paper_id = put->paper_id;
    memcpy(source->texts, put->texts, sizeof source->texts);
}

static pkin_status report_progress(const ingestion *work, const char *stage, uint64_t done) {
    const pkin_ingest_options *options = &work->options;
    if (!options->on_progress || !options->on_progress(options->progress_user, stage, done, work->corpus->n_papers)) {
        return PKIN_OK;
    }
    return pkin_i_fail(PKIN_ERROR_CANCELLED, "%s: cancelled; nothing of it was kept", work->corpus->name);
}

/* ---- The report ----------------------------------------------------------------------------------------------- */

/* Papers whose row is new cannot have been seen; the others are looked up. */
static pkin_status count_sightings(ingestion *work, pkin_ingest_report *report) {
    pkin_status status = PKIN_OK;
    report->n_papers = work->n_papers;
    for (size_t k = 0; k < work->n_papers; k++) {
        const ingest_paper *paper = &work->papers[k];
        uint64_t n_times = 0;
        unsigned max_version = 0;
        if (!paper->is_new)
            PKIN_TRY(pkin_i_seen_earlier(work->store, paper->id, &work->digest, &n_times, &max_version));
        if (n_times == 0) report->n_new++;
        /* Where no version was named before, this one may well be the same. */
        else if (max_version > 0 && paper->version > max_version)
            report->n_new_versions++;
        else
            report->n_repeats++;
    }
out:
    return status;
}

static void begin_report(const ingestion *work, pkin_ingest_report *report) {
    memset(report, 0, sizeof *report);
    report->format = work->corpus->format;
    report->n_records = work->corpus->n_papers;
    report->n_skipped = work->corpus->n_skipped;
    report->background = work->digest.background;
    memcpy(report->date, work->digest.date, sizeof report->date);
}

static bool wants_background(const ingestion *work) {
    return work->options.background < 0 ? work->corpus->format == PKIN_FORMAT_SNAPSHOT : work->options.background != 0;
}

/* A digest found in the store that the caller says is something else than was said before. */
static bool is_of_other_kind(const ingestion *work) {
    return work->digest.id && work->options.background >= 0 && work->digest.background != wants_background(work);
}

static pkin_status report_known(ingestion *work, pkin_ingest_report *report) {
    pkin_status status = PKIN_OK;
    begin_report(work, report);
    report->already_known = 1;
    for (uint64_t r = 0; r < work->corpus->n_papers; r++) {
        int64_t id = 0;
        PKIN_TRY(pkin_i_store_find_paper(work->store, work->corpus->papers[r].key, &id));
        if (!id) {
            status = pkin_i_store_damaged(work->store, "a digest is recorded, but not all of its papers are");
            goto out;
        }
        note_version(work, paper_index(work, id, false), work->corpus->papers[r].version);
    }
    PKIN_TRY(count_sightings(work, report));
out:
    return status;
}

/* ---- Writing -------------------------------------------------------------------------------------------------- */

static pkin_status put_version(ingestion *work, int64_t paper_id, unsigned version) {
    sqlite3_stmt *statement = NULL;
    if (version == 0) return PKIN_OK;
    pkin_status status = pkin_i_sql_prepare(work->store, PKIN_I_SQL_VERSION_PUT, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, paper_id);
    bound |= sqlite3_bind_int64(statement, 2, version);
    bound |= pkin_i_sql_bind_text(statement, 3, work->digest.date);
    return pkin_i_sql_run(work->store, statement, bound);
}

static pkin_status insert_appearance(ingestion *work, int64_t paper_id, uint64_t position, unsigned version) {
    sqlite3_stmt *statement = NULL;
    pkin_status status = pkin_i_sql_prepare(work->store, PKIN_I_SQL_APPEARANCE_INSERT, &statement);
    if (status != PKIN_OK) return status;
    int bound = sqlite3_bind_int64(statement, 1, paper_id);
    bound |= sqlite3_bind_int64(statement, 2, work->digest.id);
    bound |= sqlite3_bind_int64(statement, 3, (int64_t)position);
    bound |= sqlite3_bind_int64(statement, 4, version);
    return pkin_i_sql_run(work->store, statement, bound);
}

static pkin_status put_record(ingestion *work, uint64_t r) {
    const pkin_paper *record = &work->corpus->papers[r];
    pkin_i_paper_put put;
    pkin_status status;
    PKIN_TRY(pkin_i_paper_row_put(work->store, record, work->lists, &work->texts, &put));
    size_t paper = paper_index(work, put.paper_id, put.is_new);
    note_version(work, paper, record->version);
    if (put.text_changed) note_texts(work, paper, &put);
    PKIN_TRY(put_version(work, put.paper_id, record->version));
    PKIN_TRY(insert_appearance(work, put.paper_id, r + 1, record->version));
out:
    return status;
}

static pkin_status put_digest(ingestion *work, pkin_ingest_report *report) {
    pkin_status status;
    work->digest.background = wants_background(work);
    PKIN_TRY(pkin_i_digest_row_insert(work->store, &work->digest, work->corpus));
    for (uint64_t r = 0; r < work->corpus->n_papers; r++) {
        if (r % RECORDS_A_PROGRESS == 0) PKIN_TRY(report_progress(work, "remembering", r));
        PKIN_TRY(put_record(work, r));
    }
    PKIN_TRY(pkin_i_token_rows_put(work->store, work->sources, work->n_sources, work->options.n_threads,
                                   work->options.on_progress, work->options.progress_user));
    begin_report(work, report);
    PKIN_TRY(count_sightings(work, report));
out:
    return status;
}

/* Under the write lock the digest is looked up again: another process may have recorded it meanwhile. */
static pkin_status put_or_know(ingestion *work, const pkin_i_digest_identity *identity, pkin_ingest_report *report) {
    pkin_status status = pkin_i_digest_row_find(work->store, identity, &work->digest);
    if (status != PKIN_OK) return status;
    if (!work->digest.id) return put_digest(work, report);
    if (is_of_other_kind(work)) {
        work->digest.background = wants_background(work);
        status = pkin_i_digest_row_set_background(work->store, &work->digest);
    }
    return status == PKIN_OK ? report_known(work, report) : status;
}

pkin_status pkin_i_store_ingest_corpus(pkin_store *store, const pkin_corpus *corpus,
                                       const pkin_i_digest_identity *identity, const pkin_ingest_options *options,
                                       pkin_ingest_report *report, int64_t *digest_id) {
    ingestion work;
    pkin_ingest_report done;
    pkin_i_change change;
    bool snapshot = false;
    pkin_status status;
    memset(&work, 0, sizeof work);
    work.store = store;
    work.corpus = corpus;
    work.options = pkin_ingest_options_default();
    PKIN_TRY(pkin_i_take_options(options, &work.options, "pkin_ingest_options"));
    PKIN_TRY(prepare_ingestion(&work));
    /* A known digest needs no write lock, and a reader may ask about it. */
    PKIN_TRY(pkin_i_snapshot_begin(store, &snapshot));
    status = pkin_i_digest_row_find(store, identity, &work.digest);
    bool is_settled = status != PKIN_OK || (work.digest.id && !is_of_other_kind(&work));
    if (status == PKIN_OK && is_settled) status = report_known(&work, &done);
    pkin_i_snapshot_end(store, snapshot);
    if (!is_settled) {
        PKIN_TRY(pkin_i_change_begin(store, &change));
        status = pkin_i_change_end(store, &change, put_or_know(&work, identity, &done));
    }
    if (status == PKIN_OK) {
        pkin_i_digest_tell_clock(identity, done.date, done.already_known, work.options.on_diagnostic,
                                 work.options.diagnostic_user);
        if (report) *report = done;
        if (digest_id) *digest_id = work.digest.id;
    }
out:
    free_ingestion(&work);
    return status;
}

/* ---- Files ---------------------------------------------------------------------------------------------------- */

pkin_ingest_options pkin_ingest_options_default(void) {
    pkin_ingest_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.background = -1;
    return options;
}

static pkin_status read_corpus(const char *path, const pkin_ingest_options *options, uint64_t content[2],
                               pkin_corpus **corpus) {
    pkin_read_options reading = pkin_read_options_default();
    pkin_i_buffer bytes = {0};
    pkin_status status;
    reading.n_threads = options->n_threads;
    reading.on_diagnostic = options->on_diagnostic;
    reading.diagnostic_user = options->diagnostic_user;
    PKIN_TRY(pkin_i_input_read(path, &bytes));
    PKIN_TRY(pkin_i_digest_content(bytes.bytes, bytes.n_bytes, content));
    PKIN_TRY(pkin_i_corpus_read_buffer(&bytes, path, &reading, corpus));
out:
    pkin_i_buffer_free(&bytes);
    return status;
}

pkin_status pkin_store_ingest_file(pkin_store *store, const char *path, const pkin_ingest_options *options,
                                   pkin_ingest_report *report) {
    pkin_ingest_options taken = pkin_ingest_options_default();
    pkin_i_digest_identity identity;
    pkin_corpus *corpus = NULL;
    pkin_status status;
    memset(&identity, 0, sizeof identity);
    PKIN_REQUIRE(store && path, PKIN_ERROR_INVALID_ARGUMENT, "store and path must not be NULL");
    PKIN_TRY(pkin_i_take_options(options, &taken, "pkin_ingest_options"));
    PKIN_REQUIRE(!taken.on_progress || !taken.on_progress(taken.progress_user, "reading", 0, 0), PKIN_ERROR_CANCELLED,
                 "%s: cancelled; nothing of it was kept", path);
    PKIN_TRY(read_corpus(path, &taken, identity.content, &corpus));
    identity.name = pkin_i_base_name(path);
    identity.path = path;
    identity.date = taken.date;
    PKIN_TRY(pkin_i_store_ingest_corpus(store, corpus, &identity, &taken, report, NULL));
out:
    pkin_corpus_free(corpus);
    return status;
}
