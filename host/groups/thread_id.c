/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/thread_id.h"

/*
 * FNV-1a over the key, then a finaliser that spreads its last bytes over the top bits, of which the id is made. Not the
 * hash of base/hash.h: that one may change, as long as only tables in memory depend on it.
 * Source: Fowler, Noll and Vo; finaliser: Vigna's splitmix64.
 */
static uint64_t hash_key(const char *key, uint32_t attempt) {
    uint64_t h = UINT64_C(0xcbf29ce484222325) + attempt * UINT64_C(0x9e3779b97f4a7c15);
    for (; *key; key++) h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

void pkin_i_thread_id_make(char kind, const char *key, uint32_t attempt, char out[PKIN_I_THREAD_ID_LENGTH + 1]) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t h = hash_key(key, attempt);
    out[0] = kind;
    for (int k = 1; k < PKIN_I_THREAD_ID_LENGTH; k++, h <<= 5) out[k] = digits[h >> 59];
    out[PKIN_I_THREAD_ID_LENGTH] = '\0';
}

void pkin_i_thread_id_choose(char kind, const char *const *keys, size_t n_keys,
                             bool (*is_taken)(void *user, const char *id), void *user,
                             char out[PKIN_I_THREAD_ID_LENGTH + 1]) {
    for (uint32_t attempt = 0;; attempt++) {
        for (size_t k = 0; k < n_keys; k++) {
            pkin_i_thread_id_make(kind, keys[k], attempt, out);
            if (!is_taken(user, out)) return;
        }
    }
}
