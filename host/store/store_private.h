/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_STORE_PRIVATE_H
#define PKIN_STORE_STORE_PRIVATE_H

/* What host/digest needs of the store beyond the public calls. Row ids are SQLite's. */
#include <stdbool.h>

#include "paperkin/groups.h"
#include "paperkin/store.h"
#include "text/tokens.h"

PKIN_EXTERN_C_BEGIN

/* How an earlier or the current digest is known. */
typedef struct pkin_i_digest_identity {
    const char *name;    /* base name of the file, "-" for standard input */
    const char *path;    /* the whole path, whose folders may tell the date; NULL: the name is all there is */
    uint64_t content[2]; /* two 64-bit hashes of the decompressed bytes without paperkin's blocks */
    const char *date;    /* "YYYY-MM-DD" given by the caller; NULL: from name or path, else today's */
    int same_day_only;   /* 1 (gate): bytes known under the name of another day are another digest */
} pkin_i_digest_identity;

/* The `content` of an identity from a file's decompressed bytes; leaves paperkin's blocks out. */
pkin_status pkin_i_digest_content(const char *bytes, size_t n_bytes, uint64_t content[2]);

/*
 * The recorded digest of that identity (*digest_id 0: none is) and the date that it has or would get. Changes nothing,
 * so that a read-only store can be asked; pkin_i_store_sightings_before then answers for a digest not yet recorded.
 */
pkin_status pkin_i_store_find_digest(pkin_store *store, const pkin_i_digest_identity *identity, char date[11],
                                     int64_t *digest_id);

/*
 * Tells that a digest's date is today's for want of a better one, where pkin_i_store_find_digest found none recorded
 * and gave that date. `on_diagnostic` may be NULL. Ingesting tells it by itself.
 */
void pkin_i_digest_tell_clock(const pkin_i_digest_identity *identity, const char *date, int64_t digest_id,
                              pkin_diagnostic_fn on_diagnostic, void *diagnostic_user);

/* Ingests a corpus already read. `report` and `digest_id` are filled also when the digest was known. */
pkin_status pkin_i_store_ingest_corpus(pkin_store *store, const pkin_corpus *corpus,
                                       const pkin_i_digest_identity *identity, const pkin_ingest_options *options,
                                       pkin_ingest_report *report, int64_t *digest_id);

/*
 * Everything between begin and end is one change: end(store, 1) keeps it, end(store, 0) undoes it.
 * Calls may not nest.
 */
pkin_status pkin_i_store_begin(pkin_store *store);
pkin_status pkin_i_store_end(pkin_store *store, int keep);

/* One snapshot for several reads; nothing to do inside of a change. _end after a failed _begin is fine. */
pkin_status pkin_i_snapshot_begin(pkin_store *store, bool *began);
void pkin_i_snapshot_end(pkin_store *store, bool began);

/* The paper's row id by its key; 0 where the store has never seen it. */
pkin_status pkin_i_store_find_paper(pkin_store *store, const char *key, int64_t *paper_id);

/*
 * Where a paper stood in digests earlier than `digest_id`, oldest first; background corpora do not count. Earlier: an
 * earlier date, or the same date with another stem (name without extension and without "_AI_enhanced_...") and a lower
 * digest id. `max_version` is the highest version seen there (0: none was named). Strings live in `arena`.
 */
typedef struct pkin_i_sighting {
    const char *date;
    const char *name;
    uint64_t position; /* 1-based, in that digest */
    unsigned version;
} pkin_i_sighting;

typedef struct pkin_i_sightings {
    pkin_i_sighting *items;
    size_t n_items;
    unsigned max_version;
} pkin_i_sightings;

pkin_status pkin_i_store_sightings(pkin_store *store, int64_t paper_id, int64_t digest_id, pkin_i_arena *arena,
                                   pkin_i_sightings *out);

/* The same for a digest of that date and name that need not be recorded; `digest_id` INT64_MAX: it would come last. */
pkin_status pkin_i_store_sightings_before(pkin_store *store, int64_t paper_id, const char *date, const char *name,
                                          int64_t digest_id, pkin_i_arena *arena, pkin_i_sightings *out);

/*
 * All papers' tokens in order of row id. `paper_ids` (owned by the caller, pkin_i_free) maps document to row id. The
 * vocabulary is the store's own and stays valid until the store changes or closes.
 */
pkin_status pkin_i_store_load_tokens(pkin_store *store, int n_threads, pkin_i_token_documents *documents,
                                     int64_t **paper_ids, const pkin_i_vocabulary **vocabulary);

/* A paper as remembered (fields filled from every record seen); strings live in `arena`. `first_date`: first seen. */
typedef struct pkin_i_stored_paper {
    pkin_paper paper;
    const char *first_date;
} pkin_i_stored_paper;

pkin_status pkin_i_store_paper(pkin_store *store, int64_t paper_id, pkin_i_arena *arena, pkin_i_stored_paper *out);

/* The same of many, in one pass over the store: `paper_ids` ascending, out[k] of paper_ids[k]. */
pkin_status pkin_i_store_papers(pkin_store *store, const int64_t *paper_ids, uint64_t n_papers, pkin_i_arena *arena,
                                pkin_i_stored_paper *out);

/* What tells the day on which a paper came out. Texts live in the arena. */
typedef struct pkin_i_first_seen {
    int64_t paper_id;
    const char *key;
    const char *own_date;    /* as in pkin_paper.date */
    const char *first_date;  /* of all digests and corpora that had it; "": none has */
    const char *listed_date; /* of the first digest that listed it; "": background corpora alone had it */
} pkin_i_first_seen;

/* For every paper, by row id; the array lives in the arena too. */
pkin_status pkin_i_store_first_seen(pkin_store *store, pkin_i_arena *arena, pkin_i_first_seen **out, uint64_t *n_out);

/* Replaces the links of a paper (rank in order) and the verdict of a pair (ids in any order). */
typedef struct pkin_i_link {
    int64_t to_paper_id;
    uint64_t score;
} pkin_i_link;

pkin_status pkin_i_store_put_links(pkin_store *store, int64_t paper_id, const pkin_i_link *links, size_t n_links);
pkin_status pkin_i_store_put_verdict(pkin_store *store, int64_t paper_a, int64_t paper_b,
                                     const pkin_judgement *judgement);

PKIN_EXTERN_C_END

#endif
