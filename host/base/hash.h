/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_BASE_HASH_H
#define PKIN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Hashes for tables and for telling contents apart: fast, well mixed, the same on every little-endian machine, and not
 * meant to resist an adversary. The mixing step folds a 128-bit product (Lemire and Kaser, "Faster 64-bit universal
 * hashing using carry-less multiplications", 2016, give the idea of folding a wide product).
 */
static inline uint64_t pkin_i_hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xc2b2ae3d27d4eb4f));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Hash of one integer, a bijection (finaliser with two multiplications and three shifts). */
static inline uint64_t pkin_i_hash_u64(uint64_t x) {
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}

static inline uint64_t pkin_i_hash_bytes(const void *bytes, size_t n_bytes, uint64_t seed) {
    const unsigned char *p = (const unsigned char *)bytes;
    uint64_t h = pkin_i_hash_u64(seed ^ ((uint64_t)n_bytes * UINT64_C(0x9e3779b97f4a7c15)));
    uint64_t word;
    for (; n_bytes >= 8; p += 8, n_bytes -= 8) {
        memcpy(&word, p, 8);
        h = pkin_i_hash_fold(h ^ word, word + UINT64_C(0xa0761d6478bd642f));
    }
    if (n_bytes) {
        word = 0;
        memcpy(&word, p, n_bytes);
        h = pkin_i_hash_fold(h ^ word, word + UINT64_C(0xe7037ed1a0b428db));
    }
    return pkin_i_hash_u64(h);
}

#endif
