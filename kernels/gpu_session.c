/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gpu_session.h"

#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "kernels/gpu_shards.h"
#include "kernels/gpu_store.h"

enum {
    WORKERS_A_DEVICE = 2,
    SLOTS = 4,                /* of shards, where not all fit: two at work, two to come */
    CAPACITY_LEAST = 1 << 16, /* a square of ROWS_STEP rows and columns: what an item is cut to at last */
    CAPACITY_USUAL_LEAST = 1 << 20,
    CAPACITY_MOST = 1 << 25,
    PAIRS_ROOM_MOST = 1 << 22,
    STAGE_PAIRS = 1 << 16,     /* 1 MB: the sink takes it at once, and waits are few */
    MARGIN_SHARE = 16,         /* of what is free on a device, left to others, */
    WORKSPACE_LEAST_SHARE = 16 /* gpu_device.h */
};
static const uint64_t MARGIN_MOST = UINT64_C(512) << 20;

static uint64_t align_up(uint64_t n_bytes) {
    return (n_bytes + PKIN_I_GPU_ALIGNMENT - 1) / PKIN_I_GPU_ALIGNMENT * PKIN_I_GPU_ALIGNMENT;
}

static double gigabytes(uint64_t n_bytes) {
    return 1e-9 * (double)n_bytes;
}

/* ---- What is counted ---- */

pkin_status pkin_i_gpu_get(pkin_i_gpu_device *device, uint64_t n_bytes, void *out) {
    const pkin_status status = device->session->driver->allocate(device->gpu, n_bytes, out);
    if (status == PKIN_OK) atomic_fetch_add(&device->bytes, n_bytes);
    return status;
}

void pkin_i_gpu_put_back(pkin_i_gpu_device *device, void *memory, uint64_t n_bytes) {
    if (!memory) return;
    device->session->driver->release(device->gpu, memory);
    atomic_fetch_sub(&device->bytes, n_bytes);
}

pkin_status pkin_i_gpu_up(pkin_i_gpu_worker *worker, void *device, const void *host, uint64_t n_bytes) {
    if (n_bytes == 0) return PKIN_OK;
    worker->bytes_up += n_bytes;
    return worker->session->driver->copy_up(worker->queue, device, host, n_bytes);
}

pkin_status pkin_i_gpu_down(pkin_i_gpu_worker *worker, void *host, const void *device, uint64_t n_bytes) {
    if (n_bytes == 0) return PKIN_OK;
    worker->bytes_down += n_bytes;
    return worker->session->driver->copy_down(worker->queue, host, device, n_bytes);
}

pkin_status pkin_i_gpu_add_seconds(pkin_i_gpu_worker *worker, double *sum) {
    double seconds;
    const pkin_status status = worker->session->driver->seconds_between_marks(worker->queue, &seconds);
    if (status != PKIN_OK) return status;
    pthread_mutex_lock(&worker->session->lock);
    const double now = pkin_i_seconds_now(), since = now - worker->device->busy_until;
    worker->device->busy_until = now;
    pthread_mutex_unlock(&worker->session->lock);
    *sum += seconds < since ? seconds : since;
    return PKIN_OK;
}

void pkin_i_gpu_account(pkin_i_gpu_session *session) {
    pkin_i_outcome *outcome = session->task->outcome;
    uint64_t device_bytes = 0;
    for (int w = 0; w < session->n_workers; w++) {
        pkin_i_gpu_worker *self = &session->workers[w];
        outcome->n_candidates += self->n_candidates;
        outcome->filter_operations += self->filter_operations;
        outcome->filter_seconds += self->filter_seconds;
        outcome->score_seconds += self->score_seconds;
        outcome->bytes_up += self->bytes_up;
        outcome->bytes_down += self->bytes_down;
        outcome->n_splits += self->n_splits;
        self->n_candidates = self->filter_operations = self->bytes_up = self->bytes_down = self->n_splits = 0;
        self->filter_seconds = self->score_seconds = 0;
    }
    for (int d = 0; d < session->n_devices; d++) device_bytes += session->devices[d].bytes;
    if (device_bytes > outcome->device_bytes) outcome->device_bytes = device_bytes;
    if (session->host_bytes > outcome->bytes) outcome->bytes = session->host_bytes;
}

/* ---- Running items ---- */

void pkin_i_gpu_settle(pkin_i_gpu_worker *worker) {
    (void)worker->session->driver->wait(worker->queue);
}

void pkin_i_gpu_note_failure(pkin_i_gpu_session *session, pkin_status status) {
    if (status == PKIN_OK || status == PKIN_ERROR_CANCELLED) return;
    pthread_mutex_lock(&session->lock);
    if (!session->message[0]) snprintf(session->message, sizeof session->message, "%s", pkin_last_error());
    pthread_mutex_unlock(&session->lock);
}

int pkin_i_gpu_is_stopping(pkin_i_gpu_worker *worker) {
    if (!worker->crew) return 0;
    pkin_i_crew_report(worker->crew, worker->thread);
    return pkin_i_crew_is_stopping(worker->crew);
}

/* A thread's own message went to that thread. The thread that makes the map may be about to leave one. */
static pkin_status say_again(pkin_i_gpu_session *session, pkin_status status) {
    char message[sizeof session->message];
    if (status == PKIN_OK || status == PKIN_ERROR_CANCELLED) return status;
    pthread_mutex_lock(&session->lock);
    memcpy(message, session->message, sizeof message);
    pthread_mutex_unlock(&session->lock);
    return message[0] ? pkin_i_fail(status, "%s", message) : status;
}

typedef struct run {
    pkin_i_gpu_session *session;
    pkin_i_gpu_item_fn fn;
    void *user;
    bool by_item; /* item w is worker w's */
} run;

static pkin_status run_item(pkin_i_crew *crew, void *user, int thread, uint64_t item) {
    run *self = user;
    pkin_i_gpu_worker *worker = &self->session->workers[self->by_item ? (int)item : thread];
    worker->crew = crew;
    worker->thread = thread;
    const pkin_status status = self->fn(worker, item, self->user);
    pkin_i_gpu_note_failure(self->session, status);
    worker->crew = NULL;
    return status;
}

static pkin_status run_all(run *self, uint64_t n_items) {
    pkin_i_gpu_session *session = self->session;
    const pkin_status status =
        pkin_i_crew_run(&session->strip_task, "comparing", 0, session->n_workers, n_items, run_item, self);
    pkin_i_gpu_account(session);
    return say_again(session, status);
}

pkin_status pkin_i_gpu_run(pkin_i_gpu_session *session, uint64_t n_items, pkin_i_gpu_item_fn fn, void *user) {
    run self = {session, fn, user, false};
    return run_all(&self, n_items);
}

pkin_status pkin_i_gpu_run_each(pkin_i_gpu_session *session, int n_workers, pkin_i_gpu_item_fn fn, void *user) {
    run self = {session, fn, user, true};
    return run_all(&self, (uint64_t)n_workers);
}

/* ---- Workers ---- */

typedef struct worker_sizes {
    uint64_t capacity, pairs_room, workspace_bytes, bytes; /* bytes: of all, on the device */
} worker_sizes;

static worker_sizes sizes_of(uint64_t capacity, uint64_t pairs_room, uint64_t workspace_bytes) {
    worker_sizes sizes = {capacity, pairs_room < capacity ? pairs_room : capacity, workspace_bytes, 0};
    sizes.bytes = align_up(workspace_bytes) + align_up(capacity * sizeof(pkin_i_gpu_candidate)) +
                  align_up(sizes.pairs_room * sizeof(pkin_pair)) + align_up(sizeof(pkin_i_gpu_counters));
    return sizes;
}

/* Twice what is expected in all, within bounds; less where the device is small: a quarter of it for both workers. */
static worker_sizes choose_sizes(const pkin_i_gpu_device *device) {
    const pkin_i_gpu_session *session = device->session;
    const pkin_i_gpu_tuning *tuning = &session->tuning;
    const uint64_t asked = session->driver->workspace_bytes(device->gpu, session->filter);
    const uint64_t share = device->budget / 4 / WORKERS_A_DEVICE;
    uint64_t capacity = CAPACITY_USUAL_LEAST, room = tuning->pairs_room, workspace = asked;
    while (capacity < CAPACITY_MOST && (double)capacity < 2 * session->expected_candidates) capacity *= 2;
    if (tuning->capacity) capacity = tuning->capacity;
    if (!room) room = PAIRS_ROOM_MOST;
    for (;;) {
        const worker_sizes sizes = sizes_of(capacity, room, workspace);
        const bool may_shrink = !tuning->capacity && capacity > CAPACITY_LEAST;
        const bool may_yield =
            workspace / 2 >= (asked + WORKSPACE_LEAST_SHARE - 1) / WORKSPACE_LEAST_SHARE && workspace > 1;
        if (sizes.bytes <= share || (!may_shrink && !may_yield)) return sizes;
        if (may_yield && (workspace > share / 2 || !may_shrink)) {
            workspace /= 2;
        } else {
            capacity /= 2;
        }
    }
}

static pkin_status open_worker(pkin_i_gpu_worker *self, pkin_i_gpu_device *device) {
    pkin_status status;
    pkin_i_gpu_session *session = device->session;
    const pkin_i_gpu_driver *driver = session->driver;
    const uint64_t stage_pairs = session->tuning.stage_pairs ? session->tuning.stage_pairs : STAGE_PAIRS;
    const uint64_t stage_bytes = 2 * stage_pairs * sizeof(pkin_pair);
    const worker_sizes sizes = choose_sizes(device);
    unsigned char *memory = NULL, *pinned = NULL;
    self->session = session;
    self->device = device;
    self->capacity = sizes.capacity;
    self->pairs_room = sizes.pairs_room;
    self->workspace_bytes = sizes.workspace_bytes;
    PKIN_TRY(driver->queue_open(device->gpu, &self->queue));
    PKIN_TRY(pkin_i_gpu_get(device, sizes.bytes, &memory));
    self->workspace = memory;
    self->memory_bytes = sizes.bytes;
    memory += align_up(sizes.workspace_bytes);
    self->candidates = (pkin_i_gpu_candidate *)memory;
    memory += align_up(sizes.capacity * sizeof *self->candidates);
    self->pairs = (pkin_pair *)memory;
    memory += align_up(sizes.pairs_room * sizeof *self->pairs);
    self->counters = (pkin_i_gpu_counters *)memory;
    PKIN_TRY(driver->allocate_host(device->gpu, stage_bytes + sizeof *self->told, &pinned));
    self->stage_pairs = stage_pairs;
    self->stage = (pkin_pair *)pinned;
    self->told = (pkin_i_gpu_counters *)(pinned + stage_bytes);
    PKIN_TRY(pkin_i_allocate(PKIN_I_GPU_OFFSETS, sizeof *self->offsets, &self->offsets));
out:
    return status;
}

static uint64_t host_bytes_of(const pkin_i_gpu_worker *self) {
    return 2 * self->stage_pairs * sizeof *self->stage + PKIN_I_GPU_OFFSETS * sizeof *self->offsets;
}

static void close_worker(pkin_i_gpu_worker *self) {
    if (!self->session) return;
    const pkin_i_gpu_driver *driver = self->session->driver;
    driver->queue_close(self->queue);
    pkin_i_gpu_put_back(self->device, self->workspace, self->memory_bytes);
    if (self->stage) driver->release_host(self->device->gpu, self->stage);
    pkin_i_free(self->offsets);
}

/* ---- The map of columns to buckets ---- */

static void *make_map(void *user) {
    pkin_i_gpu_session *session = user;
    uint64_t *weights = NULL;
    pkin_status status = pkin_i_sketch_column_weights_on(session->side[0], session->within ? NULL : session->side[1],
                                                         session->task->n_threads, &weights);
    if (status == PKIN_OK) {
        status = pkin_i_sketch_map_build(weights, session->side[0]->n_columns, session->dimension, &session->map);
    }
    pkin_i_free(weights);
    pkin_i_gpu_note_failure(session, status);
    session->map_status = status;
    return NULL;
}

/* Devices take their time to open, and rows to come up: the map is made meanwhile. */
static void begin_map(pkin_i_gpu_session *session) {
    if (pthread_create(&session->mapper, NULL, make_map, session) == 0) {
        session->map_state = PKIN_I_GPU_MAP_IN_MAKING;
    } else {
        make_map(session);
        session->map_state = PKIN_I_GPU_MAP_MADE;
    }
}

static void await_map(pkin_i_gpu_session *session) {
    if (session->map_state != PKIN_I_GPU_MAP_IN_MAKING) return;
    pthread_join(session->mapper, NULL);
    session->map_state = PKIN_I_GPU_MAP_MADE;
}

/* Brings the map to all devices, once; what is then put into any queue may follow it. */
static pkin_status finish_map(pkin_i_gpu_session *session) {
    pkin_status status = PKIN_OK;
    const uint64_t n_bytes = session->side[0]->n_columns * sizeof *session->map.buckets;
    if (session->map_state == PKIN_I_GPU_MAP_UP) return PKIN_OK;
    await_map(session);
    PKIN_TRY(say_again(session, session->map_status));
    session->host_bytes += n_bytes;
    for (int d = 0; d < session->n_devices; d++) {
        PKIN_TRY(pkin_i_gpu_up(&session->workers[d], session->devices[d].buckets, session->map.buckets, n_bytes));
    }
    for (int d = 0; d < session->n_devices; d++) PKIN_TRY(session->driver->wait(session->workers[d].queue));
    session->map_state = PKIN_I_GPU_MAP_UP;
out:
    return status;
}

/* ---- Where rows stand ---- */

static uint64_t room_on(const pkin_i_gpu_device *device) {
    return device->budget > device->bytes ? device->budget - device->bytes : 0;
}

static void forget_layout(pkin_i_gpu_session *session) {
    for (int d = 0; session->devices && d < session->n_devices; d++) {
        pkin_i_gpu_store_close(session->devices[d].store);
        session->devices[d].store = NULL;
    }
    pkin_i_free(session->shards);
    session->shards = NULL;
    session->n_shards = session->n_row_shards = 0;
}

/* `needed_bytes` beside what the device holds now. */
static pkin_status too_little(const pkin_i_gpu_device *device, uint64_t needed_bytes) {
    const pkin_i_gpu_session *session = device->session;
    return pkin_i_fail(
        PKIN_ERROR_OUT_OF_MEMORY,
        "%s: device %d (%s) has %.3f GB of memory to be used, at least %.3f GB are needed for sketches of "
        "%u bytes of rows over %llu columns: use another device or the backend \"cpu\"",
        session->driver->name, device->index, device->info.name, gigabytes(device->budget),
        gigabytes(device->bytes + needed_bytes), session->dimension, (unsigned long long)session->side[0]->n_columns);
}

static const pkin_i_gpu_device *device_with_least_room(const pkin_i_gpu_session *session) {
    const pkin_i_gpu_device *least = &session->devices[0];
    for (int d = 1; d < session->n_devices; d++) {
        if (room_on(&session->devices[d]) < room_on(least)) least = &session->devices[d];
    }
    return least;
}

static pkin_i_gpu_shards_want what_to_cut(const pkin_i_gpu_session *session) {
    return (pkin_i_gpu_shards_want){.a = session->side[0],
                                    .b = session->within ? NULL : session->side[1],
                                    .dimension = session->dimension,
                                    .coding = session->coding,
                                    .most_rows = session->tuning.shard_rows,
                                    .most_bytes = UINT64_MAX};
}

/* Shards alike on all devices: as large as may be where all have room for all, else by the one with the least room. */
static pkin_status cut_shards(pkin_i_gpu_session *session, uint64_t reserve_bytes, uint32_t *n_slots) {
    pkin_status status;
    const pkin_i_gpu_device *device = device_with_least_room(session);
    const uint64_t free_bytes = room_on(device), room = free_bytes > reserve_bytes ? free_bytes - reserve_bytes : 0;
    const uint32_t slots_most = session->tuning.shard_slots;
    pkin_i_gpu_shards_want want = what_to_cut(session);
    const uint64_t step_bytes = pkin_i_gpu_shards_step_bytes(&want);
    PKIN_TRY(pkin_i_gpu_shards_cut(&want, &session->shards, &session->n_shards));
    *n_slots = session->n_shards;
    session->is_resident =
        (!slots_most || session->n_shards <= slots_most) && pkin_i_gpu_store_bytes(session, session->n_shards) <= room;
    if (session->is_resident) return PKIN_OK;
    forget_layout(session);
    *n_slots = slots_most > 2 ? slots_most : slots_most ? 2 : SLOTS;
    while (*n_slots > 2 && room / *n_slots < step_bytes) --*n_slots;
    want.most_bytes = room / *n_slots;
    if (want.most_bytes < step_bytes) return too_little(device, reserve_bytes + 2 * step_bytes);
    PKIN_TRY(pkin_i_gpu_shards_cut(&want, &session->shards, &session->n_shards));
    if (*n_slots > session->n_shards) *n_slots = session->n_shards;
    session->is_resident = *n_slots == session->n_shards;
out:
    return status;
}

static pkin_status upload_item(pkin_i_gpu_worker *worker, uint64_t item, void *user) {
    (void)item;
    (void)user;
    return pkin_i_gpu_store_upload(worker);
}

/* Every worker brings up parts of its device's rows, so that the host's copying is shared. */
static pkin_status upload_all(pkin_i_gpu_session *session) {
    pkin_status status;
    for (int d = 0; d < session->n_devices; d++) pkin_i_gpu_store_assign(session->devices[d].store);
    PKIN_TRY(pkin_i_gpu_run_each(session, session->n_workers, upload_item, NULL));
    PKIN_TRY(finish_map(session));
    for (int d = 0; d < session->n_devices; d++) PKIN_TRY(pkin_i_gpu_store_sketch(&session->workers[d]));
out:
    return status;
}

static pkin_status lay_out(pkin_i_gpu_session *session, uint64_t reserve_bytes) {
    pkin_status status;
    uint32_t n_slots;
    forget_layout(session);
    PKIN_TRY(cut_shards(session, reserve_bytes, &n_slots));
    while (session->n_row_shards < session->n_shards && session->shards[session->n_row_shards].side == 0) {
        session->n_row_shards++;
    }
    for (int d = 0; d < session->n_devices; d++) {
        PKIN_TRY(pkin_i_gpu_store_open(&session->devices[d], n_slots, &session->devices[d].store));
    }
    PKIN_TRY(session->is_resident ? upload_all(session) : finish_map(session));
    pkin_i_gpu_account(session);
out:
    if (status != PKIN_OK) forget_layout(session);
    return status;
}

pkin_status pkin_i_gpu_ready(pkin_i_gpu_session *session, uint64_t reserve_bytes) {
    bool is_enough = session->shards != NULL;
    session->message[0] = '\0'; /* of an earlier call */
    for (int d = 0; d < session->n_devices; d++) is_enough &= room_on(&session->devices[d]) >= reserve_bytes;
    if (is_enough) return PKIN_OK;
    const double begin = pkin_i_seconds_now();
    const pkin_status status = lay_out(session, reserve_bytes);
    session->task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    return status;
}

/* ---- Opening and closing ---- */

static pkin_status open_device(pkin_i_gpu_device *self, pkin_i_gpu_session *session, int index) {
    pkin_status status;
    const pkin_i_gpu_driver *driver = session->driver;
    const uint64_t n_columns = session->side[0]->n_columns;
    uint64_t free_bytes = 0, margin, needed;
    self->session = session;
    self->index = index;
    PKIN_TRY(driver->info(index, &self->info));
    PKIN_TRY(driver->open(index, &self->gpu));
    PKIN_TRY(driver->free_memory(self->gpu, &free_bytes));
    margin = free_bytes / MARGIN_SHARE < MARGIN_MOST ? free_bytes / MARGIN_SHARE : MARGIN_MOST;
    self->budget = free_bytes - margin;
    if (session->tuning.memory_bytes && session->tuning.memory_bytes < self->budget) {
        self->budget = session->tuning.memory_bytes;
    }
    needed = n_columns * sizeof *self->buckets + WORKERS_A_DEVICE * choose_sizes(self).bytes;
    if (needed > self->budget) {
        const pkin_i_gpu_shards_want want = what_to_cut(session);
        return too_little(self, needed + 2 * pkin_i_gpu_shards_step_bytes(&want));
    }
    PKIN_TRY(pkin_i_gpu_get(self, n_columns ? n_columns * sizeof *self->buckets : 1, &self->buckets));
out:
    return status;
}

static void close_device(pkin_i_gpu_device *self) {
    if (!self->gpu) return;
    pkin_i_gpu_put_back(self, self->buckets, 0);
    self->session->driver->close(self->gpu);
}

static pkin_status open_sides(pkin_i_gpu_session *session) {
    const pkin_i_task *task = session->task;
    const pkin_status status = pkin_i_narrow(task->a, task->b, &session->sides);
    session->within = task->b == NULL;
    session->side[0] = &session->sides.a;
    session->side[1] = session->within ? &session->sides.a : &session->sides.b;
    for (int side = 0; side < (session->within ? 1 : 2) && session->sides.columns; side++) {
        session->host_bytes += session->side[side]->row_offsets[session->side[side]->n_rows] * sizeof(uint32_t);
    }
    return status;
}

/* A device with its workers: w and w + n_devices, and so on. */
static pkin_status open_device_fully(pkin_i_gpu_session *session, int d, int index) {
    pkin_status status;
    PKIN_TRY(open_device(&session->devices[d], session, index));
    for (int w = d; w < session->n_workers; w += session->n_devices) {
        PKIN_TRY(open_worker(&session->workers[w], &session->devices[d]));
    }
out:
    pkin_i_gpu_note_failure(session, status);
    return status;
}

/* Opening a device takes tenths of a second: several are opened at once. */
static pkin_status open_devices(pkin_i_gpu_session *session) {
    pkin_status status;
    pkin_i_gpu_choice choice;
    int failure = PKIN_OK;
    PKIN_TRY(pkin_i_gpu_choose(session->driver, session->task->devices, session->filter, &choice));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)choice.n, sizeof *session->devices, &session->devices));
    session->n_devices = choice.n;
    session->n_workers = WORKERS_A_DEVICE * choice.n;
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)session->n_workers, sizeof *session->workers, &session->workers));
#pragma omp parallel for num_threads(choice.n) schedule(static, 1) reduction(max : failure) if (choice.n > 1)
    for (int d = 0; d < choice.n; d++) {
        const int opened = (int)open_device_fully(session, d, choice.indices[d]);
        if (opened > failure) failure = opened;
    }
    PKIN_TRY(say_again(session, (pkin_status)failure));
    for (int w = 0; w < session->n_workers; w++) session->host_bytes += host_bytes_of(&session->workers[w]);
out:
    return status;
}

static void name_devices(const pkin_i_gpu_session *session) {
    pkin_i_outcome *outcome = session->task->outcome;
    snprintf(outcome->device, sizeof outcome->device, "%s", session->devices[0].info.name);
    outcome->n_devices = session->n_devices;
}

pkin_status pkin_i_gpu_open(const pkin_i_gpu_driver *driver, const pkin_i_task *task, const pkin_i_plan *plan,
                            const pkin_i_gpu_tuning *tuning, void **out) {
    pkin_status status;
    pkin_i_gpu_session *session = NULL;
    const double begin = pkin_i_seconds_now();
    *out = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *session, &session));
    pthread_mutex_init(&session->lock, NULL);
    session->driver = driver;
    session->task = task;
    session->strip_task = *task;
    if (tuning) session->tuning = *tuning;
    session->filter = (pkin_i_gpu_filter)plan->filter;
    session->coding = pkin_i_gpu_coding_of(session->filter);
    session->dimension = plan->dimension;
    session->expected_candidates = plan->candidates.middle;
    PKIN_TRY(open_sides(session));
    begin_map(session);
    PKIN_TRY(open_devices(session));
    PKIN_TRY(lay_out(session, 0));
    name_devices(session);
    task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    *out = session;
    session = NULL;
out:
    pkin_i_gpu_close(session);
    return status;
}

void pkin_i_gpu_close(void *opened) {
    pkin_i_gpu_session *session = opened;
    if (!session) return;
    await_map(session);
    pkin_i_free(session->items);
    forget_layout(session);
    for (int w = 0; session->workers && w < session->n_workers; w++) close_worker(&session->workers[w]);
    for (int d = 0; session->devices && d < session->n_devices; d++) close_device(&session->devices[d]);
    pkin_i_free(session->workers);
    pkin_i_free(session->devices);
    pkin_i_sketch_map_free(&session->map);
    pkin_i_narrowed_free(&session->sides);
    pthread_mutex_destroy(&session->lock);
    pkin_i_free(session);
}
