/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_RANDOM_H
#define PKIN_GROUPS_RANDOM_H

#include <stdint.h>

#include "base/hash.h"

/*
 * Seeded random numbers, the same on every machine. The state is a counter with a step, each output a hash of it
 * (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Streams begin at places that
 * are hashes of their numbers, so that parts of the work can draw in any order.
 */
typedef struct pkin_i_random {
    uint64_t counter;
} pkin_i_random;

static inline pkin_i_random pkin_i_random_start(uint64_t seed, uint64_t stream) {
    pkin_i_random made = {pkin_i_hash_fold(pkin_i_hash_u64(seed + 1), pkin_i_hash_u64(~stream))};
    return made;
}

static inline uint64_t pkin_i_random_next(pkin_i_random *random) {
    random->counter += UINT64_C(0x9e3779b97f4a7c15);
    return pkin_i_hash_u64(random->counter);
}

/* In [0, n), n > 0; off a uniform draw by less than n / 2^64. */
static inline uint64_t pkin_i_random_below(pkin_i_random *random, uint64_t n) {
    return (uint64_t)(((unsigned __int128)pkin_i_random_next(random) * n) >> 64);
}

/* In [0, 1), a multiple of 2^-53. */
static inline double pkin_i_random_unit(pkin_i_random *random) {
    return (double)(pkin_i_random_next(random) >> 11) * 0x1p-53;
}

/* The numbers from 0 to n - 1 in random order (Fisher and Yates). */
static inline void pkin_i_random_order(pkin_i_random *random, uint32_t *order, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        uint32_t place = (uint32_t)pkin_i_random_below(random, (uint64_t)k + 1);
        order[k] = order[place];
        order[place] = k;
    }
}

#endif
