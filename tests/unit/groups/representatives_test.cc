/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "paperkin/labels.h"
#include "support/allocation_failures.h"

using Row = std::map<uint32_t, double>;

struct Representatives {
    std::vector<Row> rows;
    std::vector<uint32_t> clusters;
    std::vector<pkin_edge> edges;
    uint32_t n_clusters = 0;
    uint64_t n_columns = 64;

    pkin_vectors *vectors() const {
        std::vector<uint64_t> offsets = {0};
        std::vector<uint32_t> columns;
        std::vector<double> values;
        for (const Row &row : rows) {
            for (const auto &entry : row) {
                columns.push_back(entry.first);
                values.push_back(entry.second);
            }
            offsets.push_back(columns.size());
        }
        pkin_csr_view view = {rows.size(), n_columns, offsets.data(), columns.data(), values.data()};
        pkin_matrix *matrix = nullptr;
        pkin_vectors *out = nullptr;
        EXPECT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(pkin_vectors_from_matrix(matrix, 1, &out), PKIN_OK) << pkin_last_error();
        pkin_matrix_free(matrix);
        return out;
    }

    std::vector<pkin_representative> find(uint32_t n_each, bool with_graph = true) {
        std::vector<pkin_representative> out(n_clusters * n_each);
        pkin_vectors *v = vectors();
        pkin_graph *graph = nullptr;
        EXPECT_EQ(pkin_graph_from_edges(rows.size(), edges.data(), edges.size(), nullptr, &graph), PKIN_OK);
        pkin_partition partition = {rows.size(), n_clusters, clusters.data(), 0};
        EXPECT_EQ(pkin_representatives_find(v, with_graph ? graph : nullptr, &partition, n_each, out.data()), PKIN_OK)
            << pkin_last_error();
        pkin_graph_free(graph);
        pkin_vectors_free(v);
        return out;
    }
};

static double length_of(const Row &row) {
    double sum = 0;
    for (const auto &entry : row) sum += entry.second * entry.second;
    return std::sqrt(sum);
}

/* By the definition, in doubles. */
static double closeness_by_hand(const Representatives &world, uint32_t row) {
    Row centre;
    for (size_t r = 0; r < world.rows.size(); r++) {
        if (world.clusters[r] != world.clusters[row]) continue;
        for (const auto &entry : world.rows[r]) centre[entry.first] += entry.second / length_of(world.rows[r]);
    }
    double product = 0;
    for (const auto &entry : world.rows[row]) product += entry.second * centre[entry.first];
    return product == 0 ? 0 : product / (length_of(world.rows[row]) * length_of(centre));
}

static double degree_by_hand(const Representatives &world, uint32_t row) {
    double sum = 0;
    for (const pkin_edge &edge : world.edges) {
        if ((edge.a == row || edge.b == row) && world.clusters[edge.a] == world.clusters[edge.b]) sum += edge.weight;
    }
    return sum;
}

static void fill(Representatives &world, uint32_t seed) {
    std::mt19937 random(seed);
    world.n_clusters = 4;
    for (uint32_t r = 0; r < 60; r++) {
        Row row;
        size_t n = random() % 9; /* empty ones too */
        for (size_t k = 0; k < n; k++) row[static_cast<uint32_t>(random() % world.n_columns)] = 1 + random() % 16;
        world.rows.push_back(row);
        world.clusters.push_back(r < 3 ? 3 : random() % 5 == 0 ? PKIN_NO_CLUSTER : static_cast<uint32_t>(random() % 3));
    }
    std::map<std::pair<uint32_t, uint32_t>, double> edges;
    for (int k = 0; k < 200; k++) {
        uint32_t a = static_cast<uint32_t>(random() % 60), b = static_cast<uint32_t>(random() % 60);
        if (a < b) edges[{a, b}] = static_cast<double>(1 + random() % 1024) / 1024;
    }
    for (const auto &edge : edges) world.edges.push_back({edge.first.first, edge.first.second, edge.second});
}

TEST(Representatives, AreThoseOfTheDefinition) {
    for (uint32_t seed = 0; seed < 10; seed++) {
        Representatives world;
        fill(world, seed);
        for (bool with_graph : {true, false}) {
            std::vector<pkin_representative> found = world.find(5, with_graph);
            for (uint32_t c = 0; c < world.n_clusters; c++) {
                double most = 0;
                std::vector<std::pair<double, uint32_t>> worths;
                for (uint32_t r = 0; r < world.rows.size(); r++) {
                    if (world.clusters[r] == c && with_graph) most = std::max(most, degree_by_hand(world, r));
                }
                auto centrality = [&](uint32_t r) { return most > 0 ? degree_by_hand(world, r) / most : 0; };
                for (uint32_t r = 0; r < world.rows.size(); r++) {
                    if (world.clusters[r] == c)
                        worths.push_back({-closeness_by_hand(world, r) * (1 + centrality(r)), r});
                }
                std::sort(worths.begin(), worths.end());
                for (size_t k = 0; k < 5; k++) {
                    const pkin_representative &item = found[c * 5 + k];
                    if (k >= worths.size()) {
                        EXPECT_EQ(item.row, UINT32_MAX);
                        continue;
                    }
                    ASSERT_LT(item.row, world.rows.size());
                    EXPECT_EQ(world.clusters[item.row], c);
                    EXPECT_NEAR(item.closeness, closeness_by_hand(world, item.row), 1e-7);
                    EXPECT_NEAR(item.centrality, centrality(item.row), 1e-12);
                    EXPECT_NEAR(item.closeness * (1 + item.centrality), -worths[k].first, 1e-6);
                    EXPECT_GE(item.closeness, 0);
                    EXPECT_LE(item.closeness, 1);
                }
            }
        }
    }
}

TEST(Representatives, EqualOnesComeByRow) {
    Representatives world;
    world.n_clusters = 1;
    world.rows.assign(6, Row{{3, 1.0}, {7, 2.0}});
    world.clusters.assign(6, 0);
    std::vector<pkin_representative> found = world.find(4);
    for (uint32_t k = 0; k < 4; k++) {
        EXPECT_EQ(found[k].row, k);
        EXPECT_NEAR(found[k].closeness, 1, 1e-8);
        EXPECT_EQ(found[k].centrality, 0);
    }
}

TEST(Representatives, RefuseWhatDoesNotFit) {
    Representatives world;
    fill(world, 1);
    pkin_vectors *vectors = world.vectors();
    pkin_partition partition = {world.rows.size(), world.n_clusters, world.clusters.data(), 0};
    std::vector<pkin_representative> out(8);
    pkin_graph *small = nullptr;
    ASSERT_EQ(pkin_graph_from_edges(3, nullptr, 0, nullptr, &small), PKIN_OK);
    EXPECT_EQ(pkin_representatives_find(vectors, small, &partition, 2, out.data()), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_representatives_find(nullptr, nullptr, &partition, 2, out.data()), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_representatives_find(vectors, nullptr, nullptr, 2, out.data()), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_representatives_find(vectors, nullptr, &partition, 2, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    partition.n_clusters = 2;
    EXPECT_EQ(pkin_representatives_find(vectors, nullptr, &partition, 2, out.data()), PKIN_ERROR_INVALID_ARGUMENT);
    partition = {world.rows.size() - 1, world.n_clusters, world.clusters.data(), 0};
    EXPECT_EQ(pkin_representatives_find(vectors, nullptr, &partition, 2, out.data()), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_graph_free(small);
    pkin_vectors_free(vectors);
}

TEST(Representatives, LeaveNothingWhereMemoryFails) {
    Representatives world;
    fill(world, 2);
    pkin_vectors *vectors = world.vectors();
    pkin_partition partition = {world.rows.size(), world.n_clusters, world.clusters.data(), 0};
    std::vector<pkin_representative> out(8);
    expect_clean_failures([&] { return pkin_representatives_find(vectors, nullptr, &partition, 2, out.data()); });
    pkin_vectors_free(vectors);
}
