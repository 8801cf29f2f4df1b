/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

#include "kernels/gpu_engine.h"
#include "support/similarity_oracle.h"
#include "support/simt/simt.h"
#include "support/simt/simt_device.h"

extern "C" {
#include "similarity/neighbor_heaps.h"
}

namespace {

/* ThreadSanitizer follows every fiber: less of everything will do, since it sees races whatever the threads' turns. */
#ifdef PKIN_SIMT_TSAN
constexpr bool is_watched = true;
#else
constexpr bool is_watched = false;
#endif

/* ---- Each kernel in the emulator against the plain loop ---- */

/* Memory as a device gives it: aligned, and dirty. */
template <class T> class Memory {
  public:
    explicit Memory(uint64_t n, unsigned char dirt = 0xA5) : n_(n) {
        bytes_.reset(static_cast<T *>(std::aligned_alloc(1024, (n * sizeof(T) + 1023) / 1024 * 1024 + 1024)));
        memset(static_cast<void *>(bytes_.get()), dirt, n * sizeof(T));
    }
    Memory(const std::vector<T> &from) : Memory(from.size()) {
        std::copy(from.begin(), from.end(), bytes_.get());
    }
    T *get() const {
        return bytes_.get();
    }
    T &operator[](uint64_t k) const {
        return bytes_.get()[k];
    }
    std::vector<T> all() const {
        return std::vector<T>(get(), get() + n_);
    }

  private:
    struct release {
        void operator()(T *memory) const {
            std::free(memory);
        }
    };
    uint64_t n_;
    std::unique_ptr<T, release> bytes_;
};

/* Rows [first, first + n) of vectors as a shard, sketched by either kind of kernels. */
struct Shard {
    Memory<uint64_t> offsets;
    Memory<uint32_t> columns, weights;
    Memory<uint8_t> sketches;
    Memory<int32_t> sums;
    pkin_i_gpu_rows rows = {};

    static uint64_t places(uint64_t n_rows) {
        return (n_rows + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
    }

    Shard(const pkin_vectors *v, uint64_t first, uint32_t n, uint32_t dimension, pkin_i_gpu_coding coding)
        : offsets(n + 1), columns(v->row_offsets[first + n] - v->row_offsets[first]),
          weights(v->row_offsets[first + n] - v->row_offsets[first]), sketches(places(n) * dimension), sums(places(n)) {
        const uint64_t begin = v->row_offsets[first];
        for (uint64_t r = 0; r <= n; r++) offsets[r] = v->row_offsets[first + r] - begin;
        std::copy(v->columns + begin, v->columns + v->row_offsets[first + n], columns.get());
        std::copy(v->weights + begin, v->weights + v->row_offsets[first + n], weights.get());
        rows.first = first;
        rows.n_rows = n;
        rows.dimension = dimension;
        rows.coding = coding;
        rows.offsets = offsets.get();
        rows.columns = columns.get();
        rows.weights = weights.get();
        rows.sketches = sketches.get();
        rows.sums = coding == PKIN_I_GPU_SHIFTED ? sums.get() : nullptr;
    }
};

std::vector<uint16_t> buckets_of(const pkin_vectors *v, uint32_t dimension) {
    uint64_t *weights = nullptr;
    pkin_i_sketch_map map = {};
    EXPECT_EQ(PKIN_OK, pkin_i_sketch_column_weights(v, nullptr, &weights));
    EXPECT_EQ(PKIN_OK, pkin_i_sketch_map_build(weights, v->n_columns, dimension, &map));
    std::vector<uint16_t> buckets(map.buckets, map.buckets + v->n_columns);
    pkin_i_sketch_map_free(&map);
    pkin_i_free(weights);
    return buckets;
}

const HostKernels plain = host_kernels(), emulated = simt_kernels();

struct Case {
    uint32_t dimension;
    pkin_i_gpu_coding coding;
};
const Case cases[] = {{64, PKIN_I_GPU_PLAIN}, {128, PKIN_I_GPU_SHIFTED}, {192, PKIN_I_GPU_SEVEN}};

TEST(EmulatedKernels, SketchesAndSamplesAreThePlainOnes) {
    TestVectors v(random_matrix({400, 300, 60}, 1));
    for (int n = 0; n < 9; n++) { /* on grids of several sizes */
        const Case &c = cases[n % 3];
        const std::vector<uint16_t> buckets = buckets_of(v.vectors, c.dimension);
        Shard one(v.vectors, 30, 290, c.dimension, c.coding), other(v.vectors, 30, 290, c.dimension, c.coding);
        plain.sketch(one.rows, buckets.data());
        emulated.sketch(other.rows, buckets.data());
        ASSERT_EQ(one.sketches.all(), other.sketches.all());
        if (one.rows.sums) {
            ASSERT_EQ(one.sums.all(), other.sums.all());
        }
        Shard sample(v.vectors, 30, 42, c.dimension, c.coding), again(v.vectors, 30, 42, c.dimension, c.coding);
        plain.sample(one.rows, 7, sample.rows);
        emulated.sample(one.rows, 7, again.rows);
        ASSERT_EQ(sample.sketches.all(), again.sketches.all());
        if (sample.rows.sums) {
            ASSERT_EQ(sample.sums.all(), again.sums.all());
        }
    }
}

using Pairs = std::vector<std::pair<uint32_t, uint32_t>>;

struct Found {
    uint64_t n_found = 0;
    Pairs pairs; /* sorted: those there was room for */
};

Found run_filter(const HostKernels &kernels, pkin_i_gpu_filter_work work, uint64_t capacity) {
    Memory<pkin_i_gpu_candidate> candidates(capacity + 64);
    Memory<unsigned char> workspace(1 << 18); /* of 32-bit products: one of 256 x 256 */
    Found found;
    work.workspace = workspace.get();
    work.workspace_bytes = 1 << 18;
    work.found = candidates.get();
    work.capacity = capacity;
    work.n_found = &found.n_found;
    kernels.filter(work);
    for (uint64_t p = 0; p < std::min(found.n_found, capacity); p++) {
        found.pairs.emplace_back(candidates[p].i, candidates[p].j);
    }
    for (uint64_t p = capacity; p < capacity + 64; p++) EXPECT_EQ(0xA5A5A5A5u, candidates[p].i);
    std::sort(found.pairs.begin(), found.pairs.end());
    return found;
}

struct Shape {
    uint64_t first_row, first_column;
    uint32_t n_rows, n_columns, row_begin, row_end, column_begin, column_end;
    int within;
};
const Shape shapes[] = {
    {0, 0, 300, 300, 0, 300, 0, 300, 1},     /* all pairs of a shard */
    {10, 150, 140, 150, 3, 140, 20, 149, 1}, /* shards that overlap the diagonal */
    {100, 0, 200, 130, 100, 200, 0, 129, 0}, /* two sides */
    {40, 40, 33, 33, 32, 33, 0, 33, 0},      /* one row */
};

/* Filters with limits of rows: of both, of rows alone, or one for all. */
pkin_i_gpu_filter_work with_limits(pkin_i_gpu_filter_work work, int kind, const std::vector<int32_t> &limits) {
    work.row_limits = kind > 0 ? limits.data() : nullptr;
    work.column_limits = kind > 1 ? limits.data() : nullptr;
    return work;
}

void compare_filters(pkin_i_gpu_filter filter, const Shape &shape, uint32_t dimension, unsigned seed) {
    TestVectors v(random_matrix({300, 200, 25}, seed));
    const pkin_i_gpu_coding coding = pkin_i_gpu_coding_of(filter);
    const std::vector<uint16_t> buckets = buckets_of(v.vectors, dimension);
    Shard rows(v.vectors, shape.first_row, shape.n_rows, dimension, coding);
    Shard columns(v.vectors, shape.first_column, shape.n_columns, dimension, coding);
    plain.sketch(rows.rows, buckets.data());
    plain.sketch(columns.rows, buckets.data());
    std::mt19937 random(seed);
    std::vector<int32_t> limits(300);
    for (int32_t &limit : limits) limit = 1 + int32_t(random() % 65000);
    pkin_i_gpu_filter_work work = {};
    work.filter = filter;
    work.rows = &rows.rows;
    work.columns = &columns.rows;
    work.row_begin = shape.row_begin;
    work.row_end = shape.row_end;
    work.column_begin = shape.column_begin;
    work.column_end = shape.column_end;
    work.within = shape.within;
    for (double threshold : {1e-9, 0.5}) {
        if (is_watched && threshold < 0.5) continue;
        work.limit = pkin_i_gpu_limit(coding, pkin_score_from_threshold(threshold));
        for (int kind = 0; kind < (filter == PKIN_I_GPU_FILTER_GEMM8 ? 1 : 3); kind++) {
            const Found wanted = run_filter(plain, with_limits(work, kind, limits), 1 << 17);
            const Found found = run_filter(emulated, with_limits(work, kind, limits), 1 << 17);
            if (filter != PKIN_I_GPU_FILTER_GEMM8) {
                ASSERT_EQ(wanted.n_found, found.n_found);
                ASSERT_EQ(wanted.pairs, found.pairs);
            }
            /* No room: the number is the same, and nothing is behind. */
            const Found less = run_filter(emulated, with_limits(work, kind, limits), found.n_found / 3);
            ASSERT_EQ(found.n_found, less.n_found);
            ASSERT_TRUE(std::includes(found.pairs.begin(), found.pairs.end(), less.pairs.begin(), less.pairs.end()));
        }
    }
}

TEST(EmulatedKernels, FiltersFindThePlainOnesPairs) {
    for (const Shape &shape : shapes) {
        if (is_watched && &shape != &shapes[1]) continue;
        compare_filters(PKIN_I_GPU_FILTER_DP4A, shape, 64, 2);
        compare_filters(PKIN_I_GPU_FILTER_GEMM32, shape, 128, 3);
        /* What emulates the asynchronous instructions is no kernel, and not to be followed. */
        if (!is_watched) compare_filters(PKIN_I_GPU_FILTER_FUSED, shape, 64, 2);
    }
}

/* Of rounded products: all that reach the limit, and none that is far from it. */
TEST(EmulatedKernels, RoundedProductsLoseNoPair) {
    TestVectors v(random_matrix({300, 200, 25}, 4));
    const std::vector<uint16_t> buckets = buckets_of(v.vectors, 128);
    Shard rows(v.vectors, 0, 300, 128, PKIN_I_GPU_SEVEN);
    plain.sketch(rows.rows, buckets.data());
    for (double threshold : {1e-9, 0.05, 0.3, 0.7, 1.0}) {
        if (is_watched && threshold < 0.5) continue;
        pkin_i_gpu_filter_work work = {};
        work.rows = work.columns = &rows.rows;
        work.row_end = work.column_end = 300;
        work.within = 1;
        work.limit = pkin_i_gpu_limit(PKIN_I_GPU_SEVEN, pkin_score_from_threshold(threshold));
        work.filter = PKIN_I_GPU_FILTER_DP4A; /* exactly those that reach the limit */
        const Found least = run_filter(plain, work, 1 << 17);
        work.limit = std::max(1, work.limit * 124 / 126 - 1);
        const Found most = run_filter(plain, work, 1 << 17);
        work.limit = pkin_i_gpu_limit(PKIN_I_GPU_SEVEN, pkin_score_from_threshold(threshold));
        work.filter = PKIN_I_GPU_FILTER_GEMM8;
        const Found found = run_filter(emulated, work, 1 << 17);
        ASSERT_EQ(found.n_found, found.pairs.size());
        ASSERT_TRUE(std::includes(found.pairs.begin(), found.pairs.end(), least.pairs.begin(), least.pairs.end()));
        ASSERT_TRUE(std::includes(most.pairs.begin(), most.pairs.end(), found.pairs.begin(), found.pairs.end()));
    }
}

/* ---- Heaps ---- */

struct Heaps {
    Memory<uint64_t> scores, thresholds;
    Memory<uint32_t> neighbors, counts, locks;
    Memory<int32_t> limits;
    pkin_i_gpu_heaps heaps;

    Heaps(uint64_t n_rows, uint32_t k)
        : scores(n_rows * k), thresholds(n_rows), neighbors(n_rows * k), counts(n_rows), locks(n_rows),
          limits(n_rows), heaps{n_rows,           k,
                                PKIN_I_GPU_PLAIN, scores.get(),
                                neighbors.get(),  counts.get(),
                                thresholds.get(), limits.get(),
                                locks.get()} {}
    /* Of all rows, sorted: row, score, neighbour; then thresholds and limits. */
    std::vector<std::array<uint64_t, 3>> all() const {
        std::vector<std::array<uint64_t, 3>> out;
        for (uint64_t r = 0; r < heaps.n_rows; r++) {
            for (uint32_t p = 0; p < counts[r]; p++) {
                out.push_back({r, scores[r * heaps.k + p], neighbors[r * heaps.k + p]});
            }
            out.push_back({heaps.n_rows + r, thresholds[r], uint64_t(limits[r])});
        }
        std::sort(out.begin(), out.end());
        return out;
    }
};

std::vector<pkin_i_gpu_candidate> random_candidates(uint64_t n, const Shape &shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<pkin_i_gpu_candidate> out(n);
    for (pkin_i_gpu_candidate &pair : out) {
        pair.i = uint32_t(shape.first_row + random() % shape.n_rows);
        pair.j = uint32_t(shape.first_column + random() % shape.n_columns);
    }
    return out;
}

TEST(EmulatedKernels, ScoresAreThePlainOnes) {
    TestVectors v(random_matrix({300, 200, 90}, 5));
    const Shape &shape = shapes[1];
    Shard rows(v.vectors, shape.first_row, shape.n_rows, 64, PKIN_I_GPU_PLAIN);
    Shard columns(v.vectors, shape.first_column, shape.n_columns, 64, PKIN_I_GPU_PLAIN);
    const std::vector<pkin_i_gpu_candidate> candidates = random_candidates(is_watched ? 330 : 1501, shape, 6);
    std::vector<Scored> found[2];
    for (int e = 0; e < 2; e++) {
        Memory<pkin_pair> pairs(candidates.size());
        uint64_t n_pairs = 0;
        pkin_i_gpu_score_work work = {};
        work.rows = &rows.rows;
        work.columns = &columns.rows;
        work.candidates = candidates.data();
        work.n_candidates = candidates.size();
        work.min_score = pkin_score_from_threshold(0.2);
        work.pairs = pairs.get();
        work.n_pairs = &n_pairs;
        (e ? emulated : plain).score(work);
        for (uint64_t p = 0; p < n_pairs; p++) found[e].push_back({pairs[p].score, pairs[p].i, pairs[p].j});
        std::sort(found[e].begin(), found[e].end());
    }
    ASSERT_GT(found[0].size(), 10u);
    ASSERT_LT(found[0].size(), candidates.size() - 10);
    ASSERT_EQ(found[0], found[1]);
}

TEST(EmulatedKernels, HeapsHoldThePlainOnesNeighbours) {
    TestVectors v(random_matrix({300, 200, 40}, 7));
    for (uint32_t k : {1u, 10u, 40u}) {
        if (is_watched && k != 10) continue;
        Shard rows(v.vectors, 0, 170, 64, PKIN_I_GPU_PLAIN), columns(v.vectors, 170, 130, 64, PKIN_I_GPU_PLAIN);
        Shard everybody(v.vectors, 0, 300, 64, PKIN_I_GPU_PLAIN);
        const std::vector<pkin_i_gpu_candidate> candidates =
            random_candidates(is_watched ? 300 : 3000, {0, 170, 170, 130, 0, 0, 0, 0, 0}, k);
        std::vector<std::array<uint64_t, 3>> held[2];
        for (int e = 0; e < 2; e++) {
            const HostKernels &kernels = e ? emulated : plain;
            Heaps heaps(300, k);
            kernels.heaps_begin(heaps.heaps, pkin_score_from_threshold(0.05));
            const uint32_t finished[] = {3, 200};
            kernels.finish(heaps.heaps, finished, 2);
            pkin_i_gpu_score_work work = {};
            work.rows = &rows.rows;
            work.columns = &columns.rows;
            work.candidates = candidates.data();
            work.n_candidates = candidates.size();
            work.heaps = &heaps.heaps;
            work.both = 1;
            kernels.score(work);
            Memory<uint32_t> table(v.vectors->n_columns * PKIN_I_GPU_EXHAUST_MOST, 0);
            const std::vector<uint32_t> listed = {1, 10, 11, 34, 129};
            pkin_i_gpu_exhaust_work exhaust = {};
            exhaust.rows = &columns.rows;
            exhaust.columns = &everybody.rows;
            exhaust.listed = listed.data();
            exhaust.n_listed = 5;
            exhaust.within = 1;
            exhaust.n_columns = v.vectors->n_columns;
            exhaust.workspace = table.get();
            exhaust.heaps = &heaps.heaps;
            kernels.exhaust(exhaust);
            ASSERT_EQ(std::vector<uint32_t>(v.vectors->n_columns * PKIN_I_GPU_EXHAUST_MOST), table.all());
            held[e] = heaps.all();
        }
        ASSERT_GT(held[0].size(), 350u); /* of them 300 thresholds */
        ASSERT_EQ(held[0], held[1]) << k;
    }
}

TEST(EmulatedKernels, SeedsAreThePlainOnes) {
    TestVectors v(random_matrix({500, 200, 40}, 8));
    for (const Case &c : {cases[0], cases[1]}) {
        const std::vector<uint16_t> buckets = buckets_of(v.vectors, c.dimension);
        Shard all(v.vectors, 20, 480, c.dimension, c.coding), sample(v.vectors, 20, 160, c.dimension, c.coding);
        plain.sketch(all.rows, buckets.data());
        plain.sample(all.rows, 3, sample.rows);
        std::vector<int32_t> limits(500, 20000);
        for (uint32_t r = 0; r < 500; r += 3) limits[r] = int32_t(r) * 80;
        for (uint32_t group : {32u, 64u, 96u}) {
            if (is_watched && group != 96) continue;
            Pairs seeds[2];
            std::vector<uint32_t> counts[2];
            for (int e = 0; e < 2; e++) {
                Memory<pkin_i_gpu_candidate> found(480 * 5);
                uint64_t n_found = 0;
                counts[e].assign(301, 77);
                pkin_i_gpu_seed_work work = {};
                work.rows = &all.rows;
                work.sample = &sample.rows;
                work.stride = 3;
                work.row_begin = 130;
                work.row_end = 431;
                work.group = group;
                work.within = 1;
                work.found = found.get();
                work.n_found = &n_found;
                (e ? emulated : plain).seed(work);
                for (uint64_t p = 0; p < n_found; p++) seeds[e].emplace_back(found[p].i, found[p].j);
                std::sort(seeds[e].begin(), seeds[e].end());
                work.found = nullptr;
                work.counts = counts[e].data();
                work.row_limits = limits.data();
                (e ? emulated : plain).seed(work);
            }
            ASSERT_GT(seeds[0].size(), 300u);
            ASSERT_EQ(seeds[0], seeds[1]);
            ASSERT_EQ(counts[0], counts[1]);
        }
    }
}

/* ---- Whole joins and top-k, by every filter ---- */

#ifndef PKIN_SIMT_TSAN

struct Way {
    pkin_i_gpu_filter filter = PKIN_I_GPU_FILTER_DP4A;
    uint32_t dimension = 64;
    int n_devices = 1;
    pkin_i_gpu_tuning tuning = {};
};

/* The engine, opened on a task above emulated devices. */
struct Session {
    HostDevices devices;
    pkin_i_outcome outcome = {};
    pkin_i_task task = {};
    void *opened = nullptr;

    static HostDeviceOptions options(const Way &way) {
        HostDeviceOptions out;
        out.n_devices = way.n_devices;
        out.workspace_bytes = SIMT_WORKSPACE_BYTES;
        out.kernels = simt_kernels();
        return out;
    }

    Session(const pkin_vectors *a, const pkin_vectors *b, const Way &way) : devices(options(way)) {
        pkin_i_plan plan = {};
        plan.method = PKIN_I_METHOD_SKETCH;
        plan.filter = way.filter;
        plan.kernel = pkin_i_gpu_filter_name(way.filter);
        plan.dimension = way.dimension;
        plan.strip_rows = UINT64_MAX;
        task.a = a;
        task.b = b;
        task.n_threads = 2;
        task.devices = "all";
        task.outcome = &outcome;
        task.n_pairs_total = pkin_i_task_pairs(&task, 0, b ? b->n_rows : a->n_rows);
        EXPECT_EQ(PKIN_OK, pkin_i_gpu_open(devices.driver(), &task, &plan, &way.tuning, &opened)) << pkin_last_error();
    }
    ~Session() {
        pkin_i_gpu_close(opened);
        EXPECT_EQ("", devices.faults());
    }
};

std::vector<Scored> gpu_join(const pkin_vectors *a, const pkin_vectors *b, double threshold, const Way &way) {
    Session session(a, b, way);
    pkin_i_pair_sink *sink = nullptr;
    EXPECT_EQ(PKIN_OK, pkin_i_pair_sink_open(&sink));
    EXPECT_EQ(PKIN_OK, pkin_i_gpu_join(session.opened, 0, b ? b->n_rows : a->n_rows,
                                       std::max<uint64_t>(1, pkin_score_from_threshold(threshold)), sink))
        << pkin_last_error();
    pkin_pair_list list = {};
    pkin_i_pair_sink_take(sink, &list);
    pkin_i_pair_sink_close(sink);
    std::vector<Scored> pairs;
    for (uint64_t p = 0; p < list.n_pairs; p++)
        pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
    pkin_pair_list_free(&list);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

std::vector<Scored> gpu_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor, const Way &way) {
    Session session(a, b, way);
    std::vector<pkin_neighbor> neighbors(a->n_rows * k);
    std::vector<uint32_t> counts(a->n_rows);
    pkin_i_neighbor_heaps heaps = {};
    const uint64_t min_score = std::max<uint64_t>(1, pkin_score_from_threshold(floor));
    EXPECT_EQ(PKIN_OK, pkin_i_neighbor_heaps_open(a->n_rows, k, min_score, neighbors.data(), counts.data(), &heaps));
    EXPECT_EQ(PKIN_OK, pkin_i_gpu_top_k(session.opened, &heaps)) << pkin_last_error();
    pkin_i_neighbor_heaps_sort(&heaps, 1);
    std::vector<Scored> all;
    for (uint32_t r = 0; r < a->n_rows; r++) {
        for (uint32_t n = 0; n < counts[r]; n++) {
            all.push_back({neighbors[uint64_t(r) * k + n].score, r, neighbors[uint64_t(r) * k + n].row});
        }
    }
    pkin_i_neighbor_heaps_close(&heaps);
    return all;
}

/* Brute force and the CPU backend, which agree. */
std::vector<Scored> wanted_join(const pkin_vectors *a, const pkin_vectors *b, double threshold) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.backend = "cpu";
    options.n_threads = 1;
    pkin_pair_list list = {};
    EXPECT_EQ(PKIN_OK, pkin_similarity_join(a, b, threshold, &options, &list));
    std::vector<Scored> pairs;
    for (uint64_t p = 0; p < list.n_pairs; p++)
        pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
    pkin_pair_list_free(&list);
    EXPECT_EQ(oracle_join(a, b, pkin_score_from_threshold(threshold)), pairs);
    return pairs;
}

std::vector<Scored> wanted_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.backend = "cpu";
    options.n_threads = 1;
    pkin_neighbor_lists lists = {};
    EXPECT_EQ(PKIN_OK, pkin_similarity_top_k(a, b, k, floor, &options, &lists));
    std::vector<Scored> all;
    for (uint32_t r = 0; r < lists.n_rows; r++) {
        for (uint64_t n = lists.offsets[r]; n < lists.offsets[r + 1]; n++) {
            all.push_back({lists.neighbors[n].score, r, lists.neighbors[n].row});
        }
    }
    pkin_neighbor_lists_free(&lists);
    EXPECT_EQ(oracle_top_k(a, b, k, pkin_score_from_threshold(floor)), all);
    return all;
}

/* By every filter: with all there is, and with little of everything. */
enum ways_wanted { EASY = 1, HARD = 2, BOTH = 3 };
std::vector<Way> all_ways(ways_wanted wanted) {
    std::vector<Way> ways;
    for (int filter = 0; filter < PKIN_I_GPU_N_FILTERS; filter++) {
        Way way;
        way.filter = static_cast<pkin_i_gpu_filter>(filter);
        if (wanted & EASY) ways.push_back(way);
        /* Two devices, shards that come and go, and room for a few candidates only. */
        way.dimension = 128;
        way.n_devices = 2;
        way.tuning.shard_rows = 256;
        way.tuning.shard_slots = 2;
        way.tuning.capacity = 1500;
        way.tuning.pairs_room = 256;
        way.tuning.item_pairs = 20000;
        if (wanted & HARD) ways.push_back(way);
    }
    return ways;
}

void compare_joins(const pkin_vectors *a, const pkin_vectors *b, double threshold, ways_wanted ways, uint64_t least) {
    const std::vector<Scored> wanted = wanted_join(a, b, threshold);
    ASSERT_GE(wanted.size(), least);
    for (const Way &way : all_ways(ways)) {
        ASSERT_EQ(wanted, gpu_join(a, b, threshold, way))
            << pkin_i_gpu_filter_name(way.filter) << " d = " << way.dimension << " at " << threshold;
    }
}

TEST(EmulatedDevice, JoinsAreTheCpusBits) {
    TestVectors v(random_matrix({330, 150, 30, 0.0}, 11)), w(random_matrix({290, 150, 30, 0.0}, 12));
    compare_joins(v.vectors, nullptr, 0.45, BOTH, 1000);
    compare_joins(v.vectors, w.vectors, 0.45, HARD, 1000);
    compare_joins(v.vectors, nullptr, 1.0, EASY, 0);
}

TEST(EmulatedDevice, JoinsOfAllThatShareATerm) {
    TestVectors v(random_matrix({70, 150, 12, 0.0}, 13)), w(random_matrix({45, 150, 12, 0.0}, 14));
    compare_joins(v.vectors, nullptr, 1e-18, BOTH, 500);
    compare_joins(v.vectors, w.vectors, 1e-18, EASY, 500);
}

void compare_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor, ways_wanted ways) {
    const std::vector<Scored> wanted = wanted_top_k(a, b, k, floor);
    ASSERT_GE(wanted.size(), a->n_rows);
    for (const Way &way : all_ways(ways)) {
        if (way.filter == PKIN_I_GPU_FILTER_GEMM8) continue; /* joins only */
        ASSERT_EQ(wanted, gpu_top_k(a, b, k, floor, way))
            << pkin_i_gpu_filter_name(way.filter) << " d = " << way.dimension << " k = " << k;
    }
}

TEST(EmulatedDevice, TopKIsTheCpusBits) {
    TestVectors v(random_matrix({260, 150, 20, 0.0}, 15)), w(random_matrix({70, 150, 20, 0.0}, 16));
    compare_top_k(v.vectors, nullptr, 4, 0.2, BOTH);
    compare_top_k(w.vectors, v.vectors, 1, 0, HARD);
}

TEST(EmulatedDevice, TopKOfMoreThanThereAre) {
    TestVectors v(random_matrix({36, 150, 12, 0.0}, 17)), w(random_matrix({33, 150, 12, 0.0}, 18));
    compare_top_k(v.vectors, nullptr, 40, 0, HARD);
    compare_top_k(v.vectors, w.vectors, 40, 0, EASY);
}

#endif

} // namespace
