/* SPDX-License-Identifier: Apache-2.0 */
/* The sketch engine against brute force: every instruction set and dimension, every cut of the work. */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/cpu_filter.h"
#include "similarity/cpu_sketch.h"
#include "similarity/neighbor_heaps.h"
}

namespace {

/* How an engine is run. */
struct Way {
    pkin_i_isa isa = pkin_i_isa_best();
    uint32_t dimension = 64;
    int n_threads = 2;
    uint64_t strip_rows = UINT32_MAX;
    pkin_i_sketch_tuning tuning = pkin_i_sketch_tuning_default();
};

std::ostream &operator<<(std::ostream &out, const Way &way) {
    return out << pkin_i_isa_name(way.isa) << ", d " << way.dimension << ", threads " << way.n_threads << ", strips of "
               << way.strip_rows << ", blocks of " << way.tuning.block_rows_max;
}

/* An open session of the engine. */
struct Session {
    pkin_i_outcome outcome = {};
    pkin_i_task task = {};
    void *opened = nullptr;
    pkin_status status;

    Session(const pkin_vectors *a, const pkin_vectors *b, const Way &way) {
        pkin_i_plan plan = {};
        plan.method = PKIN_I_METHOD_SKETCH;
        plan.isa = way.isa;
        plan.dimension = way.dimension;
        plan.strip_rows = way.strip_rows;
        task.a = a;
        task.b = b;
        task.n_threads = way.n_threads;
        task.outcome = &outcome;
        task.n_pairs_total = pkin_i_task_pairs(&task, 0, b ? b->n_rows : a->n_rows);
        status = pkin_i_cpu_sketch_open(&task, &plan, &way.tuning, &opened);
    }
    ~Session() {
        pkin_i_cpu_sketch_engine.close(opened);
    }
};

/* Strips are the caller's in a join. */
std::vector<Scored> sketch_join(const pkin_vectors *a, const pkin_vectors *b, uint64_t min_score, const Way &way,
                                pkin_i_outcome *outcome = nullptr) {
    Session session(a, b, way);
    EXPECT_EQ(session.status, PKIN_OK);
    pkin_i_pair_sink *sink = nullptr;
    EXPECT_EQ(pkin_i_pair_sink_open(&sink), PKIN_OK);
    const uint64_t n_rows = b ? b->n_rows : a->n_rows;
    for (uint64_t first = 0; first < n_rows; first += way.strip_rows) {
        uint64_t last = std::min(n_rows, first + way.strip_rows);
        EXPECT_EQ(pkin_i_cpu_sketch_engine.join(session.opened, first, last, min_score, sink), PKIN_OK);
    }
    pkin_pair_list list = {};
    pkin_i_pair_sink_take(sink, &list);
    pkin_i_pair_sink_close(sink);
    std::vector<Scored> pairs;
    for (uint64_t p = 0; p < list.n_pairs; p++) {
        pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
    }
    pkin_pair_list_free(&list);
    std::sort(pairs.begin(), pairs.end());
    if (outcome) *outcome = session.outcome;
    return pairs;
}

std::vector<Scored> sketch_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, uint64_t min_score,
                                 const Way &way, pkin_i_outcome *outcome = nullptr) {
    Session session(a, b, way);
    EXPECT_EQ(session.status, PKIN_OK);
    std::vector<pkin_neighbor> neighbors(a->n_rows * k + 1);
    std::vector<uint32_t> counts(a->n_rows + 1);
    pkin_i_neighbor_heaps heaps = {};
    EXPECT_EQ(pkin_i_neighbor_heaps_open(a->n_rows, k, min_score, neighbors.data(), counts.data(), &heaps), PKIN_OK);
    EXPECT_EQ(pkin_i_cpu_sketch_engine.top_k(session.opened, &heaps), PKIN_OK);
    pkin_i_neighbor_heaps_sort(&heaps, way.n_threads);
    std::vector<Scored> all;
    for (uint32_t r = 0; r < a->n_rows; r++) {
        for (uint32_t n = 0; n < counts[r]; n++) {
            all.push_back({neighbors[uint64_t(r) * k + n].score, r, neighbors[uint64_t(r) * k + n].row});
        }
    }
    pkin_i_neighbor_heaps_close(&heaps);
    if (outcome) *outcome = session.outcome;
    return all;
}

std::vector<pkin_i_isa> levels() {
    std::vector<pkin_i_isa> all;
    for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
        if (pkin_i_isa_is_available(pkin_i_isa(isa))) all.push_back(pkin_i_isa(isa));
    }
    return all;
}

/* Small blocks and short lists, so that small inputs have many of both. */
Way finely_cut(Way way) {
    way.tuning.block_rows_max = 64;
    way.tuning.survivors_held = 100;
    way.tuning.seeds = {2, 4};
    return way;
}

void expect_as_oracle(const pkin_vectors *a, const pkin_vectors *b, const std::vector<Way> &ways) {
    for (double threshold : {0.01, 0.2, 0.5, 0.9, 1.0}) {
        const uint64_t reach = pkin_score_from_threshold(threshold);
        const std::vector<Scored> expected = oracle_join(a, b, reach);
        for (const Way &way : ways)
            ASSERT_EQ(sketch_join(a, b, reach, way), expected) << "t " << threshold << ", " << way;
    }
    for (uint32_t k : {1u, 4u, static_cast<uint32_t>(std::max<uint64_t>(1, a->n_rows))}) {
        for (uint64_t reach : {uint64_t(1), pkin_score_from_threshold(0.3)}) {
            const std::vector<Scored> expected = oracle_top_k(a, b, k, reach);
            for (const Way &way : ways)
                ASSERT_EQ(sketch_top_k(a, b, k, reach, way), expected) << "k " << k << ", " << way;
        }
    }
}

/* Rows finished by the postings: all of them, none of them, and those whose candidates are many. */
std::vector<Way> with_each_finish(const Way &way) {
    std::vector<Way> ways(3, way);
    ways[0].tuning.postings_a_candidate = 0;
    ways[1].tuning.postings_a_candidate = 1e18;
    ways[2].tuning.sample_rows_least = 16;
    return ways;
}

TEST(SketchEngine, EveryInstructionSetAndDimension) {
    TestVectors v(random_matrix({150, 200, 30}, 1)), w(random_matrix({70, 200, 30}, 2));
    for (pkin_i_isa isa : levels()) {
        for (uint32_t dimension : {64u, 320u, 4096u}) {
            Way way;
            way.isa = isa;
            way.dimension = dimension;
            expect_as_oracle(v.vectors, nullptr, {finely_cut(way)});
            expect_as_oracle(v.vectors, w.vectors, {finely_cut(way)});
        }
    }
}

TEST(SketchEngine, SizesAroundPanelsAndBlocks) {
    unsigned seed = 10;
    for (uint64_t n : {0u, 1u, 2u, 3u, 5u, 15u, 16u, 17u, 31u, 33u, 63u, 64u, 65u, 127u, 129u, 193u}) {
        TestVectors v(random_matrix({n, 100, 12}, seed++)), w(random_matrix({n / 2 + 30, 100, 12}, seed++));
        SCOPED_TRACE(n);
        Way one, fine = finely_cut(Way());
        one.n_threads = 1;
        fine.n_threads = 4;
        expect_as_oracle(v.vectors, nullptr, {one, fine});
        expect_as_oracle(v.vectors, w.vectors, {one, fine});
        expect_as_oracle(w.vectors, v.vectors, {fine});
    }
}

TEST(SketchEngine, StripsAndThreadsChangeNothing) {
    TestVectors v(random_matrix({233, 150, 20}, 31)), w(random_matrix({157, 150, 20}, 32));
    std::vector<Way> ways;
    for (uint64_t strip_rows : {1u, 50u, 64u, 220u}) {
        for (int n_threads : {1, 2, 4}) {
            if (strip_rows == 1 && n_threads > 1) continue;
            Way way = finely_cut(Way());
            way.strip_rows = strip_rows;
            way.n_threads = n_threads;
            ways.push_back(way);
        }
    }
    expect_as_oracle(v.vectors, nullptr, ways);
    expect_as_oracle(v.vectors, w.vectors, ways);
}

TEST(SketchEngine, FewRowsAgainstMany) {
    TestVectors few(random_matrix({7, 300, 20}, 41)), many(random_matrix({1500, 300, 20}, 42));
    Way way;
    way.n_threads = 4;
    expect_as_oracle(few.vectors, many.vectors, {way});
    expect_as_oracle(many.vectors, few.vectors, {way});
}

TEST(SketchEngine, RowsFinishedByPostingsOrNot) {
    TestVectors v(random_matrix({300, 60, 40}, 51)), w(random_matrix({200, 60, 40}, 52));
    for (const Way &way : with_each_finish(finely_cut(Way()))) {
        expect_as_oracle(v.vectors, nullptr, {way});
        expect_as_oracle(v.vectors, w.vectors, {way});
    }
}

/* The two ways must not be one: finished rows leave nothing to the filter. */
TEST(SketchEngine, FinishedRowsAskForNothing) {
    TestVectors v(random_matrix({600, 60, 40, 0, 0}, 51));
    const std::vector<Way> ways = with_each_finish(finely_cut(Way()));
    pkin_i_outcome filtered, finished;
    sketch_top_k(v.vectors, nullptr, 2, 1, ways[0], &filtered);
    sketch_top_k(v.vectors, nullptr, 2, 1, ways[1], &finished);
    EXPECT_GT(finished.n_candidates, 3 * filtered.n_candidates);
}

/* Only ties: who is kept is decided by row numbers alone. */
TEST(SketchEngine, TiesGoToTheLowerRow) {
    TestMatrix m{3, {}};
    for (int r = 0; r < 300; r++) m.rows.push_back(r % 3 ? TestRow{{0, 1.0}} : TestRow{{0, 0.6}, {1, 0.8}});
    TestVectors v(m, 0);
    for (const Way &way : with_each_finish(finely_cut(Way()))) {
        for (uint32_t k : {1u, 5u, 120u}) {
            EXPECT_EQ(sketch_top_k(v.vectors, nullptr, k, 1, way), oracle_top_k(v.vectors, nullptr, k, 1)) << way;
        }
    }
}

/* Rows without k partners never have a threshold: they must not make every pair a candidate. */
TEST(SketchEngine, RowsOfOneRareTermEndWell) {
    TestMatrix m{1 << 14, {}};
    for (uint32_t r = 0; r < (1 << 15); r++) m.rows.push_back({{r % (1 << 14), 1.0}});
    TestVectors v(m);
    pkin_i_outcome outcome;
    Way way;
    std::vector<Scored> found = sketch_top_k(v.vectors, nullptr, 10, 1, way, &outcome);
    EXPECT_EQ(found.size(), m.rows.size());
    for (const Scored &pair : found) ASSERT_EQ(pair.i % (1 << 14), pair.j % (1 << 14));
    EXPECT_LT(outcome.n_candidates, 4 * m.rows.size());
}

TEST(SketchEngine, TellsWhatItDid) {
    TestVectors v(random_matrix({300, 200, 30}, 61));
    pkin_i_outcome outcome;
    Way way;
    std::vector<Scored> pairs = sketch_join(v.vectors, nullptr, pkin_score_from_threshold(0.3), way, &outcome);
    EXPECT_GE(outcome.n_candidates, pairs.size());
    EXPECT_LE(outcome.n_candidates, 300u * 299 / 2);
    EXPECT_GE(outcome.filter_operations, 300u * 299 * 64);
    EXPECT_LE(outcome.filter_operations, 2u * 448 * 448 * 64);
    EXPECT_GT(outcome.bytes, 300u * 64);
    EXPECT_GT(outcome.filter_seconds, 0);
}

/* Adds up the progress that was told, and cancels on demand. */
struct Progress {
    uint64_t last = 0, total = 0;
    uint64_t cancel_at = UINT64_MAX;
    bool fell = false;
};

int on_progress(void *user, const char *, uint64_t done, uint64_t total) {
    Progress *progress = static_cast<Progress *>(user);
    progress->fell |= done < progress->last;
    progress->last = done;
    progress->total = total;
    return done >= progress->cancel_at;
}

TEST(SketchEngine, ProgressCountsEveryPairAndMayCancel) {
    TestVectors v(random_matrix({700, 200, 10}, 71)), w(random_matrix({100, 200, 10}, 72));
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        for (uint64_t strip_rows : {90u, 10000u}) {
            for (uint64_t cancel_at : {UINT64_MAX, uint64_t(0), uint64_t(1000)}) {
                Way way = finely_cut(Way());
                way.strip_rows = strip_rows;
                Progress progress;
                progress.cancel_at = cancel_at;
                Session session(v.vectors, b, way);
                session.task.on_progress = on_progress;
                session.task.progress_user = &progress;
                std::vector<pkin_neighbor> neighbors(v.vectors->n_rows * 3);
                std::vector<uint32_t> counts(v.vectors->n_rows);
                pkin_i_neighbor_heaps heaps = {};
                ASSERT_EQ(pkin_i_neighbor_heaps_open(counts.size(), 3, 1, neighbors.data(), counts.data(), &heaps),
                          PKIN_OK);
                pkin_status status = pkin_i_cpu_sketch_engine.top_k(session.opened, &heaps);
                pkin_i_neighbor_heaps_close(&heaps);
                EXPECT_FALSE(progress.fell);
                EXPECT_EQ(progress.total, b ? 700u * 100 : 700u * 699 / 2);
                if (cancel_at == UINT64_MAX) {
                    EXPECT_EQ(status, PKIN_OK);
                    EXPECT_EQ(progress.last, progress.total);
                } else {
                    EXPECT_EQ(status, PKIN_ERROR_CANCELLED);
                }
            }
        }
    }
}

pkin_status join_and_top_k(const pkin_vectors *a, const pkin_vectors *b) {
    std::vector<pkin_neighbor> neighbors(a->n_rows * 3);
    std::vector<uint32_t> counts(a->n_rows);
    pkin_i_neighbor_heaps heaps = {};
    pkin_i_pair_sink *sink = nullptr;
    Session session(a, b, finely_cut(Way()));
    pkin_status status = session.status;
    if (status == PKIN_OK) status = pkin_i_pair_sink_open(&sink);
    if (status == PKIN_OK) {
        status = pkin_i_cpu_sketch_engine.join(session.opened, 0, b ? b->n_rows : a->n_rows, 1, sink);
    }
    pkin_i_pair_sink_close(sink);
    if (status == PKIN_OK) {
        status = pkin_i_neighbor_heaps_open(a->n_rows, 3, 1, neighbors.data(), counts.data(), &heaps);
    }
    if (status == PKIN_OK) status = pkin_i_cpu_sketch_engine.top_k(session.opened, &heaps);
    pkin_i_neighbor_heaps_close(&heaps);
    return status;
}

TEST(SketchEngine, EndsCleanlyWithoutMemory) {
    TestVectors v(random_matrix({200, 60, 20}, 81)), w(random_matrix({100, 60, 20}, 82));
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
        for (long fail_at = 0; status != PKIN_OK; fail_at++) {
            FailingMemory memory;
            memory.fail_at = fail_at;
            pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release,
                                    &memory};
            pkin_set_allocator(&hooks);
            status = join_and_top_k(v.vectors, b);
            pkin_set_allocator(nullptr);
            ASSERT_EQ(memory.n_held, 0) << "request " << fail_at;
            ASSERT_TRUE(status == PKIN_OK || status == PKIN_ERROR_OUT_OF_MEMORY) << "request " << fail_at;
            ASSERT_EQ(status == PKIN_OK, memory.n_requests <= fail_at) << "request " << fail_at;
        }
    }
}

} // namespace
