/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_VECTORS_H
#define PKIN_SIMILARITY_VECTORS_H

#include "base/memory.h"
#include "paperkin/similarity.h"

/* Fixed-point CSR: weight w stands for w * 2^-30; w >= 1; a row's sum of squares is at most 2^60. */
struct pkin_vectors {
    uint64_t n_rows;
    uint64_t n_columns;
    uint64_t *row_offsets; /* n_rows + 1 */
    uint32_t *columns;     /* strictly ascending within a row */
    uint32_t *weights;
};

#endif
