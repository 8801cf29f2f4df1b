/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <set>

#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/neighbor_heaps.h"
}
#include "similarity/cpu_seeds.h"

namespace {

/* Heaps and a seeder over two sets, or one (b NULL). */
struct Seeding {
    const pkin_vectors *a, *b;
    uint32_t k;
    std::vector<pkin_neighbor> neighbors;
    std::vector<uint32_t> counts;
    pkin_i_neighbor_heaps heaps = {};
    pkin_i_postings postings = {};
    pkin_i_seeder seeder = {};

    Seeding(const pkin_vectors *rows, const pkin_vectors *others, uint32_t wanted, pkin_i_seed_effort effort, int isa)
        : a(rows), b(others), k(wanted), neighbors(rows->n_rows * wanted), counts(rows->n_rows) {
        const pkin_vectors *of = b ? b : a;
        EXPECT_EQ(pkin_i_neighbor_heaps_open(a->n_rows, k, 1, neighbors.data(), counts.data(), &heaps), PKIN_OK);
        EXPECT_EQ(pkin_i_postings_build(of, 3, &postings), PKIN_OK);
        EXPECT_EQ(pkin_i_seeder_init(a, of, b == nullptr, &postings, pkin_i_isa(isa), &heaps, effort, &seeder),
                  PKIN_OK);
    }
    ~Seeding() {
        pkin_i_seeder_free(&seeder);
        pkin_i_postings_free(&postings);
        pkin_i_neighbor_heaps_close(&heaps);
    }
    Seeding(const Seeding &) = delete;
    Seeding &operator=(const Seeding &) = delete;

    std::vector<Scored> found() {
        pkin_i_neighbor_heaps_sort(&heaps, 1);
        std::vector<Scored> all;
        for (uint32_t r = 0; r < a->n_rows; r++) {
            for (uint32_t n = 0; n < counts[r]; n++) {
                all.push_back({neighbors[uint64_t(r) * k + n].score, r, neighbors[uint64_t(r) * k + n].row});
            }
        }
        return all;
    }

    /* What a seeder promises to leave behind for the next row. */
    void expect_clean() const {
        const uint64_t n = (b ? b : a)->n_rows;
        for (uint64_t r = 0; r < n; r++) ASSERT_TRUE(seeder.sums[r] == 0 && seeder.parts[r] == 0) << "partner " << r;
        for (uint64_t c = 0; c < a->n_columns; c++) ASSERT_EQ(seeder.dense[c], 0u) << "column " << c;
    }
};

const TestShape SHAPES[] = {{1, 1, 1}, {2, 3, 2}, {40, 1, 1}, {90, 40, 6}, {120, 2000, 30}, {60, 30, 30}};

TEST(Seeds, AreExactAndEachOnce) {
    for (const TestShape &shape : SHAPES) {
        TestVectors v(random_matrix(shape, 21)), w(random_matrix(shape, 22));
        for (const pkin_vectors *others :
             {static_cast<const pkin_vectors *>(nullptr), (const pkin_vectors *)w.vectors}) {
            for (pkin_i_seed_effort effort : {pkin_i_seed_effort{1, 1}, pkin_i_seed_effort{3, 7}, {16, 100}}) {
                for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
                    if (!pkin_i_isa_is_available(pkin_i_isa(isa))) continue;
                    Seeding seeding(v.vectors, others, 5, effort, isa);
                    for (uint64_t r = 0; r < v.vectors->n_rows; r++) {
                        pkin_i_seed_some(&seeding.seeder, r);
                        seeding.expect_clean();
                    }
                    std::set<std::pair<uint32_t, uint32_t>> met;
                    for (const Scored &seed : seeding.found()) {
                        const std::vector<uint64_t> scores = oracle_row(v.vectors, seed.i, others ? others : v.vectors);
                        ASSERT_EQ(seed.score, scores[seed.j]) << seed;
                        ASSERT_TRUE(others || seed.i != seed.j) << seed;
                        ASSERT_TRUE(met.insert({seed.i, seed.j}).second) << seed << " twice";
                    }
                }
            }
        }
    }
}

/* Where the effort is enough for every posting and every partner, seeds are the result. */
TEST(Seeds, WithEnoughEffortAreAllThereIs) {
    for (const TestShape &shape : SHAPES) {
        TestVectors v(random_matrix(shape, 31)), w(random_matrix(shape, 32));
        for (const pkin_vectors *others :
             {static_cast<const pkin_vectors *>(nullptr), (const pkin_vectors *)w.vectors}) {
            const std::vector<Scored> expected = oracle_top_k(v.vectors, others, 4, 1);
            Seeding some(v.vectors, others, 4, {1000, 1000}, PKIN_I_ISA_PORTABLE);
            Seeding all(v.vectors, others, 4, {1, 1}, PKIN_I_ISA_PORTABLE);
            for (uint64_t r = 0; r < v.vectors->n_rows; r++) {
                pkin_i_seed_some(&some.seeder, r);
                pkin_i_seed_all(&all.seeder, r);
                all.expect_clean();
            }
            ASSERT_EQ(some.found(), expected);
            ASSERT_EQ(all.found(), expected);
        }
    }
}

/* Twins that share a column of their own among many that all rows have: the rare column leads to them. */
TEST(Seeds, FollowRareColumns) {
    TestMatrix matrix{1 + 50, {}};
    for (uint32_t r = 0; r < 100; r++) matrix.rows.push_back({{0, 1.0}, {1 + r / 2, 1.0}});
    TestVectors v(matrix);
    Seeding seeding(v.vectors, nullptr, 1, {1, 4}, PKIN_I_ISA_PORTABLE);
    for (uint64_t r = 0; r < 100; r++) pkin_i_seed_some(&seeding.seeder, r);
    for (const Scored &seed : seeding.found()) EXPECT_EQ(seed.i / 2, seed.j / 2) << seed;
    EXPECT_LE(seeding.seeder.n_scored, 100u * seeding.seeder.n_best);
    EXPECT_EQ(seeding.found().size(), 100u);
}

TEST(NeighborHeaps, SayWhomTheyHold) {
    std::vector<pkin_neighbor> neighbors(2 * 3);
    std::vector<uint32_t> counts(2), rows(3);
    pkin_i_neighbor_heaps heaps = {};
    ASSERT_EQ(pkin_i_neighbor_heaps_open(2, 3, 1, neighbors.data(), counts.data(), &heaps), PKIN_OK);
    EXPECT_EQ(pkin_i_neighbor_rows(&heaps, 1, rows.data(), 3), 0u);
    for (uint32_t n = 0; n < 5; n++) pkin_i_neighbor_offer_again(&heaps, 1, n, 10 + n);
    ASSERT_EQ(pkin_i_neighbor_rows(&heaps, 1, rows.data(), 3), 3u);
    EXPECT_EQ(std::set<uint32_t>(rows.begin(), rows.end()), (std::set<uint32_t>{2, 3, 4}));
    EXPECT_EQ(pkin_i_neighbor_rows(&heaps, 1, rows.data(), 2), 2u);
    EXPECT_EQ(pkin_i_neighbor_rows(&heaps, 0, rows.data(), 3), 0u);
    pkin_i_neighbor_heaps_close(&heaps);
}

} // namespace
