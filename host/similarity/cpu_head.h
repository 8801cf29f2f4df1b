/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_CPU_HEAD_H
#define PKIN_SIMILARITY_CPU_HEAD_H

/* Numbers of the head, for estimates: the bound that decides which pairs are scored has so many buckets. */
#include "similarity/cpu_tail_rows.h"

enum {
    PKIN_I_HEAD_COLUMNS_MAX = 1 << 16, /* more columns than any sensible head has */
    PKIN_I_HEAD_BUCKETS = PKIN_I_FINE_BUCKETS
};

#endif
