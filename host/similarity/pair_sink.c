/* SPDX-License-Identifier: Apache-2.0 */
#include "similarity/pair_sink.h"

#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "similarity/policy.h"

enum {
    FIRST_PAIRS = 1024,  /* of the array, which doubles */
    RUN_PAIRS = 1 << 21, /* spilled at a time, at most: others wait while one thread sorts and writes them */
    MESSAGE_BYTES = 512
};

struct pkin_i_pair_sink {
    omp_lock_t lock;
    pkin_pair *pairs; /* not sorted yet */
    size_t n_pairs, capacity;
    size_t most_pairs; /* SIZE_MAX: no bound */
    int n_threads;
    char *folder;            /* NULL: the default one */
    pkin_i_pair_spool spool; /* folder NULL: not open */
    pkin_i_pair_run *runs;   /* spilled; and after finish one more: what is in memory */
    size_t n_runs, runs_capacity;
    uint64_t n_put, most_bytes, spilled;
    char message[MESSAGE_BYTES]; /* why putting failed; "": it did not */
};

pkin_status pkin_i_pair_sink_open(pkin_i_pair_sink **out) {
    pkin_status status = pkin_i_allocate_zeroed(1, sizeof **out, out);
    if (status == PKIN_OK) {
        omp_init_lock(&(*out)->lock);
        (*out)->most_pairs = SIZE_MAX;
        (*out)->n_threads = 1;
        (*out)->spool.descriptor = -1;
    }
    return status;
}

static pkin_status open_spool(pkin_i_pair_sink *sink) {
    return sink->spool.folder ? PKIN_OK : pkin_i_pair_spool_open(sink->folder, &sink->spool);
}

pkin_status pkin_i_pair_sink_open_bounded(const pkin_i_pair_bound *bound, pkin_i_pair_sink **out) {
    pkin_status status;
    pkin_i_pair_sink *sink = NULL;
    *out = NULL;
    PKIN_TRY(pkin_i_pair_sink_open(&sink));
    sink->n_threads = bound->n_threads;
    if (bound->bytes) {
        /* Sorting takes a second array. */
        sink->most_pairs = (size_t)(bound->bytes / (2 * sizeof *sink->pairs));
        if (sink->most_pairs == 0) sink->most_pairs = 1;
    }
    if (bound->folder) PKIN_TRY(pkin_i_copy_string(bound->folder, strlen(bound->folder), &sink->folder));
    if (bound->bytes && bound->folder) {
        PKIN_TRY(open_spool(sink));
        PKIN_TRY(pkin_i_pair_spool_make(&sink->spool));
    }
    *out = sink;
    sink = NULL;
out:
    pkin_i_pair_sink_close(sink);
    return status;
}

void pkin_i_pair_sink_close(pkin_i_pair_sink *sink) {
    if (!sink) return;
    omp_destroy_lock(&sink->lock);
    pkin_i_pair_spool_close(&sink->spool);
    pkin_i_free(sink->pairs);
    pkin_i_free(sink->runs);
    pkin_i_free(sink->folder);
    pkin_i_free(sink);
}

/* Sorts the last n pairs that are held. */
static pkin_status sort_last(pkin_i_pair_sink *sink, size_t n) {
    uint64_t bytes = (sink->capacity + n) * sizeof *sink->pairs;
    if (bytes > sink->most_bytes) sink->most_bytes = bytes;
    return n > 0 ? pkin_i_sort_pairs(sink->pairs + sink->n_pairs - n, n, sink->n_threads) : PKIN_OK;
}

/* Writes what is held, or the last part of it, as one run. */
static pkin_status spill(pkin_i_pair_sink *sink) {
    pkin_status status;
    const size_t n = sink->n_pairs < RUN_PAIRS ? sink->n_pairs : RUN_PAIRS;
    PKIN_TRY(open_spool(sink));
    PKIN_TRY(pkin_i_grow(&sink->runs, &sink->runs_capacity, sink->n_runs + 1, sizeof *sink->runs));
    PKIN_TRY(sort_last(sink, n));
    uint64_t offset = sink->spool.bytes;
    PKIN_TRY(pkin_i_pair_spool_append(&sink->spool, sink->pairs + sink->n_pairs - n, n));
    sink->runs[sink->n_runs++] = (pkin_i_pair_run){NULL, sink->spool.descriptor, sink->spool.folder, offset, n};
    sink->spilled += n * sizeof *sink->pairs;
    sink->n_pairs -= n;
out:
    return status;
}

/* Room for one pair at least, and for `n_pairs` where the bound allows. */
static pkin_status make_room(pkin_i_pair_sink *sink, size_t n_pairs) {
    if (sink->n_pairs == sink->most_pairs) {
        pkin_status status = spill(sink);
        if (status != PKIN_OK) return status;
    }
    size_t needed = n_pairs < sink->most_pairs - sink->n_pairs ? sink->n_pairs + n_pairs : sink->most_pairs;
    if (needed <= sink->capacity) return PKIN_OK;
    size_t larger = sink->capacity <= sink->most_pairs / 2 ? 2 * sink->capacity : sink->most_pairs;
    if (larger < FIRST_PAIRS) larger = FIRST_PAIRS;
    if (larger < needed) larger = needed;
    if (larger > sink->most_pairs) larger = sink->most_pairs;
    pkin_status status = pkin_i_reallocate(&sink->pairs, larger, sizeof *sink->pairs);
    if (status == PKIN_ERROR_OUT_OF_MEMORY) {
        return pkin_i_fail(status,
                           "join: no room for %zu pairs of %zu bytes; bound the memory (memory_bytes) and stream them "
                           "(pkin_similarity_join_each), or raise the threshold",
                           larger, sizeof *sink->pairs);
    }
    if (status == PKIN_OK) sink->capacity = larger;
    return status;
}

static pkin_status put(pkin_i_pair_sink *sink, const pkin_pair *pairs, size_t n_pairs) {
    pkin_status status = PKIN_OK;
    while (n_pairs > 0) {
        PKIN_TRY(make_room(sink, n_pairs));
        size_t n = sink->capacity - sink->n_pairs < n_pairs ? sink->capacity - sink->n_pairs : n_pairs;
        memcpy(sink->pairs + sink->n_pairs, pairs, n * sizeof *pairs);
        sink->n_pairs += n;
        sink->n_put += n;
        pairs += n;
        n_pairs -= n;
    }
out:
    return status;
}

pkin_status pkin_i_pair_sink_put(pkin_i_pair_sink *sink, const pkin_pair *pairs, size_t n_pairs) {
    if (n_pairs == 0) return PKIN_OK;
    omp_set_lock(&sink->lock);
    pkin_status status = put(sink, pairs, n_pairs);
    if (status != PKIN_OK && !sink->message[0]) {
        const char *message = pkin_last_error();
        size_t n = strlen(message) < MESSAGE_BYTES - 1 ? strlen(message) : MESSAGE_BYTES - 1;
        memcpy(sink->message, message, n);
        sink->message[n] = '\0';
    }
    omp_unset_lock(&sink->lock);
    return status;
}

pkin_status pkin_i_pair_sink_failure(const pkin_i_pair_sink *sink, pkin_status status) {
    return status != PKIN_OK && sink->message[0] ? pkin_i_fail(status, "%s", sink->message) : status;
}

void pkin_i_pair_sink_take(pkin_i_pair_sink *sink, pkin_pair_list *out) {
    out->pairs = sink->pairs;
    out->n_pairs = sink->n_pairs;
    sink->pairs = NULL;
    sink->capacity = 0;
    pkin_i_pair_sink_clear(sink);
}

pkin_status pkin_i_pair_sink_finish(pkin_i_pair_sink *sink, const pkin_i_pair_run **runs, size_t *n_runs) {
    pkin_status status;
    PKIN_TRY(sort_last(sink, sink->n_pairs));
    PKIN_TRY(pkin_i_grow(&sink->runs, &sink->runs_capacity, sink->n_runs + 1, sizeof *sink->runs));
    sink->runs[sink->n_runs] = (pkin_i_pair_run){sink->pairs, -1, "memory", 0, sink->n_pairs};
    *runs = sink->runs;
    *n_runs = sink->n_runs + (sink->n_pairs > 0);
out:
    return status;
}

void pkin_i_pair_sink_clear(pkin_i_pair_sink *sink) {
    sink->n_pairs = 0;
    sink->n_put = 0;
    sink->n_runs = 0;
    /* The file is left to be written over from its beginning. */
    sink->spool.bytes = 0;
}

const pkin_pair *pkin_i_pair_sink_held(const pkin_i_pair_sink *sink, uint64_t *n_pairs) {
    *n_pairs = sink->n_pairs;
    return sink->pairs;
}

uint64_t pkin_i_pair_sink_n_pairs(const pkin_i_pair_sink *sink) {
    return sink->n_put;
}

bool pkin_i_pair_sink_has_spilled(const pkin_i_pair_sink *sink) {
    return sink->n_runs > 0;
}

uint64_t pkin_i_pair_sink_bytes(const pkin_i_pair_sink *sink) {
    uint64_t bytes = sink->capacity * sizeof *sink->pairs;
    return bytes > sink->most_bytes ? bytes : sink->most_bytes;
}

uint64_t pkin_i_pair_sink_spilled(const pkin_i_pair_sink *sink) {
    return sink->spilled;
}
