/* SPDX-License-Identifier: Apache-2.0 */
#include <rapidcheck.h>

#include <cmath>
#include <limits>

#include "graph_support.h"
#include "support/allocation_failures.h"

namespace {

TEST(Graph, HoldsItsEdgesAtBothEnds) {
    GraphHandle graph = graph_of(5, {{3, 1, 0.5}, {0, 3, 0.25}, {4, 3, 2}});
    EXPECT_EQ(edges_of(graph.get()), (EdgeMap{{{1, 3}, 0.5}, {{0, 3}, 0.25}, {{3, 4}, 2.0}}));
    EXPECT_EQ(pkin_graph_n_nodes(graph.get()), 5u);
    EXPECT_EQ(pkin_graph_name(graph.get(), 0), nullptr);
}

TEST(Graph, KeepsTheLargestOfSeveralWeights) {
    GraphHandle graph = graph_of(3, {{0, 1, 0.5}, {1, 0, 0.75}, {0, 1, 0.25}, {1, 2, 1}, {1, 2, 3}});
    EXPECT_EQ(edges_of(graph.get()), (EdgeMap{{{0, 1}, 0.75}, {{1, 2}, 3.0}}));
}

TEST(Graph, HasNames) {
    GraphHandle graph = graph_of(3, {{0, 2, 1}}, {"one", "", "three"});
    EXPECT_EQ(names_of(graph.get()), (std::vector<std::string>{"one", "(none)", "three"}));
    EXPECT_EQ(pkin_graph_name(graph.get(), 3), nullptr);
}

TEST(Graph, MayBeEmpty) {
    GraphHandle none = graph_of(0, {});
    EXPECT_EQ(pkin_graph_n_nodes(none.get()), 0u);
    EXPECT_TRUE(edges_of(none.get()).empty());
    EXPECT_TRUE(edges_of(graph_of(4, {}).get()).empty());
    EXPECT_EQ(pkin_graph_look(nullptr).n_nodes, 0u);
    EXPECT_EQ(pkin_graph_n_nodes(nullptr), 0u);
    EXPECT_EQ(pkin_graph_n_edges(nullptr), 0u);
    pkin_graph_free(nullptr);
}

TEST(Graph, RefusesWhatIsNoEdge) {
    const double infinite = std::numeric_limits<double>::infinity();
    const pkin_edge bad[] = {{0, 0, 1}, {0, 3, 1}, {3, 0, 1}, {0, 1, 0}, {0, 1, -1}, {0, 1, infinite}, {0, 1, NAN}};
    for (const pkin_edge &edge : bad) {
        pkin_graph *graph = reinterpret_cast<pkin_graph *>(1);
        EXPECT_EQ(pkin_graph_from_edges(3, &edge, 1, nullptr, &graph), PKIN_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(graph, nullptr);
    }
    pkin_graph *graph = nullptr;
    EXPECT_EQ(pkin_graph_from_edges(UINT32_MAX, nullptr, 0, nullptr, &graph), PKIN_ERROR_OVERFLOW);
    EXPECT_EQ(pkin_graph_from_edges(3, nullptr, 1, nullptr, &graph), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Graph, IsTheSetOfItsEdgesInAnyOrder) {
    EXPECT_TRUE(rc::check("edges", [] {
        auto n = *rc::gen::inRange<uint32_t>(2, 30);
        auto raw = *rc::gen::container<std::vector<std::tuple<uint32_t, uint32_t, int>>>(
            rc::gen::tuple(rc::gen::inRange<uint32_t>(0, n), rc::gen::inRange<uint32_t>(0, n), rc::gen::inRange(1, 9)));
        std::vector<pkin_edge> edges;
        EdgeMap expected;
        for (auto [a, b, weight] : raw) {
            if (a == b) continue;
            edges.push_back({a, b, static_cast<double>(weight)});
            double &kept = expected[{std::min(a, b), std::max(a, b)}];
            kept = std::max(kept, static_cast<double>(weight));
        }
        RC_ASSERT(edges_of(graph_of(n, edges).get()) == expected);
    }));
}

TEST(Graph, LeavesNothingBehindWhenMemoryRunsOut) {
    const char *names[] = {"a", "b", "c"};
    const pkin_edge edges[] = {{0, 1, 1}, {1, 2, 1}};
    expect_clean_failures([&] {
        pkin_graph *graph = nullptr;
        pkin_status status = pkin_graph_from_edges(3, edges, 2, names, &graph);
        EXPECT_EQ(status == PKIN_OK, graph != nullptr);
        pkin_graph_free(graph);
        return status;
    });
}

} // namespace
