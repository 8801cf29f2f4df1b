/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_STORE_H
#define PKIN_KERNELS_GPU_STORE_H

/*
 * Rows on devices. A side is cut into shards; a device keeps as many of them as it has slots, each a block of memory
 * with a shard's entries and sketches. Where all fit, every shard has a slot of its size, and they are brought there
 * once, by all of the device's workers. Else slots are alike; a shard that is asked for takes the one that was given
 * back the longest ago. Sketches are made on the device, so that entries alone travel.
 *
 * A slot is filled by one worker, who waits for its queue: what others find ready can be used from any queue.
 */
#include "kernels/gpu_session.h"

/* Slots of the device for the session's shards: `n_slots` alike, or one for each shard where that is their number. */
pkin_status pkin_i_gpu_store_open(pkin_i_gpu_device *device, uint32_t n_slots, pkin_i_gpu_store **out);
void pkin_i_gpu_store_close(pkin_i_gpu_store *store); /* accepts NULL; nobody holds a shard any more */
/* Bytes of those slots. */
uint64_t pkin_i_gpu_store_bytes(const pkin_i_gpu_session *session, uint32_t n_slots);

/* Where each shard has a slot: gives it to it. Then, on each of the device's workers: uploads parts until none is left,
 * and waits. */
void pkin_i_gpu_store_assign(pkin_i_gpu_store *store);
pkin_status pkin_i_gpu_store_upload(pkin_i_gpu_worker *worker);
/* At last, on one of them: makes the sketches, and waits. */
pkin_status pkin_i_gpu_store_sketch(pkin_i_gpu_worker *worker);

#endif
