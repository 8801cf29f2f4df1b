/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_GROUPS_TEST_GRAPH_H
#define PKIN_TESTS_GROUPS_TEST_GRAPH_H

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "paperkin/cluster.h"

/* Owned handles, and graphs to cluster. Weights are multiples of 2^-30, as the engine's are, unless a test scales them.
 */
class TestGraph {
  public:
    TestGraph(uint64_t n_nodes, const std::vector<pkin_edge> &edges) {
        EXPECT_EQ(pkin_graph_from_edges(n_nodes, edges.data(), edges.size(), nullptr, &graph), PKIN_OK)
            << pkin_last_error();
    }
    explicit TestGraph(pkin_graph *taken) : graph(taken) {}
    TestGraph(TestGraph &&other) noexcept : graph(other.graph) {
        other.graph = nullptr;
    }
    TestGraph(const TestGraph &) = delete;
    TestGraph &operator=(const TestGraph &) = delete;
    ~TestGraph() {
        pkin_graph_free(graph);
    }
    operator const pkin_graph *() const {
        return graph;
    }
    pkin_graph_view view() const {
        return pkin_graph_look(graph);
    }

  private:
    pkin_graph *graph = nullptr;
};

class TestPartition {
  public:
    TestPartition() = default;
    explicit TestPartition(std::vector<uint32_t> numbers) : given(std::move(numbers)) {
        partition.n_nodes = given.size();
        for (uint32_t c : given) {
            if (c != PKIN_NO_CLUSTER) partition.n_clusters = std::max(partition.n_clusters, c + 1);
        }
        partition.clusters = given.data();
    }
    TestPartition(TestPartition &&other) noexcept : given(std::move(other.given)), partition(other.partition) {
        other.partition = pkin_partition{};
    }
    TestPartition(const TestPartition &) = delete;
    TestPartition &operator=(const TestPartition &) = delete;
    ~TestPartition() {
        if (given.empty()) pkin_partition_free(&partition);
    }
    std::vector<uint32_t> clusters() const {
        return std::vector<uint32_t>(partition.clusters, partition.clusters + partition.n_nodes);
    }
    uint32_t operator[](size_t node) const {
        return partition.clusters[node];
    }
    pkin_partition *operator->() {
        return &partition;
    }
    operator const pkin_partition *() const {
        return &partition;
    }
    pkin_partition *place() {
        return &partition;
    }

  private:
    std::vector<uint32_t> given;
    pkin_partition partition = {};
};

inline double test_weight(std::mt19937_64 &random) {
    return static_cast<double>(1 + random() % (1u << 30)) * 0x1p-30;
}

inline std::vector<pkin_edge> random_edges(uint32_t n_nodes, double share, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<pkin_edge> edges;
    for (uint32_t a = 0; a < n_nodes; a++) {
        for (uint32_t b = a + 1; b < n_nodes; b++) {
            if (static_cast<double>(random() % 1000000) < share * 1e6) edges.push_back({a, b, test_weight(random)});
        }
    }
    return edges;
}

/* Groups of `size` nodes, node v in group v % n_groups, with many edges inside and few between. */
inline std::vector<pkin_edge> planted_edges(uint32_t n_groups, uint32_t size, double inside, double between,
                                            uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<pkin_edge> edges;
    for (uint32_t a = 0; a < n_groups * size; a++) {
        for (uint32_t b = a + 1; b < n_groups * size; b++) {
            double share = a % n_groups == b % n_groups ? inside : between;
            if (static_cast<double>(random() % 1000000) < share * 1e6) edges.push_back({a, b, test_weight(random)});
        }
    }
    return edges;
}

/* Whether two labellings part the nodes alike. */
inline bool same_parting(const std::vector<uint32_t> &a, const std::vector<uint32_t> &b) {
    if (a.size() != b.size()) return false;
    for (size_t v = 0; v < a.size(); v++) {
        for (size_t u = 0; u < v; u++) {
            if ((a[u] == a[v]) != (b[u] == b[v])) return false;
        }
    }
    return true;
}

/* Numbers as pkin_partition promises: each in use, by size, then by least node. */
inline void expect_numbered(const std::vector<uint32_t> &clusters, uint32_t n_clusters) {
    std::vector<size_t> sizes(n_clusters, 0), first(n_clusters, SIZE_MAX);
    for (size_t v = 0; v < clusters.size(); v++) {
        if (clusters[v] == PKIN_NO_CLUSTER) continue;
        ASSERT_LT(clusters[v], n_clusters);
        sizes[clusters[v]]++;
        first[clusters[v]] = std::min(first[clusters[v]], v);
    }
    for (uint32_t c = 0; c < n_clusters; c++) {
        ASSERT_GT(sizes[c], 0u) << "cluster " << c;
        if (c == 0) continue;
        ASSERT_TRUE(sizes[c - 1] > sizes[c] || (sizes[c - 1] == sizes[c] && first[c - 1] < first[c]))
            << "cluster " << c;
    }
}

#endif
