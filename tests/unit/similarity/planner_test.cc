/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the planner foretells against what the engines then do. Estimates of a join depend on the rows, the threshold
 * and the size of the sample alone, never on how busy the machine is; where plans are compared, it is in units of
 * assumed costs, not in seconds.
 */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "plan_support.h"
#include "support/allocation_failures.h"
#include "support/shared_dir.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "paperkin/corpus.h"
#include "paperkin/features.h"
#include "paperkin/generate.h"
#include "similarity/cpu_tail_cost.h"
#include "similarity/neighbor_heaps.h"
#include "similarity/plan_cost.h"
#include "similarity/plan_probe.h"
#include "similarity/policy.h"
}

namespace {

struct Plans : WeighedPlans {
    const pkin_i_plan *best_of(pkin_i_method method) const {
        for (const pkin_i_plan &plan : *this) {
            if (plan.method == method) return &plan;
        }
        return nullptr;
    }
};

pkin_i_wishes any_wish() {
    return {1, PKIN_I_METHOD_SKETCH, pkin_i_isa_best(), 0, 0, 0, 0, nullptr};
}

struct Job {
    const pkin_vectors *a, *b;
    pkin_i_target target;
    pkin_i_wishes wishes = any_wish();
    int n_threads = 2;
    pkin_i_outcome outcome = {};

    Job(const pkin_vectors *a_, const pkin_vectors *b_, double threshold, uint32_t k = 0) : a(a_), b(b_) {
        target.min_score = std::max<uint64_t>(1, pkin_score_from_threshold(threshold));
        target.k = k;
    }
    const pkin_i_backend *backend() const {
        const pkin_i_backend *found = nullptr;
        EXPECT_EQ(pkin_i_backend_find("cpu", &found), PKIN_OK);
        return found;
    }
    pkin_i_task task() {
        pkin_i_task out = {};
        out.a = a;
        out.b = b;
        out.n_threads = n_threads;
        out.outcome = &outcome;
        out.n_pairs_total = pkin_i_task_pairs(&out, 0, n_b());
        return out;
    }
    uint64_t n_b() const {
        return (b ? b : a)->n_rows;
    }
    pkin_status plan(int explain, Plans *out) {
        pkin_i_task asked = task();
        out->status = pkin_i_plan_explain(&asked, backend(), &target, &wishes, explain, &out->list);
        return out->status;
    }
    /* Does what the plan says, strip by strip; returns how many pairs a join found. */
    uint64_t run(const pkin_i_plan &plan) {
        const pkin_i_engine *engine = backend()->engine(plan.method);
        pkin_i_task asked = task();
        void *session = nullptr;
        uint64_t n_pairs = 0;
        outcome = {};
        EXPECT_EQ(engine->open(&asked, &plan, &session), PKIN_OK);
        if (target.k) {
            std::vector<pkin_neighbor> neighbors(a->n_rows * target.k);
            std::vector<uint32_t> counts(a->n_rows);
            pkin_i_neighbor_heaps heaps;
            EXPECT_EQ(pkin_i_neighbor_heaps_open(a->n_rows, target.k, target.min_score, neighbors.data(), counts.data(),
                                                 &heaps),
                      PKIN_OK);
            EXPECT_EQ(engine->top_k(session, &heaps), PKIN_OK);
            pkin_i_neighbor_heaps_close(&heaps);
        } else {
            pkin_i_pair_sink *sink = nullptr;
            pkin_pair_list pairs;
            EXPECT_EQ(pkin_i_pair_sink_open(&sink), PKIN_OK);
            for (uint64_t first = 0; first < n_b(); first += plan.strip_rows) {
                uint64_t last = std::min(n_b(), first + plan.strip_rows);
                EXPECT_EQ(engine->join(session, first, last, target.min_score, sink), PKIN_OK);
            }
            pkin_i_pair_sink_take(sink, &pairs);
            n_pairs = pairs.n_pairs;
            pkin_pair_list_free(&pairs);
            pkin_i_pair_sink_close(sink);
        }
        engine->close(session);
        return n_pairs;
    }
};

bool holds(const pkin_estimate &band, double value) {
    return band.low <= value && value <= band.high;
}

struct Generated {
    pkin_vectors *vectors = nullptr;
    explicit Generated(uint64_t n_rows, uint64_t seed = 1, uint32_t n_topics = 0) {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_topics = n_topics;
        options.n_rows = n_rows;
        options.seed = seed;
        options.copy_share = 0;
        options.n_columns = 20000; /* the same for all, so that they can be compared */
        EXPECT_EQ(pkin_vectors_generate(&options, &vectors), PKIN_OK);
    }
    ~Generated() {
        pkin_vectors_free(vectors);
    }
    Generated(const Generated &) = delete;
    Generated &operator=(const Generated &) = delete;
};

/* Every n-th row of a real corpus. */
pkin_vectors *real_rows(uint64_t every) {
    const std::string path = pkin_test_shared_dir() + "/corpus/venues-20k.jsonl.zst";
    pkin_read_options read_options = pkin_read_options_default();
    pkin_features_options features = pkin_features_options_plain();
    pkin_corpus *corpus = nullptr;
    pkin_matrix *matrix = nullptr;
    pkin_vectors *vectors = nullptr, *some = nullptr;
    EXPECT_EQ(pkin_corpus_read_file(path.c_str(), &read_options, &corpus), PKIN_OK);
    EXPECT_EQ(pkin_matrix_vectorize(corpus, &features, &matrix), PKIN_OK);
    EXPECT_EQ(pkin_vectors_from_matrix(matrix, 1, &vectors), PKIN_OK);
    std::vector<uint32_t> rows;
    for (uint64_t r = 0; r < vectors->n_rows; r += every) {
        if (vectors->row_offsets[r] < vectors->row_offsets[r + 1]) rows.push_back(static_cast<uint32_t>(r));
    }
    EXPECT_EQ(pkin_vectors_select(vectors, rows.data(), rows.size(), &some), PKIN_OK);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    pkin_corpus_free(corpus);
    return some;
}

/* Plans a job and does what each plan says, as far as it is not too much; returns how many bands did not hold. */
struct Verdict {
    int n_bands = 0, n_misses = 0;
    std::string misses;

    void check(const pkin_estimate &band, double value, const std::string &what) {
        n_bands++;
        EXPECT_LE(band.low, band.middle);
        EXPECT_LE(band.middle, band.high);
        if (holds(band, value)) return;
        n_misses++;
        misses += what + ": " + std::to_string(value) + " not in " + std::to_string(band.low) + " to " +
                  std::to_string(band.high) + "\n";
    }
    void run(Job job, double most_candidates) {
        Plans plans;
        ASSERT_EQ(job.plan(1, &plans), PKIN_OK) << pkin_last_error();
        bool is_counted = false;
        for (const pkin_i_plan &plan : plans) {
            if (plan.candidates.middle > most_candidates) continue;
            if (plan.method == PKIN_I_METHOD_INDEX && job.target.k) continue;
            const uint64_t n_pairs = job.run(plan);
            const std::string name = std::string(pkin_i_method_name(plan.method)) + " " +
                                     std::to_string(plan.dimension) + " " + std::to_string(plan.head_share) + " at " +
                                     std::to_string(pkin_score_to_cosine(job.target.min_score)) + " k " +
                                     std::to_string(job.target.k);
            check(plan.candidates, static_cast<double>(job.outcome.n_candidates), name);
            if (!is_counted && job.target.k == 0)
                check(plans.list.pairs, static_cast<double>(n_pairs), name + " pairs");
            is_counted = true;
        }
    }
};

TEST(Estimates, HoldWhatJoinsDo) {
    Generated one(4000), other(2500, 2);
    Verdict verdict;
    for (double threshold : {0.15, 0.25, 0.35, 0.5, 0.7}) verdict.run({one.vectors, nullptr, threshold}, 3e5);
    for (double threshold : {0.3, 0.6}) verdict.run({other.vectors, one.vectors, threshold}, 3e5);
    EXPECT_GT(verdict.n_bands, 20);
    /* Bands of 99%. */
    EXPECT_LE(verdict.n_misses, verdict.n_bands / 20) << verdict.misses;
}

TEST(Estimates, HoldWhatTopKDoes) {
    Generated one(3000), other(1500, 2);
    Verdict verdict;
    verdict.run({one.vectors, nullptr, 0, 10}, 2e6);
    verdict.run({other.vectors, one.vectors, 0.1, 3}, 2e6);
    EXPECT_GT(verdict.n_bands, 4);
    EXPECT_LE(verdict.n_misses, verdict.n_bands / 20) << verdict.misses;
}

TEST(Estimates, HoldOnRealPapers) {
    PKIN_SKIP_WITHOUT_SHARED();
    pkin_vectors *rows = real_rows(5);
    Verdict verdict;
    for (double threshold : {0.2, 0.3, 0.4, 0.5, 0.6}) verdict.run({rows, nullptr, threshold}, 4e5);
    verdict.run({rows, nullptr, 0, 10}, 2e6);
    EXPECT_GT(verdict.n_bands, 20);
    EXPECT_LE(verdict.n_misses, verdict.n_bands / 20) << verdict.misses;
    pkin_vectors_free(rows);
}

TEST(Estimates, AreExactWhereTheSampleIsAll) {
    Generated rows(300);
    Job job(rows.vectors, nullptr, 0.2);
    Plans plans;
    ASSERT_EQ(job.plan(1, &plans), PKIN_OK);
    const uint64_t n_pairs = oracle_join(rows.vectors, nullptr, job.target.min_score).size();
    EXPECT_EQ(plans.list.pairs.low, static_cast<double>(n_pairs));
    EXPECT_EQ(plans.list.pairs.high, static_cast<double>(n_pairs));
    const pkin_i_plan *sketch = plans.best_of(PKIN_I_METHOD_SKETCH);
    ASSERT_NE(sketch, nullptr);
    job.run(*sketch);
    /* The sample's columns are those of all rows: only sums of weights that are nearly equal may change places. */
    EXPECT_NEAR(sketch->candidates.middle, static_cast<double>(job.outcome.n_candidates),
                0.05 * static_cast<double>(job.outcome.n_candidates) + 5);
}

/* What the tail method did, or is foretold to do, in the planner's own units, whatever the clock says. */
double tail_units(pkin_i_isa isa, double postings, double visits, double refined, double candidates) {
    const pkin_i_tail_cost cost = pkin_i_tail_costs(isa);
    return cost.ns_per_posting * postings + cost.ns_per_visit * visits + cost.ns_per_refined * refined +
           cost.ns_per_candidate * candidates;
}

double units_done(pkin_i_isa isa, const pkin_i_outcome &done) {
    return tail_units(isa, static_cast<double>(done.n_postings), static_cast<double>(done.n_visits),
                      static_cast<double>(done.n_refined), static_cast<double>(done.n_candidates));
}

/* Corpora of other seeds and other numbers of topics than any that a constant was chosen by. */
struct HeldOut {
    uint64_t n_rows, seed;
    uint32_t n_topics;
};
const HeldOut held_out[] = {{2500, 71, 12}, {2000, 72, 90}, {4600, 73, 600}};

TEST(HeldOut, BandsOfEveryMethodHold) {
    Verdict verdict;
    for (const HeldOut &of : held_out) {
        Generated rows(of.n_rows, of.seed, of.n_topics);
        for (double threshold : {0.25, 0.5}) verdict.run({rows.vectors, nullptr, threshold}, 1e5);
    }
    EXPECT_GT(verdict.n_bands, 24);
    EXPECT_LE(verdict.n_misses, verdict.n_bands / 20) << verdict.misses;
}

/* Every head, good or bad: postings and visits nearly, refined pairs and candidates within their bands, and what it all
   amounts to within a half. */
TEST(HeldOut, TheTailsWorkIsForetold) {
    Verdict verdict;
    for (const HeldOut &of : held_out) {
        Generated rows(of.n_rows, of.seed, of.n_topics);
        for (double threshold : {0.25, 0.5}) {
            for (double share : {0.01, 0.05}) {
                Job job(rows.vectors, nullptr, threshold);
                Plans plans;
                job.wishes.any_method = 0;
                job.wishes.method = PKIN_I_METHOD_TAIL;
                job.wishes.head_share = share;
                ASSERT_EQ(job.plan(1, &plans), PKIN_OK);
                ASSERT_EQ(plans.list.n_plans, 1u);
                const pkin_i_plan plan = *plans.begin();
                ASSERT_EQ(plan.head_share, share);
                job.run(plan);
                const pkin_i_outcome &done = job.outcome;
                const std::string name = std::to_string(of.n_rows) + " rows at " + std::to_string(threshold) +
                                         ", head " + std::to_string(share);
                EXPECT_NEAR(plan.postings / static_cast<double>(done.n_postings), 1, 0.15) << name;
                EXPECT_NEAR(plan.visits / static_cast<double>(done.n_visits), 1, 0.1) << name;
                verdict.check(plan.refined, static_cast<double>(done.n_refined), name + " refined");
                verdict.check(plan.candidates, static_cast<double>(done.n_candidates), name + " candidates");
                const double foretold =
                    tail_units(plan.isa, plan.postings, plan.visits, plan.refined.middle, plan.candidates.middle);
                EXPECT_NEAR(foretold / units_done(plan.isa, done), 1, 0.5) << name;
                EXPECT_LE(done.bytes, plan.bytes) << name;
                EXPECT_LE(plan.bytes, 2 * done.bytes) << name;
            }
        }
    }
    EXPECT_LE(verdict.n_misses, 1 + verdict.n_bands / 20) << verdict.misses;
}

/* The head that is chosen costs little more than the best of all. */
TEST(HeldOut, TheHeadIsNearTheBest) {
    for (const HeldOut &of : held_out) {
        Generated rows(of.n_rows, of.seed, of.n_topics);
        for (double threshold : {0.25, 0.5}) {
            Job job(rows.vectors, nullptr, threshold);
            Plans plans;
            job.wishes.any_method = 0;
            job.wishes.method = PKIN_I_METHOD_TAIL;
            ASSERT_EQ(job.plan(1, &plans), PKIN_OK);
            const pkin_i_plan chosen = *plans.begin();
            job.run(chosen);
            const double done = units_done(chosen.isa, job.outcome);
            double best = done;
            for (double share : {0.01, 0.02, 0.04, 0.1}) {
                pkin_i_plan plan = chosen;
                plan.head_share = share;
                job.run(plan);
                best = std::min(best, units_done(plan.isa, job.outcome));
            }
            EXPECT_LE(done, 1.4 * best) << of.n_rows << " rows at " << threshold << ": " << chosen.head_share;
        }
    }
}

/* The dimension that is chosen costs at most twice what the best one would, in assumed unit costs. */
TEST(Choice, IsNearTheBest) {
    Generated rows(5000);
    for (double threshold : {0.2, 0.35, 0.6}) {
        Job job(rows.vectors, nullptr, threshold);
        Plans plans;
        job.wishes.any_method = 0;
        ASSERT_EQ(job.plan(1, &plans), PKIN_OK);
        auto cost = [&](const pkin_i_plan &plan) {
            job.run(plan);
            const pkin_i_rates rates = pkin_i_rates_assumed(plan.isa, plan.dimension);
            return static_cast<double>(job.outcome.filter_operations) / (2.0 * plan.dimension) * rates.pair +
                   static_cast<double>(job.outcome.n_candidates) * rates.score;
        };
        double chosen = cost(*plans.begin()), best = chosen;
        for (uint32_t dimension : {128u, 256u, 512u, 1024u}) {
            pkin_i_plan plan = *plans.begin();
            plan.dimension = dimension;
            best = std::min(best, cost(plan));
        }
        EXPECT_LE(chosen, 2 * best) << threshold << ": " << plans.begin()->dimension;
    }
}

TEST(Choice, FollowsWishes) {
    Generated rows(6000);
    for (int explain : {0, 1}) {
        for (int method = 0; method < PKIN_I_N_METHODS; method++) {
            Job job(rows.vectors, nullptr, 0.4);
            Plans plans;
            job.wishes.any_method = 0;
            job.wishes.method = static_cast<pkin_i_method>(method);
            job.wishes.isa = PKIN_I_ISA_PORTABLE;
            ASSERT_EQ(job.plan(explain, &plans), PKIN_OK);
            for (const pkin_i_plan &plan : plans) {
                EXPECT_EQ(plan.method, job.wishes.method);
                EXPECT_EQ(plan.isa, PKIN_I_ISA_PORTABLE);
                EXPECT_EQ(plan.dimension > 0, plan.method == PKIN_I_METHOD_SKETCH);
                EXPECT_EQ(plan.head_share > 0, plan.method == PKIN_I_METHOD_TAIL);
            }
        }
        for (uint32_t dimension : {64u, 448u, 4096u}) {
            for (uint32_t k : {0u, 3u}) {
                Job job(rows.vectors, nullptr, 0.4, k);
                Plans plans;
                job.wishes.dimension = dimension; /* and no method: a dimension is a sketch's */
                ASSERT_EQ(job.plan(explain, &plans), PKIN_OK);
                ASSERT_EQ(plans.list.n_plans, 1u);
                EXPECT_EQ(plans.begin()->method, PKIN_I_METHOD_SKETCH);
                EXPECT_EQ(plans.begin()->dimension, dimension);
            }
        }
    }
}

/* Sums of a few hundred million products take milliseconds: a rule is good enough, and asks for next to no memory. */
TEST(Choice, OfSmallWorkIsByRule) {
    Generated rows(1500);
    for (uint32_t k : {0u, 10u}) {
        Job job(rows.vectors, nullptr, 0.3, k);
        Plans plans;
        ASSERT_EQ(job.plan(0, &plans), PKIN_OK);
        ASSERT_EQ(plans.list.n_plans, 1u);
        job.run(*plans.begin());
        EXPECT_TRUE(holds(plans.begin()->candidates, static_cast<double>(job.outcome.n_candidates)));
    }
}

TEST(Choice, OfNothingIsSomething) {
    TestVectors none({5, {}}), one({5, {{{1, 1.0}}}});
    for (const pkin_vectors *a : {none.vectors, one.vectors}) {
        for (int explain : {0, 1}) {
            Job within(a, nullptr, 0.5), against(a, one.vectors, 0.5), nearest(one.vectors, a, 0, 2);
            for (Job *job : {&within, &against, &nearest}) {
                Plans plans;
                ASSERT_EQ(job->plan(explain, &plans), PKIN_OK);
                ASSERT_GE(plans.list.n_plans, 1u);
                EXPECT_GE(plans.begin()->strip_rows, 1u);
                job->run(*plans.begin());
            }
        }
    }
}

/* Rows of one column each: their sketches collide as often as there are buckets, whatever the threshold. */
TEST(Pathological, RowsOfOneColumn) {
    TestMatrix matrix;
    matrix.n_columns = 3000;
    for (uint32_t r = 0; r < 40000; r++) matrix.rows.push_back({{r * 7 % 3000, 0.5 + r * 1e-6}});
    TestVectors rows(matrix, 0);
    Job job(rows.vectors, nullptr, 0.9);
    Plans plans;
    ASSERT_EQ(job.plan(1, &plans), PKIN_OK);
    const pkin_i_plan *sketch = plans.best_of(PKIN_I_METHOD_SKETCH);
    ASSERT_NE(sketch, nullptr);
    job.run(*sketch);
    EXPECT_TRUE(holds(sketch->candidates, static_cast<double>(job.outcome.n_candidates)))
        << job.outcome.n_candidates << " " << sketch->candidates.low << " " << sketch->candidates.high;
}

/* At a threshold near 0 all pairs are candidates of every bound: none is better than no bound. */
TEST(Pathological, ThresholdNearZero) {
    Generated rows(8000);
    Job job(rows.vectors, nullptr, 1e-9);
    for (int explain : {0, 1}) {
        Plans plans;
        ASSERT_EQ(job.plan(explain, &plans), PKIN_OK);
        EXPECT_EQ(plans.begin()->method, PKIN_I_METHOD_INDEX) << explain;
    }
}

TEST(Pathological, StrangeShapes) {
    Generated many(9000);
    TestVectors dense(random_matrix({600, 12, 40, 0, 0}, 3)), wide(random_matrix({900, 4000000, 60, 0, 0}, 4));
    TestMatrix long_rows;
    long_rows.n_columns = 20000;
    for (uint32_t r = 0; r < 60; r++) {
        TestRow row;
        for (uint32_t c = r % 7; c < 20000; c += 7) row.push_back({c, 1.0 + (c + r) % 5});
        long_rows.rows.push_back(row);
    }
    TestVectors heavy(long_rows);
    std::vector<uint32_t> first = {17};
    pkin_vectors *single = nullptr;
    ASSERT_EQ(pkin_vectors_select(many.vectors, first.data(), 1, &single), PKIN_OK);
    for (uint32_t k : {0u, 5u}) {
        for (double threshold : {0.05, 0.5}) {
            for (Job job : {Job(single, many.vectors, threshold, k), Job(many.vectors, single, threshold, k),
                            Job(dense.vectors, nullptr, threshold, k), Job(heavy.vectors, nullptr, threshold, k),
                            Job(wide.vectors, nullptr, threshold, k)}) {
                Plans plans;
                ASSERT_EQ(job.plan(1, &plans), PKIN_OK) << pkin_last_error();
                EXPECT_LE(plans.list.n_plans, 10u);
                job.run(*plans.begin());
                EXPECT_TRUE(holds(plans.begin()->candidates, static_cast<double>(job.outcome.n_candidates)) ||
                            job.target.k)
                    << pkin_i_method_name(plans.begin()->method) << " " << plans.begin()->dimension << " "
                    << job.outcome.n_candidates << " " << plans.begin()->candidates.low << " "
                    << plans.begin()->candidates.high;
            }
        }
    }
    pkin_vectors_free(single);
}

/* Strips follow the bound, and what engines take stays below what was foretold. */
TEST(MemoryBound, IsKept) {
    Generated rows(6000);
    for (uint32_t k : {0u, 5u}) {
        for (int explain : {0, 1}) {
            Job job(rows.vectors, nullptr, 0.45, k);
            Plans free_plans;
            job.wishes.any_method = 0;
            job.wishes.dimension = 256;
            ASSERT_EQ(job.plan(explain, &free_plans), PKIN_OK);
            const pkin_i_plan unbounded = *free_plans.begin();
            EXPECT_EQ(unbounded.strip_rows, 6000u);
            const uint64_t n_found = job.run(unbounded);
            EXPECT_LE(job.outcome.bytes, unbounded.bytes);
            if (k) continue; /* seeds take more than panels */
            Plans plans;
            job.wishes.memory_bytes = unbounded.bytes - (1 << 19);
            ASSERT_EQ(job.plan(explain, &plans), PKIN_OK);
            EXPECT_LT(plans.begin()->strip_rows, 6000u);
            EXPECT_LE(plans.begin()->bytes, job.wishes.memory_bytes);
            EXPECT_GE(plans.begin()->candidates.high, plans.begin()->candidates.low);
            EXPECT_EQ(job.run(*plans.begin()), n_found);
            EXPECT_LE(job.outcome.bytes, plans.begin()->bytes);
        }
    }
}

TEST(MemoryBound, TooLittleIsRefusedWithWhatWouldDo) {
    Generated rows(5000);
    for (int explain : {0, 1}) {
        Job job(rows.vectors, nullptr, 0.45);
        Plans refused, accepted;
        job.wishes.memory_bytes = 1000;
        ASSERT_EQ(job.plan(explain, &refused), PKIN_ERROR_OUT_OF_MEMORY);
        EXPECT_EQ(refused.list.plans, nullptr);
        const std::string message = pkin_last_error();
        const size_t at = message.find("allow ");
        ASSERT_NE(at, std::string::npos) << message;
        job.wishes.memory_bytes = 1000000 * std::strtoull(message.c_str() + at + strlen("allow "), nullptr, 10);
        ASSERT_EQ(job.plan(explain, &accepted), PKIN_OK) << message << "; then " << pkin_last_error();
        EXPECT_LE(accepted.begin()->bytes, job.wishes.memory_bytes);
    }
}

/* ---- The sample itself ---- */

TEST(Sample, IsEvenAndRepeatable) {
    Generated rows(5000);
    Job job(rows.vectors, nullptr, 0.5);
    pkin_i_task task = job.task();
    pkin_i_sample one, two;
    ASSERT_EQ(pkin_i_sample_open(&task, &one), PKIN_OK);
    ASSERT_EQ(pkin_i_sample_open(&task, &two), PKIN_OK);
    ASSERT_EQ(pkin_i_sample_take(&one, 100, 250), PKIN_OK);
    ASSERT_EQ(pkin_i_sample_take(&two, 7, 7), PKIN_OK);
    ASSERT_EQ(pkin_i_sample_take(&two, 100, 250), PKIN_OK);
    uint64_t n_self = 0;
    for (uint64_t r = 0; r < 100; r++) {
        EXPECT_EQ(one.row_ids[r], two.row_ids[r]);
        EXPECT_EQ(one.row_ids[r] / 50, r);
        for (uint64_t c = 0; c < 250; c++) n_self += pkin_i_sample_is_self(&one, r, c);
    }
    for (uint64_t c = 0; c < 250; c++) EXPECT_EQ(one.column_ids[c] / 20, c);
    EXPECT_EQ(one.n_grid, 100 * 250 - n_self);
    for (uint64_t c = 1; c < one.rows.n_columns; c++) {
        /* Descending but for what is nearly equal. */
        EXPECT_LE(one.column_weights[c], one.column_weights[c - 1] + (1 << 18));
    }
    pkin_i_sample_close(&one);
    pkin_i_sample_close(&two);
}

/* Bands by the formula: never narrower than independent hits, wider where a few rows have them all. */
TEST(Sample, BandsFollowTheSpread) {
    Generated rows(5000);
    Job job(rows.vectors, nullptr, 0.5);
    pkin_i_task task = job.task();
    pkin_i_sample sample;
    pkin_i_tally even, clustered;
    ASSERT_EQ(pkin_i_sample_open(&task, &sample), PKIN_OK);
    ASSERT_EQ(pkin_i_sample_take(&sample, 100, 100), PKIN_OK);
    ASSERT_EQ(pkin_i_tally_open(&sample, &even), PKIN_OK);
    ASSERT_EQ(pkin_i_tally_open(&sample, &clustered), PKIN_OK);
    const pkin_estimate none = pkin_i_sample_estimate(&sample, &even, 1);
    const double a_hit = static_cast<double>(sample.n_pairs) / static_cast<double>(sample.n_grid);
    EXPECT_EQ(none.low, 0);
    EXPECT_GE(none.high, 3 * a_hit); /* the rule of three */
    for (uint64_t k = 0; k < 100; k++) {
        even.row_hits[k]++;
        even.column_hits[k]++;
        clustered.row_hits[k % 5]++;
        clustered.column_hits[k % 5]++;
    }
    even.n_hits = clustered.n_hits = 100;
    const pkin_estimate narrow = pkin_i_sample_estimate(&sample, &even, 1);
    const pkin_estimate broad = pkin_i_sample_estimate(&sample, &clustered, 1);
    EXPECT_DOUBLE_EQ(narrow.middle, 100 * a_hit);
    EXPECT_LE(narrow.low, 80 * a_hit);
    EXPECT_GE(narrow.high, 120 * a_hit);
    EXPECT_LT(broad.low, narrow.low);
    EXPECT_GT(broad.high, narrow.high);
    pkin_i_tally_close(&even);
    pkin_i_tally_close(&clustered);
    pkin_i_sample_close(&sample);
}

/* Thresholds of sampled rows are those of the true neighbours. */
TEST(Sample, TopThresholdsAreExact) {
    Generated rows(700), others(900, 5);
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(others.vectors)}) {
        Job job(rows.vectors, b, 0, 4);
        pkin_i_task task = job.task();
        pkin_i_sample sample;
        ASSERT_EQ(pkin_i_sample_open(&task, &sample), PKIN_OK);
        ASSERT_EQ(pkin_i_sample_take(&sample, 40, 60), PKIN_OK);
        std::vector<uint64_t> found(40);
        ASSERT_EQ(pkin_i_top_trial(&sample, 4, 1, 1, found.data()), PKIN_OK);
        for (uint64_t r = 0; r < 40; r++) {
            std::vector<uint64_t> scores = oracle_row(rows.vectors, sample.row_ids[r], b ? b : rows.vectors);
            if (!b) scores.erase(scores.begin() + sample.row_ids[r]);
            std::sort(scores.rbegin(), scores.rend());
            EXPECT_EQ(found[r], std::max<uint64_t>(scores[3], 1));
        }
        pkin_i_sample_close(&sample);
    }
}

/* ---- The public function ---- */

TEST(PublicPlan, TellsWhatWouldBeDone) {
    TestVectors rows(random_matrix({800, 3000, 40}, 8));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = 2;
    for (uint32_t k : {0u, 4u}) {
        pkin_similarity_plan plan;
        ASSERT_EQ(pkin_similarity_plan_make(rows.vectors, nullptr, k, 0.3, &options, &plan), PKIN_OK)
            << pkin_last_error();
        ASSERT_GE(plan.n_choices, 2u);
        EXPECT_LE(plan.n_choices, 10u);
        EXPECT_EQ(plan.n_rows_a + plan.n_empty + plan.n_copies, 800u);
        EXPECT_GT(plan.n_empty, 0u);
        EXPECT_GT(plan.n_copies, 0u);
        for (size_t c = 0; c < plan.n_choices; c++) {
            const pkin_plan_choice &choice = plan.choices[c];
            EXPECT_TRUE(!std::strcmp(choice.method, "sketch") || !std::strcmp(choice.method, "tail") ||
                        !std::strcmp(choice.method, "index"));
            EXPECT_GE(choice.n_strips, 1u);
            EXPECT_GT(choice.seconds.middle, 0);
            EXPECT_GT(choice.bytes, 0u);
            EXPECT_GE(choice.seconds.middle, plan.choices[c ? c - 1 : 0].seconds.middle);
        }
        EXPECT_EQ(plan.pairs.high > 0, k == 0);
        pkin_similarity_plan_free(&plan);
        EXPECT_EQ(plan.choices, nullptr);
        pkin_similarity_plan_free(&plan);
    }
    pkin_similarity_plan_free(nullptr);
}

TEST(PublicPlan, RefusesWhatJoinsRefuse) {
    TestVectors rows(random_matrix({50, 30, 4}, 8));
    pkin_similarity_plan plan;
    EXPECT_EQ(pkin_similarity_plan_make(nullptr, nullptr, 0, 0.5, nullptr, &plan), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(plan.choices, nullptr);
    EXPECT_EQ(pkin_similarity_plan_make(rows.vectors, nullptr, 0, 0.5, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_similarity_plan_make(rows.vectors, nullptr, 0, 0, nullptr, &plan), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_similarity_plan_make(rows.vectors, nullptr, 2, 0, nullptr, &plan), PKIN_OK);
    pkin_similarity_plan_free(&plan);
    EXPECT_EQ(pkin_similarity_plan_make(rows.vectors, nullptr, 0, 1.5, nullptr, &plan), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(PublicPlan, EveryAllocationMayFail) {
    TestVectors rows(random_matrix({60, 40, 8}, 4)), others(random_matrix({30, 40, 8}, 5));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = 2;
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(others.vectors)}) {
        for (uint32_t k : {0u, 3u}) {
            for (long fail_at = 0;; fail_at++) {
                FailingMemory memory;
                memory.fail_at = fail_at;
                pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release,
                                        &memory};
                pkin_similarity_plan plan;
                pkin_set_allocator(&hooks);
                const pkin_status status = pkin_similarity_plan_make(rows.vectors, b, k, 0.3, &options, &plan);
                if (status == PKIN_OK) pkin_similarity_plan_free(&plan);
                pkin_set_allocator(nullptr);
                ASSERT_EQ(memory.n_held, 0) << "request " << fail_at;
                if (status == PKIN_OK) break;
                ASSERT_EQ(status, PKIN_ERROR_OUT_OF_MEMORY);
                ASSERT_NE(std::string(pkin_last_error()), "");
                ASSERT_EQ(plan.choices, nullptr);
                ASSERT_LT(fail_at, 5000);
            }
        }
    }
}

} // namespace
