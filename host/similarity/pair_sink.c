/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/pair_sink.h"

#include <omp.h>
#include <string.h>

struct pkin_i_pair_sink {
    omp_lock_t lock;
    pkin_pair *pairs;
    size_t n_pairs, capacity;
};

pkin_status pkin_i_pair_sink_open(pkin_i_pair_sink **out) {
    pkin_status status = pkin_i_allocate_zeroed(1, sizeof **out, out);
    if (status == PKIN_OK) omp_init_lock(&(*out)->lock);
    return status;
}

pkin_status pkin_i_pair_sink_put(pkin_i_pair_sink *sink, const pkin_pair *pairs, size_t n_pairs) {
    if (n_pairs == 0) return PKIN_OK;
    omp_set_lock(&sink->lock);
    pkin_status status = pkin_i_grow(&sink->pairs, &sink->capacity, sink->n_pairs + n_pairs, sizeof *pairs);
    if (status == PKIN_OK) {
        memcpy(sink->pairs + sink->n_pairs, pairs, n_pairs * sizeof *pairs);
        sink->n_pairs += n_pairs;
    }
    omp_unset_lock(&sink->lock);
    return status;
}

void pkin_i_pair_sink_take(pkin_i_pair_sink *sink, pkin_pair_list *out) {
    out->pairs = sink->pairs;
    out->n_pairs = sink->n_pairs;
    sink->pairs = NULL;
    sink->n_pairs = sink->capacity = 0;
}

void pkin_i_pair_sink_close(pkin_i_pair_sink *sink) {
    if (!sink) return;
    omp_destroy_lock(&sink->lock);
    pkin_i_free(sink->pairs);
    pkin_i_free(sink);
}
