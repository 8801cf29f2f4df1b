/* SPDX-License-Identifier: Apache-2.0 */
/* Spherical k-means against the same steps taken plainly, one row and one centre at a time. */
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

extern "C" {
#include "groups/kmeans.h"
#include "groups/kmeans_assign.h"
#include "groups/kmeans_centers.h"
#include "groups/kmeans_seeds.h"
}
#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

namespace {

const uint32_t NONE = PKIN_NO_CLUSTER;

/* Rows of topics with words of their own and words for all; every 17th row is empty, every 11th equals an earlier one.
 */
TestMatrix topics(uint32_t seed, uint32_t n_rows, uint32_t n_topics) {
    std::mt19937 random(seed);
    TestMatrix made;
    made.n_columns = 10 * n_topics + 40;
    for (uint32_t r = 0; r < n_rows; r++) {
        std::map<uint32_t, double> row;
        const uint32_t topic = random() % n_topics;
        for (int t = 0; t < 8 && r % 17 != 16; t++) {
            const uint32_t column = t < 5 ? 10 * topic + random() % 10 : 10 * n_topics + random() % 40;
            row[column] = 0.1 + (random() % 1000) / 1000.0;
        }
        if (r % 11 == 10) {
            made.rows.push_back(made.rows[r / 2]);
        } else {
            made.rows.emplace_back(row.begin(), row.end());
        }
    }
    return made;
}

struct Partition : pkin_partition {
    pkin_status status;
    Partition(const TestVectors &rows, const pkin_kmeans_options &options) : pkin_partition{} {
        status = pkin_kmeans(rows.vectors, &options, this);
        EXPECT_EQ(status, PKIN_OK) << pkin_last_error();
    }
    Partition(const TestVectors &rows, const std::vector<uint32_t> &first, const pkin_kmeans_options &options)
        : pkin_partition{} {
        status = pkin_i_kmeans_from_rows(rows.vectors, first.data(), (uint32_t)first.size(), &options, this);
        EXPECT_EQ(status, PKIN_OK) << pkin_last_error();
    }
    ~Partition() {
        pkin_partition_free(this);
    }
    Partition(const Partition &) = delete;
    Partition &operator=(const Partition &) = delete;
    std::vector<uint32_t> labels() const {
        return std::vector<uint32_t>(clusters, clusters + n_nodes);
    }
};

pkin_kmeans_options with(uint32_t n_clusters, uint64_t seed = 1) {
    pkin_kmeans_options options = pkin_kmeans_options_default();
    options.n_clusters = n_clusters;
    options.seed = seed;
    return options;
}

/* Clusters numbered by size, then by least row, as partitions are. */
std::vector<uint32_t> renumbered(const std::vector<uint32_t> &labels) {
    std::map<uint32_t, std::pair<long, size_t>> clusters; /* by label: minus its size, its least row */
    for (size_t r = labels.size(); r-- > 0;) {
        if (labels[r] == NONE) continue;
        clusters[labels[r]].first--;
        clusters[labels[r]].second = r;
    }
    std::map<std::pair<long, size_t>, uint32_t> order;
    for (const auto &cluster : clusters) order[cluster.second] = 0;
    uint32_t next = 0;
    for (auto &cluster : order) cluster.second = next++;
    std::vector<uint32_t> out;
    for (uint32_t label : labels) out.push_back(label == NONE ? NONE : order[clusters[label]]);
    return out;
}

/* The centre of a cluster as a row of doubles that sums to length 1, in fixed point. */
pkin_vectors *plain_centers(const pkin_vectors *rows, const std::vector<uint32_t> &labels, uint32_t k) {
    TestMatrix sums;
    sums.n_columns = rows->n_columns;
    for (uint32_t c = 0; c < k; c++) {
        std::map<uint32_t, double> sum;
        for (uint64_t r = 0; r < rows->n_rows; r++) {
            if (labels[r] != c) continue;
            for (uint64_t at = rows->row_offsets[r]; at < rows->row_offsets[r + 1]; at++) {
                sum[rows->columns[at]] += rows->weights[at];
            }
        }
        sums.rows.emplace_back(sum.begin(), sum.end());
    }
    pkin_matrix *matrix = sums.to_matrix();
    pkin_vectors *centers = nullptr;
    EXPECT_EQ(pkin_vectors_from_matrix(matrix, 1, &centers), PKIN_OK);
    pkin_matrix_free(matrix);
    return centers;
}

double cosine(const pkin_vectors *rows, uint64_t r, uint64_t score) {
    return pkin_score_to_cosine(score) / std::sqrt((double)pkin_vectors_score(rows, r, rows, r) * 0x1p-60);
}

/* The whole algorithm. Returns labels and the mean cosine. */
std::pair<std::vector<uint32_t>, double> plain_kmeans(const pkin_vectors *rows, const std::vector<uint32_t> &first,
                                                      uint32_t n_iterations) {
    std::vector<uint32_t> labels(rows->n_rows, NONE), before;
    const uint32_t k = (uint32_t)first.size();
    double mean = 0;
    for (uint32_t c = 0; c < k; c++) labels[first[c]] = c;
    for (uint32_t i = 0; i < n_iterations && labels != before; i++) {
        pkin_vectors *centers = plain_centers(rows, labels, k);
        std::set<std::pair<double, uint64_t>> far;
        std::vector<int> sizes(k, 0);
        before = labels;
        mean = 0;
        int n_assigned = 0;
        for (uint64_t r = 0; r < rows->n_rows; r++) {
            uint64_t best = 0;
            labels[r] = NONE;
            for (uint32_t c = 0; c < k; c++) {
                const uint64_t score = pkin_vectors_score(rows, r, centers, c);
                if (score > best) {
                    best = score;
                    labels[r] = c;
                }
            }
            if (rows->row_offsets[r] == rows->row_offsets[r + 1]) continue;
            if (cosine(rows, r, best) < 1 - 0x1p-20) far.insert({cosine(rows, r, best), r});
            if (labels[r] == NONE) continue;
            sizes[labels[r]]++;
            n_assigned++;
            mean += cosine(rows, r, best);
        }
        mean /= n_assigned ? n_assigned : 1;
        for (uint32_t c = 0; c < k; c++) {
            for (auto row = far.begin(); row != far.end() && sizes[c] == 0; ++row) {
                uint32_t &label = labels[row->second];
                if (label != NONE && sizes[label] < 2) continue;
                if (label != NONE) sizes[label]--;
                sizes[label = c]++;
            }
        }
        pkin_vectors_free(centers);
    }
    return {renumbered(labels), mean};
}

std::vector<uint32_t> random_rows(const pkin_vectors *rows, uint32_t k, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<uint32_t> chosen;
    while (chosen.size() < k) {
        const uint32_t r = random() % rows->n_rows;
        const bool empty = rows->row_offsets[r] == rows->row_offsets[r + 1];
        if (!empty && std::find(chosen.begin(), chosen.end(), r) == chosen.end()) chosen.push_back(r);
    }
    return chosen;
}

TEST(KMeans, IsWhatThePlainStepsGive) {
    for (uint32_t seed = 0; seed < 12; seed++) {
        TestVectors rows(topics(seed, 150 + 10 * seed, 5 + seed));
        const std::vector<uint32_t> first = random_rows(rows.vectors, 3 + 3 * seed, seed);
        pkin_kmeans_options options = with(1);
        options.n_iterations = 1 + 4 * (seed % 5);
        Partition found(rows, first, options);
        const auto expected = plain_kmeans(rows.vectors, first, options.n_iterations);
        EXPECT_EQ(found.labels(), expected.first) << seed;
        EXPECT_NEAR(found.quality, expected.second, 1e-12);
    }
}

/* With as many clusters as that some go empty. */
TEST(KMeans, EmptyClustersTakeFarRows) {
    int n_emptied = 0;
    for (uint32_t seed = 0; seed < 30; seed++) {
        TestMatrix matrix = topics(seed, 40, 3);
        for (size_t r = 20; r < 40; r++) matrix.rows[r] = matrix.rows[r % 7]; /* many equal rows */
        TestVectors rows(matrix);
        const std::vector<uint32_t> first = random_rows(rows.vectors, 12, seed);
        Partition found(rows, first, with(1));
        const auto expected = plain_kmeans(rows.vectors, first, 50);
        EXPECT_EQ(found.labels(), expected.first) << seed;
        std::set<TestRow> distinct;
        for (uint32_t r : first) distinct.insert(matrix.rows[r]);
        n_emptied += distinct.size() < found.n_clusters;
    }
    EXPECT_GT(n_emptied, 5);
}

/* Two of three centres are equal: nobody is left for the third, and equal rows do not go to and fro. */
TEST(KMeans, EqualRowsEndAtOnce) {
    TestMatrix matrix;
    matrix.n_columns = 4;
    for (int r = 0; r < 12; r++) matrix.rows.push_back({{(uint32_t)r % 2, 1.0}, {2 + (uint32_t)r % 2, 0.5}});
    TestVectors rows(matrix);
    Partition found(rows, std::vector<uint32_t>{0, 2, 1}, with(1));
    EXPECT_EQ(found.n_clusters, 2u);
    EXPECT_NEAR(found.quality, 1, 1e-8);
}

TEST(KMeans, NeverGetsWorse) {
    TestVectors rows(topics(3, 600, 12));
    pkin_kmeans_options options = with(9, 5);
    double last = -1, first = 0;
    for (options.n_iterations = 1; options.n_iterations <= 12; options.n_iterations++) {
        Partition found(rows, options);
        if (options.n_iterations == 1) first = found.quality;
        EXPECT_GE(found.quality, last - 1e-8) << options.n_iterations;
        last = found.quality;
    }
    EXPECT_GT(last, first + 0.05);
}

TEST(KMeans, ThreadsSeedsAndStarts) {
    TestVectors rows(topics(8, 500, 10));
    pkin_kmeans_options options = with(10, 3);
    options.n_threads = 1;
    Partition one(rows, options);
    for (int n_threads : {2, 3, 7}) {
        options.n_threads = n_threads;
        Partition more(rows, options);
        EXPECT_EQ(one.labels(), more.labels());
        EXPECT_EQ(one.quality, more.quality);
    }
    std::set<double> qualities;
    for (options.seed = 0; options.seed < 5; options.seed++) qualities.insert(Partition(rows, options).quality);
    EXPECT_GT(qualities.size(), 1u);
    options.seed = 3;
    options.n_starts = 6;
    Partition best(rows, options);
    EXPECT_GE(best.quality, one.quality);
    EXPECT_GE(best.quality, *qualities.rbegin() - 0.02);
}

TEST(KMeans, FindsTheTopics) {
    TestMatrix matrix;
    matrix.n_columns = 60;
    std::mt19937 random(4);
    for (uint32_t r = 0; r < 200; r++) {
        std::map<uint32_t, double> row;
        for (int t = 0; t < 8; t++) row[15 * (r % 4) + random() % 15] = 1;
        matrix.rows.emplace_back(row.begin(), row.end());
    }
    TestVectors rows(matrix);
    pkin_kmeans_options options = with(4);
    options.n_starts = 5;
    Partition found(rows, options);
    ASSERT_EQ(found.n_clusters, 4u);
    for (uint32_t r = 4; r < 200; r++) EXPECT_EQ(found.clusters[r], found.clusters[r % 4]) << r;
}

TEST(KMeans, FewRowsAndEqualOnes) {
    TestMatrix matrix;
    matrix.n_columns = 6;
    matrix.rows = {{}, {{0, 1}, {1, 2}}, {{0, 1}, {1, 2}}, {{3, 1}}, {}, {{3, 1}}};
    TestVectors rows(matrix);
    Partition found(rows, with(5)); /* two rows are all there is */
    EXPECT_EQ(found.labels(), (std::vector<uint32_t>{NONE, 0, 0, 1, NONE, 1}));
    EXPECT_NEAR(found.quality, 1, 1e-8);
    matrix.rows = {{}, {}};
    Partition nothing(TestVectors(matrix), with(2));
    EXPECT_EQ(nothing.labels(), (std::vector<uint32_t>{NONE, NONE}));
    EXPECT_EQ(nothing.n_clusters, 0u);
    matrix.rows = {};
    Partition no_rows(TestVectors(matrix), with(2));
    EXPECT_EQ(no_rows.n_nodes, 0u);
    matrix.rows = {{{0, 1}}, {{0, 1}, {1, 1}}, {{5, 1}}};
    Partition one(TestVectors(matrix), std::vector<uint32_t>{0}, with(1));
    EXPECT_EQ(one.labels(), (std::vector<uint32_t>{0, 0, NONE})); /* the last shares nothing with the centre */
}

TEST(KMeans, CentersAreExact) {
    TestVectors rows(topics(9, 300, 6));
    std::vector<uint32_t> labels;
    for (uint32_t r = 0; r < 300; r++) labels.push_back(r % 5 == 0 ? NONE : r % 7 == 3 ? 5 : r % 4); /* 4 stays empty */
    pkin_vectors *expected = plain_centers(rows.vectors, labels, 6);
    for (int n_threads : {1, 3}) {
        pkin_vectors *centers = nullptr;
        ASSERT_EQ(pkin_i_kmeans_centers(rows.vectors, labels.data(), 6, n_threads, &centers), PKIN_OK);
        const uint64_t n = pkin_vectors_n_entries(expected);
        ASSERT_EQ(pkin_vectors_n_entries(centers), n);
        for (int c = 0; c <= 6; c++) ASSERT_EQ(centers->row_offsets[c], expected->row_offsets[c]);
        for (uint64_t at = 0; at < n; at++) {
            ASSERT_EQ(centers->columns[at], expected->columns[at]);
            ASSERT_EQ(centers->weights[at], expected->weights[at]);
        }
        pkin_vectors_free(centers);
    }
    EXPECT_EQ(expected->row_offsets[4], expected->row_offsets[5]);
    pkin_vectors_free(expected);
}

/* What the similarity engine finds, row by row. */
TEST(KMeans, AssigningIsATopOneSearch) {
    for (uint32_t seed = 0; seed < 4; seed++) {
        TestVectors rows(topics(seed, 700, 8)), few(topics(seed + 1, 40, 8));
        std::vector<uint32_t> labels, found(700);
        std::vector<uint64_t> scores(700);
        for (uint32_t r = 0; r < 700; r++) labels.push_back(r % 3 == 0 ? NONE : r % 23);
        pkin_vectors *centers = nullptr;
        ASSERT_EQ(pkin_i_kmeans_centers(rows.vectors, labels.data(), 25, 2, &centers), PKIN_OK);
        for (const pkin_vectors *others : {(const pkin_vectors *)centers, (const pkin_vectors *)few.vectors}) {
            std::vector<uint32_t> searched(700);
            std::vector<uint64_t> highest(700);
            ASSERT_EQ(pkin_i_kmeans_assign(rows.vectors, others, 3, found.data(), scores.data()), PKIN_OK);
            ASSERT_EQ(pkin_i_kmeans_assign_by_search(rows.vectors, others, nullptr, searched.data(), highest.data()),
                      PKIN_OK);
            EXPECT_EQ(found, searched);
            EXPECT_EQ(scores, highest);
            EXPECT_NE(std::count(found.begin(), found.end(), NONE), 0); /* empty rows */
        }
        pkin_vectors_free(centers);
    }
}

TEST(KMeans, SeedingCanBeCancelled) {
    TestMatrix matrix;
    matrix.n_columns = 1000;
    for (uint32_t r = 0; r < 1000; r++) matrix.rows.push_back({{r, 1.0}});
    TestVectors rows(matrix);
    std::vector<double> lengths(1000, 1.0);
    std::vector<uint32_t> drawn(1000);
    pkin_i_kmeans_seeder *seeder = nullptr;
    ASSERT_EQ(pkin_i_kmeans_seeder_open(rows.vectors, lengths.data(), &seeder), PKIN_OK);
    pkin_i_random random = pkin_i_random_start(7, 0);
    int n_asked = 0;
    auto third_time = [](void *user) { return static_cast<int>(++*static_cast<int *>(user) == 3); };
    uint32_t n = pkin_i_kmeans_seed(seeder, &random, 1000, drawn.data(), third_time, &n_asked);
    EXPECT_EQ(n_asked, 3);
    EXPECT_LT(n, 1000u);
    pkin_i_kmeans_seeder_close(seeder);
}

/* Chances are the distances to the nearest centre: from each of three groups a row, before a second of one comes. */
TEST(KMeans, SeedsAreDrawnByDistance) {
    TestMatrix matrix;
    matrix.n_columns = 3;
    for (int r = 0; r < 90; r++) matrix.rows.push_back({{(uint32_t)r / 30, 1.0}});
    matrix.rows.push_back({{0, 1}, {1, 1}}); /* at cosine 0.71 to two of the groups */
    TestVectors rows(matrix);
    std::vector<double> lengths(91, 1.0);
    pkin_i_kmeans_seeder *seeder = nullptr;
    ASSERT_EQ(pkin_i_kmeans_seeder_open(rows.vectors, lengths.data(), &seeder), PKIN_OK);
    int n_between = 0;
    for (uint64_t s = 0; s < 3000; s++) {
        uint32_t drawn[10];
        pkin_i_random random = pkin_i_random_start(7, s);
        ASSERT_EQ(pkin_i_kmeans_seed(seeder, &random, 10, drawn, [](void *) { return 0; }, nullptr), 4u);
        std::set<uint32_t> groups;
        for (int k = 0; k < 4; k++) groups.insert(drawn[k] / 30);
        EXPECT_EQ(groups.size(), 4u);
        n_between += drawn[0] < 90 && drawn[1] == 90;
    }
    /* After the first (in 60 of 91 cases of groups 0 and 1) it has 0.293 of 60.293, else 1 of 61. */
    const double expected = 3000 * (60 / 91.0 * 0.2929 / 60.2929 + 30 / 91.0 / 61);
    EXPECT_NEAR(n_between, expected, 4 * std::sqrt(expected));
    pkin_i_kmeans_seeder_close(seeder);
    pkin_i_kmeans_seeder_close(nullptr);
}

int cancel(void *user, const char *stage, uint64_t done, uint64_t total) {
    EXPECT_STREQ(stage, "clustering");
    EXPECT_LE(done, total);
    return ++*static_cast<int *>(user) > 3;
}

TEST(KMeans, RefusesAndCancels) {
    TestVectors rows(topics(1, 100, 4));
    pkin_partition out;
    EXPECT_EQ(pkin_kmeans(nullptr, nullptr, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_kmeans(rows.vectors, nullptr, &out), PKIN_ERROR_INVALID_ARGUMENT); /* n_clusters must be set */
    EXPECT_EQ(pkin_kmeans(rows.vectors, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    std::vector<pkin_kmeans_options> bad(5, with(3));
    bad[0].n_clusters = 0;
    bad[1].n_starts = 0;
    bad[2].n_iterations = 0;
    bad[3].n_threads = 5000;
    bad[4].size = 3;
    for (const pkin_kmeans_options &options : bad) {
        EXPECT_EQ(pkin_kmeans(rows.vectors, &options, &out), PKIN_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(out.clusters, nullptr);
    }
    pkin_kmeans_options options = with(4);
    options.backend = "abacus";
    EXPECT_EQ(pkin_kmeans(rows.vectors, &options, &out), PKIN_ERROR_UNSUPPORTED);
    options.backend = "cpu";
    int n_calls = 0;
    options.on_progress = cancel;
    options.progress_user = &n_calls;
    EXPECT_EQ(pkin_kmeans(rows.vectors, &options, &out), PKIN_ERROR_CANCELLED);
    EXPECT_EQ(n_calls, 4);
}

TEST(KMeans, LeavesNothingBehindOnFailure) {
    TestVectors rows(topics(5, 60, 3));
    pkin_kmeans_options options = with(5);
    options.n_starts = 2;
    options.n_iterations = 2;
    options.n_threads = 2;
    expect_clean_failures([&] {
        pkin_partition out;
        pkin_status status = pkin_kmeans(rows.vectors, &options, &out);
        EXPECT_EQ(out.clusters == nullptr, status != PKIN_OK);
        pkin_partition_free(&out);
        return status;
    });
}

} // namespace
