/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Strategy. Pairs of rows are cut into items (gpu_items.h), each many products and expected to leave few candidates.
 * For an item a worker
 *
 *     takes the two shards        (they may have to come up first)
 *     filters                     one kernel: candidates appended on the device, their number brought down
 *     scores                      one kernel a portion of candidates: pairs appended, their number brought down
 *     brings pairs down           by way of pinned memory, one piece while the one before goes to the sink
 *
 * and two workers a device do so beside one another: while one waits for its pairs and the host sorts them away, the
 * other's kernels run. The seconds told are the device's: what two queues' kernels waited for one another is
 * not counted twice (pkin_i_gpu_add_seconds).
 *
 * Overflow. The filter counts what passed also where it has no room left. Then the item is cut by that number, and its
 * parts are filtered anew; nothing of the first pass is used, so that nothing is lost and nothing is there twice. Parts
 * are cut down to single pairs if need be, which always fit. What was seen so far tells of later items, which are cut
 * before they are filtered.
 *
 * A small join (new rows against a history) is one item: 1 filter, 1 score, 5 small copies and fills, 3 waits. CUDA
 * graphs save on launching the same kernels again and again: with each launched once there is nothing to save on, and
 * bringing up the history takes far longer than all launches.
 */
#include "base/failure.h"
#include "kernels/gpu_session.h"

enum {
    ITEMS_A_WORKER = 8,
    ITEMS_MOST = 1 << 20,
    PARTS_MOST = 1024 /* that a block is cut into at a time */
};
/* A kernel with fewer pairs fills no GPU well. */
static const uint64_t ITEM_PAIRS_LEAST = UINT64_C(1) << 28;
/* One with more operations keeps a cancelling user waiting: by filter, what takes the slowest device that runs it some
   tenths of a second (fused: 1,000 TOPS and more; cuBLASLt 60 and more; dp4a 20 and more, by published peaks). */
static const uint64_t ITEM_OPERATIONS_MOST[PKIN_I_GPU_N_FILTERS] = {UINT64_C(1) << 46, UINT64_C(1) << 44,
                                                                    UINT64_C(1) << 44, UINT64_C(1) << 42};
/* Fewer pairs are not worth a kernel, however many candidates are expected. */
static const uint64_t ITEM_PAIRS_DENSE = UINT64_C(1) << 20;

/* ---- Items ---- */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t choose_item_pairs(const pkin_i_gpu_session *session, uint64_t n_pairs) {
    if (session->tuning.item_pairs) return session->tuning.item_pairs;
    uint64_t pairs = most(ITEM_PAIRS_LEAST, n_pairs / (uint64_t)(session->n_workers * ITEMS_A_WORKER));
    pairs = least(pairs, ITEM_OPERATIONS_MOST[session->filter] / (2 * session->dimension));
    if (session->expected_candidates > 0 && session->strip_task.n_pairs_total > 0) {
        /* A quarter of the room: some regions hold more than others. */
        const double density = session->expected_candidates / (double)session->strip_task.n_pairs_total;
        const double fitting = (double)session->workers[0].capacity / (4 * density);
        if (fitting < (double)pairs) pairs = most((uint64_t)fitting, ITEM_PAIRS_DENSE);
    }
    return most(pairs, n_pairs / ITEMS_MOST);
}

pkin_status pkin_i_gpu_list_items(pkin_i_gpu_session *session, uint64_t first, uint64_t last) {
    const pkin_i_gpu_items_want want = {.within = session->within,
                                        .first = first,
                                        .last = last,
                                        .most_pairs =
                                            choose_item_pairs(session, pkin_i_task_pairs(session->task, first, last)),
                                        .shards = session->shards,
                                        .n_shards = session->n_shards};
    pkin_i_gpu_forget_items(session);
    atomic_store(&session->n_seen_pairs, 0);
    atomic_store(&session->n_seen_candidates, 0);
    return pkin_i_gpu_items_list(&want, &session->items, &session->n_items);
}

void pkin_i_gpu_forget_items(pkin_i_gpu_session *session) {
    pkin_i_free(session->items);
    session->items = NULL;
    session->n_items = 0;
}

/* ---- Filtering ---- */

pkin_status pkin_i_gpu_filter_block(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass,
                                    const pkin_i_gpu_block *block, uint64_t *n_found) {
    pkin_status status;
    pkin_i_gpu_session *session = worker->session;
    const pkin_i_gpu_driver *driver = session->driver;
    const pkin_i_gpu_filter_work work = {.filter = session->filter,
                                         .rows = pass->rows,
                                         .columns = pass->columns,
                                         .row_begin = (uint32_t)(block->row_begin - pass->rows->first),
                                         .row_end = (uint32_t)(block->row_end - pass->rows->first),
                                         .column_begin = (uint32_t)(block->column_begin - pass->columns->first),
                                         .column_end = (uint32_t)(block->column_end - pass->columns->first),
                                         .within = session->within,
                                         .limit = pass->limit,
                                         .row_limits = pass->row_limits,
                                         .column_limits = pass->column_limits,
                                         .workspace = worker->workspace_bytes ? worker->workspace : NULL,
                                         .workspace_bytes = worker->workspace_bytes,
                                         .found = worker->candidates,
                                         .capacity = worker->capacity,
                                         .n_found = &worker->counters->n_found};
    *n_found = 0;
    PKIN_TRY(driver->fill(worker->queue, &worker->counters->n_found, 0, sizeof(uint64_t)));
    PKIN_TRY(driver->mark(worker->queue, 0));
    PKIN_TRY(driver->filter(worker->queue, &work));
    PKIN_TRY(driver->mark(worker->queue, 1));
    PKIN_TRY(pkin_i_gpu_down(worker, &worker->told->n_found, &worker->counters->n_found, sizeof(uint64_t)));
    PKIN_TRY(driver->wait(worker->queue));
    PKIN_TRY(pkin_i_gpu_add_seconds(worker, &worker->filter_seconds));
    *n_found = worker->told->n_found;
    worker->filter_operations +=
        2 * pkin_i_gpu_block_padded_pairs(block, session->within) * (uint64_t)session->dimension;
    atomic_fetch_add(&session->n_seen_pairs, pkin_i_gpu_block_pairs(block, session->within));
    atomic_fetch_add(&session->n_seen_candidates, *n_found);
out:
    return status;
}

uint64_t pkin_i_gpu_parts_for(const pkin_i_gpu_worker *worker, double n_candidates) {
    const double n_parts = 1.25 * n_candidates / (double)worker->capacity;
    return n_parts >= PARTS_MOST ? PARTS_MOST : n_parts < 1 ? 1 : (uint64_t)n_parts + 1;
}

uint64_t pkin_i_gpu_block_parts(const pkin_i_gpu_worker *worker, const pkin_i_gpu_block *block) {
    const uint64_t n_pairs = pkin_i_gpu_block_pairs(block, worker->session->within);
    const double n_seen = (double)atomic_load(&worker->session->n_seen_pairs);
    if (n_seen == 0 || n_pairs <= worker->capacity) return 1;
    const double n_expected = (double)n_pairs * (double)atomic_load(&worker->session->n_seen_candidates) / n_seen;
    return n_expected <= (double)worker->capacity ? 1 : pkin_i_gpu_parts_for(worker, n_expected);
}

/* ---- Pairs ---- */

/* Pieces go by turns through the two halves of the stage: one comes down while the one before goes to the sink. */
static pkin_status bring_down(pkin_i_gpu_worker *worker, uint64_t n_pairs) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_driver *driver = worker->session->driver;
    uint64_t n_before = 0;
    for (uint64_t at = 0, piece = 0; at < n_pairs || n_before > 0; piece++) {
        const uint64_t n = least(n_pairs - at, worker->stage_pairs);
        pkin_pair *half = worker->stage + (piece % 2) * worker->stage_pairs;
        const pkin_pair *other = worker->stage + ((piece + 1) % 2) * worker->stage_pairs;
        if (n > 0) PKIN_TRY(pkin_i_gpu_down(worker, half, worker->pairs + at, n * sizeof *half));
        if (n_before > 0) PKIN_TRY(pkin_i_pair_sink_put(worker->session->sink, other, n_before));
        if (n > 0) PKIN_TRY(driver->wait(worker->queue));
        n_before = n;
        at += n;
    }
out:
    return status;
}

/* Candidates [begin, begin + n) of the worker's. */
static pkin_status score_portion(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass, uint64_t begin, uint64_t n) {
    pkin_status status;
    const pkin_i_gpu_driver *driver = worker->session->driver;
    const pkin_i_gpu_score_work work = {.rows = pass->rows,
                                        .columns = pass->columns,
                                        .candidates = worker->candidates + begin,
                                        .n_candidates = n,
                                        .min_score = worker->session->min_score,
                                        .pairs = worker->pairs,
                                        .n_pairs = &worker->counters->n_pairs};
    PKIN_TRY(driver->fill(worker->queue, &worker->counters->n_pairs, 0, sizeof(uint64_t)));
    PKIN_TRY(driver->mark(worker->queue, 0));
    PKIN_TRY(driver->score(worker->queue, &work));
    PKIN_TRY(driver->mark(worker->queue, 1));
    PKIN_TRY(pkin_i_gpu_down(worker, &worker->told->n_pairs, &worker->counters->n_pairs, sizeof(uint64_t)));
    PKIN_TRY(driver->wait(worker->queue));
    PKIN_TRY(pkin_i_gpu_add_seconds(worker, &worker->score_seconds));
    worker->n_candidates += n;
    PKIN_REQUIRE(worker->told->n_pairs <= n, PKIN_ERROR_INTERNAL, "%s: device %d told of %llu pairs of %llu candidates",
                 driver->name, worker->device->index, (unsigned long long)worker->told->n_pairs, (unsigned long long)n);
    PKIN_TRY(bring_down(worker, worker->told->n_pairs));
out:
    return status;
}

static pkin_status score_found(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass, uint64_t n_found) {
    pkin_status status = PKIN_OK;
    for (uint64_t at = 0; at < n_found; at += worker->pairs_room) {
        PKIN_TRY(score_portion(worker, pass, at, least(n_found - at, worker->pairs_room)));
    }
out:
    return status;
}

/* ---- Joining ---- */

static pkin_status join_block(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass, const pkin_i_gpu_block *block);

static pkin_status join_parts(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass, const pkin_i_gpu_block *block,
                              uint64_t n_wanted) {
    pkin_status status = PKIN_OK;
    const pkin_i_gpu_cut cut = pkin_i_gpu_block_cut(block, n_wanted);
    for (uint64_t p = 0; p < cut.n_parts; p++) {
        const pkin_i_gpu_block part = pkin_i_gpu_block_part(block, cut, p);
        PKIN_TRY(join_block(worker, pass, &part));
    }
out:
    return status;
}

/* Recursion is shallow: every cut at least halves a side. */
static pkin_status join_block(pkin_i_gpu_worker *worker, const pkin_i_gpu_pass *pass, const pkin_i_gpu_block *block) {
    pkin_status status;
    const uint64_t n_pairs = pkin_i_gpu_block_pairs(block, worker->session->within);
    uint64_t n_found, n_parts;
    if (n_pairs == 0) return PKIN_OK;
    PKIN_REQUIRE(!pkin_i_gpu_is_stopping(worker), PKIN_ERROR_CANCELLED, "comparing was given up");
    n_parts = pkin_i_gpu_block_parts(worker, block);
    if (n_parts > 1) return join_parts(worker, pass, block, n_parts);
    PKIN_TRY(pkin_i_gpu_filter_block(worker, pass, block, &n_found));
    if (n_found > worker->capacity) {
        PKIN_REQUIRE(n_found <= n_pairs && n_pairs > 1, PKIN_ERROR_INTERNAL,
                     "%s: device %d told of %llu candidates of %llu pairs", worker->session->driver->name,
                     worker->device->index, (unsigned long long)n_found, (unsigned long long)n_pairs);
        worker->n_splits++;
        return join_parts(worker, pass, block, pkin_i_gpu_parts_for(worker, (double)n_found));
    }
    PKIN_TRY(score_found(worker, pass, n_found));
    pkin_i_crew_advance(worker->crew, n_pairs);
out:
    return status;
}

static pkin_status join_item(pkin_i_gpu_worker *worker, uint64_t item, void *user) {
    pkin_i_gpu_session *session = worker->session;
    const pkin_i_gpu_block *block = &session->items[item];
    pkin_i_gpu_pass pass = {.limit = session->limit};
    (void)user;
    pkin_status status = pkin_i_gpu_take(worker, block->row_shard, block->column_shard, &pass.rows, &pass.columns);
    if (status != PKIN_OK) return status;
    status = join_block(worker, &pass, block);
    if (status != PKIN_OK) {
        /* What went wrong is told of before the waiting, which may fail for the same reason. */
        pkin_i_gpu_note_failure(session, status);
        pkin_i_gpu_settle(worker);
    }
    pkin_i_gpu_give(worker, block->row_shard, block->column_shard);
    return status;
}

pkin_status pkin_i_gpu_join(void *opened, uint64_t first, uint64_t last, uint64_t min_score, pkin_i_pair_sink *sink) {
    pkin_status status;
    pkin_i_gpu_session *session = opened;
    session->strip_task = *session->task;
    session->min_score = min_score;
    session->limit = pkin_i_gpu_limit(session->coding, min_score);
    session->sink = sink;
    PKIN_TRY(pkin_i_gpu_ready(session, 0));
    PKIN_TRY(pkin_i_gpu_list_items(session, first, last));
    PKIN_TRY(pkin_i_gpu_run(session, session->n_items, join_item, NULL));
out:
    pkin_i_gpu_forget_items(session);
    return status;
}
