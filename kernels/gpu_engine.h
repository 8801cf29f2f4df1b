/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_ENGINE_H
#define PKIN_KERNELS_GPU_ENGINE_H

/*
 * The sketch method on GPUs, as an engine (backend.h) above any device driver (gpu_device.h). The real driver's
 * engine binds these functions to it; tests bind them to a device that runs on the host.
 */
#include "kernels/gpu_device.h"
#include "similarity/backend.h"

PKIN_EXTERN_C_BEGIN

/* Time and memory, never results. 0 everywhere: chosen by the plan and the device. */
typedef struct pkin_i_gpu_tuning {
    uint64_t memory_bytes; /* to be used on each device, at most */
    uint64_t shard_rows;   /* of a shard, at most; rounded up to ROWS_STEP */
    uint32_t shard_slots;  /* shards that a device holds at once, at most; at least 2 where there are 2 shards */
    uint64_t capacity;     /* candidates that a worker has room for */
    uint64_t pairs_room;   /* of them, how many are scored at a time */
    uint64_t stage_pairs;  /* pairs that come down at a time */
    uint64_t item_pairs;   /* pairs of rows of an item, at most */
    /* Top-k. */
    uint32_t seed_group, seed_groups; /* sampled columns of a group, and groups */
    double exhaust_candidates;        /* a row that expects more candidates than this meets everybody at once */
} pkin_i_gpu_tuning;

/*
 * The devices of the task that can run the plan's filter are opened, the rows brought to them where they fit.
 * `tuning` NULL: all chosen. As pkin_i_engine's open: the task and what it points to must outlive the session, and
 * `*session` is NULL on failure. PKIN_ERROR_OUT_OF_MEMORY says what a device would need and what it has.
 */
pkin_status pkin_i_gpu_open(const pkin_i_gpu_driver *driver, const pkin_i_task *task, const pkin_i_plan *plan,
                            const pkin_i_gpu_tuning *tuning, void **session);
pkin_status pkin_i_gpu_join(void *session, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink);
pkin_status pkin_i_gpu_top_k(void *session, struct pkin_i_neighbor_heaps *heaps); /* gpu_top_k.c */
void pkin_i_gpu_close(void *session);                                             /* accepts NULL */

/* ---- Which devices ---- */

enum { PKIN_I_GPU_DEVICES_MOST = 64 };

typedef struct pkin_i_gpu_choice {
    int n;
    int indices[PKIN_I_GPU_DEVICES_MOST];
} pkin_i_gpu_choice;

/*
 * Of the driver's devices those that `devices` asks for: "auto" or NULL (the first that can be used), "all" (every one
 * that can), or numbers, "0,2" (each of which must). PKIN_I_GPU_N_FILTERS as `filter`: any filter will do.
 * PKIN_ERROR_INVALID_ARGUMENT for what is no list of numbers; PKIN_ERROR_UNSUPPORTED says why no device can be used.
 */
pkin_status pkin_i_gpu_choose(const pkin_i_gpu_driver *driver, const char *devices, pkin_i_gpu_filter filter,
                              pkin_i_gpu_choice *out);

PKIN_EXTERN_C_END

#endif
