/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_INTEGER_ROOT_H
#define PKIN_SIMILARITY_INTEGER_ROOT_H

#include <math.h>
#include <stdint.h>

/* The smallest integer whose square is at least s; s <= 2^62. The floating-point root is only where to begin. */
static inline uint64_t pkin_i_square_root_up(uint64_t s) {
    uint64_t root = (uint64_t)sqrt((double)s);
    while (root * root < s) root++;
    while (root > 0 && (root - 1) * (root - 1) >= s) root--;
    return root;
}

#endif
