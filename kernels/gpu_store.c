/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gpu_store.h"

#include <time.h>

#include "base/failure.h"
#include "kernels/gpu_shards.h"

enum {
    PART_ENTRIES = 8 << 20, /* brought up at a time: workers share a shard, and hear of cancellation between */
    PATIENCE_NS = 10000000  /* between looks at whether others have failed */
};
static const uint32_t NO_SHARD = UINT32_MAX;

typedef enum slot_state { SLOT_EMPTY, SLOT_LOADING, SLOT_READY, SLOT_FAILED } slot_state;

typedef struct slot {
    slot_state state;
    uint32_t shard; /* NO_SHARD where EMPTY or FAILED */
    int n_holders;
    uint64_t last_use; /* by the store's count of uses; 0: never */
    pkin_status failure;
    uint64_t bytes;
    unsigned char *memory; /* device */
    pkin_i_gpu_rows rows;
} slot;

struct pkin_i_gpu_store {
    pkin_i_gpu_device *device;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t n_uses;
    slot *slots;
    uint32_t n_slots;
    _Atomic uint64_t next_part; /* of the upload of all */
};

/* ---- Sizes ---- */

static uint64_t entries_of(const pkin_i_gpu_session *session, uint32_t number) {
    const pkin_i_gpu_shard *shard = &session->shards[number];
    const uint64_t *offsets = session->side[shard->side]->row_offsets;
    return offsets[shard->last] - offsets[shard->first];
}

static pkin_i_gpu_shard_layout layout_of(const pkin_i_gpu_session *session, uint32_t number) {
    const pkin_i_gpu_shard *shard = &session->shards[number];
    return pkin_i_gpu_shard_lay_out(shard->last - shard->first, entries_of(session, number), session->dimension,
                                    session->coding);
}

uint64_t pkin_i_gpu_store_bytes(const pkin_i_gpu_session *session, uint32_t n_slots) {
    uint64_t sum = 0, largest = 0;
    for (uint32_t s = 0; s < session->n_shards; s++) {
        const uint64_t bytes = layout_of(session, s).bytes;
        sum += bytes;
        if (bytes > largest) largest = bytes;
    }
    return n_slots == session->n_shards ? sum : n_slots * largest;
}

/* ---- Slots ---- */

pkin_status pkin_i_gpu_store_open(pkin_i_gpu_device *device, uint32_t n_slots, pkin_i_gpu_store **out) {
    pkin_status status;
    const pkin_i_gpu_session *session = device->session;
    pkin_i_gpu_store *store = NULL;
    uint64_t largest = 0;
    *out = NULL;
    for (uint32_t s = 0; s < session->n_shards; s++) {
        if (layout_of(session, s).bytes > largest) largest = layout_of(session, s).bytes;
    }
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *store, &store));
    store->device = device;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, NULL);
    PKIN_TRY(pkin_i_allocate_zeroed(n_slots, sizeof *store->slots, &store->slots));
    store->n_slots = n_slots;
    for (uint32_t s = 0; s < n_slots; s++) {
        slot *self = &store->slots[s];
        self->shard = NO_SHARD;
        self->bytes = n_slots == session->n_shards ? layout_of(session, s).bytes : largest;
        PKIN_TRY(pkin_i_gpu_get(device, self->bytes, &self->memory));
    }
    *out = store;
    store = NULL;
out:
    pkin_i_gpu_store_close(store);
    return status;
}

void pkin_i_gpu_store_close(pkin_i_gpu_store *store) {
    if (!store) return;
    for (uint32_t s = 0; store->slots && s < store->n_slots; s++) {
        pkin_i_gpu_put_back(store->device, store->slots[s].memory, store->slots[s].bytes);
    }
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    pkin_i_free(store->slots);
    pkin_i_free(store);
}

/* Gives the slot's memory to a shard's arrays. */
static void assign(slot *self, const pkin_i_gpu_session *session, uint32_t number) {
    const pkin_i_gpu_shard *shard = &session->shards[number];
    const pkin_i_gpu_shard_layout layout = layout_of(session, number);
    self->shard = number;
    self->rows = (pkin_i_gpu_rows){
        .first = shard->first,
        .n_rows = (uint32_t)(shard->last - shard->first),
        .dimension = session->dimension,
        .coding = session->coding,
        .offsets = (const uint64_t *)(self->memory + layout.offsets),
        .columns = (const uint32_t *)(self->memory + layout.columns),
        .weights = (const uint32_t *)(self->memory + layout.weights),
        .sketches = self->memory + layout.sketches,
        .sums = session->coding == PKIN_I_GPU_SHIFTED ? (int32_t *)(self->memory + layout.sums) : NULL};
}

/* ---- Loading ---- */

static uint64_t n_parts_of(const pkin_i_gpu_session *session, uint32_t number) {
    return 1 + (entries_of(session, number) + PART_ENTRIES - 1) / PART_ENTRIES;
}

/* Offsets as they are, or counted from the shard's first entry: those by way of the worker's own small array. */
static pkin_status upload_offsets(pkin_i_gpu_worker *worker, const slot *self, const pkin_vectors *side) {
    pkin_status status = PKIN_OK;
    const uint64_t *offsets = side->row_offsets + self->rows.first, base = offsets[0];
    const uint64_t n = self->rows.n_rows + UINT64_C(1);
    uint64_t *target = (uint64_t *)self->rows.offsets;
    if (base == 0) return pkin_i_gpu_up(worker, target, offsets, n * sizeof *target);
    for (uint64_t at = 0; at < n; at += PKIN_I_GPU_OFFSETS) {
        const uint64_t n_now = n - at < PKIN_I_GPU_OFFSETS ? n - at : PKIN_I_GPU_OFFSETS;
        for (uint64_t k = 0; k < n_now; k++) worker->offsets[k] = offsets[at + k] - base;
        PKIN_TRY(pkin_i_gpu_up(worker, target + at, worker->offsets, n_now * sizeof *target));
    }
out:
    return status;
}

/* Part 0 of a shard: its offsets; the others: PART_ENTRIES of its entries. */
static pkin_status upload_part(pkin_i_gpu_worker *worker, const slot *self, uint64_t part) {
    pkin_status status;
    const pkin_i_gpu_session *session = worker->session;
    const pkin_i_gpu_shard *shard = &session->shards[self->shard];
    const pkin_vectors *side = session->side[shard->side];
    if (part == 0) return upload_offsets(worker, self, side);
    const uint64_t n_entries = entries_of(session, self->shard);
    const uint64_t begin = (part - 1) * PART_ENTRIES, from = side->row_offsets[shard->first] + begin;
    const uint64_t n = n_entries - begin < PART_ENTRIES ? n_entries - begin : PART_ENTRIES;
    PKIN_TRY(pkin_i_gpu_up(worker, (uint32_t *)self->rows.columns + begin, side->columns + from, n * sizeof(uint32_t)));
    PKIN_TRY(pkin_i_gpu_up(worker, (uint32_t *)self->rows.weights + begin, side->weights + from, n * sizeof(uint32_t)));
out:
    return status;
}

/* Fills an assigned slot, and waits until it is. */
static pkin_status load(pkin_i_gpu_worker *worker, const slot *self) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_session *session = worker->session;
    const uint64_t n_parts = n_parts_of(session, self->shard);
    for (uint64_t part = 0; part < n_parts; part++) {
        PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "loading rows was given up");
        PKIN_TRY(upload_part(worker, self, part));
    }
    PKIN_TRY(session->driver->sketch(worker->queue, &self->rows, worker->device->buckets));
    PKIN_TRY(session->driver->wait(worker->queue));
out:
    /* Nothing may go on in a slot that others may take. */
    if (status != PKIN_OK) pkin_i_gpu_settle(worker);
    return status;
}

void pkin_i_gpu_store_assign(pkin_i_gpu_store *store) {
    for (uint32_t s = 0; s < store->n_slots; s++) assign(&store->slots[s], store->device->session, s);
    atomic_store(&store->next_part, 0);
}

pkin_status pkin_i_gpu_store_upload(pkin_i_gpu_worker *worker) {
    pkin_status status = PKIN_OK;
    pkin_i_gpu_store *store = worker->device->store;
    for (;;) {
        uint64_t part = atomic_fetch_add(&store->next_part, 1);
        uint32_t s = 0;
        for (; s < store->n_slots && part >= n_parts_of(worker->session, s); s++)
            part -= n_parts_of(worker->session, s);
        if (s == store->n_slots) break;
        PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "loading rows was given up");
        PKIN_TRY(upload_part(worker, &store->slots[s], part));
    }
    PKIN_TRY(worker->session->driver->wait(worker->queue));
out:
    if (status != PKIN_OK) pkin_i_gpu_settle(worker);
    return status;
}

pkin_status pkin_i_gpu_store_sketch(pkin_i_gpu_worker *worker) {
    pkin_status status = PKIN_OK;
    pkin_i_gpu_store *store = worker->device->store;
    const pkin_i_gpu_driver *driver = worker->session->driver;
    for (uint32_t s = 0; s < store->n_slots; s++) {
        PKIN_TRY(driver->sketch(worker->queue, &store->slots[s].rows, worker->device->buckets));
    }
    PKIN_TRY(driver->wait(worker->queue));
    for (uint32_t s = 0; s < store->n_slots; s++) store->slots[s].state = SLOT_READY;
out:
    if (status != PKIN_OK) pkin_i_gpu_settle(worker);
    return status;
}

/* ---- Taking and giving ---- */

static slot *slot_of(pkin_i_gpu_store *store, uint32_t shard) {
    for (uint32_t s = 0; s < store->n_slots; s++) {
        if (store->slots[s].shard == shard) return &store->slots[s];
    }
    return NULL;
}

/* The slot that nobody holds, or is about to (`spared`), and that was used the longest ago; NULL: there is none. */
static slot *slot_to_fill(pkin_i_gpu_store *store, const slot *spared) {
    slot *best = NULL;
    for (uint32_t s = 0; s < store->n_slots; s++) {
        slot *self = &store->slots[s];
        if (self->n_holders == 0 && self != spared && (!best || self->last_use < best->last_use)) best = self;
    }
    return best;
}

/* What a worker takes at a time: each slot once. */
typedef struct taking {
    slot *slots[2];
    bool is_mine[2]; /* to be loaded */
    int n;
} taking;

/* Holds the slots of both shards, or none of them: false. With the lock. */
static bool try_take(pkin_i_gpu_store *store, const uint32_t *shards, int n, taking *out) {
    slot *found[2] = {slot_of(store, shards[0]), n > 1 ? slot_of(store, shards[1]) : NULL}, *places[2] = {0};
    for (int k = 0; k < n; k++) {
        places[k] = found[k];
        if (found[k]) continue;
        const slot *other = k == 0 ? found[1] : places[0];
        places[k] = slot_to_fill(store, other);
        if (!places[k]) return false;
    }
    *out = (taking){.n = n};
    for (int k = 0; k < n; k++) {
        out->slots[k] = places[k];
        out->is_mine[k] = !found[k];
        places[k]->n_holders++;
        places[k]->last_use = ++store->n_uses;
        if (found[k]) continue;
        assign(places[k], store->device->session, shards[k]);
        places[k]->state = SLOT_LOADING;
    }
    return true;
}

static void let_go(pkin_i_gpu_store *store, slot *self) {
    if (--self->n_holders == 0 && self->state == SLOT_FAILED) self->state = SLOT_EMPTY;
    pthread_cond_broadcast(&store->changed);
}

/* Others may fail: then what is waited for never comes. With the lock. */
static void wait_a_little(pkin_i_gpu_store *store) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PATIENCE_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&store->changed, &store->lock, &until);
}

/* Loads what is this worker's to load; nobody else's loading waits for that. */
static pkin_status load_mine(pkin_i_gpu_worker *worker, taking *taken) {
    pkin_i_gpu_store *store = worker->device->store;
    pkin_status first = PKIN_OK;
    for (int k = 0; k < taken->n; k++) {
        slot *self = taken->slots[k];
        if (!taken->is_mine[k]) continue;
        const pkin_status status = first == PKIN_OK ? load(worker, self) : first;
        /* Those who wait for the slot will say the same, but cannot say why. */
        if (status != PKIN_OK && first == PKIN_OK) pkin_i_gpu_note_failure(worker->session, status);
        if (first == PKIN_OK) first = status;
        pthread_mutex_lock(&store->lock);
        self->state = status == PKIN_OK ? SLOT_READY : SLOT_FAILED;
        self->failure = status;
        if (status != PKIN_OK) self->shard = NO_SHARD;
        pthread_cond_broadcast(&store->changed);
        pthread_mutex_unlock(&store->lock);
    }
    return first;
}

pkin_status pkin_i_gpu_take(pkin_i_gpu_worker *worker, uint32_t x, uint32_t y, const pkin_i_gpu_rows **out_x,
                            const pkin_i_gpu_rows **out_y) {
    pkin_i_gpu_store *store = worker->device->store;
    const uint32_t shards[2] = {x, y};
    const int n = x == y ? 1 : 2;
    taking taken = {0};
    pthread_mutex_lock(&store->lock);
    while (!try_take(store, shards, n, &taken)) {
        wait_a_little(store);
        /* The caller of all is asked, too, and may take its time. */
        pthread_mutex_unlock(&store->lock);
        if (pkin_i_gpu_is_stopping(worker)) {
            return pkin_i_fail(PKIN_ERROR_CANCELLED, "waiting for rows was given up");
        }
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    pkin_status status = load_mine(worker, &taken);
    pthread_mutex_lock(&store->lock);
    for (int k = 0; k < n; k++) {
        while (taken.slots[k]->state == SLOT_LOADING) wait_a_little(store);
        if (status == PKIN_OK && taken.slots[k]->state == SLOT_FAILED) status = taken.slots[k]->failure;
    }
    for (int k = 0; k < n && status != PKIN_OK; k++) let_go(store, taken.slots[k]);
    pthread_mutex_unlock(&store->lock);
    if (status != PKIN_OK) return status;
    *out_x = &taken.slots[0]->rows;
    *out_y = &taken.slots[n - 1]->rows;
    return PKIN_OK;
}

void pkin_i_gpu_give(pkin_i_gpu_worker *worker, uint32_t x, uint32_t y) {
    pkin_i_gpu_store *store = worker->device->store;
    pthread_mutex_lock(&store->lock);
    let_go(store, slot_of(store, x));
    if (y != x) let_go(store, slot_of(store, y));
    pthread_mutex_unlock(&store->lock);
}
