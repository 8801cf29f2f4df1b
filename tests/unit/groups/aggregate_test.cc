/* SPDX-License-Identifier: Apache-2.0 */
#include <cmath>
#include <map>

#include "support/allocation_failures.h"
#include "test_graph.h"

static TestGraph aggregate(const pkin_graph *graph, const pkin_partition *partition) {
    pkin_graph *made = nullptr;
    EXPECT_EQ(pkin_graph_aggregate(graph, partition, &made), PKIN_OK) << pkin_last_error();
    return TestGraph(made);
}

/* Against sums over all edges in a map. */
static void expect_sums(const pkin_graph_view &view, const std::vector<uint32_t> &clusters,
                        const pkin_graph_view &found) {
    std::map<std::pair<uint32_t, uint32_t>, double> between;
    std::vector<double> inner(found.n_nodes, 0);
    std::vector<uint64_t> sizes(found.n_nodes, 0);
    for (uint32_t v = 0; v < view.n_nodes; v++) {
        if (clusters[v] == PKIN_NO_CLUSTER) continue;
        sizes[clusters[v]] += view.sizes ? view.sizes[v] : 1;
        if (view.inner_weights) inner[clusters[v]] += view.inner_weights[v];
        for (uint64_t e = view.offsets[v]; e < view.offsets[v + 1]; e++) {
            uint32_t other = clusters[view.targets[e]];
            if (other == PKIN_NO_CLUSTER) continue;
            if (other != clusters[v]) between[{clusters[v], other}] += view.weights[e];
            if (other == clusters[v] && view.targets[e] > v) inner[other] += view.weights[e];
        }
    }
    std::map<std::pair<uint32_t, uint32_t>, double> listed;
    for (uint32_t c = 0; c < found.n_nodes; c++) {
        EXPECT_EQ(found.sizes[c], sizes[c]);
        EXPECT_DOUBLE_EQ(found.inner_weights[c], inner[c]);
        for (uint64_t e = found.offsets[c]; e < found.offsets[c + 1]; e++) {
            if (e > found.offsets[c]) {
                EXPECT_LT(found.targets[e - 1], found.targets[e]);
            }
            listed[{c, found.targets[e]}] = found.weights[e];
        }
    }
    ASSERT_EQ(listed.size(), between.size());
    for (const auto &[pair, weight] : between) {
        EXPECT_NEAR(listed[pair], weight, 1e-12 * weight);
        EXPECT_EQ(listed[pair], (listed[{pair.second, pair.first}])) << "the same bits in both directions";
    }
}

TEST(Aggregate, SumsWeightsInnerWeightsAndSizes) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 20; round++) {
        uint32_t n = 2 + static_cast<uint32_t>(random() % 60), n_clusters = 1 + static_cast<uint32_t>(random() % n);
        std::vector<pkin_edge> edges = random_edges(n, 0.3, random());
        for (pkin_edge &edge : edges) edge.weight = std::ldexp(edge.weight * 1.1, static_cast<int>(random() % 40) - 20);
        TestGraph graph(n, edges);
        std::vector<uint32_t> clusters(n);
        for (uint32_t &c : clusters) c = random() % 8 ? static_cast<uint32_t>(random() % n_clusters) : PKIN_NO_CLUSTER;
        clusters[0] = n_clusters - 1;
        TestPartition partition(clusters);
        TestGraph groups = aggregate(graph, partition);
        ASSERT_EQ(groups.view().n_nodes, n_clusters);
        expect_sums(graph.view(), clusters, groups.view());
        std::vector<uint32_t> pairs(n_clusters);
        for (uint32_t c = 0; c < n_clusters; c++) pairs[c] = c / 2;
        TestPartition coarser(pairs);
        TestGraph again = aggregate(groups, coarser);
        expect_sums(groups.view(), pairs, again.view());
    }
}

TEST(Aggregate, OfNothing) {
    TestGraph empty(0, {}), lone(3, {});
    EXPECT_EQ(aggregate(empty, TestPartition()).view().n_nodes, 0u);
    TestPartition outliers(std::vector<uint32_t>(3, PKIN_NO_CLUSTER)), apart({0, 1, 2});
    EXPECT_EQ(aggregate(lone, outliers).view().n_nodes, 0u);
    EXPECT_EQ(aggregate(lone, apart).view().n_nodes, 3u);
}

TEST(Aggregate, RefusesWhatDoesNotFit) {
    TestGraph graph(4, {{0, 2, 1e308}, {1, 3, 1e308}, {0, 3, 1e308}, {0, 1, 1}});
    TestPartition halves({0, 0, 1, 1}), shorter({0, 0});
    pkin_graph *made = nullptr;
    EXPECT_EQ(pkin_graph_aggregate(graph, halves, &made), PKIN_ERROR_OVERFLOW);
    EXPECT_EQ(made, nullptr);
    EXPECT_EQ(pkin_graph_aggregate(graph, shorter, &made), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_aggregate(graph, halves, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Aggregate, FailsCleanlyWithoutMemory) {
    TestGraph graph(4, {{0, 2, 1}, {1, 3, 1}, {0, 1, 1}});
    TestPartition halves({0, 0, 1, 1});
    expect_clean_failures([&] {
        pkin_graph *made = nullptr;
        pkin_status status = pkin_graph_aggregate(graph, halves, &made);
        pkin_graph_free(made);
        return status;
    });
}
