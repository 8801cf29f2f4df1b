/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Top-k on devices. A filter is only as good as the thresholds of the rows' heaps, so these are brought near their
 * final place before all pairs are compared:
 *
 * 1. Seeds. Each row meets a sample of the other side by sketches; of every group of sampled rows the one with the
 *    highest bound is scored and offered. There are more groups than k, so that heaps are full behind it.
 * 2. Rows that no filter helps. The same sample tells how many partners of a row reach its threshold. Where they are so
 *    many that it is cheaper to score the row against everybody, that is done, eight rows at a time; then the row is
 *    finished: its limit is out of reach, and pairs pass by the other row's limit alone.
 * 3. All pairs, as in a join (gpu_join.c), but pass by the limits of the two rows (within one side the lower of them),
 *    which rise as scores come in. Where more candidates pass than there is room for, those that are there are scored,
 *    and the block is cut and filtered again, then with higher limits; offers may repeat.
 * 4. The heaps come down and are offered to the host's.
 *
 * Whatever the order and the division of the work, every pair that can enter a heap is scored: a limit is that of a
 * threshold that the heap already has, so that what it keeps out is worse than k neighbours. Heaps keep the same
 * whatever the order of the offers (heaps.cuh). So results are the same bits as the CPU's.
 *
 * Every device has heaps of all rows and seeds them for itself: that takes a small part of its time, and limits need no
 * exchange. The work of 2 and 3 is shared out, so that devices come to know different neighbours; the host's heaps
 * bring them together.
 *
 * Where rows do not all fit on a device, a shard of rows is sampled against one shard of the other side, so that
 * seeding reads each shard about once.
 */
#include "base/failure.h"
#include "kernels/gpu_session.h"
#include "similarity/neighbor_heaps.h"

enum {
    SEED_GROUPS_LEAST = 32,
    SEED_GROUPS_EACH = 4,   /* groups a wanted neighbour, while they are no more than SEED_GROUPS_EASY; */
    SEED_GROUPS_EASY = 256, /* from there on three for two neighbours */
    SEED_GROUP_MOST = 128,
    SEED_GROUP_LEAST = 32,  /* gpu_device.h: groups are multiples of it */
    COUNT_SHARE = 4,        /* of the sample, on which partners are counted, */
    COUNT_LEAST = 1024,     /* but so many rows where there are */
    SEED_SHARE = 16,        /* groups shrink while the sample is more than this part of the side */
    PIECE_ROWS = 1 << 18,   /* rows of a shard whose seeds are found, or partners counted, at a time */
    EXHAUST_LEAST = 4096,   /* candidates below which no row meets everybody, */
    EXHAUST_SHARE = 4,      /* nor below this part of the other side: by exhaust_rows.cuh's traffic, to be measured */
    TABLE_SHARE = 16,       /* of a device's memory, for the tables of all its workers together */
    FIRST_PARTS = 4,        /* that the first items are cut into, for thresholds to rise early */
    MERGE_PLACES = 1 << 22, /* whose neighbours come down at a time */
    ALIGNMENT = 1024
};

/* Of dp4a, before others are asked again whether to go on: a fifth of a second at 40 TOPS. */
static const uint64_t SEED_OPERATIONS_MOST = UINT64_C(1) << 43;

/* How rows are sampled. */
typedef struct sample_sizes {
    uint32_t group;  /* sampled rows of a group */
    uint64_t n_rows; /* sampled rows of a shard, at most */
} sample_sizes;

/* What a worker needs besides its queue and candidates: device memory. */
typedef struct worker_search {
    void *memory;
    uint8_t *sketches; /* of a sample */
    int32_t *sums;     /* of a sample; SHIFTED */
    uint32_t *counts;  /* piece_rows */
    uint32_t *listed;  /* PKIN_I_GPU_EXHAUST_MOST */
    void *table;       /* of exhaust, zeroes; NULL: there is no room for one */
} worker_search;

/* Rows exhausted[first, first + n) of the search, all of one shard. */
typedef struct exhaust_part {
    uint32_t shard;
    uint64_t first, n;
} exhaust_part;

typedef struct search {
    pkin_i_gpu_session *session;
    pkin_i_neighbor_heaps *heaps; /* the host's */
    uint64_t min_score;
    uint64_t n_rows, n_others; /* of the heaps; that can be neighbours */
    uint32_t k;
    sample_sizes sizes;
    uint64_t piece_rows, sample_rows, table_bytes;
    double exhaust_candidates;
    pkin_i_gpu_heaps *device_heaps; /* by device */
    worker_search *workers;
    uint32_t *expected;  /* by row: partners that reach its threshold, about; NULL: no row meets everybody */
    uint32_t *exhausted; /* rows that do, ascending */
    uint64_t n_exhausted;
    exhaust_part *parts;
    uint64_t n_parts;
} search;

static int device_of(const search *self, const pkin_i_gpu_worker *worker) {
    return (int)(worker->device - self->session->devices);
}

static worker_search *worker_of(const search *self, const pkin_i_gpu_worker *worker) {
    return &self->workers[worker - self->session->workers];
}

static uint64_t round_up(uint64_t n, uint64_t step) {
    return (n + step - 1) / step * step;
}

/* ---- Sizes ---- */

/* Groups and their rows for k neighbours among n rows: more groups than neighbours, but a small part of the rows. */
static sample_sizes choose_sample(const pkin_i_gpu_tuning *tuning, uint32_t k, uint64_t n) {
    uint64_t groups = (uint64_t)k * SEED_GROUPS_EACH, group = SEED_GROUP_MOST;
    if (groups > SEED_GROUPS_EASY) {
        const uint64_t fewer = (uint64_t)k + k / 2;
        groups = fewer > SEED_GROUPS_EASY ? fewer : SEED_GROUPS_EASY;
    }
    if (groups < SEED_GROUPS_LEAST) groups = SEED_GROUPS_LEAST;
    if (tuning->seed_groups) groups = tuning->seed_groups;
    while (group > SEED_GROUP_LEAST && groups * group > n / SEED_SHARE) group /= 2;
    if (tuning->seed_group) group = round_up(tuning->seed_group, SEED_GROUP_LEAST);
    return (sample_sizes){(uint32_t)group, groups * group};
}

/* The least threshold of the host's heaps: at least 1, since no score is no similarity. */
static uint64_t least_threshold(const pkin_i_neighbor_heaps *heaps) {
    uint64_t least = UINT64_MAX;
    for (uint64_t r = 0; r < heaps->n_rows; r++) {
        if (heaps->thresholds[r] < least) least = heaps->thresholds[r];
    }
    return least > 0 ? least : 1;
}

static int n_workers_each(const pkin_i_gpu_session *session) {
    return (session->n_workers + session->n_devices - 1) / session->n_devices;
}

/* A table's bytes; 0 where tables would take too much of the smallest device. */
static uint64_t choose_table(const pkin_i_gpu_session *session) {
    const uint64_t term_bytes = PKIN_I_GPU_EXHAUST_MOST * sizeof(uint32_t), n_terms = session->side[0]->n_columns;
    uint64_t least = UINT64_MAX;
    for (int d = 0; d < session->n_devices; d++) {
        if (session->devices[d].budget < least) least = session->devices[d].budget;
    }
    const uint64_t room = least / TABLE_SHARE / (uint64_t)n_workers_each(session);
    return n_terms <= room / term_bytes ? n_terms * term_bytes : 0;
}

/* What follows from the rows, k and the session. */
static pkin_status measure(search *self) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_session *session = self->session;
    const pkin_i_gpu_tuning *tuning = &session->tuning;
    size_t n_places;
    self->n_rows = session->side[0]->n_rows;
    self->n_others = session->side[1]->n_rows;
    self->k = self->heaps->k < self->n_others ? self->heaps->k : (uint32_t)self->n_others;
    self->min_score = least_threshold(self->heaps);
    PKIN_REQUIRE(pkin_i_multiply(self->n_rows, self->k, &n_places) && n_places < SIZE_MAX / 64, PKIN_ERROR_OVERFLOW,
                 "top-k: %llu rows x %lu neighbours", (unsigned long long)self->n_rows, (unsigned long)self->k);
    self->sizes = choose_sample(tuning, self->k, self->n_others);
    self->sample_rows = self->sizes.n_rows < self->n_others ? self->sizes.n_rows : self->n_others;
    self->sample_rows = round_up(self->sample_rows, PKIN_I_GPU_ROWS_STEP);
    self->piece_rows = self->n_rows < PIECE_ROWS ? self->n_rows : PIECE_ROWS;
    self->table_bytes = choose_table(session);
    self->exhaust_candidates = (double)(self->n_others / EXHAUST_SHARE);
    if (self->exhaust_candidates < EXHAUST_LEAST) self->exhaust_candidates = EXHAUST_LEAST;
    if (tuning->exhaust_candidates > 0) self->exhaust_candidates = tuning->exhaust_candidates;
out:
    return status;
}

/* ---- Memory ---- */

/* Bytes of a device's heaps; with `memory`, also where each array of them is, the longest elements first. */
static uint64_t place_heaps(const search *self, void *memory, pkin_i_gpu_heaps *out) {
    const uint64_t n = self->n_rows, places = n * self->k;
    const uint64_t n_bytes = (places + n) * sizeof(uint64_t) + (places + 3 * n) * sizeof(uint32_t);
    if (!memory) return n_bytes;
    *out = (pkin_i_gpu_heaps){.n_rows = n, .k = self->k, .coding = self->session->coding};
    out->scores = memory;
    out->thresholds = out->scores + places;
    out->neighbors = (uint32_t *)(out->thresholds + n);
    out->counts = out->neighbors + places;
    out->limits = (int32_t *)(out->counts + n);
    out->locks = (uint32_t *)(out->limits + n);
    return n_bytes;
}

/* The same of a worker's memory. */
static uint64_t place_worker(const search *self, unsigned char *memory, worker_search *out) {
    const uint32_t dimension = self->session->dimension;
    const uint64_t sums = self->session->coding == PKIN_I_GPU_SHIFTED ? self->sample_rows * sizeof(int32_t) : 0;
    const uint64_t parts[] = {round_up(self->sample_rows * dimension, ALIGNMENT),
                              round_up(self->table_bytes, ALIGNMENT), round_up(sums, ALIGNMENT),
                              round_up(self->piece_rows * sizeof(uint32_t), ALIGNMENT),
                              PKIN_I_GPU_EXHAUST_MOST * sizeof(uint32_t)};
    if (memory) {
        out->memory = out->sketches = memory;
        if (self->table_bytes) out->table = memory + parts[0];
        if (sums) out->sums = (int32_t *)(memory + parts[0] + parts[1]);
        out->counts = (uint32_t *)(memory + parts[0] + parts[1] + parts[2]);
        out->listed = (uint32_t *)(memory + parts[0] + parts[1] + parts[2] + parts[3]);
    }
    return parts[0] + parts[1] + parts[2] + parts[3] + parts[4];
}

static pkin_status open_worker(search *self, pkin_i_gpu_worker *worker) {
    pkin_status status;
    worker_search *own = worker_of(self, worker);
    unsigned char *memory;
    PKIN_TRY(pkin_i_gpu_get(worker->device, place_worker(self, NULL, NULL), &memory));
    place_worker(self, memory, own);
    if (own->table) PKIN_TRY(self->session->driver->fill(worker->queue, own->table, 0, self->table_bytes));
out:
    return status;
}

static pkin_status search_open(search *self) {
    pkin_status status;
    pkin_i_gpu_session *session = self->session;
    PKIN_REQUIRE(session->filter != PKIN_I_GPU_FILTER_GEMM8, PKIN_ERROR_UNSUPPORTED,
                 "top-k: the filter gemm8 knows no limits of rows; take gemm32, or leave the choice to the plan");
    PKIN_TRY(measure(self));
    const uint64_t workers_bytes = place_worker(self, NULL, NULL) * (uint64_t)n_workers_each(session);
    PKIN_TRY(pkin_i_gpu_ready(session, place_heaps(self, NULL, NULL) + workers_bytes));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)session->n_devices, sizeof *self->device_heaps, &self->device_heaps));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)session->n_workers, sizeof *self->workers, &self->workers));
    if (self->table_bytes) PKIN_TRY(pkin_i_allocate_zeroed(self->n_rows, sizeof *self->expected, &self->expected));
    for (int d = 0; d < session->n_devices; d++) {
        void *memory;
        PKIN_TRY(pkin_i_gpu_get(&session->devices[d], place_heaps(self, NULL, NULL), &memory));
        place_heaps(self, memory, &self->device_heaps[d]);
    }
    for (int w = 0; w < session->n_workers; w++) PKIN_TRY(open_worker(self, &session->workers[w]));
out:
    return status;
}

static void search_close(search *self) {
    pkin_i_gpu_session *session = self->session;
    for (int w = 0; self->workers && w < session->n_workers; w++) {
        pkin_i_gpu_put_back(session->workers[w].device, self->workers[w].memory, place_worker(self, NULL, NULL));
    }
    for (int d = 0; self->device_heaps && d < session->n_devices; d++) {
        pkin_i_gpu_put_back(&session->devices[d], self->device_heaps[d].scores, place_heaps(self, NULL, NULL));
    }
    pkin_i_free(self->device_heaps);
    pkin_i_free(self->workers);
    pkin_i_free(self->expected);
    pkin_i_free(self->exhausted);
    pkin_i_free(self->parts);
}

/* ---- Scoring ---- */

/* Offers the worker's first `n` candidates, and waits. */
static pkin_status offer_candidates(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_rows *rows,
                                    const pkin_i_gpu_rows *columns, uint64_t n) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_driver *driver = self->session->driver;
    const pkin_i_gpu_score_work work = {.rows = rows,
                                        .columns = columns,
                                        .candidates = worker->candidates,
                                        .n_candidates = n,
                                        .heaps = &self->device_heaps[device_of(self, worker)],
                                        .both = self->session->within};
    if (n == 0) return PKIN_OK;
    PKIN_TRY(driver->mark(worker->queue, 0));
    PKIN_TRY(driver->score(worker->queue, &work));
    PKIN_TRY(driver->mark(worker->queue, 1));
    PKIN_TRY(driver->wait(worker->queue));
    PKIN_TRY(pkin_i_gpu_add_seconds(worker, &worker->score_seconds));
    worker->n_candidates += n;
out:
    return status;
}

/* Behind work on shards that were taken: gives them back, once nothing of a failed item runs on. */
static pkin_status give_back(pkin_i_gpu_worker *worker, uint32_t x, uint32_t y, pkin_status status) {
    if (status != PKIN_OK) {
        pkin_i_gpu_note_failure(worker->session, status);
        pkin_i_gpu_settle(worker);
    }
    pkin_i_gpu_give(worker, x, y);
    return status;
}

/* ---- 1. Seeds, and what the sample tells ---- */

/* A shard of the heaps' rows, and a sample of a shard of those that can be neighbours. */
typedef struct seed_view {
    const pkin_i_gpu_rows *rows, *columns;
    pkin_i_gpu_rows sample;
    uint64_t stride;
    uint32_t group;
    uint64_t piece_rows;
} seed_view;

/* Puts the sampling of at most `n_most` columns into the queue. */
static pkin_status view_open(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_rows *rows,
                             const pkin_i_gpu_rows *columns, uint64_t n_most, seed_view *out) {
    const worker_search *own = worker_of(self, worker);
    const uint64_t stride = (columns->n_rows + n_most - 1) / n_most;
    seed_view view = {.rows = rows, .columns = columns, .stride = stride, .group = self->sizes.group};
    view.sample = (pkin_i_gpu_rows){.first = columns->first,
                                    .n_rows = (uint32_t)((columns->n_rows + stride - 1) / stride),
                                    .dimension = columns->dimension,
                                    .coding = columns->coding,
                                    .sketches = own->sketches,
                                    .sums = own->sums};
    /* Fewer groups where there is no room for the seeds of a single row. */
    const uint64_t least = (view.sample.n_rows + worker->capacity - 1) / worker->capacity;
    if (view.group < least) view.group = (uint32_t)round_up(least, SEED_GROUP_LEAST);
    view.piece_rows = worker->capacity / ((view.sample.n_rows + view.group - UINT64_C(1)) / view.group);
    if (view.piece_rows > self->piece_rows) view.piece_rows = self->piece_rows;
    const uint64_t in_time = SEED_OPERATIONS_MOST / (2 * (uint64_t)view.sample.n_rows * view.sample.dimension) + 1;
    if (view.piece_rows > in_time) view.piece_rows = in_time;
    *out = view;
    return self->session->driver->sample(worker->queue, columns, stride, &out->sample);
}

static pkin_i_gpu_seed_work view_work(const search *self, const seed_view *view, uint64_t begin) {
    const uint64_t left = view->rows->n_rows - begin, n = left < view->piece_rows ? left : view->piece_rows;
    return (pkin_i_gpu_seed_work){.rows = view->rows,
                                  .sample = &view->sample,
                                  .stride = view->stride,
                                  .row_begin = (uint32_t)begin,
                                  .row_end = (uint32_t)(begin + n),
                                  .group = view->group,
                                  .within = self->session->within};
}

/* The seeds of a piece of the rows are found, scored and offered. */
static pkin_status seed_piece(const search *self, pkin_i_gpu_worker *worker, const seed_view *view, uint64_t begin) {
    pkin_status status;
    const pkin_i_gpu_driver *driver = self->session->driver;
    pkin_i_gpu_seed_work work = view_work(self, view, begin);
    work.found = worker->candidates;
    work.n_found = &worker->counters->n_found;
    PKIN_TRY(driver->fill(worker->queue, work.n_found, 0, sizeof *work.n_found));
    PKIN_TRY(driver->seed(worker->queue, &work));
    PKIN_TRY(pkin_i_gpu_down(worker, &worker->told->n_found, work.n_found, sizeof *work.n_found));
    PKIN_TRY(driver->wait(worker->queue));
    PKIN_TRY(offer_candidates(self, worker, view->rows, view->columns, worker->told->n_found));
out:
    return status;
}

/* How many partners each row of a piece is to expect: those in the sample, times what the sample stands for. */
static pkin_status count_piece(const search *self, pkin_i_gpu_worker *worker, const seed_view *view, uint64_t begin) {
    pkin_status status;
    const pkin_i_gpu_driver *driver = self->session->driver;
    const double each = (double)self->n_others / (double)view->sample.n_rows;
    pkin_i_gpu_seed_work work = view_work(self, view, begin);
    const uint64_t n = work.row_end - work.row_begin;
    uint32_t *expected = self->expected + view->rows->first + begin;
    work.counts = worker_of(self, worker)->counts;
    work.row_limits = self->device_heaps[device_of(self, worker)].limits;
    PKIN_TRY(driver->seed(worker->queue, &work));
    PKIN_TRY(pkin_i_gpu_down(worker, expected, work.counts, n * sizeof *expected));
    PKIN_TRY(driver->wait(worker->queue));
    for (uint64_t r = 0; r < n; r++) {
        const double so_many = expected[r] * each;
        expected[r] = so_many < UINT32_MAX ? (uint32_t)so_many : UINT32_MAX;
    }
out:
    return status;
}

static pkin_status seed_rows(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_rows *rows,
                             const pkin_i_gpu_rows *columns, bool counts) {
    pkin_status status;
    seed_view view;
    PKIN_TRY(view_open(self, worker, rows, columns, self->sizes.n_rows, &view));
    for (uint64_t r = 0; r < rows->n_rows; r += view.piece_rows) {
        PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "seeding was given up");
        PKIN_TRY(seed_piece(self, worker, &view, r));
    }
    /* A smaller sample counts well enough. */
    uint64_t n_counted = self->sizes.n_rows / COUNT_SHARE;
    if (n_counted < COUNT_LEAST) n_counted = self->sizes.n_rows < COUNT_LEAST ? self->sizes.n_rows : COUNT_LEAST;
    if (counts) PKIN_TRY(view_open(self, worker, rows, columns, n_counted, &view));
    for (uint64_t r = 0; counts && r < rows->n_rows; r += view.piece_rows) {
        PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "seeding was given up");
        PKIN_TRY(count_piece(self, worker, &view, r));
    }
out:
    return status;
}

/* The shard of possible neighbours that a shard of rows is sampled against: within one side itself. */
static uint32_t sampled_shard(const pkin_i_gpu_session *session, uint32_t x) {
    if (session->within) return x;
    const uint64_t n_column_shards = session->n_shards - session->n_row_shards;
    return session->n_row_shards + (uint32_t)(x * n_column_shards / session->n_row_shards);
}

/* Begins a device's heaps and seeds them, on the device's first worker. The first device also counts. */
static pkin_status prepare_device(pkin_i_gpu_worker *worker, uint64_t item, void *user) {
    pkin_status status;
    const search *self = user;
    const pkin_i_gpu_session *session = self->session;
    const bool counts = item == 0 && self->expected;
    PKIN_TRY(session->driver->heaps_begin(worker->queue, &self->device_heaps[item], self->min_score));
    for (uint32_t x = 0; x < session->n_row_shards; x++) {
        const uint32_t y = sampled_shard(session, x);
        const pkin_i_gpu_rows *rows, *columns;
        PKIN_TRY(pkin_i_gpu_take(worker, x, y, &rows, &columns));
        PKIN_TRY(give_back(worker, x, y, seed_rows(self, worker, rows, columns, counts)));
    }
    PKIN_TRY(session->driver->wait(worker->queue));
out:
    return status;
}

/* ---- 2. Rows that meet everybody ---- */

static bool is_exhausted(const search *self, uint64_t row) {
    return self->expected[row] > self->exhaust_candidates;
}

/* The rows of a shard that meet everybody: all in one part where shards come and go, else in parts that are shared. */
static void list_shard(search *self, uint32_t x) {
    const uint64_t n_most = self->session->is_resident ? PKIN_I_GPU_EXHAUST_MOST : UINT64_MAX;
    exhaust_part *part = NULL;
    for (uint64_t r = self->session->shards[x].first; r < self->session->shards[x].last; r++) {
        if (!is_exhausted(self, r)) continue;
        if (!part || part->n == n_most) {
            part = &self->parts[self->n_parts++];
            *part = (exhaust_part){x, self->n_exhausted, 0};
        }
        part->n++;
        self->exhausted[self->n_exhausted++] = (uint32_t)r;
    }
}

static pkin_status list_exhausted(search *self) {
    pkin_status status = PKIN_OK;
    const uint32_t n_shards = self->session->n_row_shards;
    uint64_t n = 0;
    for (uint64_t r = 0; self->expected && r < self->n_rows; r++) n += is_exhausted(self, r);
    if (n == 0) return PKIN_OK;
    PKIN_TRY(pkin_i_allocate(n, sizeof *self->exhausted, &self->exhausted));
    /* Each shard's last part may have room left. */
    PKIN_TRY(pkin_i_allocate(n / PKIN_I_GPU_EXHAUST_MOST + n_shards, sizeof *self->parts, &self->parts));
    for (uint32_t x = 0; x < n_shards; x++) list_shard(self, x);
out:
    return status;
}

/* A part against a shard of the other side. */
static pkin_status exhaust_part_on(const search *self, pkin_i_gpu_worker *worker, const exhaust_part *part,
                                   const pkin_i_gpu_rows *rows, const pkin_i_gpu_rows *columns) {
    pkin_status status = PKIN_OK;
    const worker_search *own = worker_of(self, worker);
    pkin_i_gpu_exhaust_work work = {.rows = rows,
                                    .listed = own->listed,
                                    .columns = columns,
                                    .within = self->session->within,
                                    .n_columns = self->session->side[0]->n_columns,
                                    .workspace = own->table,
                                    .heaps = &self->device_heaps[device_of(self, worker)]};
    uint32_t listed[PKIN_I_GPU_EXHAUST_MOST];
    for (uint64_t at = 0; at < part->n; at += work.n_listed) {
        const uint64_t left = part->n - at;
        PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "comparing was given up");
        work.n_listed = left < PKIN_I_GPU_EXHAUST_MOST ? (uint32_t)left : PKIN_I_GPU_EXHAUST_MOST;
        for (uint32_t s = 0; s < work.n_listed; s++) {
            listed[s] = (uint32_t)(self->exhausted[part->first + at + s] - rows->first);
        }
        PKIN_TRY(pkin_i_gpu_up(worker, own->listed, listed, work.n_listed * sizeof *listed));
        PKIN_TRY(self->session->driver->exhaust(worker->queue, &work));
        PKIN_TRY(self->session->driver->wait(worker->queue));
        worker->n_candidates += (uint64_t)work.n_listed * columns->n_rows;
    }
out:
    return status;
}

/* The shards of possible neighbours: from this one on, to the last. */
static uint32_t first_column_shard(const pkin_i_gpu_session *session) {
    return session->within ? 0 : session->n_row_shards;
}

/* A part against each shard of the other side is an item; those of a part follow one another. */
static pkin_status exhaust_item(pkin_i_gpu_worker *worker, uint64_t item, void *user) {
    pkin_status status;
    const search *self = user;
    const uint32_t first = first_column_shard(self->session), n_column_shards = self->session->n_shards - first;
    const exhaust_part *part = &self->parts[item / n_column_shards];
    const uint32_t y = first + (uint32_t)(item % n_column_shards);
    const pkin_i_gpu_rows *rows, *columns;
    PKIN_TRY(pkin_i_gpu_take(worker, part->shard, y, &rows, &columns));
    status = give_back(worker, part->shard, y, exhaust_part_on(self, worker, part, rows, columns));
out:
    return status;
}

/* On every device: what one of them has exhausted, all need no more. The list goes by way of the worker's counts. */
static pkin_status finish_exhausted(search *self, pkin_i_gpu_worker *worker) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_driver *driver = self->session->driver;
    uint32_t *listed = worker_of(self, worker)->counts;
    for (uint64_t at = 0; at < self->n_exhausted; at += self->piece_rows) {
        const uint64_t left = self->n_exhausted - at, n = left < self->piece_rows ? left : self->piece_rows;
        PKIN_TRY(pkin_i_gpu_up(worker, listed, self->exhausted + at, n * sizeof *listed));
        PKIN_TRY(driver->finish(worker->queue, &self->device_heaps[device_of(self, worker)], listed, (uint32_t)n));
    }
    PKIN_TRY(driver->wait(worker->queue));
out:
    return status;
}

static pkin_status exhaust(search *self) {
    pkin_status status;
    pkin_i_gpu_session *session = self->session;
    PKIN_TRY(list_exhausted(self));
    if (self->n_parts == 0) goto out;
    const uint64_t n_column_shards = session->n_shards - first_column_shard(session);
    PKIN_TRY(pkin_i_gpu_run(session, self->n_parts * n_column_shards, exhaust_item, self));
    for (int d = 0; d < session->n_devices; d++) PKIN_TRY(finish_exhausted(self, &session->workers[d]));
out:
    return status;
}

/* ---- 3. All pairs ---- */

static pkin_status compare_block(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass,
                                 const pkin_i_gpu_block *block, uint64_t n_parts);

static pkin_status compare_parts(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass,
                                 const pkin_i_gpu_block *block, uint64_t n_wanted) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_cut cut = pkin_i_gpu_block_cut(block, n_wanted);
    for (uint64_t p = 0; p < cut.n_parts; p++) {
        const pkin_i_gpu_block part = pkin_i_gpu_block_part(block, cut, p);
        PKIN_TRY(compare_block(self, worker, pass, &part, pkin_i_gpu_block_parts(worker, &part)));
    }
out:
    return status;
}

/* Recursion is shallow: every cut at least halves a side. */
static pkin_status compare_block(const search *self, pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass,
                                 const pkin_i_gpu_block *block, uint64_t n_parts) {
    pkin_status status;
    const uint64_t n_pairs = pkin_i_gpu_block_pairs(block, self->session->within);
    uint64_t n_found;
    if (n_pairs == 0) return PKIN_OK;
    PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "comparing was given up");
    if (n_parts > 1 && n_pairs > 1) return compare_parts(self, worker, pass, block, n_parts);
    PKIN_TRY(pkin_i_gpu_filter_block(worker, pass, block, &n_found));
    PKIN_REQUIRE(n_found <= n_pairs, PKIN_ERROR_INTERNAL, "%s: device %d told of %llu candidates of %llu pairs",
                 self->session->driver->name, worker->device->index, (unsigned long long)n_found,
                 (unsigned long long)n_pairs);
    const bool is_cut = n_found > worker->capacity;
    PKIN_TRY(offer_candidates(self, worker, pass->rows, pass->columns, is_cut ? worker->capacity : n_found));
    if (is_cut) {
        worker->n_splits++;
        return compare_parts(self, worker, pass, block, pkin_i_gpu_parts_for(worker, (double)n_found));
    }
    pkin_i_crew_advance(worker->crew, n_pairs);
out:
    return status;
}

static pkin_status compare_item(pkin_i_gpu_worker *worker, uint64_t item, void *user) {
    const search *self = user;
    const pkin_i_gpu_session *session = self->session;
    const pkin_i_gpu_block *block = &session->items[item];
    const int32_t *limits = self->device_heaps[device_of(self, worker)].limits;
    pkin_i_gpu_pass pass = {.row_limits = limits, .column_limits = session->within ? limits : NULL};
    if (self->n_exhausted == self->n_rows) { /* nothing is left to be found */
        pkin_i_crew_advance(worker->crew, pkin_i_gpu_block_pairs(block, session->within));
        return PKIN_OK;
    }
    const pkin_status status =
        pkin_i_gpu_take(worker, block->row_shard, block->column_shard, &pass.rows, &pass.columns);
    if (status != PKIN_OK) return status;
    uint64_t n_parts = pkin_i_gpu_block_parts(worker, block);
    if (item < (uint64_t)session->n_workers && n_parts < FIRST_PARTS) n_parts = FIRST_PARTS;
    return give_back(worker, block->row_shard, block->column_shard, compare_block(self, worker, &pass, block, n_parts));
}

/* ---- 4. The heaps come down ---- */

/* Some rows' places, on the host. */
typedef struct places {
    uint64_t *scores;
    uint32_t *neighbors, *counts;
} places;

static void offer_places(const search *self, const places *from, uint64_t first, uint64_t n_rows) {
    /* Devices may both know a seed. */
    const bool may_repeat = self->session->n_devices > 1;
#pragma omp parallel for num_threads(self->session->task->n_threads) schedule(static)
    for (uint64_t r = 0; r < n_rows; r++) {
        for (uint64_t at = r * self->k; at < r * self->k + from->counts[r]; at++) {
            if (may_repeat) {
                pkin_i_neighbor_offer_again(self->heaps, first + r, from->neighbors[at], from->scores[at]);
            } else {
                pkin_i_neighbor_offer(self->heaps, first + r, from->neighbors[at], from->scores[at]);
            }
        }
    }
}

static pkin_status bring_down(const search *self, pkin_i_gpu_worker *worker) {
    pkin_status status;
    const pkin_i_gpu_heaps *heaps = &self->device_heaps[device_of(self, worker)];
    const uint64_t rows_each = self->k < MERGE_PLACES ? MERGE_PLACES / self->k : 1;
    const uint64_t n_most = rows_each < self->n_rows ? rows_each : self->n_rows;
    places host = {0};
    PKIN_TRY(pkin_i_allocate(n_most * self->k, sizeof *host.scores, &host.scores));
    PKIN_TRY(pkin_i_allocate(n_most * self->k, sizeof *host.neighbors, &host.neighbors));
    PKIN_TRY(pkin_i_allocate(n_most, sizeof *host.counts, &host.counts));
    for (uint64_t first = 0; first < self->n_rows; first += n_most) {
        const uint64_t left = self->n_rows - first, n = left < n_most ? left : n_most, at = first * self->k;
        PKIN_TRY(pkin_i_gpu_down(worker, host.scores, heaps->scores + at, n * self->k * sizeof *host.scores));
        PKIN_TRY(pkin_i_gpu_down(worker, host.neighbors, heaps->neighbors + at, n * self->k * sizeof *host.neighbors));
        PKIN_TRY(pkin_i_gpu_down(worker, host.counts, heaps->counts + first, n * sizeof *host.counts));
        PKIN_TRY(self->session->driver->wait(worker->queue));
        offer_places(self, &host, first, n);
    }
out:
    if (status != PKIN_OK) pkin_i_gpu_settle(worker); /* nothing may come down into memory that is gone */
    pkin_i_free(host.scores);
    pkin_i_free(host.neighbors);
    pkin_i_free(host.counts);
    return status;
}

/* ---- The call ---- */

pkin_status pkin_i_gpu_top_k(void *opened, pkin_i_neighbor_heaps *heaps) {
    pkin_status status = PKIN_OK;
    pkin_i_gpu_session *session = opened;
    search self = {.session = session, .heaps = heaps};
    if (heaps->n_rows == 0 || heaps->k == 0 || session->side[1]->n_rows == 0) return PKIN_OK;
    session->strip_task = *session->task;
    PKIN_TRY(search_open(&self));
    const double begin = pkin_i_seconds_now();
    PKIN_TRY(pkin_i_gpu_run_each(session, session->n_devices, prepare_device, &self));
    PKIN_TRY(exhaust(&self));
    session->task->outcome->prepare_seconds += pkin_i_seconds_now() - begin;
    PKIN_TRY(pkin_i_gpu_list_items(session, 0, self.n_others));
    PKIN_TRY(pkin_i_gpu_run(session, session->n_items, compare_item, &self));
    for (int d = 0; d < session->n_devices; d++) PKIN_TRY(bring_down(&self, &session->workers[d]));
    pkin_i_gpu_account(session);
out:
    pkin_i_gpu_forget_items(session);
    search_close(&self);
    return status;
}
