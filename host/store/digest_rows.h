/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_DIGEST_ROWS_H
#define PKIN_STORE_DIGEST_ROWS_H

#include "store/digest_name.h"
#include "store/store_sql.h"

PKIN_EXTERN_C_BEGIN

/* A digest as a row of the table: found, or as it would be written. */
typedef struct pkin_i_digest_row {
    int64_t id; /* 0: not recorded */
    char date[PKIN_I_DATE_BYTES];
    char content[33];
    bool background;
    const char *name;     /* borrowed from the identity */
    const char *dated_by; /* 'given', 'name' or 'clock'; of the question, not of a row found */
} pkin_i_digest_row;

pkin_status pkin_i_digest_row_find(pkin_store *store, const pkin_i_digest_identity *identity, pkin_i_digest_row *row);
/* Makes a recorded digest what row->background says. */
pkin_status pkin_i_digest_row_set_background(pkin_store *store, const pkin_i_digest_row *row);
pkin_status pkin_i_digest_row_insert(pkin_store *store, pkin_i_digest_row *row, const pkin_corpus *corpus);

/* How often, and under which highest version, a paper stood in digests earlier than this one. */
pkin_status pkin_i_seen_earlier(pkin_store *store, int64_t paper_id, const pkin_i_digest_row *row, uint64_t *n_times,
                                unsigned *max_version);

PKIN_EXTERN_C_END

#endif
