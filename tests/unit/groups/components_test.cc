/* SPDX-License-Identifier: Apache-2.0 */
#include <cmath>

#include "support/allocation_failures.h"
#include "test_graph.h"

/* By relabelling until nothing changes. */
static std::vector<uint32_t> naive_components(uint32_t n, const std::vector<pkin_edge> &edges, double floor) {
    std::vector<uint32_t> labels(n);
    std::iota(labels.begin(), labels.end(), 0u);
    for (bool changed = true; changed;) {
        changed = false;
        for (const pkin_edge &edge : edges) {
            uint32_t least = std::min(labels[edge.a], labels[edge.b]);
            if (edge.weight < floor || labels[edge.a] == labels[edge.b]) continue;
            labels[edge.a] = labels[edge.b] = least;
            changed = true;
        }
    }
    return labels;
}

TEST(Components, AgreeWithRelabelling) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; round++) {
        uint32_t n = 1 + static_cast<uint32_t>(random() % 80);
        std::vector<pkin_edge> edges = random_edges(n, 2.0 / n, random());
        double floor = round % 3 * 0.25;
        TestGraph graph(n, edges);
        TestPartition found, large;
        ASSERT_EQ(pkin_components(graph, floor, 1, found.place()), PKIN_OK);
        EXPECT_TRUE(same_parting(found.clusters(), naive_components(n, edges, floor)));
        expect_numbered(found.clusters(), found->n_clusters);
        ASSERT_EQ(pkin_components(graph, floor, 4, large.place()), PKIN_OK);
        std::vector<uint32_t> clusters = found.clusters();
        for (uint32_t v = 0; v < n; v++) {
            bool is_large = std::count(clusters.begin(), clusters.end(), clusters[v]) >= 4;
            EXPECT_EQ(large[v], is_large ? clusters[v] : PKIN_NO_CLUSTER);
        }
    }
}

TEST(Components, FloorIsReachedByEqualWeights) {
    TestGraph graph(4, {{0, 1, 0.5}, {1, 2, 0.25}, {2, 3, 0.5}});
    TestPartition found;
    ASSERT_EQ(pkin_components(graph, 0.5, 1, found.place()), PKIN_OK);
    EXPECT_EQ(found.clusters(), (std::vector<uint32_t>{0, 0, 1, 1}));
    EXPECT_DOUBLE_EQ(found->quality, 0.8);
}

TEST(Components, OfNothingAndOfWrongArguments) {
    TestGraph empty(0, {}), lone(2, {});
    TestPartition found, outliers, wrong;
    ASSERT_EQ(pkin_components(empty, 0, 1, found.place()), PKIN_OK);
    EXPECT_EQ(found->n_clusters, 0u);
    ASSERT_EQ(pkin_components(lone, 0, 2, outliers.place()), PKIN_OK);
    EXPECT_EQ(outliers.clusters(), (std::vector<uint32_t>(2, PKIN_NO_CLUSTER)));
    EXPECT_EQ(pkin_components(lone, std::nan(""), 2, wrong.place()), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_components(lone, 0, 2, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Components, HugeWeightsAreNoNan) {
    TestGraph graph(4, {{0, 1, 1e308}, {1, 2, 1e308}, {2, 3, 1e308}});
    TestPartition found;
    ASSERT_EQ(pkin_components(graph, 0, 1, found.place()), PKIN_OK);
    EXPECT_EQ(found->quality, 1);
}

TEST(Components, FailCleanlyWithoutMemory) {
    TestGraph graph(4, {{0, 1, 1}});
    expect_clean_failures([&] {
        pkin_partition found;
        pkin_status status = pkin_components(graph, 0, 1, &found);
        pkin_partition_free(&found);
        return status;
    });
}
