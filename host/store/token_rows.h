/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_TOKEN_ROWS_H
#define PKIN_STORE_TOKEN_ROWS_H

#include "base/buffer.h"
#include "store/store_sql.h"

PKIN_EXTERN_C_BEGIN

/* A paper whose tokens are to be written. Texts are borrowed. */
typedef struct pkin_i_token_source {
    int64_t paper_id;
    const char *texts[PKIN_I_N_FIELDS];
} pkin_i_token_source;

/* Tokenizes and replaces the papers' tokens, adding new words to the terms. Inside of a change. */
pkin_status pkin_i_token_rows_put(pkin_store *store, const pkin_i_token_source *sources, size_t n_sources,
                                  int n_threads, pkin_progress_fn on_progress, void *user);

/*
 * Makes sure that the tokens are those of this library's tokenizer: papers are tokenized again from their stored texts
 * where another wrote them. With a read-only store that is PKIN_ERROR_STORE_VERSION.
 */
pkin_status pkin_i_token_rows_check(pkin_store *store);

/* The terms in memory, read when they are not or when another process has changed the store since. */
pkin_status pkin_i_vocabulary_load(pkin_store *store);
void pkin_i_vocabulary_drop(pkin_store *store);

/* Appends the field's bytes, see paper_terms in schema.c. */
pkin_status pkin_i_tokens_encode(const uint32_t *tokens, size_t n_tokens, pkin_i_buffer *out);

/* The other way. `n_tokens` is how many there must be. False where the bytes are not what _encode writes. */
bool pkin_i_tokens_decode(const unsigned char *bytes, size_t n_bytes, uint32_t n_terms, uint32_t *tokens,
                          size_t n_tokens);

PKIN_EXTERN_C_END

#endif
