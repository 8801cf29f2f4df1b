/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_THREAD_ID_H
#define PKIN_GROUPS_THREAD_ID_H

/*
 * Ids of threads and fields, made of what they were founded on: of the key of a paper. Never changes, since stores hold
 * them. Format: the kind ('t' or 'f') and 7 characters of a-z and 2-7 (base32 of RFC 4648 in lower case), 35 bits.
 */
#include "base/memory.h"

PKIN_EXTERN_C_BEGIN

enum { PKIN_I_THREAD_ID_LENGTH = 8 };

/* `attempt` other than 0 gives the same key another id, for when every founder's is taken. */
void pkin_i_thread_id_make(char kind, const char *key, uint32_t attempt, char out[PKIN_I_THREAD_ID_LENGTH + 1]);

/*
 * The first id that is free: of the founders in turn, then of each at its next attempt, and so on. Since no two
 * clusters share a paper, a first founder's id is taken only where that paper founded a cluster that it has left since,
 * or where two hashes meet. `keys` holds at least one key.
 */
void pkin_i_thread_id_choose(char kind, const char *const *keys, size_t n_keys,
                             bool (*is_taken)(void *user, const char *id), void *user,
                             char out[PKIN_I_THREAD_ID_LENGTH + 1]);

PKIN_EXTERN_C_END

#endif
