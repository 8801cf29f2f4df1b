/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_SESSION_H
#define PKIN_KERNELS_GPU_SESSION_H

/*
 * What joins and top-k share: devices, workers, and the rows that stand on the devices.
 * C alone, since crews are.
 *
 * Rows come to a device as shards (gpu_store.h). Workers are threads of a crew, two a device by default, each with a
 * queue and buffers of its own, so that one's downloads and the host's part of its work run beside the other's kernels.
 * A worker takes the two shards of its item, which stay where they are until it gives them back; before that its queue
 * must have been waited for. Nobody waits for a shard while holding another one, so that there is no deadlock.
 */
#include <pthread.h>

#include "kernels/gpu_engine.h"
#include "kernels/gpu_items.h"
#include "similarity/cpu_narrow.h"
#include "similarity/crew.h"

typedef struct pkin_i_gpu_session pkin_i_gpu_session;
typedef struct pkin_i_gpu_store pkin_i_gpu_store; /* a device's shards: gpu_store.h */

enum { PKIN_I_GPU_OFFSETS = 65536 }; /* of a worker's array for counting them anew */

/* One device of a session. */
typedef struct pkin_i_gpu_device {
    pkin_i_gpu_session *session;
    int index; /* the driver's */
    pkin_i_gpu *gpu;
    pkin_i_gpu_info info;
    uint64_t budget;        /* bytes that the session may hold on it */
    _Atomic uint64_t bytes; /* that it holds now */
    uint16_t *buckets;      /* device, of every column */
    pkin_i_gpu_store *store;
    double busy_until; /* of the host's clock, by what was added so far; under the session's lock */
} pkin_i_gpu_device;

/* Counters that kernels add to: first on the device, then brought down. */
typedef struct pkin_i_gpu_counters {
    uint64_t n_found, n_pairs;
} pkin_i_gpu_counters;

/* One thread's part of a session. */
typedef struct pkin_i_gpu_worker {
    pkin_i_gpu_session *session;
    pkin_i_gpu_device *device;
    pkin_i_gpu_queue *queue;
    uint64_t capacity;                /* candidates */
    pkin_i_gpu_candidate *candidates; /* device */
    uint64_t pairs_room;
    pkin_pair *pairs; /* device, pairs_room */
    void *workspace;  /* device, of the filter; the block of memory that all four stand in begins with it */
    uint64_t workspace_bytes, memory_bytes;
    pkin_i_gpu_counters *counters; /* device */
    pkin_i_gpu_counters *told;     /* pinned: counters, as they were last brought down */
    uint64_t stage_pairs;
    pkin_pair *stage;  /* pinned, 2 * stage_pairs */
    uint64_t *offsets; /* host, PKIN_I_GPU_OFFSETS: counted from a shard's first entry */
    /* Of the present item. */
    pkin_i_crew *crew; /* NULL: none */
    int thread;
    /* Added to, and moved to the outcome by pkin_i_gpu_account. */
    uint64_t n_candidates, filter_operations, bytes_up, bytes_down, n_splits;
    double filter_seconds, score_seconds;
} pkin_i_gpu_worker;

struct pkin_i_gpu_session {
    const pkin_i_gpu_driver *driver;
    const pkin_i_task *task;
    pkin_i_gpu_tuning tuning;
    pkin_i_gpu_filter filter;
    pkin_i_gpu_coding coding;
    uint32_t dimension;
    double expected_candidates; /* by the plan; 0: not known */
    pkin_i_narrowed sides;
    const pkin_vectors *side[2]; /* a, b; [1] is a again where within */
    bool within;
    pkin_i_sketch_map map;
    pthread_t mapper; /* the thread that makes the map, while devices are opened and rows come up */
    enum { PKIN_I_GPU_MAP_NONE, PKIN_I_GPU_MAP_IN_MAKING, PKIN_I_GPU_MAP_MADE, PKIN_I_GPU_MAP_UP } map_state;
    pkin_status map_status;
    uint64_t host_bytes;
    pkin_i_gpu_device *devices;
    int n_devices;
    bool is_resident;           /* every shard stands on every device */
    pkin_i_gpu_worker *workers; /* worker w is of device w % n_devices */
    int n_workers;
    pkin_i_gpu_shard *shards;        /* side 0's, then side 1's */
    uint32_t n_shards, n_row_shards; /* in all, and of side 0 */
    uint64_t reserve_bytes;          /* kept free on each device, for the present layout */
    pthread_mutex_t lock;            /* of `message` and busy_until */
    char message[512];               /* why a worker failed first; "": none did */
    /* Of the present call, as its functions like. */
    pkin_i_task strip_task;
    uint64_t min_score;
    int32_t limit;
    pkin_i_pair_sink *sink;
    pkin_i_gpu_block *items;
    uint64_t n_items;
    _Atomic uint64_t n_seen_pairs, n_seen_candidates; /* of filtered blocks: how many are to be expected of others */
};

/*
 * Makes workers, shards and what else there is ready, such that `reserve_bytes` can still be allocated on each device
 * (by pkin_i_gpu_get). pkin_i_gpu_open did so with 0; lays out anew where that left too little. To be called first by
 * every function of the engine.
 */
pkin_status pkin_i_gpu_ready(pkin_i_gpu_session *session, uint64_t reserve_bytes);

/* Device memory that is counted; pkin_i_gpu_put_back accepts NULL and wants the same number of bytes. */
pkin_status pkin_i_gpu_get(pkin_i_gpu_device *device, uint64_t n_bytes, void *out);
void pkin_i_gpu_put_back(pkin_i_gpu_device *device, void *memory, uint64_t n_bytes);

/* Runs items on all workers. `fn` is given the worker; its failure's message is said again on the calling thread. */
typedef pkin_status (*pkin_i_gpu_item_fn)(pkin_i_gpu_worker *worker, uint64_t item, void *user);
pkin_status pkin_i_gpu_run(pkin_i_gpu_session *session, uint64_t n_items, pkin_i_gpu_item_fn fn, void *user);
/* The same with one item for each of the first workers: item w is worker w's, whichever thread comes. */
pkin_status pkin_i_gpu_run_each(pkin_i_gpu_session *session, int n_workers, pkin_i_gpu_item_fn fn, void *user);
/* Nonzero: others have failed, or the caller cancels; the item may end early. Reports progress on thread 0. */
int pkin_i_gpu_is_stopping(pkin_i_gpu_worker *worker);

/* Waits for the worker's queue whatever it says: nothing of a failed item may run on. */
void pkin_i_gpu_settle(pkin_i_gpu_worker *worker);
/* Keeps this thread's message for the calling thread, if none is kept yet. */
void pkin_i_gpu_note_failure(pkin_i_gpu_session *session, pkin_status status);

/*
 * Adds the seconds between the queue's marks, which have been waited for, to *sum. A kernel that waits for another
 * queue's begins its mark before it begins to run: what the device has been busy with by then is taken off, so that
 * the sums of a device's workers are never above the time that has gone by.
 */
pkin_status pkin_i_gpu_add_seconds(pkin_i_gpu_worker *worker, double *sum);

/* Copies that are counted. */
pkin_status pkin_i_gpu_up(pkin_i_gpu_worker *worker, void *device, const void *host, uint64_t n_bytes);
pkin_status pkin_i_gpu_down(pkin_i_gpu_worker *worker, void *host, const void *device, uint64_t n_bytes);

/*
 * Shards x and y (which may be equal) on the worker's device: brought there if they are not. Waits until there is room;
 * loading puts work into the worker's queue and waits for it. Given back with both numbers, once the queue was waited
 * for. Neither is held on failure. The structs live until they are given back.
 */
pkin_status pkin_i_gpu_take(pkin_i_gpu_worker *worker, uint32_t x, uint32_t y, const pkin_i_gpu_rows **out_x,
                            const pkin_i_gpu_rows **out_y);
void pkin_i_gpu_give(pkin_i_gpu_worker *worker, uint32_t x, uint32_t y);

/* What a filter has to compare, and with what. */
typedef struct pkin_i_gpu_pass {
    const pkin_i_gpu_rows *rows, *columns; /* as taken */
    int32_t limit;
    const int32_t *row_limits, *column_limits; /* as pkin_i_gpu_filter_work's */
} pkin_i_gpu_pass;

/*
 * Filters a block into the worker's candidates and waits; *n_found may be above the worker's capacity: then what is
 * there are some of them, capacity many. Adds to the worker's filter_seconds and filter_operations.
 */
pkin_status pkin_i_gpu_filter_block(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass,
                                    const pkin_i_gpu_block *block, uint64_t *n_found);
/* In how many parts a block is to be cut that holds so many candidates: 1 where they fit well. */
uint64_t pkin_i_gpu_parts_for(const pkin_i_gpu_worker *worker, double n_candidates);
/* In how many parts a block should be filtered, by what others gave; 1 where nothing is known. */
uint64_t pkin_i_gpu_block_parts(const pkin_i_gpu_worker *worker, const pkin_i_gpu_block *block);

/* The items of the present call: blocks of all pairs with columns [first, last), in session->items. */
pkin_status pkin_i_gpu_list_items(pkin_i_gpu_session *session, uint64_t first, uint64_t last);
void pkin_i_gpu_forget_items(pkin_i_gpu_session *session);

/* Adds what workers did since the last time to the outcome. */
void pkin_i_gpu_account(pkin_i_gpu_session *session);

#endif
