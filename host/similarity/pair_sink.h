/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_SIMILARITY_PAIR_SINK_H
#define PKIN_SIMILARITY_PAIR_SINK_H

/* Where backends put the pairs that they find: any thread, any order, each pair once. */
#include "base/memory.h"
#include "paperkin/similarity.h"

PKIN_EXTERN_C_BEGIN

typedef struct pkin_i_pair_sink pkin_i_pair_sink;

/* Takes a copy of `n_pairs` pairs. Waits while another thread is in it: to be called with a few thousand at a time. */
pkin_status pkin_i_pair_sink_put(pkin_i_pair_sink *sink, const pkin_pair *pairs, size_t n_pairs);

/* A sink that keeps everything in memory. */
pkin_status pkin_i_pair_sink_open(pkin_i_pair_sink **out);
/* What it holds, which the caller owns from then on; the sink is empty. */
void pkin_i_pair_sink_take(pkin_i_pair_sink *sink, pkin_pair_list *out);
void pkin_i_pair_sink_close(pkin_i_pair_sink *sink);

PKIN_EXTERN_C_END

#endif
