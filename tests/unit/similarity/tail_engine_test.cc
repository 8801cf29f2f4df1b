/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/cpu_backend.h"
#include "similarity/cpu_block_index.h"
#include "similarity/cpu_tail_cost.h"
#include "similarity/cpu_tail_rows.h"
#include "similarity/neighbor_heaps.h"
}

namespace {

struct Plan {
    pkin_i_method method;
    double head_share;
    pkin_i_isa isa;
    int n_threads;
};

std::ostream &operator<<(std::ostream &out, const Plan &plan) {
    return out << pkin_i_method_name(plan.method) << " " << plan.head_share << ", " << pkin_i_isa_name(plan.isa) << ", "
               << plan.n_threads << " threads";
}

std::vector<pkin_i_isa> levels() {
    std::vector<pkin_i_isa> found;
    for (int isa = 0; isa <= PKIN_I_ISA_AVX512; isa++) {
        if (pkin_i_isa_is_available(static_cast<pkin_i_isa>(isa))) found.push_back(static_cast<pkin_i_isa>(isa));
    }
    return found;
}

std::vector<Plan> plans(const std::vector<int> &threads, const std::vector<double> &shares) {
    std::vector<Plan> all;
    for (pkin_i_isa isa : levels()) {
        for (int n : threads) {
            all.push_back({PKIN_I_METHOD_INDEX, 0, isa, n});
            for (double share : shares) all.push_back({PKIN_I_METHOD_TAIL, share, isa, n});
        }
    }
    return all;
}

const std::vector<double> SHARES = {0.001, 0.01, 0.05, 0.2, 0.5, 2};

/* The rows that an engine is given: none is empty. */
std::unique_ptr<TestVectors> full_rows(const TestShape &shape, unsigned seed) {
    TestShape full = shape;
    full.empty = 0;
    return std::make_unique<TestVectors>(random_matrix(full, seed));
}

/* One session of an engine. */
struct Session {
    pkin_i_outcome outcome = {};
    pkin_i_task task = {};
    const pkin_i_engine *engine;
    void *session = nullptr;

    Session(const pkin_vectors *a, const pkin_vectors *b, const Plan &wanted) {
        task.a = a;
        task.b = b;
        task.n_threads = wanted.n_threads;
        task.n_pairs_total = pkin_i_task_pairs(&task, 0, n_streamed());
        task.outcome = &outcome;
        engine = pkin_i_cpu_backend.engine(wanted.method);
        pkin_i_plan plan = {};
        plan.method = wanted.method;
        plan.isa = wanted.isa;
        plan.head_share = wanted.head_share;
        plan.strip_rows = n_streamed() + 1;
        EXPECT_EQ(engine->open(&task, &plan, &session), PKIN_OK);
    }
    ~Session() {
        engine->close(session);
    }
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    uint64_t n_streamed() const {
        return (task.b ? task.b : task.a)->n_rows;
    }

    std::vector<Scored> join(uint64_t min_score, uint64_t strip_rows) {
        pkin_i_pair_sink *sink = nullptr;
        pkin_pair_list list = {};
        EXPECT_EQ(pkin_i_pair_sink_open(&sink), PKIN_OK);
        for (uint64_t first = 0; first < n_streamed(); first += strip_rows) {
            const uint64_t last = std::min(n_streamed(), first + strip_rows);
            EXPECT_EQ(engine->join(session, first, last, min_score, sink), PKIN_OK);
        }
        pkin_i_pair_sink_take(sink, &list);
        std::vector<Scored> pairs;
        for (uint64_t p = 0; p < list.n_pairs; p++) {
            pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
        }
        std::sort(pairs.begin(), pairs.end());
        pkin_pair_list_free(&list);
        pkin_i_pair_sink_close(sink);
        return pairs;
    }

    std::vector<Scored> top_k(uint32_t k, uint64_t min_score) {
        const uint64_t n_rows = task.a->n_rows;
        std::vector<pkin_neighbor> neighbors(n_rows * k);
        std::vector<uint32_t> counts(n_rows);
        pkin_i_neighbor_heaps heaps;
        EXPECT_EQ(pkin_i_neighbor_heaps_open(n_rows, k, min_score, neighbors.data(), counts.data(), &heaps), PKIN_OK);
        EXPECT_EQ(engine->top_k(session, &heaps), PKIN_OK);
        pkin_i_neighbor_heaps_sort(&heaps, 1);
        pkin_i_neighbor_heaps_close(&heaps);
        std::vector<Scored> all;
        for (uint32_t r = 0; r < n_rows; r++) {
            for (uint32_t n = 0; n < counts[r]; n++) {
                all.push_back({neighbors[r * k + n].score, r, neighbors[r * k + n].row});
            }
        }
        return all;
    }
};

/* One session gives every join, whole and in strips, and every top-k. */
void expect_as_oracle(const pkin_vectors *a, const pkin_vectors *b, const std::vector<Plan> &all) {
    const std::vector<uint64_t> limits = {1, pkin_score_from_threshold(0.05), pkin_score_from_threshold(0.4),
                                          pkin_score_from_threshold(0.8), PKIN_SCORE_ONE};
    std::vector<std::vector<Scored>> joins, tops;
    for (uint64_t limit : limits) joins.push_back(oracle_join(a, b, limit));
    for (uint32_t k : {1u, 4u, 40u}) tops.push_back(oracle_top_k(a, b, k, limits[k == 4]));
    for (const Plan &plan : all) {
        Session session(a, b, plan);
        ASSERT_NE(session.session, nullptr);
        for (size_t l = 0; l < limits.size(); l++) {
            ASSERT_EQ(session.join(limits[l], UINT32_MAX), joins[l]) << plan << ", limit " << limits[l];
        }
        ASSERT_EQ(session.join(limits[2], session.n_streamed() / 3 + 1), joins[2]) << plan << ", strips";
        size_t t = 0;
        for (uint32_t k : {1u, 4u, 40u}) ASSERT_EQ(session.top_k(k, limits[k == 4]), tops[t++]) << plan << ", k " << k;
    }
}

TEST(TailEngine, EveryPlanFindsWhatTheOracleFinds) {
    const TestShape shapes[] = {{1, 1, 1},   {2, 1, 1},       {33, 4, 4},    {64, 30, 10},
                                {100, 1, 1}, {300, 3000, 40}, {257, 300, 60}};
    unsigned seed = 1;
    for (const TestShape &shape : shapes) {
        auto v = full_rows(shape, seed++);
        SCOPED_TRACE(shape.n_rows);
        expect_as_oracle(v->vectors, nullptr, plans({1, 3}, SHARES));
    }
}

TEST(TailEngine, BetweenTwoSetsToo) {
    const uint64_t sizes[][2] = {{1, 1}, {1, 200}, {200, 1}, {40, 300}, {300, 40}, {0, 7}, {7, 0}};
    unsigned seed = 50;
    for (const auto &size : sizes) {
        auto a = full_rows({size[0], 60, 12}, seed++), b = full_rows({size[1], 60, 12}, seed++);
        SCOPED_TRACE(testing::Message() << size[0] << " against " << size[1]);
        expect_as_oracle(a->vectors, b->vectors, plans({3}, SHARES));
    }
}

/* Strips of any length, also beginning and ending within a block and a chunk of streamed rows. */
TEST(TailEngine, StripsMakeTheWhole) {
    auto v = full_rows({PKIN_I_TAIL_BLOCK_ROWS + 300, 900, 6}, 8), w = full_rows({700, 900, 6}, 9);
    const uint64_t limit = pkin_score_from_threshold(0.7);
    const std::vector<Scored> within = oracle_join(v->vectors, nullptr, limit);
    const std::vector<Scored> between = oracle_join(v->vectors, w->vectors, limit);
    ASSERT_GT(within.size(), 100u);
    for (const Plan &plan :
         {Plan{PKIN_I_METHOD_TAIL, 0.02, pkin_i_isa_best(), 4}, Plan{PKIN_I_METHOD_INDEX, 0, pkin_i_isa_best(), 4}}) {
        Session self(v->vectors, nullptr, plan), two(v->vectors, w->vectors, plan);
        for (uint64_t rows : {100, 256, 333, 4096, 4097}) {
            EXPECT_EQ(self.join(limit, rows), within) << plan << ", " << rows;
            EXPECT_EQ(two.join(limit, rows), between) << plan << ", " << rows;
        }
    }
}

/* One block and more. */
TEST(TailEngine, SizesAroundABlock) {
    for (uint64_t block : {uint64_t(PKIN_I_BLOCK_ROWS), uint64_t(PKIN_I_TAIL_BLOCK_ROWS)}) {
        for (uint64_t n : {block - 1, block + 1}) {
            auto v = full_rows({n, 3000, 4}, static_cast<unsigned>(n));
            const uint64_t limit = pkin_score_from_threshold(0.6);
            const std::vector<Scored> expected = oracle_join(v->vectors, nullptr, limit);
            const std::vector<Scored> top = oracle_top_k(v->vectors, nullptr, 3, 1);
            for (const Plan &plan : {Plan{PKIN_I_METHOD_TAIL, 0.01, pkin_i_isa_best(), 2},
                                     Plan{PKIN_I_METHOD_INDEX, 0, pkin_i_isa_best(), 2}}) {
                Session session(v->vectors, nullptr, plan);
                EXPECT_EQ(session.join(limit, UINT32_MAX), expected) << plan << ", " << n;
                EXPECT_EQ(session.top_k(3, 1), top) << plan << ", " << n;
            }
        }
    }
}

/* The bound must not be below the score where all is in the head, or all in the tail, and rounding is at its edge. */
TEST(TailEngine, EqualRowsAtTheRoundingEdgeReachOne) {
    TestMatrix m{1040, {}};
    for (int copy = 0; copy < 20; copy++) {
        m.rows.push_back({{3, 1.0}});
        m.rows.push_back({{0, 0.5}, {1, 0.5}, {2, 0.5}, {4, 0.5}});
        m.rows.push_back({});
        for (uint32_t c = 0; c < 1024; c++) m.rows.back().push_back({16 + c, 1.0 / 32});
    }
    TestVectors v(m, 0);
    const std::vector<Scored> expected = oracle_join(v.vectors, nullptr, PKIN_SCORE_ONE);
    ASSERT_EQ(expected.size(), 3u * 20 * 19 / 2);
    for (const Plan &plan : plans({2}, SHARES)) {
        Session session(v.vectors, nullptr, plan);
        EXPECT_EQ(session.join(PKIN_SCORE_ONE, UINT32_MAX), expected) << plan;
    }
}

/* Rows of every column beside rows of one: blocks are cut by entries, too. */
TEST(TailEngine, RowsOfAllColumns) {
    TestMatrix m{30000, {}};
    std::mt19937 random(3);
    for (int r = 0; r < 40; r++) {
        m.rows.push_back({{random() % 30000, 1.0}});
        m.rows.push_back({});
        for (uint32_t c = 0; c < m.n_columns; c++) m.rows.back().push_back({c, 1.0 + random() % 9});
    }
    TestVectors v(m);
    const uint64_t limit = pkin_score_from_threshold(0.5);
    const std::vector<Scored> expected = oracle_join(v.vectors, nullptr, limit);
    const std::vector<Scored> top = oracle_top_k(v.vectors, nullptr, 3, 1);
    for (const Plan &plan : plans({4}, {0.4, 2})) {
        if (plan.isa != pkin_i_isa_best() && plan.isa != PKIN_I_ISA_AVX512) continue;
        Session session(v.vectors, nullptr, plan);
        EXPECT_EQ(session.join(limit, UINT32_MAX), expected) << plan;
        EXPECT_EQ(session.top_k(3, 1), top) << plan;
    }
}

TEST(TailEngine, TheLastOfVeryManyColumns) {
    TestMatrix m{UINT32_MAX, {}};
    for (uint32_t r = 0; r < 50; r++) m.rows.push_back({{r % 7, 1.0}, {UINT32_MAX - 1 - r % 5, 2.0}});
    TestVectors v(m), narrow([] {
        TestMatrix same{12, {}};
        for (uint32_t r = 0; r < 50; r++) same.rows.push_back({{r % 7, 1.0}, {11 - r % 5, 2.0}});
        return same;
    }());
    const std::vector<Scored> expected = oracle_join(narrow.vectors, nullptr, 1);
    for (const Plan &plan : plans({2}, {0.1, 2})) {
        Session session(v.vectors, nullptr, plan);
        EXPECT_EQ(session.join(1, UINT32_MAX), expected) << plan;
    }
}

/* 2^17 rows of one column each, all different but for a few: nothing to do, and no time to be lost. */
TEST(TailEngine, VeryManyRowsOfOneColumn) {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const uint32_t n = 1 << 17;
#else
    const uint32_t n = 1 << 13;
#endif
    TestMatrix m{n, {}};
    for (uint32_t r = 0; r < n; r++) m.rows.push_back({{r < n - 9 ? r : r - 9, 1.0}});
    TestVectors v(m, 0);
    for (const Plan &plan : {Plan{PKIN_I_METHOD_TAIL, 0.05, pkin_i_isa_best(), 4}}) {
        Session session(v.vectors, nullptr, plan);
        const std::vector<Scored> pairs = session.join(pkin_score_from_threshold(0.5), UINT32_MAX);
        ASSERT_EQ(pairs.size(), 9u) << plan;
        for (const Scored &pair : pairs) EXPECT_EQ(pair.i + 9, pair.j);
    }
}

TEST(TailEngine, SaysWhatItDid) {
    auto v = full_rows({3000, 2000, 30}, 21);
    Session tail(v->vectors, nullptr, {PKIN_I_METHOD_TAIL, 0.05, pkin_i_isa_best(), 2});
    EXPECT_GT(tail.outcome.bytes, v->vectors->row_offsets[3000] * 8);
    EXPECT_GT(tail.outcome.prepare_seconds, 0);
    EXPECT_EQ(tail.outcome.n_candidates, 0u);
    const size_t n_pairs = tail.join(pkin_score_from_threshold(0.5), UINT32_MAX).size();
    EXPECT_GE(tail.outcome.n_candidates, n_pairs);
    EXPECT_LT(tail.outcome.n_candidates, 3000u * 2999 / 2);
    EXPECT_GT(tail.outcome.filter_seconds, 0);
    EXPECT_GT(tail.outcome.score_seconds, 0);
    Session index(v->vectors, nullptr, {PKIN_I_METHOD_INDEX, 0, pkin_i_isa_best(), 2});
    EXPECT_EQ(index.join(pkin_score_from_threshold(0.5), UINT32_MAX).size(), n_pairs);
    EXPECT_EQ(index.outcome.n_candidates, n_pairs);
    EXPECT_GT(index.outcome.filter_seconds, 0);
    EXPECT_GT(index.outcome.bytes, 0u);
}

TEST(TailEngine, ForcedByName) {
    TestVectors v(random_matrix({300, 200, 20}, 30));
    const std::vector<Scored> expected = oracle_join(v.vectors, nullptr, pkin_score_from_threshold(0.3));
    for (pkin_i_isa isa : levels()) {
        for (const char *method : {"tail", "index"}) {
            pkin_similarity_options options = pkin_similarity_options_default();
            options.method = method;
            options.instruction_set = pkin_i_isa_name(isa);
            pkin_pair_list list;
            ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.3, &options, &list), PKIN_OK);
            ASSERT_EQ(list.n_pairs, expected.size());
            for (uint64_t p = 0; p < list.n_pairs; p++) {
                ASSERT_EQ((Scored{list.pairs[p].score, list.pairs[p].i, list.pairs[p].j}), expected[p]);
            }
            pkin_pair_list_free(&list);
        }
    }
}

TEST(TailEngine, EveryAllocationMayFail) {
    TestVectors v(random_matrix({300, 40, 8}, 4)), w(random_matrix({50, 40, 8}, 5));
    for (const char *method : {"tail", "index"}) {
        for (const pkin_vectors *b :
             {static_cast<const pkin_vectors *>(nullptr), const_cast<const pkin_vectors *>(w.vectors)}) {
            pkin_similarity_options options = pkin_similarity_options_default();
            options.method = method;
            options.n_threads = 3;
            pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
            for (long fail_at = 0; status != PKIN_OK; fail_at++) {
                FailingMemory memory;
                memory.fail_at = fail_at;
                pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release,
                                        &memory};
                pkin_pair_list list;
                pkin_set_allocator(&hooks);
                status = pkin_similarity_join(v.vectors, b, 0.1, &options, &list);
                pkin_pair_list_free(&list);
                pkin_set_allocator(nullptr);
                ASSERT_EQ(memory.n_held, 0) << method << ", request " << fail_at;
                ASSERT_TRUE(status == PKIN_OK ? fail_at > 20 : status == PKIN_ERROR_OUT_OF_MEMORY) << fail_at;
                ASSERT_LT(fail_at, 1000);
            }
        }
    }
}

int cancel_halfway(void *, const char *, uint64_t done, uint64_t total) {
    return done * 2 >= total;
}

TEST(TailEngine, MayBeCancelled) {
    TestVectors v(random_matrix({6000, 500, 8, 0, 0}, 2));
    for (const char *method : {"tail", "index"}) {
        pkin_similarity_options options = pkin_similarity_options_default();
        options.method = method;
        options.on_progress = cancel_halfway;
        pkin_pair_list list;
        EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_CANCELLED) << method;
        EXPECT_EQ(list.pairs, nullptr);
    }
}

/* What rows hold, arranged: every entry of a column that can be in a score once, the head before the tail; norms are
   never below the truth. */
TEST(TailRows, HoldEveryEntryThatMatters) {
    auto v = full_rows({200, 300, 20}, 31);
    const pkin_vectors *x = v->vectors;
    std::vector<uint32_t> counts(x->n_columns);
    for (uint64_t k = 0; k < x->row_offsets[x->n_rows]; k++) counts[x->columns[k]]++;
    for (double share : SHARES) {
        pkin_i_tail_rows rows;
        ASSERT_EQ(pkin_i_tail_rows_build(x, nullptr, share, 2, &rows), PKIN_OK);
        for (uint64_t r = 0; r < x->n_rows; r++) {
            std::vector<uint32_t> head, tail, arranged_head, arranged_tail;
            unsigned __int128 squares = 0, norms = 0;
            for (uint64_t k = x->row_offsets[r]; k < x->row_offsets[r + 1]; k++) {
                const uint32_t n = counts[x->columns[k]], weight = x->weights[k];
                const bool is_head = n >= share * static_cast<double>(x->n_rows);
                if (n >= 2) (is_head ? head : tail).push_back(weight);
                if (n >= 2 && is_head) squares += static_cast<uint64_t>(weight) * weight;
            }
            for (uint64_t k = x->row_offsets[r]; k < rows.a.head_ends[r]; k++) {
                ASSERT_LT(rows.a.entries[k].rank, rows.n_head);
                arranged_head.push_back(rows.a.entries[k].weight);
            }
            for (uint64_t k = rows.a.tail_begins[r]; k < x->row_offsets[r + 1]; k++) {
                ASSERT_GE(rows.a.entries[k].rank, rows.n_head);
                ASSERT_LT(rows.a.entries[k].rank, rows.n_ranks);
                arranged_tail.push_back(rows.a.entries[k].weight);
            }
            for (auto *list : {&head, &tail, &arranged_head, &arranged_tail}) std::sort(list->begin(), list->end());
            ASSERT_EQ(arranged_head, head);
            ASSERT_EQ(arranged_tail, tail);
            for (int b = 0; b < PKIN_I_FINE_BUCKETS; b++) {
                const uint64_t norm = static_cast<uint64_t>(rows.a.fine[r * PKIN_I_FINE_BUCKETS + b]) << 16;
                norms += static_cast<unsigned __int128>(norm) * norm;
            }
            ASSERT_TRUE(norms >= squares);
        }
        pkin_i_tail_rows_free(&rows);
    }
}

TEST(TailCost, UnitsAreThereForEveryLevel) {
    for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
        for (const pkin_i_tail_cost &cost :
             {pkin_i_tail_costs(static_cast<pkin_i_isa>(isa)), pkin_i_index_costs(static_cast<pkin_i_isa>(isa))}) {
            EXPECT_GT(cost.ns_per_posting, 0);
            EXPECT_GT(cost.ns_per_pair, 0);
            EXPECT_GT(cost.ns_per_entry, 0);
        }
    }
}

} // namespace
